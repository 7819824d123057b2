/*
 * past.c
 *		How the errors of a model's forecasts in its own history went together.
 */
#include "pg/paths/paths.h"
#include "pg/past/past.h"

static void
score_window(void *taker, int place, int window, const rnn_series *s, int64 e, const double *q)
{
	rnn_past_score(taker, s, e, place, window, q);
}

void
measure_past(const rnn_model *m, int horizon, PastErrors *errors)
{
	rnn_past_plan plan = rnn_past_plan_for(m, m->series, m->n_series, horizon);

	rnn_past_begin(&errors->past, &plan, paths_memory(rnn_past_size(&plan)));
	errors->place = palloc_extended(sizeof(int) * Max(m->n_series, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < m->n_series; i++)
		errors->place[i] = -1;
	for (int k = 0; k < plan.series; k++)
		errors->place[rnn_past_series(&plan, m->n_series, k)] = k;
	windows_each(m, &plan, score_window, &errors->past);
	rnn_past_finish(&errors->past);
}
