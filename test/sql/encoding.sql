-- Names of series are text: they must be valid in the database that reads them.
\t
\pset format unaligned
CREATE TEMP TABLE h AS
SELECT rnn_history(name, n, n) AS h FROM (VALUES ('name of one'), ('name of two')) AS s (name), generate_series(1, 9) AS n;

-- Bytes with the checksum that fits, CRC-32C of all from 16 on.
CREATE FUNCTION signed(bytes bytea) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	crc bigint := 4294967295;
BEGIN
	FOR i IN 16 .. length(bytes) - 1 LOOP
		crc := crc # get_byte(bytes, i);
		FOR bit IN 1 .. 8 LOOP
			crc := (crc >> 1) # (CASE WHEN crc & 1 = 1 THEN 2197175160 ELSE 0 END);
		END LOOP;
	END LOOP;
	FOR i IN 0 .. 3 LOOP
		bytes := set_byte(bytes, 12 + i, (((crc # 4294967295) >> (8 * i)) & 255)::int);
	END LOOP;
	RETURN bytes;
END $$;
SELECT signed(h) = h AS understood FROM h;
-- The name of the second series, of 11 bytes, replaced.
CREATE FUNCTION renamed(bytes bytea, name bytea) RETURNS bytea LANGUAGE sql AS $$
	SELECT signed(overlay(bytes PLACING name FROM position('name of two' IN bytes) FOR 11))
$$;
CREATE TEMP TABLE names (i serial, what text, name bytea);
INSERT INTO names (what, name) VALUES
	('another', 'name of ten'), ('umlauts', '\xc3a4c3b6c3bcc3a4c3b6' || 'x'::bytea), ('Latin 1', 'name of ' || '\xe46f6f'::bytea),
	('half a character', 'name of te' || '\xc3'::bytea), ('too long a form', 'name of t' || '\xc0af'::bytea),
	('a surrogate', 'name of ' || '\xeda080'::bytea), ('a zero byte', 'name of ' || '\x740065'::bytea);
SELECT what, length(name), try(format('SELECT string_agg(name, '','') FROM rnn_series(%L)', renamed(h, name))) ~ '^name of one,' AS read,
	   substring(try(format('SELECT rnn_info(%L) IS NOT NULL', renamed(h, name))), 'true|[\dX]{5} .*') AS info
FROM h, names ORDER BY i;
-- Whatever reads models looks at the names; text made of them can't be broken.
SELECT call, left(try(replace(call, '$', quote_literal(renamed(h, 'name of ' || '\xe46f6f'::bytea)) || '::bytea')), 5) AS state
FROM h, unnest(ARRAY['SELECT rnn_info($)', 'SELECT count(*) FROM rnn_series($)', 'SELECT count(*) FROM rnn_training_log($)',
	'SELECT rnn_forget($, ''{name of one}'')', 'SELECT rnn_train_history($, mix())', 'SELECT rnn_train_history(h, mix(), $) FROM h',
	'SELECT rnn_observe(rnn_train_history(h, mix()), $) FROM h', 'SELECT count(*) FROM rnn_forecast($, 1)']) AS call;

-- What no clock of this server can tell is an error, but for a view of many models, which is not to fail as a whole.
SELECT what, _rnn_readable_info(b) IS NULL AS unreadable, try(format('SELECT rnn_info(%L)', b)) AS info
FROM (SELECT rnn_history(timestamptz '2020-01-01 00:00+00' + n * interval '1 hour', n, '{"timezone": "Europe/Berlin"}') AS h FROM generate_series(1, 9) AS n) AS own,
	(VALUES ('a zone', 'Europe/Berlin'::bytea, 'Europe/Bxrlin'::bytea), ('a time', '\x0004565d083e0200', '\x0010d1e6bd7c0ffd')) AS other (what, was, "is"),
	signed(overlay(h PLACING "is" FROM position(was IN h) FOR length(was))) AS b;

-- Carried between databases.
SELECT current_database() AS home, encode(h, 'hex') AS plain, encode(renamed(h, '\xc3a4c3b6c3bcc3a4c3b6' || 'x'::bytea), 'hex') AS umlauts FROM h \gset
CREATE DATABASE rnn_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
\c rnn_latin1
CREATE EXTENSION rnnforecast;
SELECT encode(rnn_history(chr(228), n, n), 'hex') AS latin1 FROM generate_series(1, 9) AS n \gset
SELECT string_agg(name, ',') AS plain FROM rnn_series(decode(:'plain', 'hex'));
SELECT ascii(name) AS latin1, length(name) FROM rnn_series(decode(:'latin1', 'hex'));
-- Each byte is a letter there: nothing can tell.
SELECT name = convert_from('\xc3a4c3b6c3bcc3a4c3b6' || 'x'::bytea, 'LATIN1') AS umlauts, length(name)
FROM rnn_series(decode(:'umlauts', 'hex')) WHERE name !~ 'one';
-- No name is an error, whatever escapes it has.
SELECT n, rnn_key(n) FROM (VALUES ('{"a": "\u20ac"}'), ('{"a": "\u00e4"}'), ('{"a": "\ud83d\ude00"}'), ('{"a": "\u0001"}'), ('{"a": "\\u20ac"}')) AS s (n);
SELECT count(*) FROM rnn_forecast((SELECT rnn_train('{"a": "\u20ac"}'::text, n, n, '{"network": false}') FROM generate_series(1, 9) AS n), 2);
\c :home
DROP DATABASE rnn_latin1;
SELECT try(format('SELECT rnn_info(decode(%L, ''hex''))', :'latin1')) AS latin1;
\t
\pset format aligned
