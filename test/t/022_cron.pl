# pg_cron trains a model every minute on a table that grows, while 20 clients
# forecast with it: none of them ever fails, what is promoted is better, and a
# bad batch is refused.  RNN_NIGHTS: how many minutes, 1 by default;
# bench/nightly runs more of them.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $nights = $ENV{RNN_NIGHTS} || 1;
my $node = PostgreSQL::Test::Cluster->new('cron');
$node->init;
my $socket = $node->host;
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'\nmax_connections = 60\nmax_worker_processes = 16\n");

# Without pg_cron: the line of a crontab that does the same.
$node->start;
my $data = q{
	CREATE EXTENSION rnnforecast;
	CREATE TABLE grown (day date PRIMARY KEY, amount float8);
	CREATE FUNCTION amount(n int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
		SELECT 100 + 15 * sin(n * 2 * pi() / 7) + 5 * sin(n / 30.0) + abs(hashint4(n)) % 100 / 10.0 $$;
	CREATE PROCEDURE grow(days int, times float8 DEFAULT 1) LANGUAGE sql AS $$
		INSERT INTO grown SELECT date '2022-01-01' + n, amount(n) * times
		FROM generate_series((SELECT count(*) FROM grown)::int, (SELECT count(*) FROM grown)::int + days - 1) AS n $$;
	CALL grow(700);
	SELECT rnn_fit('grown', 'SELECT day, amount FROM grown', 14,
		'{"start": "scratch", "steps": 60, "hidden": 16, "layers": 1, "retain": 3}');
};
$node->safe_psql('postgres', $data);
my ($rc, $out, $err) = $node->psql('postgres', q{SELECT rnn_schedule('grown', '0 3 * * *')});
like($err, qr/pg_cron is not installed in database "postgres"/, 'no pg_cron');
like($err, qr/^0 3 \* \* \* psql -X -d 'postgres' -U '\S+' -c 'CALL public\.rnn_refit\('\\''grown'\\''::pg_catalog\.text, NULL::pg_catalog\.text\)'$/m, 'a line for crontab instead');
my $evil = "'x\n* * * * * touch /tmp/evil #'";
my (undef, undef, $refused) = $node->psql('postgres', qq{SELECT rnn_register($evil, rnn_model('grown')); SELECT rnn_schedule($evil, '0 3 * * *')});
like($refused, qr/pg_cron is not installed/, 'no pg_cron for a name of two lines');
unlike($refused, qr/DETAIL|psql -X/, 'and no line for crontab, which would be two');
$node->safe_psql('postgres', qq{SELECT rnn_drop($evil)});
my ($line) = $err =~ /^0 3 \* \* \* (psql .*)$/m;
($out, $err) = run_command([ 'sh', '-c', "PGHOST='$socket' PGPORT=" . $node->port . " $line" ]);
like($out, qr/skipped/, 'which works');

if (!-e $node->config_data('--pkglibdir') . '/pg_cron.so')
{
	note 'pg_cron is not there: the rest is skipped';
	$node->stop;
	done_testing();
	exit;
}
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_cron,rnnforecast'\ncron.database_name = 'postgres'\ncron.host = '$socket'\n");
$node->restart;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_cron');

# ------------------------------------------------------------------- the schedule

my $job = $node->safe_psql('postgres', q{SELECT rnn_schedule('grown', '0 3 1 1 *')});
is($node->safe_psql('postgres', q{SELECT rnn_schedule('grown', '* * * * *')}), $job, 'a new schedule replaces the old');
is($node->safe_psql('postgres', 'SELECT schedule, command, username = current_user, active FROM cron.job'),
	"* * * * *|CALL public.rnn_refit('grown'::pg_catalog.text, NULL::pg_catalog.text)|t|t", 'a job');
is($node->safe_psql('postgres', q{SELECT schedule, next_run - now() BETWEEN '0' AND '1 min' FROM rnn_models}), '* * * * *|t', 'and when it is next');
($rc, $out, $err) = $node->psql('postgres', q{SELECT rnn_schedule('grown', 'now and then')});
like($err, qr/invalid schedule/, 'a schedule that pg_cron does not know');

# ----------------------------------------------------------- 20 clients all the time

my $seconds = 60 * $nights + 8;
my $dir = $node->basedir;
append_to_file("$dir/stored.sql", q{SELECT 1 / (count(forecast) = 14)::int FROM rnn_forecast_model('grown');});
append_to_file("$dir/fresh.sql", q{SELECT 1 / (count(forecast) = 14)::int FROM rnn_forecast_model('grown', options => '{"fresh": true}');});
my ($bench_out, $bench_err) = ('', '');
my $bench = IPC::Run::start([ 'pgbench', '-n', '-c', '20', '-j', '2', '-T', $seconds, '--rate', '60',
	'-f', "$dir/stored.sql\@9", '-f', "$dir/fresh.sql\@1", '-h', $socket, '-p', $node->port, 'postgres' ],
	'<', \undef, '>', \$bench_out, '2>', \$bench_err);

# -------------------------------------------------------------------- every minute

# The next run that is over, of pg_cron or of ours: outcome, right by its own scores.
sub run_after
{
	my ($id) = @_;
	$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM rnn_runs WHERE id > $id AND outcome <> 'running'") or die 'no run';
	return split /\|/, $node->safe_psql('postgres', qq{
		SELECT id, outcome, coalesce(message, ''),
			   outcome = CASE WHEN message ~ 'unlike' OR mase > live_mase THEN 'refused' ELSE 'promoted' END
			   AND (outcome = 'promoted') = (version = (SELECT m.version FROM rnn_models AS m))
		FROM rnn_runs WHERE id > $id AND outcome <> 'running' ORDER BY id LIMIT 1});
}

my $last;

# One night: new rows, a run, and what became of it.
sub night
{
	my ($spoilt, $by_hand) = @_;
	$node->safe_psql('postgres', $spoilt ? 'CALL grow(7, 100)' : 'CALL grow(7)');
	$node->psql('postgres', q{CALL rnn_refit('grown')}) if $by_hand;
	my ($id, $outcome, $message, $right) = run_after($last);
	my $who = $by_hand ? 'by hand' : 'pg_cron';
	$last = $id;
	if ($spoilt)
	{
		is($outcome, 'refused', "$who: a bad batch is refused");
		like($message, qr/the last rows are unlike those before/, "$who: and it is said why");
		$node->safe_psql('postgres', 'UPDATE grown SET amount = amount / 100 WHERE amount > 1000');
	}
	else
	{
		is($right, 't', "$who: $outcome as the scores say") or diag $message;
	}
}

# So that what is written next is there before pg_cron looks again, and not after.
$node->poll_query_until('postgres', q{SELECT extract(second FROM clock_timestamp()) BETWEEN 5 AND 50});
$last = $node->safe_psql('postgres', 'SELECT max(id) FROM rnn_runs');
night($_ % 3 == 0, 0) for 1 .. $nights;
is($node->safe_psql('postgres', q{SELECT rnn_unschedule('grown')}), 't', 'the schedule ends');
is($node->safe_psql('postgres', q{SELECT (SELECT count(*) FROM cron.job), (SELECT schedule IS NULL AND next_run IS NULL FROM rnn_models)}),
	'0|t', 'its job is gone');
night(1, 1);
night(0, 1);
is($node->safe_psql('postgres', q{SELECT count(*) FROM rnn_runs WHERE outcome NOT IN ('promoted', 'refused', 'skipped')}), '0', 'no run failed');
is($node->safe_psql('postgres', q{SELECT count(*) FROM cron.job_run_details WHERE status = 'failed'}), '0', 'nor in the eyes of pg_cron');

$bench->finish;
is($bench->full_result(0), 0, 'no forecast failed under 20 clients') or diag $bench_err;
like($bench_out, qr/number of clients: 20/, '20 clients');
cmp_ok($bench_out =~ /transactions actually processed: (\d+)/ ? $1 : 0, '>', 10 * $seconds, 'which forecast all the time');
note $bench_out;
note $node->safe_psql('postgres', 'SELECT id, kind, outcome, version, points, mase, live_mase, mix_mase, message FROM rnn_runs ORDER BY id');

# ------------------------------------------------------- SIGKILL amid a refit of pg_cron

$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->reload;
# Trained once under a ceiling that the refit doesn't have.
$node->safe_psql('postgres', q{SELECT rnn_drop('grown'); SET rnnforecast.max_seconds = 1;
	SELECT rnn_fit('grown', 'SELECT day, amount FROM grown', 14, '{"start": "scratch", "steps": 10000000, "patience": 1000, "hidden": 16, "layers": 1}');
	CALL grow(7)});
my $state = q{SELECT (SELECT count(*) FROM grown), (SELECT version FROM rnn_models),
	(SELECT md5(string_agg(f::text, '|' ORDER BY step)) FROM rnn_forecast_model('grown') AS f)};
my $before = $node->safe_psql('postgres', $state);
my $refit = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', q{CALL rnn_refit('grown')} ], '<', \undef, '>', \my $ignored, '2>', \my $lost);
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM rnn_progress WHERE model = 'grown'}) or die 'no training';
kill 'KILL', $node->safe_psql('postgres', q{SELECT pid FROM rnn_runs WHERE outcome = 'running'});
$refit->finish;
$node->poll_query_until('postgres', 'SELECT true');
is($node->safe_psql('postgres', $state), $before, 'SIGKILL loses nothing');
is($node->safe_psql('postgres', 'SELECT outcome FROM rnn_runs ORDER BY id DESC LIMIT 1'), 'lost', 'and shows as lost');

# A model that is dropped takes its job along.
$node->safe_psql('postgres', q{SELECT rnn_schedule('grown', '0 3 * * *'); SELECT rnn_alter('grown', new_name => 'more')});
is($node->safe_psql('postgres', q{SELECT schedule || ' ' || command FROM cron.job}),
	q{0 3 * * * CALL public.rnn_refit('more'::pg_catalog.text, NULL::pg_catalog.text)}, 'the job calls a model by its new name');
($rc, $out, $err) = $node->psql('postgres', q{CREATE ROLE other SUPERUSER; SET ROLE other; SELECT rnn_alter('more', new_name => 'less')});
like($err, qr/the job that trains model "more" belongs to role/, 'which only its own role can give it');
$node->safe_psql('postgres', q{CREATE ROLE heir; SELECT rnn_alter('more', owner => 'heir')});
$node->safe_psql('postgres', q{SELECT rnn_drop('more')});
is($node->safe_psql('postgres', 'SELECT count(*) FROM cron.job'), '0', 'rnn_drop ends the schedule');

$node->stop;
done_testing();
