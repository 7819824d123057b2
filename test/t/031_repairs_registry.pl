# Named models: what once crashed the server from their tables, was lost, or
# grew without end.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('registry');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'\nclient_min_messages = warning\nrestart_after_crash = on");
$node->start;
$node->safe_psql('postgres', q{
	CREATE ROLE keeper LOGIN; CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN;
	CREATE DATABASE shop OWNER keeper;
	CREATE DATABASE other OWNER keeper});

# Output, or the error, of SQL as a role; a crash is an error, and the server restarts by itself.
sub in_database
{
	my ($database, $role, $sql) = @_;
	my ($out, $err) = ('', '');
	my $rc = $node->psql($database, $sql, stdout => \$out, stderr => \$err, extra_params => [ '-U', $role ], on_error_stop => 1);
	$node->poll_query_until('postgres', 'SELECT true') if $rc == 2;
	return $rc == 0 ? $out : "failed: $err";
}

sub as { return in_database('shop', @_) }

as('keeper', 'CREATE EXTENSION rnnforecast; GRANT CREATE ON SCHEMA public TO PUBLIC');
as('alice', q{
	CREATE TABLE sales AS SELECT date '2024-01-01' + n AS day, 100 + 20 * sin(n * 2 * pi() / 7) + n % 5 AS amount FROM generate_series(1, 200) AS n;
	SELECT rnn_fit('sales', 'SELECT day, amount FROM sales', 7, '{"network": false}')});

# ------------------------------------------------------- 2: the tables' shape

for my $sql (
	q{ALTER TABLE rnn_registry_version RENAME COLUMN bytes TO old},
	q{ALTER TABLE rnn_registry_version ADD COLUMN more int8 NOT NULL DEFAULT 12345},
	q{ALTER TABLE rnn_registry_version ALTER bytes TYPE int8 USING 12345},
	q{ALTER TABLE rnn_registry ALTER settings DROP NOT NULL},
	q{UPDATE rnn_registry SET settings = '[]'},
	q{CREATE TRIGGER t BEFORE INSERT ON rnn_registry_run EXECUTE FUNCTION suppress_redundant_updates_trigger()},
	q{CREATE RULE r AS ON UPDATE TO rnn_registry DO INSTEAD NOTHING},
	q{CREATE POLICY p ON rnn_registry},
	q{ALTER TABLE rnn_registry_run OWNER TO keeper})
{
	like(as('keeper', $sql), qr/must be owner|permission denied/, "repair 2: refused to the extension's owner: $sql");
}

# A column that is another by type, or null; a superuser alone can do that.
sub altered
{
	my ($table, $column, $type, $call, $pattern) = @_;
	as('postgres', $type eq 'NULL' ?
		"CREATE TABLE kept AS SELECT $column FROM $table;
		 ALTER TABLE $table ALTER $column DROP NOT NULL; UPDATE $table SET $column = NULL" :
		"ALTER TABLE $table RENAME COLUMN $column TO old_$column; ALTER TABLE $table ALTER old_$column DROP NOT NULL;
		 ALTER TABLE $table ADD COLUMN $column $type DEFAULT 12345");
	like(as('alice', $call), $pattern, "repair 2: $table.$column as $type: $call");
	as('postgres', $type eq 'NULL' ?
		"UPDATE $table SET $column = (SELECT k.$column FROM kept AS k); DROP TABLE kept; ALTER TABLE $table ALTER $column SET NOT NULL" :
		"ALTER TABLE $table DROP COLUMN $column; ALTER TABLE $table RENAME COLUMN old_$column TO $column");
}

altered('rnn_registry_version', 'bytes', 'int8', $_, qr/column "bytes" of table "rnn_registry_version" is not of type bytea/)
  for q{SELECT length(rnn_model('sales'))}, q{SELECT length(rnn_model('sales', 1))}, q{SELECT * FROM rnn_forecast_model('sales')},
	q{SELECT rnn_forget_model('sales', '{A}')};
as('alice', q{INSERT INTO sales VALUES ('2024-07-20', 100)});
altered('rnn_registry_version', 'fingerprint', 'int8', q{CALL rnn_refit('sales')}, qr/column "fingerprint" of table "rnn_registry_version" is not of type bytea/);
altered('rnn_registry_version', 'keep', 'int8', q{CALL rnn_refit('sales')}, qr/column "keep" of table "rnn_registry_version" is not of type boolean/);
altered('rnn_registry', $_, 'int8', q{SELECT rnn_forecast_model('sales', options => '{"fresh": true}')}, qr/column "$_" of table "rnn_registry" is not of type/)
  for qw(owner_key query options rules settings live last_version schedule);
altered('rnn_registry', $_, 'NULL', q{SELECT rnn_forecast_model('sales', options => '{"fresh": true}')}, qr/column "$_" of table "rnn_registry" is null/)
  for qw(owner owner_key options rules settings last_version);
altered('rnn_registry', 'settings', 'NULL', q{CALL rnn_refit('sales')}, qr/column "settings" of table "rnn_registry" is null/);
altered('rnn_registry', 'name', 'NULL', q{CALL rnn_refit_all()}, qr/column "name" of table "rnn_registry" is null/);
like(as('alice', q{CALL rnn_refit('sales')}), qr/promoted|skipped/, 'repair 2: with the columns as they were all goes on');

# Contents are his to add, as those of a dump; they may be anything.
as('postgres', 'GRANT SELECT ON sales TO keeper');
as('keeper', q{
	INSERT INTO rnn_registry (id, name, owner, owner_key, query, options, rules, settings, live, last_version)
	SELECT 900 + n, 'forged ' || n, owner, owner_key, query, o::jsonb, o::jsonb, o::jsonb, 1, 2147483647
	FROM rnn_registry, unnest('{"[]","1","null","{\"search_path\": 1, \"windows\": \"x\", \"horizon\": []}"}'::text[]) WITH ORDINALITY AS t (o, n) WHERE name = 'sales';
	INSERT INTO rnn_registry_version (model, version, bytes, source, points) SELECT 900 + n, 1, decode(repeat('ff', n), 'hex'), 'fit', -1 FROM generate_series(1, 4) AS n;
	INSERT INTO rnn_registry_run (model, kind, outcome, series) SELECT 900 + n, 'fit', 'running', ('[1,"a",null,{}]'::jsonb)->(n - 1) FROM generate_series(1, 4) AS n});
for my $n (1 .. 4)
{
	like(as('alice', $_), qr/ERROR/, "repair 2: forged contents $n: $_")
	  for qq{SELECT rnn_forecast_model('forged $n', options => '{"fresh": true}')}, qq{CALL rnn_refit('forged $n')}, qq{SELECT rnn_forget_model('forged $n', '{a}')},
		qq{SELECT rnn_register('forged $n', rnn_model('sales'))};
	is(as('alice', "SELECT rnn_drop('forged $n')"), '', "repair 2: forged contents $n are dropped");
}

# ------------------------------------------------------- 2: dumps, by whom they may be made

sub dumped
{
	my ($role, @options) = @_;
	my $file = $node->basedir . '/dump';
	$node->command_ok([ 'pg_dump', '-f', $file, '-U', $role, @options, '-d', $node->connstr('shop') ], "repair 2: pg_dump @options by $role");
	return $file;
}

sub restored
{
	my ($role, $file, $name) = @_;
	$node->safe_psql('postgres', $_) for 'DROP DATABASE IF EXISTS again', 'CREATE DATABASE again OWNER keeper';
	in_database('again', $role, 'CREATE EXTENSION rnnforecast') if $name =~ /-n/;
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-U', $role, '-d', $node->connstr('again'), '-f', $file ], "repair 2: restored, $name");
	is(in_database('again', 'alice', q{SELECT count(*) FROM rnn_models, rnn_forecast_model(name)}), '7', "repair 2: forecasts after it, $name");
	is(in_database('again', 'alice', q{SELECT rnn_fit('next', 'SELECT 1.0 + n FROM generate_series(1, 50) AS n', 1, '{"network": false}')}), '1',
		"repair 2: numbers go on, $name");
}

as('keeper', 'REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT ALL ON SCHEMA public TO PUBLIC');
for my $role (qw(keeper postgres))
{
	my $file = dumped($role, '--no-owner', '--exclude-table=sales');
	unlike(slurp_file($file), qr/(GRANT|REVOKE).* rnn_registry/, 'repair 2: rights on the tables are the extension\'s, not the dump\'s');
	restored($role, $file, "by $role");
	restored($role, dumped($role, '--no-owner', '--data-only', '-n', 'public', '--exclude-table=sales'), "-n public --data-only by $role");
}

$node->stop;
done_testing();
