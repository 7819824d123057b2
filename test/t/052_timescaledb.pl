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
my $parallel = 'SET enable_partitionwise_aggregate = on; SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET min_parallel_table_scan_size = 0; SET parallel_tuple_cost = 0; ';
alike(@$_) for @calls;
alike(@$_, $parallel) for @calls;

# Numbers of nodes in a plan of the first call.
sub nodes_of
{
	my ($what, $settings) = @_;
	my $plan = $node->safe_psql('postgres', "$settings EXPLAIN (COSTS OFF) " . sprintf($calls[0][0], 'readings'));

	return scalar(() = $plan =~ /$what/g);
}
cmp_ok(nodes_of('Partial (Group|Hash|)Aggregate', $parallel), '>=', 9, 'a partial aggregate of each chunk');
is(nodes_of('Finalize', $parallel), 1, 'and one that ends them');

SKIP:
{
	skip 'compression and continuous aggregates have another license', 14
		if $node->safe_psql('postgres', 'SHOW timescaledb.license') eq 'apache';
	$node->safe_psql('postgres', q{
		ALTER TABLE readings SET (timescaledb.compress, timescaledb.compress_segmentby = 'device');
		SELECT compress_chunk(c) FROM show_chunks('readings', older_than => timestamptz '2024-02-10') AS c});
	is($node->safe_psql('postgres', q{SELECT count(*) FILTER (WHERE is_compressed) >= 5, count(*) FILTER (WHERE NOT is_compressed) >= 2
		FROM timescaledb_information.chunks WHERE hypertable_name = 'readings'}), 't|t', 'chunks of both kinds');
	cmp_ok(nodes_of('(DecompressChunk|ColumnarScan)', ''), '>=', 5, 'compressed chunks are read');
	alike($calls[$_][0], "$calls[$_][1], compressed chunks") for 0 .. 3;
	alike(@{ $calls[0] }[ 0, 1 ], $parallel);

	# A history of each day, collected once, and all of them merged.
	$node->safe_psql('postgres', q{
		CREATE MATERIALIZED VIEW collected WITH (timescaledb.continuous) AS
		SELECT time_bucket('1 day', ts) AS day, rnn_history(device, ts, value) AS history FROM readings GROUP BY 1 WITH NO DATA});
	$node->safe_psql('postgres', q{CALL refresh_continuous_aggregate('collected', NULL, NULL)});
	my $merged = 'SELECT md5(rnn_merge(history)) FROM collected';
	my $whole = 'SELECT md5(rnn_history(device, ts, value)) FROM plain';
	is($node->safe_psql('postgres', $merged), $node->safe_psql('postgres', $whole), 'histories in a continuous aggregate, merged');

	# The same where rows have come since.
	$node->safe_psql('postgres', qq{
		INSERT INTO $_ SELECT 'device ' || d, timestamptz '2024-03-01' + n * interval '1 hour', d * 10 + n % 24 FROM generate_series(1, 4) AS d, generate_series(0, 47) AS n})
		for 'plain', 'readings';
	isnt($node->safe_psql('postgres', $merged), $node->safe_psql('postgres', $whole), 'what came later is not in it');
	$node->safe_psql('postgres', q{CALL refresh_continuous_aggregate('collected', '2024-03-01', NULL)});
	is($node->safe_psql('postgres', $merged), $node->safe_psql('postgres', $whole), 'until it is refreshed');

	# A continuous aggregate as the rows of a forecast and of a named model.
	$node->safe_psql('postgres', q{
		CREATE MATERIALIZED VIEW days WITH (timescaledb.continuous) AS
		SELECT time_bucket('1 day', ts) AS day, device, max(value) AS value FROM readings GROUP BY 1, 2 WITH NO DATA;
		CREATE VIEW plain_days AS SELECT date_trunc('day', ts) AS day, device, max(value) AS value FROM plain GROUP BY 1, 2});
	$node->safe_psql('postgres', q{CALL refresh_continuous_aggregate('days', NULL, NULL)});
	my @days = map { $node->safe_psql('postgres', qq{SELECT md5(string_agg(f::text, ',' ORDER BY series, step)) FROM rnn_forecast_query('SELECT device, day, value FROM $_', 7) AS f}) } 'days', 'plain_days';
	is($days[0], $days[1], 'rnn_forecast_query of a continuous aggregate');
	my @fitted = map { $node->safe_psql('postgres', qq{SELECT rnn_fit('of $_', 'SELECT device, day, value FROM $_', 7, '{"start": "prior"}'); SELECT md5(rnn_model('of $_'))}) } 'days', 'plain_days';
	like($fitted[0], qr/^1\n[0-9a-f]{32}$/, 'rnn_fit of a continuous aggregate');
	is($fitted[0], $fitted[1], 'the same model');
	like($node->safe_psql('postgres', q{CALL rnn_refit('of days')}), qr/^\w+$/, 'a refit of it');
}

$node->stop;
done_testing();
