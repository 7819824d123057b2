-- Every form of the aggregates with every type of value.
\set VERBOSITY terse

-- What the same rows give as float8, for each form.
CREATE FUNCTION form_and_type(form text, type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	query text; info jsonb; got float8[];
BEGIN
	query := replace(replace(form, 'VALUE', 'round(value)::' || type), 'OPTIONS', 'mix()');
	EXECUTE 'SELECT rnn_info(m), array(SELECT forecast FROM rnn_forecast(m, 3)) FROM (' ||
		'SELECT ' || query || ' AS m FROM monthly) AS trained' INTO info, got;
	RETURN (info->>'points') || ' ' || array_length(got, 1) ||
		CASE WHEN got[1] BETWEEN 190 AND 260 THEN ' ok' ELSE ' ' || got[1] END;
END $$;

CREATE TEMP TABLE forms (form text);
INSERT INTO forms VALUES
	('rnn_train(VALUE, OPTIONS ORDER BY n)'),
	('rnn_train(month, VALUE, OPTIONS)'),
	('rnn_train(month::timestamp, VALUE, OPTIONS)'),
	('rnn_train(month::timestamptz, VALUE, OPTIONS)'),
	('rnn_train_history(rnn_history(VALUE ORDER BY n), OPTIONS)'),
	('rnn_train_history(rnn_history(month, VALUE), OPTIONS)'),
	('rnn_train_history(rnn_history(month::timestamp, VALUE), OPTIONS)'),
	('rnn_train_history(rnn_history(month::timestamptz, VALUE), OPTIONS)');

SELECT form, array_agg(DISTINCT got) AS got
FROM forms, unnest('{smallint, int, bigint, numeric, real, float8}'::text[]) AS type,
	 form_and_type(form, type) AS got
GROUP BY form ORDER BY form;

-- Without options.
SELECT rnn_info(rnn_train(value ORDER BY n))->>'points' AS ordered,
	   rnn_info(rnn_train(month, value))->>'points' AS date,
	   rnn_info(rnn_train(month::timestamp, value))->>'points' AS timestamp,
	   rnn_info(rnn_train(month::timestamptz, value))->>'points' AS timestamptz
FROM monthly;

-- Literals without a type, as an analyst types them.
SELECT rnn_info(rnn_train(value, '{"network": false}' ORDER BY n))->>'points' AS ordered,
	   rnn_info(rnn_train(month, value, '{"network": false}'))->>'points' AS times,
	   rnn_info(rnn_train_history(rnn_history(month, value), '{"network": false}'))->>'points' AS history
FROM monthly;
SELECT rnn_info(rnn_train(value, NULL ORDER BY n))->>'points' AS ordered,
	   rnn_info(rnn_train(month, value, NULL))->>'points' AS times
FROM monthly;
-- NULL values are missing points, whatever their type.
SELECT rnn_info(rnn_train(month, CASE WHEN n <> 60 THEN value END, mix()))->>'points' AS hole,
	   rnn_info(rnn_train(CASE WHEN n <> 60 THEN value END, mix() ORDER BY n))->>'points' AS ordered
FROM monthly;
-- Literals that the server computes: an int and a numeric column.
SELECT try($$SELECT rnn_info(rnn_train(x, mix() ORDER BY i))->>'points'
	FROM (VALUES (1, 1.5), (2, 2.5), (3, 2.0), (4, 3.0)) AS v (i, x)$$);

-- Parameters with and without a type.
PREPARE untyped AS SELECT rnn_info(rnn_train(month, value, $1))->>'points' FROM monthly WHERE n <= $2;
EXECUTE untyped ('{"network": false}', 100);
PREPARE typed (jsonb, float8) AS
	SELECT rnn_info(rnn_train(month, value * $2, $1))->>'points' FROM monthly;
EXECUTE typed (mix(), 2);
PREPARE ordered AS SELECT rnn_info(rnn_train(value, $1 ORDER BY n))->>'points' FROM monthly;
EXECUTE ordered ('{"network": false}');
DEALLOCATE ALL;

-- No rows: no model.
SELECT rnn_train(month, value) IS NULL AS times, rnn_train(value ORDER BY n) IS NULL AS ordered,
	   rnn_history(month, value) IS NULL AS history
FROM monthly WHERE false;

-- The order counts: a warning without one.
SELECT rnn_train(value, mix()) IS NOT NULL AS trained FROM monthly;
SELECT rnn_train(value, mix() ORDER BY n) = rnn_train(value, mix() ORDER BY month) AS same,
	   rnn_train(value, mix() ORDER BY n) <> rnn_train(value, mix() ORDER BY n DESC) AS other
FROM monthly;
-- Times sort themselves.
SELECT rnn_train(month, value, mix() ORDER BY noise(n)) = rnn_train(month, value, mix() ORDER BY n) AS same
FROM monthly;
-- Same rows, options and seed: same bytes; another seed: another network.
SELECT rnn_train(month, value, small()) = rnn_train(month, value, small()) AS same,
	   rnn_train(month, value, small()) <> rnn_train(month, value, small() || '{"seed": 1}') AS other
FROM monthly;

-- Going on from a model, and observing with it.
WITH trained AS (SELECT rnn_train(month, value, small()) AS m FROM monthly WHERE n <= 100),
history AS (SELECT rnn_history(month, value) AS h FROM monthly),
more AS (SELECT rnn_train_history(h, small(), m) AS tuned, rnn_train_history(h, small()) AS fresh,
				rnn_observe(m, h) AS observed, m FROM trained, history)
SELECT tuned <> fresh AS tuned, rnn_info(m)->>'last' AS before, rnn_info(observed)->>'last' AS after,
	   rnn_info(observed)#>>'{network,steps}' = rnn_info(m)#>>'{network,steps}' AS kept
FROM more;
-- A history of another step can't be observed.
SELECT try($$SELECT rnn_observe(m, h) FROM
	(SELECT rnn_train(month, value, mix()) FROM monthly) AS a (m),
	(SELECT rnn_history(ts, value) FROM hourly) AS b (h)$$);
SELECT rnn_observe(NULL, NULL) IS NULL AS nothing;
