# The same rows give the same bytes, whatever the plan.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('parallel');
$node->init;
$node->append_conf('postgresql.conf', q{
fsync = off
max_worker_processes = 12
max_parallel_workers = 8
parallel_setup_cost = 0
parallel_tuple_cost = 0
min_parallel_table_scan_size = 0
timezone = 'UTC'
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION rnnforecast;
	CREATE TABLE plain AS
	SELECT g, timestamp '2024-01-01' + n * interval '1 hour' AS ts,
		   g + sin(2 * pi() * n / 24) + 0.1 * sin(n * 7.3 * g) AS value
	FROM generate_series(1, 1500) AS n, generate_series(1, 4) AS g
	ORDER BY (n * 7919) % 1501, g;
	CREATE TABLE parts (g int, ts timestamp, value float8) PARTITION BY LIST (g);
	CREATE TABLE parts1 PARTITION OF parts FOR VALUES IN (1);
	CREATE TABLE parts2 PARTITION OF parts FOR VALUES IN (2);
	CREATE TABLE parts3 PARTITION OF parts FOR VALUES IN (3, 4);
	INSERT INTO parts SELECT * FROM plain;
	CREATE TABLE by_time (g int, ts timestamp, value float8) PARTITION BY RANGE (ts);
	CREATE TABLE early PARTITION OF by_time FOR VALUES FROM (MINVALUE) TO ('2024-02-01');
	CREATE TABLE late PARTITION OF by_time FOR VALUES FROM ('2024-02-01') TO (MAXVALUE);
	INSERT INTO by_time SELECT * FROM plain;
	ANALYZE;
});

my $options = q{'{"start": "scratch", "steps": 10, "hidden": 8, "layers": 1, "horizon": 12, "members": 2}'};

sub query
{
	my ($table) = @_;
	return "SELECT string_agg(g || ' ' || md5(m), ',' ORDER BY g)
		FROM (SELECT g, rnn_train(ts, value, $options) AS m FROM $table GROUP BY g) AS t";
}

sub one
{
	my ($table) = @_;
	return "SELECT md5(rnn_train(ts, value, $options)) FROM $table WHERE g = 2";
}

# Settings, table, and what the plan must show.
my @plans = (
	['two workers', 'plain', 'SET max_parallel_workers_per_gather = 2', qr/Gather/],
	['four workers', 'plain', 'SET max_parallel_workers_per_gather = 4;
		ALTER TABLE plain SET (parallel_workers = 4)', qr/Gather/],
	['no leader', 'plain', 'SET max_parallel_workers_per_gather = 2;
		SET parallel_leader_participation = off', qr/Gather/],
	['hashing', 'plain', 'SET max_parallel_workers_per_gather = 0; SET enable_sort = off', qr/HashAgg/],
	['partitions', 'parts', 'SET max_parallel_workers_per_gather = 0', qr/Append/],
	['partition-wise', 'parts', 'SET max_parallel_workers_per_gather = 0;
		SET enable_partitionwise_aggregate = on', qr/Append.*Aggregate/s],
	['partition-wise in workers', 'parts', 'SET max_parallel_workers_per_gather = 3;
		SET enable_partitionwise_aggregate = on', qr/Gather/],
	['partitions by time', 'by_time', 'SET max_parallel_workers_per_gather = 2;
		SET enable_partitionwise_aggregate = on', qr/Partial/],
	['serializable', 'plain', 'SET max_parallel_workers_per_gather = 2;
		SET default_transaction_isolation = serializable', qr/./]);

$node->safe_psql('postgres', 'SET max_parallel_workers_per_gather = 0; SELECT 1');
my $serial = $node->safe_psql('postgres', 'SET max_parallel_workers_per_gather = 0; ' . query('plain'));
my $single = $node->safe_psql('postgres', 'SET max_parallel_workers_per_gather = 0; ' . one('plain'));
like($serial, qr/^1 \w{32},2 \w{32},3 \w{32},4 \w{32}$/, 'four models');

for my $plan (@plans)
{
	my ($what, $table, $settings, $shows) = @$plan;
	my $explained = $node->safe_psql('postgres', "$settings; EXPLAIN (COSTS OFF) " . query($table));
	like($explained, $shows, "$what: the plan is what is tested") or diag $explained;
	is($node->safe_psql('postgres', "$settings; " . query($table)), $serial, "$what: same bytes");
	is($node->safe_psql('postgres', "$settings; " . one($table)), $single, "$what: same bytes of one series");
}

# A worker must be found, started or not.
is($node->safe_psql('postgres', 'SET max_parallel_workers = 0; SET max_parallel_workers_per_gather = 2; ' . one('plain')),
	$single, 'no free worker: same bytes');
# After writes in the same transaction, and from a function.
is($node->safe_psql('postgres', 'BEGIN; UPDATE plain SET value = value WHERE g = 4; ' . one('plain') . '; ROLLBACK'),
	$single, 'after writes: same bytes');
# A forecast is the same in a worker.
my $forecast = q{SELECT md5(string_agg(f.forecast::text, ',' ORDER BY g, f.step))
	FROM models, rnn_forecast(m, 24) AS f};
$node->safe_psql('postgres', "CREATE TABLE models AS SELECT g, rnn_train(ts, value, $options) AS m FROM plain GROUP BY g");
is($node->safe_psql('postgres', "SET max_parallel_workers_per_gather = 2; $forecast"),
	$node->safe_psql('postgres', "SET max_parallel_workers_per_gather = 0; $forecast"),
	'forecasts in workers are the same');

# Batches of series are shared, and come back in order: 750 series in batches of 64.
$node->safe_psql('postgres', q{CREATE TABLE panel AS SELECT rnn_train('series ' || k, n, k % 10 + sin(n / (3.0 + k % 7)) + n * k % 11 / 20.0,
	CASE WHEN n <= 60 THEN jsonb_build_object('load', n % 3) END, '{"network": false, "horizon": 6}') AS m
	FROM generate_series(1, 750) AS k, generate_series(1, 60 + (SELECT 0)) AS n});
my $all = q{SELECT md5(string_agg(f::text, ',')) FROM panel, rnn_forecast(m, 6, history => 2) AS f};
my $lone = $node->safe_psql('postgres', "SET rnnforecast.max_workers = 0; $all");
for my $workers (1, 2, 3)
{
	my ($out, $err) = ('', '');

	$node->psql('postgres', "SET max_parallel_workers_per_gather = 0; SET client_min_messages = debug1; SET rnnforecast.max_workers = $workers; $all", stdout => \$out, stderr => \$err);
	is($out, $lone, "forecasts of many series by $workers workers: same bytes");
	my ($had) = $err =~ /batches of forecasts by the leader and $workers workers: ([\d, ]+)/;
	my @had = split /, /, $had // '';
	my $sum = 0;
	$sum += $_ for @had;
	is("$sum by " . @had, '12 by ' . ($workers + 1), "each batch by one process: " . ($had // $err));
}
for my $settings ('SET max_parallel_workers = 0', "SET temp_file_limit = '64kB'", "SET rnnforecast.max_memory = '16MB'")
{
	is($node->safe_psql('postgres', "$settings; $all"), $lone, "$settings: same bytes");
}
is($node->safe_psql('postgres', "CREATE FUNCTION cursor_rows() RETURNS text LANGUAGE plpgsql AS \$\$ DECLARE r record; s text := ''; BEGIN
	FOR r IN SELECT f FROM panel, rnn_forecast(m, 6, history => 2) AS f LOOP s := s || ',' || r.f::text; END LOOP; RETURN md5(substr(s, 2)); END \$\$;
	SELECT cursor_rows()"), $lone, 'in a loop of PL/pgSQL: same bytes');

$node->stop;
done_testing();
