# Rows on their way in and out: what once crashed, grew without end, or was
# wrong in them.
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('rows');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'\nwork_mem = 4MB\nclient_min_messages = warning\nrestart_after_crash = on");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION rnnforecast');

# Output of SQL, or the error that ended it; a crash is one, too.
sub run_sql
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');
	my $rc = $node->psql('postgres', $sql, stdout => \$out, stderr => \$err, on_error_stop => 1);
	return $rc == 0 ? $out : "failed: $err";
}

# After a crash the server restarts by itself.
sub wait_for_server
{
	$node->poll_query_until('postgres', 'SELECT true');
}

# ------------------------------------------------------------------ late keys

# Two rows in twelve have a key that no row before had, and each row ties with
# another, so that only the covariates say which rows are the latest.
$node->safe_psql('postgres', q{
	CREATE TABLE ties AS SELECT n, n % 2 AS s, timestamp '2024-01-01' + (n / 4) * interval '1 minute' AS ts,
		CASE WHEN n = 120000 THEN '{"a": 1}'::jsonb WHEN n = 119990 THEN '{"b": 2, "c": "x"}' ELSE '{}' END AS c
	FROM generate_series(1, 120010) AS n;
	ALTER TABLE ties SET (parallel_workers = 2);
	ANALYZE ties});

my $history = q{SELECT md5(rnn_history(s, ts, 1.0, c, '{"duplicates": "mean"}')) FROM};
my %order = (
	'as they came' => 'n', 'backwards' => 'n DESC', 'mixed' => 'md5(n::text)',
	'late keys first' => 'c DESC, n', 'late keys last' => 'c, n DESC');
my %seen;
for my $name (sort keys %order)
{
	my $out = run_sql("SET rnnforecast.max_memory = '16MB'; $history (SELECT * FROM ties ORDER BY $order{$name} OFFSET 0) AS t");
	like($out, qr/^[0-9a-f]{32}$/, "repair 1: late keys with ties, $name");
	wait_for_server();
	$seen{$out} = 1;
}
my $gather = q{SET rnnforecast.max_memory = '16MB'; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0;};
like(run_sql("$gather EXPLAIN $history ties"), qr/Gather.*Partial Aggregate/s, 'repair 1: the plan is parallel');
$seen{run_sql("$gather $history ties")} = 1;
wait_for_server();
is(scalar keys %seen, 1, 'repair 1: the bytes are the same in five orders and in a parallel plan');

# A flat state that was collected with more memory than there is when it is combined.
$node->safe_psql('postgres', q{
	CREATE AGGREGATE flat_state(anyelement, timestamp, float8, jsonb, jsonb)
		(SFUNC = _rnn_collect_covariates_series_timestamp, STYPE = bytea);
	CREATE AGGREGATE history_of(bytea) (SFUNC = _rnn_collect_combine, STYPE = bytea, FINALFUNC = _rnn_history_final);
	CREATE TABLE flat AS SELECT flat_state(s, ts, 1.0::float8, c, '{"duplicates": "mean"}'::jsonb) AS state FROM ties});
is(run_sql("SET rnnforecast.max_memory = '16MB'; SELECT md5(history_of(state)) FROM flat"), (keys %seen)[0],
	'repair 1: a flat state is read before it is made to fit');
wait_for_server();

# ----------------------------------------------------------- memory of a call

# Each function is called for many rows, its models in turns, so that nothing
# can be kept from call to call, and the memory of the backend is looked at in
# the 100th call and in the last.
$node->safe_psql('postgres', q{
	CREATE FUNCTION backend_memory(int) RETURNS bigint LANGUAGE sql VOLATILE AS
		'SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts WHERE $1 > 0';
	CREATE TABLE sales AS SELECT s, date '2024-01-01' + n AS day, 10 * s + n % 7 AS amount
		FROM generate_series(1, 60) AS n, generate_series(1, 2) AS s;
	CREATE TABLE m AS SELECT k, rnn_train(s::text, day, amount, jsonb_build_object('network', false, 'horizon', 3 + k)) AS model,
		rnn_history(s::text, day, amount + k) AS history FROM sales, generate_series(0, 1) AS k GROUP BY k;
	CREATE TABLE networks AS SELECT k AS network_k, rnn_train(date '2024-01-01' + n, 10 + n % 7 + k, '{"start": "scratch", "steps": 10, "members": 1,
		"hidden": 4, "layers": 1, "horizon": 3, "patch": 1, "context": 16, "batch": 4, "seasons": [7]}') AS network
		FROM generate_series(1, 100) AS n, generate_series(0, 1) AS k GROUP BY k;
	CREATE TABLE names AS SELECT * FROM (VALUES (0, 'first'), (1, 'second')) AS names (name_k, name);
	SELECT rnn_register('first', model, 'SELECT s, day, amount FROM sales') FROM m WHERE k = 0;
	SELECT rnn_register('second', model, 'SELECT s, day, amount FROM sales') FROM m WHERE k = 1});

my @calls = (
	[ 'rnn_observe', 'length(rnn_observe(model, history))' ],
	[ 'rnn_train_history', q{length(rnn_train_history(history, '{"network": false, "horizon": 3, "seasons": [7]}'))} ],
	[ 'rnn_train_history, warm', q{length(rnn_train_history(history, '{"network": false}', model))} ],
	[ 'rnn_forget', q{length(rnn_forget(model, '{1}'))} ],
	[ 'rnn_info', 'rnn_info(model)::text' ],
	[ 'rnn_series', '(SELECT count(*) FROM rnn_series(model))' ],
	[ 'rnn_fill', '(SELECT count(*) FROM rnn_fill(history))' ],
	[ 'rnn_forecast', '(SELECT count(*) FROM rnn_forecast(model, 3))' ],
	[ 'rnn_forecast, all arguments', q{(SELECT count(*) FROM rnn_forecast(model, level => 0.5, until => '2024-03-10',
		series => '{2}', history => 200, options => '{"align": false}'))} ],
	[ 'rnn_training_log', '(SELECT count(*) FROM rnn_training_log(network))' ],
	[ 'rnn_gradient_flow', '(SELECT count(*) FROM rnn_gradient_flow(network))', 500 ],
	[ 'rnn_forecast of a network', '(SELECT count(*) FROM rnn_forecast(network, 3))' ],
	[ 'rnn_forecast_query', q{(SELECT count(*) FROM rnn_forecast_query('SELECT day, amount FROM sales WHERE s = ' || k + 1, 2))}, 500 ],
	[ 'rnn_forecast_query, model', q{(SELECT count(*) FROM rnn_forecast_query('SELECT s, day, amount FROM sales', 2, model => model))} ],
	[ '_rnn_query_call', q{_rnn_query_call('SELECT day, amount FROM sales WHERE s = ' || k, 'rnn_history')} ],
	[ 'rnn_model', 'length(rnn_model(name))' ],
	[ 'rnn_model, version', 'length(rnn_model(name, 1))' ],
	[ 'rnn_forecast_model', '(SELECT count(*) FROM rnn_forecast_model(name, 2))' ],
	[ 'rnn_chance_above', 'rnn_chance_above(array_fill(n::float8, ARRAY[15]), 3)' ],
	[ '_rnn_next_run', q{_rnn_next_run(n % 60 || ' 3 * * *')} ],
	[ 'rnn_prior', 'length(rnn_prior())' ],
	[ 'rnn_quantile_levels', 'rnn_quantile_levels()' ],
	[ 'rnn_options', '(SELECT count(*) FROM rnn_options WHERE n > 0)' ],
	[ 'rnn_progress', '(SELECT count(*) FROM rnn_progress WHERE n > 0)' ],
	[ 'rnn_version', 'rnn_version()' ]);

sub growth
{
	my ($call, $rows) = @_;
	return run_sql(qq{
		SET client_min_messages = error; SET enable_hashjoin = off; SET enable_mergejoin = off;
		SELECT max(CASE WHEN n = $rows THEN backend_memory(n) END) - max(CASE WHEN n = 100 THEN backend_memory(n) END)
		FROM (SELECT n, $call AS result FROM generate_series(1, $rows) AS n
			JOIN m ON k = n % 2 JOIN networks ON network_k = n % 2 JOIN names ON name_k = n % 2 OFFSET 0) AS t
		WHERE result IS NOT NULL});
}

for (@calls)
{
	my ($name, $call, $rows) = @$_;
	$rows = $ENV{CALLS} // $rows // 2000;
	my $grown = growth($call, $rows);
	ok($grown =~ /^-?\d+$/ && $grown < 1_000_000, sprintf("repair 5: %s grows by %s bytes from call 100 to %d", $name, $grown, $rows));
}

# ----------------------------------------------------------- names of series

# Keys of any type: their names are those under ISO dates, UTC and shortest
# floats, whatever the session has, for keys that come again and those that don't.
my $keys = q{SELECT string_agg(name, ' ' ORDER BY name) FROM (SELECT rnn_history(%s, day, 1.0) AS h
	FROM sales, generate_series(1, 3) AS k WHERE s = 1) AS t, rnn_series(h)};
my $session = q{SET DateStyle = 'German'; SET TimeZone = 'Asia/Tokyo'; SET extra_float_digits = -10; SET IntervalStyle = 'iso_8601';};
my @names = (
	[ q{date '2024-01-31' + k}, q{2024-02-01 2024-02-02 2024-02-03}, 'dates' ],
	[ q{timestamp '2024-01-31 12:00' + k * interval '1 day'}, q{2024-02-01 12:00:00 2024-02-02 12:00:00 2024-02-03 12:00:00}, 'times' ],
	[ q{timestamptz '2024-01-31 12:00+00' + k * interval '1 day'}, q{2024-02-01 12:00:00+00 2024-02-02 12:00:00+00 2024-02-03 12:00:00+00}, 'times with a zone' ],
	[ q{k / 10.0::float8}, q{0.1 0.2 0.3}, 'floats' ],
	[ q{k * interval '1 day 2 hours'}, q{1 day 02:00:00 2 days 04:00:00 3 days 06:00:00}, 'intervals' ],
	[ q{ROW(k, date '2024-01-31' + k, repeat('x', k))}, q{(1,2024-02-01,x) (2,2024-02-02,xx) (3,2024-02-03,xxx)}, 'rows' ],
	[ q{ARRAY[date '2024-01-31' + k]}, q({2024-02-01} {2024-02-02} {2024-02-03}), 'arrays' ]);
is(run_sql("$session " . sprintf($keys, $_->[0])), $_->[1], "repair 16: names of series by $_->[2]") for @names;

# More keys than are remembered.
is(run_sql(q{SET rnnforecast.max_memory = '16MB'; SELECT count(*), min(name), max(name) FROM
	(SELECT rnn_history(timestamp '2024-01-01' + n % 15000 * interval '1 second', n / 15000, 1.0) AS h FROM generate_series(0, 29999) AS n) AS t,
	rnn_series(h)}), '15000|2024-01-01 00:00:00|2024-01-01 04:09:59', 'repair 16: names of many series');

# -------------------------------------------------------------- workers' files

# Workers share series and features through temporary files.  Where these don't
# fit, the leader trains alone, to the same bytes.
$node->safe_psql('postgres', q{CREATE TABLE long AS SELECT s, n, 50 + 10 * sin(n / 4.0) + s + n * n * s % 7 AS v
	FROM generate_series(1, 10) AS s, generate_series(1, 300) AS n});
my $train = q{SELECT md5(rnn_train(s, n, v, '{"steps": 30, "members": 3, "hidden": 8, "horizon": 6, "seasons": [25]}')) FROM long};
my $alone = run_sql("SET rnnforecast.max_workers = 0; $train");
like($alone, qr/^[0-9a-f]{32}$/, 'trained without workers');
is(run_sql("SET temp_file_limit = '$_'; SET rnnforecast.max_workers = 2; $train"), $alone, "repair 12: with a temp_file_limit of $_")
	for '0', '64kB', '1MB', '-1';

# ------------------------------------------------------------------- progress

# Each phase of a training as NOTICEs tell it; those of the first five seconds are not told.
sub notices_of
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');
	$node->psql('postgres', "SET client_min_messages = notice; SET rnnforecast.max_workers = 0; $sql", stdout => \$out, stderr => \$err);
	return grep { /NOTICE:  training/ } split /\n/, $err;
}
my @told = notices_of(q{SELECT length(rnn_train(s, n, v + g, '{"steps": 2500, "members": 2, "hidden": 64, "horizon": 6, "seasons": [25], "progress": true, "seconds": 7}'))
	FROM long, generate_series(1, 1) AS g});
ok(@told > 0, 'a training tells of its progress');
is(scalar(grep { /step (\d+) of (\d+)/ && ($1 > $2 || $2 == 0) } @told), 0, 'repair 13: no step above the steps, or of none');
is(scalar(grep { /loss 0\.0000/ } @told), 0, 'repair 13: no loss where there is none');

# ------------------------------------------------------------ a ceiling of seconds

$node->safe_psql('postgres', q{CREATE TABLE many AS SELECT s, date '2024-01-01' + n AS day, 50 + 10 * sin(n / 4.0) + n * n * s % 7 AS v
	FROM generate_series(1, 400) AS s, generate_series(1, 120) AS n});
my $cut = q{SELECT i->>'stopped_by_time', i->>'summary' LIKE '% The ceiling of seconds cut the training short.', (SELECT count(*)
	FROM rnn_forecast(m, 12) WHERE forecast < 'Infinity' AND forecast > '-Infinity') FROM (SELECT %s) AS t (m), rnn_info(m) AS i};
for ('"network": false', '"start": "prior"', '"steps": 100000', '"steps": 100000, "start": "scratch"', '"steps": 100000, "skip": false')
{
	is(run_sql(sprintf($cut, qq{rnn_train(s::text, day, v, '{$_, "horizon": 12, "seconds": 0.001}') FROM many})), 'true|t|4800',
		"repair 24: a training with $_ is cut short, says so, and forecasts");
}
is(run_sql(sprintf($cut, q{rnn_train(s::text, day, v, '{"network": false, "horizon": 12, "seconds": 1000}') FROM many})), 'false|f|4800',
	'repair 24: one that has time does not');
is(run_sql(sprintf($cut, q{rnn_observe(rnn_train(s::text, day, v, '{"network": false, "horizon": 12, "seconds": 0.001}'),
	rnn_history(s::text, day, v)) FROM many})), 'true|t|4800', 'repair 24: nor is it forgotten with other rows');

# What is over is over for the judging, too: some series have to do.
my $run = q{SELECT outcome, mase > 0, live_mase > 0, message ~ 'the time ran out: only [1-9]\d? of 400 series were judged' FROM rnn_runs WHERE name = 'many' ORDER BY id DESC LIMIT 1};
run_sql(q{SELECT rnn_fit('many', 'SELECT s::text AS series, day AS ts, v AS value FROM many', 12, '{"seconds": 0.001}')});
is(run_sql($run), 'promoted|t||t', 'repair 24: a version is judged by the series that there is time for');
run_sql(q{INSERT INTO many SELECT s, date '2024-01-01' + n, 50 + 10 * sin(n / 4.0) + n * n * s % 7
	FROM generate_series(1, 400) AS s, generate_series(121, 140) AS n; CALL rnn_refit('many')});
like(run_sql($run), qr/^(promoted|refused)\|t\|t\|t$/, 'repair 24: so is a refit, beside the live version');

# ------------------------------------------------------------ values that stay

# A panel in which one series is often below 0; the others are counts down to
# 0, a falling one of large numbers, and constants.
$node->safe_psql('postgres', q{
	CREATE TABLE panel AS SELECT n, s, CASE s WHEN 'below' THEN n % 5 - 2.5 WHEN 'count' THEN floor(3 * (1 + sin(n))) * (n % 2)
		WHEN 'falling' THEN greatest(9000 - 150 * n, 0) WHEN 'five' THEN 5 WHEN 'tenth' THEN 0.1 END AS v
		FROM generate_series(1, 61) AS n, unnest('{below,count,falling,five,tenth}'::text[]) AS s;
	CREATE TABLE panels AS SELECT o, rnn_train(s, date '2024-01-01' + n, v, o) AS m, rnn_history(s, date '2024-01-08' + n, v) AS h
		FROM panel, unnest(ARRAY['{"horizon": 30}', '{"start": "prior", "horizon": 30}', '{"network": false, "horizon": 30}',
			'{"network": false, "horizon": 30, "transform": "asinh"}']::jsonb[]) AS o GROUP BY o});
my $bounds = q{SELECT string_agg(DISTINCT s.series || ' ' || s.low, ', ') FROM panels,
	LATERAL (SELECT series, CASE WHEN min(least(lower, quantiles[1])) < 0 THEN 'below 0' ELSE 'not below 0' END AS low
		FROM rnn_forecast(%s, 40, 0.995) GROUP BY series) AS s WHERE s.series IN ('below', 'count', 'falling')};
my $constants = q{SELECT count(*), bool_and(forecast = v AND lower = v AND upper = v AND quantiles = array_fill(v, '{15}'))
	FROM panels, rnn_forecast(%s, 40, 0.93, series => '{five,tenth}'),
		LATERAL (SELECT CASE series WHEN 'five' THEN 5 ELSE 0.1 END::float8) AS c (v)};
for ([ 'm', 'trained' ], [ 'rnn_observe(m, h)', 'observed' ])
{
	my ($model, $what) = @$_;
	is(run_sql(sprintf($bounds, $model)), 'below below 0, count not below 0, falling not below 0',
		"repair 21: each series of a panel has its own bound, $what");
	is(run_sql(sprintf($constants, $model)), '320|t', "repair 21: constants are forecast exactly, $what");
}
is(run_sql(q{SELECT min(least(lower, quantiles[1])) < 0 FROM rnn_forecast((SELECT rnn_train(s, n, v,
	'{"network": false, "horizon": 30, "lower": -1e6}') FROM panel WHERE s IN ('below', 'falling')), 30, series => '{falling}')}), 't',
	'repair 21: the option "lower" wins');
is(run_sql(q{SELECT count(DISTINCT forecast), min(forecast) = max(quantiles[15]), min(forecast) = 5.7 FROM rnn_forecast((SELECT
	rnn_train(date '2024-01-01' + n, 5.7, '{"transform": "log", "start": "scratch", "steps": 5, "hidden": 4}') FROM generate_series(1, 100) AS n), 9)}),
	'1|t|t', 'repair 21: a constant alone, transformed, by a network');

# -------------------------------------------------------------------- chances

# Quantiles of a normal distribution, its median 0 and the outermost at +-2.326.
my $normal = q{'{-2.326, -1.96, -1.645, -1.282, -0.842, -0.524, -0.253, 0, 0.253, 0.524, 0.842, 1.282, 1.645, 1.96, 2.326}'::float8[]};
is(run_sql(qq{SELECT string_agg(round(rnn_chance_above($normal, x * 2.326)::numeric, 6)::text, ' ' ORDER BY x)
	FROM unnest('{-1000,-4,-2,-1,1,2,3,4,1e300}'::float8[]) AS x}),
	'0.999000 0.999000 0.997500 0.990000 0.010000 0.002500 0.001111 0.001000 0.001000',
	'repair 22: beyond the outermost quantiles the tail is one that was measured, down to one in a thousand');
is(run_sql(q{SELECT array_agg(round(rnn_chance_above(array_fill(5::float8, '{8}') || '{5,5,5,5,5,6,7}', x)::numeric, 6) ORDER BY x) FROM unnest('{4,5,8,9}'::float8[]) AS x}),
	'{0.999000,0.050000,0.004444,0.002500}', 'repair 22: half of it at one point');
is(run_sql(q{SELECT array_agg(rnn_chance_above(array_fill(5::float8, '{15}'), x) ORDER BY x) FROM unnest('{4.9,5,5.1}'::float8[]) AS x}),
	'{1,0,0}', 'repair 22: a constant is compared');
is(run_sql(q{SELECT bool_and(abs(rnn_chance_above(quantiles, upper) - (1 - level) / 2) < 1e-9 AND abs(rnn_chance_above(quantiles, lower) - (1 + level) / 2) < 1e-9)
	FROM panels, unnest('{0.5,0.9,0.97,0.99,0.995,0.998}'::float8[]) AS level,
		rnn_forecast(m, 3, level, series => '{below}') WHERE o->>'transform' IS NULL}), 't',
	'repair 22: intervals have the same tail');

$node->stop;

# A training that failed leaves no name behind for the next one.
my $shown = PostgreSQL::Test::Cluster->new('shown');
$shown->init;
$shown->append_conf('postgresql.conf', "fsync = off\nshared_preload_libraries = 'rnnforecast'\ndynamic_shared_memory_type = mmap");
$shown->start;
$shown->safe_psql('postgres', q{CREATE EXTENSION rnnforecast;
	CREATE TABLE long AS SELECT n, 50 + 10 * sin(n / 4.0) AS v FROM generate_series(1, 400) AS n});
{
	my $other = IPC::Run::start([ 'psql', '-XAt', '-h', $shown->host, '-p', $shown->port, '-d', 'postgres',
		'-c', q{SELECT rnn_fit('secret', 'SELECT 1 AS series, n AS step, v AS value FROM long', 12, '{"calendar": true}')},
		'-c', q{SELECT length(rnn_train('a'::text, n, v, '{"start": "scratch", "steps": 100000, "patience": 1000, "hidden": 64, "seconds": 8}')) FROM long} ],
		'>', \my $said, '2>', \my $failed);
	$shown->poll_query_until('postgres', q{SELECT count(*) > 0 FROM rnn_progress WHERE phase LIKE 'train%' AND step > 1});
	my $names = $shown->safe_psql('postgres', q{SELECT coalesce(string_agg(model, ' '), 'none') FROM rnn_progress});
	is($names, 'none', 'repair 13: no name of an earlier training that failed');
	my $steps = $shown->safe_psql('postgres', q{SELECT count(*) FROM rnn_progress WHERE step > steps OR steps = 0});
	is($steps, '0', 'repair 13: nor steps above the steps');
	$shown->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM rnn_progress});
	$other->finish;
	like($failed, qr/ERROR: .*calendar/, 'the training with a name failed');
}

# A training from its begin to its end, looked at again and again.
{
	my $other = IPC::Run::start([ 'psql', '-XAt', '-h', $shown->host, '-p', $shown->port, '-d', 'postgres',
		'-c', q{SELECT length(rnn_train(v ORDER BY n, '{"start": "scratch", "steps": 2, "members": 1, "hidden": 256, "layers": 3, "patch": 1,
			"context": 512, "horizon": 24, "seasons": [25], "batch": 4}')) FROM (SELECT n, 50 + 10 * sin(n / 4.0) AS v FROM generate_series(1, 3000) AS n) AS t} ],
		'>', \my $said, '2>', \my $failed);
	$shown->safe_psql('postgres', q{CREATE TABLE seen (phase text, step int, loss float8);
		DO $$ BEGIN FOR i IN 1..15000 LOOP
			INSERT INTO seen SELECT phase, step, loss FROM rnn_progress;
			EXIT WHEN EXISTS (SELECT FROM seen WHERE phase = 'done');
			PERFORM pg_sleep(0.002);
		END LOOP; END $$});
	is($shown->safe_psql('postgres', q{SELECT count(*) > 1, count(step), count(loss) FROM seen WHERE phase NOT IN ('train', 'validate')}), 't|0|0',
		'repair 13: no step and no loss but of trainings and validations');
	$shown->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM rnn_progress});
	$other->finish;
}

# Where workers find no shared memory the leader trains alone.
{
	my $train = q{SELECT md5(rnn_train(s::text, n, v + s, '{"steps": 30, "members": 3, "hidden": 8, "horizon": 6, "seasons": [25]}'))
		FROM long, generate_series(1, 10) AS s};
	my $alone = $shown->safe_psql('postgres', "SET rnnforecast.max_workers = 0; $train");
	my $place = $shown->data_dir . '/pg_dynshmem';
	my ($out, $err) = ('', '');
	chmod 0500, $place;
	$shown->psql('postgres', "SET rnnforecast.max_workers = 2; $train", stdout => \$out, stderr => \$err);
	chmod 0700, $place;
	is($out . $err, $alone, 'repair 12: without shared memory for workers the bytes are the same');
	is($shown->safe_psql('postgres', "SET rnnforecast.max_workers = 2; $train"), $alone, 'repair 12: nor do workers change them');
}
$shown->stop;
done_testing();
