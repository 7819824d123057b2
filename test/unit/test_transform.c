/*
 * test_transform.c
 *		Gaps, transforms and bounds: there and back, and what forecasts make of them.
 */
#include "check.h"
#include "trained.h"

#include <float.h>

#define N 240

static rnn_config
with(int transform, double lambda)
{
	rnn_config	cfg;

	rnn_config_defaults(&cfg);
	cfg.transform = transform;
	cfg.lambda = lambda;
	cfg.pivot = 0.5;
	return cfg;
}

/* All transforms, box-cox with several exponents. */
static const struct
{
	int			transform;
	double		lambda;
}			kinds[] = {
	{RNN_TRANSFORM_NONE, NAN}, {RNN_TRANSFORM_LOG, NAN}, {RNN_TRANSFORM_ASINH, NAN},
	{RNN_TRANSFORM_BOX_COX, -2}, {RNN_TRANSFORM_BOX_COX, -0.3}, {RNN_TRANSFORM_BOX_COX, 0},
	{RNN_TRANSFORM_BOX_COX, 0.5}, {RNN_TRANSFORM_BOX_COX, 1}, {RNN_TRANSFORM_BOX_COX, 3}
};

#define KINDS (int) (sizeof(kinds) / sizeof(kinds[0]))

/* Options of a series with bounds of its own. */
static rnn_config
own_options(const rnn_config *cfg, const rnn_series *s)
{
	rnn_tally	tally = {0};

	rnn_tally_to(&tally, s, 0, s->n);
	return rnn_config_by_tally(cfg, &tally);
}

/* There and back again; order is kept; nothing is infinite, whatever comes in. */
static void
test_inverse(void)
{
	static const double xs[] = {1e-5, 0.01, 0.5, 1, 2, 10, 1234.5, 1e6};
	static const double extremes[] = {-DBL_MAX, -1e10, -1, -DBL_MIN, 0, DBL_MIN, 1, 1e10, 1e300, DBL_MAX};

	for (int k = 0; k < KINDS; k++)
	{
		rnn_config	cfg = with(kinds[k].transform, kinds[k].lambda);
		double		before = -INFINITY;

		for (size_t i = 0; i < sizeof(xs) / sizeof(xs[0]); i++)
		{
			double		y = rnn_transform(&cfg, xs[i]);

			/* Powers bring large or small values close together. */
			if ((kinds[k].lambda != -2 || xs[i] < 2000) && (kinds[k].lambda != 3 || xs[i] > 0.001))
				CHECK(fabs(rnn_restore(&cfg, y) / xs[i] - 1) < 1e-6);
			CHECK(y > before);
			before = y;
		}
		for (size_t i = 0; i < sizeof(extremes) / sizeof(extremes[0]); i++)
		{
			double		back = rnn_restore(&cfg, extremes[i]);

			CHECK(isfinite(rnn_transform(&cfg, extremes[i])));
			CHECK(isfinite(back));
			CHECK(i == 0 || back >= rnn_restore(&cfg, extremes[i - 1]));
			CHECK(i == 0 || rnn_transform(&cfg, extremes[i]) >= rnn_transform(&cfg, extremes[i - 1]));
		}
		CHECK(rnn_transform_takes(&cfg, 1));
		CHECK(rnn_transform_takes(&cfg, 0) == (kinds[k].transform == RNN_TRANSFORM_NONE || kinds[k].transform == RNN_TRANSFORM_ASINH));
	}
}

static void
test_gaps(void)
{
	static const double x[] = {2, NAN, NAN, 8, NAN, 4, 4};
	static const double wanted[][7] = {
		[RNN_GAPS_MASK] = {2, NAN, NAN, 8, NAN, 4, 4},
		[RNN_GAPS_INTERPOLATE] = {2, 4, 6, 8, 6, 4, 4},
		[RNN_GAPS_PREVIOUS] = {2, 2, 2, 8, 8, 4, 4},
		[RNN_GAPS_ZERO] = {2, 0, 0, 8, 0, 4, 4},
		[RNN_GAPS_ERROR] = {2, NAN, NAN, 8, NAN, 4, 4}
	};

	for (int gaps = RNN_GAPS_MASK; gaps <= RNN_GAPS_ERROR; gaps++)
	{
		rnn_config	cfg;
		double		out[7];

		rnn_config_defaults(&cfg);
		cfg.gaps = gaps;
		rnn_fill_gaps(&cfg, x, 7, out);
		for (int i = 0; i < 7; i++)
			CHECK(isnan(wanted[gaps][i]) ? isnan(out[i]) : fabs(out[i] - wanted[gaps][i]) < 1e-12);
		CHECK(rnn_changes_series(&cfg) == (gaps != RNN_GAPS_MASK && gaps != RNN_GAPS_ERROR));
	}
}

static void
test_bounds(void)
{
	rnn_config	cfg;

	rnn_config_defaults(&cfg);
	CHECK(rnn_within_bounds(&cfg, -3.7) == -3.7);
	cfg.lower = 0.5;
	cfg.upper = 9.5;
	CHECK(rnn_within_bounds(&cfg, -3.7) == 0.5 && rnn_within_bounds(&cfg, 11) == 9.5 && rnn_within_bounds(&cfg, 4.2) == 4.2);
	cfg.integer = 1;
	CHECK(rnn_within_bounds(&cfg, -3.7) == 1 && rnn_within_bounds(&cfg, 11) == 9 && rnn_within_bounds(&cfg, 4.2) == 4);
	CHECK(rnn_config_check(&cfg, NULL) == RNN_OK);
	cfg.upper = 0.7;
	CHECK(rnn_config_check(&cfg, NULL) == RNN_ERR_CONFLICT);
	cfg.integer = 0;
	cfg.upper = 0.4;
	CHECK(rnn_config_check(&cfg, NULL) == RNN_ERR_CONFLICT);
	cfg = with(RNN_TRANSFORM_LOG, NAN);
	cfg.gaps = RNN_GAPS_ZERO;
	CHECK(rnn_config_check(&cfg, NULL) == RNN_ERR_CONFLICT);
}

/* Noise whose size goes with the level, its root, or not at all. */
static void
make_noisy(double power, double *x, int n)
{
	rnn_rng		rng;

	rnn_rng_seed(&rng, 8, 8);
	for (int i = 0; i < n; i++)
	{
		double		level = 100 * exp(2 * sin(i / 300.0));

		x[i] = level + 0.1 * pow(level, power) * pow(100, 1 - power) * rnn_rng_normal(&rng);
	}
}

static void
test_lambda(void)
{
	static double x[2000];

	for (int half = 0; half <= 2; half++)
	{
		rnn_config	cfg = with(RNN_TRANSFORM_BOX_COX, NAN);
		rnn_series	s = {.n = 2000,.x = x};

		make_noisy(1 - half / 2.0, x, 2000);
		rnn_resolve_output(&cfg, &s, 1, 0);
		printf("  spread with level^%.1f: lambda %.1f\n", 1 - half / 2.0, cfg.lambda);
		CHECK(fabs(cfg.lambda - half / 2.0) <= 0.35);
	}
}

/* A bound at 0 for counts that often are, and for nothing else. */
static void
test_rest(void)
{
	double		counts[] = {0, 3, 0, NAN, 1, 0, 2},
				below[] = {0, 3, 0, 0, -1, 0, 2},
				above[] = {5, 3, 4, 2, 1, 6, 2};
	double	   *all[] = {counts, below, above};

	for (int k = 0; k < 3; k++)
	{
		rnn_config	cfg;
		rnn_series	s = {.n = 7,.x = all[k]};

		rnn_config_defaults(&cfg);
		rnn_resolve_output(&cfg, &s, 1, 0);
		CHECK(k == 0 ? cfg.lower == 0 : isnan(cfg.lower));
		rnn_config_defaults(&cfg);
		cfg.lower = -5;
		rnn_resolve_output(&cfg, &s, 1, 0);
		CHECK(cfg.lower == -5);
	}
}

/* Where the panel has left it open, each series decides. */
static void
test_own_rest(void)
{
	double		counts[] = {900, 3000, 0, NAN, 1, 70, 2, 50, 60, 80, 95, 70, 81},
				halves[] = {900, 3000, 0, NAN, 1.5, 70, 2, 50, 60, 80, 95, 70, 81},
				below[] = {900, 3000, 0, NAN, 1, 70, 2, 50, 60, 80, -95, 70, 81},
				often[] = {0, 0.5, 0, NAN, 1.5, 70, 2, 50, 60, 80, 95, 70, 81};
	double	   *all[] = {counts, halves, below, often};
	bool		bound[] = {true, false, false, true};

	for (int k = 0; k < 4; k++)
	{
		rnn_config	cfg;
		rnn_series	s = {.n = 13,.x = all[k]};

		rnn_config_defaults(&cfg);
		CHECK(bound[k] ? own_options(&cfg, &s).lower == 0 : isnan(own_options(&cfg, &s).lower));
		CHECK(!rnn_series_is_constant(&s));
		cfg.lower = -5;
		CHECK(own_options(&cfg, &s).lower == -5);
	}
}

static void
test_constant(void)
{
	double		x[] = {NAN, 5, NAN, 5, 5.5};

	CHECK(rnn_series_is_constant(&(rnn_series) {.n = 4,.x = x}));
	CHECK(!rnn_series_is_constant(&(rnn_series) {.n = 5,.x = x}));
	CHECK(!rnn_series_is_constant(&(rnn_series) {.n = 3,.x = x}));
}

static rnn_config
quick(bool network)
{
	rnn_config	cfg;

	rnn_config_defaults(&cfg);
	cfg.transform = RNN_TRANSFORM_NONE;
	cfg.pivot = 0.5;
	cfg.network = network;
	cfg.start = network ? RNN_START_SCRATCH : RNN_START_AUTO;
	cfg.horizon = 12;
	cfg.context = 24;
	cfg.patch = 12;
	cfg.hidden = 4;
	cfg.layers = 1;
	cfg.steps = 20;
	cfg.batch = 8;
	cfg.members = 1;
	cfg.seasons_given = 1;
	cfg.seasons[0] = 12;
	return cfg;
}

/*
 * A training on transformed values gives the same network as one with the
 * option, and its forecast is that one's, taken back.
 */
static void
test_commutes(bool network)
{
	static double x[N],
				y[N];

	make_noisy(1, x, N);
	for (int k = 0; k < KINDS; k++)
	{
		rnn_config	cfg = quick(network),
					plain = cfg;
		Trained		a,
					b;
		double	   *f,
				   *g;

		cfg.transform = kinds[k].transform;
		cfg.lambda = kinds[k].lambda;
		for (int i = 0; i < N; i++)
			y[i] = rnn_transform(&cfg, x[i]);
		a = train_series(&cfg, x, N, (size_t) 1 << 28);
		b = train_series(&plain, y, N, (size_t) 1 << 28);
		CHECK(a.status == RNN_OK && b.status == RNN_OK);
		f = forecast_series(&a.model, x, N, 30);
		g = forecast_series(&b.model, y, N, 30);
		for (int i = 0; f && g && i < 30 * RNN_QUANTILES; i++)
			CHECK(f[i] == rnn_restore(&cfg, g[i]));
		CHECK(!network || memcmp(a.model.member[0].weights, b.model.member[0].weights, sizeof(float) * a.model.member[0].params) == 0);
		free(f);
		free(g);
		free(a.block);
		free(b.block);
	}
}

/* Gaps that are filled train like a series without any; bounds only cut. */
static void
test_filled(void)
{
	static double x[N],
				filled[N];
	rnn_config	cfg = quick(true),
				plain = cfg;
	Trained		a,
				b;
	double	   *f,
			   *g;

	make_noisy(1, x, N);
	for (int i = 1; i < N - 1; i++)
		if (i % 7 == 3)
			x[i] = NAN;
	cfg.gaps = RNN_GAPS_INTERPOLATE;
	cfg.lower = 60;
	cfg.integer = 1;
	rnn_fill_gaps(&cfg, x, N, filled);
	a = train_series(&cfg, x, N, (size_t) 1 << 28);
	b = train_series(&plain, filled, N, (size_t) 1 << 28);
	CHECK(a.status == RNN_OK && b.status == RNN_OK);
	f = forecast_series(&a.model, x, N, 20);
	g = forecast_series(&b.model, filled, N, 20);
	for (int i = 0; f && g && i < 20 * RNN_QUANTILES; i++)
		CHECK(f[i] == fmax(rint(g[i]), 60));
	free(f);
	free(g);
	free(a.block);
	free(b.block);
}

/* The mean against the integral of the quantile function, point by point. */
static void
test_mean(void)
{
	enum {STEPS = 200000};
	static const double lower[] = {NAN, 0, 40};

	/* Tails of 1 / x^2 have no mean that one could tell. */
	for (int k = 0; k < KINDS; k++)
		for (int b = 0; b < 3 && kinds[k].lambda != -2; b++)
		{
			rnn_config	cfg = with(kinds[k].transform, kinds[k].lambda);
			double		q[RNN_QUANTILES],
						sum = 0;

			cfg.lower = lower[b];
			for (int i = 0; i < RNN_QUANTILES; i++)
			{
				double		z = (i - RNN_MEDIAN) / 7.0;

				q[i] = rnn_within_bounds(&cfg, 50 * exp(0.4 * z + 0.1 * z * z));
			}
			for (int i = 0; i < STEPS; i++)
				sum += rnn_quantile_bound(&cfg, q, (i + 0.5) / STEPS) / STEPS;
			CHECK_NEAR(rnn_quantile_mean(&cfg, q), sum, 5e-4);
			CHECK(rnn_quantile_mean(&cfg, q) > q[RNN_MEDIAN]);
			for (int i = 0; i < RNN_QUANTILES; i++)
				q[i] = 7;
			CHECK(rnn_quantile_mean(&cfg, q) == 7);
		}
}

/* A wide interval of logarithms has a mean all the same, and nothing of it is far below 0. */
static void
test_tails(void)
{
	rnn_config	cfg = with(RNN_TRANSFORM_LOG, NAN);
	double		q[RNN_QUANTILES],
				far[2];
	rnn_place	places[2] = {rnn_place_of(0.999), rnn_place_of(0.001)};

	printf("- tails end in the units of the series\n");
	for (int k = 0; k < RNN_QUANTILES; k++)
		q[k] = exp(2 * rnn_normal_score(rnn_quantile_levels[k]));
	for (int kind = 0; kind < 2; kind++)
	{
		cfg.transform = kind == 0 ? RNN_TRANSFORM_LOG : RNN_TRANSFORM_ASINH;
		cfg.pivot = 1e-3;
		rnn_quantiles_in(&cfg, q, places, 2, far);
		/* exp(2) is the mean of this log-normal distribution. */
		CHECK(fabs(rnn_quantile_mean(&cfg, q) / exp(2) - 1) < 0.2);
		CHECK(far[0] > q[RNN_QUANTILES - 1] && far[0] < 4 * q[RNN_QUANTILES - 1]);
		CHECK(far[1] < q[0] && far[1] > -3 * q[RNN_MEDIAN]);
	}
}

int
main(void)
{
	test_inverse();
	test_gaps();
	test_bounds();
	test_lambda();
	test_rest();
	test_own_rest();
	test_constant();
	test_commutes(false);
	test_commutes(true);
	test_filled();
	TEST(test_mean);
	TEST(test_tails);
	return check_summary("transform");
}
