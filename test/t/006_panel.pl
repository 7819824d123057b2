# Random plans over the same rows of many series: the same bytes from each.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

srand(20240229);

my $node = PostgreSQL::Test::Cluster->new('panel');
$node->init;
$node->append_conf('postgresql.conf', q{
fsync = off
jit = off
autovacuum = off
max_worker_processes = 12
max_parallel_workers = 8
parallel_setup_cost = 0
parallel_tuple_cost = 0
min_parallel_table_scan_size = 0
min_parallel_index_scan_size = 0
timezone = 'UTC'
});
$node->start;

# 17 series named by a day, of 1 to 400 points with gaps; and 1,000 series of
# 250 points, which outgrow the least memory. The tables named alike hold the
# same rows in another order, or in parts.
$node->safe_psql('postgres', q{
	CREATE EXTENSION rnnforecast;
	CREATE TABLE few AS
	SELECT 1 AS g, date '2023-12-20' + k AS day, n, timestamp '2024-01-01' + n * interval '1 hour' AS ts,
		   CASE WHEN (n + k) % 11 > 0 THEN k + sin(2 * pi() * n / 12) + 0.1 * sin(n * 7.3 * k) END AS value
	FROM generate_series(1, 17) AS k, generate_series(1, least(k * k * k, 400)) AS n
	WHERE n + k <> 11 OR k > 2;
	CREATE TABLE many AS
	SELECT 1 AS g, date '2023-12-20' + k AS day, n, timestamp '2024-01-01' + n * interval '1 hour' AS ts,
		   k + sin(2 * pi() * n / 24) + 0.1 * sin(n * 7.3 * k) AS value
	FROM generate_series(1, 1000) AS k, generate_series(1, 250) AS n;
	DO $$
	DECLARE
		t text;
	BEGIN
		FOREACH t IN ARRAY '{few, many}'::text[] LOOP
			EXECUTE format('CREATE TABLE %1$s_mixed AS SELECT * FROM %1$s ORDER BY (n * 7919 + (day - date ''2023-12-20'') * 104729) %% 10007, day, n', t);
			EXECUTE format('CREATE INDEX ON %1$s_mixed (day, value)', t);
			EXECUTE format('CREATE INDEX ON %1$s_mixed (ts)', t);
			EXECUTE format('CREATE TABLE %1$s_by_series (LIKE %1$s) PARTITION BY LIST (day)', t);
			EXECUTE format('CREATE TABLE %1$s_some PARTITION OF %1$s_by_series FOR VALUES IN (''2023-12-22'', ''2023-12-30'', ''2024-01-03'')', t);
			EXECUTE format('CREATE TABLE %1$s_one PARTITION OF %1$s_by_series FOR VALUES IN (''2024-01-04'')', t);
			EXECUTE format('CREATE TABLE %1$s_others PARTITION OF %1$s_by_series DEFAULT', t);
			EXECUTE format('INSERT INTO %1$s_by_series SELECT * FROM %1$s_mixed', t);
			EXECUTE format('CREATE TABLE %1$s_by_time (LIKE %1$s) PARTITION BY RANGE (ts)', t);
			EXECUTE format('CREATE TABLE %1$s_early PARTITION OF %1$s_by_time FOR VALUES FROM (MINVALUE) TO (''2024-01-03'')', t);
			EXECUTE format('CREATE TABLE %1$s_middle PARTITION OF %1$s_by_time FOR VALUES FROM (''2024-01-03'') TO (''2024-01-08'') PARTITION BY HASH (day)', t);
			EXECUTE format('CREATE TABLE %1$s_middle0 PARTITION OF %1$s_middle FOR VALUES WITH (MODULUS 2, REMAINDER 0)', t);
			EXECUTE format('CREATE TABLE %1$s_middle1 PARTITION OF %1$s_middle FOR VALUES WITH (MODULUS 2, REMAINDER 1)', t);
			EXECUTE format('CREATE TABLE %1$s_late PARTITION OF %1$s_by_time FOR VALUES FROM (''2024-01-08'') TO (MAXVALUE)', t);
			EXECUTE format('INSERT INTO %1$s_by_time SELECT * FROM %1$s_mixed', t);
		END LOOP;
	END $$;
	ANALYZE;
});

my %options = (
	few => q{'{"start": "scratch", "steps": 3, "hidden": 4, "layers": 1, "horizon": 6, "context": 24,
			   "patch": 4, "batch": 4, "members": 1, "seasons": [12]}'},
	many => q{'{"network": false, "horizon": 24, "seasons": [24]}'});
my $force = $node->safe_psql('postgres', 'SHOW server_version_num') >= 160000 ?
	'debug_parallel_query' : 'force_parallel_mode';

sub pick { return $_[int(rand(@_))]; }

# Settings that the planner and the workers see.
sub settings
{
	my ($rows) = @_;
	my %set = (
		max_parallel_workers_per_gather => int(rand(5)),
		max_parallel_workers => pick(8, 8, 8, 1, 0),
		parallel_leader_participation => pick('on', 'on', 'off'),
		enable_partitionwise_aggregate => pick('on', 'off'),
		enable_parallel_append => pick('on', 'off'),
		enable_hashagg => pick('on', 'off'),
		enable_sort => pick('on', 'on', 'off'),
		enable_seqscan => pick('on', 'on', 'off'),
		enable_gathermerge => pick('on', 'off'),
		work_mem => pick("'64kB'", "'4MB'"),
		$force => pick('off', 'off', 'off', 'on', 'regress'),
		datestyle => pick('ISO', 'German', 'SQL', 'Postgres'),
		default_transaction_isolation => pick(q{'read committed'}, q{'repeatable read'}, 'serializable'),
		client_min_messages => 'warning',
		'rnnforecast.max_memory' => $rows eq 'many' ? q{'16MB'} : q{'512MB'});
	return join(' ', map { "SET $_ = $set{$_};" } sort keys %set);
}

# What the rows are read from: a table, or all of it in some order or in halves.
sub source
{
	my ($rows) = @_;
	my $table = $rows . pick('', '_mixed', '_by_series', '_by_series', '_by_time', '_by_time');

	return pick($table, $table, $table, $table,
		"(SELECT * FROM $table ORDER BY " . pick('ts', 'ts DESC', 'day DESC, ts', 'value', 'random()') . ') AS t',
		"(SELECT * FROM $table WHERE n % 2 = 0 UNION ALL SELECT * FROM ${rows}_mixed WHERE n % 2 = 1) AS t",
		"(SELECT * FROM ${rows}_by_time WHERE n <= 40 UNION ALL SELECT * FROM ${rows}_by_series WHERE n > 40) AS t",
		"(SELECT r.* FROM $table AS r JOIN (SELECT DISTINCT day FROM few UNION SELECT DISTINCT day FROM many) AS d USING (day)) AS t");
}

sub query
{
	my ($rows, $from) = @_;
	my $series = pick('day', 'day', q{to_char(day, 'YYYY-MM-DD')}, q{to_char(day, 'YYYY-MM-DD')::varchar});
	my $filter = pick('', '', 'FILTER (WHERE n > 0)');
	my $group = pick('', '', 'GROUP BY g', 'GROUP BY g', 'GROUP BY g HAVING count(*) > 1', 'GROUP BY GROUPING SETS ((g))');

	return "SELECT md5(rnn_train($series, ts, value, $options{$rows}) $filter) || ' ' ||
			md5(rnn_history($series, ts, value) $filter) FROM $from $group";
}

my (%expected, %seen);
for my $rows ('few', 'many')
{
	my $memory = $rows eq 'many' ? q{'16MB'} : q{'512MB'};
	my $query = "SELECT md5(rnn_train(day, ts, value, $options{$rows} ORDER BY day, ts)) || ' ' ||
		md5(rnn_history(day, ts, value ORDER BY day, ts)) FROM $rows";
	my ($out, $err);

	$node->psql('postgres', "SET max_parallel_workers_per_gather = 0; SET rnnforecast.max_memory = $memory; $query",
		stdout => \$expected{$rows}, stderr => \$err);
	like($expected{$rows}, qr/^\w{32} \w{32}$/, "$rows: a model and a history");
	# Otherwise the choice of the latest rows would not be tested.
	is($err =~ /only the latest 96 rows/ ? 'outgrown' : 'all', $rows eq 'many' ? 'outgrown' : 'all', "$rows: memory");
}
isnt($expected{few}, $expected{many}, 'rows count');

for my $i (1 .. 100)
{
	my $rows = $i % 5 == 0 ? 'many' : 'few';
	my $settings = settings($rows);
	my $query = query($rows, source($rows));
	my ($out, $err) = ('', '');

	$node->psql('postgres', "$settings EXPLAIN (COSTS OFF) $query; $query", stdout => \$out, stderr => \$err);
	my ($plan, $got) = $out =~ /^(.*)\n(.*)$/s;
	$seen{'partial'}++ if $plan =~ /Partial (Hash|Group|)Aggregate/;
	$seen{'partial in workers'}++ if $plan =~ /Gather.*Partial (Hash|Group|)Aggregate/s;
	$seen{'partial of partitions'}++ if $plan =~ /Append.*Partial (Hash|Group|)Aggregate/s;
	$seen{'partial of partitions in workers'}++ if $plan =~ /Gather.*Append.*Partial (Hash|Group|)Aggregate/s;
	$seen{'partial by hashing'}++ if $plan =~ /Partial HashAggregate/;
	$seen{'partial by sorting'}++ if $plan =~ /Partial GroupAggregate/;
	$seen{'serial'}++ if $plan !~ /Gather|Partial/;
	$seen{'many, partial in workers'}++ if $rows eq 'many' && $plan =~ /Gather.*Partial/s;
	$seen{'a worker alone'}++ if $plan =~ /Single Copy: true/;
	$seen{"$_ planned"}++ for $plan =~ /Workers Planned: \d/g;
	is("$got$err", $expected{$rows}, "plan $i: same bytes") or diag "$settings\n$query\n$plan";
}

# The plans were what is to be tested.
my %least = ('partial' => 30, 'partial in workers' => 15, 'partial of partitions' => 10,
	'partial of partitions in workers' => 5, 'partial by hashing' => 2, 'partial by sorting' => 2, 'serial' => 10,
	'many, partial in workers' => 3);
cmp_ok($seen{$_} // 0, '>=', $least{$_}, "plans: $_") for sort keys %least;
note("$_: $seen{$_}") for sort keys %seen;

# Workers do run, and hand over their states.
for my $rows ('few', 'many')
{
	my $run = $node->safe_psql('postgres', "SET max_parallel_workers_per_gather = 4; SET parallel_leader_participation = off;
		SET client_min_messages = warning; ALTER TABLE ${rows}_mixed SET (parallel_workers = 4);
		EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT rnn_history(day, ts, value) FROM ${rows}_mixed");
	like($run, qr/Finalize Aggregate.*Workers Launched: [1-4].*Partial Aggregate \(actual rows=1(\.00)? loops=[1-4]\)/s, "$rows: workers run");
}

$node->stop;
done_testing();
