-- The textbook RNN, end to end: one step input, no patches, no mix, no tricks
-- but those that are asked for.  A sine with noise, 12 steps ahead.
CREATE TABLE sine AS
SELECT n, timestamp '2024-01-01' + n * interval '1 hour' AS ts,
	   sin(2 * pi() * n / 25) + 0.1 * noise(n) AS value
FROM generate_series(1, 2162) AS n;
CREATE FUNCTION textbook(cell text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT '{"start": "scratch", "patch": 1, "skip": false, "horizon": 12}'::jsonb ||
		   jsonb_build_object('cell', cell)
$$;
CREATE TABLE textbooks AS
SELECT cell, rnn_train(value, textbook(cell) ORDER BY ts) AS model
FROM sine, unnest('{elman, gru, lstm}'::text[]) AS cell
WHERE n <= 2000 GROUP BY cell;

-- On rows that came after the training: the error beside that of who knows the
-- sine, over 12 steps at 12 origins.
CREATE TABLE errors AS
SELECT cell, sqrt(avg((f.forecast - s.value) ^ 2)) AS error,
	   sqrt(avg((sin(2 * pi() * s.n / 25) - s.value) ^ 2)) AS noise, count(*) AS points
FROM textbooks,
	 generate_series(2000, 2150, 13) AS origin,
	 LATERAL (SELECT rnn_history(value ORDER BY n) FROM sine WHERE n <= origin) AS h (history),
	 rnn_forecast(rnn_observe(model, history), 12) AS f
	 JOIN sine AS s ON s.n = f.position
GROUP BY cell;
SELECT cell, points, CASE WHEN error <= 1.3 * noise THEN 'within 1.3 times the noise' ELSE round((error / noise)::numeric, 3)::text END AS error
FROM errors ORDER BY cell;
-- It is the network alone, and it is a textbook network.
SELECT cell, (rnn_info(model)#>>'{options,skip}') AS skip, rnn_info(model)#>>'{network,patch}' AS patch,
	   rnn_info(model)#>>'{network,cell}' AS network
FROM textbooks ORDER BY cell;
-- Plain: without normalisation, residuals and averaged weights.
SELECT count(*), bool_and(abs(forecast) < 10) AS sane
FROM (SELECT rnn_train(value, textbook('elman') || '{"norm": false, "residual": false, "ema": 0, "layers": 1, "steps": 30}' ORDER BY ts)
	  FROM sine WHERE n <= 500) AS t (m), rnn_forecast(m, 12);
-- Truncated back-propagation, other losses and activations.
SELECT options, count(*), bool_and(abs(forecast) < 10) AS sane
FROM (SELECT options, rnn_train(value, textbook('gru') || '{"steps": 20, "hidden": 8}' || options::jsonb ORDER BY ts) AS m
	  FROM sine, unnest(ARRAY['{"bptt": 8}', '{"loss": "mse"}', '{"loss": "mae"}', '{"cell": "elman", "activation": "relu"}',
							  '{"conv_layers": 2, "conv_kernel": 3}', '{"dropout": 0.2}', '{"clip": 0, "flips": "off"}',
							  '{"cell": "lstm", "forget_bias": 0}']) AS options
	  WHERE n <= 400 GROUP BY options) AS t, rnn_forecast(m, 12)
GROUP BY options ORDER BY options COLLATE "C";
DROP TABLE sine, textbooks, errors;
