/*
 * span.c
 *		Where a model's rows lie in time, and its steps in words.
 */
#include "pg/model/model.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/timestamp.h"

void
find_span(const rnn_model *m, Place *first, Place *last)
{
	int64		first_at = 0,
				last_at = 0;

	*first = *last = (Place) {NULL, 0};
	for (int i = 0; i < m->n_series; i++)
	{
		const rnn_series *s = &m->series[i];
		int64		from,
					to;

		if (s->n == 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		from = clock_time(&m->clock, s->start, 0);
		to = clock_time(&m->clock, s->start, s->n - 1);
		if (first->series == NULL || from < first_at)
		{
			*first = (Place) {s, 0};
			first_at = from;
		}
		if (last->series == NULL || to > last_at)
		{
			*last = (Place) {s, s->n - 1};
			last_at = to;
		}
	}
}

char *
place_text(const rnn_model *m, const Place *place)
{
	char	   *text = palloc(MAXDATELEN + 1);

	if (!clock_has_times(&m->clock))
		return psprintf(INT64_FORMAT, clock_position(&m->clock, place->series, place->point));
	JsonEncodeDateTime(text,
					   TimestampGetDatum(clock_local(&m->clock, clock_time(&m->clock, place->series->start, place->point))),
					   TIMESTAMPOID, NULL);
	if (m->clock.kind == RNN_CLOCK_DATE)
		text[strcspn(text, "T")] = '\0';
	return text;
}

/* What people call a step; NULL where they have no word for it. */
static const char *
step_word(const rnn_clock *clock)
{
	static const struct
	{
		int64		months,
					days,
					usecs;
		const char *word;
	}			words[] = {
		{12, 0, 0, "year"}, {3, 0, 0, "quarter"}, {1, 0, 0, "month"}, {0, 7, 0, "week"}, {0, 1, 0, "day"},
		{0, 0, USECS_PER_HOUR, "hour"}, {0, 0, USECS_PER_HOUR / 2, "half hour"}, {0, 0, USECS_PER_MINUTE, "minute"},
		{0, 0, USECS_PER_SEC, "second"}
	};

	for (int i = 0; clock_has_times(clock) && i < (int) lengthof(words); i++)
		if (clock->months == words[i].months && clock->days == words[i].days && clock->usecs == words[i].usecs)
			return words[i].word;
	return NULL;
}

char *
steps_text(const rnn_model *m, int64 steps)
{
	const char *word = step_word(&m->clock),
			   *plural = steps == 1 ? "" : "s";

	if (word)
		return psprintf(INT64_FORMAT " %s%s", steps, word, plural);
	return clock_has_times(&m->clock) ? psprintf(INT64_FORMAT " step%s of %s", steps, plural, clock_step_text(&m->clock)) :
		psprintf(INT64_FORMAT " step%s", steps, plural);
}
