-- Steps from timestamps, and the way back.
\set VERBOSITY terse
SET timezone = 'Europe/Berlin';
SET datestyle = 'ISO';

-- step, local and instant of the next rows after `count` steps of `step` from `first`
CREATE FUNCTION next_rows(first text, step interval, count int, type text, rows int DEFAULT 3)
RETURNS TABLE (inferred text, ts timestamptz, local_ts timestamp) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT rnn_info(m)->>''step'', f.ts, f.local_ts
		FROM (SELECT rnn_train((%1$L::%2$s + i * %3$L::interval)::%2$s, (i %% 5)::float8, mix())
			  FROM generate_series(0, %4$s - 1) AS i) AS t (m), rnn_forecast(m, %5$s) AS f
		ORDER BY f.step', first, type, step, count, rows);
END $$;

-- date
SELECT * FROM next_rows('2024-02-20', '1 day', 8, 'date');
SELECT * FROM next_rows('2023-02-20', '1 day', 8, 'date', 2);
SELECT * FROM next_rows('2024-01-01', '7 days', 8, 'date', 2);
SELECT * FROM next_rows('2023-10-01', '1 month', 5, 'date', 2);
SELECT * FROM next_rows('2023-01-01', '3 months', 5, 'date', 2);
SELECT * FROM next_rows('2015-06-01', '1 year', 5, 'date', 2);
-- timestamp: no zone, no gaps
SELECT * FROM next_rows('2024-03-30 20:00', '1 hour', 8, 'timestamp', 2);
SELECT * FROM next_rows('2024-03-31 00:00', '30 minutes', 4, 'timestamp', 2);
SELECT * FROM next_rows('2024-01-15 12:00', '1 month', 5, 'timestamp', 2);
SELECT * FROM next_rows('2024-01-01', '00:00:00.25', 8, 'timestamp', 2);
-- timestamptz: hours across the clock changes
SELECT * FROM next_rows('2024-03-30 20:00', '1 hour', 6, 'timestamptz', 2);
SELECT * FROM next_rows('2024-10-26 22:00', '1 hour', 4, 'timestamptz', 3);
-- days and months at local midnight
SELECT * FROM next_rows('2024-03-27', '1 day', 4, 'timestamptz', 3);
SELECT * FROM next_rows('2024-10-24', '1 day', 3, 'timestamptz', 3);
SELECT * FROM next_rows('2024-01-01', '1 month', 5, 'timestamptz', 2);
-- the model's zone, not the reader's
CREATE TEMP TABLE berlin AS
SELECT rnn_train(d, extract(dow FROM d)::float8, mix()) AS m
FROM generate_series(timestamptz '2024-03-20', '2024-03-29', '1 day') AS d;
SET timezone = 'America/New_York';
SELECT f.ts, f.local_ts FROM berlin, rnn_forecast(m, 3) AS f;
SELECT rnn_info(m)->>'timezone' AS zone, rnn_info(m)->>'last' AS last FROM berlin;
SELECT rnn_info(rnn_train(d, 1, mix() || '{"timezone": "Asia/Tokyo"}'))->>'timezone' AS zone
FROM generate_series(timestamp '2024-03-20', '2024-03-29', '1 day') AS d;
SELECT try($$SELECT rnn_train(d, 1, '{"timezone": "Mars/Olympus"}')
	FROM generate_series(timestamp '2024-03-20', '2024-03-29', '1 day') AS d$$);
SET timezone = 'Europe/Berlin';

-- Last days of months, leap years too.
CREATE TEMP TABLE ends AS
SELECT (date '2023-09-01' + (i + 1) * interval '1 month' - interval '1 day')::date AS d, i
FROM generate_series(0, 4) AS i;
SELECT rnn_info(m)->>'step' AS step, f.local_ts::date
FROM (SELECT rnn_train(d, i, mix()) FROM ends) AS t (m), rnn_forecast(m, 4) AS f;
SELECT f.local_ts::date
FROM (SELECT rnn_train((d + interval '1 year')::date, i, mix()) FROM ends) AS t (m), rnn_forecast(m, 2) AS f;
-- 29 February every four years
SELECT rnn_info(m)->>'step' AS step, f.local_ts::date
FROM (SELECT rnn_train(d::date, 1.5, mix())
	  FROM unnest('{2008-02-29, 2012-02-29, 2016-02-29, 2020-02-29}'::date[]) AS d) AS t (m),
	 rnn_forecast(m, 2) AS f;

-- Gaps are missing points.
SELECT rnn_info(m)->>'step' AS step, rnn_info(m)->>'points' AS points,
	   count(*) FILTER (WHERE f.step <= 0) AS history,
	   count(f.actual) AS known, min(f.local_ts) FILTER (WHERE f.step = 1) AS next
FROM (SELECT rnn_train(ts, value, mix() || '{"keep": 100}') FROM hourly
	  WHERE n < 100 AND n NOT BETWEEN 40 AND 49) AS t (m),
	 rnn_forecast(m, 2, history => 100) AS f
GROUP BY m;
SELECT rnn_info(rnn_train(month, value, mix()))->>'step' AS step FROM monthly WHERE n % 12 <> 5;
-- What a model keeps may not begin after a gap: forecasts look at what was before it.
SELECT count(DISTINCT forecast) AS forecasts
FROM (VALUES ('{}'), ('{"keep": 100000}')) AS o (o),
	 LATERAL (SELECT rnn_train(ts, value, mix() || '{"seasons": [24], "horizon": 6}' || o::jsonb)
			  FROM (SELECT '2024-01-01'::timestamp + n * interval '1 hour', 50 + n / 100.0 + 9 * sin(n / 4.0) + n * n % 7
					FROM generate_series(1, 3000) AS n WHERE n NOT BETWEEN 500 AND 2900) AS x (ts, value)) AS t (m),
	 rnn_forecast(m, 1) AS f;

-- Duplicates, off the grid, infinite: each named.
SELECT try($$SELECT rnn_train(d, 1) FROM unnest('{2024-01-01, 2024-01-02, 2024-01-02, 2024-01-03}'::date[]) AS d$$);
SELECT try($$SELECT rnn_train(d, 1) FROM unnest('{2024-01-01 00:00, 2024-01-01 01:00, 2024-01-01 02:00,
	2024-01-01 03:00, 2024-01-01 04:00, 2024-01-01 05:00, 2024-01-01 06:00, 2024-01-01 06:59:30}'::timestamp[]) AS d$$) ~ '^22|2024-01-01 06:59:30' AS named;
SELECT try($$SELECT rnn_train(d, 1) FROM unnest('{2024-01-01, infinity}'::date[]) AS d$$);
SELECT try($$SELECT rnn_train(d, 1) FROM unnest('{2024-01-01, -infinity}'::timestamp[]) AS d$$);
SELECT try($$SELECT rnn_train(d, 1) FROM unnest('{2024-01-01, infinity}'::timestamptz[]) AS d$$);
SELECT try($$SELECT rnn_train(d, 1) FROM unnest('{2024-01-01, NULL}'::date[]) AS d$$);
-- Far apart: the grid would be too long.
SELECT left(try($$SELECT rnn_train(d, 1) FROM unnest('{0001-01-01 00:00, 0001-01-01 00:00:00.000001,
	2024-01-01}'::timestamp[]) AS d$$), 5) AS state;
-- The end of time.
SELECT left(try($$SELECT max(local_ts) FROM rnn_forecast((SELECT rnn_train(d, 1, mix())
	FROM unnest('{294272-01-01, 294273-01-01, 294274-01-01, 294275-01-01}'::timestamp[]) AS d), 1000)$$), 5) AS state;
-- Phases of seasons count on through the year 2000: a whole number of seasons changes nothing.
CREATE TEMP TABLE weekly AS
SELECT date '2000-01-06' + 7 * n AS d, 10 + sin(2 * pi() * n / 52) + 0.1 * noise(n) AS value
FROM generate_series(0, 200) AS n;
SELECT count(*), count(DISTINCT f.forecast)
FROM (SELECT rnn_train(d, value, small() || '{"seasons": [52]}') FROM weekly) AS t (m),
	 generate_series(-3, 3) AS years,
	 LATERAL (SELECT rnn_history(d + 364 * years, value) FROM weekly WHERE d >= '2001-01-01') AS h (h),
	 rnn_forecast(rnn_observe(m, h), 1) AS f;
RESET timezone;
RESET datestyle;
