-- Little memory: fewer windows are judged by, fewer of a minibatch are in memory at once; no error.
\set VERBOSITY terse
CREATE TEMP TABLE hours AS
SELECT k, n, timestamp '2024-01-01' + n * interval '1 hour' AS ts,
	   k + sin(2 * pi() * n / 24) + 0.1 * sin(n * 7.3 * k) AS v
FROM generate_series(1, 2000) AS k, generate_series(1, 200) AS n;
CREATE TEMP TABLE histories AS
SELECT rnn_history(k, ts, v) AS whole, rnn_history(k, ts, CASE WHEN (n + k) % 11 > 0 THEN v END) AS gaps FROM hours;
CREATE FUNCTION verdict(model bytea) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN count(*) = 2000 AND bool_and(abs(forecast - series::int) < 3) THEN 'sound' ELSE 'wrong' END
	FROM rnn_forecast(model, 1)
$$;
CREATE FUNCTION train_on(history bytea, options jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN verdict(rnn_train_history(history, options));
EXCEPTION WHEN program_limit_exceeded THEN
	RETURN sqlstate;
END $$;
SET client_min_messages = warning;
SET rnnforecast.max_memory = '18MB';
SELECT horizon, train_on(whole, mix() || o) AS mix, train_on(gaps, mix() || o) AS "mix, gaps",
	   train_on(whole, '{"steps": 3}' || o) AS network, train_on(gaps, '{"steps": 3}' || o) AS "network, gaps"
FROM histories, unnest('{24,96}'::int[]) AS horizon, jsonb_build_object('horizon', horizon) AS o;
SELECT verdict(rnn_train(k, ts, CASE WHEN (n + k) % 11 > 0 THEN v END, '{"steps": 3, "horizon": 24}')) AS rows FROM hours;
SELECT (rnn_info(rnn_train_history(whole, '{"steps": 3, "horizon": 24}'))#>>'{sampled,windows}')::float8 BETWEEN 0.001 AND 0.9 AS sampled
FROM histories;
-- Minibatches stay as they are.
SELECT train_on(gaps, '{"steps": 3, "horizon": 24, "batch": 64}') AS batch FROM histories;
CREATE FUNCTION batch_of(options jsonb, model bytea DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT try(format('SELECT rnn_info(rnn_train_history(h, %L, %L))#>>''{options,batch}''
					   FROM (SELECT rnn_history(ts, value) FROM hourly) AS t (h)', options, model))
$$;
CREATE FUNCTION wide() RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT '{"start": "scratch", "steps": 2, "horizon": 24, "context": 240, "patch": 1, "hidden": 128, "seasons": [24]}'::jsonb
$$;
SET rnnforecast.max_memory = '512MB';
CREATE TEMP TABLE roomy AS
SELECT rnn_train_history(h, wide()) AS m FROM (SELECT rnn_history(ts, value) FROM hourly) AS t (h);
SELECT rnn_info(m)#>>'{options,batch}' AS before, batch_of(NULL, m) AS "with as much", batch_of('{"batch": 3}', m) AS given FROM roomy;
SET rnnforecast.max_memory = '32MB';
SELECT batch_of(wide()) AS "with less", batch_of(NULL, m) AS "going on", batch_of('{"batch": 100}', m) AS given FROM roomy;
SET rnnforecast.max_memory = '18MB';
SELECT left(batch_of(wide()), 5) AS "too little";
-- Enough is enough.
SET rnnforecast.max_memory = '256MB';
CREATE TEMP TABLE enough AS
SELECT md5(rnn_train_history(whole, mix())) AS mix, md5(rnn_train_history(gaps, '{"steps": 3}')) AS network FROM histories;
SET rnnforecast.max_memory = '512MB';
SELECT md5(rnn_train_history(whole, mix())) = mix AS "same mix", md5(rnn_train_history(gaps, '{"steps": 3}')) = network AS "same network"
FROM histories, enough;
RESET rnnforecast.max_memory;
RESET client_min_messages;
