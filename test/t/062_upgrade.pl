# A database that was upgraded by the scripts sql/rnnforecast--A--B.sql has the same
# catalog as one in which the newest version was created, down to comments and grants.
#
# The SQL of released versions is kept as test/upgrade/rnnforecast--A.sql.  The test has
# a server of its own to install them in.  A made-up next version shows that the
# comparison sees what an upgrade forgets.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Path qw(make_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = abs_path(dirname(__FILE__) . '/../..');
my ($current) = slurp_file("$root/rnnforecast.control") =~ /^default_version = '(.*)'/m;
my $place = PostgreSQL::Test::Utils::tempdir();
my $config = $ENV{PG_CONFIG} // 'pg_config';
my %folder = map { chomp(my $path = qx{'$config' --$_}); $_ => $path } qw(bindir sharedir pkglibdir);

# A server's folders keep their places relative to each other.
for my $path (values %folder)
{
	make_path("$place$path");
	system('cp', '-RL', "$path/.", "$place$path") == 0 or die "cannot copy $path";
}
my $extensions = "$place$folder{sharedir}/extension";
my $node = PostgreSQL::Test::Cluster->new('upgrade', install_path => dirname("$place$folder{bindir}"));
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\n");
$node->start;

sub write_file
{
	my ($path, $text) = @_;

	open my $file, '>', $path or die "$path: $!";
	print $file $text;
	close $file or die "$path: $!";
}

# All that the extension has in a new database, as pg_dump writes it for pg_upgrade,
# without the numbers that differ; and which tables a dump takes rows of.
sub catalog
{
	my ($database, @commands) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, $_) for @commands;
	my ($dump, $errors) = run_command([ "$place$folder{bindir}/pg_dump", '--binary-upgrade', '--schema-only', '-d', $node->connstr($database) ]);
	is($errors, '', "$database: dumped");
	$dump =~ s/^(--.*|\\(un)?restrict .*|)\n//gm;
	$dump =~ s/^SELECT pg_catalog\.binary_upgrade_(set_next|create_empty)\w*\(.*?\);\n//gms;
	$dump =~ s/^UPDATE pg_catalog\.pg_class\nSET relfrozenxid.*?;\n//gms;
	$dump =~ s/^SELECT pg_catalog\.setval\(.*;\n//gm;
	return "$dump\n" . $node->safe_psql($database, q{
		SELECT extversion, extnamespace::regnamespace, c.oid::regclass, condition
		FROM pg_extension, unnest(extconfig, extcondition) AS u (oid, condition) JOIN pg_class AS c ON c.oid = u.oid
		WHERE extname = 'rnnforecast'});
}

# The lines that only one of two catalogs has.
sub differences
{
	my ($a, $b) = map { my %lines; $lines{$_}++ for split /\n/, $_; \%lines } @_;

	return join "\n", (map { "- $_" } grep { !$b->{$_} } sort keys %$a), (map { "+ $_" } grep { !$a->{$_} } sort keys %$b);
}

# Puts the kept SQL of each version that has an upgrade script beside the scripts.
sub install_versions
{
	for my $script (glob "$root/sql/rnnforecast--*--*.sql")
	{
		my ($old) = basename($script) =~ /--(.*)--/;
		my $kept = "$root/test/upgrade/rnnforecast--$old.sql";

		ok(-f $kept || $old eq $current, "the SQL of $old is kept") or next;
		write_file("$extensions/rnnforecast--$old.sql", slurp_file($kept)) if -f $kept;
	}
}

my $fresh = catalog('fresh', 'CREATE EXTENSION rnnforecast');
like($fresh, qr/CREATE AGGREGATE .*rnn_train\(/, 'the catalog has aggregates');
like($fresh, qr/COMMENT ON FUNCTION .*rnn_forecast\(/, 'and comments');
is(differences($fresh, catalog('again', 'CREATE EXTENSION rnnforecast')), '', 'twice the same');

install_versions();
for my $script (glob "$root/test/upgrade/rnnforecast--*.sql")
{
	my ($old) = basename($script, '.sql') =~ /--(.*)/;
	next if $old eq $current;
	(my $database = "from_$old") =~ s/\W/_/g;
	is(differences($fresh, catalog($database, "CREATE EXTENSION rnnforecast VERSION '$old'", 'ALTER EXTENSION rnnforecast UPDATE')),
		'', "$old to $current");
}

# The next version has one function more, another comment and a column; its first upgrade forgets
# the comment and the grant.
my $install = slurp_file("$extensions/rnnforecast--$current.sql");
my $addition = q{
	CREATE FUNCTION rnn_next() RETURNS int LANGUAGE sql AS 'SELECT 1';
	ALTER TABLE _rnn_registry ADD COLUMN next int DEFAULT 1;
};
my $forgotten = q{
	COMMENT ON FUNCTION rnn_next() IS 'The next version';
	REVOKE ALL ON FUNCTION rnn_next() FROM PUBLIC;
};
write_file("$extensions/rnnforecast--9999.sql", "$install$addition$forgotten");
write_file("$extensions/rnnforecast--$current--9999.sql", "$addition$forgotten");
write_file("$extensions/rnnforecast--$current--9998.sql", $addition);
write_file("$extensions/rnnforecast--9998--9999.sql", '');

my $next = catalog('next_fresh', "CREATE EXTENSION rnnforecast VERSION '9999'");
my @fill = (
	"CREATE EXTENSION rnnforecast VERSION '$current'",
	q{CREATE TABLE t AS SELECT date '2025-01-01' + n AS day, n % 7 AS value FROM generate_series(0, 99) AS n},
	q{SELECT rnn_fit('kept', 'SELECT day, value FROM t', 7, '{"network": false}')});
my $upgraded = catalog('next_upgraded', @fill, "ALTER EXTENSION rnnforecast UPDATE TO '9999'", 'DROP TABLE t');
is(differences($next, $upgraded), '', "$current to a made-up version");
is($node->safe_psql('next_upgraded', q{SELECT count(*) FROM rnn_forecast_model('kept')}), '7', 'a named model forecasts after the upgrade');
my $missed = differences($next, catalog('next_missed', "CREATE EXTENSION rnnforecast VERSION '$current'",
	q{ALTER EXTENSION rnnforecast UPDATE TO '9998'}, q{ALTER EXTENSION rnnforecast UPDATE TO '9999'}));
like($missed, qr/^- COMMENT ON FUNCTION public\.rnn_next/m, 'a forgotten comment is seen');
like($missed, qr/^- REVOKE ALL ON FUNCTION public\.rnn_next/m, 'a forgotten grant is seen');

$node->stop;
done_testing();
