# Sample paths of a large panel: memory, time, a cancel, parallel plans, and the
# rights of who calls them by name.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $SERIES = 3000;
my $MEMORY = 200 * 1024;		# kB, of the session above an idle one

my $node = PostgreSQL::Test::Cluster->new('paths');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nshared_buffers = 16MB\nwork_mem = 4MB\njit = off");
$node->start;
$node->safe_psql('postgres', qq{
	CREATE EXTENSION rnnforecast;
	CREATE TABLE panels AS
	SELECT rnn_train('s' || s, n::bigint, 20 + s % 50 + 6 * sin(n * 2 * pi() / 7) + abs(hashint8(s * 1000 + n)) % 1000 / 150.0,
					 '{"network": false, "horizon": 28, "seasons": [7]}') AS model
	FROM generate_series(1, $SERIES) AS s, generate_series(1, 120) AS n;
	SELECT rnn_register('panel', model) FROM panels;
	CREATE ROLE reader LOGIN;
	CREATE ROLE stranger LOGIN;
	SELECT rnn_grant('panel', 'reader');
});

sub peak
{
	my ($sql) = @_;
	my $status = q{SELECT 'peak ' || substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\s*(\d+)');};
	my $out = $node->safe_psql('postgres', "SELECT rnn_version(); $status\n$sql;\n$status");
	my @peaks = $out =~ /^peak (\d+)$/mg;
	return ($out, $peaks[-1] - $peaks[0]);
}

# All of the paths' values would be 336 MB.
my $total = q{SELECT count(*), sum(mean), sum(upper - lower) FROM panels, rnn_forecast_total(model, 28)};
SKIP:
{
	skip 'needs /proc', 2 unless -r '/proc/self/status';
	my ($out, $peak) = peak($total);
	like($out, qr/^$SERIES\|/m, 'every series has a total');
	cmp_ok($peak, '<', $MEMORY, "in $peak kB");
}
my $one = $node->safe_psql('postgres', $total);
is($node->safe_psql('postgres', qq{SET rnnforecast.max_memory = '16MB'; $total}), $one, 'and the same in 16 MB');
is($node->safe_psql('postgres', qq{SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 2; $total}), $one, 'and in a parallel plan');
is($node->safe_psql('postgres', q{SELECT a = b FROM panels, LATERAL (SELECT t.quantiles FROM rnn_forecast_total(model, 28, series => '{s7}') AS t) AS one (a),
	LATERAL (SELECT t.quantiles FROM rnn_forecast_total(model, 28, series => '{s1, s7, s9}') AS t WHERE series = 's7') AS three (b)}), 't',
	'a series has the same paths whichever come with it');

# Windows, paths and rows end at once.
for my $call (q{count(*) FROM panels, rnn_forecast_total(model, 28, paths => 100000)}, q{count(*) FROM panels, rnn_simulate(model, 28)},
	q{count(*) FROM panels, rnn_chance(model, 28, above => 1, groups => '{"all": ""}', paths => 10000)})
{
	my $start = time;
	my ($rc, $out, $err) = $node->psql('postgres', "SET statement_timeout = 700; SELECT $call");
	like($err, qr/canceling statement due to statement timeout/, "a timeout ends $call");
	cmp_ok(time - $start, '<', 0.7 + 4, 'soon');
}

# By name.
my $named = q{SELECT count(*) FROM rnn_forecast_total_model('panel', 2, series => '{s1, s2}')};
is($node->safe_psql('postgres', $named, extra_params => [ '-U', 'reader' ]), 2, 'who was granted a model adds up its paths');
for my $function (q{rnn_forecast_total_model('panel')}, q{rnn_simulate_model('panel')}, q{rnn_chance_model('panel', above => 1)})
{
	my ($rc, $out, $err) = $node->psql('postgres', "SELECT count(*) FROM $function", extra_params => [ '-U', 'stranger' ]);
	like($err, qr/ERROR:  model "panel" does not exist/, "a stranger doesn't, $function");
}
my ($rc, $out, $err) = $node->psql('postgres', q{SELECT count(*) FROM rnn_chance_model(NULL, above => 1)});
like($err, qr/name must not be NULL/, 'a name is needed');

done_testing();
