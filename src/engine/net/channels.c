/*
 * channels.c
 *		What covariates and the calendar take of a network's inputs.
 *
 *		number		asinh((x - centre) / scale), known or not (2)
 *		text		a learned embedding of the word, unknown, or missing (RNN_EMBED)
 *		term		sines and cosines of the first harmonics of a cycle of the calendar
 *
 * A step of the network takes the channels of every point of its patch, behind
 * what its frame holds, then those that don't change and the terms of its last
 * point.  A point ahead takes the channels that are known ahead, seen at
 * RNN_VIEWS places, and the terms at RNN_TERM_VIEWS of them.
 * view/covariate.c fills them in.
 */
#include "net/shape.h"

#include <math.h>

const int	rnn_calendar_harmonics[RNN_TERMS] = {2, 3, 2, 2};

static int
calendar_channels(int terms)
{
	int			n = 0;

	for (int i = 0; i < RNN_TERMS; i++)
		if (terms & 1 << i)
			n += 2 * rnn_calendar_harmonics[i];
	return n;
}

/* circle (RNN_CIRCLE,2): sine and cosine all the way around */
void
rnn_calendar_circle(real *circle)
{
	for (int i = 0; i < RNN_CIRCLE; i++)
	{
		double		angle = 6.283185307179586 * i / RNN_CIRCLE;

		circle[2 * i] = (real) sin(angle);
		circle[2 * i + 1] = (real) cos(angle);
	}
}

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
	s->CT = calendar_channels(s->terms);
	s->D = s->D0 + s->patch * s->C + s->CS + s->CT;
	s->F = s->G + s->CS + s->CT > 0 ? RNN_VIEWS * s->G + s->CS + RNN_TERM_VIEWS * s->CT + RNN_PHASES + 1 : 0;
	s->words_past = s->patch * words_point + words_step;
	s->words_ahead = s->F > 0 ? RNN_VIEWS * words_view + words_step : 0;
}
