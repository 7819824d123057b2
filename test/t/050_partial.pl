# What a distributed planner does with an aggregate: sessions call the transition
# function on parts of the rows, without an expression tree, and send the states as
# text; another one combines and finishes them.  The bytes are those of one session.
#
# test/modules/partial_agg is such a planner; make tap builds it.
use strict;
use warnings;
use Cwd qw(abs_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $module = abs_path('build/partial_agg.so');
my $node = PostgreSQL::Test::Cluster->new('partial');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\njit = off\ntimezone = 'UTC'\nmax_parallel_workers_per_gather = 0");
$node->start;
$node->safe_psql('postgres', qq{
	CREATE EXTENSION rnnforecast;
	CREATE FUNCTION partial_step(internal, regprocedure, VARIADIC "any") RETURNS internal AS '$module' LANGUAGE C;
	CREATE FUNCTION partial_end(internal) RETURNS text AS '$module' LANGUAGE C;
	CREATE FUNCTION combined_step(internal, regprocedure, text) RETURNS internal AS '$module' LANGUAGE C;
	CREATE FUNCTION combined_end(internal) RETURNS text AS '$module' LANGUAGE C;
	CREATE AGGREGATE partial_agg(regprocedure, VARIADIC "any") (SFUNC = partial_step, STYPE = internal, FINALFUNC = partial_end);
	CREATE AGGREGATE combined_agg(regprocedure, text) (SFUNC = combined_step, STYPE = internal, FINALFUNC = combined_end);
	CREATE TABLE sales AS
	SELECT s, n, date '2024-01-01' + n AS day, s * 10 + n % 7 + sin(n * 0.9 * s) AS v,
		   jsonb_build_object('temp', n % 5, 'kind', CASE WHEN n % 3 = 0 THEN 'sale' ELSE 'none' END) AS more
	FROM generate_series(1, 3) AS s, generate_series(1, 40) AS n WHERE n <> 11 * s;
	CREATE TABLE judged AS
	SELECT n, v AS actual, v + 0.1 AS forecast, v - 1 AS lower, v + 1 AS upper,
		   (SELECT array_agg(v + (q - 8) / 8.0 ORDER BY q) FROM generate_series(1, 15) AS q)::float8[] AS quantiles,
		   2.0::float8 AS scale, v - 0.3 AS naive
	FROM sales;
	CREATE TABLE pieces AS SELECT n, rnn_history('shop ' || s, day, v, more, NULL) AS h FROM sales GROUP BY n;
	CREATE TABLE states (of text, part int, state text);
});

# An argument of a call, by its name and type.
sub argument
{
	my ($function, $name, $type) = @_;
	return $type eq 'text' ? "'shop ' || s" : 's' if $name eq 'series';
	return "day::$type" if $name eq 'ts';
	return 'n::bigint' if $name eq 'step';
	return 'v' if $name eq 'value';
	return 'more' if $name eq 'covariates';
	return $function =~ /^rnn_train/ ? q{'{"network": false, "horizon": 3}'::jsonb} : q{'{"on_error": "fail"}'::jsonb} if $name eq 'options';
	return 'r' if $name eq 'row';
	return 'h' if $name eq 'history';
	return $name;
}

# What may be split: each aggregate with a combine function, and the rows that it is called on.
my @forms;
for (split /\n/, $node->safe_psql('postgres', q{
	SELECT p.oid::regprocedure, array_to_string(proargnames, ','), (SELECT string_agg(format_type(t, NULL), ',' ORDER BY i)
		FROM unnest(proargtypes::oid[]) WITH ORDINALITY AS a (t, i))
	FROM pg_proc AS p JOIN pg_aggregate AS a ON a.aggfnoid = p.oid
	JOIN pg_depend AS d ON (d.classid, d.objid, d.refclassid, d.deptype) = ('pg_proc'::regclass, p.oid, 'pg_extension'::regclass, 'e')
	WHERE d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'rnnforecast') AND aggcombinefn <> 0 ORDER BY 1}))
{
	my ($function, $names, $types) = split /\|/;
	my @names = split /,/, $names;
	my @types = split /,/, $types;
	my ($called) = $function =~ /^(\w+)/;
	push @forms, {
		function => $function, called => $called, any => scalar grep({ $_ eq 'anyelement' } @types),
		args => join(', ', map { argument($called, $names[$_], $types[$_]) } 0 .. $#names),
		rows => ($called eq 'rnn_accuracy' ? 'judged' : $called eq 'rnn_merge' ? 'pieces' : 'sales') . ' AS r' .
			($names =~ /series|actual|row|history/ ? ' WHERE true' : ' WHERE s = 2')};
}
cmp_ok(scalar @forms, '>=', 74, 'aggregates that may be split');

# Three parts in sessions of different settings; the last one has no rows.
my @sessions = (
	["SET datestyle = 'German'; SET extra_float_digits = 0; SET bytea_output = 'escape'", 'n % 2 = 0'],
	["SET datestyle = 'SQL'; SET standard_conforming_strings = on; SET search_path = public", 'n % 2 = 1'],
	['SET work_mem = 64', 'n < 0']);
for my $part (0 .. $#sessions)
{
	my ($settings, $where) = @{ $sessions[$part] };

	$node->safe_psql('postgres', "$settings;\n" . join("\n", map {
		"INSERT INTO states SELECT '$_->{function}', $part, partial_agg('$_->{function}', $_->{args}) FROM $_->{rows} AND $where;" }
		grep { !$_->{any} } @forms));
}
is($node->safe_psql('postgres', 'SELECT count(*) FILTER (WHERE state IS NULL), count(*) FROM states'),
	join('|', map { $_ * grep({ !$_->{any} } @forms) } 1, 3), 'states of three parts, one of no rows');
for my $form (grep { !$_->{any} } @forms)
{
	my $one = $node->safe_psql('postgres', "SELECT md5($form->{called}($form->{args})::text) FROM $form->{rows}");
	my $split = $node->safe_psql('postgres', "SELECT md5(combined_agg('$form->{function}', state ORDER BY part DESC)) FROM states WHERE of = '$form->{function}'");

	is("$split " . length($split), "$one 32", "$form->{function}: the bytes of one session");
}

# A type that only the call knows is not known.
for my $form (grep { $_->{any} } @forms)
{
	my ($out, $err) = ('', '');

	$node->psql('postgres', "SELECT partial_agg('$form->{function}', $form->{args}) FROM $form->{rows}", stdout => \$out, stderr => \$err);
	like($err, qr/could not determine the type of the series.*HINT:  Cast the series to text/s, "$form->{function}: an error that says what to do");
}

# Where memory is short each part keeps the latest rows, and so do all.
my $form = 'rnn_history(text,timestamp without time zone,double precision)';
my $panel = q{(SELECT k, n, 'series ' || k AS s, timestamp '2024-01-01' + n * interval '1 hour' AS ts, k + sin(n / 4.0) AS v
	FROM generate_series(1, 1000) AS k, generate_series(1, 250) AS n) AS t};
my $little = q{SET rnnforecast.max_memory = '16MB'; SET client_min_messages = error};
my $one = $node->safe_psql('postgres', "$little; SELECT md5(rnn_history(s, ts, v)::text) FROM $panel");
$node->safe_psql('postgres', "$little; INSERT INTO states SELECT 'panel', n % 3, partial_agg('$form', s, ts, v) FROM $panel GROUP BY n % 3");
# Two digits a byte: an eighth of the memory for rows, 14 bytes for each name.
is($node->safe_psql('postgres', q{SELECT max(length(state)) > 1000000 AND max(length(state)) < 2 * (16 * 1024 * 1024 / 8 + 1000 * 20) FROM states WHERE of = 'panel'}),
	't', 'a state that travels takes its share of the memory');
is($node->safe_psql('postgres', "$little; SELECT md5(combined_agg('$form', state)) FROM states WHERE of = 'panel'"), $one,
	'of a panel that outgrows the memory: the bytes of one session');

# What came otherwise than it was sent.
my ($out, $err) = ('', '');
$node->psql('postgres', "SELECT combined_agg('$form', overlay(state placing '33' from 9)) FROM states WHERE of = '$form' AND part = 1", stdout => \$out, stderr => \$err);
like($err, qr/has format 3, and this server reads format 4.*DETAIL:  .*different versions of rnnforecast/s, 'an older state: an error that says so');
$node->psql('postgres', "SELECT combined_agg('$form', overlay(state placing 'ff' from 101)) FROM states WHERE of = '$form' AND part = 1", stdout => \$out, stderr => \$err);
like($err, qr/its checksum is wrong/, 'a byte that changed: an error');

$node->stop;
done_testing();
