-- What a model is, in rows and in columns.
SELECT item, value FROM (SELECT rnn_train(month, value, mix() || '{"horizon": 6}') AS model FROM monthly) AS m, rnn_describe(model) WITH ORDINALITY AS d (item, value, n)
WHERE item IN ('summary', 'kind', 'points', 'seasons', 'horizon', 'network', 'prior', 'coverage', 'options.horizon', 'format', 'calibration.factors') ORDER BY n;
SELECT count(*) > 60 AS many, count(DISTINCT item) = count(*) AS different, bool_and(value IS NULL OR value <> 'null') AS "no JSON nulls" FROM (SELECT rnn_train(month, value, mix() || '{"horizon": 6}') AS model FROM monthly) AS m, rnn_describe(model);
-- The same figures as rnn_info has.
SELECT count(*) FILTER (WHERE d.value IS DISTINCT FROM i.info #>> string_to_array(d.item, '.')) AS others
FROM (SELECT rnn_train(month, value, mix() || '{"horizon": 6}') AS model FROM monthly) AS m, rnn_describe(model) AS d, LATERAL (SELECT rnn_info(model) AS info) AS i WHERE jsonb_typeof(i.info #> string_to_array(d.item, '.')) <> 'array';
SELECT string_agg(item, ' ') AS history FROM rnn_describe((SELECT rnn_history(month, value) FROM monthly));
SELECT rnn_describe(NULL) IS NULL AS nothing;
-- Named models look like what they are.
SELECT rnn_fit('mix', 'SELECT month, value FROM monthly', 6, mix());
SELECT rnn_fit('prior', 'SELECT n % 3 AS series, month AS ts, value FROM monthly', 6, '{"start": "prior"}');
SELECT rnn_fit('network', 'SELECT month, value FROM monthly', 6, small());
SELECT name, kind, series, seasons, weight, bytes > 500 AS bytes, mae > 0 AS mae FROM rnn_models ORDER BY name;
SELECT run IS NOT NULL AS run, name, version, place, series, key, mase = (SELECT (u.series->>r.series)::float8 FROM rnn_runs AS u WHERE u.id = run) AS mase FROM rnn_run_series AS r;
SELECT bool_and(mase <= before) AS "the worst first" FROM (SELECT mase, lag(mase) OVER (ORDER BY place) AS before FROM rnn_run_series WHERE name = 'prior') AS r;
SELECT rnn_drop(name) FROM rnn_models;
-- Every column of a view or row type has a comment.
SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('v', 'c') AND c.relname LIKE 'rnn\_%' AND col_description(c.oid, a.attnum) IS NULL
  AND EXISTS (SELECT FROM pg_depend AS d WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
			  AND (d.classid, d.objid) IN (('pg_class'::regclass, c.oid), ('pg_type'::regclass, c.reltype)));
