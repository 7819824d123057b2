# What ends a training from outside: time, signals, and no room for files,
# shared memory or workers.  The live version stays or the new one is whole,
# nothing is left behind, rnn_runs tells what happened, and the next refit works.
# tools/check-faults does more, in a server with a module for it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../faults";
use Fault;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $seed = $ENV{FAULT_SEED} // int(rand(1 << 30));
srand($seed);
note("FAULT_SEED=$seed");

my $node = start_server('faults', 'rnnforecast');
my $NET = '{"start": "scratch", "members": 3, "steps": 20, "hidden": 4, "context": 8}';
my $SLOW = '{"start": "scratch", "members": 3, "steps": 1000000, "patience": 1000}';
$node->safe_psql('postgres', "SELECT rnn_fit('net', 'TABLE rows', 4, '$NET')");

sub run_sql
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');
	$node->psql('postgres', $sql, stdout => \$out, stderr => \$err, on_error_stop => 0);
	return ($out, $err);
}

# Facts that hold whatever has happened to a refit of "net"; its outcome.
sub unharmed
{
	my ($what, $before) = @_;
	my $left = leftovers($node);
	my $after = facts($node, 'net');
	is($left, '', "$what: nothing is left");
	ok(whole($before, $after), "$what: the live version is whole") or diag("$before became $after");
	my ($next) = run_sql(q{SELECT grow(); CALL rnn_refit('net')});
	like($next, qr/(promoted|refused)$/, "$what: the next refit works");
	return $after eq $before ? 'nothing' : (split / /, $after)[4];
}

# ------------------------------------------------------------ random timeouts

sub timeouts
{
	my ($what, $sql, $times) = @_;
	my $begin = time;
	run_sql("SELECT grow(); $sql");
	my $most = 1000 * (time - $begin) + 10;
	my (%outcomes, @wrong);
	for (1 .. $times)
	{
		my $before = facts($node, 'net');
		my $timeout = 1 + int(rand($most));
		my ($out, $err) = run_sql("SELECT grow(); SET statement_timeout = $timeout; $sql");
		my $after = facts($node, 'net');
		my $outcome = $err !~ /ERROR/ ? 'in time' : $after eq $before ? 'nothing noted' : (split / /, $after)[4];
		$outcomes{$outcome}++;
		push @wrong, "$timeout ms: $err" if $err =~ /ERROR/ && $err !~ /statement timeout/;
		push @wrong, "$timeout ms: $before became $after" if !whole($before, $after);
	}
	is(join("\n", @wrong), '', "$times timeouts of $what: " . join(', ', map { "$outcomes{$_} $_" } sort keys %outcomes));
	unharmed("timeouts of $what", facts($node, 'net'));
}

timeouts('a refit', q{CALL rnn_refit('net')}, 20);
timeouts('all refits', 'CALL rnn_refit_all()', 6);
timeouts('a fit by workers', qq{SET rnnforecast.max_workers = 2; SELECT rnn_fit('other', 'TABLE rows', 4, '$NET');
	SET statement_timeout = 0; SELECT rnn_drop('other')}, 12);

# -------------------------------------------------------------------- signals

# Starts SQL, waits until a condition holds for its process, and signals that of $victim.
sub signal
{
	my ($sql, $condition, $signal, $victim) = @_;
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'SET rnnforecast.max_workers = 2', '-c', $sql ],
		'<', \undef, '>', \$out, '2>', \$err);
	$node->poll_query_until('postgres', "SELECT EXISTS ($condition)") or die "never: $condition";
	my $pid = $node->safe_psql('postgres', $victim);
	kill $signal, split /\n/, $pid;
	$run->finish;
	return $err;
}

my $leader = 'SELECT pid FROM rnn_progress';
my $worker = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'parallel worker' LIMIT 1";
my $slow = "SELECT rnn_fit('slow', 'TABLE rows', 4, '$SLOW')";
for my $case (
	[ 'the leader that trains', "SELECT FROM rnn_progress WHERE phase LIKE 'train%' AND step > 0", $leader ],
	[ 'a worker', "SELECT FROM rnn_progress WHERE EXISTS ($worker)", $worker ])
{
	my ($what, $condition, $victim) = @$case;
	for my $signal ('INT', 'TERM', 'KILL')
	{
		# A worker is told nothing by an interrupt of its own.
		next if $signal eq 'INT' && $victim eq $worker;
		my $before = facts($node, 'net');
		my $err = signal($slow, $condition, $signal, $victim);
		like($err, qr/canceling statement|terminating connection|server closed|parallel worker/, "SIG$signal to $what: an error");
		is(ask($node, "SELECT count(*) FROM rnn_models WHERE name = 'slow'"), '0', "SIG$signal to $what: no half model");
		unharmed("SIG$signal to $what", $before);
	}
}

# -------------------------------------------------------------------- no room

# SQL in a session whose files can't grow beyond a limit.
sub with_limit
{
	my ($bytes, $sql) = @_;
	return run_sql("SELECT pg_backend_pid() AS pid \\gset\n\\setenv PID :pid\n\\! prlimit --pid \$PID --fsize=$bytes\n$sql");
}

SKIP:
{
	skip 'no prlimit', 10 if system('prlimit --version >/dev/null 2>&1') != 0;

	my ($out, $err) = with_limit(4096, "SET rnnforecast.max_workers = 2;
		SELECT rnn_train(series, ts, value, '$NET') IS NOT NULL FROM hours; SELECT 'goes on'");
	is($err, '', 'no shared memory: it trains alone');
	is($out, "t\ngoes on", 'no shared memory: so does the session');
	is(leftovers($node), '', 'no shared memory: nothing is left');

	# The table of versions may not grow, segments of WAL may be written.
	$node->safe_psql('postgres', q{
		ALTER TABLE _rnn_registry_version SET (autovacuum_enabled = off, toast.autovacuum_enabled = off);
		CREATE TABLE filler AS SELECT * FROM _rnn_registry_version LIMIT 1;
		UPDATE filler SET version = 0, keep = true, bytes = (SELECT string_agg(sha256(n::text::bytea), '') FROM generate_series(1, 50000) AS n);
		INSERT INTO _rnn_registry_version TABLE filler});
	my $before = facts($node, 'net');
	($out, $err) = with_limit(1200 * 1024, q{SELECT grow(); CALL rnn_refit('net');} x 20);
	like($err, qr/could not extend file .*File too large/, 'no disk for a version: an error');
	is(unharmed('no disk for a version', $before), 'failed', 'no disk for a version: the run has failed');
}

# Temporary files: a training with workers needs some.
my ($out, $err) = run_sql("SET temp_file_limit = '8kB'; SET rnnforecast.max_workers = 2;
	SELECT length(rnn_train(series, ts, value, '$NET')) > 0 FROM hours; SELECT 'goes on'");
like("$err$out", qr/^(t\n|.*temporary file size exceeds.*)goes on$/s, 'temp_file_limit: a model, or its error');
is(leftovers($node), '', 'temp_file_limit: nothing is left');

is(run_sql("SET max_parallel_workers = 0; SET rnnforecast.max_workers = 2; SELECT md5(rnn_train(series, ts, value, '$NET')) FROM hours"),
	run_sql("SELECT md5(rnn_train(series, ts, value, '$NET')) FROM hours"), 'no worker: the same bytes');

# ------------------------------------------- a trigger that would end a commit

$node->safe_psql('postgres', q{
	SELECT rnn_fit('also', 'TABLE rows', 4, '{"network": false}');
	CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused on commit'; END $$;
	CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON _rnn_registry_version DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION refuse()});
for my $sql (q{CALL rnn_refit('net')}, 'CALL rnn_refit_all()')
{
	my $before = facts($node, 'net');
	($out, $err) = run_sql("SELECT grow(); $sql");
	like($err, qr/refused on commit|cannot fire deferred trigger/, "$sql with a deferred trigger: its error");
	unlike($err, qr/you don't own a lock/, "$sql with a deferred trigger: no other");
	is(leftovers($node), '', "$sql with a deferred trigger: nothing is left");
	ok(whole($before, facts($node, 'net')), "$sql with a deferred trigger: the live version is whole");
}
$node->safe_psql('postgres', 'DROP TRIGGER refuse ON _rnn_registry_version');
unharmed('a deferred trigger', facts($node, 'net'));

$node->stop;
done_testing();
