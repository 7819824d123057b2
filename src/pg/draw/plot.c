/*
 * plot.c
 *		rnn_plot: rows as a picture in SVG that needs nothing else.
 *
 * A panel for each series, one above the other:
 *
 *		title
 *		-- actual  -- forecast  ## interval
 *		unit
 *		 20 |      the lines and bands
 *		 10 |___________________________
 *		     Jan    Feb    Mar
 *		     1 Jan 2025 to 31 Mar 2025
 *
 * The picture is as wide as where it stands.  Letters are wider in a narrow
 * one, lines are as thick in all; colours go by the reader's choice of light
 * or dark.  There is no script, and all text of the data is escaped.  Only
 * ASCII is written, so that the text is the same in every encoding.
 */
#include "pg/draw/draw.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define WIDE 640.0
#define LEFT 64.0				/* of it for the labels of values */
#define RIGHT 14.0
#define HEAD 98.0				/* title, legend, unit */
#define HIGH 220.0				/* of the panel of one series */
#define LOWER 130.0				/* of many */
#define FOOT 52.0				/* labels of times, and their span */
#define NAME 38.0				/* of a series */
#define MOST_PANELS 12
#define MOST_PARTS 12			/* whose beginnings are shown */
#define LONGEST_TEXT 48			/* letters of a title or a name */
#define COLUMNS_PER_UNIT 2		/* points in one column become their range */

static const char style[] =
"<style>"
".rnn-plot{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;font-size:13px}"
".rnn-plot text{fill:#1f2933}.rnn-plot .rnn-title{font-size:16px;font-weight:600}"
".rnn-plot .rnn-muted{fill:#56616f}.rnn-plot .rnn-paper{fill:#fff}"
".rnn-plot path,.rnn-plot line,.rnn-plot circle{vector-effect:non-scaling-stroke;fill:none;stroke-linejoin:round;stroke-linecap:round}"
".rnn-plot .rnn-grid{stroke:#dfe4ea;stroke-width:1px}.rnn-plot .rnn-cut{stroke:#8a94a3;stroke-width:1px;stroke-dasharray:2 4}"
".rnn-plot .rnn-actual{stroke:#1f2933;stroke-width:1.6px}.rnn-plot .rnn-forecast{stroke:#1d5fd1;stroke-width:2.2px}"
".rnn-plot .rnn-band{fill:#1d5fd1;fill-opacity:.16;stroke:none}.rnn-plot .rnn-inner{fill:#1d5fd1;fill-opacity:.24;stroke:none}"
".rnn-plot .rnn-odd{stroke:#c81e1e;stroke-width:2px;fill:#c81e1e;fill-opacity:.25}"
"@media(prefers-color-scheme:dark){"
".rnn-plot text{fill:#e8ebf0}.rnn-plot .rnn-muted{fill:#a4afbd}.rnn-plot .rnn-paper{fill:#14181f}"
".rnn-plot .rnn-grid{stroke:#2c343f}.rnn-plot .rnn-cut{stroke:#6d7886}.rnn-plot .rnn-actual{stroke:#e8ebf0}"
".rnn-plot .rnn-forecast{stroke:#6ea8ff}.rnn-plot .rnn-band,.rnn-plot .rnn-inner{fill:#6ea8ff;fill-opacity:.26}"
".rnn-plot .rnn-odd{stroke:#ff7b72;fill:#ff7b72}}"
"@media(min-width:900px){.rnn-plot{font-size:11px}.rnn-plot .rnn-title{font-size:14px}}"
"@media(max-width:480px){.rnn-plot{font-size:21px}.rnn-plot .rnn-title{font-size:23px}.rnn-plot .rnn-wide{display:none}}"
"</style>\n";

/* Where the points of a panel lie. */
typedef struct Panel
{
	Axis		x,
				y;
	double		top,
				height;
} Panel;

static double
at_x(const Panel *p, double x)
{
	return LEFT + (x - p->x.low) / (p->x.high - p->x.low) * (WIDE - LEFT - RIGHT);
}

static double
at_y(const Panel *p, double y)
{
	return p->top + (p->y.high - y) / (p->y.high - p->y.low) * p->height;
}

/* -------------------------------------------------------------------- text */

static void
put_escaped(StringInfo out, const char *text)
{
	for (const char *c = shown_text(text, LONGEST_TEXT); *c; c++)
		if (strchr("&<>\"'", *c))
			appendStringInfo(out, "&#%d;", *c);
		else
			appendStringInfoChar(out, *c);
}

static void
put_words(StringInfo out, const char *class, double x, double y, const char *anchor, const char *text)
{
	appendStringInfo(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", class, x, y, anchor);
	put_escaped(out, text);
	appendStringInfoString(out, "</text>\n");
}

/* ------------------------------------------------------------- lines, bands */

/* A line that is drawn point by point; of the points in a narrow column the range is. */
typedef struct Line
{
	StringInfo	out;
	bool		open;			/* the path has begun */
	int			points;			/* in the column */
	int			column;
	double		x,
				first,
				last,
				low,
				high;
} Line;

static void
put_point(Line *line, double x, double y)
{
	appendStringInfo(line->out, "%c%.1f %.1f", line->open ? 'L' : 'M', x, y);
	line->open = true;
}

static void
end_column(Line *line)
{
	if (line->points == 0)
		return;
	put_point(line, line->x, line->first);
	if (line->points > 1 && line->low < line->high)
	{
		bool		rises = line->last >= line->first;

		put_point(line, line->x, rises ? line->low : line->high);
		put_point(line, line->x, rises ? line->high : line->low);
		put_point(line, line->x, line->last);
	}
	line->points = 0;
}

/* A lone point is a dot, wider than the line. */
static void
end_line(Line *line)
{
	bool		lone = line->points == 1 && !line->open;

	end_column(line);
	if (lone)
		appendStringInfoString(line->out, "m-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0");
	line->open = false;
}

static void
add_point(Line *line, double x, double y)
{
	int			column = (int) (x * COLUMNS_PER_UNIT);

	if (line->points > 0 && column != line->column)
		end_column(line);
	if (line->points++ == 0)
	{
		line->column = column;
		line->x = x;
		line->first = line->low = line->high = y;
	}
	line->last = y;
	line->low = Min(line->low, y);
	line->high = Max(line->high, y);
}

static double
value_at(const DrawRow *row, size_t which)
{
	return *(const double *) ((const char *) row + which);
}

/* Rows (n) in their order; a value that is missing, or another part, begins a new line. */
static void
put_line(StringInfo out, const Panel *p, const DrawRow *rows, int64 n, const char *class, size_t which, bool parts)
{
	Line		line = {.out = out};

	appendStringInfo(out, "<path class=\"%s\" d=\"", class);
	for (int64 i = 0; i < n; i++)
	{
		double		y = value_at(&rows[i], which);

		if ((i & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (isnan(y) || (parts && i > 0 && rows[i].part != rows[i - 1].part))
			end_line(&line);
		if (!isnan(y))
			add_point(&line, at_x(p, rows[i].x), at_y(p, y));
	}
	end_line(&line);
	appendStringInfoString(out, "\"/>\n");
}

/* One edge of rows (n), at most one point in a column. */
static void
put_edge(StringInfo out, const Panel *p, const DrawRow *rows, int64 n, size_t which, bool back)
{
	double		last = -1;

	for (int64 k = 0; k < n; k++)
	{
		const DrawRow *row = &rows[back ? n - 1 - k : k];
		double		x = at_x(p, row->x);

		if (k > 0 && k < n - 1 && fabs(x - last) < 1.0 / COLUMNS_PER_UNIT)
			continue;
		appendStringInfo(out, "%c%.1f %.1f", k == 0 && !back ? 'M' : 'L', x, at_y(p, value_at(row, which)));
		last = x;
	}
}

/* Rows (n) of one piece of a band: along the upper edge and back along the lower one; a lone row has some width. */
static void
put_piece(StringInfo out, const Panel *p, const DrawRow *rows, int64 n, size_t lower, size_t upper)
{
	if (n > 1)
	{
		put_edge(out, p, rows, n, upper, false);
		put_edge(out, p, rows, n, lower, true);
	}
	else
		appendStringInfo(out, "M%.1f %.1fh6V%.1fh-6", at_x(p, rows->x) - 3, at_y(p, value_at(rows, upper)), at_y(p, value_at(rows, lower)));
	appendStringInfoChar(out, 'Z');
}

static void
put_band(StringInfo out, const Panel *p, const DrawRow *rows, int64 n, const char *class, size_t lower, size_t upper)
{
	int64		from = -1;

	appendStringInfo(out, "<path class=\"%s\" d=\"", class);
	for (int64 i = 0; i <= n; i++)
	{
		bool		there = i < n && !isnan(value_at(&rows[i], lower)) && !isnan(value_at(&rows[i], upper));

		if (from >= 0 && (!there || rows[i].part != rows[from].part))
		{
			CHECK_FOR_INTERRUPTS();
			put_piece(out, p, rows + from, i - from, lower, upper);
			from = -1;
		}
		if (there && from < 0)
			from = i;
	}
	appendStringInfoString(out, "\"/>\n");
}

/* Anomalies, at the values that they are; those at one place are one. */
static void
put_odd(StringInfo out, const Panel *p, const DrawRow *rows, int64 n)
{
	double		last_x = -1,
				last_y = -1;

	for (int64 i = 0; i < n; i++)
	{
		double		x = at_x(p, rows[i].x),
					y = at_y(p, isnan(rows[i].actual) ? rows[i].forecast : rows[i].actual);

		if (!rows[i].odd || isnan(y) || (fabs(x - last_x) < 1 && fabs(y - last_y) < 1))
			continue;
		appendStringInfo(out, "<circle class=\"rnn-odd\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"/>\n", x, y);
		last_x = x;
		last_y = y;
	}
}

/* Where the parts of a backtest begin, as long as they are few. */
static void
put_cuts(StringInfo out, const Panel *p, const DrawRow *rows, int64 n)
{
	int			parts = 0;

	for (int64 i = 0; i < n; i++)
		parts += rows[i].part >= 0 && (i == 0 || rows[i].part != rows[i - 1].part);
	if (parts > MOST_PARTS)
		return;
	for (int64 i = 0; i < n; i++)
		if (rows[i].part >= 0 && (i == 0 || rows[i].part != rows[i - 1].part))
			appendStringInfo(out, "<line class=\"rnn-cut\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
							 at_x(p, rows[i].x), p->top, at_x(p, rows[i].x), p->top + p->height);
}

/* ------------------------------------------------------------------- frame */

static void
put_axes(StringInfo out, const Panel *p)
{
	for (int i = 0; i < p->y.n; i++)
	{
		double		y = at_y(p, p->y.at[i]);

		appendStringInfo(out, "<line class=\"rnn-grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", LEFT, y, WIDE - RIGHT, y);
		put_words(out, "rnn-muted", LEFT - 8, y + 5, "end", p->y.label[i]);
	}
	for (int i = 0; i < p->x.n; i++)
	{
		double		x = at_x(p, p->x.at[i]);

		appendStringInfo(out, "<line class=\"rnn-grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
						 x, p->top + p->height, x, p->top + p->height + 5);
		/* In a narrow picture every other one. */
		put_words(out, i % 2 ? "rnn-muted rnn-wide" : "rnn-muted", Min(Max(x, 24), WIDE - 30), p->top + p->height + 23, "middle", p->x.label[i]);
	}
}

/* What is what: only what there is. */
static void
put_legend(StringInfo out, const Drawing *d, const Sights *s)
{
	const struct
	{
		bool		there;
		const char *class;
		const char *text;
	}			items[] = {
		{s->actual, "rnn-actual", d->values ? "value" : "actual"}, {s->forecast, "rnn-forecast", "forecast"},
		{s->band, "rnn-band", "interval"}, {s->odd, "rnn-odd", "anomaly"}
	};
	double		x = 8;

	for (int i = 0; i < (int) lengthof(items); i++)
	{
		if (!items[i].there)
			continue;
		if (i < 2)
			appendStringInfo(out, "<path class=\"%s\" d=\"M%.1f 49h22\"/>\n", items[i].class, x);
		else if (i == 2)
			appendStringInfo(out, "<path class=\"%s\" d=\"M%.1f 42h22v14h-22z\"/>\n", items[i].class, x);
		else
			appendStringInfo(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"49\" r=\"5\"/>\n", items[i].class, x + 11);
		put_words(out, "rnn-muted", x + 29, 54, "start", items[i].text);
		x += 44 + strlen(items[i].text) * 12.5;
	}
}

static const char *
title_of(const Drawing *d, const Sights *s)
{
	if (d->title)
		return d->title;
	if (d->series == 1 && d->names[0].len > 0)
		return text_of_name(d->names[0]);
	return s->odd ? "Anomalies" : !s->forecast ? "History" : d->parts > 0 ? "Backtest" : "Forecast";
}

/* A panel of the rows (n) of a series; they are left in the order of their x. */
static void
put_panel(StringInfo out, const Drawing *d, Panel *p, DrawRow *rows, int64 n)
{
	Sights		s = sights_of(rows, n);

	p->y = value_axis(&s, d->series > 1 ? 3 : 5);
	put_axes(out, p);
	put_cuts(out, p, rows, n);
	if (s.band)
		put_band(out, p, rows, n, "rnn-band", offsetof(DrawRow, lower), offsetof(DrawRow, upper));
	if (s.inner)
		put_band(out, p, rows, n, "rnn-inner", offsetof(DrawRow, low), offsetof(DrawRow, high));
	if (s.forecast)
		put_line(out, p, rows, n, "rnn-forecast", offsetof(DrawRow, forecast), true);
	sort_by_x(rows, n);
	if (s.actual)
		put_line(out, p, rows, n, "rnn-actual", offsetof(DrawRow, actual), false);
	if (s.odd)
		put_odd(out, p, rows, n);
}

static void
put_panels(StringInfo out, Drawing *d, Panel *p, int panels)
{
	int64		first = 0;

	for (int i = 0; i < panels; i++)
	{
		int64		n = rows_of_series(d, first);

		CHECK_FOR_INTERRUPTS();
		if (d->series > 1)
			put_words(out, "rnn-name", 8, p->top - 14, "start", text_of_name(d->names[d->rows[first].series]));
		put_panel(out, d, p, d->rows + first, n);
		p->top += p->height + FOOT - 20 + NAME;
		first += n;
	}
}

static void
put_head(StringInfo out, const Drawing *d, const Sights *s, double height)
{
	const char *title = title_of(d, s);

	appendStringInfo(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"rnn-plot\" role=\"img\" viewBox=\"0 0 %.0f %.0f\">\n<title>", WIDE, height);
	put_escaped(out, title);
	appendStringInfoString(out, "</title>\n");
	appendStringInfoString(out, style);
	appendStringInfo(out, "<rect class=\"rnn-paper\" width=\"%.0f\" height=\"%.0f\"/>\n", WIDE, height);
	put_words(out, "rnn-title", 8, 27, "start", title);
	put_legend(out, d, s);
	if (d->unit)
		put_words(out, "rnn-muted", 8, HEAD - 19, "start", d->unit);
}

static char *
plot(Drawing *d)
{
	StringInfoData out;
	Sights		s = sights_of(d->rows, d->n);
	int			panels = Min(d->series, MOST_PANELS);
	Panel		p = {.top = HEAD + (d->series > 1 ? NAME : 0),.height = d->series > 1 ? LOWER : HIGH};
	double		below = p.top + Max(panels, 1) * (p.height + FOOT - 20) + Max(panels - 1, 0) * NAME;
	StringInfoData span;

	draw_sort(d);
	initStringInfo(&out);
	initStringInfo(&span);
	put_head(&out, d, &s, below + 34);
	if (d->n > 0)
	{
		p.x = x_axis(d, &s, 6);
		put_panels(&out, d, &p, panels);
		appendStringInfo(&span, "%s to %s", x_label(d, s.x_low), x_label(d, s.x_high));
		if (d->series > panels)
			appendStringInfo(&span, "; %d more series", d->series - panels);
	}
	put_words(&out, "rnn-muted", d->n > 0 ? LEFT : 8, below + 20, "start", d->n > 0 ? span.data : "There are no rows.");
	appendStringInfoString(&out, "</svg>\n");
	return out.data;
}

/* -------------------------------------------------------------- entry points */

static char *
text_argument(FunctionCallInfo fcinfo, int argno)
{
	return argno >= PG_NARGS() || PG_ARGISNULL(argno) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argno));
}

/* rnn_plot(query, title, unit) -> text */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_plot);
Datum
rnnforecast_rnn_plot(PG_FUNCTION_ARGS)
{
	Drawing    *d;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	d = new_drawing(CurrentMemoryContext);
	d->title = text_argument(fcinfo, 1);
	d->unit = text_argument(fcinfo, 2);
	draw_query(d, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_TEXT_P(cstring_to_text(plot(d)));
}

/* (state, row [, title, unit]) -> state */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_plot_step);
Datum
rnnforecast_rnn_plot_step(PG_FUNCTION_ARGS)
{
	MemoryContext context,
				old;
	Drawing    *d;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this function only works inside of an aggregate"),
				 errhint("Call rnn_plot.")));
	d = PG_ARGISNULL(0) ? new_drawing(AllocSetContextCreate(context, "rnnforecast plot", ALLOCSET_DEFAULT_SIZES)) :
		(Drawing *) PG_GETARG_POINTER(0);
	old = MemoryContextSwitchTo(d->context);
	if (d->title == NULL)
		d->title = text_argument(fcinfo, 2);
	if (d->unit == NULL)
		d->unit = text_argument(fcinfo, 3);
	MemoryContextSwitchTo(old);
	draw_argument(d, fcinfo, 1);
	PG_RETURN_POINTER(d);
}

/* (state) -> text */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_plot_final);
Datum
rnnforecast_rnn_plot_final(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(plot((Drawing *) PG_GETARG_POINTER(0))));
}
