/*
 * covariate.c
 *		What is known of a point beside its value, covariates and terms of the
 *		calendar, as the network's inputs; net/channels.c says where they lie.
 *
 * Covariates are brought into their form once, by series (rnn_points_covariates);
 * frames don't hold them.  Words are rows of a table of weights, so a batch
 * holds their numbers and the forward pass fetches them.  Where a point lies in
 * the day, the week, the month and the year is told by the caller, who has a
 * clock; nothing of it is stored.  A point ahead is seen together with its
 * neighbours and with the points in the past that the references repeat there.
 */
#include "view/frame.h"

#include <math.h>
#include <string.h>

#define S RNN_BLOCK

/* ---------------------------------------------------------------- series */

int64_t
rnn_covariates_width(const rnn_shape *s)
{
	return s->covariates.n > 0 || s->terms ? s->covariates.n + RNN_PHASES : 0;
}

static real
prepared(const rnn_covariate *c, float x)
{
	if (c->is_text)
		return isnan(x) ? (real) c->n_categories + 1 : (real) x;
	return (real) asinh((x - c->centre) / c->scale);
}

void
rnn_points_covariates(rnn_points *p, const rnn_series *s, const rnn_frame_plan *plan, int64_t ahead, rnn_arena *a)
{
	const rnn_shape *shape = plan->shape;
	int			K = shape->covariates.n;
	int64_t		width = rnn_covariates_width(shape);
	real	   *to;

	p->covariates = NULL;
	p->rows = 0;
	p->calendar = s->calendar;
	p->calendar_rows = s->calendar ? s->calendar_rows : 0;
	if (width == 0)
		return;
	p->covariates = to = arena_new(a, real, (s->n + ahead) * width);
	if (!to)
		return;
	for (int64_t i = 0; i < s->n + ahead && !rnn_stopped(shape->stop); i++, to += width)
	{
		for (int k = 0; k < K; k++)
			to[k] = prepared(&shape->covariates.list[k],
							 s->covariates && i < s->n + s->ahead ? s->covariates[i * K + k] : NAN);
		rnn_frame_phases(plan, p->phase + i, to + K);
		p->rows++;
	}
}

/* ------------------------------------------------------------------ load */

/* Channels of covariate k at prepared row `from` (NULL: nothing is known); words are noted instead. */
static void
put_channels(const rnn_covariate *c, int k, const real *from, bool forget, real *to, int16_t **word)
{
	if (c->is_text)
	{
		real		row = from ? from[k] : (real) c->n_categories + 1;

		*(*word)++ = (int16_t) (forget && row <= c->n_categories ? c->n_categories : row);
		return;
	}
	to[0] = from && !isnan(from[k]) ? from[k] : 0;
	to[1] = from && !isnan(from[k]);
}

static const real *
row_at(const rnn_points *pts, int64_t width, int64_t i)
{
	return i >= 0 && i < pts->rows ? pts->covariates + i * width : NULL;
}

static void
put_static(const rnn_shape *s, const real *from, bool forget, real *to, int16_t **word)
{
	for (int k = 0; k < s->covariates.n; k++)
		if (s->at_step[k] >= 0)
			put_channels(&s->covariates.list[k], k, from, forget, to + s->at_step[k], word);
}

/* The terms of point i of a series, zero where the caller didn't tell them; the place behind them. */
static real *
put_terms(const rnn_shape *s, const real *circle, const rnn_points *pts, int64_t i, real *to)
{
	const uint16_t *place = i >= 0 && i < pts->calendar_rows ? pts->calendar + i * RNN_TERMS : NULL;

	for (int k = 0; k < RNN_TERMS; k++)
		for (int h = 1; (s->terms & 1 << k) && h <= rnn_calendar_harmonics[k]; h++, to += 2)
		{
			const real *at = place ? circle + 2 * (place[k] * h % RNN_CIRCLE) : NULL;

			to[0] = at ? at[0] : 0;
			to[1] = at ? at[1] : 0;
		}
	return to;
}

/* Points e - patch .. e - 1 behind what the frame of row has. */
static void
load_past(rnn_net *net, int64_t row, const rnn_points *pts, int64_t e, bool forget)
{
	const rnn_shape *s = net->shape;
	int64_t		width = rnn_covariates_width(s);
	real	   *to = net->u + row * s->D + s->D0;
	int16_t    *word = net->past_words + row * s->words_past;

	for (int j = 0; j < s->patch; j++, to += s->C)
	{
		const real *from = row_at(pts, width, e - s->patch + j);

		for (int k = 0; k < s->covariates.n; k++)
			if (s->at_point[k] >= 0)
				put_channels(&s->covariates.list[k], k, from, forget, to + s->at_point[k], &word);
	}
	put_static(s, row_at(pts, width, e - 1), forget, to, &word);
	put_terms(s, net->circle, pts, e - 1, to + s->CS);
}

/* Where a reference of season m looks for what it says of point j ahead of e. */
static int64_t
repeated(int64_t e, int j, int m)
{
	return e - m + j % m;
}

static void
load_ahead(rnn_net *net, int64_t row, const rnn_frame_plan *plan, const rnn_points *pts, int64_t e, bool forget)
{
	const rnn_shape *s = net->shape;
	int64_t		width = rnn_covariates_width(s),
				Hz = (int64_t) s->blocks * S;
	real	   *to = net->p + row * Hz * s->F;
	int16_t    *word = net->ahead_words + row * Hz * s->words_ahead;
	int			last = plan->rule.n_seasons > 1 ? plan->rule.seasons[plan->rule.n_seasons - 1] : 1;

	for (int j = 0; j < Hz; j++)
	{
		int64_t		at[RNN_VIEWS] = {
			e + j, e + j - 1, e + j + 1, repeated(e, j, plan->rule.seasons[0]), repeated(e, j, last)
		};
		const real *now = row_at(pts, width, e + j);

		for (int v = 0; v < RNN_VIEWS; v++, to += s->G)
		{
			const real *from = row_at(pts, width, at[v]);

			for (int k = 0; k < s->covariates.n; k++)
				if (s->at_ahead[k] >= 0)
					put_channels(&s->covariates.list[k], k, from, forget, to + s->at_ahead[k], &word);
		}
		put_static(s, row_at(pts, width, e - 1), forget, to, &word);
		to += s->CS;
		to = put_terms(s, net->circle, pts, at[0], to);
		to = put_terms(s, net->circle, pts, at[3], to);
		to = put_terms(s, net->circle, pts, at[4], to);
		if (now)
			memcpy(to, now + s->covariates.n, sizeof(real) * RNN_PHASES);
		else
			memset(to, 0, sizeof(real) * RNN_PHASES);
		to += RNN_PHASES;
		*to++ = 0;				/* the middle, once the head knows it */
	}
}

void
rnn_covariates_load(rnn_net *net, int64_t row, const rnn_frame_plan *plan, const rnn_points *pts, int64_t e,
					bool ahead, bool forget)
{
	static const rnn_points none;

	if (rnn_covariates_width(net->shape) == 0)
		return;
	load_past(net, row, pts ? pts : &none, e, forget);
	if (ahead && net->shape->F > 0)
		load_ahead(net, row, plan, pts ? pts : &none, e, forget);
}
