# Named models: what once crashed the server from their tables, was lost, or
# grew without end.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('registry');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nshared_buffers = 4MB\ntimezone = 'UTC'\nclient_min_messages = warning\nrestart_after_crash = on");
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
	q{ALTER TABLE _rnn_registry_version RENAME COLUMN bytes TO old},
	q{ALTER TABLE _rnn_registry_version ADD COLUMN more int8 NOT NULL DEFAULT 12345},
	q{ALTER TABLE _rnn_registry_version ALTER bytes TYPE int8 USING 12345},
	q{ALTER TABLE _rnn_registry ALTER settings DROP NOT NULL},
	q{UPDATE _rnn_registry SET settings = '[]'},
	q{CREATE TRIGGER t BEFORE INSERT ON _rnn_registry_run EXECUTE FUNCTION suppress_redundant_updates_trigger()},
	q{CREATE RULE r AS ON UPDATE TO _rnn_registry DO INSTEAD NOTHING},
	q{CREATE POLICY p ON _rnn_registry},
	q{ALTER TABLE _rnn_registry_run OWNER TO keeper})
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

altered('_rnn_registry_version', 'bytes', 'int8', $_, qr/column "bytes" of table "_rnn_registry_version" is not of type bytea/)
  for q{SELECT length(rnn_model('sales'))}, q{SELECT length(rnn_model('sales', 1))}, q{SELECT * FROM rnn_forecast_model('sales')},
	q{SELECT rnn_forget_model('sales', '{A}')};
as('alice', q{INSERT INTO sales VALUES ('2024-07-20', 100)});
altered('_rnn_registry_version', 'fingerprint', 'int8', q{CALL rnn_refit('sales')}, qr/column "fingerprint" of table "_rnn_registry_version" is not of type bytea/);
altered('_rnn_registry_version', 'keep', 'int8', q{CALL rnn_refit('sales')}, qr/column "keep" of table "_rnn_registry_version" is not of type boolean/);
altered('_rnn_registry', $_, 'int8', q{SELECT rnn_forecast_model('sales', options => '{"fresh": true}')}, qr/column "$_" of table "_rnn_registry" is not of type/)
  for qw(owner_key query options rules settings live last_version schedule);
altered('_rnn_registry', $_, 'NULL', q{SELECT rnn_forecast_model('sales', options => '{"fresh": true}')}, qr/column "$_" of table "_rnn_registry" is null/)
  for qw(owner owner_key options rules settings last_version);
altered('_rnn_registry', 'settings', 'NULL', q{CALL rnn_refit('sales')}, qr/column "settings" of table "_rnn_registry" is null/);
altered('_rnn_registry', 'name', 'NULL', q{CALL rnn_refit_all()}, qr/column "name" of table "_rnn_registry" is null/);
like(as('alice', q{CALL rnn_refit('sales')}), qr/promoted|skipped/, 'repair 2: with the columns as they were all goes on');

# Contents are his to add, as those of a dump; they may be anything.
as('postgres', 'GRANT SELECT ON sales TO keeper');
as('keeper', q{
	INSERT INTO _rnn_registry (id, name, owner, owner_key, query, options, rules, settings, live, last_version)
	SELECT 900 + n, 'forged ' || n, owner, owner_key, query, o::jsonb, o::jsonb, o::jsonb, 1, 2147483647
	FROM _rnn_registry, unnest('{"[]","1","null","{\"search_path\": 1, \"windows\": \"x\", \"horizon\": []}"}'::text[]) WITH ORDINALITY AS t (o, n) WHERE name = 'sales';
	INSERT INTO _rnn_registry_version (model, version, bytes, source, points) SELECT 900 + n, 1, decode(repeat('ff', n), 'hex'), 'fit', -1 FROM generate_series(1, 4) AS n;
	INSERT INTO _rnn_registry_run (model, kind, outcome, series) SELECT 900 + n, 'fit', 'running', ('[1,"a",null,{}]'::jsonb)->(n - 1) FROM generate_series(1, 4) AS n});
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
	unlike(slurp_file($file), qr/(GRANT|REVOKE).* _rnn_registry/, 'repair 2: rights on the tables are the extension\'s, not the dump\'s');
	restored($role, $file, "by $role");
	restored($role, dumped($role, '--no-owner', '--data-only', '-n', 'public', '--exclude-table=sales'), "-n public --data-only by $role");
}

# ------------------------------------------------------------ 4: dropped under a refit

# Trains for six seconds, unless it fails.
my $LONG = q{SET search_path = public; SELECT fc.rnn_fit('hours', 'SELECT date ''2000-01-01'' + n, sin(n * 0.26) + sin(n * n) FROM generate_series(1, 1500) AS n', 5,
		'{"start": "scratch", "steps": 1, "hidden": 4, "skip": false}');
	UPDATE fc._rnn_registry SET options = options || '{"steps": 10000000, "patience": 1000, "seconds": 6}', query = query || ' WHERE n > 1'};
my %drops = (
	schema => [ 'DROP SCHEMA fc CASCADE', qr/the schema of rnnforecast was dropped meanwhile/ ],
	extension => [ 'DROP EXTENSION rnnforecast', qr/table "_rnn_registry" of rnnforecast does not exist/ ],
	anew => [ 'DROP EXTENSION rnnforecast; CREATE EXTENSION rnnforecast SCHEMA fc', qr/table "_rnn_registry" of rnnforecast does not exist/ ],
	model => [ 'DELETE FROM fc._rnn_registry', qr/model "hours" was dropped while it was trained/ ]);
my %refits;
for my $name (sort keys %drops)
{
	$node->safe_psql('postgres', "CREATE DATABASE d_$name");
	$node->safe_psql("d_$name", "CREATE SCHEMA fc; CREATE EXTENSION rnnforecast SCHEMA fc; $LONG");
	my ($out, $err) = ('', '');
	$refits{$name} = { out => \$out, err => \$err };
	$refits{$name}{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr("d_$name"),
		'-c', q{CALL fc.rnn_refit('hours')}, '-c', q{SELECT 'locks ' || count(*) FROM pg_locks WHERE locktype = 'object' AND pid = pg_backend_pid()} ],
		'<', \undef, '>', \$out, '2>', \$err);
}
for my $name (sort keys %drops)
{
	$node->poll_query_until("d_$name", q{SELECT count(*) = 1 FROM fc.rnn_runs WHERE outcome = 'running'}) or die 'no refit';
}
$node->poll_query_until('postgres', q{SELECT count(*) = 4 FROM pg_stat_activity WHERE query LIKE 'CALL fc.rnn_refit%' AND state = 'active' AND backend_xmin IS NULL});
for my $name (sort keys %drops)
{
	my $sql = $drops{$name}[0];
	$refits{$name}{drop} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr("d_$name"), '-c', $sql ], '<', \undef, '2>', \my $err);
}
for my $name (sort keys %drops)
{
	ok($refits{$name}{drop}->finish, "repair 4: $drops{$name}[0], while a refit trains");
}
for my $name (sort keys %drops)
{
	$refits{$name}{run}->finish;
	like(${ $refits{$name}{err} }, $drops{$name}[1], "repair 4: the refit says so: $name");
	like(${ $refits{$name}{out} }, qr/locks 0/, "repair 4: and holds no lock: $name");
	$node->poll_query_until('postgres', 'SELECT true');
}

# ------------------------------------------------------------- 6: one order of locks

# The refit reads its rows once the gate is open, and stores while another session has marked a version.
$node->safe_psql('shop', q{
	CREATE FUNCTION gate() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_lock(7); RETURN pg_advisory_unlock(7); END $$});
as('alice', q{SELECT rnn_fit('gated', 'SELECT day, amount FROM sales WHERE (SELECT gate())', 7, '{"network": false, "retain": 1}');
	SELECT rnn_register('gated', rnn_model('gated')); INSERT INTO sales SELECT max(day) + 1, 100 FROM sales});
my ($said, $marked) = ('', '');
my $marker = IPC::Run::start([ 'psql', '-XAtq', '-U', 'alice', '-d', $node->connstr('shop') ], '<', \my $typed, '>', \$marked, '2>&1');
$typed = "SELECT pg_advisory_lock(7);\nSELECT 'closed';\n";
$marker->pump until $marked =~ /closed/;
my $refit = IPC::Run::start([ 'psql', '-XAtq', '-U', 'alice', '-d', $node->connstr('shop'), '-c', q{CALL rnn_refit('gated')} ], '<', \undef, '>', \$said, '2>&1');
my $waits = q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'CALL rnn_refit%%gated%%' AND wait_event = '%s'};
$node->poll_query_until('shop', sprintf($waits, 'advisory'));
$typed .= "BEGIN;\nSELECT rnn_keep('gated', 1), rnn_keep('gated', 2);\nSELECT pg_advisory_unlock(7);\nSELECT 'open';\n";
$marker->pump until $marked =~ /open/;
$node->poll_query_until('shop', sprintf($waits, 'transactionid'));
$typed .= "SELECT rnn_promote('gated', 1);\nCOMMIT;\nSELECT rnn_revoke('gated', 'nobody');\n\\q\n";
$marker->finish;
$refit->finish;
unlike($said . $marked, qr/deadlock/, 'repair 6: a refit that stores and a session that keeps and promotes do not wait for each other');
like($said, qr/refused: another version became live meanwhile/, 'repair 6: the refit sees what became of its model');
is(as('alice', q{SELECT version FROM rnn_models WHERE name = 'gated'}), '1', 'repair 6: which stays');
as('alice', q{SELECT rnn_drop('gated')});

# ------------------------------------------------------------------ 7: other names

as('postgres', q{SELECT rnn_grant('sales', 'bob'); CREATE ROLE carol LOGIN});
as('postgres', q{ALTER ROLE alice RENAME TO alicia; ALTER ROLE bob RENAME TO robert; CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN});
is(as('alicia', q{SELECT name, owner, query IS NOT NULL FROM rnn_models}), 'sales|alicia|t', 'repair 7: a renamed owner has the model, under the new name');
is(as('robert', q{SELECT owner, count(*) FROM rnn_models, rnn_forecast_model(name) GROUP BY owner}), 'alicia|7', 'repair 7: a renamed grantee has the grant');
is(as($_, q{SELECT count(*) FROM rnn_models}), '0', "repair 7: not the new $_") for qw(alice bob);
like(as('bob', q{SELECT rnn_forecast_model('sales')}), qr/does not exist/, 'repair 7: who does not forecast');
like(as('carol', q{SELECT rnn_fit('sales', 'SELECT 1.0')}), qr/already exists/, 'repair 7: the name is taken');
as('alicia', q{INSERT INTO sales SELECT max(day) + 1, 100 FROM sales});
is(as('postgres', q{CALL rnn_refit('sales')}), 'promoted', 'repair 7: the query runs as the renamed owner');
is(as('postgres', q{SELECT owner, grantee FROM _rnn_registry AS r JOIN _rnn_registry_grant AS g ON g.model = r.id}), 'alicia|robert',
	'repair 7: and what a dump takes along has the new names');
as('alicia', q{SELECT rnn_grant('sales', 'bob')});
is(as('bob', q{SELECT count(*) FROM rnn_models}), '1', 'repair 7: the new role is granted it by itself');
is(as('alicia', q{SELECT rnn_revoke('sales', 'robert')}), '', 'repair 7: the old one loses it by its new name');
is(as('robert', q{SELECT count(*) FROM rnn_models}), '0', 'repair 7: and has it no more');
is(as('bob', q{SELECT count(*) FROM rnn_models}), '1', 'repair 7: the other keeps it');
as('postgres', q{DROP OWNED BY bob; DROP ROLE bob});
is(as('alicia', q{SELECT rnn_revoke('sales', 'bob')}), '', 'repair 7: that of a dropped role goes by its name');
as('postgres', q{UPDATE _rnn_registry SET owner_key = '1:10' WHERE name = 'sales'});
is(as('alicia', q{SELECT count(*) FROM rnn_models}), '1', 'repair 7: the key of another server says nothing, the name does');
is(as('alicia', q{SELECT rnn_keep('sales', 1); SELECT owner_key ~ ('^' || system_identifier || ':') FROM _rnn_registry, pg_control_system() WHERE name = 'sales'}) =~ /denied/ ? 't' : 'f', 't',
	'repair 7: tables stay closed to owners');
is(as('postgres', q{SELECT owner_key = system_identifier || ':' || 'alicia'::regrole::oid FROM _rnn_registry, pg_control_system() WHERE name = 'sales'}), 't',
	'repair 7: a key of this server takes its place');

# ----------------------------------------------------- 10: another query for a name

as('postgres', q{
	CREATE SCHEMA a; CREATE SCHEMA b;
	CREATE TABLE a.t AS SELECT date '2024-01-01' + n AS day, 100 + 20 * sin(n * 2 * pi() / 7) + n % 5 AS amount FROM generate_series(1, 200) AS n;
	CREATE TABLE b.u AS TABLE a.t; INSERT INTO b.u SELECT max(day) + 1, 100 FROM b.u;
	GRANT USAGE ON SCHEMA a, b TO PUBLIC; GRANT SELECT ON a.t, b.u TO PUBLIC});
my $reg = q{SELECT rnn_register('reg', rnn_train(day, amount, '{"network": false, "horizon": %d}'), 'SELECT day, amount FROM %s') FROM %2$s;};
is(as('alicia', 'SET search_path = a, public;' . sprintf($reg, 14, 't') . ' SET search_path = b, public;' . sprintf($reg, 7, 'u') .
	q{RESET search_path; SELECT options->>'horizon' FROM rnn_models WHERE name = 'reg'}), "1\n2\n7", 'repair 10: a name gets another model and query');
is(as('alicia', q{CALL rnn_refit('reg'); SELECT count(*) FROM rnn_forecast_model('reg', options => '{"fresh": true}')}), "promoted\n7",
	'repair 10: the query goes by the settings, the refit by the horizon of the day');
is(as('alicia', q{SELECT rnn_register('reg', rnn_train(day, amount, '{"network": false, "horizon": 3}')) FROM b.u;
	SELECT options->>'horizon', query FROM rnn_models WHERE name = 'reg'}), "4\n3|SELECT day, amount FROM u", 'repair 10: without a query the horizon is that of the model');
is(as('alicia', q{SELECT rnn_register('binned', rnn_train(at, x, '{"network": false, "horizon": 3, "bin": "sum", "step": "1 hour"}'),
		'SELECT timestamp ''2024-01-01'' + n * interval ''7 minutes'', n % 11 FROM generate_series(1, 4100) AS n')
	FROM (SELECT timestamp '2024-01-01' + n * interval '7 minutes', n % 11 FROM generate_series(1, 4000) AS n) AS t (at, x);
	CALL rnn_refit('binned'); SELECT options->>'bin' FROM rnn_models WHERE name = 'binned'}), "1\npromoted\nsum",
	'repair 10: the rows of the query go into the bins of the model');
as('alicia', q{SELECT rnn_drop('binned')});

# ------------------------------------------------------ 14: a refit without a live version

as('alicia', q{SELECT rnn_fit('members', 'SELECT day, amount FROM sales', 7, '{"start": "scratch", "steps": 10, "hidden": 4, "members": 2, "skip": false}')});
as('postgres', q{UPDATE _rnn_registry SET live = NULL WHERE name = 'members'});
as('alicia', q{INSERT INTO sales SELECT max(day) + 1, 100 FROM sales});
is(as('alicia', q{SET rnnforecast.max_workers = 2; CALL rnn_refit('members')}), 'promoted', 'repair 14: without a live version the new one is');
is(as('alicia', q{SELECT version FROM rnn_models WHERE name = 'members'}), '2', 'repair 14: and forecasts');

# ------------------------------------------------------------------- 23: points

is(as('alicia', q{SELECT rnn_register('copy', rnn_model('sales'));
	SELECT count(DISTINCT points), bool_and(points = (rnn_info(rnn_model(name))->>'points')::int) FROM rnn_models WHERE name IN ('sales', 'copy')}), "1\n1|t",
	'repair 23: a registered model has the points of the fitted one, those that rnn_info shows');

# ------------------------------------------------------------------ 15: memory

SKIP:
{
	skip 'needs /proc', 4 unless -r '/proc/self/status';
	my $status = q{SELECT 'peak ' || substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\s*(\d+)');};
	as('postgres', q{
		INSERT INTO _rnn_registry (name, owner, owner_key, query, options, rules, settings, live, last_version)
		SELECT 'copy ' || n, owner, owner_key, CASE WHEN n <= 50 THEN query END, options, rules, settings, 1, 1 FROM _rnn_registry, generate_series(1, 400) AS n WHERE name = 'sales';
		INSERT INTO _rnn_registry_version (model, version, bytes, source, points, fingerprint)
		SELECT c.id, 1, v.bytes, v.source, v.points, v.fingerprint
		FROM _rnn_registry AS r JOIN _rnn_registry_version AS v ON v.model = r.id AND v.version = r.live, _rnn_registry AS c WHERE r.name = 'sales' AND c.name ~ '^copy '});
	my $out = as('postgres', qq{CALL rnn_refit_all(); $status
		UPDATE _rnn_registry SET query = (SELECT query FROM _rnn_registry WHERE name = 'sales') WHERE name ~ '^copy '; CALL rnn_refit_all(); $status});
	my @peaks = $out =~ /^peak (\d+)$/mg;
	is(as('postgres', q{SELECT count(DISTINCT name) >= 400 FROM rnn_runs WHERE outcome IN ('skipped', 'promoted', 'refused')}), 't', 'repair 15: 400 models are refitted');
	cmp_ok($peaks[1] - $peaks[0], '<', 6000, 'repair 15: 350 more models in rnn_refit_all take no memory: ' . ($peaks[1] - $peaks[0]) . ' kB');

	as('alicia', q{SELECT rnn_fit('panel', 'SELECT s::text AS series, date ''2024-01-01'' + n AS ts, sin(n * s) AS value FROM generate_series(1, 300) AS s, generate_series(1, 200) AS n', 3, '{"network": false}')});
	as('postgres', q{
		INSERT INTO _rnn_registry_version (model, version, bytes, source, points)
		SELECT model, n, bytes, source, v.points FROM _rnn_registry_version AS v JOIN _rnn_registry AS r ON r.id = model AND r.name = 'panel', generate_series(2, 60) AS n});
	$out = as('postgres', qq{BEGIN; DELETE FROM _rnn_registry_version AS v USING _rnn_registry AS r WHERE r.id = v.model AND r.name = 'panel' AND version > 5;
		SELECT 'had ' || rnn_forget_model('panel', '{7}'); $status ROLLBACK; SELECT 'had ' || rnn_forget_model('panel', '{7}'); $status});
	@peaks = $out =~ /^peak (\d+)$/mg;
	like($out, qr/had 5\n.*had 60/s, 'repair 15: a series is forgotten in all versions');
	cmp_ok($peaks[1] - $peaks[0], '<', 6000, 'repair 15: 55 more of them take no memory: ' . ($peaks[1] - $peaks[0]) . ' kB');
}

$node->stop;
done_testing();
