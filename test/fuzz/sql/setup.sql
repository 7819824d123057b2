-- What random statements find in the database: it belongs to "keeper", who has
-- created the extension in public and is no superuser; alice and bob may create.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
GRANT CREATE, USAGE ON SCHEMA public TO PUBLIC;
GRANT SELECT ON pg_catalog.pg_backend_memory_contexts TO PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_get_backend_memory_contexts TO PUBLIC;
SET SESSION AUTHORIZATION keeper;
CREATE EXTENSION rnnforecast;
RESET SESSION AUTHORIZATION;

CREATE TYPE mood AS ENUM ('low', 'so so', 'high');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN short AS text CHECK (length(VALUE) < 20);
CREATE TABLE small AS
SELECT n, n % 3 AS g, chr(65 + n % 3) AS s, date '2024-01-01' + n / 3 AS d, timestamp '2024-03-30' + n / 3 * interval '1 hour' AS t,
	   timestamptz '2024-03-30 00:00+00' + n / 3 * interval '1 hour' AS z, n / 3 % 7 + n % 5 / 10.0::float8 AS v,
	   jsonb_build_object('a', n % 4, 'b', 'w' || n % 3) AS c
FROM generate_series(0, 89) AS n;
CREATE TABLE big AS
SELECT n, n % 40 AS g, chr(65 + n % 40) AS s, date '2024-01-01' + n / 40 AS d, timestamp '2024-03-30' + n / 40 * interval '1 hour' AS t,
	   timestamptz '2024-03-30 00:00+00' + n / 40 * interval '1 hour' AS z, n / 40 % 7 + n % 5 / 10.0::float8 AS v,
	   CASE WHEN n % 100 = 99 THEN jsonb_build_object('k' || n % 7, n) ELSE '{}' END AS c
FROM generate_series(0, 3999) AS n;
CREATE TABLE guarded AS TABLE small;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON guarded USING (g < 2);
CREATE TABLE written (n int);
CREATE VIEW growing AS SELECT d, v + random() AS v FROM small WHERE g = 0;
GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC;
REVOKE ALL ON _rnn_registry, _rnn_registry_version, _rnn_registry_run, _rnn_registry_grant FROM PUBLIC;
-- Functions that a query may hide: they write, err, or change settings.
CREATE FUNCTION writes() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO written VALUES (1) RETURNING n';
CREATE FUNCTION errs(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN IF n = 17 THEN RAISE 'erred'; END IF; RETURN n; END $$;
CREATE FUNCTION changes() RETURNS int LANGUAGE sql VOLATILE AS
	$$SELECT 1 FROM set_config('search_path', '', false), set_config('TimeZone', 'Asia/Tokyo', false) AS z$$;
CREATE FUNCTION trains() RETURNS int LANGUAGE sql VOLATILE AS
	$$SELECT length(rnn_train(d, v, '{"network": false}')) FROM small WHERE g = 0$$;

-- Whether numbers are finite, and ascend where they must.
CREATE FUNCTION bad(float8) RETURNS bool LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT $1 IS NOT NULL AND NOT ($1 > '-Infinity' AND $1 < 'Infinity')$$;
CREATE FUNCTION bad(float8[]) RETURNS bool LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT coalesce('NaN' = ANY ($1) OR 'Infinity' = ANY ($1) OR '-Infinity' = ANY ($1), false)$$;
CREATE FUNCTION crossed(float8[]) RETURNS bool LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	'SELECT EXISTS (SELECT FROM generate_subscripts($1, 1) AS i WHERE $1[i + 1] < $1[i])';

-- Models, histories and states to begin with.
CREATE TABLE kept (i serial PRIMARY KEY, kind text, m bytea);
INSERT INTO kept (kind, m)
SELECT 'model', rnn_train(d, v, '{"network": false, "horizon": 5}') FROM small WHERE g = 0 UNION ALL
SELECT 'model', rnn_train(s, t, v, '{"network": false, "keep": 12}') FROM small UNION ALL
SELECT 'model', rnn_train(s, z, v, '{"start": "scratch", "steps": 2, "hidden": 2, "layers": 1, "members": 1, "context": 8, "patch": 2, "horizon": 3, "seasons": [7], "keep": 12}') FROM small UNION ALL
SELECT 'model', rnn_train(s, t, v, c, '{"start": "scratch", "steps": 2, "hidden": 2, "layers": 1, "members": 2, "context": 8, "patch": 1, "horizon": 3, "seasons": [7], "cell": "lstm", "known_ahead": "all", "keep": 12}') FROM small UNION ALL
SELECT 'model', rnn_train(v, '{"start": "prior", "horizon": 4, "keep": 12}' ORDER BY n) FROM small WHERE g = 0 UNION ALL
SELECT 'model', rnn_train(s, n, v, '{"network": false, "step": 3, "gaps": "previous"}') FROM small UNION ALL
SELECT 'model', rnn_train((date '2020-01-31' + n * interval '1 month')::date, v + 1, '{"network": false, "transform": "log", "seasons": [12, 24]}') FROM small UNION ALL
SELECT 'model', rnn_prior() UNION ALL
SELECT 'history', rnn_history(d, v) FROM small WHERE g = 0 UNION ALL
SELECT 'history', rnn_history(s, t, v) FROM small UNION ALL
SELECT 'history', rnn_history(s, z, CASE WHEN n < 80 THEN v END, c, '{}') FROM small UNION ALL
SELECT 'history', rnn_history(s, n, v, '{"gaps": "interpolate", "step": 1}') FROM small UNION ALL
SELECT 'history', rnn_history(v ORDER BY n) FROM small;
-- States as other processes would send them: what each transition function
-- makes, without a final function.
DO $$
DECLARE f record; i int := 0;
BEGIN
	FOR f IN SELECT DISTINCT t.oid::regproc::text AS name, (SELECT string_agg(type::regtype::text, ', ' ORDER BY k) FROM unnest(t.proargtypes::oid[]) WITH ORDINALITY AS u (type, k) WHERE k > 1) AS args,
			 (SELECT string_agg(CASE type::regtype::text WHEN 'date' THEN 'd' WHEN 'timestamp without time zone' THEN 't' WHEN 'timestamp with time zone' THEN 'z'
				WHEN 'bigint' THEN 'n' WHEN 'double precision' THEN 'v' WHEN 'double precision[]' THEN 'array_fill(v, ARRAY[15])' WHEN 'text' THEN 's' WHEN 'anyelement' THEN 'g' WHEN 'jsonb' THEN CASE WHEN k = cardinality(t.proargtypes::oid[]) THEN '''{}''' ELSE 'c' END END, ', ' ORDER BY k)
			  FROM unnest(t.proargtypes::oid[]) WITH ORDINALITY AS u (type, k) WHERE k > 1) AS call
		FROM pg_aggregate JOIN pg_proc AS t ON t.oid = aggtransfn
			 JOIN pg_depend ON (classid, objid, refclassid, deptype) = ('pg_proc'::regclass, aggfnoid, 'pg_extension'::regclass, 'e')
		WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'rnnforecast') AND aggtranstype = 'bytea'::regtype ORDER BY 1, 2
	LOOP
		CONTINUE WHEN f.call IS NULL OR f.args ~ 'bytea|record';
		EXECUTE format('CREATE AGGREGATE fuzz_state(%s) (SFUNC = %s, STYPE = bytea)', f.args, f.name);
		EXECUTE format('INSERT INTO kept (kind, m) SELECT ''state'', fuzz_state(%s) FROM (SELECT * FROM small WHERE n < 9 ORDER BY n) AS s', f.call);
		EXECUTE format('DROP AGGREGATE fuzz_state(%s)', f.args);
	END LOOP;
END $$;
INSERT INTO kept (kind, m) VALUES ('bytes', ''), ('bytes', '\x00'), ('bytes', NULL), ('bytes', 'RNNF'), ('bytes', 'RNN3');
-- One that lies outside of its row, and a compressed one.
INSERT INTO kept (kind, m) SELECT 'history', rnn_history(s, t, v) FROM big;
GRANT SELECT ON kept TO PUBLIC;
ANALYZE;
