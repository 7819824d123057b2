-- Bad input: a right answer, or an error with its SQLSTATE, the value and what to do.
\t
\pset format unaligned
CREATE FUNCTION train_on(values_of text, options text DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
	SELECT try(format('SELECT rnn_train(x, %L ORDER BY i) IS NOT NULL FROM (%s) AS v (i, x)', options, values_of))
$$;
-- What the next three rows are, as long as they are finite.
CREATE FUNCTION next_three(values_of text, options text DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
	SELECT try(format('SELECT string_agg(CASE WHEN abs(forecast) < ''infinity'' AND lower <= forecast AND forecast <= upper
			THEN ltrim(to_char(forecast, ''9.99EEEE'')) ELSE ''bad'' END, '' '' ORDER BY step)
		FROM (SELECT rnn_train(x, %L ORDER BY i) FROM (%s) AS v (i, x)) AS t (m), rnn_forecast(m, 3)', options, values_of))
$$;

-- All NULL, none, one, two.
SELECT train_on('SELECT i, NULL::float8 FROM generate_series(1, 10) AS i');
SELECT train_on('SELECT i, 1.0 FROM generate_series(1, 0) AS i');
SELECT next_three('SELECT 1, 5.0');
SELECT next_three('SELECT i, i FROM generate_series(1, 2) AS i');
SELECT next_three('SELECT i, CASE WHEN i = 4 THEN 7 END FROM generate_series(1, 10) AS i');
SELECT try($$SELECT rnn_train(d, 1) IS NOT NULL FROM (VALUES (date '2024-01-01')) AS v (d)$$);
-- Constant.
SELECT next_three('SELECT i, 5 FROM generate_series(1, 100) AS i');
SELECT next_three('SELECT i, 0 FROM generate_series(1, 100) AS i');
SELECT next_three('SELECT i, -3 FROM generate_series(1, 1000) AS i', '{"steps": 5, "start": "scratch", "hidden": 4, "horizon": 4}');
-- Fewer points than a window.
SELECT next_three('SELECT i, i FROM generate_series(1, 5) AS i', '{"context": 64, "horizon": 24, "network": false}');
SELECT next_three('SELECT i, 10 + i % 3 FROM generate_series(1, 12) AS i', '{"seasons": [24], "horizon": 3, "network": false}');
SELECT next_three('SELECT i, 1 FROM generate_series(1, 5) AS i',
	'{"start": "scratch", "context": 64, "horizon": 24, "steps": 5, "hidden": 4}');
SELECT train_on('SELECT i, i FROM generate_series(1, 2) AS i',
	'{"start": "scratch", "skip": false, "context": 64, "horizon": 24, "steps": 5, "hidden": 4}');
-- Infinities and NaN.
SELECT train_on($$VALUES (1, 1::float8), (2, 'infinity'), (3, 2)$$);
SELECT train_on($$VALUES (1, 1::float8), (2, '-infinity'), (3, 2)$$);
SELECT train_on($$VALUES (1, 1::float8), (2, 'NaN'), (3, 2)$$);
SELECT train_on($$VALUES (1, 1::numeric), (2, 'NaN'), (3, 2)$$);
SELECT train_on($$VALUES (1, 1::real), (2, 'infinity'), (3, 2)$$);
SELECT left(train_on('SELECT 1, 10::numeric ^ 400'), 5);
-- Very large and very small.
SELECT next_three('SELECT i, 1e300 * (1 + (i % 4) / 100.0::float8) FROM generate_series(1, 60) AS i', '{"seasons": [4], "horizon": 3}');
SELECT next_three('SELECT i, 1e-300 * (1 + (i % 4) / 100.0::float8) FROM generate_series(1, 60) AS i', '{"seasons": [4], "horizon": 3}');
SELECT next_three('SELECT i, 1.7e308 * (CASE WHEN i % 2 = 0 THEN 1 ELSE -1 END) FROM generate_series(1, 60) AS i', '{"seasons": [2], "horizon": 3}');
SELECT next_three('SELECT i, 5e-324 * (i % 2) FROM generate_series(1, 60) AS i', '{"seasons": [2], "horizon": 3}') !~ 'bad' AS denormal;
SELECT next_three('SELECT i, CASE WHEN i = 30 THEN 1e300 ELSE i % 4 END FROM generate_series(1, 60) AS i', '{"seasons": [4], "horizon": 3}') !~ 'bad' AS outlier;

-- Horizons.
CREATE TEMP TABLE m AS SELECT rnn_train(month, value, mix() || '{"seasons": [12]}') AS m FROM monthly;
SELECT try('SELECT count(*) FROM m, rnn_forecast(m, 0)');
SELECT try('SELECT count(*) FROM m, rnn_forecast(m, -1)');
SELECT try('SELECT count(*) FROM m, rnn_forecast(m, 1)');
SELECT try('SELECT count(*) FROM m, rnn_forecast(m, 100001)');
SELECT try('SELECT count(*) FROM m, rnn_forecast(m, 9223372036854775807)');
SELECT try($$SELECT count(*) || ' ' || bool_and(abs(forecast) < 'infinity' AND lower <= forecast AND forecast <= upper)
	FROM m, rnn_forecast(m, 100000)$$);

-- Bytes that are no model, or not any more.
SELECT try($$SELECT count(*) FROM rnn_forecast('')$$);
SELECT try($$SELECT count(*) FROM rnn_forecast('\x00')$$);
SELECT try($$SELECT count(*) FROM rnn_forecast('hello, world, this is not a model, is it?')$$);
SELECT try('SELECT rnn_info(substr(m, 1, length(m) - 1)) FROM m') ~ '^(22|XX001)' AS truncated;
SELECT try('SELECT rnn_info(substr(m, 1, 20)) FROM m') ~ '^(22|XX001)' AS truncated;
SELECT try($$SELECT rnn_info(m || '\x00') FROM m$$) ~ '^(22|XX001)' AS longer;
SELECT try('SELECT count(*) FROM m, rnn_forecast(set_byte(m, 40, 255 - get_byte(m, 40)))');
SELECT count(*) FILTER (WHERE try(format('SELECT count(*) FROM m, rnn_forecast(set_byte(m, %s, 255 - get_byte(m, %1$s)))', i)) ~ '^(22|XX001)') = count(*) AS all_refused
FROM m, generate_series(0, length(m) - 1, 37) AS i;
-- A history is not a model, a model is not a history.
CREATE TEMP TABLE h AS SELECT rnn_history(month, value) AS h FROM monthly;
SELECT try('SELECT count(*) FROM h, rnn_forecast(h)');
SELECT try('SELECT count(*) FROM h, rnn_gradient_flow(h)');
SELECT try('SELECT rnn_observe(h, h) FROM h');
SELECT try('SELECT rnn_train_history(m, mix()) IS NOT NULL FROM m');
SELECT try('SELECT rnn_train_history(h, mix(), h) FROM h');
SELECT try('SELECT rnn_observe(m, m) IS NOT NULL FROM m');
\t
\pset format aligned
