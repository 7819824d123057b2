-- Named models of each role, as random statements find them.  Those that they
-- have made or changed since are replaced.
SET client_min_messages = warning;
SELECT count(*) FROM (SELECT rnn_drop(name) FROM rnn_models) AS m;
TRUNCATE written;
SET SESSION AUTHORIZATION alice;
SELECT rnn_fit('a', 'SELECT s AS series, d AS ts, v AS value FROM small', 3, '{"network": false}');
SELECT rnn_fit('b', 'TABLE growing', 4, '{"network": false, "retain": 2, "break": 0, "gate": 1000}');
SELECT rnn_grant('a', 'bob');
SET SESSION AUTHORIZATION bob;
SELECT rnn_fit('c', 'SELECT v FROM small ORDER BY n', NULL, '{"network": false}');
SELECT rnn_register('d', m) FROM kept WHERE i = 3;
SET SESSION AUTHORIZATION keeper;
SELECT rnn_fit('e', 'SELECT t AS ts, v AS value, g AS promo FROM small WHERE g = 1', 3, '{"network": false}');
RESET SESSION AUTHORIZATION;
-- Refused to a superuser where the tables belong to somebody else.
SELECT rnn_fit('f', 'SELECT t, v FROM guarded WHERE g = 1', 3, '{"network": false}');
RESET client_min_messages;
