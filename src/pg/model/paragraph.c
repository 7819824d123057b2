/*
 * paragraph.c
 *		rnn_summary: what a model is worth, for people who decide by it.
 *
 * Nothing is told that wasn't measured on windows that the training held out:
 * how wrong the forecast was, beside the season before, and how often the
 * interval held.
 */
#include "pg/model/model.h"

#include <math.h>

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(rnnforecast_rnn_summary);

/* A count, with a comma before each three digits. */
static char *
count_text(int64 n)
{
	char	   *digits = psprintf(INT64_FORMAT, n);
	StringInfoData s;

	initStringInfo(&s);
	for (int left = (int) strlen(digits); left > 0; left--)
		appendStringInfo(&s, "%c%s", *digits++, left > 1 && left % 3 == 1 ? "," : "");
	return s.data;
}

/* A size of three digits, or with all those before the point. */
static char *
size_text(double x)
{
	int			decimals = x > 0 ? 2 - (int) floor(log10(x)) : 0;

	if (x >= 1e15 || decimals > 8)
		return psprintf("%.3g", x);
	return x < 1000 ? psprintf("%.*f", Max(decimals, 0), x) : count_text((int64) rint(x));
}

static char *
percent_text(double share)
{
	return psprintf("%.*f %%", fabs(share) < 0.0995 ? 1 : 0, 100 * share);
}

/* What is naive: the value that lies so many steps before. */
static const char *
naive_text(const rnn_model *m)
{
	const rnn_clock *c = &m->clock;
	int			lag = m->held.lag;
	int64		usecs = c->usecs * lag;

	if (lag == 1)
		return "the last known value";
	if (clock_has_times(c) && c->months > 0 && c->months * lag == 12)
		return c->months == 1 ? "the same month of the year before" : "the same time of the year before";
	if (clock_has_times(c) && c->days == 7 && lag == 52)
		return "the same week of the year before";
	if (clock_has_times(c) && c->days == 1 && lag == week_days(c->week))
		return "the same day of the week before";
	if (clock_has_times(c) && usecs == USECS_PER_DAY)
		return "the same time of the day before";
	if (clock_has_times(c) && usecs == 7 * USECS_PER_DAY)
		return "the same time of the week before";
	return psprintf("the value %s before", steps_text(m, lag));
}

static void
tell_what(StringInfo out, const rnn_model *m)
{
	Place		first,
				last;

	find_span(m, &first, &last);
	appendStringInfo(out, "Forecasts %s ahead", steps_text(m, m->config.horizon));
	if (m->n_series > 1)
		appendStringInfo(out, " for %s series", count_text(m->n_series));
	if (last.series)
		appendStringInfo(out, ", from data up to %s", place_text(m, &last));
	appendStringInfoChar(out, '.');
}

static void
tell_error(StringInfo out, const rnn_model *m)
{
	const rnn_held *held = &m->held;

	appendStringInfo(out, " In %s trial%s on past periods that were held out, %s values in all, the forecast was off by %s on average",
					 count_text(held->windows), held->windows == 1 ? "" : "s", count_text(held->points), size_text(held->error));
	if (held->size > 0)
		appendStringInfo(out, ", which is %s of the mean value of %s", percent_text(held->error / held->size), size_text(held->size));
	appendStringInfoChar(out, '.');
	if (m->calibration_n > 0 && m->calibration_n < held->windows)
		appendStringInfo(out, " These periods overlap or belong together, and tell as much as %s separate one%s.",
						 count_text(m->calibration_n), m->calibration_n == 1 ? "" : "s");
}

/* Beside the season before; where that was right but for rounding, the forecast cannot err less. */
static char *
beside_text(double own, double naive, double size)
{
	if (naive <= 1e-9 * size)
		return pstrdup("was exact");
	if (own > 2 * naive)
		return psprintf("was off by %s: the forecast erred %s times as much", size_text(naive), size_text(own / naive));
	return psprintf("was off by %s: the forecast erred %s %s", size_text(naive), percent_text(fabs(1 - own / naive)),
					own <= naive ? "less" : "more");
}

static void
tell_naive(StringInfo out, const rnn_model *m)
{
	const rnn_held *held = &m->held;
	char	   *naive = pstrdup(naive_text(m));

	naive[0] = pg_toupper((unsigned char) naive[0]);
	appendStringInfo(out, " %s %s", naive, beside_text(held->own, held->naive, held->size));
	if (held->compared < held->points)
		appendStringInfo(out, ", on the %s values for which it was known", count_text(held->compared));
	appendStringInfoChar(out, '.');
}

static char *
paragraph(const rnn_model *m)
{
	StringInfoData out;

	initStringInfo(&out);
	tell_what(&out, m);
	if (m->held.windows > 0)
		tell_error(&out, m);
	else
		appendStringInfoString(&out, " How wrong it is was not measured: no past period was held out.");
	if (m->held.windows > 0 && m->held.compared > 0)
		tell_naive(&out, m);
	if (m->held.windows > 0 && m->calibration_n > 0 && isfinite(m->coverage))
		appendStringInfo(&out, " The 90 %% interval held %s of the values.", percent_text(m->coverage));
	return out.data;
}

/* rnn_summary(model) -> text */
Datum
rnnforecast_rnn_summary(PG_FUNCTION_ARGS)
{
	const rnn_model *m = fetch_model(fcinfo, 0, false);

	PG_RETURN_TEXT_P(cstring_to_text(paragraph(m)));
}
