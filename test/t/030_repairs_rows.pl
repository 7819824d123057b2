# Rows on their way in and out: what once crashed, grew without end, or was
# wrong in them.
use strict;
use warnings;

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
		(SFUNC = rnn_collect_covariates_series_timestamp, STYPE = bytea);
	CREATE AGGREGATE history_of(bytea) (SFUNC = rnn_collect_combine, STYPE = bytea, FINALFUNC = rnn_history_final);
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
	[ 'rnn_gradient_flow', '(SELECT count(*) FROM rnn_gradient_flow(network))', 2000 ],
	[ 'rnn_forecast of a network', '(SELECT count(*) FROM rnn_forecast(network, 3))' ],
	[ 'rnn_forecast_query', q{(SELECT count(*) FROM rnn_forecast_query('SELECT day, amount FROM sales WHERE s = ' || k + 1, 2))}, 1000 ],
	[ 'rnn_forecast_query, model', q{(SELECT count(*) FROM rnn_forecast_query('SELECT s, day, amount FROM sales', 2, model => model))} ],
	[ 'rnn_query_call', q{rnn_query_call('SELECT day, amount FROM sales WHERE s = ' || k, 'rnn_history')} ],
	[ 'rnn_model', 'length(rnn_model(name))' ],
	[ 'rnn_model, version', 'length(rnn_model(name, 1))' ],
	[ 'rnn_forecast_model', '(SELECT count(*) FROM rnn_forecast_model(name, 2))' ],
	[ 'rnn_chance_above', 'rnn_chance_above(array_fill(n::float8, ARRAY[15]), 3)' ],
	[ 'rnn_next_run', q{rnn_next_run(n % 60 || ' 3 * * *')} ],
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
	$rows = $ENV{CALLS} // $rows // 10_000;
	my $grown = growth($call, $rows);
	ok($grown =~ /^-?\d+$/ && $grown < 1_000_000, sprintf("repair 5: %s grows by %s bytes from call 100 to %d", $name, $grown, $rows));
}

$node->stop;
done_testing();
