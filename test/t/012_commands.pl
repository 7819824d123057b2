# Every shell block of README.md, CONTRIBUTING.md, examples/ and docs/ runs as it
# stands, in the checkout, against the test's own server; lines of a crontab
# without their times.  SQL in a comment "<!-- before: ... -->" right before a
# block runs first.  What can't run here is listed below, each with its reason;
# a command that is neither run nor listed fails, and so does a needless line of
# the list.  005_examples.pl does the same for SQL.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @elsewhere = (
	[ qr/^sudo /, 'changes the machine' ],
	[ qr/^make install$/, 'changes an installed server' ],
	[ qr/^make docs$/, 'takes the generator from PyPI' ],
	[ qr{^(tools/package |make dist$)}, 'builds packages' ],
	[ qr{^(git (tag|push) |cp sql/|UPDATE_MODELS=)}, 'makes a release' ],
	[ qr/^make (unit|unit-asan|installcheck|tap|fuzz)$/, 'is a suite of its own, this one among them' ],
	[ qr{^tools/(demo|try-readme|check[-a-z]*|fuzz|coverage)\b}, 'builds a server of its own' ],
	[ qr{^tools/(fit|pretrain) }, 'takes hours, and makes the prior' ],
	[ qr{^examples/superset/run\b}, 'installs Superset' ],
	[ qr{^bench/}, 'measures for minutes to hours; tools/check leaves bench/ behind' ],
	[ qr{^(make )?build/(prior_samples|pretrain/trust)\b}, 'reads bench/, which tools/check leaves behind' ],
	[ qr/cron\.schedule/, 'needs pg_cron; 022_cron.pl calls it' ]);
my %used;

my $root = abs_path(dirname(__FILE__) . '/../..');
my $node = PostgreSQL::Test::Cluster->new('commands');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'\n");
$node->start;
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
delete $ENV{PGDATABASE};

# A page without the text and the blocks of other languages: [before, kind, commands]
sub blocks
{
	my ($page) = @_;
	my @blocks;

	while ($page =~ /(?:<!-- before: ((?:(?!-->).)*)-->\n)?^```(\w*)\n(.*?)^```$/gms)
	{
		push @blocks, [ $1 // '', $2, $3 ];
	}
	return @blocks;
}

# Commands of a block; a line that ends in | or \ goes on.
sub commands
{
	my ($text) = @_;

	return grep { /\S/ } map { s{\s+# .*}{}r } split /(?<![|\\])\n/, $text;
}

sub is_elsewhere
{
	my ($command) = @_;

	for my $entry (@elsewhere)
	{
		next unless $command =~ $entry->[0];
		$used{ $entry->[0] } = 1;
		return 1;
	}
	return 0;
}

# The status of a shell's commands, and what it printed.
sub shell
{
	my ($script) = @_;
	my $output = '';

	IPC::Run::run([ 'bash', '-e', '-o', 'pipefail', '-c', $script ],
		'<', \undef, '>', \$output, '2>&1', init => sub { chdir $root or die "$root: $!" });
	return ($? >> 8, $output);
}

sub prepare
{
	my ($before) = @_;
	my ($out, $err);

	return 1 if $before eq '';
	IPC::Run::run([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', 'postgres', '-f', '-' ], '<', \$before, '>', \$out, '2>', \$err);
	return is($?, 0, "what comes before it: $err");
}

# Databases that a page made are its own.
sub drop_databases
{
	$node->safe_psql('postgres', qq{DROP DATABASE "$_"})
	  for split /\n/, $node->safe_psql('postgres', q{SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'});
}

sub check_page
{
	my ($path) = @_;
	my $page = slurp_file("$root/$path");
	my $prefix = $path eq 'docs/operations.md' ? 'repair 20: ' : '';
	my $number = 0;

	for my $block (blocks($page))
	{
		my ($before, $kind, $text) = @$block;
		$number++;
		# Code of other tools stands beside ours; what needs TimescaleDB is tested by 052_timescaledb.pl.
		next if grep { $kind eq $_ } '', 'sql', 'python', 'bigquery', 'timescaledb';
		ok($kind eq 'sh' || $kind eq 'crontab', "$path: block $number is of a known kind: $kind") or next;
		$text =~ s/^(?:\S+ ){5}//gm if $kind eq 'crontab';
		my @here = grep { !is_elsewhere($_) } commands($text);
		next unless @here && prepare($before);
		my ($status, $output) = shell(join "\n", @here);
		is($status, 0, "${prefix}$path: shell block $number runs") or diag("$here[0]\n$output");
	}
	drop_databases();

	# What is indented is a formula or a picture, never a command.
	$page =~ s/^```.*?^```$//gms;
	my @bare = grep { m{^    (?:sudo|make|psql|cd|pg_\w+|SELECT|CREATE|(?:tools|bench|examples|build)/\S+)\b} } split /\n/, $page;
	is("@bare", '', "$path: commands are in blocks that are run");
}

$node->safe_psql('postgres', 'CREATE ROLE forecaster SUPERUSER LOGIN');
check_page($_) for 'README.md', 'CONTRIBUTING.md', 'examples/README.md', split /\n/, qx{cd '$root' && find docs -name '*.md' | LC_ALL=C sort};
ok($used{ $_->[0] }, "$_->[0] is still in the pages") for @elsewhere;

# The way that was documented, and bytes of other dumps as text: the error says what happened.
$node->safe_psql('postgres', q{
	CREATE EXTENSION rnnforecast;
	CREATE TABLE m AS SELECT rnn_train(1, n, sin(n), '{"network": false}') AS bytes FROM generate_series(1, 100) AS n;});
for my $text (q{('R' || substr(bytes::text, 5))::bytea}, q{convert_to(bytes::text, 'UTF8')}, q{convert_to(encode(bytes, 'hex'), 'UTF8')})
{
	my ($status, $out, $err) = $node->psql('postgres', "SELECT rnn_info($text) FROM m");
	like($err, qr/model bytes are damaged: these bytes are not a model.*hexadecimal text.*HINT:  COPY reads what COPY wrote/s, "repair 20: $text is hexadecimal text");
}
unlike(($node->psql('postgres', q{SELECT rnn_info('none')}))[2], qr/hexadecimal/, 'other bytes are not');

# Examples that pages don't name.
my ($status, $chart) = shell(q{cd examples && psql -XAtq -d postgres -v ON_ERROR_STOP=1 -f chart.sql -c "
	INSERT INTO shown SELECT timestamp '2025-01-01' + n * interval '1 hour', CASE WHEN n < 6 THEN n END, 5, 4, 6
	FROM generate_series(0, 15) AS n" -c 'SELECT chart FROM pg_temp.chart(6) WHERE position(chr(9474) IN chart) > 0'});
is($status, 0, 'repair 26: a chart with rows to come is drawn') or diag($chart);
is(() = $chart =~ /\xe2\x97(?:\x8f|\x86)/g, 6, 'repair 26: and has a point for each value that came') or diag($chart);

$node->stop;
done_testing();
