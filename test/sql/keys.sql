-- Several columns name a series, and come back as columns of a key.
CREATE TABLE stock AS
SELECT shop, item, date '2024-01-01' + n AS day, 100 * ascii(shop) - 50 * item + 10 * sin(2 * pi() * n / 7) + noise(n) AS amount, n % 2 AS promo
FROM unnest(ARRAY['A', 'B"']) AS shop, generate_series(1, 2) AS item, generate_series(0, 99) AS n;
SELECT key->>'shop' AS shop, (key->'item')::int AS item, step, series, forecast BETWEEN 6000 AND 7000 AS sane
FROM rnn_forecast_query('SELECT shop, item, day, amount FROM stock', 1, options => '{"keys": ["shop", "item"]}');
SELECT key, count(*) FROM rnn_backtest('SELECT amount AS value, day AS ts, item, shop FROM stock', 2, 2, '{"keys": ["shop", "item"], "network": false}') GROUP BY key ORDER BY key;
SELECT key, count(*) FROM rnn_anomalies('SELECT amount AS value, day AS ts, promo, item, shop FROM stock', options => '{"keys": ["shop", "item"], "last": 3}') GROUP BY key ORDER BY key;
-- Names are those of jsonb_build_object, so a model of these gives the same.
SELECT bool_and(a.key = b.key AND a.series = b.series AND abs(a.forecast - b.forecast) < 1e-6) AS same, count(*)
FROM (SELECT rnn_train(jsonb_build_object('item', item, 'shop', shop), day, amount, '{"start": "prior", "horizon": 3}') AS model FROM stock) AS m,
	 rnn_forecast(model, 3, history => 1) AS a
	 LEFT JOIN rnn_forecast_query('SELECT item, shop, day, amount FROM stock', 3, history => 1, options => '{"keys": ["shop", "item"]}') AS b USING (series, step);
-- Other names have none, whatever they are.
SELECT key->>'shop' AS shop, key->>'item' AS item, count(*) FROM rnn_explain((SELECT rnn_train(jsonb_build_object('shop', shop, 'item', item), day, amount, mix()) FROM stock), 2) GROUP BY key ORDER BY key;
SELECT name, rnn_key(name) AS key FROM unnest(ARRAY['A', '', '{}', '{"a": 1}', '{"a": [1]}', '{"a": {"b": 1}}', '{"a": 1e9999}', '{"a": "1e5 [x] {y}"}', '{"a": "\\"{"}', '{"a"}',
	'{"a": "\u0000"}', '{"a": null, "b": true, "c": 1.50}', '[1]', '{', '}', '{"a": 1}}', '{"a": "\"}']) AS name;
SELECT rnn_key(repeat('{"a": ', 1600) || repeat('}', 1600)) IS NULL AS deep;
-- Named models keep them.
SELECT rnn_fit('stock', 'SELECT shop, item, day, amount FROM stock', 3, mix() || '{"keys": ["shop", "item"]}');
SELECT options->'keys' AS keys FROM rnn_models WHERE name = 'stock';
SELECT key->>'shop' AS shop, key->>'item' AS item, count(*) FROM rnn_forecast_model('stock', options => '{"fresh": true}') GROUP BY key ORDER BY key;
SELECT key->>'item' AS item, count(*) FROM rnn_anomalies_model('stock', options => '{"last": 2}') GROUP BY 1 ORDER BY 1;
SELECT key->>'item' AS item, count(*) FROM rnn_backtest_model('stock', 2, 1) GROUP BY 1 ORDER BY 1;
INSERT INTO stock SELECT shop, item, day + 100, amount, promo FROM stock;
CALL rnn_refit('stock');
SELECT rnn_alter('stock', 'SELECT shop, day, sum(amount) FROM stock GROUP BY 1, 2', options => '{"keys": ["shop"]}');
SELECT rnn_alter('stock', 'SELECT shop AS series, day, sum(amount) FROM stock GROUP BY 1, 2', options => '{"keys": null}');
SELECT options->'keys' AS keys FROM rnn_models WHERE name = 'stock';
SELECT try($$SELECT rnn_alter('stock', options => '{"keys": ["nothing"]}')$$);
SELECT rnn_drop('stock');
SELECT try($$SELECT rnn_forecast_query('SELECT shop, item, day, amount FROM stock', options => '{"keys": "shop"}')$$);
SELECT try($$SELECT rnn_forecast_query('SELECT shop, item, day, amount FROM stock', options => '{"keys": []}')$$);
SELECT try($$SELECT rnn_forecast_query('SELECT shop, item, day, amount FROM stock', options => '{"keys": [1]}')$$);
SELECT try($$SELECT rnn_forecast_query('SELECT shop, item, day, amount FROM stock', options => '{"keys": ["shop", "shop"]}')$$);
SELECT try($$SELECT rnn_forecast_query('SELECT shop, item, day, amount FROM stock', options => '{"keys": ["shop"]}')$$);
SELECT try($$SELECT rnn_forecast_query('SELECT shop, item, day AS ts, amount AS value FROM stock', options => '{"keys": ["ts"]}')$$);
SELECT try($$SELECT rnn_forecast_query('SELECT shop AS series, item, day AS ts, amount AS value FROM stock', options => '{"keys": ["item"]}')$$);
SELECT try($$SELECT rnn_train(day, amount, '{"keys": ["shop"]}') FROM stock$$);
DROP TABLE stock;
SELECT rnn_key('{"a": ' || repeat('1', 200000) || '}') IS NULL AS "longer than any name";
