-- rnn_accuracy: measures by values that were worked out by hand, states that
-- add up in any order, and what is no state.
\pset format unaligned
\pset null NULL

-- Errors 1, -2, 0 and 3 of actuals 10, 20, 30, 40; the last interval misses by 1.
CREATE TEMP TABLE judged AS SELECT * FROM (VALUES
	(10::float8, 11::float8, 8::float8, 14::float8, 2::float8, 8::float8),
	(20, 18, 15, 21, 2, 24),
	(30, 30, 28, 32, 4, 30),
	(40, 43, 41, 45, 4, 35)) AS v (actual, forecast, lower, upper, scale, naive);
SELECT n, left_out, mae = 6 / 4.0 AS mae, rmse = sqrt(14 / 4.0) AS rmse, bias = 2 / 4.0 AS bias, wape = 6 / 100.0 AS wape
FROM (SELECT (rnn_accuracy(actual, forecast)).* FROM judged) AS a;
SELECT abs(mape - (1 / 10.0 + 2 / 20.0 + 3 / 40.0) / 4) < 1e-15 AS mape,
	   abs(smape - (1 / 10.5 + 2 / 19.0 + 3 / 41.5) / 4) < 1e-15 AS smape,
	   mase, wql, sql, coverage, width, msis, skill
FROM (SELECT (rnn_accuracy(actual, forecast)).* FROM judged) AS a;
-- (1/2 + 2/2 + 0 + 3/4) / 4; squares 1/4 + 1 + 0 + 9/16; interval scores 6/2 + 6/2 + 4/4 + (4 + 2/0.1 * 1)/4.
SELECT n, mase = 2.25 / 4 AS mase, rmsse = sqrt((0.25 + 1 + 0.5625) / 4) AS rmsse, coverage, width,
	   abs(msis - (3 + 3 + 1 + 6) / 4.0) < 1e-14 AS msis, skill = 1 - 6 / 11.0 AS skill
FROM (SELECT (rnn_accuracy(actual, forecast, lower, upper, NULL, scale, naive)).* FROM judged) AS a;
-- The same by the names of columns, whatever their order and the types of numbers; others are nobody's business.
SELECT count(*), count(DISTINCT a::text) FROM (
	SELECT rnn_accuracy(actual, forecast, lower, upper, NULL, scale, naive) AS a FROM judged
	UNION ALL SELECT rnn_accuracy(j) FROM judged AS j
	UNION ALL SELECT rnn_accuracy(r) FROM (SELECT naive::int, 'x' AS other, scale::numeric, forecast::real, upper::int2, lower::int8,
		actual::numeric(9, 3), '{}'::json AS json, NULL::float8[] AS quantiles FROM judged) AS r) AS forms;
-- An interval of half the values counts what is outside four times.
SELECT (rnn_accuracy(r)).msis = (3 + 3 + 1 + (4 + 4) / 4.0) / 4 AS msis FROM (SELECT *, 0.5 AS level FROM judged) AS r;

-- Quantiles 8, 10, 14 for 0.25, 0.5, 0.75: of 12 the losses are 2 * (0.25 * 4, 0.5 * 2, 0.25 * 2), of 6 2 * (0.75 * 2, 0.5 * 4, 0.25 * 8).
SELECT wql = (5 / 3.0 + 11 / 3.0) / 18 AS wql, sql = (5 / 3.0 / 2 + 11 / 3.0 / 4) / 2 AS sql, mase
FROM (SELECT (rnn_accuracy(r)).* FROM (SELECT *, 10 AS forecast, '{8, 10, 14}'::float8[] AS quantiles, '{0.25, 0.5, 0.75}'::float8[] AS levels
	FROM (VALUES (12, 2), (6, 4)) AS v (actual, scale)) AS r) AS a;
-- All quantiles at one point: the loss is the absolute error, since the levels lie evenly around 0.5.
SELECT (rnn_accuracy(5, 3, NULL, NULL, array_fill(3::float8, ARRAY[15]))).wql = 2 / 5.0 AS wql;
-- A forecast's own row.
SELECT n, coverage, wql < wape AS quantiles_tell_more FROM (SELECT (rnn_accuracy(r)).* FROM (
	SELECT f.*, m.value AS actual FROM monthly AS m JOIN (SELECT local_ts, forecast, lower, upper, quantiles FROM rnn_forecast_query(
		'SELECT month, value FROM monthly WHERE n <= 108', 12)) AS f ON f.local_ts = m.month) AS r) AS a;

-- What is not there: a row without actual or forecast, a scale of 0, an actual of 0 for mape, nothing at all.
SELECT n, left_out, mae, mape, smape, mase, coverage, skill FROM (SELECT (rnn_accuracy(r)).* FROM (VALUES
	(NULL, 1, 1, NULL, NULL, 1), (2, NULL, 1, 1, 1::float8, 1), ('NaN'::float8, 1, 1, 1, 1, 1), (0, 0, 0, NULL, 1, 0), (0, 1, NULL, 0, 'NaN', NULL), (4, 2, 2, 0, 4, 8))
	AS r (actual, forecast, scale, lower, upper, naive)) AS a;
SELECT rnn_accuracy(1, 2) FROM generate_series(1, 0);
SELECT rnn_accuracy(NULL, NULL), rnn_accuracy(NULL, NULL, NULL, NULL, NULL, NULL, NULL), rnn_accuracy(NULL::judged);
SELECT rnn_accuracy(0, 0), rnn_accuracy(0, 1);
SELECT (rnn_accuracy(1, 1, 0, 2, ARRAY[NULL]::float8[] || array_fill(1::float8, ARRAY[14]), 1)).*;

-- Any order and any plan: 200,000 rows of 20 orders of size, whose errors cancel out.
CREATE TABLE judged_much AS
SELECT n, (n % 7) * power(10, n % 20) AS actual, (n % 7 + CASE WHEN n % 2 = 0 THEN 1 ELSE -1 END) * power(10, (n / 2) % 20) AS forecast,
	   1 + n % 3 AS scale, (n % 5) * power(10, n % 20) AS naive
FROM generate_series(1, 200000) AS n;
ANALYZE judged_much;
CREATE TEMP TABLE orders AS
	SELECT 'stored' AS sort, (rnn_accuracy(j)).* FROM judged_much AS j
	UNION ALL SELECT 'up', (rnn_accuracy(j ORDER BY abs(forecast - actual), n)).* FROM judged_much AS j
	UNION ALL SELECT 'down', (rnn_accuracy(j ORDER BY abs(forecast - actual) DESC, n DESC)).* FROM judged_much AS j
	UNION ALL SELECT 'mixed', (rnn_accuracy(j ORDER BY hashint8extended(n, 1))).* FROM judged_much AS j;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS off) SELECT rnn_accuracy(j) FROM judged_much AS j;
INSERT INTO orders SELECT 'parallel', (rnn_accuracy(j)).* FROM judged_much AS j;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
SELECT count(*) AS orders, max(bias) / min(bias) - 1 < 1e-12 AS bias, max(rmse) / min(rmse) - 1 < 1e-12 AS rmse,
	   max(wape) / min(wape) - 1 < 1e-12 AS wape, max(mase) / min(mase) - 1 < 1e-12 AS mase, max(skill) - min(skill) < 1e-12 AS skill, max(n) - min(n) AS n
FROM orders;
-- Beside exact numbers.
SELECT abs(o.bias / e.bias - 1) < 1e-12 AS bias, abs(o.mae / e.mae - 1) < 1e-12 AS mae FROM orders AS o,
	(SELECT avg(forecast::numeric - actual::numeric) AS bias, avg(abs(forecast::numeric - actual::numeric)) AS mae FROM judged_much) AS e
WHERE sort = 'stored';
DROP TABLE judged_much;

-- Windows see every state once more; groups have their own.
SELECT x, (rnn_accuracy(x, 0) OVER (ORDER BY x)).mae FROM generate_series(1, 4) AS x;
SELECT g, (rnn_accuracy(x, x + g)).* FROM generate_series(1, 2) AS g, generate_series(1, 3) AS x GROUP BY ROLLUP (g) ORDER BY g;

-- What is refused.
\t
SELECT try('SELECT rnn_accuracy(''infinity'', 1)');
SELECT try('SELECT rnn_accuracy(1, ''-infinity'')');
SELECT try('SELECT rnn_accuracy(1, 1, 0, ''infinity'')');
SELECT try('SELECT rnn_accuracy(1, 1, 0, 2, array_fill(''infinity''::float8, ARRAY[15]))');
SELECT try('SELECT rnn_accuracy(1, 1, 0, 2, NULL, -1)');
SELECT try('SELECT rnn_accuracy(1, 1, 0, 2, ''{1, 2}'')');
SELECT try('SELECT rnn_accuracy(r) FROM (SELECT 1 AS actual, 2 AS forecast, ''{1, 2}''::float8[] AS quantiles, ''{0.1}''::float8[] AS levels) AS r');
SELECT try('SELECT rnn_accuracy(r) FROM (SELECT 1 AS actual, 2 AS forecast, ''{1}''::float8[] AS quantiles, ''{1}''::float8[] AS levels) AS r');
SELECT try('SELECT rnn_accuracy(r) FROM (SELECT 1 AS actual, 2 AS forecast, 90 AS level) AS r');
SELECT try('SELECT rnn_accuracy(r) FROM (SELECT 1 AS actual, 2 AS y) AS r');
SELECT try('SELECT rnn_accuracy(r) FROM (SELECT 1 AS actual, ''2''::text AS forecast) AS r');
SELECT try('SELECT rnn_accuracy(r) FROM (SELECT 1 AS actual, 2 AS forecast, ''{1}''::numeric[] AS quantiles) AS r');
SELECT try('SELECT rnn_accuracy(1e308, -1e308)');
SELECT try('SELECT rnn_accuracy(1e200, 0)');
SELECT try('SELECT rnn_accuracy(1, 1, 0, 2, NULL, 1e-320, 1) FROM generate_series(1, 3)');

-- States of others.
CREATE AGGREGATE judged_forged(float8, float8) (SFUNC = _rnn_accuracy_step, STYPE = bytea, FINALFUNC = _rnn_accuracy_final, INITCOND = '\x00');
CREATE AGGREGATE judged_join(bytea) (SFUNC = _rnn_accuracy_combine, STYPE = bytea, FINALFUNC = _rnn_accuracy_final);
CREATE AGGREGATE judged_state(float8, float8) (SFUNC = _rnn_accuracy_step, STYPE = bytea);
SELECT try('SELECT judged_forged(1, 2)');
SELECT try('SELECT judged_join(''\x'')');
SELECT try('SELECT _rnn_accuracy_step(NULL::bytea, 1, 2)');
SELECT try('SELECT _rnn_accuracy_step(NULL::bytea, ROW(1, 2))');
SELECT try('SELECT _rnn_accuracy_combine(NULL, NULL)');
SELECT try('SELECT _rnn_accuracy_final(NULL)');
-- Every byte of a state once with all bits turned: refused, or numbers of another kind, but never NaN nor infinity.
CREATE FUNCTION judged_turned() RETURNS TABLE (outcome text) LANGUAGE plpgsql AS $$
DECLARE
	whole bytea; state bytea; a rnn_accuracy_row;
BEGIN
	SELECT judged_state(actual, forecast) INTO whole FROM judged;
	FOR i IN 0 .. length(whole) - 1 LOOP
		state := set_byte(whole, i, 255 - get_byte(whole, i));
		BEGIN
			SELECT (judged_join(state)).* INTO a;
			outcome := CASE WHEN a::text ~* 'nan|inf' THEN 'not finite at ' || i ELSE 'numbers' END;
		EXCEPTION WHEN data_corrupted OR numeric_value_out_of_range THEN
			outcome := 'refused';
		END;
		RETURN NEXT;
	END LOOP;
END $$;
SELECT outcome, count(*) > 10 FROM judged_turned() GROUP BY outcome ORDER BY outcome;
SELECT (judged_join(state)).n FROM (SELECT judged_state(actual, forecast) AS state FROM judged GROUP BY scale) AS halves;
DROP AGGREGATE judged_forged(float8, float8); DROP AGGREGATE judged_join(bytea); DROP AGGREGATE judged_state(float8, float8);
DROP FUNCTION judged_turned();
-- A type that is altered while the statement runs: columns are looked for again.
CREATE TYPE judged_type AS (actual float8, forecast float8, quantiles float8[]);
CREATE FUNCTION judged_altered(i int) RETURNS record LANGUAGE plpgsql AS $$
BEGIN
	IF i = 1 THEN
		RETURN ROW(1, 2, NULL)::judged_type;
	END IF;
	ALTER TYPE judged_type ALTER ATTRIBUTE quantiles TYPE int8;
	RETURN ROW(1, 2, 123456789123)::judged_type;
END $$;
SELECT rnn_accuracy(judged_altered(i)) FROM generate_series(1, 2) AS i;
DROP FUNCTION judged_altered(int); DROP TYPE judged_type;
