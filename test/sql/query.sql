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
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT 1, 2, 3, 4')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT FROM monthly')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT value, month FROM monthly')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT * FROM nowhere')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT month, value FROM monthly', 0)$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT month, value FROM monthly', 3, options => '[]')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT month, value FROM monthly', 3, options => '{"speed": 1}')$$);
SELECT try($$SELECT * FROM rnn_forecast_query('SELECT month, value FROM monthly', 3, options => '{}', model => rnn_prior())$$);
SELECT count(*) > 0 AS "still there" FROM monthly;
