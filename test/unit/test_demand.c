/*
 * test_demand.c
 *		Forecasts of series that are often 0, and of those that only look so.
 */
#include "check.h"
#include "trained.h"

#include <math.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#define Q RNN_QUANTILES
#define N 700
#define H 12

static double x[N + H];

/* The same without bounds: what the values of the series have no share in. */
static rnn_model
without_values(rnn_model m)
{
	m.config.lower = -HUGE_VAL;
	return m;
}

/* Whether the values have a share: of quantiles (horizon,Q) and those without one, bounded. */
static bool
have_share(const rnn_model *m, int n)
{
	rnn_model	plain = without_values(*m);
	double	   *q = forecast_series(m, x, n, H),
			   *p = forecast_series(&plain, x, n, H);
	bool		differ = false;

	for (int k = 0; k < H * Q; k++)
		differ |= q[k] != fmax(p[k], 0);
	free(q), free(p);
	return differ;
}

static void
make_demand(double rate, uint64_t seed)
{
	rnn_rng		r;

	rnn_rng_seed(&r, seed, 0);
	for (int i = 0; i < N + H; i++)
	{
		double		size = ceil(-5 * log(1 - rnn_rng_uniform(&r)));

		x[i] = rnn_rng_uniform(&r) < rate ? size : 0;
	}
}

/* The smallest value that so much of the weights isn't above. */
static double
value_at(int n, int at, int season, double p)
{
	double		best = INFINITY;

	for (int c = n - 400; c < n; c++)
	{
		double		all = 0,
					upto = 0;

		for (int i = n - 400; i < n; i++)
		{
			double		w = ((at - i) % season == 0 ? 3.0 : 1.0) / (10 + n - 1 - i);

			all += w;
			upto += x[i] <= x[c] ? w : 0;
		}
		if (upto >= p * all * (1 - 1e-9))
			best = fmin(best, x[c]);
	}
	return best;
}

/* Orders that nothing tells of: the values' quantiles have the same share, and most of it, in each of the forecast's. */
static void
test_values(void)
{
	rnn_model	m = mix_model(H, 12),
				plain = without_values(m);
	double	   *q,
			   *p,
				share = NAN;

	make_demand(0.25, 1);
	q = forecast_series(&m, x, N, H);
	p = forecast_series(&plain, x, N, H);
	for (int j = 0; j < H; j += 5)
		for (int k = Q - 1; k >= 0; k--)
		{
			double		own = value_at(N, N + j, 12, rnn_quantile_levels[k]),
						without = fmax(p[j * Q + k], 0);

			share = isnan(share) ? (q[j * Q + k] - without) / (own - without) : share;
			CHECK(fabs(q[j * Q + k] - ((1 - share) * without + share * own)) < 1e-9);
		}
	CHECK(share > 0.5 && share < 1 + 1e-9);
	free(q), free(p);
}

/* Sums of means over many series come near what they bring, which those of the mix alone don't. */
static void
test_means(void)
{
	rnn_model	m = mix_model(H, 12),
				plain = without_values(m);
	double		sum = 0,
				before = 0,
				came = 0;

	for (int s = 0; s < 100; s++)
	{
		double	   *q,
				   *p;

		make_demand(0.05 + 0.005 * s, 10 + s);
		q = forecast_series(&m, x, N, H);
		p = forecast_series(&plain, x, N, H);
		for (int j = 0; j < H; j++)
		{
			/* 5.5 is the mean of these sizes, to the next digit. */
			came += (0.05 + 0.005 * s) / (1 - exp(-0.2));
			sum += rnn_quantile_mean(&m.config, q + j * Q);
			for (int k = 0; k < Q; k++)
				p[j * Q + k] = fmax(p[j * Q + k], 0);
			before += rnn_quantile_mean(&m.config, p + j * Q);
		}
		free(q), free(p);
	}
	CHECK(fabs(sum / came - 1) < 0.08);
	CHECK(fabs(before / came - 1) > 0.15);
}

/* What is asked for doesn't change what is said of the first steps. */
static void
test_horizons(void)
{
	rnn_model	m = mix_model(H, 12);
	double	   *whole,
			   *part,
			   *longer;

	make_demand(0.4, 3);
	whole = forecast_series(&m, x, N, H);
	part = forecast_series(&m, x, N, 3);
	longer = forecast_series(&m, x, N, 3 * H);
	CHECK(have_share(&m, N));
	for (int k = 0; k < H * Q; k++)
	{
		CHECK(k >= 3 * Q || part[k] == whole[k]);
		CHECK(longer[k] == whole[k]);
	}
	free(whole), free(part), free(longer);
}

/* Nights without sun, a season of two months, demand that begins: something tells more than the values do. */
static void
test_told(void)
{
	rnn_model	hours = mix_model(H, 24),
				months = mix_model(H, 12);
	rnn_rng		r;

	rnn_rng_seed(&r, 4, 0);
	for (int i = 0; i < N; i++)
		x[i] = fmax(sin(6.283185307 * i / 24) - 0.2, 0) * (80 + 20 * rnn_rng_uniform(&r));
	CHECK(!have_share(&hours, N));
	for (int i = 0; i < N; i++)
		x[i] = i % 12 >= 10 ? rint(90 + 10 * rnn_rng_normal(&r)) : 0;
	CHECK(!have_share(&months, 300));
	for (int i = 0; i < N; i++)
		x[i] = i < 200 ? 0 : rint(50 + 5 * rnn_rng_normal(&r));
	CHECK(!have_share(&months, 300));
}

/* Few zeros, values below 0, and covariates that change. */
static void
test_others(void)
{
	rnn_covariate promotion = {.role = RNN_AHEAD,.scale = 1},
				shop = {.role = RNN_STATIC,.scale = 1};
	rnn_model	m = mix_model(H, 12),
				other;

	make_demand(0.25, 5);
	CHECK(have_share(&m, N));
	other = m;
	other.config.covariates = (rnn_covariates) {.n = 1,.list = &promotion};
	CHECK(!have_share(&other, N));
	other.config.covariates.list = &shop;
	CHECK(have_share(&other, N));
	x[N - 5] = -1;
	m.config.lower = 0;
	CHECK(!have_share(&m, N));
	make_demand(0.95, 6);
	CHECK(!have_share(&m, N));
}

/* ------------------------------------------------------------------ stopping */

#define MANY 32					/* that are forecast together */
#define LONG 40000
#define FAR 1000

static volatile sig_atomic_t raised;

static void
raise_flag(int number)
{
	(void) number;
	raised = 1;
}

/* Of all series at once, with the flag raised after so much processor time; 0: never.  Takes how long. */
static rnn_status
forecast_many(const rnn_model *m, double after, double *took)
{
	rnn_series	s[MANY];
	size_t		size;
	void	   *block;
	double	   *out = malloc(sizeof(double) * MANY * FAR * Q),
			   *far = malloc(sizeof(double) * LONG);
	clock_t		begun;
	rnn_error	err;
	rnn_status	status;

	for (int i = 0; i < MANY; i++)
		s[i] = (rnn_series) {.n = LONG,.x = far};
	for (int i = 0; i < LONG; i++)
		far[i] = x[i % N];
	CHECK(rnn_forecast_size(m, MANY, LONG, FAR, &size, &err) == RNN_OK);
	block = malloc(size);
	raised = 0;
	begun = clock();
	setitimer(ITIMER_VIRTUAL, &(struct itimerval) {.it_value = {(time_t) after, (suseconds_t) (1e6 * fmod(after, 1))}}, NULL);
	status = rnn_forecast(m, s, MANY, FAR, block, size, out, &err);
	*took = (double) (clock() - begun) / CLOCKS_PER_SEC;
	free(block), free(out), free(far);
	return status;
}

/* Shares are found when all else is there: that takes its time, too. */
static void
test_stop(void)
{
	rnn_model	m = mix_model(H, FAR);
	rnn_stop	stop = {{&raised, &raised}};
	double		whole,
				took;

	printf("- a forecast can be stopped while values get their share\n");
	signal(SIGVTALRM, raise_flag);
	make_demand(0.3, 5);
	m.config.horizon = FAR;
	m.stop = &stop;
	CHECK(forecast_many(&m, 0, &whole) == RNN_OK);
	CHECK(forecast_many(&m, 0.75 * whole, &took) == RNN_ERR_STOPPED);
	printf("  after %.2f s, of %.2f s\n", took, whole);
}

int
main(void)
{
	TEST(test_values);
	TEST(test_means);
	TEST(test_horizons);
	TEST(test_told);
	TEST(test_others);
	TEST(test_stop);
	return check_summary("test_demand");
}
