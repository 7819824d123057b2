/*
 * extend.c
 *		Beyond the trained horizon: the mix goes on alone, or the network is fed
 *		its own medians.
 */
#include "forecast/forecaster.h"
#include "kernel/kernel.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define Q RNN_QUANTILES
#define M RNN_MEDIAN

void
gaps_around(double middle, double spread, double *q)
{
	q[M] = middle;
	for (int k = M + 1; k < Q; k++)
		q[k] = q[k - 1] + rnn_base_gap[k] * spread;
	for (int k = M - 1; k >= 0; k--)
		q[k] = q[k + 1] - rnn_base_gap[k] * spread;
}

/*
 * The mix beyond the trained horizon: q (Q) at step j of the horizon, from the
 * mix of that and its middle.  The gaps follow the lead time's power
 * between the halves, at most its square root, and the phase of the season.
 */
static void
long_row(const Forecaster *f, const rnn_mix *mix, const rnn_phases *phases, int j, double *q)
{
	double		near = fmax(mix->spread[0], DBL_MIN),
				power = rnn_mix_power(near, fmax(mix->spread[1], DBL_MIN), 0.5),
				spread = rnn_mix_spread_at(near, power, f->horizon, j) * rnn_phase_factor(phases, j);

	gaps_around(f->ref_middle[j], spread, q);
}

/*
 * Steps trained .. horizon - 1: the mix of the whole horizon, moved and widened
 * at first so that it continues the last trained step, the difference halving
 * every trained horizon.
 */
void
extend_by_mix(Forecaster *f, const rnn_end *end, double *out)
{
	const rnn_model *m = f->model;
	int			h = m->config.horizon;
	double		last[Q],
				gap[Q],
				row[Q];
	rnn_mix		mix;
	rnn_phases	phases;
	int64_t		n = rnn_min(end->e, rnn_mix_reach(m->seasons, m->n_seasons, f->horizon));

	rnn_mix_rule rule = mix_rule(m, f->horizon);

	rnn_mix_at(&rule, end->points->x + end->e - n, n, &mix, f->ref, f->ref_work);
	rnn_mix_local(&rule, end->points->x + end->e - n, &mix, f->ref_work, f->ref_weight, f->ref_middle);
	rnn_mix_combine_local(f->ref_weight, f->ref, f->horizon, f->ref_middle);
	rnn_phases_at(end->points->raw, end->e, m->seasons, m->n_seasons, f->horizon, &phases);
	long_row(f, &mix, &phases, h - 1, last);
	for (int k = 0; k < Q; k++)
		gap[k] = (out[(int64_t) (h - 1) * Q + k] - out[(int64_t) (h - 1) * Q + M]) - (last[k] - last[M]);
	gap[M] = out[(int64_t) (h - 1) * Q + M] - last[M];
	for (int j = h; j < f->horizon; j++)
	{
		double		fade = pow(0.5, (double) (j - h + 1) / h);

		long_row(f, &mix, &phases, j, row);
		for (int k = 0; k < Q; k++)
			out[(int64_t) j * Q + k] = row[k] + fade * (gap[M] + (k == M ? 0 : gap[k]));
	}
}

/*
 * The network alone, fed with its own medians: rows done .. done + h - 1 of
 * out, as far as the horizon goes.
 */
void
extend_by_feeding(Forecaster *f, const rnn_end *end, int done, double *out)
{
	int			h = f->model->config.horizon,
				rows = (int) rnn_min(f->horizon - done, h);
	double		widen = sqrt((double) (done + h) / h);
	double	   *raw = f->extended,
			   *x = raw + end->e + done;
	rnn_points	grown = *end->points;

	memcpy(raw, grown.raw, sizeof(double) * end->e);
	memcpy(x, grown.x, sizeof(double) * end->e);
	for (int j = 0; j < done; j++)
		raw[end->e + j] = x[end->e + j] = out[(int64_t) j * Q + M];
	grown.raw = raw;
	grown.x = x;
	grown.n = end->e + done;
	rnn_strips_forget(&f->view.strips);
	forecast_trained(f, &(rnn_end) {&grown, grown.n}, 1, rows, 0, out + (int64_t) done * Q);
	rnn_strips_forget(&f->view.strips);
	for (int j = done; j < done + rows; j++)
	{
		double	   *q = out + (int64_t) j * Q,
					centre = q[M];

		for (int k = 0; k < Q; k++)
			q[k] = centre + widen * (q[k] - centre);
	}
}
