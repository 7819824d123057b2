/*
 * trained.h
 *		Train and forecast one series in a test.
 */
#ifndef TRAINED_H
#define TRAINED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "rnn.h"

typedef struct Trained
{
	void	   *block;
	rnn_model	model;
	rnn_series	series;
	rnn_status	status;
	rnn_error	err;
} Trained;

/* Runs a whole training in a block of this size. */
static inline Trained
train_in(size_t size, const rnn_model *warm, const rnn_prior *prior, const rnn_config *cfg, const double *x, int64_t n)
{
	Trained		t = {.series = {.n = n,.x = x},.block = malloc(size)};
	rnn_panel	panel = {.count = 1,.series = &t.series,.prior = prior,.covariates = cfg->covariates};
	rnn_trainer *trainer;
	rnn_progress p = {0};

	t.status = rnn_trainer_init(&trainer, t.block, size, cfg, &panel, warm, &t.err);
	while (t.status == RNN_OK && !p.done)
		t.status = rnn_trainer_step(trainer, &p, &t.err);
	if (t.status == RNN_OK)
		t.status = rnn_trainer_model(trainer, &t.model, &t.err);
	t.model.series = NULL;
	t.model.n_series = 0;
	return t;
}

/* The same in `limit` bytes, from the weights of `warm`, on top of the prior, if not NULL. */
static inline Trained
train_on(const rnn_model *warm, const rnn_prior *prior, const rnn_config *cfg, const double *x, int64_t n, size_t limit)
{
	Trained		t = {.series = {.n = n,.x = x}};
	rnn_panel	panel = {.count = 1,.series = &t.series,.prior = prior,.covariates = cfg->covariates};
	size_t		size;

	t.status = rnn_trainer_size(cfg, &panel, limit, &size, &t.err);
	return t.status == RNN_OK ? train_in(size, warm, prior, cfg, x, n) : t;
}

static inline Trained
train_from(const rnn_model *warm, const rnn_config *cfg, const double *x, int64_t n, size_t limit)
{
	return train_on(warm, NULL, cfg, x, n, limit);
}

static inline Trained
train_series(const rnn_config *cfg, const double *x, int64_t n, size_t limit)
{
	return train_from(NULL, cfg, x, n, limit);
}

/* With the mix alone, which has no numbers of its own. */
static inline rnn_model
mix_model(int horizon, int season)
{
	rnn_model	m = {.mix_spread = 1};

	rnn_config_defaults(&m.config);
	m.config.horizon = horizon;
	m.config.context = 32;
	m.config.patch = 1;
	m.config.seasons_given = m.n_seasons = 1;
	m.config.seasons[0] = m.seasons[0] = season;
	for (int i = 0; i < RNN_BANDS * RNN_MEDIAN; i++)
		m.calibration[i / RNN_MEDIAN][i % RNN_MEDIAN] = 1;
	return m;
}

/* Quantiles (horizon, Q) after x (n); malloc'd, NULL on an error. */
static inline double *
forecast_series(const rnn_model *m, const double *x, int64_t n, int horizon)
{
	rnn_series	s = {.n = n,.x = x};
	size_t		size;
	void	   *block;
	double	   *out = malloc(sizeof(double) * horizon * RNN_QUANTILES);
	rnn_error	err;

	if (rnn_forecast_size(m, 1, n, horizon, &size, &err) != RNN_OK)
		return NULL;
	block = malloc(size);
	if (rnn_forecast(m, &s, 1, horizon, block, size, out, &err) != RNN_OK)
	{
		printf("forecast: %s\n", err.what);
		free(out);
		out = NULL;
	}
	free(block);
	return out;
}

/* Encoded and decoded; *block is malloc'd. */
static inline rnn_model
read_back(const rnn_model *m, size_t *len, void **block, rnn_error *err)
{
	rnn_model	back = {0};
	size_t		size;
	rnn_arena	arena;
	uint8_t    *bytes;

	*len = rnn_model_size(m);
	bytes = malloc(*len);
	rnn_model_encode(m, bytes);
	*block = NULL;
	CHECK(rnn_model_decoded_size(bytes, *len, &size, err) == RNN_OK);
	*block = malloc(size + 64);
	rnn_arena_init(&arena, *block, size + 64);
	CHECK(rnn_model_decode(bytes, *len, &arena, &back, err) == RNN_OK);
	free(bytes);
	return back;
}

/*
 * A whole training whose jobs are done by several trainers, as if in processes
 * of their own: whoever draws a job does it, and what becomes of jobs is taken
 * in any order.  trainers[0] has the plan.  hurry_after: steps of all.
 */
static inline void
train_by(rnn_trainer *const *trainers, int n, rnn_rng *rng, int hurry_after)
{
	rnn_trainer *leader = trainers[0];
	rnn_job		job[RNN_MAX_JOBS];
	rnn_part	result[RNN_MAX_JOBS];
	bool		done[RNN_MAX_JOBS] = {0},
				taken[RNN_MAX_JOBS] = {0},
				told[8][RNN_MAX_JOBS] = {{0}};
	int			posted = 0,
				by_leader = 0;
	bool		hurries = hurry_after >= 0;
	rnn_plan_state next;
	rnn_error	err;

	while ((next = rnn_plan_next(leader, &job[posted])) != RNN_PLAN_DONE)
	{
		int			pick = -1,
					who = (int) rnn_rng_below(rng, n);
		rnn_trainer *t = trainers[who];

		if (next == RNN_PLAN_JOB)
		{
			posted++;
			continue;
		}
		for (int i = 0, seen = 0; i < posted; i++)
			if (!taken[i] && rnn_rng_below(rng, ++seen) == 0)
				pick = i;
		if (done[pick])
		{
			CHECK(rnn_plan_take(leader, &job[pick], result[pick], &err) == RNN_OK);
			taken[pick] = true;
			continue;
		}
		/* It learns what the plan knows, and has what the plan's trainer has of the study. */
		for (int i = 0; i < posted && who > 0; i++)
			if (taken[i] && !told[who][i])
			{
				told[who][i] = true;
				CHECK(rnn_plan_take(t, &job[i], rnn_plan_result(leader, &job[i]), &err) == RNN_OK);
			}
		rnn_job_begin(t, &job[pick]);
		if (who > 0 && rnn_study_known(leader, &job[pick]) && !rnn_study_known(t, &job[pick]))
		{
			rnn_part	from[RNN_STUDY_PARTS],
						to[RNN_STUDY_PARTS];

			CHECK(rnn_study_parts(leader, from, &err) == RNN_OK && rnn_study_parts(t, to, &err) == RNN_OK);
			for (int i = 0; i < RNN_STUDY_PARTS; i++)
			{
				CHECK(from[i].len == to[i].len);
				if (from[i].len)
					memcpy(to[i].bytes, from[i].bytes, from[i].len);
			}
			rnn_study_filled(t);
		}
		for (rnn_progress p = {0}; !p.done;)
		{
			if (hurry_after-- == 0)
				for (int i = 0; i < n; i++)
					rnn_trainer_hurry(trainers[i]);
			if (rnn_job_step(t, &p, &err) != RNN_OK)
			{
				CHECK(!"a step failed");
				return;
			}
		}
		result[pick] = rnn_job_result(t);
		result[pick].bytes = memcpy(malloc(result[pick].len), result[pick].bytes, result[pick].len);
		done[pick] = true;
		by_leader += who == 0;
	}
	CHECK(n == 1 || hurries || by_leader < posted);
	for (int i = 0; i < posted; i++)
		if (done[i])
			free(result[i].bytes);
}

#endif							/* TRAINED_H */
