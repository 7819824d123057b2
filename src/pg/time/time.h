/*
 * time.h
 *		Times in the calendar: what one step is, where rows and points lie on its
 *		grid, and rows of one series made regular.
 */
#ifndef RNN_PG_TIME_H
#define RNN_PG_TIME_H

#include "pg/base/base.h"

#include "datatype/timestamp.h"

/* What rows have beside their values. */
typedef enum RowForm
{
	FORM_ORDERED = RNN_CLOCK_NONE,	/* values in order, no time */
	FORM_DATE = RNN_CLOCK_DATE,
	FORM_TIMESTAMP = RNN_CLOCK_TIMESTAMP,
	FORM_TIMESTAMPTZ = RNN_CLOCK_TIMESTAMPTZ,
	FORM_STEP = RNN_CLOCK_STEP
} RowForm;

typedef struct Row
{
	int64		at;				/* microseconds since 2000, or the number of the row */
	double		value;			/* NaN: missing */
} Row;

/* Rows of one series; `problem` says why it can't be used. */
typedef struct RowGroup
{
	SeriesName	name;
	Row		   *rows;
	int64		n;
	rnn_note	problem;
	bool		nearest;		/* readings were taken for those of the nearest step */
} RowGroup;

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

/* clock.c */
bool		clock_has_times(const rnn_clock *clock);	/* not numbers of rows or steps */
bool		clock_is_fixed(const rnn_clock *clock);	/* steps are counted in UTC, not on the wall clock */
/* Local time of grid point k after `start`: see RowForm; start is UTC for fixed steps of
 * timestamptz, local wall clock for everything else. */
int64		clock_time(const rnn_clock *clock, int64 start, int64 k);
Timestamp	clock_local(const rnn_clock *clock, int64 time);
TimestampTz clock_instant(const rnn_clock *clock, int64 time);
/* The same instant as another clock of that kind counts it. */
int64		clock_convert(const rnn_clock *from, const rnn_clock *to, int64 time);
/* Text of one step as an interval, "1 mon"; palloc'd. */
char	   *clock_step_text(const rnn_clock *clock);
/* Number of the row, or step, at grid point k of a series without times. */
int64		clock_position(const rnn_clock *clock, const rnn_series *s, int64 k);
/* Number of a time on the clock's grid, counted from 2000, in months from the year 0: the phase of its seasons. */
int64		clock_phase(const rnn_clock *clock, int64 start);
/* Seasons that the calendar suggests. */
int			clock_hints(const rnn_clock *clock, int *hints);
char	   *clock_text(const rnn_clock *clock, int64 time); /* for messages */
/* Day of the month that a series goes by which begins at f. */
int			clock_month_day(const rnn_clock *clock, const Fields *f);
Fields		fields_of(Timestamp local);
/* Those of a time as it came in a row. */
Fields		fields_at(const rnn_clock *clock, int64 at);
/* Wall clock of an instant in the clock's zone, and back. */
Timestamp	to_local(const rnn_clock *clock, TimestampTz instant);
TimestampTz to_instant(const rnn_clock *clock, Timestamp local);
Timestamp	add_interval(Timestamp at, int64 months, int64 days);
/* x / step, rounded down below 0 too. */
int64		whole_steps(int64 x, int64 step);

/* grid.c */
/* Place of a time on the grid of a series: -1 where it has none. */
int64		clock_index(const rnn_clock *clock, int64 start, int64 time);
/* Values of a group on its grid: fills start, dropped, n and x, which takes bytes off `room`; else the
 * group's problem. */
void		clock_regularise(const rnn_clock *clock, RowGroup *group, bool fail, Size *room, rnn_series *series);
/* Points of daily steps on the days of the week that another clock has; `start` is as that clock counts it. */
void		clock_regrid(const rnn_clock *from, const rnn_clock *to, rnn_series *s, int covariates);
/* Point k of a series, for messages; and as ts, local_ts and position of a row. */
char	   *clock_label(const rnn_clock *clock, const rnn_series *s, int64 k);
void		clock_place(const rnn_clock *clock, const rnn_series *s, int64 k, Datum *values, bool *nulls);

/* step.c */
/* Sorts and tidies the rows of each group and infers their step, the most common; problems are errors if `fail`. */
void		clock_infer(RowGroup *groups, int count, RowForm form, const char *zone, const Tidying *tidying,
						bool fail, rnn_clock *clock);

/* bins.c */
int			compare_rows(const void *a, const void *b, void *arg);	/* by time, then value */
/* Rows of one time become one, or are an error; and those of one step. */
void		merge_duplicates(RowGroup *group, const rnn_clock *clock, const Tidying *tidying, bool fail);
/* A row's time as the clock counts it, of readings that of their step. */
int64		time_of_row(const rnn_clock *clock, int64 at, bool nearest);
/* `how` readings of one step become one: as the clock says, or, of what lies in bins already, the last. */
void		bin_rows(RowGroup *groups, int count, const rnn_clock *clock, rnn_bin how, bool fail);
/* Between a sorted row and the one before; the longest there is where it overflows. */
int64		gap_before(const RowGroup *group, int64 i);

/* rebin.c */
/* Whether a history's steps are readings for the clock's bins. */
bool		clock_takes_readings(const rnn_clock *clock, const rnn_clock *history);
/* Puts them there. */
void		rebin_series(const rnn_clock *from, const rnn_clock *to, rnn_series *series, int count, int covariates);

/* calendar.c */
/* Length of a step with times, on average. */
double		clock_days(const rnn_clock *clock);
/* Cycles of the calendar that steps of a clock tell apart; and what one is called. */
rnn_calendar clock_calendar(const rnn_clock *clock);
const char *calendar_word(const rnn_clock *clock, int term);
/* Where in them the points of series lie, and `ahead` steps more, and the days of their months, where the options need them. */
void		calendar_fill(const rnn_config *cfg, const rnn_clock *clock, rnn_series *series, int count, int64 ahead);
Size		calendar_for_training(const rnn_config *cfg, const rnn_clock *clock, rnn_series *series, int count,
								  rnn_calendar *calendar);

#endif							/* RNN_PG_TIME_H */
