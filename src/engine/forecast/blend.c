/*
 * blend.c
 *		The trained horizon: members, mix and prior, each by its share.
 *
 * Members see the same frames, the shorter ones the last of them.
 */
#include "forecast/forecaster.h"

#include <string.h>

#define Q RNN_QUANTILES

static const real *
weights_of(Forecaster *f, int member)
{
#ifdef RNN_DOUBLE
	for (int64_t i = 0; i < f->view.shape.params; i++)
		f->weights[i] = f->model->member[member].weights[i];
	return f->weights;
#else
	return f->model->member[member].weights;
#endif
}

/* A member's view of the ends; false where it has no room. */
static bool
show(Forecaster *f, int member, const rnn_end *ends, int count)
{
	if (!lay_out_view(f, member))
		return false;
	if (!f->view.gathered)
		rnn_strips_gather(&f->view.strips, ends, count, f->view.window);
	f->view.gathered = true;
	return !rnn_stopped(f->model->stop);
}

/* What the prior says at every end that the mix has a share in. */
static void
run_prior(Forecaster *f, const rnn_end *ends, int count)
{
	int64_t		size = (int64_t) rnn_prior_steps(f->model->prior_net, f->model->config.horizon) * Q;

	for (int b = 0; b < count; b++)
		f->said[b].q = mix_share(f->model, ends[b].e) > 0 && rnn_prior_applies(f->model->prior_net, &ends[b]) ?
			f->prior_q + b * size : NULL;
	rnn_prior_net_run(&f->prior, ends, NULL, count, f->said);
	/* As many points as a model keeps. */
	for (int b = 0; b < count; b++)
		f->said[b].n = rnn_min(f->said[b].n, f->reach);
}

/* Adds share x q (h,Q), in units of the scale, to out (h,Q) in those of the points. */
static void
add_quantiles(const real *q, rnn_scale s, double share, int h, double *out)
{
	for (int64_t k = 0; k < (int64_t) h * Q; k++)
		out[k] += share * (s.a + s.s * q[k]);
}

static rnn_scale
scale_of(const rnn_window *w)
{
	return w->strip->scales[w->last];
}

static void
add_member(Forecaster *f, int member, const rnn_end *ends, int count, int h, int64_t stride, double *out)
{
	const rnn_model *m = f->model;
	View	   *v = &f->view;
	const real *w = weights_of(f, member);
	int64_t		row;

	rnn_net_pack(&v->net, w);
	row = rnn_windows_forward(&v->net, &v->plan, w, v->window, count, m->member[member].context / v->patch, v->net.max_T);
	for (int b = 0; b < count; b++)
	{
		double		share = 1 - mix_share(m, ends[b].e);

		if (share == 0)
			continue;
		rnn_net_quantiles(&v->net, row + b, f->q);
		add_quantiles(f->q, scale_of(&v->window[b]), share * rnn_member_share(m, member), h, out + b * stride);
	}
}

static void
add_mix(Forecaster *f, const rnn_end *ends, int count, int h, int64_t stride, double *out)
{
	const rnn_model *m = f->model;
	View	   *v = &f->view;

	for (int b = 0; b < count; b++)
	{
		const rnn_window *w = &v->window[b];
		double		share = mix_share(m, ends[b].e);

		if (share == 0)
			continue;
		rnn_strips_mix(&v->strips, w, m->mix_spread, f->q);
		if (m->prior_net)
			rnn_prior_blend(m->prior_net, &f->said[b], scale_of(w), m->config.horizon, f->q);
		rnn_frame_phase_gaps(&v->plan, ends[b].points, ends[b].e, f->q);
		add_quantiles(f->q, scale_of(w), share, h, out + b * stride);
	}
}

void
forecast_trained(Forecaster *f, const rnn_end *ends, int count, int h, int64_t stride, double *out)
{
	const rnn_model *m = f->model;

	for (int b = 0; b < count; b++)
		memset(out + b * stride, 0, sizeof(double) * h * Q);
	f->view.gathered = false;
	/* First, since the prior may use the view's strips. */
	if (!lay_out_view(f, 0))
		return;
	if (m->prior_net)
		run_prior(f, ends, count);
	/* While the view is still that of the first members. */
	if (m->config.skip && show(f, 0, ends, count))
		add_mix(f, ends, count, h, stride, out);
	for (int i = 0; has_network(m) && i < m->n_members; i++)
	{
		if (!show(f, i, ends, count))
			return;
		add_member(f, i, ends, count, h, stride, out);
	}
}
