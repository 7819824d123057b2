/*
 * blend.c
 *		The trained horizon: members, mix and prior, each by its share.
 *
 * Members see the same steps one after the other; where one has the patch and
 * the context of the one before, its frames are there already.
 */
#include "forecast/forecaster.h"

#include <string.h>

#define Q RNN_QUANTILES

/* Whether a member's net finds the frames of the one before in the same places. */
static bool
frames_stay(const Forecaster *f, int member)
{
	const rnn_member *m = &f->model->member[member];

	return member > 0 && m[-1].patch == m->patch && m[-1].context == m->context &&
		f->K <= f->T;
}

static void
load_covariates(Forecaster *f, int t, int b, int64_t e, bool ahead)
{
	rnn_covariates_load(&f->net, (int64_t) t * f->count + b, &f->plan, e >= 1 ? &f->points[b] : NULL, e, ahead, false);
}

/* Steps of the context into the net, then the head at the last. */
static void
run_network(Forecaster *f, int member, const real *w)
{
	int			P = f->shape.patch,
				K = f->K,
				B = f->count;
	bool		loaded = frames_stay(f, member);

	rnn_net_pack(&f->net, w);
	rnn_net_reset(&f->net, B);
	for (int from = 0; from < K; from += f->T)
	{
		int			T = K - from < f->T ? K - from : f->T;
		bool		last = from + T == K;

		for (int b = 0; b < B && !loaded; b++)
		{
			rnn_frame_begin(&f->plan, f->points[b].n, f->work);
			for (int t = 0; t < T && !rnn_stopped(f->shape.stop); t++)
			{
				int64_t		e = f->points[b].n - (int64_t) (K - 1 - from - t) * P;

				if (e >= 1)
					rnn_frame_compute(&f->plan, &f->points[b], e, f->frame, &f->scales[b], f->work);
				if (member == 0 && last && t == T - 1)
				{
					memcpy(f->last + b * f->plan.width, f->frame, sizeof(real) * f->plan.width);
					f->last_scales[b] = f->scales[b];
				}
				rnn_frame_load(&f->net, (int64_t) t * B + b, e >= 1 ? f->frame : NULL, false);
				load_covariates(f, t, b, e, last && t == T - 1);
			}
		}
		rnn_net_forward(&f->net, w, T, B, last ? T - 1 : T, NULL);
		if (!last)
			rnn_net_carry(&f->net, T, B);
		else
			f->net.max_T = T;	/* rows of the head begin at (T - 1) B */
	}
}

static const real *
weights_of(Forecaster *f, int member)
{
#ifdef RNN_DOUBLE
	for (int64_t i = 0; i < f->shape.params; i++)
		f->weights[i] = f->model->member[member].weights[i];
	return f->weights;
#else
	return f->model->member[member].weights;
#endif
}

/* What the prior says at the end of every series that the mix has a share in. */
static void
run_prior(Forecaster *f, rnn_arena scratch, int64_t longest)
{
	int64_t		size = (int64_t) rnn_prior_steps(f->model->prior_net, f->model->config.horizon) * Q;

	lay_out_prior(f, longest, &scratch);
	f->failed |= scratch.failed;
	for (int from = 0; !f->failed && from < f->count; from += PRIOR_BATCH)
	{
		int			count = f->count - from < PRIOR_BATCH ? f->count - from : PRIOR_BATCH;
		rnn_end		ends[PRIOR_BATCH];

		for (int k = 0; k < count; k++)
		{
			int			b = from + k;

			ends[k] = (rnn_end) {&f->points[b], f->points[b].n};
			f->said[b].q = mix_share(f->model, ends[k].e) > 0 && rnn_prior_applies(f->model->prior_net, &ends[k]) ?
				f->prior_q + b * size : NULL;
		}
		rnn_prior_net_run(&f->prior, ends, count, f->said + from);
	}
}

/* Adds share x the quantiles, in the units of the points, to out (horizon,Q). */
static void
add_quantiles(const Forecaster *f, int b, double share, int h, double *out)
{
	rnn_scale	s = f->scales[b];

	for (int64_t k = 0; k < (int64_t) h * Q; k++)
		out[k] += share * (s.a + s.s * f->q[k]);
}

/* Lays a member out in the scratch. */
static bool
enter_member(Forecaster *f, int member, int64_t longest, rnn_arena scratch)
{
	lay_out_member(f, member, longest, &scratch);
	f->failed |= scratch.failed;
	return !f->failed;
}

void
forecast_trained(Forecaster *f, rnn_arena member_scratch, int64_t longest, int h, int64_t stride, double *out)
{
	const rnn_model *m = f->model;

	for (int b = 0; b < f->count; b++)
		memset(out + b * stride, 0, sizeof(double) * h * Q);
	if (m->prior_net)
		run_prior(f, member_scratch, longest);
	for (int i = 0; has_network(m) && i < m->n_members; i++)
	{
		if (!enter_member(f, i, longest, member_scratch))
			return;
		run_network(f, i, weights_of(f, i));
		for (int b = 0; b < f->count; b++)
		{
			double		share = 1 - mix_share(m, f->points[b].n);

			if (share == 0)
				continue;
			rnn_net_quantiles(&f->net, (int64_t) (f->net.max_T - 1) * f->count + b, f->q);
			add_quantiles(f, b, share / m->n_members, h, out + b * stride);
		}
	}
	if (m->config.skip && enter_member(f, 0, longest, member_scratch))
	{
		for (int b = 0; b < f->count; b++)
		{
			double		share = mix_share(m, f->points[b].n);
			real	   *frame = f->last + b * f->plan.width;

			if (share == 0)
				continue;
			if (has_network(m))
				f->scales[b] = f->last_scales[b];
			else
			{
				rnn_frame_begin(&f->plan, f->points[b].n, f->work);
				rnn_frame_compute(&f->plan, &f->points[b], f->points[b].n, frame, &f->scales[b], f->work);
			}
			rnn_frame_mix(&f->plan, frame, m->mix_spread, f->q);
			if (m->prior_net)
				rnn_prior_blend(m->prior_net, &f->said[b], f->scales[b], m->config.horizon, f->q);
			add_quantiles(f, b, share, h, out + b * stride);
		}
	}
}
