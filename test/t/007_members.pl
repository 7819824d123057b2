# Candidates judged and members of an ensemble trained by any number of workers:
# the same bytes, and nothing is left behind by a statement that ends early.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('members');
$node->init;
$node->append_conf('postgresql.conf', q{
fsync = off
autovacuum = off
max_worker_processes = 8
max_parallel_workers = 4
timezone = 'UTC'
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION rnnforecast;
	CREATE TABLE t AS
	SELECT k AS s, n, k + sin(2 * pi() * n / 12) + 0.2 * sin(n * 7.3 * k) AS value
	FROM generate_series(1, 10) AS k, generate_series(1, 120) AS n;
});

my $short = q{'{"members": 3, "steps": 60, "start": "scratch", "horizon": 4}'};
my $long = q{'{"members": 3, "steps": 200000, "horizon": 4, "patience": 1000}'};

sub train
{
	my ($settings, $body) = @_;
	my $sql = $body // "SELECT md5(rnn_train(s, n, value, $short)::text) FROM t";

	return $node->safe_psql('postgres', "$settings; $sql");
}

sub workers_left
{
	return $node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'parallel worker'");
}

my $alone = train('SET rnnforecast.max_workers = 0');
like($alone, qr/^[0-9a-f]{32}$/, 'trained without workers');
is(train("SET rnnforecast.max_workers = $_"), $alone, "$_ workers: the same bytes") for 1, 2, 4;
is(train('SET max_parallel_workers = 0'), $alone, 'no slots: the same bytes');
is(train('SET rnnforecast.max_workers = 2', "
	BEGIN; INSERT INTO t VALUES (11, 1, NULL); DELETE FROM t WHERE s = 11;
	SELECT md5(rnn_train(s, n, value, $short)::text) FROM t; ROLLBACK"), $alone, 'after writes: the same bytes');

# Waves, for which the prior is tuned, and the logistic map, which a network from nothing learns.
$node->safe_psql('postgres', q{
	CREATE TABLE waves AS
	SELECT k AS s, n, k * 7919 % 11 + (1 + k % 2) * sin(2 * pi() * (n + k * 5) / 12)
		+ 0.3 * (hashint4(n * 100 + k) % 1000) / 1000.0 AS value
	FROM generate_series(1, 40) AS k, generate_series(1, 60) AS n;
	CREATE TABLE chaos AS
	WITH RECURSIVE z (s, n, a, b, c) AS (
		SELECT k, 1, 0.1 + mod(k * 0.37, 0.8)::float8, 0.1 + mod(k * 0.59, 0.8)::float8, 0.1 + mod(k * 0.73, 0.8)::float8
		FROM generate_series(1, 12) AS k
		UNION ALL
		SELECT s, n + 1, b, c, 3.9 * a * (1 - a) FROM z WHERE n < 90)
	SELECT s, n, a AS value FROM z;
});
my %horizon = (waves => 6, chaos => 1);
my %chosen;
for my $table (sort keys %horizon)
{
	my $model = "rnn_train(s, n, value, '{\"members\": 3, \"steps\": 300, \"horizon\": $horizon{$table}}')";
	my @info = split /\|/, train('SET rnnforecast.max_workers = 0', "
		SELECT md5(m::text), c->>'network', jsonb_array_length(rnn_info(m) #> '{validation,candidates}')
		FROM (SELECT $model AS m FROM $table) AS t, jsonb_array_elements(rnn_info(m) #> '{validation,candidates}') AS c
		WHERE (c->>'chosen')::bool ORDER BY (c->>'share')::float8 DESC LIMIT 1");

	is($info[2], 2, "$table: two candidates");
	$chosen{$info[1]} = $table;
	is(train("SET rnnforecast.max_workers = $_", "SELECT md5(($model)::text) FROM $table"), $info[0],
		"$table: $_ workers, the same bytes") for 1, 2, 3;
	is(train('SET max_parallel_workers = 0', "SELECT md5(($model)::text) FROM $table"), $info[0],
		"$table: no slots, the same bytes");
}
is_deeply([ sort keys %chosen ], [ 'scratch', 'tuned head' ], 'either of the candidates has the larger share');

# As many processes as members, where there were trials before them too: each has its part of the work.
my $many = q{SELECT md5(rnn_train(s, n, value, '{"members": 8, "steps": 400, "horizon": 6}')::text) FROM waves};
my $single = train('SET rnnforecast.max_workers = 0', $many);
for my $workers (1, 2, 4)
{
	my ($rc, $out, $err) = $node->psql('postgres', "SET rnnforecast.max_workers = $workers; SET client_min_messages = debug1; $many");
	my ($launched, $jobs) = $err =~ /jobs of a training by the leader and (\d+) workers: ([\d, ]+)/;
	my @jobs = split /, /, $jobs // '';

	is($out, $single, "8 members, $workers workers: the same bytes");
	is($launched, $workers, "$workers workers are there");
	cmp_ok(scalar(grep { $_ > 0 } @jobs), '==', 1 + $workers, "each of " . (1 + $workers) . " processes has jobs: @jobs");
}

# With covariates and terms of the calendar, which a worker makes from the clock again: the zone's, and the session's.
$node->safe_psql('postgres', q{
	CREATE TABLE told AS
	SELECT k AS s, timestamptz '2024-03-01 00:00+00' + (n + k) * interval '6 hours' AS ts,
		   CASE WHEN n <= 240 THEN k + sin(2 * pi() * n / 4) + 0.2 * sin(n * 7.3 * k) + CASE WHEN n % 9 = 0 THEN 2 ELSE 0 END END AS value,
		   jsonb_build_object('promotion', n % 9 = 0, 'kind', 'kind ' || n % 3, 'size', k, 'rain', CASE WHEN n <= 240 THEN n % 7 END) AS covariates
	FROM generate_series(1, 9) AS k, generate_series(1, 244) AS n;
});
for my $zone ('', ', "timezone": "America/New_York"')
{
	my $body = qq{SET timezone = 'Europe/Berlin'; SELECT md5(m::text), rnn_info(m)->'calendar', jsonb_array_length(rnn_info(m)->'covariates')
		FROM (SELECT rnn_train(s, ts, value, covariates, '{"members": 3, "steps": 40, "start": "scratch", "calendar": true$zone}') AS m FROM told) AS t};
	my $serial = train('SET rnnforecast.max_workers = 0', $body);
	like($serial, qr/^[0-9a-f]{32}\|\["hour", "weekday", "day of month"\]\|4$/, "covariates and the calendar$zone");
	is(train("SET rnnforecast.max_workers = $_", $body), $serial, "$_ workers: the same bytes") for 1, 2, 4;
	isnt(train("SET rnnforecast.max_workers = 2", $body =~ s/Berlin/Moscow/r), $serial, 'the zone is of some weight') if $zone eq '';
}
# And where the prior is judged beside a network with the calendar, by another worker.
my $both = q{SELECT md5(m::text), jsonb_array_length(rnn_info(m) #> '{validation,candidates}')
	FROM (SELECT rnn_train(s, ts, value, '{"members": 3, "steps": 90, "calendar": true, "horizon": 4}') AS m FROM told) AS t};
my $judged = train('SET rnnforecast.max_workers = 0', $both);
like($judged, qr/\|2$/, 'two candidates with times');
is(train("SET rnnforecast.max_workers = $_", $both), $judged, "$_ workers: the same bytes") for 1, 2, 4;

# Parts of a backtest: a training for each, or pieces of the forecasts of one model.
$node->safe_psql('postgres', q{
	CREATE VIEW columns AS
	SELECT s AS series, ts, value, (covariates->>'promotion')::bool::int AS promotion, covariates->>'kind' AS kind, (covariates->>'size')::float8 AS size
	FROM told WHERE value IS NOT NULL;
	SELECT rnn_fit('model', 'SELECT * FROM columns', 4, '{"start": "prior"}');
	CREATE TABLE model AS SELECT rnn_model('model') AS m});
my %backtest = (
	'a training for each cutoff' => q{rnn_backtest('SELECT s, n, value FROM waves', 3, 6, '{"refit": 1, "start": "scratch", "steps": 30, "members": 2}')},
	'a training for two, in a window' => q{rnn_backtest('SELECT s, n, value FROM waves', 3, 7, '{"refit": 2, "start": "prior", "window": 40}')},
	'with covariates and the calendar' => q{rnn_backtest('SELECT * FROM columns', 4, 4, '{"refit": 1, "start": "scratch", "steps": 20, "members": 1, "calendar": true}')},
	'one training' => q{rnn_backtest('SELECT series, ts, value FROM columns', 6, 900, '{"every": 1, "start": "prior"}')},
	'a model' => q{rnn_backtest('SELECT * FROM columns', 4, 900, '{"every": 1, "gap": 1}', (SELECT m FROM model))},
	'a model in a window' => q{rnn_backtest('SELECT * FROM columns', 4, 900, '{"every": 1, "window": 60}', (SELECT m FROM model))});
for my $what (sort keys %backtest)
{
	my $rows = "SET rnnforecast.max_memory = '4GB'; SELECT count(*) > 100, md5(string_agg(b::text, '|')) FROM $backtest{$what} AS b";
	my $serial = train('SET rnnforecast.max_workers = 0', $rows);
	my $parts = 0;

	like($serial, qr/^t\|[0-9a-f]{32}$/, "backtest, $what");
	for my $workers (1, 2, 4)
	{
		my ($rc, $out, $err) = $node->psql('postgres', "SET rnnforecast.max_workers = $workers; SET client_min_messages = debug1; $rows");
		my ($launched, $had) = $err =~ /parts of a backtest by the leader and (\d+) workers: ([\d, ]+)/;

		is($out, $serial, "$what, $workers workers: the same bytes");
		$parts = eval($had =~ tr/,/+/r) if defined $had;
		cmp_ok($launched // 0, '>=', $parts > $workers ? $workers : 1, "$what: " . ($launched // 'no') . " workers for $parts parts");
	}
}

my ($rc, $out, $err) = $node->psql('postgres', "SET rnnforecast.max_workers = 2; SET statement_timeout = '3s';
	SELECT length(rnn_train(s, n, value, $long)) FROM t");
isnt($rc, 0, 'a long training is ended');
like($err, qr/statement timeout/, 'by the timeout');
ok(workers_left(), 'no worker is left');

# A worker that dies ends the statement, whatever the others do.
my ($said, $wrong) = ('', '');
my $run = IPC::Run::start(
	[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c',
		"SET rnnforecast.max_workers = 2", '-c', "SELECT length(rnn_train(s, n, value, $long)) FROM t" ],
	'<', \undef, '>', \$said, '2>', \$wrong);
ok($node->poll_query_until('postgres',
		"SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'parallel worker'"), 'a worker trains');
$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE backend_type = 'parallel worker' LIMIT 1");
$run->finish;
like($wrong, qr/(ERROR|FATAL):  (terminating background worker "parallel worker" due to administrator command|lost connection to parallel worker)/,
	'its end is an error of the statement');
is($said, '', 'and there is no model');
ok(workers_left(), 'no other worker is left');
is(train('SET rnnforecast.max_workers = 2'), $alone, 'the server trains on: the same bytes');

is(train("SET rnnforecast.max_workers = 2; SET statement_timeout = '60s'", "
	DO \$\$ BEGIN
		SET LOCAL rnnforecast.max_seconds = 0;
		PERFORM rnn_train(s, n, value, '{\"members\": 3, \"steps\": 60, \"start\": \"scratch\", \"horizon\": 4,
			\"learning_rate\": 1, \"clip\": 0, \"recurrent_gain\": 10}') FROM t;
		RAISE EXCEPTION 'undo';
	EXCEPTION WHEN OTHERS THEN NULL; END \$\$;
	SELECT md5(rnn_train(s, n, value, $short)::text) FROM t"), $alone, 'after a caught error: the same bytes');
ok(workers_left(), 'no worker is left by an error');

$node->stop;
done_testing();
