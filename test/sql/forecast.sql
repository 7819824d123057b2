-- rnn_forecast: its signature, its arguments, its rows.
SET timezone = 'UTC';
SET datestyle = 'ISO';
SELECT pg_get_function_arguments(oid) FROM pg_proc WHERE proname = 'rnn_forecast';
SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute
WHERE attrelid = 'rnn_forecast_row'::regclass AND attnum > 0 ORDER BY attnum;
SELECT provolatile, proparallel, proisstrict, procost, prosupport <> 0 AS support
FROM pg_proc WHERE proname = 'rnn_forecast';
SELECT rnn_quantile_levels();

CREATE TEMP TABLE m AS
SELECT rnn_train(month, value, mix() || '{"seasons": [12], "horizon": 6, "keep": 50}') AS m,
	   rnn_train(value, mix() || '{"seasons": [12], "horizon": 6, "keep": 50}' ORDER BY n) AS rows
FROM monthly;

-- The rows, their times and their order.
SELECT series, step, ts, local_ts, position, actual, abs(forecast - (100 + n + 20 * sin(2 * pi() * n / 12))) < 6 AS near,
	   lower < forecast AND forecast < upper AS ordered, array_length(quantiles, 1) AS levels
FROM m, rnn_forecast(m) AS f, LATERAL (SELECT 120 + step AS n) AS n;
SELECT step, ts, local_ts, position FROM m, rnn_forecast(rows, 3);
SELECT count(*) AS "no model" FROM rnn_forecast(NULL);
SELECT count(*) AS "no model" FROM rnn_forecast(NULL, 3, level => 0.5, history => 4);

-- Quantiles rise, and the columns are taken from them.
SELECT count(*) AS rows, bool_and(quantiles[8] = forecast) AS median,
	   bool_and((SELECT bool_and(a <= b) FROM unnest(quantiles[1:14], quantiles[2:15]) AS q (a, b))) AS rising
FROM m, rnn_forecast(m, 24);
SELECT bool_and(lower = quantiles[3] AND upper = quantiles[13]) AS "0.9" FROM m, rnn_forecast(m);
SELECT bool_and(lower = quantiles[4] AND upper = quantiles[12]) AS "0.8" FROM m, rnn_forecast(m, level => 0.8);
SELECT bool_and(lower = quantiles[1] AND upper = quantiles[15]) AS "0.98" FROM m, rnn_forecast(m, level => 0.98);
SELECT bool_and(lower > quantiles[3] AND lower < quantiles[4] AND upper > quantiles[12] AND upper < quantiles[13]) AS "0.85"
FROM m, rnn_forecast(m, level => 0.85);
SELECT bool_and(lower < quantiles[1] AND upper > quantiles[15] AND upper - lower < 1e3) AS "0.9999"
FROM m, rnn_forecast(m, level => 0.9999);
SELECT bool_and(upper - lower BETWEEN 0 AND 1e-3) AS "0.00001" FROM m, rnn_forecast(m, level => 0.00001);
-- An interval of a smaller level lies within one of a larger.
SELECT bool_and(narrow <= wide) AS nested FROM (
	SELECT upper - lower AS wide, lag(upper - lower) OVER (PARTITION BY step ORDER BY level) AS narrow
	FROM m, generate_series(0.05, 0.99, 0.01) AS level, rnn_forecast(m, level => level)) AS t;
-- The mean lies in the distribution, is that of rnn_backtest, and not the median of demand that is mostly 0 or where a
-- transform was undone.  In rows of the history there is none.
SELECT bool_and(mean BETWEEN quantiles[1] AND quantiles[15]) AS inside FROM m, rnn_forecast(m, 24);
SELECT count(*) FILTER (WHERE abs(f.mean - b.mean) < 1e-9) AS same
FROM rnn_backtest('SELECT month, value FROM monthly', 6, 1, '{"network": false, "seasons": [12], "at": ["2019-06-01"]}') AS b
JOIN rnn_forecast((SELECT rnn_train(month, value, '{"network": false, "seasons": [12], "horizon": 6}') FROM monthly WHERE month <= '2019-06-01'), 6) AS f USING (step);
SELECT forecast, round(mean::numeric, 2) BETWEEN 0.1 AND 0.9 AS "not 0"
FROM rnn_forecast((SELECT rnn_train(CASE WHEN hashint4(n) % 5 = 0 THEN 2 ELSE 0 END, mix() || '{"seasons": []}' ORDER BY n) FROM generate_series(1, 200) AS n), 1);
SELECT forecast, mean FROM rnn_forecast((SELECT rnn_train(5, mix() ORDER BY n) FROM generate_series(1, 30) AS n), 1);
SELECT round((mean / forecast)::numeric, 3) > 1 AS "above the median"
FROM rnn_forecast((SELECT rnn_train(value, mix() || '{"transform": "log", "seasons": []}' ORDER BY n) FROM
	(SELECT n, exp(2 + (hashint4(n) % 1000) / 500.0) FROM generate_series(1, 200) AS n) AS v (n, value)), 1);
SELECT step, mean FROM m, rnn_forecast(m, 1, history => 1) WHERE step <= 0;
-- NULL is the default.
SELECT count(*) AS rows, bool_and(lower = quantiles[3]) AS level FROM m, rnn_forecast(m, NULL, NULL, NULL, NULL, NULL, NULL);

-- until
SELECT count(*), max(local_ts) FROM m, rnn_forecast(m, until => '2020-09-01');
SELECT count(*), max(local_ts) FROM m, rnn_forecast(m, until => '2020-08-31 23:59:59');
SELECT count(*), max(local_ts) FROM m, rnn_forecast(m, until => '2020-01-01');
SELECT array_agg(a.forecast ORDER BY a.step) = array_agg(b.forecast ORDER BY b.step) AS same
FROM m, rnn_forecast(m, until => '2021-01-01') AS a, rnn_forecast(m, 13) AS b WHERE a.step = b.step;

-- history
SELECT step, local_ts::date, round(actual) AS actual, forecast IS NULL AS forecast, lower IS NULL AS lower, quantiles IS NULL AS quantiles
FROM m, rnn_forecast(m, 1, history => 3);
SELECT bool_and(f.actual = s.value) AS same, count(*)
FROM m, rnn_forecast(m, history => 50) AS f JOIN monthly AS s ON s.month = f.local_ts WHERE step <= 0;
SELECT step, position, round(actual) AS actual FROM m, rnn_forecast(rows, 1, history => 2);
SELECT count(*) FILTER (WHERE step <= 0) BETWEEN 50 AND 120 AS kept FROM m, rnn_forecast(m, history => 1000000);
SELECT step, actual FROM rnn_forecast((SELECT rnn_train(x, mix() ORDER BY i)
	FROM (VALUES (1, 1), (2, NULL), (3, 3)) AS v (i, x)), 1, history => 3);
-- leading NULLs are counted
SELECT step, position, actual FROM rnn_forecast((SELECT rnn_train(x, mix() ORDER BY i)
	FROM (VALUES (1, NULL), (2, NULL), (3, 3), (4, 3)) AS v (i, x)), 1, history => 2);

-- Errors.
\t
\pset format unaligned
SELECT try('SELECT count(*) FROM m, rnn_forecast(m, level => 0)');
SELECT try('SELECT count(*) FROM m, rnn_forecast(m, level => 1)');
SELECT try('SELECT count(*) FROM m, rnn_forecast(m, level => 90)');
SELECT try($$SELECT count(*) FROM m, rnn_forecast(m, level => 'NaN')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast(m, 3, until => '2020-09-01')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast(m, until => '2019-12-31')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast(m, until => '-infinity')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast(m, until => 'infinity')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast(m, until => '30000-01-01')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast(rows, until => '2020-09-01')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast(m, history => -1)$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast(m, series => '{a}')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast(m, series => '{NULL}')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast(m, series => '{}')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast(m, options => '{}')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast(m, options => '{"speed": 1}')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast(m, options => '[]')$$);
\t
\pset format aligned

-- In the select list, in a lateral join, in a subquery with LIMIT, twice.
SELECT (f).step, (f).local_ts::date FROM (SELECT rnn_forecast(m, 2) AS f FROM m) AS t;
SELECT count(*) FROM m, generate_series(1, 3) AS h, rnn_forecast(m, h);
SELECT step FROM m, rnn_forecast(m, 100) LIMIT 2;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT step FROM m, rnn_forecast(m, 5);
FETCH LAST FROM c;
FETCH FIRST FROM c;
CLOSE c;
COMMIT;
PREPARE p AS SELECT count(*) FROM m, rnn_forecast(m, $1, $2, history => $3);
EXECUTE p (4, 0.5, 2);
EXECUTE p (NULL, NULL, NULL);
DEALLOCATE p;

-- The planner knows the number of rows.
CREATE FUNCTION rows_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	EXECUTE 'EXPLAIN ' || query INTO line;
	RETURN substring(line FROM 'rows=(\d+)');
END $$;
SELECT rows_of($$SELECT * FROM rnn_forecast('', 48)$$) AS "48",
	   rows_of($$SELECT * FROM rnn_forecast('', 48, history => 12)$$) AS "60",
	   rows_of($$SELECT * FROM rnn_forecast('', 20 + 4, series => '{a, b}')$$) AS "48";

-- A network, and the network alone far beyond its horizon.
SELECT count(*), bool_and(abs(forecast) < 1e9 AND lower <= forecast AND forecast <= upper) AS finite
FROM (SELECT rnn_train(month, value, small()) FROM monthly) AS t (m), rnn_forecast(m, 60);
SELECT count(*), bool_and(abs(forecast) < 1e9 AND lower <= forecast AND forecast <= upper) AS finite
FROM (SELECT rnn_train(month, value, small() || '{"skip": false}') FROM monthly) AS t (m), rnn_forecast(m, 60);
-- It goes on as from its own medians, observed; gaps before them stay gaps.
SELECT count(*), bool_and(abs(a.forecast - b.forecast) < 1e-9) AS same
FROM (SELECT rnn_train(month, value, small() || '{"skip": false}'), array_agg(month), array_agg(value)
	  FROM (SELECT n, month, CASE WHEN n % 7 NOT IN (2, 3) THEN value END FROM monthly) AS v (n, month, value)) AS t (m, months, known),
	 LATERAL (SELECT rnn_history(day, value)
			  FROM (SELECT * FROM unnest(months, known) UNION ALL SELECT local_ts::date, forecast FROM rnn_forecast(m, 6)) AS v (day, value)) AS h (h),
	 rnn_forecast(m, 12) AS a, rnn_forecast(rnn_observe(m, h), 6) AS b
WHERE a.step = b.step + 6;

-- Chances.
SELECT round(rnn_chance_above(q, q[8])::numeric, 6) AS half, round(rnn_chance_above(q, q[13])::numeric, 6) AS above,
	   round(rnn_chance_above(q, q[1])::numeric, 6) AS below, rnn_chance_above(q, 'infinity') AS never,
	   rnn_chance_above(q, '-infinity') AS always, round(rnn_chance_above(q, q[15] + (q[15] - q[8]))::numeric, 6) AS tail,
	   round(rnn_chance_above(q, q[1] - (q[8] - q[1]))::numeric, 6) AS low
FROM m, LATERAL (SELECT quantiles AS q FROM rnn_forecast(m, 1)) AS f;
SELECT bool_and(chance <= before) AS falling FROM (
	SELECT rnn_chance_above(quantiles, lim) AS chance, lag(rnn_chance_above(quantiles, lim)) OVER (ORDER BY lim) AS before
	FROM m, rnn_forecast(m, 1), generate_series(0, 500, 0.5) AS lim) AS t;
-- Quantiles of a normal distribution give it back.
WITH q AS (SELECT '{-2.3263478740, -1.9599639845, -1.6448536270, -1.2815515655, -0.8416212336, -0.5244005127, -0.2533471031, 0,
	0.2533471031, 0.5244005127, 0.8416212336, 1.2815515655, 1.6448536270, 1.9599639845, 2.3263478740}'::float8[] AS q)
SELECT x, round(rnn_chance_above(q, x)::numeric, 5) AS chance FROM q, unnest('{-4, -3, -1, 0.1, 1, 3, 4}'::float8[]) AS x;
-- All mass on a point.
SELECT rnn_chance_above(array_fill(5::float8, '{15}'), 4.9) AS below, rnn_chance_above(array_fill(5::float8, '{15}'), 5) AS at,
	   rnn_chance_above(array_fill(5::float8, '{15}'), 5.1) AS above, rnn_chance_above(NULL, 5) AS nothing;
\t
\pset format unaligned
SELECT try($$SELECT rnn_chance_above('{1, 2}', 1)$$);
SELECT try($$SELECT rnn_chance_above('{}', 1)$$);
SELECT try($$SELECT rnn_chance_above('{{1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}}', 1)$$);
SELECT try($$SELECT rnn_chance_above('{1,2,3,4,5,6,7,8,9,10,11,12,13,14,NULL}', 1)$$);
SELECT try($$SELECT rnn_chance_above('{1,2,3,4,5,6,7,8,9,10,11,12,13,14,NaN}', 1)$$);
SELECT try($$SELECT rnn_chance_above('{1,2,3,4,5,6,7,8,9,10,11,12,13,14,infinity}', 1)$$);
SELECT try($$SELECT rnn_chance_above('{1,2,3,4,5,6,7,8,9,10,11,12,14,13,15}', 1)$$);
SELECT try($$SELECT rnn_chance_above('{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15}', 'NaN')$$);
SELECT try($$SELECT round(rnn_chance_above(array_fill(-1.7e308::float8, '{7}') || array_fill(1.7e308::float8, '{8}'), 1.6e308)::numeric, 3)$$);
\t
\pset format aligned
RESET timezone;
RESET datestyle;
