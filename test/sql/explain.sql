-- rnn_explain, rnn_importance, rnn_references: what a forecast is made of.
\pset format unaligned
\pset null NULL
-- The columns that add up.
CREATE FUNCTION pg_temp.sum_of(e rnn_explain_row) RETURNS float8 LANGUAGE sql AS $$
	SELECT e.level + e.trend + coalesce(e.season_1, 0) + coalesce(e.season_2, 0) + coalesce(e.season_3, 0) + e.analogues + coalesce(e.calendar, 0)
		+ coalesce((SELECT sum(value::float8) FROM jsonb_each_text(e.covariates)), 0) + e.network + coalesce(e.bounds, 0)
$$;
-- Two years of days, with promotions that add 40, one of them in the rows ahead alone, and a column that means nothing.
CREATE TEMP TABLE days AS
SELECT date '2023-01-01' + n AS day, CASE WHEN n < 540 THEN 100 + 10 * (n % 7) + 0.05 * n + noise(n) + 40 * promo END AS value, promo, uniform(n + 5000) AS junk, n
FROM (SELECT n, CASE WHEN n < 540 THEN (uniform(n * 7) < 0.15)::int ELSE (n = 543)::int END AS promo FROM generate_series(0, 546) AS n) AS d;
CREATE TEMP TABLE models AS
SELECT name, rnn_train(day, value, covariates, options) AS m
FROM (VALUES ('network', '{"start": "scratch", "horizon": 7, "seasons": [7], "steps": 300, "hidden": 16, "layers": 1, "context": 56, "patch": 7, "calendar": true}'::jsonb),
	('mix', mix() || '{"horizon": 7, "seasons": [7]}'), ('years', mix() || '{"horizon": 7, "seasons": [7, 90], "lower": 140, "upper": 150, "integer": true}'),
	('logarithm', mix() || '{"horizon": 7, "seasons": [7], "transform": "log"}'), ('prior', '{"start": "prior", "horizon": 7, "seasons": [7]}')) AS o (name, options),
	LATERAL (SELECT day, value, CASE WHEN name = 'network' THEN jsonb_build_object('promo', promo, 'junk', junk) END AS covariates FROM days) AS d
GROUP BY name, options;
SELECT name, count(*), max(abs(coalesce(transformed, forecast) - pg_temp.sum_of(e))) < 1e-9 AS "adds up", count(transformed) AS transformed,
	count(season_1) AS season_1, count(season_2) AS season_2, count(calendar) AS calendar, count(covariates) AS covariates, count(bounds) AS bounds
FROM models, rnn_explain(m) AS e GROUP BY 1 ORDER BY 1;
-- The forecasts are those of rnn_forecast, at their places, and beyond the trained horizon; the way back from a logarithm is exp.
SELECT name, count(*), max(abs(e.forecast - f.forecast)) < 1e-3 AS same, bool_and((e.ts, e.local_ts) = (f.ts, f.local_ts) AND e.actual IS NULL) AS places,
	max(abs(e.forecast - exp(transformed))) < 1e-9 AS exp
FROM models, rnn_explain(m, 20) AS e JOIN LATERAL rnn_forecast(m, 20) AS f USING (step) WHERE name <> 'network' GROUP BY 1 ORDER BY 1;
-- Nothing but the mix: nothing remains for a network.
SELECT name, max(abs(network)) < 1e-4 AS nothing, max(abs(bounds)) > 1 AS bounded, avg(trend) BETWEEN -3 AND 1 AS trend
FROM models, rnn_explain(m) WHERE name IN ('mix', 'years', 'logarithm') GROUP BY 1 ORDER BY 1;
SELECT corr(season_1, 10 * (n % 7)) > 0.9 AS "season where it belongs" FROM models, rnn_explain(m) JOIN days ON day = local_ts WHERE name = 'mix';
-- What is planted in the rows ahead shows in its column, and most of it.
SELECT promo, count(*), min((covariates->>'promo')::float8) > 38 AS promotion, max(abs((covariates->>'promo')::float8)) < 2 AS usual, max(abs((covariates->>'junk')::float8)) < 1 AS junk
FROM models, rnn_explain(m) JOIN days ON day = local_ts WHERE name = 'network' GROUP BY 1 ORDER BY 1;
-- What if there were none: the difference of two explanations is in that column.
SELECT a.step, a.forecast - b.forecast > 38 AS higher, abs(a.forecast - b.forecast - (a.covariates->>'promo')::float8 + (b.covariates->>'promo')::float8) < 1 AS "by the promotion"
FROM models, (SELECT rnn_history(day, value, jsonb_build_object('promo', CASE WHEN n < 540 THEN promo ELSE 0 END, 'junk', junk), NULL) AS h FROM days) AS none,
	LATERAL rnn_explain(m) AS a JOIN LATERAL rnn_explain(rnn_observe(m, h)) AS b USING (step) WHERE name = 'network' AND step = 4;
-- Rows of the history, each from an end before it; nothing that the end did not know.
SELECT count(*), count(actual) AS actual, min(local_ts), max(local_ts), bool_and(actual IS NOT DISTINCT FROM value) AS rows, max(abs(forecast - pg_temp.sum_of(e))) < 1e-9 AS "adds up"
FROM models, rnn_explain(m, history => 10) AS e JOIN days ON day = local_ts WHERE name = 'network';
SELECT max(abs(e.forecast - b.forecast)) < 1e-3 AS "as a backtest" FROM models, rnn_explain(m, history => 14) AS e
	JOIN LATERAL rnn_backtest('SELECT day AS ts, value FROM days WHERE value IS NOT NULL', 7, 2, model => m) AS b USING (local_ts) WHERE name = 'mix';
-- What is worth something, and which way; weights add up to 1, and the smallest error has the largest.
SELECT covariate, share > 0.4 AS much, share < 0.05 AS little, CASE WHEN covariate = 'promo' THEN direction END AS direction FROM models, rnn_importance(m) WHERE name = 'network' ORDER BY 1;
SELECT count(*), abs(sum(weight) - 1) < 1e-12 AS one, (array_agg(reference ORDER BY error))[1] = (array_agg(reference ORDER BY weight DESC))[1] AS best,
	bool_or(reference = 'seasonal_naive_7') AS season, bool_or(reference = 'analogue_2') AS analogue FROM models, rnn_references(m) WHERE name = 'mix';
-- Panels, of which some are chosen; words, covariates of the past, static ones; few rows; nothing.
CREATE TEMP TABLE panel AS SELECT rnn_train(s, n, CASE WHEN n <= 60 THEN length(s) * 10 + n % 4 + noise(n) END, jsonb_build_object('kind', s, 'word', CASE n % 3 WHEN 0 THEN 'x' ELSE 'y' END, 'past', CASE WHEN n <= 60 THEN n % 5 END),
	small() || '{"horizon": 4, "seasons": [4]}') AS m FROM unnest('{a,bb,ccc}'::text[]) AS s, generate_series(1, 64) AS n;
SELECT series, count(*), min(position), max(abs(forecast - pg_temp.sum_of(e))) < 1e-9 AS "adds up", (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(min(covariates::text)::jsonb) AS k)
FROM panel, rnn_explain(m, 4, '{a,ccc}') AS e GROUP BY 1 ORDER BY 1;
SELECT covariate, share IS NOT NULL AS share FROM panel, rnn_importance(m, 2) ORDER BY 1;
SELECT forecast, level, trend, network FROM rnn_explain((SELECT rnn_train('a', n, 7, mix()) FROM generate_series(1, 3) AS n), 1);
SELECT count(*) FROM rnn_explain(NULL), rnn_importance(NULL), rnn_references(NULL);
\t
SELECT try('SELECT count(*) FROM panel, rnn_explain(m, 0)'), try('SELECT count(*) FROM panel, rnn_explain(m, history => -1)'), try('SELECT count(*) FROM panel, rnn_explain(m, 4, ''{d}'')'),
	try('SELECT count(*) FROM panel, rnn_importance(m, 0)'), try('SELECT count(*) FROM rnn_references(''\x00'')');
