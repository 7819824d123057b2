# Named models in a dump, on a standby and through logical replication give the
# same forecasts to the last bit; nobody but the database's owner is needed.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE keeper LOGIN; CREATE ROLE alice LOGIN');
$node->safe_psql('postgres', 'CREATE DATABASE shop OWNER keeper');

sub as
{
	my ($on, $database, $role, $sql) = @_;
	return $on->safe_psql($database, $sql, extra_params => [ '-U', $role ]);
}

as($node, 'shop', 'keeper', q{
	CREATE EXTENSION rnnforecast;
	GRANT CREATE ON SCHEMA public TO alice;
	CREATE TABLE sales (shop text, day date, amount float8, PRIMARY KEY (shop, day));
	GRANT SELECT, INSERT ON sales TO alice;
	INSERT INTO sales
	SELECT shop, date '2024-01-01' + n, ascii(shop) + 10 * sin(n * 2 * pi() / 7) + sin(n * 7.3)
	FROM generate_series(1, 250) AS n, unnest('{A,B,C}'::text[]) AS shop});
as($node, 'shop', 'alice', q{
	SELECT rnn_fit('sales', 'SELECT shop AS series, day AS ts, amount AS value FROM sales', 14,
		'{"start": "scratch", "steps": 30, "hidden": 8, "members": 2}');
	SELECT rnn_fit('mix', 'SELECT day, sum(amount) FROM sales GROUP BY day', 7);
	SELECT rnn_keep('sales', 1);
	SELECT rnn_grant('mix', 'keeper')});
as($node, 'shop', 'alice', q{INSERT INTO sales SELECT shop, day + 1, amount FROM sales WHERE day = (SELECT max(day) FROM sales)});
as($node, 'shop', 'alice', q{CALL rnn_refit('mix')});
as($node, 'shop', 'alice', q{INSERT INTO sales SELECT shop, day + 1, amount FROM sales WHERE day = (SELECT max(day) FROM sales)});

my $stored = q{SELECT md5(string_agg(f::text, '|' ORDER BY name, f.series, step)) FROM rnn_models, rnn_forecast_model(name, history => 5) AS f};
my $fresh = q{SELECT md5(string_agg(f::text, '|' ORDER BY name, f.series, step)) FROM rnn_models, rnn_forecast_model(name, options => '{"fresh": true}') AS f};
my $state = q{SELECT string_agg(v::text, '|' ORDER BY name, version) FROM rnn_versions AS v};
my $runs = q{SELECT string_agg(r::text, '|' ORDER BY id) FROM rnn_runs AS r};
my %expected = map { $_ => as($node, 'shop', 'alice', $_) } $stored, $fresh, $state, $runs;
isnt($expected{$stored}, $expected{$fresh}, 'fresh forecasts are others');

# ----------------------------------------------------------------- a hot standby

$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
is(as($standby, 'shop', 'alice', $_), $expected{$_}, 'on a standby: ' . substr($_, 0, 60)) for $stored, $fresh, $state, $runs;
# Sessions that forecast find it by a connection string with all hosts.
my $routed = sprintf(q{host=%s,%s port=%d,%d dbname=shop user=alice target_session_attrs=%%s},
	$node->host, $standby->host, $node->port, $standby->port);
for my $want ([ 'prefer-standby', 't' ], [ 'primary', 'f' ])
{
	my ($is, $said) = ('', '');

	IPC::Run::run([ 'psql', '-XAtq', '-d', sprintf($routed, $want->[0]), '-c', 'SELECT pg_is_in_recovery()', '-c', $fresh ], '>', \$said);
	is($said, "$want->[1]\n$expected{$fresh}\n", "$want->[0]: where the session goes, and its forecasts");
}
my ($rc, $out, $err) = $standby->psql('shop', q{CALL rnn_refit('mix')}, extra_params => [ '-U', 'alice' ]);
like($err, qr/cannot execute rnn_refit\(\) (in a read-only transaction|during recovery)/, 'no refit on a standby');
$standby->stop;

# ---------------------------------------------------- a dump of the database's owner

my $dump = $node->basedir . '/shop.dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-U', 'keeper', '-d', $node->connstr('shop') ], 'pg_dump without superuser');
$node->safe_psql('postgres', 'CREATE DATABASE again OWNER keeper');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--no-owner', '-U', 'keeper', '-d', $node->connstr('again'), $dump ],
	'pg_restore without superuser');
is(as($node, 'again', 'alice', $_), $expected{$_}, 'restored: ' . substr($_, 0, 60)) for $stored, $state, $runs;
as($node, 'again', 'keeper', 'GRANT SELECT ON sales TO alice; GRANT CREATE ON SCHEMA public TO alice');
is(as($node, 'again', 'alice', $fresh), $expected{$fresh}, 'restored: fresh forecasts');
is(as($node, 'again', 'keeper', q{SELECT count(*) FROM rnn_forecast_model('mix')}), '7', 'restored: grants');
is(as($node, 'again', 'alice', q{CALL rnn_refit('mix')}), 'promoted', 'restored: a refit');
is(as($node, 'again', 'alice', q{SELECT rnn_fit('more', 'SELECT day, sum(amount) FROM sales GROUP BY day', 7)}), '1', 'restored: numbers go on');

# Into another server, where roles have other numbers.
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init(allows_streaming => 'logical');
$other->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'");
$other->start;
$other->safe_psql('postgres', 'CREATE ROLE first; CREATE ROLE alice LOGIN; CREATE ROLE keeper LOGIN; CREATE ROLE mallory LOGIN');
$other->safe_psql('postgres', 'CREATE DATABASE shop OWNER keeper');
$other->command_ok([ 'pg_restore', '--exit-on-error', '-U', 'keeper', '--no-owner', '-d', $other->connstr('shop'), $dump ],
	'pg_restore on another server');
is(as($other, 'shop', 'alice', $_), $expected{$_}, 'on another server: ' . substr($_, 0, 60)) for $stored, $state, $runs;
is(as($other, 'shop', 'mallory', 'SELECT count(*) FROM rnn_models'), '0', 'on another server: others still see nothing');

# ------------------------------------------------------------ logical replication

$node->safe_psql('shop', 'CREATE PUBLICATION models FOR TABLE _rnn_registry, _rnn_registry_version, _rnn_registry_run, _rnn_registry_grant, sales');
$other->safe_psql('postgres', 'CREATE DATABASE copy OWNER keeper');
as($other, 'copy', 'keeper', q{CREATE EXTENSION rnnforecast; CREATE TABLE sales (shop text, day date, amount float8, PRIMARY KEY (shop, day));
	GRANT SELECT ON sales TO alice});
my $source = $node->connstr . ' dbname=shop';
$other->safe_psql('copy', "CREATE SUBSCRIPTION models CONNECTION '$source' PUBLICATION models");
$other->wait_for_subscription_sync($node, 'models', 'copy') if $other->can('wait_for_subscription_sync');
$other->poll_query_until('copy', q{SELECT count(*) = 3 FROM rnn_versions}) or die 'not replicated';
$other->poll_query_until('copy', q{SELECT count(*) = 756 FROM sales}) or die 'not replicated';
is(as($other, 'copy', 'alice', $_), $expected{$_}, 'replicated: ' . substr($_, 0, 60)) for $stored, $fresh, $state, $runs;
as($node, 'shop', 'alice', q{CALL rnn_refit('mix')});
my $after = as($node, 'shop', 'alice', $stored);
$other->poll_query_until('copy', q{SELECT max(version) = 3 FROM rnn_models}) or die 'not replicated';
is(as($other, 'copy', 'alice', $stored), $after, 'replicated: a refit');

$other->stop;
$node->stop;
done_testing();
