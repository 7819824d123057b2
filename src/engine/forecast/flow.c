/*
 * flow.c
 *		How far back the loss reaches: ||dLoss/dh|| by layer and lag.
 *
 * The gradient of the loss at the last position alone is followed back through
 * time.  In a tanh Elman network it shrinks by the product of W_hh's singular
 * values and tanh', lag by lag; with large weights it grows instead; gates
 * keep it, patches shorten the way (Bengio, Simard and Frasconi 1994; Pascanu,
 * Mikolov and Bengio 2013).
 */
#include "forecast/forecast.h"
#include "kernel/kernel.h"
#include "view/window.h"

#include <math.h>
#include <string.h>

#define WINDOWS 8
#define AHEAD(f) ((f)->shape.blocks * RNN_BLOCK + 1)	/* rows of covariates behind a series */

typedef struct Flow
{
	rnn_shape	shape;
	rnn_frame_plan plan;
	rnn_net		net;
	real	   *weights;
	real	   *g;
	rnn_strips	strips;
	rnn_points *points;
	int			K;
} Flow;

static rnn_status
lay_out(Flow *f, const rnn_model *m, int member, rnn_arena *a, rnn_error *err)
{
	rnn_config	cfg;
	int64_t		longest = 1;

	if (member < 0 || member >= m->n_members)
		return rnn_fail(err, RNN_ERR_RANGE, "member", member + 1, 1, m->n_members);
	cfg = rnn_member_config(m, member);
	cfg.patch = m->member[member].patch;
	cfg.dropout = 0;
	rnn_shape_init(&f->shape, &cfg);
	f->shape.stop = m->stop;
	rnn_frame_plan_init(&f->plan, &f->shape, &cfg);
	f->K = m->member[member].context / cfg.patch;
	for (int i = 0; i < m->n_series; i++)
		longest = m->series[i].n > longest ? m->series[i].n : longest;
	rnn_net_init(&f->net, &f->shape, f->K, WINDOWS, true, a);
	for (int l = 0; l < f->shape.L; l++)
		f->net.flow[l] = arena_new(a, real, (int64_t) f->K * WINDOWS * f->shape.H);
	f->weights = arena_new(a, real, f->shape.params);
	f->g = arena_new(a, real, f->shape.params);
	rnn_strips_init(&f->strips, &f->plan, f->K, WINDOWS, longest, a);
	f->points = arena_new(a, rnn_points, m->n_series);
	return RNN_OK;
}

rnn_status
rnn_gradient_flow_size(const rnn_model *m, int member, size_t *size, rnn_error *err)
{
	Flow		f;
	rnn_arena	a;

	rnn_arena_init(&a, NULL, 0);
	RNN_TRY(lay_out(&f, m, member, &a, err));
	for (int i = 0; i < m->n_series && i < WINDOWS; i++)
		a.used += 3 * (m->series[i].n * sizeof(double) + 64) +
			(m->series[i].n + AHEAD(&f)) * rnn_covariates_width(&f.shape) * sizeof(real) + 64;
	*size = a.used;
	return RNN_OK;
}

/* The ends of the last windows in time, spread over the series: up to WINDOWS of them. */
static int
choose_ends(Flow *f, const rnn_model *m, rnn_arena *a, rnn_end *ends)
{
	int			series = m->n_series < WINDOWS ? m->n_series : WINDOWS,
				each = WINDOWS / (series > 0 ? series : 1),
				B = 0;

	for (int i = 0; i < series; i++)
	{
		rnn_series	s = rnn_series_prepare(&m->config, &m->series[i], m->stop, a);

		if (a->failed)
			break;
		rnn_points_init(&f->points[i], &s, a);
		rnn_points_covariates(&f->points[i], &m->series[i], &f->plan, AHEAD(f), a);
		for (int v = 1; v <= each && !a->failed; v++)
		{
			int64_t		e = m->series[i].n - (int64_t) m->config.horizon * v;

			if (e >= 1)
				ends[B++] = (rnn_end) {&f->points[i], e};
		}
	}
	return a->failed ? 0 : B;
}

static void
load_windows(Flow *f, const rnn_end *ends, int B)
{
	rnn_window	window[WINDOWS];

	rnn_strips_gather(&f->strips, ends, B, window);
	rnn_windows_load(&f->net, &f->plan, window, B, f->K, 0, f->K, f->K - 1, 1);
	for (int b = 0; b < B; b++)
		rnn_target_load(&f->net, (int64_t) (f->K - 1) * B + b, ends[b].points, ends[b].e, ends[b].points->n,
						&window[b].strip->scales[window[b].last], false);
}

/* out (L, K): root of the mean over windows of ||dLoss/dh||^2, by lag. */
rnn_status
rnn_gradient_flow(const rnn_model *m, int member, void *block, size_t size,
				  double *out, int *layers, int *lags, rnn_error *err)
{
	Flow		f;
	rnn_arena	a;
	int64_t		known;
	double		scale;
	rnn_end		ends[WINDOWS];
	int			B;

	rnn_arena_init(&a, block, size);
	RNN_TRY(lay_out(&f, m, member, &a, err));
	if (a.failed)
		return rnn_fail(err, RNN_ERR_MEMORY, "the gradient flow", (double) size, 0, 0);
	B = choose_ends(&f, m, &a, ends);
	if (a.failed)
		return rnn_fail(err, RNN_ERR_MEMORY, "the gradient flow", (double) size, 0, 0);
	if (B == 0)
		return rnn_fail(err, RNN_ERR_DATA, "the model's history is shorter than its horizon",
						m->config.horizon, 0, 0);
	load_windows(&f, ends, B);
	for (int64_t i = 0; i < f.shape.params; i++)
		f.weights[i] = m->member[member].weights[i];
	memset(f.g, 0, sizeof(real) * f.shape.params);
	rnn_net_pack(&f.net, f.weights);
	rnn_net_reset(&f.net, B);
	rnn_net_forward(&f.net, f.weights, f.K, B, f.K - 1, NULL);
	rnn_net_loss(&f.net, f.K, B, f.K - 1, &known);
	scale = known ? 1.0 / known : 0;
	rnn_net_backward(&f.net, f.weights, f.K, B, f.K - 1, f.g);
	if (rnn_stopped(m->stop))
		return rnn_fail(err, RNN_ERR_STOPPED, "the gradient flow", 0, 0, 0);
	*layers = f.shape.L;
	*lags = f.K;
	for (int l = 0; l < f.shape.L; l++)
		for (int t = 0; t < f.K; t++)
		{
			double		sum = 0;

			for (int64_t k = 0; k < (int64_t) B * f.shape.H; k++)
			{
				double		d = scale * f.net.flow[l][(int64_t) t * B * f.shape.H + k];

				sum += d * d;
			}
			out[(int64_t) l * f.K + f.K - 1 - t] = sqrt(sum / B);
		}
	return RNN_OK;
}
