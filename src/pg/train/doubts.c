/*
 * doubts.c
 *		Rows that can be used and are probably not what was meant: a NOTICE each.
 */
#include "pg/train/train.h"

#include <math.h>

#include "miscadmin.h"

#define TOLD_DOUBT 4
#define FEWEST_KNOWN 0.5		/* of the steps */
#define OTHER_SCALE 100			/* times: values of another column, or in another unit */

static int64
count_known(const rnn_series *s)
{
	int64		known = 0;

	for (int64 k = 0; k < s->n; k++)
		known += !isnan(s->x[k]);
	return known;
}

/* Once in a statement, where there is one that is asked many times. */
static bool
may_tell(FunctionCallInfo fcinfo)
{
	return fcinfo == NULL || tell_once(fcinfo, TOLD_DOUBT);
}

void
doubt_nothing(FunctionCallInfo fcinfo)
{
	if (may_tell(fcinfo))
		ereport(NOTICE,
				(errmsg("there are no rows to train on: the model is NULL")));
}

void
doubt_rows(FunctionCallInfo fcinfo, const rnn_series *series, int count, int horizon)
{
	int64		longest = 0,
				known = 0;

	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		longest = Max(longest, series[i].n);
		known = Max(known, count_known(&series[i]));
	}
	if (known == 1 && count == 1 && may_tell(fcinfo))
		ereport(NOTICE,
				(errmsg("there is only one known value to train on"),
				 errdetail("Every forecast repeats that value, and the interval around it is a guess."),
				 errhint("rnn_train is an aggregate: it trains on the rows of a group. Check GROUP BY and WHERE.")));
	else if (known == 1 && count > 1 && may_tell(fcinfo))
		ereport(NOTICE,
				(errmsg("each of %d series has only one known value", count),
				 errhint("Arguments and columns are the series, the time and the value. If the first one is not the name of a series, "
						 "as a row's id is not, leave it out.")));
	else if (known > 1 && horizon > longest / 2 && may_tell(fcinfo))
		ereport(NOTICE,
				(horizon < RNN_MAX_TRAINED ?
				 errmsg("horizon %d is long for %lld steps of history", horizon, (long long) longest) :
				 errmsg("a horizon of %d steps or more is long for %lld steps of history", horizon, (long long) longest),
				 errdetail("No part of the history can be held out to measure such a forecast.")));
}

/* Where a step is too short, or no row stands for 0, most steps are missing. */
void
doubt_gaps(FunctionCallInfo fcinfo, const rnn_clock *clock, const rnn_series *series, int count, const rnn_config *cfg)
{
	int64		steps = 0,
				known = 0;

	if (!clock_has_times(clock) || cfg->gaps != RNN_GAPS_MASK)
		return;
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		steps += series[i].n;
		known += count_known(&series[i]);
	}
	if (known < FEWEST_KNOWN * steps && may_tell(fcinfo))
		ereport(NOTICE,
				(errmsg("only %lld of %lld steps have a value", (long long) known, (long long) steps),
				 errdetail("A step is %s. Those without a value count as unknown, not as 0.", clock_step_text(clock)),
				 errhint("If no row means 0, set the option \"gaps\" to \"zero\". If the step should be longer, set the option \"step\", "
						 "and \"bin\" if times lie between its steps.")));
}

/* The number of a word ahead that no row with a value has, -1 where there is none. */
static int
find_new_word(const rnn_covariates *all, int c, const rnn_series *series, int count)
{
	bool	   *seen = palloc0(sizeof(bool) * (all->list[c].n_categories + 1));

	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int64 t = 0; series[i].covariates && t < series[i].n; t++)
		{
			float		word = series[i].covariates[t * all->n + c];

			if (!isnan(word) && !isnan(series[i].x[t]))
				seen[(int) word] = true;
		}
	}
	for (int i = 0; i < count; i++)
		for (int64 t = series[i].n; series[i].covariates && t < series[i].n + series[i].ahead; t++)
		{
			float		word = series[i].covariates[t * all->n + c];

			if (!isnan(word) && !seen[(int) word])
				return (int) word;
		}
	return -1;
}

/* What a word does that was never there before, or is misspelt, nobody knows. */
void
doubt_words(FunctionCallInfo fcinfo, const rnn_covariates *all, const rnn_series *series, int count)
{
	for (int c = 0; c < all->n; c++)
	{
		const rnn_covariate *covariate = &all->list[c];
		int			word = covariate->is_text && covariate->role == RNN_AHEAD ? find_new_word(all, c, series, count) : -1;

		if (word >= 0 && may_tell(fcinfo))
			ereport(NOTICE,
					(errmsg("covariate \"%s\" has a word in the rows ahead that no row with a value has%s",
							pnstrdup(covariate->name.text, covariate->name.len),
							word == covariate->n_categories ? "" :
							psprintf(": \"%s\"", pnstrdup(covariate->categories[word].text, covariate->categories[word].len))),
					 errdetail("Nobody knows what it does, and the interval does not tell that."),
					 errhint("Check how it is written, or write the known word that is most like it.")));
	}
}

static double
mean_size(const rnn_series *s)
{
	double		sum = 0;
	int64		n = 0;

	for (int64 k = 0; k < s->n; k++)
		if (!isnan(s->x[k]))
		{
			sum += fabs(s->x[k]);
			n++;
		}
	return n > 0 ? sum / n : 0;
}

/* The next series of a model that a history has, too; both are in the order of their names. */
static bool
next_common(const rnn_model *model, const rnn_model *history, int *i, int *j)
{
	while (*i < model->n_series && *j < history->n_series)
	{
		SeriesName	a = series_name(&model->series[*i]),
					b = series_name(&history->series[*j]);
		int			order = a.text && b.text ? compare_names(&a, &b) : (a.text != NULL) - (b.text != NULL);

		if (order == 0)
			return true;
		if (order < 0)
			(*i)++;
		else
			(*j)++;
	}
	return false;
}

/* Sums and counts of readings are on another scale than the readings themselves. */
void
doubt_scale(FunctionCallInfo fcinfo, const rnn_model *model, const rnn_model *history)
{
	int			common = 0,
				other = 0;
	double		was = 0,
				is = 0;

	if (in_bins(history, &model->clock))
		return;
	for (int i = 0, j = 0; next_common(model, history, &i, &j); i++, j++)
	{
		double		a = mean_size(&model->series[i]),
					b = mean_size(&history->series[j]);

		CHECK_FOR_INTERRUPTS();
		if (!(a > 0 && b > 0))
			continue;
		common++;
		if (b < a * OTHER_SCALE && a < b * OTHER_SCALE)
			continue;
		if (other++ == 0)
		{
			was = a;
			is = b;
		}
	}
	if (other > common / 2 && may_tell(fcinfo))
		ereport(NOTICE,
				(errmsg("the values of the history are on another scale than those of the model"),
				 errdetail("Their mean size is %.3g, that of the model's own history %.3g.", is, was),
				 errhint("They may be of another column, or in another unit. A forecast is as large as the history.")));
}
