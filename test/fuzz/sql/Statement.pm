# Random statements over all functions, aggregates and procedures that belong
# to the extension, as its catalog tells them.
package Statement;

use strict;
use warnings;
use Value qw(one pick chance quoted literal of_row horizon options query);

# Filled by learn(): {name, kind, set, args [[type, name] ...], defaults,
# columns [[name, type] ...], returns}, by name; and the parts of aggregates.
our (%ROUTINES, @NAMES, @AGGREGATES, @PARTS, @VIEWS, @SETTINGS);
my @takes_bytes;

# What functions there are, asked once; the order decides what a seed means.
sub learn
{
	my ($ask) = @_;		# SQL to rows of fields
	my $ours = q{JOIN pg_depend AS x ON (x.classid, x.refclassid, x.deptype) = (%s, 'pg_extension'::regclass, 'e')
		AND x.objid = %s AND x.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'rnnforecast')};
	for ($ask->(sprintf q{
		SELECT p.proname, p.prokind, p.proretset, p.pronargdefaults, pg_catalog.format_type(p.prorettype, NULL),
			(SELECT string_agg(format_type(type, NULL) || '/' || coalesce(p.proargnames[i], ''), '|' ORDER BY i) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (type, i)),
			coalesce((SELECT string_agg(p.proargnames[i] || '/' || format_type(type, NULL), '|' ORDER BY i) FROM unnest(p.proallargtypes) WITH ORDINALITY AS a (type, i) WHERE p.proargmodes[i] IN ('o', 't')),
				(SELECT string_agg(attname || '/' || format_type(atttypid, NULL), '|' ORDER BY attnum) FROM pg_attribute JOIN pg_type AS t ON typrelid = attrelid WHERE t.oid = p.prorettype AND attnum > 0))
		FROM pg_proc AS p } . $ours . q{ ORDER BY p.proname::text COLLATE "C", p.oid::regprocedure::text COLLATE "C"}, q{'pg_proc'::regclass}, 'p.oid'))
	{
		my ($name, $kind, $set, $defaults, $returns, $args, $columns) = @$_;
		push @{ $ROUTINES{$name} }, { name => $name, kind => $kind, set => $set eq 't', defaults => $defaults, returns => $returns,
			args => [ map { [ split m{/}, $_, 2 ] } split /\|/, $args ], columns => [ map { [ split m{/}, $_, 2 ] } split /\|/, $columns ] };
	}
	@NAMES = sort keys %ROUTINES;
	@AGGREGATES = grep { $ROUTINES{$_}[0]{kind} eq 'a' } @NAMES;
	my @all = map { @{ $ROUTINES{$_} } } @NAMES;
	@takes_bytes = grep { my $r = $_; $r->{kind} eq 'f' && $r->{name} !~ /_final|_collect_/ && grep { $_->[0] eq 'bytea' && $_->[1] =~ /model|history/ } @{ $r->{args} } } @all;
	@PARTS = $ask->(sprintf q{
		SELECT DISTINCT aggtransfn::regproc::text, nullif(aggfinalfn::oid, 0)::regproc::text, nullif(aggcombinefn::oid, 0)::regproc::text, format_type(aggtranstype, NULL),
			(SELECT string_agg(format_type(type, NULL), '|' ORDER BY i) FROM unnest(t.proargtypes::oid[]) WITH ORDINALITY AS a (type, i) WHERE i > 1)
		FROM pg_aggregate JOIN pg_proc AS t ON t.oid = aggtransfn } . $ours . q{ ORDER BY 1, 2, 3, 4, 5}, q{'pg_proc'::regclass}, 'aggfnoid');
	@VIEWS = map { $_->[0] } $ask->(sprintf q{SELECT c.relname FROM pg_class AS c } . $ours . q{ WHERE relkind = 'v' ORDER BY 1}, q{'pg_class'::regclass}, 'c.oid');
	@SETTINGS = map { $_->[0] } $ask->(q{SELECT name FROM pg_settings WHERE name LIKE 'rnnforecast.%' ORDER BY 1});
}

sub called
{
	my ($name) = @_;
	return chance(0.2) ? "public.$name" : $name;
}

# name(arguments) of a plain function.  $given replaces the model or history;
# the horizon that is asked for goes to $$wanted, where it can be told.
sub call
{
	my ($r, $given, $wanted) = @_;
	my @args = @{ $r->{args} };
	my $left = $r->{defaults} ? int rand($r->{defaults} + 1) : 0;
	my $named = chance(0.1) && !grep { $_->[1] eq '' } @args;
	my (@out, $until, $horizon);
	for my $i (0 .. $#args - $left)
	{
		my ($type, $name) = @{ $args[$i] };
		my $value = $given && $type eq 'bytea' && $name =~ /model|history/ && !($given->{used}++) ? $given->{text} : literal($type, $name);
		$horizon = $1 if $name eq 'horizon' && $value =~ /^(\d+)::/;
		$until = 1 if $name eq 'until' && $value !~ /^NULL/;
		push @out, $named ? "$name => $value" : $value;
	}
	# Functions of registry take fresh options: an error or rows, as many as asked.
	$$wanted = $horizon if $wanted && $horizon && !$until && $horizon > 0 && $r->{returns} =~ /forecast_row/;
	return called($r->{name}) . '(' . join(', ', @out) . ')';
}

# The answer's floats that must be finite.
sub fine
{
	my ($r, $alias) = @_;
	my @bad = map {
		my ($name, $type) = @$_;
		my $column = qq{$alias."$name"};
		($type =~ /^double precision(\[\])?$/ ? "bad($column)" : (), $name eq 'quantiles' ? "crossed($column)" : ())
	} @{ $r->{columns} };
	push @bad, "$alias.lower > $alias.upper" if grep({ $_->[0] eq 'lower' } @{ $r->{columns} }) && grep { $_->[0] eq 'upper' } @{ $r->{columns} };
	return @bad ? join ' OR ', @bad : 'false';
}

# SELECT of a plain function, which says "BAD" where the answer is.
sub checked
{
	my ($r, $given, $from) = @_;
	my $wanted;
	my $call = call($r, $given, \$wanted);
	$from = $from ? "$from, LATERAL " : '';
	if (!$r->{set} && !@{ $r->{columns} })
	{
		$from =~ s/, LATERAL $//;
		$from = " FROM $from" if $from ne '';
		return "SELECT CASE WHEN bad(x) THEN 'BAD number' END FROM (SELECT $call AS x$from) AS q" if $r->{returns} =~ /^double precision/;
			return "SELECT CASE WHEN x::text ~ '\"-?(NaN|Infinity)\"' THEN 'BAD number' END FROM (SELECT $call AS x$from) AS q" if $r->{returns} eq 'jsonb' && $call !~ /NaN|Infinity/;
		return chance(0.9) && $r->{returns} =~ /^(bytea|text|jsonb)$/ ? "SELECT length($call\::text)$from" : "SELECT $call$from";
	}
	return "SELECT * FROM $from$call LIMIT 20" if chance(0.05);
	my $bad = fine($r, 't');
	return "SELECT CASE WHEN bool_or($bad) THEN 'BAD number' END, count(*) FROM $from$call AS t" if !$wanted || $from ne '';
	return "SELECT CASE WHEN bool_or(bad) THEN 'BAD number' WHEN min(n) <> $wanted OR max(n) <> $wanted THEN 'BAD rows ' || min(n) || ' ' || max(n) END FROM (
		SELECT bool_or($bad) AS bad, count(*) FILTER (WHERE step > 0) AS n FROM $call AS t GROUP BY series) AS q";
}

# ---------------------------------------------------------------- aggregates

my @frames = ('', 'ORDER BY n', 'PARTITION BY n % 3 ORDER BY n', 'ORDER BY n ROWS BETWEEN 5 PRECEDING AND CURRENT ROW', 'ORDER BY n ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW',
	'ORDER BY n RANGE BETWEEN UNBOUNDED PRECEDING AND 3 FOLLOWING', 'PARTITION BY n % 2', 'ORDER BY n GROUPS 3 PRECEDING');
my @groups = ('n % 3', 'GROUPING SETS ((n % 3), ())', 'ROLLUP (n % 2, n % 3)', 'CUBE (n % 2, n % 3)', 'GROUPING SETS ((n % 2), (n % 3))', 'n % 2, n % 3');

sub rows
{
	return pick('small', 'small', 'big', '(SELECT * FROM big ORDER BY v) AS b') if chance(0.1);
	my $n = pick(0, 1, 2, 3, 5, 10, 10, 30, 30, 30, 60, 60, 100);
	$n = pick(1000, 5000, 40000) if chance(0.004);
	return "generate_series(1, $n) AS n";
}

sub aggregate_call
{
	my ($name, $types) = @_;	# [type, name]
	my $args = join ', ', map { of_row(@$_) } @$types;
	my $order = chance(0.3) ? ' ORDER BY ' . pick('n', 'n DESC', 'n % 3, n', '1') : '';
	$args = "DISTINCT $args", $order = '' if chance(0.02);
	return called($name) . "($args$order)" . (chance(0.07) ? ' FILTER (WHERE n % 3 <> 1)' : '');
}

sub over_rows
{
	my ($call, $float) = @_;
	my $rows = rows();
	my $shown = $float ? "CASE WHEN bad($call) THEN 'BAD number' END" : "length($call\::text)";
	if (chance(0.05) && $call !~ /ORDER BY|DISTINCT/)
	{
		my $over = $call . ' OVER (' . pick(@frames) . ')';
		return "SELECT count(x) FROM (SELECT $over AS x FROM $rows) AS q";
	}
	return "SELECT $shown FROM $rows GROUP BY " . pick(@groups) if chance(0.08);
	return "SELECT length($call\::text) FROM $rows HAVING " . pick('count(*) > 5', 'false') if chance(0.02);
	return "SELECT $shown FROM $rows";
}

sub aggregate
{
	my $r = pick(@{ $ROUTINES{ pick(@AGGREGATES) } });
	my $call = aggregate_call($r->{name}, $r->{args});
	return over_rows($call, $r->{returns} =~ /^double/) unless $r->{returns} eq 'bytea' && chance(0.35);
	my $next = pick(@takes_bytes);
	return checked($next, { text => 'q.m' }, '(SELECT ' . $call . ' AS m FROM ' . rows() . (chance(0.1) ? ' GROUP BY ' . pick(@groups) : '') . ') AS q');
}

our $forged = 0;	# within a batch

# An aggregate of a stranger over the parts of ours.
sub forged
{
	my ($sfunc, $final, $combine, $type, $args) = @{ pick(@PARTS) };
	my (undef, $other_final, $other_combine) = @{ pick(@PARTS) };
	$final = $other_final if chance(0.1);
	($sfunc, $args) = ($combine, $type) if $combine ne '' && chance(0.2);
	my @types = map { chance(0.5) && /^any/ ? 'text' : $_ } split /\|/, $args;
	my $name = 'forged' . ++$forged;
	my @parts = ("SFUNC = $sfunc", "STYPE = $type");
	push @parts, 'INITCOND = ' . (literal('bytea', 'state') =~ s/::bytea$//r) if $type eq 'bytea' && chance(0.9);
	$parts[-1] = 'INITCOND = ' . quoted('\x' . unpack 'H*', pick(@{ $Value::ORIGINALS{state} })) if chance(0.2);
	push @parts, "FINALFUNC = $final" if $final ne '' && chance(0.8);
	push @parts, 'FINALFUNC_MODIFY = ' . pick(qw(READ_ONLY SHAREABLE READ_WRITE)) if $parts[-1] =~ /^FINALFUNC/ && chance(0.3);
	push @parts, "COMBINEFUNC = $combine" if $combine ne '' && chance(0.4);
	push @parts, 'PARALLEL = SAFE' if chance(0.4);
	push @parts, "MSFUNC = $sfunc", "MINVFUNC = $sfunc", "MSTYPE = $type" if chance(0.05);
	my $signature = join ', ', @types;
	my $call = "pg_temp.$name(" . join(', ', map { of_row($_, $_ eq 'jsonb' ? pick('options', 'covariates') : $_ eq 'bytea' ? 'state' : '') } @types) . ')';
	return ("CREATE AGGREGATE pg_temp.$name($signature) (" . join(', ', @parts) . ')', over_rows($call), "DROP AGGREGATE IF EXISTS pg_temp.$name($signature)");
}

# -------------------------------------------------------------------- kinds

sub plain
{
	my $name = pick(@NAMES);
	# Transition functions outside of an aggregate say no more than that.
	$name = pick(@NAMES) while $name =~ /_collect_/ && chance(0.9);
	# Each of these trains all that there is.
	$name = pick(@NAMES) while $name =~ /refit_all/ && chance(0.8);
	my $r = pick(@{ $ROUTINES{$name} });
	return aggregate() if $r->{kind} eq 'a';
	return procedure($r) if $r->{kind} eq 'p';
	return checked($r);
}

sub procedure
{
	my ($r) = @_;
	my @args = map { literal(@$_) } @{ $r->{args} };
	$args[-1] = 'NULL' if @args > 1 && chance(0.8);
	return "CALL " . called($r->{name}) . '(' . join(', ', @args) . ')';
}

sub over_kept
{
	my $r = pick(grep { $_->{returns} ne 'integer' || chance(0.1) } @takes_bytes);
	my $from = pick('kept AS q', '(SELECT m FROM kept ORDER BY i DESC) AS q', "(SELECT m FROM kept WHERE kind = 'model') AS q", '(SELECT m FROM kept, generate_series(1, 3)) AS q', "(SELECT k.m FROM kept AS k WHERE i = 4) AS q");
	return checked($r, { text => 'q.m' }, $from);
}

# Several at once: the same in other surroundings.
sub dressed
{
	my $inner = one(\&plain, \&plain, \&aggregate, \&over_kept);
	return $inner if $inner =~ /^CALL/;
	return one(
		sub { "DO \$fuzz\$ BEGIN FOR i IN 1..@{[ pick(2, 5) ]} LOOP BEGIN PERFORM * FROM ($inner) AS x; EXCEPTION WHEN data_exception OR others THEN NULL; END; END LOOP; END \$fuzz\$" },
		sub { ('BEGIN', "DECLARE c CURSOR FOR $inner", 'FETCH 1 FROM c', 'FETCH 2 FROM c', 'CLOSE c', pick('COMMIT', 'ROLLBACK')) },
		sub { ('BEGIN', "DECLARE c CURSOR WITH HOLD FOR $inner", 'COMMIT', 'FETCH ALL FROM c', 'CLOSE c') },
		sub { ('BEGIN', 'SAVEPOINT a', $inner, 'ROLLBACK TO a', one(\&plain), pick('COMMIT', 'ROLLBACK')) },
		sub { ("PREPARE p AS $inner", "SET plan_cache_mode = @{[ pick(qw(force_generic_plan force_custom_plan)) ]}", 'EXECUTE p', 'EXECUTE p', 'DEALLOCATE p') },
		sub { "SELECT count(*) FROM ($inner) AS a, ($inner) AS b" },
		sub { "EXPLAIN (ANALYZE, TIMING off, VERBOSE) $inner" },
		sub { "SELECT * FROM generate_series(1, 3) AS n, LATERAL ($inner OFFSET 0) AS x" },
		sub { "SELECT 1 WHERE EXISTS ($inner)" },
		sub { "CREATE TEMP TABLE x AS $inner", 'DROP TABLE IF EXISTS x' });
}

sub view
{
	my $view = pick(@VIEWS);
	return pick("SELECT count(*) FROM $view", "SELECT length(v::text) FROM $view AS v", "SELECT * FROM $view AS v ORDER BY 1 LIMIT 1", "SELECT count(*) FROM $view AS a, $view AS b");
}

# A named model from a query, mostly of few rows, and what becomes of it.
sub named
{
	my $name = quoted(pick('g', 'h', 'i', "\xc3\xa4", 'x' x 51 . '1'));
	return ("SELECT rnn_fit($name, @{[ query() ]}, @{[ horizon() ]}, @{[ options() ]})",
		(map { one(sub { "CALL rnn_refit($name)" }, sub { my $r = pick(grep { @{ $_->{args} } && $_->{args}[0][1] eq 'name' && $_->{kind} eq 'f' } map { @{ $ROUTINES{$_} } } @NAMES); checked($r) =~ s/\(('[^']*'|NULL)::text/($name/r }, \&plain) } 1 .. rand 4),
		"SELECT rnn_drop($name)");
}

# Rows that outgrow a small limit, with keys that come late and times that tie:
# states are thinned out while they grow.
sub heavy
{
	my $n = pick(60000, 130000, 200000);
	my $late = $n - pick(1, 10, 1000, 20000);
	my $time = pick("n / @{[ pick(1, 3, 4) ]}", "@{[ pick(50, 1000) ]} * (n % 1000)", "$n - n");
	my $series = pick('n % 2', 'n % 40', 'n % 30000', 'n / 3', q{'x' || n % 7});
	my $covariates = pick("CASE WHEN n = $late THEN '{\"a\": 1}'::jsonb ELSE '{}' END", "jsonb_build_object('k' || n / 20000, 1)", "CASE WHEN n > $late THEN jsonb_build_object('w', 'w' || n % 100) END", "'{}'::jsonb");
	my $options = pick('{"duplicates": "mean", "network": false}', '{"bin": "sum", "network": false}', '{"duplicates": "last", "keep": 1000, "network": false}', '{}');
	return ('SET statement_timeout = 10000', "SET rnnforecast.max_memory = '16MB'",
		"SELECT length(@{[ pick('rnn_train', 'rnn_history') ]}($series, timestamp '2024-01-01' + $time * interval '1 minute', n % 9, $covariates, '$options')) FROM generate_series(1, $n) AS n", 'RESET statement_timeout');
}

# The statements of one call or of a few that belong together.
sub any
{
	my $dice = rand;
	return
	    $dice < 0.50 ? plain()
	  : $dice < 0.72 ? aggregate()
	  : $dice < 0.80 ? forged()
	  : $dice < 0.85 ? over_kept()
	  : $dice < 0.92 ? dressed()
	  : $dice < 0.95 ? view()
	  : named();
}

# ----------------------------------------------------------------- settings

my %values = (
	'rnnforecast.instruction_set' => [ qw(auto portable avx2) ], 'rnnforecast.max_memory' => [ "'16MB'", "'16MB'", "'64MB'" ],
	'rnnforecast.max_seconds' => [ 0, 0.01, 1 ], 'rnnforecast.max_workers' => [ 0, 1, 2 ]);
my @settings = (
	sub { my $s = pick(@SETTINGS); "SET $s = " . pick($values{$s} ? @{ $values{$s} } : (0, 1, "'on'", "'auto'")) },
	sub { "SET TimeZone = '@{[ pick('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', '<x>-13:59:59') ]}'" },
	sub { "SET DateStyle = @{[ pick(qw(SQL German Postgres), q{'ISO, DMY'}) ]}" }, sub { "SET IntervalStyle = @{[ pick(qw(iso_8601 sql_standard postgres_verbose)) ]}" },
	sub { "SET statement_timeout = @{[ pick(1, 2, 3, 5, 10, 20) ]}" }, sub { "SET work_mem = @{[ pick(q{'64kB'}, q{'256kB'}) ]}" },
	sub { ('SET max_parallel_workers_per_gather = 2', 'SET parallel_setup_cost = 0', 'SET parallel_tuple_cost = 0', 'SET min_parallel_table_scan_size = 0') },
	sub { 'SET enable_hashagg = off' }, sub { 'SET enable_sort = off' }, sub { ('SET jit = on', 'SET jit_above_cost = 0') }, sub { 'SET row_security = off' },
	sub { 'SET temp_file_limit = 0' }, sub { "SET temp_file_limit = '64kB'" }, sub { 'SET extra_float_digits = -15' }, sub { "SET search_path = @{[ pick('pg_temp, public', 'public, pg_catalog', 'public, pg_catalog', chance(0.2) ? q{''} : 'public') ]}" },
	sub { 'SET default_transaction_read_only = on' }, sub { "SET default_transaction_isolation = '@{[ pick('serializable', 'repeatable read') ]}'" }, sub { 'SET lock_timeout = 5' },
	sub { "SET client_min_messages = @{[ pick(qw(debug5 debug1 error)) ]}" }, sub { "SET bytea_output = escape" }, sub { 'SET enable_partitionwise_aggregate = on' }, sub { "SET plan_cache_mode = force_generic_plan" },
	sub { 'SET exit_on_error = off' }, sub { 'SET backtrace_functions = \'\'' }, sub { 'SET session_replication_role = replica' }, sub { "SET default_toast_compression = pglz" });

sub settings { return map { one(@settings) } 1 .. rand() ** 2 * 5 }

1;
