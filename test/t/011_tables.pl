# Real tables with no clean-up: readings at odd minutes, nights and days that
# are missing, weeks, months, seconds that no one chose.  What follows each
# series is written down here as a person would.
#
# The data are no part of the repository: they are looked for in shared/data
# beside the checkout.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $data = abs_path(dirname(__FILE__) . '/../..') . '/../shared/data';
plan skip_all => 'no data of the league in ../shared/data' unless -r "$data/parking.csv";

my $node = PostgreSQL::Test::Cluster->new('tables');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'\njit = off\nclient_min_messages = warning");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION rnnforecast');

# Loads a file into a table of its name.
sub load
{
	my ($name, $columns) = @_;
	$node->safe_psql('postgres', qq{CREATE TABLE $name ($columns);
		\\copy $name FROM '$data/$name.csv' (FORMAT csv, HEADER true)});
}

sub answer
{
	return $node->safe_psql('postgres', $_[0]);
}

# Step, then local times of the next rows of all series, each once.
sub following
{
	my ($name, $arguments, $options, $rows) = @_;
	my $json = $options ? "$options, \"start\": \"prior\"" : '"start": "prior"';
	return answer(qq{
		CREATE TABLE ${name}_model AS SELECT rnn_train($arguments, '{$json}') AS m FROM $name;
		SELECT rnn_info(m)->>'step' FROM ${name}_model;
		SELECT string_agg(next, E'\\n' ORDER BY next) FROM (
			SELECT DISTINCT string_agg(local_ts::text, ', ' ORDER BY step) AS next
			FROM ${name}_model, rnn_forecast(m, $rows) GROUP BY series) AS t;});
}

load('parking', 'series text, ts timestamp, value float8, capacity int');
load('co2', 'ts date, value float8');
load('air_passengers', 'ts date, value float8');
load('yosemite_temps', 'ts timestamp, value float8');
load('nab_twitter', 'series text, ts timestamp, value float8');

# 30 car parks: one bin is all that must be said.  Those that closed before the
# others are forecast from where they ended.
is(following('parking', 'series, ts, value', '"bin": "mean"', 3), "00:30:00\n" . join("\n",
	'2016-11-30 17:00:00, 2016-11-30 17:30:00, 2016-11-30 18:00:00',
	'2016-12-16 17:00:00, 2016-12-16 17:30:00, 2016-12-16 18:00:00',
	'2016-12-18 17:00:00, 2016-12-18 17:30:00, 2016-12-18 18:00:00',
	'2016-12-19 17:00:00, 2016-12-19 17:30:00, 2016-12-19 18:00:00'), 'parking: half hours');
is(answer(q{SELECT count(*), count(DISTINCT series), bool_and(abs(forecast) < 'infinity' AND lower <= forecast AND forecast <= upper)
	FROM parking_model, rnn_forecast(m, 48)}), '1440|30|t', 'parking: 48 rows of each');
is(answer(q{SELECT count(*), min(local_ts), max(local_ts) FROM parking_model, rnn_forecast(m, 48, options => '{"align": true}')}),
	'1440|2016-12-19 17:00:00|2016-12-20 16:30:00', 'parking: all from the common end');
is(answer(q{SELECT count(*), sum(gaps) > 2000, max(longest_gap) FROM parking_model, rnn_series((
	SELECT rnn_history(series, ts, value, '{"bin": "mean"}') FROM parking))}), '30|t|463', 'parking: nights and days are gaps');
is(answer(q{SELECT count(*) = (SELECT sum(points + missing) FROM rnn_series(h)), count(value), count(*) FILTER (WHERE filled)
	FROM (SELECT rnn_history(series, ts, value, '{"bin": "mean"}') FROM parking) AS t (h), rnn_fill(h) GROUP BY h}),
	't|35449|0', 'parking: what the network sees');
is(answer(q{SELECT count(DISTINCT rnn_history) FROM (
	SELECT rnn_history(series, ts, value, '{"bin": "mean"}' ORDER BY random()) FROM parking
	UNION ALL SELECT rnn_history(series, ts, value, '{"bin": "mean"}') FROM parking) AS t}), 1, 'parking: the order of the rows does not matter');

is(following('co2', 'ts, value', '', 3), "7 days\n2002-01-05 00:00:00, 2002-01-12 00:00:00, 2002-01-19 00:00:00", 'co2: Saturdays');
is(following('air_passengers', 'ts, value', '', 3), "1 mon\n1961-01-01 00:00:00, 1961-02-01 00:00:00, 1961-03-01 00:00:00",
	'air_passengers: firsts of months');
is(following('yosemite_temps', 'ts, value', '', 3), "00:05:00\n2017-07-05 00:05:00, 2017-07-05 00:10:00, 2017-07-05 00:15:00",
	'yosemite_temps: 5 minutes');
is(following('nab_twitter', 'series, ts, value', '', 2), "00:05:00\n" . join("\n",
	'2015-04-22 20:57:53, 2015-04-22 21:02:53', '2015-04-22 21:07:53, 2015-04-22 21:12:53',
	'2015-04-22 21:52:53, 2015-04-22 21:57:53', '2015-04-22 22:37:53, 2015-04-22 22:42:53',
	'2015-04-22 22:47:53, 2015-04-22 22:52:53', '2015-04-22 23:12:53, 2015-04-22 23:17:53',
	'2015-04-22 23:52:53, 2015-04-22 23:57:53', '2015-04-23 02:07:53, 2015-04-23 02:12:53',
	'2015-04-23 02:52:53, 2015-04-23 02:57:53'), 'nab_twitter: 5 minutes, with their seconds');
is(answer(q{SELECT string_agg(local_ts::time::text, ' ' ORDER BY step) FROM rnn_forecast((
	SELECT rnn_train(ts, value, '{"start": "prior", "bin": "mean"}') FROM nab_twitter WHERE series ~ 'AAPL'), 2)}),
	'02:55:00 03:00:00', 'nab_twitter: in bins, without them');

# As days and weeks, too.
is(answer(q{SELECT string_agg(local_ts::date || ' ' || to_char(local_ts, 'Dy'), ', ' ORDER BY step) FROM rnn_forecast((
	SELECT rnn_train(ts, value, '{"start": "prior", "bin": "max", "step": "1 day"}') FROM parking WHERE series = 'BHMBCCMKT01'), 3)}),
	'2016-12-20 Tue, 2016-12-21 Wed, 2016-12-22 Thu', 'parking: days');
is(answer(q{SELECT string_agg(local_ts::date || ' ' || to_char(local_ts, 'Dy'), ', ' ORDER BY step) FROM rnn_forecast((
	SELECT rnn_train(ts, value, '{"start": "prior", "bin": "mean", "step": "1 week"}') FROM parking WHERE series = 'BHMBCCMKT01'), 2)}),
	'2016-12-26 Mon, 2017-01-02 Mon', 'parking: weeks');

$node->stop;
done_testing();
