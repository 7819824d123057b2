/*
 * prior.c
 *		How the pretrained network (docs/developers/prior.md) corrects the mix of references
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
	own.mixed = cfg->mixed;
	own.pooling = cfg->pooling;
	memcpy(own.pooled, cfg->pooled, sizeof(own.pooled));
	own.seasons_given = cfg->seasons_given;
	memcpy(own.seasons, cfg->seasons, sizeof(own.seasons));
	p->prior = prior;
	rnn_shape_init(&p->shape, &own);
	/* References are those of the whole horizon, the network forecasts as far as it knows. */
	if (p->shape.blocks > (prior->horizon + S - 1) / S)
		p->shape.blocks = (prior->horizon + S - 1) / S;
	rnn_frame_plan_init(&p->plan, &p->shape, &own);
	p->packed = prior->packed[0] != NULL;
	p->B = B;
	p->T = 1;
	while (p->T < steps && (int64_t) p->T * own.patch < longest)
		p->T *= 2;
	rnn_strips_init(&p->own, &p->plan, p->T, B, longest, a);
	p->strips = &p->own;
	rnn_net_init_packed(&p->net, &p->shape, p->T, B, prior->packed, a);
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

/* Windows of B ends, by their numbers. */
static void
take_windows(rnn_prior_net *p, const rnn_end *ends, const rnn_window *given, const int *number, int B, rnn_window *window)
{
	rnn_end		end[RNN_MOST_ENDS];

	for (int b = 0; b < B && given; b++)
		window[b] = given[number[b]];
	for (int b = 0; b < B; b++)
		end[b] = ends[number[b]];
	if (!given)
		rnn_strips_gather(p->strips, end, B, window);
}

/* Windows of T steps, B of them, by their numbers. */
static void
run(rnn_prior_net *p, const rnn_end *ends, const rnn_window *given, const int *number, int B, int T, rnn_said *said)
{
	rnn_window	window[RNN_MOST_ENDS];
	int64_t		row;

	take_windows(p, ends, given, number, B, window);
	if (!p->packed)
		rnn_net_pack(&p->net, p->prior->weights);
	p->packed = true;
	row = rnn_windows_forward(&p->net, &p->plan, p->prior->weights, window, B, T, T);
	for (int b = 0; b < B; b++)
	{
		said[number[b]].n = ends[number[b]].e;
		said[number[b]].scale = window[b].strip->scales[window[b].last];
		rnn_net_quantiles(&p->net, row + b, said[number[b]].q);
	}
}

void
rnn_prior_net_run(rnn_prior_net *p, const rnn_end *ends, const rnn_window *given, int count, rnn_said *said)
{
	int			number[RNN_MOST_ENDS];

	for (int T = 1; T <= p->T; T *= 2)
	{
		int			B = 0;

		for (int i = 0; i < count; i++)
		{
			if (said[i].q && steps_of(p, ends[i].e) == T)
				number[B++] = i;
			if (B == p->B || (B > 0 && i == count - 1))
			{
				run(p, ends, given, number, B, T, said);
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
