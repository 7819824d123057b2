-- What the calls of calls.sql are made on.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS rnnforecast;

CREATE TABLE sales (shop text, day date, moment timestamptz, n bigint, amount float8);
INSERT INTO sales
SELECT shop, date '2024-01-01' + n::int, timestamptz '2024-01-01 00:00Z' + n * interval '1 hour', n,
       100 + 20 * sin(n * 2 * pi() / 7) + n % 5 + ascii(shop)
FROM generate_series(0, 119) AS n, unnest('{A,B}'::text[]) AS shop;

CREATE TABLE models (name text PRIMARY KEY, model bytea);
INSERT INTO models
SELECT 'days', rnn_train(day, amount, '{"network": false}') FROM sales WHERE shop = 'A'
UNION ALL
SELECT 'shops', rnn_train(shop, day, amount, '{"network": false}') FROM sales
UNION ALL
SELECT 'moments', rnn_train(moment, amount, '{"network": false}') FROM sales WHERE shop = 'A'
UNION ALL
SELECT 'network', rnn_train(day, amount, '{"start": "scratch", "steps": 5, "members": 1}') FROM sales WHERE shop = 'A'
UNION ALL
SELECT 'history', rnn_history(day, amount) FROM sales WHERE shop = 'A' AND day < '2024-04-01';
