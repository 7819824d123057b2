-- Forecasts of a tree of series that add up: rnn_reconcile.
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE TEMP TABLE m AS SELECT rnn_train(town, day, sold, mix() || '{"horizon": 7, "seasons": [7]}') AS m FROM towns;
CREATE TEMP TABLE r AS SELECT k.* FROM m, unnest('{auto,bottom_up,mint}'::text[]) AS asked, LATERAL (SELECT asked, t.* FROM rnn_reconcile(m, 7, method => asked) AS t) AS k;
SELECT series, depth, members, count(*), min(step) AS first, max(step) AS last, min(local_ts) AS begins, count(DISTINCT local_ts) AS days
FROM r WHERE asked = 'mint' GROUP BY 1, 2, 3 ORDER BY 2, 1;
SELECT asked, method, bool_and(lower <= mean AND mean <= upper) AS ordered, bool_and(abs(mean - base) < 0.5 * base) AS near FROM r WHERE asked <> 'auto' GROUP BY 1, 2 ORDER BY 1;
SELECT count(DISTINCT method) AS methods, bool_or(method = 'auto') AS auto FROM r WHERE asked = 'auto';
-- All levels add up, by whichever method.
SELECT asked, max(abs(t.mean - p.mean) / t.mean) < 1e-9 AS "adds up", max(abs(t.base - p.base)) > 1e-3 AS "did not", count(*)
FROM r AS t JOIN (SELECT asked, step, '/' AS series, sum(mean) AS mean, sum(base) AS base FROM r WHERE depth = 1 OR series = 'web' GROUP BY 1, 2
	UNION ALL SELECT asked, step, split_part(series, '/', 1), sum(mean), sum(base) FROM r WHERE depth = 2 AND series <> 'web' GROUP BY 1, 2, 3) AS p USING (asked, step, series)
GROUP BY asked ORDER BY asked;
-- Bottoms are forecast as they are alone, from the common end on.
SELECT bool_and(abs(r.base - f.mean) < 1e-9) AS same, bool_and(r.mean = r.base) AS "bottom up", count(*)
FROM r JOIN (SELECT f.* FROM m, rnn_forecast(m, 7, options => '{"align": true}') AS f) AS f USING (series, local_ts) WHERE asked = 'bottom_up';
-- A sum is forecast as the series of sums would be, where nothing is missing.
SELECT bool_and(abs(r.base - f.mean) < 1e-6) AS same, count(*)
FROM r JOIN (SELECT f.* FROM rnn_forecast((SELECT rnn_train(country, day, sold, mix() || '{"horizon": 7, "seasons": [7]}')
	FROM (SELECT 'NO' AS country, day, sum(sold) AS sold FROM towns WHERE town LIKE 'NO/%' GROUP BY day) AS s)) AS f) AS f USING (series, local_ts) WHERE asked = 'mint';
-- Counts stay at 0 or above; bounds of series are none of sums.
SELECT bool_and(mean >= 0 AND lower >= 0 AND (members > 1 OR mean <= 4)) AS bounded, max(mean) FILTER (WHERE depth = 0) > 4 AS "sum above"
FROM rnn_reconcile((SELECT rnn_train('x.' || k, n, CASE WHEN hashint8(n * 7 + k) % 5 > 2 THEN 3 ELSE 1 END, mix() || '{"horizon": 6, "upper": 4, "lower": 0}') FROM generate_series(1, 5) AS k, generate_series(1, 200) AS n), method => 'mint', separator => '.');
-- Little data, many sums, no model.
SELECT DISTINCT method FROM rnn_reconcile((SELECT rnn_train('a/' || k, n, n * k, mix()) FROM generate_series(1, 2) AS k, generate_series(1, 6) AS n), 3);
SELECT count(DISTINCT series) AS nodes, bool_and(mean = members * 5) AS exact
FROM rnn_reconcile((SELECT rnn_train('a/' || k || '/b', n, 5, mix()) FROM generate_series(1, 600) AS k, generate_series(1, 20) AS n), 2);
SELECT count(*) FROM rnn_reconcile(NULL, 3);
-- Errors.
\t
\pset format unaligned
SELECT try($$SELECT count(*) FROM m, rnn_reconcile(m, 0)$$);
SELECT try($$SELECT count(*) FROM m, rnn_reconcile(m, 3, 2)$$);
SELECT try($$SELECT count(*) FROM m, rnn_reconcile(m, 3, method => 'ols')$$);
SELECT try($$SELECT count(*) FROM m, rnn_reconcile(m, 3, separator => '')$$);
SELECT try($$SELECT count(*) FROM rnn_reconcile((SELECT rnn_train(n, mix() ORDER BY n) FROM generate_series(1, 20) AS n), 3)$$);
SELECT try($$SELECT count(*) FROM rnn_reconcile((SELECT rnn_train(name, n, n, mix()) FROM unnest('{a,a/b}'::text[]) AS name, generate_series(1, 20) AS n), 3)$$);
SELECT try($$SELECT count(*) FROM rnn_reconcile((SELECT rnn_train(name, n, n, mix()) FROM unnest('{a//b,a/c}'::text[]) AS name, generate_series(1, 20) AS n), 3)$$);
SELECT try($$SELECT count(*) FROM rnn_reconcile((SELECT rnn_train(name, n, n, mix()) FROM unnest('{a/b,a/c}'::text[]) AS name, generate_series(1, 6) AS n), 3, method => 'mint')$$);
SET rnnforecast.max_memory = '16MB';
SELECT try('SELECT count(*) FROM m, rnn_reconcile(m, 90000)');
