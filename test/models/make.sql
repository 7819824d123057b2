-- Small models of each kind, of rows that are made here; 061_models.pl keeps them.
CREATE TABLE one AS
SELECT n, date '2024-01-01' + n AS day, round((50 + 12 * sin(n * 2 * pi() / 7) + 0.05 * n + 3 * sin(n * 7.3))::numeric, 2)::float8 AS value
FROM generate_series(0, 149) AS n;
CREATE TABLE shops AS
SELECT shop, n, timestamp '2025-03-01' + n * interval '1 hour' AS ts, round(exp(2 + ascii(shop) % 5 * 0.3
	+ 0.5 * sin(n * 2 * pi() / 24) + 0.2 * sin(n * 3.7 + ascii(shop)))::numeric, 3)::float8 AS value, n % 9 = 0 AS promotion
FROM generate_series(0, 119) AS n, unnest('{A,B,Ç}'::text[]) AS shop;

CREATE TABLE made AS
SELECT 'mix' AS name, rnn_train(day, value, '{"network": false, "horizon": 7}') AS model FROM one
UNION ALL SELECT 'prior', rnn_train(day, value, '{"start": "prior", "horizon": 7}') FROM one
UNION ALL SELECT 'elman', rnn_train(value, '{"start": "scratch", "cell": "elman", "hidden": 4, "steps": 20, "horizon": 7}' ORDER BY n) FROM one
UNION ALL SELECT 'gru', rnn_train(day, value, '{"start": "scratch", "cell": "gru", "hidden": 4, "steps": 20, "horizon": 7, "members": 2}') FROM one
UNION ALL SELECT 'lstm', rnn_train(day, value, '{"start": "scratch", "cell": "lstm", "hidden": 4, "layers": 2, "steps": 20, "horizon": 7,
	"transform": "log", "lower": 0}') FROM one
UNION ALL SELECT 'calendar', rnn_train(ts::timestamptz, value, '{"start": "scratch", "calendar": true, "hidden": 4, "steps": 20, "horizon": 6,
	"timezone": "Europe/Berlin"}') FROM shops WHERE shop = 'A'
UNION ALL SELECT 'panel', rnn_train(shop, ts, value, '{"start": "scratch", "hidden": 4, "steps": 20, "horizon": 6}') FROM shops
UNION ALL SELECT 'panel_prior', rnn_train(shop, ts, value, '{"start": "prior", "horizon": 6}') FROM shops
UNION ALL SELECT 'covariates', rnn_train(shop, ts, value, jsonb_build_object('promotion', promotion, 'kind', CASE WHEN n < 50 THEN 'old' ELSE 'new' END),
	'{"start": "scratch", "hidden": 4, "steps": 20, "horizon": 6}') FROM shops
UNION ALL SELECT 'history', rnn_history(shop, ts, value) FROM shops
UNION ALL SELECT 'tuned', rnn_train(day, value, '{"start": "tune", "steps": 5, "horizon": 7}') FROM one;
