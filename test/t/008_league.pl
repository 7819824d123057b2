# The mix alone plays the league of bench/league through SQL, seasons given:
# its errors are those of its specification, which bench/league --mix plays in
# Python beside it.
#
# The data are no part of the repository: they are looked for in shared/data
# beside the checkout, and without them there is nothing to play.  A set is one
# or many series and a few origins; rnn_backtest plays a model that was trained
# before the earliest origin at all of them.  See bench/league.py for the rules.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use List::Util qw(sum);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $data = abs_path(dirname(__FILE__) . '/../..') . '/../shared/data';
plan skip_all => 'no data of the league in ../shared/data' unless -r "$data/league.csv";

# MASE of seasonal naive and of the mix
my %figures = (
	m1_monthly     => [ 1.314, 1.036 ],
	m1_quarterly   => [ 2.078, 1.629 ],
	m1_yearly      => [ 4.893, 3.775 ],
	nn3            => [ 1.040, 0.874 ],
	livestock      => [ 0.771, 0.619 ],
	hourly         => [ 1.423, 0.803 ],
	taylor         => [ 1.125, 0.164 ],
	air_passengers => [ 1.254, 0.682 ],
	retail_sales   => [ 0.907, 0.231 ],
	co2            => [ 0.953, 0.218 ],
	us_gasoline    => [ 3.297, 2.264 ],
	ilinet         => [ 2.013, 1.625 ],
	peyton_manning => [ 1.462, 0.952 ],
	sunspots       => [ 3.118, 1.136 ]);
my $ROUNDING = 0.0015;

# Seasons by hand where the data have dates.
my %seasons = (
	m1_quarterly => '4', m1_yearly => '1', hourly => '24, 168', taylor => '48, 336', co2 => '52',
	us_gasoline => '52', ilinet => '52', peyton_manning => '7, 364', sunspots => '11');

# Geometric means of the ratios to seasonal naive: docs/developers/accuracy.md.
my %means = (panels => 0.752, singles => 0.429, whole => 0.546);

my $node = PostgreSQL::Test::Cluster->new('league');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'\njit = off");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION rnnforecast');

sub lines_of
{
	return split /\r?\n/, slurp_file($_[0]);
}

# Windows, MASE of seasonal naive, MASE of the mix
sub play
{
	my (%set) = @_;
	my $file = "$data/$set{files}.csv";
	my ($header) = lines_of($file);
	my %column = map { $_ => 1 } split /,/, $header;
	my $columns = join ', ', map { "\"$_\" text" } split /,/, $header;
	my $series = $column{series} ? 'series' : "'$set{set}'";
	my ($time, $key, $cutoff) = $column{step} ? ('step::bigint', 'position', 'position - step') : ('ts::timestamp', 'local_ts', 'cutoff');
	my $test = $column{split} ? "split = 'test'" : 'false';
	my $season_list = $seasons{ $set{set} } // '12';
	my $end = $set{kind} eq 'split' ? 'n - tests' : "n - o * $set{spacing} - $set{horizon}";
	my $least = $set{kind} eq 'split' ? 1 : "greatest(3 * $set{season}, 24)";

	my $answer = $node->safe_psql('postgres', qq{
		CREATE TEMP TABLE raw ($columns);
		\\copy raw FROM '$file' (FORMAT csv, HEADER true)
		-- rows with what fills them forward, numbered
		CREATE TEMP TABLE points AS
		SELECT *, row_number() OVER (PARTITION BY series ORDER BY t) AS i, count(*) OVER (PARTITION BY series) AS n,
			   count(*) FILTER (WHERE test) OVER (PARTITION BY series) AS tests
		FROM (SELECT series, t, test, max(value) OVER (PARTITION BY series, known) AS value
			  FROM (SELECT $series AS series, $time AS t, $test AS test, value::float8 AS value,
						   count(value::float8) OVER (PARTITION BY $series ORDER BY $time) AS known
					FROM raw) AS a) AS b
		WHERE value IS NOT NULL;
		ANALYZE points;
		-- point `last` of a series, at `cutoff`, is the last one before origin o
		CREATE TEMP TABLE origins AS
		SELECT o.*, t AS cutoff FROM (SELECT DISTINCT series, o, $end AS last FROM points, generate_series(0, $set{origins} - 1) AS o) AS o
		JOIN points AS p ON p.series = o.series AND i = last;
		CREATE TEMP TABLE trained AS
		SELECT rnn_train(p.series, t, value,
						 '{"network": false, "horizon": $set{horizon}, "seasons": [$season_list]}') AS model
		FROM points AS p JOIN origins AS o ON o.series = p.series AND i <= last
		WHERE o = $set{origins} - 1;
		-- twice the horizon, as times may be missing in it
		CREATE TEMP TABLE played AS
		SELECT series, $cutoff AS cutoff, $key AS t, forecast, naive, scale
		FROM trained, (SELECT jsonb_build_object('season', $set{season}, 'scale_points', 2016, 'at', jsonb_agg(DISTINCT cutoff))
					   FROM origins) AS a (options),
			 rnn_backtest('SELECT series, t AS ts, value FROM points', 2 * $set{horizon}, 1, options, model);
		SELECT count(DISTINCT (w.series, w.o)), avg(abs(naive - y.value) / scale), avg(abs(forecast - y.value) / scale),
			   count(*) FILTER (WHERE forecast IS NULL)
		FROM origins AS w
		JOIN points AS y ON y.series = w.series AND y.i > last AND y.i <= last + $set{horizon}
		LEFT JOIN played AS f ON f.series = w.series AND f.cutoff = w.cutoff AND f.t = y.t
		WHERE last >= $least AND scale IS DISTINCT FROM 0;});
	my ($windows, $naive, $mix, $missing) = split /\|/, $answer;
	is($missing, 0, "$set{set}: a forecast for every target");
	return ($windows, $naive, $mix);
}

sub geometric
{
	my @ratios = map { $_ > 0.25 ? $_ : 0.25 } @_;
	return exp(sum(map { log $_ } @ratios) / @ratios);
}

my ($head, @rows) = lines_of("$data/league.csv");
my @names = split /,/, $head;
my (%ratios, @all);
for my $row (@rows)
{
	my %set;
	@set{@names} = split /,/, $row;
	my $name = $set{set};
	my ($naive_then, $mix_then) = @{ $figures{$name} or next };
	my ($windows, $naive, $mix) = play(%set);

	note sprintf('%s: %d windows, MASE %.4f, seasonal naive %.4f', $name, $windows, $mix, $naive);
	cmp_ok(abs($naive - $naive_then), '<', $ROUNDING, "$name: seasonal naive is scored alike");
	cmp_ok(abs($mix - $mix_then), '<', $ROUNDING, "$name: the mix is that of its specification");
	push @{ $ratios{ $set{kind} eq 'single' ? 'singles' : 'panels' } }, $mix / $naive;
	push @all, $mix / $naive;
}
is(scalar(@all), scalar(keys %figures), 'all sets are played');
$ratios{whole} = \@all;
for my $group (sort keys %means)
{
	my $mean = geometric(@{ $ratios{$group} });
	cmp_ok(abs($mean - $means{$group}), '<', $ROUNDING, sprintf('%s: %.4f of seasonal naive', $group, $mean));
}

$node->stop;
done_testing();
