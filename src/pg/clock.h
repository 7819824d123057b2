/*
 * clock.h
 *		What clock.c and infer.c share: times in the calendar.
 */
#ifndef RNNFORECAST_CLOCK_H
#define RNNFORECAST_CLOCK_H

#include "pg.h"

/* Calendar fields of a local time: days since 2000, microseconds of the day, months, day of month. */
typedef struct Fields
{
	int64		day;
	int64		usec;
	int64		month;
	int			mday;
	bool		last;			/* of its month */
} Fields;

Fields		fields_of(Timestamp local);
/* Wall clock of an instant in the clock's zone. */
Timestamp	to_local(const rnn_clock *clock, TimestampTz instant);
/* " of series "x"", for messages. */
const char *of_series(const RowGroup *group);

#endif							/* RNNFORECAST_CLOCK_H */
