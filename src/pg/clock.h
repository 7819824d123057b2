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

#define SHORTEST_DAY (23 * (int64) USECS_PER_HOUR)	/* when the clocks change */
#define SHORTEST_MONTH (28 * (int64) USECS_PER_DAY)

Fields		fields_of(Timestamp local);
/* Those of a time as it came in a row. */
Fields		fields_at(const rnn_clock *clock, int64 at);
/* Wall clock of an instant in the clock's zone, and back. */
Timestamp	to_local(const rnn_clock *clock, TimestampTz instant);
TimestampTz to_instant(const rnn_clock *clock, Timestamp local);
Timestamp	add_interval(Timestamp at, int64 months, int64 days);
/* x / step, rounded down below 0 too. */
int64		whole_steps(int64 x, int64 step);
/* Index of a time on the grid that begins at start (first its fields), -1 where it is off the grid. */
int64		grid_index(const rnn_clock *clock, int64 start, const Fields *first, int64 at);
/* " of series "x"", for messages. */
const char *of_series(const RowGroup *group);
const char *of_named(const rnn_series *s);

/* week.c: days since 2000-01-01; a week is a mask of days, bit 0 Monday, 0: all */
#define WEEKDAYS 31				/* Monday to Friday */

int			week_weekday(int64 day);	/* 0: Monday */
int			week_days(int week);	/* how many */
/* Number of an open day, or of the first open one after it; and the day with a number. */
int64		week_number(int week, int64 day);
int64		week_day(int week, int64 number);
const char *week_text(int week);
int			week_parse(const char *text);

/* Length of a step with times, on average. */
double		clock_days(const rnn_clock *clock);

/* tidy.c */
/* Rows of one time become one, or are an error; and those of one step. */
void		merge_duplicates(RowGroup *group, const rnn_clock *clock, const Tidying *tidying, bool fail);
/* A row's time as the clock counts it, of readings that of their step. */
int64		time_of_row(const rnn_clock *clock, int64 at, bool nearest);
void		bin_rows(RowGroup *groups, int count, const rnn_clock *clock, bool fail);
/* The step that people would name for the most usual gaps, where they differ. */
void		infer_rough_step(RowGroup *groups, int count, rnn_clock *clock);

#endif							/* RNNFORECAST_CLOCK_H */
