-- Tables as people have them: readings off the grid, several of one time, days of the week.
\set VERBOSITY terse
SET timezone = 'Europe/Berlin';
SET datestyle = 'ISO';
-- Step, bin and points as they are forecast from: local times and values of all points.
CREATE FUNCTION points_of(history bytea) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(': ', i->>'step', i->>'bin', (
		SELECT string_agg(concat_ws(' ', series, coalesce(to_char(local_ts, 'MM-DD HH24:MI'), position::text), coalesce(round(actual::numeric, 2)::text, '-')), ', ' ORDER BY series, step)
		FROM rnn_forecast(rnn_train_history(history, mix()), 1, history => 12) WHERE step <= 0))
	FROM rnn_info(history) AS i
$$;
SET client_min_messages = warning;
CREATE TEMP TABLE readings (id int, s text, ts timestamp, value float8);
INSERT INTO readings VALUES (1, 'a', '2024-01-01 07:59:42', 1), (2, 'a', '2024-01-01 08:27:10', 2), (3, 'a', '2024-01-01 09:01:00', 4),
	(4, 'a', '2024-01-01 09:31:05', 8), (5, 'a', '2024-01-01 10:59:59', 16), (6, 'a', '2024-01-01 11:14:59', 32), (7, 'a', '2024-01-01 11:15:01', NULL);
-- About one reading a step goes to the nearest one, many to the one that they lie in; sums and counts always.
SELECT bin, points_of(rnn_history(ts, value, jsonb_build_object('bin', bin))) FROM readings, unnest('{mean,sum,last,min,max,count}'::text[]) AS bin GROUP BY bin ORDER BY bin;
SELECT bin, points_of(rnn_history(ts, value, jsonb_build_object('bin', bin, 'step', '2 hours'))) FROM readings, unnest('{mean,sum,last,min,max,count}'::text[]) AS bin GROUP BY bin ORDER BY bin;
SELECT step, try(format('SELECT points_of(rnn_history(ts, value, %L)) FROM readings', jsonb_build_object('bin', 'mean', 'step', step)))
FROM unnest('{1 hour,15 minutes,1 day,1 week,1 month,3 months,1 year,90 minutes,weekdays,24 hours}'::text[]) AS step;
SELECT type, step, try(format('SELECT points_of(rnn_history((ts + interval ''9 hours'')::%s, value, %L)) FROM readings', type, jsonb_build_object('bin', 'sum', 'step', step)))
FROM unnest('{date,timestamp,timestamptz}'::text[]) AS type, unnest('{1 day,24 hours,12 hours,1 month}'::text[]) AS step;
-- Bins of whole hours where the zone is half an hour off, and through changes of the clocks.
SET timezone = 'Asia/Kolkata';
SELECT points_of(rnn_history(timestamptz '2024-01-01 00:10' + n * interval '20 minutes', n, '{"bin": "count", "step": "1 hour"}')) FROM generate_series(0, 9) AS n;
SET timezone = 'Europe/Berlin';
SELECT points_of(rnn_history(timestamptz '2024-03-30 22:10' + n * interval '20 minutes', 1, '{"bin": "count", "step": "1 day"}')) FROM generate_series(0, 150) AS n;
SELECT points_of(rnn_history(timestamptz '2024-10-26 22:10' + n * interval '20 minutes', 1, '{"bin": "count", "step": "1 day"}')) FROM generate_series(0, 150) AS n;
SET timezone = 'Asia/Beirut';
SELECT bin, points_of(rnn_history(timestamptz '2023-10-27 22:10' + n * interval '20 minutes', n, jsonb_build_object('bin', bin, 'step', '1 day'))) FROM generate_series(0, 150) AS n, unnest('{count,last}'::text[]) AS bin GROUP BY bin ORDER BY bin;
SET timezone = 'Europe/Berlin';
-- Rows without a value count nothing: within the series that is 0, after it the series has ended.
SELECT bin, points_of(rnn_history(d, value, jsonb_build_object('bin', bin))) FROM (VALUES (date '2024-01-01', 5), ('2024-01-01', 6), ('2024-01-02', NULL), ('2024-01-03', 7), ('2024-01-04', NULL), ('2024-01-05', NULL)) AS v (d, value),
	unnest('{count,sum}'::text[]) AS bin GROUP BY bin;
-- Panels and numbered steps; the order of the rows and the plan don't matter.
SELECT points_of(rnn_history(s, n, v, '{"bin": "sum", "step": 10}')) FROM (VALUES ('x', -11, 1), ('x', -10, 2), ('x', 0, 4), ('x', 9, 8), ('y', 10, 1)) AS v (s, n, v);
SELECT count(DISTINCT h) FROM generate_series(1, 6) AS seed, LATERAL (
	SELECT rnn_history(k::text, timestamp '2024-01-01' + n * interval '7 minutes', 1 / n::float8, '{"bin": "mean", "step": "1 hour"}'
		ORDER BY hashint8extended(n, seed * 1)) AS h FROM generate_series(1, 3) AS k, generate_series(1, 1000) AS n) AS h;
-- Jitter: steps that people name.
SELECT every, jitter, rnn_info(rnn_history(date_trunc('second', timestamp '2024-01-01 00:00' + n * every + (uniform(n) - 0.5) * jitter), n, '{"bin": "mean"}'))->>'step' AS step
FROM (VALUES (interval '1 minute', interval '20 seconds'), ('5 minutes', '30 seconds'), ('30 minutes', '10 minutes'), ('1 hour', '20 minutes'),
	('1 day', '3 hours'), ('7 days', '1 day'), ('1 month', '3 days')) AS v (every, jitter), generate_series(1, 50) AS n GROUP BY every, jitter ORDER BY every;
-- Duplicates: each policy, for one series and for many, missing values and all.
CREATE TEMP TABLE twice AS SELECT * FROM (VALUES (1, 's', date '2024-01-01', 5::float8), (2, 's', '2024-01-02', 3), (3, 's', '2024-01-02', 1), (4, 's', '2024-01-02', NULL), (5, 's', '2024-01-03', 4)) AS v (id, s, d, value);
SELECT policy, try(format('SELECT points_of(rnn_history(d, value, %L)) FROM twice', o)) AS one, try(format('SELECT points_of(rnn_history(s, d, value, %L)) FROM twice', o)) AS many
FROM unnest('{error,mean,sum,min,max,last}'::text[]) AS policy, jsonb_build_object('duplicates', policy) AS o;
SELECT points_of(rnn_history(d, value, '{"duplicates": "last"}' ORDER BY id)) AS last, points_of(rnn_history(d, value, '{"duplicates": "last"}' ORDER BY id DESC)) AS first FROM twice WHERE value IS NOT NULL;
SELECT try($$SELECT rnn_train(d, 1e308, '{"duplicates": "sum"}') FROM twice$$);
SELECT try($$SELECT points_of(rnn_history(d, 1e308, '{"duplicates": "mean"}')) FROM twice$$) ~ '1000000' AS finite;
SELECT name, note FROM rnn_series((SELECT rnn_history(s, d, v, '{"duplicates": "sum", "on_error": "skip"}') FROM (SELECT s, d, 1e308 FROM twice UNION ALL SELECT 't', date '2024-01-01' + n, n FROM generate_series(1, 3) AS n) AS t (s, d, v)));
-- With bins they are readings like others, unless the option says what they are.
SELECT o, try(format('SELECT points_of(rnn_history(d, value, %L)) FROM twice', o)) FROM unnest('{"{\"bin\": \"count\"}","{\"bin\": \"count\", \"duplicates\": \"max\"}","{\"bin\": \"count\", \"duplicates\": \"error\"}"}'::jsonb[]) AS o;
-- Days of the week that there are.
CREATE TEMP TABLE days AS SELECT what, d::date, extract(isodow FROM d)::int AS dow
FROM (VALUES ('Mon-Fri', '{1,2,3,4,5}'::int[]), ('closed on Sundays', '{1,2,3,4,5,6}'), ('Sun-Thu', '{7,1,2,3,4}'), ('three days', '{1,3,5}'),
	('weekend', '{6,7}'), ('all', '{1,2,3,4,5,6,7}'), ('Tuesdays', '{2}')) AS v (what, open), generate_series(date '2024-01-01', '2024-03-03', '1 day') AS d
WHERE extract(isodow FROM d) = ANY (open);
SELECT what, rnn_info(m)->>'step' AS step, rnn_info(m)->>'points' AS points, (SELECT string_agg(to_char(local_ts, 'Dy DD'), ' ' ORDER BY step) FROM rnn_forecast(m, 7)) AS next
FROM (SELECT what, rnn_train(d, dow, mix()) AS m FROM days GROUP BY what) AS t ORDER BY what;
SELECT type, (SELECT string_agg(to_char(ts, 'Dy DD HH24:MI'), ' ' ORDER BY step) FROM rnn_forecast(m, 6)) AS next
FROM (SELECT 'timestamptz' AS type, rnn_train(d::timestamptz + interval '17 hours', dow, mix()) AS m FROM days WHERE what = 'Mon-Fri'
	  UNION ALL SELECT 'timestamp', rnn_train(d::timestamp + interval '17 hours', dow, mix()) FROM days WHERE what = 'Mon-Fri') AS t;
-- Holidays are gaps; too short or too sparse, and it is a step of one day.
SELECT rnn_info(rnn_history(d, dow))->>'step' AS holidays FROM days WHERE what = 'Mon-Fri' AND d <> '2024-01-17';
SELECT rnn_info(rnn_history(d, dow))->>'step' AS short FROM days WHERE what = 'Mon-Fri' AND d < '2024-01-15';
SELECT rnn_info(rnn_history(d, dow))->>'step' AS sparse FROM days WHERE what = 'Mon-Fri' AND uniform(d - date '2000-01-01') < 0.6;
SELECT rnn_info(rnn_history(what, d, dow))->>'step' AS together FROM days WHERE what IN ('Mon-Fri', 'closed on Sundays');
SELECT rnn_info(rnn_train(d, dow, mix()))->'seasons' AS seasons FROM days WHERE what = 'Mon-Fri';
-- The option "step" says so too.
SELECT step, rnn_info(rnn_train(d, dow, mix() || jsonb_build_object('step', step)))->>'step' AS is
FROM days, unnest('{weekdays,Mon-Fri,mon-sat,"Thu-Sat,Mon,Tue,Wed",1 day,1 week}'::text[]) AS step WHERE what = 'Mon-Fri' AND (step <> '1 week' OR dow = 1) GROUP BY step ORDER BY step;
SELECT step, try(format('SELECT rnn_train(d, dow, %L) IS NOT NULL FROM days WHERE what = ''all''', jsonb_build_object('step', step::jsonb)))
FROM unnest('{"\"weekdays\"","\"fortnight\"","\"1 month 3 days\"","\"-1 day\"","0","7","\"36 hours\"","true","[]","\"Mon\"","\"Mon-\"","\"Mon-Fri,\"","\"20000 years\"","\"2 days\""}'::text[]) AS step;
SELECT try($$SELECT rnn_train(value, '{"step": "1 day"}' ORDER BY d) FROM twice$$);
SELECT try($$SELECT rnn_train(value, '{"bin": "mean"}' ORDER BY d) FROM twice$$);
SELECT try($$SELECT rnn_train(s, id, value, '{"step": "1 day"}') FROM twice$$);
SELECT try($$SELECT rnn_train(s, id * 5, value, '{"step": 5, "network": false}') IS NOT NULL FROM twice$$);
SELECT try($$SELECT rnn_train(s, id, value, '{"step": 5, "network": false}') IS NOT NULL FROM twice$$);
SELECT try($$SELECT rnn_train(d, value, '{"bin": "median"}') FROM twice$$);
SELECT try($$SELECT rnn_train(d, value, '{"duplicates": "first"}') FROM twice$$);
-- Fresh rows, too few to tell: the model's days of the week, and those only.
CREATE TEMP TABLE closed AS SELECT what, rnn_train(d, dow, mix() || '{"horizon": 3}') AS m FROM days GROUP BY what;
SELECT what, hist, try(format('SELECT string_agg(to_char(local_ts, ''Dy DD''), '' '' ORDER BY step) FROM closed, rnn_forecast(rnn_observe(m, %L), 3, history => 5) WHERE what = %L', h, what)) AS next
FROM (VALUES ('Mon-Fri'), ('all')) AS w (what), (SELECT 'two weeks' AS hist, rnn_history(d, dow) AS h FROM days WHERE what = 'Mon-Fri' AND d BETWEEN '2024-02-08' AND '2024-02-16'
	UNION ALL SELECT 'nine weeks', rnn_history(d, dow) FROM days WHERE what = 'Mon-Fri' UNION ALL SELECT 'a Saturday', rnn_history(d, dow) FROM days WHERE what = 'all' AND d BETWEEN '2024-02-08' AND '2024-02-12'
	UNION ALL SELECT 'one row', rnn_history(date '2024-02-09', 1)) AS h ORDER BY 1, 2;
-- A query's rows go into the bins of the model.
CREATE TEMP TABLE jobs AS SELECT 's' || k AS series, timestamp '2024-01-01' + n * interval '30 minutes' + noise(n) * interval '3 minutes' AS ts, n % 48 + k AS value, 3 * n AS step
FROM generate_series(1, 2) AS k, generate_series(1, 600) AS n;
SELECT type, count(*), min(local_ts) AS next, min(position) AS position
FROM (SELECT 'ts' AS type, rnn_train(series, ts, value, mix() || '{"bin": "mean"}') AS m FROM jobs
	  UNION ALL SELECT 'step', rnn_train(series, step, value, mix() || '{"bin": "sum", "step": 10}') FROM jobs) AS t,
	 rnn_forecast_query('SELECT series, value, ' || type || ' FROM jobs WHERE step BETWEEN 100 AND 700', 2, model => m) GROUP BY type ORDER BY type;
-- The same bytes with parallel workers.
CREATE TABLE tidied AS SELECT * FROM jobs, generate_series(1, 3) AS copy;
ANALYZE tidied;
CREATE TEMP TABLE answers AS SELECT rnn_history(series, ts, value, '{"bin": "mean"}') AS binned, rnn_history(series, ts, value * 0.1, '{"duplicates": "sum", "bin": "max"}') AS summed FROM tidied;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS off) SELECT rnn_history(series, ts, value, '{"bin": "mean"}') FROM tidied;
SELECT a.binned = t.binned AS binned, a.summed = t.summed AS summed
FROM answers AS a, (SELECT rnn_history(series, ts, value, '{"bin": "mean"}') AS binned, rnn_history(series, ts, value * 0.1, '{"duplicates": "sum", "bin": "max"}') AS summed FROM tidied) AS t;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
DROP TABLE tidied;
-- What was missing in all, also of points that the model doesn't keep.
SELECT which, rnn_info(h)->'gaps' AS history, rnn_info(m)->'gaps' AS model, rnn_info(rnn_observe(m, h))->'gaps' = rnn_info(m)->'gaps' AS observed
FROM (SELECT which, rnn_history(s, date '2024-01-01' + n, n) AS h, rnn_train(s, date '2024-01-01' + n, n, '{"network": false, "keep": 5, "horizon": 1}') AS m
	  FROM (VALUES ('gaps', 'a', '{1,2,3,6,7,20,21,22,23,24,25,26}'::int[]), ('gaps', 'b', '{1,2,3,4,5,6}'), ('gaps', 'c', '{4,6,7,8,9,10}'),
			('none', 'a', '{1,2,3}')) AS v (which, s, days), unnest(days) AS n GROUP BY which) AS t ORDER BY which;
-- Readings go into a model's bins, as if the rows had been collected so: of every kind, with what is known ahead.
CREATE TABLE sensor AS
SELECT timestamptz '2024-03-20 00:00+00' + n * interval '10 minutes' AS ts, n, CASE WHEN n < 2800 AND n % 100 NOT BETWEEN 40 AND 52 THEN sin(n / 23.0) + n % 7 END AS value,
	   jsonb_build_object('door', n / 12 % 2, 'guard', 'guard ' || n / 144 % 3, 'rain', CASE WHEN n < 2800 THEN n % 5 END) AS covariates
FROM generate_series(0, 3000) AS n;
CREATE FUNCTION observed(bin text, step text, zone text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', rnn_info(m)->>'step', CASE WHEN rnn_observe(m, raw) = rnn_observe(m, binned) THEN 'same' ELSE 'other' END, points, count(*))
	FROM (SELECT rnn_train('a'::text, ts, value, covariates, jsonb_build_object('network', false, 'bin', bin, 'step', step, 'timezone', zone)) AS m,
				 rnn_history('a'::text, ts, value, covariates, NULL) AS raw,
				 rnn_history('a'::text, ts, value, covariates, jsonb_build_object('bin', bin, 'step', step, 'timezone', zone)) AS binned FROM sensor) AS t,
		 rnn_series(rnn_observe(m, raw)) AS s, rnn_forecast(rnn_observe(m, raw), options => '{"covariate_gaps": "missing"}') AS f GROUP BY m, raw, binned, points
$$;
SELECT bin, step, zone, observed(bin, step, zone) FROM (VALUES ('mean', '1 hour', 'UTC'), ('sum', '1 hour', 'Asia/Kolkata'), ('last', '30 minutes', 'UTC'), ('min', '2 hours', 'UTC'), ('max', '1 day', 'UTC'),
	('count', '1 hour', 'UTC'), ('sum', '1 day', 'Europe/Berlin'), ('mean', '12 minutes', 'UTC'), ('mean', '7 days', 'Europe/Berlin')) AS t (bin, step, zone);
SELECT rnn_observe(m, raw) = rnn_observe(m, binned) AS same FROM (
	SELECT rnn_train('a'::text, n, n % 9, '{"network": false, "bin": "sum", "step": 10}') AS m, rnn_history('a'::text, n, n % 9) AS raw,
		   rnn_history('a'::text, n, n % 9, '{"bin": "sum", "step": 10}') AS binned FROM generate_series(1, 500) AS n) AS t;
SELECT rnn_info(rnn_train_history(raw, '{"network": false}', m))->>'step' AS step FROM (
	SELECT rnn_train(ts, value, '{"network": false, "bin": "mean", "step": "1 hour"}') AS m, rnn_history(ts, value) AS raw FROM sensor) AS t;
-- Those that are coarser, or in other bins, don't.
CREATE TABLE hourly_mean AS SELECT rnn_train(ts, value, '{"network": false, "bin": "mean", "step": "1 hour"}') AS m FROM sensor;
SELECT bin, step, try(format('SELECT length(rnn_observe(m, h)) FROM hourly_mean, (SELECT rnn_history(ts, value, %L) AS h FROM sensor) AS t', jsonb_build_object('bin', bin, 'step', step)))
FROM (VALUES ('mean', '2 hours'), ('mean', '20 minutes'), ('sum', '30 minutes')) AS t (bin, step);
SELECT try($$SELECT length(rnn_observe(m, h)) FROM hourly_mean, (SELECT rnn_history(ts, value) AS h FROM sensor WHERE n % 12 = 0) AS t$$);
DROP TABLE sensor, hourly_mean;
DROP FUNCTION observed(text, text, text);
RESET client_min_messages;
RESET timezone;
RESET datestyle;
