/*
 * test_trading.c
 *		What the days of months add: found where it is, left alone where it is not,
 *		and what forecasts gain by it.
 */
#include "check.h"
#include "trained.h"

#include <math.h>

#define Q RNN_QUANTILES
#define MOST 240
#define H 12

typedef struct Golden
{
	const char *title;
	int			n;
	const char *days;			/* (n, RNN_DAYS) digits */
	double		x[MOST],
				planted[RNN_DAYS],
				weight[RNN_DAYS];
} Golden;

static const Golden goldens[] = {
#include "golden_trading.h"
};

#define GOLDENS ((int) (sizeof(goldens) / sizeof(goldens[0])))

static uint8_t days[GOLDENS][MOST * RNN_DAYS];

static rnn_series
series_of(int i, int n)
{
	for (int k = 0; k < goldens[i].n * RNN_DAYS; k++)
		days[i][k] = (uint8_t) (goldens[i].days[k] - '0');
	return (rnn_series) {.n = n,.x = goldens[i].x,.days_rows = goldens[i].n,.days = days[i]};
}

static double
size_of(const double *w)
{
	double		sum = 0;

	for (int k = 0; k < RNN_DAYS; k++)
		sum += fabs(w[k]);
	return sum;
}

static void
test_goldens(void)
{
	printf("- as numpy finds it\n");
	for (int i = 0; i < GOLDENS; i++)
	{
		rnn_series	s = series_of(i, goldens[i].n);

		CHECK(rnn_trading_factor(&s, 3) == 1);
		rnn_trading_fit(&s);
		for (int k = 0; k < RNN_DAYS; k++)
			CHECK(fabs(s.trading[k] - goldens[i].weight[k]) < 1e-9);
		printf("  %s: %.4f planted, %.4f found\n", goldens[i].title, size_of(goldens[i].planted), size_of(s.trading));
	}
}

/* Known points alone, in any unit; what a month is multiplied by is what was planted, nearly. */
static void
test_fit(void)
{
	static double x[MOST];
	rnn_series	s = series_of(0, 120),
				other = s;
	double		error = 0,
				size = 0;

	printf("- of known points in any unit\n");
	rnn_trading_fit(&s);
	/* What a month differs by from that of the year before: the rest is a season's. */
	for (int row = 12; row < 120; row++)
	{
		double		planted = 0;

		for (int k = 0; k < RNN_DAYS; k++)
			planted += goldens[0].planted[k] * (s.days[row * RNN_DAYS + k] - s.days[(row - 12) * RNN_DAYS + k]);
		error += fabs(log(rnn_trading_factor(&s, row) / rnn_trading_factor(&s, row - 12)) - planted);
		size += fabs(planted);
	}
	printf("  planted %.4f, error %.4f\n", size / 108, error / 108);
	CHECK(error < 0.2 * size);
	other.x = x;
	for (int i = 0; i < 120; i++)
		x[i] = 1e-7 * s.x[i];
	rnn_trading_fit(&other);
	for (int k = 0; k < RNN_DAYS; k++)
		CHECK(fabs(other.trading[k] - s.trading[k]) < 1e-9);
	x[50] = x[51] = x[90] = NAN;
	rnn_trading_fit(&other);
	for (int k = 0; k < RNN_DAYS; k++)
		CHECK(other.trading[k] != s.trading[k] && fabs(other.trading[k] - s.trading[k]) < 0.01);
}

/* Without days, with too few points, with one at 0 or below, and where nothing ever changes. */
static void
test_none(void)
{
	static double x[MOST];
	static const double bad[] = {0, -3};
	rnn_series	s = series_of(0, 120);

	printf("- where there is none\n");
	s.days = NULL;
	rnn_trading_fit(&s);
	CHECK(size_of(s.trading) == 0 && rnn_trading_factor(&s, 5) == 1);
	for (int n = 1; n <= 40; n++)
	{
		s = series_of(0, n);
		rnn_trading_fit(&s);
		CHECK(n > 35 || size_of(s.trading) == 0);
	}
	s = series_of(0, 120);
	s.x = x;
	for (int k = 0; k < 2; k++)
	{
		memcpy(x, goldens[0].x, sizeof(double) * 120);
		x[40] = bad[k];
		rnn_trading_fit(&s);
		CHECK(size_of(s.trading) == 0);
	}
	for (int i = 0; i < 120; i++)
		x[i] = 7;
	rnn_trading_fit(&s);
	CHECK(size_of(s.trading) == 0);
	/* Huge steps stay within bounds. */
	for (int i = 0; i < 120; i++)
		x[i] = i % 3 == 1 ? 1e300 : 1e-300;
	rnn_trading_fit(&s);
	for (int i = 0; i < 125; i++)
		CHECK(fabs(log(rnn_trading_factor(&s, i))) < 0.51);
}

static double
error_of(int i, bool trading)
{
	rnn_model	m = mix_model(H, 12);
	double		out[H * Q],
				sum = 0;

	m.config.trading_days = trading;
	for (int back = H; back <= 3 * H; back += H / 2)
	{
		rnn_series	s = series_of(i, goldens[i].n - back);
		size_t		size;
		void	   *block;
		rnn_error	err;

		CHECK(rnn_forecast_size(&m, 1, s.n, H, &size, &err) == RNN_OK);
		block = malloc(size);
		CHECK(rnn_forecast(&m, &s, 1, H, block, size, out, &err) == RNN_OK);
		for (int j = 0; j < H; j++)
			sum += fabs(log(out[j * Q + RNN_MEDIAN] / goldens[i].x[s.n + j]));
		free(block);
	}
	return sum;
}

static void
test_gain(void)
{
	printf("- what forecasts gain\n");
	for (int i = 0; i < GOLDENS; i++)
	{
		double		with = error_of(i, true),
					without = error_of(i, false);

		printf("  %s: %.3f of the error without\n", goldens[i].title, with / without);
		CHECK(with < (size_of(goldens[i].planted) == 0 ? 1.02 : 0.98) * without);
	}
}

/* A series that is followed is fitted again at each end, to the points before it. */
static void
test_follow(void)
{
	rnn_model	m = mix_model(H, 12);
	rnn_series	whole = series_of(0, 120);
	double		followed[H],
				out[H * Q];
	size_t		size,
				own;
	void	   *block,
			   *room;
	rnn_follower *follower;
	rnn_error	err;

	printf("- followed as forecast\n");
	m.config.trading_days = true;
	CHECK(rnn_follow_size(&m, 120, H, &size, &err) == RNN_OK && rnn_forecast_size(&m, 1, 120, H, &own, &err) == RNN_OK);
	block = malloc(size);
	room = malloc(own);
	CHECK(rnn_follow_begin(&m, &whole, H, block, size, &follower, &err) == RNN_OK);
	for (int e = 60; e < 120; e += 7)
	{
		rnn_series	s = series_of(0, e);

		for (int k = e - 7; k < e; k++)
			rnn_follow_take(follower, k, whole.x[k]);
		CHECK(rnn_follow_next(follower, e, followed, &err) == RNN_OK);
		CHECK(rnn_forecast(&m, &s, 1, H, room, own, out, &err) == RNN_OK);
		for (int j = 0; j < H; j++)
			CHECK_NEAR(followed[j], out[j * Q + RNN_MEDIAN], 1e-9);
	}
	free(block), free(room);
}

int
main(void)
{
	rnn_engine_init(-1);
	TEST(test_goldens);
	TEST(test_fit);
	TEST(test_none);
	TEST(test_gain);
	TEST(test_follow);
	return check_summary("trading");
}
