# Models of released versions, kept in test/models/VERSION, forecast the numbers that
# were recorded when they were made, whatever kernels the processor runs.
#
# UPDATE_MODELS=1 makes those of the current version anew, by test/models/make.sql; after
# its release it is never used again.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = abs_path(dirname(__FILE__) . '/../..');
my ($current) = slurp_file("$root/rnnforecast.control") =~ /^default_version = '(.*)'/m;
my @columns = qw(forecast mean lower upper);
my $near = 1e-6;

my $node = PostgreSQL::Test::Cluster->new('kept');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION rnnforecast');

# Forecasts of the models in the table made: those of a panel also from a history's rows.
sub forecasts
{
	my $columns = join ', ', map { "f.$_" } @columns;

	return split /\n/, $node->safe_psql('postgres', qq{
		SELECT name, f.series, f.step, f.local_ts, $columns
		FROM (SELECT name, model FROM made WHERE name <> 'history' UNION ALL
			SELECT m.name || ' observed', rnn_observe(m.model, h.model) FROM made AS m, made AS h
			WHERE m.name ~ '^panel' AND h.name = 'history') AS m, rnn_forecast(model) AS f
		ORDER BY name COLLATE "C", series COLLATE "C", step}, extra_params => [ '--csv', '-t' ]);
}

sub make
{
	my ($folder) = @_;

	mkdir $folder;
	$node->safe_psql('postgres', slurp_file("$root/test/models/make.sql"));
	for my $row (split /\n/, $node->safe_psql('postgres', q{SELECT name, encode(model, 'hex') FROM made}))
	{
		my ($name, $hex) = split /\|/, $row;

		open my $file, '>:raw', "$folder/$name.model" or die "$folder/$name.model: $!";
		print $file pack('H*', $hex);
		close $file or die "$folder/$name.model: $!";
	}
	open my $file, '>', "$folder/forecasts.csv" or die "$folder/forecasts.csv: $!";
	print $file join(',', qw(model series step local_ts), @columns), "\n", map { "$_\n" } forecasts();
	close $file or die "$folder/forecasts.csv: $!";
	$node->safe_psql('postgres', 'DROP TABLE one, shops, made');
}

# The largest difference of two rows, as a share of the recorded number; 1 if they are of different things.
sub distance
{
	my ($recorded, $now) = map { [ split /,/, $_ // '', -1 ] } @_;
	my $worst = 0;

	return 1 if @$recorded != @$now || grep { $recorded->[$_] ne $now->[$_] } 0 .. 3;
	for my $i (4 .. $#$recorded)
	{
		my $difference = abs($now->[$i] - $recorded->[$i]) / (abs($recorded->[$i]) || 1);
		$worst = $difference if $difference > $worst;
	}
	return $worst;
}

sub check
{
	my ($folder) = @_;
	my $version = basename($folder);
	my ($head, @recorded) = split /\n/, slurp_file("$folder/forecasts.csv");
	my @files = map { abs_path($_) } sort glob "$folder/*.model";

	$node->safe_psql('postgres', 'CREATE TABLE made (name text, model bytea)');
	for my $file (@files)
	{
		my $name = basename($file, '.model');
		$node->safe_psql('postgres', qq{INSERT INTO made VALUES ('$name', pg_read_binary_file('$file'))});
	}
	my @now = forecasts();
	is(scalar @now, scalar @recorded, "$version: as many rows as recorded");
	my %worst;
	for my $i (0 .. $#recorded)
	{
		my ($name) = split /,/, $recorded[$i];
		my $distance = distance($recorded[$i], $now[$i]);
		$worst{$name} = $distance if $distance >= ($worst{$name} // 0);
	}
	cmp_ok($worst{$_}, '<=', $near, "$version: $_ forecasts what was recorded") for sort keys %worst;
	is(join(' ', grep { my $file = $_; $file ne 'history' && !exists $worst{$file} } map { basename($_, '.model') } @files),
		'', "$version: each model has recorded forecasts");
	$node->safe_psql('postgres', 'DROP TABLE made');
}

make("$root/test/models/$current") if $ENV{UPDATE_MODELS};
my @folders = grep { -d } sort glob "$root/test/models/*";
ok(@folders > 0, 'there are kept models');
check($_) for @folders;

$node->stop;
done_testing();
