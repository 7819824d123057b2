-- Every function, called with parameters: what test/drivers/check.py sends
-- through each driver, and compares with what psql gets from literals.
--
-- Before each call: a name, its parameters as "type value" ("@name" is the
-- model of that name), and the types of its columns.  $1, $2 ... stand once each,
-- in this order.  A call with the column "error" must fail as psql's does.

-- train ordered: jsonb {"network": false} -> bytea
SELECT rnn_train(amount, $1 ORDER BY day) FROM sales WHERE shop = 'A';
-- train days: jsonb {"network": false, "horizon": 5} -> bytea
SELECT rnn_train(day, amount, $1) FROM sales WHERE shop = 'A';
-- train moments: jsonb {"start": "prior"} -> bytea
SELECT rnn_train(moment, amount, $1) FROM sales WHERE shop = 'A';
-- train shops: jsonb {"network": false} -> bytea
SELECT rnn_train(shop, day, amount, $1) FROM sales;
-- train steps: jsonb {"network": false} -> bytea
SELECT rnn_train(shop, n, amount, $1) FROM sales;
-- train covariates: jsonb {"network": false} -> bytea
SELECT rnn_train(day, amount, jsonb_build_object('load', mod(n, 5)), $1) FROM sales WHERE shop = 'A';
-- train covariates of shops: text load; jsonb {"network": false} -> bytea
SELECT rnn_train(shop, day, amount, jsonb_build_object($1::text, mod(n, 5)), $2) FROM sales;
-- train covariates by steps: jsonb {"load": 1}; jsonb {"network": false} -> bytea
SELECT rnn_train(shop, n, amount, $1, $2) FROM sales;
-- train options NULL: jsonb NULL -> bool
SELECT rnn_train(day, amount, $1) IS NOT NULL FROM sales WHERE shop = 'A' AND day < '2024-02-01';
-- history: date 2024-03-01 -> bytea
SELECT rnn_history(day, amount) FROM sales WHERE shop = 'A' AND day < $1;
-- history shops: jsonb {"on_error": "skip"} -> bytea
SELECT rnn_history(shop, day, amount, $1) FROM sales;
-- history covariates: jsonb {"on_error": "skip"} -> bytea
SELECT rnn_history(shop, day, amount, jsonb_build_object('load', mod(n, 5)), $1) FROM sales;
-- merge: bytea @history; jsonb {"duplicates": "mean"} -> bytea
SELECT rnn_merge($1, $2);
-- observe: bytea @days; bytea @history -> bytea
SELECT rnn_observe($1, $2);
-- train history: bytea @history; jsonb {"network": false}; bytea NULL -> bytea
SELECT rnn_train_history($1, $2, $3);
-- train on: bytea @history; jsonb {"steps": 3}; bytea @network -> bytea
SELECT rnn_train_history($1, $2, $3);
-- forget: bytea @shops; text[] {A} -> bytea
SELECT rnn_forget($1, $2);
-- forecast: bytea @days -> int timestamp float8 float8 float8 float8[] float8
SELECT step, local_ts, forecast, lower, upper, quantiles, mean FROM rnn_forecast($1);
-- forecast horizon: bytea @days; bigint 3; float8 0.8 -> int float8 float8 float8
SELECT step, forecast, lower, upper FROM rnn_forecast($1, $2, $3);
-- forecast named: bytea @shops; bigint 2; text[] {B}; bigint 2 -> text int timestamp float8 float8
SELECT series, step, local_ts, actual, forecast FROM rnn_forecast($1, horizon => $2, series => $3, history => $4);
-- forecast until: bytea @moments; timestamptz 2024-01-06 04:00:00+00:00 -> int timestamptz timestamp float8
SELECT step, ts, local_ts, forecast FROM rnn_forecast($1, until => $2);
-- forecast all: bytea @days; bigint NULL; float8 0.9; timestamptz NULL; text[] NULL; bigint 0; jsonb NULL -> int float8
SELECT step, forecast FROM rnn_forecast($1, $2, $3, $4, $5, $6, $7);
-- forecast query: text SELECT day, amount FROM sales WHERE shop = 'A'; bigint 4; bigint 1 -> int float8 float8
SELECT step, actual, forecast FROM rnn_forecast_query($1, $2, history => $3);
-- forecast query model: text SELECT day, amount FROM sales WHERE shop = 'B'; bytea @days -> int float8
SELECT step, forecast FROM rnn_forecast_query($1, model => $2);
-- forecast query options: text SELECT day, amount FROM sales WHERE shop = 'B'; jsonb {"network": false} -> int float8
SELECT step, forecast FROM rnn_forecast_query($1, 3, options => $2);
-- simulate: bytea @shops; bigint 2; int 3; bigint 5 -> text int int timestamp float8
SELECT series, path, step, local_ts, value FROM rnn_simulate($1, $2, $3, $4);
-- total: bytea @shops; bigint 3; float8 0.8; jsonb {"all": ""} -> text int int float8 float8 float8 float8[] float8
SELECT series, members, steps, forecast, lower, upper, quantiles, mean FROM rnn_forecast_total($1, $2, $3, groups => $4);
-- chance of paths: bytea @shops; bigint 3; float8 10; float8 2; bool true -> text int int float8
SELECT series, members, steps, chance FROM rnn_chance($1, $2, $3, $4, $5);
-- reconcile: bytea @shops; bigint 2; float8 0.8; text bottom_up; text / -> text int int int timestamp float8 float8 float8 float8 text
SELECT series, depth, members, step, local_ts, mean, lower, upper, base, method FROM rnn_reconcile($1, $2, $3, $4, $5);
-- levels: -> float8[]
SELECT rnn_quantile_levels();
-- chance: float8[] {1,2,3,4,5,6,7,8,9,10,11,12,13,14,15}; float8 7.5 -> float8
SELECT rnn_chance_above($1, $2);
-- accuracy: float8 1; float8 2 -> bigint float8 float8
SELECT n, mae, wape FROM (SELECT (rnn_accuracy($1, $2)).*) AS a;
-- accuracy by names: float8 1.5 -> float8 float8
SELECT mae, skill FROM (SELECT (rnn_accuracy(r)).* FROM (SELECT amount AS actual, 100 AS forecast, amount + $1 AS naive FROM sales WHERE shop = 'A') AS r) AS a;
-- backtest: text SELECT day AS ts, amount AS value FROM sales WHERE shop = 'A'; bigint 3; int 2; jsonb {"gap": 1} -> timestamp int float8 float8 float8[] float8
SELECT cutoff, step, actual, forecast, quantiles, mean FROM rnn_backtest($1, $2, $3, $4);
-- naive: bytea @days; bigint 3; bigint 7 -> int timestamp float8 float8 float8
SELECT step, local_ts, naive, seasonal, drift FROM rnn_naive($1, $2, $3);
-- explain: bytea @days; bigint 2; bigint 3 -> int timestamp float8 float8 float8 float8
SELECT step, local_ts, forecast, level, season_1, network FROM rnn_explain($1, $2, history => $3);
-- importance: bytea @days; int 2 -> text float8 text
SELECT covariate, share, direction FROM rnn_importance($1, $2);
-- references: bytea @days -> text float8 float8
SELECT reference, weight, error FROM rnn_references($1);
-- anomalies: text SELECT shop AS series, moment AS ts, amount AS value FROM sales; float8 0.99; jsonb {"last": 3} -> text timestamp float8 bool
SELECT series, local_ts, expected, is_anomaly FROM rnn_anomalies($1, $2, $3);
-- plot: text SELECT day AS ts, amount AS value FROM sales; text Sales; text euros -> bool
SELECT rnn_plot($1, $2, $3) LIKE '<svg %';
-- plot rows: text Sales; text euros -> bool
SELECT rnn_plot(r, $1, $2) LIKE '<svg %' FROM (SELECT day AS ts, amount AS value FROM sales) AS r;
-- chart: text SELECT day AS ts, amount AS value FROM sales WHERE shop = 'A'; int 40; int 8 -> text
SELECT chart FROM rnn_chart($1, $2, $3);
-- summary: bytea @days -> text
SELECT rnn_summary($1);
-- estimate: text SELECT day, amount FROM sales WHERE shop = 'A'; bigint 7; jsonb {"start": "prior"} -> bigint int bigint text int
SELECT rows, series, points, trains, steps FROM rnn_estimate($1, $2, $3);
-- describe: bytea @days -> text text
SELECT item, value FROM rnn_describe($1);
-- key: text {"shop": "A", "item": 1} -> jsonb
SELECT rnn_key($1);
-- forecast query keys: text SELECT shop, day, amount FROM sales; jsonb {"keys": ["shop"]} -> text jsonb int float8
SELECT series, key, step, forecast FROM rnn_forecast_query($1, 2, options => $2);
-- info: bytea @shops -> text bigint
SELECT rnn_info($1)->>'kind', (rnn_info(rnn_prior())->'prior'->>'parameters')::bigint;
-- info as jsonb: bytea @days -> jsonb
SELECT rnn_info($1)->'options';
-- series: bytea @shops -> text timestamp timestamp bigint text
SELECT name, first, last, points, note FROM rnn_series($1);
-- training log: bytea @network -> int text int float8 float8
SELECT member, phase, step, loss, grad_norm FROM rnn_training_log($1);
-- gradient flow: bytea @network; int 1 -> int int float8
SELECT layer, lag, norm FROM rnn_gradient_flow($1, $2);
-- prior: -> bytea
SELECT rnn_prior();
-- version: -> text
SELECT rnn_version();
-- options: text horizon -> text text
SELECT name, type FROM rnn_options WHERE name = $1;
-- fill: bytea @history -> timestamp float8 bool
SELECT local_ts, value, filled FROM rnn_fill($1);
-- fit: text m; text SELECT day, amount FROM sales WHERE shop = 'A'; bigint 7; jsonb {"network": false} -> int
SELECT rnn_fit($1, $2, $3, $4);
-- fit again: text m; text SELECT day, amount FROM sales WHERE shop = 'A'; bigint 7; jsonb {"network": false}; bool true -> int
SELECT rnn_fit($1, $2, $3, $4, $5);
-- alter: text m; text SELECT day, amount FROM sales WHERE shop = 'A'; jsonb {"retain": 3} -> int
SELECT length(rnn_alter($1, query => $2, options => $3)::text);
-- register: text m; bytea @days -> int
SELECT rnn_register($1, $2);
-- keep: text m; int 2; bool true -> int
SELECT length(rnn_keep($1, $2, $3)::text);
-- promote: text m; int 1 -> int
SELECT length(rnn_promote($1, $2)::text);
-- promote again: text m; int 2 -> int
SELECT length(rnn_promote($1, $2)::text);
-- rollback: text m -> int
SELECT rnn_rollback($1);
-- model: text m -> bytea
SELECT rnn_model($1);
-- model version: text m; int 2 -> bytea
SELECT rnn_model($1, $2);
-- forecast model: text m; bigint 3; jsonb {"fresh": true} -> int timestamp float8
SELECT step, local_ts, forecast FROM rnn_forecast_model($1, $2, options => $3);
-- backtest model: text m; bigint 2; int 1 -> timestamp float8 float8
SELECT cutoff, naive, scale FROM rnn_backtest_model($1, $2, $3);
-- refit: text m -> text
CALL rnn_refit($1);
-- refit with outcome: text m; text NULL -> text
CALL rnn_refit($1, $2);
-- refit all: -> none
CALL rnn_refit_all();
-- grant: text m; text pg_monitor -> int
SELECT length(rnn_grant($1, $2)::text);
-- revoke: text m; text pg_monitor -> int
SELECT length(rnn_revoke($1, $2)::text);
-- models: text m -> text int bigint timestamp
SELECT name, version, points, last_ts FROM rnn_models WHERE name = $1;
-- schedule without pg_cron: text m; text 0 3 * * * -> error
SELECT rnn_schedule($1, $2);
-- unschedule: text m -> bool
SELECT rnn_unschedule($1);
-- forget model: text m; text[] {C} -> int
SELECT rnn_forget_model($1, $2);
-- drop: text m -> int
SELECT length(rnn_drop($1)::text);
