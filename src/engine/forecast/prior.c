/*
 * prior.c
 *		How the pretrained network (docs/prior.md) corrects the mix of references
 *		on any series, without training.
 */
#include "forecast/prior.h"

#include <math.h>
#include <string.h>

#define S RNN_BLOCK
#define Q RNN_QUANTILES
#define WIDEST 1000				/* the prior's scale in units of the mix's */
#define LEAST_POINTS 4			/* as the shortest synthetic series have */

bool
rnn_prior_applies(const rnn_prior *prior, const rnn_end *end)
{
	const double *x = end->points->x;
	int64_t		from = end->e > prior->cfg.context ? end->e - prior->cfg.context : 0;

	if (end->e < LEAST_POINTS)
		return false;
	for (int64_t i = from; i < end->e - 1; i++)
		if (x[i] != x[end->e - 1])
			return true;
	return false;
}

int
rnn_prior_steps(const rnn_prior *prior, int horizon)
{
	return horizon < prior->horizon ? horizon : prior->horizon;
}

void
rnn_prior_net_init(rnn_prior_net *p, const rnn_prior *prior, const rnn_config *cfg,
				   int64_t longest, int B, rnn_arena *a)
{
	rnn_config	own = prior->cfg;
	int			steps = own.context / own.patch;

	own.horizon = cfg->horizon;
	own.kappa = cfg->kappa;
	own.seasons_given = cfg->seasons_given;
	memcpy(own.seasons, cfg->seasons, sizeof(own.seasons));
	p->prior = prior;
	rnn_shape_init(&p->shape, &own);
	/* References are those of the whole horizon, the network forecasts as far as it knows. */
	if (p->shape.blocks > (prior->horizon + S - 1) / S)
		p->shape.blocks = (prior->horizon + S - 1) / S;
	rnn_frame_plan_init(&p->plan, &p->shape, &own);
	p->B = B;
	p->T = 1;
	while (p->T < steps && (int64_t) p->T * own.patch < longest)
		p->T *= 2;
	p->frame = arena_new(a, real, p->plan.width);
	p->work = arena_new(a, double, rnn_frame_work(&p->plan, longest));
	rnn_net_init(&p->net, &p->shape, p->T, B, false, a);
}

/* Steps of a window of e points, those before it included: a power of two, so that windows share a batch. */
static int
steps_of(const rnn_prior_net *p, int64_t e)
{
	int			T = 1;

	while (T < p->T && (int64_t) T * p->shape.patch < e)
		T *= 2;
	return T;
}

/* Windows of T steps, B of them, by their numbers. */
static void
run(rnn_prior_net *p, const rnn_end *ends, const int *number, int B, int T, rnn_said *said)
{
	int			P = p->shape.patch;

	for (int b = 0; b < B; b++)
	{
		const rnn_end *end = &ends[number[b]];

		rnn_frame_begin(&p->plan, end->points->n, p->work);
		for (int t = 0; t < T; t++)
		{
			int64_t		e = end->e - (int64_t) (T - 1 - t) * P;

			if (e >= 1)
				rnn_frame_compute(&p->plan, end->points, e, p->frame, &said[number[b]].scale, p->work);
			rnn_frame_load(&p->net, (int64_t) t * B + b, e >= 1 ? p->frame : NULL, false);
		}
	}
	rnn_net_pack(&p->net, p->prior->weights);
	rnn_net_reset(&p->net, B);
	rnn_net_forward(&p->net, p->prior->weights, T, B, T - 1, NULL);
	for (int b = 0; b < B; b++)
	{
		said[number[b]].n = ends[number[b]].e;
		rnn_net_quantiles(&p->net, (int64_t) (T - 1) * B + b, said[number[b]].q);
	}
}

void
rnn_prior_net_run(rnn_prior_net *p, const rnn_end *ends, int count, rnn_said *said)
{
	enum {MOST = 64};
	int			number[MOST];

	for (int T = 1; T <= p->T; T *= 2)
	{
		int			B = 0;

		for (int i = 0; i < count; i++)
		{
			if (said[i].q && steps_of(p, ends[i].e) == T)
				number[B++] = i;
			if (B == p->B || B == MOST || (B > 0 && i == count - 1))
			{
				run(p, ends, number, B, T, said);
				B = 0;
			}
		}
	}
}

/* The less is known of a series the more its intervals lack: both forecasts take what they know for all. */
static void
widen(const rnn_prior *prior, int64_t n, real *q)
{
	for (int pair = 0; pair < RNN_MEDIAN; pair++)
	{
		real		by = (real) (prior->widen[pair] / (double) n),
				   *low = q + pair,
				   *high = q + Q - 1 - pair;

		*low += by * (*low - q[RNN_MEDIAN]);
		*high += by * (*high - q[RNN_MEDIAN]);
	}
}

void
rnn_prior_blend(const rnn_prior *prior, const rnn_said *said, rnn_scale scale, int horizon, real *q)
{
	int			steps = rnn_prior_steps(prior, horizon);
	double		factor = said->scale.s / scale.s,
				shift = (said->scale.a - scale.a) / scale.s,
				change[Q];

	/* Where nothing changed for as long as the mix's scale looks back it is next to nothing. */
	if (!said->q || factor > WIDEST)
		return;
	for (int j = 0; j < steps; j++)
		for (int k = 0; k < Q; k++)
		{
			real	   *at = q + j * Q + k;

			change[k] = prior->share * (shift + factor * said->q[j * Q + k] - *at);
			*at += (real) change[k];
		}
	for (int j = steps; j < horizon; j++)
		for (int k = 0; k < Q; k++)
			q[j * Q + k] += (real) (change[k] * pow(0.5, (double) (j - steps + 1) / prior->horizon));
	for (int j = 0; j < horizon; j++)
		widen(prior, said->n, q + j * Q);
}
