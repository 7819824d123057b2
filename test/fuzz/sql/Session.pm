# A role's connection: one psql that lives as long as its backend, and is sent
# batches of statements as files.  psql rather than a driver, as Perl's are not
# everywhere.
package Session;

use strict;
use warnings;
use IPC::Open2;
use Time::HiRes 'time';

my $opened = 0;

sub new
{
	my ($class, %where) = @_;	# psql, dir, user, database
	my $self = bless { %where, file => "$where{dir}/batch-$$-" . ++$opened . '.sql' }, $class;
	$self->open;
	return $self;
}

sub open
{
	my ($self) = @_;
	my $command = "exec $self->{psql} -XqAt -v ON_ERROR_STOP=0 -U $self->{user} -d $self->{database} 2>&1";
	$self->{buffer} = '';
	$self->{pid} = open2($self->{out}, $self->{in}, $command);
	binmode $self->{in};
	my ($said) = $self->run([ '\set VERBOSITY verbose', '\set SHOW_CONTEXT never', '\pset pager off',
			"SELECT 'backend ' || pg_backend_pid();" ], 60);
	($self->{backend}) = join('', map { $_->{text} } @$said) =~ /^backend (\d+)/m
	  or die "cannot connect as $self->{user}: " . join('', map { $_->{text} } @$said) . "\n";
}

sub close
{
	my ($self) = @_;
	return unless $self->{pid};
	close $self->{in};
	close $self->{out};
	waitpid $self->{pid}, 0;
	unlink $self->{file};
	$self->{pid} = 0;
}

# Run statements.  Returns what each has said, {state, text}, and why it broke
# off: '' or "closed" or "silent" (within so many seconds).
sub run
{
	my ($self, $statements, $seconds) = @_;
	my $text = '';
	# The marker begins on a line of its own, whatever came before.
	$text .= "$statements->[$_]\n\\echo '\@\@$_' :SQLSTATE\n" for 0 .. $#$statements;
	# A new file: psql may still look for more in the one before.
	unlink $self->{file};
	CORE::open my $file, '>', $self->{file} or die "$self->{file}: $!\n";
	print $file $text;
	CORE::close $file;
	local $SIG{PIPE} = 'IGNORE';
	syswrite $self->{in}, "\\i $self->{file}\n" or return ([], 'closed');

	my ($last, $until, $why) = ("\@\@$#$statements ", time + $seconds, '');
	$self->{buffer} = '';
	until ($self->{buffer} =~ /^\Q$last\E.*\n/m)
	{
		my $bits = '';
		vec($bits, fileno $self->{out}, 1) = 1;
		my $left = $until - time;
		if ($left <= 0 || !select($bits, undef, undef, $left))
		{
			$why = 'silent';
			last;
		}
		if (!sysread $self->{out}, $self->{buffer}, 1 << 16, length $self->{buffer})
		{
			$why = 'closed';
			last;
		}
	}
	$why = 'closed' if $self->{buffer} =~ /server closed the connection|connection to server was lost|no connection to the server|terminating connection/;
	my (@said, $at);
	$at = 0;
	while ($self->{buffer} =~ /\G(.*?)^\@\@(\d+) (\S*)\n/gsm)
	{
		push @said, { text => $1, state => $3 };
		$at = pos $self->{buffer};
	}
	$self->{rest} = substr $self->{buffer}, $at;
	return (\@said, $why);
}

# What the backend holds: kB of its own memory, of that in memory contexts, and
# open files.
sub usage
{
	my ($self) = @_;
	my ($said) = $self->run([ 'ABORT;', 'RESET ALL;', q{SELECT 'contexts ' || sum(total_bytes) / 1024 FROM pg_catalog.pg_backend_memory_contexts;} ], 60);
	my ($contexts) = join('', map { $_->{text} } @$said) =~ /^contexts (\d+)/m or return;
	CORE::open my $status, '<', "/proc/$self->{backend}/status" or return;
	my ($kb) = join('', <$status>) =~ /^RssAnon:\s+(\d+) kB/m or return;
	opendir my $dir, "/proc/$self->{backend}/fd" or return ($kb, $contexts, 0);
	return ($kb, $contexts, scalar grep { /^\d/ } readdir $dir);
}

1;
