-- What becomes of values: gaps, transforms, bounds, series that end early.
\set VERBOSITY terse
SET datestyle = 'ISO';
CREATE FUNCTION filled(history bytea) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(':', series, coalesce(round(value::numeric, 1)::text, '-') || CASE WHEN filled THEN '*' ELSE '' END), ' ' ORDER BY series, local_ts, position) FROM rnn_fill(history)
$$;
-- rnn_fill: what a network is given.
CREATE TEMP TABLE holes AS SELECT n, month, value FROM monthly WHERE n BETWEEN 3 AND 14 AND n NOT IN (5, 6, 10);
INSERT INTO holes VALUES (1, '2010-01-01', NULL), (2, '2010-02-01', 'NaN'), (20, '2011-08-01', NULL);
SELECT gaps, filled(rnn_history(month, value, o)) AS history, filled(rnn_train(month, value, mix() || o)) AS model
FROM holes, unnest('{mask,interpolate,previous,zero}'::text[]) AS gaps, jsonb_build_object('gaps', gaps) AS o GROUP BY gaps ORDER BY gaps;
SELECT filled(rnn_history(CASE WHEN n <> 8 THEN value END, '{"gaps": "previous"}' ORDER BY n)) AS ordered, filled(rnn_history('s'::text, n, value, '{"gaps": "zero"}')) AS steps FROM holes;
SELECT * FROM rnn_fill((SELECT rnn_history('a'::text, month::timestamp, value, '{"gaps": "zero"}') FROM holes WHERE n < 7)) ORDER BY ts;
SELECT position, value, filled FROM rnn_fill((SELECT rnn_history(value ORDER BY n) FROM holes WHERE n < 9));
SELECT count(*) FROM rnn_fill(NULL);
-- Gaps are counted; the points that are filled are none of the table.
SELECT first, last, points, missing, gaps, longest_gap FROM rnn_series((SELECT rnn_history(month, value) FROM holes));
SELECT count(*) FILTER (WHERE step <= 0) AS history, count(actual) AS known FROM rnn_forecast((SELECT rnn_train(month, value, mix() || '{"gaps": "zero"}') FROM holes), 1, history => 12);
-- An error names the first one; of a panel the series, which may be left out.
SELECT try($$SELECT rnn_train(month, value, '{"gaps": "error"}') FROM holes$$);
SELECT try($$SELECT rnn_train(CASE WHEN n <> 8 THEN value END, '{"gaps": "error"}' ORDER BY n) FROM holes$$);
SELECT try($$SELECT rnn_train('shop'::text, n, value, '{"gaps": "error"}') FROM holes$$);
SELECT try($$SELECT rnn_history('shop'::text, month, value, '{"gaps": "error"}') FROM holes$$);
SELECT try($$SELECT rnn_train(month, value, '{"gaps": "error", "network": false}') IS NOT NULL FROM holes WHERE n BETWEEN 11 AND 14$$) AS none;
SELECT on_error, name, points, note FROM unnest('{skip,naive}'::text[]) AS on_error,
	LATERAL rnn_series((SELECT rnn_train(s, n, v, mix() || jsonb_build_object('gaps', 'error', 'on_error', on_error)) FROM (
		SELECT 'holes' AS s, n, value AS v FROM holes UNION ALL SELECT 'whole', n, n FROM generate_series(1, 20) AS n) AS t));
SELECT try($$SELECT rnn_train(month, value, '{"gaps": "fill"}') FROM holes$$);
-- Fresh rows by the model's rule; a history's own where it is trained on.
CREATE TEMP TABLE whole AS SELECT rnn_train(month, value, mix() || '{"gaps": "error"}') AS strict, rnn_train(month, value, mix() || '{"gaps": "zero"}') AS zero FROM monthly;
SELECT try('SELECT rnn_observe(strict, h) IS NOT NULL FROM whole, (SELECT rnn_history(month, value) FROM holes) AS h (h)') AS strict;
SELECT filled(rnn_observe(zero, h)) AS zero FROM whole, (SELECT rnn_history(month, value, '{"gaps": "previous"}') FROM holes WHERE n < 9) AS h (h);
SELECT rnn_info(rnn_train_history(h, mix())) #>> '{options,gaps}' AS own, rnn_info(rnn_train_history(h, mix() || '{"gaps": "mask"}')) #>> '{options,gaps}' AS given
FROM (SELECT rnn_history(month, value, '{"gaps": "previous"}') FROM holes) AS h (h);
SELECT o, try(format('SELECT rnn_train_history(rnn_history(month, value), %L) IS NOT NULL FROM holes', o)) FROM unnest('{"{\"bin\": \"mean\"}","{\"step\": \"1 month\"}","{\"duplicates\": \"mean\"}"}'::jsonb[]) AS o;
-- The last of duplicates goes by an order that is lost where only some rows fit into memory.
SET rnnforecast.max_memory = '16MB';
SELECT try($$SELECT rnn_history('s'::text, n / 2, n, '{"duplicates": "last"}' ORDER BY n) IS NOT NULL FROM generate_series(1, 150000) AS n$$);
SELECT try($$SELECT rnn_history('s'::text, n / 2, n, '{"duplicates": "last"}' ORDER BY n) IS NOT NULL FROM generate_series(1, 50000) AS n$$);
RESET rnnforecast.max_memory;

-- Transforms: undone in forecasts, whose quantiles stay in order.
SELECT o, rnn_info(m) #> '{options,lambda}' AS lambda, (SELECT count(*) || ' ' || bool_and(lower <= forecast AND forecast <= upper AND abs(forecast - 240) < 30 AND quantiles[1] < quantiles[15]) FROM rnn_forecast(m, 3, 0.999)) AS fine
FROM (SELECT o, rnn_train(month, value, mix() || o) AS m FROM monthly, unnest('{"{\"transform\": \"none\"}","{\"transform\": \"log\"}","{\"transform\": \"asinh\"}","{\"transform\": \"box-cox\"}","{\"transform\": \"box-cox\", \"lambda\": 0.5}"}'::jsonb[]) AS o GROUP BY o) AS t ORDER BY o;
-- The logarithm of the table is the table's logarithm.
SELECT bool_and(abs(ln(a.forecast) - b.forecast) < 1e-9 AND abs(ln(a.upper) - b.upper) < 1e-9) AS same
FROM (SELECT rnn_train(month, value, mix() || '{"transform": "log"}') AS a, rnn_train(month, ln(value), mix()) AS b FROM monthly) AS m,
	 rnn_forecast(a, 40, 0.7) AS a JOIN rnn_forecast(b, 40, 0.7) AS b USING (step);
SELECT bool_and(abs(ln(a.forecast) - b.forecast) < 1e-5) AS "of a network"
FROM (SELECT rnn_train(month, value, small() || '{"transform": "log"}') AS a, rnn_train(month, ln(value), small()) AS b FROM monthly) AS m,
	 rnn_forecast(a, 12) AS a JOIN rnn_forecast(b, 12) AS b USING (step);
SELECT try($$SELECT rnn_train(month, value - 150, '{"transform": "log"}') FROM monthly$$);
SELECT try($$SELECT rnn_train('s'::text, n, CASE WHEN n = 7 THEN 0 ELSE value END, '{"transform": "box-cox"}') FROM monthly$$);
SELECT try($$SELECT rnn_train(month, value, '{"transform": "log", "gaps": "zero"}') FROM monthly$$);
SELECT try($$SELECT rnn_train(month, value, '{"transform": "sqrt"}') FROM monthly$$);
SELECT try($$SELECT rnn_train(month, value, '{"lambda": 9}') FROM monthly$$);
SELECT try($$SELECT rnn_observe(m, h) FROM (SELECT rnn_train(month, value, mix() || '{"transform": "log"}') AS m, rnn_history(month, value - 150) AS h FROM monthly) AS t$$) AS "fresh rows";
SELECT name, note FROM rnn_series((SELECT rnn_train(s, n, n - s, mix() || '{"transform": "log", "on_error": "skip"}') FROM generate_series(0, 1) AS s, generate_series(1, 20) AS n));

-- Bounds hold for all quantiles and for any interval, and only cut.
SELECT o, bool_and(b.quantiles = (SELECT array_agg(least(greatest(q, lo), hi) ORDER BY i) FROM unnest(a.quantiles) WITH ORDINALITY AS q (q, i))) AS cut, min(b.lower) >= lo AS lower, max(b.upper) <= hi AS upper
FROM (VALUES ('{"lower": 230}'::jsonb, 230::float8, 'infinity'::float8), ('{"upper": 225}', '-infinity', 225), ('{"lower": 220, "upper": 240}', 220, 240)) AS v (o, lo, hi),
	 LATERAL (SELECT rnn_train(month, value, mix()) AS a, rnn_train(month, value, mix() || o) AS b FROM monthly) AS m, rnn_forecast(a, 12) AS a JOIN rnn_forecast(b, 12, 0.9999) AS b USING (step)
GROUP BY o, lo, hi ORDER BY o;
SELECT bool_and(forecast = round(forecast) AND lower = round(lower) AND upper = round(upper)) AS whole, min(forecast) FROM rnn_forecast((SELECT rnn_train(month, value, mix() || '{"integer": true, "lower": 229.5}') FROM monthly), 12, 0.85);
SELECT o, try(format('SELECT rnn_train(month, value, %L) FROM monthly', o)) FROM unnest('{"{\"lower\": 5, \"upper\": 4}","{\"lower\": 4.2, \"upper\": 4.8, \"integer\": true}","{\"lower\": \"low\"}","{\"integer\": 1}"}'::jsonb[]) AS o;
-- Counts that are often 0 are never forecast below it; what switches that off.
CREATE TEMP TABLE demand AS SELECT k, n, CASE WHEN uniform(1000 * k + n) < 0.75 THEN 0 ELSE 1 + floor(4 * uniform(7777 * k + n)) END AS v FROM generate_series(1, 5) AS k, generate_series(1, 120) AS n;
SELECT o, rnn_info(m) #> '{options,lower}' AS bound, (SELECT count(*) FROM rnn_forecast(m, 10)) AS rows, (SELECT min(quantiles[1]) < 0 FROM rnn_forecast(m, 10)) AS below
FROM (SELECT o, rnn_train(k, n, v, mix() || o) AS m FROM demand, unnest('{"{}","{\"lower\": -1000}","{\"lower\": null, \"upper\": 3}","{\"integer\": true}"}'::jsonb[]) AS o GROUP BY o) AS t ORDER BY o;

-- A series that ended long before the others, from where it ended or from the common end.
CREATE TEMP TABLE ends AS SELECT chr(64 + k) AS s, date '2024-01-01' + n AS d, n % 7 + k AS v FROM generate_series(1, 3) AS k, generate_series(1, 100 - 20 * (k - 1)) AS n;
CREATE TEMP TABLE early AS SELECT rnn_train(s, d, v, mix() || '{"horizon": 25}') AS m, rnn_history(s, d, v) AS h FROM ends;
SELECT series, count(*), min(local_ts)::date AS from FROM early, rnn_forecast(m) GROUP BY series ORDER BY series;
SELECT series, count(*), min(step), max(step), min(local_ts)::date AS from FROM early, rnn_forecast(m, 3, options => '{"align": true}') GROUP BY series ORDER BY series;
SELECT series, step, local_ts::date AS day, actual, forecast IS NOT NULL AS forecast FROM early, rnn_forecast(m, 1, history => 2, series => '{C}', options => '{"align": true}') ORDER BY series, step;
-- One notice for a statement, however many models it forecasts.
SELECT count(*) FROM (SELECT rnn_train(s, d, v + k, mix() || '{"horizon": 25}') AS m FROM ends, generate_series(1, 3) AS k GROUP BY k) AS t, rnn_forecast(m, 2, history => 200);
-- The same rows as those of a longer forecast.
SELECT count(*), bool_and(a.forecast = b.forecast AND a.quantiles = b.quantiles) AS same
FROM early, rnn_forecast(m, 4, options => '{"align": true}') AS a JOIN rnn_forecast(m, 44) AS b USING (series, local_ts);
SELECT series, max(local_ts)::date AS until, count(*) FROM early, rnn_forecast(m, until => '2024-04-15') GROUP BY series ORDER BY series;
SELECT count(*), min(local_ts)::date FROM rnn_forecast_query('SELECT s, d, v FROM ends', 2, options => '{"align": true, "network": false}');
SELECT count(*), min(local_ts)::date FROM early, rnn_forecast_query('SELECT s, d, v FROM ends', 2, options => '{"align": true}', model => m);
SELECT o, try(format('SELECT count(*) FROM early, rnn_forecast(m, 3, options => %L)', o)) FROM unnest('{"{\"align\": 1}","{\"aling\": true}","[]","{\"align\": false}","{}"}'::jsonb[]) AS o;
SELECT try($$SELECT count(*) FROM early, rnn_forecast(m, 99970, options => '{"align": true}')$$);
SELECT try($$SELECT count(*) FROM rnn_forecast((SELECT rnn_train(s, d, 1, '{"network": false}') FROM (VALUES ('a', date '0001-01-01'), ('a', '0001-01-02'), ('b', '2024-01-01'), ('b', '2024-01-02')) AS v (s, d)), 1, options => '{"align": true}')$$);

-- Whatever comes in: as many rows as asked for, or an error that says where the trouble is.
CREATE TEMP TABLE input AS SELECT n, timestamp '2024-01-01' + n * interval '1 hour' AS ts, 50::float8 + n % 24 AS value FROM generate_series(1, 60) AS n;
CREATE TEMP TABLE trouble (id int, what text, rows text);
INSERT INTO trouble VALUES
	(1, 'nothing', 'SELECT ts, value FROM input'),
	(2, 'unsorted', 'SELECT ts, value FROM input ORDER BY hashint4(n)'),
	(3, 'NULL', 'SELECT ts, CASE WHEN n <> 20 THEN value END FROM input'),
	(4, 'NaN', 'SELECT ts, CASE WHEN n <> 20 THEN value ELSE ''NaN'' END FROM input'),
	(5, 'NULL at both ends', 'SELECT ts, CASE WHEN n BETWEEN 5 AND 55 THEN value END FROM input'),
	(6, 'rows missing', 'SELECT ts, value FROM input WHERE n NOT BETWEEN 20 AND 30'),
	(7, 'infinity', 'SELECT ts, CASE WHEN n <> 20 THEN value ELSE ''infinity'' END FROM input'),
	(8, '-infinity', 'SELECT ts, CASE WHEN n <> 20 THEN value ELSE ''-infinity'' END FROM input'),
	(9, 'duplicate', 'SELECT ts, value FROM input UNION ALL SELECT ts, 0 FROM input WHERE n = 20'),
	(10, 'off the grid', 'SELECT CASE WHEN n <> 20 THEN ts ELSE ts + interval ''7 minutes'' END, value FROM input'),
	(11, 'a year off', 'SELECT CASE WHEN n <> 20 THEN ts ELSE ts - interval ''365 days'' END, value FROM input'),
	(12, 'too far', 'SELECT CASE WHEN n <> 20 THEN ts ELSE ''0900-01-01'' END, value FROM input'),
	(13, 'infinite time', 'SELECT CASE WHEN n <> 20 THEN ts ELSE ''infinity'' END, value FROM input'),
	(14, 'NULL time', 'SELECT CASE WHEN n <> 20 THEN ts END, value FROM input'),
	(15, 'BC', 'SELECT CASE WHEN n <> 20 THEN ts ELSE ''0044-03-15 BC'' END, value FROM input'),
	(16, 'largest', 'SELECT ts, CASE WHEN n % 2 = 0 THEN 1.7e308 ELSE -1.7e308 END FROM input'),
	(17, 'all NULL', 'SELECT ts, NULL::float8 FROM input'),
	(18, 'one row', 'SELECT ts, value FROM input WHERE n = 1');
SELECT id, what, try(format('SELECT count(*) FILTER (WHERE forecast < ''infinity'' AND lower <= forecast AND forecast <= upper) FROM rnn_forecast((SELECT rnn_train(ts, value, mix()) FROM (%s) AS r (ts, value)), 7)', rows)) AS series,
	   try(format('SELECT count(*) FILTER (WHERE forecast < ''infinity'' AND lower <= forecast AND forecast <= upper) FROM rnn_forecast((SELECT rnn_train(''s''::text, ts, value, mix()) FROM (%s) AS r (ts, value)), 7)', rows)) AS panel,
	   try(format('SELECT count(*) FILTER (WHERE forecast < ''infinity'' AND lower <= forecast AND forecast <= upper) FROM rnn_forecast((SELECT rnn_train(''s''::text, ts, value, mix() || ''{"bin": "mean", "duplicates": "max", "gaps": "previous", "on_error": "naive"}'') FROM (%s) AS r (ts, value)), 7)', rows)) AS policies
FROM trouble ORDER BY id;
RESET datestyle;
-- Values at both ends of the range: models that are made of them can be read.
SELECT rnn_info(rnn_train('a/' || i % 3, date '2020-01-01' + i / 3, -1e308 * (i % 2), '{"network": false, "lower": 0, "integer": true}'))->>'kind' AS huge FROM generate_series(0, 30) AS i;
SELECT rnn_info(rnn_train_history(h, '{"network": false}', m))->>'kind' AS tiny
FROM (SELECT rnn_train('a/' || i % 3, date '2020-01-01' + i / 3, 5e-324 * i, '{"network": false, "hierarchy": true}') AS m FROM generate_series(0, 200) AS i) AS a,
	(SELECT rnn_history('a/' || i % 3, date '2020-01-01' + i / 3, 5e-324 * i) AS h FROM generate_series(3, 205) AS i) AS b;
