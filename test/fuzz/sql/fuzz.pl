#!/usr/bin/perl
# Random SQL against the extension: every function, aggregate and procedure with
# random, altered and wrong arguments, settings and surroundings, as several
# roles.  It asks only that there be an error with an SQLSTATE other than XX000,
# or a finite answer with the rows that were asked for, from a server that lives
# on and does not grow.  tools/fuzz-sql runs it in a server of its own.
#
# Statements come in batches, each of a random seed of its own ("seed.batch")
# and of one role.  A finding is written as a file that --replay takes, with no
# more statements than it needs.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Getopt::Long;
use List::Util 'min';
use Time::HiRes qw(time sleep);
use Session;
use Value qw(pick chance);
use Statement;
use Damage;

my %o = (calls => 0, seconds => 0, seed => time ^ $$, damage => 0.02, first => 1, psql => 'psql', dir => '.', out => '.');
GetOptions(\%o, 'calls=i', 'seconds=f', 'seed=i', 'first=i', 'damage=f', 'psql=s', 'dir=s', 'out=s', 'log=s', 'replay=s', 'print') or exit 2;
$o{seed} = int $o{seed};
$o{calls} = 10000 unless $o{calls} || $o{seconds} || $o{replay};
$| = 1;

my ($DB, $TEMPLATE, $SCRATCH) = qw(fuzz fuzz_template fuzz_scratch);
my @ROLES = qw(postgres keeper alice alice bob);
my $SILENT = 90;		# seconds after which a batch counts as one that can't be ended
my (%session, %state_count, %found, @memory, $calls, $statements, $batches);
my $began = time;
$calls = $statements = $batches = 0;

# ---------------------------------------------------------------- the server

sub shell_psql
{
	my ($database, @args) = @_;
	my $out = qx{$o{psql} -XqAt -U postgres -d $database @args 2>&1};
	return ($? >> 8, $out);
}

sub one_sql
{
	my ($database, $sql) = @_;
	$sql =~ s/'/'\\''/g;
	return shell_psql($database, "-F '\t' -c '$sql'");
}

sub must
{
	my ($database, $sql) = @_;
	my ($rc, $out) = one_sql($database, $sql);
	die "$sql: $out" if $rc || $out =~ /ERROR/;
	return map { [ split /\t/, $_, -1 ] } split /\n/, $out;
}

# A crash is recovered from by itself: wait for it.
sub await_server
{
	for (1 .. 600)
	{
		my ($rc) = one_sql('postgres', 'SELECT 1');
		return if !$rc;
		sleep 0.1;
	}
	die "the server is not there\n";
}

sub fresh_database
{
	my ($name, $template) = @_;
	must('postgres', "DROP DATABASE IF EXISTS $name WITH (FORCE)");
	must('postgres', "CREATE DATABASE $name OWNER keeper TEMPLATE $template");
}

sub renew_models
{
	my ($database) = @_;
	my ($rc, $out) = shell_psql($database, "-f $FindBin::Bin/models.sql");
	die $out if $rc;
}

sub set_up
{
	my ($rc, $out) = one_sql('postgres', q{DO $$ DECLARE r text; BEGIN FOREACH r IN ARRAY '{keeper,alice,bob}'::text[] LOOP
		IF to_regrole(r) IS NULL THEN EXECUTE 'CREATE ROLE ' || r || ' LOGIN'; END IF; END LOOP; END $$});
	die $out if $rc || $out =~ /ERROR/;
	fresh_database($TEMPLATE, 'template0');
	($rc, $out) = shell_psql($TEMPLATE, "-f $FindBin::Bin/setup.sql");
	die $out if $rc;
	my @kept = must($TEMPLATE, q{SELECT kind, encode(m, 'hex') FROM kept WHERE m IS NOT NULL ORDER BY i});
	push @{ $Value::ORIGINALS{ $_->[0] } }, pack 'H*', $_->[1] for @kept;
	my $ask = sub { must($TEMPLATE, 'LOAD \'rnnforecast\'; ' . $_[0]) };
	Statement::learn($ask);
	Damage::learn($ask);
	@Value::OPTIONS = $ask->('SELECT name, type, "default", min, max FROM rnn_options ORDER BY name');
	renew_models($TEMPLATE);
	fresh_database($DB, $TEMPLATE);
}

sub session
{
	my ($role) = @_;
	return $session{$role} //= Session->new(psql => $o{psql}, dir => $o{dir}, user => $role, database => $DB);
}

# -------------------------------------------------------------------- batches

# A batch by its number: {name, role, damage, statements}.
sub batch
{
	my ($n) = @_;
	my $hash = 0;
	$hash = ($hash * 1103515245 + 12345 + $_) & 0x7fffffff for $o{seed} & 0xffff, $o{seed} >> 16 & 0xffff, $n & 0xffff, $n >> 16;
	srand $hash;
	rand for 1 .. 5;
	my %b = (name => "$o{seed}.$n", role => pick(@ROLES), damage => []);
	push @{ $b{damage} }, Damage::any() for 1 .. chance($o{damage}) * pick(1, 1, 2, 3);
	my $transaction = chance(0.15);
	my $patience = 'SET statement_timeout = ' . pick(50, 100, 100, 500);
	my @s = ($patience, Statement::settings());
	push @s, '\set ON_ERROR_ROLLBACK on', 'BEGIN ISOLATION LEVEL ' . pick('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE') . pick('', '', ' READ ONLY', ' READ ONLY DEFERRABLE') if $transaction;
	push @s, Statement::heavy() if $b{role} eq 'postgres' && chance(0.03);
	my $n_calls = $Statement::forged = 0;
	while ($n_calls < 30)
	{
		my @more = Statement::any();
		$n_calls += grep { is_call($_) } @more;
		push @s, @more;
		push @s, 'RESET ALL', $patience, Statement::settings() if !$transaction && chance(0.05);
	}
	push @s, pick('COMMIT', 'ROLLBACK'), '\set ON_ERROR_ROLLBACK off' if $transaction;
	$b{statements} = [ map { /^\\/ ? $_ : "$_;" } @s ];
	return \%b;
}

# One call is one statement that calls something of ours.
sub is_call
{
	my ($s) = @_;
	return $s =~ /\b(rnn_|forged\d|EXECUTE p\b|FETCH)/ && $s !~ /^(SET|RESET|CREATE (AGGREGATE|FUNCTION)|DROP|PREPARE|DECLARE|ALTER)/;
}

# Around each batch: how it begins, and that it leaves nothing.
my @before = ('ABORT;', 'RESET ALL;', 'SET client_min_messages = error;');
my @after = ('ABORT;', 'RESET ALL;', q{SELECT 'BAD lock ' || locktype || ' ' || mode FROM pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid() AND relation IS DISTINCT FROM 'pg_catalog.pg_locks'::regclass AND locktype <> 'virtualxid' LIMIT 1;},
	q{SELECT 'BAD cursor ' || name FROM pg_catalog.pg_cursors LIMIT 1;});

# What is wrong with what was said, as a key that tells findings apart, or ''.
sub wrong
{
	my ($statement, $said) = @_;
	my $what = $statement =~ /\b(rnn_\w+|forged)/ ? $1 : '';
	if ($said->{text} =~ /(?:ERROR|WARNING|FATAL|PANIC):  (XX(?!001).*)/)
	{
		my $message = $1;
		my ($at) = $said->{text} =~ /\Q$message\E.*?^LOCATION:  (.*?)$/ms;
		$at //= '';
		$message =~ s/\d{2,}/N/g;
		return "error $message ($at)";
	}
	return "lost $said->{state}" if $said->{state} =~ /^57P0|^08/;
	return "answer $1 of $what" if $said->{text} =~ /^(BAD(?: \w+)?)/m;
	return '';
}

# Run a batch; returns the findings, {key, at}.
sub run_batch
{
	my ($b, $session) = @_;
	my @all = (@before, @{ $b->{statements} }, @after);
	my ($said, $why) = $session->run(\@all, $SILENT);
	my @wrong;
	for my $i (0 .. $#$said)
	{
		$state_count{ $said->[$i]{state} }++ if is_call($all[$i]);
		my $key = wrong($all[$i], $said->[$i]);
		push @wrong, { key => $key, at => $i - @before, said => $said->[$i]{text} } if $key && !($why && $key =~ /^lost/);
	}
	if ($why)
	{
		my $i = @$said;
		$i-- while $i > 0 && ($said->[ $i - 1 ]{state} =~ /^(57P0|08)/ || ($said->[ $i - 1 ]{text} =~ /server closed|connection to server was lost|no connection/));
		my $culprit = $all[$i] // '';
		my $what = join ' ', sort keys %{ { map { $_ => 1 } $culprit =~ /\b(rnn_\w+)/g } };
		push @wrong, { key => ($why eq 'silent' ? 'no end' : 'crash') . " in $what", at => $i - @before, said => $session->{rest} // '' };
	}
	return @wrong;
}

sub lost_sessions
{
	for my $role (keys %session)
	{
		kill 'KILL', $session{$role}{pid} if $session{$role}{pid};
		$session{$role}->close;
	}
	%session = ();
	one_sql('postgres', "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname IN ('$DB', '$SCRATCH')");
	await_server();
}

# The same in a database of its own.
sub run_alone
{
	my ($b) = @_;
	fresh_database($SCRATCH, $TEMPLATE);
	my $boss = Session->new(psql => $o{psql}, dir => $o{dir}, user => 'postgres', database => $SCRATCH);
	$boss->run([ map { "$_;" } @{ $b->{damage} } ], 30) if @{ $b->{damage} };
	my $session = Session->new(psql => $o{psql}, dir => $o{dir}, user => $b->{role}, database => $SCRATCH);
	my @wrong = run_batch($b, $session);
	if (grep { $_->{key} =~ /^(crash|no end|lost)/ } @wrong)
	{
		kill 'KILL', $_->{pid} for $boss, $session;
		$_->close for $boss, $session;
		lost_sessions();
	}
	else
	{
		$_->close for $boss, $session;
	}
	return @wrong;
}

# ------------------------------------------------------------------- findings

# The fewest statements that show it again, by leaving out what can be left out.
sub shrink
{
	my ($b, $key, $at) = @_;
	my %count = %state_count;
	my @s = @{ $b->{statements} }[ 0 .. ($at > $#{ $b->{statements} } ? $#{ $b->{statements} } : $at < 0 ? 0 : $at) ];
	my $again = sub { my $try = { %$b, @_ }; return grep { $_->{key} eq $key } run_alone($try) };
	my $seen = $again->(statements => \@s);
	my $tries = 0;
	for (my $size = int((@s + 1) / 2); $seen && $size >= 1 && $tries < 60; $size = int($size / 2))
	{
		for (my $i = 0; $i < @s - 1 && $tries < 60;)
		{
			my @less = @s;
			splice @less, $i, ($i + $size > $#s ? $#s - $i : $size);
			$tries++;
			if ($again->(statements => \@less)) { @s = @less }
			else { $i += $size }
		}
	}
	%state_count = %count;
	return ($seen, @s);
}

sub finding
{
	my ($b, $wrong) = @_;
	return if $found{ $wrong->{key} }++;
	my ($seen, @s) = $wrong->{key} =~ /^no end/ ? (0, @{ $b->{statements} }) : shrink($b, $wrong->{key}, $wrong->{at});
	my $file = sprintf '%s/found-%s-%d.sql', $o{out}, $b->{name}, scalar keys %found;
	my ($version) = map { $_->[0] } must('postgres', 'SHOW server_version');
	my $text = join '', map { "$_\n" } "-- found: $wrong->{key}", "-- seed $b->{name}, PostgreSQL $version" . ($seen ? '' : '; not seen again in a fresh database'), "-- role: $b->{role}",
	  (map { "-- damage: " . s/\n/ /gr } @{ $b->{damage} }), @s;
	open my $out, '>', $file or die "$file: $!\n";
	print $out $text;
	close $out;
	print "FOUND $wrong->{key}\n", ($wrong->{said} =~ s/^/    /gmr), "\n";
	print $text =~ s/^(.{500}).*/$1 .../gmr, "  replay: $file\n";
}

sub replay
{
	my ($file) = @_;
	open my $in, '<', $file or die "$file: $!\n";
	my %b = (name => 'replay', role => 'alice', damage => [], statements => []);
	my $text = '';
	while (<$in>)
	{
		if (/^-- role: (\w+)/) { $b{role} = $1 }
		elsif (/^-- damage: (.*)/) { push @{ $b{damage} }, $1 }
		elsif (!/^-- /) { $text .= $_ }
	}
	# A statement ends with a line's end; one that goes on is put together again by psql.
	$b{statements} = [ $text ];
	my @wrong = run_alone(\%b);
	print "FOUND $_->{key}\n$_->{said}\n" for @wrong;
	print scalar(@wrong), " findings\n";
	return @wrong;
}

# --------------------------------------------------------------------- memory

sub sample_memory
{
	for my $role (sort keys %session)
	{
		my ($kb, $contexts, $files) = $session{$role}->usage or next;
		push @memory, { who => "$role $session{$role}{backend}", at => time - $began, kb => $kb, contexts => $contexts, files => $files };
	}
}

# The least of a backend's samples between two shares of its time.
sub least
{
	my ($samples, $what, $from, $to) = @_;
	my $first = $samples->[0]{at};
	my $span = $samples->[-1]{at} - $first;
	return min(map { $_->{$what} } grep { $_->{at} >= $first + $from * $span && $_->{at} <= $first + $to * $span } @$samples);
}

# What a backend holds in the last quarter of its time against the second: what
# was once needed and given back is no growth.  malloc keeps what the largest
# statement took, so it is the memory contexts that must not grow in a long run.
sub memory_report
{
	my %of;
	push @{ $of{ $_->{who} } }, $_ for @memory;
	for my $who (sort keys %of)
	{
		my $m = $of{$who};
		my $hours = ($m->[-1]{at} - $m->[0]{at}) / 2 / 3600;
		next if @$m < 12;
		my @early = map { least($m, $_, 0.25, 0.5) } qw(contexts kb);
		my @late = map { least($m, $_, 0.75, 1) } qw(contexts kb);
		my @rate = map { ($late[$_] - $early[$_]) / 1024 / $hours } 0, 1;
		printf "memory of %s, %.0f s: contexts %.1f MB, then %.1f MB (%+.1f MB an hour); process %.1f MB, then %.1f MB (%+.1f); %d files\n", $who, $hours * 7200,
		  map({ ($early[$_] / 1024, $late[$_] / 1024, $rate[$_]) } 0, 1), $m->[-1]{files};
		$found{"memory of $who"}++ if $hours > 0.25 && $rate[0] > 10;
	}
}

# ------------------------------------------------------------------------ run

set_up();
exit(replay($o{replay}) ? 1 : 0) if $o{replay};
my $routines = 0;
$routines += @$_ for values %Statement::ROUTINES;
printf "seed %d, %d functions of %d names\n", $o{seed}, $routines, scalar @Statement::NAMES;
my $log_at = $o{log} ? -s $o{log} : 0;
my $sampled = 0;

for (my $n = $o{first}; (!$o{calls} || $calls < $o{calls}) && (!$o{seconds} || time - $began < $o{seconds}); $n++)
{
	my $b = batch($n);
	if ($o{print})
	{
		print "-- $b->{name} $b->{role}\n", map { "$_\n" } @{ $b->{damage} }, @{ $b->{statements} };
	}
	$batches++;
	$calls += grep { is_call($_) } @{ $b->{statements} };
	$statements += @{ $b->{statements} };
	my @wrong = @{ $b->{damage} } ? run_alone($b) : run_batch($b, session($b->{role}));
	lost_sessions() if !@{ $b->{damage} } && grep { $_->{key} =~ /^(crash|no end|lost)/ } @wrong;
	finding($b, $_) for @wrong;
	renew_models($DB) if $n % 100 == 0;
	sample_memory(), $sampled = time if time - $sampled > 5;
	printf "%d calls, %.0f a second, %d findings\n", $calls, $calls / (time - $began), scalar keys %found if $batches % 500 == 0;
}
sample_memory();
memory_report();
$_->close for values %session;

# What only the server's log tells.
if ($o{log} && open my $log, '<', $o{log})
{
	seek $log, $log_at, 0;
	while (<$log>)
	{
		next unless /terminated by signal|PANIC|TRAP: |exited with exit code (?!1\b)\d/;
		print "LOG $_";
		$found{'the server\'s log'}++;
	}
}

my $seconds = time - $began;
print 'errors: ', join(', ', map { ($_ eq '00000' ? 'none' : $_) . " $state_count{$_}" } sort { $state_count{$b} <=> $state_count{$a} } keys %state_count), "\n";
printf "%d calls in %d statements and %d batches, %.0f s, %.0f a second, %d findings\n", $calls, $statements, $batches, $seconds, $calls / $seconds, scalar keys %found;
print "  $found{$_} x $_\n" for sort keys %found;
exit(%found ? 1 : 0);
