# A short run of random SQL, always the same: test/fuzz/sql/fuzz.pl.  For a
# longer one, with other seeds, there is tools/fuzz-sql.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = 16;
my $node = PostgreSQL::Test::Cluster->new('fuzz_sql');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nrestart_after_crash = on\nmax_worker_processes = 16");
$node->start;

local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
my ($found) = ($node->basedir . '/found');
mkdir $found or die "$found: $!";
my $out = `$^X test/fuzz/sql/fuzz.pl --psql psql --dir $found --out $found --log @{[ $node->logfile ]} --seed $seed --seconds 12 2>&1`;
my $status = $? >> 8;
note("seed $seed\n$out");
like($out, qr/^\d+ calls in .*, 0 findings$/m, "seed $seed: errors with an SQLSTATE, or finite answers, and the server lives");
is($status, 0, 'and says so');
my ($calls) = $out =~ /^(\d+) calls in/m;
cmp_ok($calls // 0, '>', 300, 'of some calls');
my ($functions) = $out =~ /^seed \d+, (\d+) functions/m;
is($functions, $node->safe_psql('fuzz', q{SELECT count(*) FROM pg_depend
	WHERE (classid, refclassid, deptype) = ('pg_proc'::regclass, 'pg_extension'::regclass, 'e')
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'rnnforecast')}), 'of all functions');
my ($fine) = $out =~ /^errors: .*\bnone (\d+)/m;
cmp_ok($fine // 0, '>', $calls / 20, 'of which many have an answer');
$node->stop;
done_testing();
