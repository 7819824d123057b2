-- Every form of the aggregates that there is, with every type of value, and
-- with literals, NULL and parameters without a type in each place.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE TEMP TABLE forms AS
SELECT p.oid, proname::text AS name, array_agg(arg::text ORDER BY i) AS args, array_agg(format_type(type, NULL) ORDER BY i) AS types
FROM pg_proc AS p, unnest(proargnames, string_to_array(proargtypes::text, ' ')::oid[]) WITH ORDINALITY AS a (arg, type, i)
WHERE prokind = 'a' AND provariadic = 0 AND proname IN ('rnn_train', 'rnn_history') GROUP BY p.oid, proname;
SELECT name, count(*) AS forms FROM forms GROUP BY name ORDER BY name;

-- A call of a form on the rows of monthly, an argument other than usual.
CREATE FUNCTION call(f forms, other text DEFAULT '', value text DEFAULT '') RETURNS text LANGUAGE sql AS $$
	SELECT format('%s(%s%s)', f.name, string_agg(CASE WHEN arg = other THEN value ELSE
			CASE arg WHEN 'series' THEN CASE type WHEN 'text' THEN '''of '' || n % 2' ELSE 'n % 2' END
				WHEN 'ts' THEN 'month::' || type WHEN 'step' THEN 'n::bigint' WHEN 'value' THEN 'round(value)::float8'
				WHEN 'covariates' THEN '''{}''::jsonb'
				WHEN 'options' THEN CASE f.name WHEN 'rnn_train' THEN 'mix()' ELSE '''{"on_error": "skip"}''::jsonb' END END END, ', ' ORDER BY i),
		CASE WHEN f.args[1] = 'value' THEN ' ORDER BY n' END)
	FROM unnest(f.args, f.types) WITH ORDINALITY AS a (arg, type, i)
$$;
SELECT count(DISTINCT call(f)) AS calls, call(f) ~ 'NULL' AS unknown FROM forms AS f GROUP BY 2;

-- Integers, numeric and floats: the bytes are those of float8.
CREATE FUNCTION sum_of(f forms, type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	sum text;
BEGIN
	EXECUTE format('SELECT md5(%s) FROM monthly', call(f, 'value', 'round(value)::' || type)) INTO sum;
	RETURN sum;
END $$;
SELECT name, args, count(*) AS forms, bool_and(alike) AS alike
FROM (SELECT name, array_to_string(args, ', ') AS args,
			 (SELECT count(sum_of(f, type)) = 7 AND count(DISTINCT sum_of(f, type)) = 1
			  FROM unnest('{smallint, int, bigint, numeric, "numeric(9, 2)", real, float8}'::text[]) AS type) AS alike
	  FROM forms AS f) AS t
GROUP BY 1, 2 ORDER BY 1 DESC, 2;

-- One row, in which one argument has no type.
CREATE FUNCTION untyped(f forms, arg text, kind text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	literal text := CASE arg WHEN 'value' THEN '5' WHEN 'series' THEN 'a' WHEN 'ts' THEN '2024-01-01' WHEN 'step' THEN '7'
		ELSE CASE WHEN arg = 'options' AND f.name = 'rnn_history' THEN '{"on_error": "fail"}' ELSE '{}' END END;
	query text;
	answer text;
BEGIN
	query := format('SELECT rnn_info(%s)->>''points'' FROM monthly WHERE n = 1',
					call(f, arg, CASE kind WHEN 'literal' THEN quote_literal(literal) WHEN 'parameter' THEN '$1' ELSE 'NULL' END));
	BEGIN
		IF kind = 'parameter' THEN
			EXECUTE 'PREPARE untyped AS ' || query;
			query := format('EXECUTE untyped (%L)', literal);
		END IF;
		EXECUTE query INTO answer;
	EXCEPTION WHEN others THEN
		answer := sqlstate;
	END;
	DEALLOCATE ALL;
	RETURN answer;
END $$;
SELECT name, array_to_string(args, ', ') AS args, arg, string_agg(DISTINCT untyped(f, arg, 'literal'), ' ') AS literal,
	   string_agg(DISTINCT untyped(f, arg, 'parameter'), ' ') AS parameter, string_agg(DISTINCT untyped(f, arg, 'NULL'), ' ') AS "NULL"
FROM forms AS f, unnest(args) AS arg GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2, 3;
-- Nothing but options has no type, as applications have it.
PREPARE train AS SELECT rnn_info(rnn_train($1::text, month, value, $2))->>'points' AS points FROM monthly WHERE n <= $3;
EXECUTE train ('a', '{"network": false}', 100);
PREPARE moving AS SELECT n, rnn_info(m)->>'points' AS points
FROM (SELECT n, rnn_train($1::text, month, value, $2) FILTER (WHERE n % 2 = 0)
			 OVER (ORDER BY n ROWS BETWEEN 5 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW) AS m FROM monthly) AS t WHERE n IN (1, 2, 60, 120) ORDER BY n;
EXECUTE moving ('a', '{"network": false}');
DEALLOCATE ALL;
