/*
 * judge.c
 *		Early stopping and the verdict: does the network earn a weight?
 *
 * The held-out windows are the last ones in time.  They form two halves.  Each
 * half chooses its own stopping step and weight of the network in the blend
 * with the mix; each choice is judged on the other half, so that no window
 * judges what was fitted on it.  d is the mean difference of the pinball loss,
 * blend less mix, over all windows, and e its standard error, clustered by
 * series and by time (cluster.c).  The network is dropped where d + e > 0, and
 * else its weight is shrunk by 1 - (e/d)^2 (James and Stein 1961, positive
 * part).  In a panel whose series share what happened it must also have been
 * better nearly all the time.  Of the prior, trained further, more is
 * known, and it gets the weight that is expected to be best (tuned_weight).  In
 * a panel no weight stays at which sums over the series get clearly worse
 * (weight_of_sums).  From 50 series on, short and long ones get weights of their
 * own by the same rule.
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
#define CLEARLY 1.0				/* errors that a plain loss may be worse by */
#define LENGTH_WINDOWS 10		/* of each class of length in each half */

static double
spread_factor(int g)
{
	return pow(2, (g - RNN_SPREADS / 2) / 4.0);
}

static const real *
held_frame(const Study *s, int i)
{
	return s->runs[s->held[i].run].strip.frames + s->held[i].last * s->plan.width;
}

static rnn_scale
held_scale(const Study *s, int i)
{
	return s->runs[s->held[i].run].strip.scales[s->held[i].last];
}

/* What a network is judged against: the mix, and the prior where there is one. */
static void
base_quantiles(const Study *s, int i, double factor, real *q)
{
	rnn_frame_mix(&s->plan, held_frame(s, i), factor, q);
	if (s->prior)
		rnn_prior_blend(s->prior, &s->said[i], held_scale(s, i), s->cfg.horizon, q);
	rnn_frame_phase_gaps(&s->plan, held_points(s, i), held_start(s, i), q);
}

void
judge_begin(Trial *t)
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
add_spread_losses(Trial *t, int i)
{
	const Held *held = &t->study->held[i];
	const rnn_points *pts = held_points(t->study, i);
	int64_t		e = held_start(t->study, i);
	rnn_scale	scale = held_scale(t->study, i);
	double		sum[RNN_SPREADS] = {0},
				factor[RNN_SPREADS];
	int			known = 0;

	for (int g = 0; g < RNN_SPREADS; g++)
		factor[g] = spread_factor(g);
	rnn_frame_mix(&t->study->plan, held_frame(t->study, i), 1, t->q_mix);
	rnn_frame_phase_gaps(&t->study->plan, pts, e, t->q_mix);
	for (int64_t j = 0; j < t->study->cfg.horizon && e + j < pts->n; j++)
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
				loss += rnn_pinball(k, y - factor[g] * (q[k] - q[RNN_MEDIAN]));
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
spread_step(Trial *t)
{
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
	t->judgement->mix_spread = sqrt(t->spread[0] * t->spread[1]);
	return true;
}

void
blend_quantiles(const Fit *fit, int i, int b, double weight, double spread, real *q_mix, real *q)
{
	int64_t		size = (int64_t) fit->study->cfg.horizon * Q;

	if (weight > 0)
		rnn_net_quantiles(&fit->net, fit->last_row + b, q);
	if (weight == 1)
		return;
	base_quantiles(fit->study, i, spread, q_mix);
	for (int64_t k = 0; k < size; k++)
		q[k] = weight > 0 ? (real) (weight * q[k] + (1 - weight) * q_mix[k]) : q_mix[k];
}

/* The size of a window's scale in the units of its series. */
static double
size_of(const Study *s, int i)
{
	return held_scale(s, i).s * s->points[s->runs[s->held[i].run].series].unit;
}

/*
 * Mean pinball of held-out window i for each weight of the grid: capped, in
 * units of its scale, and as it is, in units of the largest scale.
 */
static void
window_losses(Trial *t, int i, const real *q, const real *mix)
{
	float	   *row = t->rows + (int64_t) i * RNN_GRID,
			   *plain = t->plain + (int64_t) i * RNN_GRID;
	Held	   *held = &t->study->held[i];
	const rnn_points *pts = held_points(t->study, i);
	int64_t		e = held_start(t->study, i);
	rnn_scale	scale = held_scale(t->study, i);
	double		sum[RNN_GRID] = {0},
				whole[RNN_GRID] = {0},
				part = size_of(t->study, i) / t->largest,
				above = 0;
	int			known = 0;

	for (int64_t j = 0; j < t->study->cfg.horizon && e + j < pts->n; j++)
	{
		double		y = (pts->raw[e + j] - scale.a) / scale.s;

		if (isnan(y))
			continue;
		known++;
		above += y - mix[j * Q + RNN_MEDIAN];
		for (int g = 0; g < RNN_GRID; g++)
		{
			double		w = g / (RNN_GRID - 1.0),
						loss = 0;

			for (int k = 0; k < Q; k++)
				loss += rnn_pinball(k, y - (w * q[j * Q + k] + (1 - w) * mix[j * Q + k]));
			sum[g] += RNN_LOSS_CAP * tanh(loss / Q / RNN_LOSS_CAP);
			whole[g] += loss / Q * part;
		}
	}
	held->side = above > 0 ? 1 : -1;
	for (int g = 0; g < RNN_GRID; g++)
	{
		row[g] = known ? (float) (sum[g] / known) : 0;
		plain[g] = known ? (float) (whole[g] / known) : 0;
	}
}

bool
is_judged(const Trial *t)
{
	return isfinite(t->best[0].loss) && isfinite(t->best[1].loss);
}

void
validation_begin(Trial *t)
{
	t->held_at = 0;
	/* A head that is trained alone is cheap to try. */
	t->watched = t->fit->held_states ? t->W : (int) rnn_min(t->W, WATCHED_WINDOWS);
	t->largest = 0;
	for (int i = 0; i < t->W; i++)
		t->largest = fmax(t->largest, size_of(t->study, i));
}

/*
 * When the time is up and nothing was judged yet, the first windows say what
 * the network is worth; both halves have to be among them.
 */
static bool
enough_validated(Trial *t)
{
	int			newer = 0;

	if (!t->hurry || t->held_at < HURRIED_WINDOWS || t->watched < t->W)
		return false;
	for (int i = 0; i < t->held_at; i++)
		newer += t->study->held[i].half;
	if (newer == 0 || newer == t->held_at)
		return false;
	t->W = t->watched = t->held_at;
	sort_by_block(t->study, t->W);
	return true;
}

/* Losses of the next batch of windows with weights w; true when it was the last. */
static bool
look_at(Trial *t, const real *w)
{
	int			B = held_batch(t->fit, t->held_at, t->watched, t->W);

	forward_last(t->fit, w, t->held_at, B);
	for (int b = 0; b < B; b++)
	{
		int			i = spread_window(t->held_at + b, t->watched, t->W);

		rnn_net_quantiles(&t->fit->net, t->fit->last_row + b, t->q);
		if (t->study->blends)
			base_quantiles(t->study, i, t->spread[1 - t->study->held[i].half], t->q_mix);
		else
			memcpy(t->q_mix, t->q, sizeof(real) * t->study->cfg.horizon * Q);
		window_losses(t, i, t->q, t->q_mix);
	}
	t->held_at += B;
	return t->held_at >= t->watched;
}

bool
validation_step(Trial *t)
{
	return enough_validated(t) || look_at(t, optimizer_weights(&t->fit->opt));
}

/* 0 for short series, 1 for the others. */
static int
class_of(const Trial *t, int i)
{
	return held_start(t->study, i) >= t->judgement->short_below;
}

/* Mean over the windows of a half and class of length (-1: all) for one weight of the grid. */
static double
mean_loss(const Trial *t, const float *rows, int half, int length, int grid)
{
	double		sum = 0;
	int			n = 0;

	for (int k = 0; k < t->watched; k++)
	{
		int			i = spread_window(k, t->watched, t->W);

		if ((half < 0 || t->study->held[i].half == half) && (length < 0 || class_of(t, i) == length))
		{
			sum += rows[(int64_t) i * RNN_GRID + grid];
			n++;
		}
	}
	return n ? sum / n : INFINITY;
}

/* The weight of least loss, in steps of the grid; scratch has no choice. */
static int
best_grid(const Trial *t, const float *rows, int half, int length, double *loss)
{
	int			best = RNN_GRID - 1;

	*loss = mean_loss(t, rows, half, length, best);
	if (t->study->blends && t->study->cfg.start == RNN_START_AUTO)
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
validation_end(Trial *t)
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
		best->step = t->fit->step;
		memcpy(best->weights, optimizer_weights(&t->fit->opt), sizeof(real) * t->fit->opt.P);
		memcpy(best->rows, t->rows, sizeof(float) * t->W * RNN_GRID);
		memcpy(best->plain, t->plain, sizeof(float) * t->W * RNN_GRID);
	}
	t->stale = progress ? 0 : t->stale + 1;
	fit_log(t->fit, mean_loss(t, t->rows, -1, ALL_LENGTHS, RNN_GRID - 1),
			t->study->blends ? mean_loss(t, t->rows, -1, ALL_LENGTHS, 0) : NAN);
}

void
recheck_begin(Trial *t)
{
	t->watched = t->W;
	t->held_at = t->judged_half = 0;
}

bool
recheck_step(Trial *t)
{
	Best	   *best = &t->best[t->judged_half];

	if (!look_at(t, best->weights))
		return false;
	memcpy(best->rows, t->rows, sizeof(float) * t->W * RNN_GRID);
	memcpy(best->plain, t->plain, sizeof(float) * t->W * RNN_GRID);
	best->grid = best_grid(t, best->rows, t->judged_half, ALL_LENGTHS, &best->loss);
	t->held_at = 0;
	return ++t->judged_half == 2;
}

/* The rows of a loss that one half's choice has. */
static const float *
rows_of(const Best *best, Loss loss)
{
	return loss == LOSS_PLAIN ? best->plain : best->rows;
}

static void
measure_gains(Trial *t, Loss loss)
{
	Gains	   *gains = &t->gains[loss];

	gains->loss = mean_loss(t, rows_of(&t->best[0], loss), -1, ALL_LENGTHS, 0);
	for (int g = 0; g < RNN_GRID; g++)
	{
		for (int i = 0; i < t->W; i++)
		{
			const float *row = rows_of(&t->best[1 - t->study->held[i].half], loss) + (int64_t) i * RNN_GRID;

			t->rows[i] = row[g] - row[0];
		}
		gains->difference[g] = clustered_mean(t->study, t->W, t->rows, &gains->error[g]);
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
 * difference is the mean, each by its precision.  As a part of the loss.
 */
static double
tuned_difference(const Gains *gains, int g)
{
	double		w = g / (RNN_GRID - 1.0),
				expected = w * (TUNED_CURVE * w - TUNED_SLOPE),
				trust = 1 / (1 + pow(gains->error[g] / (gains->loss * w * TUNED_SPREAD), 2));

	return trust > 0 ? trust * gains->difference[g] / gains->loss + (1 - trust) * expected : expected;
}

/* Users look at each series by its own size, and add panels up: the weight is where the sum of both losses is least. */
int
tuned_weight(const Gains *gains, int losses)
{
	double		least = 0;
	int			best = 0;

	for (int g = 1; g < RNN_GRID; g++)
	{
		double		d = 0;

		for (int i = 0; i < losses; i++)
			if (gains[i].loss > 0)
				d += tuned_difference(&gains[i], g);
		if (d < least)
		{
			least = d;
			best = g;
		}
	}
	return best;
}

/*
 * A network leans on other series where a series tells little, and on what the
 * references can't see where it is long: the halves choose a weight for each
 * class of length, which counts as far as it is better on the other half.
 */
static void
weigh_by_length(Trial *t, float *difference, double shrink)
{
	Judgement  *j = t->judgement;
	int			grid[2][2],		/* (class, half) */
				windows[2][2] = {0};
	double		weight[2],
				logs = 0,
				gain,
				error,
				loss;

	for (int i = 0; i < t->W; i++)
		logs += log((double) held_start(t->study, i));
	j->short_below = (int64_t) ceil(exp(logs / t->W));
	for (int i = 0; i < t->W; i++)
		windows[class_of(t, i)][t->study->held[i].half]++;
	for (int c = 0; c < 2; c++)
		for (int half = 0; half < 2; half++)
		{
			if (windows[c][half] < LENGTH_WINDOWS || j->short_below > t->study->plan.reach)
			{
				j->short_below = 0;
				return;
			}
			grid[c][half] = best_grid(t, t->best[half].rows, half, c, &loss);
		}
	for (int i = 0; i < t->W; i++)
	{
		int			other = 1 - t->study->held[i].half;
		const float *row = t->best[other].rows + (int64_t) i * RNN_GRID;

		difference[i] = row[grid[class_of(t, i)][other]] - row[t->best[other].grid];
	}
	gain = clustered_mean(t->study, t->W, difference, &error);
	for (int c = 0; c < 2; c++)
	{
		double		own = (grid[c][0] + grid[c][1]) / 2.0 / (RNN_GRID - 1) * shrink;

		weight[c] = j->weight + shrinkage(gain, error) * (fmin(own, 1) - j->weight);
	}
	j->weight_short = weight[0];
	j->weight = weight[1];
	if (weight[0] == weight[1])
		j->short_below = 0;
}

/*
 * Users of a panel add it up: a network that is better by the scale of each
 * series, and worse in the large ones, would make their sums worse.  The
 * greatest weight at which the plain loss isn't.
 */
static double
weight_of_sums(const Gains *plain)
{
	for (int g = RNN_GRID - 1; g > 0; g--)
		if (plain->difference[g] <= CLEARLY * plain->error[g])
			return g / (RNN_GRID - 1.0);
	return 0;
}

static void
bound_by_sums(Trial *t)
{
	Judgement  *j = t->judgement;
	double		most = j->weight > 0 && t->study->panel.count >= PANEL ? weight_of_sums(&t->gains[LOSS_PLAIN]) : 1;

	j->weight = fmin(j->weight, most);
	j->weight_short = fmin(j->weight_short, most);
	if (j->weight == 0 && most == 0)
		j->short_below = 0;
}

void
judge(Trial *t)
{
	Judgement  *j = t->judgement;
	float	   *difference = t->rows;	/* the last validation's, no longer needed */
	double		chosen,
				shrink;
	bool		worse,			/* in sums */
				trusted;

	j->candidate.steps = (t->best[0].step + t->best[1].step + 1) / 2;
	if (t->study->cfg.start != RNN_START_AUTO || !t->study->blends)
	{
		j->weight = 1;
		j->candidate.verdict = RNN_VERDICT_ASKED;
		j->candidate.difference = j->candidate.std_error = j->candidate.mix_pinball = NAN;
		return;
	}
	/* Each window by what the other half chose. */
	for (int i = 0; i < t->W; i++)
	{
		const Best *other = &t->best[1 - t->study->held[i].half];
		const float *row = other->rows + (int64_t) i * RNN_GRID;

		difference[i] = row[other->grid] - row[0];
	}
	j->candidate.difference = clustered_mean(t->study, t->W, difference, &j->candidate.std_error);
	trusted = t->study->panel.count < PANEL || !shares_shocks(t->study, t->W) ||
		is_better_throughout(t->study, t->W, difference);
	for (int loss = 0; loss < LOSSES; loss++)
		measure_gains(t, loss);
	j->candidate.mix_pinball = t->gains[LOSS_SCALED].loss;
	chosen = (t->best[0].grid + t->best[1].grid) / 2.0 / (RNN_GRID - 1);
	if (t->study->kind == RNN_KIND_SCRATCH)
		shrink = trusted ? shrinkage(j->candidate.difference, j->candidate.std_error) : 0;
	else
	{
		int			g = tuned_weight(t->gains, t->study->panel.count >= PANEL ? LOSSES : 1);

		shrink = g / (RNN_GRID - 1.0) / chosen;
		if (g > 0)
		{
			j->candidate.difference = t->gains[LOSS_SCALED].difference[g];
			j->candidate.std_error = t->gains[LOSS_SCALED].error[g];
		}
	}
	j->weight = shrink * chosen;
	if (j->weight > 0 && t->study->panel.count >= LENGTHS_MATTER)
		weigh_by_length(t, difference, shrink);
	worse = j->weight > 0;
	bound_by_sums(t);
	worse &= j->weight == 0;
	j->candidate.verdict = j->weight > 0 ? RNN_VERDICT_ADDED : t->hurry ? RNN_VERDICT_TIME :
		j->candidate.difference < 0 && !worse ? RNN_VERDICT_UNSURE : RNN_VERDICT_WORSE;
}
