/*
 * parts.c
 *		The parts of the mix of a series, as a forecast sees it.
 */
#include "view/parts.h"
#include "view/frame.h"

/* The copies that transforming and scaling may take, and the scratch. */
static void
lay_out(const rnn_config *cfg, int64_t n, int h, rnn_arena *a)
{
	for (int i = 0; i < 4; i++)
		arena_new(a, double, n);
	arena_new(a, double, rnn_mix_parts_work(rnn_min(n, rnn_mix_reach(cfg->seasons, cfg->seasons_given, h)), h));
}

size_t
rnn_parts_size(const rnn_config *cfg, int64_t n, int h)
{
	rnn_arena	a;

	rnn_arena_init(&a, NULL, 0);
	lay_out(cfg, n, h, &a);
	return a.used;
}

rnn_status
rnn_parts(const rnn_config *cfg, const rnn_series *s, int h, void *block, size_t size, rnn_mix *mix, double *parts, rnn_error *err)
{
	int64_t		n = rnn_min(s->n, rnn_mix_reach(cfg->seasons, cfg->seasons_given, h));
	rnn_mix_rule rule = rnn_mix_rule_of(cfg, h);
	rnn_points	points;
	rnn_series	ready;
	rnn_arena	a;
	double	   *work = NULL;

	rnn_arena_init(&a, block, size);
	ready = rnn_series_prepare(cfg, s, NULL, &a);
	if (!a.failed)
		rnn_points_init(&points, &ready, &a);
	if (!a.failed)
		work = arena_new(&a, double, rnn_mix_parts_work(n, h));
	if (work == NULL)
		return rnn_fail(err, RNN_ERR_MEMORY, "explaining", (double) size, 0, 0);
	rnn_mix_parts(&rule, points.x + s->n - n, n, mix, parts, work);
	for (int64_t i = 0; i < (int64_t) RNN_PARTS * h; i++)
		parts[i] *= points.unit;
	for (int r = 0; r < RNN_REFS; r++)
		mix->error[r] *= points.unit;
	return RNN_OK;
}
