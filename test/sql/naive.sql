-- rnn_naive: what forecasts are compared with, by values worked out by hand.
\pset format unaligned
\pset null NULL
-- A season of 4 with its second point missing in the last one.
SELECT series, step, local_ts, naive, seasonal, drift
FROM rnn_naive((SELECT rnn_history(day, v) FROM unnest('{10,20,30,40,50,NULL,70,80}'::float8[], '{2024-01-01,2024-01-02,2024-01-03,2024-01-04,2024-01-05,2024-01-06,2024-01-07,2024-01-08}'::date[]) AS t (v, day)), 6, 4);
SELECT step, position, naive, seasonal, drift FROM rnn_naive((SELECT rnn_history('a', n, CASE WHEN n < 4 THEN n * n END) FROM generate_series(1, 4) AS n), 2, 2);
-- Where the history is shorter than a season; one point; none.
SELECT step, naive, seasonal, drift FROM rnn_naive((SELECT rnn_history(v ORDER BY v) FROM generate_series(1, 3) AS v), 3, 5);
SELECT naive, seasonal, drift FROM rnn_naive((SELECT rnn_history('a', 1, 7)), 2);
SELECT series, naive FROM rnn_naive((SELECT rnn_history(s, 1, v, '{"on_error": "skip"}') FROM (VALUES ('a', NULL::float8), ('b', 3)) AS t (s, v)), 2);
SELECT count(*) FROM rnn_naive(NULL);
-- The season and the horizon of a model, or what the calendar says; places are those of rnn_forecast.
CREATE TEMP TABLE naive_model AS SELECT rnn_train(month, value, mix() || '{"horizon": 5, "seasons": [12]}') AS m, rnn_history(month, value) AS h FROM monthly;
SELECT count(*), bool_and(n.seasonal = v.value AND n.naive = (SELECT value FROM monthly WHERE n = 120)) AS season,
	   bool_and((f.ts, f.local_ts, f.position) IS NOT DISTINCT FROM (n.ts, n.local_ts, n.position)) AS places
FROM naive_model, rnn_naive(m) AS n, rnn_forecast(m) AS f, monthly AS v WHERE f.step = n.step AND v.n = 108 + n.step;
SELECT count(*), bool_and(n.seasonal = v.value) AS season FROM naive_model, rnn_naive(h) AS n, monthly AS v WHERE v.n = 108 + n.step;
SELECT count(*), bool_and(n.seasonal = v.value) AS season
FROM rnn_naive((SELECT rnn_history(ts, value) FROM hourly), 24) AS n, hourly AS v WHERE v.n = 935 + n.step;
-- Of a panel, joined with a forecast.
SELECT series, n.step, n.naive, n.naive <> f.forecast AS other FROM (SELECT rnn_train(s, n, n * length(s), mix()) AS m FROM unnest('{a,bb}'::text[]) AS s, generate_series(1, 20) AS n) AS t,
	LATERAL rnn_naive(m, 2) AS n JOIN LATERAL rnn_forecast(m, 2) AS f USING (series, step) ORDER BY series, step;
\t
SELECT try('SELECT rnn_naive(m, 0) FROM naive_model');
SELECT try('SELECT rnn_naive(m, 100001) FROM naive_model');
SELECT try('SELECT rnn_naive(m, 1, 0) FROM naive_model');
SELECT try('SELECT rnn_naive(''\x00'')');
-- Sums that leave the range of numbers are not there.
SELECT naive, drift FROM rnn_naive((SELECT rnn_history('a', n, CASE n WHEN 1 THEN -1.7e308 ELSE 1.7e308 END) FROM generate_series(1, 2) AS n), 1, 1);
