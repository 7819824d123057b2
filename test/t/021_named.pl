# Named models with several sessions: refits don't overlap, forecasts go on,
# and whatever ends a training leaves the live version as it was.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('named');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'\nrestart_after_crash = on");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION rnnforecast;
	CREATE ROLE alice LOGIN; CREATE ROLE watcher LOGIN IN ROLE pg_read_all_stats;
	GRANT CREATE ON SCHEMA public TO alice;
	CREATE TABLE hours AS
	SELECT timestamp '2024-01-01' + n * interval '1 hour' AS ts, sin(n / 4.0) + 0.1 * sin(n * 7.3) AS value
	FROM generate_series(1, 3000) AS n;
	GRANT SELECT ON hours TO alice;
});

sub alice
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');
	$node->psql('postgres', $sql, stdout => \$out, stderr => \$err, extra_params => [ '-U', 'alice' ], on_error_stop => 0);
	return $err ne '' ? $err : $out;
}

sub all_of
{
	return $node->safe_psql('postgres', q{SELECT md5(string_agg(f::text, '' ORDER BY step)) FROM rnn_forecast_model('hours') AS f});
}

sub grow
{
	$node->safe_psql('postgres', q{INSERT INTO hours SELECT max(ts) + interval '1 hour', 0.5 FROM hours});
}

# A refit that trains until it is stopped, in a session of its own.
my ($out, $err);
sub start_refit
{
	my ($before) = @_;
	($out, $err) = ('', '');
	grow();
	my $run = IPC::Run::start([ 'psql', '-XAtq', '-U', 'alice', '-d', $node->connstr('postgres'),
		'-c', $before // 'SELECT', '-c', q{CALL rnn_refit('hours')} ], '<', \undef, '>', \$out, '2>', \$err);
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM rnn_runs WHERE outcome = 'running'}) or die 'no refit';
	return $run;
}

sub pid
{
	return $node->safe_psql('postgres', q{SELECT pid FROM rnn_runs WHERE outcome = 'running'});
}

sub last_run
{
	return $node->safe_psql('postgres', q{SELECT outcome || coalesce(': ' || message, '') FROM rnn_runs WHERE outcome <> 'skipped' ORDER BY id DESC LIMIT 1});
}

# Stays as it was, and the next session may train again.
sub unharmed
{
	my ($what, $before) = @_;
	is(all_of(), $before, "$what: the live version is as it was");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM rnn_progress}), '0', "$what: no progress is left");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND classid = '_rnn_registry'::regclass}), '0',
		"$what: no lock is left");
}

# ------------------------------------------------- no shared memory: a notice says so

if ($node->pg_version < 17)
{
	like(alice('SELECT * FROM rnn_progress'), qr/the progress of trainings is not shown/, 'progress needs the library preloaded');
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'rnnforecast'");
	$node->restart;
}

# Once under a ceiling, which the refits don't have.
is($node->safe_psql('postgres', q{SET rnnforecast.max_seconds = 1; SET ROLE alice;
	SELECT rnn_fit('hours', 'TABLE hours', 24, '{"start": "scratch", "steps": 10000000, "patience": 1000, "gate": 1000, "break": 0}')}), '1', 'a model');
my $before = all_of();

# ----------------------------------------------------------------- while it trains

my $run = start_refit();
my $pid = pid();
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM rnn_progress WHERE pid = $pid AND step > 0 AND estimated_end > now()")
  or die 'no progress';
is($node->safe_psql('postgres', 'SELECT role, model, phase, series, loss > 0, elapsed > \'0\' FROM rnn_progress'),
	'alice|hours|train|1|t|t', 'progress is shown');
is(alice('SELECT count(*) FROM rnn_progress'), '1', 'to its owner');
is($node->safe_psql('postgres', 'SELECT count(*) FROM rnn_progress', extra_params => [ '-U', 'watcher' ]), '1', 'and to pg_read_all_stats');
$node->safe_psql('postgres', 'CREATE ROLE other LOGIN');
is($node->safe_psql('postgres', 'SELECT count(*) FROM rnn_progress', extra_params => [ '-U', 'other' ]), '0', 'but not to others');
is($node->safe_psql('postgres', "SELECT backend_xmin IS NULL AND backend_xid IS NULL FROM pg_stat_activity WHERE pid = $pid"), 't',
	'a training refit holds no snapshot');
like(alice(q{CALL rnn_refit('hours')}), qr/skipped: it is being trained already/, 'a second refit is skipped');
is($node->safe_psql('postgres', q{SELECT message FROM rnn_runs WHERE outcome = 'skipped'}), 'it is being trained already', 'and noted');
like(alice(q{SELECT rnn_drop('hours')}), qr/model "hours" is being trained/, 'the model can\'t be dropped');
like(alice(q{SELECT rnn_forget_model('hours', '{a}')}), qr/model "hours" is being trained/, 'and can forget nothing');
is(all_of(), $before, 'forecasts go on');

# --------------------------------------------------------------------- ends of it

$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
$run->finish;
like($err, qr/canceling statement due to user request/, 'cancelled');
like(last_run(), qr/^failed: canceling statement due to user request/, 'a cancelled refit has failed');
unharmed('cancel', $before);

$run = start_refit(q{SET statement_timeout = '3s'});
$run->finish;
like(last_run(), qr/^failed: canceling statement due to statement timeout/, 'so has one that took too long');
unharmed('timeout', $before);

$run = start_refit();
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . pid() . ')');
$run->finish;
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM rnn_runs WHERE outcome = 'running'});
is(last_run(), 'lost', 'a terminated one is lost');
unharmed('terminate', $before);

$run = start_refit();
kill 'KILL', pid();
$run->finish;
$node->poll_query_until('postgres', 'SELECT true');
is(last_run(), 'lost', 'so is one that was killed');
unharmed('kill', $before);

# A hand that changes the live version meanwhile: the scores say nothing about it.
$node->append_conf('postgresql.conf', 'rnnforecast.max_seconds = 6');
$node->reload;
is(alice(q{SELECT rnn_register('hours', rnn_model('hours'))}), '2', 'another version');
$run = start_refit();
alice(q{SELECT rnn_promote('hours', 1)});
$run->finish;
like($out . $err, qr/refused: another version became live meanwhile/, 'a refit does not replace a version that it was not compared with');
is($node->safe_psql('postgres', q{SELECT version FROM rnn_versions WHERE live}), '1', 'the one that was chosen by hand stays');
grow();
is(alice(q{CALL rnn_refit('hours')}), 'promoted', 'after all that a refit does its work');

# An error of the query is the refit's, and noted.
$node->safe_psql('postgres', 'ALTER TABLE hours RENAME TO hours_of_old');
like(alice(q{CALL rnn_refit('hours')}), qr/relation "hours" does not exist/, 'an error is raised');
like(last_run(), qr/^failed: relation "hours" does not exist/, 'and noted');

$node->stop;
done_testing();
