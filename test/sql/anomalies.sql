-- rnn_anomalies: which rows don't fit what came before them.
\pset format unaligned
\pset null NULL
-- 60 days of hours of two shops; one has a spike, the other a lower level and a known bad day before it.
CREATE TABLE readings AS
SELECT s AS series, timestamp '2024-01-01' + n * interval '1 hour' AS ts,
	   100 + 10 * sin(2 * pi() * n / 24) + noise(n + ascii(s)) + CASE WHEN s = 'a' AND n = 1000 THEN 15 ELSE 0 END
	   - CASE WHEN s = 'b' AND n >= 1200 THEN 12 ELSE 0 END + CASE WHEN s = 'b' AND n BETWEEN 700 AND 723 THEN 40 ELSE 0 END AS value,
	   s = 'b' AND n BETWEEN 700 AND 723 AS exclude, n
FROM generate_series(0, 1439) AS n, unnest('{a,b}'::text[]) AS s;
CREATE TABLE judged AS SELECT * FROM rnn_anomalies('SELECT series, ts, value, exclude FROM readings');
SELECT series, count(*), count(expected) AS expected, count(lower) AS bounds, count(probability) AS judged, bool_or(is_anomaly) AS odd FROM judged GROUP BY 1 ORDER BY 1;
SELECT series, local_ts, round(value - expected) AS error, score > 0 AS above, value > upper AS beyond, round(probability::numeric, 2) AS probability, is_anomaly
FROM judged WHERE (series, local_ts) IN (('a', timestamp '2024-01-01' + 1000 * interval '1 hour'), ('b', timestamp '2024-01-01' + 1200 * interval '1 hour')) ORDER BY 1;
SELECT j.value = r.value AS value, bool_and(j.ts = r.ts::timestamptz AND j.position IS NULL AND j.is_anomaly = (j.event IS NOT NULL)
	AND (j.is_anomaly IS NOT TRUE OR j.probability >= 1 - 1.0 / 168)) AS rest
FROM judged AS j JOIN readings AS r ON (j.series, j.local_ts) = (r.series, r.ts) GROUP BY 1;
-- What is left out is not judged, not learned from, and nothing behind it is odd.
SELECT count(*), count(probability) AS judged, bool_or(is_anomaly) AS odd, max(abs(expected - 100 - 10 * sin(2 * pi() * n / 24))) < 5 AS near
FROM judged JOIN readings USING (series, value) WHERE exclude;
SELECT bool_or(is_anomaly) AS "odd behind it" FROM judged JOIN readings USING (series, value) WHERE series = 'b' AND n BETWEEN 724 AND 790;
SELECT bool_or(is_anomaly) AS "odd where it counts" FROM rnn_anomalies('SELECT series, ts, value FROM readings') AS j JOIN readings USING (series, value)
WHERE series = 'b' AND n BETWEEN 700 AND 723;
-- Nothing looks ahead: rows are the same to the last bit whatever comes behind them.
SELECT cut, count(*) > 0 AS rows, bool_and(a.expected IS NOT DISTINCT FROM j.expected AND a.lower IS NOT DISTINCT FROM j.lower AND a.score IS NOT DISTINCT FROM j.score
	AND a.probability IS NOT DISTINCT FROM j.probability AND a.is_anomaly = j.is_anomaly AND a.event IS NOT DISTINCT FROM j.event) AS same
FROM unnest('{1,30,200,1000,1001,1203}'::int[]) AS cut, LATERAL rnn_anomalies(format(
	$$SELECT series, ts, CASE WHEN n >= %s THEN value * 1000 - 7 ELSE value END AS value, exclude FROM readings
	  UNION ALL SELECT series, ts + interval '100 days', -1e9, false FROM readings$$, cut)) AS a
	JOIN judged AS j USING (series, local_ts) JOIN readings AS r ON (r.series, r.ts) = (a.series, a.local_ts) WHERE r.n < cut GROUP BY 1 ORDER BY 1;
-- Options: which rows, which way, from what size on; and that flags don't change scores.
SELECT count(*), min(local_ts), bool_and(a.probability = j.probability) AS same
FROM rnn_anomalies('SELECT series, ts, value, exclude FROM readings', options => '{"last": 24}') AS a JOIN judged AS j USING (series, local_ts);
SELECT count(*), min(local_ts) FROM rnn_anomalies('SELECT series, ts, value FROM readings', options => '{"since": "2024-02-20 12:30"}');
SELECT o, count(*) FILTER (WHERE is_anomaly AND series = 'a' AND score > 0) > 0 AS spike, count(*) FILTER (WHERE is_anomaly AND series = 'b' AND score < 0) > 0 AS shift
FROM unnest('{"{}","{\"direction\": \"up\"}","{\"direction\": \"down\"}","{\"direction\": \"both\", \"least\": 13.5}","{\"least_share\": 0.5}","{\"alarms\": 0.000001}"}'::jsonb[]) WITH ORDINALITY AS q (o, i),
	 LATERAL rnn_anomalies('SELECT series, ts, value, exclude FROM readings', options => o) GROUP BY i, o ORDER BY i;
SELECT count(*) FILTER (WHERE a.is_anomaly) > count(*) FILTER (WHERE j.is_anomaly) AS more, bool_and(a.score IS NOT DISTINCT FROM j.score) AS same
FROM rnn_anomalies('SELECT series, ts, value, exclude FROM readings', options => '{"alarms": 20}') AS a JOIN judged AS j USING (series, local_ts);
SELECT max(event) FILTER (WHERE gap = 0) >= max(event) FILTER (WHERE gap = 6) AS more, max(event) FILTER (WHERE gap = 10000) AS one
FROM unnest('{0,6,10000}'::int[]) AS gap, LATERAL rnn_anomalies('SELECT ts, value FROM readings WHERE series = ''b''', options => jsonb_build_object('gap', gap));
-- The level is that of the bounds too: about so many rows lie within.
SELECT level, round(avg((value BETWEEN lower AND upper)::int), 1) AS within FROM unnest('{0.5,0.9}'::float8[]) AS level,
	 LATERAL rnn_anomalies('SELECT ts, value FROM readings WHERE series = ''a''', level) WHERE lower IS NOT NULL GROUP BY 1 ORDER BY 1;
-- Few rows, constant rows, one row, no rows, numbered rows, dates; a gap is no row.
SELECT count(*), count(probability) AS judged FROM rnn_anomalies('SELECT month, value FROM monthly');
SELECT count(*), count(expected) AS expected, bool_or(is_anomaly) AS odd FROM rnn_anomalies('SELECT month, 7 FROM monthly');
SELECT * FROM rnn_anomalies('SELECT date ''2024-01-01'', 5');
SELECT count(*) FROM rnn_anomalies('SELECT ts, value FROM readings WHERE false');
SELECT count(*) FROM rnn_anomalies(NULL);
SELECT max(position) FILTER (WHERE is_anomaly) AS at, round(max(score)) AS score FROM rnn_anomalies('SELECT CASE WHEN n = 150 THEN 9 ELSE n % 2 END FROM generate_series(1, 160) AS n', 0.999);
SELECT count(*), bool_and(local_ts IS NOT NULL) AS times FROM rnn_anomalies('SELECT month, value FROM monthly WHERE n NOT BETWEEN 50 AND 60');
SELECT count(*), bool_and(a.probability = b.probability) AS same FROM rnn_anomalies('SELECT ''x'' AS series, n AS step, value FROM monthly', options => '{"seasons": [12]}') AS a
JOIN rnn_anomalies('SELECT ''x'', month, value FROM monthly', 0.99) AS b ON a.value = b.value;
SELECT count(*) FROM rnn_anomalies('SELECT ''x'' AS series, n AS ts, value FROM monthly', options => '{"since": 100}');
-- By a model: its seasons and times; and by name, of the rows that it keeps or of today's.
CREATE TABLE anomaly_model AS SELECT rnn_train(series, ts, value, mix() || '{"seasons": [24], "horizon": 24}') AS m FROM readings;
SELECT count(*), bool_or(a.is_anomaly) AS odd, bool_and(a.local_ts = j.local_ts) AS times
FROM anomaly_model, rnn_anomalies('SELECT series, ts, value, exclude FROM readings', model => m) AS a JOIN judged AS j USING (series, local_ts);
SELECT rnn_fit('odd', 'SELECT series, ts, value FROM readings', options => mix() || '{"seasons": [24], "horizon": 24, "windows": 1}') IS NOT NULL AS fitted;
SELECT count(*), bool_or(is_anomaly) AS odd FROM rnn_anomalies_model('odd');
SELECT count(*), bool_and(a.probability IS NOT DISTINCT FROM b.probability) AS same
FROM rnn_anomalies_model('odd', options => '{"fresh": true}') AS a
	JOIN anomaly_model ON true JOIN LATERAL rnn_anomalies('SELECT series, ts, value FROM readings', model => m) AS b USING (series, local_ts);
-- With a network: what is expected is the model's own forecast, of the end before each row that the pass has; nothing looks ahead, and by name it is the same.
CREATE TABLE calm AS SELECT series, ts, value, n, (n % 24 = 8)::int AS busy FROM readings WHERE n >= 720 AND series = 'a';
CREATE TABLE network_model AS SELECT rnn_train(ts, value, small() || '{"seasons": [24], "horizon": 24, "patch": 4, "skip": false}') AS m FROM calm;
CREATE TABLE network_judged AS SELECT a.* FROM network_model, rnn_anomalies('SELECT ts, value FROM calm', model => m) AS a;
SELECT count(*), bool_and(apart < 1e-6) AS "its forecasts" FROM (
	SELECT local_ts, min(abs(b.forecast - a.expected)) AS apart FROM network_model, network_judged AS a
		JOIN LATERAL rnn_backtest('SELECT ts, value FROM calm', 8, 48, '{"every": 1}', m) AS b USING (local_ts) GROUP BY 1 HAVING count(*) = 8) AS q;
SELECT avg(abs(a.expected - j.expected)) > 0.1 AS "not the mix's" FROM network_judged AS a JOIN rnn_anomalies('SELECT ts, value FROM calm') AS j USING (local_ts);
SELECT count(*), bool_and(a.expected IS NOT DISTINCT FROM j.expected AND a.probability IS NOT DISTINCT FROM j.probability) AS same
FROM network_model, rnn_anomalies('SELECT ts, CASE WHEN n >= 1200 THEN -7 * value ELSE value END AS value FROM calm', model => m) AS a JOIN network_judged AS j USING (local_ts)
WHERE local_ts < timestamp '2024-01-01' + 1200 * interval '1 hour';
SELECT rnn_fit('odder', 'SELECT ts, value FROM calm', options => small() || '{"seasons": [24], "horizon": 24, "patch": 4, "skip": false, "windows": 1}') IS NOT NULL AS fitted;
SELECT count(*), bool_and(a.expected IS NOT DISTINCT FROM j.expected) AS same FROM rnn_anomalies_model('odder', options => '{"fresh": true}') AS a
	JOIN rnn_anomalies('SELECT ts, value FROM calm', model => rnn_model('odder')) AS j USING (local_ts);
SELECT rnn_drop('odder') IS NOT NULL AS dropped;
-- Its covariates are read, and others are not; a row that is left out is nothing to it, at the beginning too.
CREATE TABLE busy_model AS SELECT rnn_train(ts, value + 30 * busy, jsonb_build_object('busy', busy),
	small() || '{"seasons": [24], "horizon": 24, "patch": 4, "steps": 150}') AS m FROM calm;
SELECT bool_or(a.expected <> b.expected) AS "covariates count" FROM busy_model, rnn_anomalies('SELECT ts, value + 30 * busy AS value, busy, n AS other FROM calm', model => m) AS a
	JOIN LATERAL rnn_anomalies('SELECT ts, value + 30 * busy AS value, 0 AS busy FROM calm', model => m) AS b USING (local_ts);
SELECT count(*), count(a.probability) AS judged, max(abs(a.expected - c.value)) < 20 AS near
FROM network_model, rnn_anomalies('SELECT ts, CASE WHEN n < 723 OR n = 1000 THEN 1e6 ELSE value END AS value, n < 723 OR n = 1000 AS exclude FROM calm', model => m) AS a
	JOIN calm AS c ON c.ts = a.local_ts WHERE n BETWEEN 1000 AND 1010;
-- By name to others: nothing without a grant, with it the rows that the model keeps, but not today's, which are read as its owner.
CREATE ROLE regress_watcher;
SET ROLE regress_watcher;
SELECT try($$SELECT count(*) FROM rnn_anomalies_model('odd')$$), try($$SELECT count(*) FROM rnn_anomalies('SELECT ts, value FROM readings')$$);
RESET ROLE;
SELECT rnn_grant('odd', 'regress_watcher');
SET ROLE regress_watcher;
SELECT try($$SELECT count(*) FROM rnn_anomalies_model('odd')$$), try($$SELECT count(*) FROM rnn_anomalies_model('odd', options => '{"fresh": true}')$$);
RESET ROLE;
SELECT rnn_drop('odd') IS NOT NULL AS dropped;
-- Errors.
SELECT q, try(format('SELECT count(*) FROM rnn_anomalies(''SELECT ts, value, exclude FROM readings WHERE series = ''''a'''''', %s)', q)) FROM unnest(
	'{0,1,"options => ''{\"last\": 0}''","options => ''{\"last\": 3, \"since\": \"2024-01-01\"}''","options => ''{\"since\": \"soon\"}''","options => ''{\"since\": true}''","options => ''{\"direction\": \"left\"}''",
	"options => ''{\"direction\": 1}''","options => ''{\"least\": -1}''","options => ''{\"alarms\": 0}''","options => ''{\"gap\": 1.5}''","options => ''{\"horizon\": 3}''","options => ''[]''","options => ''{\"seasons\": 0}''",
	"options => ''{\"bin\": \"mean\", \"step\": \"1 day\"}''","options => ''{\"bin\": \"sum\"}'', model => (SELECT m FROM anomaly_model)"}'::text[]) AS q;
SELECT try($$SELECT count(*) FROM rnn_anomalies('SELECT ''2'' AS exclude, ts, value FROM readings WHERE series = ''a''')$$);
SELECT try($$SELECT count(*) FROM rnn_anomalies('SELECT n FROM generate_series(1, 50) AS n', options => '{"alarms": 1}')$$);
SET rnnforecast.max_memory = '16MB';
SELECT try($$SELECT count(*) FROM rnn_anomalies('SELECT timestamp ''2020-01-01'' + n * interval ''5 minutes'', n % 7 FROM generate_series(1, 300000) AS n')$$);
RESET rnnforecast.max_memory;
SELECT try($$SELECT count(*) FROM rnn_anomalies('DELETE FROM readings')$$);
SELECT try($$SELECT count(*) FROM rnn_anomalies('SELECT month, value FROM monthly', model => (SELECT m FROM anomaly_model))$$);
SELECT try($$SELECT count(*) FROM rnn_anomalies_model(NULL)$$), try($$SELECT count(*) FROM rnn_anomalies_model('none')$$),
	   try($$SELECT count(*) FROM rnn_anomalies_model('none', options => '{"bin": "sum"}')$$);
DROP TABLE readings, judged, anomaly_model, calm, network_model, network_judged, busy_model;
DROP ROLE regress_watcher;
