/*
 * pace.h
 *		How the rows of one series follow each other: what pace.c finds out and
 *		step.c votes on.
 */
#ifndef RNN_PG_PACE_H
#define RNN_PG_PACE_H

#include "pg/time/time.h"

/* What gaps are counted in: numbers or microseconds, or parts of the calendar. */
typedef enum Unit
{
	UNIT_PLAIN, UNIT_DAYS, UNIT_MONTHS, UNITS
} Unit;

typedef struct Step
{
	Unit		unit;
	int64		count;
} Step;

typedef struct Pace
{
	int64		divisor[UNITS]; /* the greatest common one of all gaps, 0: not countable in this unit */
	Step		step;			/* that it proposes; count 0: it has no gap */
	bool		regular;		/* two gaps or more, all multiples of the step */
	bool		usual;			/* its most frequent gap is that of most rows, */
	bool		steady;			/* or of nearly all */
	int			first_day,		/* of the month, in the first row */
				low_day,
				top_day,
				open_day;		/* in rows that are not at a month's end, 0: none, -1: several */
} Pace;

/* Whether a group has rows and no problem. */
bool		usable(const RowGroup *group);
/* Of sorted rows with different times; `gaps` has room for one each. */
void		find_pace(RowGroup *group, const rnn_clock *clock, bool fail, int64 *gaps, Pace *pace);
/*
 * Day of the month on which a series is counted in months, or on the last of
 * those that are shorter; 0 where there is none.
 */
int			month_day(const Pace *pace);

#endif							/* RNN_PG_PACE_H */
