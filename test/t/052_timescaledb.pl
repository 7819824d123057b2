# Hypertables, compressed chunks and continuous aggregates of TimescaleDB, where its
# library is installed beside the server: the bytes of a plain table.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

chomp(my $libraries = `pg_config --pkglibdir`);
plan skip_all => "TimescaleDB is not installed beside the server: no $libraries/timescaledb.so" unless -e "$libraries/timescaledb.so";

my $node = PostgreSQL::Test::Cluster->new('timescaledb');
$node->init;
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'timescaledb'
timescaledb.telemetry_level = off
fsync = off
jit = off
timezone = 'UTC'
max_worker_processes = 16
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION timescaledb;
	CREATE EXTENSION rnnforecast;
	CREATE TABLE plain AS
	SELECT 'device ' || d AS device, timestamptz '2024-01-01' + n * interval '1 hour' AS ts, d * 10 + n % 24 + sin(n * 0.9 * d) AS value
	FROM generate_series(1, 4) AS d, generate_series(0, 24 * 60 - 1) AS n;
	CREATE TABLE readings (LIKE plain);
	ALTER TABLE readings ALTER ts SET NOT NULL;
	SELECT create_hypertable('readings', 'ts', chunk_time_interval => interval '7 days');
	INSERT INTO readings SELECT * FROM plain;
	ANALYZE readings;
});

my $mix = q{'{"network": false, "horizon": 24}'};
sub alike
{
	my ($call, $what, $settings) = @_;

	is($node->safe_psql('postgres', ($settings // '') . sprintf($call, 'readings')), $node->safe_psql('postgres', sprintf($call, 'plain')), $what);
}
my @calls = (
	["SELECT md5(rnn_train(device, ts, value, $mix)) FROM %s", 'rnn_train of series'],
	["SELECT md5(rnn_history(ts, value)) FROM %s WHERE device = 'device 2'", 'rnn_history of one series'],
	["SELECT string_agg(md5(m), ' ' ORDER BY device) FROM (SELECT device, rnn_train(ts, value, $mix) AS m FROM %s GROUP BY device) AS t", 'rnn_train by device'],
	[q{SELECT md5(string_agg(f::text, ',' ORDER BY series, step)) FROM rnn_forecast_query('SELECT device AS series, ts, value FROM %s', 24) AS f}, 'rnn_forecast_query']);
alike(@$_) for @calls;
alike(@$_, 'SET enable_partitionwise_aggregate = on; SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET min_parallel_table_scan_size = 0; ') for @calls;

SKIP:
{
	skip 'compression and continuous aggregates have another license', 5
		if $node->safe_psql('postgres', 'SHOW timescaledb.license') eq 'apache';
	$node->safe_psql('postgres', q{
		ALTER TABLE readings SET (timescaledb.compress, timescaledb.compress_segmentby = 'device');
		SELECT compress_chunk(c) FROM show_chunks('readings', older_than => timestamptz '2024-02-10') AS c});
	alike($calls[$_][0], "$calls[$_][1], compressed chunks") for 0 .. 2;

	# A history of each day, collected once, and all of them merged.
	$node->safe_psql('postgres', q{
		CREATE MATERIALIZED VIEW collected WITH (timescaledb.continuous) AS
		SELECT time_bucket('1 day', ts) AS day, rnn_history(device, ts, value) AS history FROM readings GROUP BY 1 WITH NO DATA});
	$node->safe_psql('postgres', q{CALL refresh_continuous_aggregate('collected', NULL, NULL)});
	is($node->safe_psql('postgres', 'SELECT md5(rnn_merge(history)) FROM collected'),
		$node->safe_psql('postgres', 'SELECT md5(rnn_history(device, ts, value)) FROM plain'), 'histories in a continuous aggregate, merged');
	like($node->safe_psql('postgres', qq{SELECT rnn_fit('days', 'SELECT time_bucket(''1 day'', ts) AS ts, device AS series, avg(value) AS value FROM readings GROUP BY 1, 2', 7, '{"network": false}')}),
		qr/^1$/, 'rnn_fit of days');
}

$node->stop;
done_testing();
