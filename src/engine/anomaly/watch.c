/*
 * watch.c
 *		One pass over a series that judges each value by those before it.
 *
 * At spaced ends the mix of references (bank/mix.c) forecasts a third of a
 * season ahead.  So far ahead, since a forecast of the next value alone
 * follows a new level at once: a shift would be one odd row and no more.  Where
 * there is a model its forecasts take the place of the mix's, at ends that are
 * whole patches apart.
 *
 * What is judged is not the error of one value but the mean error of the last
 * 1, 2, 4, 8 and 16 known ones, each by the long-run distribution of its size
 * (tail.c; the idea is that of Ahmad, Lavin, Purdy and Agha 2017, whose
 * distribution is normal and whose mean is of one length).  Each length has a
 * share of the alarms that are allowed: its rate is divided by the share, and
 * the smallest one counts, so that all together raise no more alarms than one
 * rule would (Bonferroni; with shares: Genovese, Roeder and Wasserman 2006).
 *
 * What forecasts see is the series with its errors bounded, by three times the
 * size that one in fifty is above: a spike leaves little, and a new level is
 * taken over step by step.  What is missing is taken for what was expected.
 * The distributions learn from the errors as they are, so that what has been
 * odd for long is odd no more.
 */
#include "anomaly/anomaly.h"
#include "anomaly/tail.h"
#include "view/frame.h"

#include <math.h>
#include <string.h>

#define BOUND 3					/* of an error in what forecasts see, in units of the one below */
#define WARM 3					/* seasons before the mix is judged with one: at fewer than two it has none */
#define COMMON 0.02				/* share of errors that are larger than the unit of BOUND */
#define ROUNDING 1e-9			/* of a value, that is no error */
#define LARGEST 1e6				/* score */
#define LONGEST_STRIDE 96
#define NO_SEASON 16			/* rows ahead and of an event, where there is none */

enum { RULES = 5, WIDEST = 16 };

static const struct
{
	int			values;			/* last ones whose errors are averaged */
	double		share;			/* of the alarms: sudden things last for some rows, and noise is single */
}			rules[RULES] = {{1, 0.05}, {2, 0.15}, {4, 0.3}, {8, 0.3}, {WIDEST, 0.2}};

typedef struct Watch
{
	rnn_points	points;
	Tail		tails[RULES];
	double	   *clean;			/* (n) what forecasts see */
	double	   *ref;			/* (R, stride) */
	double	   *ahead;			/* (stride) forecasts */
	double	   *work;
	rnn_follower *follower;		/* of a model, NULL: there is none */
	void	   *block;			/* that it lives in, */
	size_t		size;			/* and its bytes */
	double		recent[WIDEST]; /* latest errors; the k-th known value's at k % WIDEST */
	int64_t		known;			/* values with an error */
	double		usual;			/* mean absolute error */
	int64_t		first,			/* known value of the series */
				next;			/* row behind those that are forecast */
} Watch;

/* Rows that are forecast from one end. */
static int
stride_of(const rnn_watch_plan *plan)
{
	int			stride = plan->seasons[0] > 1 ? (int) rnn_min(rnn_max(plan->seasons[0] / 3, 1), LONGEST_STRIDE) : NO_SEASON,
				patch = plan->model ? plan->model->config.patch : 1;

	return (int) rnn_max(stride / patch, 1) * patch;
}

int64_t
rnn_watch_gap(const rnn_watch_plan *plan)
{
	return plan->seasons[0] > 1 ? rnn_max(plan->seasons[0] / 4, 1) : NO_SEASON;
}

/* Of n points those that the mix looks at. */
static int64_t
reach_of(const rnn_watch_plan *plan, int64_t n)
{
	return rnn_min(n, rnn_mix_reach(plan->seasons, plan->n_seasons, stride_of(plan)));
}

/* NULL where the arena only measures, or is too small. */
static Watch *
lay_out(const rnn_watch_plan *plan, int64_t n, size_t follower, rnn_arena *a)
{
	int			stride = stride_of(plan);
	Watch	   *w = arena_new(a, Watch, 1),
				built = {.size = follower};

	built.clean = arena_new(a, double, n);
	built.ref = arena_new(a, double, (size_t) RNN_REFS * stride);
	built.ahead = arena_new(a, double, stride);
	built.work = arena_new(a, double, rnn_mix_work_shared(reach_of(plan, n), stride));
	for (int i = 0; i < RULES; i++)
		tail_init(&built.tails[i], rnn_watch_gap(plan), a);
	built.block = arena_new(a, char, follower);
	if (a->base == NULL || a->failed)
		return NULL;
	*w = built;
	return w;
}

static rnn_status
follower_size(const rnn_watch_plan *plan, int64_t n, size_t *size, rnn_error *err)
{
	*size = 0;
	return plan->model ? rnn_follow_size(plan->model, n, stride_of(plan), size, err) : RNN_OK;
}

rnn_status
rnn_watch_size(const rnn_watch_plan *plan, int64_t n, size_t *size, rnn_error *err)
{
	rnn_arena	a;
	size_t		follower;

	RNN_TRY(follower_size(plan, n, &follower, err));
	rnn_arena_init(&a, NULL, 0);
	lay_out(plan, n, follower, &a);
	/* what rnn_points_init may take */
	arena_new(&a, double, n);
	arena_new(&a, double, n);
	*size = a.used;
	if (a.failed)
		return rnn_fail(err, RNN_ERR_MEMORY, "watching", (double) n, 0, 0);
	return RNN_OK;
}

static void
ask_mix(const rnn_watch_plan *plan, Watch *w, int64_t e)
{
	int			stride = stride_of(plan);
	int64_t		seen = reach_of(plan, e - w->first);
	rnn_mix_rule rule = rnn_mix_rule_plain(stride, plan->seasons, plan->n_seasons, plan->kappa);
	rnn_mix		mix;

	rnn_mix_next(&rule, w->clean + e - seen, e - seen, seen, &mix, w->ref, w->work);
	rnn_mix_combine(&mix, w->ref, stride, w->ahead);
}

static rnn_status
ask_model(const rnn_watch_plan *plan, Watch *w, int64_t e, rnn_error *err)
{
	RNN_TRY(rnn_follow_next(w->follower, e - w->first, w->ahead, err));
	for (int j = 0; j < stride_of(plan); j++)
		w->ahead[j] /= w->points.unit;
	return RNN_OK;
}

/* Forecasts of the rows from e on; the more rows the more is known. */
static rnn_status
look_ahead(const rnn_watch_plan *plan, Watch *w, int64_t e, rnn_error *err)
{
	int			stride = stride_of(plan);
	int64_t		n = e - w->first;

	if (w->follower)
		RNN_TRY(ask_model(plan, w, e, err));
	else
		ask_mix(plan, w, e);
	w->next = e + (n < stride ? rnn_max(1, n / 4) : stride);
	return RNN_OK;
}

/* Of the latest errors, of up to so many. */
static double
mean_error(const Watch *w, int values)
{
	int64_t		n = rnn_min(values, w->known);
	double		sum = 0;

	for (int64_t k = w->known - n; k < w->known; k++)
		sum += w->recent[k % WIDEST] / (double) n;
	return sum;
}

/* Bounded, where there hasn't been an error so far. */
static double
in_units(double error, double size)
{
	return error == 0 ? 0 : fmin(fmax(error / size, -LARGEST), LARGEST);
}

/* Whether the latest error is one of those that make the mean what it is: a row that fits is not odd for what lies before it. */
static bool
takes_part(const Watch *w, double mean)
{
	double		latest = w->recent[(w->known - 1) % WIDEST];

	return latest * mean > 0 && fabs(latest) >= w->usual;
}

/* The rarest of the rules. */
static void
judge(Watch *w, int64_t row, rnn_watched *out)
{
	for (int i = 0; i < RULES; i++)
	{
		double		error = mean_error(w, rules[i].values),
					rate = fmin(tail_rate(&w->tails[i], fabs(error)) / rules[i].share, 1);

		if (i == 0 || (rate < out->rate && takes_part(w, error)))
		{
			out->rate = rate;
			out->score = in_units(error, w->usual);
		}
		tail_add(&w->tails[i], fabs(error), row);
	}
}

/* Sums of equal numbers differ from them in their last bits. */
static double
error_of(double x, double expected)
{
	return fabs(x - expected) <= ROUNDING * fmax(fabs(x), fabs(expected)) ? 0 : x - expected;
}

/* x and expected in the units of the points. */
static double
bounded(const Watch *w, double x, double expected)
{
	double		bound = BOUND * tail_value(&w->tails[0], COMMON);

	if (isnan(x))
		return expected;
	return isnan(bound) ? x : fmin(fmax(x, expected - bound), expected + bound);
}

/*
 * Before the season is known errors are as large as the season; what comes
 * then would look small beside them.
 */
static void
forget_beginning(const rnn_watch_plan *plan, Watch *w, int64_t row)
{
	if (plan->seasons[0] > 1 && row == w->first + WARM * (int64_t) plan->seasons[0])
		for (int i = 0; i < RULES; i++)
			tail_clear(&w->tails[i]);
}

/* What forecasts see of a row. */
static void
take_clean(Watch *w, int64_t row, double x)
{
	w->clean[row] = x;
	if (w->follower)
		rnn_follow_take(w->follower, row - w->first, x * w->points.unit);
}

static void
take_row(const rnn_watch_plan *plan, Watch *w, int64_t row, double expected, rnn_watched *out)
{
	double		x = w->points.raw[row];

	forget_beginning(plan, w, row);
	out->expected = rnn_finite(expected * w->points.unit);
	out->reach = rnn_finite(tail_value(&w->tails[0], 1 - plan->level) * w->points.unit);
	out->score = NAN;
	out->rate = 1;
	take_clean(w, row, bounded(w, x, expected));
	if (isnan(x))
		return;
	w->recent[w->known++ % WIDEST] = error_of(x, expected);
	judge(w, row, out);
	w->usual += (fabs(error_of(x, expected)) - w->usual) / (double) rnn_min(w->known, TAIL_MEMORY);
}

/* Up to the first known value, and of that itself, nothing can be said.  Returns the row behind it. */
static int64_t
begin(const rnn_watch_plan *plan, Watch *w, const rnn_series *s, rnn_watched *out, rnn_arena *a)
{
	rnn_points_init(&w->points, s, a);
	if (a->failed)
		return 0;
	rnn_mix_begin(w->work, reach_of(plan, s->n), stride_of(plan));
	for (w->first = 0; w->first < s->n; w->first++)
	{
		out[w->first] = (rnn_watched) {NAN, NAN, NAN, 1};
		w->clean[w->first] = w->points.raw[w->first];
		if (!isnan(w->clean[w->first]))
			break;
	}
	return w->next = rnn_min(w->first + 1, s->n);
}

/* A model takes no series that begins with a missing value. */
static rnn_status
follow(const rnn_watch_plan *plan, Watch *w, rnn_series s, rnn_error *err)
{
	s.x += w->first;
	s.n -= w->first;
	s.dropped += w->first;
	if (s.covariates)
		s.covariates += w->first * plan->model->config.covariates.n;
	if (s.calendar)
		s.calendar += w->first * RNN_TERMS;
	s.calendar_rows -= rnn_min(s.calendar_rows, w->first);
	if (s.days)
		s.days += w->first * RNN_DAYS;
	s.days_rows -= rnn_min(s.days_rows, w->first);
	return rnn_follow_begin(plan->model, &s, stride_of(plan), w->block, w->size, &w->follower, err);
}

/* A block that has nothing yet. */
static rnn_status
start(const rnn_watch_plan *plan, const rnn_series *s, void *block, size_t size, rnn_watched *out, int64_t *e, rnn_error *err)
{
	rnn_arena	a;
	size_t		follower;
	Watch	   *w;

	RNN_TRY(follower_size(plan, s->n, &follower, err));
	rnn_arena_init(&a, block, size);
	w = lay_out(plan, s->n, follower, &a);
	if (w)
		*e = begin(plan, w, s, out, &a);
	if (a.failed)
		return rnn_fail(err, RNN_ERR_MEMORY, "watching", (double) size, 0, 0);
	return plan->model && w->first < s->n ? follow(plan, w, *s, err) : RNN_OK;
}

rnn_status
rnn_watch_step(const rnn_watch_plan *plan, const rnn_series *s, void *block, size_t size,
			   int64_t *done, rnn_watched *out, rnn_error *err)
{
	rnn_arena	a;
	Watch	   *w;
	int64_t		e = *done;

	if (e == 0)
		RNN_TRY(start(plan, s, block, size, out, &e, err));
	rnn_arena_init(&a, block, size);
	w = arena_new(&a, Watch, 1);
	if (e < s->n)
		RNN_TRY(look_ahead(plan, w, e, err));
	for (int64_t row = e; row < s->n && row < w->next; row++)
		take_row(plan, w, row, w->ahead[row - e], &out[row]);
	*done = rnn_min(w->next, s->n);
	return RNN_OK;
}
