-- The aggregates wherever PostgreSQL lets an aggregate stand.
\set VERBOSITY terse
CREATE TEMP TABLE many AS
SELECT g, n, month, value + 10 * g AS value FROM monthly, generate_series(1, 3) AS g;
ANALYZE many;

CREATE TEMP TABLE single AS
SELECT g, md5(rnn_train(month, value, mix())) AS sum
FROM many GROUP BY g;
SELECT count(*), count(DISTINCT sum) FROM single;

-- GROUP BY by sorting and by hashing, GROUPING SETS, FILTER, DISTINCT, HAVING.
SET enable_hashagg = off;
SELECT bool_and(md5(m) = sum) AS same
FROM (SELECT g, rnn_train(month, value, mix()) AS m FROM many GROUP BY g) AS t JOIN single USING (g);
RESET enable_hashagg;
SET enable_sort = off;
SELECT bool_and(md5(m) = sum) AS same
FROM (SELECT g, rnn_train(month, value, mix()) AS m FROM many GROUP BY g) AS t JOIN single USING (g);
RESET enable_sort;
SELECT bool_and(md5(m) = sum) AS same, count(*)
FROM (SELECT g, rnn_train(month, value, mix()) AS m
	  FROM many GROUP BY GROUPING SETS ((g), (g, g))) AS t JOIN single USING (g);
SELECT bool_and(md5(m) = sum) AS same
FROM (SELECT 2 AS g, rnn_train(month, value, mix()) FILTER (WHERE g = 2) AS m FROM many) AS t
	 JOIN single USING (g);
SELECT bool_and(md5(m) = sum) AS same
FROM (SELECT g, rnn_train(DISTINCT month, value, mix()) AS m
	  FROM (SELECT * FROM many UNION ALL SELECT * FROM many) AS twice GROUP BY g) AS t
	 JOIN single USING (g);
SELECT g FROM many GROUP BY g
HAVING (rnn_info(rnn_train(month, value, mix()))->>'points')::int = 120 ORDER BY g;
SELECT rnn_info(rnn_train(DISTINCT value::int, mix() ORDER BY value::int))->>'points' AS points
FROM monthly WHERE n <= 24;

-- One state, several aggregates.
SELECT (rnn_info(rnn_history(month, value))->>'points')::int AS points,
	   rnn_train_history(rnn_history(month, value), mix()) = rnn_train(month, value, mix()) AS same,
	   count(*)
FROM monthly;

-- Window frames: the final function runs for each row and must not change the state.
SELECT n, (rnn_info(m)->>'points')::int AS points, md5(m) = md5(again) AS same
FROM (SELECT n, rnn_train(month, value, mix()) OVER w AS m,
			 (SELECT rnn_train(b.month, b.value, mix()) FROM monthly AS b
			  WHERE b.n BETWEEN 1 AND a.n) AS again
	  FROM monthly AS a WHERE n <= 30
	  WINDOW w AS (ORDER BY n ROWS UNBOUNDED PRECEDING)) AS t
WHERE n % 10 = 0 ORDER BY n;
-- A moving frame.
SELECT n, (rnn_info(m)->>'points')::int AS points
FROM (SELECT n, rnn_train(month, value, mix()) OVER (ORDER BY n ROWS 11 PRECEDING) AS m
	  FROM monthly WHERE n <= 40) AS t
WHERE n % 10 = 0 ORDER BY n;
SELECT count(DISTINCT md5(m)) FROM (
	SELECT rnn_train(month, value, mix()) OVER (PARTITION BY g) AS m FROM many) AS t;

-- Parallel plans: same bytes for whatever number of workers.
CREATE TABLE wide AS
SELECT timestamp '2020-01-01' + n * interval '1 hour' AS ts,
	   10 + sin(2 * pi() * n / 24) + 0.1 * noise(n) AS value
FROM generate_series(0, 9999) AS n;
ANALYZE wide;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 0;
SELECT md5(rnn_train(ts, value, mix() || '{"horizon": 24}')) AS none FROM wide \gset
SET max_parallel_workers_per_gather = 2;
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT bool_or(plan ~ 'Partial Aggregate') AS partial, bool_or(plan ~ 'Gather') AS gather
FROM plan_of($$SELECT md5(rnn_train(ts, value, mix() || '{"horizon": 24}')) FROM wide$$) AS plan;
SELECT md5(rnn_train(ts, value, mix() || '{"horizon": 24}')) AS two FROM wide \gset
ALTER TABLE wide SET (parallel_workers = 1);
SET max_parallel_workers_per_gather = 1;
SELECT md5(rnn_train(ts, value, mix() || '{"horizon": 24}')) AS one FROM wide \gset
SET parallel_leader_participation = off;
SELECT md5(rnn_train(ts, value, mix() || '{"horizon": 24}')) AS alone FROM wide \gset
RESET parallel_leader_participation;
SELECT :'none' = :'two' AS two, :'none' = :'one' AS one, :'none' = :'alone' AS "no leader";
-- The ordered form needs its order: never partial.
SELECT bool_or(plan ~ 'Partial Aggregate') AS partial
FROM plan_of($$SELECT rnn_train(value, '{"network": false}' ORDER BY ts) FROM wide$$) AS plan;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- Partial aggregation over partitions.
CREATE TABLE parted (ts timestamp, value float8) PARTITION BY HASH (ts);
CREATE TABLE parted0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT ts, value FROM wide;
ANALYZE parted;
SET enable_partitionwise_aggregate = on;
SELECT md5(rnn_train(ts, value, mix() || '{"horizon": 24}')) = :'none' AS same
FROM parted;
RESET enable_partitionwise_aggregate;

-- Prepared, with parameters that have no type, custom and generic plans.
PREPARE p AS SELECT md5(rnn_train(month, value, $1)) = (SELECT sum FROM single WHERE g = 1)
FROM many WHERE g = $2;
EXECUTE p ('{"network": false}', 1);
SET plan_cache_mode = force_generic_plan;
EXECUTE p ('{"network": false}', 1);
RESET plan_cache_mode;
DEALLOCATE p;
-- A cursor.
BEGIN;
DECLARE c CURSOR FOR SELECT g, rnn_train(month, value, mix()) IS NOT NULL AS trained
FROM many GROUP BY g ORDER BY g;
FETCH 1 FROM c;
FETCH 1 FROM c;
CLOSE c;
COMMIT;
DROP TABLE wide, parted;
