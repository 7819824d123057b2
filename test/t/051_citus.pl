# A real cluster: coordinator and two workers of Citus, where its library is
# installed beside the server, and what it does is what one server does.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

chomp(my $libraries = `pg_config --pkglibdir`);
plan skip_all => "Citus is not installed beside the server: no $libraries/citus.so" unless -e "$libraries/citus.so";

my @nodes = map { PostgreSQL::Test::Cluster->new($_) } 'coordinator', 'worker1', 'worker2';
for my $node (@nodes)
{
	$node->init;
	$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'citus'
wal_level = logical
max_prepared_transactions = 40
fsync = off
jit = off
timezone = 'UTC'
max_worker_processes = 20
citus.node_conninfo = 'sslmode=disable'
citus.enable_statistics_collection = off
citus.max_background_task_executors = 1
});
	$node->start;
	# On each node by hand: the coordinator's is there before it knows the workers.
	$node->safe_psql('postgres', 'CREATE EXTENSION citus; CREATE EXTENSION rnnforecast');
}
my $node = $nodes[0];
$node->safe_psql('postgres', sprintf("SELECT citus_set_coordinator_host('%s', %d)", $node->host, $node->port));
$node->safe_psql('postgres', sprintf("SELECT citus_add_node('%s', %d)", $_->host, $_->port)) for @nodes[1, 2];
$node->safe_psql('postgres', q{
	CREATE ROLE clerk LOGIN;
	GRANT CREATE, USAGE ON SCHEMA public TO clerk;
	CREATE TABLE local AS
	SELECT shop, n, date '2024-01-01' + n AS day, shop * 10 + n % 7 + sin(n * 0.9 * shop) AS amount,
		   jsonb_build_object('temp', n % 5) AS more
	FROM generate_series(1, 12) AS shop, generate_series(1, 90) AS n;
	CREATE TABLE sales (LIKE local);
	SELECT create_distributed_table('sales', 'shop', shard_count => 8);
	INSERT INTO sales SELECT * FROM local;
	GRANT SELECT ON sales, local TO clerk;
});
my $options = q{'{"start": "scratch", "steps": 5, "hidden": 8, "layers": 1, "horizon": 7, "members": 1, "seasons": [7]}'};

sub answer
{
	my ($sql, $role) = @_;
	my ($out, $err) = ('', '');
	my $status = $node->psql('postgres', ($role ? "SET ROLE $role; " : '') . "SET client_min_messages = error; $sql", stdout => \$out, stderr => \$err, on_error_stop => 1);

	return $status == 0 ? $out : "failed: $err";
}

# The same call on the distributed and on the plain table.
sub alike
{
	my ($call, $what, $role) = @_;
	my ($spread, $plain) = map { answer(sprintf($call, $_), $role) } 'sales', 'local';

	is($spread, $plain, $what);
	isnt($plain, '', "$what: some answer") if $plain eq '';
}

# All rows in one state, and groups by what the table is distributed by.
for my $aggregate ('rnn_train', 'rnn_history')
{
	my $last = $aggregate eq 'rnn_train' ? ", $options" : q{, '{"on_error": "fail"}'};

	for my $time ('day', 'day::timestamp', 'day::timestamptz', 'n::bigint')
	{
		alike("SELECT md5($aggregate(shop::text, $time, amount$last)) FROM %s", "$aggregate of series, $time");
		alike("SELECT md5($aggregate(shop::text, $time, amount, more$last)) FROM %s", "$aggregate of series with covariates, $time");
		next if $time =~ /bigint/;
		alike("SELECT md5($aggregate($time, amount$last)) FROM %s WHERE shop = 3", "$aggregate of one series, $time");
		alike("SELECT md5($aggregate($time, amount$last)) FROM (SELECT day, max(amount) AS amount FROM %s GROUP BY day) AS t", "$aggregate of the largest, $time");
		alike("SELECT string_agg(md5(m), ' ' ORDER BY shop) FROM (SELECT shop, $aggregate($time, amount$last) AS m FROM %s GROUP BY shop) AS t", "$aggregate by shop, $time");
	}
}
alike(q{SELECT md5(rnn_history(shop::text, day, amount)) FROM %s}, 'rnn_history without options');
alike(q{SELECT md5(rnn_merge(h)) FROM (SELECT shop, rnn_history(shop::text, day, amount) AS h FROM %s GROUP BY shop) AS t}, 'rnn_merge of the shops');
alike(q{SELECT round(mae::numeric, 9), n FROM (SELECT (rnn_accuracy(amount, amount + 1)).* FROM %s) AS t}, 'rnn_accuracy');
like(answer('SELECT rnn_history(shop, day, amount) FROM sales'), qr/could not confirm type correctness/, 'series of any type: the error of Citus that docs/scaling.md explains');
like($node->safe_psql('postgres', 'EXPLAIN (COSTS OFF, VERBOSE) SELECT rnn_history(shop::text, day, amount) FROM sales'), qr/worker_partial_agg/, 'states travel, not rows');

# Forecasts run where models lie.
$node->safe_psql('postgres', qq{
	CREATE TABLE models (shop int, model bytea);
	SELECT create_distributed_table('models', 'shop', colocate_with => 'sales');
	INSERT INTO models SELECT shop, rnn_train(day, amount, $options) FROM sales GROUP BY shop;
	CREATE TABLE local_models AS SELECT shop, rnn_train(day, amount, $options) AS model FROM local GROUP BY shop});
sub forecasts { return "SELECT md5(string_agg(shop || ' ' || f.step || ' ' || f.forecast, ',' ORDER BY shop, f.step)) FROM $_[0]" }
is(answer(forecasts('(SELECT shop, (rnn_forecast(model, 7)).* FROM models) AS f')), answer(forecasts('(SELECT shop, (rnn_forecast(model, 7)).* FROM local_models) AS f')), 'forecasts of distributed models');
my $fresh = '(SELECT shop, (rnn_forecast(rnn_observe(model, h), 7)).* FROM %s AS m JOIN (SELECT shop, rnn_history(day, amount) AS h FROM %s GROUP BY shop) AS s USING (shop)) AS f';
is(answer(forecasts(sprintf($fresh, 'models', 'sales'))), answer(forecasts(sprintf($fresh, 'local_models', 'local'))), 'and with fresh rows');
like(answer('EXPLAIN (COSTS OFF) SELECT shop, (rnn_forecast(model, 7)).* FROM models'), qr/Task Count: 8/, 'a task for each shard');

# Functions that take a query, as a superuser and as an ordinary role.
for my $role ('', 'clerk')
{
	my $as = $role ? "as $role" : 'as a superuser';

	alike(qq{SELECT md5(string_agg(f::text, ',' ORDER BY series, step)) FROM rnn_forecast_query('SELECT shop, day, amount FROM %s', 5) AS f}, "rnn_forecast_query $as", $role);
	alike(qq{SELECT md5(string_agg(f::text, ',' ORDER BY series, cutoff, step)) FROM rnn_backtest('SELECT shop, day, amount FROM %s', 5, 2, '{"network": false}') AS f}, "rnn_backtest $as", $role);
	alike(qq{SELECT md5(string_agg(f::text, ',' ORDER BY ts)) FROM rnn_anomalies('SELECT day, amount FROM %s WHERE shop = 3') AS f}, "rnn_anomalies $as", $role);
	unless ($role)
	{
		like(answer(q{SELECT rnn_fit('fitted', 'SELECT shop, day, amount FROM sales', 7)}), qr/role "pg_read_all_data" is not permitted to log in.*HINT: .*SET ROLE to one that can/s,
			'rnn_fit as a superuser: an error that says which role and what to do');
		next;
	}
	like(answer(qq{SELECT rnn_fit('fitted$role', 'SELECT shop, day, amount FROM sales', 7, '{"network": false}')}, $role), qr/^1$/, "rnn_fit $as");
	like(answer(q{SELECT rnn_fit('plain', 'SELECT shop, day, amount FROM local', 7, '{"network": false}')}, $role), qr/^1$/, "rnn_fit of the plain table $as");
	is(answer(qq{SELECT md5(rnn_model('fitted$role'))}, $role), answer(q{SELECT md5(rnn_model('plain'))}, $role), "the same model $as");
	unlike(answer(qq{CALL rnn_refit('fitted$role')}, $role), qr/failed/, "rnn_refit $as");
	like(answer(qq{SELECT count(*) FROM rnn_forecast_model('fitted$role', 3, options => '{"fresh": true}')}, $role), qr/^36$/, "forecasts of fresh rows $as");
}

$_->stop for @nodes;
done_testing();
