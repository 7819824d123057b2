# Queries that are run for their caller, and forecasts of what may not be
# there: whose functions are called, with which rights, rows and workers, until
# when, and what is said where there are no rows.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('queries');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'\nrestart_after_crash = on\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE ROLE keeper LOGIN; CREATE ROLE alice LOGIN; CREATE ROLE mallory LOGIN;
	CREATE DATABASE shop OWNER keeper;
});

# Output and messages of SQL as a role; a crash is an error too, and the server is waited for.
sub as
{
	my ($role, $sql) = @_;
	my ($out, $err) = ('', '');
	my $rc = $node->psql('shop', $sql, stdout => \$out, stderr => \$err, extra_params => [ '-U', $role ], on_error_stop => 0);
	$node->poll_query_until('postgres', 'SELECT true') if $rc == 2;
	return ($out, $err);
}

sub output
{
	my ($out, $err) = as(@_);
	return $err =~ /ERROR|FATAL|server closed/ ? $err : $out;
}

sub messages
{
	my ($out, $err) = as(@_);
	return $err;
}

is(output('keeper', 'CREATE EXTENSION rnnforecast'), '', 'an extension of a role that is no superuser');
output('keeper', 'GRANT CREATE ON SCHEMA public TO alice');

my $MIX = q{'{"network": false}'};

# ------------------------------------------------------------- 18: until a wall clock

output('alice', qq{
	CREATE TABLE rides AS SELECT timestamp '2015-01-20' + n * interval '30 min' AS ts, 100 + n % 48 AS rides
	FROM generate_series(0, 12 * 48 - 1) AS n;
	CREATE TABLE models AS SELECT
		(SELECT rnn_train(ts, rides, '{"horizon": 48, "network": false}') FROM rides) AS model,
		(SELECT rnn_train(ts::date, rides, $MIX) FROM rides WHERE ts = ts::date) AS daily,
		(SELECT rnn_train(ts::timestamptz, rides, $MIX) FROM rides) AS zoned;
	SELECT rnn_register('rides', model) FROM models});
my @until = (
	[ q{SELECT count(*), max(local_ts) FROM models, rnn_forecast(model, until => '2015-02-01 06:00')}, '13|2015-02-01 06:00:00', 'half-hours' ],
	[ q{SELECT count(*), max(local_ts) FROM models, rnn_forecast(daily, until => '2015-02-25')}, '25|2015-02-25 00:00:00', 'days' ],
	[ q{SELECT count(*), max(local_ts) FROM rnn_forecast_query('SELECT ts, rides FROM rides', until => '2015-02-01 06:00')},
		'13|2015-02-01 06:00:00', 'rnn_forecast_query' ],
	[ q{SELECT count(*), max(local_ts) FROM rnn_forecast_model('rides', until => '2015-02-01 06:00')}, '13|2015-02-01 06:00:00', 'rnn_forecast_model' ],
	[ q{SELECT count(*) FROM models, rnn_forecast(zoned, until => '2015-02-01 06:00+00')}, '13', 'instants of timestamptz' ],
);
for my $until (@until)
{
	my ($sql, $expected, $name) = @$until;
	is(join(' ', map { output('alice', "SET timezone = '$_'; $sql") } qw(UTC Europe/Berlin America/New_York)),
		"$expected $expected $expected", "repair 18: $name are the same in every zone");
}

# ----------------------------------------------------------- 19: what is not there

output('alice', q{CREATE TABLE h AS SELECT rnn_history(ts, rides) AS h FROM rides;
	CREATE TABLE kept AS SELECT n, model FROM models, generate_series(1, 3) AS n});
like(messages('alice', q{UPDATE kept SET model = rnn_observe(model, (SELECT rnn_history(ts, rides) FROM rides WHERE ts > '2099-01-01'))}),
	qr/^\S*\s*NOTICE:  there are no new rows: the model stays as it is, with its history(?!.*there are no new rows)/s,
	'repair 19: no new rows are said once in an UPDATE of many models');
is(output('alice', q{SELECT count(*) FROM kept JOIN models USING (model)}), '3', 'repair 19: and the models stay as they are');
my @absent = (
	[ q{SELECT rnn_observe(NULL, h) IS NULL FROM h}, 't', qr/the result is NULL: there is no model/, 'rnn_observe without a model' ],
	[ q{SELECT rnn_train_history(NULL, '{"steps": 10}', model) = model FROM models}, 't',
		qr/there are no new rows: the model stays as it is/, 'rnn_train_history without rows' ],
	[ q{SELECT rnn_train_history(NULL) IS NULL}, 't', qr/the result is NULL: there is no history/, 'rnn_train_history without rows and model' ],
	[ q{SELECT count(*) FROM rnn_forecast(NULL)}, '0', qr/nothing is forecast: the model is NULL/, 'rnn_forecast without a model' ],
	[ q{SELECT count(*) FROM rnn_forecast_query('SELECT ts, rides FROM rides WHERE false')}, '0',
		qr/nothing is forecast: the query has no rows/, 'rnn_forecast_query without rows' ],
	[ q{SELECT count(*) FROM models, rnn_forecast_query('SELECT ts, rides FROM rides WHERE false', model => model)}, '0',
		qr/nothing is forecast: the query has no rows/, 'rnn_forecast_query by a model, without rows' ],
	[ q{SELECT count(*) FROM generate_series(1, 1000) AS n LEFT JOIN kept USING (n), rnn_forecast(model, 2)}, '6',
		qr/nothing is forecast: the model is NULL(?!.*nothing is forecast)/s, 'many models that are not there, told once' ],
);
for my $absent (@absent)
{
	my ($sql, $expected, $said, $name) = @$absent;
	my ($out, $err) = as('alice', $sql);
	is($out, $expected, "repair 19: $name: result");
	like($err, $said, "repair 19: $name: NOTICE");
}

# --------------------------------- 3: functions of others in the extension's schema

output('postgres', 'GRANT CREATE ON SCHEMA public TO mallory');
output('alice', q{CREATE TABLE secret AS SELECT 'hush' AS word});
output('keeper', 'CREATE SCHEMA keeper');
my $numbers = q{'SELECT date ''2024-01-01'' + n AS ts, n AS value FROM generate_series(1, 50) AS n'};
my $panel = q{'SELECT n % 2 AS series, date ''2024-01-01'' + n / 2 AS ts, n AS value FROM generate_series(1, 100) AS n'};
my $spy = q{LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% says %', current_user, (SELECT word FROM alice.secret); RETURN NULL; END $$};
$spy =~ s/alice\.secret/secret/;
my $wide = join ', ', map { "c$_ int8" } 1 .. 200;
my @strangers = (
	[ 'rnn_history(date, int)', q{FUNCTION public.rnn_history(date, int) RETURNS int8 LANGUAGE sql IMMUTABLE AS 'SELECT 4242::int8'} ],
	[ 'rnn_history(date, int)', "FUNCTION public.rnn_history(date, int) RETURNS bytea $spy" ],
	[ 'rnn_train(date, int, jsonb)', q{FUNCTION public.rnn_train(date, int, jsonb) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'} ],
	[ 'rnn_train(date, int, jsonb)', "FUNCTION public.rnn_train(date, int, jsonb) RETURNS bytea $spy" ],
);
for my $stranger (@strangers)
{
	my ($signature, $definition) = @$stranger;
	for my $role (qw(keeper mallory))
	{
		is(output($role, "CREATE $definition"), '', "$signature of $role");
		my ($out, $err) = as('alice', qq{
			SELECT rnn_fit('numbers', $numbers, 7, $MIX); SELECT count(*) FROM rnn_forecast_model('numbers', options => '{"fresh": true}');
			SELECT rnn_drop('numbers'); SELECT count(*) FROM rnn_forecast_query($numbers, 7);
			SELECT count(*) FROM models, rnn_forecast_query($numbers, 7, model => daily)});
		is("$out|$err", "1\n7\n\n7\n7|", 'repair 3: it is not called, as ' . ($definition =~ /LANGUAGE (\w+)/)[0]);
		output($role, "DROP FUNCTION IF EXISTS public.$signature");
	}
}

# As a forecast of 200 columns: what rnn_train returns chooses it.
output('keeper', qq{CREATE FUNCTION public.rnn_train(date, int, jsonb) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
	CREATE FUNCTION public.rnn_forecast(int, bigint, float8, timestamptz, text[], bigint, jsonb) RETURNS TABLE ($wide) LANGUAGE sql
		AS 'SELECT @{[ join ', ', 1 .. 200 ]}'});
is(output('alice', "SELECT count(*) FROM rnn_forecast_query($numbers, 7)"), '7', 'repair 3: a forecast of 200 columns is not called');
output('keeper', 'DROP FUNCTION public.rnn_train(date, int, jsonb), public.rnn_forecast(int, bigint, float8, timestamptz, text[], bigint, jsonb)');

# Where the series is of any type, another's overload is nearer: nothing runs.
my $flags = $panel =~ s/n % 2 AS series/n % 2 = 1 AS series/r;
my $stands = qr/ERROR:  function (public\.)?rnn_(history|train)\(boolean,date,double precision(,jsonb)?\) hides the aggregate/;
for my $name (qw(rnn_history rnn_train))
{
	for my $role (qw(keeper mallory))
	{
		output($role, "CREATE FUNCTION public.$name(bool, date, float8, jsonb) RETURNS bytea $spy");
		output($role, "ALTER EXTENSION rnnforecast ADD FUNCTION public.$name(bool, date, float8, jsonb)") if $role eq 'keeper';
		my $call = $name eq 'rnn_train' ? "SELECT count(*) FROM rnn_forecast_query($flags, 7)" :
			qq{SELECT rnn_fit('panel', $flags, 7, '{"network": false, "bin": "mean", "step": "1 day"}')};
		my $err = messages('alice', $call);
		like($err, $stands, "repair 3: a nearer $name of $role is refused");
		unlike($err, qr/hush/, "repair 3: and not called");
		output('keeper', "ALTER EXTENSION rnnforecast DROP FUNCTION public.$name(bool, date, float8, jsonb)") if $role eq 'keeper';
		output($role, "DROP FUNCTION public.$name(bool, date, float8, jsonb)");
	}
}
output('mallory', qq{CREATE FUNCTION public.step(bytea, bool, date, float8, jsonb) RETURNS bytea $spy;
	CREATE AGGREGATE public.rnn_train(bool, date, float8, jsonb) (SFUNC = step, STYPE = bytea, FINALFUNC = _rnn_train_final)});
my $err = messages('alice', "SELECT count(*) FROM rnn_forecast_query($flags, 7)");
like($err, $stands, 'repair 3: a nearer aggregate with our final function is refused');
unlike($err, qr/hush/, 'repair 3: and its own function not called');
output('mallory', 'DROP AGGREGATE public.rnn_train(bool, date, float8, jsonb)');
is(output('alice', "SELECT count(*) FROM rnn_forecast_query($panel, 7)"), '14', 'without them the panel is forecast');

# ------------------------------------------------------------- 9: parallel workers

# With no part of the leader, the first row is read by a worker, where there is one.
output('alice', q{
	CREATE FUNCTION witness(amount float8) RETURNS float8 PARALLEL SAFE LANGUAGE plpgsql AS $$
	BEGIN RAISE NOTICE 'read by %', CASE WHEN pg_backend_pid()::text = current_setting('alice.leader') THEN 'the leader' ELSE 'a worker' END;
	RETURN amount; END $$;
	CREATE TABLE big AS SELECT date '2000-01-01' + n AS day, 100 + n % 7 + 0.0 AS amount FROM generate_series(0, 5000) AS n;
	ANALYZE big});
my $workers = q{SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SET parallel_leader_participation = off; SELECT set_config('alice.leader', pg_backend_pid()::text, false);};
my $big = q{'SELECT day, CASE WHEN day = ''2000-01-01'' THEN witness(amount) ELSE amount END FROM big'};
my @parallel = (
	[ "SELECT count(*) FROM rnn_forecast_query($big, 7)", 'rnn_forecast_query' ],
	[ "SELECT count(*) FROM models, rnn_forecast_query($big, 7, model => daily)", 'rnn_forecast_query by a model' ],
	[ "SELECT rnn_fit('big', $big, 7, $MIX)", 'rnn_fit' ],
	[ q{SELECT count(*) FROM rnn_forecast_model('big', options => '{"fresh": true}')}, 'a fresh forecast' ],
	[ q{CALL rnn_refit('big')}, 'rnn_refit' ],
);
for my $parallel (@parallel)
{
	my ($sql, $name) = @$parallel;
	$err = messages('alice', "$workers $sql");
	like($err, qr/read by a worker/, "repair 9: $name has workers");
	unlike($err, qr/ERROR|read by the leader/, "repair 9: $name: and no error");
}
output('alice', q{CREATE FUNCTION deposit() RETURNS float8 LANGUAGE sql AS 'INSERT INTO secret VALUES (''written'') RETURNING 1.0'});
like(messages('alice', "$workers SELECT rnn_fit('writer', 'SELECT day, amount + deposit() FROM big')"), qr/read-only transaction|non-read-only/,
	'repair 9: a query that writes is refused as before');

# ------------------------------------------- 11: rows and schemas of a superuser

$node->safe_psql('postgres', q{
	CREATE EXTENSION rnnforecast;
	CREATE SCHEMA postgres;
	CREATE TABLE postgres.own AS SELECT date '2024-01-01' + n AS day, 100.0 + n % 7 AS amount FROM generate_series(0, 99) AS n;
	CREATE TABLE public.hidden AS SELECT *, CASE WHEN day < '2024-02-20' THEN 'public' ELSE 'alice' END AS who FROM postgres.own;
	CREATE POLICY half ON public.hidden USING (who = 'public');
	GRANT SELECT ON public.hidden TO public});

sub superuser
{
	my ($out, $err) = ('', '');
	$node->psql('postgres', shift, stdout => \$out, stderr => \$err);
	return $out . $err;
}

is(superuser(qq{SET search_path = pg_temp, "\$user", public; CREATE TEMP TABLE own (day date, amount float8);
	SELECT rnn_fit('own', 'SELECT day, amount FROM own', 7, $MIX); SELECT points FROM rnn_series(rnn_model('own'))}), "1\n100",
	'repair 11: "$user" is the one who stored the query, and temporary tables are none of it');
like(superuser(q{CALL rnn_refit('own')}), qr/^skipped/, 'repair 11: in another session too');
is(superuser(qq{SELECT rnn_fit('hidden', 'SELECT day, amount FROM public.hidden', 7, $MIX); SELECT points FROM rnn_series(rnn_model('hidden'))}),
	"1\n100", 'without row security a superuser\'s query reads all');
$node->safe_psql('postgres', 'ALTER TABLE public.hidden ENABLE ROW LEVEL SECURITY');
my $hides = qr/ERROR:  query would be affected by row-level security policy for table "hidden"\nCONTEXT: .*query of a superuser's model, read with the rights of "pg_read_all_data"/s;
like(superuser(q{CALL rnn_refit('hidden')}), $hides, 'repair 11: rows that a policy hides are an error, not fewer rows');
like(superuser(qq{SELECT rnn_fit('again', 'SELECT day, amount FROM public.hidden', 7, $MIX)}), $hides, 'repair 11: of rnn_fit too');
like(superuser(q{SELECT count(*) FROM rnn_forecast_model('hidden', options => '{"fresh": true}')}), $hides, 'repair 11: and of fresh forecasts');
$node->safe_psql('postgres', qq{GRANT USAGE ON SCHEMA public TO alice; SET ROLE alice; SELECT rnn_fit('mine', 'SELECT day, amount FROM public.hidden', 7, $MIX)});
is(superuser(q{SELECT points FROM rnn_series(rnn_model('mine'))}), '50', 'others read what policies let them');

# -------------------------------------------------------------- 8: jobs of pg_cron

if (!-e $node->config_data('--pkglibdir') . '/pg_cron.so')
{
	note 'pg_cron is not there: the rest is skipped';
	$node->stop;
	done_testing();
	exit;
}
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'shop'\n");
$node->restart;
my $long = 'a model with a name that is longer than that of any job may be: ';
output('postgres', 'CREATE EXTENSION pg_cron; GRANT USAGE ON SCHEMA cron TO alice');
output('alice', "SELECT rnn_register(name, model) FROM models, unnest('{m,${long}1,${long}2}'::text[]) AS name");
my $jobs = q{SELECT string_agg(username || ': ' || split_part(command, '''', 2), ', ' ORDER BY jobid) FROM cron.job};

# A row that was restored, or is replicated to here: its number is another job's.
my $number = output('alice', q{SELECT rnn_schedule('m', '0 3 1 1 *')});
output('postgres', qq{DELETE FROM cron.job; SELECT cron.schedule('backup', '0 4 1 1 *', 'SELECT 1'); UPDATE cron.job SET jobid = $number, username = 'alice'});
is(output('alice', q{SELECT rnn_unschedule('m')}), 't', 'a schedule without its job ends');
is(output('postgres', q{SELECT jobname FROM cron.job}), 'backup', 'repair 8: another job of its number stays');
output('postgres', 'DELETE FROM cron.job');

output('alice', "SELECT rnn_schedule('${long}1', '0 3 1 1 *'), rnn_schedule('${long}2', '0 4 1 1 *')");
is(output('postgres', $jobs), "alice: ${long}1, alice: ${long}2", 'repair 8: names that are alike have a job each');
is(output('alice', "SELECT rnn_unschedule('${long}1')"), 't', 'one ends');
is(output('postgres', $jobs), "alice: ${long}2", 'repair 8: and the other goes on');
is(output('alice', "SELECT rnn_drop('${long}2')"), '', 'a model is dropped');
is(output('postgres', 'SELECT count(*) FROM cron.job'), '0', 'repair 8: with its job');

# Two roles that schedule one model.
output('alice', q{SELECT rnn_schedule('m', '0 3 1 1 *')});
is(messages('postgres', q{SELECT rnn_schedule('m', '0 4 1 1 *')}), '', 'a superuser schedules it anew');
is(output('postgres', $jobs), "postgres: m", 'repair 8: and his job replaces that of the first');
my $remains = qr/WARNING:  job "rnnforecast \d+" of role "postgres" was not removed/;
my ($result, $warning) = as('alice', q{SELECT rnn_unschedule('m'), (SELECT schedule FROM rnn_models WHERE name = 'm')});
like($warning, $remains, 'repair 8: what cannot be removed is said by rnn_unschedule');
is($result, 'f|0 4 1 1 *', 'repair 8: and shown as before');
like(messages('alice', q{SELECT rnn_schedule('m', '0 5 1 1 *')}), $remains, 'repair 8: and said by rnn_schedule');
is(output('postgres', $jobs), "postgres: m, alice: m", 'repair 8: as there are two then');
is(output('postgres', q{SELECT rnn_unschedule('m')}), 't', 'a superuser ends both');
is(output('postgres', 'SELECT count(*) FROM cron.job'), '0', 'repair 8: and none remains');

output('alice', q{SELECT rnn_schedule('m', '0 3 1 1 *')});
like(messages('keeper', q{SELECT rnn_unschedule('m')}), qr/WARNING:  job "rnnforecast \d+" of role "alice" was not removed/,
	'repair 8: who may not see jobs is told of what stays');
is(output('alice', q{SELECT rnn_unschedule('m')}), 't', 'its role removes it');
for my $schedule ('*/61 * * * *', '0 */25 * * *', '1-5/70 * * * *', '0 0 */32 * *')
{
	like(output('alice', "SELECT rnn_schedule('m', '$schedule')"), qr/ERROR:  schedule "\Q$schedule\E" has a step of \d+ in field \d/,
		"repair 8: $schedule is refused");
	is(output('alice', "SELECT _rnn_next_run('$schedule') IS NULL"), 't', 'repair 8: and is never due');
}
is(output('alice', q{SELECT rnn_schedule('m', '*/60 */12 * * *') > 0}), 't', 'a step of the whole field is taken');

# A row that the extension's owner has put there tells of a job and not when it is due.
output('postgres', 'GRANT USAGE ON SCHEMA cron TO keeper');
is(output('keeper', q{INSERT INTO _rnn_registry (id, name, owner, owner_key, options, rules, settings, job_owner)
	VALUES (4000, 'forged', 'keeper', 'of another server', '{}', '{}', '{}', 'keeper');
	SELECT cron.schedule('rnnforecast 4000', '0 3 1 1 *', 'SELECT 1') > 0; SELECT rnn_alter('forged', new_name => 'renamed'); SELECT name FROM rnn_models WHERE owner = 'keeper'}),
	"t\n\nrenamed", 'a model with half of a schedule is renamed');
output('keeper', q{SELECT cron.unschedule('rnnforecast 4000'); SELECT rnn_drop('renamed')});

# What a job calls is ours.
output('mallory', q{CREATE PROCEDURE public.rnn_refit(text) LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'called'; END $$});
my $command = output('alice', 'SELECT command FROM cron.job');
like(messages('alice', $command), qr/model "m" has no query to train on/, 'repair 3: a job calls no procedure of others');

$node->stop;
done_testing();
