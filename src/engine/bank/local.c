/*
 * local.c
 *		Weights of the references at each step ahead, and how wrong their mix is
 *		there.
 *
 * A reference that is good at night need not be good at noon, nor one that is
 * good for tomorrow for next week.  Trailing errors of neighbouring steps, and of
 * the same phase of the first season, tell which is good where; since they are
 * few, what the whole horizon says counts beside them.
 */
#include "bank/bank.h"

#include <math.h>
#include <string.h>

#define PARTS 8					/* of the horizon that have weights of their own, */
#define CELLS 24				/* and of the first season, at most */
#define LEAD 4.0				/* lead times are a part's neighbours by a Gaussian of a quarter of the horizon, */
#define PHASE 12.0				/* and phases those of a cell by one of a twelfth of the season */
#define WHOLE 3.0				/* trailing origins that the whole horizon counts for */

/* By part of the horizon and cell of the season, each step by its lead weight. */
typedef struct Local
{
	int			parts,
				cells;
	double		near[CELLS];	/* weight of a cell by its distance around the season */
	double		error[RNN_REFS][PARTS][CELLS],	/* sums over origins of |error|, */
				seen[PARTS][CELLS],	/* of those that had the step, */
				steps[PARTS][CELLS];	/* and the steps themselves */
} Local;

double
rnn_mix_power(double near, double far, double most)
{
	return fmin(fmax(log(far / near) / log(3.0), 0), most);
}

double
rnn_mix_spread_at(double near, double power, int h, int j)
{
	return near * pow((j + 0.5) / fmax(h / 4.0, 0.5), power);
}

static int
cell_of(const Local *l, int season, int j)
{
	return (int) ((int64_t) (j % season) * l->cells / season);
}

static double
lead_weight(const Local *l, int part, int j, int h)
{
	double		middle = (part + 0.5) * h / l->parts - 0.5,
				away = LEAD * (j - middle) / h;

	return exp(-0.5 * away * away);
}

/* |error| of each reference at each step, summed over the origins: error (R, h); seen (h): their weights. */
static void
add_up(const rnn_mix *mix, const double *x, const double *work, int h, double *error, double *seen)
{
	memset(error, 0, sizeof(double) * RNN_REFS * h);
	memset(seen, 0, sizeof(double) * h);
	for (int v = 1; v <= mix->seen; v++)
	{
		double		fade = rnn_mix_fade(v);
		int64_t		end;
		int			steps = rnn_mix_origin(work, v, &end);

		for (int r = 0; r < RNN_REFS; r++)
		{
			const double *f = rnn_mix_reference(work, v, r, h);

			for (int j = 0; j < steps && mix->present[r]; j++)
				error[(int64_t) r * h + j] += fade * fabs(f[j] - x[end + j]);
		}
		for (int j = 0; j < steps; j++)
			seen[j] += fade;
	}
}

/* Steps into their cells, for every part. */
static void
collect(Local *l, int season, int h, const double *error, const double *seen)
{
	for (int j = 0; j < h; j++)
	{
		int			g = cell_of(l, season, j);

		for (int p = 0; p < l->parts; p++)
		{
			double		weight = lead_weight(l, p, j, h);

			l->seen[p][g] += weight * seen[j];
			l->steps[p][g] += weight;
			for (int r = 0; r < RNN_REFS; r++)
				l->error[r][p][g] += weight * error[(int64_t) r * h + j];
		}
	}
}

/* The sum around a cell. */
static double
around(const Local *l, const double *of, int g)
{
	double		sum = 0;

	for (int k = 0; k < l->cells; k++)
	{
		int			away = k < g ? g - k : k - g;

		sum += l->near[rnn_min(away, l->cells - away)] * of[k];
	}
	return sum;
}

/* The mix at a part and a cell: errors in units of their usual one, and the weights that follow. */
static void
weigh_cell(const Local *l, const rnn_mix_rule *rule, const rnn_mix *whole, int p, int g, rnn_mix *mix)
{
	double		seen = around(l, l->seen[p], g),
				origins = seen / around(l, l->steps[p], g),
				usual = rnn_mix_typical(whole),
				own;

	*mix = *whole;
	for (int r = 0; r < RNN_REFS; r++)
		if (mix->present[r])
			mix->error[r] = around(l, l->error[r][p], g) / seen;
	own = seen > 0 ? rnn_mix_typical(mix) : 0;
	/* Where nothing was seen, or all was exact, the whole horizon decides. */
	if (!(own > 0))
		origins = 0;
	for (int r = 0; r < RNN_REFS; r++)
		if (mix->present[r])
		{
			double		here = origins > 0 ? (origins * mix->error[r] / own + 1) / (origins + 1) : 0;

			mix->error[r] = (origins * here + WHOLE * whole->error[r] / usual) / (origins + WHOLE);
		}
	rnn_mix_set_weights(mix, rule->kappa);
}

/* Weights of the steps of a part that are in a cell. */
static void
fill_cell(const Local *l, const rnn_mix_rule *rule, const rnn_mix *whole, int p, int g, double *weight)
{
	int			h = rule->h;
	bool		known = whole->seen == 0;
	rnn_mix		mix = *whole;

	for (int j = (p * h + l->parts - 1) / l->parts; j < ((p + 1) * h + l->parts - 1) / l->parts; j++)
	{
		if (cell_of(l, rule->seasons[0], j) != g)
			continue;
		if (!known)
			weigh_cell(l, rule, whole, p, g, &mix);
		known = true;
		for (int r = 0; r < RNN_REFS; r++)
			weight[(int64_t) r * h + j] = mix.weight[r];
	}
}

void
rnn_mix_local(const rnn_mix_rule *rule, const double *x, const rnn_mix *mix, const double *work, double *weight, double *scratch)
{
	int			h = rule->h,
				season = rule->seasons[0];
	Local		l = {.parts = (int) rnn_min(PARTS, h),.cells = (int) rnn_min(season, CELLS)};

	for (int k = 0; k < l.cells; k++)
		l.near[k] = exp(-0.5 * (PHASE * k / l.cells) * (PHASE * k / l.cells));
	if (mix->seen > 0)
	{
		add_up(mix, x, work, h, weight, scratch);
		collect(&l, season, h, weight, scratch);
	}
	for (int p = 0; p < l.parts; p++)
		for (int g = 0; g < l.cells; g++)
			fill_cell(&l, rule, mix, p, g, weight);
}
