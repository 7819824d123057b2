# Pictures of rnn_plot, and the demo's report, as a browser shows them: narrow and
# wide, light and dark, compared with those in test/pictures.  Fonts differ between machines, so that
# the whole is looked at from afar, in 60 columns, and closely only where there
# are no letters.  UPDATE_PICTURES=1 writes the pictures of today instead.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($browser) = grep { -x } map { my $folder = $_; map { "$folder/$_" } qw(chromium chromium-browser google-chrome) } split /:/, $ENV{PATH};
plan skip_all => 'no chromium, chromium-browser or google-chrome in the PATH: no picture is looked at' unless $browser;

my $pictures = abs_path(dirname(__FILE__) . '/../pictures');
my $folder = PostgreSQL::Test::Utils::tempdir();
my %scheme = (light => 1, dark => 0);
my $node = PostgreSQL::Test::Cluster->new('pictures');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION rnnforecast');

# Numbers that are the same on every machine; quantiles are 15.
my $rows = q{SELECT s AS series, timestamp '2025-03-01' + n * interval '12 hours' AS ts,
	CASE WHEN n <= 70 THEN 100 + length(s) * 20 + n % 14 * (14 - n % 14) + n * 7919 % 11 + CASE WHEN n = 40 THEN 60 ELSE 0 END END AS value,
	CASE WHEN n > FROM_N THEN 105 + length(s) * 20 + n % 14 * (14 - n % 14) END AS forecast,
	CASE WHEN n > FROM_N THEN 85 + length(s) * 20 + n % 14 * (14 - n % 14) END AS lower, CASE WHEN n > FROM_N THEN 125 + length(s) * 20 + n % 14 * (14 - n % 14) END AS upper,
	CASE WHEN n > FROM_N THEN ARRAY(SELECT 98.0 + length(s) * 20 + n % 14 * (14 - n % 14) + k FROM generate_series(0, 14) AS k)::float8[] END AS quantiles,
	n = 40 AS is_anomaly
	FROM generate_series(1, 98) AS n, unnest(SERIES::text[]) AS s};
my %sql = (
	forecast => [ $rows =~ s/FROM_N/70/gr =~ s/SERIES/ARRAY['Bergen']/r, 'Rides of a day', 'rides' ],
	anomalies => [ $rows =~ s/FROM_N/0/gr =~ s/SERIES/ARRAY['Cork', '<b>Aarhus & co<\/b>']/r, 'What is odd', 'rides' ]);

sub write_file
{
	my ($name, $bytes) = @_;
	open my $out, '>:raw', $name or die "$name: $!";
	print $out $bytes;
	close $out;
	return $name;
}

# What the browser prints, of a page.
sub browse
{
	my @words = @_;
	my ($out, $err);
	IPC::Run::run([ $browser, '--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--force-device-scale-factor=1',
			"--user-data-dir=$folder/profile", '--virtual-time-budget=5000', @words ], '<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout(120))
	  or die "$browser failed: $err";
	return $out;
}

# A window is 500 points wide at least.
sub shoot
{
	my ($svg, $width, $scheme, $name) = @_;
	my $page = write_file("$folder/$name.html", qq{<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark">}
		. qq{<body style="margin:0"><img style="display:block;width:${width}px" src="data:image/svg+xml;base64,} . encode_base64($svg, '') . '">');
	my $shot = "$folder/$name.png";
	browse("--blink-settings=preferredColorScheme=$scheme{$scheme}", '--window-size=' . ($width < 500 ? 500 : $width) . ',' . int($width * 0.9),
		"--screenshot=$shot", "file://$page");
	return slurp_file($shot);
}

# Where there are lines and bands and no letters: left, top, width and height, of 640.
my %inside = (forecast => '[[64,98,562,220]]', anomalies => '[[64,136,562,130],[64,336,562,130]]');

# A whole page in a frame, half as large.
sub shoot_page
{
	my ($file, $width, $height, $scheme, $name) = @_;
	my $page = write_file("$folder/$name.html", qq{<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark">}
		. qq{<body style="margin:0"><iframe style="border:0;width:${width}px;height:${height}px" src="file://$file"></iframe>});
	my $shot = "$folder/$name.png";
	browse("--blink-settings=preferredColorScheme=$scheme{$scheme}", '--window-size=' . ($width < 500 ? 500 : $width) . ",$height",
		'--force-device-scale-factor=0.5', "--screenshot=$shot", "file://$page");
	return slurp_file($shot);
}

# How far two pictures are apart: of 255 the mean of coarse cells; of fine ones inside of it the share that differ.
sub difference
{
	my ($a, $b, $width, $inside, $w, $h) = (@_, 640, 570);
	my ($x, $y) = map { encode_base64($_, '') } $a, $b;
	my $page = write_file("$folder/compare.html", <<"PAGE");
<!doctype html><img id="a" src="data:image/png;base64,$x"><img id="b" src="data:image/png;base64,$y"><script>
onload = () => {
	const scale = $width / 640;
	const cells = (id, x, y, w, h, columns, rows) => {
		const c = document.createElement('canvas');
		c.width = columns; c.height = rows;
		const g = c.getContext('2d');
		g.imageSmoothingQuality = 'high';
		g.drawImage(document.getElementById(id), x * scale, y * scale, w * scale, h * scale, 0, 0, columns, rows);
		return g.getImageData(0, 0, columns, rows).data;
	};
	const apart = (...place) => {
		const b = cells('b', ...place);
		return Array.from(cells('a', ...place)).map((x, i) => Math.abs(x - b[i]));
	};
	const all = apart(0, 0, $w, $h, 60, 54);
	const fine = $inside.flatMap(([x, y, w, h]) => apart(x, y, w, h, w / 2, h / 2));
	document.title = 'mean ' + (all.reduce((s, x) => s + x) / all.length).toFixed(2)
		+ ' share ' + (fine.filter(x => x > 40).length / (fine.length || 1)).toFixed(4);
};
</script>
PAGE
	browse('--dump-dom', "file://$page") =~ /<title>mean ([\d.]+) share ([\d.]+)/ or die 'the browser compared nothing';
	return ($1, $2);
}

my %shots;
for my $what (sort keys %sql)
{
	my ($query, $title, $unit) = @{ $sql{$what} };
	my $svg = $node->safe_psql('postgres', "SELECT rnn_plot(\$q\$$query\$q\$, '$title', '$unit')");
	for my $width (300, 1200)
	{
		for my $scheme ('dark', 'light')
		{
			my $name = "$what-$width-$scheme";
			my $shot = $shots{$name} = shoot($svg, $width, $scheme, $name);
			write_file("$pictures/$name.png", $shot) if $ENV{UPDATE_PICTURES};
			my ($mean, $share) = difference($shot, slurp_file("$pictures/$name.png"), $width, $inside{$what});
			ok($mean < 3 && $share < 0.001, "$name looks as it did") or diag "mean $mean, share $share";
		}
	}
}

# What differs in more than fonts is seen: the other scheme, a line less.
for my $width (300, 1200)
{
	my ($mean, $share) = difference($shots{"forecast-$width-dark"}, $shots{"forecast-$width-light"}, $width, $inside{forecast});
	ok($mean > 3 && $share > 0.001, "light and dark differ at $width") or diag "mean $mean, share $share";
}
my ($query, $title, $unit) = @{ $sql{forecast} };
my $without = $node->safe_psql('postgres', "SELECT rnn_plot(r, '$title', '$unit') FROM (SELECT *, NULL::float8 AS forecast FROM (SELECT ts, value, lower, upper, quantiles FROM ($query) AS q) AS q) AS r");
for my $width (300, 1200)
{
	my ($mean, $share) = difference(shoot($without, $width, 'light', 'without'), $shots{"forecast-$width-light"}, $width, $inside{forecast});
	cmp_ok($share, '>', 0.001, "a forecast without its line differs at $width");
}

# The demo's report, whose numbers differ in their last digits between machines: all of it, from afar.
my $examples = abs_path(dirname(__FILE__) . '/../../examples');
my $report = "$folder/report.html";
my ($said, $errors);
IPC::Run::run([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-v', "report=$report", '-d', $node->connstr('postgres'), '-f', 'demo.sql' ],
	'>', \$said, '2>', \$errors, init => sub { chdir $examples or die $! }) or die "the demo failed: $errors";
my $html = slurp_file($report);
unlike($html, qr/<script|(src|href)=["']?http/, 'the report needs nothing else');
for ([ 390, 3600 ], [ 1200, 5400 ])
{
	my ($width, $height) = @$_;
	my @size = (int($width / 2), $height / 2);
	for my $scheme ('dark', 'light')
	{
		my $name = "report-$width-$scheme";
		my $shot = shoot_page($report, $width, $height, $scheme, $name);
		write_file("$pictures/$name.png", $shot) if $ENV{UPDATE_PICTURES};
		my ($mean) = difference($shot, slurp_file("$pictures/$name.png"), 640, '[]', @size);
		cmp_ok($mean, '<', 3, "$name looks as it did");
	}
	my $less = write_file("$folder/less.html", $html =~ s{<section><h2>What is odd.*?</section>}{}sr);
	my ($mean) = difference(shoot_page($less, $width, $height, 'light', 'less'), slurp_file("$pictures/report-$width-light.png"), 640, '[]', @size);
	cmp_ok($mean, '>', 3, "a section less is seen at $width");
}

$node->stop;
done_testing;
