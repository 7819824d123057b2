-- The option "hierarchy": sums are series of the model, and its forecasts add up.
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE TEMP TABLE o AS SELECT mix() || '{"horizon": 7, "seasons": [7]}' AS options;
CREATE TEMP TABLE m AS SELECT rnn_train(town, day, sold, options || '{"hierarchy": "/"}') AS m FROM towns, o GROUP BY options;
-- Levels.
SELECT name, first::date, last::date, points, depth, members FROM m, rnn_series(m);
SELECT i->>'option' AS option, i->>'sums' AS sums, i->>'method' IN ('mint', 'bottom_up') AS method, (i->>'windows')::int > 4 AS windows, jsonb_array_length(i->'levels') AS levels
FROM m, LATERAL (SELECT rnn_info(m)->'hierarchy' AS i) AS i;
SELECT rnn_info(m)->'hierarchy' = rnn_info((SELECT rnn_train(town, day, sold, options || '{"hierarchy": true}') FROM towns, o GROUP BY options))->'hierarchy' AS "usual separator" FROM m;
SELECT rnn_info(rnn_train(town, day, sold, options || '{"hierarchy": false}'))->'hierarchy' AS none FROM towns, o GROUP BY options;
-- All levels add up at the same times, as rnn_reconcile has them, whichever of them are asked for.
CREATE FUNCTION adds_up(model bytea, horizon int, OUT "adds up" bool, OUT sums bigint, OUT days bigint) LANGUAGE sql AS $$
	WITH f AS (SELECT * FROM rnn_forecast(model, horizon)), parts AS (SELECT f.*, s.depth FROM f JOIN rnn_series(model) AS s ON s.name = f.series)
	SELECT max(abs(t.mean - p.mean) / t.mean) < 1e-9, count(DISTINCT t.series), count(DISTINCT t.local_ts) FROM parts AS t,
		LATERAL (SELECT sum(p.mean) AS mean FROM parts AS p WHERE p.depth = (SELECT max(depth) FROM parts) AND p.local_ts = t.local_ts AND (t.series = '/' OR p.series LIKE t.series || '/%')) AS p
	WHERE t.depth < (SELECT max(depth) FROM parts)
$$;
SELECT a.* FROM m, adds_up(m, 7) AS a;
SELECT count(*), bool_and(f.mean = r.mean AND f.lower = r.lower AND f.upper = r.upper AND f.local_ts = r.local_ts) AS same
FROM m, LATERAL rnn_forecast(m) AS f JOIN LATERAL rnn_reconcile(m) AS r USING (series, step);
SELECT f.series, f.step, f.local_ts, abs(f.mean - a.mean) < 1e-9 AS same, f.lower < f.mean AND f.mean < f.upper AS ordered
FROM m, LATERAL rnn_forecast(m, until => '2024-10-29', series => '{DK,DK/B}') AS f JOIN LATERAL rnn_forecast(m, 7) AS a USING (series, step);
-- What is missing is counted in the rows that there are.
SELECT i->'missing' AS missing, i->'series' AS series, i = (SELECT rnn_info(rnn_train(town, day, sold, options))#>'{gaps}' FROM towns, o GROUP BY options) AS same FROM m, LATERAL (SELECT rnn_info(m)#>'{gaps}' AS i) AS i;
-- By minimum trace, where it is better: sums are sure, parts are noise that others make up for.
CREATE TEMP TABLE noisy AS
SELECT k, n, CASE k WHEN 'a/1' THEN 60 + e WHEN 'a/2' THEN 40 - e ELSE 30 + e / 3 END AS y
FROM (SELECT n, (hashint4(n) % 1000) / 50.0 AS e FROM generate_series(1, 300) AS n) AS e, unnest('{a/1,a/2,b/1}'::text[]) AS k;
CREATE TEMP TABLE mint AS SELECT rnn_train(k, n, y, mix() || '{"horizon": 4, "hierarchy": "/"}') AS m FROM noisy;
SELECT i->>'method' AS method, (i->>'shrinkage')::float8 BETWEEN 0 AND 0.2 AS shrunk, bool_and((l->>'mint')::float8 < (l->>'bottom_up')::float8 + 0.01) AS better
FROM mint, LATERAL (SELECT rnn_info(m)->'hierarchy' AS i) AS i, jsonb_array_elements(i->'levels') AS l GROUP BY 1, 2;
SELECT a.* FROM mint, LATERAL (SELECT max(abs(mean - base)) > 0.01 AS moved, count(DISTINCT method) AS methods FROM rnn_reconcile(m)) AS a;
SELECT max(abs(t.mean - p.mean)) < 1e-9 AS "adds up" FROM mint, LATERAL (SELECT * FROM rnn_forecast(m) WHERE series = '/') AS t,
	LATERAL (SELECT sum(mean) AS mean FROM rnn_forecast(m) AS p WHERE p.step = t.step AND series LIKE '_/_') AS p;
SELECT bool_and(a.mean = b.mean AND a.quantiles = b.quantiles) AS "as alone" FROM mint, LATERAL rnn_forecast(m) AS a JOIN LATERAL rnn_forecast(m, series => '{a/1}') AS b USING (series, step);
-- A series that is over for long, and certain to be 0, takes no part in what others get wrong.
SELECT count(*), bool_and(mean = 0 AND lower = 0 AND upper = 0) FILTER (WHERE series = 'b/over') AS "stays 0", max(abs(mean - base)) FILTER (WHERE series LIKE 'a/%') > 0.01 AS moved
FROM (SELECT rnn_train(k, n, y, mix() || '{"horizon": 4, "hierarchy": "/", "integer": true}') AS m
	FROM (SELECT k, n, round(y) AS y FROM noisy UNION ALL SELECT 'b/over', n, CASE WHEN n < 150 THEN round(y) ELSE 0 END FROM noisy WHERE k = 'b/1') AS l) AS m, LATERAL rnn_reconcile(m, method => 'mint');
-- Later rows: sums and method stay in step, and a new series joins its sums.
CREATE TEMP TABLE later AS SELECT rnn_observe(mint.m, h) AS m FROM mint, (SELECT rnn_history(k, n, y) AS h FROM (SELECT * FROM noisy UNION ALL SELECT 'a/3', n, 5 FROM generate_series(250, 303) AS n) AS l) AS h;
SELECT name, points, depth, members FROM later, rnn_series(m);
SELECT rnn_info(m)->'hierarchy'->>'method' AS method FROM later;
SELECT step, position, max(abs(t.mean - p.mean)) < 1e-9 AS "adds up" FROM later, LATERAL (SELECT * FROM rnn_forecast(m) WHERE series = '/') AS t,
	LATERAL (SELECT sum(mean) AS mean FROM rnn_forecast(m) AS p WHERE p.step = t.step AND series LIKE '_/_') AS p GROUP BY 1, 2 ORDER BY 1;
SELECT rnn_info(m) = rnn_info(rnn_observe(m, m)) AS "its own rows" FROM mint;
SELECT array_agg(f.mean ORDER BY f.series, f.step) = (SELECT array_agg(g.mean ORDER BY g.series, g.step) FROM rnn_forecast(rnn_train_history(m, '{}', m)) AS g) AS same
FROM mint, rnn_forecast(m) AS f GROUP BY m;
-- What ended early counts as what it is forecast to be: 300 and falling, the last value would be far too much.
SELECT round(s.value / 10) * 10 AS last, round(f.mean / 10) * 10 AS next
FROM (SELECT rnn_train(k, n, CASE k WHEN 'x/falls' THEN 300 - 2 * n ELSE 10 END, mix() || '{"horizon": 3, "hierarchy": "/", "lower": -1000}')
	FROM unnest('{x/falls,x/flat}'::text[]) AS k, generate_series(1, 140) AS n WHERE k = 'x/flat' OR n <= 100) AS t (m),
	LATERAL (SELECT value FROM rnn_fill(m) WHERE series = 'x' ORDER BY position DESC LIMIT 1) AS s, LATERAL (SELECT mean FROM rnn_forecast(m, 1) WHERE series = 'x') AS f;
-- Without some series; sums of none are gone.
SELECT name, points, members FROM m, rnn_series(rnn_forget(m, '{DK/A,DK/B,web}'));
SELECT a.* FROM m, adds_up(rnn_forget(m, '{DK/A,web}'), 3) AS a;
-- Paths add up, each of them, and so do totals.
SELECT count(*), max(abs(all_ - parts)) < 1e-9 AS "adds up" FROM (SELECT sum(value) FILTER (WHERE series = '/') AS all_, sum(value) FILTER (WHERE series NOT IN ('/', 'DK', 'NO')) AS parts FROM m, rnn_simulate(m, 3, 20) GROUP BY path, step) AS s;
SELECT bool_and(abs(t.mean - f.mean) < 1e-9) AS mean, bool_and(t.lower < t.mean AND t.mean < t.upper) AS ordered, count(*)
FROM m, LATERAL rnn_forecast_total(m, 7) AS t JOIN LATERAL (SELECT series, sum(mean) AS mean FROM rnn_forecast(m, 7) GROUP BY series) AS f USING (series);
SELECT series, members, steps FROM m, rnn_forecast_total(m, 7, series => '{NO}');
SELECT g.series, g.members, abs(g.mean - t.mean) < 1e-9 AS same FROM m, LATERAL rnn_forecast_total(m, 7, groups => '{"/": "", "NO": "NO", "DK": ["DK"]}') AS g JOIN LATERAL rnn_forecast_total(m, 7) AS t USING (series);
SELECT series, members, chance FROM m, rnn_chance(m, 7, above => 0, series => '{/,DK/A}');
-- Groups, which may cross; prefixes and names.
CREATE TEMP TABLE g AS SELECT rnn_train(town, day, sold, options || '{"hierarchy": {"all": "", "north": "NO/", "even": ["DK/B", "NO/D"]}}') AS m FROM towns, o GROUP BY options;
SELECT name, depth, members FROM g, rnn_series(m);
SELECT bool_and(abs(all_ - parts) < 1e-9 AND abs(even - pair) < 1e-9) AS "adds up" FROM (SELECT sum(mean) FILTER (WHERE series = 'all') AS all_, sum(mean) FILTER (WHERE series ~ '/|web') AS parts,
	sum(mean) FILTER (WHERE series = 'even') AS even, sum(mean) FILTER (WHERE series IN ('DK/B', 'NO/D')) AS pair FROM g, rnn_forecast(m) GROUP BY step) AS s;
SELECT name, members FROM g, rnn_series(rnn_forget(m, '{DK/B,NO/D}'));
-- Counts stay at 0 or above; bounds of series are none of sums.
SELECT bool_and(mean >= 0 AND lower >= 0 AND (series LIKE 'x.%' AND mean <= 4 OR series NOT LIKE 'x.%' OR mean > 4)) AS bounded, bool_and(lower = round(lower)) AS whole
FROM rnn_forecast((SELECT rnn_train('x.' || k, n, CASE WHEN hashint8(n * 7 + k) % 5 > 2 THEN 3 ELSE 1 END, mix() || '{"horizon": 6, "upper": 4, "lower": 0, "integer": true, "hierarchy": "."}') FROM generate_series(1, 5) AS k, generate_series(1, 200) AS n));
-- A series that cannot be used is part of no sum.
SELECT name, note, members FROM rnn_series((SELECT rnn_train(k, n, CASE WHEN k = 'a/bad' AND n > 20 THEN 'inf' ELSE n::float8 END, mix() || '{"on_error": "naive", "hierarchy": "/"}') FROM unnest('{a/bad,a/good,a/fine}'::text[]) AS k, generate_series(1, 40) AS n));
-- Backtests judge all levels.
SELECT series, count(*), min(step), max(step) FROM o, rnn_backtest('SELECT town, day, sold FROM towns', 7, 2, options || '{"hierarchy": "/"}') GROUP BY 1 ORDER BY 1;
SELECT count(DISTINCT series) FROM m, rnn_backtest('SELECT town, day, sold FROM towns', 7, 2, NULL, m);
-- By name, with today's rows.
CREATE TABLE named_towns AS SELECT * FROM towns;
SELECT f IS NOT NULL AS fitted FROM o, rnn_fit('towns', 'SELECT town, day, sold FROM named_towns', options => options || '{"hierarchy": "/", "windows": 1}') AS f;
SELECT count(*), count(DISTINCT series) FROM rnn_forecast_model('towns', 2);
INSERT INTO named_towns SELECT town, date '2024-10-28', 10 FROM (SELECT DISTINCT town FROM towns) AS t;
SELECT series, step, local_ts::date FROM rnn_reconcile_model('towns', 1, options => '{"fresh": true}');
SELECT rnn_drop('towns');
DROP TABLE named_towns;
-- Errors.
\t
\pset format unaligned
SELECT try($$SELECT rnn_train(town, day, sold, '{"hierarchy": ""}') FROM towns$$);
SELECT try($$SELECT rnn_train(town, day, sold, '{"hierarchy": 3}') FROM towns$$);
SELECT try($$SELECT rnn_train(town, day, sold, '{"hierarchy": {}}') FROM towns$$);
SELECT try($$SELECT rnn_train(town, day, sold, '{"hierarchy": {"a": 1}}') FROM towns$$);
SELECT try($$SELECT rnn_train(town, day, sold, '{"hierarchy": {"a": "SE/"}}') FROM towns$$);
SELECT try($$SELECT rnn_train(town, day, sold, '{"hierarchy": {"a": ["web", "Oslo"]}}') FROM towns$$);
SELECT try($$SELECT rnn_train(town, day, sold, '{"hierarchy": {"web": ["DK/A", "NO/D"]}}') FROM towns$$);
SELECT try($$SELECT rnn_train(day, sold, '{"hierarchy": "/"}') FROM towns WHERE town = 'web'$$);
SELECT try($$SELECT rnn_train(name, n, n, mix() || '{"hierarchy": "/"}') FROM unnest('{a,a/b}'::text[]) AS name, generate_series(1, 20) AS n$$);
SELECT try($$SELECT rnn_forget(m, '{NO}') FROM m$$);
SELECT try($$SELECT rnn_history(town, day, sold, '{"hierarchy": "/"}') FROM towns$$);
