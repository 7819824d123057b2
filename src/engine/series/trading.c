/*
 * trading.c
 *		How the days of each month move a monthly series: a shop sells more in a
 *		month of five Saturdays, a slaughterhouse works on weekdays, and Easter is
 *		in March or in April.
 *
 *		d log x = d days . w		d y = y(t) - y(t - 1) - y(t - 12) + y(t - 13)
 *
 * Differences have neither level nor profile.  Regressions on trading days and on
 * Easter are what official statistics adjust months by (Young 1965; Bell and
 * Hillmer 1983), there by tests and maximum likelihood; here by ridge regression,
 * whose ridge is chosen by generalised cross-validation (Golub, Heath and Wahba
 * 1979), and which is none where that says so.  An equation that is far off counts
 * less, first by its own size and then by what a first fit leaves of it.
 */
#include "series/series.h"
#include "base/root.h"

#include <math.h>
#include <string.h>

#define K RNN_DAYS
#define YEAR 12
#define REACH (YEAR + 1)		/* points before one that its difference looks at */
#define POINTS 600				/* the last ones, which any history that is kept has */
#define LEAST 23				/* equations */
#define PASSES 2
#define RIDGES 10
#define CAUTION 1.3				/* times as much for each number that is fitted as cross-validation says, for months that no day moves */
#define MOST 0.5				/* of the logarithm, that a month differs by */

static const double ridges[RIDGES] = {0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100};	/* of the mean square */

/* Of the equations by their weights: squares and products of terms, and with what they are to say. */
typedef struct Sums
{
	double		a[K * K],		/* lower half */
				b[K],
				squares;		/* of that */
	int64_t		n;
} Sums;

/* Days of each kind that a month has on average: 146,097 in 400 years, and Easter's five in each. */
static double
usual(int k)
{
	return k < 7 ? 146097 / 4800.0 / 7 : 5 / 12.0;
}

static double
difference(const double *x, int64_t row)
{
	return log(x[row] / x[row - 1]) - log(x[row - YEAR] / x[row - REACH]);
}

static void
difference_days(const rnn_series *s, int64_t row, double *d)
{
	const uint8_t *now = s->days + row * K;

	for (int k = 0; k < K; k++)
		d[k] = now[k] - now[k - K] - now[k - YEAR * K] + now[k - REACH * K];
}

static double
rest_of(double y, const double *d, const double *w)
{
	for (int k = 0; k < K; k++)
		y -= w[k] * d[k];
	return y;
}

static int64_t
first_of(const rnn_series *s)
{
	return rnn_max(s->n - POINTS, 0) + REACH;
}

/* The mean size of what weights leave of the equations. */
static double
mean_size(const rnn_series *s, const double *w, int64_t *n)
{
	double		d[K],
				sum = 0;

	*n = 0;
	for (int64_t row = first_of(s); row < s->n; row++)
	{
		double		y = difference(s->x, row);

		if (isnan(y))
			continue;
		difference_days(s, row, d);
		sum += fabs(rest_of(y, d, w));
		++*n;
	}
	return *n > 0 ? sum / (double) *n : 0;
}

static void
add_up(const rnn_series *s, const double *w, Sums *sums)
{
	double		d[K],
				size;

	memset(sums, 0, sizeof(*sums));
	size = mean_size(s, w, &sums->n);
	for (int64_t row = first_of(s); row < s->n && size > 0; row++)
	{
		double		y = difference(s->x, row),
					weight;

		if (isnan(y))
			continue;
		difference_days(s, row, d);
		weight = 1 / fmax(fabs(rest_of(y, d, w)) / size, 1);
		for (int i = 0; i < K; i++)
		{
			for (int j = 0; j <= i; j++)
				sums->a[i * K + j] += weight * d[i] * d[j];
			sums->b[i] += weight * d[i] * y;
		}
		sums->squares += weight * y * y;
	}
}

/* Weights by a ridge; what cross-validation expects of them. */
static double
solve(const Sums *sums, double ridge, double *w)
{
	double		f[K * K],
				scratch[2 * K],
				fitted,
				rest = sums->squares;

	root_ridge(sums->a, K, ridge, f);
	memcpy(w, sums->b, sizeof(double) * K);
	root_solve(f, K, K, 1, w, 1);
	/* (A + ridge) w = b, so what is left is y^2 - w b - ridge |w|^2. */
	for (int k = 0; k < K; k++)
		rest -= w[k] * (sums->b[k] + ridge * w[k]);
	fitted = K - ridge * root_inverse_trace(f, K, scratch);
	return rest / pow(1 - fmin(CAUTION * fitted / (double) sums->n, 0.9), 2);
}

/* The best weights, or none. */
static void
choose(const Sums *sums, double *best)
{
	double		least = sums->squares,
				mean = 0,
				w[K];

	memset(best, 0, sizeof(double) * K);
	for (int k = 0; k < K; k++)
		mean += sums->a[k * K + k] / K;
	for (int r = 0; r < RIDGES && mean > 0; r++)
	{
		double		expected = solve(sums, ridges[r] * mean, w);

		if (!(expected < least))
			continue;
		least = expected;
		memcpy(best, w, sizeof(w));
	}
}

static bool
may_be_moved(const rnn_series *s)
{
	if (s->days == NULL || s->days_rows < s->n)
		return false;
	for (int64_t i = rnn_max(s->n - POINTS, 0); i < s->n; i++)
		if (s->x[i] <= 0)
			return false;
	return true;
}

void
rnn_trading_fit(rnn_series *s)
{
	Sums		sums;

	memset(s->trading, 0, sizeof(s->trading));
	if (!may_be_moved(s))
		return;
	for (int pass = 0; pass < PASSES; pass++)
	{
		add_up(s, s->trading, &sums);
		if (sums.n < LEAST || !isfinite(sums.squares))
			return;
		choose(&sums, s->trading);
	}
}

double
rnn_trading_factor(const rnn_series *s, int64_t row)
{
	double		sum = 0;

	if (s->days == NULL)
		return 1;
	for (int k = 0; k < K && row < s->days_rows; k++)
		sum += s->trading[k] * (s->days[row * K + k] - usual(k));
	return exp(fmin(fmax(sum, -MOST), MOST));
}
