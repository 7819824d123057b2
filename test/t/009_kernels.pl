# Kernels for other processors than this one, and what OpenBLAS is told by the
# environment: nothing crashes, forecasts agree.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my %forecasts;

# Trains a network and forecasts, in a server with these variables and settings.
sub forecast
{
	my ($node, $settings) = @_;

	return [split /,/, $node->safe_psql('postgres', "$settings; SET rnnforecast.max_workers = 0;
		SELECT string_agg(forecast::text, ',' ORDER BY step)
		FROM (SELECT rnn_train(value, '{\"start\": \"scratch\", \"steps\": 30, \"horizon\": 6, \"seasons\": [12], \"hidden\": 20}'
							   ORDER BY n) AS model FROM t) AS m, rnn_forecast(model)")];
}

sub near
{
	my ($a, $b, $name) = @_;
	my $worst = 0;

	for my $i (0 .. 5)
	{
		my $difference = abs($a->[$i] - $b->[$i]);

		$worst = $difference if $difference > $worst;
	}
	ok(@$a == 6 && $worst < 0.05, "$name: forecasts agree") or diag("they differ by $worst");
}

sub start
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init;
	$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off\n");
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION rnnforecast;
		CREATE TABLE t AS SELECT n, 10 + sin(2 * pi() * n / 12) + 0.2 * sin(n * 7.3) AS value
		FROM generate_series(1, 300) AS n');
	return $node;
}

my $node = start('plain');
my $best = forecast($node, "SET rnnforecast.instruction_set = 'auto'");
for my $set (qw(portable avx2 avx512))
{
	my $settings = "SET rnnforecast.instruction_set = '$set'";
	my $version = $node->safe_psql('postgres', "$settings; SELECT rnn_version()");
	my $mine = forecast($node, $settings);

	like($version, $set eq 'portable' ? qr/portable kernels/ : $set eq 'avx2' ? qr/(portable|AVX2) kernels/i : qr/kernels/,
		"$set: $version");
	near($mine, $best, $set);
	is_deeply(forecast($node, $settings), $mine, "$set: the same again");
}
my ($rc, $out, $err) = $node->psql('postgres', "SELECT rnn_version(); SET rnnforecast.instruction_set = 'sse9'");
like($err, qr/Available values: auto, portable, avx2, avx512/, 'no such instructions');
($rc, $out, $err) = $node->psql('postgres', q{
	SELECT rnn_version(); CREATE ROLE someone; SET ROLE someone; SET rnnforecast.instruction_set = 'portable'});
like($err, qr/permission denied/, 'not for everyone');
$node->stop;

for my $variables ({OPENBLAS_CORETYPE => 'Prescott'}, {OPENBLAS_CORETYPE => 'Haswell'},
	{OPENBLAS_NUM_THREADS => 4, OMP_NUM_THREADS => 4, OPENBLAS_MAIN_FREE => 1}, {OPENBLAS_CORETYPE => 'Nonsense'})
{
	my $name = join ' ', map { "$_=$variables->{$_}" } sort keys %$variables;
	local %ENV = (%ENV, %$variables);
	my $other = start('env' . keys(%forecasts));

	$forecasts{$name} = forecast($other, 'SELECT');
	near($forecasts{$name}, $best, $name);
	$other->stop;
}

done_testing();
