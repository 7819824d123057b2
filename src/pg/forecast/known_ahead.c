/*
 * known_ahead.c
 *		What a forecast needs to know ahead, and what is done where it is missing.
 */
#include "pg/forecast/forecast.h"

#include <math.h>

/* A covariate that is known ahead, and the first step at which it isn't. */
typedef struct Gap
{
	int			covariate;		/* -1: there is none */
	int			step;
} Gap;

/* Steps beyond the trained ones are the mix's, which looks at no covariates. */
static int
steps_needed(const rnn_model *m, int horizon)
{
	return Min(horizon, m->config.horizon);
}

static bool
is_known(const rnn_model *m, const rnn_series *s, int64 row, int c)
{
	return s->covariates && row < s->n + s->ahead && !isnan(s->covariates[row * m->config.covariates.n + c]);
}

static Gap
find_gap(const rnn_model *m, const rnn_series *s, int horizon)
{
	int			steps = steps_needed(m, horizon);

	for (int c = 0; c < m->config.covariates.n; c++)
		for (int j = 0; j < steps && m->config.covariates.list[c].role == RNN_AHEAD; j++)
			if (!is_known(m, s, s->n + j, c))
				return (Gap) {c, j + 1};
	return (Gap) {-1, 0};
}

static void
refuse_gap(const rnn_model *m, const rnn_series *s, Gap gap)
{
	const rnn_covariate *c = &m->config.covariates.list[gap.covariate];
	int64		at = clock_time(&m->clock, s->start, s->n - 1 + gap.step);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("covariate \"%s\"%s is not known at %s, step %d of the forecast",
					pnstrdup(c->name.text, c->name.len),
					of_series(series_name(s)),
					clock_text(&m->clock, m->clock.kind == RNN_CLOCK_TIMESTAMPTZ ? clock_instant(&m->clock, at) : at),
					gap.step),
			 errdetail("It was known ahead when the model was trained."),
			 errhint("Add rows of the steps to forecast, with the covariates and a value of NULL, or set the option \"covariate_gaps\".")));
}

/* Where all is known nothing is done about on_error. */
AheadState
check_ahead(const rnn_model *m, const rnn_series *s, int horizon, const ForecastOptions *options)
{
	Gap			gap;

	if (options->covariate_gaps != RNN_AHEAD_ERROR)
		return AHEAD_FINE;
	gap = find_gap(m, s, horizon);
	if (gap.covariate < 0)
		return AHEAD_FINE;
	if (options->on_error == ON_ERROR_FAIL)
		refuse_gap(m, s, gap);
	return options->on_error == ON_ERROR_SKIP ? AHEAD_SKIP : AHEAD_NAIVE;
}

/* The series' covariates with the gaps of the horizon filled, in a copy where there are any. */
void
fill_ahead(const rnn_model *m, rnn_series *s, int horizon, rnn_covariate_gaps gaps)
{
	int			K = m->config.covariates.n,
				steps = steps_needed(m, horizon);
	float	   *values;
	int64		rows;

	if (gaps == RNN_AHEAD_ERROR || gaps == RNN_AHEAD_MISSING || find_gap(m, s, horizon).covariate < 0)
		return;
	rows = s->n + Max(s->ahead, steps);
	values = palloc_extended(sizeof(float) * rows * K, MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < rows * K; i++)
		values[i] = s->covariates && i < (s->n + s->ahead) * K ? s->covariates[i] : NAN;
	for (int c = 0; c < K; c++)
	{
		const rnn_covariate *covariate = &m->config.covariates.list[c];
		float		before = NAN;

		if (covariate->role != RNN_AHEAD)
			continue;
		for (int64 i = s->n - 1; i >= 0 && isnan(before) && gaps == RNN_AHEAD_PREVIOUS; i--)
			before = values[i * K + c];
		if (gaps == RNN_AHEAD_ZERO && !covariate->is_text)
			before = 0;
		for (int64 i = s->n; i < s->n + steps; i++)
		{
			if (isnan(values[i * K + c]))
				values[i * K + c] = before;
			else if (gaps == RNN_AHEAD_PREVIOUS)
				before = values[i * K + c];
		}
	}
	s->covariates = values;
	s->ahead = rows - s->n;
}
