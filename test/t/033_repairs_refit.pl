# Refits of rows that went missing, that went back in time or that cannot be
# measured, and of a statement that ends between training and judging.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = PostgreSQL::Test::Cluster->new('refit');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION rnnforecast');

# outcome, message and the WARNING of a refit
sub refit
{
	my ($name) = @_;
	my ($status, $out, $err) = $node->psql('postgres', "CALL rnn_refit('$name')");

	return ($out, $node->safe_psql('postgres', "SELECT message FROM rnn_runs WHERE name = '$name' ORDER BY id DESC LIMIT 1"), $err);
}

# What the live version is and forecasts.
sub live
{
	my ($name) = @_;

	return $node->safe_psql('postgres', "SELECT version, last_ts FROM rnn_models WHERE name = '$name';
		SELECT md5(string_agg(local_ts::text || forecast, ' ' ORDER BY series, step)) FROM rnn_forecast_model('$name')");
}

# Broken rows are refused, with both figures; the live version has none of them.
sub is_refused
{
	my ($name, $break, $message) = @_;
	my $before = live($name);

	$node->safe_psql('postgres', $break);
	my ($outcome, $noted, $warning) = refit($name);
	is($outcome, 'refused', "repair 17: $name: refused");
	like($noted, $message, "repair 17: $name: both figures are noted");
	like($warning, qr/WARNING:  refit of model "$name" was refused: .*$message/, "repair 17: $name: a warning");
	is(live($name), $before, "repair 17: $name: the live version forecasts as before");
}

sub daily
{
	my ($table, $days, $options) = @_;

	$node->safe_psql('postgres', qq{
		CREATE TABLE $table AS
		SELECT date '2023-01-01' + n AS day, 100 + n / 10.0 + 20 * sin(n * pi() / 3.5) + hashint4(n) % 5 AS amount
		FROM generate_series(1, $days) AS n;
		SELECT rnn_fit('$table', 'SELECT day, amount FROM $table', 7, '{"start": "prior"$options}')});
}

daily('deleted', 700, '');
is_refused('deleted', "DELETE FROM deleted WHERE day <= (SELECT max(day) FROM deleted) - 3",
	qr/the rows have 3 known points, the live version was trained on 679/);

$node->safe_psql('postgres', q{
	CREATE TABLE revenue AS
	SELECT date '2020-01-01' + n * interval '1 month' AS month, 400000 + 50000 * sin(n * pi() / 6) + hashint4(n) % 5000 AS amount
	FROM generate_series(0, 35) AS n;
	SELECT rnn_fit('revenue', 'SELECT month, amount FROM revenue', 3, '{"start": "prior"}')});
is_refused('revenue', q{TRUNCATE revenue; INSERT INTO revenue VALUES ('2023-01-01', 4), ('2023-02-01', 5)},
	qr/the rows have 2 known points, the live version was trained on 27/);

daily('rewound', 700, '');
is_refused('rewound', "DELETE FROM rewound WHERE day > (SELECT max(day) FROM rewound) - 30",
	qr/the rows end at 2024-11-01.*those of the live version at 2024-12-01/);

$node->safe_psql('postgres', q{
	CREATE TABLE panel AS
	SELECT 's' || s AS series, date '2024-01-01' + n AS day, 10 * s + sin(n * pi() / 3.5) AS amount
	FROM generate_series(1, 10) AS s, generate_series(1, 200) AS n WHERE s > 5 OR n > 190;
	SELECT rnn_fit('panel', 'SELECT series, day, amount FROM panel', 7, '{"start": "prior"}')});
is_refused('panel', "DELETE FROM panel WHERE series < 's6' AND series NOT IN ('s10')",
	qr/the rows have 5 series, those of the live version had 10/);

daily('constant', 100, '');
is_refused('constant', q{UPDATE constant SET amount = 7; INSERT INTO constant VALUES ('2023-04-12', 7)},
	qr/not measured: .* the live version had an error of \d/);

# What a rule allows is promoted, and so is what was never measured, as short series are.
sub is_promoted
{
	my ($name, $change, $message) = @_;

	$node->safe_psql('postgres', $change);
	my ($outcome, $noted) = refit($name);
	is($outcome, 'promoted', "repair 17: $name: promoted") or diag($noted);
	like($noted, $message, "repair 17: $name: with what is said of it");
}

daily('may_shrink', 700, ', "shrink": 1, "break": 0, "gate": 1000');
is_promoted('may_shrink', "DELETE FROM may_shrink WHERE day <= (SELECT max(day) FROM may_shrink) - 100", qr/^$/);
daily('may_rewind', 700, ', "rewind": 30, "gate": 1000');
is_promoted('may_rewind', "DELETE FROM may_rewind WHERE day > (SELECT max(day) FROM may_rewind) - 30", qr/^$/);
daily('slides', 700, ', "gate": 1000');
is_promoted('slides', "DELETE FROM slides WHERE day < '2023-04-01'; INSERT INTO slides VALUES ('2024-12-02', 170)", qr/^$/);
daily('unjudged', 100, ', "windows": 0');
is_promoted('unjudged', "INSERT INTO unjudged VALUES ('2023-04-12', 100)", qr/^not measured: option "windows" is 0$/);
daily('short', 5, '');
is_promoted('short', "INSERT INTO short VALUES ('2023-01-07', 100)", qr/^not measured: the series are too short/);
is($node->psql('postgres', q{SELECT rnn_fit('x', 'SELECT day, amount FROM short', 7, '{"shrink": 2}')}), 3,
	'repair 17: a share is at most 1');

# A refit that is canceled while it judges: the training is not lost.
$node->safe_psql('postgres', q{
	CREATE TABLE many AS
	SELECT s AS series, n AS at, s + sin(n * s) AS amount FROM generate_series(1, 600) AS s, generate_series(1, 90) AS n;
	SELECT rnn_fit('many', 'SELECT series, at, amount FROM many', 1, '{"start": "prior", "windows": 30}');
	INSERT INTO many SELECT s, 91, s FROM generate_series(1, 600) AS s;
});

my ($out, $err) = ('', '');
my $run = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', q{/* victim */ CALL rnn_refit('many')} ],
	'<', \undef, '>', \$out, '2>', \$err);
for (1 .. 3000)
{
	last if $node->safe_psql('postgres', q{
		SELECT outcome <> 'running' OR (EXISTS (SELECT FROM rnn_versions WHERE name = 'many' AND version = 2) AND
			(SELECT bool_or(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE query LIKE '/* victim %' AND state = 'active'))
		FROM rnn_runs WHERE name = 'many' AND kind = 'refit'}) eq 't';
	usleep(20_000);
}
$run->finish;
like($err, qr/canceling statement due to user request/, 'repair 25: a refit is canceled when its version is stored');
like($err, qr/HINT:  .*rnn_promote\('many', 2\)/, 'repair 25: the error tells of the version');
is($node->safe_psql('postgres', q{SELECT outcome, version, message FROM rnn_runs WHERE name = 'many' ORDER BY id DESC LIMIT 1}),
	'failed|2|trained and stored as version 2, not judged: canceling statement due to user request',
	'repair 25: so does the run');
is($node->safe_psql('postgres', q{SELECT version, live, mase IS NULL FROM rnn_versions WHERE name = 'many' ORDER BY version}),
	"1|t|f\n2|f|t", 'repair 25: the version is there, and not live');
my ($outcome, $message) = refit('many');
isnt($outcome, 'skipped', 'repair 25: the next refit trains on the same rows') or diag($message);
is($node->safe_psql('postgres', q{SELECT rnn_promote('many', 2); SELECT version FROM rnn_models WHERE name = 'many'}) =~ /2\z/, 1,
	'repair 25: the stored version can be made live');

$node->stop;
done_testing();
