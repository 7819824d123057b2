/*
 * panel.c
 *		From the rows of a group to regular series, ordered by name.
 *
 * What a series can't be used for is an error that names it, or, with the
 * option on_error, a note in the model: the series is left out, or only its
 * last known value is kept, so that its forecast is naive.
 */
#include "pg/series/series.h"

#include <math.h>

#include "miscadmin.h"
#include "pgtime.h"
#include "utils/memutils.h"

#define MEGABYTE ((Size) 1024 * 1024)

/* The rows of a state without names, in their order, as one series. */
static void
ordered_series(const RowState *state, SeriesSet *all)
{
	rnn_series *s = all->series = palloc0(sizeof(rnn_series));
	int64		n = state->n,
				from = 0;
	double	   *x = palloc_extended((Size) Max(n, 1) * sizeof(double), MCXT_ALLOC_HUGE);

	all->count = 1;
	all->covariates = (rnn_covariates) {0};
	memset(&all->clock, 0, sizeof(all->clock));
	for (int64 i = 0; i < n; i++)
		x[i] = state->rows[i].value;
	while (n > 0 && isnan(x[n - 1]))
		n--;
	while (from < n && isnan(x[from]))
		from++;
	s->x = x + from;
	s->n = n - from;
	s->dropped = from;
	s->ahead = Min(state->n - n, RNN_MAX_HORIZON);
}

/* Copies of the rows by series, as the state may be asked again, by a window. */
static RowGroup *
group_rows(const RowState *state, int *count)
{
	int			n = state->keyed ? state->n_names : 1;
	int		   *rank = rank_names(state->names, state->keyed ? n : 0);
	RowGroup   *groups = palloc_extended(sizeof(RowGroup) * Max(n, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	Row		   *rows = palloc_extended((Size) Max(state->n, 1) * sizeof(Row), MCXT_ALLOC_HUGE);
	Row		   *next = rows;

	for (int i = 0; i < n && state->keyed; i++)
		groups[rank[i]].name = state->names[i];
	for (int64 i = 0; i < state->n; i++)
		groups[state->keyed ? rank[state->series[i]] : 0].n++;
	for (int g = 0; g < n; g++)
	{
		groups[g].rows = next;
		next += groups[g].n;
		groups[g].n = 0;
	}
	for (int64 i = 0; i < state->n; i++)
	{
		RowGroup   *group = &groups[state->keyed ? rank[state->series[i]] : 0];

		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		group->rows[group->n++] = state->rows[i];
	}
	pfree(rank);
	*count = n;
	return groups;
}

static void
find_infinite(RowGroup *group, const rnn_clock *clock, bool fail)
{
	for (int64 i = 0; i < group->n; i++)
	{
		if (!isinf(group->rows[i].value))
			continue;
		if (fail)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("the value of series \"%s\" at %s is %s", text_of_name(group->name),
							clock_text(clock, group->rows[i].at),
							group->rows[i].value > 0 ? "infinite" : "negative infinite"),
					 errhint("Replace it by NULL, which means that the value is missing, or set the option \"on_error\".")));
		group->problem = RNN_NOTE_INFINITE;
		return;
	}
}

static bool
is_empty(const RowGroup *group)
{
	for (int64 i = 0; i < group->n; i++)
		if (!isnan(group->rows[i].value))
			return false;
	return true;
}

static void
find_empty(RowGroup *group, bool fail)
{
	if (!is_empty(group))
		return;
	if (fail && group->name.text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no known value among " INT64_FORMAT " rows", group->n),
				 errhint("A series needs at least one value that is not NULL.")));
	if (fail)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("series \"%s\" has no known value among " INT64_FORMAT " rows", text_of_name(group->name), group->n),
				 errhint("Leave it out, or set the option \"on_error\" to \"skip\".")));
	group->problem = RNN_NOTE_EMPTY;
}

/* The last finite value of a group that can't be used otherwise. */
static void
keep_last(RowGroup *group, const rnn_clock *clock, rnn_series *s)
{
	double	   *x;

	for (int64 i = group->n - 1; i >= 0; i--)
	{
		if (!isfinite(group->rows[i].value))
			continue;
		x = palloc(sizeof(double));
		*x = group->rows[i].value;
		s->x = x;
		s->n = 1;
		s->start = group->rows[i].at;
		s->dropped = clock_phase(clock, s->start);
		return;
	}
}

/* The first point that the options don't take, and why. */
static rnn_note
find_trouble(const rnn_config *cfg, const rnn_series *s, int64 *at)
{
	for (*at = 0; *at < s->n; (*at)++)
	{
		double		x = s->x[*at];

		if (isnan(x) && cfg->gaps == RNN_GAPS_ERROR)
			return RNN_NOTE_GAPS;
		if (!isnan(x) && !rnn_transform_takes(cfg, x))
			return RNN_NOTE_RANGE;
	}
	return RNN_NOTE_NONE;
}

rnn_missing
count_missing(const rnn_series *series, int count)
{
	rnn_missing missing = {0};

	for (int i = 0; i < count; i++)
	{
		int64		before = missing.points;

		CHECK_FOR_INTERRUPTS();
		for (int64 k = 0, run = 0; k < series[i].n; k++)
		{
			run = isnan(series[i].x[k]) ? run + 1 : 0;
			missing.points += run > 0;
			missing.gaps += run == 1;
			missing.longest = Max(missing.longest, run);
		}
		missing.series += missing.points > before;
	}
	return missing;
}

void
check_values(const rnn_config *cfg, const rnn_clock *clock, const rnn_series *s)
{
	int64		at;

	switch (find_trouble(cfg, s, &at))
	{
		case RNN_NOTE_GAPS:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("there is no value%s at %s", of_series(series_name(s)), clock_label(clock, s, at)),
					 errdetail("%lld of %lld points are missing.", (long long) count_missing(s, 1).points, (long long) s->n),
					 errhint("Set the option \"gaps\" to \"mask\", which is the default, or to what replaces them.")));
			break;
		case RNN_NOTE_RANGE:
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("the value %g%s at %s cannot be transformed by \"%s\"", s->x[at], of_series(series_name(s)), clock_label(clock, s, at),
							cfg->transform == RNN_TRANSFORM_LOG ? "log" : "box-cox"),
					 errhint("Only values above 0 can be. Set the option \"transform\" to \"asinh\", which takes all values.")));
			break;
		default:
			break;
	}
}

static const char *
zone_for(const ServerOptions *server)
{
	return server->timezone[0] ? server->timezone : pg_get_timezone_name(session_timezone);
}

void
refuse_tidying(const Tidying *tidying, const char *why, const char *hint)
{
	const char *option = tidying->step.given ? "step" : tidying->bin != RNN_BIN_NONE ? "bin" :
		tidying->duplicates != DUPLICATES_AUTO ? "duplicates" : NULL;

	if (option)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" %s", option, why), errhint("%s", hint)));
}

/* The rows that are used: how many of each series, 0: all. */
static int64
settle_rows(RowState *state, const Tidying *tidying)
{
	state_settle(state);
	if (state->latest == 0)
		return 0;
	ereport(NOTICE,
			(errmsg("only the latest " INT64_FORMAT " rows of each series are used", state->latest),
			 errdetail("All rows of %d series need more than the %zu MB that rows of a panel may take, an eighth of rnnforecast.max_memory; "
					   "those that are used take %zu MB.", state->n_names, memory_limit() / 8 / MEGABYTE,
					   (Size) state->n * row_bytes(state) / MEGABYTE),
			 errhint("Raise rnnforecast.max_memory, or aggregate to a coarser step.")));
	if (tidying->duplicates == DUPLICATES_LAST)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("option \"duplicates\" cannot be \"last\" where the rows exceed rnnforecast.max_memory"),
				 errdetail("Only the latest rows are kept, and their order is lost."),
				 errhint("Raise rnnforecast.max_memory, or aggregate first.")));
	return state->latest;
}

/* A group on the clock's grid, or what becomes of it. */
static void
series_from_group(const rnn_config *cfg, const rnn_clock *clock, RowGroup *group, OnError on_error, bool fail,
				  Size *room, rnn_series *s)
{
	int64		at;

	s->name = group->name.text;
	s->name_len = group->name.len;
	if (group->problem == RNN_NOTE_NONE)
		clock_regularise(clock, group, fail, room, s);
	if (fail)
		check_values(cfg, clock, s);
	else if (group->problem == RNN_NOTE_NONE)
	{
		group->problem = find_trouble(cfg, s, &at);
		s->n = group->problem ? 0 : s->n;
	}
	if (group->problem != RNN_NOTE_NONE && on_error == ON_ERROR_NAIVE)
		keep_last(group, clock, s);
	s->note = group->problem ? group->problem : rnn_series_is_constant(s) ? RNN_NOTE_CONSTANT : RNN_NOTE_NONE;
}

void
series_from_rows(RowState *state, const rnn_config *cfg, const ServerOptions *server, SeriesSet *all)
{
	OnError		on_error = server->tidying.on_error;
	bool		fail = on_error == ON_ERROR_FAIL || !state->keyed;
	RowGroup   *groups;
	int			usable = 0;
	Size		taken,
				room;

	all->latest = settle_rows(state, &server->tidying);
	if (state->form == FORM_ORDERED)
	{
		RowGroup	whole = {.rows = state->rows,.n = state->n};

		refuse_tidying(&server->tidying, "needs times",
					   "The rows of an ordered column have no times. Pass them, as in rnn_train(ts, value, options).");
		find_empty(&whole, true);
		ordered_series(state, all);
		check_values(cfg, &all->clock, all->series);
		return;
	}
	groups = group_rows(state, &all->count);
	memset(&all->clock, 0, sizeof(all->clock));
	all->clock.kind = state->form;
	for (int g = 0; g < all->count; g++)
	{
		find_infinite(&groups[g], &all->clock, fail);
		if (groups[g].problem == RNN_NOTE_NONE)
			find_empty(&groups[g], fail);
	}
	clock_infer(groups, all->count, state->form, zone_for(server), &server->tidying, fail, &all->clock);
	taken = MemoryContextMemAllocated(state->hdr.eoh_context, true) + (Size) state->n * sizeof(Row);
	room = memory_limit() > taken ? memory_limit() - taken : 0;
	all->series = palloc_extended(sizeof(rnn_series) * Max(all->count, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int g = 0; g < all->count; g++)
	{
		series_from_group(cfg, &all->clock, &groups[g], on_error, fail, &room, &all->series[g]);
		usable += all->series[g].n > 0;
	}
	covariates_from_rows(state, all->count > 0 && groups[0].nearest, fail, all);
	if (usable == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("none of %d series can be used", all->count),
				 errhint("Leave out the option \"on_error\" to see the first problem as an error.")));
	if (all->count > 0)
		pfree(groups[0].rows);
	pfree(groups);
}
