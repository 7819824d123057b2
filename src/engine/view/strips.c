/*
 * strips.c
 *		Frames of the ends of a batch, each computed once.
 *
 * A strip grows by the window of each end that touches it; then frames get
 * their places and are computed, in the order of their ends.  There are two sets
 * of strips: what the last batch has had is copied.
 */
#include "view/window.h"

#include <string.h>

void
rnn_strips_init(rnn_strips *s, const rnn_frame_plan *plan, int K, int B, int64_t longest, rnn_arena *a)
{
	s->plan = plan;
	s->K = K;
	s->B = B;
	for (int i = 0; i < 2; i++)
	{
		s->strip[i] = arena_new(a, rnn_strip, B);
		s->frames[i] = arena_new(a, real, (int64_t) B * K * plan->width);
		s->scales[i] = arena_new(a, rnn_scale, (int64_t) B * K);
	}
	s->own.work = arena_new(a, double, rnn_frame_work(plan, longest));
	s->scratch = &s->own;
	rnn_strips_forget(s);
}

void
rnn_strips_forget(rnn_strips *s)
{
	s->now = 0;
	s->count[0] = s->count[1] = 0;
	s->scratch->begun = NULL;
}

/* Frames first and last of a strip of this series and phase that touches [first, last], or -1. */
static int
find_strip(const rnn_strip *strip, int count, const rnn_points *points, int64_t first, int64_t last, int64_t stride)
{
	for (int i = count - 1; i >= 0; i--)
	{
		const rnn_strip *s = &strip[i];

		if (s->points == points && (first - s->e0) % stride == 0 &&
			first <= s->e0 + s->count * stride && last >= s->e0 - stride)
			return i;
	}
	return -1;
}

/* Strips of the windows, without places; last of each window is that in the strip as long as it grows. */
static int
plan_strips(const rnn_strips *s, const rnn_end *ends, int count, rnn_strip *strip, int *of)
{
	int64_t		P = s->plan->shape->patch;
	int			n = 0;

	for (int k = 0; k < count; k++)
	{
		int64_t		e = ends[k].e,
					first = e - rnn_min(s->K - 1, (e - 1) / P) * P;
		int			i = find_strip(strip, n, ends[k].points, first, e, P);

		if (i < 0)
		{
			i = n++;
			strip[i] = (rnn_strip) {.points = ends[k].points,.e0 = first,.stride = P};
		}
		if (first < strip[i].e0)
		{
			strip[i].count += (int) ((strip[i].e0 - first) / P);
			strip[i].e0 = first;
		}
		strip[i].count = (int) rnn_max(strip[i].count, (e - strip[i].e0) / P + 1);
		of[k] = i;
	}
	return n;
}

/* The frame at e from the strips of the last batch; false where it has none. */
static bool
copy_frame(const rnn_strips *s, const rnn_points *points, int64_t e, real *frame, rnn_scale *scale)
{
	const rnn_strip *before = s->strip[1 - s->now];

	for (int i = 0; i < s->count[1 - s->now]; i++)
	{
		int64_t		away = e - before[i].e0;

		if (before[i].points != points || away < 0 || away % before[i].stride != 0 || away / before[i].stride >= before[i].count)
			continue;
		memcpy(frame, before[i].frames + away / before[i].stride * s->plan->width, sizeof(real) * s->plan->width);
		*scale = before[i].scales[away / before[i].stride];
		return true;
	}
	return false;
}

static void
begin_series(rnn_strips *s, const rnn_points *points)
{
	if (s->scratch->begun != points)
		rnn_frame_begin(s->plan, points->n, s->scratch->work);
	s->scratch->begun = points;
}

static void
fill_frame(rnn_strips *s, const rnn_strip *strip, int at)
{
	int64_t		e = strip->e0 + at * strip->stride;
	real	   *frame = strip->frames + at * s->plan->width;

	if (copy_frame(s, strip->points, e, frame, &strip->scales[at]))
		return;
	begin_series(s, strip->points);
	rnn_frame_compute(s->plan, strip->points, e, frame, &strip->scales[at], s->scratch->work);
}

/*
 * Whether strips of one series are filled side by side.  A frame's references
 * are scored where those of ends a horizon before were: of its own strip, or,
 * where the horizon is less than a patch, of its neighbours.  Else a long
 * horizon would have the bank forget them before they are wanted.
 */
static bool
side_by_side(const rnn_frame_plan *plan)
{
	return plan->shape->horizon < plan->shape->patch;
}

/* All frames of `count` strips of one series, in the order of their ends. */
static void
fill_series(rnn_strips *s, const rnn_strip *strip, int count, int *filled)
{
	memset(filled, 0, sizeof(int) * count);
	while (!rnn_stopped(s->plan->shape->stop))
	{
		int			next = -1;

		for (int i = 0; i < count; i++)
			if (filled[i] < strip[i].count &&
				(next < 0 || strip[i].e0 + filled[i] * strip[i].stride < strip[next].e0 + filled[next] * strip[next].stride))
				next = i;
		if (next < 0)
			return;
		fill_frame(s, &strip[next], filled[next]++);
	}
}

void
rnn_strips_gather(rnn_strips *s, const rnn_end *ends, int count, rnn_window *windows)
{
	int			now = s->now = 1 - s->now,
				of[RNN_MOST_ENDS],
				filled[RNN_MOST_ENDS];
	rnn_strip  *strip = s->strip[now];
	int64_t		place = 0;

	s->count[now] = plan_strips(s, ends, count, strip, of);
	for (int i = 0; i < s->count[now]; place += strip[i++].count)
	{
		strip[i].frames = s->frames[now] + place * s->plan->width;
		strip[i].scales = s->scales[now] + place;
	}
	for (int i = 0, n; i < s->count[now]; i += n)
	{
		for (n = 1; side_by_side(s->plan) && i + n < s->count[now] && strip[i + n].points == strip[i].points; n++)
			;
		fill_series(s, strip + i, n, filled);
	}
	for (int k = 0; k < count; k++)
		windows[k] = (rnn_window) {
			.strip = &strip[of[k]],.last = (int) ((ends[k].e - strip[of[k]].e0) / strip[of[k]].stride)
		};
}

const double *
rnn_strips_trailing(rnn_strips *s, const rnn_end *end, rnn_mix *mix, int64_t *first)
{
	begin_series(s, end->points);
	return rnn_frame_trailing(s->plan, end->points, end->e, mix, first, s->scratch->work);
}

void
rnn_strips_mix(rnn_strips *s, const rnn_window *w, double factor, real *q)
{
	const rnn_strip *strip = w->strip;
	real	   *frame = strip->frames + w->last * s->plan->width;

	begin_series(s, strip->points);
	rnn_frame_add_mix(s->plan, strip->points, strip->e0 + w->last * strip->stride, frame, strip->scales[w->last], s->scratch->work);
	rnn_frame_mix(s->plan, frame, factor, q);
}
