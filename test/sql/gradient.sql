-- How far back the loss reaches: a tanh Elman's gradient vanishes, with large
-- weights it explodes, gates keep it, patches shorten its way.
CREATE FUNCTION base() RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT '{"start": "scratch", "skip": false, "norm": false, "residual": false, "layers": 1, "hidden": 16,
			 "patch": 1, "context": 64, "horizon": 6, "seasons": [12], "steps": 1, "batch": 4, "ema": 0,
			 "learning_rate": 1e-7, "warmup": 0}'::jsonb
$$;
CREATE TABLE flows (method text, model bytea);
INSERT INTO flows
SELECT method, rnn_train(value, base() || options::jsonb ORDER BY n)
FROM hourly, (VALUES
	('tanh', '{"cell": "elman", "recurrent_gain": 0.6}'),
	('relu, large weights', '{"cell": "elman", "activation": "relu", "recurrent_gain": 2.5}'),
	('gru', '{"cell": "gru"}'),
	('lstm, forget gate open', '{"cell": "lstm", "forget_bias": 4}'),
	('tanh, patches of 8', '{"cell": "elman", "recurrent_gain": 0.6, "patch": 8}')) AS v (method, options)
WHERE n < 300
GROUP BY method;

CREATE TABLE norms AS
SELECT method, f.* FROM flows, rnn_gradient_flow(model) AS f;
SELECT method, min(layer), max(layer), min(lag), max(lag), count(*), bool_and(norm >= 0) AS norms
FROM norms GROUP BY method ORDER BY method;

-- Of the gradient at the last step, what is left 40 points back.
CREATE TEMP TABLE kept AS
SELECT a.method, b.norm / a.norm AS kept
FROM norms AS a JOIN norms AS b USING (method)
WHERE a.lag = 0 AND b.lag = CASE WHEN method ~ 'patches' THEN 5 ELSE 40 END;
SELECT (SELECT kept FROM kept WHERE method = 'tanh') < 1e-6 AS vanishes,
	   (SELECT kept FROM kept WHERE method = 'relu, large weights') > 1e3 AS explodes,
	   (SELECT kept FROM kept WHERE method = 'lstm, forget gate open') > 1e-2 AS "gates keep it",
	   (SELECT kept FROM kept WHERE method = 'gru') > (SELECT kept FROM kept WHERE method = 'tanh') AS "gru too",
	   (SELECT kept FROM kept WHERE method = 'tanh, patches of 8') > 1e3 * (SELECT kept FROM kept WHERE method = 'tanh') AS "patches shorten";

-- Clipping bounds what reaches the weights, in any case.
SELECT bool_and(grad_norm > 0) AS measured FROM flows, rnn_training_log(model);

-- More layers, more members.
CREATE TEMP TABLE two AS
SELECT rnn_train(value, base() || '{"layers": 2, "members": 2, "cell": "gru", "norm": true, "residual": true}' ORDER BY n) AS m
FROM hourly WHERE n < 300;
SELECT layer, count(*), bool_and(norm >= 0) AS norms FROM two, rnn_gradient_flow(m) GROUP BY layer ORDER BY layer;
SELECT layer, count(*) FROM two, rnn_gradient_flow(m, 2) GROUP BY layer ORDER BY layer;
SELECT bool_or(a.norm <> b.norm) AS differ FROM two, rnn_gradient_flow(m) AS a JOIN rnn_gradient_flow(m, 2) AS b USING (layer, lag);

\t
\pset format unaligned
SELECT try('SELECT count(*) FROM two, rnn_gradient_flow(m, 0)');
SELECT try('SELECT count(*) FROM two, rnn_gradient_flow(m, 3)');
SELECT try('SELECT count(*) FROM (SELECT rnn_train(month, value, mix()) FROM monthly) AS t (m), rnn_gradient_flow(m)');
SELECT try('SELECT count(*) FROM rnn_gradient_flow(NULL)');
\t
\pset format aligned
DROP TABLE flows, norms;
