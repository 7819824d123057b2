-- Covariates: an effect that was planted must be found; what they are, and what is refused.
\pset format unaligned
\t
SET client_min_messages = warning;
-- A week, promotions known ahead that add 6, and a closed day every now and then that takes 8.
CREATE TABLE visits AS
SELECT day::date, n, n % 11 IN (0, 4) OR n % 17 = 3 AS promo, CASE WHEN n % 29 IN (5, 18) THEN 'closed' ELSE 'open' END AS state,
	   40 + 5 * sin(n * 2 * pi() / 7) + (abs(hashint4(n::int)) % 1000) / 1000.0 +
	   CASE WHEN n % 11 IN (0, 4) OR n % 17 = 3 THEN 6 ELSE 0 END - CASE WHEN n % 29 IN (5, 18) THEN 8 ELSE 0 END AS visitors
FROM generate_series(date '2022-01-01', '2023-12-31', '1 day') WITH ORDINALITY AS t (day, n);
CREATE VIEW facts AS
SELECT *, jsonb_build_object('promo', promo, 'state', state, 'yesterday', CASE WHEN n <= 700 THEN n % 5 END, 'shop', 'a') AS covariates FROM visits;
CREATE TABLE trained AS
SELECT rnn_train(day, CASE WHEN n <= 700 THEN visitors END, covariates, '{"seasons": 7, "steps": 120, "learning_rate": 0.006, "members": 1}') AS "with",
	   rnn_train(day, CASE WHEN n <= 700 THEN visitors END, '{"seasons": 7, "steps": 120, "learning_rate": 0.006, "members": 1}') AS without
FROM facts WHERE n <= 714;
-- What each of them is, told by the rows alone.
SELECT c->>'name' AS name, c->>'role' AS role, c->>'kind' AS kind, c->>'categories' AS categories
FROM trained, jsonb_array_elements(rnn_info("with")->'covariates') AS c;
SELECT rnn_info(without)->>'covariates' IS NULL AS none FROM trained;
-- The horizon is that of the rows ahead, in training and in forecasting.
SELECT rnn_info("with")->'horizon', (SELECT count(*) FROM rnn_forecast("with")) FROM trained;
-- The effect is found: errors fall by half, at the days it is about by more.
CREATE VIEW errors AS
SELECT which, v.promo OR v.state = 'closed' AS affected, avg(abs(f.forecast - v.visitors)) AS error
FROM trained, LATERAL (VALUES ('with', "with"), ('without', without)) AS m (which, model),
	 rnn_forecast(model) AS f JOIN visits AS v ON v.day = f.local_ts::date
GROUP BY 1, 2;
SELECT (SELECT avg(error) FROM errors WHERE which = 'with') < 0.5 * (SELECT avg(error) FROM errors WHERE which = 'without') AS better,
	   (SELECT error FROM errors WHERE which = 'with' AND affected) < 0.4 * (SELECT error FROM errors WHERE which = 'without' AND affected) AS much_better;
-- What if: one statement, scenarios of the days ahead side by side.
SELECT scenario, round(avg(f.forecast) - min(base.forecast)) AS more
FROM trained,
	 LATERAL (SELECT avg(forecast) AS forecast FROM rnn_forecast("with") AS b JOIN visits AS v ON v.day = b.local_ts::date AND NOT promo AND state = 'open') AS base,
	 LATERAL (SELECT scenario, rnn_history(day, CASE WHEN n <= 700 THEN visitors END,
										   CASE WHEN n <= 700 THEN covariates ELSE covariates || change END, NULL) AS history
			  FROM facts, (VALUES ('no promotion', '{"promo": false, "state": "open"}'::jsonb), ('promotion', '{"promo": true, "state": "open"}')) AS s (scenario, change)
			  WHERE n <= 714 GROUP BY scenario) AS h,
	 rnn_forecast(rnn_observe("with", history)) AS f JOIN visits AS v ON v.day = f.local_ts::date AND NOT promo AND state = 'open'
GROUP BY scenario ORDER BY scenario;
-- Columns of a query.
SELECT try($$SELECT avg(abs(forecast - visitors)) < 1.5 FROM rnn_forecast_query('SELECT day AS ts, promo, CASE WHEN n <= 700 THEN visitors END AS value, state AS "the ""state""'' now" FROM visits WHERE n <= 714',
	options => '{"seasons": 7, "steps": 120, "learning_rate": 0.006, "members": 1}') JOIN visits ON day = local_ts::date$$);
SELECT try($$SELECT avg(abs(forecast - visitors)) < 1.5 FROM trained, rnn_forecast_query('SELECT day AS ts, promo, CASE WHEN n <= 700 THEN visitors END AS value, state FROM visits WHERE n <= 714', model => "with") JOIN visits ON day = local_ts::date$$);
SELECT try($$SELECT count(*) FROM rnn_forecast_query('SELECT day AS ts, promo, 3 AS promo, visitors AS value FROM visits')$$);
SELECT try($$SELECT count(*) FROM rnn_forecast_query('SELECT day AS ts, ARRAY[n] AS days, visitors AS value FROM visits')$$);
SELECT try(format('SELECT count(*) FROM rnn_forecast_query(%L, 3, options => ''{"network": false}'')', format('SELECT day AS ts, visitors AS value, %s FROM visits', string_agg('n % ' || i || ' AS c' || i, ', ')))) FROM generate_series(1, 64) AS i;
-- The order of the rows and the plan change no byte.
SELECT count(DISTINCT md5(h)) AS histories FROM (
	SELECT rnn_history(day, visitors, covariates, NULL ORDER BY n) AS h FROM facts
	UNION ALL SELECT rnn_history(day, visitors, covariates, NULL ORDER BY hashint4(n::int)) FROM facts
	UNION ALL SELECT rnn_history(day, visitors, covariates, NULL ORDER BY n DESC) FROM facts) AS t;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 3;
CREATE TABLE many AS SELECT shop, day, n, visitors, jsonb_build_object('promo', promo, 'shop', 'shop ' || shop, 'k' || n % 3, n) AS covariates
FROM visits, generate_series(1, 6) AS shop;
ANALYZE many;
SELECT count(DISTINCT md5(h)) AS histories FROM (SELECT rnn_history(shop, day, visitors, covariates, NULL) AS h FROM many
	UNION ALL SELECT rnn_history(shop, day, visitors, covariates, NULL ORDER BY n % 10, shop) FROM many) AS t;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
SELECT c->>'name', c->>'role', c->>'kind', c->>'categories'
FROM (SELECT rnn_history(shop, day, visitors, covariates, NULL) AS h FROM many) AS t, jsonb_array_elements(rnn_info(h)->'covariates') AS c;
-- Every type of time, with and without series.
SELECT rnn_info(rnn_history(day::timestamp, visitors, covariates, NULL))->'covariates' = c, rnn_info(rnn_history(day::timestamptz, visitors, covariates, NULL))->'covariates' = c,
	   rnn_info(rnn_history(n % 2, day, visitors, covariates, NULL))->'covariates' IS NOT NULL,
	   rnn_info(rnn_history('x'::text, day, visitors, covariates, NULL))->'covariates' = c, rnn_info(rnn_history('x'::text, day::timestamp, visitors, covariates, NULL))->'covariates' = c,
	   rnn_info(rnn_history(1, day::timestamp, visitors, covariates, NULL))->'covariates' = c, rnn_info(rnn_history('x'::text, day::timestamptz, visitors, covariates, NULL))->'covariates' = c,
	   rnn_info(rnn_history(1, day::timestamptz, visitors, covariates, NULL))->'covariates' = c, rnn_info(rnn_history('x'::text, n, visitors, covariates, NULL))->'covariates' = c,
	   rnn_info(rnn_history(1, n, visitors, covariates, NULL))->'covariates' = c
FROM facts, (SELECT rnn_info(rnn_history(day, visitors, covariates, NULL))->'covariates' AS c FROM facts) AS i GROUP BY c;
SELECT count(rnn_info(m)->'covariates') FROM (
	SELECT rnn_train(day::timestamp, visitors, covariates, o) FROM facts, (SELECT '{"network": false}'::jsonb) AS mix (o) GROUP BY o UNION ALL SELECT rnn_train(day::timestamptz, visitors, covariates, o) FROM facts, (SELECT '{"network": false}'::jsonb) AS mix (o) GROUP BY o
	UNION ALL SELECT rnn_train('x'::text, day, visitors, covariates, o) FROM facts, (SELECT '{"network": false}'::jsonb) AS mix (o) GROUP BY o UNION ALL SELECT rnn_train(1, day, visitors, covariates, o) FROM facts, (SELECT '{"network": false}'::jsonb) AS mix (o) GROUP BY o
	UNION ALL SELECT rnn_train('x'::text, day::timestamp, visitors, covariates, o) FROM facts, (SELECT '{"network": false}'::jsonb) AS mix (o) GROUP BY o UNION ALL SELECT rnn_train(1, day::timestamp, visitors, covariates, o) FROM facts, (SELECT '{"network": false}'::jsonb) AS mix (o) GROUP BY o
	UNION ALL SELECT rnn_train('x'::text, day::timestamptz, visitors, covariates, o) FROM facts, (SELECT '{"network": false}'::jsonb) AS mix (o) GROUP BY o UNION ALL SELECT rnn_train(1, day::timestamptz, visitors, covariates, o) FROM facts, (SELECT '{"network": false}'::jsonb) AS mix (o) GROUP BY o
	UNION ALL SELECT rnn_train('x'::text, n, visitors, covariates, o) FROM facts, (SELECT '{"network": false}'::jsonb) AS mix (o) GROUP BY o UNION ALL SELECT rnn_train(1, n, visitors, covariates, o) FROM facts, (SELECT '{"network": false}'::jsonb) AS mix (o) GROUP BY o) AS t (m);
-- What is not known ahead is an error that names it, or is filled.
SELECT try($$SELECT count(*) FROM trained, rnn_forecast("with", 15)$$);
CREATE VIEW short AS
SELECT rnn_observe("with", history) AS model FROM trained, (SELECT rnn_history(day, CASE WHEN n <= 700 THEN visitors END,
	CASE WHEN n <= 705 THEN covariates WHEN n <= 710 THEN covariates - 'promo' END, NULL) AS history FROM facts WHERE n <= 714) AS h;
SELECT try($$SELECT count(*) FROM short, rnn_forecast(model)$$);
SELECT try($$SELECT count(*) FROM short, rnn_forecast(model, 5)$$);
SELECT try($$SELECT count(*) FROM short, rnn_forecast(model, 6)$$);
SELECT gaps, try(format('SELECT count(*) FROM short, rnn_forecast(model, options => %L)', jsonb_build_object('covariate_gaps', gaps)))
FROM unnest('{error, previous, zero, missing, mean}'::text[]) AS gaps;
SELECT how, try(format('SELECT count(*) FROM short, rnn_forecast(model, options => %L)', jsonb_build_object('on_error', how)))
FROM unnest('{fail, skip, naive}'::text[]) AS how;
SELECT count(DISTINCT round(f.forecast::numeric, 3)) FROM short, rnn_forecast(model, options => '{"on_error": "naive"}') AS f;
SELECT try($$SELECT rnn_info(rnn_train(day, visitors, covariates, '{"covariate_gaps": "previous", "network": false}'))->'options'->>'covariate_gaps' FROM facts$$);
-- A series of a panel is named; the others are forecast with on_error.
CREATE VIEW two AS
SELECT rnn_train(shop, day, CASE WHEN n <= 700 THEN visitors END, CASE WHEN n <= 700 OR shop = 1 THEN covariates - '{k0,k1,k2}'::text[] END, '{"network": false, "horizon": 7}') AS model
FROM many WHERE shop <= 2 AND n <= 707;
SELECT try($$SELECT count(*) FROM two, rnn_forecast(model)$$);
SELECT try($$SELECT string_agg(DISTINCT series, ',') FROM two, rnn_forecast(model, options => '{"on_error": "skip"}')$$);
SELECT try($$SELECT count(*) FROM two, rnn_forecast(model, options => '{"on_error": "naive"}')$$);
-- Asked for: nothing is known ahead, or everything.
SELECT how, string_agg((c->>'name') || ' ' || (c->>'role'), ', ') FROM unnest('{all, none}'::text[]) AS how,
	LATERAL (SELECT rnn_train(day, CASE WHEN n <= 700 THEN visitors END, covariates, jsonb_build_object('known_ahead', how, 'network', false)) AS m FROM facts WHERE n <= 714) AS t,
	jsonb_array_elements(rnn_info(m)->'covariates') AS c GROUP BY how ORDER BY how;
-- A model meets other covariates: some are missing, some unknown, some words new.
SELECT try($$SELECT count(*) FROM trained, (SELECT rnn_history(day, CASE WHEN n <= 700 THEN visitors END, covariates || '{"state": "never heard of"}', NULL) AS h FROM facts WHERE n <= 714) AS t, rnn_forecast(rnn_observe("with", h))$$);
SELECT try($$SELECT count(*) FROM trained, (SELECT rnn_history(day, visitors) AS h FROM facts) AS t, rnn_forecast(rnn_observe("with", h), 3)$$);
SELECT try($$SELECT count(*) FROM trained, (SELECT rnn_history(day, visitors, '{"promo": "yes"}', NULL) AS h FROM facts) AS t, rnn_forecast(rnn_observe("with", h), 3)$$);
SET client_min_messages = notice;
SELECT count(rnn_observe("with", h)) FROM trained, (SELECT rnn_history(day, visitors, '{"promo": true, "b": 1, "a": 2}', NULL) AS h FROM facts) AS t;
SELECT count(*) FROM two, rnn_forecast(model, options => '{"on_error": "skip"}');
SET client_min_messages = warning;
-- Training goes on with what the model knows; a history trains as its rows do.
SELECT md5(rnn_train_history(h, '{"seasons": 7, "steps": 20, "members": 1}')) = md5(m) AS same
FROM (SELECT rnn_history(day, CASE WHEN n <= 700 THEN visitors END, covariates, NULL) AS h,
			 rnn_train(day, CASE WHEN n <= 700 THEN visitors END, covariates, '{"seasons": 7, "steps": 20, "members": 1}') AS m FROM facts WHERE n <= 714) AS t;
SELECT rnn_info(rnn_train_history("with", '{"steps": 20}', "with"))->'covariates' = rnn_info("with")->'covariates' FROM trained;
-- With nothing trained: what is known ahead is regressed, and what means nothing is left alone.
CREATE VIEW untrained AS
SELECT how, rnn_train(day, CASE WHEN n <= 700 THEN visitors END, CASE how WHEN 'known' THEN covariates - 'yesterday' WHEN 'noise' THEN jsonb_build_object('noise', hashint4(n::int * 7) % 100) ELSE '{}' END, options) AS model
FROM facts, unnest('{known,noise,none}'::text[]) AS how, (SELECT '{"start": "prior", "seasons": 7, "horizon": 14}'::jsonb) AS o (options) WHERE n <= 714 GROUP BY how, options;
SELECT how, rnn_info(model)->'regression' AS regression, max(error) < 0.3 * max(max(error)) FILTER (WHERE how = 'none') OVER () AS better
FROM untrained, LATERAL (SELECT avg(abs(f.forecast - v.visitors)) AS error FROM rnn_forecast(model) AS f JOIN visits AS v ON v.day = f.local_ts::date) AS e
GROUP BY how, model ORDER BY how;
SELECT round(min(a.forecast - b.forecast)) = 6 AND round(max(a.forecast - b.forecast)) = 6 AS "what if" FROM
	(SELECT f.* FROM untrained, rnn_forecast(rnn_observe(model, (SELECT rnn_history(day, CASE WHEN n <= 700 THEN visitors END, covariates || CASE WHEN n > 700 THEN '{"promo": true}' ELSE '{}' END::jsonb, NULL) FROM facts WHERE n <= 714))) AS f WHERE how = 'known') AS a JOIN
	(SELECT f.* FROM untrained, rnn_forecast(rnn_observe(model, (SELECT rnn_history(day, CASE WHEN n <= 700 THEN visitors END, covariates || CASE WHEN n > 700 THEN '{"promo": false}' ELSE '{}' END::jsonb, NULL) FROM facts WHERE n <= 714))) AS f WHERE how = 'known') AS b USING (step);
SELECT max(abs(forecast - level - trend - season_1 - analogues - network - coalesce(bounds, 0) - (SELECT sum(value::float8) FROM jsonb_each_text(covariates)))) < 1e-9 AS "adds up", count(DISTINCT round((covariates->>'promo')::numeric)) AS shares
FROM untrained, rnn_explain(model) WHERE how = 'known';
-- Many words: the most frequent are told apart.
SELECT c->>'categories' FROM (SELECT rnn_train(day, visitors, jsonb_build_object('word', 'w' || n % 100), '{"network": false}') AS m FROM visits) AS t, jsonb_array_elements(rnn_info(m)->'covariates') AS c;
-- Rows that can't be.
SELECT what, try(format('SELECT rnn_info(rnn_history(day, visitors, %s, NULL))->''covariates'' FROM facts WHERE n <= 40', covariates)) FROM (VALUES
	('NULL', 'NULL'), ('an empty object', $$'{}'$$), ('null', $$'{"a": null}'$$), ('JSON null', $$'null'$$), ('a list', $$'[1]'$$), ('a string', $$'"a"'$$),
	('a list inside', $$'{"a": [1]}'$$), ('an object inside', $$'{"a": {}}'$$), ('a number and text', $$CASE WHEN n > 3 THEN '{"a": "1"}'::jsonb ELSE '{"a": 1}' END$$),
	('a large number', $$'{"a": 1e39}'$$), ('the largest', $$'{"a": 3.4e38}'$$), ('an empty key', $$'{"": 1}'$$), ('a long key', $$jsonb_build_object(repeat('k', 256), 1)$$),
	('a long text', $$jsonb_build_object('k', repeat('k', 1001))$$), ('65 keys', $$(SELECT jsonb_object_agg('k' || i, i) FROM generate_series(1, 65) AS i)$$),
	('a boolean', $$'{"a": true}'$$)) AS t (what, covariates);
SELECT try($$SELECT rnn_history(ts, v, '{"a": 1}', NULL) FROM (SELECT day::timestamp, visitors FROM visits WHERE n < 40 UNION ALL SELECT '2022-05-01 12:00', NULL) AS t (ts, v)$$);
SELECT try($$SELECT rnn_history(n, n, 1, jsonb_build_object('a', 'w' || n), NULL) FROM generate_series(1, 10001) AS n$$);
-- Forgotten series take their covariates with them.
SELECT count(*) FROM (SELECT rnn_forget(rnn_history(shop, day, visitors, covariates, NULL), '{1,2,3}') AS h FROM many) AS t, rnn_series(h);
DROP TABLE trained CASCADE;
RESET client_min_messages;
\t
\pset format aligned
