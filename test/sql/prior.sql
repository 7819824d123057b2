-- The pretrained network: nothing is trained, models stay small.
CREATE FUNCTION prior(horizon int DEFAULT 12) RETURNS jsonb LANGUAGE sql IMMUTABLE AS
$$ SELECT jsonb_build_object('start', 'prior', 'horizon', horizon) $$;
CREATE TEMP TABLE m AS
SELECT rnn_train(month, value, prior()) AS prior, rnn_train(month, value, mix() || '{"horizon": 12}') AS mix,
	   rnn_train(month, value, '{"horizon": 12}') AS auto
FROM monthly;
SELECT rnn_info(prior)->>'summary' AS summary FROM m;
SELECT rnn_info(prior)->'prior'->'version' AS version, rnn_info(prior)#>>'{validation,reason}' AS reason,
	   rnn_info(prior)->'network' AS network, rnn_info(mix)->'prior' AS mix, length(prior) < 3000 AS small,
	   rnn_info(auto)->'prior' = rnn_info(prior)->'prior' AS auto
FROM m;
SELECT count(*), bool_and(abs(p.forecast - x.forecast) < 5) AS near, bool_or(p.forecast <> x.forecast) AS other,
	   bool_and(p.lower < p.forecast AND p.forecast < p.upper) AS ordered
FROM m, rnn_forecast(prior, 100) AS p JOIN m AS again ON true, rnn_forecast(again.mix, 100) AS x WHERE p.step = x.step;
-- Another version was trained for what is far ahead.
SET client_min_messages = warning;
SELECT h AS horizon, p->'version' AS version, p->'share' AS share
FROM (SELECT h, rnn_info(rnn_train(month, value, prior(h)))->'prior' AS p
	  FROM monthly, unnest('{1,64,65,200}'::int[]) AS h GROUP BY h) AS t ORDER BY h;
SELECT rnn_info(rnn_train(month, value, '{"horizon": 65}'))->'prior'->'version' AS "where a network may be trained" FROM monthly;
-- Short series have the first version, long ones the second.
SELECT n, rnn_info(rnn_train(i + sin(i), prior(6) ORDER BY i))->'prior'->'version' AS version FROM unnest('{511,512}'::int[]) AS n, generate_series(1, n) AS i GROUP BY n ORDER BY n;
RESET client_min_messages;
-- The same again, after other rows, and in groups.
SELECT md5(rnn_train(month, value, prior())) = md5(m.prior) AS same FROM monthly, m GROUP BY m.prior;
SELECT count(*) AS models, max(length(model)) < 3000 AS small, bool_and(rnn_info(model)->'network' = 'null') AS untrained
FROM (SELECT rnn_train(k + sin(n * 6.2831853 / 7) + 0.1 * sin(n * 7.3 * k) ORDER BY n) AS model
	  FROM generate_series(1, 200) AS k, generate_series(1, 60) AS n GROUP BY k) AS t (model);
SELECT bool_and(f.forecast = again.forecast AND f.quantiles = again.quantiles) AS "observed again"
FROM m, (SELECT rnn_history(month, value) AS h FROM monthly) AS t, rnn_forecast(prior, 12) AS f
	 JOIN m AS m2 ON true, (SELECT rnn_history(month, value) AS h FROM monthly) AS t2,
	 rnn_forecast(rnn_observe(m2.prior, t2.h), 12) AS again WHERE f.step = again.step;
-- As a model without rows.
SELECT rnn_info(rnn_prior())->>'summary' AS summary;
SELECT count(*) AS rows FROM rnn_forecast(rnn_prior());
SELECT count(*), bool_and(abs(forecast - 100 - step) < 3) AS "goes on"
FROM rnn_forecast(rnn_observe(rnn_prior(), (SELECT rnn_history(n + sin(n * 7.3) / 4 ORDER BY n) FROM generate_series(1, 100) AS n)), 8);
-- What excludes it.
SELECT try($$SELECT rnn_train(n, prior() || '{"skip": false}' ORDER BY n) FROM generate_series(1, 9) AS n$$);
SELECT try($$SELECT rnn_train(n, prior() || '{"network": false}' ORDER BY n) FROM generate_series(1, 9) AS n$$);
SELECT rnn_info(rnn_train(month, value, '{"start": "scratch", "steps": 2}'))->'prior' AS scratch FROM monthly;
-- Trained further: a model of what became different, the same each time, that can be gone on from.
CREATE TEMP TABLE tuned AS
SELECT rnn_train(month, value, '{"start": "tune", "steps": 6, "horizon": 12, "seasons": 12}') AS model FROM monthly;
SELECT i #> '{network,tuned}' < i #> '{network,parameters}' AS "head alone", i #>> '{network,hidden}' AS hidden,
	   i #>> '{validation,weight}' AS weight, i #>> '{validation,candidates,0,network}' AS network,
	   i #>> '{validation,candidates,0,reason}' AS reason, length(model) < 250000 AS small
FROM tuned, rnn_info(model) AS i;
SELECT count(*), bool_and(lower < forecast AND forecast < upper) AS ordered FROM tuned, rnn_forecast(model, 100);
SELECT i #>> '{validation,candidates,0,network}' AS network, (i #>> '{network,steps}')::int BETWEEN 2 AND 4 AS steps
FROM tuned, rnn_train_history(model, '{"steps": 3}', model) AS again, rnn_info(again) AS i;
SELECT try($$SELECT rnn_train(n, '{"start": "tune", "skip": false}' ORDER BY n) FROM generate_series(1, 9) AS n$$);
SELECT try($$SELECT rnn_train(n, '{"start": "tune", "hidden": 8}' ORDER BY n) FROM generate_series(1, 9) AS n$$);
-- In a panel both are judged.
SELECT jsonb_path_query_array(i, '$.validation.candidates[*].network') AS candidates,
	   i #> '{validation,candidates,0,difference}' <> 'null' AS judged
FROM (SELECT rnn_train(k::text, n, k + sin(n * 6.2831853 / 7) + 0.1 * sin(n * 7.3 * k), '{"steps": 4, "horizon": 7, "seasons": 7}') AS model
	  FROM generate_series(1, 9) AS k, generate_series(1::bigint, 70) AS n) AS t, rnn_info(model) AS i;
