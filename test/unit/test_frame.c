/*
 * test_frame.c
 *		No frame knows its future: what lies behind a position is changed, and
 *		the bytes are compared.  And training, which computes frames in bulk
 *		from whole series, sees what a forecast sees at the same position.
 */
#include "check.h"
#include "train/stages.h"
#include "kernel/engine.h"
#include "kernel/kernel.h"

#include <stdlib.h>
#include <string.h>

#define N 420					/* points of a series */

typedef struct Frame
{
	real	   *values;			/* (width) */
	rnn_scale	scale;
	size_t		bytes;
} Frame;

/* ---------------------------------------------------------------- series */

typedef enum Kind { POSITIVE, AROUND_ZERO, COUNTS, GAPS, LONG_GAP, CONSTANT, KINDS } Kind;

/* A series with a season of 12; points 0 and n - 1 are known.  malloc'd. */
static double *
series(Kind kind, int64_t n, uint64_t seed)
{
	double	   *x = malloc(sizeof(double) * n);
	rnn_rng		rng;

	rnn_rng_seed(&rng, seed, 5);
	for (int64_t i = 0; i < n; i++)
	{
		x[i] = 3 * sin(6.283185307179586 * i / 12) + rnn_rng_normal(&rng);
		if (kind == POSITIVE || kind >= GAPS)
			x[i] += 20 + 0.02 * i;
		if (kind == COUNTS)
			x[i] = x[i] > 1 ? floor(x[i]) : 0;
		if (kind == CONSTANT)
			x[i] = 4;
	}
	for (int64_t i = 1; i < n - 1; i++)
		if ((kind == GAPS && (rnn_rng_uniform(&rng) < 0.15 || i % 100 > 93)) ||
			(kind == LONG_GAP && i >= n / 3 && i < 2 * n / 3))
			x[i] = NAN;
	return x;
}

static void
config(rnn_config *cfg, int patch, int context, int horizon, int n_seasons, const int *seasons)
{
	rnn_config_defaults(cfg);
	cfg->patch = patch;
	cfg->context = context;
	cfg->bptt = context / patch;
	cfg->horizon = horizon;
	cfg->hidden = 16;
	cfg->layers = 1;
	cfg->seasons_given = n_seasons;
	memcpy(cfg->seasons, seasons, sizeof(int) * n_seasons);
}

/*
 * The frame at e as a forecast computes it, everything anew from x (n); the
 * scratch is full of `byte` before.  dropped: grid points before x[0].
 */
static Frame
frame_at(const rnn_config *cfg, const double *x, int64_t n, int64_t dropped, int64_t e, int byte)
{
	rnn_series	s = {.n = n,.x = x,.dropped = dropped};
	rnn_shape	shape;
	rnn_frame_plan plan;
	rnn_points	points;
	rnn_arena	a;
	Frame		f;
	size_t		room = sizeof(double) * (2 * n + 64),
				bytes;
	void	   *block = aligned_alloc(64, (room + 63) / 64 * 64);
	double	   *work;

	rnn_shape_init(&shape, cfg);
	rnn_frame_plan_init(&plan, &shape, cfg);
	bytes = sizeof(double) * rnn_frame_work(&plan, e);
	work = malloc(bytes + 1);
	memset(block, byte, room);
	memset(work, byte, bytes + 1);
	rnn_arena_init(&a, block, room);
	rnn_points_init(&points, &s, &a);
	CHECK(!a.failed);
	f.bytes = sizeof(real) * plan.width;
	f.values = malloc(f.bytes);
	memset(f.values, byte, f.bytes);
	memset(&f.scale, byte, sizeof(f.scale));
	rnn_frame_begin(&plan, e, work);
	rnn_frame_compute(&plan, &points, e, f.values, &f.scale, work);
	rnn_frame_add_mix(&plan, &points, e, f.values, f.scale, work);
	free(work), free(block);
	return f;
}

static bool
same(const Frame *a, const Frame *b)
{
	return a->bytes == b->bytes && memcmp(a->values, b->values, a->bytes) == 0 &&
		memcmp(&a->scale, &b->scale, sizeof(rnn_scale)) == 0;
}

static bool
finite_frame(const Frame *f)
{
	for (size_t i = 0; i < f->bytes / sizeof(real); i++)
		if (!isfinite(f->values[i]))
			return false;
	return isfinite(f->scale.a) && isfinite(f->scale.s) && f->scale.s > 0;
}

/* ------------------------------------------------------------------ mix */

/* A network that sees fewer references has the same mix beside it, and its inputs don't know of it. */
static void
test_other_mix(void)
{
	static const int lists[][2] = {{RNN_REFS, RNN_REFS}, {RNN_LEAST_REFS, RNN_REFS}, {RNN_LEAST_REFS, 0}};
	enum {AHEAD = 20};
	double		x[N];
	rnn_rng		r;
	rnn_shape	shape;
	rnn_frame_plan plan;
	Frame		f[3];
	real		q[2][2 * RNN_BLOCK * RNN_QUANTILES];

	printf("- a mix of other references than the network sees\n");
	rnn_rng_seed(&r, 4, 4);
	for (int i = 0; i < N; i++)
		x[i] = 30 + 6 * sin(i / 2.0) + rnn_rng_normal(&r);
	for (int k = 0; k < 3; k++)
	{
		rnn_config	cfg;

		config(&cfg, 4, 32, AHEAD, 1, (int[]) {12});
		cfg.references = lists[k][0];
		cfg.mixed = lists[k][1];
		f[k] = frame_at(&cfg, x, N, 0, N, 0);
		CHECK(finite_frame(&f[k]));
		if (k == 2)
			continue;
		rnn_shape_init(&shape, &cfg);
		rnn_frame_plan_init(&plan, &shape, &cfg);
		rnn_frame_mix(&plan, f[k].values, 1, q[k]);
	}
	for (int i = 0; i < AHEAD * RNN_QUANTILES; i++)
		CHECK_NEAR(f[0].scale.a + f[0].scale.s * q[0][i], f[1].scale.a + f[1].scale.s * q[1][i], 1e-5);
	CHECK(f[2].bytes < f[1].bytes && memcmp(f[1].values, f[2].values, f[2].bytes) == 0);
	CHECK(f[1].scale.s == f[2].scale.s && f[1].scale.s > f[0].scale.s);
	for (int k = 0; k < 3; k++)
		free(f[k].values);
}

/* ------------------------------------------------------------- causality */

typedef enum Change { MISSING, HUGE_UP, HUGE_DOWN, ZERO, OTHER_NOISE, CUT_OFF, CHANGES } Change;

/*
 * Below 1e100: with larger values a whole series is brought into another unit
 * first, and logarithms are not the same bits there.
 */
static void
change_future(double *x, int64_t e, int64_t n, Change how)
{
	for (int64_t i = e; i < n; i++)
		switch (how)
		{
			case MISSING: x[i] = NAN; break;
			case HUGE_UP: x[i] = 1e99; break;
			case HUGE_DOWN: x[i] = -1e99; break;
			case ZERO: x[i] = 0; break;
			default: x[i] = 7 * sin(i * i + 1.0) - 100; break;
		}
}

static void
check_causal(const rnn_config *cfg, const double *x, int64_t e)
{
	Frame		whole = frame_at(cfg, x, N, 0, e, 0);
	double	   *y = malloc(sizeof(double) * N);

	CHECK(finite_frame(&whole));
	for (int how = 0; how < CHANGES; how++)
	{
		int64_t		n = how == CUT_OFF ? e : N;
		Frame		f;

		memcpy(y, x, sizeof(double) * N);
		change_future(y, e, N, how);
		f = frame_at(cfg, y, n, 0, e, 0xff);
		CHECK(same(&whole, &f));
		if (!same(&whole, &f))
			printf("\tpatch %d, end %d, change %d\n", cfg->patch, (int) e, how);
		free(f.values);
	}
	/* Lest nothing be looked at at all: the last point counts. */
	memcpy(y, x, sizeof(double) * N);
	y[e - 1] = isnan(y[e - 1]) ? 50 : y[e - 1] + 2;
	Frame		f = frame_at(cfg, y, N, 0, e, 0);

	CHECK(!same(&whole, &f));
	free(f.values), free(whole.values), free(y);
}

static void
test_causality(void)
{
	static const int none[] = {1},
				year[] = {12},
				two[] = {4, 12},
				three[] = {3, 12, 36};
	static const int ends[] = {1, 2, 3, 5, 7, 8, 12, 13, 24, 25, 37, 60, 94, 99, 141, 150, 280, 299, 333, N - 1, N};

	printf("- no frame changes with what lies behind it\n");
	for (int kind = 0; kind < KINDS; kind++)
	{
		double	   *x = series(kind, N, kind);

		for (int c = 0; c < 6; c++)
		{
			rnn_config	cfg;

			config(&cfg, c == 0 ? 1 : c == 5 ? 16 : 4, c == 5 ? 64 : 24, c == 1 ? 1 : c == 5 ? 40 : 7,
				   c == 2 ? 2 : c == 4 ? 3 : 1, c == 2 ? two : c == 4 ? three : c == 1 ? none : year);
			cfg.skip = c != 3;
			cfg.past = c >= 4;
			for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
				check_causal(&cfg, x, ends[i]);
		}
		free(x);
	}
}

/* ----------------------------------------------- what the frames consist of */

/* Powers of two change no bit of what has no logarithm in it. */
static void
test_units(void)
{
	static const int year[] = {12};
	static const double units[] = {0x1p-1000, 0x1p-400, 0x1p-60, 0x1p60, 0x1p400, 0x1p1000};
	double	   *x = series(AROUND_ZERO, N, 1),
			   *y = malloc(sizeof(double) * N);
	rnn_config	cfg;

	printf("- any unit gives the same frame\n");
	for (int skip = 0; skip < 2; skip++)
		for (int u = 0; u < 6; u++)
		{
			Frame		plain,
						scaled;

			config(&cfg, 4, 24, 7, 1, year);
			cfg.skip = skip;
			for (int i = 0; i < N; i++)
				y[i] = x[i] * units[u];
			plain = frame_at(&cfg, x, N, 0, N, 0);
			scaled = frame_at(&cfg, y, N, 0, N, 0);
			CHECK(memcmp(plain.values, scaled.values, plain.bytes) == 0);
			free(plain.values), free(scaled.values);
		}
	free(x), free(y);
}

/* Where nothing is known the patch has zeros, and known values are told from them. */
static void
test_gaps(void)
{
	static const int year[] = {12};
	rnn_config	cfg;
	int			P = 8,
				gaps = 0;

	printf("- a gap is told from a value\n");
	config(&cfg, P, 24, 7, 1, year);
	for (int kind = GAPS; kind <= LONG_GAP; kind++)
	{
		double	   *x = series(kind, N, 2);

		for (int e = 1; e <= N; e++)
		{
			Frame		f = frame_at(&cfg, x, N, 0, e, 0xff);
			int			bad = 0,
						known = 0,
						first = e > 24 ? e - 24 : 0;

			for (int j = 0; j < P; j++)
			{
				int			i = e - P + j;
				bool		there = i >= 0 && !isnan(x[i]);

				gaps += !there;
				bad += f.values[2 * P + j] != there;
				bad += there ? fabs(f.values[j] - asinh((x[i] - f.scale.a) / f.scale.s) / 3) > 1e-6
					: f.values[j] != 0 || f.values[P + j] != 0;
			}
			CHECK(bad == 0);
			for (int i = first; i < e; i++)
				known += !isnan(x[i]);
			CHECK(fabs(f.values[3 * P + 6] - (double) known / (e - first)) < 1e-6);
			free(f.values);
		}
		free(x);
	}
	CHECK(gaps > 1000);
}

/* Phases count from the clock's origin, not from the first point, on either side of it. */
static void
test_phases(void)
{
	static const int two[] = {4, 12};
	double	   *x = series(POSITIVE, N, 3);
	rnn_config	cfg;

	printf("- phases count from the clock's origin\n");
	config(&cfg, 4, 24, 7, 2, two);
	for (int64_t dropped = -113; dropped <= -87; dropped++)
	{
		Frame		here = frame_at(&cfg, x, N, dropped, 100, 0),
					period = frame_at(&cfg, x, N, dropped + 1200, 100, 0),
					next = frame_at(&cfg, x, N, dropped + 1, 100, 0);
		real	   *phases = here.values + 12 + RNN_SCALARS - RNN_PHASES;

		CHECK(same(&here, &period));
		CHECK(!same(&here, &next));
		for (int k = 0; k < 2 * RNN_HARMONICS; k++)
		{
			double		angle = 6.283185307179586 * (k % 4 / 2 + 1) * (dropped + 100);

			CHECK(fabs(phases[k] - (k % 2 ? cos(angle / 4) : sin(angle / 4))) < 1e-6);
			CHECK(fabs(phases[4 + k] - (k % 2 ? cos(angle / 12) : sin(angle / 12))) < 1e-6);
		}
		free(here.values), free(period.values), free(next.values);
	}
	free(x);
}

/* A flipped frame is the frame of the series upside down. */
static void
test_flips(void)
{
	static const int year[] = {12};
	double	   *x = series(AROUND_ZERO, N, 4),
			   *y = malloc(sizeof(double) * N);
	rnn_config	cfg;
	rnn_shape	shape;
	rnn_net		net;
	rnn_arena	a;
	char	   *block;
	int			bad = 0;

	printf("- a flip is the series upside down\n");
	config(&cfg, 4, 24, 20, 1, year);
	cfg.past = true;
	for (int i = 0; i < N; i++)
		y[i] = -x[i];
	rnn_shape_init(&shape, &cfg);
	rnn_arena_init(&a, NULL, 0);
	rnn_net_init(&net, &shape, 2, 1, true, &a);
	block = aligned_alloc(64, (a.used + 127) / 64 * 64);
	rnn_arena_init(&a, block, a.used + 64);
	rnn_net_init(&net, &shape, 2, 1, true, &a);
	for (int e = 1; e <= N; e += 7)
	{
		Frame		up = frame_at(&cfg, x, N, 0, e, 0),
					down = frame_at(&cfg, y, N, 0, e, 0);
		int64_t		Hz = (int64_t) shape.blocks * RNN_BLOCK;

		CHECK(up.scale.s == down.scale.s && up.scale.a == -down.scale.a);
		rnn_frame_load(&net, 0, up.values, true, true);
		rnn_frame_load(&net, 1, down.values, false, true);
		for (int i = 0; i < shape.D; i++)
			bad += net.u[i] != net.u[shape.D + i];
		for (int i = 0; i < shape.A; i++)
			bad += net.aux[i] != net.aux[shape.A + i];
		for (int i = 0; i < shape.R * Hz; i++)
			bad += net.ref[i] != net.ref[shape.R * Hz + i];
		for (int i = 0; i < Hz; i++)
			bad += net.spread[i] != net.spread[Hz + i];
		CHECK(bad == 0);
		free(up.values), free(down.values);
	}
	free(x), free(y), free(block);
}

/* Targets are what follows e before the cut, in the frame's units, NaN elsewhere. */
static void
test_targets(void)
{
	static const int year[] = {12};
	double	   *x = series(GAPS, N, 5);
	rnn_points	points = {.raw = x,.n = N,.unit = 1};
	rnn_scale	scale = {3, 0.5};
	rnn_config	cfg;
	rnn_shape	shape;
	real		target[48];
	rnn_net		net = {.shape = &shape,.target = target};

	printf("- targets end at the cut\n");
	config(&cfg, 4, 24, 40, 1, year);
	rnn_shape_init(&shape, &cfg);
	for (int cut = 0; cut <= N; cut += 20)
		for (int e = 1; e < N; e += 29)
		{
			int			bad = 0;

			memset(target, 0x11, sizeof(target));
			rnn_target_load(&net, 0, &points, e, cut, &scale, cut % 40 == 0);
			for (int j = 0; j < 48; j++)
				if (j < 40 && e + j < cut && !isnan(x[e + j]))
					bad += target[j] != (real) ((x[e + j] - 3) / (cut % 40 == 0 ? -0.5 : 0.5));
				else
					bad += !isnan(target[j]);
			CHECK(bad == 0);
		}
	free(x);
}

/* --------------------------------------------------- training and forecast */

/* A training that has computed its frames, or has gone on to its end. */
typedef struct Training
{
	rnn_trainer *t;
	void	   *block;
} Training;

static Training
start_training(const rnn_config *cfg, const rnn_panel *panel, size_t size, bool finish)
{
	Training	r = {.block = aligned_alloc(64, (size + 63) / 64 * 64)};
	rnn_progress p = {0};
	rnn_error	err;
	rnn_status	status;

	memset(r.block, 0xff, size);
	status = rnn_trainer_init(&r.t, r.block, size, cfg, panel, NULL, &err);
	while (status == RNN_OK && !p.done && (finish || r.t->task.stage <= STAGE_FEATURES || r.t->task.stage == STAGE_DONE))
		status = rnn_trainer_step(r.t, &p, &err);
	CHECK(status == RNN_OK);
	if (status != RNN_OK)
		printf("\t%s: %g\n", err.what, err.value);
	return r;
}

static void
mixed_panel(rnn_panel *panel, rnn_series *s, int count)
{
	memset(panel, 0, sizeof(*panel));
	memset(s, 0, sizeof(*s) * count);
	for (int i = 0; i < count; i++)
	{
		s[i].n = i == 3 ? 31 : N - 7 * i;
		s[i].x = series(i % KINDS, s[i].n, i);
		s[i].dropped = 5 * i;
	}
	panel->count = count;
	panel->series = s;
}

/* Every frame that the trainer keeps, against one of the series cut off there. */
static int64_t
check_store(const rnn_trainer *t)
{
	int64_t		frames = 0;
	int			bad = 0;

	for (int r = 0; r < t->task.study.n_runs; r++)
		for (int i = 0; i < t->task.study.runs[r].strip.count; i++)
		{
			const rnn_series *s = &t->task.study.panel.series[t->task.study.runs[r].series];
			int64_t		e = t->task.study.runs[r].strip.e0 + i * t->task.study.runs[r].strip.stride,
						width = t->task.study.plan.width,
						mix = t->task.study.plan.mixed > 0 ? t->task.study.plan.shape->blocks * RNN_BLOCK : 0;
			Frame		one = frame_at(&t->task.study.cfg, s->x, e, s->dropped, e, 0),
						kept = {t->task.study.runs[r].strip.frames + i * width, t->task.study.runs[r].strip.scales[i], sizeof(real) * width};

			/* Only few are asked for the mix. */
			one.bytes = kept.bytes = sizeof(real) * (width - mix);
			bad += e < 1 || e > s->n || !same(&one, &kept);
			frames++;
			free(one.values);
		}
	CHECK(bad == 0);
	CHECK(frames == t->task.study.F);
	return frames;
}

static void
test_store(void)
{
	static const int year[] = {12},
				two[] = {4, 12};
	rnn_series	s[6];
	rnn_panel	panel;
	rnn_config	cfg;
	Training	r;

	printf("- the trainer's frames are those of a forecast at the same place\n");
	mixed_panel(&panel, s, 6);
	for (int c = 0; c < 4; c++)
	{
		int64_t		frames;

		config(&cfg, c == 0 ? 1 : 6, 24, 7, c == 1 ? 2 : 1, c == 1 ? two : year);
		cfg.start = RNN_START_SCRATCH;
		cfg.skip = c != 2;
		cfg.network = c != 3;
		r = start_training(&cfg, &panel, (size_t) 64 << 20, false);
		frames = check_store(r.t);
		CHECK(frames > (c == 3 ? 50 : 1500));
		free(r.block);
	}
	/* Too little memory for all: some blocks of them. */
	config(&cfg, 2, 24, 7, 1, year);
	cfg.start = RNN_START_SCRATCH;
	cfg.batch = 4;
	r = start_training(&cfg, &panel, 2600000, false);
	printf("  %d runs, %d frames of some 2100\n", r.t->task.study.n_runs, (int) r.t->task.study.F);
	CHECK(r.t->task.study.n_runs > 6 && r.t->task.study.F < 1500);
	CHECK(check_store(r.t) > 100);
	free(r.block);
	for (int i = 0; i < 6; i++)
		free((void *) s[i].x);
}

/* Rows that the trainer loads for a window: K frames one patch apart, none before the first. */
static void
check_windows(rnn_trainer *t)
{
	const rnn_shape *shape = &t->task.study.shape;
	int64_t		Hz = (int64_t) shape->blocks * RNN_BLOCK;
	int			B = 3,
				bad = 0,
				before = 0;

	for (int r = 0; r < t->task.study.n_runs; r++)
		for (int last = 0; last < t->task.study.runs[r].strip.count; last += 5)
		{
			const rnn_series *s = &t->task.study.panel.series[t->task.study.runs[r].series];

			for (int b = 0; b < B; b++)
			{
				t->task.fit.held.window[b] = (rnn_window) {.strip = &t->task.study.runs[r].strip,.last = last};
			}
			rnn_windows_load(&t->task.fit.net, &t->task.study.plan, t->task.fit.held.window, B, t->task.fit.K, 0,
							 t->task.fit.K, 0, 1);
			for (int i = 0; i < t->task.fit.K; i++)
			{
				int64_t		e = t->task.study.runs[r].strip.e0 + last * t->task.study.runs[r].strip.stride - (t->task.fit.K - 1 - i) * (int64_t) t->task.study.cfg.patch,
							row = (int64_t) i * B + 1;
				Frame		f = {0};
				real	   *u = t->task.fit.net.u + row * shape->D;

				before += e < 1;
				if (e < 1)
				{
					for (int k = 0; k < shape->D; k++)
						bad += u[k] != 0;
					continue;
				}
				f = frame_at(&t->task.study.cfg, s->x, s->n, s->dropped, e, 0);
				bad += memcmp(u, f.values, sizeof(real) * shape->D) != 0;
				bad += memcmp(t->task.fit.net.aux + row * shape->A, f.values + shape->D, sizeof(real) * shape->A) != 0;
				bad += memcmp(t->task.fit.net.ref + row * shape->R * Hz, f.values + shape->D + shape->A,
							  sizeof(real) * shape->R * Hz) != 0;
				bad += memcmp(t->task.fit.net.spread + row * Hz, f.values + shape->D + shape->A + shape->R * Hz,
							  sizeof(real) * Hz) != 0;
				free(f.values);
			}
		}
	CHECK(bad == 0);
	CHECK(before > 50);
}

/* Quantiles (horizon,Q) of the first e points by the public function. */
static void
forecast_prefix(const rnn_model *m, const rnn_series *whole, int64_t e, double *out)
{
	rnn_series	s = *whole;
	rnn_error	err;
	size_t		size;
	void	   *block;

	s.n = e;
	CHECK(rnn_forecast_size(m, 1, e, m->config.horizon, &size, &err) == RNN_OK);
	block = aligned_alloc(64, (size + 63) / 64 * 64);
	CHECK(rnn_forecast(m, &s, 1, m->config.horizon, block, size, out, &err) == RNN_OK);
	free(block);
}

/*
 * The trainer's forward of a window against rnn_forecast by one member, which
 * sees its own number of steps, of the series up to there.  Only products of matrices of another size are between them: the
 * batch differs, and BLAS sums in another order for it.
 */
static void
check_forecasts(rnn_trainer *t, int member)
{
	rnn_model	m;
	rnn_error	err;
	rnn_rng		rng;
	real	   *w = malloc(sizeof(real) * t->task.study.shape.params);
	float	   *weights = malloc(sizeof(float) * t->task.study.shape.params);
	int			h = t->task.study.cfg.horizon,
				Q = RNN_QUANTILES,
				count = 0;
	real	   *q = malloc(sizeof(real) * h * Q);
	double	   *out = malloc(sizeof(double) * h * Q),
				worst = 0;

	CHECK(rnn_trainer_model(t, &m, &err) == RNN_OK);
	/* Such that everything matters: the last layers are next to zero after few steps. */
	rnn_rng_seed(&rng, 1, 1);
	for (int64_t i = 0; i < t->task.study.shape.params; i++)
		w[i] = weights[i] = (float) (trained_weights(t->plan.trained[member])[i] + 0.1 * rnn_rng_normal(&rng));
	m.member[0] = m.member[member];
	m.member[0].weights = weights;
	m.n_members = 1;
	m.config.lower = -1e300;	/* counts are not held at 0 */
	t->task.fit.K = m.member[0].context / m.member[0].patch;
	m.weight = 1;
	for (int i = 0; i < RNN_BANDS * RNN_MEDIAN; i++)
		m.calibration[i / RNN_MEDIAN][i % RNN_MEDIAN] = 1;
	for (int r = 0; r < t->task.study.n_runs; r++)
		for (int last = 0; last < t->task.study.runs[r].strip.count; last += 7)
		{
			int64_t		e = t->task.study.runs[r].strip.e0 + last * t->task.study.runs[r].strip.stride;
			const rnn_series *s = &t->task.study.panel.series[t->task.study.runs[r].series];
			rnn_scale	scale = t->task.study.runs[r].strip.scales[last];
			rnn_series	before = *s;

			/* What never changes is forecast as it is, without a network. */
			before.n = e;
			if (e < RNN_LEAST_HISTORY || rnn_series_is_constant(&before))
				continue;
			for (int b = 0; b < 5; b++)
			{
				t->task.fit.held.window[b] = (rnn_window) {
					.strip = &t->task.study.runs[r].strip,.last = b == 3 ? last : (last + 11 * b) % t->task.study.runs[r].strip.count
				};
			}
			forward_last(&t->task.fit, w, 0, 5);
			rnn_net_quantiles(&t->task.fit.net, t->task.fit.last_row + 3, q);
			forecast_prefix(&m, s, e, out);
			for (int k = 0; k < h * Q; k++)
				worst = fmax(worst, fabs((out[k] - scale.a) / scale.s - q[k]) / (1 + fabs(q[k])));
			count++;
		}
	printf("  %d windows, largest difference %.1e of the scale\n", count, worst);
	CHECK(count > 150);
	CHECK(worst < 3e-5);
	free(w), free(weights), free(q), free(out);
}

static void
test_windows(void)
{
	static const int year[] = {12};
	rnn_series	s[6];
	rnn_panel	panel;
	rnn_config	cfg;
	Training	r;

	printf("- a window of the training is what a forecast sees\n");
	mixed_panel(&panel, s, 6);
	for (int c = 0; c < 3; c++)
	{
		config(&cfg, c == 0 ? 1 : 6, c == 0 ? 10 : 24, 7, 1, year);
		cfg.start = RNN_START_SCRATCH;
		cfg.conv_layers = c == 2;
		cfg.batch = 5;
		cfg.steps = 3;
		cfg.members = 3;
		if (c == 2)
			cfg.skip = 0;
		r = start_training(&cfg, &panel, (size_t) 64 << 20, true);
		r.t->task.fit.K = r.t->task.study.cfg.context / r.t->task.study.cfg.patch;
		check_windows(r.t);
		for (int member = 0; member < cfg.members; member++)
			check_forecasts(r.t, member);
		free(r.block);
	}
	for (int i = 0; i < 6; i++)
		free((void *) s[i].x);
}

/* Eight chunks of training, in a net of `windows` windows, or 0: as the trainer chose. */
static Training
train_chunks(const rnn_config *cfg, const rnn_panel *panel, int windows, void **block)
{
	Training	r = start_training(cfg, panel, (size_t) 64 << 20, false);
	rnn_progress p;
	rnn_error	err;
	rnn_arena	a;

	*block = NULL;
	if (windows > 0)
	{
		CHECK(r.t->task.fit.net.max_B < windows);
		rnn_arena_init(&a, NULL, 0);
		rnn_net_init(&r.t->task.fit.net, &r.t->task.study.shape, cfg->bptt, windows, true, &a);
		*block = malloc(a.used);
		rnn_arena_init(&a, *block, a.used);
		rnn_net_init(&r.t->task.fit.net, &r.t->task.study.shape, cfg->bptt, windows, true, &a);
	}
	while (r.t->task.fit.step < 8)
		if (rnn_trainer_step(r.t, &p, &err) != RNN_OK)
			break;
	CHECK(r.t->task.fit.step == 8);
	return r;
}

/* Minibatches are trained tile by tile, and learn what they would learn in one piece. */
static void
test_tiles(void)
{
	static const int year[] = {12};
	rnn_series	s[6];
	rnn_panel	panel;
	rnn_config	cfg;

	printf("- tiles of a minibatch learn the same\n");
	mixed_panel(&panel, s, 6);
	for (int cell = RNN_ELMAN; cell <= RNN_LSTM; cell++)
	{
		Training	tiles,
					whole;
		void	   *none,
				   *block;
		double		error = 0,
					size = 0;

		config(&cfg, 2, 24, 7, 1, year);
		cfg.start = RNN_START_SCRATCH;
		cfg.cell = cell;
		cfg.conv_layers = 1;
		cfg.bptt = 5;			/* of 12 steps: two chunks and a part */
		cfg.batch = 41;
		cfg.dropout = 0;
		cfg.steps = 3000;
		tiles = train_chunks(&cfg, &panel, 0, &none);
		whole = train_chunks(&cfg, &panel, cfg.batch, &block);
		CHECK_NEAR(tiles.t->task.fit.loss_sum, whole.t->task.fit.loss_sum, 1e-5 * whole.t->task.fit.loss_sum);
		CHECK_NEAR(tiles.t->task.fit.norm_sum, whole.t->task.fit.norm_sum, 1e-4 * whole.t->task.fit.norm_sum);
		for (int64_t i = 0; i < tiles.t->task.fit.opt.P; i++)
		{
			error += pow(tiles.t->task.fit.opt.m[i] - whole.t->task.fit.opt.m[i], 2);
			size += pow(whole.t->task.fit.opt.m[i], 2);
		}
		printf("  cell %d: mean gradients differ by %.1e of their size\n", cell, sqrt(error / size));
		CHECK(size > 0 && sqrt(error) < 1e-3 * sqrt(size));
		free(tiles.block), free(whole.block), free(block);
	}
	for (int i = 0; i < 6; i++)
		free((void *) s[i].x);
}

/* What a model keeps of a long series is enough for all frames of a context. */
static void
test_kept_history(void)
{
	static const int year[] = {12},
				two[] = {7, 364};
	int			n = 7000;

	printf("- the history that a model keeps gives the frames of all of it\n");
	for (int c = 0; c < 2; c++)
		for (int kind = 0; kind < KINDS; kind++)
		{
			double	   *x = series(kind, n, kind);
			rnn_config	cfg;
			rnn_model	m = {0};
			int64_t		keep;

			config(&cfg, 6, 48, 30, c + 1, c ? two : year);
			m.config = cfg;
			m.n_seasons = c + 1;
			memcpy(m.seasons, cfg.seasons, sizeof(m.seasons));
			keep = rnn_history_reach(&m);
			CHECK(keep < n - 100);
			/* The server begins at a known point, before a gap. */
			while (isnan(x[n - keep]))
				keep++;
			for (int64_t e = n; e > n - 48; e -= 6)
			{
				Frame		all = frame_at(&cfg, x, n, 0, e, 0),
							kept = frame_at(&cfg, x + n - keep, keep, n - keep, e - (n - keep), 0);

				CHECK(same(&all, &kept));
				free(all.values), free(kept.values);
			}
			free(x);
		}
}

int
main(void)
{
	rnn_engine_init(-1);
	TEST(test_other_mix);
	TEST(test_causality);
	TEST(test_units);
	TEST(test_gaps);
	TEST(test_phases);
	TEST(test_flips);
	TEST(test_targets);
	TEST(test_store);
	TEST(test_windows);
	TEST(test_tiles);
	TEST(test_kept_history);
	return check_summary("frame");
}
