/*
 * test_league.c
 *		Floors under accuracy: small real sets, forecast at a few origins by the
 *		mix, by its mean with the prior, and after a short training.
 *
 * MASE and coverage of the 90 % interval are held, set by set where a set has
 * enough windows to tell and over all of them; the floors leave some percent to
 * what is as good.  Times are told and held nowhere.  bench/league plays more.
 */
#include "trained.h"

#include <time.h>

#define Q RNN_QUANTILES
#define MOST_POINTS 4000
#define SCALED 2016				/* points that the scale is of */

typedef enum Variant { MIX, PRIOR, SHORT, VARIANTS } Variant;

static const char *const variants[VARIANTS] = {"mix", "prior", "short"};

typedef struct Set
{
	const char *path;
	int			horizon,
				season,			/* of the scale and of the naive forecast */
				origins,		/* a horizon apart, the last at the end */
				n_seasons,
				seasons[2];
	double		most[VARIANTS]; /* MASE; 0: the variant isn't played */
} Set;

static const Set sets[] = {
	{"examples/air_passengers.csv", 12, 12, 4, 1, {12}, {0.70, 0.69, 0}},
	{"examples/co2.csv", 26, 52, 4, 1, {52}, {0.24, 0.25, 0}},
	{"test/unit/league/retail_sales.csv", 12, 12, 4, 1, {12}, {0.345, 0.335, 0}},
	{"test/unit/league/us_gasoline.csv", 26, 52, 4, 1, {52}, {2.55, 2.4, 2.25}},
	{"test/unit/league/ilinet.csv", 26, 52, 4, 1, {52}, {1.68, 1.72, 0}},
	{"test/unit/league/peyton_manning.csv", 60, 7, 6, 2, {7, 364}, {1.12, 1.15, 1.1}},
	{"test/unit/league/taylor.csv", 24, 24, 10, 2, {24, 168}, {0.2, 0.2, 0}},
	{"test/unit/league/sunspots.csv", 11, 1, 4, 1, {11}, {1.22, 1.38, 0}},
};

#define SETS ((int) (sizeof(sets) / sizeof(sets[0])))

/* Of one variant on one set. */
typedef struct Score
{
	double		mase,
				naive;
	int			windows,
				inside,
				points;
	double		ms;
} Score;

static double x[MOST_POINTS];

/* The second column of a file, filled forward; how many. */
static int
read_set(const char *path)
{
	FILE	   *f = fopen(path, "r");
	char		line[200];
	int			n = 0;

	CHECK(f != NULL);
	while (f && fgets(line, sizeof(line), f) && n < MOST_POINTS)
	{
		const char *at = strchr(line, ',');
		char	   *end;
		double		v = at ? strtod(at + 1, &end) : NAN;

		if (at && end > at + 1)
			x[n++] = v;
		else if (n > 0)
		{
			x[n] = x[n - 1];
			n++;
		}
	}
	if (f)
		fclose(f);
	return n;
}

static double
milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return 1e3 * (double) t.tv_sec + 1e-6 * (double) t.tv_nsec;
}

/* Mean absolute difference to the season before, of the last points before e. */
static double
scale_at(int e, int season)
{
	int			first = e > SCALED ? e - SCALED : 0;
	double		sum = 0;

	for (int i = first + season; i < e; i++)
		sum += fabs(x[i] - x[i - season]);
	return sum / (e - first - season);
}

static rnn_config
options(const Set *set, Variant variant)
{
	rnn_config	cfg;

	rnn_config_defaults(&cfg);
	cfg.horizon = set->horizon;
	cfg.seasons_given = set->n_seasons;
	memcpy(cfg.seasons, set->seasons, sizeof(set->seasons));
	cfg.network = variant != MIX;
	cfg.start = variant == PRIOR ? RNN_START_PRIOR : RNN_START_AUTO;
	cfg.steps = variant == SHORT ? 60 : 0;
	return cfg;
}

static void
score_window(const Set *set, int e, const double *q, Score *s)
{
	double		error = 0,
				naive = 0,
				scale = scale_at(e, set->season);

	for (int j = 0; j < set->horizon; j++)
	{
		const double *row = q + j * Q;
		double		y = x[e + j];

		error += fabs(y - row[RNN_MEDIAN]);
		naive += fabs(y - x[e - set->season + j % set->season]);
		s->inside += y >= row[2] && y <= row[Q - 3];
		s->points++;
	}
	s->mase += error / scale / set->horizon;
	s->naive += naive / scale / set->horizon;
	s->windows++;
}

static Score
play(const Set *set, const rnn_prior *prior, Variant variant)
{
	Score		s = {0};
	int			n = read_set(set->path),
				first = n - set->origins * set->horizon;
	rnn_config	cfg = options(set, variant);
	double		began = milliseconds();
	Trained		t;

	CHECK(first > 2 * set->season);
	t = train_on(NULL, prior, &cfg, x, first, (size_t) 1 << 28);
	CHECK(t.status == RNN_OK);
	for (int e = first; t.status == RNN_OK && e < n; e += set->horizon)
	{
		double	   *q = forecast_series(&t.model, x, e, set->horizon);

		CHECK(q != NULL);
		if (q)
			score_window(set, e, q, &s);
		free(q);
	}
	free(t.block);
	s.ms = milliseconds() - began;
	s.mase /= s.windows;
	s.naive /= s.windows;
	return s;
}

static void
test_variant(const rnn_prior *prior, Variant variant, double most, double least_inside, double most_inside)
{
	double		ratio = 0,
				ms = 0;
	int			inside = 0,
				points = 0,
				played = 0;

	printf("- %s\n", variants[variant]);
	for (int i = 0; i < SETS; i++)
	{
		const Set  *set = &sets[i];
		Score		s;

		if (set->most[variant] == 0)
			continue;
		s = play(set, prior, variant);
		printf("  %-36s MASE %.3f of %.3f, coverage %.2f, %.0f ms\n", set->path, s.mase, s.naive,
			   (double) s.inside / s.points, s.ms);
		CHECK(s.mase < set->most[variant]);
		ratio += log(fmax(s.mase / s.naive, 0.25));
		played++;
		inside += s.inside;
		points += s.points;
		ms += s.ms;
	}
	ratio = exp(ratio / played);
	printf("  over the season before %.3f, coverage %.3f, %.0f ms\n", ratio, (double) inside / points, ms);
	CHECK(ratio < most);
	CHECK(inside > least_inside * points && inside < most_inside * points);
}

int
main(void)
{
	rnn_prior	prior;
	rnn_error	err;

	if (rnn_prior_load(rnn_prior_for(1, 0), malloc(rnn_prior_size(rnn_prior_for(1, 0))), &prior, &err) != RNN_OK)
		return 1;
	test_variant(&prior, MIX, 0.465, 0.82, 0.93);
	test_variant(&prior, PRIOR, 0.468, 0.84, 0.94);
	test_variant(&prior, SHORT, 0.69, 0.78, 0.95);
	free((void *) prior.weights);
	return check_summary("league");
}
