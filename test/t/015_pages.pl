# Pages in Markdown: every link and anchor leads somewhere, no page for users is
# longer than 300 lines, the documentation site has all pages, and the reference lists
# all that SQL can call.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Spec;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = abs_path(dirname(__FILE__) . '/../..');
my @pages = ('README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'CODE_OF_CONDUCT.md', 'examples/README.md',
	split /\n/, qx{cd '$root' && find docs -name '*.md' | LC_ALL=C sort});
my %anchors;

# The lines of a page that are no code.
sub words
{
	my ($path) = @_;

	return slurp_file("$root/$path") =~ s/^```.*?^```$//gmsr;
}

# The anchors of a page, made of its headings as sites that show Markdown do.
sub anchors
{
	my ($path) = @_;

	return $anchors{$path} //= {
		map { (s/\[([^\]]*)\]\([^)]*\)/$1/gr =~ s/[^\w\s-]//gr =~ s/\s/-/gr) => 1 }
		map { lc } words($path) =~ /^#+ +(.*?) *$/gm };
}

# The path of a link, from the top of the repository.
sub target
{
	my ($page, $link) = @_;
	my @parts;

	return $page if $link eq '';
	for my $part (split m{/}, dirname($page) . "/$link")
	{
		if ($part eq '..') { pop @parts }
		elsif ($part ne '.') { push @parts, $part }
	}
	return join '/', @parts;
}

for my $page (@pages)
{
	my ($words, @lost) = words($page);

	while ($words =~ /\]\(([^)\s#]*)(?:#([^)\s]*))?\)/g)
	{
		my ($link, $anchor) = ($1, $2);

		next if $link =~ /^[a-z]+:/;
		my $path = target($page, $link);
		next if $path =~ m{^bench/} && !-e "$root/bench";    # tools/check leaves it behind
		push @lost, "$link: no such file" unless -e "$root/$path";
		push @lost, "$link#$anchor: no such heading" if -f "$root/$path" && defined $anchor && !anchors($path)->{$anchor};
	}
	is(join("\n", @lost), '', "$page: links");
}

for my $page (grep { m{^docs/} && !m{^docs/developers/} } @pages)
{
	my $lines = () = slurp_file("$root/$page") =~ /\n/g;

	cmp_ok($lines, '<=', 300, "$page: length");
}

my $site = slurp_file("$root/mkdocs.yml");
is(join(' ', grep { $site !~ /^ +- \Q$_\E$/m } map { s{^docs/}{}r } grep { m{^docs/} } @pages), '', 'the site has all pages');

my %public = map { $_ => 1 } slurp_file("$root/sql/rnnforecast.sql") =~ /^CREATE (?:FUNCTION|PROCEDURE|AGGREGATE|VIEW) (rnn_\w+)/gm;
my $index = slurp_file("$root/docs/reference.md");
is(join(' ', grep { $index !~ /`$_`/ } sort keys %public), '', 'the reference lists all functions and views');

done_testing();
