-- Covariates of sums: the mean of their parts by size, of text the word of most; forecasts of all levels add up as without.
SET timezone = 'UTC';
SET datestyle = 'ISO';
-- Three shops with promotions of their own, which add 40 %, the same weather, a size that never changes, and 8 days ahead.
CREATE TABLE town_promotions AS
SELECT shop, size, n, date '2024-01-01' + n AS day, CASE WHEN n <= 240 THEN size * (20 + 4 * sin(n * 2 * pi() / 7) + CASE WHEN promo THEN 8 ELSE 0 END + noise(n * 10 + size) / 4) END AS sold, promo,
	CASE WHEN n % 9 < 3 THEN 'rain' WHEN hashint8(n) % 2 = 0 THEN 'sun' ELSE 'clouds' END AS weather, CASE WHEN n % 10 = size THEN 'local' ELSE 'none' END AS campaign
FROM (VALUES ('DK/A', 1), ('DK/B', 2), ('NO/C', 3)) AS s (shop, size), LATERAL (SELECT n, hashint8(n * 7 + size) % 4 = 0 AS promo FROM generate_series(1, 248) AS n) AS d;
CREATE FUNCTION known(p town_promotions) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('promo', p.promo, 'weather', p.weather, 'campaign', p.campaign, 'area', p.size * 10)
$$;
CREATE TEMP TABLE o AS SELECT small() || '{"steps": 200, "hidden": 16, "seasons": [7]}' AS options;
CREATE TEMP TABLE m AS SELECT rnn_train(shop, day, sold, known(p), options || '{"hierarchy": "/"}') AS m FROM town_promotions AS p, o GROUP BY options;
SELECT c->>'name' AS name, c->>'kind' AS kind, c->>'role' AS role, c->>'categories' AS words FROM m, jsonb_array_elements(rnn_info(m)->'covariates') AS c;
SELECT name, points, depth, members FROM m, rnn_series(m);
-- All levels add up, in means, in paths and in totals.
CREATE FUNCTION off(model bytea, OUT rows bigint, OUT off float8) LANGUAGE sql AS $$
	SELECT count(*), max(abs(all_ - parts) + abs(dk - dk_parts)) FROM (SELECT sum(mean) FILTER (WHERE series = '/') AS all_, sum(mean) FILTER (WHERE series LIKE '__/_') AS parts,
		sum(mean) FILTER (WHERE series = 'DK') AS dk, sum(mean) FILTER (WHERE series LIKE 'DK/_') AS dk_parts FROM rnn_forecast(model, 8) GROUP BY step) AS s
$$;
SELECT rows, off < 1e-9 AS "add up" FROM m, off(m);
SELECT max(abs(all_ - parts)) < 1e-9 AS "add up" FROM (SELECT sum(value) FILTER (WHERE series = '/') AS all_, sum(value) FILTER (WHERE series LIKE '__/_') AS parts FROM m, rnn_simulate(m, 8, 20) GROUP BY path, step) AS s;
SELECT bool_and(abs(t.mean - f.mean) < 1e-9) AS mean, count(*) FROM m, LATERAL rnn_forecast_total(m, 8) AS t JOIN LATERAL (SELECT series, sum(mean) AS mean FROM rnn_forecast(m, 8) GROUP BY series) AS f USING (series);
SELECT count(*), bool_and(chance = 1) AS sure FROM m, rnn_chance(m, 8, above => 0);
-- A promotion that is planned in one shop moves the shop by 40 %, and the sums by as much; other shops stay about where they were.
CREATE TEMP TABLE planned AS SELECT p AS planned, f.series, f.step, f.mean FROM m, unnest('{true,false}'::bool[]) AS p,
	LATERAL (SELECT rnn_observe(m, (SELECT rnn_history(shop, day, sold, CASE WHEN n > 240 THEN known(q) || jsonb_build_object('promo', p AND shop = 'DK/B') ELSE known(q) END, NULL) FROM town_promotions AS q)) AS m) AS w, rnn_forecast(w.m) AS f;
CREATE TEMP TABLE moved AS SELECT series, y.step, y.mean - n.mean AS by FROM planned AS y JOIN planned AS n USING (series, step) WHERE y.planned AND NOT n.planned;
SELECT series, count(*), CASE WHEN series IN ('/', 'DK', 'DK/B') THEN avg(by) BETWEEN 12 AND 21 ELSE abs(avg(by)) < 4 END AS "as planned" FROM moved GROUP BY 1 ORDER BY 1;
SELECT max(abs(a.by - p.by)) < 1e-9 AS "sums move by as much" FROM moved AS a, LATERAL (SELECT sum(by) AS by FROM moved AS p WHERE p.step = a.step AND p.series LIKE '__/_' AND (a.series = '/' OR p.series LIKE a.series || '/%')) AS p WHERE a.series IN ('/', 'DK', 'NO');
-- Sums have what SQL would give them as series of their own: means by size, words of most, with missing values, and of a series that ended early.
CREATE TEMP TABLE alone AS SELECT rnn_train(shop, day, sold, known(p), options) AS m FROM town_promotions AS p, o GROUP BY options;
CREATE TEMP TABLE partial AS SELECT shop, size, n, day, CASE WHEN shop <> 'DK/A' OR n <= 237 THEN sold END AS sold,
	CASE WHEN shop = 'DK/B' AND n % 4 = 1 AND n <= 240 THEN known(p) - '{promo,weather}'::text[] ELSE known(p) END AS c FROM town_promotions AS p;
CREATE TEMP TABLE observed AS SELECT rnn_observe(m, (SELECT rnn_history(shop, day, sold, c, NULL) FROM partial)) AS m FROM alone;
CREATE TEMP TABLE complete AS SELECT p.*, avg(abs(sold)) OVER (PARTITION BY shop) AS share, CASE WHEN n <= 240 THEN coalesce(sold, f.mean) END AS value
FROM partial AS p LEFT JOIN (SELECT f.series, f.local_ts::date AS day, mean FROM observed, rnn_forecast(m, 3) AS f WHERE f.series = 'DK/A') AS f ON f.series = p.shop AND f.day = p.day;
CREATE FUNCTION most(words text[], shares float8[]) RETURNS text LANGUAGE sql AS $$
	SELECT w FROM unnest(words, shares) AS x (w, s) WHERE w IS NOT NULL GROUP BY w ORDER BY sum(s) DESC, w COLLATE "C" LIMIT 1
$$;
CREATE TEMP TABLE sums AS
SELECT 'sum of ' || name AS name, day, sum(value) AS value, jsonb_build_object('promo', sum((c->>'promo')::bool::int * share) / sum(share) FILTER (WHERE c ? 'promo'), 'area', (SELECT sum(size * 10 * share) / sum(share) FROM (SELECT DISTINCT size, share FROM complete WHERE shop LIKE name || '%') AS s),
	'weather', most(array_agg(c->>'weather'), array_agg(share)), 'campaign', most(array_agg(c->>'campaign'), array_agg(share))) AS c
FROM unnest('{"",DK}'::text[]) AS name JOIN complete ON shop LIKE name || '%' GROUP BY name, day;
SELECT count(DISTINCT round((c->>'promo')::numeric, 9)) AS shares, count(DISTINCT c->>'campaign') AS words FROM sums;
SELECT count(*), max(abs(r.base / f.mean - 1)) < 1e-5 AS same
FROM observed AS o, rnn_reconcile(o.m, 5) AS r JOIN (SELECT f.* FROM alone, rnn_forecast(rnn_observe(m, (SELECT rnn_history(name, day, value, c, NULL) FROM sums)), 5) AS f) AS f
	ON f.series = 'sum of ' || replace(r.series, '/', '') AND f.step = r.step;
-- Each level is explained by its own forecast; a promotion in one shop has its share of the sums.
SELECT e.series, bool_and(abs(level + trend + coalesce(season_1, 0) + coalesce(season_2, 0) + coalesce(season_3, 0) + analogues + coalesce(calendar, 0) + network + coalesce(bounds, 0) + (SELECT sum(value::float8) FROM jsonb_each_text(covariates)) - coalesce(transformed, forecast)) < 1e-6 * abs(coalesce(transformed, forecast))) AS "adds up", bool_and(covariates ? 'promo') AS told
FROM m, rnn_explain(m, 8) AS e WHERE series IN ('/', 'DK', 'NO/C') GROUP BY 1 ORDER BY 1;
SELECT array_agg(covariate ORDER BY covariate) AS covariates FROM m, rnn_importance(m);
-- Backtests judge sums with their covariates, by trainings and by a model, in one process and beside each other.
CREATE FUNCTION judged_levels(workers int, refit text, model bytea) RETURNS SETOF rnn_backtest_row LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('rnnforecast.max_workers', workers::text, false);
	RETURN QUERY SELECT * FROM rnn_backtest('SELECT shop AS series, day AS ts, sold AS value, promo, weather, campaign, size * 10 AS area FROM town_promotions', 6, CASE WHEN model IS NULL THEN 3 ELSE 100 END,
		CASE WHEN model IS NULL THEN (SELECT options FROM o) || '{"hierarchy": "/", "steps": 5}' || refit::jsonb ELSE '{"every": 1}' END, model);
END $$;
CREATE TEMP TABLE backtests AS SELECT w, 'once' AS by, b.* FROM unnest('{0,2}'::int[]) AS w, judged_levels(w, '{}', NULL) AS b
UNION ALL SELECT w, 'refit', b.* FROM unnest('{0,2}'::int[]) AS w, judged_levels(w, '{"refit": true}', NULL) AS b
UNION ALL SELECT w, 'model', b.* FROM m, unnest('{0,2}'::int[]) AS w, judged_levels(w, '{}', m) AS b;
RESET rnnforecast.max_workers;
SELECT by, count(*), count(DISTINCT series) AS series, bool_and(a.forecast = b.forecast AND a.actual = b.actual) AS "same beside each other", (rnn_accuracy(a.actual, a.forecast)).n
FROM backtests AS a JOIN backtests AS b USING (by, series, cutoff, step) WHERE a.w = 0 AND b.w = 2 GROUP BY 1 ORDER BY 1;
-- Without some series, and of a model without the option.
SELECT rows, off < 1e-9 AS "add up" FROM m, off(rnn_forget(m, '{DK/A}'));
SELECT max(abs(all_ - parts)) < 1e-9 AS "add up" FROM (SELECT sum(mean) FILTER (WHERE series = '/') AS all_, sum(mean) FILTER (WHERE series LIKE '__/_') AS parts FROM alone, rnn_reconcile(m, 8) GROUP BY step) AS s;
-- What is not known of one shop ahead is told, whichever series are asked for; a sum knows what any of its shops knows.
CREATE TEMP TABLE unknown AS SELECT rnn_observe(m, (SELECT rnn_history(shop, day, CASE WHEN shop <> 'DK/A' OR n <= 237 THEN sold END, CASE WHEN shop <> 'DK/A' OR n <= 237 THEN known(p) END, NULL) FROM town_promotions AS p)) AS m FROM m;
SELECT rows, off < 1e-9 AS "add up" FROM unknown, LATERAL (SELECT count(*) AS rows, max(abs(all_ - parts)) AS off FROM (SELECT sum(mean) FILTER (WHERE series = '/') AS all_, sum(mean) FILTER (WHERE series LIKE '__/_') AS parts FROM rnn_forecast(m, 8, options => '{"covariate_gaps": "missing"}') GROUP BY step) AS s) AS f;
SELECT count(*) FROM unknown, rnn_forecast(m, 8, series => '{/}', options => '{"on_error": "naive"}');
\t
\pset format unaligned
SELECT try($$SELECT rnn_forecast(m, 8, series => '{/}') FROM unknown$$);
SELECT try($$SELECT rnn_reconcile(m, 8) FROM unknown$$);
