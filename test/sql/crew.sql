-- Candidates and members that workers train: the same bytes with any number of them.
CREATE TEMP TABLE maps AS
WITH RECURSIVE z (s, n, a, b, c) AS (
	SELECT k, 1, 0.1 + mod(k * 0.37, 0.8)::float8, 0.1 + mod(k * 0.59, 0.8)::float8, 0.1 + mod(k * 0.73, 0.8)::float8
	FROM generate_series(1, 12) AS k
	UNION ALL
	SELECT s, n + 1, b, c, 3.9 * a * (1 - a) FROM z WHERE n < 90)
SELECT s, n, a AS value FROM z;
CREATE FUNCTION trained_by(workers int) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	model bytea;
BEGIN
	PERFORM set_config('rnnforecast.max_workers', workers::text, false);
	SELECT rnn_train(s, n, value, '{"members": 3, "steps": 40, "horizon": 1}') INTO model FROM maps;
	RETURN model;
END $$;
CREATE TEMP TABLE crews AS SELECT workers, trained_by(workers) AS model FROM unnest('{0,1,2,3}'::int[]) AS workers;
RESET rnnforecast.max_workers;
SELECT count(*) AS crews, count(DISTINCT model) AS models, bool_and(jsonb_array_length(rnn_info(model)#>'{network,members}') = 3) AS whole FROM crews;
DROP FUNCTION trained_by;
