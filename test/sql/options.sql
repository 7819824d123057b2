-- Options: one table, and errors that list what is allowed.
\t
\pset format unaligned
SELECT name, type, min, max FROM rnn_options ORDER BY name COLLATE "C";
SELECT count(*) FROM rnn_options WHERE "default" IS NULL OR description IS NULL OR description = '';
SELECT name, "default" FROM rnn_options WHERE name IN ('cell', 'hidden', 'network', 'seasons', 'start') ORDER BY name;

CREATE FUNCTION with_options(options text) RETURNS text LANGUAGE sql AS $$
	SELECT try(format('SELECT rnn_train(month, value, %L) IS NOT NULL FROM monthly', options))
$$;
-- Unknown keys.
SELECT with_options('{"horizn": 3}');
SELECT with_options('{"Cell": "gru"}');
SELECT with_options('{"": 1}');
SELECT left(with_options('{"zzzzzzzzzz": 1}'), 60);
-- Out of range.
SELECT with_options('{"layers": 0}');
SELECT with_options('{"layers": 9}');
SELECT with_options('{"learning_rate": 0}');
SELECT with_options('{"learning_rate": -1}');
SELECT with_options('{"learning_rate": 1e400}');
SELECT with_options('{"horizon": 1025}');
SELECT with_options('{"horizon": 99999999999999999999}');
SELECT with_options('{"dropout": 1}');
SELECT with_options('{"seed": 1e300}');
-- Wrong types.
SELECT with_options('{"layers": "2"}');
SELECT with_options('{"layers": 1.5}');
SELECT with_options('{"layers": null}');
SELECT with_options('{"layers": [1]}');
SELECT with_options('{"layers": {}}');
SELECT with_options('{"network": 1}');
SELECT with_options('{"network": "no"}');
SELECT with_options('{"cell": true}');
SELECT with_options('{"cell": "transformer"}');
SELECT with_options('{"cell": "GRU "}');
SELECT with_options('{"start": "warm"}');
SELECT with_options('{"seasons": [12, 7]}');
SELECT with_options('{"seasons": [1, 2, 3, 4]}');
SELECT with_options('{"seasons": [0]}');
SELECT with_options('{"seasons": ["a"]}');
SELECT with_options('{"seasons": {}}');
SELECT with_options('[]');
SELECT with_options('3');
SELECT with_options('"network"');
-- Conflicts.
SELECT with_options('{"network": false, "skip": false}');
SELECT with_options('{"patch": 64, "context": 32}');
-- Allowed.
SELECT with_options('{}');
SELECT with_options('{"network": false}');
SELECT with_options('{"network": false, "seasons": 12}');
SELECT with_options('{"network": false, "seasons": [1]}');
SELECT with_options('{"network": false, "seasons": "auto", "hidden": "auto"}');
SELECT with_options('{"network": false, "seasons": [3, 12]}');
-- What was given is what rnn_info shows.
SELECT rnn_info(m)->'options' @> '{"seasons": [12], "horizon": 9, "kappa": 4.5, "seed": -7, "cell": "lstm"}'
FROM (SELECT rnn_train(month, value, mix() || '{"seasons": [12], "horizon": 9, "kappa": 4.5, "seed": -7, "cell": "lstm"}')
	  FROM monthly) AS t (m);
-- One word instead of hidden, steps and members; what is given counts.
SELECT with_options('{"effort": "low"}');
SELECT effort, info->'options'->'hidden' AS hidden, info->'options'->'steps' AS steps, info->'options'->'members' AS members
FROM unnest('{quick,normal,high}'::text[]) AS effort,
	 LATERAL (SELECT rnn_info(rnn_train(month, value, mix() || jsonb_build_object('effort', effort))) FROM monthly) AS t (info);
SELECT rnn_info(rnn_train(month, value, mix() || '{"effort": "high", "steps": 7, "members": 2}'))->'options' @>
	   '{"effort": "high", "hidden": 64, "steps": 7, "members": 2}' FROM monthly;
-- Nothing is "auto" any more, and every option of the engine is there.
SELECT count(*) FROM rnn_options AS o, (SELECT rnn_info(rnn_train(month, value, mix()))->'options' AS used FROM monthly) AS i
WHERE NOT used ? o.name AND o.name NOT IN ('progress', 'keep', 'known_ahead', 'timezone');
-- The rows must agree on their options.
SELECT try($$SELECT rnn_train(month, value, jsonb_build_object('horizon', n)) IS NOT NULL FROM monthly$$);
\t
\pset format aligned
