-- rnn_plot and rnn_chart: pictures of rows, by the names of their columns.
\pset format unaligned
\pset null NULL
CREATE TEMP TABLE drawn AS
SELECT timestamp '2025-01-01' + n * interval '1 day' AS ts, n,
	   CASE WHEN n <= 30 THEN 20 + n % 7 END AS value,
	   CASE WHEN n > 25 THEN 21 + n % 7 END AS forecast, CASE WHEN n > 25 THEN 18 + n % 7 END AS lower, CASE WHEN n > 25 THEN 25 + n % 7 END AS upper,
	   n = 14 AS is_anomaly
FROM generate_series(1, 40) AS n;
CREATE FUNCTION count_of(picture text, what text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
	SELECT count(*) FROM regexp_matches(picture, what, 'g')
$$;
-- The last path of a class: before it there may be one in the legend.
CREATE FUNCTION path_of(picture text, class text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT d[1] FROM regexp_matches(picture, format('<path class="rnn-%s" d="([^"]*)"', class), 'g') WITH ORDINALITY AS t (d, i) ORDER BY i DESC LIMIT 1
$$;
-- Well-formed, where the server knows XML, and without what a picture must not have.
CREATE FUNCTION sound(picture text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
	RETURN picture !~* '<script|<foreignObject|href|url\(|@import|\son\w+=' AND picture ~ '^<svg xmlns="http://www.w3.org/2000/svg"' AND picture !~ '[^ -~\n]'
		AND xml_is_well_formed_document(picture);
EXCEPTION WHEN feature_not_supported THEN
	RETURN true;
END $$;

-- By a query, by rows, and with title and unit: the same lines.
CREATE TEMP TABLE pictures AS
	SELECT 'query' AS way, rnn_plot('SELECT * FROM drawn;') AS picture
	UNION ALL SELECT 'rows', rnn_plot(d) FROM drawn AS d
	UNION ALL SELECT 'named', rnn_plot('TABLE drawn', unit => 'rides', title => 'Taxis')
	UNION ALL SELECT 'titled', rnn_plot(d, 'Taxis', 'rides') FROM drawn AS d
	UNION ALL SELECT 'title', rnn_plot(d, 'Taxis') FROM drawn AS d
	UNION ALL SELECT 'mixed', rnn_plot(d ORDER BY value % 3, n DESC) FROM drawn AS d;
SELECT way, sound(picture), count_of(picture, '<path class="rnn-(actual|forecast|band)"') AS paths, count_of(picture, '<circle') AS circles,
	   picture ~ '>rides</text>' AS unit, substring(picture FROM '<title>([^<]*)</title>') AS title, picture ~ 'prefers-color-scheme:dark' AS dark
FROM pictures ORDER BY way;
SELECT count(DISTINCT picture) FROM pictures WHERE way IN ('query', 'rows', 'mixed');
-- Places: the first and the last row stand at the edges, the lowest value at a tick, ticks are round.
SELECT left(path_of(picture, 'actual'), 24) AS actual, left(path_of(picture, 'forecast'), 12) AS forecast, right(path_of(picture, 'forecast'), 12) AS last
FROM pictures WHERE way = 'query';
SELECT string_agg(label[1], ' ') FROM pictures, regexp_matches(picture, 'text-anchor="(?:end|middle)">([^<]*)<', 'g') AS label WHERE way = 'query';

-- Other names of columns, types and places.
SELECT sound(p), count_of(p, '<path class="rnn-inner"') AS inner_bands, substring(p FROM '>([^<]* to [^<]*)<') AS span
FROM rnn_plot('SELECT n AS position, n::numeric AS actual, n + 0.5 AS expected, ARRAY[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]::float8[] AS quantiles FROM generate_series(1, 5) AS n') AS p;
SELECT sound(p), substring(p FROM '>([^<]* to [^<]*)<') AS span FROM rnn_plot('SELECT date ''2024-02-29'' + n AS ts, n AS value, 7 AS other FROM generate_series(0, 3) AS n') AS p;
SELECT sound(p), substring(p FROM '>([^<]* to [^<]*)<') AS span FROM rnn_plot('SELECT ts, value FROM hourly') AS p;
SELECT sound(p), count_of(p, 'rnn-cut') - 2 AS cuts, count_of(path_of(p, 'forecast'), 'M') AS pieces, p ~ 'Backtest' AS title
FROM rnn_plot('SELECT c AS cutoff, c + s AS position, s AS step, 1.0 * s AS forecast, 2 AS actual FROM generate_series(10, 30, 10) AS c, generate_series(1, 5) AS s') AS p;
-- A forecast's own rows have bands; a gap ends a line; a lone value is a dot; nothing is said so.
SELECT sound(rnn_plot(f)), count_of(rnn_plot(f), '<path class="rnn-(band|inner)"') AS bands FROM rnn_forecast_query('SELECT month, value FROM monthly', 12, history => 24) AS f;
SELECT path_of(p, 'actual') AS path FROM rnn_plot('SELECT n AS position, CASE WHEN n NOT IN (3, 5) THEN n END AS value FROM generate_series(1, 6) AS n') AS p;
SELECT sound(p), path_of(p, 'band') AS band FROM rnn_plot('SELECT 3 AS position, 7 AS value, 6 AS forecast, 5 AS lower, 8 AS upper') AS p;
SELECT sound(p), p ~ 'There are no rows' AS told FROM rnn_plot('SELECT 1 AS position, 2 AS value WHERE false') AS p;
SELECT rnn_plot(NULL), rnn_plot(d) FROM drawn AS d WHERE false;
SELECT sound(p), path_of(p, 'actual') AS path FROM rnn_plot('SELECT n AS position, ''NaN''::float8 AS value FROM generate_series(1, 3) AS n') AS p;
-- Many points are as many as the picture is wide; the extremes stay.
SELECT length(p) < 60000 AS short, count_of(p, 'L') < 5200 AS few, p ~ ' 98\.0L' AS highest
FROM rnn_plot('SELECT n AS position, CASE WHEN n = 77777 THEN 100 ELSE n % 10 END AS value FROM generate_series(1, 100000) AS n') AS p;

-- Panels: in the order of names, twelve at most; names of anybody.
SELECT sound(p), count_of(p, 'rnn-name"') AS panels, p ~ '; 8 more series<' AS more, p ~ 'a01.*a02.*a12' AS in_order, p ~ 'a13' AS beyond
FROM (SELECT rnn_plot(r ORDER BY r.position DESC) FROM (SELECT 'a' || to_char(n % 20 + 1, 'FM00') AS series, n AS position, n AS value FROM generate_series(1, 60) AS n) AS r) AS t (p);
SELECT sound(p), substring(p FROM 'rnn-title"[^>]*>([^<]*)<') AS title, string_agg(name[1], ' | ') AS names
FROM rnn_plot($$SELECT s AS series, n AS position, n AS value FROM unnest(ARRAY['<script>alert(1)</script>', '"&''', E'\x1b[31m\u202ered\u0007', repeat('x', 100), ']]>']) AS s, generate_series(1, 2) AS n$$,
	'</title><script>', E'\x01') AS p, regexp_matches(p, 'rnn-name"[^>]*>([^<]*)<', 'g') AS name GROUP BY p;
SELECT substring(rnn_plot('SELECT ''only'' AS series, 1 AS position, 2 AS value') FROM '<title>([^<]*)');

-- Ticks of all lengths of time, and of numbers of all sizes.
SELECT span, string_agg(label[1], ' ') FROM unnest('{4 seconds,3 minutes,5 hours,2 days,20 days,100 days,3 years,40 years,5000 years}'::interval[]) WITH ORDINALITY AS t (span, i),
	LATERAL rnn_plot(format('SELECT timestamp ''2023-12-30 22:58:57'' + %L::interval * n / 9 AS ts, n AS value FROM generate_series(0, 9) AS n', span)) AS p,
	LATERAL regexp_matches(p, 'text-anchor="middle">([^<]*)<', 'g') AS label GROUP BY i, span ORDER BY i;
SELECT size, string_agg(label[1], ' ') FROM unnest('{1e-300,1e-7,0.003,1,70,5000,30000,2e6,7e9,1e15,1e299}'::float8[]) WITH ORDINALITY AS t (size, i),
	LATERAL rnn_plot(format('SELECT n AS position, n * %L::float8 AS value FROM generate_series(0, 1) AS n', size)) AS p,
	LATERAL regexp_matches(p, 'text-anchor="end">([^<]*)<', 'g') AS label GROUP BY i, size ORDER BY i;
SELECT level, string_agg(label[1], ' ') FROM unnest('{-5,0,1e9,-1e300}'::float8[]) WITH ORDINALITY AS t (level, i),
	LATERAL rnn_plot(format('SELECT n AS position, %L::float8 AS value FROM generate_series(0, 1) AS n', level)) AS p,
	LATERAL regexp_matches(p, 'text-anchor="end">([^<]*)<', 'g') AS label GROUP BY i, level ORDER BY i;

-- In a terminal.
SELECT rnn_chart('SELECT * FROM drawn', 40, 8);
SELECT rnn_chart('SELECT s AS series, n AS position, n * n AS value, n = 4 AS is_anomaly FROM generate_series(1, 5) AS n, unnest(ARRAY[''b'', E''a\x1b[31m'']) AS s', 20, 5);
SELECT rnn_chart('SELECT n AS position, n % 50 AS forecast, 0 AS lower, 60 AS upper FROM generate_series(1, 1000) AS n', 30, 4);
SELECT max(length(c)), count(*) FROM rnn_chart('SELECT 1 AS position, 1 AS value', 1000, 200) AS c;
SELECT count(*) FROM rnn_chart('SELECT 1 AS position, 1 AS value WHERE false') AS a, rnn_chart(NULL) AS b;

-- What is refused.
\t
SELECT try('SELECT rnn_plot(''SELECT 1 AS value'')');
SELECT try('SELECT rnn_plot(''SELECT 1 AS position'')');
SELECT try('SELECT rnn_plot(d) FROM (SELECT 1 AS a) AS d');
SELECT try('SELECT rnn_plot(''SELECT 1 AS ts, 2 AS value'')');
SELECT try('SELECT rnn_plot(''SELECT 1 AS position, ''''x'''' AS value'')');
SELECT try('SELECT rnn_plot(''SELECT 1 AS position, 1 AS value, 1 AS is_anomaly'')');
SELECT try('SELECT rnn_plot(''SELECT NULL::date AS ts, 1 AS value'')');
SELECT try('SELECT rnn_plot(''SELECT date ''''infinity'''' AS ts, 1 AS value'')');
SELECT try('SELECT rnn_plot(''SELECT date ''''0044-03-15 BC'''' AS ts, 1 AS value'')');
SELECT try('SELECT rnn_plot(''SELECT 1 AS position, 1e301::float8 AS value'')');
SELECT try('SELECT rnn_plot(''SELECT x AS position, t AS ts, 1 AS value FROM (VALUES (1, NULL), (NULL, now())) AS v (x, t)'')');
SELECT try('SELECT rnn_plot(''SELECT 1; SELECT 2'')');
SELECT try('SELECT rnn_plot(''DROP TABLE drawn'')');
SELECT try('SELECT rnn_plot(''SELECT ts, value FROM drawn FOR UPDATE'')');
SELECT try('SELECT rnn_chart(''SELECT 1 AS position, 1 AS value'', 9)');
SELECT try('SELECT rnn_chart(''SELECT 1 AS position, 1 AS value'', 20, 201)');
SET rnnforecast.max_memory = '64MB';
SELECT try('SELECT rnn_plot(''SELECT n AS position, n AS value FROM generate_series(1, 1000000) AS n'')');
RESET rnnforecast.max_memory;
DROP FUNCTION count_of(text, text); DROP FUNCTION sound(text); DROP FUNCTION path_of(text, text);
