/*
 * covariate.c
 *		What is known of a point beside its value, as channels of the network.
 *
 *		number		asinh((x - centre) / scale), known or not (2)
 *		text		a learned embedding of the word, unknown, or missing (RNN_EMBED)
 *
 * A step of the network takes the channels of every point of its patch, behind
 * what its frame holds.  A point ahead takes those that are known ahead, seen
 * at RNN_VIEWS places: the point, its neighbours, and the points in the past
 * that the references repeat there.
 *
 * Values are brought into that form once, by series (rnn_points_covariates);
 * frames don't hold them.  Words are rows of a table of weights, so a batch
 * holds their numbers and the forward pass fetches them.
 */
#include "frame.h"

#include <math.h>
#include <string.h>

#define S RNN_BLOCK

static int
channels(const rnn_covariate *c)
{
	return c->is_text ? RNN_EMBED : 2;
}

void
rnn_covariates_shape(rnn_shape *s)
{
	int			words_point = 0,
				words_step = 0,
				words_view = 0;

	for (int k = 0; k < s->covariates.n; k++)
	{
		const rnn_covariate *c = &s->covariates.list[k];
		int			n = channels(c);

		s->at_point[k] = s->at_step[k] = s->at_ahead[k] = -1;
		if (c->role == RNN_STATIC)
		{
			s->at_step[k] = (int16_t) s->CS;
			s->CS += n;
			words_step += c->is_text;
			continue;
		}
		s->at_point[k] = (int16_t) s->C;
		s->C += n;
		words_point += c->is_text;
		if (c->role != RNN_PAST)
		{
			s->at_ahead[k] = (int16_t) s->G;
			s->G += n;
			words_view += c->is_text;
		}
	}
	s->CT = rnn_calendar_channels(s->terms);
	s->D = s->D0 + s->patch * s->C + s->CS + s->CT;
	s->F = s->G + s->CS + s->CT > 0 ? RNN_VIEWS * s->G + s->CS + RNN_TERM_VIEWS * s->CT + RNN_PHASES + 1 : 0;
	s->words_past = s->patch * words_point + words_step;
	s->words_ahead = s->F > 0 ? RNN_VIEWS * words_view + words_step : 0;
}

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
	p->rows = s->n + ahead;
	for (int64_t i = 0; i < p->rows; i++, to += width)
	{
		for (int k = 0; k < K; k++)
			to[k] = prepared(&shape->covariates.list[k],
							 s->covariates && i < s->n + s->ahead ? s->covariates[i * K + k] : NAN);
		rnn_frame_phases(plan, p->phase + i, to + K);
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
	rnn_calendar_put(s, net->circle, pts, e - 1, to + s->CS);
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
	int			last = plan->n_seasons > 1 ? plan->seasons[plan->n_seasons - 1] : 1;

	for (int j = 0; j < Hz; j++)
	{
		int64_t		at[RNN_VIEWS] = {
			e + j, e + j - 1, e + j + 1, repeated(e, j, plan->seasons[0]), repeated(e, j, last)
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
		to = rnn_calendar_put(s, net->circle, pts, at[0], to);
		to = rnn_calendar_put(s, net->circle, pts, at[3], to);
		to = rnn_calendar_put(s, net->circle, pts, at[4], to);
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
