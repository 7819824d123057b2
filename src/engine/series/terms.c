/*
 * terms.c
 *		What covariates that are known ahead add to a point: a sum of terms.
 *
 *		number		v = 3 asinh((x - centre) / scale / 3), and max(v - k, 0) - max(-k, 0) at bends k
 *		text		1 for each word that the model knows, 0 for others
 *		missing		1
 *
 * A number at its centre adds nothing.  The terms of what is known may be told
 * by the phase in a cycle, times 1 and its first harmonics: a warm night is not
 * a warm afternoon.  What two of them do together is no sum, as much wind at a
 * low load: a weighed sum of all is then one more number.
 */
#include "series/series.h"

#include <math.h>
#include <string.h>

#define NARROW 3				/* deviations that are told as they are, nearly */
#define BENDS 3
static const double bends[BENDS] = {-1, 0, 1};

static int
phases_of(const rnn_covariates *all, rnn_detail detail)
{
	return detail < RNN_DETAIL_PHASED ? 1 : 1 + 2 * (int) rnn_min(RNN_HARMONICS, all->regression.cycle / 2);
}

static int
shapes_of(const rnn_covariate *c, rnn_detail detail)
{
	return c->is_text ? c->n_categories : detail < RNN_DETAIL_BENT ? 1 : 1 + BENDS;
}

int
rnn_regression_terms(const rnn_covariates *all, rnn_detail detail)
{
	int			n = 0;

	for (int k = 0; k < all->n && detail > RNN_DETAIL_NONE; k++)
		if (all->list[k].role == RNN_AHEAD)
			n += shapes_of(&all->list[k], detail) * phases_of(all, detail) + 1;
	return n + (detail == RNN_DETAIL_JOINT ? (1 + BENDS) * phases_of(all, detail) : 0);
}

int
rnn_regression_kept(const rnn_covariates *all, rnn_detail finest, rnn_detail detail, int *kept)
{
	int			n = 0,
				at = 0,
				phases = phases_of(all, finest);

	for (int k = 0; k < all->n; k++)
	{
		const rnn_covariate *c = &all->list[k];

		if (c->role != RNN_AHEAD)
			continue;
		for (int i = 0; i < shapes_of(c, detail); i++)
			for (int p = 0; p < phases_of(all, detail); p++)
				kept[n++] = at + i * phases + p;
		at += shapes_of(c, finest) * phases;
		kept[n++] = at++;
	}
	for (int i = 0; detail == RNN_DETAIL_JOINT && i < (1 + BENDS) * phases; i++)
		kept[n++] = at + i;
	return n;
}

/* 1, and sine and cosine of the phase of grid number e. */
static void
put_phases(int64_t e, int64_t cycle, int phases, double *to)
{
	double		angle = 6.283185307179586 * (double) ((e % cycle + cycle) % cycle) / (double) cycle;

	to[0] = 1;
	for (int k = 1; 2 * k < phases; k++)
	{
		to[2 * k - 1] = sin(k * angle);
		to[2 * k] = cos(k * angle);
	}
}

/* The shape at `i` of a value, by each phase. */
static void
put_shape(double shape, int i, const double *phase, int phases, double *to)
{
	for (int p = 0; p < phases; p++)
		to[i * phases + p] = shape * phase[p];
}

/* x in units of its scale. */
static void
put_number(double x, rnn_detail detail, const double *phase, int phases, double *to)
{
	double		v = NARROW * asinh(x / NARROW);

	put_shape(v, 0, phase, phases, to);
	for (int k = 0; k < BENDS && detail >= RNN_DETAIL_BENT; k++)
		put_shape(fmax(v - bends[k], 0) - fmax(-bends[k], 0), 1 + k, phase, phases, to);
}

double
rnn_regression_joint(const rnn_covariates *all, const double *weight, const rnn_series *s, int64_t row)
{
	double		terms[RNN_MOST_TERMS],
				sum = 0;
	int			n = rnn_regression_terms(all, RNN_DETAIL_LINEAR);

	rnn_regression_row(all, RNN_DETAIL_LINEAR, s, row, terms);
	for (int i = 0; i < n; i++)
		sum += weight[i] * terms[i];
	return sum;
}

void
rnn_regression_row(const rnn_covariates *all, rnn_detail detail, const rnn_series *s, int64_t row, double *terms)
{
	int			phases = phases_of(all, detail);
	double		phase[1 + 2 * RNN_HARMONICS];

	memset(terms, 0, sizeof(double) * rnn_regression_terms(all, detail));
	put_phases(s->dropped + row, all->regression.cycle, phases, phase);
	for (int k = 0; k < all->n; k++)
	{
		const rnn_covariate *c = &all->list[k];
		float		x = s->covariates ? s->covariates[row * all->n + k] : NAN;
		int			shapes = shapes_of(c, detail);

		if (c->role != RNN_AHEAD)
			continue;
		if (isnan(x))
			terms[shapes * phases] = 1;
		else if (!c->is_text)
			put_number((x - c->centre) / c->scale, detail, phase, phases, terms);
		else if (x < c->n_categories)
			put_shape(1, (int) x, phase, phases, terms);
		terms += shapes * phases + 1;
	}
	if (detail == RNN_DETAIL_JOINT)
		put_number(rnn_regression_joint(all, all->regression.joint, s, row), detail, phase, phases, terms);
}

double
rnn_regression_effect(const rnn_covariates *all, const rnn_series *s, int64_t row)
{
	const rnn_regression *r = &all->regression;
	int64_t		behind = row - (s->n + s->ahead) + 1,
				cycle = r->cycle;
	double		terms[RNN_MOST_TERMS],
				sum = 0;

	if (r->n == 0)
		return 0;
	if (behind > 0)
		row = rnn_max(0, row - (behind + cycle - 1) / cycle * cycle);
	rnn_regression_row(all, r->detail, s, row, terms);
	for (int i = 0; i < r->n; i++)
		sum += r->weight[i] * terms[i];
	return sum;
}
