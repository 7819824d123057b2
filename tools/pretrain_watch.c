/*
 * pretrain_watch.c
 *		How far a pretraining is: its losses on families that it was not trained
 *		on, and on the league, which is only looked at.
 */
#include "pretrain_run.h"
#include "train/stages.h"

#include <math.h>
#include <stdarg.h>

#define S RNN_BLOCK
#define Q RNN_QUANTILES

static double
capped_pinball(const real *q, double y)
{
	double		loss = 0;

	for (int k = 0; k < Q; k++)
		loss += rnn_pinball(k, y - q[k]);
	return RNN_LOSS_CAP * tanh(loss / Q / RNN_LOSS_CAP);
}

/* Mean over an item's horizon: pinball and absolute error of the median. */
static void
item_loss(const rnn_net *net, const Item *item, const real *target, const real *q, double loss[2])
{
	int			known = 0;

	loss[0] = loss[1] = 0;
	for (int j = 0; j < item->horizon && j < net->shape->blocks * S; j++)
	{
		if (isnan(target[j]))
			continue;
		known++;
		loss[0] += capped_pinball(q + j * Q, target[j]);
		loss[1] += fabs(target[j] - q[j * Q + RNN_MEDIAN]) * item->unit;
	}
	for (int i = 0; i < 2 && known > 0; i++)
		loss[i] /= known;
}

typedef void (*Told) (void *to, const Item *item, const double network[2], const double mix[2]);

/* Tells of every item of a pool how network and mix forecast its end. */
static void
forecast_pool(Pretrain *p, const Pool *pool, Told told, void *to)
{
	static real q[4 * S * Q];

	for (int group = 0; group < GROUPS; group++)
		for (int length = 0; length < LENGTHS; length++)
		{
			const Class *class = &pool->of[group][length];
			int			T = 1 << length,
						most = POSITIONS / T < MOST_WINDOWS ? POSITIONS / T : MOST_WINDOWS;

			for (int from = 0; from < class->count; from += most)
			{
				int			B = class->count - from < most ? class->count - from : most;
				rnn_net		net;

				lay_out_net(p, &net, group, T, B, false);
				for (int b = 0; b < B; b++)
				{
					const real *data;
					const Item *item = item_of(p, pool, class, from + b, &data);

					load_item(&p->plans, &net, T, B, b, item, data, false);
				}
				rnn_net_pack(&net, optimizer_weights(&p->opt));
				rnn_net_reset(&net, B);
				rnn_net_forward(&net, optimizer_weights(&p->opt), T, B, T - 1, NULL);
				for (int b = 0; b < B; b++)
				{
					const real *data;
					const Item *item = item_of(p, pool, class, from + b, &data);
					const real *last = data + (item->steps - 1) * p->plans.stride[group],
							   *target = last + p->plans.stride[group] - p->plans.shape[group].blocks * S;
					rnn_frame_plan plan = {.shape = &p->plans.shape[group]};
					double		loss[2],
								mix[2];

					rnn_net_quantiles(&net, (int64_t) (T - 1) * B + b, q);
					item_loss(&net, item, target, q, loss);
					rnn_frame_mix(&plan, last, 1, q);
					item_loss(&net, item, target, q, mix);
					told(to, item, loss, mix);
				}
			}
		}
}

typedef struct Sums
{
	double		network[RNN_FAMILIES + 1],
				mix[RNN_FAMILIES + 1];
	int			count[RNN_FAMILIES + 1];
	double		mase[MOST_SETS],
				mase_mix[MOST_SETS],
				pinball[MOST_SETS],
				pinball_mix[MOST_SETS];
} Sums;

static void
add_held(void *to, const Item *item, const double network[2], const double mix[2])
{
	Sums	   *sums = to;

	for (int i = 0; i < 2; i++)
	{
		int			f = i ? RNN_FAMILIES : item->family;

		sums->network[f] += network[0];
		sums->mix[f] += mix[0];
		sums->count[f]++;
	}
}

static void
add_league(void *to, const Item *item, const double network[2], const double mix[2])
{
	Sums	   *sums = to;

	sums->mase[item->family] += network[1];
	sums->mase_mix[item->family] += mix[1];
	sums->pinball[item->family] += network[0] * item->unit;
	sums->pinball_mix[item->family] += mix[0] * item->unit;
}

void
say(Pretrain *p, const char *format,...)
{
	FILE	   *to[2] = {stdout, p->log};

	for (int i = 0; i < 2; i++)
	{
		va_list		args;

		va_start(args, format);
		vfprintf(to[i], format, args);
		va_end(args);
		fflush(to[i]);
	}
}

/* Geometric mean of the ratios to seasonal naive, as the league counts them. */
static double
ratio(const Pretrain *p, const double *mase, int from, int to)
{
	double		sum = 0;

	for (int i = from; i < to; i++)
		sum += log(fmax(0.25, mase[i] / p->set[i].windows / p->set[i].naive));
	return exp(sum / (to - from));
}

#define PANELS 6				/* of the league, the first of its sets */

void
validate(Pretrain *p, bool whole)
{
	Sums		sums = {0};
	int			n = p->n_sets;

	forecast_pool(p, &p->held, add_held, &sums);
	say(p, "step %d  loss %.5f  held out %.5f mix %.5f  seconds %.0f", p->step,
		p->loss_count ? p->loss_sum / p->loss_count : 0,
		sums.network[RNN_FAMILIES] / sums.count[RNN_FAMILIES], sums.mix[RNN_FAMILIES] / sums.count[RNN_FAMILIES],
		p->seconds);
	p->loss_sum = p->loss_count = 0;
	if (n > 0)
	{
		forecast_pool(p, &p->league, add_league, &sums);
		if (n > PANELS)
			say(p, "  league panels %.3f (%.3f) singles %.3f (%.3f) all %.4f (%.4f)",
				ratio(p, sums.mase, 0, PANELS), ratio(p, sums.mase_mix, 0, PANELS),
				ratio(p, sums.mase, PANELS, n), ratio(p, sums.mase_mix, PANELS, n),
				ratio(p, sums.mase, 0, n), ratio(p, sums.mase_mix, 0, n));
	}
	say(p, "\n");
	for (int i = 0; whole && i < n; i++)
		say(p, "    %-16s %.3f  mix %.3f  naive %.3f  pinball %.4f  mix %.4f\n", p->set[i].name,
			sums.mase[i] / p->set[i].windows, sums.mase_mix[i] / p->set[i].windows, p->set[i].naive,
			sums.pinball[i] / p->set[i].windows, sums.pinball_mix[i] / p->set[i].windows);
	for (int f = 0; whole && f < RNN_FAMILIES; f++)
		if (sums.count[f] > 0)
			say(p, "    %-22s %.4f  mix %.4f  %d series\n", rnn_family_name(f), sums.network[f] / sums.count[f],
				sums.mix[f] / sums.count[f], sums.count[f]);
}
