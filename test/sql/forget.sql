-- rnn_forget: rows and names of series leave a model, weights and all else stay.
\set VERBOSITY terse
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE TEMP TABLE rows AS
SELECT k, name, n, date '2024-01-01' + n AS d, 10 * k + n + 3 * sin(n * k) AS v
FROM unnest('{Ann,Bob,Caesar}'::text[]) WITH ORDINALITY AS s (name, k), generate_series(1, 40) AS n;
CREATE TEMP TABLE m AS
SELECT rnn_train(name, d, v, small() || '{"seasons": [7]}') AS network, rnn_train(name, d, v, mix() || '{"horizon": 6}') AS mix,
	   rnn_history(name, d, v) AS history
FROM rows;
SELECT proargnames, pg_get_function_result(oid) AS result, provolatile, proisstrict, proparallel FROM pg_proc WHERE proname = 'rnn_forget';

-- One of three, in a model with a network, one without, and a history.
SELECT kind, s.name, s.first, s.points, s.note
FROM m, LATERAL (VALUES (1, 'network', network), (2, 'mix', mix), (3, 'history', history)) AS k (i, kind, bytes),
	 rnn_series(rnn_forget(bytes, '{Bob}')) AS s ORDER BY i, s.name;
SELECT kind, i->>'series' AS series, i->>'first' AS first, i->>'last' AS last
FROM m, LATERAL (VALUES (1, 'network', network), (2, 'mix', mix), (3, 'history', history)) AS k (o, kind, bytes),
	 rnn_info(rnn_forget(bytes, '{Bob}')) AS i ORDER BY o;
-- No trace of the name, and fewer bytes by the values.
SELECT position('Bob'::bytea IN network) > 0 AS before, position('Bob'::bytea IN rnn_forget(network, '{Bob}')) > 0 AS after,
	   length(network) - length(rnn_forget(network, '{Bob}')) >= 40 * 8 AS shorter
FROM m;
-- What was known of the others, and of the training, is as it was.
SELECT count(*), bool_and(a.quantiles = b.quantiles AND a.local_ts = b.local_ts) AS same
FROM m, rnn_forecast(rnn_forget(network, '{Bob}'), 20) AS a JOIN m AS again ON true,
	 rnn_forecast(again.network, 20) AS b WHERE (a.series, a.step) = (b.series, b.step);
SELECT rnn_info(network) - '{series,summary}'::text[] = rnn_info(rnn_forget(network, '{Bob}')) - '{series,summary}'::text[] AS info,
	   (SELECT count(*) FROM rnn_training_log(network)) = (SELECT count(*) FROM rnn_training_log(rnn_forget(network, '{Bob}'))) AS log
FROM m;
SELECT rnn_info(rnn_forget(mix, '{Bob}'))->>'summary' AS summary FROM m;
-- As if it had never been collected; nothing to forget; twice; in any order.
SELECT rnn_forget(m.history, '{Bob}') = (SELECT rnn_history(name, d, v) FROM rows WHERE name <> 'Bob') AS "as never there",
	   rnn_forget(network, '{}') = network AS nothing,
	   rnn_forget(network, '{Bob,Bob}') = rnn_forget(network, '{Bob}') AS twice,
	   rnn_forget(rnn_forget(network, '{Bob}'), '{Ann}') = rnn_forget(network, '{Ann,Bob}') AS "one by one",
	   rnn_forget(network, '{{Bob,Ann}}') = rnn_forget(network, '{Ann,Bob}') AS "of two dimensions"
FROM m;

-- All of them: a model without series.
CREATE TEMP TABLE none AS
SELECT rnn_forget(network, '{Ann,Bob,Caesar}') AS network, rnn_forget(mix, '{Ann,Bob,Caesar}') AS mix,
	   rnn_forget(history, '{Ann,Bob,Caesar}') AS history FROM m;
SELECT (SELECT count(*) FROM rnn_series(network)) AS series, (SELECT count(*) FROM rnn_forecast(network, 5)) AS forecast,
	   (SELECT count(*) FROM rnn_forecast(network, until => '2030-01-01', series => '{}')) AS until,
	   rnn_info(network)->>'series' AS info, rnn_info(network)->'first' AS first, rnn_info(history)->>'points' AS points,
	   rnn_forget(network, '{}') = network AS again
FROM none;
SELECT rnn_info(mix)->>'summary' AS summary FROM none UNION ALL SELECT rnn_info(history)->>'summary' FROM none;
SELECT rnn_observe(none.network, m.history) = rnn_observe(m.network, m.history) AS observed,
	   (SELECT count(*) FROM rnn_forecast(rnn_observe(m.network, none.history), 5)) AS "observed nothing",
	   rnn_train_history(m.history, '{"steps": 3}', none.network) = rnn_train_history(m.history, '{"steps": 3}', m.network) AS "gone on"
FROM none, m;
SELECT try('SELECT rnn_train_history(history, mix()) FROM none') AS "train on nothing",
	   try('SELECT count(*) FROM none, rnn_gradient_flow(network)') AS gradient;
-- A forgotten series comes back with fresh rows.
SELECT series, local_ts::date FROM m, rnn_forecast(rnn_observe(rnn_forget(network, '{Bob}'), history), 1);

-- What can't be.
\t
\pset format unaligned
SELECT try('SELECT rnn_forget(network, ''{Bob,bob}'') IS NULL FROM m');
SELECT try('SELECT rnn_forget(network, ''{""}'') IS NULL FROM m');
SELECT try('SELECT rnn_forget(history, ''{Bob,Dora}'') IS NULL FROM m');
SELECT try('SELECT rnn_forget(network, ''{Bob}'') IS NULL FROM none');
SELECT try('SELECT rnn_forget(network, ''{Bob,NULL}'') IS NULL FROM m');
SELECT try('SELECT rnn_forget(rnn_train(d, v, mix()), ''{Bob}'') IS NULL FROM rows WHERE k = 1');
SELECT try('SELECT rnn_forget(''\x00'', ''{}'') IS NULL');
SELECT try('SELECT rnn_forget(set_byte(network, 100, 255 - get_byte(network, 100)), ''{Bob}'') IS NULL FROM m');
\t
\pset format aligned
SELECT rnn_forget(NULL, '{Bob}') IS NULL AS model, rnn_forget(network, NULL) IS NULL AS series,
	   rnn_forget((SELECT rnn_train(d, v, mix()) FROM rows WHERE k = 1), '{}') IS NOT NULL AS unnamed
FROM m;
-- Names of the empty text, and of 10,000 bytes.
SELECT string_agg(name, ',') AS left
FROM (SELECT rnn_history(s, n, v) FROM rows, LATERAL (VALUES ('', 1), (repeat('x', 10000), 2), ('b', 3)) AS s (s, i) WHERE i = k) AS t (h),
	 rnn_series(rnn_forget(h, ARRAY['', repeat('x', 10000)]));
-- A series that was left out is forgotten too.
SELECT name, note FROM (SELECT rnn_history(name, d, CASE WHEN k <> 2 THEN v END, '{"on_error": "skip"}') FROM rows) AS t (h),
	 rnn_series(rnn_forget(h, '{Ann}'));
SELECT name FROM (SELECT rnn_history(name, d, CASE WHEN k <> 2 THEN v END, '{"on_error": "skip"}') FROM rows) AS t (h),
	 rnn_series(rnn_forget(h, '{Bob}'));
RESET timezone;
RESET datestyle;
