-- Anyone may build an aggregate over the support functions with a state of his
-- own, or call them: they must refuse what they did not make.
\t
\pset format unaligned
CREATE ROLE rnn_stranger;
GRANT CREATE ON SCHEMA public TO rnn_stranger;
GRANT EXECUTE ON FUNCTION try(text) TO rnn_stranger;
GRANT SELECT ON monthly TO rnn_stranger;
SET ROLE rnn_stranger;
SET client_min_messages = error;

-- All there are, each called by hand with nothing but NULL.
CREATE FUNCTION by_hand(function oid) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(regexp_replace(try(format('SELECT count(*) FROM %s(%s)', proname,
		(SELECT string_agg(CASE type WHEN 'anyelement'::regtype THEN 'NULL::int' WHEN 'internal'::regtype THEN 'NULL' ELSE 'NULL::' || type::regtype END, ', ' ORDER BY i)
		 FROM unnest(proargtypes::oid[]) WITH ORDINALITY AS a (type, i)))), '^\d+$', 'rows'), '^(42883|0A000) .*', 'refused')	-- minor releases differ in how
	FROM pg_proc WHERE oid = function
$$;
SELECT proname, count(*) AS forms, bool_or(prosecdef) AS definer, bool_and(has_function_privilege(oid, 'EXECUTE')) AS callable,
	   string_agg(DISTINCT by_hand(oid), '; ') AS by_hand
FROM pg_proc JOIN pg_depend ON (classid, objid, refclassid, deptype) = ('pg_proc'::regclass, pg_proc.oid, 'pg_extension'::regclass, 'e')
WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'rnnforecast') AND obj_description(pg_proc.oid, 'pg_proc') LIKE 'internal: %'
GROUP BY proname ORDER BY proname;
-- What is left is for users.
SELECT string_agg(DISTINCT proname::text COLLATE "C", ' ' ORDER BY proname::text COLLATE "C")
FROM pg_proc JOIN pg_depend ON (classid, objid, refclassid, deptype) = ('pg_proc'::regclass, pg_proc.oid, 'pg_extension'::regclass, 'e')
WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'rnnforecast') AND obj_description(pg_proc.oid, 'pg_proc') NOT LIKE 'internal: %';

-- And what isn't begins with an underscore, so that psql completes no name of it; sequences have no comment, and
-- row types and arrays, which are members since version 17, are called after their tables.
SELECT pg_describe_object(classid, objid, 0) FROM pg_depend
WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'rnnforecast') AND deptype = 'e' AND classid <> 'pg_type'::regclass
	AND (coalesce(obj_description(objid, classid::regclass::name), 'internal: ') LIKE 'internal: %') <> (pg_describe_object(classid, objid, 0) ~ '^\w+ _');

-- Direct calls, outside of an aggregate.
SELECT try($$SELECT _rnn_collect_ordered(NULL::bytea, 1.0)$$);
SELECT try($$SELECT _rnn_collect_ordered('\x00'::bytea, 1.0, '{}')$$);
SELECT try($$SELECT _rnn_collect_date(NULL::bytea, date '2024-01-01', 1.0)$$);
SELECT try($$SELECT _rnn_collect_timestamp(NULL::bytea, timestamp '2024-01-01', 1.0)$$);
SELECT try($$SELECT _rnn_collect_timestamptz(NULL::bytea, timestamptz '2024-01-01', 1.0)$$);
SELECT try($$SELECT _rnn_collect_series_date(NULL::bytea, 'a', date '2024-01-01', 1.0)$$);
SELECT try($$SELECT _rnn_collect_series_timestamp(NULL::bytea, 1, timestamp '2024-01-01', 1.0, '{}')$$);
SELECT try($$SELECT _rnn_collect_series_timestamptz(NULL::bytea, 1.5, timestamptz '2024-01-01', 1.0)$$);
SELECT try($$SELECT _rnn_collect_series_step('\x00'::bytea, NULL::text, NULL::bigint, NULL::float8)$$);
SELECT try($$SELECT _rnn_collect_combine('\x00', '\x01')$$);
SELECT try($$SELECT _rnn_train_final('\x00')$$);
SELECT try($$SELECT _rnn_train_final(NULL)$$);
SELECT try($$SELECT _rnn_history_final('\x00')$$);
SELECT try($$SELECT _rnn_forecast_support(NULL)$$) ~ '^(42883|0A000) ' AS refused;

-- A flat state in this machine's bytes: header, rows, series, names, options, checksum.
CREATE FUNCTION le(x bigint, width int DEFAULT 8) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT string_agg(substr(int8send(x), 9 - i, 1), '' ORDER BY i) FROM generate_series(1, width) AS i
$$;
CREATE TABLE crc_table AS
WITH RECURSIVE bits (byte, bit, crc) AS (
	SELECT i, 0, i::bigint FROM generate_series(0, 255) AS i
	UNION ALL SELECT byte, bit + 1, crc >> 1 # CASE crc & 1 WHEN 1 THEN 2197175160 ELSE 0 END FROM bits WHERE bit < 8)
SELECT array_agg(crc ORDER BY byte) AS crcs FROM bits WHERE bit = 8;
CREATE FUNCTION sealed(state bytea) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
DECLARE
	crcs bigint[] := (SELECT t.crcs FROM crc_table AS t);
	crc bigint := 4294967295;
BEGIN
	FOR i IN 0 .. length(state) - 1 LOOP
		crc := crc >> 8 # crcs[1 + ((crc # get_byte(state, i)) & 255)];
	END LOOP;
	RETURN state || le(crc # 4294967295, 4);
END $$;
-- Whose bytes were changed behind the header's first ones: with a checksum that is right again.
CREATE FUNCTION resealed(state bytea) RETURNS bytea LANGUAGE sql STABLE AS 'SELECT sealed(substr(state, 1, length(state) - 4))';
CREATE FUNCTION a_row(at bigint, value float8) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT le(at) || string_agg(substr(float8send(value), 9 - i, 1), '' ORDER BY i) FROM generate_series(1, 8) AS i
$$;
CREATE FUNCTION a_name(name bytea, len int DEFAULT NULL) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT le(coalesce(len, length(name)), 4) || name
$$;
CREATE FUNCTION flat(form int, keyed int, n bigint, rows bytea, n_names int DEFAULT 0, names bytea DEFAULT '',
	latest bigint DEFAULT 0, names_len bigint DEFAULT NULL, options bytea DEFAULT '', options_len bigint DEFAULT NULL,
	n_keys bigint DEFAULT 0, keys bytea DEFAULT '', keys_len bigint DEFAULT NULL)
RETURNS bytea LANGUAGE sql STABLE AS $$
	SELECT sealed('RNN4'::bytea || le(form, 4) || le(n) || le(latest) || le(keyed, 4) || le(n_names, 4) ||
		   le(coalesce(names_len, length(names))) || le(coalesce(keys_len, length(keys))) || le(n_keys) ||
		   le(coalesce(options_len, length(options))) || rows || names || keys || options)
$$;

-- Each transition function over forged states, each of them read by each
-- final function: `\x` empty, short, a text, zeros, ones, and headers that
-- promise more rows, names or options than there are.
CREATE TABLE forged (what text, state bytea);
INSERT INTO forged VALUES
	('empty', ''), ('short', '\x01'), ('text', 'not a state at all, but long enough to be one'),
	('zeros', decode(repeat('00', 64), 'hex')), ('ones', decode(repeat('ff', 64), 'hex'));
CREATE TABLE all_forged AS
SELECT row_number() OVER (ORDER BY form, keyed, n, n_names, names_len, options_len, rest) AS i,
	   format('form %s, keyed %s, %s rows, %s names of %s bytes, options of %s, %s bytes',
			  form, keyed, n, n_names, names_len, options_len, rest) AS what,
	   flat(form, keyed, n, decode(repeat('41', rest), 'hex'), n_names, names_len => names_len, options_len => options_len) AS state
FROM unnest('{0, 1, 3, 4, -1}'::int[]) AS form, generate_series(0, 1) AS keyed,
	 unnest('{0, 1, 1152921504606846976, 9223372036854775807, -1}'::bigint[]) AS n,
	 unnest('{0, 1, 2147483647, -1}'::int[]) AS n_names,
	 unnest('{0, 4, 9223372036854775807, -1}'::bigint[]) AS names_len,
	 unnest('{0, 4, 9223372036854775807, -1}'::bigint[]) AS options_len,
	 unnest('{0, 4, 16, 20, 24}'::int[]) AS rest;
INSERT INTO forged SELECT what, state FROM all_forged WHERE i % 53 = 0;

CREATE FUNCTION attack(sfunc text, args text, call text, final text) RETURNS TABLE (tried bigint, answers text[])
LANGUAGE plpgsql AS $$
DECLARE
	f forged; answer text; got text[] := '{}';
BEGIN
	tried := 0;
	FOR f IN SELECT * FROM forged LOOP
		EXECUTE format('CREATE AGGREGATE forged_train(%s) (SFUNC = %s, STYPE = bytea, INITCOND = %L%s)',
					   args, sfunc, f.state, final);
		answer := try('SELECT length(forged_train(' || call || ')::text) > 0 FROM monthly WHERE n <= 3');
		-- the SQLSTATE of each error, or the answer, once
		IF NOT left(answer, 5) = ANY (got) THEN
			got := got || left(answer, 5);
		END IF;
		EXECUTE format('DROP AGGREGATE forged_train(%s)', args);
		tried := tried + 1;
	END LOOP;
	SELECT array_agg(g ORDER BY g COLLATE "C") INTO answers FROM unnest(got) AS g;
	RETURN NEXT;
END $$;
SELECT * FROM attack('_rnn_collect_ordered', 'float8', 'value', '');
SELECT * FROM attack('_rnn_collect_ordered', 'float8, jsonb', 'value, mix()', ', FINALFUNC = _rnn_train_final');
SELECT * FROM attack('_rnn_collect_date', 'date, float8', 'month, value', ', FINALFUNC = _rnn_history_final');
SELECT * FROM attack('_rnn_collect_date', 'date, float8, jsonb', 'month, value, mix()', ', FINALFUNC = _rnn_train_final');
SELECT * FROM attack('_rnn_collect_timestamp', 'timestamp, float8', 'month, value', ', FINALFUNC = _rnn_history_final');
SELECT * FROM attack('_rnn_collect_timestamptz', 'timestamptz, float8', 'month, value', ', FINALFUNC = _rnn_history_final');
SELECT * FROM attack('_rnn_collect_series_date', 'text, date, float8', '''a'', month, value', ', FINALFUNC = _rnn_history_final');
SELECT * FROM attack('_rnn_collect_series_date', 'anyelement, date, float8, jsonb', 'n % 2, month, value, mix()', ', FINALFUNC = _rnn_train_final');
SELECT * FROM attack('_rnn_collect_series_timestamp', 'anyelement, timestamp, float8', 'n % 2, month, value', ', FINALFUNC = _rnn_history_final');
SELECT * FROM attack('_rnn_collect_series_timestamptz', 'text, timestamptz, float8, jsonb', '''a'', month, value, mix()', ', FINALFUNC = _rnn_train_final');
SELECT * FROM attack('_rnn_collect_series_step', 'anyelement, bigint, float8', 'n % 2, n, value', ', FINALFUNC = _rnn_history_final');
SELECT * FROM attack('_rnn_collect_series_step', 'text, bigint, float8, jsonb', '''a'', n, value, mix()', ', FINALFUNC = _rnn_train_final');
SELECT * FROM attack('_rnn_collect_combine', 'bytea', 'value::text::bytea', ', FINALFUNC = _rnn_history_final');
-- The final functions on bytes that no transition function touched.
CREATE FUNCTION keep_state(bytea, float8) RETURNS bytea LANGUAGE sql AS 'SELECT $1';
SELECT * FROM attack('keep_state', 'float8', 'value', ', FINALFUNC = _rnn_history_final');
SELECT * FROM attack('keep_state', 'float8', 'value', ', FINALFUNC = _rnn_train_final');

-- All of them as what other processes sent.
CREATE AGGREGATE joined(bytea) (SFUNC = _rnn_collect_combine, STYPE = bytea, FINALFUNC = _rnn_history_final);
CREATE AGGREGATE joined_train(bytea) (SFUNC = _rnn_collect_combine, STYPE = bytea, FINALFUNC = _rnn_train_final);
SELECT count(*) AS tried, array_agg(DISTINCT left(try(format('SELECT joined(%L) IS NOT NULL', state)), 5) COLLATE "C") AS answers
FROM all_forged;

-- States of panels, each with one thing wrong.
CREATE FUNCTION panel(form int DEFAULT 1, keyed int DEFAULT 1, n bigint DEFAULT 2,
	rows bytea DEFAULT a_row(0, 1) || a_row(86400000000, 2), series bytea DEFAULT le(0, 4) || le(1, 4),
	n_names int DEFAULT 2, names bytea DEFAULT a_name('a') || a_name('b'), latest bigint DEFAULT 0,
	names_len bigint DEFAULT NULL, options bytea DEFAULT '', options_len bigint DEFAULT NULL,
	n_keys bigint DEFAULT 0, keys bytea DEFAULT '', keys_len bigint DEFAULT NULL)
RETURNS bytea LANGUAGE sql STABLE AS
	'SELECT flat(form, keyed, n, rows || series, n_names, names, latest, names_len, options, options_len, n_keys, keys, keys_len)';
-- A covariate: kind (0 nothing, 1 numbers, 2 text), name, texts, values of the rows.
CREATE FUNCTION a_key(kind int, name bytea, vals bytea, words bytea DEFAULT '', n_words int DEFAULT 0)
RETURNS bytea LANGUAGE sql IMMUTABLE AS 'SELECT le(kind, 4) || name || le(n_words, 4) || words || vals';
CREATE TABLE wrong (i serial, what text, state bytea);
INSERT INTO wrong (what, state) VALUES
	('nothing', panel()),
	('nothing, options', panel(options => '{"network": false}')),
	('nothing, an empty name', panel(names => a_name('') || a_name('b'))),
	('nothing, an umlaut', panel(names => a_name('\xc3a4') || a_name('b'))),
	('nothing, the longest name', panel(names => a_name(repeat('x', 10000)::bytea) || a_name('b'))),
	('nothing, a series without rows', panel(series => le(0, 4) || le(0, 4))),
	('nothing, steps', panel(form => 4)),
	('nothing, no rows', panel(n => 0, rows => '', series => '')),
	('nothing, one series', panel(keyed => 0, n_names => 0, names => '', series => '')),
	('nothing, an ordered column', panel(form => 0, keyed => 0, n_names => 0, names => '', series => '')),
	('a row more', panel(n => 3)),
	('a row less', panel(n => 1)),
	('no rows, but bytes of them', panel(n => 0)),
	('-1 rows', panel(n => -1)),
	('2^60 rows', panel(n => 1152921504606846976)),
	('2^63 - 1 rows', panel(n => 9223372036854775807)),
	('form 0', panel(form => 0)),
	('form 5', panel(form => 5)),
	('form -1', panel(form => -1)),
	('keyed 0', panel(keyed => 0)),
	('keyed 0 without names', panel(keyed => 0, n_names => 0, names => '')),
	('keyed 0, steps', panel(form => 4, keyed => 0, n_names => 0, names => '', series => '')),
	('keyed 0, latest', panel(keyed => 0, n_names => 0, names => '', series => '', latest => 1)),
	('keyed 2', panel(keyed => 2)),
	('keyed -1', panel(keyed => -1)),
	('a name more', panel(n_names => 3)),
	('a name less', panel(n_names => 1)),
	('no names', panel(n_names => 0, names => '')),
	('-1 names', panel(n_names => -1)),
	('2^31 - 1 names', panel(n_names => 2147483647)),
	('names cut short', panel(names => a_name('a') || '\x0100')),
	('names cut short by their length', panel(names_len => 8)),
	('names longer by their length', panel(names_len => 11)),
	('names of -1 bytes', panel(names_len => -1)),
	('names of 2^63 - 1 bytes', panel(names_len => 9223372036854775807)),
	('a name longer than all', panel(names => a_name('a') || a_name('b', 2))),
	('a name of -1 bytes', panel(names => a_name('a') || a_name('b', -1))),
	('a name of 2^31 - 1 bytes', panel(names => a_name('a') || a_name('b', 2147483647))),
	('a name too long', panel(names => a_name(repeat('x', 10001)::bytea) || a_name('b'))),
	('a zero byte in a name', panel(names => a_name('\x6100') || a_name('b'))),
	('a name in Latin 1', panel(names => a_name('\xe4') || a_name('b'))),
	('half a character', panel(names => a_name('\xc3') || a_name('\xa4'))),
	('a surrogate', panel(names => a_name('\xeda080') || a_name('b'))),
	('a name twice', panel(names => a_name('a') || a_name('a'))),
	('a row of series 2', panel(series => le(0, 4) || le(2, 4))),
	('a row of series -1', panel(series => le(-1, 4) || le(0, 4))),
	('a row of series 2^31 - 1', panel(series => le(0, 4) || le(2147483647, 4))),
	('latest -1', panel(latest => -1)),
	('latest 2^40 + 1', panel(latest => 1099511627777)),
	('latest 2^63 - 1', panel(latest => 9223372036854775807)),
	('nothing, latest 1', panel(n_names => 1, names => a_name('a'), series => le(0, 4) || le(0, 4), latest => 1)),
	('infinity', panel(rows => a_row(0, 'infinity') || a_row(86400000000, 2))),
	('-infinity', panel(rows => a_row(0, 1) || a_row(86400000000, '-infinity'))),
	('NaN', panel(rows => a_row(0, 'NaN') || a_row(86400000000, 2))),
	('infinity of one series', panel(rows => a_row(0, 'infinity') || a_row(86400000000, 2), keyed => 0, n_names => 0, names => '', series => '')),
	('time infinity', panel(rows => a_row(0, 1) || a_row(9223372036854775807, 2))),
	('time -infinity', panel(rows => a_row((-9223372036854775808)::bigint, 1) || a_row(0, 2))),
	('time 4713 BC', panel(rows => a_row(-211813488000000000, 1) || a_row(0, 2))),
	('a step past 10^15', panel(form => 4, rows => a_row(1000000000000001, 1) || a_row(0, 2))),
	('the last and the first step', panel(form => 4, rows => a_row((-9223372036854775808)::bigint, 1) || a_row(9223372036854775807, 2))),
	('the last and the first step of one series', panel(form => 4, n_names => 1, names => a_name('a'), series => le(0, 4) || le(0, 4),
		rows => a_row((-9223372036854775808)::bigint, 1) || a_row(9223372036854775807, 2))),
	('steps far apart', panel(form => 4, n_names => 1, names => a_name('a'), series => le(0, 4) || le(0, 4),
		rows => a_row(-4611686018427387904, 1) || a_row(4611686018427387903, 2))),
	('a time twice', panel(rows => a_row(0, 1) || a_row(0, 2), n_names => 1, names => a_name('a'), series => le(0, 4) || le(0, 4))),
	('nothing, a number', panel(n_keys => 1, keys => a_key(1, a_name('k'), '\x0000803f0000c07f'))),
	('nothing, a text', panel(n_keys => 1, keys => a_key(2, a_name('k'), '\x0000803f00000000', a_name('u') || a_name('v'), 2))),
	('nothing, both', panel(n_keys => 2, keys => a_key(1, a_name('n'), '\x0000803f0000c07f') ||
							a_key(2, a_name('k'), '\x0000803f00000000', a_name('u') || a_name('v'), 2))),
	('nothing, a key of which all is missing', panel(n_keys => 1, keys => a_key(0, a_name('k'), '\x0000c07f0000c07f'))),
	('nothing, a key of an ordered column', panel(form => 0, keyed => 0, n_names => 0, names => '', series => '',
												  n_keys => 1, keys => a_key(1, a_name('k'), '\x0000803f0000c07f'))),
	('no keys, but bytes of them', panel(n_keys => 0, keys => a_key(1, a_name('k'), '\x0000803f0000c07f'))),
	('a key more', panel(n_keys => 2, keys => a_key(1, a_name('k'), '\x0000803f0000c07f'))),
	('65 keys', panel(n_keys => 65)),
	('-1 keys', panel(n_keys => -1)),
	('keys of -1 bytes', panel(keys_len => -1)),
	('keys of 2^63 - 1 bytes', panel(n_keys => 1, keys_len => 9223372036854775807)),
	('a key twice', panel(n_keys => 2, keys => a_key(1, a_name('k'), '\x0000803f0000c07f') || a_key(1, a_name('k'), '\x0000803f0000c07f'))),
	('a key without a name', panel(n_keys => 1, keys => a_key(1, a_name(''), '\x0000803f0000c07f'))),
	('a key with a long name', panel(n_keys => 1, keys => a_key(1, a_name(repeat('k', 256)::bytea), '\x0000803f0000c07f'))),
	('a zero byte in a key', panel(n_keys => 1, keys => a_key(1, a_name('\x6b00'), '\x0000803f0000c07f'))),
	('a key in Latin 1', panel(n_keys => 1, keys => a_key(1, a_name('\xe4'), '\x0000803f0000c07f'))),
	('a key of -1 bytes', panel(n_keys => 1, keys => a_key(1, a_name('k', -1), '\x0000803f0000c07f'))),
	('a key of kind 3', panel(n_keys => 1, keys => a_key(3, a_name('k'), '\x0000803f0000c07f'))),
	('too few values', panel(n_keys => 1, keys => a_key(1, a_name('k'), '\x0000803f'))),
	('too many values', panel(n_keys => 1, keys => a_key(1, a_name('k'), '\x0000803f0000c07f0000803f'))),
	('an infinite covariate', panel(n_keys => 1, keys => a_key(1, a_name('k'), '\x0000807f0000c07f'))),
	('a number of a key of kind 0', panel(n_keys => 1, keys => a_key(0, a_name('k'), '\x0000803f0000c07f'))),
	('text 2 of 2', panel(n_keys => 1, keys => a_key(2, a_name('k'), '\x0000004000000000', a_name('u') || a_name('v'), 2))),
	('text -1', panel(n_keys => 1, keys => a_key(2, a_name('k'), '\x000080bf00000000', a_name('u') || a_name('v'), 2))),
	('half a text', panel(n_keys => 1, keys => a_key(2, a_name('k'), '\x0000003f00000000', a_name('u') || a_name('v'), 2))),
	('a text twice', panel(n_keys => 1, keys => a_key(2, a_name('k'), '\x0000803f00000000', a_name('u') || a_name('u'), 2))),
	('texts of a number', panel(n_keys => 1, keys => a_key(1, a_name('k'), '\x0000803f00000000', a_name('u'), 1))),
	('2^31 - 1 texts', panel(n_keys => 1, keys => a_key(2, a_name('k'), '\x0000803f00000000', a_name('u'), 2147483647))),
	('-1 texts', panel(n_keys => 1, keys => a_key(2, a_name('k'), '\x0000803f00000000', a_name('u'), -1))),
	('a long text', panel(n_keys => 1, keys => a_key(2, a_name('k'), '\x0000000000000000', a_name(repeat('u', 1001)::bytea), 1))),
	('options no JSON', panel(options => '{"network": ')),
	('options no object', panel(options => '[1]')),
	('options with a zero byte', panel(options => '\x7b007d')),
	('options in Latin 1', panel(options => '\x7b22e4223a317d')),
	('options of -1 bytes', panel(options_len => -1)),
	('options longer', panel(options => '{}', options_len => 3));
SELECT what, try(format('SELECT rnn_info(joined(%L))->>''points''', state)) AS history,
	   nullif(try(format('SELECT rnn_info(joined_train(%L))->>''points''', state)),
			  try(format('SELECT rnn_info(joined(%L))->>''points''', state))) AS train
FROM wrong ORDER BY i;
-- The same before a row more.
TRUNCATE forged;
INSERT INTO forged SELECT what, state FROM wrong;
SELECT * FROM attack('_rnn_collect_series_date', 'text, date, float8', '''a'', month, value', ', FINALFUNC = _rnn_history_final');
SELECT * FROM attack('_rnn_collect_series_date', 'anyelement, date, float8, jsonb', 'n % 2, month, value, mix()', ', FINALFUNC = _rnn_train_final');
SELECT * FROM attack('_rnn_collect_covariates_series_date', 'text, date, float8, jsonb, jsonb', '''a'', month, value, ''{"k": "u", "l": 3}'', NULL', ', FINALFUNC = _rnn_history_final');
SELECT * FROM attack('_rnn_collect_covariates_date', 'date, float8, jsonb, jsonb', 'month, value, ''{"k": 3}'', mix()', ', FINALFUNC = _rnn_train_final');
SELECT * FROM attack('_rnn_collect_covariates_timestamp', 'timestamp, float8, jsonb, jsonb', 'month, value, ''{"k": 3}'', mix()', ', FINALFUNC = _rnn_train_final');
SELECT * FROM attack('_rnn_collect_covariates_timestamptz', 'timestamptz, float8, jsonb, jsonb', 'month, value, ''{"k": "u"}'', mix()', ', FINALFUNC = _rnn_train_final');
SELECT * FROM attack('_rnn_collect_covariates_series_step', 'text, bigint, float8, jsonb, jsonb', '''a'', n, value, ''{"k": "u", "l": 3}'', NULL', ', FINALFUNC = _rnn_history_final');
SELECT * FROM attack('_rnn_collect_covariates_series_timestamp', 'text, timestamp, float8, jsonb, jsonb', '''a'', month, value, ''{"k": 3}'', NULL', ', FINALFUNC = _rnn_history_final');
SELECT * FROM attack('_rnn_collect_covariates_series_timestamptz', 'anyelement, timestamptz, float8, jsonb, jsonb', 'n % 2, month, value, ''{"k": 3}'', NULL', ', FINALFUNC = _rnn_history_final');
SELECT * FROM attack('_rnn_collect_series_timestamp', 'text, timestamp, float8', '''a'', month, value', ', FINALFUNC = _rnn_history_final');
SELECT * FROM attack('_rnn_collect_series_timestamptz', 'anyelement, timestamptz, float8', 'n % 2, month, value', ', FINALFUNC = _rnn_history_final');
SELECT * FROM attack('_rnn_collect_series_step', 'text, bigint, float8', '''a'', n, value', ', FINALFUNC = _rnn_train_final');
SELECT * FROM attack('_rnn_collect_date', 'date, float8', 'month, value', ', FINALFUNC = _rnn_history_final');
SELECT * FROM attack('_rnn_collect_ordered', 'float8', 'value', ', FINALFUNC = _rnn_history_final');
-- Two of them joined: kinds that differ, options that differ, one name at two places.
SELECT what, try(format('SELECT rnn_info(joined(s))->>''points'' FROM (VALUES (%L::bytea), (%L)) AS t (s)', panel(options => '{}'), state))
FROM (VALUES ('steps', panel(form => 4)), ('timestamps', panel(form => 2)),
	  ('one series', panel(keyed => 0, n_names => 0, names => '', series => '')),
	  ('other options', panel(options => '{"seed": 1}')),
	  ('other times', panel(rows => a_row(86400000000, 3) || a_row(0, 4))),
	  ('names the other way round', panel(names => a_name('b') || a_name('a'))),
	  ('the same rows', panel()),
	  ('only the latest', panel(rows => a_row(172800000000, 3) || a_row(259200000000, 4), latest => 1))) AS t (what, state);

SELECT try(format('SELECT rnn_info(joined(s))->>''points'' FROM (VALUES (%L::bytea), (%L)) AS t (s)',
				  panel(n_keys => 1, keys => a_key(1, a_name('k'), '\x0000803f0000c07f')),
				  panel(n_keys => 1, keys => a_key(2, a_name('k'), '\x0000000000000000', a_name('u'), 1))));

-- Every byte of a panel's state changed, three ways; every length.
CREATE TABLE built AS
	SELECT panel(n => 4, rows => a_row(0, 1) || a_row(86400000000, 2) || a_row(0, 3) || a_row(86400000000, 'NaN'),
		series => le(0, 4) || le(0, 4) || le(1, 4) || le(1, 4), names => a_name('ab') || a_name('cde'),
		options => '{"network": false}', n_keys => 2, keys => a_key(1, a_name('n'), '\x0000803f0000c07f00000000000080bf') ||
		a_key(2, a_name('k'), '\x0000803f000000000000c07f0000803f', a_name('u') || a_name('v'), 2)) AS state;
CREATE FUNCTION genuine() RETURNS bytea LANGUAGE sql STABLE AS 'SELECT state FROM built';
SELECT try(format('SELECT rnn_info(joined_train(%L))->>''points''', genuine()));
SELECT count(left(try(format('SELECT length(joined_train(%L)) > 0', resealed(set_byte(genuine(), i,
		   CASE way WHEN 0 THEN 255 - get_byte(genuine(), i) WHEN 1 THEN get_byte(genuine(), i) # 1 ELSE 128 END)))), 5)) / 3 = length(genuine())
FROM generate_series(0, length(genuine()) - 1) AS i, generate_series(0, 2) AS way;
SELECT array_agg(DISTINCT left(try(format('SELECT joined(%L) IS NOT NULL', substr(genuine(), 1, i))), 5) COLLATE "C")
FROM generate_series(0, length(genuine()) - 1) AS i;
-- Whatever was changed on the way, the checksum tells; another version of the format is told by its number.
SELECT DISTINCT try(format('SELECT joined(%L)', set_byte(genuine(), i, 255 - get_byte(genuine(), i))))
FROM generate_series(4, length(genuine()) - 1) AS i;
SELECT try(format('SELECT joined(%L)', set_byte(genuine(), 3, get_byte(genuine(), 3) - 1)));
-- Three bytes changed at random.
SELECT count(left(try(format('SELECT length(joined(%L)) > 0',
	resealed(set_byte(set_byte(set_byte(genuine(), at[1], to_[1]), at[2], to_[2]), at[3], to_[3])))), 5))
FROM (SELECT array_agg(abs(hashint8(1000 * i + j)) % length(genuine())) AS at,
			 array_agg(abs(hashint8(-1000 * i - j)) % 256) AS to_
	  FROM generate_series(1, 1500) AS i, generate_series(1, 3) AS j GROUP BY i) AS t;

-- A state of one type of time handed to another.
CREATE AGGREGATE mixed(date, float8) (SFUNC = _rnn_collect_date, STYPE = bytea);
CREATE FUNCTION state_of() RETURNS bytea LANGUAGE sql AS 'SELECT mixed(month, value) FROM monthly';
CREATE FUNCTION forge(state bytea, value float8) RETURNS bytea LANGUAGE sql AS 'SELECT state_of()';
CREATE FUNCTION two_steps(state bytea, value float8) RETURNS bytea LANGUAGE sql AS 'SELECT $1';
SELECT length(state_of()) > 120 * 16 AS flat;
CREATE AGGREGATE confused(float8) (SFUNC = forge, STYPE = bytea, FINALFUNC = _rnn_history_final);
SELECT try('SELECT rnn_info(confused(value))->>''points'' FROM monthly');
DO $$ BEGIN
	EXECUTE format('CREATE AGGREGATE other(float8) (SFUNC = _rnn_collect_ordered, STYPE = bytea, INITCOND = %L)', state_of());
END $$;
SELECT try('SELECT other(value) FROM monthly');
-- A genuine flat state is read, and grown as a copy.
DO $$ BEGIN
	EXECUTE format('CREATE AGGREGATE more(date, float8) (SFUNC = _rnn_collect_date, STYPE = bytea, FINALFUNC = _rnn_history_final, INITCOND = %L)', state_of());
END $$;
SELECT try('SELECT rnn_info(more((month + interval ''10 years'')::date, value))->>''points'' FROM monthly');
SELECT try('SELECT rnn_info(more((month + interval ''10 years'')::date, value) OVER (ORDER BY n))->>''points'' FROM monthly OFFSET 119');
-- Each byte of a genuine one turned over: an answer or an error, and a server that lives.
CREATE FUNCTION turn(state bytea, value float8, at int) RETURNS bytea LANGUAGE sql AS
	'SELECT resealed(set_byte(state_of(), at, 255 - get_byte(state_of(), at)))';
CREATE AGGREGATE turned(float8, int) (SFUNC = turn, STYPE = bytea, FINALFUNC = _rnn_history_final);
SELECT count(try(format('SELECT length(turned(value, %s)) > 0 FROM monthly WHERE n = 1', i)))
FROM generate_series(0, 80) AS i;
-- An expanded object of another kind: an array, as bytea.
SELECT try($$CREATE AGGREGATE arrays(float8) (SFUNC = _rnn_collect_ordered, STYPE = float8[])$$);
-- The aggregate's functions in other kinds of aggregates.
CREATE AGGREGATE moving(float8) (SFUNC = _rnn_collect_ordered, STYPE = bytea, FINALFUNC = _rnn_history_final,
	MSFUNC = _rnn_collect_ordered, MSTYPE = bytea, MINVFUNC = two_steps, MFINALFUNC = _rnn_history_final);
SELECT try('SELECT count(h) FROM (SELECT moving(value) OVER (ORDER BY n ROWS 3 PRECEDING) AS h FROM monthly WHERE n <= 9) AS t');
CREATE AGGREGATE moving_panel(anyelement, bigint, float8) (SFUNC = _rnn_collect_series_step, STYPE = bytea, FINALFUNC = _rnn_history_final,
	MSFUNC = _rnn_collect_series_step, MSTYPE = bytea, MINVFUNC = _rnn_collect_series_step, MFINALFUNC = _rnn_history_final);
SELECT try('SELECT count(h) FROM (SELECT moving_panel(n % 2, n, value) OVER (ORDER BY n ROWS 3 PRECEDING) AS h FROM monthly WHERE n <= 9) AS t');
SELECT try($$CREATE AGGREGATE wrong_key(bytea, bigint, float8) (SFUNC = _rnn_collect_series_date, STYPE = bytea)$$);
CREATE AGGREGATE chain(bytea) (SFUNC = rnn_observe, STYPE = bytea);
SELECT try('SELECT chain(h) IS NULL FROM (SELECT rnn_history(value ORDER BY n) FROM monthly) AS t (h)');

RESET ROLE;
SET client_min_messages = warning;
DROP OWNED BY rnn_stranger CASCADE;
DROP ROLE rnn_stranger;
RESET client_min_messages;
SELECT count(*) FROM monthly;
\t
\pset format aligned
