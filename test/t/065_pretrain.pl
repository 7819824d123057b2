# A pretraining comes to the same weights and the same log with any number of
# processes.  It is a tiny one, of some seconds: the recipe is in docs/developers/prior.md.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Utils;
use Test::More;

my $root = abs_path(dirname(__FILE__) . '/../..');
my $dir = PostgreSQL::Test::Utils::tempdir;
my @recipe = qw(split=train series=300 steps=24 pieces=4 hidden=16 every=8 memory=1);

# Weights and log without the seconds that it took, which the head of the checkpoint counts at byte 32.
sub pretrain
{
	my ($name, @more) = @_;
	my $log = '';

	IPC::Run::run([ "$root/tools/pretrain", "$dir/$name", @recipe, @more ], '<', \undef, '>', \$log, '2>&1')
	  or BAIL_OUT("tools/pretrain: $log");
	my $checkpoint = slurp_file("$dir/$name/checkpoint");
	substr($checkpoint, 32, 8, '');
	my @steps = map { s/ *seconds.*//r } grep { /^step|mix/ } split /\n/, slurp_file("$dir/$name/log.txt");
	return ($checkpoint, "@steps");
}

my ($weights, $steps) = pretrain('one', 'processes=1');
like($steps, qr/step 8 .*step 24 /, 'the log tells of the updates');
my ($weights_2, $steps_2) = pretrain('two', 'processes=2');
ok($weights_2 eq $weights, 'two processes: the same weights');
is($steps_2, $steps, 'two processes: the same log');
my ($weights_3) = pretrain('three', 'processes=2', 'seed=2');
ok($weights_3 ne $weights, 'another seed: other weights');

done_testing();
