# A real cluster: coordinator and two workers of Citus, where its library is
# installed beside the server, and what it does is what one server does.
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use POSIX ();
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

# What workers send is counted on its way, by a process between each of them and the others.
my @relays;

sub pass_on
{
	my ($from, $to, $log) = @_;

	return 0 unless sysread($from, my $bytes, 1 << 16);
	syswrite($log, pack('L', length $bytes)) if $log;
	for (my $at = 0; $at < length $bytes;)
	{
		my $n = syswrite($to, $bytes, length($bytes) - $at, $at) or return 0;
		$at += $n;
	}
	return 1;
}

# Until either side ends it, a connection from and to a worker.
sub connection
{
	my ($client, $to, $log) = @_;
	my $server = IO::Socket::UNIX->new(Peer => $to) or POSIX::_exit(1);
	my $both = IO::Select->new($client, $server);

	while (my @ready = $both->can_read)
	{
		for my $from (@ready)
		{
			POSIX::_exit(0) unless $from == $server ? pass_on($server, $client, $log) : pass_on($client, $server);
		}
	}
}

sub relay
{
	my ($worker) = @_;
	my $port = $worker->port + 1000;
	my $at = $worker->host . "/.s.PGSQL.$port";
	my $listener = IO::Socket::UNIX->new(Local => $at, Listen => 64) or die "$at: $!";
	my $counted = $worker->basedir . '/sent';
	open my $log, '>>', $counted or die "$counted: $!";
	my $pid = fork // die "fork: $!";

	push @relays, { pid => $pid, counted => $counted };
	return $port if $pid;
	$SIG{CHLD} = 'IGNORE';
	while (my $client = $listener->accept)
	{
		connection($client, $worker->host . '/.s.PGSQL.' . $worker->port, $log) unless fork;
		close $client;
	}
	POSIX::_exit(0);
}

# Bytes that workers sent in all.
sub sent
{
	my $bytes = 0;

	for my $relay (@relays)
	{
		open my $in, '<:raw', $relay->{counted} or die "$relay->{counted}: $!";
		local $/;
		$bytes += $_ for unpack 'L*', <$in>;
	}
	return $bytes;
}
END
{
	local $?;
	kill 'KILL', $_->{pid} for grep { $_->{pid} } @relays;
}
$node->safe_psql('postgres', sprintf("SELECT citus_add_node('%s', %d)", $_->host, relay($_))) for @nodes[1, 2];
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
like(answer('SELECT rnn_history(shop, day, amount) FROM sales'), qr/could not confirm type correctness/, 'series of any type: the error of Citus that docs/many-nodes.md explains');
like($node->safe_psql('postgres', 'EXPLAIN (COSTS OFF, VERBOSE) SELECT rnn_history(shop::text, day, amount) FROM sales'), qr/worker_partial_agg/, 'states travel, not rows');
for my $call ("rnn_train(shop::text, day, amount, $options)", "rnn_train(day, amount, $options)", "rnn_history(shop::text, n::bigint, amount, more)", 'rnn_accuracy(amount, amount + 1)')
{
	my $plan = $node->safe_psql('postgres', "EXPLAIN (COSTS OFF, VERBOSE) SELECT $call FROM sales");

	like($plan, qr/coord_combine_agg\(.*Task Count: 8.*worker_partial_agg\(/s, "$call: partial aggregates of 8 shards, combined");
}

# Bytes over the wire: those of the states, by the formula of docs/many-nodes.md, and little more.
$node->safe_psql('postgres', q{
	CREATE TABLE hours (sensor text, ts timestamp, value float8);
	SELECT create_distributed_table('hours', 'sensor', shard_count => 8);
	INSERT INTO hours SELECT 'sensor ' || s, timestamp '2024-01-01' + n * interval '1 minute', s + sin(n / 99.0)
	FROM generate_series(1, 40) AS s, generate_series(1, 2400) AS n});
my $formula = $node->safe_psql('postgres', q{
	SELECT sum(2 * (68 + 20 * n + names) + 2) FROM (
		SELECT get_shard_id_for_distribution_column('hours', sensor), sum(n) AS n, sum(4 + octet_length(sensor)) AS names
		FROM (SELECT sensor, count(*) AS n FROM hours GROUP BY sensor) AS s GROUP BY 1) AS t});
my $before = sent();
answer('SELECT length(rnn_history(sensor, ts, value)) FROM hours');
my $states = sent() - $before;
cmp_ok($states, '>=', $formula, 'the workers sent the states');
cmp_ok($states, '<=', $formula + 30000, 'and little more');
my $bins = q{'{"bin": "mean", "step": "1 hour"}'};
$before = sent();
my $pieces = answer("SELECT md5(rnn_merge(h)) FROM (SELECT sensor, rnn_history(sensor, ts, value, $bins) AS h FROM hours GROUP BY sensor) AS t");
is($pieces, answer("SELECT md5(rnn_history(sensor, ts, value, $bins)) FROM hours"), 'pieces in bins, merged');
$before = sent();
answer("SELECT length(rnn_merge(h)) FROM (SELECT sensor, rnn_history(sensor, ts, value, $bins) AS h FROM hours GROUP BY sensor) AS t");
cmp_ok(20 * (sent() - $before), '<', $states, 'of which a twentieth of the bytes travels, at most');

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
for my $query ('SELECT shop, (rnn_forecast(model, 7)).* FROM models', $fresh =~ s/%s/models/r =~ s/%s/sales/r =~ s/^\((.*)\) AS f$/$1/r)
{
	my $plan = answer("EXPLAIN (COSTS OFF, VERBOSE) $query");

	like($plan, qr/Task Count: 8/, 'a task for each shard');
	like($plan, qr/Node: host.*(Output|ProjectSet).*rnn_forecast\(/s, 'of forecasts');
	like($plan, qr/Node: host.*rnn_observe\(/s, 'of fresh rows') if $query =~ /observe/;
}
$before = sent();
answer(forecasts(sprintf($fresh, 'models', 'sales')));
cmp_ok(sent() - $before, '<', 60000, 'rows of forecasts travel, no models and no histories');

# Backtests and anomalies of each shard, where it lies, are those of its shops.
my @shards = map { [ split /\|/ ] } split /\n/, answer(q{
	SELECT get_shard_id_for_distribution_column('sales', shop), string_agg(shop::text, ',' ORDER BY shop) FROM local WHERE n = 1 GROUP BY 1 ORDER BY 1});
cmp_ok(scalar @shards, '>=', 3, 'shops in several shards');
my %judge = (
	rnn_backtest => [ q{rnn_backtest('SELECT shop, day, amount FROM %s', 5, 2, '{"network": false}')}, 'series, cutoff, step' ],
	rnn_anomalies => [ q{rnn_anomalies('SELECT shop, day, amount FROM %s')}, 'series, ts' ]);
for my $what (sort keys %judge)
{
	my ($call, $order) = @{ $judge{$what} };
	my $of_shard = "SELECT jsonb_agg(f ORDER BY $order) FROM $call AS f";
	my $spread = answer(sprintf(q{SELECT shardid, md5(result) FROM run_command_on_shards('sales', $$%s$$) WHERE success AND result <> '' ORDER BY 1}, $of_shard));
	my $plain = join "\n", map { "$_->[0]|" . answer('SELECT md5((' . sprintf($of_shard, "local WHERE shop IN ($_->[1])") . ')::text)') } @shards;

	is($spread, $plain, "$what of each shard");
}

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
	like(answer(qq{SELECT count(*) > 0 FROM rnn_backtest_model('fitted$role', 3, 2)}, $role), qr/^t$/, "rnn_backtest_model $as");
	like(answer(qq{SELECT count(*) FROM rnn_anomalies_model('fitted$role', 0.99)}, $role), qr/^1080$/, "rnn_anomalies_model $as");
	unlike(answer(qq{CALL rnn_refit('fitted$role')}), qr/failed/, "rnn_refit of the model of $role as a superuser");
}

# What docs/many-nodes.md lets a superuser do: a role that may read everything, and can log in.
$node->safe_psql('postgres', 'CREATE ROLE reader LOGIN; GRANT pg_read_all_data TO reader');
is(answer(q{SELECT rnn_fit('read', 'SELECT shop, day, amount FROM sales', 7, '{"network": false}')}, 'reader'), 1, 'rnn_fit as a role that reads everything');
unlike(answer(q{CALL rnn_refit('read')}, 'reader'), qr/failed/, 'and rnn_refit');
is(answer(q{SELECT md5(rnn_model('read'))}, 'reader'), answer(q{SELECT md5(rnn_model('plain'))}, 'clerk'), 'the same model');

$_->stop for @nodes;
done_testing();
