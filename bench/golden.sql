-- golden.sql: 50 trainings, each with the hash of its model's bytes and of its
-- forecast.  bench/golden runs it; see there.  It runs in examples/, where the
-- data are.
\set ON_ERROR_STOP on
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset fieldsep ' '
SET client_min_messages = warning;

CREATE TEMP TABLE air (ts date, value float8);
\copy air FROM 'air_passengers.csv' CSV HEADER
CREATE TEMP TABLE co2 (ts date, value float8);
\copy co2 FROM 'co2.csv' CSV HEADER
CREATE TEMP TABLE taxi (ts timestamp, value float8);
\copy taxi FROM 'taxi.csv' CSV HEADER

-- Series of whole numbers, made of nothing but arithmetic.
CREATE TEMP TABLE panel AS
SELECT 'shop ' || s AS series, date '2020-01-01' + t AS ts,
	(20 + 3 * s + (t % 7) * (s % 3 + 1) + (t * 7919 + s * 104729) % 13 + CASE WHEN t % 11 = 0 THEN 15 ELSE 0 END)::float8 AS value,
	jsonb_build_object('promotion', t % 11 = 0, 'kind', CASE s % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' ELSE 'c' END,
					   'price', (t * 31 + s) % 17) AS covariates
FROM generate_series(1, 12) AS s, generate_series(0, 399) AS t;
CREATE TEMP TABLE counts AS
SELECT 'part ' || s AS series, t AS step,
	CASE WHEN (t * 2654435761 + s * 40503) % 10 < 6 THEN 0 ELSE (t * 48271 + s) % 5 END::float8 AS value
FROM generate_series(1, 20) AS s, generate_series(1::bigint, 120) AS t;

CREATE TEMP TABLE histories AS
SELECT 'air' AS source, rnn_history(ts, value) AS history FROM air
UNION ALL SELECT 'co2', rnn_history(ts, value) FROM co2
UNION ALL SELECT 'taxi', rnn_history(ts, value) FROM taxi WHERE ts < '2014-09-01'
UNION ALL SELECT 'day', rnn_history(ts, value, NULL, '{"bin": "sum", "step": "1 day"}') FROM taxi
UNION ALL SELECT 'ordered', rnn_history(value ORDER BY ts) FROM air
UNION ALL SELECT 'panel', rnn_history(series, ts, value) FROM panel
UNION ALL SELECT 'shops', rnn_history(series, ts, CASE WHEN ts < '2021-01-21' THEN value END, covariates, NULL) FROM panel
UNION ALL SELECT 'counts', rnn_history(series, step, value) FROM counts;

CREATE TEMP TABLE plans (id int, source text, options jsonb);
INSERT INTO plans VALUES
	(1, 'air', '{}'),
	(2, 'air', '{"start": "prior"}'),
	(3, 'air', '{"network": false, "horizon": 24}'),
	(4, 'air', '{"start": "tune", "steps": 60, "horizon": 12}'),
	(5, 'air', '{"start": "scratch", "cell": "elman", "patch": 1, "skip": false, "horizon": 1, "steps": 80}'),
	(6, 'air', '{"start": "scratch", "cell": "gru", "steps": 60, "hidden": 16}'),
	(7, 'air', '{"start": "scratch", "cell": "lstm", "steps": 60, "hidden": 16, "layers": 3}'),
	(8, 'air', '{"start": "scratch", "cell": "elman", "activation": "relu", "steps": 60, "hidden": 17}'),
	(9, 'air', '{"transform": "log", "start": "prior"}'),
	(10, 'air', '{"transform": "box-cox", "start": "scratch", "steps": 40, "hidden": 16}'),
	(11, 'air', '{"transform": "asinh", "network": false}'),
	(12, 'air', '{"start": "scratch", "loss": "mse", "steps": 40, "hidden": 16}'),
	(13, 'air', '{"start": "scratch", "loss": "mae", "steps": 40, "hidden": 16}'),
	(14, 'air', '{"start": "scratch", "norm": false, "residual": false, "steps": 40, "hidden": 16}'),
	(15, 'air', '{"start": "scratch", "patch": 4, "conv_layers": 2, "conv_kernel": 3, "conv_dilation": 2, "steps": 40, "hidden": 16}'),
	(16, 'air', '{"start": "scratch", "bptt": 4, "context": 48, "patch": 4, "steps": 40, "hidden": 16}'),
	(17, 'air', '{"start": "scratch", "members": 3, "steps": 40, "hidden": 16}'),
	(18, 'air', '{"start": "scratch", "dropout": 0.2, "ema": 0, "clip": 0, "steps": 40, "hidden": 16}'),
	(19, 'air', '{"start": "scratch", "flips": "off", "seed": 7, "steps": 40, "hidden": 16}'),
	(20, 'air', '{"lower": 100, "upper": 700, "integer": true, "start": "prior"}'),
	(21, 'ordered', '{}'),
	(22, 'ordered', '{"seasons": [12], "start": "prior", "kappa": 4}'),
	(23, 'ordered', '{"start": "scratch", "skip": false, "steps": 60, "hidden": 16, "seasons": [1]}'),
	(24, 'co2', '{"start": "prior"}'),
	(25, 'co2', '{"steps": 40}'),
	(26, 'co2', '{"gaps": "interpolate", "network": false}'),
	(27, 'co2', '{"gaps": "previous", "start": "scratch", "steps": 40, "hidden": 16, "calendar": true}'),
	(28, 'co2', '{"start": "scratch", "steps": 40, "hidden": 32, "horizon": 52, "context": 208}'),
	(29, 'taxi', '{"start": "prior", "horizon": 48}'),
	(30, 'taxi', '{"steps": 40, "horizon": 48}'),
	(31, 'taxi', '{"start": "scratch", "steps": 30, "hidden": 48, "horizon": 48, "members": 2}'),
	(32, 'taxi', '{"start": "scratch", "cell": "lstm", "steps": 30, "hidden": 32, "horizon": 96, "calendar": true}'),
	(33, 'taxi', '{"network": false, "seasons": [48, 336], "horizon": 336}'),
	(34, 'taxi', '{"start": "tune", "steps": 30, "horizon": 48, "members": 2}'),
	(35, 'day', '{}'),
	(36, 'day', '{"start": "scratch", "steps": 40, "hidden": 16, "calendar": true, "horizon": 14}'),
	(37, 'panel', '{"steps": 60, "horizon": 14}'),
	(38, 'panel', '{"start": "prior", "horizon": 28}'),
	(39, 'panel', '{"start": "scratch", "steps": 60, "hidden": 24, "members": 2, "horizon": 7}'),
	(40, 'panel', '{"start": "tune", "steps": 60, "horizon": 14}'),
	(41, 'panel', '{"network": false}'),
	(42, 'panel', '{"start": "scratch", "skip": false, "steps": 60, "hidden": 24, "horizon": 7, "cell": "elman"}'),
	(43, 'shops', '{"steps": 60, "horizon": 14}'),
	(44, 'shops', '{"start": "scratch", "steps": 60, "hidden": 24, "horizon": 14, "cell": "lstm"}'),
	(45, 'shops', '{"start": "scratch", "steps": 60, "hidden": 24, "horizon": 14, "known_ahead": "none", "members": 2}'),
	(46, 'shops', '{"start": "scratch", "steps": 40, "hidden": 24, "horizon": 14, "bptt": 2, "context": 56, "patch": 7}'),
	(47, 'counts', '{}'),
	(48, 'counts', '{"start": "scratch", "steps": 60, "hidden": 16, "integer": true}'),
	(49, 'counts', '{"start": "prior", "horizon": 6}'),
	(50, 'counts', '{"network": false, "transform": "asinh"}');

CREATE TEMP TABLE models AS
SELECT id, source, rnn_train_history(history, options) AS model FROM plans JOIN histories USING (source);

SELECT m.id, m.source, 'model', md5(m.model), 'forecast', md5(string_agg(f::text, E'\n' ORDER BY f.series, f.step))
FROM models AS m CROSS JOIN rnn_forecast(m.model, CASE m.source WHEN 'shops' THEN 14 END) AS f
GROUP BY m.id, m.source, m.model ORDER BY m.id;
