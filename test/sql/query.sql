-- One call from a query to its forecast.
SELECT step, local_ts::date AS month, round(forecast / 20) * 20 AS forecast
FROM rnn_forecast_query('SELECT month, value FROM monthly', 3);
-- The same as the long way.
SELECT count(*), bool_and(a.forecast = b.forecast AND a.ts = b.ts AND a.quantiles = b.quantiles) AS same
FROM rnn_forecast_query('SELECT month, value FROM monthly ORDER BY random();', 18, 0.8) AS a
	 JOIN (SELECT rnn_train(month, value, '{"start": "prior", "horizon": 18}') AS m FROM monthly) AS t ON true,
	 rnn_forecast(t.m, 18, 0.8) AS b WHERE a.step = b.step;
SELECT count(*), bool_and(a.forecast = b.forecast) AS "by a model"
FROM (SELECT rnn_train(month, value, mix() || '{"horizon": 6}') AS m FROM monthly) AS t,
	 rnn_forecast_query('SELECT month, value FROM monthly -- and a comment', model => m) AS a, rnn_forecast(m) AS b WHERE a.step = b.step;
SELECT count(*), bool_and(a.forecast = b.forecast) AS "with options"
FROM rnn_forecast_query('SELECT month, value FROM monthly', 4, options => mix()) AS a
	 JOIN (SELECT rnn_train(month, value, mix() || '{"horizon": 4}') AS m FROM monthly) AS t ON true,
	 rnn_forecast(t.m, 4) AS b WHERE a.step = b.step;
-- Columns: values alone in the order of the rows, and series.
SELECT position, round(forecast) AS forecast FROM rnn_forecast_query('SELECT n FROM generate_series(50, 1, -1) AS n ORDER BY n', 2);
SELECT series, step, local_ts FROM rnn_forecast_query(
	$$WITH w AS (SELECT chr(96 + k) AS k, timestamp '2024-01-01' + n * interval '1 hour', sin(n) + k
				 FROM generate_series(1, 3) AS k, generate_series(1, 60) AS n) SELECT * FROM w$$, 2, series => '{a,c}');
SELECT step, actual IS NOT NULL AS known FROM rnn_forecast_query('SELECT month, value FROM monthly', 1, history => 2);
SELECT max(local_ts)::date AS until FROM rnn_forecast_query('SELECT month, value FROM monthly', until => '2021-01-01');
SELECT count(*) AS "no query" FROM rnn_forecast_query(NULL, 3);
SELECT count(*) AS "no rows" FROM rnn_forecast_query('SELECT month, value FROM monthly WHERE false', 3);
PREPARE q AS SELECT count(*) FROM rnn_forecast_query($1, $2);
EXECUTE q('SELECT month, value FROM monthly', 5);
-- Columns by their names, in any order; a name decides against the order.
CREATE TABLE named AS SELECT chr(64 + k) AS series, date '2024-01-01' + n AS ts, n % 7 + k AS value, n AS step
FROM generate_series(1, 2) AS k, generate_series(1, 60) AS n;
SELECT query, count(*), min(series) AS series, min(local_ts)::date AS first, min(position) AS position
FROM (VALUES ($$SELECT value, ts FROM named WHERE series = 'A'$$), ('SELECT value, series, ts FROM named'),
	('SELECT ts, value, series FROM named ORDER BY random()'), ('SELECT value, step, series FROM named'),
	('SELECT series, ts AS day, value AS amount FROM named')) AS q (query), LATERAL rnn_forecast_query(query, 2)
GROUP BY query ORDER BY query;
SELECT query, try(format('SELECT count(*) FROM rnn_forecast_query(%L, 3)', query))
FROM (VALUES ('TABLE named'), ('SELECT ts, value, ts FROM named'), ('SELECT value, ts AS day FROM named'), ('SELECT value, 1 AS n, ts FROM named'),
	('SELECT series, value, step FROM named'), ('SELECT ts, series FROM named'), ('SELECT ts, value AS amount, step FROM named'),
	('SELECT step, value FROM named'), ('SELECT ts AS value, value AS ts FROM named'), ('SELECT now(), ''a''')) AS q (query);
-- The statement for the rows, and that nothing else is called.
SELECT _rnn_query_call('SELECT value, ts FROM named -- all;', 'rnn_train', '$1');
SELECT _rnn_query_call('SELECT value FROM named ORDER BY step;', 'rnn_history');
SELECT try($$SELECT _rnn_query_call('SELECT value FROM named', 'array_agg')$$);
SELECT _rnn_query_call(NULL, 'rnn_train') IS NULL AS nothing;
-- In a schema of its own, whatever the caller's path.
SELECT n.nspname AS schema FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = pronamespace WHERE proname = 'rnn_forecast_query' \gset
SET search_path = pg_catalog;
SELECT count(*) FROM :"schema".rnn_forecast_query('SELECT month, value FROM public.monthly', 2);
RESET search_path;
-- What is not a query of rows to forecast.
SELECT try($$SELECT * FROM rnn_forecast_query('')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT 1; SELECT 2')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT 1) AS q; DROP TABLE monthly; SELECT (2')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('DELETE FROM monthly')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('DELETE FROM monthly RETURNING month, value')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('WITH d AS (DELETE FROM monthly RETURNING month, value) TABLE d')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT month, value FROM monthly FOR UPDATE')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT 1, 2, 3, 4')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT FROM monthly')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT value, month FROM monthly')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT * FROM nowhere')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT month, value FROM monthly', 0)$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT month, value FROM monthly', 3, options => '[]')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT month, value FROM monthly', 3, options => '{"speed": 1}')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT month, value FROM monthly', 3, options => '{}', model => rnn_prior())$$);
SELECT count(*) > 0 AS "still there" FROM monthly;
