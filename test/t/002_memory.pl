# rnnforecast.max_memory holds: for rows, for training, for forecasts.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'needs /proc' unless -r '/proc/self/status';

my $node = PostgreSQL::Test::Cluster->new('memory');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nshared_buffers = 16MB\nwork_mem = 4MB");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION rnnforecast');

# What the session uses besides: code, caches, shared buffers, work_mem.
my $SLACK = 100 * 1024;

# Output, errors and the peak of the backend's memory in kB, above an idle one's.
sub peak
{
	my ($sql) = @_;
	my $status = q{SELECT 'peak ' || substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\s*(\d+)');};
	my ($rc, $out, $err) = $node->psql('postgres', "SELECT rnn_version(); $status\n$sql;\n$status",
		on_error_stop => 0);
	my @peaks = $out =~ /^peak (\d+)$/mg;
	return ($out, $err, $peaks[-1] - $peaks[0]);
}

sub stays_below
{
	my ($limit, $peak, $what) = @_;
	cmp_ok($peak, '<', $limit * 1024 + $SLACK, "$what: $peak kB with a limit of $limit MB");
}

my $rows = q{(SELECT timestamp '2000-01-01' + n * interval '1 second' AS ts, sin(n / 10.0) AS value
	FROM generate_series(1, %d) AS n) AS t};

# Five million rows in 32 MB: refused while they are collected.
my ($out, $err, $peak) = peak(sprintf(
	"SET rnnforecast.max_memory = '32MB'; SELECT length(rnn_train(ts, value)) FROM $rows", 5_000_000));
like($err, qr/ERROR: .*max_memory/, 'five million rows outgrow 32 MB');
like($err, qr/HINT: /, 'and a hint says what to do');
stays_below(32, $peak, 'rows');

($out, $err, $peak) = peak(sprintf(
	"SET rnnforecast.max_memory = '32MB'; SELECT length(rnn_history(value ORDER BY ts)) FROM $rows", 5_000_000));
like($err, qr/ERROR: .*max_memory/, 'so it is for an ordered column');
stays_below(32, $peak, 'ordered rows');

# Rows that would fit as they are, but not sorted beside themselves.
($out, $err, $peak) = peak(sprintf(
	"SET rnnforecast.max_memory = '64MB'; SELECT length(rnn_history(ts, value)) FROM $rows", 3_000_000));
like($err, qr/ERROR: .*max_memory/, 'three million rows outgrow 64 MB');
stays_below(64, $peak, 'rows that are to be sorted');
($out, $err, $peak) = peak(sprintf(
	"SET rnnforecast.max_memory = '64MB'; SELECT length(rnn_history(ts, value ORDER BY value)) FROM $rows", 1_500_000));
like($out, qr/^\d{7,}$/m, 'half as many fit') or diag $err;
stays_below(64, $peak, 'rows that are sorted');

# A few rows, and a hundred times as many steps between them.
($out, $err, $peak) = peak(q{SET rnnforecast.max_memory = '64MB'; SELECT length(rnn_history(1, n, 1)) FROM
	(SELECT 100 * n AS n FROM generate_series(0, 300000) AS n UNION ALL SELECT 1) AS t});
like($err, qr/ERROR: .*steps of series "1" exceed rnnforecast.max_memory\nDETAIL: .*300002 rows fill 30000001 steps/,
	'steps without rows outgrow 64 MB');
stays_below(64, $peak, 'gaps');

# Five million rows with enough memory.
($out, $err, $peak) = peak(sprintf(q{SET rnnforecast.max_memory = '600MB';
	SELECT (rnn_info(m)->>'horizon')::int FROM (SELECT
	rnn_train(ts, value, '{"network": false, "horizon": 10, "seasons": [63]}') FROM } . $rows . ') AS t (m)', 5_000_000));
like($out, qr/^10$/m, 'five million rows are trained in 600 MB') or diag $err;
stays_below(600, $peak, 'training on five million rows');

# A long series at patch 1: frames are sampled, and a window of 4096 steps is
# back-propagated in chunks; whole it would not fit.
my $long = q{SET client_min_messages = warning; SET rnnforecast.max_memory = '80MB';
	CREATE TABLE %1$s AS SELECT rnn_train(ts, value, '{%2$s "patch": 1, "context": 4096, "horizon": 12, "batch": 8,
		"hidden": 16, "members": 1, "steps": 80, "seasons": [63]}') AS m FROM } .
	'(SELECT * FROM ' . sprintf($rows, 200_000) . ') AS s';
for (['judged', '"bptt": 64,', 64], ['alone', '"start": "scratch", "skip": false,', 512])
{
	my ($name, $options, $bptt) = @$_;
	($out, $err, $peak) = peak(sprintf("$long; SELECT i #>> '{network,patch}', i #>> '{network,context}',
		i #>> '{options,bptt}', i #>> '{validation,windows}' FROM %1\$s, rnn_info(m) AS i", $name, $options));
	like($out, qr/^1\|4096\|$bptt\|[1-9]\d*$/m, "200,000 points at patch 1 are trained in 80 MB, $name") or diag $err;
	cmp_ok($peak, '<', 80 * 1024, "$name: a peak of $peak kB with a limit of 80 MB");
}
($out, $err, $peak) = peak(sprintf($long, 'whole', '"bptt": 4096,'));
like($err, qr/ERROR: .*max_memory/, 'a window of 4096 steps as one chunk is refused');

# Covariates count: 64 of them are trained on below the limit, of more rows the state outgrows it, and of a panel's the
# latest rows are kept.
my $facts = q{(SELECT n %% 10 AS s, timestamp '2000-01-01' + n * interval '1 hour' AS ts, sin(n) AS value,
	(SELECT jsonb_object_agg('key' || i, n * i %% 17) FROM generate_series(1, 64) AS i) AS covariates FROM generate_series(1, %d) AS n) AS t};
my $many = q{'{"horizon": 24, "seasons": 24, "steps": 20, "known_ahead": "all", "members": 1}'};
($out, $err, $peak) = peak(sprintf("SET rnnforecast.max_memory = '64MB'; SET rnnforecast.max_workers = 0;
	SELECT jsonb_array_length(rnn_info(m)->'covariates') FROM (SELECT rnn_train(ts, value, covariates, $many) FROM $facts) AS t (m)", 20_000));
like($out, qr/^64$/m, '20,000 rows of 64 covariates are trained in 64 MB') or diag $err;
cmp_ok($peak, '<', 80 * 1024, "with covariates, and what makes them: a peak of $peak kB with a limit of 64 MB");
($out, $err, $peak) = peak(sprintf("SET rnnforecast.max_memory = '64MB';
	SELECT length(rnn_train(ts, value, covariates, $many)) FROM $facts", 120_000));
like($err, qr/ERROR: .*max_memory/, '120,000 rows of 64 covariates outgrow 64 MB');
stays_below(64, $peak, 'rows with covariates');
($out, $err, $peak) = peak(sprintf("SET rnnforecast.max_memory = '64MB'; SET rnnforecast.max_workers = 0;
	SELECT 'rows ' || (rnn_info(m)->'sampled'->>'latest_rows') FROM (SELECT rnn_train(s, ts, value, covariates, $many) FROM $facts) AS t (m)", 40_000));
like($out, qr/^rows \d+$/m, 'of a panel the latest rows are kept') or diag $err;
stays_below(64, $peak, 'a panel with covariates');

# Too little for what is asked: an error, not a larger allocation.
($out, $err, $peak) = peak(sprintf(q{SET rnnforecast.max_memory = '16MB';
	SELECT length(rnn_train(ts, value, '{"start": "scratch", "hidden": 1024, "layers": 8, "steps": 1,
		"cell": "lstm"}')) FROM } . $rows, 2000));
like($err, qr/ERROR: .*mem/, 'a network that outgrows 16 MB is refused');
stays_below(16, $peak, 'too large a network');

# A forecast's own work.
($out, $err, $peak) = peak(sprintf(q{
	CREATE TABLE model AS SELECT rnn_train(ts, value, '{"network": false, "horizon": 10, "seasons": [63]}') AS m FROM } . $rows . q{;
	SET rnnforecast.max_memory = '16MB';
	SELECT count(*) FROM model, rnn_forecast(m, 100000)}, 1000));
like($err, qr/ERROR: .*mem/, 'a forecast that outgrows 16 MB is refused');
($out, $err, $peak) = peak(q{SET rnnforecast.max_memory = '256MB';
	SELECT count(*) FROM model, rnn_forecast(m, 100000)});
like($out, qr/^100000$/m, 'it has room in 256 MB') or diag $err;
stays_below(256, $peak, 'a far forecast');

# Only a superuser may raise the limit, before the module is loaded or after.
$node->safe_psql('postgres', 'CREATE ROLE analyst LOGIN');
for my $load ('', 'SELECT rnn_version();')
{
	my ($rc, $shown, $e) = $node->psql('postgres',
		"$load SET rnnforecast.max_memory = '100GB'; SELECT rnn_version(); SHOW rnnforecast.max_memory",
		extra_params => [ '-U', 'analyst' ], on_error_stop => 0);
	like($e, qr/permission denied to set parameter/, 'an analyst can not raise the limit');
	like($shown, qr/^512MB$/m, 'and it stays');
}

# Groups one after the other do not add up.
($out, $err, $peak) = peak(sprintf(q{SET rnnforecast.max_memory = '64MB'; SET enable_hashagg = off;
	SELECT count(*) FROM (SELECT g, rnn_history(ts, value) AS h FROM } . $rows . q{, generate_series(1, 20) AS g
	GROUP BY g) AS h}, 100_000));
like($out, qr/^20$/m, 'twenty groups') or diag $err;

$node->stop;
done_testing();
