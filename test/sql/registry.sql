-- Named models: training by name, versions, and what decides between them.
CREATE TABLE shop_days (shop text, day date, amount float8, PRIMARY KEY (shop, day));
INSERT INTO shop_days
SELECT chr(64 + k), date '2024-01-01' + n, 100 * k + 20 * sin(2 * pi() * n / 7) + 5 * noise(n + 1000 * k)
FROM generate_series(1, 3) AS k, generate_series(0, 151) AS n;

SELECT rnn_fit('shops', 'SELECT shop AS series, day AS ts, amount AS value FROM shop_days', 7, mix());
SELECT name, owner = current_user AS mine, version, last_ts, points, mase < 1 AS measured, mase = mix_mase AS mix,
	   coverage BETWEEN 0.5 AND 1 AS covered, bytes = length(rnn_model('shops')) AS bytes, query, options, schedule
FROM rnn_models \gx
SELECT version, live, keep, source, promoted >= created AS promoted, last_ts, points, live_mase FROM rnn_versions;
SELECT id IS NOT NULL AS id, name, kind, finished >= started AND duration = finished - started AS done, pid = pg_backend_pid() AS pid,
	   outcome, version, points, (SELECT array_agg(k) FROM jsonb_object_keys(series) AS k) AS series, message FROM rnn_runs;
-- The errors on the last windows, in units and in percent, are those of rnn_accuracy.  Intervals differ a
-- little: what rnn_observe is given corrects them, and those of the measure are as they were calibrated.
SELECT abs(a.mae / m.mae - 1) < 1e-9 AS mae, abs(a.wape / m.wape - 1) < 1e-9 AS wape, abs(a.coverage - m.coverage) < 0.05 AS coverage, a.n
FROM rnn_models AS m, (SELECT (rnn_accuracy(s.amount, f.forecast, f.lower, f.upper)).*
	FROM (SELECT rnn_train(shop, day, amount, mix() || '{"horizon": 7}') AS model FROM shop_days WHERE day < '2024-05-11') AS t,
		 (SELECT o, (SELECT rnn_history(shop, day, amount) FROM shop_days WHERE day < o) AS history FROM generate_series(date '2024-05-11', '2024-05-31', '7 days') AS o) AS h,
		 rnn_forecast(rnn_observe(model, history), 7) AS f, shop_days AS s WHERE (s.shop, s.day) = (f.series, f.local_ts)) AS a;
-- The same forecast as by hand: trained on all but the last windows, then given all rows.
SELECT count(*), bool_and(a.forecast = b.forecast AND a.quantiles = b.quantiles AND a.ts = b.ts AND a.series = b.series) AS same
FROM rnn_forecast_model('shops', 5, 0.8, series => '{A,C}', history => 2) AS a
	 JOIN rnn_forecast(rnn_model('shops'), 5, 0.8, series => '{A,C}', history => 2) AS b USING (series, step)
WHERE step > 0;
SELECT count(*), bool_and(a.forecast = b.forecast) AS same
FROM (SELECT rnn_train(shop, day, amount, mix() || '{"horizon": 7}') AS m FROM shop_days WHERE day < '2024-05-11') AS t,
	 (SELECT rnn_history(shop, day, amount) AS h FROM shop_days) AS u,
	 rnn_forecast(rnn_observe(t.m, u.h)) AS a JOIN rnn_forecast_model('shops') AS b USING (series, step);

-- Nothing new: nothing to do.
CALL rnn_refit('shops');
-- Fresh rows: the query again, nothing trained.
CREATE VIEW growing AS SELECT day, sum(amount) AS amount FROM shop_days GROUP BY day;
SELECT rnn_fit('growing', 'TABLE growing', 7, mix() || '{"retain": 2}');
INSERT INTO shop_days
SELECT chr(64 + k), date '2024-01-01' + n, 100 * k + 20 * sin(2 * pi() * n / 7) + 5 * noise(n + 1000 * k)
FROM generate_series(1, 3) AS k, generate_series(152, 158) AS n;
SELECT min(local_ts) AS stored FROM rnn_forecast_model('growing', 3);
SELECT min(local_ts) AS fresh FROM rnn_forecast_model('growing', 3, options => '{"fresh": true}');
CALL rnn_refit('growing');
SELECT min(local_ts) AS stored FROM rnn_forecast_model('growing', 3);
-- A bad batch is not believed: the live version stays.
UPDATE shop_days SET amount = amount * 100 WHERE day >= '2024-06-06';
SET client_min_messages = error;
CALL rnn_refit('growing');
RESET client_min_messages;
SELECT version, live, mase > 10 AS bad, live_mase > 10 AS live_bad, mix_mase > 10 AS mix_bad FROM rnn_versions WHERE name = 'growing' ORDER BY version;
SELECT outcome, version, message ~ 'unlike those before' AS why FROM rnn_runs WHERE name = 'growing' ORDER BY id;
UPDATE shop_days SET amount = amount / 100 WHERE day >= '2024-06-06';
-- Corrected: promoted. Old versions go: two are retained, and that to go back to.
CALL rnn_refit('growing');
SELECT version, live FROM rnn_versions WHERE name = 'growing' ORDER BY version;
SELECT rnn_rollback('growing');
SELECT version FROM rnn_models WHERE name = 'growing';
SELECT try($$SELECT rnn_rollback('growing')$$);
SELECT rnn_promote('growing', 4);
SELECT rnn_keep('growing', 2);
SELECT version, live, keep FROM rnn_versions WHERE name = 'growing' ORDER BY version;
-- Gates: a new version that errs more than the live one, where the training is spoilt, is refused.
SELECT rnn_alter('growing', options => '{"network": true, "start": "scratch", "skip": false, "steps": 1, "hidden": 2, "patch": 1, "context": 8}');
INSERT INTO shop_days SELECT 'A', '2024-06-08', 600;
SET client_min_messages = error;
CALL rnn_refit('growing');
RESET client_min_messages;
SELECT outcome, version, mase > live_mase AS worse, message FROM rnn_runs WHERE name = 'growing' AND outcome = 'refused' AND message ~ 'error on the last windows is' \gset
SELECT max(last_ts)::date AS "rows of the live version", rnn_info(rnn_model('growing'))->>'last' AS last FROM rnn_models WHERE name = 'growing';
SELECT :'outcome' AS outcome, :'worse' AS worse, :'message' ~ 'for the live one and .* for the mix' AS why;
-- By another rule it is judged anew, though the rows are the same.
SELECT rnn_alter('growing', options => '{"gate": 1000}');
CALL rnn_refit('growing');
CALL rnn_refit('growing');
-- Nothing held out: nothing measured, nothing refused.
SELECT rnn_fit('unmeasured', 'SELECT month, value FROM monthly WHERE n <= 100', 6, mix() || '{"windows": 0}');
SELECT mase, mix_mase, mae, wape FROM rnn_models WHERE name = 'unmeasured';
-- The horizon that auto chooses; an ordered column; steps.
SELECT rnn_fit('auto', 'SELECT month, value FROM monthly');
SELECT count(*), max(local_ts)::date FROM rnn_forecast_model('auto');
SELECT rnn_fit('column', 'SELECT value FROM monthly ORDER BY n', 6, mix());
SELECT min(position), last_ts FROM rnn_forecast_model('column'), rnn_models WHERE name = 'column' GROUP BY last_ts;
-- The settings of the query are those of the day on which it was stored.
SET TimeZone = 'Europe/Berlin';
SET search_path = pg_catalog;
SELECT public.rnn_fit('zoned', 'SELECT ts::date, sum(value) FROM public.hourly GROUP BY 1', 7, public.mix());
RESET TimeZone;
RESET search_path;
SELECT settings FROM _rnn_registry WHERE name = 'zoned';
CALL rnn_refit('zoned');
-- From staging: bytes get a name, with a query or without.
SELECT rnn_register('given', rnn_train(month, value, mix())) FROM monthly;
SELECT version, source, points, mase FROM rnn_versions WHERE name = 'given';
SELECT try($$SELECT rnn_forecast_model('given', options => '{"fresh": true}')$$);
SELECT rnn_register('given', rnn_train(month, value, mix() || '{"horizon": 3}'), 'SELECT month, value FROM monthly') FROM monthly;
CALL rnn_refit('given');
SELECT version, live, source FROM rnn_versions WHERE name = 'given' ORDER BY version;
-- Other columns of the query are covariates, known ahead in rows without a value.
CREATE TABLE promoted AS
SELECT date '2024-01-01' + n AS day, CASE WHEN n < 280 THEN 50 + 20 * (n % 5 = 0)::int + noise(n) END AS amount, (n % 5 = 0)::int AS promo
FROM generate_series(0, 286) AS n;
SELECT rnn_fit('promoted', 'SELECT day AS ts, amount AS value, promo FROM promoted', 7, small() || '{"horizon": 7, "seasons": [7]}');
SELECT count(*) AS rows, min(local_ts)::date AS first, bool_and(forecast BETWEEN 20 AND 100) AS sane FROM rnn_forecast_model('promoted');
UPDATE promoted SET amount = 50 + 20 * promo WHERE day = '2024-10-07';
INSERT INTO promoted SELECT max(day) + 1, NULL, 0 FROM promoted;
SELECT count(*) AS rows, min(local_ts)::date AS first FROM rnn_forecast_model('promoted', options => '{"fresh": true}');
SELECT rnn_alter('promoted', options => '{"gate": 1}');
CALL rnn_refit('promoted');
SELECT mase > 0 AND live_mase > 0 AND mix_mase > 0 AS scored, last_ts::date FROM rnn_versions WHERE name = 'promoted' AND live;
SELECT rnn_drop('promoted');
DROP TABLE promoted;
-- Series are forgotten in all versions and runs.
SELECT rnn_forget_model('shops', '{B,Z}');
SELECT array_agg(name) FROM rnn_series(rnn_model('shops'));
SELECT array_agg(k) FROM rnn_runs, jsonb_object_keys(series) AS k WHERE name = 'shops';
-- All at once; one that fails doesn't end the others, but is told at the end.
SELECT rnn_drop(name) FROM rnn_models WHERE name IN ('auto', 'column', 'zoned', 'unmeasured', 'shops');
INSERT INTO shop_days SELECT 'A', '2024-06-10', 600;
CREATE VIEW nowhere AS SELECT month, value FROM monthly;
SELECT rnn_alter('given', 'TABLE nowhere');
DROP VIEW nowhere;
CALL rnn_refit_all();
SELECT name, outcome, message FROM rnn_runs WHERE id IN (SELECT max(id) FROM rnn_runs GROUP BY name) ORDER BY name;
SELECT count(*) FROM rnn_forecast_model('given');
SELECT rnn_drop('given');
-- Without pg_cron; what runs now.
SELECT try($$SELECT rnn_schedule('growing', '0 3 * * *')$$) ~ 'pg_cron is not installed in database .*0 3 \* \* \* psql ' AS "no pg_cron";
SELECT rnn_unschedule('growing');
SET client_min_messages = warning;
SELECT count(*) AS running FROM rnn_progress;
RESET client_min_messages;
SET TimeZone = 'UTC';
SELECT schedule, next > now() AS later, to_char(next, 'MM-DD Dy HH24:MI') ~ fits AS fits
FROM (VALUES ('0 3 * * *', ' 03:00$'), ('*/7 2-4 * * mon,5', '(Mon|Fri) 0[234]:(00|07|14|21|28|35|42|49|56)$'),
	  ('0 0 29 2 *', '^02-29 ... 00:00$'), ('0 0 31 2 *', ''), ('@daily', '00:00$'), ('59 23 1 1 0', '^01-(01 ...|.. Sun) 23:59$'),
	  ('5 seconds', ''), ('0 24 * * *', ''), ('* * * *', ''), ('* * * * * *', ''), ('5-1 * * * *', ''), ('*/0 * * * *', '')) AS s (schedule, fits),
	 _rnn_next_run(schedule) AS next;
RESET TimeZone;
-- What is refused.
SELECT try($$SELECT rnn_fit(NULL, 'SELECT 1')$$);
SELECT try($$SELECT rnn_fit('', 'SELECT 1.0')$$);
SELECT try($$SELECT rnn_fit('x', NULL)$$);
SELECT try($$SELECT rnn_fit('growing', 'SELECT month, value FROM monthly')$$);
SELECT try($$SELECT rnn_fit('x', 'SELECT month, value FROM monthly WHERE false')$$);
SELECT try($$SELECT rnn_fit('x', 'SELECT month, value FROM monthly', 0)$$);
SELECT try($$SELECT rnn_fit('x', 'SELECT month, value FROM monthly', 6, '{"windows": 2.5}')$$);
SELECT try($$SELECT rnn_fit('x', 'SELECT month, value FROM monthly', 6, '{"retain": 0}')$$);
SELECT regexp_replace(try($$SELECT rnn_fit('x', 'SELECT month, value FROM monthly', 6, '{"brake": 1}')$$), ' \| .* \|', ' |') AS try;
SELECT try($$SELECT rnn_train(month, value, '{"gate": 1}') FROM monthly$$);
SELECT try($$SELECT rnn_fit('x', 'SELECT month, value FROM monthly', 6, '[]')$$);
SELECT try($$SELECT rnn_forecast_model('x')$$);
SELECT try($$SELECT rnn_forecast_model(NULL)$$);
SELECT try($$SELECT rnn_forecast_model('growing', options => '{"fresh": 1}')$$);
SELECT try($$SELECT rnn_forecast_model('growing', options => '{"stale": true}')$$);
SELECT try($$SELECT rnn_model('growing', 99)$$);
SELECT try($$SELECT rnn_promote('growing', 99)$$);
SELECT try($$SELECT rnn_forget_model('growing', '{NULL}')$$);
SELECT try($$SELECT rnn_register('x', NULL)$$);
SELECT rnn_model(NULL) IS NULL AS "no name", rnn_promote(NULL, 1) IS NULL;
BEGIN;
CALL rnn_refit('growing');
ROLLBACK;
CALL rnn_refit(NULL);
-- How rows become series is said once, for fresh rows too.
CREATE TABLE jobs AS SELECT timestamp '2024-01-01' + n * interval '30 minutes' + noise(n) * interval '3 minutes' AS ts, n % 48 + noise(n) AS value FROM generate_series(1, 600) AS n;
SELECT rnn_fit('jobs', 'TABLE jobs', 12, mix() || '{"bin": "mean", "step": "30 minutes", "gaps": "previous"}');
INSERT INTO jobs SELECT timestamp '2024-01-01' + n * interval '30 minutes' + noise(n) * interval '3 minutes', n % 48 FROM generate_series(601, 640) AS n;
CALL rnn_refit('jobs');
SELECT version, i->>'step' AS step, i->>'bin' AS bin, i #>> '{options,gaps}' AS gaps, i->>'last' AS last FROM rnn_models, LATERAL (SELECT rnn_info(rnn_model(name)) AS i) AS i WHERE name = 'jobs';
SELECT min(local_ts) AS fresh FROM rnn_forecast_model('jobs', 3, options => '{"fresh": true}');
SELECT rnn_drop('jobs');
DROP TABLE jobs;
SELECT rnn_drop('growing');
DROP VIEW growing;
DROP TABLE shop_days;
-- Another query, options, horizon, owner, name: versions, runs and grants stay.
SELECT rnn_fit('plain', 'SELECT month, value FROM monthly', 6, mix() || '{"retain": 3, "steps": 50}');
SELECT rnn_grant('plain', 'public');
SELECT rnn_alter('plain', 'SELECT month, 2 * value FROM monthly', 3, '{"retain": null, "steps": null, "break": 0}', new_name => 'double');
SELECT name, version, query, options FROM rnn_models;
SELECT count(*), round(max(forecast)) FROM rnn_forecast_model('double');
CALL rnn_refit('double');
SELECT count(*), round(max(forecast)) FROM rnn_forecast_model('double');
SELECT array_agg(version ORDER BY version) AS versions, (SELECT count(*) FROM rnn_runs WHERE name = 'double') AS runs,
	   (SELECT count(*) FROM _rnn_registry_grant) AS grants FROM rnn_versions WHERE name = 'double';
-- Replaced: trained from nothing, and live without being compared; what was there can be gone back to.
SELECT rnn_fit('double', 'SELECT k::text AS series, ts, value FROM hourly, generate_series(1, 2) AS k', 24, mix() || '{"gate": 1}', replace => true);
SELECT name, version, options, points, (SELECT count(*) FROM _rnn_registry_grant) AS grants FROM rnn_models;
SELECT rnn_rollback('double'), count(*) FROM rnn_runs WHERE name = 'double';
SELECT rnn_fit('new', 'SELECT month, value FROM monthly', 6, mix(), replace => true);
-- What can't be changed.
SELECT try($$SELECT rnn_alter('nobody', new_name => 'x')$$);
SELECT try($$SELECT rnn_alter(NULL, new_name => 'x')$$);
SELECT try($$SELECT rnn_alter('double')$$);
SELECT try($$SELECT rnn_alter('double', new_name => 'new')$$);
SELECT try($$SELECT rnn_alter('double', new_name => '')$$);
SELECT try($$SELECT rnn_alter('double', 'SELECT nonsense')$$);
SELECT try($$SELECT rnn_alter('double', 'SELECT 1 AS ts, 2 AS value')$$);
SELECT try($$SELECT rnn_alter('double', horizon => 0)$$);
SELECT try($$SELECT rnn_alter('double', options => '{"gate": -1}')$$);
SELECT try($$SELECT rnn_alter('double', options => '[]')$$);
SELECT try($$SELECT rnn_alter('double', owner => 'regress_rnn_nobody')$$);
-- Who may: the owner, who gives it only to roles that he can be.
CREATE ROLE regress_rnn_a;
CREATE ROLE regress_rnn_b;
CREATE ROLE regress_rnn_c IN ROLE regress_rnn_b;
GRANT SELECT ON monthly TO regress_rnn_a, regress_rnn_b;
SELECT rnn_alter('new', owner => 'regress_rnn_c');
SET ROLE regress_rnn_a;
SELECT try($$SELECT rnn_alter('new', new_name => 'x')$$);
SELECT try($$SELECT rnn_alter('double', horizon => 3)$$);
SET ROLE regress_rnn_c;
SELECT left(try($$SELECT rnn_alter('new', owner => 'regress_rnn_a')$$), 5) AS "not his role";
SELECT rnn_alter('new', owner => 'regress_rnn_b');
SELECT name, owner, _rnn_role_is(owner, '0:0') AS mine FROM rnn_models WHERE name = 'new';
SET ROLE regress_rnn_b;
SELECT rnn_alter('new', horizon => 3);
SET ROLE regress_rnn_a;
SELECT try($$SELECT rnn_fit('new', 'SELECT month, value FROM monthly', replace => true)$$);
RESET ROLE;
-- Bytes that cannot be read spoil their own row of the view alone.
BEGIN;
UPDATE _rnn_registry_version AS v SET bytes = set_byte(bytes, 100, (get_byte(bytes, 100) + 1) % 256)
FROM _rnn_registry AS r WHERE r.id = v.model AND r.name <> 'double';
SELECT name, version IS NOT NULL AS live, kind, series, bytes > 0 AS size FROM rnn_models ORDER BY name COLLATE "C";
ROLLBACK;
SELECT count(*) FILTER (WHERE kind = 'unreadable') AS unreadable FROM rnn_models;
-- A season that repeats itself but for rounding is no measure of errors; with one that does not, they are measured.
CREATE TABLE sine AS SELECT date '2024-01-01' + n AS ts, 100 + 20 * sin(n * 2 * pi() / 7) AS value FROM generate_series(0, 200) AS n;
SELECT rnn_fit('sine', 'SELECT * FROM sine', 7, '{"start": "prior"}');
SELECT mase, mix_mase FROM rnn_models WHERE name = 'sine';
SELECT rnn_summary(rnn_model('sine')) ~ 'The same day of the week before was exact\. The' AS exact;
SELECT bool_and(scale = 0) AS no_scale, (rnn_accuracy(b)).mase, (rnn_accuracy(b)).skill FROM rnn_backtest('SELECT * FROM sine', 7, 3) AS b;
INSERT INTO sine SELECT date '2024-01-01' + n, 100 + 20 * sin(n * 2 * pi() / 7) + noise(n) FROM generate_series(201, 270) AS n;
CALL rnn_refit('sine');
SELECT mase < 5 AS measured FROM rnn_models WHERE name = 'sine';
DROP TABLE sine;
SELECT rnn_drop(name) FROM rnn_models;
REVOKE ALL ON monthly FROM regress_rnn_a, regress_rnn_b;
DROP ROLE regress_rnn_a, regress_rnn_b, regress_rnn_c;
-- What policies and views are made of.
CREATE ROLE regress_rnn_a;
CREATE ROLE regress_rnn_b;
SET ROLE regress_rnn_a;
SELECT _rnn_role_is('regress_rnn_a', '0:0') AS own, _rnn_role_is('regress_rnn_b', '0:0') AS other, _rnn_role_is('regress_rnn_c', '0:0') AS none;
RESET ROLE;
DROP ROLE regress_rnn_a, regress_rnn_b;
-- Before PostgreSQL 17 a notice says that the library must be preloaded.
SET client_min_messages = warning;
SELECT count(*) FROM _rnn_progress_rows();
RESET client_min_messages;
SELECT count(*) > 0 AS options, count(*) = (SELECT count(*) FROM rnn_options) AS same FROM _rnn_option_rows();
