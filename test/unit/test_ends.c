/*
 * test_ends.c
 *		Forecasts at many ends: each is that of a series which ends there, and
 *		sees nothing behind it.
 */
#include "check.h"
#include "rnn.h"
#include "net/shape.h"
#include "view/window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define Q RNN_QUANTILES
#define H 12					/* trained horizon */
#define N 420
#define SERIES 7
#define MOST 400				/* origins */

typedef enum Kind
{
	MIX, PRIOR, NETWORK, TUNED, PATCHES, ALONE, INTERPOLATED, TRANSFORMED, MONTHS, KINDS
} Kind;

static const char *const kind_names[] = {
	"the mix", "the prior", "three members", "members with frames of the prior", "members of other patches",
	"a network without the mix", "gaps interpolated", "box-cox", "days of months"
};

static rnn_prior prior;
static double values[SERIES][N];
static rnn_series series[SERIES];
static uint8_t days[(N + 3 * H) * RNN_DAYS];

static float *
random_weights(rnn_config cfg, int64_t *params, uint64_t seed)
{
	rnn_shape	shape;
	rnn_rng		rng;
	float	   *w;

	rnn_shape_init(&shape, &cfg);
	rnn_rng_seed(&rng, seed, 0);
	w = malloc(sizeof(float) * shape.params);
	for (int64_t i = 0; i < shape.params; i++)
		w[i] = (float) (0.15 * rnn_rng_normal(&rng));
	*params = shape.params;
	return w;
}

static void
add_members(rnn_model *m, Kind kind)
{
	m->weight = kind == ALONE ? 1 : 0.6;
	m->n_members = 3;
	for (int i = 0; i < 3; i++)
	{
		rnn_config	cfg = m->config;

		cfg.patch = kind == PATCHES && i == 1 ? cfg.patch / 2 : cfg.patch;
		m->member[i] = (rnn_member) {.patch = cfg.patch,.context = cfg.context * (4 - i) / 4 / cfg.patch * cfg.patch};
		m->member[i].weights = random_weights(cfg, &m->member[i].params, i + 1);
	}
}

static rnn_model
make_model(Kind kind)
{
	rnn_model	m = {.mix_spread = 1.1};

	rnn_config_defaults(&m.config);
	m.config.horizon = H;
	m.config.context = kind == TUNED ? prior.cfg.context : 64;
	m.config.patch = kind == TUNED ? prior.cfg.patch : 8;
	m.config.bptt = kind == NETWORK ? 3 : 64;
	m.config.hidden = 8;
	m.config.layers = 2;
	m.config.skip = kind != ALONE;
	m.config.gaps = kind == INTERPOLATED ? RNN_GAPS_INTERPOLATE : RNN_GAPS_MASK;
	m.config.trading_days = kind == MONTHS;
	if (kind == TRANSFORMED)
	{
		m.config.transform = RNN_TRANSFORM_BOX_COX;
		m.config.lambda = 0.5;
	}
	m.config.seasons_given = m.n_seasons = 1;
	m.config.seasons[0] = m.seasons[0] = 12;
	for (int i = 0; i < RNN_BANDS * RNN_MEDIAN; i++)
		m.calibration[i / RNN_MEDIAN][i % RNN_MEDIAN] = 1.2f;
	if (kind != MIX && kind != ALONE)
	{
		m.prior = prior.version;
		m.prior_net = &prior;
	}
	if (kind != MIX && kind != PRIOR)
		add_members(&m, kind);
	return m;
}

static void
free_model(rnn_model *m)
{
	for (int i = 0; i < m->n_members; i++)
		free((void *) m->member[i].weights);
}

/* A wave, with gaps, demand, a constant that ends, a fall below zero, a jump out of range, and a short one. */
static void
make_series(void)
{
	rnn_rng		r;

	rnn_rng_seed(&r, 3, 0);
	for (int i = 0; i < N; i++)
	{
		double		noise = rnn_rng_normal(&r),
					wave = 100 + 10 * sin(6.283185307 * i / 12) + noise;

		values[0][i] = wave;
		values[1][i] = i > 0 && i < N - 1 && (i % 11 == 5 || (i > 200 && i < 220)) ? NAN : wave + 0.1 * i;
		values[2][i] = noise > 0.8 ? rint(5 * noise) : 0;
		values[3][i] = i < 250 ? 7 : 7 + noise;
		values[4][i] = i < 300 ? fabs(noise) * (noise > 0.2) : noise;
		values[5][i] = i < 260 ? wave : wave * 1e140;
		values[6][i] = wave;
	}
	for (int k = 0; k < (N + 3 * H) * RNN_DAYS; k++)
		days[k] = k % RNN_DAYS < 7 ? 4 + rnn_rng_below(&r, 2) : k / RNN_DAYS % 12 == 3 ? rnn_rng_below(&r, 6) : 0;
	for (int s = 0; s < SERIES; s++)
		series[s] = (rnn_series) {.n = s == 6 ? 30 : N,.x = values[s],.dropped = s,.days = days,.days_rows = N + 3 * H};
}

/* Ends of each series: every one for a while, whole patches apart, and here and there. */
static int64_t
make_origins(rnn_origin *o)
{
	int64_t		n = 0;

	for (int s = 0; s < SERIES; s++)
		for (int64_t e = 1; e <= series[s].n; e += e < 12 ? 1 : e < 140 ? 16 : e >= 250 && e < 264 ? 1 : 13)
			o[n++] = (rnn_origin) {.series = s,.e = e};
	CHECK(n < MOST);
	return n;
}

/* out (n, horizon, Q), malloc'd. */
static double *
forecast_at(const rnn_model *m, const rnn_series *from, int count, const rnn_origin *o, int64_t n, int horizon)
{
	double	   *out = malloc(sizeof(double) * n * horizon * Q);
	rnn_error	err = {0};
	size_t		size = 0;
	char	   *block;

	CHECK(rnn_ends_size(m, from, count, o, n, horizon, &size, &err) == RNN_OK);
	block = malloc(size + 1);
	/* Wherever the block begins. */
	CHECK(rnn_ends(m, from, count, o, n, horizon, block + 1, size, out, &err) == RNN_OK);
	free(block);
	return out;
}

static double *
forecast_alone(const rnn_model *m, const rnn_series *whole, int64_t e, int horizon)
{
	double	   *out = malloc(sizeof(double) * horizon * Q);
	rnn_series	s = *whole;
	rnn_error	err;
	size_t		size;
	void	   *block;

	s.n = e;
	CHECK(rnn_forecast_size(m, 1, e, horizon, &size, &err) == RNN_OK);
	block = malloc(size);
	CHECK(rnn_forecast(m, &s, 1, horizon, block, size, out, &err) == RNN_OK);
	free(block);
	return out;
}

/* Largest difference in units of what the quantiles span, or of a hundredth of the level where they span next to nothing. */
static double
difference(const double *a, const double *b, int horizon)
{
	double		worst = 0;

	for (int j = 0; j < horizon; j++)
		for (int k = 0; k < Q; k++)
		{
			double		d = fabs(a[j * Q + k] - b[j * Q + k]);

			if (d > 0)
				worst = fmax(worst, d / fmax(b[j * Q + Q - 1] - b[j * Q], 0.01 * fabs(b[j * Q + Q / 2])));
		}
	return worst;
}

static void
test_as_alone(void)
{
	rnn_origin	o[MOST];
	int64_t		n = make_origins(o);

	printf("- each is the forecast of a series that ends there\n");
	for (Kind kind = 0; kind < KINDS; kind++)
		for (int horizon = H / 2; horizon <= 3 * H; horizon *= 6)
		{
			rnn_model	m = make_model(kind);
			double	   *out = forecast_at(&m, series, SERIES, o, n, horizon),
						worst = 0;

			for (int64_t i = 0; i < n; i++)
			{
				double	   *own = forecast_alone(&m, &series[o[i].series], o[i].e, horizon);

				worst = fmax(worst, difference(out + i * horizon * Q, own, horizon));
				free(own);
			}
			printf("  %s, %d steps: %.1e\n", kind_names[kind], horizon, worst);
			CHECK(worst < 2e-4);
			free(out);
			free_model(&m);
		}
}

/* What a point behind the end becomes: of usual size, below zero, out of range, missing, or one value for all. */
static double
changed(int how, int64_t i, double x)
{
	switch (how)
	{
		case 0:
			return 90 + i % 7;
		case 1:
			return -x - 3;
		case 2:
			return 1e250;
		case 3:
			return i % 3 == 1 || i == N - 1 ? 1e-3 : NAN;
	}
	return 7;
}

static void
check_past_alone(const rnn_model *m, const rnn_origin *o, int64_t n, const double *out, int64_t end, int how)
{
	static double other[SERIES][N];
	rnn_series	from[SERIES];
	double	   *again;
	int64_t		compared = 0,
				differ = 0;

	for (int s = 0; s < SERIES; s++)
	{
		from[s] = series[s];
		from[s].x = other[s];
		for (int64_t i = 0; i < series[s].n; i++)
			other[s][i] = i < end ? values[s][i] : changed(how, i, values[s][i]);
	}
	again = forecast_at(m, from, SERIES, o, n, H);
	for (int64_t i = 0; i < n; i++)
		if (o[i].e <= end)
		{
			compared++;
			differ += memcmp(again + i * H * Q, out + i * H * Q, sizeof(double) * H * Q) != 0;
		}
	CHECK(compared > 50 && differ == 0);
	if (differ)
		printf("  %d of %d before %d, change %d\n", (int) differ, (int) compared, (int) end, how);
	free(again);
}

static void
test_past_alone(void)
{
	static const int64_t ends[] = {60, 206, 210, 255, 263, 290};
	rnn_origin	o[MOST];
	int64_t		n = make_origins(o);

	printf("- what follows an end changes no byte\n");
	for (Kind kind = 0; kind < KINDS; kind++)
	{
		rnn_model	m = make_model(kind);
		double	   *out = forecast_at(&m, series, SERIES, o, n, H);

		for (int k = 0; k < (int) (sizeof(ends) / sizeof(ends[0])); k++)
			for (int how = 0; how < 5; how++)
				check_past_alone(&m, o, n, out, ends[k], how);
		free(out);
		free_model(&m);
	}
}

/* A model keeps the points that forecasts look at: those before them change nothing, not even its bounds. */
static void
test_history_kept(void)
{
	enum {LONG = 6000};
	rnn_model	m = make_model(PRIOR);
	double	   *x = malloc(sizeof(double) * LONG);
	rnn_series	s = {.n = LONG,.x = x},
				kept = {.n = rnn_history_reach(&m)};
	rnn_rng		r;

	printf("- from the points that a model keeps\n");
	rnn_rng_seed(&r, 9, 0);
	/* Counts whose zeros have ended. */
	for (int i = 0; i < LONG; i++)
		x[i] = i < 2000 ? i % 2 : rnn_rng_uniform(&r) < 0.4 ? 20 : 1;
	kept.x = x + LONG - kept.n;
	kept.dropped = LONG - kept.n;
	for (int back = 0; back < 40; back += 13)
	{
		rnn_origin	o = {.e = LONG - back};
		double	   *out = forecast_at(&m, &s, 1, &o, 1, H),
				   *own;

		kept.x = x + LONG - back - kept.n;
		kept.dropped = LONG - back - kept.n;
		own = forecast_alone(&m, &kept, kept.n, H);
		CHECK(own[0] < 0);
		CHECK(difference(out, own, H) < 1e-5);
		free(out), free(own);
	}
	free(x);
}

static void
test_any_order(void)
{
	rnn_origin	o[MOST],
				back[MOST];
	int64_t		n = make_origins(o);
	rnn_model	m = make_model(TUNED);
	double	   *out = forecast_at(&m, series, SERIES, o, n, H),
			   *other,
				worst = 0;

	printf("- in any order\n");
	for (int64_t i = 0; i < n; i++)
		back[i] = o[n - 1 - i];
	for (int64_t i = 0; i + 5 < n; i += 3)
	{
		rnn_origin	t = back[i];

		back[i] = back[i + 5];
		back[i + 5] = t;
	}
	other = forecast_at(&m, series, SERIES, back, n, H);
	for (int64_t i = 0; i < n; i++)
		for (int64_t k = 0; k < n; k++)
			if (o[i].series == back[k].series && o[i].e == back[k].e)
				worst = fmax(worst, difference(out + i * H * Q, other + k * H * Q, H));
	CHECK(worst < 1e-4);
	free(out), free(other);
	free_model(&m);
}

/* Windows are made of the frames at their ends; shared ones are computed once, and kept for the next call. */
static void
test_strips(void)
{
	enum {PATCH = 8, K = 8, ENDS = 12};
	rnn_model	m = make_model(MIX);
	rnn_points	points = {.raw = values[0],.x = values[0],.n = N,.unit = 1};
	rnn_end		ends[ENDS];
	rnn_window	window[ENDS];
	rnn_shape	shape;
	rnn_frame_plan plan;
	rnn_strips	strips;
	rnn_arena	a;
	real	   *frame,
			   *marked;
	double	   *work;
	void	   *block = NULL;
	int			frames = 0,
				bad = 0;

	printf("- frames that windows share\n");
	rnn_shape_init(&shape, &m.config);
	rnn_frame_plan_init(&plan, &shape, &m.config);
	for (int pass = 0; pass < 2; pass++)
	{
		rnn_arena_init(&a, block, pass ? a.used + 64 : 0);
		rnn_strips_init(&strips, &plan, K, ENDS, N, &a);
		frame = arena_new(&a, real, plan.width);
		work = arena_new(&a, double, rnn_frame_work(&plan, N));
		block = pass ? block : malloc(a.used + 64);
	}
	CHECK(!a.failed);
	for (int i = 0; i < ENDS; i++)
		ends[i] = (rnn_end) {&points, 20 + 3 * PATCH * i};
	rnn_strips_gather(&strips, ends, ENDS, window);
	for (int i = 0; i < strips.count[strips.now]; i++)
		frames += strips.strip[strips.now][i].count;
	CHECK(frames == 3 + 3 * (ENDS - 1));
	for (int i = 0; i < ENDS; i++)
		for (int k = 0; k < K && window[i].last >= k; k++)
		{
			rnn_scale	scale;
			int64_t		e = ends[i].e - k * PATCH;

			rnn_frame_begin(&plan, N, work);
			rnn_frame_compute(&plan, &points, e, frame, &scale, work);
			bad += memcmp(frame, window[i].strip->frames + (window[i].last - k) * plan.width, sizeof(real) * plan.width) != 0;
			bad += memcmp(&scale, &window[i].strip->scales[window[i].last - k], sizeof(scale)) != 0;
		}
	CHECK(bad == 0 && rnn_window_end(&window[5]) == ends[5].e);
	/* The next one finds the frame that is marked, and another series doesn't. */
	marked = window[ENDS - 1].strip->frames + window[ENDS - 1].last * plan.width;
	marked[0] = 12345;
	ends[0].e = ends[ENDS - 1].e + PATCH;
	ends[1] = (rnn_end) {&(rnn_points) {.raw = values[6],.x = values[6],.n = N,.unit = 1}, ends[ENDS - 1].e};
	rnn_strips_gather(&strips, ends, 2, window);
	CHECK(window[0].strip->frames[(window[0].last - 1) * plan.width] == 12345);
	CHECK(window[1].strip->frames[window[1].last * plan.width] != 12345);
	rnn_strips_forget(&strips);
	rnn_strips_gather(&strips, ends, 2, window);
	CHECK(window[0].strip->frames[(window[0].last - 1) * plan.width] != 12345);
	free(block);
}

static void
test_refusals(void)
{
	static const rnn_origin wrong[] = {{0, 0, NULL}, {0, N + 1, NULL}, {SERIES, 5, NULL}, {-1, 5, NULL}};
	static const volatile sig_atomic_t raised = 1;
	rnn_stop	stop = {{&raised, &raised}};
	rnn_origin	o = {.e = 100};
	rnn_model	m = make_model(NETWORK);
	rnn_error	err;
	double		out[H * Q];
	size_t		size;
	char	   *block;

	printf("- refusals\n");
	for (int i = 0; i < 4; i++)
		CHECK(rnn_ends_size(&m, series, SERIES, &wrong[i], 1, H, &size, &err) == RNN_ERR_RANGE);
	CHECK(rnn_ends_size(&m, series, SERIES, &o, 1, 0, &size, &err) == RNN_ERR_RANGE);
	CHECK(rnn_ends_size(&m, &(rnn_series) {.n = 0}, 1, &o, 1, H, &size, &err) == RNN_ERR_DATA);
	CHECK(rnn_ends_size(&m, series, SERIES, &o, 1, H, &size, &err) == RNN_OK);
	block = malloc(size);
	for (int i = 0; i < 4; i++)
		CHECK(rnn_ends(&m, series, SERIES, &wrong[i], 1, H, block, size, out, &err) == RNN_ERR_RANGE);
	for (size_t less = 0; less < size / 2; less += 1 + size / 50)
		CHECK(rnn_ends(&m, series, SERIES, &o, 1, H, block, less, out, &err) == RNN_ERR_MEMORY);
	m.stop = &stop;
	CHECK(rnn_ends(&m, series, SERIES, &o, 1, H, block, size, out, &err) == RNN_ERR_STOPPED);
	m.stop = NULL;
	CHECK(rnn_ends(&m, series, SERIES, &o, 1, H, block, size, out, &err) == RNN_OK);
	free(block);
	free_model(&m);
}

int
main(void)
{
	real	   *weights = malloc(rnn_prior_size(rnn_prior_for(1, 0)));
	rnn_error	err;

	rnn_engine_init(-1);
	CHECK(rnn_prior_load(rnn_prior_for(1, 0), weights, &prior, &err) == RNN_OK);
	make_series();
	TEST(test_as_alone);
	TEST(test_past_alone);
	TEST(test_history_kept);
	TEST(test_any_order);
	TEST(test_strips);
	TEST(test_refusals);
	free(weights);
	return check_summary("ends");
}
