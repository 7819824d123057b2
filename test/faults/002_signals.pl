# A refit that is cancelled, terminated or killed, and a fit whose worker is, at
# an allocation of each of its functions: so in each of its phases.  The live
# version stays, or the new one is whole; nothing is left, rnn_runs tells what
# happened, and the next refit works.
#
# FAULT_EVERY=10 takes every tenth function.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Fault;
use PostgreSQL::Test::Utils;
use Test::More;

my $every = $ENV{FAULT_EVERY} // 1;
my $node = start_server('signals');
# A restart after a crash should not wait for a checkpoint.
$node->append_conf('postgresql.conf', "log_min_messages = log\ncheckpoint_timeout = 30s");
$node->reload;
my $NET = '{"start": "scratch", "members": 3, "steps": 3, "hidden": 4, "context": 8}';
$node->safe_psql('postgres', "SELECT rnn_fit('net', 'TABLE rows', 4, '$NET')");

# A refit goes on from the live version's weights, in the leader alone.
my %statements = (
	leader => { name => 'refit', model => 'net', sql => q{CALL rnn_refit('net')}, before => 'SELECT grow()', facts => q{''} },
	worker => { name => 'fit', model => 'new', sql => "SELECT rnn_fit('new', 'TABLE rows', 4, '$NET') AS version",
		before => "SELECT rnn_drop('new') FROM rnn_models WHERE name = 'new'", facts => q{''},
		settings => [ 'rnnforecast.max_workers = 1', "fault.process = 'worker'" ] });

# By the first of these that an allocation came through.
my @phases = (
	[ 'ingest', qr/_collect_|^state_/ ], [ 'sort', qr/^series_from_rows$/ ],
	[ 'read', qr/^collect_rows$/ ], [ 'worker start', qr/^crew_|_apart$/ ],
	[ 'members', qr/^transfer|^write_|^read_features|^train_members|^judge_lone/ ], [ 'serialise', qr/^store_model$/ ],
	[ 'judge', qr/^(score|judge|last_windows|before_windows)/ ], [ 'train', qr/train_version|^rnnforecast_train_members$/ ],
	[ 'store', qr/^store_version$/ ], [ 'note', qr/^finish_run$/ ], [ 'commit', qr/./ ]);

sub phase_of
{
	my (@frames) = @_;
	for my $phase (@phases)
	{
		return $phase->[0] if grep { $_ =~ $phase->[1] } @frames;
	}
	return 'server';
}

# The first allocation of each way through the extension.
sub places
{
	my ($where) = @_;
	my (%known, @places);
	for (trace_of($node, $statements{$where}))
	{
		my ($n, @frames) = @$_;
		push @places, { at => $n, phase => phase_of(@frames), path => join('<', @frames) } if !$known{ join '<', @frames }++;
	}
	my $i = 0;
	return grep { $i++ % $every == 0 } @places;
}

# What is wrong after an action; '' where nothing is.  Counts outcomes.
sub befall
{
	my ($where, $action, $place, $outcomes) = @_;
	my $statement = $statements{$where};
	my $settings = join '', map { "SET $_;\n" } @{ $statement->{settings} // [] };
	ask($node, $statement->{before});
	my $before = facts($node, $statement->{model});
	my ($out, $err) = ('', '');
	$node->psql('postgres', "$settings SET fault.action = '$action'; SET fault.at = $place->{at}; $statement->{sql}",
		stdout => \$out, stderr => \$err, on_error_stop => 0);
	my $left = leftovers($node);
	my $after = facts($node, $statement->{model});
	my $outcome = $after eq $before ? 'nothing noted' : (split / /, $after)[4];
	$outcomes->{$outcome}++;
	return "left: $left" if $left ne '';
	return "$before became $after" if $where eq 'leader' && !whole($before, $after);
	return "$outcome, but no error" if $err !~ /ERROR|FATAL|server closed/ && $outcome ne 'promoted';
	return "an error, $outcome: $err" if $action eq 'cancel' && $outcome eq 'lost' && $place->{phase} !~ /note|commit/;
	my $next = ask($node, "$statement->{before}; $settings $statement->{sql}");
	return $next =~ /(promoted|refused|1)$/ ? '' : "the next refit: $next";
}

for my $where ('leader', 'worker')
{
	my @places = places($where);
	for my $action ('cancel', 'terminate', 'kill')
	{
		my (%wrong, %outcomes, %count);
		for my $place (@places)
		{
			my $wrong = befall($where, $action, $place, $outcomes{ $place->{phase} } //= {});
			$count{ $place->{phase} }++;
			push @{ $wrong{ $place->{phase} } }, "$wrong at $place->{at} ($place->{path})" if $wrong ne '';
		}
		for my $phase (sort keys %count)
		{
			is(join("\n", @{ $wrong{$phase} // [] }), '', "$action in the $where, $phase: $count{$phase} places, "
				  . join(', ', map { "$outcomes{$phase}{$_} $_" } sort keys %{ $outcomes{$phase} }));
		}
	}
}

$node->stop;
done_testing();
