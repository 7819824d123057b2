-- Terms of the calendar: which there are, that they are used, and that every way to a forecast has them.
\pset format unaligned
\t
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE FUNCTION tiny(calendar text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT '{"start": "scratch", "steps": 3, "hidden": 4, "layers": 1, "horizon": 4, "context": 16, "patch": 2, "batch": 4, "members": 1, "seasons": 7}'::jsonb
		|| jsonb_build_object('calendar', calendar::jsonb) || more
$$;
-- What a step can tell apart, and the history goes through.
CREATE TABLE steps (step interval, n int);
INSERT INTO steps VALUES ('1 second', 5000), ('5 minutes', 100), ('5 minutes', 1000), ('1 hour', 1000), ('1 hour', 10000), ('12 hours', 100),
	('1 day', 20), ('1 day', 400), ('2 days', 300), ('7 days', 60), ('10 days', 50), ('1 month', 30), ('3 months', 30), ('6 months', 30);
SELECT step, n, rnn_info(m)->>'calendar' AS calendar, rnn_info(m)->'options'->'calendar' AS used
FROM steps, LATERAL (SELECT rnn_train(timestamp '2020-01-01' + i * step, sin(i), tiny('true')) AS m FROM generate_series(1, n) AS i) AS t;
SELECT rnn_info(rnn_train(day::date, extract(day FROM day), tiny('true')))->>'calendar'
FROM generate_series(timestamp '2020-01-01', '2021-12-31', '1 day') AS day WHERE extract(isodow FROM day) < 6;
-- Not asked for: false, and where the network isn't judged.
SELECT c, rnn_info(m)->>'calendar', rnn_info(m)->'options'->'calendar'
FROM unnest('{false,null,"auto"}'::text[]) AS c,
	LATERAL (SELECT rnn_train(date '2020-01-01' + i, sin(i), tiny(CASE WHEN c = 'auto' THEN '"auto"' ELSE c END)) AS m FROM generate_series(1, 900) AS i) AS t;
-- auto: of a network from nothing that is judged, hour and weekday where no season tells them.
CREATE FUNCTION judged(more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT tiny('"auto"', '{"start": "auto", "horizon": 2}') || more
$$;
CREATE TABLE shops AS
SELECT shop, day::date, 20 + shop + 4 * sin(2 * pi() * extract(isodow FROM day) / 7) + 6 * cos(2 * pi() * extract(day FROM day) / 31) + noise(1000 * shop + n) / 4 AS visitors
FROM generate_series(1, 8) AS shop, generate_series(timestamp '2020-01-01', '2021-06-30', '1 day') WITH ORDINALITY AS t (day, n);
CREATE TABLE judged AS SELECT rnn_train(shop, day, visitors, judged('{"steps": 150, "hidden": 16, "seasons": 5}')) AS model FROM shops WHERE day < '2021-01-01';
SELECT rnn_info(model)->'calendar', rnn_info(model)->'validation'->>'reason' FROM judged;
SELECT rnn_info(rnn_train(shop, day, visitors, judged()))->'options'->'calendar' FROM shops;
SELECT more, try(format('SELECT rnn_info(rnn_train(shop, day, visitors, judged(%L)))->''options''->''calendar'' FROM shops WHERE day < ''2020-04-01''', more))
FROM unnest(ARRAY['{"seasons": 5}', '{"calendar": true}']) AS more;
-- The wall clock is told: hours of another zone are other hours.
CREATE TABLE opening AS
SELECT ts, noise(extract(epoch FROM ts)::bigint / 3600) AS value FROM generate_series(timestamptz '2023-03-01 00:00+00', '2023-05-20', '1 hour') AS ts;
SELECT calendar, count(DISTINCT f.forecast) > 4 AS differ, array_agg(DISTINCT rnn_info(m)->>'calendar')
FROM (SELECT calendar, zone, rnn_train(ts, value, tiny(calendar, jsonb_build_object('timezone', zone))) AS m
	  FROM opening, unnest('{true,false}'::text[]) AS calendar, unnest('{UTC,Europe/Berlin}'::text[]) AS zone GROUP BY calendar, zone) AS t, rnn_forecast(m) AS f
GROUP BY calendar;
-- From every origin, with rows that the model has not seen, as the same rows in a training's order; history and more steps than trained.
CREATE TABLE told AS SELECT rnn_train(shop, day, visitors, tiny('true', '{"steps": 250, "hidden": 16, "context": 56, "patch": 7, "horizon": 14, "batch": 16}')) AS model FROM shops WHERE day < '2021-05-01';
SELECT rnn_info(model)->>'calendar' FROM told;
SELECT avg(abs(f.forecast - s.visitors)) FILTER (WHERE which) < 0.7 * avg(abs(f.forecast - s.visitors)) FILTER (WHERE NOT which) AS better
FROM told, LATERAL (SELECT origin, rnn_history(shop, day, visitors) AS history FROM shops, unnest('{2021-05-01,2021-05-12,2021-06-03}'::date[]) AS origin WHERE day < origin GROUP BY origin) AS h,
	LATERAL (VALUES (true, rnn_observe(model, history)), (false, rnn_train_history(history, '{"start": "prior", "seasons": 7, "horizon": 14}'))) AS x (which, m),
	rnn_forecast(m) AS f JOIN shops AS s ON s.day = f.local_ts::date AND s.shop::text = f.series;
SELECT count(*), count(*) FILTER (WHERE step <= 0), bool_and(forecast IS NOT NULL OR step <= 0) FROM told, rnn_forecast(model, 40, history => 3);
SELECT md5(rnn_observe(model, h)) = md5(model) AS same FROM told, (SELECT rnn_history(shop, day, visitors) AS h FROM shops WHERE day < '2021-05-01') AS t;
SELECT count(DISTINCT f.forecast::numeric(10, 3)) = count(*) / 2 AS same FROM told, LATERAL (VALUES (NULL::text[]), ('{3}')) AS v (series), rnn_forecast(model, series => v.series) AS f WHERE f.series = '3';
-- The same bytes from rows and history; training goes on with the terms there are.
SELECT md5(rnn_train_history(h, tiny('true'))) = md5(m) AS same
FROM (SELECT rnn_history(shop, day, visitors) AS h, rnn_train(shop, day, visitors, tiny('true')) AS m FROM shops) AS t;
SELECT more, rnn_info(rnn_train_history(model, more::jsonb, model))->>'calendar' FROM told, unnest(ARRAY['{"steps": 3}', '{"steps": 3, "calendar": false}', '{"steps": 3, "calendar": true}']) AS more;
-- Series of their own spans; a network alone that feeds itself; a named model.
SELECT count(*), bool_and(forecast IS NOT NULL) FROM (
	SELECT rnn_train(shop, day + CASE WHEN shop = 8 THEN 40000 ELSE 31 * shop END, visitors, tiny('true')) AS m FROM shops) AS t, rnn_forecast(m);
SELECT count(*), bool_and(forecast IS NOT NULL) FROM (
	SELECT rnn_train(day, visitors, tiny('true', '{"skip": false}')) AS m FROM shops WHERE shop = 1) AS t, rnn_forecast(m, 11);
SELECT count(*) > 0 AS lags FROM told, rnn_gradient_flow(model);
CREATE TABLE growing AS SELECT day, visitors FROM shops WHERE shop = 2 AND day < '2021-06-01';
SELECT rnn_fit('told', 'SELECT day, visitors FROM growing', 7, '{"start": "scratch", "steps": 40, "calendar": true, "windows": 3, "retain": 9}');
INSERT INTO growing SELECT day, visitors FROM shops WHERE shop = 2 AND day >= '2021-06-01';
SET client_min_messages = error; -- it may be refused
DO $$ DECLARE outcome text; BEGIN CALL rnn_refit('told', outcome); END $$;
SET client_min_messages = warning;
SELECT version, outcome IN ('promoted', 'refused') AS trained, mase < 2 AS good FROM rnn_runs WHERE name = 'told' ORDER BY started;
SELECT v, rnn_info(rnn_model('told', v))->>'calendar' FROM generate_series(1, 2) AS v;
SELECT count(*) FROM rnn_forecast_model('told');
SELECT rnn_drop('told');
-- A query that asks for them trains a network.
SELECT count(*) FROM rnn_forecast_query('SELECT day, visitors FROM shops WHERE shop = 2', 3, options => '{"calendar": true, "steps": 5}');
-- What can't be.
SELECT try('SELECT rnn_train(visitors, tiny(''true'') ORDER BY day) FROM shops WHERE shop = 1');
SELECT try('SELECT rnn_train(shop, day - date ''2020-01-01'', visitors, tiny(''true'')) FROM shops');
SELECT try('SELECT rnn_train(date ''1900-01-01'' + i * interval ''1 year'', i, tiny(''true'')) FROM generate_series(1, 90) AS i');
SELECT try('SELECT rnn_train_history(rnn_history(shop, day - date ''2020-01-01'', visitors), tiny(''true'')) FROM shops');
SELECT what, try(format('SELECT rnn_train(day, visitors, tiny(%L, %L)) FROM shops WHERE shop = 1', calendar, more)) FROM (VALUES
	('a number', '1', '{}'), ('a word', '"yes"', '{}'), ('a list', '["hour"]', '{}'), ('the prior', 'true', '{"start": "prior"}'), ('the prior, tuned', 'true', '{"start": "tune"}')) AS t (what, calendar, more);
DROP TABLE shops, opening, steps, told, judged, growing;
DROP FUNCTION tiny(text, jsonb), judged(jsonb);
RESET timezone;
RESET client_min_messages;
\t
\pset format aligned
