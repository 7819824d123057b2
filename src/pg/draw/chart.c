/*
 * chart.c
 *		rnn_chart: rows as lines of text, for a terminal.
 *
 * Rows at one place are one column, of which each takes as many letters as
 * there is room for; where there are more places than letters, a column has the
 * mean of its values and the range of its intervals.  Encodings other than
 * UTF-8 get letters of ASCII.
 */
#include "pg/draw/draw.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#define LABEL 8					/* letters before the axis */
#define LONGEST_NAME 60

/* What a cell shows; the later ones cover the earlier. */
typedef enum Mark
{
	MARK_NONE, MARK_BAND, MARK_FORECAST, MARK_ACTUAL, MARK_BOTH, MARK_ODD, MARK_AXIS, MARK_CORNER, MARK_FLOOR, MARKS
} Mark;

static const char *const drawn_marks[MARKS] = {" ", "░", "━", "●", "◆", "✖", "│", "└", "─"};
static const char *const plain_marks[MARKS] = {" ", ":", "-", "o", "@", "X", "|", "+", "-"};

static const char *
mark_text(Mark mark)
{
	return (GetDatabaseEncoding() == PG_UTF8 ? drawn_marks : plain_marks)[mark];
}

/* Values of one column. */
typedef struct Column
{
	double		actual,			/* sums, */
				forecast;
	int			actuals,		/* and how many */
				forecasts;
	double		lower,
				upper;			/* lower > upper: none */
	bool		odd;
} Column;

typedef struct Chart
{
	Tuples		rows;
	Drawing    *drawing;
	int			width,
				height;
	int			count;			/* of columns */
	int			wide;			/* letters of each */
	Column	   *columns;		/* (count) */
	Axis		x,
				y;
} Chart;

static void
put_line(Chart *chart, const char *text)
{
	Datum		value = CStringGetTextDatum(text);
	bool		null = false;

	tuples_put(&chart->rows, &value, &null);
}

/* ---------------------------------------------------------------- columns */

/* Different places of rows (n) that are in the order of x. */
static int64
count_places(const DrawRow *rows, int64 n)
{
	int64		places = n > 0;

	for (int64 i = 1; i < n; i++)
		places += rows[i].x > rows[i - 1].x;
	return places;
}

static int
column_of(const Chart *chart, double x)
{
	double		share = chart->x.high > chart->x.low ? (x - chart->x.low) / (chart->x.high - chart->x.low) : 0;

	return (int) (share * (chart->count - 1) + 0.5);
}

static void
fill_columns(Chart *chart, const DrawRow *rows, int64 n)
{
	for (int c = 0; c < chart->count; c++)
		chart->columns[c] = (Column) {.lower = INFINITY,.upper = -INFINITY};
	for (int64 i = 0; i < n; i++)
	{
		const DrawRow *r = &rows[i];
		Column	   *c = &chart->columns[column_of(chart, r->x)];

		if (!isnan(r->actual))
		{
			c->actual += r->actual;
			c->actuals++;
		}
		if (!isnan(r->forecast))
		{
			c->forecast += r->forecast;
			c->forecasts++;
		}
		if (!isnan(r->lower) && !isnan(r->upper))
		{
			c->lower = Min(c->lower, r->lower);
			c->upper = Max(c->upper, r->upper);
		}
		c->odd |= r->odd;
	}
}

/* From 0, the lowest; outside for what is not there. */
static int
line_of(const Chart *chart, double y)
{
	return Min((int) ((y - chart->y.low) / (chart->y.high - chart->y.low) * chart->height), chart->height - 1);
}

static Mark
mark_at(const Chart *chart, const Column *c, int line)
{
	bool		actual = c->actuals > 0 && line_of(chart, c->actual / c->actuals) == line,
				forecast = c->forecasts > 0 && line_of(chart, c->forecast / c->forecasts) == line;

	if (c->odd && (actual || (forecast && c->actuals == 0)))
		return MARK_ODD;
	if (actual)
		return forecast ? MARK_BOTH : MARK_ACTUAL;
	if (forecast)
		return MARK_FORECAST;
	return c->lower <= c->upper && line >= line_of(chart, c->lower) && line <= line_of(chart, c->upper) ? MARK_BAND : MARK_NONE;
}

/* ------------------------------------------------------------------- lines */

static void
put_marks(Chart *chart, int line)
{
	StringInfoData s;
	const char *label = "";

	for (int i = 0; i < chart->y.n; i++)
		if (line_of(chart, chart->y.at[i]) == line)
			label = chart->y.label[i];
	initStringInfo(&s);
	appendStringInfo(&s, "%*s %s", LABEL, label, mark_text(MARK_AXIS));
	for (int c = 0; c < chart->count; c++)
		for (int k = 0; k < chart->wide; k++)
			appendStringInfoString(&s, mark_text(mark_at(chart, &chart->columns[c], line)));
	put_line(chart, s.data);
}

/* The axis, and its labels below, as far as there is room. */
static void
put_floor(Chart *chart)
{
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfo(&s, "%*s %s", LABEL, "", mark_text(MARK_CORNER));
	for (int i = 0; i < chart->count * chart->wide; i++)
		appendStringInfoString(&s, mark_text(MARK_FLOOR));
	put_line(chart, s.data);
	resetStringInfo(&s);
	for (int i = 0; i < chart->x.n; i++)
	{
		int			at;

		if (chart->x.at[i] < chart->x.low || chart->x.at[i] > chart->x.high)
			continue;
		at = LABEL + 2 + column_of(chart, chart->x.at[i]) * chart->wide;

		if (s.len > 0 && at < s.len + 2)
			continue;
		appendStringInfo(&s, "%*s%s", at - s.len, "", chart->x.label[i]);
	}
	put_line(chart, s.data);
}

static void
put_legend(Chart *chart, const Sights *s)
{
	const bool	there[MARKS] = {
		[MARK_ACTUAL] = s->actual,[MARK_FORECAST] = s->forecast,[MARK_BOTH] = s->actual && s->forecast,
		[MARK_BAND] = s->band,[MARK_ODD] = s->odd
	};
	const struct
	{
		Mark		mark;
		const char *text;
	}			items[] = {
		{MARK_ACTUAL, chart->drawing->values ? "value" : "actual"}, {MARK_FORECAST, "forecast"}, {MARK_BOTH, "both"}, {MARK_BAND, "interval"}, {MARK_ODD, "anomaly"}
	};
	StringInfoData line;

	initStringInfo(&line);
	appendStringInfo(&line, "%*s", LABEL, "");
	for (int i = 0; i < (int) lengthof(items); i++)
		if (there[items[i].mark])
			appendStringInfo(&line, "  %s %s", mark_text(items[i].mark), items[i].text);
	put_line(chart, line.data);
}

/* Ticks that an axis has room for. */
static int
few(int ticks)
{
	return Min(Max(ticks, 1), MOST_TICKS - 2);
}

/* A series, whose rows (n) are left in the order of their x. */
static void
put_chart(Chart *chart, DrawRow *rows, int64 n)
{
	Drawing    *d = chart->drawing;
	Sights		s = sights_of(rows, n);
	char	   *name = text_of_name(d->names[rows[0].series]);

	sort_by_x(rows, n);
	chart->count = Min(count_places(rows, n), chart->width);
	chart->wide = chart->width / chart->count;
	chart->columns = palloc(sizeof(Column) * chart->count);
	chart->x = x_axis(d, &s, few(chart->width / 12));
	chart->x.low = s.x_low;
	chart->x.high = s.x_high;
	chart->y = value_axis(&s, few(chart->height / 3));
	fill_columns(chart, rows, n);
	if (*name)
		put_line(chart, shown_text(name, LONGEST_NAME));
	for (int line = chart->height - 1; line >= 0; line--)
		put_marks(chart, line);
	put_floor(chart);
	put_line(chart, psprintf("%*s  %s to %s", LABEL, "", x_label(d, s.x_low), x_label(d, s.x_high)));
	put_legend(chart, &s);
}

static int
size_argument(FunctionCallInfo fcinfo, int argno, const char *name, int usual, int low, int high)
{
	int			size = PG_ARGISNULL(argno) ? usual : PG_GETARG_INT32(argno);

	if (size < low || size > high)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %d and %d, not %d", name, low, high, size)));
	return size;
}

/* rnn_chart(query, width, height) -> lines */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_chart);
Datum
rnnforecast_rnn_chart(PG_FUNCTION_ARGS)
{
	Chart		chart = {0};
	int64		n;

	tuples_begin(&chart.rows, fcinfo, 1);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	chart.width = size_argument(fcinfo, 1, "width", 72, 10, 1000);
	chart.height = size_argument(fcinfo, 2, "height", 16, 3, 200);
	chart.drawing = new_drawing(CurrentMemoryContext);
	draw_query(chart.drawing, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	draw_sort(chart.drawing);
	for (int64 first = 0; first < chart.drawing->n; first += n)
	{
		CHECK_FOR_INTERRUPTS();
		n = rows_of_series(chart.drawing, first);
		put_chart(&chart, chart.drawing->rows + first, n);
	}
	return (Datum) 0;
}
