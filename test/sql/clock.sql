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
-- The 29th and the 30th, or the last day of a shorter month, as date + k * interval '1 month' has it.
CREATE FUNCTION by_month(anchor text, months int, type text, first int, count int, missing int[] DEFAULT '{}', keep int DEFAULT 1000)
RETURNS TABLE (step text, points text, next text, right_days boolean) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT rnn_info(m)->>''step'', rnn_info(m)->>''points'', string_agg(f.local_ts::date::text, '' '' ORDER BY f.step) FILTER (WHERE f.step BETWEEN 1 AND 3),
			bool_and(f.local_ts = %1$L::timestamp + ($4 + $5 - 1 + f.step) * $3)
		FROM (SELECT rnn_train((%1$L::timestamp + k * $3)::%2$s, k %% 5, mix() || jsonb_build_object(''keep'', $6))
			  FROM generate_series($4, $4 + $5 - 1) AS k WHERE k <> ALL ($7)) AS t (m), rnn_forecast(m, 30, history => 1000) AS f GROUP BY m', anchor, type)
	USING NULL, NULL, make_interval(months => months), first, count, keep, missing;
END $$;
SET client_min_messages = warning;
SELECT c.*, b.* FROM (VALUES
	(1, 'the 30th', '2020-01-30', 1, 'date', 0, 14), (2, 'the 29th', '2021-01-29', 1, 'timestamp', 0, 14),
	(3, 'the 30th, from February', '2020-01-30', 1, 'timestamptz', 1, 14), (4, 'the 29th, from February', '2021-01-29 12:00', 1, 'timestamptz', 1, 14),
	(5, 'few', '2020-01-30', 1, 'date', 0, 3), (6, 'two, from February', '2021-01-30', 1, 'date', 1, 2),
	(7, 'quarters', '2019-11-30', 3, 'date', 0, 9), (8, 'quarters, the 29th', '2018-11-29', 3, 'timestamptz', 1, 9),
	(9, 'half years, from February', '2019-08-30', 6, 'date', 1, 9), (10, 'the 28th', '2020-01-28', 1, 'date', 0, 14),
	(11, 'the 31st', '2020-01-31', 1, 'date', 1, 14), (12, 'the 15th', '2020-01-15', 1, 'date', 0, 14),
	(13, 'years from a 29 February', '2020-02-29', 12, 'date', 0, 6)) AS c (i, what, anchor, months, type, first, count),
	 by_month(anchor, months, type, first, count) AS b ORDER BY i;
-- With missing months; and where the model begins in February.
SELECT missing, b.* FROM (VALUES ('{1}'::int[]), ('{1,13}'), ('{2,3,7}'), ('{0}')) AS m (missing), by_month('2020-01-30', 1, 'date', 0, 20, missing) AS b;
SELECT keep, b.right_days FROM generate_series(5, 9) AS keep, by_month('2020-01-30', 1, 'date', 0, 20, keep => keep) AS b;
-- Fresh rows go by their own day, or where they don't tell it, by the model's.
CREATE TEMP TABLE thirtieths AS
SELECT rnn_train((timestamp '2020-01-30' + k * interval '1 month')::date, k % 5, mix()) AS m FROM generate_series(0, 20) AS k;
SELECT days, (SELECT string_agg(local_ts::date::text, ' ' ORDER BY step) FROM rnn_forecast(rnn_observe(m, h), 3)) AS next
FROM thirtieths, (VALUES ('{2023-02-28}'::date[]), ('{2023-04-30}'), ('{2023-02-28, 2023-03-30}'),
	('{2023-01-31, 2023-02-28}'), ('{2023-02-28, 2023-03-28}'), ('{2023-02-28, 2023-03-29}')) AS d (days),
	 LATERAL (SELECT rnn_history(day, 1) FROM unnest(days) AS day) AS h (h);
-- Days of a panel: each series has its own, and those that begin in February that of most.
SELECT series, string_agg(local_ts::date::text, ' ' ORDER BY step) AS next
FROM (SELECT rnn_history(s, (first + k * interval '1 month')::date, k)
	  FROM (VALUES ('29th', timestamp '2023-01-29'), ('30th', '2022-11-30'), ('31st', '2023-01-31'), ('15th', '2023-01-15')) AS s (s, first),
		   generate_series(0, 8) AS k WHERE s <> '30th' OR k >= 3) AS t (h),
	 rnn_forecast(rnn_train_history(h, mix()), 7) GROUP BY series ORDER BY series;
-- A day before the last is off that grid.
SELECT rnn_info(rnn_train(d, 1, mix()))->>'step' AS step FROM unnest('{2020-01-30, 2020-02-28, 2020-03-30, 2020-04-30}'::date[]) AS d;
RESET client_min_messages;
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

-- Rows that have no step take the model's, as the model's zone counts it.
CREATE TEMP TABLE stepped AS
SELECT step AS each, rnn_train(first + n * step, noise(n), mix() || '{"horizon": 2}') AS m
FROM (VALUES (timestamptz '2024-02-01', interval '1 hour'), ('2023-11-01', '1 day'), ('2021-01-15', '1 month')) AS v (first, step),
	 generate_series(0, 20) AS n
GROUP BY step;
SELECT each, f.ts, f.local_ts
FROM stepped, (SELECT rnn_history(timestamptz '2024-10-27 02:15+02', 5)) AS h (h), rnn_forecast(rnn_observe(m, h), 2) AS f
ORDER BY each, f.step;
SELECT f.ts, f.local_ts
FROM stepped, (SELECT rnn_history(timestamptz '2024-10-27 02:15+01', 5)) AS h (h), rnn_forecast(rnn_observe(m, h), 1) AS f
WHERE each = interval '1 hour';
SELECT each, f.series, f.ts
FROM stepped, (SELECT rnn_history(s, timestamptz '2024-06-01' + s * interval '7 minutes', s) FROM generate_series(1, 2) AS s) AS h (h),
	 rnn_forecast(rnn_observe(m, h), 1) AS f
WHERE each <> interval '1 month' ORDER BY each, f.series;
-- and the phase in the model's seasons
SELECT count(*), count(DISTINCT (f.ts, f.forecast))
FROM (SELECT rnn_train(ts, 10 + sin(n), small() || '{"skip": false, "seasons": [24]}')
	  FROM generate_series(timestamptz '2024-01-01', '2024-01-20', '1 hour') WITH ORDINALITY AS r (ts, n)) AS t (m),
	 generate_series(1, 2) AS known,
	 LATERAL (SELECT rnn_history(ts, CASE WHEN n = 2 THEN 11 END)
			  FROM (VALUES (timestamptz '2024-02-01 06:00', 1), ('2024-02-01 07:00', 2)) AS r (ts, n)
			  WHERE n >= known) AS h (h),
	 rnn_forecast(rnn_observe(m, h), 1) AS f;
-- Local times of another zone.
SET timezone = 'America/New_York';
CREATE TEMP TABLE abroad AS
SELECT rnn_history(timestamptz '2024-02-01 00:00+01' + n * interval '1 day', n) AS h FROM generate_series(0, 9) AS n;
SET timezone = 'Europe/Berlin';
SELECT f.ts, f.local_ts FROM stepped, abroad, rnn_forecast(rnn_observe(m, h), 2) AS f WHERE each = interval '1 day';
SELECT f.ts, f.local_ts
FROM abroad, rnn_forecast(rnn_train_history(h, mix() || '{"timezone": "Europe/Berlin"}'), 1) AS f;
RESET timezone;
RESET datestyle;
-- A zone of POSIX, and one with a name that a model has no room for.
SET timezone = '<+0530>-5:30';
SELECT rnn_info(rnn_history(d, 1))->>'timezone' AS zone FROM (VALUES (timestamptz '2024-01-01'), ('2024-01-02')) AS v (d);
SELECT set_config('timezone', '<' || repeat('A', 70) || '>-5:30', false) IS NOT NULL AS long;
SELECT left(try($$SELECT rnn_history(d, 1) FROM (VALUES (timestamptz '2024-01-01'), ('2024-01-02')) AS v (d)$$), 45) AS zone;
RESET timezone;
-- Further from 2000 than a model can count in so short steps, and a step that is too long for it.
SELECT try($$SELECT rnn_train(timestamp '2290-01-01' + n * interval '1 us', n) FROM generate_series(1, 9) AS n$$);
SELECT try($$SELECT rnn_history(timestamp '1690-01-01' + n * interval '1 us', n) FROM generate_series(1, 9) AS n$$);
SELECT try($$SELECT rnn_history(ts, 1) FROM (VALUES (timestamp '1700-01-01'), ('2020-01-01 00:00:00.000001')) AS r (ts)$$);
SELECT count(*) FROM rnn_forecast((SELECT rnn_train(timestamp '2280-01-01' + n * interval '1 us', n, '{"network": false}') FROM generate_series(1, 9) AS n), 1);
