-- Histories of parts of the rows, merged: the bytes of the history of all rows.
\pset format unaligned
\t
CREATE TABLE pieces AS
SELECT s, n, date '2023-11-20' + n AS day, timestamptz '2023-11-20' + n * interval '6 hours' AS ts, s * 10 + n % 7 + sin(n * 0.9 * s) AS v,
	   CASE WHEN n % 5 > 0 THEN jsonb_build_object('temp', n % 4 / 3.0, 'kind', CASE n % 3 WHEN 0 THEN 'sale' WHEN 1 THEN 'none' END) END AS more
FROM generate_series(1, 3) AS s, generate_series(1, 60) AS n WHERE n <> 11 * s;

-- Merges of the pieces that an expression makes, in two orders and in a parallel plan, and the rows at once.
CREATE FUNCTION merges(aggregate text, rows text, piece text, options text DEFAULT NULL) RETURNS TABLE (pieces bigint, alike bool)
LANGUAGE plpgsql AS $$
DECLARE
	made text := format('(SELECT %s AS piece, %s AS h FROM %s GROUP BY 1)', piece, aggregate, rows);
	call text := CASE WHEN options IS NULL THEN 'rnn_merge(h' ELSE format('rnn_merge(h, %L', options) END;
	once text; forth text; back text;
BEGIN
	EXECUTE format('SELECT md5(%s) FROM %s', aggregate, rows) INTO once;
	EXECUTE format('SELECT count(*), md5(%s ORDER BY piece)) FROM %s AS p', call, made) INTO pieces, forth;
	EXECUTE format('SELECT md5(%s ORDER BY piece DESC)) FROM %s AS p', call, made) INTO back;
	alike := forth = once AND back = once;
	RETURN NEXT;
END $$;
SELECT * FROM merges('rnn_history(s::text, day, v)', 'pieces', 'n / 20');
SELECT * FROM merges('rnn_history(s::text, day, v)', 'pieces', 'n % 3');
SELECT * FROM merges('rnn_history(s::text, day, v)', 'pieces', 's');
SELECT * FROM merges('rnn_history(s::text, day, v)', 'pieces', 'n');
SELECT * FROM merges('rnn_history(day, v)', 'pieces WHERE s = 2', 'n / 7');
SELECT * FROM merges('rnn_history(s::text, ts, v)', 'pieces', 'n / 20');
SELECT * FROM merges('rnn_history(s::text, n::bigint, v)', 'pieces', 'n / 20');
SELECT * FROM merges('rnn_history(s::text, day, v, more, NULL)', 'pieces', 'n / 20');
SELECT * FROM merges('rnn_history(day, v, more, NULL)', 'pieces WHERE s = 1', 'n / 9');
-- Months that end as they please, days without weekends.
SELECT * FROM merges('rnn_history(day, v)', $$(SELECT (date '2020-01-31' + n * interval '1 month')::date AS day, n, v FROM pieces WHERE s = 1) AS t$$, 'n / 13');
SELECT * FROM merges('rnn_history(day, v)', 'pieces WHERE s = 1 AND extract(isodow FROM day) < 6', 'n / 25');
-- Rows ahead.
SELECT * FROM merges('rnn_history(s::text, day, v, more, NULL)',
	$$(SELECT s, day, n, more, CASE WHEN n < 50 THEN v END AS v FROM pieces) AS t$$, '(n >= 30)::int');
-- Bins: each a value already, whatever it was made of.
SELECT bin, m.* FROM unnest('{mean, sum, last, min, max, count}'::text[]) AS bin,
	merges(format($$rnn_history(s::text, ts, v, '{"bin": "%s", "step": "1 day"%s}' ORDER BY ts)$$, bin, ''), 'pieces', 'ts::date - date ''2023-11-20'' > 7') AS m;
SELECT * FROM merges($$rnn_history(s::text, n::bigint, v, '{"bin": "count", "step": 4}')$$, 'pieces WHERE n % 20 < 11', 'n / 20');
SELECT * FROM merges($$rnn_history(ts, v, '{"bin": "sum", "step": "1 month", "timezone": "America/Sao_Paulo"}')$$, 'pieces WHERE s = 1',
	$$date_trunc('month', ts AT TIME ZONE 'America/Sao_Paulo')$$);
-- More rows than there is memory for: each piece kept its latest.
SET rnnforecast.max_memory = '16MB';
SET client_min_messages = error;
SELECT * FROM merges('rnn_history(k::text, n, v)', '(SELECT k, n, sin(n) AS v FROM generate_series(1, 1000) AS k, generate_series(1, 250) AS n) AS t', 'n / 100');
RESET client_min_messages;
RESET rnnforecast.max_memory;

-- Overlaps, by the rule of "duplicates".
CREATE TABLE halves AS SELECT rnn_history(s::text, day, v) FILTER (WHERE n < 40) AS a, rnn_history(s::text, day, v) FILTER (WHERE n > 30) AS b FROM pieces;
SELECT try('SELECT rnn_merge(h) FROM halves, unnest(ARRAY[a, b]) AS h');
SELECT try($$SELECT rnn_merge(h, '{"duplicates": "error"}') FROM halves, unnest(ARRAY[a, b]) AS h$$);
SELECT rnn_merge(h, '{"duplicates": "mean"}') = (SELECT rnn_history(s::text, day, v) FROM pieces) AS mean FROM halves, unnest(ARRAY[a, b]) AS h;
SELECT rnn_merge(h, '{"duplicates": "sum"}') = (SELECT rnn_history(s::text, day, CASE WHEN n BETWEEN 31 AND 39 THEN 2 * v ELSE v END) FROM pieces) AS sum
FROM halves, unnest(ARRAY[a, b]) AS h;
SELECT try($$SELECT rnn_merge(h, '{"duplicates": "last"}') FROM halves, unnest(ARRAY[a, b]) AS h$$);
SELECT rnn_merge(h, '{"duplicates": "last"}' ORDER BY i) = (SELECT rnn_history(s::text, day, CASE WHEN n > 30 THEN -v ELSE v END) FROM pieces) AS last
FROM (SELECT rnn_history(s::text, day, v) FILTER (WHERE n < 40) AS a, rnn_history(s::text, day, -v) FILTER (WHERE n > 30) AS b FROM pieces) AS t,
	unnest(ARRAY[a, b]) WITH ORDINALITY AS u (h, i);
SELECT try($$SELECT rnn_merge(h) FROM (SELECT rnn_history(ts, v, '{"bin": "mean", "step": "1 day"}') AS h FROM pieces WHERE s = 1 GROUP BY n > 29) AS t$$);

-- Nothing, and one.
SELECT rnn_merge(h) IS NULL FROM (VALUES (NULL::bytea), (NULL)) AS t (h);
SELECT rnn_merge(h) IS NULL FROM (VALUES (NULL::bytea)) AS t (h) WHERE false;
SELECT rnn_merge(h) = (SELECT a FROM halves) FROM (VALUES (NULL::bytea), ((SELECT a FROM halves)), (NULL)) AS t (h);
SELECT rnn_info(rnn_train_history(rnn_merge(h, '{"duplicates": "max"}'), mix()))->>'points' FROM halves, unnest(ARRAY[a, b]) AS h;

-- What doesn't go together.
CREATE FUNCTION pair(a text, b text) RETURNS text LANGUAGE sql AS $$
	SELECT try(format('SELECT rnn_merge(h) FROM (SELECT %s AS a, %s AS b FROM pieces WHERE s = 1) AS t, unnest(ARRAY[a, b]) AS h', a, b))
$$;
SELECT pair('rnn_history(day, v)', 'rnn_history(ts, v)');
SELECT pair('rnn_history(day, v)', 'rnn_history(s::text, day, v)');
SELECT pair('rnn_history(day, v)', 'rnn_history(v ORDER BY n)');
SELECT pair('rnn_history(day, v)', 'rnn_train(day, v, mix())');
SELECT pair($$rnn_history(ts, v, '{"bin": "mean", "step": "1 day"}')$$, $$rnn_history(ts, v, '{"bin": "sum", "step": "1 day"}')$$);
SELECT pair($$rnn_history(ts, v, '{"bin": "mean", "step": "1 day"}')$$, $$rnn_history(ts, v, '{"bin": "mean", "step": "12 hours"}')$$);
SELECT pair($$rnn_history(ts, v, '{"timezone": "Asia/Tokyo"}')$$, 'rnn_history(ts, v)');
SELECT pair($$rnn_history(day, v, '{"gaps": "zero"}')$$, 'rnn_history(day, v)');
SELECT pair($$rnn_history(day, v, '{"k": 1}', NULL)$$, $$rnn_history((day + 100), v, '{"k": "a"}', NULL)$$);
SELECT try($$SELECT rnn_merge(h) FROM (SELECT rnn_history(s::text, day, CASE WHEN s = 2 AND n = 5 THEN 'infinity' ELSE v END, '{"on_error": "skip"}') AS h FROM pieces) AS t$$);
SELECT try($$SELECT rnn_merge('\x00'::bytea)$$);
SELECT try($$SELECT rnn_merge(a, '{"horizon": 3}') FROM halves$$);
DROP TABLE pieces, halves;
\t
\pset format aligned
