# pg_upgrade takes models in tables, named models, their versions, runs, grants and the
# extension along: the same forecasts to the last bit, and the next refit works.
#
# The old server is the one at hand, or that of OLD_SERVER, the folder above the bin/
# of another major version; tools/check-upgrade runs it from each version.
use strict;
use warnings;

use Cwd qw(getcwd);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $config = $ENV{PG_CONFIG} // 'pg_config';
chomp(my $bindir = qx{'$config' --bindir});
plan skip_all => 'no pg_upgrade' unless -x "$bindir/pg_upgrade";

my $old_server = $ENV{OLD_SERVER};
my $old_bindir = $old_server ? "$old_server/bin" : $bindir;

sub start
{
	my ($name, @options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name, @options);
	my ($major) = qx{'@{[ @options ? $old_bindir : $bindir ]}/postgres' --version} =~ /(\d+)/;

	$node->init(extra => [ '--locale=C', '--encoding=UTF8', $major >= 18 ? '--no-data-checksums' : () ]);
	$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'\n");
	return $node;
}

my $old = start('old', $old_server ? (install_path => $old_server) : ());
my $new = start('new');
$old->start;
$old->safe_psql('postgres', 'CREATE ROLE keeper LOGIN; CREATE ROLE alice LOGIN');
$old->safe_psql('postgres', 'CREATE DATABASE shop OWNER keeper');
$old->safe_psql('shop', $_, extra_params => [ '-U', 'keeper' ]) for 'CREATE SCHEMA forecasts', 'CREATE EXTENSION rnnforecast SCHEMA forecasts', q{
	ALTER DATABASE shop SET search_path = public, forecasts;
	SET search_path = public, forecasts;
	GRANT USAGE ON SCHEMA forecasts TO alice;
	CREATE SCHEMA alice;
	GRANT ALL ON SCHEMA alice TO alice;
	CREATE TABLE forecasts.sales (shop text, day date, amount float8, PRIMARY KEY (shop, day));
	GRANT SELECT, INSERT ON forecasts.sales TO alice;
	INSERT INTO forecasts.sales
	SELECT shop, date '2024-01-01' + n, ascii(shop) + 10 * sin(n * 2 * pi() / 7) + sin(n * 7.3)
	FROM generate_series(1, 250) AS n, unnest('{A,B,C}'::text[]) AS shop};
$old->safe_psql('shop', $_, extra_params => [ '-U', 'alice' ]) for q{
	CREATE TABLE alice.models AS
	SELECT 'network' AS name, rnn_train(shop, day, amount, '{"start": "scratch", "steps": 20, "hidden": 4, "horizon": 14}') AS model FROM sales
	UNION ALL SELECT 'prior', rnn_train(day, amount, '{"start": "prior", "horizon": 7}') FROM sales WHERE shop = 'A'},
	q{CREATE VIEW alice.next AS SELECT name, f.* FROM alice.models, rnn_forecast(model) AS f},
	q{SELECT rnn_fit('sales', 'SELECT day, sum(amount) FROM sales GROUP BY day', 7)},
	q{SELECT rnn_grant('sales', 'keeper')},
	q{INSERT INTO sales SELECT shop, day + 1, amount FROM sales WHERE day = (SELECT max(day) FROM sales)},
	q{CALL rnn_refit('sales')},
	q{INSERT INTO sales SELECT shop, day + 1, amount FROM sales WHERE day = (SELECT max(day) FROM sales)};

my @same = (
	q{SELECT md5(string_agg(n::text, '|' ORDER BY name, series, step)) FROM alice.next AS n},
	q{SELECT md5(string_agg(f::text, '|' ORDER BY step)) FROM rnn_forecast_model('sales') AS f},
	q{SELECT md5(string_agg(f::text, '|' ORDER BY step)) FROM rnn_forecast_model('sales', options => '{"fresh": true}') AS f},
	q{SELECT string_agg(v::text, '|' ORDER BY name, version) FROM rnn_versions AS v},
	q{SELECT string_agg(r::text, '|' ORDER BY id) FROM rnn_runs AS r},
	q{SELECT string_agg(m::text, '|' ORDER BY name) FROM rnn_models AS m});
my %before = map { $_ => $old->safe_psql('shop', $_, extra_params => [ '-U', 'alice' ]) } @same;
$old->stop;

my $here = getcwd();
chdir $new->basedir or die $!;    # it writes its log where it is
my ($output, $errors) = run_command([ "$bindir/pg_upgrade", '-d', $old->data_dir, '-D', $new->data_dir,
	'-b', $old_bindir, '-B', $bindir, '-s', $new->host, '-p', $old->port, '-P', $new->port ]);
like($output, qr/^Upgrade Complete$/m, 'pg_upgrade') or diag(join "\n", "$output$errors",
	map { substr(slurp_file($_), -2000) } glob $new->data_dir . '/pg_upgrade_output.d/*/log/pg_upgrade_dump_*.log');
chdir $here or die $!;
$new->start;
is($new->safe_psql('shop', $_, extra_params => [ '-U', 'alice' ]), $before{$_}, 'the same: ' . substr($_, 0, 70)) for @same;
is($new->safe_psql('shop', q{CALL rnn_refit('sales')}, extra_params => [ '-U', 'alice' ]), 'promoted', 'a refit');
is($new->safe_psql('shop', q{SELECT count(*) FROM rnn_forecast_model('sales')}, extra_params => [ '-U', 'keeper' ]), '7', 'grants');
is($new->safe_psql('shop', q{SELECT extversion FROM pg_extension WHERE extname = 'rnnforecast'}),
	$new->safe_psql('shop', q{SELECT default_version FROM pg_available_extensions WHERE name = 'rnnforecast'}), 'the version');
is($new->safe_psql('shop', q{DROP EXTENSION rnnforecast CASCADE; SELECT count(*) FROM pg_class WHERE relname ~ '^_?rnn_'}), '0', 'all of it can be dropped');

$new->stop;
done_testing();
