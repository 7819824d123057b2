-- What lies at the edge of what functions take.
\set VERBOSITY terse
-- Beside a season of 7, 1 says nothing.
SELECT rnn_train(v, '{"seasons": [7, 1, 7], "network": false}' ORDER BY v) IS NOT NULL AS trained FROM generate_series(1, 60) v;
SELECT rnn_train(v, '{"progress": 1}' ORDER BY v) FROM generate_series(1, 60) v;
SELECT rnn_train(v, '{"timezone": 1}' ORDER BY v) FROM generate_series(1, 60) v;
-- Forecasts end where times end.
CREATE TEMP TABLE at_the_end AS
	SELECT rnn_train(timestamp '294276-11-01' + n * interval '1 day', n, '{"network": false}') AS days,
		rnn_train(timestamp '294276-01-01' + n * interval '1 hour', n, '{"network": false}') AS hours
	FROM generate_series(1, 50) n;
SELECT count(*) FROM at_the_end, rnn_forecast(days, 5);
SELECT count(*) FROM at_the_end, rnn_forecast(days, 50);
SELECT count(*) FROM at_the_end, rnn_forecast(hours, 10000);
SELECT rnn_train(date '5874897-12-01' + n, n) FROM generate_series(1, 30) n;
CREATE TEMP TABLE months AS
	SELECT rnn_train(timestamp '294276-01-01' + n * interval '1 month', n, '{"network": false}') AS model
	FROM generate_series(0, 11) n;
SELECT count(*) FROM months, rnn_forecast(model, 1);
-- Gaps that no number holds: an error alone, a series that is left out in a panel.
SELECT rnn_history(t, 1) FROM (VALUES (timestamp '0001-01-01'), ('294276-12-31'), ('294276-12-30')) v (t);
SELECT rnn_history(s, t, 1, '{"on_error": "skip"}') IS NOT NULL AS collected FROM (VALUES
	('far', timestamp '0001-01-01'), ('far', '294276-12-31'), ('near', '2024-01-01'), ('near', '2024-01-02'), ('near', '2024-01-03')) v (s, t);
-- Support functions stand alone for nobody.
SELECT _rnn_collect_combine(NULL, NULL);
