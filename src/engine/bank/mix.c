/*
 * mix.c
 *		The mix of references by trailing error.
 *
 * Each reference is scored at up to sixteen earlier origins, of which later ones
 * count more; the mix weighs them by error^-kappa.  It beats AutoETS, Theta and ARIMA with nothing trained
 * (docs/developers/accuracy.md) and is the network's skip connection.  A short series has few origins, its
 * panel has many: series of a panel tell each other which references are good.
 *
 * Positions of one series that are asked for in turn score the same origins
 * again and again, so the references at some of them are kept in the scratch.
 */
#include "bank/references.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define SHARED_SLOTS 240		/* ends whose references are kept, at most */
#define SHARED_DOUBLES 131072	/* that they take, */
#define LONG_SHARED 3			/* times as many where a series has many origins */
#define LONG_HORIZONS 10		/* in points: fewer are a short series */
#define LEAST_ORIGINS 6			/* of any horizon, */
#define MOST_POINTS 4096		/* and more within so many points */
#define FADE 0.85				/* weight of an origin by that of the later one beside it */

/* The references at one end of a series. */
typedef struct Known
{
	int64_t		end,			/* in the series */
				prefix;			/* points before it that were seen */
	int			steps,			/* that the references have */
				refs;			/* how many of the list */
	int			scored;			/* that the errors are of, 0: none yet */
	bool		logs;			/* those of logarithms are among them */
	double		top;			/* their bound */
	int64_t		used;			/* the last call that wanted it */
	bool		present[RNN_REFS];
	double		error[RNN_REFS];
} Known;

typedef struct Origin
{
	int64_t		end;
	int			steps;
	bool		positive;
	double		top;
} Origin;

/* Begins the scratch; what it holds is said by begin. */
typedef struct Memory
{
	int			slots,
				filled;
	Origin		origin[RNN_TRAILING + 1];	/* of the last call, */
	int			slot[RNN_TRAILING + 1];	/* and where their references are */
	int64_t		calls;
	int64_t		first,			/* number in the series of the point at logs[0] */
				from,			/* logs[from .. to) are known */
				to;
	Known	   *known;			/* (slots) */
	double	   *ref;			/* (slots, R, h) */
	double	   *logs;			/* (n) */
	double	   *d;				/* (n) */
	double	   *p;				/* (4 n) profiles: a season is never longer than n/2 */
	double	   *level;			/* (RHOS, ANALOGUE_POINTS) */
	double	   *ahead;			/* (RHOS, h) */
	double	   *distances;		/* of analogues */
} Memory;

#define DOUBLES(type, n) (((n) * sizeof(type) + sizeof(double) - 1) / sizeof(double))

static size_t
work_with(int slots, int64_t n, int h)
{
	return DOUBLES(Memory, 1) + DOUBLES(Known, slots) + (size_t) slots * RNN_REFS * h + (size_t) (6 * n) +
		RHOS * (ANALOGUE_POINTS + h) + analogues_work(n);
}

bool
rnn_mix_is_short(int64_t n, int h)
{
	return n < LONG_HORIZONS * (int64_t) h;
}

/* As many as the origins of neighbouring positions take, within bounds. */
static int
shared_slots(int64_t n, int h)
{
	int64_t		doubles = rnn_mix_is_short(n, h) ? SHARED_DOUBLES : LONG_SHARED * SHARED_DOUBLES,
				room = doubles / ((int64_t) RNN_REFS * h + (int64_t) DOUBLES(Known, 1));

	return (int) rnn_max(rnn_mix_origins(h) + 1, rnn_min(SHARED_SLOTS, room));
}

size_t
rnn_mix_work(int64_t n, int h)
{
	return work_with(rnn_mix_origins(h) + 1, n, h);
}

size_t
rnn_mix_work_shared(int64_t n, int h)
{
	return work_with(shared_slots(n, h), n, h);
}

static void
begin(double *work, int slots, int64_t n, int h)
{
	Memory	   *m = (Memory *) work;

	memset(m, 0, sizeof(*m));
	m->slots = slots;
	m->known = (Known *) (work + DOUBLES(Memory, 1));
	m->ref = work + DOUBLES(Memory, 1) + DOUBLES(Known, slots);
	m->logs = m->ref + (size_t) slots * RNN_REFS * h;
	m->d = m->logs + n;
	m->p = m->d + n;
	m->level = m->p + 4 * n;
	m->ahead = m->level + RHOS * ANALOGUE_POINTS;
	m->distances = m->ahead + RHOS * h;
}

void
rnn_mix_begin(double *work, int64_t n, int h)
{
	begin(work, shared_slots(n, h), n, h);
}

int
rnn_mix_origins(int h)
{
	return (int) rnn_max(LEAST_ORIGINS, rnn_min(RNN_TRAILING, MOST_POINTS / h));
}

/*
 * Points from one trailing origin to the next: half of the horizon in short
 * series, else nearly all of it, such that ends that are a patch apart share
 * origins, and their references need not be formed anew.
 */
static int64_t
gap_of(const rnn_mix_rule *rule, int64_t n)
{
	int64_t		gap = rule->h;

	if (rnn_mix_is_short(n, rule->h))
		return rnn_max(1, gap / 2);
	if (gap >= rule->patch)
		return gap / rule->patch * rule->patch;
	while (rule->patch % gap != 0)
		gap--;
	return gap;
}

/* The trailing origins, the latest first; [0] is now. */
static int
plan_origins(const rnn_mix_rule *rule, int64_t n, Origin *o)
{
	int			h = rule->h;
	int64_t		least = rnn_max(2 * (int64_t) rule->seasons[0], 6),
				gap = gap_of(rule, n);
	int			seen = 0;

	o[0].end = n;
	o[0].steps = h;
	for (int v = 0; v < rnn_mix_origins(h); v++)
	{
		int64_t		last = n - v * gap,
					room = n > least ? (n - least) / 2 : 0,
					end = last - rnn_min(h, rnn_max(1, room));

		if (end < least)
			break;
		seen++;
		o[seen].end = end;
		o[seen].steps = (int) rnn_min(h, last - end);
	}
	return seen;
}

/* Minimum and maximum of x[0..n) and what they were before; side by side, for vectors. */
static WIDE void
extremes(const double *x, int64_t n, double *low, double *high)
{
	double		lows[SIDE],
				highs[SIDE];

	for (int k = 0; k < SIDE; k++)
	{
		lows[k] = *low;
		highs[k] = *high;
	}
	for (int64_t i = 0; i + SIDE <= n; i += SIDE)
		for (int k = 0; k < SIDE; k++)
		{
			lows[k] = x[i + k] < lows[k] ? x[i + k] : lows[k];
			highs[k] = x[i + k] > highs[k] ? x[i + k] : highs[k];
		}
	for (int64_t i = n / SIDE * SIDE; i < n; i++)
	{
		lows[0] = x[i] < lows[0] ? x[i] : lows[0];
		highs[0] = x[i] > highs[0] ? x[i] : highs[0];
	}
	for (int k = 0; k < SIDE; k++)
	{
		*low = lows[k] < *low ? lows[k] : *low;
		*high = highs[k] > *high ? highs[k] : *high;
	}
}

/* Sign and maximum of every origin's prefix, in one pass from the oldest. */
static void
scan_prefixes(const double *x, Origin *o, int seen)
{
	double		low = INFINITY,
				high = -INFINITY;
	int64_t		i = 0;

	for (int v = seen; v >= 0; v--)
	{
		extremes(x + i, o[v].end - i, &low, &high);
		i = o[v].end;
		o[v].positive = low > 0;
		o[v].top = low > 0 ? log(high) + 3 : 0;
	}
}

WIDE double
rnn_mix_error(const double *f, const double *y, int steps)
{
	double		sum[SIDE] = {0};
	int			j = 0;

	for (; j + SIDE <= steps; j += SIDE)
		for (int k = 0; k < SIDE; k++)
			sum[k] += fabs(f[j + k] - y[j + k]);
	for (int k = 0; j + k < steps; k++)
		sum[k] += fabs(f[j + k] - y[j + k]);
	return all_sides(sum) / steps;
}

static double
median_of(const double *x, int n)
{
	double		s[RNN_REFS] = {0};

	for (int i = 0; i < n; i++)
	{
		int			k = i;

		for (; k > 0 && s[k - 1] > x[i]; k--)
			s[k] = s[k - 1];
		s[k] = x[i];
	}
	return n % 2 ? s[n / 2] : (s[n / 2 - 1] + s[n / 2]) / 2;
}

/* The median of those values that are of present references, and are known. */
static double
median_present(const rnn_mix *mix, const double *values)
{
	double		seen[RNN_REFS];
	int			n = 0;

	for (int r = 0; r < RNN_REFS; r++)
		if (mix->present[r] && !isnan(values[r]))
			seen[n++] = values[r];
	return n > 0 ? median_of(seen, n) : NAN;
}

double
rnn_mix_typical(const rnn_mix *mix)
{
	return median_present(mix, mix->error);
}

double
rnn_mix_fade(int v)
{
	return pow(FADE, v - 1);
}

/* Geometric means of errors and of what the panel would have them be, which counts as so many origins. */
static void
pool(const rnn_mix_rule *rule, double origins, double typical, rnn_mix *mix)
{
	double		usual = median_present(mix, rule->pooled);

	for (int r = 0; r < RNN_REFS; r++)
		if (mix->present[r] && !isnan(rule->pooled[r]))
			mix->error[r] = exp((origins * log(mix->error[r]) + rule->pooling * (log(typical) + rule->pooled[r] - usual)) /
								(origins + rule->pooling));
}

void
rnn_mix_set_weights(rnn_mix *mix, double kappa)
{
	double		best = DBL_MAX,
				total = 0;

	for (int r = 0; r < RNN_REFS; r++)
		if (mix->present[r])
			best = fmin(best, mix->error[r]);
	for (int r = 0; r < RNN_REFS; r++)
	{
		mix->weight[r] = mix->present[r] ? pow(mix->error[r] / best, -kappa) : 0;
		total += mix->weight[r];
	}
	for (int r = 0; r < RNN_REFS; r++)
		mix->weight[r] /= total;
}

void
rnn_mix_weigh(const rnn_mix_rule *rule, double origins, int64_t n, rnn_mix *mix)
{
	double		typical = rnn_mix_typical(mix);

	for (int r = 0; r < RNN_REFS; r++)
		if (mix->present[r])
			mix->error[r] = (mix->error[r] * origins + typical) / (origins + 1) + 1e-9 * typical + 1e-300;
	if (rule->pooling > 0 && typical > 0 && rnn_mix_is_short(n, rule->h))
		pool(rule, origins, typical, mix);
	rnn_mix_set_weights(mix, rule->kappa);
}

/* Nothing could be scored: the naive forecast, its error the mean step. */
static void
naive_only(const double *x, int64_t n, rnn_mix *mix)
{
	double		sum = 0;

	for (int64_t i = 1; i < n; i++)
		sum += fabs(x[i] - x[i - 1]);
	sum = n > 1 ? sum / (n - 1) : fabs(x[0]) * 0.1;
	sum = fmax(sum, fmax(1e-9 * fabs(x[n - 1]), 1e-300));
	memset(mix->present, 0, sizeof(mix->present));
	memset(mix->weight, 0, sizeof(mix->weight));
	mix->present[RNN_MAX_SEASONS] = true;
	mix->weight[RNN_MAX_SEASONS] = 1;
	mix->error[RNN_MAX_SEASONS] = mix->spread[0] = mix->spread[1] = sum;
}

int
rnn_mix_origin(const double *work, int v, int64_t *end)
{
	const Memory *m = (const Memory *) work;

	*end = m->origin[v].end;
	return m->origin[v].steps;
}

const double *
rnn_mix_reference(const double *work, int v, int r, int h)
{
	const Memory *m = (const Memory *) work;

	return m->ref + ((int64_t) m->slot[v] * RNN_REFS + r) * h;
}

int
rnn_mix_trailing(const rnn_mix *mix, const double *work, int v, int h, double *out, int64_t *end)
{
	rnn_mix_combine(mix, rnn_mix_reference(work, v, 0, h), h, out);
	return rnn_mix_origin(work, v, end);
}

/* The mix's own error over the halves of the horizon at the trailing origins; f is (h). */
static void
measure_spread(const double *x, const Memory *m, int h, double *f, rnn_mix *mix)
{
	int			seen = (int) rnn_min(mix->seen, RNN_SPREAD_ORIGINS);
	double		weight = 1,
				total = 0;

	mix->spread[0] = mix->spread[1] = 0;
	for (int v = 1; v <= seen; v++, weight *= FADE)
	{
		int64_t		end;
		int			steps = rnn_mix_trailing(mix, (const double *) m, v, h, f, &end),
					half = steps / 2;
		double		sum[2] = {0, 0};

		for (int j = 0; j < steps; j++)
			sum[j >= half] += fabs(f[j] - x[end + j]);
		mix->spread[0] += weight * (half > 0 ? sum[0] / half : sum[1]);
		mix->spread[1] += weight * sum[1] / (steps - half);
		total += weight;
	}
	for (int i = 0; i < 2; i++)
		mix->spread[i] = mix->spread[i] / total + 1e-300;
}

/* log x[from .. to) where it isn't known; x[0] is point `first` of the series. */
static void
take_logs(Memory *m, const double *x, int64_t first, int64_t from, int64_t to)
{
	int64_t		away = first - m->first,
				kept = rnn_max(m->from - away, 0);

	m->to = rnn_max(m->to - away, kept);
	if (away < 0)
		kept = m->to = 0;
	else if (away > 0 && m->to > kept)
		memmove(m->logs + kept, m->logs + kept + away, sizeof(double) * (m->to - kept));
	if (m->to == kept || from > m->to || to < kept)
		kept = m->to = from;
	for (int64_t i = from; i < kept; i++)
		m->logs[i] = log(x[i]);
	for (int64_t i = m->to; i < to; i++)
		m->logs[i] = log(x[i]);
	m->first = first;
	m->from = rnn_min(from, kept);
	m->to = rnn_max(m->to, to);
}

/* Whether references seen from prefixes of these lengths to one end are the same. */
static bool
same_prefix(const Bank *bank, int64_t a, int64_t b)
{
	int64_t		looked_at = rnn_max(bank->refs > RNN_LEAST_REFS ? ANALOGUE_POINTS : LEVEL_POINTS,
									(int64_t) SEASONS_KEPT * bank->seasons[bank->n_seasons - 1]);

	return a == b || (a >= looked_at && b >= looked_at);
}

/* The slot with the references at an origin, -1 if there is none. */
static int
find_known(const Memory *m, const Bank *bank, const Origin *o, int64_t first, bool logs)
{
	for (int i = 0; i < m->filled; i++)
	{
		const Known *k = &m->known[i];

		/* What is like the last window depends on how many steps must have followed. */
		if (k->end == first + o->end && k->steps == o->steps && k->logs == logs &&
			(!logs || k->top == o->top) && same_prefix(bank, k->prefix, o->end))
			return i;
	}
	return -1;
}

/* An empty slot, or the one that was wanted longest ago. */
static int
free_slot(Memory *m)
{
	int			oldest = 0;

	if (m->filled < m->slots)
		return m->filled++;
	for (int i = 1; i < m->slots; i++)
		if (m->known[i].used < m->known[oldest].used)
			oldest = i;
	return oldest;
}

static int
known_references(Memory *m, const Bank *bank, const Origin *o, int64_t first, int h, bool logs)
{
	int			i = find_known(m, bank, o, first, logs);
	Known	   *k;
	double	   *ref;

	if (i < 0)
	{
		i = free_slot(m);
		m->known[i] = (Known) {.end = first + o->end,.prefix = o->end,.steps = o->steps,.logs = logs,.top = o->top};
	}
	k = &m->known[i];
	ref = m->ref + (int64_t) i * RNN_REFS * h;
	/* Those behind the analogues need what the smoothers left, so these are formed again. */
	if (k->refs < bank->refs && bank->refs > REVERTING)
		k->refs = 0;
	if (k->refs == 0)
		references_at(bank, o->end, o->steps, logs, o->top, ref, h, k->present);
	if (k->refs <= RNN_LEAST_REFS && bank->refs > RNN_LEAST_REFS)
		analogues_at(bank, o->end, o->steps, ref + (int64_t) RNN_LEAST_REFS * h, h, k->present + RNN_LEAST_REFS);
	if (k->refs < bank->refs)
	{
		k->refs = bank->refs;
		k->scored = 0;
	}
	k->used = m->calls;
	return i;
}

static void
score(Known *k, const double *ref, const double *y, int steps, int h)
{
	if (k->scored == steps)
		return;
	for (int r = 0; r < RNN_REFS; r++)
		if (k->present[r])
			k->error[r] = rnn_mix_error(ref + (int64_t) r * h, y, steps);
	k->scored = steps;
}

void
rnn_mix_next(const rnn_mix_rule *rule, const double *x, int64_t first, int64_t n, rnn_mix *mix, double *ref, double *work)
{
	int			hits[RNN_REFS] = {0};
	double		weight = 1,
				total = 0;
	int			h = rule->h,
				refs = rule->refs;
	Memory	   *m = (Memory *) work;
	Origin	   *o = m->origin;
	int		   *slot = m->slot;
	Bank		bank = {.x = x,.seasons = rule->seasons,.n_seasons = rule->n_seasons,.refs = refs,
	.d = m->d,.p = m->p,.level = {m->level, m->level + ANALOGUE_POINTS},.ahead = {m->ahead, m->ahead + h},.distances = m->distances};

	memset(mix, 0, sizeof(*mix));
	mix->seen = plan_origins(rule, n, o);
	scan_prefixes(x, o, mix->seen);
	m->calls++;
	if (o[0].positive)
	{
		/* Only what the profiles and tails of the oldest origin reach. */
		int64_t		reach = rnn_max(references_tail(n, rule->seasons, rule->n_seasons), (int64_t) SEASONS_KEPT * rule->seasons[0]);

		take_logs(m, x, first, rnn_max(0, o[mix->seen].end - reach), n);
		bank.logs = m->logs;
	}
	for (int v = 0; v <= mix->seen; v++)
		slot[v] = known_references(m, &bank, &o[v], first, h, o[v].positive && o[0].positive);
	memcpy(ref, m->ref + (int64_t) slot[0] * RNN_REFS * h, sizeof(double) * refs * h);
	memcpy(mix->present, m->known[slot[0]].present, sizeof(bool) * refs);
	for (int v = 1; v <= mix->seen; v++, weight *= FADE)
	{
		Known	   *k = &m->known[slot[v]];

		score(k, m->ref + (int64_t) slot[v] * RNN_REFS * h, x + o[v].end, o[v].steps, h);
		for (int r = 0; r < refs; r++)
			if (k->present[r])
			{
				mix->error[r] += weight * k->error[r];
				hits[r]++;
			}
		total += weight;
	}
	if (mix->seen == 0)
	{
		naive_only(x, n, mix);
		return;
	}
	for (int r = 0; r < RNN_REFS; r++)
	{
		mix->present[r] = mix->present[r] && hits[r] == mix->seen;
		mix->error[r] = mix->present[r] ? mix->error[r] / total : 0;
	}
	rnn_mix_weigh(rule, total, n, mix);
	measure_spread(x, m, h, m->ahead, mix);
}

void
rnn_mix_at(const rnn_mix_rule *rule, const double *x, int64_t n, rnn_mix *mix, double *ref, double *work)
{
	begin(work, rnn_mix_origins(rule->h) + 1, n, rule->h);
	rnn_mix_next(rule, x, 0, n, mix, ref, work);
}

void
rnn_mix_combine(const rnn_mix *mix, const double *ref, int h, double *out)
{
	memset(out, 0, sizeof(double) * h);
	for (int r = 0; r < RNN_REFS; r++)
	{
		const double *restrict f = ref + (int64_t) r * h;
		double		weight = mix->weight[r],
				   *restrict sum = out;

		for (int j = 0; j < h && weight > 0; j++)
			sum[j] += weight * f[j];
	}
}

void
rnn_mix_combine_local(const double *weight, const double *ref, int h, double *out)
{
	memset(out, 0, sizeof(double) * h);
	for (int r = 0; r < RNN_REFS; r++)
		for (int j = 0; j < h; j++)
			if (weight[(int64_t) r * h + j] > 0)
				out[j] += weight[(int64_t) r * h + j] * ref[(int64_t) r * h + j];
}
