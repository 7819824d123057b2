-- The step of a panel is that of most series; a stray row spoils its own series alone.
\set VERBOSITY terse
SET timezone = 'Europe/Berlin';
SET datestyle = 'ISO';
CREATE FUNCTION noted(m bytea) RETURNS text LANGUAGE sql AS $$
	SELECT (rnn_info(m)->>'step') || coalesce(', not ' || string_agg(name || '/' || points, ' ' ORDER BY name) FILTER (WHERE note ~ ':'), '')
	FROM rnn_series(m)
$$;

-- 5 series of 40 rows in each kind of step, one of the third series moved.
CREATE TEMP TABLE grids AS
SELECT * FROM (VALUES (1, 'minutes', 'timestamp', '15 min'::interval, '7 sec'::interval), (2, 'hours', 'timestamptz', '1 hour', '1 min'),
	(3, 'days', 'date', '1 day', NULL), (4, 'days, time', 'timestamp', '1 day', '5 hours'), (5, 'days, zone', 'timestamptz', '1 day', '5 hours'),
	(6, 'weeks', 'date', '7 days', '2 days'), (7, 'months', 'date', '1 mon', '9 days'), (8, 'quarters', 'timestamp', '3 mons', '1 mon'),
	(9, 'years', 'timestamptz', '1 year', '1 sec'), (10, 'UTC days', 'timestamptz', '24 hours', '1 hour')) AS g (i, what, type, step, away);
CREATE FUNCTION stray(g grids, nth int, options text, sort text DEFAULT 'k, n') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT noted(rnn_history(k::text, (ts + CASE WHEN k = 3 AND n = $2 THEN $3 ELSE ''0'' END)::%1$s, v, $1 ORDER BY %2$s))
		FROM (SELECT k, n, %3$L::%1$s + n * %4$L::interval AS ts, (n + k) %% 7 AS v
			  FROM generate_series(1, 5) AS k, generate_series(1, 40) AS n) AS t', g.type, sort, '2021-03-01', g.step)
	INTO result USING options::jsonb, nth, coalesce(g.away, '0');
	RETURN result;
END $$;
SELECT what, stray(g, 0, '{}') AS straight, stray(g, 20, '{"on_error": "skip"}') AS skip, stray(g, 1, '{"on_error": "skip"}') AS first,
	   stray(g, 40, '{"on_error": "naive"}') AS "naive, last", stray(g, 20, '{"on_error": "skip"}', 'v, random()') AS disordered
FROM grids AS g WHERE away IS NOT NULL ORDER BY i;
SELECT what, try(format('SELECT stray(g, 20, ''{}'') FROM grids AS g WHERE i = %s', i)) AS fail FROM grids WHERE away IS NOT NULL ORDER BY i;
-- Numbered steps, and what is trained and observed.
CREATE TEMP TABLE tens AS
SELECT k, CASE WHEN k = 3 AND n = 20 THEN 207 ELSE 10 * n + k END AS n, sin(n) AS v FROM generate_series(1, 5) AS k, generate_series(1, 40) AS n;
SELECT noted(rnn_history(k, n, v, '{"on_error": "skip"}')) AS skip, noted(rnn_train(k, n, v, mix() || '{"on_error": "naive"}')) AS naive FROM tens;
SELECT try('SELECT rnn_history(k, n, v) FROM tens') AS fail;
SELECT try('SELECT noted(rnn_history(k, n, v)) FROM tens WHERE k IN (1, 3)') AS two;
SELECT noted(rnn_history(k, n, v)) AS "the stray's own step" FROM tens WHERE k = 3;

-- Sparse series: their own steps are multiples.
CREATE FUNCTION panel_step(which text, unit interval DEFAULT '1 day') RETURNS text LANGUAGE sql AS $$
	SELECT try(format('SELECT noted(rnn_history(k, timestamptz ''2023-01-01'' + n * %L::interval, n %% 5)) FROM generate_series(1, 20) AS k, generate_series(0, 99) AS n
					   WHERE %s', unit, which))
$$;
SELECT what, panel_step(which) AS days, panel_step(which, '1 hour') AS hours, panel_step(which, '1 mon') AS months FROM (VALUES
	(1, 'all', 'true'), (2, 'one of a seventh', 'k > 1 OR n % 7 = 0'), (3, 'as many', 'k > 10 OR n % 7 = 0'),
	(4, 'at random', 'hashint4(100 * k + n) % 4 = 0'), (5, 'most of two rows', 'k = 1 OR n IN (0, 37)'),
	(6, 'of two rows', 'n IN (k, 3 * k + 5)'), (7, 'of one row', 'n = k'), (8, 'twos and threes', 'n % (2 + k % 2) = 0'),
	(9, 'sixths', 'n % 6 IN (0, 2, 3, 4)')) AS w (i, what, which) ORDER BY i;
-- Times of any kind: no gap is that of most rows.
SELECT what, try(format('SELECT noted(rnn_history(k, ts, n, %L)) FROM (SELECT k, n, timestamp ''2024-01-01'' + %s FROM generate_series(1, %s) AS k, generate_series(0, 30) AS n) AS t (k, n, ts)',
						options, ts, series)) AS step
FROM (VALUES (1, 'events', '{}', 4, 'interval ''1 sec'' * (100 * n + hashint4(100 * k + n) % 40)'), (2, 'one', '{}', 1, 'interval ''1 sec'' * (100 * n + hashint4(n) % 40)'),
	(3, 'skip', '{"on_error": "skip"}', 4, 'interval ''1 sec'' * (100 * n + hashint4(100 * k + n) % 40)'),
	(4, 'strays', '{}', 4, 'interval ''1 hour'' * n + interval ''1 sec'' * (n = 9 + k)::int')) AS t (i, what, options, series, ts) ORDER BY i;
-- Most count: a series by the day among weekly ones is the one that doesn't fit.
SELECT left(panel_step('k = 3 OR n % 7 = 0'), 80) AS daily;
-- Days in UTC, most of them too few to meet a change of the clocks.
SELECT noted(rnn_history(k, (timestamp '2024-03-01' + n * interval '1 day') AT TIME ZONE 'UTC', n)) AS step
FROM generate_series(1, 5) AS k, generate_series(1, CASE k WHEN 1 THEN 60 ELSE 20 END) AS n;
-- Last days of months, and one series on the 30th of some.
SELECT noted(h) AS step, (SELECT string_agg(local_ts::date::text, ' ' ORDER BY series, step) FROM rnn_forecast(rnn_train_history(h, mix()), 2)) AS next
FROM (SELECT rnn_history(k, (date '2023-01-01' + n * interval '1 month' - interval '1 day')::date, n)
	  FROM generate_series(1, 3) AS k, generate_series(1, 14) AS n WHERE k < 3 OR n IN (4, 6, 9, 11)) AS t (h);
-- Too far apart to be subtracted.
SELECT noted(rnn_history(k, ts, 1, '{"on_error": "skip"}')) AS skip
FROM (SELECT k, timestamp '2024-01-01' + n * interval '1 hour' AS ts FROM generate_series(1, 3) AS k, generate_series(1, 9) AS n
	  UNION ALL VALUES (2, timestamp '0001-01-01'), (2, '294276-12-31')) AS t;
-- Many series.
SELECT noted(rnn_history(k, date '2024-01-01' + n, n, '{"on_error": "skip"}')) AS step FROM generate_series(1, 20000) AS k, generate_series(1, 3) AS n;
RESET timezone;
RESET datestyle;
