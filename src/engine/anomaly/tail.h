/*
 * tail.h
 *		How rare a value is among those before it: the tail of a long-run
 *		distribution, extrapolated beyond the largest that was seen.
 */
#ifndef RNN_TAIL_H
#define RNN_TAIL_H

#include "base/base.h"

#define TAIL_MEMORY 8192		/* latest values that the distribution is of */
#define TAIL_LEAST 20			/* of them, before it tells anything */

typedef struct Tail
{
	int			n;				/* values that are remembered */
	int64_t		added;			/* all that there were */
	int64_t		gap;			/* rows between exceedances that belong to one event */
	int64_t		exceeded,		/* exceedances of the tail's threshold, */
				events,			/* the events that they form, */
				last;			/* and the row of the last one */
	double	   *sorted;			/* (TAIL_MEMORY) ascending */
	double	   *ring;			/* (TAIL_MEMORY) by time */
} Tail;

void		tail_init(Tail *t, int64_t gap, rnn_arena *a);
/* As if nothing had come so far. */
void		tail_clear(Tail *t);
/* Expected events a row that reach z >= 0, 1 where too little is known. */
double		tail_rate(const Tail *t, double z);
/* The value that a share of all values, in (0, 1), exceeds; NaN where too little is known. */
double		tail_value(const Tail *t, double share);
/* z came in this row. */
void		tail_add(Tail *t, double z, int64_t row);

#endif							/* RNN_TAIL_H */
