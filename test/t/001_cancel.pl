# A cancel request and statement_timeout stop training, sorting, decoding and
# forecasting.  The aim is half a second; a busy machine is given two.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $PATIENCE = 2;

my $node = PostgreSQL::Test::Cluster->new('cancel');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nmax_wal_size = 2GB");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION rnnforecast;
	CREATE TABLE series AS
	SELECT timestamp '2024-01-01' + n * interval '1 minute' AS ts,
		   sin(n / 10.0) + 0.1 * sin(n * 7.3) AS value
	FROM generate_series(1, 20000) AS n;
	CREATE UNLOGGED TABLE shuffled AS
	SELECT timestamp '2024-01-01' + ((n * 7919) % 3000017) * interval '1 second' AS ts,
		   n::float8 AS value
	FROM generate_series(1::bigint, 3000000) AS n;
	CREATE TABLE models AS
	SELECT rnn_train(value, '{"start": "scratch", "steps": 2, "horizon": 1, "patch": 1,
		   "skip": false, "context": 512, "hidden": 64, "batch": 4}' ORDER BY ts) AS alone
	FROM series WHERE ts < '2024-01-02';
	CREATE TABLE panels AS
	SELECT rnn_train(k, n, sin(n + k), '{"network": false, "horizon": 10, "seasons": [7]}') AS mix
	FROM generate_series(1, 5000) AS k, generate_series(1, 50) AS n;
	CREATE TABLE histories AS
	SELECT rnn_history(ts, value) AS history
	FROM (SELECT timestamp '2024-01-01' + n * interval '1 second' AS ts, n::float8 AS value
		  FROM generate_series(1, 2000000) AS n) AS t;
});

# What runs long, and what it is called.
my @works = (
	['training', q{SELECT rnn_train(ts, value, '{"start": "scratch", "steps": 10000000}') FROM series}],
	['training one long window', q{SELECT rnn_train(ts, value, '{"start": "scratch", "steps": 1000000,
		"patch": 1, "context": 4096, "hidden": 128, "cell": "lstm"}') FROM series}],
	# a step of these takes seconds, and the first weights do
	['training a wide network', q{SELECT rnn_train(ts, value, '{"start": "scratch", "steps": 5, "patch": 1,
		"context": 256, "hidden": 384, "batch": 128}') FROM series WHERE ts < '2024-01-02'}],
	['the first weights', q{SELECT rnn_train(ts, value, '{"start": "scratch", "steps": 5, "patch": 1,
		"context": 64, "hidden": 1024, "layers": 4, "skip": false}') FROM series WHERE ts < '2024-01-02'}],
	['seasons and features', q{SELECT rnn_train(ts, value, '{"start": "scratch", "steps": 1, "patch": 1,
		"horizon": 1000}') FROM series}],
	['the mix', q{SELECT count(m) FROM generate_series(1, 1000) AS i, LATERAL
		(SELECT rnn_train(ts, value + i, '{"network": false}') AS m FROM series) AS t}],
	['collecting', q{SELECT rnn_history(ts, value) FROM shuffled, generate_series(1, 1000)}],
	['sorting', q{SELECT length(rnn_history(ts, value)) FROM
		(SELECT ts, value FROM shuffled) AS t, generate_series(1, 1)}],
	['decoding', q{SELECT count(rnn_info(history || decode(repeat('00', i % 3), 'hex')))
		FROM histories, generate_series(0, 30000, 3) AS i}],
	['forecasting', q{SELECT count(*) FROM models, generate_series(1, 1000) AS i,
		rnn_forecast(alone, 1000 + i)}],
	['forecasting many series', q{SELECT count(*) FROM panels, rnn_forecast(mix, 2000)}],
	['one far forecast', q{SELECT count(*) FROM models, rnn_forecast(alone, 100000)}],
	['the gradient flow', q{SELECT count(*) FROM models, generate_series(1, 10000) AS i,
		rnn_gradient_flow(alone, least(1, i))}]);

my ($cut, $ended) = (0, 0);

# statement_timeout: the time beyond the timeout is what counts.  A fast machine
# may end a work of fixed size before it; too many of these fail the test below.
sub times_out
{
	my ($what, $query, $timeout) = @_;
	my $begin = time;
	my ($rc, $out, $err) = $node->psql('postgres',
		"SET statement_timeout = '${timeout}ms'; SET rnnforecast.max_memory = '2GB'; $query");
	my $late = time - $begin - $timeout / 1000;
	if ($rc == 0)
	{
		note("$what ended before its timeout of $timeout ms");
		$ended++;
		return;
	}
	$cut++;
	like($err, qr/canceling statement due to statement timeout/, "$what: timeout");
	cmp_ok($late, '<', $PATIENCE, sprintf('%s stops %.2f s after its timeout', $what, $late));
}

# pg_cancel_backend while the query runs.
sub cancels
{
	my ($what, $query) = @_;
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', "/* victim */ $query" ],
		'<', \undef, '>', \$out, '2>', \$err);
	my $pid = '';
	for (1 .. 100)
	{
		$pid = $node->safe_psql('postgres',
			q{SELECT pid FROM pg_stat_activity
				WHERE query LIKE '/* victim %' AND state = 'active' AND backend_type = 'client backend'});
		last if $pid ne '';
		usleep(20_000);
	}
	usleep(500_000);
	my $begin = time;
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)") if $pid ne '';
	$run->finish;
	my $late = time - $begin;
	like($err, qr/canceling statement due to user request/, "$what: cancelled");
	cmp_ok($late, '<', $PATIENCE, sprintf('%s stops %.2f s after a cancel', $what, $late));
}

# Milliseconds that a work takes where nothing ends it.
sub whole
{
	my ($query) = @_;
	my $begin = time;
	$node->safe_psql('postgres', "SET rnnforecast.max_memory = '2GB'; $query");
	return 1000 * (time - $begin);
}

# Sorting ends soon: several moments of it, by what all of it takes here.
for my $work (@works)
{
	my ($what, $query) = @$work;
	my $whole = $what eq 'sorting' ? whole($query) : 0;
	my @timeouts = $whole ? map { int($whole * $_) } (0.4, 0.55, 0.65, 0.75, 0.85) : $what =~ /wide/ ? (600, 2500, 4000) : (600);
	times_out($what, $query, $_) for @timeouts;
}
cmp_ok($ended, '<=', 3, "$cut timeouts cut a work, $ended came too late");
cancels(@$_) for grep { $_->[0] =~ /^(training|collecting|forecasting)$/ } @works;

# Nothing is left behind: the same session trains on.
my ($rc, $out, $err) = $node->psql('postgres', q{
	SET statement_timeout = '300ms';
	SELECT rnn_train(ts, value, '{"start": "scratch", "steps": 10000000}') FROM series;
	SET statement_timeout = 0;
	SELECT rnn_info(rnn_train(ts, value, '{"network": false}'))->>'points' FROM series;},
	on_error_stop => 0);
is($out, '20000', 'the session goes on after a timeout');

# The ceiling of seconds ends a training in an orderly way, and is recorded.
my $begin = time;
is( $node->safe_psql('postgres', q{
	SELECT rnn_info(m)->>'stopped_by_time' FROM (SELECT rnn_train(ts, value,
		'{"start": "scratch", "steps": 1000000, "seconds": 1}') FROM series) AS t (m)}),
	'true', 'a stop by time is recorded');
cmp_ok(time - $begin, '<', 10, sprintf('seconds: 1 took %.1f s', time - $begin));
$begin = time;
is( $node->safe_psql('postgres', q{
	SET rnnforecast.max_seconds = 1;
	SELECT rnn_info(m)->>'stopped_by_time' FROM (SELECT rnn_train(ts, value,
		'{"start": "scratch", "steps": 1000000}') FROM series) AS t (m)}),
	'true', 'so is one by rnnforecast.max_seconds');
cmp_ok(time - $begin, '<', 10, sprintf('max_seconds = 1 took %.1f s', time - $begin));

$node->stop;
done_testing();
