# Each allocation of each function fails once: in the server's memory contexts
# and in the engine's arena.  The statement has to end with an error of memory,
# the session and the server go on, nothing is lost and nothing is left.
#
# FAULT_EVERY=10 takes every tenth.  FAULT_ONLY=refit takes what is named so.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Fault;
use PostgreSQL::Test::Utils;
use Test::More;

my $every = $ENV{FAULT_EVERY} // 1;
my $only = $ENV{FAULT_ONLY} // '';
my $node = start_server('allocations');

my $MIX = '{"network": false, "horizon": 4}';
my $NET = '{"start": "scratch", "members": 2, "steps": 3, "hidden": 4, "context": 8}';
my $none = q{''};

$node->safe_psql('postgres', qq{
	SELECT rnn_fit('mix', 'TABLE rows', 4, '{"network": false}');
	SELECT rnn_fit('net', 'TABLE rows', 4, '{"start": "scratch", "members": 2, "steps": 3, "hidden": 4, "context": 8}');
	SELECT rnn_register('given', model, 'TABLE rows') FROM made;
	SELECT rnn_register('given', model) FROM made;
});

# Results are compared as they are where nothing fails.
sub reads
{
	my ($name, $sql, @settings) = @_;
	return { name => $name, sql => "SELECT md5(coalesce(string_agg(x::text, ''), 'none')) AS result FROM ($sql) AS t (x)", facts => $none, settings => \@settings };
}

# What changes named models, and the model that it changes.
sub changes
{
	my ($name, $model, $sql, $before, @settings) = @_;
	return { name => $name, model => $model, sql => $sql, before => $before, facts => "facts('$model')", settings => \@settings };
}

my @workers = ('rnnforecast.max_workers = 1');
my @statements = (
	reads('train', "SELECT rnn_train(series, ts, value, '$MIX') FROM hours"),
	reads('train with covariates', "SELECT rnn_train(series, ts, value, given, '$NET') FROM hours"),
	reads('train by workers', "SELECT rnn_train(series, ts, value, '$NET') FROM hours", @workers),
	reads('train without series', "SELECT rnn_train(ts, value, '$MIX') FROM hours WHERE series = 's1'"),
	reads('train without times', "SELECT rnn_train(value, '$MIX' ORDER BY ts) FROM hours WHERE series = 's1'"),
	reads('history', q{SELECT rnn_history(series, ts, value, given, '{}') FROM hours}),
	reads('observe', 'SELECT rnn_observe(model, history) FROM made'),
	reads('train_history', "SELECT rnn_train_history(history, '$NET') FROM made"),
	reads('train_history from a model', "SELECT rnn_train_history(history, '$NET', model) FROM made"),
	reads('forecast', 'SELECT f FROM made, rnn_forecast(model, 6) AS f'),
	reads('forecast of a query', "SELECT f FROM rnn_forecast_query('TABLE rows', 4, options => '{\"network\": false}') AS f"),
	reads('forecast of a named model', "SELECT f FROM rnn_forecast_model('mix') AS f"),
	reads('forecast of new rows', "SELECT f FROM rnn_forecast_model('mix', options => '{\"fresh\": true}') AS f"),
	reads('info', 'SELECT rnn_info(model) FROM made'),
	reads('series', 'SELECT s FROM made, rnn_series(model) AS s'),
	reads('gradient_flow', 'SELECT f FROM made, rnn_gradient_flow(model) AS f'),
	reads('forget', "SELECT rnn_forget(model, '{s1}') FROM made"),
	changes('fit', 'new', "SELECT rnn_fit('new', 'TABLE rows', 4, '{\"network\": false}') AS result",
		"SELECT rnn_drop('new') FROM rnn_models WHERE name = 'new'"),
	changes('fit by workers', 'new', "SELECT rnn_fit('new', 'TABLE rows', 4, '$NET') AS result",
		"SELECT rnn_drop('new') FROM rnn_models WHERE name = 'new'", @workers),
	changes('register', 'given', "SELECT rnn_register('given', model) AS result FROM made"),
	changes('promote', 'given', "SELECT rnn_promote('given', max(version)) AS result FROM rnn_versions WHERE name = 'given'"),
	{ %{ changes('rollback', 'given', "SELECT rnn_rollback('given') AS result",
			"SELECT rnn_promote('given', max(version)) FROM rnn_versions WHERE name = 'given'") }, goes_back => 1 },
	changes('keep', 'given', "SELECT rnn_keep('given', max(version)) AS result FROM rnn_versions WHERE name = 'given'"),
	changes('grant', 'given', "SELECT rnn_grant('given', 'public') AS result"),
	changes('drop', 'new', "SELECT rnn_drop('new') AS result", "SELECT rnn_register('new', model) FROM made WHERE NOT EXISTS (SELECT FROM rnn_models WHERE name = 'new')"),
	changes('refit', 'mix', "CALL rnn_refit('mix')", 'SELECT grow()'),
	changes('refit of a network', 'net', "CALL rnn_refit('net')", 'SELECT grow()'),
	changes('refit of all', 'mix', 'CALL rnn_refit_all()', 'SELECT grow()'));

# What is wrong with a run of a statement; '' where nothing is.
sub fault_of
{
	my ($statement, $run, $usual, $before) = @_;
	return 'the server crashed' if $run->{state} eq 'crash';
	return "SQLSTATE $run->{state}" if $run->{state} !~ /^(00000|$statement->{state})$/;
	return "the result is $run->{result}" if $run->{state} eq '00000' && !$statement->{model} && $run->{result} ne $usual;
	return '' if !$statement->{model} || $statement->{model} eq 'new' && $run->{facts} =~ /^(|1 \S+ 1( \d+ promoted 1)?)$/;
	return '' if $statement->{goes_back} && $run->{facts} !~ / none /;
	return whole($before, $run->{facts}) ? '' : "$before became $run->{facts}";
}

sub try_statement
{
	my ($statement, $what) = @_;
	my ($count, $usual) = counted($node, $statement);
	my @numbers = grep { $_ % $every == 0 || $every == 1 } 1 .. $count;
	my $before = $statement->{model} ? facts($node, $statement->{model}) : '';
	my ($failed, $survived, %wrong) = (0, 0);
	for my $run (spoil($node, $statement, \@numbers))
	{
		my $wrong = fault_of($statement, $run, $usual->{result}, $before);
		push @{ $wrong{$wrong} }, $run->{at} if $wrong ne '';
		$failed++ if $run->{state} ne '00000';
		$survived++ if $run->{fired} && $run->{state} eq '00000';
		$before = $run->{facts} if $run->{state} ne 'crash';
	}
	is(join('; ', map { "$_ at " . join(',', @{ $wrong{$_} }[0 .. ($#{ $wrong{$_} } > 9 ? 9 : $#{ $wrong{$_} })]) } sort keys %wrong), '',
		"$what, $statement->{name}: $count allocations, $failed failed, $survived did no harm");
	is(leftovers($node), '', "$what, $statement->{name}: nothing is left");
	cmp_ok($statement->{memory_after} - $statement->{memory}, '<', 1 << 20,
		"$what, $statement->{name}: the session does not grow");
	my (undef, $again) = counted($node, $statement);
	is($again->{state}, '00000', "$what, $statement->{name}: the next one works");
}

for my $statement (grep { $_->{name} =~ /$only/ } @statements)
{
	# Of all models the first error is a warning.
	my $all = $statement->{name} eq 'refit of all';
	try_statement({ %$statement, state => $all ? '53200|55000' : '53200' }, 'contexts');
	my @settings = @{ $statement->{settings} // [] };
	# The engine's own limit is rnnforecast.max_memory; damaged bytes are what it takes too little room for.
	try_statement({ %$statement, state => $all ? '55000' : '54000|XX001', settings => [ @settings, "fault.what = 'arena'" ] }, 'arena');
	try_statement({ %$statement, state => $all ? '53200|55000' : '53200', settings => [ @settings, "fault.process = 'worker'" ] }, 'a worker\'s contexts')
	  if @settings;
}

$node->stop;
done_testing();
