-- rnn_info, rnn_series, rnn_training_log: what a model is and why.
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
CREATE TEMP TABLE m AS
SELECT rnn_train(month, value, mix() || '{"seasons": [12], "horizon": 6}') AS mix,
	   rnn_train(month, value, small()) AS network,
	   rnn_train(value, small() || '{"members": 2, "cell": "lstm", "seed": 5}' ORDER BY n) AS members,
	   rnn_history(month, value) AS history
FROM monthly;

\t
\pset format unaligned
SELECT rnn_info(mix)->>'summary' FROM m;
SELECT rnn_info(network)->>'summary' FROM m;
SELECT rnn_info(members)->>'summary' FROM m;
SELECT rnn_info(history)->>'summary' FROM m;
SELECT jsonb_object_keys(rnn_info(mix)) FROM m;
SELECT jsonb_object_keys(rnn_info(history)) FROM m;
SELECT jsonb_pretty(rnn_info(history)) FROM m;
SELECT jsonb_pretty(rnn_info(network) - '{accuracy, summary, calibration, coverage, options, validation, network}'::text[]) FROM m;
SELECT jsonb_object_keys(rnn_info(network)->'network') FROM m;
SELECT rnn_info(network)->'network' @> '{"cell": "gru", "layers": 1, "hidden": 8, "patch": 2, "context": 24}',
	   (rnn_info(network)#>>'{network,parameters}')::int > 1000,
	   (rnn_info(network)#>>'{network,steps}')::int BETWEEN 2 AND 26 FROM m;
SELECT rnn_info(members)#>'{network,members}' @> '[{"patch": 2, "context": 24}, {"stopped_by_time": false}]',
	   rnn_info(members)#>'{network,members,0}' ? 'seed', rnn_info(members)#>'{options,seed}' FROM m;
SELECT jsonb_array_length(rnn_info(members)#>'{network,members}') FROM m;
SELECT rnn_info(mix)#>>'{validation,reason}' FROM m;
SELECT rnn_info(network)#>>'{validation,reason}' FROM m;
SELECT rnn_info(mix)->'network' FROM m;
SELECT (rnn_info(network)#>>'{options,hidden}')::int, rnn_info(network)#>>'{options,cell}', rnn_info(network)#>>'{options,start}' FROM m;
SELECT rnn_info(mix)->>'time', rnn_info(members)->>'time', rnn_info(members)->'first', rnn_info(members)->'last' FROM m;
-- Coverage: a share, or that it was not measured.
SELECT rnn_info(mix)->>'coverage' ~ '^(0\.\d+|1|not measured)$' FROM m;
SELECT rnn_info(rnn_train(x, mix() ORDER BY x))->>'coverage' FROM generate_series(1, 3) AS x;
SELECT rnn_info(rnn_train(month, value))#>>'{validation,reason}' FROM monthly WHERE n <= 40;
-- Errors on held-out windows, in units of the data.  The value of the season before is off by 3.5 on a line with a season of 7,
-- whatever the values were transformed to; 1,000 times the values have 1,000 times the errors, in percent the same.
CREATE TEMP TABLE held AS
SELECT way, rnn_train(day, by * value, mix() || way) AS m
FROM (VALUES ('{"horizon": 7}'::jsonb, 1.0::float8), ('{"horizon": 7, "transform": "log"}', 1), ('{"horizon": 6}', 1000)) AS w (way, by),
	 (SELECT date '2024-01-01' + n AS day, 100 + n / 2.0 + (n % 7) * (7 - n % 7) AS value FROM generate_series(1, 300) AS n) AS rows
GROUP BY way, by;
SELECT way, a->'windows' = rnn_info(m)#>'{validation,windows}' AS windows, (a->>'values')::int = (a->>'windows')::int * (way->>'horizon')::int AS values,
	   a#>'{naive,lag}' AS lag, abs((a#>>'{naive,mae}')::float8 / CASE WHEN way->'horizon' = '6' THEN 3500 ELSE 3.5 END - 1) < 1e-9 AS naive,
	   (a->>'mae')::float8 > 0 AND abs(1 - (a->>'mae')::float8 / (a#>>'{naive,mae}')::float8 - (a#>>'{naive,skill}')::float8) < 1e-9 AS skill,
	   (a->>'mae')::float8 / (a->>'wape')::float8 / CASE WHEN way->'horizon' = '6' THEN 1000 ELSE 1 END BETWEEN 150 AND 270 AS size
FROM (SELECT *, rnn_info(m)->'accuracy' AS a FROM held) AS a ORDER BY way;
SELECT rnn_info(rnn_train(x, mix() ORDER BY x))->'accuracy' FROM generate_series(1, 3) AS x;
SELECT rnn_info(rnn_observe(m, (SELECT rnn_history(month, value) FROM monthly)))->'accuracy' = rnn_info(m)->'accuracy' AS kept
FROM (SELECT rnn_train(month, value, mix()) AS m FROM monthly) AS t;
-- In words: what was measured, and how.
SELECT regexp_replace(rnn_summary(m), '\d+(\.\d+)?(?= (on average|%|separate))', '#', 'g') FROM held WHERE way = '{"horizon": 7}';
SELECT regexp_replace(rnn_summary(m), '\d+(\.\d+)?(?= (on average|%|separate)|, which|:)', '#', 'g') FROM (SELECT rnn_train(month, value, mix()) AS m FROM monthly) AS t;
SELECT regexp_replace(rnn_summary(m), '\d+(\.\d+)?(?= (on average|%|separate)|, which|:)', '#', 'g') FROM (SELECT rnn_train(n % 3 + 1, n::bigint, noise(n) * 1000, mix()) AS m FROM generate_series(1, 600) AS n) AS t;
SELECT rnn_summary(m) FROM (SELECT rnn_train(month, value, mix()) AS m FROM monthly WHERE n < 5) AS t;
SELECT rnn_summary(m) FROM (SELECT rnn_train(ts, 5.0, mix() || '{"horizon": 1}') AS m FROM hourly) AS t;
SELECT try('SELECT rnn_summary(rnn_history(month, value)) FROM monthly');
SELECT rnn_summary(NULL) IS NULL;
-- Nothing in it depends on the session.
SET timezone = 'Asia/Tokyo';
SET datestyle = 'German';
SET extra_float_digits = -10;
CREATE TEMP TABLE elsewhere AS SELECT rnn_info(network) AS info FROM m;
RESET timezone; RESET datestyle; RESET extra_float_digits;
SELECT rnn_info(network) = info FROM m, elsewhere;
SELECT rnn_info(NULL) IS NULL;
\t
\pset format aligned

SET timezone = 'UTC';
SET datestyle = 'ISO';
SELECT s.* FROM m, rnn_series(mix) AS s WHERE false;
SELECT name, last, points <= 120 AS points, note FROM m, rnn_series(mix);
SELECT * FROM m AS m (a, b, c, h), rnn_series(h) AS s WHERE false;
SELECT name, first, last, points, note FROM m, rnn_series(history);
SELECT name, first, last, points <= 120 AS points, note FROM m, rnn_series(members);
-- hours: the wall clock of the model
SELECT first, last, points FROM (SELECT rnn_history(ts, value) FROM hourly) AS t (h), rnn_series(h);

-- The log: it has rows where there is a network, and its losses are numbers.
SELECT count(*) FROM m, rnn_training_log(mix);
SELECT count(*) FROM m, rnn_training_log(history);
SELECT count(*) > 0 AS rows, bool_and(loss > 0) AS loss, bool_and(learning_rate >= 0) AS rate,
	   bool_and(grad_norm >= 0) AS norm, bool_and(member = 1) AS member, max(step) <= 20 AS steps
FROM m, rnn_training_log(network);
SELECT array_agg(DISTINCT member ORDER BY member) AS members FROM m, rnn_training_log(members) WHERE phase = 'final';
SELECT DISTINCT phase FROM m, rnn_training_log(network) ORDER BY phase;
-- Training makes the loss smaller.
WITH log AS (SELECT l.* FROM (SELECT rnn_train(month, value, small() || '{"steps": 200}') FROM monthly) AS t (m), rnn_training_log(m) AS l)
SELECT (SELECT avg(loss) FROM log WHERE phase = 'final' AND step > 150) IS NULL OR
	   (SELECT min(loss) FROM log) < (SELECT loss FROM log ORDER BY phase DESC, step LIMIT 1) AS learned;
-- Column names and types.
SELECT proname, proargnames, proallargtypes::regtype[] FROM pg_proc
WHERE proname IN ('rnn_series', 'rnn_training_log', 'rnn_gradient_flow') ORDER BY proname;
RESET timezone;
RESET datestyle;
RESET intervalstyle;
