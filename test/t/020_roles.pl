# Who may do what with named models, and what a hostile role can't.  The
# extension belongs to "keeper", the database's owner, who is no superuser.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('roles');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'");
$node->start;
$node->safe_psql('postgres', q{
	CREATE ROLE keeper LOGIN; CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN; CREATE ROLE mallory LOGIN;
	CREATE DATABASE shop OWNER keeper;
});

# Output, or the error, of SQL as a role.
sub as
{
	my ($role, $sql, %options) = @_;
	my ($out, $err) = ('', '');
	my $rc = $node->psql('shop', $sql, stdout => \$out, stderr => \$err,
		extra_params => [ '-U', $role ], on_error_stop => 0, %options);
	return $err =~ /ERROR/ ? $err : $out;
}

sub notices
{
	my ($role, $sql) = @_;
	my ($out, $err) = ('', '');
	$node->psql('shop', $sql, stdout => \$out, stderr => \$err, extra_params => [ '-U', $role ], on_error_stop => 0);
	return $err;
}

sub ok_sql
{
	my ($role, $sql, $expected, $name) = @_;
	is(as($role, $sql), $expected, $name);
}

sub refused
{
	my ($role, $sql, $pattern, $name) = @_;
	like(as($role, $sql), $pattern, $name);
}

my $MIX = q{'{"network": false}'};

# ------------------------- what a role has put into the schema before, the script doesn't call

# Overloads of all that the script calls, by types that are not those of
# pg_catalog; the server would take them for literals and types that are near.
my $TRAPS = q{
	CREATE SCHEMA trap; GRANT ALL ON SCHEMA trap TO PUBLIC;
	CREATE TABLE trap.caught (who name, called text); GRANT ALL ON trap.caught TO PUBLIC;
	DO $do$
	DECLARE
		types CONSTANT regtype[] = '{oid,regclass,int4,int8,text,name,jsonb,timestamptz,bytea,float8}';
		f record;
	BEGIN
		FOR f IN SELECT DISTINCT p.proname, t.type, n, p.prorettype::regtype AS result FROM pg_proc AS p, unnest(types) AS t (type), generate_series(1, 4) AS n
			WHERE p.pronamespace = 'pg_catalog'::regnamespace AND NOT p.proretset AND p.prokind = 'f' AND p.prorettype = ANY(types)
			AND p.proname = ANY('{nextval,clock_timestamp,pg_backend_pid,octet_length,concat_ws,jsonb_typeof,pg_is_in_recovery,current_database,pg_get_userbyid}')
			AND NOT EXISTS (SELECT FROM pg_proc AS q WHERE q.proname = p.proname AND q.proargtypes::oid[] = array_fill(t.type::oid, ARRAY[n]))
		LOOP
			EXECUTE format($$CREATE OR REPLACE FUNCTION trap.%I(%s) RETURNS %s LANGUAGE plpgsql AS
				$b$BEGIN INSERT INTO trap.caught VALUES (current_user, %L); RETURN NULL; END$b$ $$,
				f.proname, (SELECT string_agg(f.type::text, ', ') FROM generate_series(1, f.n)), f.result, f.proname);
		END LOOP;
		FOR f IN SELECT o.oprname, l.type AS l, r.type AS r, min(o.oprresult::regtype::text) AS result
			FROM (VALUES ('='), ('<>'), ('<='), ('-'), ('->'), ('->>'), ('#>>'), ('||')) AS n (name) JOIN pg_operator AS o ON o.oprname = n.name,
			unnest(types) AS l (type), unnest(types) AS r (type)
			WHERE NOT EXISTS (SELECT FROM pg_operator AS q WHERE q.oprname = o.oprname AND q.oprleft = l.type AND q.oprright = r.type)
			AND o.oprresult = ANY(types || 'bool'::regtype) GROUP BY 1, 2, 3
		LOOP
			EXECUTE format($$CREATE OR REPLACE FUNCTION trap.f(%s, %s) RETURNS %s LANGUAGE plpgsql AS
				$b$BEGIN INSERT INTO trap.caught VALUES (current_user, %L); RETURN NULL; END$b$ $$, f.l, f.r, f.result, f.oprname);
			EXECUTE format('CREATE OPERATOR trap.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = trap.f)', f.oprname, f.l, f.r);
			EXECUTE format('ALTER FUNCTION trap.f(%s, %s) RENAME TO %I', f.l, f.r, 'f ' || f.oprname);
		END LOOP;
	END $do$};

sub in_trap
{
	my ($role, $sql) = @_;
	my ($out, $err) = ('', '');
	$node->psql('trap', $sql, stdout => \$out, stderr => \$err, extra_params => [ '-U', $role ]);
	return $err =~ /ERROR/ ? $err : $out;
}

$node->safe_psql('postgres', 'CREATE DATABASE trap OWNER keeper');
is(in_trap('keeper', $TRAPS), '', 'a schema full of traps');
cmp_ok(in_trap('keeper', q{SELECT count(*) FROM pg_operator WHERE oprnamespace = 'trap'::regnamespace}), '>', 500, 'has them');
is(in_trap('keeper', 'CREATE EXTENSION rnnforecast SCHEMA trap'), '', 'the script runs there');
is(in_trap('keeper', qq{SELECT trap.rnn_fit('m', 'SELECT date ''2024-01-01'' + n AS ts, n AS value FROM pg_catalog.generate_series(1, 50) AS n', 7, $MIX)}),
	'1', 'a model is fitted there');
is(in_trap('postgres', 'SELECT kind FROM trap.rnn_models; SELECT outcome FROM trap.rnn_runs; SELECT count(*) FROM trap.rnn_versions'),
	"mix\npromoted\n1", 'views are read by a superuser');
is(in_trap('postgres', 'SELECT DISTINCT * FROM trap.caught'), '', 'nothing was called');
is(in_trap('postgres', q{SELECT DISTINCT pg_describe_object(d.refclassid, d.refobjid, 0) FROM pg_depend AS d
	WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass) AND d.refobjid >= 16384 AND d.classid IN ('pg_rewrite'::regclass, 'pg_attrdef'::regclass, 'pg_constraint'::regclass)
	AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e')}), '',
	'and nothing will be');

# --------------------------------------------------- an extension without superuser

ok_sql('keeper', 'CREATE EXTENSION rnnforecast', '', 'CREATE EXTENSION without superuser');
as('keeper', 'REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO PUBLIC');
as('postgres', "CREATE SCHEMA $_ AUTHORIZATION $_") for qw(alice bob mallory);
ok_sql('postgres', q{SELECT string_agg(DISTINCT tableowner, ',') FROM pg_tables WHERE tablename LIKE '\_rnn\_%'},
	'postgres', 'the tables belong to the bootstrap superuser');
ok_sql('postgres', q{SELECT count(*) FROM pg_class AS c JOIN pg_depend AS d ON d.objid = c.oid AND deptype = 'e'
	JOIN pg_extension AS e ON e.oid = d.refobjid AND extname = 'rnnforecast' WHERE relkind = 'r' AND NOT relhasindex}, '0',
	'all have keys');
ok_sql('postgres', q{SELECT count(*) FROM pg_proc WHERE prosecdef AND proname ~ '^_?rnn_'}, '0', 'nothing is SECURITY DEFINER');

as('alice', q{
	CREATE TABLE alice.sales AS
	SELECT day::date, 100 + 20 * sin(n * 2 * pi() / 7) + n % 5 AS amount
	FROM generate_series(date '2024-01-01', date '2024-06-30', '1 day') WITH ORDINALITY AS t (day, n)});
ok_sql('alice', "SELECT rnn_fit('sales', 'SELECT day, amount FROM sales', 7, $MIX)", '1', 'a role fits a model on its own table');
ok_sql('alice', q{SELECT name, owner, version FROM rnn_models}, 'sales|alice|1', 'and sees it');
ok_sql('alice', q{SELECT count(*) FROM rnn_forecast_model('sales')}, '7', 'and forecasts');
like(as('alice', q{SELECT rnn_fit('sales', 'SELECT day, amount FROM sales')}), qr/model "sales" already exists/, 'a name is taken once');

# ----------------------------------------------- 1: others see nothing, and change nothing

ok_sql('mallory', "SELECT (SELECT count(*) FROM rnn_models), (SELECT count(*) FROM rnn_versions), (SELECT count(*) FROM rnn_runs)",
	'0|0|0', 'another role sees no model, version or run');
my @all = (
	q{SELECT rnn_model('sales')}, q{SELECT rnn_model('sales', 1)}, q{SELECT rnn_forecast_model('sales')},
	q{SELECT rnn_forecast_model('sales', options => '{"fresh": true}')}, q{CALL rnn_refit('sales')},
	q{SELECT rnn_backtest_model('sales')}, q{SELECT rnn_backtest_model('sales', options => '{"live": true}')},
	q{SELECT rnn_promote('sales', 1)}, q{SELECT rnn_rollback('sales')}, q{SELECT rnn_keep('sales', 1)},
	q{SELECT rnn_drop('sales')}, q{SELECT rnn_forget_model('sales', '{a}')}, q{SELECT rnn_grant('sales', 'mallory')},
	q{SELECT rnn_revoke('sales', 'alice')});
refused('mallory', $_, qr/model "sales" does not exist/, "refused: $_") for @all;
refused('mallory', $_, qr/model "sales" already exists/, "refused: $_")
  for q{SELECT rnn_register('sales', rnn_prior())}, q{SELECT rnn_fit('sales', 'SELECT 1.0')};

# 2: the tables themselves
for my $table (qw(_rnn_registry _rnn_registry_version _rnn_registry_run _rnn_registry_grant))
{
	refused('mallory', $_, qr/permission denied/, "no rights: $_")
	  for "SELECT * FROM $table", "DELETE FROM $table", "INSERT INTO $table DEFAULT VALUES", "TRUNCATE $table",
		"BEGIN; LOCK TABLE $table IN ACCESS SHARE MODE", "CREATE TRIGGER t AFTER INSERT ON $table EXECUTE FUNCTION suppress_redundant_updates_trigger()";
}

# 3: the extension's owner reads them and adds rows, and no more
my @tables = qw(_rnn_registry _rnn_registry_version _rnn_registry_run _rnn_registry_grant);
for my $table (@tables)
{
	like(as('keeper', "SELECT count(*) FROM $table"), qr/^\d+$/, "the extension's owner reads $table");
	refused('keeper', $_, qr/permission denied|must be owner|cannot drop table/, "but not: $_")
	  for "DELETE FROM $table", "TRUNCATE $table",
		"ALTER TABLE $table ADD COLUMN more int", "CREATE TRIGGER t AFTER INSERT ON $table EXECUTE FUNCTION suppress_redundant_updates_trigger()",
		"CREATE RULE r AS ON INSERT TO $table DO INSTEAD NOTHING", "CREATE POLICY p ON $table", "CREATE INDEX ON $table ((mallory.leak('x')))",
		"ALTER TABLE $table OWNER TO keeper", "ALTER EXTENSION rnnforecast DROP TABLE $table", "ALTER TABLE $table RENAME TO other", "DROP TABLE $table";
}
refused('keeper', $_, qr/permission denied|must be owner/, "nor: $_")
  for 'UPDATE _rnn_registry SET query = NULL', q{UPDATE _rnn_registry_version SET bytes = ''}, 'UPDATE _rnn_registry_run SET pid = 1';
as('keeper', "GRANT SELECT ON $_ TO mallory") for @tables;
ok_sql('mallory', q{SELECT has_table_privilege('_rnn_registry', 'SELECT')}, 'f', 'nothing was granted');

# 4: a leaky condition is not asked before the view's own
as('mallory', q{CREATE FUNCTION mallory.leak(text) RETURNS bool LANGUAGE plpgsql COST 0.0000001 AS $$
	BEGIN RAISE NOTICE 'leaked %', $1; RETURN true; END $$});
unlike(notices('mallory', "SELECT * FROM $_ WHERE mallory.leak(name)"), qr/leaked/, "no leak from $_") for qw(rnn_models rnn_versions rnn_runs);

# ------------------------------------------------------------------ grants

ok_sql('alice', q{SELECT rnn_grant('sales', 'bob')}, '', 'the owner grants');
ok_sql('bob', q{SELECT count(*) FROM rnn_forecast_model('sales', 3)}, '3', 'the grantee forecasts');
ok_sql('bob', q{SELECT rnn_info(rnn_model('sales'))->>'horizon'}, '7', 'and reads the model');
ok_sql('bob', q{SELECT name, query IS NULL FROM rnn_models}, 'sales|t', 'and sees it, but not its query');
ok_sql('bob', q{SELECT count(*) FROM rnn_runs}, '0', 'nor its runs');
refused('bob', $_, qr/must be owner of model "sales"/, "but not: $_")
  for grep { !/rnn_model|forecast_model\('sales'\)/ } @all;
ok_sql('mallory', q{SELECT count(*) FROM rnn_models}, '0', 'nobody else sees it');
as('alice', q{SELECT rnn_revoke('sales', 'bob')});
refused('bob', q{SELECT rnn_forecast_model('sales')}, qr/does not exist/, 'a grant is taken back');
as('alice', q{SELECT rnn_grant('sales', 'public')});
ok_sql('mallory', q{SELECT count(*) FROM rnn_forecast_model('sales', 3)}, '3', 'public is everybody');
as('alice', q{SELECT rnn_revoke('sales', 'public')});
refused('alice', q{SELECT rnn_grant('sales', 'nobody_there')}, qr/role "nobody_there" does not exist/, 'only to roles');
as('postgres', 'CREATE ROLE team; GRANT team TO bob');
as('alice', q{SELECT rnn_grant('sales', 'team')});
ok_sql('bob', q{SELECT count(*) FROM rnn_forecast_model('sales', 3)}, '3', 'members of a granted role have it');

# ------------------------------------------------------- 5, 6: the caller's search_path

as('mallory', q{
	CREATE TABLE mallory._rnn_registry (LIKE public._rnn_registry);
	CREATE TABLE mallory.sales AS SELECT current_date AS day, 0::float8 AS amount;
	GRANT USAGE ON SCHEMA mallory TO PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA mallory TO PUBLIC;
	CREATE FUNCTION mallory.owned() RETURNS bool LANGUAGE plpgsql AS $$
	BEGIN RAISE EXCEPTION 'owned by %', current_user; END $$;
	CREATE FUNCTION mallory.eq(text, text) RETURNS bool LANGUAGE sql AS 'SELECT mallory.owned()';
	CREATE FUNCTION mallory.eq(int, int) RETURNS bool LANGUAGE sql AS 'SELECT mallory.owned()';
	CREATE FUNCTION mallory.eq(name, name) RETURNS bool LANGUAGE sql AS 'SELECT mallory.owned()';
	CREATE FUNCTION mallory.rnn_history(date, float8) RETURNS bytea LANGUAGE sql AS 'SELECT mallory.owned()::text::bytea';
	CREATE FUNCTION mallory.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT mallory.owned()::text::timestamptz';
	CREATE OPERATOR mallory.= (LEFTARG = text, RIGHTARG = text, FUNCTION = mallory.eq);
	CREATE OPERATOR mallory.= (LEFTARG = int, RIGHTARG = int, FUNCTION = mallory.eq);
	CREATE OPERATOR mallory.= (LEFTARG = name, RIGHTARG = name, FUNCTION = mallory.eq)});
as('alice', q{INSERT INTO sales SELECT '2024-07-01', 110});
ok_sql('alice', q{SET search_path = mallory, pg_catalog, public; CALL public.rnn_refit('sales')}, 'promoted',
	'shadowed tables, functions and operators are not used by a refit');
ok_sql('alice', q{SET search_path = mallory, pg_catalog; SELECT count(*) FROM public.rnn_forecast_model('sales', options => '{"fresh": true}')}, '7',
	'nor by a fresh forecast');
ok_sql('alice', q{SET search_path = mallory, pg_catalog; SELECT count(name) FROM public.rnn_models}, '1', 'nor by the views');
ok_sql('alice', q{SET search_path = mallory, pg_catalog; SELECT public.rnn_rollback('sales'); SELECT public.rnn_promote('sales', 2);
	SELECT public.rnn_keep('sales', 2); SELECT public.rnn_grant('sales', 'bob'); SELECT public.rnn_revoke('sales', 'bob')}, "1\n\n\n\n",
	'nor by the rest');

# 7: temporary tables of the session
ok_sql('alice', q{CREATE TEMP TABLE sales AS SELECT current_date AS day, 0::float8 AS amount; CALL public.rnn_refit('sales')}, 'skipped',
	'a temporary table stands behind the query\'s own');

# ------------------------------------------------------------ 8: text of the query

refused('mallory', "SELECT rnn_fit('x', \$\$$_\$\$)", qr/ERROR/, "no query: $_")
  for 'SELECT 1) AS q; DROP TABLE alice.sales; SELECT (2', 'SELECT 1; SELECT 2', 'DELETE FROM mallory.sales', 'TABLE alice.sales',
	'WITH d AS (DELETE FROM mallory.sales RETURNING day, amount) TABLE d', 'COPY mallory.sales TO STDOUT', 'CALL rnn_refit_all()',
	'SELECT day, amount FROM mallory.sales FOR UPDATE', q{SELECT nextval('mallory.s'), 1}, '';
ok_sql('postgres', 'SELECT count(*) FROM alice.sales', '183', 'nothing was dropped or deleted');

# ----------------------------------------- 9, 10: a superuser refits a hostile query

as('mallory', q{
	CREATE TABLE mallory.data AS SELECT day::date, 1 + n % 3 AS amount
	FROM generate_series(date '2024-01-01', date '2024-03-31', '1 day') WITH ORDINALITY AS t (day, n);
	CREATE TABLE mallory.loot (what text);
	CREATE FUNCTION mallory.trap() RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RETURN 0; END $$;
	CREATE VIEW mallory.bait AS SELECT day, amount + mallory.trap() AS amount FROM mallory.data;
	SELECT rnn_fit('bait', 'SELECT day, amount FROM mallory.bait', 7, '{"network": false}')});
my $day = 0;
for my $attack (
	[ q{ALTER ROLE mallory SUPERUSER}, qr/read-only|must be superuser|permission denied/ ],
	[ q{INSERT INTO mallory.loot SELECT rolpassword FROM pg_authid}, qr/permission denied|read-only/ ],
	[ q{SET transaction_read_only = off; INSERT INTO mallory.loot VALUES ('x')}, qr/read-write mode|read-only/ ],
	[ q{SET ROLE postgres}, qr/security-restricted operation/ ],
	[ q{RESET ROLE}, qr/security-restricted operation/ ],
	[ q{SET SESSION AUTHORIZATION postgres}, qr/security-restricted operation/ ],
	[ q{PERFORM pg_read_file('postgresql.conf')}, qr/permission denied/ ],
	[ q{COPY mallory.loot FROM PROGRAM 'id'}, qr/pg_execute_server_program|read-only/ ],
	[ q{CREATE TEMP TABLE t (i int)}, qr/security-restricted operation|read-only/ ],
	[ q{EXECUTE 'LISTEN mallory'}, qr/security-restricted operation/ ],
	[ q{PERFORM set_config('rnnforecast.max_memory', '1TB', false)}, qr/permission denied to set parameter/ ],
	[ q{PERFORM * FROM alice.sales}, qr/permission denied/ ],
	[ q{PERFORM rnn_drop('sales')}, qr/does not exist|read-only/ ],
	[ q{CALL rnn_refit_all()}, qr/cannot run inside a transaction block or a function/ ])
{
	my ($sql, $pattern) = @$attack;
	as('mallory', "CREATE OR REPLACE FUNCTION mallory.trap() RETURNS float8 LANGUAGE plpgsql AS \$\$ BEGIN $sql; RETURN 0; END \$\$");
	as('mallory', "INSERT INTO mallory.data VALUES (date '2024-04-01' + $day, 1)");
	$day++;
	refused('postgres', q{CALL rnn_refit('bait')}, $pattern, "a superuser's refit of: $sql");
}
as('mallory', q{CREATE OR REPLACE FUNCTION mallory.trap() RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN
	PERFORM set_config('search_path', 'mallory', false), set_config('session_replication_role', 'replica', false);
	RETURN 0; EXCEPTION WHEN others THEN PERFORM set_config('search_path', 'mallory', false); RETURN 0; END $$});
ok_sql('postgres', q{CALL rnn_refit('bait'); SHOW search_path; SHOW session_replication_role}, qq{promoted\n"\$user", public\norigin},
	'settings that a query makes end with it');
as('mallory', q{CREATE OR REPLACE FUNCTION mallory.trap() RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN
	RETURN CASE WHEN current_user = 'mallory' AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN 0 ELSE NULL END; END $$;
	INSERT INTO mallory.data VALUES ('2024-05-01', 1)});
ok_sql('postgres', q{CALL rnn_refit('bait'); SELECT count(*) FROM mallory.loot; SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'},
	"promoted\n0\nf", 'nothing was looted');
ok_sql('postgres', q{SELECT points FROM rnn_runs WHERE name = 'bait' ORDER BY id DESC LIMIT 1}, '106', 'the query ran as its owner');

# 11: a superuser's own query, where the extension belongs to another
refused('postgres', q{SELECT rnn_fit('root', 'SELECT day, amount FROM mallory.bait', 7)}, qr/belongs to a superuser is not run/,
	'a superuser\'s query is not run where the extension\'s owner could have written it');
as('keeper', q{INSERT INTO _rnn_registry (name, owner, owner_key, query, options, rules, settings)
	SELECT 'forged', 'postgres', split_part(owner_key, ':', 1) || ':10', 'SELECT day, amount FROM mallory.bait', options, rules, settings
	FROM _rnn_registry WHERE name = 'sales'});
refused('postgres', q{CALL rnn_refit('forged')}, qr/belongs to a superuser is not run/, 'not even one that he has written');
refused('keeper', q{CALL rnn_refit('forged')}, qr/must be owner/, 'nor for himself');
refused('keeper', q{CALL rnn_refit('sales')}, qr/must be owner/, 'nor does he train for others');
refused('keeper', q{SELECT rnn_register('sales', rnn_model('sales'), 'SELECT 1.0')}, qr/must be owner/, 'nor does he change their queries');
refused('keeper', qq{SELECT rnn_alter('sales', $_)}, qr/must be owner/, "nor by rnn_alter: $_") for q{query => 'SELECT 1.0'}, q{horizon => 3}, q{options => '{"gate": 1}'};
refused('keeper', q{SELECT rnn_fit('sales', 'SELECT 1.0', replace => true)}, qr/must be owner/, 'nor by rnn_fit');
refused('keeper', q{SELECT rnn_alter('sales', owner => 'postgres')}, qr/must be (member of role|able to SET ROLE) "postgres"/, 'he gives no model to a superuser');
ok_sql('keeper', q{SELECT rnn_drop('forged'); SELECT count(*) FROM rnn_models}, "\n2", 'he manages all models');

as('postgres', 'CREATE ROLE helper IN ROLE pg_execute_server_program');
as('keeper', q{INSERT INTO _rnn_registry (name, owner, owner_key, query, options, rules, settings)
	SELECT 'aided', 'helper', split_part(owner_key, ':', 1) || ':' || 'helper'::regrole::oid, 'SELECT day, amount FROM mallory.bait', options, rules, settings
	FROM _rnn_registry WHERE name = 'sales'});
refused('postgres', q{CALL rnn_refit('aided')}, qr/belongs to a role that reaches/, 'nor one of a role that runs programs of the server');
ok_sql('keeper', q{SELECT rnn_drop('aided')}, '', 'which he removes');

# 12: triggers on the tables, which their owner alone adds
as('postgres', q{
	CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		RAISE WARNING 'spy is %', current_user; RETURN NEW; END $$;
	CREATE TRIGGER spy BEFORE INSERT ON _rnn_registry_run FOR EACH ROW EXECUTE FUNCTION spy()});
as('mallory', q{INSERT INTO mallory.data VALUES ('2024-05-03', 1)});
like(notices('mallory', q{CALL rnn_refit('bait')}), qr/spy is postgres/, 'a trigger on the tables runs as their owner, not as the caller');
as('postgres', 'DROP FUNCTION spy() CASCADE');

# ------------------------------------------------------------ 13: dropped roles

as('postgres', q{DROP OWNED BY bob; DROP ROLE bob; CREATE ROLE bob LOGIN});
ok_sql('bob', q{SELECT count(*) FROM rnn_models}, '0', 'a role of the name of a dropped grantee has nothing');
as('postgres', q{CREATE ROLE carol LOGIN; GRANT SELECT ON mallory.data TO carol; GRANT USAGE ON SCHEMA mallory TO carol});
as('carol', "SELECT rnn_fit('carols', 'SELECT day, amount FROM mallory.data', 7, $MIX)");
as('postgres', 'DROP OWNED BY carol; DROP ROLE carol');
ok_sql('alice', q{SELECT count(*) FROM rnn_models}, '1', 'a dropped owner breaks no view');
ok_sql('alice', q{CALL rnn_refit_all()}, '', 'nor a refit of all');
ok_sql('alice', q{SELECT count(*) FROM rnn_forecast_model('sales')}, '7', 'nor a forecast');
refused('postgres', q{CALL rnn_refit('carols')}, qr/the owner "carol" of model "carols" does not exist/, 'a refit says that the owner is gone');
as('postgres', 'CREATE ROLE carol LOGIN');
ok_sql('carol', q{SELECT count(*) FROM rnn_models}, '0', 'a role of the name of a dropped owner has nothing');
refused('carol', q{SELECT rnn_drop('carols')}, qr/does not exist/, 'and can do nothing');
ok_sql('keeper', q{SELECT rnn_drop('carols')}, '', 'the extension\'s owner cleans up');

# ------------------------------------------------------- 14: locks that anybody can take

my $locker = IPC::Run::start([ 'psql', '-XAtq', '-U', 'mallory', '-d', $node->connstr('shop'), '-c',
	'SELECT count(pg_advisory_lock(n)) FROM generate_series(1, 1000) AS n', '-c', 'SELECT pg_sleep(60)' ], '<', \undef, '>', \my $locked);
$node->poll_query_until('shop', q{SELECT count(*) > 999 FROM pg_locks WHERE locktype = 'advisory'});
as('alice', q{INSERT INTO alice.sales VALUES ('2024-07-02', 111)});
ok_sql('alice', q{CALL rnn_refit('sales')}, 'promoted', 'advisory locks of others don\'t hold up a refit');
$node->safe_psql('shop', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mallory'});
$locker->finish;

# -------------------------------------------------------------- 15: forged bytes

refused('mallory', q{SELECT rnn_register('bad', '\x00')}, qr/model bytes are damaged/, 'bytes that are no model');
refused('mallory', q{SELECT rnn_register('bad', set_byte(rnn_model('bait'), 40, 255))}, qr/model bytes are damaged/, 'changed bytes');
refused('mallory', q{SELECT rnn_register('bad', (SELECT public.rnn_history(day, amount) FROM mallory.data))}, qr/a history, not a model/, 'a history');
as('postgres', q{UPDATE _rnn_registry_version SET bytes = 'no model' WHERE model = (SELECT id FROM _rnn_registry WHERE name = 'bait')});
refused('mallory', q{SELECT * FROM rnn_forecast_model('bait')}, qr/model bytes are damaged/, 'forged bytes in the tables');
as('mallory', q{INSERT INTO mallory.data VALUES ('2024-05-02', 1)});
refused('mallory', q{CALL rnn_refit('bait')}, qr/model bytes are damaged/, 'are refused by a refit too');

# ------------------------------------------- 16: training is taken away, forecasting stays

# Functions of a trusted extension belong to the bootstrap superuser.
as('postgres', q{
	DO $$ DECLARE f regprocedure; BEGIN
		FOR f IN SELECT p.oid FROM pg_proc AS p JOIN pg_depend AS d ON d.objid = p.oid AND d.deptype = 'e'
				 WHERE proname IN ('rnn_train', 'rnn_train_history', 'rnn_fit', 'rnn_refit', 'rnn_refit_all')
		LOOP EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', f); END LOOP;
	END $$});
refused('mallory', $_, qr/permission denied for/, "no training: $_")
  for q{SELECT rnn_fit('y', 'SELECT day, amount FROM mallory.data')}, q{CALL rnn_refit('bait')}, q{CALL rnn_refit_all()},
	q{SELECT rnn_train(day, amount) FROM mallory.data}, q{SELECT rnn_backtest('SELECT day, amount FROM mallory.data', 3)};
refused('alice', q{SELECT rnn_backtest_model('sales')}, qr/permission denied for function rnn_train_history/, 'no backtest that trains');
ok_sql('alice', q{SELECT count(*) FROM rnn_backtest_model('sales', 7, 1, '{"live": true}')}, '7', 'but one by the live version');
ok_sql('alice', q{SELECT count(*) FROM rnn_forecast_model('sales', options => '{"fresh": true}')}, '7',
	'forecasts, fresh ones too, need no right to train');

# ------------------------------------------------------------------- 17: settings

refused('mallory', "SELECT rnn_version(); SET $_ = 100000", qr/permission denied to set parameter/, "$_ is set by superusers")
  for qw(rnnforecast.max_memory rnnforecast.max_seconds);

$node->stop;
done_testing();
