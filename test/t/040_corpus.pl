# Inputs of fuzzing: each ends in a result or in an error of the user's.
#
# The module holds the whole extension, so its database must not; make tap
# builds it.  What breaks a promise ends the process, and the test.
use strict;
use warnings;
use Cwd qw(abs_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $module = abs_path('build/fuzz_server.so');
my $node = PostgreSQL::Test::Cluster->new('corpus');
$node->init;
$node->start;
$node->safe_psql('postgres', "CREATE FUNCTION fuzz_run(text, bytea) RETURNS text LANGUAGE c AS '$module', 'rnnforecast_fuzz_run'");

for my $target ('options', 'rows', 'state')
{
	my $folder = abs_path("test/fuzz/corpus/$target");
	my @files = glob("$folder/*");
	my ($status, $out, $err) = $node->psql('postgres', "SELECT state, count(*) FROM pg_ls_dir('$folder') f,
		fuzz_run('$target', pg_read_binary_file('$folder/' || f)) state GROUP BY 1");

	is($status, 0, "$target: the inputs of the corpus are run") or diag $err;
	my %states = map { split /\|/ } split /\n/, $out;
	my $runs = 0;
	$runs += $_ for values %states;
	is($runs, scalar @files, "$target: all of them");
	ok($states{'00000'} && keys %states > 1, "$target: some are taken, some are refused");
}

$node->stop;
done_testing;
