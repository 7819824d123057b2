/*
 * levels.c
 *		The levels of a model whose series are sums of others.
 */
#include "pg/model/model.h"

int *
levels_of(const rnn_model *m)
{
	const rnn_sums *sums = &m->hierarchy.sums;
	int		   *level = palloc_extended(sizeof(int) * Max(m->n_series, 1), MCXT_ALLOC_HUGE),
				lowest = 0;

	for (int a = 0; a < sums->count; a++)
		lowest = Max(lowest, sums->level[a] + 1);
	for (int i = 0; i < m->n_series; i++)
		level[i] = lowest;
	for (int a = 0; a < sums->count; a++)
		level[sums->series[a]] = sums->level[a];
	return level;
}

int *
parts_in(const rnn_model *m)
{
	const rnn_sums *sums = &m->hierarchy.sums;
	int		   *parts = palloc_extended(sizeof(int) * Max(m->n_series, 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < m->n_series; i++)
		parts[i] = !m->series[i].sum;
	for (int k = 0; sums->count > 0 && k < sums->first[m->n_series]; k++)
		parts[sums->series[sums->of[k]]]++;
	return parts;
}
