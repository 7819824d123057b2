-- A dry run: what a training would take.
SELECT rows, series, points, step, trains, steps, memory > 0 AS memory, memory_limit, read_seconds >= 0 AS read, train_seconds BETWEEN 0 AND 5 AS short
FROM rnn_estimate('SELECT month, value FROM monthly', 6) \gx
-- By the options: nothing, the prior trained further, a network from nothing, both.
SELECT name, regexp_replace(trains, '\d+ parameters', 'N parameters') AS trains, steps, memory > 10000000 AS memory, train_seconds > 0 AS seconds
FROM (VALUES ('mix', '{"network": false}'::jsonb), ('prior', '{"start": "prior"}'), ('tune', '{"start": "tune"}'), ('scratch', '{"start": "scratch", "steps": 50, "hidden": 8, "layers": 1}'),
			 ('few points', '{}'), ('a network of its own', '{"cell": "lstm", "hidden": 16}')) AS o (name, options),
	 rnn_estimate('SELECT ts, value FROM hourly WHERE ' || CASE name WHEN 'few points' THEN 'n < 400' ELSE 'true' END, 24, options);
SELECT series, points, regexp_replace(trains, '\d+ parameters', 'N parameters') AS trains FROM rnn_estimate('SELECT n % 9 AS k, n / 9 AS step, value FROM hourly', 12, '{"keys": ["k"]}');
-- What is more takes longer; the ceiling of seconds holds; nothing is trained.
SELECT bool_and(more.train_seconds > one.train_seconds) AS longer, bool_and(more.train_seconds > 10 * few.train_seconds) AS steps
FROM rnn_estimate('SELECT ts, value FROM hourly', 24, '{"start": "scratch", "steps": 1000, "hidden": 64}') AS one,
	 rnn_estimate('SELECT ts, value FROM hourly', 24, '{"start": "scratch", "steps": 4000, "hidden": 64}') AS more,
	 rnn_estimate('SELECT ts, value FROM hourly', 24, '{"start": "scratch", "steps": 100, "hidden": 64}') AS few;
SELECT train_seconds FROM rnn_estimate('SELECT ts, value FROM hourly', 24, '{"start": "scratch", "steps": 1000000, "hidden": 64, "seconds": 3}');
-- Rows that count are not all.
SELECT rows, points FROM rnn_estimate('SELECT month, CASE WHEN n % 10 > 0 AND n < 110 THEN value END FROM monthly', 6);
SELECT try($$SELECT rnn_estimate('SELECT month, value FROM monthly WHERE false')$$);
SELECT try($$SELECT rnn_estimate(NULL)$$);
SELECT try($$SELECT rnn_estimate('SELECT month, value FROM monthly', 0)$$);
SELECT try($$SELECT rnn_estimate('SELECT month, value FROM monthly', options => '{"horizon": "7"}')$$);
SELECT try($$SELECT rnn_estimate('DELETE FROM monthly')$$);
-- The query runs once, and counts rows without a time too.
CREATE SEQUENCE read;
SELECT rows, points FROM rnn_estimate($$SELECT month, value + 0 * nextval('read') AS value FROM monthly$$, 6);
SELECT last_value = (SELECT count(*) FROM monthly) AS once FROM read;
SELECT rows, points FROM rnn_estimate('SELECT value FROM monthly', 6);
DROP SEQUENCE read;
