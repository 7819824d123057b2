# Mistakes that people make, each with what they have to be told: by an error or
# a NOTICE.  None may pass in silence.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('mistakes');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION rnnforecast;
	CREATE TABLE s (id int, day date, ts timestamp, tz timestamptz, shop text, amount numeric, promo int, open bool);
	INSERT INTO s SELECT n, date '2024-01-01' + n, timestamp '2024-01-01' + n * interval '1 hour',
		timestamptz '2024-01-01 00:00+00' + n * interval '1 hour', chr(65 + n % 2), 100 + 10 * sin(n * 0.9) + n % 5, n % 3 / 2, n % 2 = 0
	FROM generate_series(0, 199) AS n;
	CREATE TABLE few AS SELECT * FROM s WHERE id < 5;
	CREATE TABLE m AS SELECT rnn_train(day, amount, '{"start": "prior", "horizon": 7}') AS model FROM s;
	CREATE TABLE p AS SELECT rnn_train(shop, day, amount, '{"start": "prior", "horizon": 7}') AS model FROM s;
	SELECT rnn_fit('kilo', 'SELECT day, amount FROM s', 7, '{"start": "prior"}');
	SELECT rnn_register('bare', model) FROM m;
});

# [statement, what must be said]; statements of one line with the same answer stand together.
my $any = 'rnn_train\(value \[, options\] ORDER BY';
my @mistakes = (
	# --- arguments of rnn_train that fit no form
	[ q{SELECT rnn_train(day::text, amount) FROM s}, 'no form rnn_train\(text, numeric\).*must be a date, timestamp or timestamptz, not text.*Cast it: rnn_train\(ts::date, value\)' ],
	[ q{SELECT rnn_train(day::varchar, amount, '{}') FROM s}, 'not text.*Cast it' ],
	[ q{SELECT rnn_train(day, amount::text) FROM s}, 'value must be a number, not text.*Cast it: rnn_train\(ts, value::numeric\)' ],
	[ q{SELECT rnn_train(day, open) FROM s}, 'value must be a number, not boolean.*value::int' ],
	[ q{SELECT rnn_train(amount, day) FROM s}, 'time comes after the value.*rnn_train\(ts, value\)' ],
	[ q{SELECT rnn_train(amount, ts, '{}'::jsonb) FROM s}, 'time comes after the value' ],
	[ q{SELECT rnn_train(day, amount, 14) FROM s}, 'not integer.*horizon is an option.*"horizon": 24' ],
	[ q{SELECT rnn_train(day, amount, interval '7 days') FROM s}, 'not interval.*horizon is an option' ],
	[ q{SELECT rnn_train(day, amount, promo) FROM s}, 'covariate is a field of an object: rnn_train\(ts, value, jsonb_build_object' ],
	[ q{SELECT rnn_train(day, amount, '{}'::json) FROM s}, 'jsonb, not json.*::jsonb' ],
	[ q{SELECT rnn_train(day, amount, json_build_object('promo', promo), NULL) FROM s}, 'jsonb, not json' ],
	[ q{SELECT rnn_train(extract(epoch FROM day)::bigint, amount) FROM s}, 'not a number.*to_timestamp\(seconds\)' ],
	[ q{SELECT rnn_train(2024 - id, amount) FROM s}, 'make_date\(year, 1, 1\)' ],
	[ q{SELECT rnn_train(day) FROM s}, 'function rnn_train\(\w+\) does not exist' ],
	[ q{SELECT rnn_train(shop) FROM s}, 'function rnn_train\(\w+\) does not exist' ],
	[ q{SELECT rnn_train(open) FROM s}, 'function rnn_train\(\w+\) does not exist' ],
	[ q{SELECT rnn_train(shop, amount, day) FROM s}, 'time comes after the value.*rnn_train\(series, ts, value\)' ],
	[ q{SELECT rnn_train(day, shop, amount) FROM s}, 'value must be a number, not text' ],
	[ q{SELECT rnn_train(shop, day::text, amount) FROM s}, 'not text.*rnn_train\(series, ts::date, value\)' ],
	[ q{SELECT rnn_train(shop, id::numeric, amount) FROM s}, 'must be a bigint, not numeric.*step::bigint' ],
	[ q{SELECT rnn_train(shop, day, amount, promo) FROM s}, 'covariate is a field of an object: rnn_train\(series, ts, value' ],
	[ q{SELECT rnn_train(shop, day, open) FROM s}, 'value must be a number, not boolean.*series, ts, value::int' ],
	[ q{SELECT rnn_train(shop, day) FROM s}, 'no form rnn_train\(text, date\)' ],
	[ q{SELECT rnn_train(day, day) FROM s}, 'no form rnn_train\(date, date\)' ],
	[ q{SELECT rnn_train(day, ts, amount) FROM s WHERE id < 3}, 'each of 3 series has only one known value' ],
	[ q{SELECT rnn_train(now() - day, amount) FROM s}, "no form.*$any" ],
	[ q{SELECT rnn_history(day::text, amount) FROM s}, 'no form rnn_history\(text, numeric\).*rnn_history\(ts::date, value\)' ],
	[ q{SELECT rnn_history(amount, day) FROM s}, 'time comes after the value.*rnn_history\(ts, value\)' ],
	[ q{SELECT rnn_train(day::text, amount) FROM s WHERE false}, 'no form rnn_train\(text, numeric\)' ],
	[ q{SELECT rnn_train(*) FROM s}, 'rnn_train\(\*\)|no form' ],
	# --- rows
	[ q{SELECT rnn_train(id, id, amount) FROM s}, 'each of 200 series has only one known value.*row.s id' ],
	[ q{SELECT rnn_train(id, day, amount) FROM s}, 'each of 200 series has only one known value' ],
	[ q{SELECT length(rnn_train(day, amount)) FROM s WHERE false}, 'no rows to train on: the model is NULL' ],
	[ q{SELECT rnn_train(day, amount) FROM s WHERE id = 7}, 'only one known value to train on' ],
	[ q{SELECT rnn_train(amount ORDER BY day) FROM s WHERE id = 7}, 'only one known value to train on' ],
	[ q{SELECT count(model) FROM (SELECT rnn_train(day, amount) AS model FROM s GROUP BY day LIMIT 5) AS g}, 'only one known value.*GROUP BY' ],
	[ q{SELECT rnn_train(day, amount) FROM (SELECT * FROM s UNION ALL SELECT * FROM few) AS u}, 'occurs more than once.*duplicates|twice.*duplicates' ],
	[ q{SELECT rnn_train(day, amount) FROM (SELECT NULLIF(day, '2024-02-01') AS day, amount FROM s) AS u}, 'NULL' ],
	[ q{SELECT rnn_train(shop, day, amount) FROM (SELECT CASE WHEN id > 9 THEN shop END AS shop, day, amount FROM s) AS u}, 'the series of the row at 2024-01-0\d is NULL' ],
	[ q{SELECT rnn_train(day, 'infinity'::float8) FROM s}, 'value at 2024-01-01 is infinite.*Replace it by NULL' ],
	[ q{SELECT rnn_train(shop, day, 'infinity'::float8) FROM s}, 'series "A" at .* is infinite' ],
	[ q{SELECT rnn_train('infinity'::date, amount) FROM s}, 'a time is infinite.*isfinite' ],
	[ q{SELECT rnn_train(day - 800000, amount) FROM s}, 'before the year 1' ],
	[ q{SELECT rnn_train(day, NULL::numeric) FROM s}, 'no known value among 200 rows' ],
	[ q{SELECT rnn_train(shop, day, CASE WHEN shop = 'A' THEN amount END) FROM s}, 'series "B" has no known value.*on_error' ],
	[ q{SELECT rnn_train(ts + id * random() * interval '1 minute', amount) FROM s}, 'step|grid' ],
	[ q{SELECT rnn_train(ts + CASE id WHEN 9 THEN interval '1 minute' ELSE '0' END, amount) FROM s}, 'not on the grid of steps.*"bin"' ],
	[ q{SET TimeZone = 'UTC'; SELECT rnn_train((timestamp '2024-03-01' + id * interval '1 day') AT TIME ZONE 'Europe/Berlin', amount) FROM s}, 'not on the grid.*time zone "UTC".*option "timezone"' ],
	[ q{SELECT rnn_train(amount) FROM s}, 'without ORDER BY' ],
	[ q{SELECT rnn_train(day, amount, jsonb_build_object('horizon', id % 2 + 1)) FROM s}, 'options differ between the rows' ],
	[ q{SELECT rnn_train(day, amount, '{"horizon": 150}') FROM s}, 'horizon 150 is long for 200 steps' ],
	[ q{SELECT rnn_train(day, amount, '{"transform": "log", "start": "prior"}') FROM (SELECT day, amount - amount AS amount FROM s) AS u}, 'Only values above 0' ],
	[ q{SELECT rnn_train(day, amount, '{"gaps": "error"}') FROM s WHERE id <> 50}, 'no value at 2024-02-20' ],
	# --- options
	[ q{SELECT rnn_train(day, amount, '{"horizn": 7}') FROM s}, 'unknown option "horizn".*Did you mean "horizon"' ],
	[ q{SELECT rnn_train(day, amount, '{"Horizon": 7}') FROM s}, 'unknown option "Horizon".*Did you mean "horizon"' ],
	[ q{SELECT rnn_train(day, amount, '{"colour": 7}') FROM s}, 'unknown option "colour".*rnn_options' ],
	[ q{SELECT rnn_train(day, amount, '{"horizon": "48"}') FROM s}, 'whole number, not "48".*without quotes: \{"horizon": 48\}' ],
	[ q{SELECT rnn_train(day, amount, '{"horizon": 4.5}') FROM s}, '"horizon" must be a whole number, not 4.5' ],
	[ q{SELECT rnn_train(day, amount, '{"horizon": 0}') FROM s}, '"horizon" must be between 1 and 1024, not 0' ],
	[ q{SELECT rnn_train(day, amount, '{"horizon": -3}') FROM s}, 'not -3' ],
	[ q{SELECT rnn_train(day, amount, '{"horizon": 100000}') FROM s}, 'not 100000' ],
	[ q{SELECT rnn_train(day, amount, '{"horizon": [7]}') FROM s}, 'whole number, not \[7\]' ],
	[ q{SELECT rnn_train(day, amount, '{"horizon": "7 days"}') FROM s}, 'whole number, not "7 days"' ],
	[ q{SELECT rnn_train(day, amount, '{"network": "false"}') FROM s}, 'true or false, not "false".*without quotes: \{"network": false\}' ],
	[ q{SELECT rnn_train(day, amount, '{"network": 0}') FROM s}, 'true or false, not 0' ],
	[ q{SELECT rnn_train(day, amount, '{"start": "priot"}') FROM s}, '"start" cannot be "priot".*"prior"' ],
	[ q{SELECT rnn_train(day, amount, '{"start": true}') FROM s}, '"start" cannot be true' ],
	[ q{SELECT rnn_train(day, amount, '{"cell": "transformer"}') FROM s}, '"elman", "gru", "lstm"' ],
	[ q{SELECT rnn_train(day, amount, '{"seasons": "weekly"}') FROM s}, '"seasons" must be a number, an array of numbers, or "auto", not "weekly"' ],
	[ q{SELECT rnn_train(day, amount, '{"seasons": ["7"]}') FROM s}, 'not "7".*without quotes' ],
	[ q{SELECT rnn_train(day, amount, '{"seasons": [1,2,3,4]}') FROM s}, 'at most three numbers, not \[1, 2, 3, 4\]' ],
	[ q{SELECT rnn_train(day, amount, '{"step": "daily"}') FROM s}, '"step" cannot be "daily".*"1 day"' ],
	[ q{SELECT rnn_train(day, amount, '{"step": "1 dya"}') FROM s}, '"step" cannot be "1 dya".*"1 day"' ],
	[ q{SELECT rnn_train(day, amount, '{"step": "-1 day"}') FROM s}, '"step" cannot be "-1 day"' ],
	[ q{SELECT rnn_train(day, amount, '{"step": "1 month 1 day"}') FROM s}, '"step" cannot be "1 month 1 day"' ],
	[ q{SELECT rnn_train(day, amount, '{"timezone": "Berlin"}') FROM s}, 'time zone "Berlin" not recognized.*pg_timezone_names' ],
	[ q{SELECT rnn_train(day, amount, '{"timezone": 2}') FROM s}, 'name of a time zone, not 2' ],
	[ q{SELECT rnn_train(day, amount, '{"lower": 5, "upper": 4}') FROM s}, '"lower" cannot be above option "upper".*5 and 4' ],
	[ q{SELECT rnn_train(day, amount, '{"lower": "0"}') FROM s}, 'a number, not "0".*without quotes' ],
	[ q{SELECT rnn_train(day, amount, '{"on_error": "ignore"}') FROM s}, '"fail", "skip", "naive"' ],
	[ q{SELECT rnn_train(day, amount, '{"bin": "avg"}') FROM s}, '"mean"' ],
	[ q{SELECT rnn_train(day, amount, '{"known_ahead": "yes"}') FROM s}, '"auto", "all", "none"' ],
	[ q{SELECT rnn_train(day, amount, '{"gate": 0.1}') FROM s}, 'option "gate" is only for named models.*rnn_fit' ],
	[ q{SELECT rnn_train(day, amount, '[]') FROM s}, 'options must be a JSON object' ],
	[ q{SELECT rnn_train(day, amount, '"horizon"') FROM s}, 'options must be a JSON object' ],
	[ q{SELECT rnn_train(day, amount, '{horizon: 7}') FROM s}, 'invalid input syntax for type json' ],
	[ q~SELECT rnn_train(day, amount, '{"horizon": 7') FROM s~, 'invalid input syntax for type json' ],
	[ q{SELECT rnn_train(day, amount, '{"network": false, "skip": false}') FROM s}, '"network" and "skip" cannot both be false' ],
	[ q{SELECT rnn_train(ts, amount, '{"duplicates": "last"}') FROM s}, 'rows have no order.*ORDER BY id' ],
	[ q{SELECT rnn_train(amount, '{"step": "1 day"}' ORDER BY day) FROM s}, '"step" needs times' ],
	[ q{SELECT rnn_history(day, amount, '{"horizon": 7}') FROM s}, 'rnn_history has no option "horizon".*rnn_train' ],
	# --- covariates
	[ q{SELECT rnn_train(day, amount, '{"promo": 1}', '{"network": false}'::jsonb - 'x') FROM few WHERE false}, 'no rows' ],
	[ q{SELECT rnn_train(day, amount, '{"network": false}'::jsonb, jsonb_build_object('promo', promo)) FROM s}, 'options differ|unknown option "promo"' ],
	[ q{SELECT rnn_train(day, amount, jsonb_build_object('promo', promo)) FROM s}, 'options differ.*Covariates come before them|unknown option "promo"' ],
	[ q{SELECT rnn_train(day, amount, jsonb_build_array(promo), NULL) FROM s}, 'covariates must be a JSON object' ],
	[ q{SELECT rnn_train(day, amount, jsonb_build_object('promo', jsonb_build_object('x', 1)), NULL) FROM s}, 'promo' ],
	[ q{SELECT rnn_train(day, amount, CASE id % 2 WHEN 0 THEN '{"promo": "a"}' ELSE '{"promo": 1}' END::jsonb, NULL) FROM s}, 'promo' ],
	# --- a name, or something else, where a model is expected
	[ q{SELECT * FROM rnn_forecast('kilo', 3)}, 'not the text .kilo..*rnn_forecast_model\(.kilo.\)' ],
	[ q{SELECT rnn_info('kilo')}, 'not the text .kilo..*rnn_model\(.kilo.\)' ],
	[ q{SELECT * FROM rnn_series('kilo')}, 'not the text .kilo.' ],
	[ q{SELECT rnn_summary('kilo')}, 'not the text .kilo.' ],
	[ q{SELECT rnn_register('x', 'kilo')}, 'not the text .kilo.' ],
	[ q{SELECT * FROM rnn_forecast('')}, 'model bytes are damaged' ],
	[ q{SELECT * FROM rnn_forecast('\x0001')}, 'model bytes are damaged' ],
	[ q{SELECT * FROM rnn_forecast('524e4e46')}, 'damaged.*hexadecimal text' ],
	[ q{SELECT * FROM rnn_forecast(NULL::bytea)}, 'nothing is forecast: the model is NULL' ],
	[ q{SELECT rnn_forecast(rnn_history(day, amount)) FROM s}, 'a history, not a model.*rnn_train_history' ],
	[ q{SELECT rnn_forecast(model) FROM (SELECT substr(model, 1, 500) AS model FROM m) AS t}, 'damaged' ],
	[ q{SELECT rnn_observe(model, NULL) IS NULL FROM m}, 'no new rows: the model stays' ],
	[ q{SELECT rnn_observe(model, (SELECT rnn_history(day, amount) FROM s WHERE false)) IS NULL FROM m}, 'no new rows: the model stays' ],
	[ q{SELECT length(rnn_observe(model, (SELECT rnn_history(day, amount * 1000) FROM s))) FROM m}, 'on another scale.*another column, or in another unit' ],
	[ q{SELECT length(rnn_observe(model, (SELECT rnn_history(shop, day, amount / 1000) FROM s))) FROM p}, 'on another scale' ],
	[ q{SELECT rnn_observe(model, (SELECT rnn_history(ts, amount) FROM s)) FROM m}, 'step does not fit.*rnn_history\(ts::date, value\)' ],
	[ q{SELECT rnn_observe(model, (SELECT rnn_history(amount ORDER BY day) FROM s)) FROM m}, 'step does not fit' ],
	# --- forecasts
	[ q{SELECT * FROM m, rnn_forecast(model, 0)}, 'horizon must be between 1 and 100000, not 0' ],
	[ q{SELECT * FROM m, rnn_forecast(model, 10000000)}, 'not 10000000' ],
	[ q{SELECT * FROM m, rnn_forecast(model, level => 90)}, 'above 0 and below 1, not 90.*Write 90 % as 0.9' ],
	[ q{SELECT * FROM m, rnn_forecast(model, level => 0)}, 'above 0 and below 1, not 0' ],
	[ q{SELECT * FROM m, rnn_forecast(model, level => -0.9)}, 'not -0.9' ],
	[ q{SELECT * FROM m, rnn_forecast(model, 7, until => '2025-01-01')}, 'horizon and until cannot be used together' ],
	[ q{SELECT * FROM m, rnn_forecast(model, until => '2020-01-01')}, 'before the first step' ],
	[ q{SELECT * FROM m, rnn_forecast(model, until => '9999-01-01')}, 'steps or more ahead' ],
	[ q{SELECT * FROM m, rnn_forecast(model, until => 'tomorow')}, 'invalid input syntax for type timestamp' ],
	[ q{SELECT * FROM m, rnn_forecast(model, history => -1)}, 'history must not be negative, not -1' ],
	[ q{SELECT * FROM m, rnn_forecast(model, history => 100000)}, 'keeps less history than 100000 rows' ],
	[ q{SELECT * FROM p, rnn_forecast(model, series => '{Z}')}, '"Z"' ],
	[ q{SELECT * FROM p, rnn_forecast(model, series => 'A')}, 'malformed array literal: "A"' ],
	[ q{SELECT * FROM p, rnn_forecast(model, series => '{A,NULL}')}, 'NULL' ],
	[ q{SELECT * FROM m, rnn_forecast(model, series => '{A}')}, '"A"|no name' ],
	[ q{SELECT * FROM m, rnn_forecast(model, '7 days')}, 'invalid input syntax for type bigint: "7 days"' ],
	[ q{SELECT * FROM m, rnn_forecast(model, options => '{"seasons": 7}')}, '"seasons" of rnn_forecast.*rnn_train' ],
	[ q{SELECT * FROM m, rnn_forecast(model, options => '{"align": "true"}')}, 'true or false, not "true".*without quotes' ],
	[ q{SELECT rnn_chance_above('{1,2,3}', 2)}, 'array of 15 numbers' ],
	[ q{SELECT rnn_chance_above(quantiles, 'NaN') FROM m, rnn_forecast(model, 1)}, 'threshold must be a number, not NaN' ],
	# --- queries
	[ q{SELECT * FROM rnn_forecast_query('SELECT day, amount FROM s WHERE false')}, 'nothing is forecast: the query has no rows' ],
	[ q{SELECT * FROM rnn_forecast_query('SELECT day, amount FROM s LIMIT 1')}, 'only one known value' ],
	[ q{SELECT * FROM rnn_forecast_query(NULL)}, 'nothing is forecast: the query is NULL' ],
	[ q{SELECT * FROM rnn_forecast_query('s')}, 'syntax error' ],
	[ q{SELECT * FROM rnn_forecast_query('SELECT 1; SELECT 2')}, 'one SELECT, not 2 statements' ],
	[ q{SELECT * FROM rnn_forecast_query('DELETE FROM s')}, 'one SELECT, not DELETE' ],
	[ q{SELECT * FROM rnn_forecast_query('SELECT amount, day FROM s')}, 'column "amount" of the query must be a date, timestamp or timestamptz, not numeric' ],
	[ q{SELECT * FROM rnn_forecast_query('SELECT day::text, amount FROM s')}, 'column "day" of the query must be a date.*not text.*Cast it' ],
	[ q{SELECT * FROM rnn_forecast_query('SELECT day, amount::text FROM s')}, 'must be a number, not text' ],
	[ q{SELECT * FROM rnn_forecast_query('SELECT * FROM s')}, 'query has 8 columns.*Name them' ],
	[ q{SELECT * FROM rnn_forecast_query('SELECT day AS ts, ts AS ts, amount AS value FROM s')}, 'two columns named "ts"' ],
	[ q{SELECT * FROM rnn_forecast_query('SELECT nothing FROM s')}, 'column "nothing" does not exist' ],
	[ q{SELECT * FROM rnn_forecast_query('SELECT day, amount FROM sales')}, 'relation "sales" does not exist' ],
	[ q{SELECT count(*) FROM m, rnn_forecast_query('SELECT day, amount * 1000 FROM s', 3, model => model)}, 'on another scale' ],
	[ q{SELECT count(*) FROM m, rnn_forecast_query('SELECT day, amount FROM s', 3, options => '{"seasons": 7}', model => model)}, 'options and model cannot be used together' ],
	# --- named models
	[ q{SELECT * FROM rnn_forecast_model('Kilo')}, 'model "Kilo" does not exist.*Did you mean "kilo"' ],
	[ q{SELECT * FROM rnn_forecast_model('kil')}, 'Did you mean "kilo"' ],
	[ q{SELECT * FROM rnn_forecast_model('nothing of that')}, 'does not exist.*rnn_models lists' ],
	[ q{SELECT * FROM rnn_forecast_model(NULL)}, 'name must not be NULL' ],
	[ q{SELECT rnn_fit('kilo', 'SELECT day, amount FROM s')}, 'already exists.*rnn_alter.*replace => true' ],
	[ q{SELECT rnn_fit('', 'SELECT day, amount FROM s')}, '1 to 1000 bytes, not 0' ],
	[ q{SELECT rnn_fit('SELECT day, amount FROM s', 'x')}, 'syntax error' ],
	[ q{SELECT rnn_fit('x', 'SELECT day, amount FROM s WHERE false')}, 'query of model "x" has no rows' ],
	[ q{SELECT rnn_fit('x', 'SELECT day, amount FROM s', 7, '{"windows": "3"}')}, '"windows" must be a whole number from 0 to 100, not "3"' ],
	[ q{SELECT rnn_fit('x', 'SELECT day, amount FROM s', 7, '{"gat": 1}')}, 'Did you mean "gate"' ],
	[ q{CREATE TEMP TABLE t AS TABLE s; SELECT rnn_fit('temporary', 'SELECT day, amount FROM t', 7, '{"start": "prior"}')}, 'temporary table "t".*a refit will then fail' ],
	[ q{SELECT rnn_fit('volatile', 'SELECT day, amount + random() FROM s', 7, '{"start": "prior"}')}, 'calls a volatile function' ],
	[ q{SELECT rnn_fit('long', 'SELECT day, amount FROM s', 150, '{"start": "prior"}')}, 'horizon 150 is long for 200 steps' ],
	[ q{SELECT rnn_fit('one', 'SELECT id, day, amount FROM s', 7, '{"start": "prior"}')}, 'each of 200 series has only one known value' ],
	[ q{BEGIN; CALL rnn_refit('kilo')}, 'transaction block' ],
	[ q{SELECT rnn_refit('kilo')}, 'rnn_refit\(unknown\) is a procedure.*CALL' ],
	[ q{DO 'BEGIN CALL rnn_refit(''kilo''); END'}, 'output parameter|not writable' ],
	[ q{CALL rnn_refit('bare')}, 'no query to train on.*rnn_register' ],
	[ q{SELECT * FROM rnn_forecast_model('bare', options => '{"fresh": true}')}, 'no query to get fresh rows from' ],
	[ q{SELECT rnn_promote('kilo', 9)}, 'no version 9.*rnn_versions' ],
	[ q{SELECT rnn_rollback('kilo')}, 'no version to go back to' ],
	[ q{SELECT rnn_alter('kilo')}, 'nothing to change' ],
	[ q{SELECT rnn_alter('kilo', horizon => 7)}, 'the next refit of model "kilo" uses this change' ],
	[ q{SELECT rnn_grant('kilo', 'nobody')}, 'role "nobody" does not exist' ],
	[ q{SELECT rnn_revoke('kilo', 'postgres')}, 'has no grant|does not exist' ],
	[ q{SELECT rnn_schedule('kilo', 'every night')}, 'pg_cron is not installed' ],
	[ q{SELECT rnn_register('y', model, 'SELECT nonsense') FROM m}, 'column "nonsense" does not exist' ],
	# --- judging
	[ q{SELECT * FROM rnn_backtest('SELECT day, amount FROM s', 7, 0)}, 'cutoffs must be between 1 and .*, not 0' ],
	[ q{SELECT * FROM rnn_backtest('SELECT day, amount FROM s WHERE false')}, 'no rows' ],
	[ q{SELECT * FROM rnn_backtest('SELECT day, amount FROM s', 7, 2, '{"at": "2024-05-01"}')}, 'array of times, or of steps, not "2024-05-01"' ],
	[ q{SELECT * FROM rnn_anomalies('SELECT day, amount FROM s', 99)}, 'above 0 and below 1, not 99.*Write 99 % as 0.99' ],
	[ q{SELECT * FROM rnn_anomalies('SELECT day, amount FROM s', options => '{"direction": "left"}')}, '"up", "down" or "both", not "left"' ],
	[ q{SELECT * FROM rnn_anomalies('SELECT day, amount FROM s', options => '{"last": "7"}')}, 'whole number, not "7".*without quotes' ],
	[ q{SELECT rnn_accuracy(r) FROM (SELECT amount AS value, amount AS forecast FROM s) AS r}, '"actual"' ],
	[ q{SELECT * FROM rnn_naive((SELECT model FROM m), 3, 0)}, 'season must be between 1 and .*, not 0' ],
	[ q{SELECT rnn_plot('SELECT amount AS something FROM s')}, 'column' ],
);

for (@mistakes)
{
	my ($statement, $said) = @$_;
	my ($rc, $out, $err) = $node->psql('postgres', $statement);

	$err =~ s/\n/ /g;
	like($err, qr/$said/, $statement);
}
cmp_ok(scalar @mistakes, '>=', 155, 'that many mistakes');
done_testing();
