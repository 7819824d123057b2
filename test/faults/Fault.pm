# What the tests of faults share: a server with the module fault, statements
# that it spoils, and facts that have to hold afterwards.
package Fault;
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Exporter 'import';

our @EXPORT = qw(start_server ask spoil counted facts leftovers trace_of whole);

# A server with the extension, what else is preloaded, and two short series.
sub start_server
{
	my ($name, $libraries) = (@_, 'rnnforecast,fault');
	my $node = PostgreSQL::Test::Cluster->new($name);
	# Small segments: a limit on the size of files would end the server at a large one.
	$node->init(extra => ['--wal-segsize=1']);
	$node->append_conf('postgresql.conf', qq{
		fsync = off
		timezone = 'UTC'
		restart_after_crash = on
		max_worker_processes = 16
		dynamic_shared_memory_type = mmap	# where its files can be told from those of other servers
		shared_preload_libraries = '$libraries'
		rnnforecast.max_workers = 0
		autovacuum_naptime = 5s
		jit = off	# an error that leaves LLVM by a jump leaves its locks taken
	});
	$node->start;
	$node->safe_psql('postgres', q{
		CREATE EXTENSION rnnforecast;
		CREATE TABLE hours AS
		SELECT 's' || k AS series, timestamp '2024-01-01' + n * interval '1 hour' AS ts,
			   sin(n / 4.0 + k) + 0.1 * sin(n * 7.3) AS value, jsonb_build_object('w', n % 5, 'd', 'x' || n % 3) AS given
		FROM generate_series(1, 2) AS k, generate_series(1, 60) AS n;
		CREATE VIEW rows AS SELECT series, ts, value FROM hours;
		CREATE TABLE made AS SELECT
			rnn_train(series, ts, value, '{"start": "scratch", "members": 2, "steps": 4, "hidden": 4, "context": 8, "horizon": 4}') AS model,
			rnn_history(series, ts, value) AS history
		FROM hours;
		CREATE FUNCTION grow() RETURNS void LANGUAGE sql AS
		$$UPDATE hours SET value = value + 0.01 WHERE ts = (SELECT max(ts) FROM hours)$$;
		-- What has to be whole after a statement, whatever became of it.
		CREATE FUNCTION facts(which text) RETURNS text LANGUAGE sql AS $$
			SELECT concat_ws(' ', coalesce(r.live, 0), coalesce((SELECT md5(v.bytes) FROM _rnn_registry_version AS v WHERE v.model = r.id AND v.version = r.live), 'none'),
				(SELECT max(version) FROM _rnn_registry_version AS v WHERE v.model = r.id),
				(SELECT id || ' ' || outcome || ' ' || coalesce(version, 0) FROM rnn_runs WHERE name = which ORDER BY id DESC LIMIT 1))
			FROM _rnn_registry AS r WHERE r.name = which $$;
		-- What must not be there when nothing runs.
		CREATE FUNCTION leftovers() RETURNS text LANGUAGE sql AS $$
			SELECT concat_ws(', ',
				(SELECT 'a lock' FROM pg_locks WHERE locktype NOT IN ('virtualxid', 'relation') LIMIT 1),
				(SELECT 'progress' FROM rnn_progress LIMIT 1),
				(SELECT 'a temporary file' FROM pg_ls_tmpdir() LIMIT 1),
				(SELECT 'a worker' FROM pg_stat_activity WHERE backend_type = 'parallel worker' LIMIT 1),
				(SELECT 'a run' FROM rnn_runs WHERE outcome = 'running' LIMIT 1)) $$;
	});
	return $node;
}

# The answer to a query, of a server that may be starting again after a crash.
sub ask
{
	my ($node, $sql) = @_;
	for (1 .. 600)
	{
		my ($out, $err) = ('', '');
		return $out if $node->psql('postgres', $sql, stdout => \$out, stderr => \$err) == 0;
		die $err if $err =~ /ERROR/;
		select(undef, undef, undef, 0.05);
	}
	die 'the server is gone';
}

sub facts
{
	my ($node, $model) = @_;
	return ask($node, "SELECT facts('$model')");
}

# Polls: an aborted statement's workers take a moment to be gone.
sub leftovers
{
	my ($node) = @_;
	my $left = '';
	for (1 .. 200)
	{
		$left = ask($node, 'SELECT leftovers()');
		last if $left eq '';
		select(undef, undef, undef, 0.05);
	}
	$left = 'shared memory' if $left eq '' && segments($node) > 0;
	return $left;
}

# Segments of dynamic shared memory that somebody still refers to.  The server
# keeps some for itself, which are pinned: the segment that lists them all says so.
sub segments
{
	my ($node) = @_;
	my $count = 0;
	for my $file (glob $node->data_dir . '/pg_dynshmem/mmap.*')
	{
		my ($magic, $items) = unpack 'L2', my $list = PostgreSQL::Test::Utils::slurp_file($file);
		next if $magic != 0x9a503d32;
		for my $i (0 .. $items - 1)
		{
			# handle, references, first page, pages, a pointer, pinned
			my ($references, $pinned) = (unpack 'x16 x' . 40 * $i . ' L2 Q3 C', $list)[ 1, 5 ];
			$count++ if $references > 1 && !$pinned;
		}
	}
	return $count;
}

# Runs a statement once for each number, that allocation of it failing.  A list
# of {at, state, fired, result, facts}; crashes have the state "crash".
sub spoil
{
	my ($node, $statement, $numbers) = @_;
	my @rest = @$numbers;
	my @runs;
	while (@rest)
	{
		my %done = run_batch($node, $statement, [ splice(@rest, 0, 500) ], \@runs);
		unshift @rest, @{ $done{rest} };
	}
	return @runs;
}

sub run_batch
{
	my ($node, $statement, $numbers, $runs) = @_;
	my $before = $statement->{before} // 'SELECT';
	my $settings = join '', map { "SET $_;\n" } @{ $statement->{settings} // [] };
	my $script = "\\set VERBOSITY sqlstate\n$settings";
	$script .= qq{\\warn @ $_
		$before;
		\\unset result
		\\unset facts
		SET fault.at = $_;
		$statement->{sql} \\gset
		\\set state :SQLSTATE
		SET fault.at = 0;
		SELECT current_setting('fault.at') AS seen, $statement->{facts} AS facts \\gset
		\\warn = :state :seen :facts = :result
		} for @$numbers;
	$script .= "SELECT sum(total_bytes) AS memory FROM pg_backend_memory_contexts \\gset\n\\warn m :memory\n";
	# A file: a client that has lost its server no longer reads what it is sent.
	my ($out, $err) = ('', '');
	my $file = $node->basedir . '/script.sql';
	PostgreSQL::Test::Utils::append_to_file($file, $script);
	$node->psql('postgres', '', stdout => \$out, stderr => \$err, on_error_stop => 0, extra_params => [ '-f', $file ]);
	unlink $file;
	my $at;
	my %left = map { $_ => 1 } @$numbers;
	for (split /\n/, $err)
	{
		if (/^@ (\d+)/) { $at = $1 }
		elsif (/^= (\w+) (-?\d+) (.*) = (.*)$/)
		{
			push @$runs, { at => $at, state => $1, fired => $2 < 0, seen => abs $2, facts => $3, result => $4 };
			delete $left{$at};
		}
		elsif (/^m (\d+)/) { $statement->{memory} //= $1; $statement->{memory_after} = $1 }
		elsif (/connection to server was lost|server closed the connection/ && $left{$at})
		{
			push @$runs, { at => $at, state => 'crash', fired => 1, facts => '', result => '' };
			delete $left{$at};
			ask($node, 'SELECT true');
		}
	}
	# What comes after a crash has not been run.
	return (rest => [ grep { $left{$_} } @$numbers ]);
}

# Allocations of a statement that nothing befalls, and how it ends.
sub counted
{
	my ($node, $statement) = @_;
	my ($usual) = spoil($node, $statement, [2_000_000_000]);
	return ($usual->{seen}, $usual) if !grep { /worker'/ } @{ $statement->{settings} // [] };
	# A worker keeps its own count.
	my $trace = trace_file($node, $statement);
	my $count = () = $trace =~ /^\d/mg;
	return ($count, $usual);
}

sub trace_file
{
	my ($node, $statement) = @_;
	my $file = $node->data_dir . '/fault.trace';
	unlink $file;
	spoil($node, { %$statement, settings => [ @{ $statement->{settings} // [] }, "fault.trace = '$file'" ] }, [2_000_000_000]);
	return PostgreSQL::Test::Utils::slurp_file($file);
}

my @functions;					# [address, name] of the extension, ascending

# The function of the extension at an address of its file.
sub nearest_function
{
	my ($address) = @_;
	if (!@functions)
	{
		my $library = `pg_config --pkglibdir`;
		chomp $library;
		@functions = sort { $a->[0] <=> $b->[0] }
		  map { /^([0-9a-f]+) [tT] (\S+)/ ? [ hex $1, $2 ] : () } split /\n/, `nm $library/rnnforecast.so`;
	}
	my ($low, $high) = (0, $#functions);
	while ($low < $high)
	{
		my $middle = int(($low + $high + 1) / 2);
		if ($functions[$middle][0] <= $address) { $low = $middle } else { $high = $middle - 1 }
	}
	return $functions[$low][1] =~ s/\.(part|constprop|isra|cold)\..*//r;
}

# Of each allocation of a statement its number and the functions of the
# extension that it came through, the innermost first.
sub trace_of
{
	my ($node, $statement) = @_;
	return map { my ($n, $who, @frames) = split; [ $n, map { nearest_function(hex $_) } @frames ] }
	  split /\n/, trace_file($node, $statement);
}

# Whether a model is what it was, or a new version is live and whole.
sub whole
{
	my ($before, $after) = @_;
	return $after eq $before if $before eq '' || $after eq '';
	my ($live_before, $md5_before) = split / /, $before;
	my ($live, $md5, $latest, $run, $outcome, $version) = split / /, $after;
	return 0 if !defined $md5 || $md5 eq 'none' || ($outcome // '') eq 'running';
	return $md5 eq $md5_before || $outcome eq 'refused' if $live == $live_before;
	return $live == $latest && (($outcome // '') ne 'promoted' || $version == $live);
}

1;
