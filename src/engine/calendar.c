/*
 * calendar.c
 *		Where in the day, the week, the month and the year a point lies, as
 *		smooth terms: sines and cosines of the first harmonics of each cycle.
 *
 * The caller, who has a clock, tells the place of every point in each cycle;
 * nothing of it is stored.  A step of the network takes the terms of its last
 * point, and a point ahead those of itself and of the points in the past that
 * the references repeat there.
 */
#include "frame.h"
#include "resolve.h"
#include "trainer.h"

#include <math.h>

#define LEAST_LENGTH 300		/* points of a series, on average: fewer tell other cycles than the seasons badly */
#define NEAR 0.02				/* a season is a cycle that it is as near to */
#define MEMORY_PART 8			/* of the memory, for what is prepared by point */

static const int harmonics[RNN_TERMS] = {2, 3, 2, 2};

int
rnn_calendar_channels(int terms)
{
	int			n = 0;

	for (int i = 0; i < RNN_TERMS; i++)
		if (terms & 1 << i)
			n += 2 * harmonics[i];
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

/* The terms of point i of a series, zero where the caller didn't tell them; the place behind them. */
real *
rnn_calendar_put(const rnn_shape *s, const real *circle, const rnn_points *pts, int64_t i, real *to)
{
	const uint16_t *place = i >= 0 && i < pts->calendar_rows ? pts->calendar + i * RNN_TERMS : NULL;

	for (int k = 0; k < RNN_TERMS; k++)
		for (int h = 1; (s->terms & 1 << k) && h <= harmonics[k]; h++, to += 2)
		{
			const real *at = place ? circle + 2 * (place[k] * h % RNN_CIRCLE) : NULL;

			to[0] = at ? at[0] : 0;
			to[1] = at ? at[1] : 0;
		}
	return to;
}

/* ------------------------------------------------------------- which terms */

/* Phases of the seasons are inputs already. */
static bool
is_season(const rnn_config *cfg, const rnn_calendar *calendar, int term)
{
	for (int i = 0; i < cfg->seasons_given; i++)
		if (fabs(cfg->seasons[i] - calendar->steps[term]) <= NEAR * calendar->steps[term])
			return true;
	return false;
}

/*
 * All that the history goes through once where they are asked for; auto: day
 * and week, twice, and no season has them, and only where series are long and
 * the network is judged.
 */
int
rnn_calendar_terms(const rnn_config *cfg, const rnn_calendar *calendar, const rnn_summary *d, size_t memory)
{
	bool		asked = cfg->calendar > 0;
	int			terms = 0;

	if (cfg->calendar == 0 ||
		(!asked && (cfg->start != RNN_START_AUTO || !cfg->skip || d->points < LEAST_LENGTH * (int64_t) d->series ||
					d->points > (int64_t) (memory / MEMORY_PART / (sizeof(real) * RNN_PHASES)))))
		return 0;
	for (int i = 0; i <= (asked ? RNN_TERM_YEAR : RNN_TERM_WEEK); i++)
		if (calendar->terms & 1 << i && d->longest >= (asked ? 1 : 2) * calendar->steps[i] &&
			(asked || !is_season(cfg, calendar, i)))
			terms |= 1 << i;
	return terms;
}
