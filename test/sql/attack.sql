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

-- Direct calls, outside of an aggregate.
SELECT try($$SELECT rnn_collect_ordered(NULL::bytea, 1.0)$$);
SELECT try($$SELECT rnn_collect_ordered('\x00'::bytea, 1.0, '{}')$$);
SELECT try($$SELECT rnn_collect_date(NULL::bytea, date '2024-01-01', 1.0)$$);
SELECT try($$SELECT rnn_collect_timestamp(NULL::bytea, timestamp '2024-01-01', 1.0)$$);
SELECT try($$SELECT rnn_collect_timestamptz(NULL::bytea, timestamptz '2024-01-01', 1.0)$$);
SELECT try($$SELECT rnn_collect_combine('\x00', '\x01')$$);
SELECT try($$SELECT rnn_train_final('\x00')$$);
SELECT try($$SELECT rnn_train_final(NULL)$$);
SELECT try($$SELECT rnn_history_final('\x00')$$);
SELECT try($$SELECT rnn_forecast_support(NULL)$$);

-- Each transition function over forged states, each of them read by each
-- final function: `\x` empty, short, a text, zeros, ones, and headers that
-- promise more rows or longer options than there are.
CREATE TABLE forged (what text, state bytea);
INSERT INTO forged VALUES
	('empty', ''), ('short', '\x01'), ('text', 'not a state at all, but long enough to be one'),
	('zeros', decode(repeat('00', 64), 'hex')), ('ones', decode(repeat('ff', 64), 'hex'));
-- magic "RNN1", form, count of rows, length of options, rest
INSERT INTO forged
SELECT format('form %s, %s rows, %s options, %s bytes', form, n, options, rest),
	   decode('524e4e31', 'hex') || decode(form, 'hex') || decode(n, 'hex') || decode(options, 'hex') ||
	   decode(repeat('41', rest), 'hex')
FROM unnest('{00000000, 01000000, 03000000, 04000000, ffffffff}'::text[]) AS form,
	 unnest('{0000000000000000, 0100000000000000, 0000000000000010, ffffffffffffff7f, ffffffffffffffff}'::text[]) AS n,
	 unnest('{0000000000000000, 0400000000000000, ffffffffffffff7f, ffffffffffffffff}'::text[]) AS options,
	 unnest('{0, 4, 16, 20}'::int[]) AS rest;

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
SELECT * FROM attack('rnn_collect_ordered', 'float8', 'value', '');
SELECT * FROM attack('rnn_collect_ordered', 'float8, jsonb', 'value, mix()', ', FINALFUNC = rnn_train_final');
SELECT * FROM attack('rnn_collect_date', 'date, float8', 'month, value', ', FINALFUNC = rnn_history_final');
SELECT * FROM attack('rnn_collect_date', 'date, float8, jsonb', 'month, value, mix()', ', FINALFUNC = rnn_train_final');
SELECT * FROM attack('rnn_collect_timestamp', 'timestamp, float8', 'month, value', ', FINALFUNC = rnn_history_final');
SELECT * FROM attack('rnn_collect_timestamptz', 'timestamptz, float8', 'month, value', ', FINALFUNC = rnn_history_final');
SELECT * FROM attack('rnn_collect_combine', 'bytea', 'value::text::bytea', ', FINALFUNC = rnn_history_final');
-- The final functions on bytes that no transition function touched.
CREATE FUNCTION keep_state(bytea, float8) RETURNS bytea LANGUAGE sql AS 'SELECT $1';
SELECT * FROM attack('keep_state', 'float8', 'value', ', FINALFUNC = rnn_history_final');
SELECT * FROM attack('keep_state', 'float8', 'value', ', FINALFUNC = rnn_train_final');

-- A state of one type of time handed to another.
CREATE AGGREGATE mixed(date, float8) (SFUNC = rnn_collect_date, STYPE = bytea);
CREATE FUNCTION state_of() RETURNS bytea LANGUAGE sql AS 'SELECT mixed(month, value) FROM monthly';
CREATE FUNCTION forge(state bytea, value float8) RETURNS bytea LANGUAGE sql AS 'SELECT state_of()';
CREATE FUNCTION two_steps(state bytea, value float8) RETURNS bytea LANGUAGE sql AS 'SELECT $1';
SELECT length(state_of()) > 120 * 16 AS flat;
CREATE AGGREGATE confused(float8) (SFUNC = forge, STYPE = bytea, FINALFUNC = rnn_history_final);
SELECT try('SELECT rnn_info(confused(value))->>''points'' FROM monthly');
DO $$ BEGIN
	EXECUTE format('CREATE AGGREGATE other(float8) (SFUNC = rnn_collect_ordered, STYPE = bytea, INITCOND = %L)', state_of());
END $$;
SELECT try('SELECT other(value) FROM monthly');
-- A genuine flat state is read, and grown as a copy.
DO $$ BEGIN
	EXECUTE format('CREATE AGGREGATE more(date, float8) (SFUNC = rnn_collect_date, STYPE = bytea, FINALFUNC = rnn_history_final, INITCOND = %L)', state_of());
END $$;
SELECT try('SELECT rnn_info(more((month + interval ''10 years'')::date, value))->>''points'' FROM monthly');
SELECT try('SELECT rnn_info(more((month + interval ''10 years'')::date, value) OVER (ORDER BY n))->>''points'' FROM monthly OFFSET 119');
-- Each byte of a genuine one turned over: an answer or an error, and a server that lives.
CREATE FUNCTION turn(state bytea, value float8, at int) RETURNS bytea LANGUAGE sql AS
	'SELECT set_byte(state_of(), at, 255 - get_byte(state_of(), at))';
CREATE AGGREGATE turned(float8, int) (SFUNC = turn, STYPE = bytea, FINALFUNC = rnn_history_final);
SELECT count(try(format('SELECT length(turned(value, %s)) > 0 FROM monthly WHERE n = 1', i)))
FROM generate_series(0, 60) AS i;
-- An expanded object of another kind: an array, as bytea.
SELECT try($$CREATE AGGREGATE arrays(float8) (SFUNC = rnn_collect_ordered, STYPE = float8[])$$);
-- The aggregate's functions in other kinds of aggregates.
CREATE AGGREGATE moving(float8) (SFUNC = rnn_collect_ordered, STYPE = bytea, FINALFUNC = rnn_history_final,
	MSFUNC = rnn_collect_ordered, MSTYPE = bytea, MINVFUNC = two_steps, MFINALFUNC = rnn_history_final);
SELECT try('SELECT count(h) FROM (SELECT moving(value) OVER (ORDER BY n ROWS 3 PRECEDING) AS h FROM monthly WHERE n <= 9) AS t');
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
