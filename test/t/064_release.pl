# META.json keeps to PGXN's meta spec 1.0.0 (https://pgxn.org/spec/), whose validator is a
# module of CPAN that Debian does not have; and all places tell the same version.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = abs_path(dirname(__FILE__) . '/../..');
my $semver = qr/^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:-?[A-Za-z][-0-9A-Za-z]*)?$/;
my $range = qr/^(?:(?:==|!=|<=?|>=?)?\s*(?:0|\d+\.\d+\.\d+)(?:\s*,\s*|$))+$/;
my $term = qr/^[^\s\/\\\p{Cc}]{2,}$/;
my @licenses = qw(agpl_3 apache_1_1 apache_2_0 artistic_1 artistic_2 bsd freebsd gfdl_1_2 gfdl_1_3 gpl_1 gpl_2 gpl_3
	lgpl_2_1 lgpl_3_0 mit mozilla_1_0 mozilla_1_1 openssl perl_5 postgresql qpl_1_0 ssleay sun zlib open_source restricted unrestricted unknown);
my @known = qw(abstract description generated_by license maintainer meta-spec name no_index prereqs provides release_status resources tags version);

# What is wrong with a distribution's description.
sub faults
{
	my ($meta) = @_;
	my @faults;
	my $fault = sub { my $message = pop; push @faults, $message unless $_[0] };
	my $text = sub { defined $_[0] && !ref $_[0] && $_[0] =~ /\S/ };

	$fault->(exists $meta->{$_}, "$_ is missing") for qw(abstract license maintainer meta-spec name provides version);
	$fault->($text->($meta->{$_}), "$_ is no text") for grep { exists $meta->{$_} } qw(abstract description name generated_by);
	$fault->(/^x_/i || is_known($_), "$_ is not known") for sort keys %$meta;
	$fault->(($meta->{name} // '') =~ $term, 'name is no term');
	$fault->(($meta->{version} // '') =~ $semver, 'version is no semantic version');
	$fault->(is_list_of_texts($meta->{maintainer}), 'maintainer is neither a text nor a list of them');
	for my $license (ref $meta->{license} eq 'HASH' ? () : ref $meta->{license} ? @{ $meta->{license} } : $meta->{license} // '')
	{
		$fault->((grep { $_ eq $license } @licenses) > 0, "license $license is not known");
	}
	$fault->(($meta->{'meta-spec'}{version} // '') =~ /^1\.0\.\d+$/, 'meta-spec has no version 1.0');
	$fault->(($meta->{release_status} // 'stable') =~ /^(?:stable|testing|unstable)$/, 'release_status is not known');
	$fault->(ref $meta->{provides} eq 'HASH' && %{ $meta->{provides} }, 'provides is empty');
	for my $name (sort keys %{ $meta->{provides} // {} })
	{
		my $provided = $meta->{provides}{$name};

		$fault->($name =~ $term, "$name is no term");
		$fault->(($provided->{version} // '') =~ $semver, "$name has no semantic version");
		$fault->(defined $provided->{$_} && -f "$root/$provided->{$_}", "$name: no such $_") for grep { $_ eq 'file' || exists $provided->{$_} } qw(file docfile);
	}
	for my $phase (sort keys %{ $meta->{prereqs} // {} })
	{
		$fault->($phase =~ /^(?:configure|runtime|build|test|develop)$/, "phase $phase is not known");
		for my $kind (sort keys %{ $meta->{prereqs}{$phase} })
		{
			my $wanted = $meta->{prereqs}{$phase}{$kind};
			$fault->($kind =~ /^(?:requires|recommends|suggests|conflicts)$/, "$kind is not known");
			$fault->($wanted->{$_} =~ $range, "$_ has no range of versions") for sort keys %$wanted;
		}
	}
	$fault->(length $_ <= 255 && $_ !~ m{[/\\\p{Cc}]}, "tag $_") for @{ $meta->{tags} // [] };
	return @faults;
}

sub is_known
{
	my ($key) = @_;

	return scalar grep { $_ eq $key } @known;
}

sub is_list_of_texts
{
	my ($value) = @_;
	my @texts = ref $value eq 'ARRAY' ? @$value : $value;

	return @texts && !grep { !defined || ref || !/\S/ } @texts;
}

my $json = slurp_file("$root/META.json");
my $meta = decode_json($json);
is(join("\n", faults($meta)), '', "META.json keeps to PGXN's meta spec");

# The rules see what is wrong.
for my $case (
	[ 'name is missing', sub { delete $_[0]{name} } ],
	[ 'version is no semantic version', sub { $_[0]{version} = '1.0' } ],
	[ 'license gnu is not known', sub { $_[0]{license} = 'gnu' } ],
	[ 'licence is not known', sub { $_[0]{licence} = 'mit' } ],
	[ 'rnnforecast: no such file', sub { $_[0]{provides}{rnnforecast}{file} = 'sql/none.sql' } ],
	[ 'PostgreSQL has no range of versions', sub { $_[0]{prereqs}{runtime}{requires}{PostgreSQL} = '14' } ],
	[ 'provides is empty', sub { $_[0]{provides} = {} } ])
{
	my ($fault, $spoil) = @$case;
	my $spoilt = decode_json($json);

	$spoil->($spoilt);
	ok((grep { $_ eq $fault } faults($spoilt)) == 1, "seen: $fault");
}

my $version = $meta->{version};
my ($short) = $version =~ /^(\d+\.\d+)/;
my %says = (
	'META.json, provides' => $meta->{provides}{rnnforecast}{version},
	'debian/changelog' => (slurp_file("$root/debian/changelog") =~ /\A\S+ \((.*)-\d+\)/)[0],
	'packaging/rpm/rnnforecast.spec' => (slurp_file("$root/packaging/rpm/rnnforecast.spec") =~ /^Version: +(\S+)$/m)[0],
	'CHANGELOG.md' => (slurp_file("$root/CHANGELOG.md") =~ /^## (\S+)/m)[0]);
is($says{$_}, $version, "$_ says the version") for sort keys %says;
is((slurp_file("$root/rnnforecast.control") =~ /^default_version = '(.*)'/m)[0], $short, 'the control file has the short one');
like(slurp_file("$root/Makefile"), qr{^DATA_built = sql/rnnforecast--\Q$short\E\.sql$}m, 'and so has the Makefile');

done_testing();
