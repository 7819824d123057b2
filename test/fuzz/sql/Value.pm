# Random values by type, as SQL: ordinary, extreme, NULL and wrong.  A value of
# a row is an expression over n, the number of the row.
package Value;

use strict;
use warnings;
use Bytes qw(altered);
use Exporter 'import';
our @EXPORT_OK = qw(one pick chance quoted literal of_row horizon options query);

# Filled by fuzz.pl: options [name, type, default, min, max], originals
# {kind => [bytes ...]}, settings.
our (@OPTIONS, %ORIGINALS);

sub pick { return $_[ rand @_ ] }
sub chance { return rand() < $_[0] }
sub one { return $_[ rand @_ ]->() }
sub quoted { my ($s) = @_; $s =~ s/'/''/g; return "'$s'" }

# ------------------------------------------------------------------ scalars

my @floats = qw(0 1 -1 0.5 0.9 0.05 0.99 1e-300 5e-324 1e300 -1e300 1.7e308 -1.7e308 1e15 123456.789 -0 NaN Infinity -Infinity);
my @ints = (0 .. 9, -1, -2, 12, 24, 63, 64, 100, 1000, 32767, 2147483647, -2147483648);
my @longs = (@ints, 2147483648, '1000000000000000', '1152921504606846976', '9223372036854775807', '-9223372036854775808');
my @dates = qw(2024-01-01 2024-02-29 2024-12-31 1970-01-01 2000-01-01 1582-10-15 0001-01-01 infinity -infinity 5874897-12-31 294276-12-31);
push @dates, '4713-11-24 BC', '0001-12-31 BC';
my @times = ('2024-01-01 00:00', '2024-03-31 01:59:59.999999', '2024-10-27 02:30', '1970-01-01', 'infinity', '-infinity', 'epoch',
	'294276-12-31 23:59:59.999999', '4713-11-24 00:00:00 BC', '2000-01-01', '0044-03-15 BC');
my @intervals = ('1 day', '0', '-1 day', '1 month', '1 month 3 days', '1 hour', '1 microsecond', '178000000 years', '1 year -12 months', '7 days',
	'24 hours', '1.5 days', 'mon-fri', 'mon,wed', '15 minutes', 'infinity', '3', '-3', '9223372036854775807', 'P1D', '');
my @zones = ('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', '<x>-13:59:59', 'Nowhere/Land', '+25', 'EST5EDT', 'Australia/Lord_Howe');
my @words = ('A', 'B', 'C', 'a', 'b', 'c', 'd', 'e', 'f', '', '1', "it's", "\xc3\xa4\xe2\x82\xac", '%s%n', 'x y', "\xf0\x9f\x98\x80", "line\nbreak", '$1', '{}', 'NULL', "\xe2\x80\x8b");
our @ROLES = qw(keeper alice bob postgres public nobody pg_monitor);
our @SCHEDULES = ('0 3 * * *', '*/5 * * * *', '@daily', '59 23 31 12 7', '0 0 30 2 *', '1-5/2 * * * mon-fri', '30 seconds', '* * * * *', '*/0 * * * *',
	'0 0 29 2 1', '', '99 * * * *', '0 0 $ * *', '* * * * * *', '4294967297 * * * *', '1,2,3-4,*/7 0-23/3 */2 jan,feb sun');
my @models = ('a' .. 'h', 'none', '', 'A', "\xc3\xa4", 'x' x 51 . '1', 'x' x 51 . '2', 'y' x 1001);

sub word
{
	return pick(@words) if chance(0.9);
	return pick('x', "\xc3\xa4", '"', "'", '\\') x pick(2, 63, 64, 300, 1000, 1001, 10000, 10001) if chance(0.8);
	return join '', map { chr(1 + int rand 126) } 1 .. 1 + rand 20;
}

# A model, history or state: hex of an original, or of an altered one.
sub bytes
{
	my ($name) = @_;
	my $kind = $name =~ /state/ ? 'state' : $name =~ /hist/ ? 'history' : 'model';
	$kind = pick(keys %ORIGINALS) if chance(0.1);
	my @all = @{ $ORIGINALS{$kind} };
	return q{''::bytea} if chance(0.01);
	return sprintf q{'\x%s'::bytea}, join '', map { sprintf '%02x', rand 256 } 1 .. rand 100 if chance(0.02);
	return sprintf q{repeat('\x%02x', %d)::bytea}, rand 256, pick(16, 1000, 100000, 3000000) if chance(0.003);
	my $bytes = pick(@all);
	$bytes = pick(@all) if length $bytes > 4000;
	if (chance(0.5))
	{
		my $other = pick(@all);
		$bytes = altered($bytes, $other);
	}
	return q{'\x} . unpack('H*', $bytes) . q{'::bytea};
}

# -------------------------------------------------------------------- jsonb

sub number
{
	my ($min, $max) = @_;
	my @near = map { $_ eq '' ? () : ($_, $_ - 1, $_ + 1, $_ / 2, -$_) } $min, $max;
	return chance(0.7) ? pick(0 .. 8) : pick(@near, @longs, '0.5', '1e10', '-1e400', '1e-320');
}

sub odd_json
{
	return pick('null', '[]', '{}', 'true', 'false', '"x"', '""', '1', '-1', '0.5', '[1, [2]]', '{"a": {"b": []}}', '1e400', '"NaN"', '"auto"', '[null]', '"1 day"',
		'[' . join(',', (1) x pick(100, 5000)) . ']', '[' x 200 . ']' x 200);
}

my %special = (
	step => sub { chance(0.5) ? '"' . pick(@intervals) . '"' : pick(1, 2, 3, 0, -1, '9007199254740993', 0.5) },
	timezone => sub { '"' . pick(@zones) . '"' },
	seasons => sub { chance(0.6) ? '[' . join(',', map { pick(1 .. 13, 24, 1000000, 1000001, 0, -1) } 0 .. rand 4) . ']' : pick(7, 12, 'null', '[]') },
	# These cost time: mostly little of it.
	steps => sub { chance(0.95) ? pick(1, 2, 3) : pick(0, -1, 50, 10000000) }, hidden => sub { chance(0.95) ? pick(1, 2, 3, 4, 8) : number(1, 1024) },
	layers => sub { pick(1, 1, 1, 2, 0, 8, 9) }, members => sub { pick(1, 1, 1, 2, 3, 0, 16, 17) }, batch => sub { pick(1, 2, 4, 0, 1024, 1025) },
	horizon => sub { chance(0.9) ? pick(1 .. 12) : pick(0, 1024, 1025, -1, 'null') }, context => sub { pick(1, 8, 12, 16, 100, 1000000, 0) },
	retain => sub { pick(1, 2, 0, 10000) }, windows => sub { pick(0 .. 4, 100, -1) });

sub option
{
	my ($name, $type, $default, $min, $max) = @{ pick(@OPTIONS) };
	my $value =
	    chance(0.05) ? odd_json()
	  : chance(0.05) ? 'null'
	  : $special{$name} ? $special{$name}->()
	  : $type =~ /boolean/ ? pick('true', 'false', '"on"', 0)
	  : $type =~ / \| / ? '"' . pick(split(/ \| /, $type), 'auto', 'nonsense') . '"'
	  : $type =~ /text/ ? '"' . pick('x', '', 'auto') . '"'
	  : number($min // '', $max // '');
	return qq{"$name": $value};
}

sub options
{
	return pick(q{'{}'}, 'NULL', q{'null'}, q{'[]'}, q{'1'}, q{'"x"'}, q{'{"a": 1}'}) . '::jsonb' if chance(0.06);
	my @keys = chance(0.75) ? '"network": false' : chance(0.8)
	  ? '"start": "scratch", "steps": 2, "hidden": 2, "layers": 1, "members": 1, "batch": 2, "patch": 1, "context": 8'
	  : '"start": "prior"';
	push @keys, option() for 1 .. rand 4;
	push @keys, '"fresh": true' if chance(0.1);
	push @keys, qq{"@{[ pick('netwrk', 'lag', '', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', 'level', 'samples', 'cutoffs', 'hierarchy', 'total', 'limit', 'width', 'window') ]}": @{[ odd_json() ]}}
	  if chance(0.06);
	return quoted('{' . join(', ', @keys) . '}') . '::jsonb';
}

# Covariates of row n.
my @covariates = (
	sub { q{jsonb_build_object('a', n % 4)} },
	sub { q{jsonb_build_object('a', n % 4, 'b', 'w' || n % 3)} },
	sub { sprintf q{CASE WHEN n > %d THEN '{"late": 1}' ELSE '{}' END::jsonb}, rand 60 },
	sub { sprintf q{CASE WHEN n = %d THEN '%s' ELSE '{"a": 1}' END::jsonb}, rand 20, pick('null', '[]', '1', '{"a": null}', '{"a": []}', '{"a": {"b": 1}}', '{"a": "w"}', '{"a": 1e300}', '{"": 1}', '{"a": 1e-320}') },
	sub { sprintf q{jsonb_build_object('k' || n %% %d, n)}, pick(3, 63, 64, 65, 200) },
	sub { sprintf q{jsonb_build_object('w', 'w' || n %% %d)}, pick(3, 63, 64, 65, 10000) },
	sub { sprintf q{jsonb_build_object(repeat('k', %d), n)}, pick(254, 255, 256, 10000) },
	sub { sprintf q{jsonb_build_object('w', repeat('v', %d))}, pick(999, 1000, 1001, 100000) },
	sub { q{jsonb_build_object('a', n % 2 = 0, 'b', 'NaN')} },
	sub { q{CASE WHEN n % 5 = 0 THEN NULL ELSE jsonb_build_object('a', n) END} },
	sub { q{'{}'::jsonb} }, sub { 'NULL::jsonb' }, sub { q{to_jsonb(n)} });

# ------------------------------------------------------------------ queries

my @queries = (
	'SELECT d, v FROM small WHERE g = 0', 'SELECT s AS series, d AS ts, v AS value FROM small', 'SELECT s, t, v FROM small', 'SELECT v FROM small ORDER BY n',
	'SELECT s AS series, z AS ts, v AS value, g AS promo FROM small', 'SELECT n, v FROM small', 'TABLE small', 'TABLE growing', 'SELECT d, v FROM guarded WHERE g = 0',
	'SELECT s AS series, d AS ts, v AS value, c FROM small', 'VALUES (date \'2024-01-01\', 1), (\'2024-01-02\', 2), (\'2024-01-04\', NULL)',
	'SELECT n % 2 AS series, n / 2 AS ts, 1.0 AS value FROM generate_series(1, 40) AS n', 'SELECT date \'2024-01-01\' + n, n % 7 FROM generate_series(1, 40) AS n',
	'WITH q AS (SELECT d, v FROM small WHERE g = 1) TABLE q', 'SELECT d, v FROM small WHERE g = 0 AND false', 'SELECT NULL::date, NULL::float8', 'SELECT ROW(1, 2), n, v FROM small',
	'SELECT s AS series, t AS ts, v AS value, n, g, d, z FROM small', 'SELECT d AS ts, v AS value, v AS value FROM small', 'SELECT t AS ts, v AS value, NULL AS a FROM small WHERE g = 0',
	'SELECT t AS ts, v AS value, s AS "" FROM small', 'SELECT d, sum(v) FROM big GROUP BY d', 'SELECT s AS series, d AS ts, v AS value FROM big WHERE g < 4', "SELECT 'x' AS series, d, v::text FROM small",
	# hostile, broken, empty
	'', ';', ' ', 'SELECT', 'SELECT 1; SELECT 2', 'SELECT 1 FROM', 'nonsense', 'SELECT 1) AS q; DROP TABLE small; SELECT (2', 'DELETE FROM written', 'WITH x AS (INSERT INTO written VALUES (1) RETURNING n) TABLE x',
	'SELECT d, v + writes() FROM small WHERE g = 0', 'SELECT d, v + errs(n) FROM small', 'SELECT d, v + changes() FROM small WHERE g = 0', 'SELECT d, v + trains() FROM small WHERE g = 0 AND n < 20', 'SELECT d, v FROM small WHERE g = 0 FOR UPDATE',
	'SELECT $1, v FROM small', 'SELECT d, v FROM nowhere', 'CREATE TABLE x ()', 'COPY small TO STDOUT', 'SELECT d, v FROM small -- comment', 'SELECT d, v FROM small /* open', 'SELECT d, v FROM small UNION SELECT d, v FROM big LIMIT 50',
	'CALL rnn_refit_all()', 'EXPLAIN SELECT 1', 'SELECT * FROM rnn_forecast_model(\'a\')', 'SELECT series, local_ts AS ts, forecast AS value FROM rnn_forecast((SELECT m FROM kept WHERE i = 2), 40)',
	'SELECT d, pg_sleep(0.001)::text, v FROM small', 'SELECT 1/0, v FROM small', 'SELECT m, n FROM kept, small', 'SELECT d AS ts, \'NaN\'::float8 AS value FROM small', 'SELECT \'infinity\'::date + 0, n FROM small', 'SHOW TimeZone', 'SELECT day, amount FROM temporary_ones',
	'BEGIN', 'SELECT n::numeric, v::numeric(10, 2) FROM small WHERE g = 0', 'SELECT interval \'1 day\' * n, v FROM small', 'SELECT s::mood AS series, d, v FROM small', 'SELECT ARRAY[s, s] AS series, d AS ts, v AS value FROM small', 'SELECT DISTINCT ON (d) d, v FROM small');

sub query
{
	return chance(0.03) ? 'NULL::text' : quoted(chance(0.02) ? word() : chance(0.02) ? pick(@queries) . word() : pick(@queries)) . '::text';
}

# ------------------------------------------------------------------- by type

sub horizon
{
	return chance(0.85) ? 1 + int rand 12 : pick('NULL', 0, -1, 100, 1024, 1025, 5000, 100000, '9223372036854775807', '-9223372036854775808');
}

sub series_array
{
	return pick('NULL', q{'{}'}, q{'{A}'}, q{'{A,B}'}, q{'{NULL}'}, q{'{A,NULL,C}'}, q{'{{A,B},{B,C}}'}, q{'{B,B,B}'}, q{'[5:6]={A,C}'}, q{array_fill('A'::text, '{3000}')}, q{'{Z}'}, q{'{0,1}'}) . '::text[]';
}

sub quantiles
{
	return pick(map { $_ . '::float8[]' } 'NULL', q{'{}'}, q{'{1}'}, q{'{1,2,3}'}, q{'{NULL,1}'}, q{'{NaN,1,2}'}, q{'{{1,2},{3,4}}'}, q{'[3:4]={1,2}'}, q{array_fill(1.0, '{100000}')},
		q{'{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15}'}, q{'{15,2,3,4,5,6,7,8,9,10,11,12,13,14,-15}'}, q{'{1,1,1,1,1,1,1,1,1,1,1,1,1,1,1}'}, q{'{-Infinity,2,3,4,5,6,7,8,9,10,11,12,13,14,Infinity}'},
		q{'{-1e308,2,3,4,5,6,7,8,9,10,11,12,13,14,1e308}'}, q{'{1,2,3,4,5,6,7,NULL,9,10,11,12,13,14,15}'}, q{'{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16}'}, q{'{1,2,3,4,5,6,7,8,9,10,11,12,13,14,NaN}'}, q{(SELECT quantiles FROM rnn_forecast((SELECT m FROM kept WHERE i = 1), 1))});
}

my %of_type = (
	'double precision' => sub { my ($n) = @_; ($n =~ /level/ && chance(0.8) ? pick(0.5, 0.8, 0.9, 0.95, 0.98, 0.99) : pick(@floats)) =~ s/(.*)/'$1'/r },
	'integer' => sub { pick(@ints) }, 'smallint' => sub { pick(0, 1, -1, 32767, -32768) },
	'bigint' => sub { my ($n) = @_; $n =~ /horizon/ ? horizon() : $n =~ /history/ ? pick(0, 0, 3, 90, -1, @longs) : pick(@longs) },
	'numeric' => sub { pick(qw('0' '1' '0.5' 'NaN' '1e100' '-1')) },
	'boolean' => sub { pick('true', 'false') },
	'date' => sub { quoted(pick(@dates)) }, 'timestamp without time zone' => sub { quoted(pick(@times)) },
	'timestamp with time zone' => sub { my ($n) = @_; $n =~ /until/ && chance(0.6) ? 'NULL' : quoted(pick(@times)) },
	'interval' => sub { quoted(pick('1 day', '0', '-1 month', '178000000 years')) },
	'name' => sub { quoted(substr(pick(@ROLES), 0, 60)) }, 'regrole' => sub { quoted(pick(@ROLES[0 .. 3])) }, 'oid' => sub { pick(0, 1, 1259, 4294967295) },
	'text[]' => sub { series_array() }, 'double precision[]' => sub { quantiles() },
	'json' => sub { q{'{}'} }, 'internal' => sub { 'NULL' }, 'cstring' => sub { q{'x'} });

my @any = (sub { quoted(pick('A', 'B', 'C')) . '::text' }, sub { pick(1, 2) . '::int' }, sub { q{'2024-01-01'::date} }, sub { q{ROW(1, 'x')::pair} }, sub { q{'{1,2}'::int[]} }, sub { q{'so so'::mood} },
	sub { q{'x'::short} }, sub { q{'NaN'::float8} }, sub { q{'1.50'::numeric} }, sub { q{'infinity'::timestamptz} }, sub { q{'{"a": 1}'::jsonb} }, sub { q{NULL::text} }, sub { q{'\x00'::bytea} }, sub { q{ROW(1, NULL)} }, sub { q{'abc'} });

# A value of a type for the argument of that name.
sub literal
{
	my ($type, $name) = @_;
	$name //= '';
	return one(@any) if $type =~ /^any/;
	return 'NULL' . ($type eq 'internal' ? '' : "::$type") if chance(0.06);
	return bytes($name) if $type eq 'bytea';
	return $name =~ /covar/ ? one(@covariates) =~ s/\bn\b/1/gr : options() if $type eq 'jsonb';
	if ($type eq 'text')
	{
		return query() if $name =~ /query/;
		return quoted(pick(@models)) . '::text' if $name eq 'name' || $name =~ /model/;
		return quoted(pick(@SCHEDULES)) . '::text' if $name =~ /schedule/;
		return quoted(pick('0:0', '1:10', '', ':', 'x:y', '99999999999999999999:1')) . '::text' if $name =~ /key/;
		return quoted(word()) . '::text';
	}
	return ($of_type{$type} ? $of_type{$type}->($name) : 'NULL') . "::$type";
}

# The same in row n.
my $stride = sub { pick('n', 'n', 'n', 'n', 'n / 3', 'n * 7', '-n', 'n % 5', 'n * n', 'n * 1000000', '0') };
my %of_row = (
	'date' => sub { chance(0.75) ? "date '2024-01-01' + " . $stride->() : chance(0.7) ? "(date '2020-01-31' + n * interval '1 month')::date" : "(date '2024-01-01' + n * interval '@{[ pick(@intervals[0 .. 12]) ]}')::date" },
	'timestamp without time zone' => sub { "timestamp '@{[ chance(0.9) ? pick(@times[0 .. 3]) : pick(@times) ]}' + @{[ $stride->() ]} * interval '@{[ pick(@intervals[0, 0, 3, 5, 5, 5, 9, 14, 14, 6, 7, 2, 11]) ]}'" },
	'timestamp with time zone' => sub { "timestamptz '@{[ chance(0.9) ? pick(@times[0 .. 3]) : pick(@times) ]}' + @{[ $stride->() ]} * interval '@{[ pick(@intervals[0, 0, 3, 5, 5, 5, 9, 14, 14, 6, 7, 2, 11]) ]}'" },
	'bigint' => sub { chance(0.9) ? $stride->() : pick('9223372036854775807 - n', '-9223372036854775807 + n', '1000000000000000 + n', 'n::bigint * 1000000000000') },
	'double precision' => sub {
		pick('n % 7', 'sin(n)', 'n % 7 + n', '5', '0', 'CASE WHEN n % 9 = 4 THEN NULL ELSE n % 5 END', 'n * 1e306', '1e308 * (n % 3 - 1)', 'n * 5e-324', '-n', 'exp(n % 40 - 20.0)', 'NULL', 'n % 2', 'n * n', '1e15 + n % 3',
			'CASE n % 11 WHEN 3 THEN 1e300 ELSE n % 4 END', 'CASE WHEN n > 10 THEN NULL ELSE n % 4 END', "CASE n % 17 WHEN 5 THEN '@{[ pick('NaN', 'Infinity', '-Infinity') ]}' ELSE n END") },
	'jsonb' => sub { my ($name) = @_; $name =~ /covar/ ? one(@covariates) : chance(0.95) ? options() : "CASE WHEN n < 5 THEN @{[ options() ]} ELSE @{[ options() ]} END" },
	'bytea' => sub { my ($name) = @_; chance(0.6) ? "(SELECT m FROM kept WHERE i = @{[ pick(1, 9, 20) ]} + n % @{[ pick(1, 3, 9, 30) ]})" : bytes($name) },
	'text' => sub { my ($name) = @_; $name eq '' || $name =~ /series/ ? series() : literal('text', $name) });

sub series
{
	return pick('n % 2', 'n % 3', q{chr(65 + n % 3)}, '1', q{'A'}) if chance(0.7);
	return pick(q{date '2024-01-01' + n % 2}, q{ROW(n % 2, 'x')::pair}, q{ARRAY[n % 2, 1]}, q{(ARRAY['low', 'so so', 'high'])[1 + n % 3]::mood}, q{('d' || n % 3)::short}, q{(n % 3)::float8 / 3}, q{NULL}, q{CASE n WHEN 7 THEN NULL ELSE n % 2 END},
		q{repeat('x', 10000 + n % 3)}, 'n', q{jsonb_build_object('a', n % 2)}, q{n % 2 = 0}, q{timestamptz '2024-10-27 00:30+00' + (n % 3) * interval '1 hour'}, q{'\x00'::bytea}, q{1.0 + n % 2}, q{interval '1 day' * (n % 2)}, q{chr(228 + n % 2)});
}

sub of_row
{
	my ($type, $name) = @_;
	$name //= '';
	return series() if $type =~ /^any/;
	return literal($type, $name) if chance(0.04) || !$of_row{$type};
	my $value = $of_row{$type}->($name);
	return $value =~ /^[\w'\\]+(::\w+)*$/ || $type !~ /^(text|bigint|double precision)$/ ? $value : "($value)::$type";
}

1;
