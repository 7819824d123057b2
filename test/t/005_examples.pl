# Every SQL block of README.md and docs/ runs as it stands, in order, in one
# session per page, in examples/.  Where a block of output follows, all of it must
# be the same but for figures, which may differ a little with the processor.
# UPDATE_EXAMPLES=1 writes the output of today into the pages instead; EXAMPLES_OF
# names some pages.
#
# A comment "<!-- before: SQL -->" right before a block gives that block a
# database of its own, in which the SQL ran first.  "<!-- with: X = Y, Z = W -->"
# has Y in place of X and W in place of Z, for what other programs fill in.
# What a block after "<!-- picture: FILE -->" prints is the picture in FILE.
# "<!-- setup: PAGE PAGE -->" runs the blocks of other pages first.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = abs_path(dirname(__FILE__) . '/../..');
my $node = PostgreSQL::Test::Cluster->new('examples');
my $databases = 0;
my $picture = qr/<!-- picture: (\S+) -->\n\z/;

$node->init;
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'\n");
$node->start;

# Output of each piece of SQL, run one after the other in a new database; dies
# with the message where one fails.
sub run
{
	my @pieces = @_;
	my $name = 'examples' . ++$databases;
	my $mark = '----- piece';
	my $input = "\\pset footer off\n\\set QUIET on\n";
	my ($output, $errors);

	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$input .= "$_\n\\echo '$mark'\n" for @pieces;
	IPC::Run::run(
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', '-', '-d', $node->connstr($name) ],
		'<', \$input, '>', \$output, '2>', \$errors,
		init => sub { chdir "$root/examples" or die "examples/: $!" })
	  or die $errors;
	return split /^$mark\n/m, $output;
}

# Cells of each line; lines of dashes are widths of columns.
sub cells
{
	my ($output) = @_;

	return map { [ map { s/^\s+|\s+$//gr } split /\|/ ] } grep { /\S/ && !/^-+(\+-+)*$/ } split /\n/, $output;
}

# Numbers may be off by a tenth, or by 2 in the last of the digits shown; those
# with an exponent, as gradients have that vanish or explode, two orders: such
# a chain multiplies what kernels round differently.
sub alike
{
	my ($x, $y) = @_;
	my ($number, $power) = (qr/^-?\d+(?:\.(\d+))?$/, qr/^\d\.\d+e[-+]\d+$/);

	return 1 if $x eq $y;
	return abs(log($x / $y)) <= log(100) + 0.05 * abs(log $x) if $x =~ $power && $y =~ $power && $x * $y > 0;
	return 0 unless $x =~ $number;
	my $last = 10 ** -length($1 // '');
	return $y =~ $number && abs($x - $y) <= 2 * $last + 0.1 * (abs($x) > abs($y) ? abs($x) : abs($y));
}

# What is not alike, by line and column; empty where all is.
sub differences
{
	my ($page, $today) = @_;
	my @page = cells($page);
	my @today = cells($today);
	my @found;

	return scalar(@page) . ' lines, today ' . scalar(@today) if @page != @today;
	for my $line (0 .. $#page)
	{
		my ($x, $y) = ($page[$line], $today[$line]);

		push @found, "line $line: " . scalar(@$x) . ' columns, today ' . scalar(@$y) if @$x != @$y;
		push @found, map { "line $line: $x->[$_], today $y->[$_]" }
		  grep { !alike($x->[$_], $y->[$_] // '') } 0 .. $#$x;
	}
	return join "\n", @found;
}

# A page as pieces of text, alternating: text before, SQL, output or undef.
sub parse
{
	my ($page) = @_;
	my @blocks;

	while ($page =~ /\G(.*?)^```sql\n(.*?)^```\n(?:```\n(.*?)^```\n)?/gcms)
	{
		push @blocks, { text => $1, sql => $2, output => $3 };
	}
	$page =~ /\G(.*)/gs;
	return ($1, @blocks);
}

# The SQL of a block, with what a comment before it fills in.
sub filled_in
{
	my ($block) = @_;
	my $sql = $block->{sql};

	return "\\pset format unaligned\n$sql\\pset format aligned\n" if $block->{text} =~ $picture;
	return $sql unless $block->{text} =~ /<!-- with: (.*) -->\n\z/;
	for my $pair (split /, (?=[\$\{]+\w)/, $1)
	{
		my ($placeholder, $value) = split / = /, $pair, 2;

		$sql =~ s/\Q$placeholder\E/$value/g or die "$placeholder is not in the block";
	}
	return $sql =~ s/;?\s*\z/;\n/r;
}

# The picture that a page shows is the one that its block draws, but for figures.
sub check_picture
{
	my ($path, $file, $today) = @_;
	my ($svg) = $today =~ /(<svg.*<\/svg>)/s or return fail("$path: a block draws $file");

	if ($ENV{UPDATE_EXAMPLES})
	{
		open my $out, '>', "$root/$file" or die "$file: $!";
		print $out "$svg\n";
		close $out or die "$file: $!";
		return;
	}
	my ($then, $now) = map { s/\d+(\.\d+)?/0/gr =~ s/\s+$//r } slurp_file("$root/$file"), $svg;
	ok(abs(length($then) - length($now)) < 0.1 * length($then) && substr($then, 0, 400) eq substr($now, 0, 400),
		"$path: $file is the picture that its block draws");
}

# What runs before a page that goes on where another one ended.
sub setup_of
{
	my ($path) = @_;
	my (undef, @blocks) = parse(slurp_file("$root/$path"));

	return map { filled_in($_) } grep { $_->{text} !~ /<!-- before: [^>]*-->\n\z/ } @blocks;
}

sub check_page
{
	my ($path) = @_;
	my $page = slurp_file("$root/$path");
	my ($rest, @blocks) = parse($page);
	my @together;

	for my $block (@blocks)
	{
		if ($block->{text} =~ /<!-- before: ([^>]*)-->\n\z/)
		{
			my @out = eval { run($1, $block->{sql}) };
			is($@, '', "$path: a block of its own runs") or return;
			$block->{today} = $out[1];
		}
		else
		{
			push @together, $block;
		}
	}
	my @before = $page =~ /^<!-- setup: (.*) -->$/m ? map { setup_of($_) } split / /, $1 : ();
	my @out = eval { run(@before, map { filled_in($_) } @together) };
	is($@, '', "$path: " . scalar(@together) . ' blocks run') or return;
	splice @out, 0, scalar @before;
	$together[$_]{today} = $out[$_] // '' for 0 .. $#together;

	my ($new, $number) = ('', 0);
	for my $block (@blocks)
	{
		$new .= "$block->{text}```sql\n$block->{sql}```\n";
		$number++;
		check_picture($path, $1, $block->{today}) if $block->{text} =~ $picture;
		next unless defined $block->{output};
		$block->{today} =~ s/\s*\z/\n/;
		is(differences($block->{output}, $block->{today}), '', "$path: output of block $number")
		  unless $ENV{UPDATE_EXAMPLES};
		$new .= "```\n$block->{today}```\n";
	}
	return unless $ENV{UPDATE_EXAMPLES} && $new . $rest ne $page;
	open my $file, '>', "$root/$path" or die "$path: $!";
	print $file $new, $rest;
	close $file or die "$path: $!";
}

my @pages = split /\n/, qx{cd '$root' && find docs -name '*.md' | LC_ALL=C sort};
for my $path ($ENV{EXAMPLES_OF} ? split(/ /, $ENV{EXAMPLES_OF}) : ('README.md', @pages))
{
	check_page($path) if slurp_file("$root/$path") =~ /^```sql$/m;
}

$node->stop;
done_testing();
