/*
 * rebin.c
 *		Readings of a history into the bins of a model.
 *
 * A history doesn't know the model that it will be for.  One without bins, of
 * readings on a grid of their own, is put into the model's as rows would have
 * been.  What is in bins already stays there: means of means are others.
 */
#include "pg/time/time.h"

#include <math.h>

#include "miscadmin.h"

#define STEPS_ALIKE (1 + 1e-9)

bool
clock_takes_readings(const rnn_clock *clock, const rnn_clock *history)
{
	/* Days are laid on the clock's days of the week. */
	if (clock->days == 1 && history->days == 1)
		return false;
	return clock->bin != RNN_BIN_NONE && history->bin == RNN_BIN_NONE && clock->kind == history->kind &&
		(clock_has_times(clock) ? clock_days(history) <= clock_days(clock) * STEPS_ALIKE : history->usecs <= clock->usecs);
}

/* A point's time as it comes in rows. */
static int64
time_in_rows(const rnn_clock *from, const rnn_series *s, int64 k)
{
	int64		at = clock_time(from, s->start, k);

	return from->kind == RNN_CLOCK_TIMESTAMPTZ ? clock_instant(from, at) : at;
}

static void
known_rows(const rnn_clock *from, const rnn_series *s, RowGroup *group)
{
	*group = (RowGroup) {.name = {s->name, s->name_len}};
	group->rows = palloc_extended((Size) Max(s->n, 1) * sizeof(Row), MCXT_ALLOC_HUGE);
	for (int64 k = 0; k < s->n; k++)
	{
		if ((k & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (!isnan(s->x[k]))
			group->rows[group->n++] = (Row) {time_in_rows(from, s, k), s->x[k]};
	}
}

/* Index of the bin of each of the old rows, those ahead too; and how many bins there are ahead. */
static int64 *
bins_of_rows(const rnn_clock *from, const rnn_clock *to, const rnn_series *old, rnn_series *s, bool nearest)
{
	int64		rows = old->n + old->ahead;
	int64	   *bin = palloc_extended((Size) Max(rows, 1) * sizeof(int64), MCXT_ALLOC_HUGE);

	s->ahead = 0;
	for (int64 k = 0; k < rows; k++)
	{
		if ((k & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		bin[k] = clock_index(to, s->start, time_of_row(to, time_in_rows(from, old, k), nearest));
		s->ahead = Max(s->ahead, Min(bin[k] - s->n + 1, RNN_MAX_HORIZON));
	}
	return bin;
}

/* Of several rows of one bin the latest that has a covariate counts, as of rows that are collected. */
static void
rebin_covariates(const rnn_clock *from, const rnn_clock *to, const rnn_series *old, rnn_series *s, int count, bool nearest)
{
	int64	   *bin = bins_of_rows(from, to, old, s, nearest);
	int64		rows = s->n + s->ahead;
	float	   *values = palloc_extended((Size) Max(rows * count, 1) * sizeof(float), MCXT_ALLOC_HUGE);

	for (int64 i = 0; i < rows * count; i++)
		values[i] = NAN;
	for (int64 k = 0; old->covariates && k < old->n + old->ahead; k++)
		for (int c = 0; c < count; c++)
			if (bin[k] >= 0 && bin[k] < rows && !isnan(old->covariates[k * count + c]))
				values[bin[k] * count + c] = old->covariates[k * count + c];
	s->covariates = count > 0 ? values : NULL;
	pfree(bin);
}

void
rebin_series(const rnn_clock *from, const rnn_clock *to, rnn_series *series, int count, int covariates)
{
	RowGroup   *groups = palloc_extended(sizeof(RowGroup) * Max(count, 1), MCXT_ALLOC_HUGE);
	Size		rows = 0,
				room;

	for (int i = 0; i < count; i++)
		rows += series[i].n;
	if (rows > memory_limit() / 2 / sizeof(Row))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%zu readings of a history exceed rnnforecast.max_memory", rows),
				 errhint("Raise rnnforecast.max_memory, or collect the rows in the model's bins.")));
	room = memory_limit() - rows * sizeof(Row);
	for (int i = 0; i < count; i++)
		known_rows(from, &series[i], &groups[i]);
	bin_rows(groups, count, to, to->bin, true);
	for (int i = 0; i < count; i++)
	{
		rnn_series *s = &series[i],
					old = *s;

		if (old.n == 0)
			continue;
		clock_regularise(to, &groups[i], true, &room, s);
		rebin_covariates(from, to, &old, s, covariates, groups[i].nearest);
		pfree(groups[i].rows);
	}
	pfree(groups);
}
