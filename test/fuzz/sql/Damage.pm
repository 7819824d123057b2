# What a superuser, or the owner of the extension, may do to it in a database:
# functions of the same name, and tables of another shape.
package Damage;

use strict;
use warnings;
use Value qw(one pick chance quoted literal);

our %COLUMNS;		# of the extension's tables: {table => [[name, type] ...]}

sub learn
{
	my ($ask) = @_;
	push @{ $COLUMNS{ $_->[0] } }, [ @$_[ 1, 2 ] ] for $ask->(q{
		SELECT c.relname, attname, format_type(atttypid, NULL) FROM pg_class AS c JOIN pg_attribute ON attrelid = c.oid
			JOIN pg_depend AS x ON (x.classid, x.objid, x.deptype) = ('pg_class'::regclass, c.oid, 'e')
		WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'rnnforecast') AND relkind = 'r' AND attnum > 0 ORDER BY 1, attnum});
}

my @types = ('integer', 'bigint', 'text', 'bytea', 'jsonb', 'double precision', 'boolean', 'date', 'name', 'text[]', 'timestamp without time zone', 'smallint');

sub overload
{
	my $r = pick(map { @{ $Statement::ROUTINES{$_} } } @Statement::NAMES);
	my @args = map { $_->[0] } @{ $r->{args} };
	$args[ rand @args ] = pick(@types) if @args;
	push @args, pick(@types) if chance(0.1);
	@args = map { $_ eq 'internal' ? 'integer' : $_ } @args;
	my $args = join ', ', map { "$_" . ($r->{defaults} && chance(0.3) ? '' : '') } @args;
	return "CREATE PROCEDURE public.$r->{name}($args) LANGUAGE sql AS 'SELECT 1'" if $r->{kind} eq 'p';
	my $type = pick(@types);
	return pick("CREATE FUNCTION public.$r->{name}($args) RETURNS $type LANGUAGE sql AS 'SELECT 42::text::$type'",
		"CREATE FUNCTION public.$r->{name}($args) RETURNS SETOF $type LANGUAGE sql AS 'SELECT NULL::$type'",
		"CREATE FUNCTION public.$r->{name}($args) RETURNS TABLE (" . join(', ', map { "c$_ int" } 1 .. pick(2, 9, 10, 11, 200)) . ") LANGUAGE sql AS 'SELECT " . join(', ', (1) x 10) . "'",
		"CREATE FUNCTION public.$r->{name}($args) RETURNS SETOF rnn_forecast_row LANGUAGE sql AS 'SELECT NULL::rnn_forecast_row'",
		"CREATE FUNCTION public.$r->{name}($args) RETURNS bytea LANGUAGE sql IMMUTABLE AS \$\$SELECT '\\x00'::bytea\$\$");
}

sub table
{
	return unless %COLUMNS;
	my $t = pick(sort keys %COLUMNS);
	my ($c, $type) = @{ pick(@{ $COLUMNS{$t} }) };
	my $other = pick(@types);
	my $value = literal($type, $c eq 'bytes' ? 'model' : $c);
	return one(
		sub { ("ALTER TABLE $t RENAME COLUMN $c TO old", "ALTER TABLE $t ALTER old DROP NOT NULL", "ALTER TABLE $t ADD COLUMN $c $other DEFAULT @{[ literal($other) ]}") },
		sub { ("ALTER TABLE $t ALTER $c DROP NOT NULL", "UPDATE $t SET $c = NULL") },
		sub { ("DROP VIEW IF EXISTS rnn_models, rnn_versions, rnn_runs", "ALTER TABLE $t ALTER $c DROP DEFAULT", "ALTER TABLE $t ALTER $c TYPE $other USING NULL") },
		sub { "ALTER TABLE $t DROP COLUMN $c CASCADE" },
		sub { ("ALTER EXTENSION rnnforecast DROP TABLE $t", "DROP TABLE $t CASCADE") },
		sub { "UPDATE $t SET $c = $value" },
		sub { "UPDATE $t SET $c = $value" },
		sub { "DELETE FROM $t" },
		sub { "ALTER TABLE $t RENAME TO other" },
		sub { "CREATE RULE r AS ON INSERT TO $t DO INSTEAD NOTHING" },
		sub { "CREATE RULE r AS ON UPDATE TO $t DO INSTEAD NOTHING" },
		sub { ("CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN NEW.$c = NULL; RETURN NEW; END \$\$", "CREATE TRIGGER spoil BEFORE INSERT OR UPDATE ON $t FOR EACH ROW EXECUTE FUNCTION spoil()") },
		sub { ("CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN RETURN NULL; END \$\$", "CREATE TRIGGER spoil BEFORE INSERT OR UPDATE OR DELETE ON $t FOR EACH ROW EXECUTE FUNCTION spoil()") },
		sub { "ALTER TABLE $t ADD COLUMN extra int NOT NULL DEFAULT 1" });
}

sub any
{
	return one(\&overload, \&overload, \&table, \&table, \&table,
		sub { ('CREATE SCHEMA elsewhere', 'ALTER EXTENSION rnnforecast SET SCHEMA elsewhere') },
		sub { ('DROP TYPE rnn_forecast_row CASCADE', 'ALTER TYPE rnn_forecast_row ADD ATTRIBUTE more int', 'ALTER TYPE rnn_forecast_row DROP ATTRIBUTE upper') },
		sub { 'DROP FUNCTION rnn_history(date, float8) CASCADE' },
		sub { chance(0.2) ? 'DROP EXTENSION rnnforecast CASCADE' : 'ALTER EXTENSION rnnforecast DROP FUNCTION rnn_forecast' },
		sub { "ALTER ROLE @{[ pick('alice', 'bob') ]} SET search_path = nowhere" },
		sub { 'REVOKE ALL ON FUNCTION ' . pick('rnn_history(date, float8)', 'rnn_history(text, date, float8)', 'rnn_observe', 'rnn_forecast', '_rnn_next_run', '_rnn_role_is') . ' FROM PUBLIC' },
		sub { 'REVOKE USAGE ON SCHEMA public FROM PUBLIC' });
}

1;
