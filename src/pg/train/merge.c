/*
 * merge.c
 *		rnn_merge: the history of the rows of several histories.
 *
 * A history's points become rows of a state again, as if they had just been
 * collected, so merging is collecting: rows are sorted, rows of one time are
 * what the option "duplicates" says, and the step is found anew.  What rows
 * don't tell, the clock of each history does, and all must have the same: the
 * time zone, the bins, what gaps are taken for.  It goes with the state as
 * options that the caller's are added to.
 *
 * A point of a bin is a value of that bin already, not a reading to be counted
 * or averaged; two of one bin are an error unless "duplicates" says otherwise.
 */
#include "pg/train/train.h"

#include <math.h>

#include "miscadmin.h"

/* What all histories of a group must have, and the options of the call. */
static Jsonb *
common_options(const rnn_model *h, Jsonb *given)
{
	const rnn_clock *clock = &h->clock;
	StringInfoData s;

	initStringInfo(&s);
	open_object(&s, NULL);
	if (clock_has_times(clock))
		put_text(&s, "timezone", clock->zone);
	if (clock->bin != RNN_BIN_NONE)
	{
		put_text(&s, "bin", bin_names[clock->bin]);
		if (clock_has_times(clock))
			put_text(&s, "step", clock_step_text(clock));
		else
			put_int(&s, "step", clock->usecs);
	}
	if (h->config.gaps != RNN_GAPS_MASK)
		put_text(&s, "gaps", engine_option("gaps")->names[h->config.gaps]);
	appendStringInfoChar(&s, '}');
	return given ? json_merge(json_from(s.data), given) : json_from(s.data);
}

static _Noreturn void
refuse_histories(const char *what, const char *one, const char *other)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("histories of different %s cannot be merged", what),
			 errdetail("One has %s, another %s.", one, other),
			 errhint("Collect all rows in the same way, with the same options of rnn_history.")));
}

static void
take_options(RowState *state, Jsonb *options)
{
	MemoryContext old;

	if (state->options)
	{
		if (VARSIZE(options) != VARSIZE(state->options) || memcmp(options, state->options, VARSIZE(options)) != 0)
			refuse_histories("clocks or bins", JsonbToCString(NULL, &state->options->root, 0),
							 JsonbToCString(NULL, &options->root, 0));
		return;
	}
	old = MemoryContextSwitchTo(state->hdr.eoh_context);
	state->options = (Jsonb *) PG_DETOAST_DATUM_COPY(JsonbPGetDatum(options));
	MemoryContextSwitchTo(old);
}

static void
check_history(const rnn_model *h)
{
	if (!h->is_history)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("this is a model, not a history"),
				 errhint("A model keeps no more rows than its forecasts need. Merge what rnn_history collected.")));
	if (h->clock.kind == RNN_CLOCK_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("histories of an ordered column cannot be merged"),
				 errdetail("Their rows have no times, which would say where they belong.")));
}

/* Of the rows of a series that is left out nothing is known. */
static void
check_series(const rnn_series *s)
{
	if (s->note > RNN_NOTE_EMPTY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a history whose series \"%s\" was left out cannot be merged", text_of_name(series_name(s))),
				 errdetail("The series could not be used, and the history has none of its rows, or only one."),
				 errhint("rnn_series(history) says why, and rnn_forget(history, series) removes it.")));
}

/* A row's time, as it came: an instant where the calendar counts in a zone. */
static int64
row_time(const rnn_clock *clock, const rnn_series *s, int64 k)
{
	int64		at = clock_time(clock, s->start, k);

	return clock->kind == RNN_CLOCK_TIMESTAMPTZ && !clock_is_fixed(clock) ? to_instant(clock, at) : at;
}

/* Covariates of point k, by the state's columns and their words. */
static void
given_covariates(const rnn_covariates *all, const rnn_series *s, int64 k, const int *columns, int *const *words,
				 GivenCovariates *given)
{
	given->n = 0;
	for (int c = 0; c < all->n && s->covariates; c++)
	{
		float		x = s->covariates[k * all->n + c];

		if (isnan(x) || (words[c] && x >= all->list[c].n_categories))
			continue;
		given->column[given->n] = columns[c];
		given->value[given->n++] = words[c] ? words[c][(int) x] : x;
	}
}

/* Points of a series, and of what is ahead what is known; gaps are where no row is. */
static void
add_series(RowState *state, const rnn_model *h, const rnn_series *s, const int *columns, int *const *words)
{
	int			number = state->keyed ? state_series(state, series_name(s)) : 0;
	GivenCovariates given;

	check_series(s);
	for (int64 k = 0; k < s->n + (s->n > 0 ? s->ahead : 0); k++)
	{
		double		value = k < s->n ? s->x[k] : NAN;

		if ((k & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		given_covariates(&h->config.covariates, s, k, columns, words, &given);
		if (isnan(value) && given.n == 0 && k < s->n)
			continue;
		if (state->keyed)
			state_add_to(state, number, row_time(&h->clock, s, k), value);
		else
			state_add(state, row_time(&h->clock, s, k), value);
		put_covariates(state, &given);
	}
}

/* A column of nothing but null is of no kind yet. */
static CovariateKind
kind_of(const rnn_model *h, int c)
{
	int			n = h->config.covariates.n;

	if (h->config.covariates.list[c].is_text)
		return COVARIATE_TEXT;
	for (int i = 0; i < h->n_series; i++)
		for (int64 k = 0; h->series[i].covariates && k < h->series[i].n + h->series[i].ahead; k++)
			if (!isnan(h->series[i].covariates[k * n + c]))
				return COVARIATE_NUMBER;
	return COVARIATE_EMPTY;
}

static void
add_history(RowState *state, const rnn_model *h)
{
	const rnn_covariates *all = &h->config.covariates;
	int		   *columns = palloc(sizeof(int) * Max(all->n, 1)),
			  **words = palloc0(sizeof(int *) * Max(all->n, 1));

	for (int c = 0; c < all->n; c++)
	{
		const rnn_covariate *covariate = &all->list[c];

		columns[c] = column_number(state, (SeriesName) {covariate->name.text, covariate->name.len}, kind_of(h, c));
		if (!covariate->is_text)
			continue;
		words[c] = palloc(sizeof(int) * Max(covariate->n_categories, 1));
		for (int i = 0; i < covariate->n_categories; i++)
			words[c][i] = find_word(state, &state->columns[columns[c]],
									(SeriesName) {covariate->categories[i].text, covariate->categories[i].len});
	}
	/* What the history left out would be left out of all rows, too. */
	if (h->rows_latest > 0 && (state->latest == 0 || h->rows_latest < state->latest))
		state->latest = h->rows_latest;
	for (int i = 0; i < h->n_series; i++)
		add_series(state, h, &h->series[i], columns, words);
}

/* (state, history [, options]) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_merge_step);
Datum
rnnforecast_rnn_merge_step(PG_FUNCTION_ARGS)
{
	const rnn_model *h = fetch_model(fcinfo, 1, true);
	Jsonb	   *given = PG_NARGS() > 2 && !PG_ARGISNULL(2) ? PG_GETARG_JSONB_P(2) : NULL;
	RowState   *state = state_for_reading(fcinfo, 0);
	rnn_config	cfg;
	ServerOptions server;
	bool		keyed;

	if (h == NULL)
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	parse_history_options(given, &cfg, &server);
	check_history(h);
	keyed = h->n_series > 0 && h->series[0].name != NULL;
	if (state && state->form != (RowForm) h->clock.kind)
		refuse_histories("times", clock_kind_name(state->form), clock_kind_name(h->clock.kind));
	if (state && state->keyed != keyed)
		refuse_histories("kinds", state->keyed ? "named series" : "one series", keyed ? "named series" : "one series");
	state = state_for_update(fcinfo, h->clock.kind, keyed);
	take_options(state, common_options(h, given));
	add_history(state, h);
	PG_RETURN_DATUM(state_datum(state));
}

/* (state) -> history */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_merge_final);
Datum
rnnforecast_rnn_merge_final(PG_FUNCTION_ARGS)
{
	return history_of_state(fcinfo, true);
}
