/*
 * judge.c
 *		Early stopping and the verdict: does the network earn a weight?
 *
 * The held-out windows are the last ones in time.  They form two halves.  Each
 * half chooses its own stopping step and weight of the network in the blend
 * with the mix; each choice is judged on the other half, so that no window
 * judges what was fitted on it.  d is the mean difference of the pinball loss,
 * blend less mix, over all windows, and e its standard error, clustered by
 * series and by time (cluster.c).  The network is dropped where
 * d + e > 0, and else its weight is shrunk by 1 - (e/d)^2 (James and Stein
 * 1961, positive part).  Of the prior, trained further, more is known, and it
 * gets the weight that is expected to be best (tuned_weight).  From 50 series on, short and long ones get weights of
 * their own by the same rule.
 */
#include "train/stages.h"
#include "kernel/kernel.h"

#include <math.h>
#include <string.h>

#define Q RNN_QUANTILES
#define ALL_LENGTHS (-1)
#define LENGTHS_MATTER 50		/* series from which on the weight may differ by length */
#define TUNED_SLOPE 0.2			/* what to expect of a tuned prior, fitted by tools/fit weight */
#define TUNED_CURVE 0.13
#define TUNED_SPREAD 0.1
#define LENGTH_WINDOWS 10		/* of each class of length in each half */

static double
spread_factor(int g)
{
	return pow(2, (g - RNN_SPREADS / 2) / 4.0);
}

static int64_t
held_frame(const rnn_trainer *t, int i)
{
	return t->runs[t->held[i].run].first + t->held[i].last;
}

/* ---------------------------------------------------------------- the prior */

/* A step's worth of held-out windows; it needs no frames of the trainer's. */
bool
prior_step(rnn_trainer *t)
{
	rnn_end		ends[16];
	int			count = t->W - t->prior_at < 16 ? t->W - t->prior_at : 16;
	int64_t		size;

	if (!t->prior)
		return true;
	/* Where the time is up the mix stands for both. */
	for (; t->hurry && t->prior_at < t->W; t->prior_at++)
		t->said[t->prior_at].q = NULL;
	if (t->prior_at >= t->W)
		return true;
	size = (int64_t) rnn_prior_steps(t->prior, t->cfg.horizon) * Q;
	for (int k = 0; k < count; k++)
	{
		int			i = t->prior_at + k;
		const Run  *run = &t->runs[t->held[i].run];

		ends[k] = (rnn_end) {&t->points[run->series], run->e0 + t->held[i].last * run->stride};
		t->said[i].q = rnn_prior_applies(t->prior, &ends[k]) ? t->prior_q + i * size : NULL;
	}
	rnn_prior_net_run(&t->prior_net, ends, count, t->said + t->prior_at);
	t->prior_at += count;
	return t->prior_at >= t->W;
}

/* What a network is judged against: the mix, and the prior where there is one. */
static void
base_quantiles(rnn_trainer *t, int i, double factor, real *q)
{
	rnn_frame_mix(&t->plan, t->frames + held_frame(t, i) * t->plan.width, factor, q);
	if (t->prior)
		rnn_prior_blend(t->prior, &t->said[i], t->scales[held_frame(t, i)], t->cfg.horizon, q);
}

void
judge_begin(rnn_trainer *t)
{
	for (int half = 0; half < 2; half++)
	{
		t->best[half].loss = INFINITY;
		t->best[half].step = 0;
		t->best[half].grid = 0;
	}
	t->stale = 0;
}

/* -------------------------------------------------------- the mix's spread */

/* Mean pinball of window i of the mix, its gaps widened by each factor tried. */
static void
add_spread_losses(rnn_trainer *t, int i)
{
	const Held *held = &t->held[i];
	const Run  *run = &t->runs[held->run];
	const rnn_points *pts = &t->points[run->series];
	int64_t		e = run->e0 + held->last * run->stride;
	rnn_scale	scale = t->scales[held_frame(t, i)];
	double		sum[RNN_SPREADS] = {0};
	int			known = 0;

	rnn_frame_mix(&t->plan, t->frames + held_frame(t, i) * t->plan.width, 1, t->q_mix);
	for (int64_t j = 0; j < t->cfg.horizon && e + j < pts->n; j++)
	{
		const real *q = t->q_mix + j * Q;
		double		y = (pts->raw[e + j] - scale.a) / scale.s - q[RNN_MEDIAN];

		if (isnan(y))
			continue;
		known++;
		for (int g = 0; g < RNN_SPREADS; g++)
		{
			double		loss = 0;

			for (int k = 0; k < Q; k++)
				loss += rnn_pinball(k, y - spread_factor(g) * (q[k] - q[RNN_MEDIAN]));
			sum[g] += RNN_LOSS_CAP * tanh(loss / Q / RNN_LOSS_CAP);
		}
	}
	for (int g = 0; known > 0 && g < RNN_SPREADS; g++)
		t->spread_loss[held->half][g] += sum[g] / known;
}

/*
 * A network learns how wide its quantiles must be.  To be fair the mix is
 * judged with gaps fitted in one number, on the half that doesn't judge it.
 */
bool
spread_step(rnn_trainer *t)
{
	/* It is what the judging of the network found. */
	if (t->hurry && t->settled)
		return true;
	for (int n = 0; n < 64 && t->spread_at < t->W && !t->hurry; n++)
		add_spread_losses(t, t->spread_at++);
	if (t->spread_at < t->W && !t->hurry)
		return false;
	for (int half = 0; half < 2; half++)
	{
		int			best = RNN_SPREADS / 2;

		for (int g = 0; g < RNN_SPREADS; g++)
			if (t->spread_loss[half][g] < t->spread_loss[half][best])
				best = g;
		t->spread[half] = spread_factor(best);
	}
	t->model.mix_spread = sqrt(t->spread[0] * t->spread[1]);
	return true;
}

void
add_log(rnn_trainer *t, double validation, double baseline)
{
	MemberLog  *member = t->final ? &t->member_log[t->member] : NULL;
	int		   *n = member ? &member->n : &t->model.n_log;

	if (*n == (member ? MEMBER_LOG : MEMBER_LOG * RNN_CANDIDATES))
		return;
	(member ? member->row : t->log)[*n] = (rnn_log_row) {
		t->member, t->final ? RNN_LOG_FINAL : t->at < t->n_kinds - 1 ? RNN_LOG_TUNING : RNN_LOG_VALIDATION, t->step,
		(float) (t->loss_count ? t->loss_sum / t->loss_count : 0),
		(float) validation, (float) baseline, (float) t->opt.rate,
		(float) (t->loss_count ? t->norm_sum / t->loss_count : 0)
	};
	++*n;
	t->loss_sum = t->norm_sum = 0;
	t->loss_count = 0;
}

int
held_batch(rnn_trainer *t, int from)
{
	int			most = t->train ? t->net.max_B : t->cfg.batch,
				B = t->W - from < most ? t->W - from : most;

	for (int b = 0; b < B; b++)
	{
		t->windows[b][0] = t->held[from + b].run;
		t->windows[b][1] = t->held[from + b].last;
	}
	return B;
}

void
blend_quantiles(rnn_trainer *t, int i, int b, double weight, real *q)
{
	int64_t		size = (int64_t) t->cfg.horizon * Q;

	if (weight > 0)
		rnn_net_quantiles(&t->net, t->last_row + b, q);
	if (weight == 1)
		return;
	base_quantiles(t, i, t->model.mix_spread, t->q_mix);
	for (int64_t k = 0; k < size; k++)
		q[k] = weight > 0 ? (real) (weight * q[k] + (1 - weight) * t->q_mix[k]) : t->q_mix[k];
}

/* Mean capped pinball of held-out window i for each weight of the grid. */
static void
window_losses(rnn_trainer *t, int i, const real *q, const real *mix, float *row)
{
	const Held *held = &t->held[i];
	const Run  *run = &t->runs[held->run];
	const rnn_points *pts = &t->points[run->series];
	int64_t		e = run->e0 + held->last * run->stride;
	rnn_scale	scale = t->scales[held_frame(t, i)];
	double		sum[RNN_GRID] = {0};
	int			known = 0;

	for (int64_t j = 0; j < t->cfg.horizon && e + j < pts->n; j++)
	{
		double		y = (pts->raw[e + j] - scale.a) / scale.s;

		if (isnan(y))
			continue;
		known++;
		for (int g = 0; g < RNN_GRID; g++)
		{
			double		w = g / (RNN_GRID - 1.0),
						loss = 0;

			for (int k = 0; k < Q; k++)
				loss += rnn_pinball(k, y - (w * q[j * Q + k] + (1 - w) * mix[j * Q + k]));
			sum[g] += RNN_LOSS_CAP * tanh(loss / Q / RNN_LOSS_CAP);
		}
	}
	for (int g = 0; g < RNN_GRID; g++)
		row[g] = known ? (float) (sum[g] / known) : 0;
}

bool
is_judged(const rnn_trainer *t)
{
	return isfinite(t->best[0].loss) && isfinite(t->best[1].loss);
}

void
validation_begin(rnn_trainer *t)
{
	t->held_at = 0;
}

/*
 * When the time is up and nothing was judged yet, the first windows say what
 * the network is worth; both halves have to be among them.
 */
static bool
enough_validated(rnn_trainer *t)
{
	int			newer = 0;

	if (!t->hurry || t->held_at < HURRIED_WINDOWS)
		return false;
	for (int i = 0; i < t->held_at; i++)
		newer += t->held[i].half;
	if (newer == 0 || newer == t->held_at)
		return false;
	t->W = t->held_at;
	sort_by_block(t, t->W);
	return true;
}

bool
validation_step(rnn_trainer *t)
{
	int			B = held_batch(t, t->held_at);

	if (enough_validated(t))
		return true;
	forward_last(t, optimizer_weights(&t->opt), B);
	for (int b = 0; b < B; b++)
	{
		int			i = t->held_at + b;

		rnn_net_quantiles(&t->net, t->last_row + b, t->q);
		if (t->blends)
			base_quantiles(t, i, t->spread[1 - t->held[i].half], t->q_mix);
		else
			memcpy(t->q_mix, t->q, sizeof(real) * t->cfg.horizon * Q);
		window_losses(t, i, t->q, t->q_mix, t->rows + (int64_t) i * RNN_GRID);
	}
	t->held_at += B;
	return t->held_at >= t->W;
}

/* Points before the origin of held-out window i. */
static int64_t
length_of(const rnn_trainer *t, int i)
{
	const Run  *run = &t->runs[t->held[i].run];

	return run->e0 + t->held[i].last * run->stride;
}

/* 0 for short series, 1 for the others. */
static int
class_of(const rnn_trainer *t, int i)
{
	return length_of(t, i) >= t->model.short_below;
}

/* Mean over the windows of a half and class of length (-1: all) for one weight of the grid. */
static double
mean_loss(const rnn_trainer *t, const float *rows, int half, int length, int grid)
{
	double		sum = 0;
	int			n = 0;

	for (int i = 0; i < t->W; i++)
		if ((half < 0 || t->held[i].half == half) && (length < 0 || class_of(t, i) == length))
		{
			sum += rows[(int64_t) i * RNN_GRID + grid];
			n++;
		}
	return n ? sum / n : INFINITY;
}

/* The weight of least loss, in steps of the grid; scratch has no choice. */
static int
best_grid(const rnn_trainer *t, const float *rows, int half, int length, double *loss)
{
	int			best = RNN_GRID - 1;

	*loss = mean_loss(t, rows, half, length, best);
	if (t->blends && t->cfg.start == RNN_START_AUTO)
		for (int g = RNN_GRID - 2; g > 0; g--)
		{
			double		l = mean_loss(t, rows, half, length, g);

			if (l < *loss)
			{
				*loss = l;
				best = g;
			}
		}
	return best;
}

void
validation_end(rnn_trainer *t)
{
	bool		progress = false;

	for (int half = 0; half < 2; half++)
	{
		Best	   *best = &t->best[half];
		double		loss;
		int			grid = best_grid(t, t->rows, half, ALL_LENGTHS, &loss);

		if (!(loss < best->loss))
			continue;
		progress |= loss < best->loss - 1e-4 * fabs(best->loss) || isinf(best->loss);
		best->loss = loss;
		best->grid = grid;
		best->step = t->step;
		memcpy(best->weights, optimizer_weights(&t->opt), sizeof(real) * t->opt.P);
		memcpy(best->rows, t->rows, sizeof(float) * t->W * RNN_GRID);
	}
	t->stale = progress ? 0 : t->stale + 1;
	add_log(t, mean_loss(t, t->rows, -1, ALL_LENGTHS, RNN_GRID - 1),
			t->blends ? mean_loss(t, t->rows, -1, ALL_LENGTHS, 0) : NAN);
}

/* The difference at each weight of the grid. */
static void
measure_gain(rnn_trainer *t)
{
	for (int g = 0; g < RNN_GRID; g++)
	{
		for (int i = 0; i < t->W; i++)
		{
			const float *row = t->best[1 - t->held[i].half].rows + (int64_t) i * RNN_GRID;

			t->rows[i] = row[g] - row[0];
		}
		t->gain[g] = clustered_mean(t, t->rows, &t->gain_error[g]);
	}
}

/* What is left of a gain that is known with an error (James and Stein 1961). */
static double
shrinkage(double difference, double error)
{
	return difference < 0 ? fmax(0, 1 - pow(error / difference, 2)) : 0;
}

/*
 * What goes on from the prior is near it, and it is known what becomes of it:
 * on synthetic series its difference at weight w was, relative to the loss,
 * TUNED_CURVE w^2 - TUNED_SLOPE w on average, and from series to series
 * TUNED_SPREAD w away from that (tools/fit).  Of that and what was measured the
 * weight takes the mean, each by its precision, and is where that is least.
 */
int
tuned_weight(const double gain[RNN_GRID], const double error[RNN_GRID], double loss)
{
	double		least = 0;
	int			best = 0;

	for (int g = 1; g < RNN_GRID; g++)
	{
		double		w = g / (RNN_GRID - 1.0),
					expected = loss * w * (TUNED_CURVE * w - TUNED_SLOPE),
					spread = loss * w * TUNED_SPREAD,
					trust = 1 / (1 + pow(error[g] / spread, 2)),
					d = trust > 0 ? trust * gain[g] + (1 - trust) * expected : expected;

		if (d < least)
		{
			least = d;
			best = g;
		}
	}
	return best;
}

/* Never less than before: what is better is found later. */
int
steps_found(const rnn_trainer *t)
{
	return (t->best[0].step + t->best[1].step + 1) / 2;
}

/*
 * A network leans on other series where a series tells little, and on what the
 * references can't see where it is long: the halves choose a weight for each
 * class of length, which counts as far as it is better on the other half.
 */
static void
weigh_by_length(rnn_trainer *t, float *difference, double shrink)
{
	rnn_model  *m = &t->model;
	int			grid[2][2],		/* (class, half) */
				windows[2][2] = {0};
	double		weight[2],
				logs = 0,
				gain,
				error,
				loss;

	for (int i = 0; i < t->W; i++)
		logs += log((double) length_of(t, i));
	m->short_below = (int64_t) ceil(exp(logs / t->W));
	for (int i = 0; i < t->W; i++)
		windows[class_of(t, i)][t->held[i].half]++;
	for (int c = 0; c < 2; c++)
		for (int half = 0; half < 2; half++)
		{
			if (windows[c][half] < LENGTH_WINDOWS || m->short_below > t->plan.reach)
			{
				m->short_below = 0;
				return;
			}
			grid[c][half] = best_grid(t, t->best[half].rows, half, c, &loss);
		}
	for (int i = 0; i < t->W; i++)
	{
		int			other = 1 - t->held[i].half;
		const float *row = t->best[other].rows + (int64_t) i * RNN_GRID;

		difference[i] = row[grid[class_of(t, i)][other]] - row[t->best[other].grid];
	}
	gain = clustered_mean(t, difference, &error);
	for (int c = 0; c < 2; c++)
	{
		double		own = (grid[c][0] + grid[c][1]) / 2.0 / (RNN_GRID - 1) * shrink;

		weight[c] = m->weight + shrinkage(gain, error) * (fmin(own, 1) - m->weight);
	}
	m->weight_short = weight[0];
	m->weight = weight[1];
	if (weight[0] == weight[1])
		m->short_below = 0;
}

void
judge(rnn_trainer *t)
{
	rnn_model  *m = &t->model;
	float	   *difference = t->rows;	/* the last validation's, no longer needed */
	double		chosen,
				shrink;

	t->steps = steps_found(t);
	if (t->cfg.start != RNN_START_AUTO || !t->blends)
	{
		m->weight = 1;
		m->verdict = RNN_VERDICT_ASKED;
		m->difference = m->std_error = m->mix_pinball = NAN;
		return;
	}
	/* Each window by what the other half chose. */
	for (int i = 0; i < t->W; i++)
	{
		const Best *other = &t->best[1 - t->held[i].half];
		const float *row = other->rows + (int64_t) i * RNN_GRID;

		difference[i] = row[other->grid] - row[0];
	}
	m->difference = clustered_mean(t, difference, &m->std_error);
	measure_gain(t);
	m->mix_pinball = mean_loss(t, t->best[0].rows, -1, ALL_LENGTHS, 0);
	chosen = (t->best[0].grid + t->best[1].grid) / 2.0 / (RNN_GRID - 1);
	if (t->kind == RNN_KIND_SCRATCH)
		shrink = shrinkage(m->difference, m->std_error);
	else
	{
		int			g = tuned_weight(t->gain, t->gain_error, m->mix_pinball);

		shrink = g / (RNN_GRID - 1.0) / chosen;
		if (g > 0)
		{
			m->difference = t->gain[g];
			m->std_error = t->gain_error[g];
		}
	}
	m->weight = shrink * chosen;
	if (m->weight > 0 && t->panel.count >= LENGTHS_MATTER)
		weigh_by_length(t, difference, shrink);
	m->verdict = m->weight > 0 ? RNN_VERDICT_ADDED : t->hurry ? RNN_VERDICT_TIME :
		m->difference < 0 ? RNN_VERDICT_UNSURE : RNN_VERDICT_WORSE;
}
