-- One model for many series.
\set VERBOSITY terse
CREATE TYPE mood AS ENUM ('sad', 'fine', 'happy');
CREATE DOMAIN label AS text;
CREATE DOMAIN day AS date;
CREATE SCHEMA elsewhere CREATE TABLE one () CREATE TABLE two ();
CREATE FUNCTION names_of(model bytea) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(name, ' | ' ORDER BY i)
	FROM rnn_series(model) WITH ORDINALITY AS s (name, first, last, points, note, i)
$$;
-- Exactly h rows for each series that has a point, all of them finite and in order.
CREATE FUNCTION is_sound(model bytea, h int) RETURNS boolean LANGUAGE sql AS $$
	SELECT bool_and(n = h AND steps = h AND good) AND
		   count(*) = (SELECT count(*) FROM rnn_series(model) WHERE points > 0)
	FROM (SELECT count(*) AS n, count(DISTINCT step) FILTER (WHERE step BETWEEN 1 AND h) AS steps,
				 bool_and(lower <= forecast AND forecast <= upper AND NOT quantiles && '{NaN, Infinity, -Infinity}') AS good
		  FROM rnn_forecast(model, h) GROUP BY series) AS t
$$;
CREATE TEMP TABLE p AS
SELECT k, n, date '2024-01-01' + n AS d, 10 * k + n + 3 * sin(n) AS v
FROM generate_series(1, 2) AS k, generate_series(1, 10) AS n;

-- Each type of key in each form: the names, the same in all forms and functions.
CREATE FUNCTION all_forms(key text) RETURNS TABLE (names text, forms bigint, alike boolean) LANGUAGE plpgsql
SET client_min_messages = warning AS $$
DECLARE
	at text; all_names text[] := '{}';
BEGIN
	FOREACH at IN ARRAY '{d, d::timestamp, d::timestamptz, n, n::int2, n::int8}'::text[] LOOP
		EXECUTE format('SELECT ARRAY[names_of(rnn_train(%1$s, %2$s, v)), names_of(rnn_train(%1$s, %2$s, v, mix())),
							   names_of(rnn_history(%1$s, %2$s, v)),
							   (SELECT string_agg(series, '' | '' ORDER BY series COLLATE "C") FILTER (WHERE step = 1) FROM rnn_forecast(rnn_train(%1$s, %2$s, v, mix()), 2))]
						FROM p %3$s', key, at, CASE WHEN key ~ '^''|^NULL' THEN 'WHERE k = 1' ELSE '' END) INTO all_names;
		forms := coalesce(forms, 0) + 1;
		names := coalesce(names, all_names[1]);
		alike := coalesce(alike, true) AND names = ALL (all_names);
	END LOOP;
	RETURN NEXT;
END $$;
CREATE TEMP TABLE keys (i serial, key text);
INSERT INTO keys (key) VALUES ('k::text'), ('k::varchar'), ('k::varchar(1)'), ('k::char(4)'), ('k::text::name'),
	('k::text::label'), ('''a b'''), (''''''), ('''a''::text'), ('k::int2'), ('k'), ('k::int8'), ('k::oid'), ('k::numeric'), ('k / 8.0'),
	('k / 10::float8'), ('(k / 3.0)::float4'), ('1e20::float8 * k'), ('k = 1'), ('(''00000000-0000-0000-0000-00000000000'' || k)::uuid'),
	('date ''2024-01-30'' + k'), ('(date ''2024-01-30'' + k)::day'), ('timestamp ''2024-01-31 12:00'' + k * interval ''1 hour'''),
	('timestamptz ''2024-07-01 12:00+00'' + k * interval ''1 hour'''), ('make_interval(days => k)'), ('time ''12:00'' + k * interval ''1 minute'''),
	('(enum_range(NULL::mood))[k]'), ('jsonb_build_object(''b'', k, ''a'', ''x'')'), ('to_json(date ''2024-01-30'' + k)'),
	('ARRAY[k, 0]'), ('ARRAY[date ''2024-01-30'' + k]'), ('row(k, date ''2024-01-30'')'), ('daterange(date ''2024-01-30'', date ''2024-01-30'' + k)'),
	('k::text::bytea'), ('(''10.0.0.'' || k)::inet'), ('repeat(chr(228), k)'),
	('k::money'), ('(ARRAY[''elsewhere.one'', ''elsewhere.two''])[k]::regclass'), ('row(k::money, ''elsewhere.two''::regtype)');
CREATE TEMP TABLE plain AS SELECT i, key, f.* FROM keys, all_forms(key) AS f;
SELECT key, names, forms, alike FROM plain ORDER BY i;
-- Names don't depend on what the session likes to see.
SET datestyle = 'German';
SET timezone = 'Asia/Tokyo';
SET intervalstyle = 'iso_8601';
SET extra_float_digits = -10;
SET bytea_output = 'escape';
SET search_path = elsewhere, public;
SET quote_all_identifiers = on;
SELECT try('SET lc_monetary = ''de_DE.UTF-8''') IS NOT NULL AS "where there is one";
SELECT k.key, f.names AS other FROM keys AS k JOIN plain USING (i), all_forms(k.key) AS f
WHERE (f.names, f.forms, f.alike) IS DISTINCT FROM (plain.names, 6, true) ORDER BY i;
SELECT date '2024-01-30' AS "DateStyle", timestamptz '2024-01-30 12:00+00' AS "TimeZone",
	   interval '1 day' AS "IntervalStyle", 1 / 3::float8 AS extra_float_digits, 'a'::bytea AS bytea_output,
	   'one'::regclass AS search_path;
RESET datestyle;
RESET timezone;
RESET intervalstyle;
RESET extra_float_digits;
RESET bytea_output;
RESET search_path;
RESET quote_all_identifiers;
RESET lc_monetary;
-- Neither do they stay changed after an error within.
SET datestyle = 'German';
SELECT try('SELECT rnn_history(date ''2024-01-30'' + k, d, v / 0) FROM p') AS error, date '2024-01-30' AS "DateStyle";
RESET datestyle;

-- What names can't be.
SELECT try('SELECT rnn_train(NULL, d, v) FROM p') AS "unknown";
SELECT try('SELECT rnn_train(nullif(k, 2), n, v) FROM p') AS "int";
SELECT try('SELECT rnn_train(nullif(k::text, ''2''), d, v, mix()) FROM p') AS "text";
SELECT try('SELECT rnn_history(nullif(k, 2), d::timestamptz, v) FROM p') AS history;
SELECT try('SELECT names_of(rnn_train(repeat(''x'', 10001), d, v)) FROM p WHERE k = 1') AS long;
SELECT length(names_of(rnn_train(repeat('x', 10000), d, v, mix()))) AS longest FROM p WHERE k = 1;
-- What times and steps can't be.
SELECT try('SELECT rnn_train(k, nullif(d, ''2024-01-05''), v) FROM p') AS date;
SELECT try('SELECT rnn_train(k, nullif(n, 5), v) FROM p') AS step;
SELECT try('SELECT rnn_train(k, ''infinity''::date, v) FROM p') AS infinite;
SELECT try('SELECT rnn_train(k, 1000000000000001, v) FROM p') AS large;
SELECT try('SELECT rnn_train(k, n::numeric, v) FROM p') AS numeric;
SELECT try('SELECT rnn_train(k, NULL, v) FROM p') AS "unknown";
SELECT rnn_train(k, d, v) IS NULL AS train, rnn_history(k, d, v) IS NULL AS history FROM p WHERE false;

-- Steps: their increment, gaps, negative ones, the first and the last there are.
CREATE FUNCTION steps_of(step text) RETURNS TABLE (increment text, points text, first text, last text, next bigint[], sound boolean)
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT i->>''step'', i->>''points'', i->>''first'', i->>''last'',
			(SELECT array_agg(position ORDER BY series, f.step) FROM rnn_forecast(m, 2) AS f), is_sound(m, 20)
		FROM (SELECT m, rnn_info(m) FROM (SELECT rnn_train(k, %1$s, v, mix()) FROM p WHERE %1$s IS NOT NULL) AS r (m)) AS t (m, i)', step);
END $$;
SELECT s.what, f.* FROM (VALUES
	(1, 'n', 'n'), (2, 'tens', '10 * n'), (3, 'descending', '-n'), (4, 'across 0', '10 * n - 55'),
	(5, 'gaps', 'CASE WHEN n NOT IN (3, 6, 7) THEN 10 * n END'), (6, 'shifted', '10 * n + 3 * k'),
	(7, 'apart', '10 * n + 100000 * k'), (8, 'half', 'CASE WHEN k = 1 OR n % 2 = 0 THEN n END'),
	(9, 'irregular', 'n * n'), (10, 'one each', 'CASE WHEN n = k THEN 5 END'),
	(11, 'first', '-1000000000000000 + n'), (12, 'last', '1000000000000000 - n')) AS s (i, what, step),
	 steps_of(s.step) AS f ORDER BY s.i;
SELECT step, local_ts IS NULL AS "no time", position, actual IS NULL AS ahead
FROM rnn_forecast((SELECT rnn_train(k, 10 * n, v, mix() || '{"keep": 100}') FROM p), 1, series => '{2}', history => 2);
SELECT try('SELECT count(*) FROM rnn_forecast((SELECT rnn_train(k, n, v, mix()) FROM p), until => ''2030-01-01'')') AS until;

-- Series of 1, 3, 8 and 500 points, and a constant one, in one table.
CREATE TEMP TABLE lengths AS
SELECT name, timestamp '2024-01-01' + n * interval '1 hour' AS ts,
	   CASE name WHEN 'flat' THEN 7 ELSE 20 + 5 * sin(2 * pi() * n / 12) + noise(1000 * length + n) END AS v
FROM (VALUES ('one', 1), ('three', 3), ('eight', 8), ('long', 500), ('flat', 50)) AS s (name, length),
	 generate_series(1, length) AS n;
CREATE TEMP TABLE model AS
SELECT rnn_train(name, ts, v, small() || '{"keep": 1000}') AS m, rnn_train(name, ts, v, mix()) AS mix FROM lengths;
SELECT s.* FROM model, rnn_series(m) AS s;
SELECT name, note FROM model, rnn_series(mix);
SELECT i->>'series' AS series, i->>'points' AS points, i->>'step' AS step, i->>'first' AS first, i->>'last' AS last
FROM model, rnn_info(m) AS i;
SELECT h, is_sound(m, h) AS network, is_sound(mix, h) AS mix FROM model, unnest('{1, 6, 7, 100, 1000}'::int[]) AS h;
-- All of them, in order, each from its own end.
SELECT series, step, local_ts FROM model, rnn_forecast(m, 2);
-- Some: in the model's order, once each, the same numbers as among all, but for how products of more rows are rounded.
SELECT series, count(*) FROM model, rnn_forecast(m, 3, series => '{three,long,three}') GROUP BY series ORDER BY series;
SELECT count(*) AS some, bool_and(abs(a.forecast - s.forecast) + abs(a.lower - s.lower) + abs(a.upper - s.upper) < 1e-5) AS same
FROM model, unnest('{one,three,eight,long,flat}'::text[]) AS name,
	 rnn_forecast(m, 24, series => ARRAY[name]) AS s JOIN model AS again ON true,
	 rnn_forecast(again.m, 24) AS a WHERE (a.series, a.step) = (s.series, s.step);
SELECT count(*) AS none FROM model, rnn_forecast(m, 3, series => '{}');
SELECT try('SELECT count(*) FROM model, rnn_forecast(m, 3, series => ''{long,length}'')');
SELECT try('SELECT count(*) FROM model, rnn_forecast(m, 3, series => ''{long,NULL}'')');
SELECT try('SELECT count(*) FROM model, rnn_forecast(m, 3, series => ''{Long}'')');
-- Until a wall clock, in whatever zone it was typed: each as far as it has to go.
SELECT series, count(*), max(local_ts) FROM model, rnn_forecast(m, until => '2024-01-02 06:00') GROUP BY series ORDER BY series;
SET timezone = 'UTC';
SELECT series, count(*), max(local_ts) FROM model, rnn_forecast(m, until => '2024-01-02 06:00+00') GROUP BY series ORDER BY series;
SELECT try('SELECT count(*) FROM model, rnn_forecast(m, until => ''2024-01-02 06:00+00'', series => ''{long}'')');
RESET timezone;

-- Fresh rows: a series is gone, one is new, one has gone on.
CREATE TEMP TABLE fresh AS
SELECT rnn_history(name, ts, v) AS h
FROM (SELECT * FROM lengths WHERE name IN ('long', 'three')
	  UNION ALL SELECT 'three', timestamp '2024-01-01' + n * interval '1 hour', 20 FROM generate_series(4, 30) AS n
	  UNION ALL SELECT 'new', timestamp '2024-02-01' + n * interval '1 hour', 20 + 5 * sin(n) FROM generate_series(1, 100) AS n) AS t;
SELECT names_of(rnn_observe(m, h)) AS names, is_sound(rnn_observe(m, h), 50) AS network,
	   is_sound(rnn_observe(mix, h), 50) AS mix FROM model, fresh;
SELECT series, local_ts FROM model, fresh, rnn_forecast(rnn_observe(m, h), 1);
SELECT count(*), bool_and(a.forecast = b.forecast) AS "long as before"
FROM model, fresh, rnn_forecast(rnn_observe(m, h), 24, series => '{long}') AS a JOIN model AS again ON true,
	 rnn_forecast(again.m, 24, series => '{long}') AS b WHERE a.step = b.step;
SELECT try('SELECT rnn_observe(m, (SELECT rnn_history(k, n, v) FROM p)) IS NULL FROM model');
SELECT try('SELECT rnn_observe(m, (SELECT rnn_history(k, d::timestamp, v) FROM p)) IS NULL FROM model');
-- A panel's model looks at one series too, and the other way round.
SELECT series IS NULL AS unnamed, step, local_ts
FROM model, rnn_forecast(rnn_observe(m, (SELECT rnn_history(ts, v) FROM lengths WHERE name = 'long')), 1);
SELECT series, step, local_ts
FROM fresh, rnn_forecast(rnn_observe((SELECT rnn_train(ts, v, mix()) FROM lengths WHERE name = 'long'), h), 1);
SELECT is_sound(rnn_train_history(h, small()), 6) AS trained, is_sound(rnn_train_history(h, NULL, m), 6) AS "gone on"
FROM model, fresh;

-- Too short is said of what forecasts are made of, in whatever way that came.
SELECT what, (SELECT string_agg(name, ' ' ORDER BY name) FROM rnn_series(bytes) WHERE note ~ 'short') AS short
FROM model, fresh, LATERAL (VALUES (1, 'trained', m), (2, 'the mix', mix), (3, 'long enough by now', rnn_observe(m, h)),
	(4, 'too short by now', rnn_observe(m, (SELECT rnn_history(name, ts, v) FROM lengths WHERE name <> 'long' OR ts < '2024-01-01 05:00'))),
	(5, 'a network''s notes', rnn_observe(mix, m)), (6, 'a mix''s notes', rnn_observe(m, mix)),
	(7, 'trained again', rnn_train_history(m, '{"network": false}')), (8, 'with a network', rnn_train_history(mix, small())),
	(9, 'kept short', rnn_train_history(m, small() || '{"keep": 5}'))) AS t (i, what, bytes) ORDER BY i;

-- Series that can't be used.
CREATE TEMP TABLE bad AS
SELECT name, ts, v FROM (
	SELECT name, ts, CASE WHEN name IN ('empty', 'NaN') THEN nullif('NaN', name)::float8
						  WHEN n = 20 AND name ~ 'infinity' THEN name::float8 ELSE n + sin(n) END AS v, n
	FROM unnest('{good,better,empty,NaN,infinity,-infinity,twice,stray,far}'::text[]) AS name,
		 generate_series(1, 30) AS n,
		 LATERAL (SELECT timestamp '2024-01-01' + n * interval '1 hour') AS t (ts)) AS t
UNION ALL VALUES ('twice', timestamp '2024-01-01 10:00', -1.0), ('stray', '2024-01-01 10:00:01', -1), ('far', '2124-01-01', -1);
SELECT name, try(format('SELECT names_of(rnn_train(name, ts, v, mix())) FROM bad WHERE name IN (''good'', %L)', name)) AS fail
FROM (SELECT DISTINCT name FROM bad) AS t ORDER BY name COLLATE "C";
SELECT name, try(format('SELECT names_of(rnn_history(name, ts, v)) FROM bad WHERE name IN (''good'', %L)', name)) AS history
FROM (SELECT DISTINCT name FROM bad) AS t ORDER BY name COLLATE "C";
CREATE TEMP TABLE kept AS
SELECT rnn_train(name, ts, v, mix() || '{"on_error": "skip"}') AS skip,
	   rnn_train(name, ts, v, mix() || '{"on_error": "naive"}') AS naive,
	   rnn_train(name, ts, v, small() || '{"on_error": "skip"}') AS network,
	   rnn_train(name, ts, v, mix() || '{"on_error": "fail"}') FILTER (WHERE name IN ('good', 'better')) AS usable
FROM bad;
SELECT s.name, s.points, s.note FROM kept, rnn_series(skip) AS s;
SELECT s.name, s.points, s.note FROM kept, rnn_series(naive) AS s;
SELECT s.name, s.note FROM kept, rnn_series(network) AS s;
SELECT is_sound(skip, 30) AS skip, is_sound(naive, 30) AS naive, is_sound(network, 30) AS network FROM kept;
-- Those that can be used are forecast as if alone; of others the last known value, if any.
SELECT count(*), bool_and(a.quantiles = s.quantiles) AS "as alone"
FROM kept, rnn_forecast(usable, 10) AS a JOIN kept AS again ON true, rnn_forecast(again.skip, 10) AS s
WHERE (a.series, a.step) = (s.series, s.step);
SELECT f.series, min(f.local_ts) AS next, min(f.forecast) = max(f.forecast) AND min(f.forecast) = last AS "last value"
FROM kept, rnn_forecast(naive, 5) AS f
	 JOIN (SELECT name, (array_agg(v ORDER BY ts DESC) FILTER (WHERE abs(v) < 'infinity'))[1] AS last FROM bad GROUP BY name) AS l
	 ON name = series
WHERE f.series NOT IN ('good', 'better') GROUP BY series, last ORDER BY series COLLATE "C";
SELECT try('SELECT count(*) FROM kept, rnn_forecast(skip, 1, series => ''{empty}'')') AS "a series left out";
-- A panel of nothing else.
SELECT try('SELECT rnn_train(name, ts, v, mix() || ''{"on_error": "skip"}'') FROM bad WHERE name NOT IN (''good'', ''better'')') AS skip;
SELECT try('SELECT rnn_train(name, ts, v, mix() || ''{"on_error": "naive"}'') FROM bad WHERE name IN (''empty'', ''NaN'')') AS naive;
SELECT name, note, is_sound(m, 3) AS sound
FROM (SELECT rnn_train(name, ts, v, mix() || '{"on_error": "naive"}') FROM bad WHERE name IN ('empty', 'infinity')) AS t (m), rnn_series(m);
SELECT try('SELECT rnn_train(name, ts, v, mix() || ''{"on_error": "ignore"}'') FROM bad') AS word;
-- A history notes them too, and what is made of it keeps to that.
CREATE TEMP TABLE noted AS
SELECT rnn_history(name, ts, v, '{"on_error": "skip"}') AS skip, rnn_history(name, ts, v, '{"on_error": "naive"}') AS naive FROM bad;
SELECT s.name, s.points, s.note FROM noted, rnn_series(naive) AS s;
SELECT count(*), bool_and((h.points, h.note) IS NOT DISTINCT FROM (m.points, m.note)) AS skip
FROM noted, kept, rnn_series(noted.skip) AS h JOIN kept AS again ON true, rnn_series(again.skip) AS m WHERE h.name = m.name;
CREATE TEMP TABLE observed AS
SELECT kept.skip AS model, rnn_observe(usable, noted.skip) AS skip, rnn_observe(usable, noted.naive) AS naive,
	   rnn_train_history(noted.naive, mix()) AS trained, kept.naive AS known FROM noted, kept;
SELECT is_sound(skip, 10) AS skip, is_sound(naive, 10) AS naive, trained = known AS "trained alike" FROM observed;
SELECT count(DISTINCT s.note) AS notes, count(*) FROM observed, rnn_series(naive) AS s;
SELECT count(*), bool_and(a.quantiles = s.quantiles) AS "as alone"
FROM kept, rnn_forecast(usable, 10) AS a JOIN observed ON true, rnn_forecast(observed.naive, 10) AS s
WHERE (a.series, a.step) = (s.series, s.step);
SELECT at, try(format('SELECT names_of(rnn_history(name, %s, v, ''{"on_error": "skip"}'')) FROM bad WHERE name IN (''good'', ''twice'')', at))
FROM unnest('{ts, ts::timestamptz, extract(epoch FROM ts)::bigint}'::text[]) AS at;
SELECT try('SELECT names_of(rnn_history(k, d, CASE WHEN n < 5 THEN v ELSE ''infinity'' END, ''{"on_error": "skip"}'')) FROM p') AS none;
SELECT names_of(rnn_history(k, d, v, NULL)) AS "null", names_of(rnn_history(k, d::timestamptz, v, '{}')) AS empty, names_of(rnn_history(k, n, v, '{"on_error": "naive"}')) AS steps FROM p;
SELECT o, try(format('SELECT names_of(rnn_history(k, d, v, %L)) FROM p', o))
FROM unnest(ARRAY['{"on_error": "ignore"}', '{"on_error": null}', '{"horizon": 3}', '{"keep": 3, "on_error": "skip"}', '{"on_eror": "skip"}', '[]', '3']) AS o;
SELECT try('SELECT names_of(rnn_history(k, d, v, jsonb_build_object(''on_error'', CASE k WHEN 1 THEN ''skip'' ELSE ''naive'' END))) FROM p') AS differ;
-- Missing points of one series are no problem, nor are rows before and after its known ones.
SELECT name, first, last, points, note
FROM (SELECT rnn_train(name, ts, CASE WHEN name = 'good' OR extract(day FROM ts) = 1 AND extract(hour FROM ts) BETWEEN 5 AND 9 THEN v END, mix() || '{"keep": 100}')
	  FROM bad WHERE name IN ('good', 'better')) AS t (m), rnn_series(m);

-- Wherever PostgreSQL lets an aggregate stand.
CREATE TEMP TABLE grouped AS SELECT g, k, n, d, v + g AS v FROM p, generate_series(1, 3) AS g;
CREATE TEMP TABLE single AS
SELECT 1 AS g, md5(rnn_train(k, d, v, mix())) AS sum FROM grouped WHERE g = 1
UNION ALL SELECT 2, md5(rnn_train(k, d, v, mix())) FROM grouped WHERE g = 2
UNION ALL SELECT 3, md5(rnn_train(k, d, v, mix())) FROM grouped WHERE g = 3;
SELECT count(DISTINCT sum), bool_and(sum = md5(m)) AS same
FROM (SELECT g, rnn_train(k, d, v, mix()) AS m FROM grouped GROUP BY g) AS t JOIN single USING (g);
SET enable_hashagg = off;
SELECT bool_and(sum = md5(m)) AS sorted
FROM (SELECT g, rnn_train(k, d, v, mix()) AS m FROM grouped GROUP BY g) AS t JOIN single USING (g);
RESET enable_hashagg;
SELECT bool_and(sum = md5(m)) AS same, count(*)
FROM (SELECT g, rnn_train(k, d, v, mix()) AS m FROM grouped GROUP BY GROUPING SETS ((g), (g, g))) AS t JOIN single USING (g);
SELECT md5(rnn_train(k, d, v, mix()) FILTER (WHERE g = 2)) = (SELECT sum FROM single WHERE g = 2) AS filter,
	   md5(rnn_train(k, d, v, mix() ORDER BY v DESC, random()) FILTER (WHERE g = 2)) = (SELECT sum FROM single WHERE g = 2) AS ordered,
	   rnn_train(k, d, v, mix()) FILTER (WHERE g = 4) IS NULL AS none
FROM grouped;
SELECT md5(rnn_train(DISTINCT k, d, v, mix())) = (SELECT sum FROM single WHERE g = 1) AS same
FROM (SELECT * FROM grouped UNION ALL SELECT * FROM grouped) AS twice WHERE g = 1;
SELECT g FROM grouped GROUP BY g HAVING names_of(rnn_history(k, d, v)) = '1 | 2' ORDER BY g;
SELECT rnn_train_history(rnn_history(k, d, v), mix()) = rnn_train(k, d, v, mix()) AS same, count(*)
FROM grouped WHERE g = 1;
SELECT n, k, names_of(m) AS names, rnn_info(m)->>'points' AS points, md5(m) = md5(again) AS same
FROM (SELECT n, k, rnn_train(k, d, v, mix()) OVER (ORDER BY n, k ROWS UNBOUNDED PRECEDING) AS m,
			 (SELECT rnn_train(b.k, b.d, b.v, mix()) FROM p AS b WHERE (b.n, b.k) <= (a.n, a.k)) AS again
	  FROM p AS a) AS t WHERE n IN (1, 5, 10) ORDER BY n, k;
SELECT n, rnn_info(m)->>'points' AS points
FROM (SELECT n, k, rnn_train(k, d, v, mix()) OVER (ORDER BY n, k ROWS 5 PRECEDING) AS m FROM p) AS t
WHERE k = 1 AND n % 3 = 0 ORDER BY n;
SELECT try('SELECT rnn_train(k, d, v, jsonb_build_object(''seed'', k)) FROM p') AS options;

-- Prepared, with parameters that have no type.
PREPARE q1 AS SELECT md5(rnn_train(k, d, v, $1)) = (SELECT sum FROM single WHERE g = $2) AS same FROM grouped WHERE g = $2;
PREPARE q2 AS SELECT names_of(rnn_train($1, d, v, $2)) FROM grouped WHERE g = 1 AND k = 1;
PREPARE q3 (text, float8) AS SELECT names_of(rnn_history($1, n, $2)) FROM grouped WHERE g = 1 AND k = 1;
PREPARE q4 AS SELECT series, count(*) FROM rnn_forecast((SELECT rnn_train(k, d, v, mix()) FROM p), $1, series => $2) GROUP BY series;
SELECT name, parameter_types FROM pg_prepared_statements WHERE name ~ '^q[1-4]$' ORDER BY name;
EXECUTE q1 ('{"network": false}', 1);
EXECUTE q2 ('any name', '{"network": false}');
EXECUTE q3 ('any name', 1.5);
EXECUTE q4 (3, '{2}');
SET plan_cache_mode = force_generic_plan;
EXECUTE q1 ('{"network": false}', 3);
EXECUTE q2 (NULL, NULL);
EXECUTE q2 ('any name', NULL);
EXECUTE q3 ('2024-01-01', NULL);
EXECUTE q4 (2, '{1,2}');
RESET plan_cache_mode;
DEALLOCATE ALL;

-- 400,000 rows of 2,000 series outgrow 16 MB: the latest of each are used, in whatever order they come.
CREATE TEMP TABLE many AS
SELECT 's' || k AS s, n, timestamp '2024-01-01' + n * interval '1 hour' AS ts, k + sin(2 * pi() * n / 24) + 0.1 * noise(300 * k + n) AS v
FROM generate_series(1, 2000) AS k, generate_series(1, 100 + k % 5 * 50) AS n;
SELECT count(*), count(DISTINCT s) AS series FROM many;
SET rnnforecast.max_memory = '16MB';
CREATE FUNCTION short() RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$ SELECT mix() || '{"horizon": 12, "seasons": [24]}' $$;
-- What is in a model beside that some rows were left out.
CREATE FUNCTION content(m bytea) RETURNS text LANGUAGE sql AS
$$ SELECT md5((rnn_info(m) - '{sampled, summary}'::text[])::text || string_agg(s::text, '|' ORDER BY name)) FROM rnn_series(m) AS s $$;
SELECT md5(rnn_train(s, ts, v, short())) AS train, md5(rnn_history(s, ts, v)) AS history FROM many \gset
SELECT content(train) AS train_content, content(history) AS history_content, rnn_info(train)->'sampled' AS train,
	   rnn_info(history)->'sampled' AS history, md5(f::text) AS forecast
FROM (SELECT rnn_train(s, ts, v, short()) AS train, rnn_history(s, ts, v) AS history FROM many) AS m,
	 LATERAL (SELECT string_agg(f::text, '|' ORDER BY series, step) AS f FROM rnn_forecast(train) AS f) AS f \gset sampled_
SELECT :'sampled_train' AS train, :'sampled_history' AS history;
SELECT md5(rnn_train(s, ts, v, short())) = :'train' AS train, md5(rnn_history(s, ts, v)) = :'history' AS history
FROM (SELECT * FROM many ORDER BY random()) AS t;
SELECT md5(rnn_train(s, ts, v, short() ORDER BY random())) = :'train' AS train,
	   md5(rnn_history(s, ts, v ORDER BY ts DESC)) = :'history' AS history,
	   md5(rnn_history(s, n, v ORDER BY n, s)) = md5(rnn_history(s, n, v ORDER BY s, n)) AS steps FROM many;
-- Rows of two states joined, each of them beyond the limit.
SELECT md5(rnn_history(s, ts, v)) = :'history' AS window_frame
FROM (SELECT * FROM many WHERE n % 2 = 0 UNION ALL SELECT * FROM many WHERE n % 2 = 1) AS t;
-- Too many series for their latest row alone.
SELECT left(try('SELECT rnn_history(k, 1, 1) FROM generate_series(1, 200000) AS k'), 5) AS state;
RESET rnnforecast.max_memory;
SELECT content(train) = :'sampled_train_content' AS train, content(history) = :'sampled_history_content' AS history,
	   rnn_info(train)->'sampled' AS sampled, md5(f::text) = :'sampled_forecast' AS forecast
FROM (SELECT rnn_train(s, ts, v, short()) AS train, rnn_history(s, ts, v) AS history
	  FROM (SELECT *, rank() OVER (PARTITION BY s ORDER BY n DESC) AS r FROM many) AS t WHERE r <= 48) AS m,
	 LATERAL (SELECT string_agg(f::text, '|' ORDER BY series, step) AS f FROM rnn_forecast(train) AS f) AS f;
-- What is meant by arguments in another order, and by covariates without options behind them.
SELECT rnn_info(rnn_history(month, n, value))->'series' AS months FROM monthly;
SELECT rnn_info(rnn_history(month::text, n, value))->'series' AS months FROM monthly;
SELECT regexp_replace(try($$SELECT rnn_train('a', month, value, '{"temperature": 3}') FROM monthly$$), 'The options are .*\. ', '');
SELECT try($$SELECT rnn_train('a', month, value, jsonb_build_object('temperature', n)) FROM monthly$$);
