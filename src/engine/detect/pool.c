/*
 * pool.c
 *		What the series of a panel know together of their references.
 *
 * A short series has few origins that tell which references are good for it, and
 * by so few it often believes the wrong one.  (A long one has its own, and what
 * its panel was like passes.)  Where its panel is of one kind, the
 * others know better; where each series is of its own kind, they know nothing.
 * So each reference's error in units of its series' usual one is averaged over
 * the panel, and the latest origins judge how much that should have counted: the
 * mix forecasts them by what was known before.
 */
#include "detect/pool.h"

#include <math.h>
#include <string.h>

#define VOTERS 128				/* series that are asked, spread over the panel */
#define BETWEEN 2				/* origins from one that judges to those that know nothing of what followed it, */
#define EXPECTED 2.0			/* what the panel counts for if nothing speaks against it, */
#define DOUBT 0.01				/* and part of the loss that each e-fold away from it must earn */
#define EXACT 1e-9				/* error by the largest value that rounding may have made */
#define WORST 10.0				/* loss of a window in units of the series' usual one: one series alone must not decide */

static const double tries[RNN_POOL_TRIES] = {0, 1, 2, 4, 8};

static int
voters(const rnn_pool_search *s)
{
	return s->count < VOTERS ? s->count : VOTERS;
}

/* filled and transformed copies, references, a forecast, the mix's scratch */
size_t
rnn_pool_work(const rnn_series *series, int count, int h)
{
	int64_t		n = rnn_voters_longest(series, count);

	return (size_t) (2 * n + (int64_t) RNN_REFS * h + h) + rnn_mix_work(n, h);
}

void
rnn_pool_begin(rnn_pool_search *s, const rnn_config *cfg, const rnn_series *series, int count, double *work)
{
	memset(s, 0, sizeof(*s));
	s->series = series;
	s->count = count;
	s->cfg = *cfg;
	/* Errors as they are, before anything is known of others. */
	s->rule = rnn_mix_rule_of(cfg, cfg->horizon);
	s->rule.pooling = 0;
	s->work = work;
	s->longest = rnn_voters_longest(series, count);
}

/* The forecast of the v-th trailing origin by these weights against what came. */
static double
loss_at(const rnn_pool_search *s, const rnn_voter *voter, const rnn_mix *mix, int v)
{
	int			h = s->rule.h;
	double	   *f = s->work + 2 * s->longest + (int64_t) RNN_REFS * h;
	int64_t		end;
	int			steps = rnn_mix_trailing(mix, f + h, v, h, f, &end);

	return rnn_mix_error(f, voter->x + end, steps);
}

/* Errors of each reference alone, (seen, RNN_REFS). */
static void
errors_of(const rnn_pool_search *s, const rnn_voter *voter, const rnn_mix *mix, double (*error)[RNN_REFS])
{
	int			h = s->rule.h;
	const double *work = s->work + 2 * s->longest + (int64_t) (RNN_REFS + 1) * h;

	for (int v = 1; v <= mix->seen; v++)
	{
		int64_t		end;
		int			steps = rnn_mix_origin(work, v, &end);

		for (int r = 0; r < RNN_REFS; r++)
			if (mix->present[r])
				error[v - 1][r] = rnn_mix_error(rnn_mix_reference(work, v, r, h), voter->x + end, steps);
	}
}

/* Their means over the origins from the v-th on, as the mix takes them; returns the sum of weights. */
static double
mean_errors(double (*error)[RNN_REFS], int v, rnn_mix *mix)
{
	double		total = 0;

	memset(mix->error, 0, sizeof(mix->error));
	for (int u = v; u <= mix->seen; u++)
	{
		double		weight = rnn_mix_fade(u - v + 1);

		for (int r = 0; r < RNN_REFS; r++)
			if (mix->present[r])
				mix->error[r] += weight * error[u - 1][r];
		total += weight;
	}
	for (int r = 0; r < RNN_REFS; r++)
		mix->error[r] /= total;
	return total;
}

static void
add(rnn_pool_sums *sums, const rnn_mix *mix)
{
	double		typical = rnn_mix_typical(mix);

	if (!(typical > 0))
		return;
	sums->series++;
	for (int r = 0; r < RNN_REFS; r++)
		if (mix->present[r])
		{
			sums->sum[r] += fmin(log(fmax(mix->error[r] / typical, 1e-9)), RNN_MOST_POOLED);
			sums->count[r]++;
		}
}

static void
means(const rnn_pool_sums *sums, double *pooled)
{
	for (int r = 0; r < RNN_REFS; r++)
		pooled[r] = sums->count[r] > 0 ? sums->sum[r] / sums->count[r] : NAN;
}

/* A series tells how good each reference was, up to now and up to each of the origins that judge. */
static void
ask(rnn_pool_search *s, double (*error)[RNN_REFS], rnn_mix *mix)
{
	mean_errors(error, 1, mix);
	add(&s->all, mix);
	for (int v = 1; v <= RNN_POOL_FOLDS && v + BETWEEN <= mix->seen; v++)
	{
		mean_errors(error, v + BETWEEN, mix);
		add(&s->before[v - 1], mix);
	}
}

/* What each try would have made of the origins that judge, by what was known before them. */
static void
judge(rnn_pool_search *s, const rnn_voter *voter, double (*error)[RNN_REFS], const rnn_mix *mix)
{
	rnn_mix		own = *mix;
	double		usual;

	mean_errors(error, 1, &own);
	usual = rnn_mix_typical(&own);
	for (int v = 1; v <= RNN_POOL_FOLDS && v + BETWEEN <= mix->seen && usual > 0; v++)
	{
		double		origins;
		rnn_mix_rule rule = s->rule;
		rnn_mix		before = *mix;

		means(&s->before[v - 1], rule.pooled);
		origins = mean_errors(error, v + BETWEEN, &before);
		for (int i = 0; i < RNN_POOL_TRIES; i++)
		{
			own = before;
			rule.pooling = tries[i];
			rnn_mix_weigh(&rule, origins, voter->n, &own);
			s->loss[v - 1][i] += fmin(loss_at(s, voter, &own, v) / usual, WORST);
		}
		s->judged = true;
	}
}

static void
take(rnn_pool_search *s)
{
	const rnn_series *one = &s->series[(int64_t) s->voter * s->count / voters(s)];
	rnn_voter	voter = rnn_voter_of(one, s->work);
	double	   *bent = s->work + s->longest,
				error[RNN_TRAILING][RNN_REFS] = {{0}},
				top = 0;
	rnn_mix		mix;

	if (voter.n < 1 || !rnn_mix_is_short(voter.n, s->rule.h))
		return;
	for (int64_t i = 0; i < voter.n; i++)
		bent[i] = rnn_transform(&s->cfg, voter.x[i]);
	voter.x = bent;
	rnn_mix_at(&s->rule, voter.x, voter.n, &mix, bent + s->longest, bent + s->longest + (int64_t) (RNN_REFS + 1) * s->rule.h);
	for (int64_t i = 0; i < voter.n; i++)
		top = fmax(top, fabs(voter.x[i]));
	/* One that was forecast without an error can't tell. */
	if (mix.seen == 0 || !(rnn_mix_typical(&mix) > EXACT * top))
		return;
	errors_of(s, &voter, &mix, error);
	if (s->judging)
		judge(s, &voter, error, &mix);
	else
		ask(s, error, &mix);
}

bool
rnn_pool_step(rnn_pool_search *s)
{
	if (s->voter == voters(s) && !s->judging && isnan(s->cfg.pooling))
	{
		s->judging = true;
		s->voter = 0;
	}
	if (s->voter < voters(s))
	{
		take(s);
		s->voter++;
	}
	return s->voter == voters(s) && (s->judging || !isnan(s->cfg.pooling));
}

/* The mean over the origins of a try's loss beside that of series which stand alone. */
static double
relative_loss(const rnn_pool_search *s, int i)
{
	double		sum = 0,
				total = 0;

	for (int v = 1; v <= RNN_POOL_FOLDS; v++)
		if (s->loss[v - 1][0] > 0 && s->before[v - 1].series >= RNN_POOL_LEAST)
		{
			sum += rnn_mix_fade(v) * s->loss[v - 1][i] / s->loss[v - 1][0];
			total += rnn_mix_fade(v);
		}
	return total > 0 ? sum / total : NAN;
}

double
rnn_pool_end(const rnn_pool_search *s, double *pooled)
{
	double		best = INFINITY,
				found = EXPECTED;

	means(&s->all, pooled);
	if (s->all.series < RNN_POOL_LEAST)
		return 0;
	if (!isnan(s->cfg.pooling))
		return s->cfg.pooling;
	for (int i = 0; i < RNN_POOL_TRIES && s->judged; i++)
	{
		double		loss = relative_loss(s, i) + DOUBT * fabs(log((tries[i] + 1) / (EXPECTED + 1)));

		if (loss < best)
		{
			best = loss;
			found = tries[i];
		}
	}
	return found;
}
