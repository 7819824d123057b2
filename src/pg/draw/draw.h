/*
 * draw.h
 *		Pictures of rows: of a forecast, a backtest, anomalies, or anybody's own.
 */
#ifndef RNN_PG_DRAW_H
#define RNN_PG_DRAW_H

#include "pg/evaluate/evaluate.h"

/* A row of what is drawn; NaN is what is not there. */
typedef struct DrawRow
{
	double		x;				/* time in microseconds since 2000, or a number */
	double		actual,
				forecast,
				lower,
				upper,
				low,			/* of the inner band */
				high;
	int			series;
	int			part;			/* rows of one cutoff belong together */
	bool		odd;			/* an anomaly */
} DrawRow;

typedef struct Drawing
{
	MemoryContext context;
	DrawRow    *rows;			/* (n) */
	int64		n,
				room;
	bool		times;			/* x are times */
	bool		values;			/* the column is "value", not "actual" */
	SeriesName *names;			/* (series) by number */
	int			series,
				names_room,
				parts;
	struct HTAB *name_index,
			   *part_index;
	Size		names_bytes;
	const char *title,			/* NULL: none was given */
			   *unit;
} Drawing;

/* What there is to see in some rows. */
typedef struct Sights
{
	double		x_low,
				x_high,
				low,			/* of all values; low > high where there are none */
				high;
	bool		actual,
				forecast,
				band,
				inner,
				odd;
} Sights;

/* rows.c */
Drawing    *new_drawing(MemoryContext context);
/* The rows of a query, by the names of its columns. */
void		draw_query(Drawing *d, const char *query);
/* Adds the row of an argument of type record. */
void		draw_argument(Drawing *d, FunctionCallInfo fcinfo, int argno);
/* By series in the order of their names, then by part, then by x; drawings of series have their numbers in that order. */
void		draw_sort(Drawing *d);
void		sort_by_x(DrawRow *rows, int64 n);
Sights		sights_of(const DrawRow *rows, int64 n);
/* Rows of the series from row `first` on. */
int64		rows_of_series(const Drawing *d, int64 first);

/* text.c: at most so many letters of a text of the data, none of them a control character, or none for XML */
char	   *shown_text(const char *text, int most);

/* axis.c */
#define MOST_TICKS 12
typedef struct Axis
{
	double		low,
				high;
	int			n;
	double		at[MOST_TICKS];
	char	   *label[MOST_TICKS];
} Axis;

Axis		number_axis(double low, double high, int most, bool widen);	/* to the next tick, if it is to */
/* Of all values, from 0 on where the least is nearer to it than to the greatest. */
Axis		value_axis(const Sights *s, int most);
Axis		time_axis(double low, double high, int most);
Axis		x_axis(const Drawing *d, const Sights *s, int most);
char	   *x_label(const Drawing *d, double x);	/* in full */

#endif							/* RNN_PG_DRAW_H */
