/*
 * frame.c
 *		Features of one position, strictly from what lies before it.
 *
 * The scale s is the smallest trailing error of the references, so a unit is
 * the size of the series' innovation and not of its level; the anchor a is
 * the level now.  Without the skip connection no reference is formed and s is
 * the standard deviation of the context.
 *
 * A leak of the future into scale, anchor or references would make training
 * look better than forecasting: test_frame changes the future and compares
 * bytes.
 */
#include "view/frame.h"
#include "kernel/kernel.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define S RNN_BLOCK
#define Q RNN_QUANTILES
#define LEAST_COARSE 64			/* points of a window of which the mean is told */
#define MOST_COARSE 1024
#define SCRATCH (2 * RNN_REFS + 1)	/* horizons before the work of the mix */
#define MOST_SEEN 6				/* origins that are told apart */

/* Paths of the mix that is forecast: its middle, and its spread where that isn't the network's. */
static int
mix_paths(const rnn_frame_plan *p)
{
	return p->mixed == 0 ? 0 : p->mixed == p->shape->R ? 1 : 2;
}

void
rnn_frame_plan_init(rnn_frame_plan *p, const rnn_shape *shape, const rnn_config *cfg)
{
	int64_t		Hz = (int64_t) shape->blocks * S;

	p->shape = shape;
	p->context = cfg->context;
	p->rule = rnn_mix_rule_of(cfg, shape->horizon);
	p->rule.refs = shape->R;
	p->reach = rnn_mix_reach(p->rule.seasons, p->rule.n_seasons, shape->horizon);
	p->mixed = shape->R > 0 ? cfg->mixed : 0;
	p->width = shape->D0 + shape->A + shape->R * Hz + Hz + mix_paths(p) * Hz;
}

bool
rnn_frame_plan_same(const rnn_frame_plan *p, const rnn_frame_plan *other)
{
	return p->context == other->context && p->mixed == other->mixed && rnn_mix_rule_same(&p->rule, &other->rule) &&
		p->shape->blocks == other->shape->blocks && p->shape->past == other->shape->past;
}

/* Of the mix, behind references and weights (R, h) and a path (h). */
static double *
mix_work(const rnn_frame_plan *p, double *work)
{
	return work + (int64_t) SCRATCH * p->shape->horizon;
}

size_t
rnn_frame_work(const rnn_frame_plan *p, int64_t n)
{
	if (p->shape->R == 0)
		return 0;
	return (size_t) SCRATCH * p->shape->horizon +
		rnn_mix_work_shared(n < p->reach ? n : p->reach, p->shape->horizon);
}

void
rnn_frame_begin(const rnn_frame_plan *p, int64_t n, double *work)
{
	if (p->shape->R > 0)
		rnn_mix_begin(mix_work(p, work), n < p->reach ? n : p->reach,
					  p->shape->horizon);
}

/*
 * Squares of values near 1e300 overflow, those near 1e-300 vanish.  A power
 * of two changes no bit of a value's fraction, so only such series need one.
 */
double
rnn_unit(double top)
{
	int			exponent;

	if (top == 0 || (top < 1e100 && top > 1e-100))
		return 1;
	frexp(top, &exponent);
	/* Subnormal units could not be inverted. */
	return ldexp(1, exponent < -1000 ? -1000 : exponent > 1000 ? 1000 : exponent);
}

static double
unit_of(const rnn_series *s)
{
	double		top = 0;

	for (int64_t i = 0; i < s->n; i++)
		if (fabs(s->x[i]) > top)
			top = fabs(s->x[i]);
	return rnn_unit(top);
}

void
rnn_points_init(rnn_points *p, const rnn_series *s, rnn_arena *a)
{
	bool		gaps = false;

	p->n = s->n;
	p->phase = s->dropped;
	p->covariates = NULL;
	p->rows = 0;
	p->calendar = NULL;
	p->calendar_rows = 0;
	p->unit = unit_of(s);
	p->raw = p->x = s->x;
	for (int64_t i = 0; i < s->n && !gaps; i++)
		gaps = isnan(s->x[i]);
	if (p->unit != 1)
	{
		double	   *raw = arena_new(a, double, s->n);

		for (int64_t i = 0; raw && i < s->n; i++)
			raw[i] = s->x[i] / p->unit;
		p->raw = p->x = raw;
	}
	if (gaps)
	{
		double	   *x = arena_new(a, double, s->n);

		if (x && p->raw)
			rnn_fill_forward(p->raw, s->n, x);
		p->x = x;
	}
}

typedef struct Moments
{
	double		anchor,
				mean,
				sd,
				known,			/* share of the context */
				zero;			/* share of the known */
} Moments;

static void
moments(const rnn_points *pts, int64_t e, int64_t context, Moments *m)
{
	int64_t		first = e > context ? e - context : 0,
				known = 0,
				zero = 0,
				recent = 0;
	double		shift = pts->x[e - 1],
				sum = 0,
				squares = 0;

	m->anchor = 0;
	for (int64_t i = e - 1; i >= first; i--)
	{
		double		d = pts->raw[i] - shift;

		if (isnan(d))
			continue;
		known++;
		zero += pts->raw[i] == 0;
		sum += d;
		squares += d * d;
		if (recent < 3)
		{
			m->anchor += d;
			recent++;
		}
	}
	m->known = (double) known / (double) (e - first);
	m->zero = known ? (double) zero / (double) known : 0;
	m->mean = shift + (known ? sum / known : 0);
	m->sd = known ? sqrt(fmax(squares / known - (sum / known) * (sum / known), 0)) : 0;
	m->anchor = shift + (recent ? m->anchor / recent : 0);
}

/* Never zero: a constant series gets a unit far below its level. */
static double
safe_scale(double s, const Moments *m)
{
	double		floor = fmax(1e-3 * m->sd, 1e-9 * fabs(m->anchor));

	return fmax(fmax(s, floor), 1e-150);
}

static real
squashed(double x)
{
	return (real) (asinh(x) / 3);
}

/* Where in each season point e lies, as a point on a circle and its double. */
void
rnn_frame_phases(const rnn_frame_plan *p, int64_t e, real *out)
{
	memset(out, 0, sizeof(real) * RNN_PHASES);
	for (int i = 0; i < p->rule.n_seasons; i++)
		for (int k = 1; k <= RNN_HARMONICS && 2 * k <= p->rule.seasons[i]; k++)
		{
			int64_t		m = p->rule.seasons[i];
			double		angle = 6.283185307179586 * k * (double) ((e % m + m) % m) / (double) m;

			*out++ = (real) sin(angle);
			*out++ = (real) cos(angle);
		}
}

static void
scalars(const rnn_frame_plan *p, const Moments *m, double s, int64_t n, int64_t phase, int seen, real *out)
{
	double		sd = fmax(m->sd, 1e-3 * s);

	out[0] = (real) (log(s / sd) / 3);
	out[1] = (real) (log((double) (n < p->reach ? n : p->reach)) / 6);
	out[2] = (real) (log(p->rule.seasons[0]) / 5);
	out[3] = (real) (log(p->rule.seasons[p->rule.n_seasons - 1]) / 5);
	out[4] = (real) (seen < MOST_SEEN ? seen : MOST_SEEN) / MOST_SEEN;
	out[5] = (real) m->zero;
	out[6] = (real) m->known;
	out[7] = squashed((m->anchor - m->mean) / sd);
	rnn_frame_phases(p, phase, out + 8);
}

/* The longest season that lies before every point of the patch; the step before where there is none. */
static int64_t
season_before(const rnn_frame_plan *p, int64_t e)
{
	int64_t		m = 1;

	for (int i = 0; i < p->rule.n_seasons; i++)
		if (p->rule.seasons[i] <= e - p->shape->patch)
			m = p->rule.seasons[i];
	return m;
}

/* Whole seasons, as many as make 64 points. */
static int64_t
coarse_window(const rnn_frame_plan *p)
{
	int64_t		m = p->rule.seasons[p->rule.n_seasons - 1];

	return rnn_min((LEAST_COARSE + m - 1) / m * m, MOST_COARSE);
}

/*
 * What changed since the season before, (P), and means of windows one before
 * the other, the latest first, (RNN_COARSE): the network's context is a part of
 * what lies behind it.
 */
static void
load_past(const rnn_frame_plan *p, const rnn_points *pts, int64_t e, const Moments *m, double s, real *out)
{
	int			P = p->shape->patch;
	int64_t		before = season_before(p, e),
				window = coarse_window(p);
	double		sd = fmax(m->sd, 1e-3 * s);

	for (int j = 0; j < P; j++)
	{
		int64_t		i = e - P + j;
		bool		known = i >= before && !isnan(pts->raw[i]) && !isnan(pts->raw[i - before]);

		out[j] = known ? squashed((pts->raw[i] - pts->raw[i - before]) / s) : 0;
	}
	memset(out + P, 0, sizeof(real) * RNN_COARSE);
	for (int k = 0; k < RNN_COARSE && e >= (k + 1) * window; k++)
	{
		const double *x = pts->x + e - (k + 1) * window;
		double		sum = 0;

		for (int64_t i = 0; i < window; i++)
			sum += x[i] - m->mean;
		out[P + k] = squashed(sum / (double) window / sd);
	}
}

/* [past, by anchor (P), by mean (P), known (P), scalars] */
static void
load_patch(const rnn_frame_plan *p, const rnn_points *pts, int64_t e, const Moments *m,
		   double s, const real *facts, real *u)
{
	int			P = p->shape->patch;
	double		sd = fmax(m->sd, 1e-3 * s);

	if (p->shape->past > 0)
		load_past(p, pts, e, m, s, u);
	u += p->shape->past;
	for (int j = 0; j < P; j++)
	{
		int64_t		i = e - P + j;
		bool		known = i >= 0 && !isnan(pts->raw[i]);

		u[j] = known ? squashed((pts->raw[i] - m->anchor) / s) : 0;
		u[P + j] = known ? squashed((pts->raw[i] - m->mean) / sd) : 0;
		u[2 * P + j] = known;
	}
	memcpy(u + 3 * P, facts, sizeof(real) * RNN_SCALARS);
}

/* Expected absolute error at each step of the horizon, in units of the scale. */
static void
load_spread(const rnn_frame_plan *p, const rnn_mix *mix, double s, real *spread)
{
	int			h = p->shape->horizon;
	double		near = fmax(mix->spread[0], 1e-3 * s) / s,
				far = fmax(mix->spread[1], 1e-3 * s) / s,
				power = h > 1 ? rnn_mix_power(near, far, 1) : 0;

	/* Where the far half was easier the level is the mean of both. */
	if (far < near)
		near = (near + far) / 2;
	for (int j = 0; j < p->shape->blocks * S; j++)
		spread[j] = (real) fmin(rnn_mix_spread_at(near, power, h, j), 1e4);
}

/* A forecast (h) in units of the scale, out (Hz). */
static void
load_path(const rnn_frame_plan *p, const double *path, const rnn_scale *scale, real *out)
{
	int			h = p->shape->horizon;

	for (int j = 0; j < p->shape->blocks * S; j++)
		out[j] = (real) rnn_within((path[j < h ? j : h - 1] - scale->a) / scale->s, -1e6, 1e6);
}

static void
load_references(const rnn_frame_plan *p, const rnn_mix *mix, const double *ref,
				const rnn_scale *scale, real *aux, real *out)
{
	int			h = p->shape->horizon,
				Hz = p->shape->blocks * S,
				R = p->shape->R;

	for (int r = 0; r < R; r++)
	{
		bool		present = mix->present[r] && mix->weight[r] > 0;

		aux[r] = present ? (real) (fmin(fmax(log(mix->error[r] / scale->s), 0), 6) / 3) : 2;
		aux[R + r] = present ? (real) mix->weight[r] : 0;
		if (mix->present[r])
			load_path(p, ref + (int64_t) r * h, scale, out + (int64_t) r * Hz);
		else
			memset(out + (int64_t) r * Hz, 0, sizeof(real) * Hz);
	}
}

/* The smallest shrunk error of a reference. */
static double
best_error(const rnn_mix *mix)
{
	double		best = DBL_MAX;

	for (int r = 0; r < RNN_REFS; r++)
		if (mix->present[r] && mix->weight[r] > 0)
			best = fmin(best, mix->error[r]);
	return best == DBL_MAX ? 0 : best;
}

/* The mix at e; its references in work (R, h).  Returns the points that it saw. */
static const double *
mix_at(const rnn_frame_plan *p, const rnn_mix_rule *rule, const rnn_points *pts, int64_t e, rnn_mix *mix, double *work)
{
	int64_t		n = e < p->reach ? e : p->reach;

	rnn_mix_next(rule, pts->x + e - n, e - n, n, mix, work, mix_work(p, work));
	return pts->x + e - n;
}

void
rnn_frame_compute(const rnn_frame_plan *p, const rnn_points *pts, int64_t e,
				  real *frame, rnn_scale *scale, double *work)
{
	const rnn_shape *s = p->shape;
	int64_t		Hz = (int64_t) s->blocks * S;
	real	   *u = frame,
			   *aux = u + s->D0,
			   *ref = aux + s->A,
			   *spread = ref + s->R * Hz,
				facts[RNN_SCALARS];
	rnn_mix		mix = {0};
	Moments		m;

	moments(pts, e, p->context, &m);
	scale->a = m.anchor;
	if (s->R > 0)
	{
		mix_at(p, &p->rule, pts, e, &mix, work);
		scale->s = safe_scale(best_error(&mix), &m);
		load_references(p, &mix, work, scale, aux, ref);
		load_spread(p, &mix, scale->s, spread);
	}
	else
	{
		scale->s = safe_scale(m.sd, &m);
		for (int64_t j = 0; j < Hz; j++)
			spread[j] = 1;
	}
	scalars(p, &m, scale->s, e, pts->phase + e, mix.seen, facts);
	load_patch(p, pts, e, &m, scale->s, facts, u);
	memcpy(aux + 2 * s->R, facts, sizeof(facts));
	memset(spread + Hz, 0, sizeof(real) * mix_paths(p) * Hz);
}

const double *
rnn_frame_trailing(const rnn_frame_plan *p, const rnn_points *pts, int64_t e, rnn_mix *mix, int64_t *first, double *work)
{
	rnn_mix_rule rule = p->rule;

	rule.refs = p->mixed;
	*first = mix_at(p, &rule, pts, e, mix, work) - pts->x;
	return mix_work(p, work);
}

void
rnn_frame_add_mix(const rnn_frame_plan *p, const rnn_points *pts, int64_t e, real *frame, rnn_scale scale, double *work)
{
	int64_t		Hz = (int64_t) p->shape->blocks * S;
	real	   *out = frame + p->width - mix_paths(p) * Hz;
	int			h = p->shape->horizon;
	double	   *weight = work + (int64_t) RNN_REFS * h,
			   *middle = weight + (int64_t) RNN_REFS * h;
	rnn_mix_rule rule = p->rule;
	const double *x;
	rnn_mix		mix;

	if (mix_paths(p) == 0)
		return;
	rule.refs = p->mixed;
	x = mix_at(p, &rule, pts, e, &mix, work);
	rnn_mix_local(&rule, x, &mix, mix_work(p, work), weight, middle);
	rnn_mix_combine_local(weight, work, h, middle);
	load_path(p, middle, &scale, out);
	if (mix_paths(p) > 1)
		load_spread(p, &mix, scale.s, out + Hz);
}

static void
copy_signed(real *out, const real *in, int64_t n, bool flip)
{
	if (!flip)
		memcpy(out, in, sizeof(real) * n);
	else
		for (int64_t i = 0; i < n; i++)
			out[i] = -in[i];
}

void
rnn_head_load(rnn_net *net, int64_t row, const real *frame, bool flip)
{
	const rnn_shape *s = net->shape;
	int64_t		Hz = (int64_t) s->blocks * S;
	real	   *aux = net->aux + row * s->A,
			   *ref = net->ref + row * s->R * Hz,
			   *spread = net->spread + row * Hz;

	if (!frame)
	{
		memset(aux, 0, sizeof(real) * s->A);
		memset(ref, 0, sizeof(real) * s->R * Hz);
		for (int64_t j = 0; j < Hz; j++)
			spread[j] = 1;
		return;
	}
	memcpy(aux, frame + s->D0, sizeof(real) * s->A);
	if (flip)
		aux[s->A - RNN_PHASES - 1] *= -1;	/* the signed one among the scalars */
	copy_signed(ref, frame + s->D0 + s->A, s->R * Hz, flip);
	memcpy(spread, frame + s->D0 + s->A + s->R * Hz, sizeof(real) * Hz);
}

void
rnn_frame_load(rnn_net *net, int64_t row, const real *frame, bool flip, bool head)
{
	const rnn_shape *s = net->shape;
	real	   *u = net->u + row * s->D;

	net->before[row] = !frame;
	if (head)
		rnn_head_load(net, row, frame, flip);
	if (!frame)
	{
		memset(u, 0, sizeof(real) * s->D);
		return;
	}
	memcpy(u, frame, sizeof(real) * s->D0);
	copy_signed(u, frame, s->past + 2 * s->patch, flip);
	if (flip)
		u[s->D0 - RNN_PHASES - 1] *= -1;
}

void
rnn_target_none(rnn_net *net, int64_t row)
{
	int64_t		Hz = (int64_t) net->shape->blocks * S;

	for (int64_t j = 0; j < Hz; j++)
		net->target[row * Hz + j] = (real) NAN;
}

void
rnn_target_load(rnn_net *net, int64_t row, const rnn_points *pts, int64_t e,
				int64_t cut, const rnn_scale *scale, bool flip)
{
	int64_t		Hz = (int64_t) net->shape->blocks * S;
	real	   *target = net->target + row * Hz;
	double		s = flip ? -scale->s : scale->s;

	for (int64_t j = 0; j < Hz; j++)
		target[j] = j < net->shape->horizon && e + j < cut ?
			(real) fmin(fmax((pts->raw[e + j] - scale->a) / s, -1e6), 1e6) : (real) NAN;
	/* fmin and fmax drop a NaN */
	for (int64_t j = 0; j < net->shape->horizon && e + j < cut; j++)
		if (isnan(pts->raw[e + j]))
			target[j] = (real) NAN;
}

void
rnn_frame_mix(const rnn_frame_plan *p, const real *frame, double factor, real *q)
{
	static const real zero[S * Q];	/* the head of an untrained network */
	const rnn_shape *s = p->shape;
	int64_t		Hz = (int64_t) s->blocks * S;
	const real *aux = frame + s->D0,
			   *ref = aux + s->A,
			   *spread = ref + s->R * Hz;
	int			paths = mix_paths(p);
	real		middle[S],
				block[S * Q];

	for (int b = 0; b < s->blocks; b++)
	{
		memset(middle, 0, sizeof(middle));
		if (paths > 0)
			memcpy(middle, spread + Hz + b * S, sizeof(middle));
		for (int r = 0; r < s->R && paths == 0; r++)
			for (int j = 0; j < S; j++)
				middle[j] += aux[s->R + r] * ref[r * Hz + b * S + j];
		rnn_kernel->block_quantiles(zero, middle, spread + (paths > 1 ? 2 * Hz : 0) + b * S, block);
		for (int j = 0; j < S && b * S + j < s->horizon; j++)
			for (int i = 0; i < Q; i++)
				q[(b * S + j) * Q + i] = block[RNN_MEDIAN * S + j] +
					(real) factor * (block[i * S + j] - block[RNN_MEDIAN * S + j]);
	}
}

void
rnn_frame_phase_gaps(const rnn_frame_plan *p, const rnn_points *pts, int64_t e, real *q)
{
	rnn_phases	phases;

	rnn_phases_at(pts->raw, e, p->rule.seasons, p->rule.n_seasons, p->shape->horizon, &phases);
	for (int j = 0; phases.m > 0 && j < p->shape->horizon; j++, q += Q)
	{
		real		factor = (real) rnn_phase_factor(&phases, j),
					middle = q[RNN_MEDIAN];

		for (int k = 0; k < Q; k++)
			q[k] = middle + factor * (q[k] - middle);
	}
}
