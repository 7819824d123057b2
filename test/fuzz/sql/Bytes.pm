# Altered models, histories and states.  Models carry a CRC-32C: half of the
# altered ones get it repaired, as by one who means harm, so that what stands
# behind it is reached.
package Bytes;

use strict;
use warnings;
use Exporter 'import';
our @EXPORT_OK = qw(signed altered);

my @table = map { my $c = $_; $c = $c & 1 ? ($c >> 1) ^ 0x82f63b78 : $c >> 1 for 1 .. 8; $c } 0 .. 255;

# With the length and the checksum that fit: docs/developers/model-format.md, "Header".
sub signed
{
	my ($bytes) = @_;
	return $bytes if length $bytes < 16;
	my $crc = 0xffffffff;
	$crc = ($crc >> 8) ^ $table[ ($crc ^ $_) & 255 ] for unpack 'C*', substr($bytes, 16);
	substr($bytes, 8, 8) = pack 'VV', length $bytes, $crc ^ 0xffffffff;
	return $bytes;
}

# Numbers that counts, lengths and values are replaced by.
my @words = map { pack 'V', $_ & 0xffffffff } 0 .. 5, 63, 64, 65, 255, 256, 65535, 1 << 20, 1 << 24, 0x7fffffff, 0x80000000, -1, -2;
my @doubles = map { pack 'd<', $_ } 0, 1, -1, 0.5, 1e300, -1e300, 1e-300, 5e-324, 1.7e308, 9**9**9, -9**9**9, -sin(9**9**9);
my @longs = map { pack 'q<', $_ } 0, 1, -1, 1 << 31, 1 << 40, 1 << 53, (1 << 62), -(1 << 62), 9223372036854775807, -9223372036854775807 - 1;

my @how = (
	sub { my ($b, $at) = @_; substr($$b, $at, 1) ^= chr(1 << int rand 8) },
	sub { my ($b, $at) = @_; substr($$b, $at, 1) = chr(int rand 256) },
	sub { my ($b, $at) = @_; substr($$b, $at, 4) = $words[ rand @words ] if $at + 4 <= length $$b },
	sub { my ($b, $at) = @_; substr($$b, $at, 8) = $doubles[ rand @doubles ] if $at + 8 <= length $$b },
	sub { my ($b, $at) = @_; substr($$b, $at, 8) = $longs[ rand @longs ] if $at + 8 <= length $$b },
	sub {												# a word a little larger or smaller
		my ($b, $at) = @_;
		return if $at + 4 > length $$b;
		substr($$b, $at, 4) = pack 'V', (unpack('V', substr $$b, $at, 4) + int(rand 5) - 2) & 0xffffffff;
	},
	sub { my ($b, $at) = @_; $$b = substr $$b, 0, $at },
	sub { my ($b, $at) = @_; substr($$b, $at, 1 + int rand 16) = '' },
	sub { my ($b, $at) = @_; substr($$b, $at, 0) = substr $$b, int rand length $$b, 1 + int rand 32 },
	sub { my ($b, $at, $other) = @_; $$b = substr($$b, 0, $at) . substr($other, $at < length $other ? $at : 0) },
	sub { my ($b) = @_; $$b .= chr(int rand 256) x (1 + int rand 9) });

# One of the originals, changed in one to four places.
sub altered
{
	my ($bytes, $other) = @_;
	for (1 .. 1 + int(rand() ** 3 * 4))
	{
		last if length $bytes < 2;
		# Most fields that matter come first; words lie at even places.
		my $at = rand() < 0.5 ? 16 + int rand 200 : int rand length $bytes;
		$at &= ~1 if rand() < 0.5;
		$at = int rand length $bytes if $at >= length $bytes;
		$how[ rand @how ]->(\$bytes, $at, $other);
	}
	return rand() < 0.7 ? signed($bytes) : $bytes;
}

1;
