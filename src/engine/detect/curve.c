/*
 * curve.c
 *		Whether a panel is forecast as it is, or by its asinh.
 *
 * What varies in proportion to its level, as loads, prices and counts do, has
 * intervals that grow with the level, and a longer way up than down.  On the
 * scale of logarithms such a series is even.  A prefix of the series doesn't tell
 * which one it is, but the errors do: the mix forecasts it on both scales.
 */
#include "detect/curve.h"
#include "bank/bank.h"

#include <math.h>
#include <string.h>

#define LEAST 64				/* points of those that vote: intervals of shorter ones are so wide that they aren't for logarithms */
#define MARGIN 0.01				/* of the loss, that a transform must earn, */
#define VARIED 0.04				/* and by how much series of one kind differ in it at least */
#define LEVELS 5

/* Quantiles of a normal distribution whose mean absolute value is 1. */
static const double level[LEVELS] = {0.1, 0.25, 0.5, 0.75, 0.9};
static const double away[LEVELS] = {-1.606, -0.845, 0, 0.845, 1.606};

/* filled and transformed copies, references, their mix, the mix's scratch */
size_t
rnn_curve_work(const rnn_series *series, int count, int h)
{
	int64_t		n = rnn_voters_longest(series, count);

	return (size_t) (2 * n + (int64_t) RNN_REFS * h + h) + rnn_mix_work_shared(n, h);
}

void
rnn_curve_begin(rnn_curve_search *s, const rnn_config *cfg, const rnn_series *series, int count, int h,
				const int *seasons, int n_seasons, double *work)
{
	memset(s, 0, sizeof(*s));
	s->series = series;
	s->count = count;
	s->seasons = seasons;
	s->n_seasons = n_seasons;
	s->kappa = cfg->kappa;
	s->bent = *cfg;
	s->bent.transform = RNN_TRANSFORM_ASINH;
	s->work = work;
	s->longest = rnn_voters_longest(series, count);
	/* Long horizons would leave no origins in short series. */
	s->h = (int) rnn_min(h, rnn_max(s->longest / 6, 1));
}

/* The mix's expected error at step j, from those of both halves of the horizon. */
static double
spread_at(const rnn_mix *mix, int h, int j)
{
	double		near = mix->spread[0],
				far = mix->spread[1];

	return far < near ? (near + far) / 2 : rnn_mix_spread_at(near, rnn_mix_power(near, far, 1), h, j);
}

/* The pinball loss of quantiles around f at y, in the series' own units. */
static double
loss_at(const rnn_config *cfg, double f, double spread, double y)
{
	double		sum = 0;

	for (int k = 0; k < LEVELS; k++)
	{
		double		d = y - rnn_restore(cfg, f + away[k] * spread);

		sum += d > 0 ? level[k] * d : (level[k] - 1) * d;
	}
	return sum / LEVELS;
}

/* Mean loss of the mix of x (n) at origins before its end, y being x as it was; NaN where too short. */
static double
play(const rnn_curve_search *s, const rnn_config *cfg, const double *x, const double *y, int64_t n)
{
	double	   *ref = s->work + 2 * s->longest,
			   *f = ref + (int64_t) RNN_REFS * s->h,
			   *scratch = f + s->h,
				sum = 0;
	int			most = rnn_voters_origins(s->count),
				origins = 0;
	rnn_mix_rule rule = rnn_mix_rule_plain(s->h, s->seasons, s->n_seasons, s->kappa);

	rnn_mix_begin(scratch, n, s->h);
	for (int64_t end = n - s->h; origins < most && end >= 8 && end >= n / 2; end -= s->h, origins++)
	{
		rnn_mix		mix;

		rnn_mix_next(&rule, x, 0, end, &mix, ref, scratch);
		rnn_mix_combine(&mix, ref, s->h, f);
		for (int j = 0; j < s->h; j++)
			sum += loss_at(cfg, f[j], spread_at(&mix, s->h, j), y[end + j]);
	}
	return origins > 0 ? sum / origins / s->h : NAN;
}

/* One series on both scales; one that is too short, or forecast without an error, abstains. */
static void
vote(rnn_curve_search *s)
{
	rnn_voter	v = rnn_voter_at(s->series, s->count, s->voter, s->work);
	rnn_config	plain = s->bent;
	double	   *bent = s->work + s->longest,
				loss,
				ratio;

	if (v.n < LEAST)
		return;
	for (int64_t i = 0; i < v.n; i++)
		bent[i] = rnn_transform(&s->bent, v.x[i]);
	plain.transform = RNN_TRANSFORM_NONE;
	loss = play(s, &plain, v.x, v.x, v.n);
	if (!(loss > 0))
		return;
	/* One series alone must not decide for a panel. */
	ratio = fmin(fmax(log(play(s, &s->bent, bent, v.x, v.n) / loss), -1), 0.5);
	s->score += ratio;
	s->squares += ratio * ratio;
	s->voted++;
}

bool
rnn_curve_step(rnn_curve_search *s)
{
	if (s->voter < rnn_voters(s->count))
	{
		vote(s);
		s->voter++;
	}
	return s->voter >= rnn_voters(s->count);
}

/* Most series must vote, and their votes agree, the more the fewer they are. */
rnn_transform_kind
rnn_curve_end(const rnn_curve_search *s)
{
	double		n = s->voted,
				mean = s->score / n,
				variance = s->squares / n - mean * mean + VARIED * VARIED;

	return 2 * n > rnn_voters(s->count) && mean < -MARGIN && mean < -sqrt(variance / n) ? RNN_TRANSFORM_ASINH : RNN_TRANSFORM_NONE;
}
