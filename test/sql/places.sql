-- Trainings and forecasts wherever a query may stand.
\set VERBOSITY terse
CREATE VIEW trained AS SELECT rnn_train(month, value, mix()) AS m FROM monthly;
CREATE MATERIALIZED VIEW stored AS SELECT rnn_train(month, value, mix()) AS m FROM monthly;
CREATE VIEW ahead AS SELECT f.* FROM stored, rnn_forecast(m, 3) AS f;
SELECT count(*), bool_and(stored.m = trained.m) AS same FROM stored, trained;
REFRESH MATERIALIZED VIEW stored;
SELECT step, local_ts FROM ahead;
-- A common table expression used twice, inlined and not.
WITH t AS (SELECT m FROM trained) SELECT count(*) FROM t AS a, t AS b, rnn_forecast(a.m, 2) AS f, rnn_forecast(b.m, 3) AS g;
WITH t AS MATERIALIZED (SELECT m FROM trained) SELECT count(*) FROM t AS a JOIN t AS b ON a.m = b.m, rnn_forecast(a.m, 2) AS f;
-- A rule, a check, RETURNING.
CREATE TABLE asked (n int);
CREATE TABLE answers (m bytea CHECK (rnn_info(m)->>'kind' = 'model'));
CREATE RULE answer AS ON INSERT TO asked DO ALSO INSERT INTO answers SELECT m FROM trained;
INSERT INTO asked VALUES (1), (2);
SELECT count(*), count(DISTINCT md5(m)) AS models FROM answers;
INSERT INTO answers SELECT rnn_history(month, value) FROM monthly;
UPDATE answers SET m = rnn_observe(m, (SELECT rnn_history(month, value) FROM monthly WHERE n <= 100)) RETURNING rnn_info(m)->>'last' AS last;
-- An index on what a model is.
CREATE INDEX ON answers ((rnn_info(m)->>'horizon'));
-- PL/pgSQL: variables, a loop, an error that is caught, another model in the same expression.
DO $$
DECLARE
	model bytea;
	row rnn_forecast_row;
	steps int[] := '{}';
	summaries text[] := '{}';
BEGIN
	SELECT rnn_train(month, value, mix() || '{"seasons": [12]}') INTO model FROM monthly;
	FOR row IN SELECT * FROM rnn_forecast(model, 3) LOOP
		steps := steps || row.step;
	END LOOP;
	FOR upto IN 40 .. 42 LOOP
		BEGIN
			model := rnn_observe(model, (SELECT rnn_history(month, value) FROM monthly WHERE n <= upto));
			summaries := summaries || (rnn_info(model)->>'last');
			PERFORM 1 / (upto - 41);
		EXCEPTION WHEN division_by_zero THEN
			summaries := summaries || 'caught'::text;
		END;
	END LOOP;
	RAISE NOTICE '% %', steps, summaries;
END $$;
CREATE FUNCTION next_of(model bytea, steps int DEFAULT 2) RETURNS SETOF rnn_forecast_row LANGUAGE sql STABLE AS
	'SELECT * FROM rnn_forecast($1, $2)';
SELECT count(*) FROM stored, next_of(m) UNION ALL SELECT count(*) FROM stored, next_of(m, 4);
SELECT f.step, s.points, ordinality FROM stored, ROWS FROM (rnn_forecast(m, 2), rnn_series(m)) WITH ORDINALITY
	AS f (a, step, c, d, e, f, g, h, i, j, k, l, name, first, last, points, note), LATERAL (SELECT f.points) AS s;
SELECT n, p.points FROM monthly, LATERAL (SELECT rnn_info(rnn_train(b.month, b.value, mix()))->>'points' AS points FROM monthly AS b WHERE b.n <= monthly.n) AS p
WHERE n IN (10, 20) ORDER BY n;
-- A role that may do nothing but call functions, with the defaults of PUBLIC and without.
CREATE ROLE rnn_caller;
SET ROLE rnn_caller;
SELECT rnn_info(rnn_train(n, mix() ORDER BY n))->>'points' AS points FROM generate_series(1, 30) AS n;
SELECT count(*) FROM rnn_forecast_query('SELECT n FROM generate_series(1, 30) AS n', 2);
SELECT count(*) > 30 AS options FROM rnn_options;
SELECT left(try('SELECT count(*) FROM stored, rnn_forecast(m)'), 5) AS model,
	   left(try('SELECT * FROM rnn_forecast_query(''SELECT month, value FROM monthly'')'), 5) AS query,
	   left(try('SET rnnforecast.max_memory = ''1GB'''), 5) AS setting;
RESET ROLE;
DROP ROLE rnn_caller;
DROP TABLE asked, answers;
DROP MATERIALIZED VIEW stored CASCADE;
DROP VIEW trained;
DROP FUNCTION next_of;
