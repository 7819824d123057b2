-- Sample paths: rnn_simulate, rnn_forecast_total, rnn_chance.
SET timezone = 'UTC';
SET datestyle = 'ISO';
SELECT pg_get_function_arguments(oid) FROM pg_proc
WHERE proname IN ('rnn_simulate', 'rnn_forecast_total', 'rnn_chance') ORDER BY proname;
-- Five series that share what is unforeseen.
CREATE TEMP TABLE stock AS
SELECT 'shop/' || s AS shop, date '2024-01-01' + n AS day,
	   20 * s + 4 * sin(n * 2 * pi() / 7) + (hashint4(n) % 1000) / 100.0 + (hashint8(s * 1000 + n) % 1000) / 200.0 AS amount
FROM generate_series(1, 5) AS s, generate_series(1, 400) AS n;
CREATE TEMP TABLE m AS
SELECT rnn_train(shop, day, amount, mix() || '{"horizon": 7, "seasons": [7]}') AS m FROM stock;
CREATE TEMP TABLE paths AS SELECT p.* FROM m, rnn_simulate(m, 7) AS p;

-- A row for each series, path and step, in this order, with its time.
SELECT count(*), count(DISTINCT (series, path, step)) AS "different", min(step) AS first, max(step) AS last, max(path) AS paths FROM paths;
SELECT p.series, path, step, ts, local_ts, position FROM m, rnn_simulate(m, 2, 2, series => '{shop/2,shop/1}') AS p;
-- The quantiles are the forecast's.
SELECT bool_and(abs(s.q - u.q) < 0.02 * (upper - lower)) AS same, count(*)
FROM m, rnn_forecast(m) AS f
JOIN (SELECT series, step, percentile_cont(ARRAY[0.05, 0.1, 0.5, 0.9, 0.95]) WITHIN GROUP (ORDER BY value) AS sample FROM paths GROUP BY 1, 2) AS p
	USING (series, step),
LATERAL unnest(p.sample, ARRAY[quantiles[3], quantiles[4], quantiles[8], quantiles[12], quantiles[13]]) AS u (q, want), LATERAL (SELECT u.want AS q) AS s;
-- Series that err together do so in paths.
SELECT corr(a.value, b.value) > 0.5 AS together FROM paths AS a JOIN paths AS b USING (path, step) WHERE a.series = 'shop/1' AND b.series = 'shop/2' AND step = 3;
-- The same by seed, whichever series come with it; others by another seed.
SELECT count(*) FROM m, rnn_simulate(m, 7, series => '{shop/4}') AS p JOIN paths AS q USING (series, path, step, value);
SELECT count(*) < 50 AS other FROM m, rnn_simulate(m, 7, seed => 1, series => '{shop/4}') AS p JOIN paths AS q USING (series, path, step, value);

-- Totals are those of the paths, means those of the forecast.
SELECT series, members, steps, abs(t.mean - f.mean) < 1e-9 AS mean, abs(t.forecast - p.median) < 0.1 AS median, lower < forecast AND forecast < upper AS ordered,
	   lower = quantiles[3] AND upper = quantiles[13] AS level, upper - lower < f.width AS "narrower than the sum of bounds"
FROM m, rnn_forecast_total(m, 7) AS t
JOIN (SELECT series, sum(mean) AS mean, sum(upper - lower) AS width FROM m, rnn_forecast(m, 7) GROUP BY series) AS f USING (series)
JOIN (SELECT series, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median FROM (SELECT series, path, sum(value) AS value FROM paths GROUP BY 1, 2) AS s GROUP BY series) AS p USING (series)
ORDER BY series;
SELECT t.series, t.members, t.steps, abs(t.mean - f.mean) < 1e-9 AS mean, t.upper - t.lower > members * 0.75 * width AS "wider than if they were independent"
FROM m, rnn_forecast_total(m, 7, groups => '{"all": "", "two": ["shop/1", "shop/3"], "one": ["shop/5"]}') AS t,
LATERAL (SELECT sum(mean) AS mean FROM rnn_forecast(m, 7)
		 WHERE t.series = 'all' OR t.series = 'two' AND series IN ('shop/1', 'shop/3') OR t.series = 'one' AND series = 'shop/5') AS f,
LATERAL (SELECT avg(upper - lower) AS width FROM rnn_forecast_total(m, 7)) AS alone
ORDER BY members;
-- Chances are shares of the paths.
SELECT series, abs(chance - share) < 1e-12 AS same FROM m, rnn_chance(m, 7, above => 60)
JOIN (SELECT series, avg(hit::int) AS share FROM (SELECT series, path, bool_or(value > 60) AS hit FROM paths GROUP BY 1, 2) AS p GROUP BY series) AS p USING (series) ORDER BY series;
SELECT t.series, members, abs(chance - share) < 1e-12 AS same
FROM m, rnn_chance(m, 7, below => 2050, above => 2150, total => true, groups => '["shop/"]') AS t,
	 (SELECT avg((value < 2050 OR value > 2150)::int) AS share FROM (SELECT sum(value) AS value FROM paths GROUP BY path) AS s) AS p;
SELECT abs(chance - share) < 1e-12 AS "a step of the group" FROM m, rnn_chance(m, 7, above => 320, groups => '["shop/"]'),
	 (SELECT avg(hit::int) AS share FROM (SELECT bool_or(value > 320) AS hit FROM (SELECT path, step, sum(value) AS value FROM paths GROUP BY 1, 2) AS s GROUP BY path) AS p) AS p;
SELECT series, chance FROM m, rnn_chance(m, 7, above => 'Infinity', below => '-Infinity', series => '{shop/1}');
-- Bounds and whole numbers hold.
SELECT bool_and(value >= 0 AND value = round(value)) AS whole, max(value) > 0 AS some
FROM rnn_simulate((SELECT rnn_train(CASE WHEN hashint4(n) % 5 = 0 THEN 3 ELSE 0 END, mix() || '{"integer": true}' ORDER BY n) FROM generate_series(1, 200) AS n), 6);
SELECT forecast = round(forecast) AND upper = round(upper) AS whole, mean > 1 AS "not 0"
FROM rnn_forecast_total((SELECT rnn_train(CASE WHEN hashint4(n) % 5 = 0 THEN 3 ELSE 0 END, mix() || '{"integer": true}' ORDER BY n) FROM generate_series(1, 200) AS n), 6);
-- Little data, constants, no rows, until, a single path.
SELECT series, chance FROM rnn_chance((SELECT rnn_train(5, mix() ORDER BY n) FROM generate_series(1, 30) AS n), 4, above => 5);
SELECT count(*), bool_and(value = 5) AS same FROM rnn_simulate((SELECT rnn_train(5, mix() ORDER BY n) FROM generate_series(1, 3) AS n), 4, 3);
SELECT members, steps FROM rnn_forecast_total((SELECT rnn_train(n, mix() ORDER BY n) FROM generate_series(1, 9) AS n), 20);
SELECT count(*) FROM rnn_forecast_total(NULL, 3);
SELECT series, steps FROM m, rnn_forecast_total(m, until => '2025-02-06', series => '{shop/1}', paths => 1);

-- By name.
SELECT rnn_register('stock', m) FROM m;
SELECT (SELECT count(*) FROM rnn_simulate_model('stock', 2, 10)) AS paths, (SELECT sum(mean) > 0 FROM rnn_forecast_total_model('stock')) AS total,
	   (SELECT max(chance) FROM rnn_chance_model('stock', 7, above => 0)) AS chance;
SELECT rnn_drop('stock');

-- Errors.
\t
\pset format unaligned
SELECT try('SELECT count(*) FROM m, rnn_simulate(m, 3, 0)');
SELECT try('SELECT count(*) FROM m, rnn_simulate(m, 3, 100001)');
SELECT try('SELECT count(*) FROM m, rnn_simulate(m, 0)');
SELECT try('SELECT count(*) FROM m, rnn_forecast_total(m, 3, 1)');
SELECT try('SELECT count(*) FROM m, rnn_chance(m, 3)');
SELECT try($$SELECT count(*) FROM m, rnn_chance(m, 3, above => 'NaN')$$);
SELECT try($$SELECT count(*) FROM m, rnn_chance(m, 3, above => 1, groups => '"a"')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast_total(m, 3, groups => '{}')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast_total(m, 3, groups => '{"a": 1}')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast_total(m, 3, groups => '{"a": []}')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast_total(m, 3, groups => '[1]')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast_total(m, 3, groups => '["north/"]')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast_total(m, 3, groups => '{"a": ["shop/9"]}')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast_total(m, 3, groups => '{"a": ["shop/1", "shop/1"]}')$$);
SELECT try($$SELECT count(*) FROM m, rnn_forecast_total(m, 3, options => '{"alin": true}')$$);
SELECT try($$SELECT count(*) FROM rnn_simulate((SELECT rnn_history(day, amount) FROM stock WHERE shop = 'shop/1'), 3)$$);
SET rnnforecast.max_memory = '16MB';
SELECT try('SELECT count(*) FROM m, rnn_simulate(m, 100000, 100000)');
SELECT try('SELECT count(*) FROM m, rnn_forecast_total(m, 7, paths => 2000)');
-- Many groups of many series.
SELECT try($$SELECT count(*) FROM rnn_forecast_total((SELECT rnn_train('s' || k, k % 3::bigint, 1.0 * k, '{"network": false, "duplicates": "mean"}') FROM generate_series(1, 1000) AS k),
	1, paths => 1, groups => (SELECT jsonb_object_agg(g, '') FROM generate_series(1, 2000) AS g))$$);
