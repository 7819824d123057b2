# Altered model bytes: every byte turned over, truncations, and the same with
# a checksum that fits, as one who means harm would send them.  Each gives an
# error or an answer, never a crash, an endless loop or a NaN.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('corrupt');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nrestart_after_crash = on");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION rnnforecast;
	CREATE TABLE monthly AS
	SELECT (date '2020-01-01' + n * interval '1 month')::date AS month,
		   n + 10 * sin(n * pi() / 6) + sin(n * 7.3) AS value
	FROM generate_series(0, 59) AS n;
	CREATE TABLE originals (kind text, bytes bytea);
	INSERT INTO originals
	SELECT 'mix', rnn_train(month, value, '{"network": false, "horizon": 3, "keep": 20}') FROM monthly;
	INSERT INTO originals
	SELECT 'network', rnn_train(month, value, '{"start": "scratch", "steps": 3, "hidden": 1, "layers": 1,
		"horizon": 2, "context": 8, "patch": 2, "batch": 2, "cell": "elman", "keep": 20, "seasons": [12]}') FROM monthly;
	INSERT INTO originals SELECT 'history', rnn_history(month, value) FROM monthly;
	INSERT INTO originals SELECT 'prior', rnn_train(month, value, '{"start": "prior", "horizon": 3, "keep": 20}') FROM monthly;
	CREATE TABLE altered (kind text, what text, at int, bytes bytea);

	-- What a call says: an SQLSTATE, or "ok"; "bad" for an answer that must not be.
	CREATE FUNCTION says(query text, bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE fine bool;
	BEGIN
		EXECUTE query INTO fine USING bytes;
		RETURN CASE WHEN fine THEN 'ok' ELSE 'bad' END;
	EXCEPTION
		WHEN query_canceled THEN RETURN 'slow';
		WHEN others THEN RETURN sqlstate;
	END $$;
});

# CRC-32C, as the format has it at offset 12 for everything from 16 on.
my @table = map { my $c = $_; $c = $c & 1 ? ($c >> 1) ^ 0x82f63b78 : $c >> 1 for 1 .. 8; $c } 0 .. 255;
sub signed
{
	my ($bytes) = @_;
	return $bytes if length $bytes < 16;
	my $crc = 0xffffffff;
	$crc = ($crc >> 8) ^ $table[ ($crc ^ $_) & 255 ] for unpack 'C*', substr($bytes, 16);
	substr($bytes, 8, 4) = pack 'V', length $bytes;
	substr($bytes, 12, 4) = pack 'V', $crc ^ 0xffffffff;
	return $bytes;
}

my %original = map { split /\|/ } split /\n/,
	$node->safe_psql('postgres', q{SELECT kind, encode(bytes, 'hex') FROM originals});
$_ = pack 'H*', $_ for values %original;
is(signed($original{$_}), $original{$_}, "the checksum of a $_ is understood") for sort keys %original;

# A prior that a later version brings: its number is among the words of the model.
my $later = 0;
for (my $at = 16; $at + 4 <= length $original{prior}; $at++)
{
	next unless substr($original{prior}, $at, 4) eq pack 'V', 1;
	my $bytes = $original{prior};
	substr($bytes, $at, 4) = pack 'V', 99;
	my (undef, undef, $said) = $node->psql('postgres', sprintf q{SELECT count(*) FROM rnn_forecast('\x%s')}, unpack 'H*', signed($bytes));
	$later++ if $said =~ /the model has prior 99, this server reads up to 2/;
}
is($later, 1, 'a prior of a later version is named');

# Write the altered ones into a file, and load it.
my $file = $node->basedir . '/altered.tsv';
open my $out, '>', $file or die;
my $count = 0;
sub add
{
	my ($kind, $what, $at, $bytes) = @_;
	printf $out "%s\t%s\t%d\t\\\\x%s\n", $kind, $what, $at, unpack 'H*', $bytes;
	$count++;
}
for my $kind (sort keys %original)
{
	my $bytes = $original{$kind};
	for my $at (0 .. length($bytes) - 1)
	{
		my $byte = ord substr($bytes, $at, 1);
		for my $other ($byte ^ 255, $byte ^ 1, 127)
		{
			next if $other == $byte;
			my $altered = $bytes;
			substr($altered, $at, 1) = chr $other;
			add($kind, 'turned', $at, $altered) if $other == ($byte ^ 255);
			add($kind, 'signed', $at, signed($altered)) if $at >= 16;
		}
		add($kind, 'cut', $at, substr($bytes, 0, $at));
		add($kind, 'cut and signed', $at, signed(substr($bytes, 0, $at))) if $at >= 16;
	}
	# four bytes at once: counts and sizes of all magnitudes
	for (my $at = 16; $at + 8 <= length $bytes && $at < 700; $at += 4)
	{
		for my $word ("\0\0\0\0", "\xff\xff\xff\xff", "\xff\xff\xff\x7f", "\0\0\0\x80", "\0\0\x10\0", "\0\0\xc0\x7f")
		{
			my $altered = $bytes;
			substr($altered, $at, 4) = $word;
			add($kind, 'word', $at, signed($altered));
		}
	}
	add($kind, 'longer', 0, "$bytes\0");
	add($kind, 'longer and signed', 0, signed("$bytes\0"));
	add($kind, 'twice', 0, signed("$bytes$bytes"));
}
close $out;
$node->safe_psql('postgres', "COPY altered FROM '$file'");
note "$count altered values";

my $started = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
my @calls = (
	['rnn_info', q{SELECT rnn_info($1) IS NOT NULL}],
	['rnn_series', q{SELECT count(*) >= 0 FROM rnn_series($1)}],
	['rnn_training_log', q{SELECT count(*) >= 0 FROM rnn_training_log($1)}],
	['rnn_forecast', q{SELECT count(*) = 5 AND bool_and(abs(forecast) < 'infinity' AND abs(lower) < 'infinity'
		AND abs(upper) < 'infinity' AND lower <= upper) FROM rnn_forecast($1, 5)}],
	['rnn_forecast by the default horizon', q{SELECT bool_and(forecast < 'infinity' AND step <= 2000) IS NOT FALSE FROM rnn_forecast($1)}],
	['rnn_forecast of history', q{SELECT count(*) >= 1 FROM rnn_forecast($1, 1, history => 1000000)}],
	['rnn_gradient_flow', q{SELECT bool_and(norm >= 0) IS NOT FALSE FROM rnn_gradient_flow($1)}],
	['rnn_forget', q{SELECT length(rnn_forget($1, '{}')) > 0}],
	['rnn_observe', q{SELECT length(rnn_observe($1, rnn_history(month, value))) > 0 FROM monthly}],
	['rnn_observe, as a history', q{SELECT length(rnn_observe((SELECT bytes FROM originals WHERE kind = 'mix'), $1)) > 0}],
	['rnn_train_history', q{SELECT length(rnn_train_history($1, '{"network": false, "horizon": 3, "seasons": [12]}')) > 0}]);

for my $call (@calls)
{
	my ($what, $query) = @$call;
	my ($rc, $result, $err) = $node->psql('postgres', qq{
		SET rnnforecast.max_memory = '64MB';
		SET client_min_messages = error;
		SET statement_timeout = '120s';
		SELECT a.what, said, count(*), min(kind || ' at ' || at)
		FROM altered AS a, says(\$q\$$query\$q\$, bytes) AS said
		GROUP BY 1, 2 ORDER BY 1, 2});
	is($rc, 0, "$what: the server lives") or diag $err;
	my @lines = split /\n/, $result;
	# Without a checksum that fits nothing is read.
	my @read = grep { /^(turned|cut|longer)\|(?!XX001|22023|0A000)/ } @lines;
	is_deeply(\@read, [], "$what: no altered bytes are read");
	my @odd = grep { /^[^|]*\|(bad|slow|XX000|57\w{3}|53\w{3})\|/ } @lines;
	is_deeply(\@odd, [], "$what: each is refused or answered");
	note $result;
}
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started, 'the server was not restarted');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'no backend crashed');

$node->stop;
done_testing();
