/*
 * references.c
 *		The bank of references.
 *
 * A reference is a forecast that needs no training: naive, drift, exponential
 * smoothing with and without a damped trend, on the series, less its seasonal
 * profiles, or on logarithms.  mix.c weighs them.
 *
 * Everything uses x[0..n) alone.  Work per origin is bounded: the last 400
 * points for levels and slopes, and twelve of the longest season for profiles.
 */
#include "bank/references.h"

#include <math.h>
#include <string.h>

#define LEAST_REACH 2400

typedef enum Slope { SLOPE_NONE, SLOPE_MEAN, SLOPE_OLS, SLOPE_HALF } Slope;

typedef struct Smoother
{
	const char *name;
	bool		log;
	double		rho;			/* of the seasonal profile, 0: no profile */
	double		alpha;			/* of the level */
	Slope		slope;
	double		phi;			/* damping, 1: linear */
} Smoother;

static const Smoother smoothers[RNN_SMOOTHERS] = {
	{"naive", false, 0, 1, SLOPE_NONE, 1},
	{"ses", false, 0, 0.3, SLOPE_NONE, 1},
	{"drift", false, 0, 1, SLOPE_MEAN, 1},
	{"ses_damped", false, 0, 0.3, SLOPE_OLS, 0.9},
	{"season_ses", false, 0.6, 0.3, SLOPE_NONE, 1},
	{"season_fast", false, 0.6, 0.7, SLOPE_NONE, 1},
	{"season_damped", false, 0.6, 1, SLOPE_OLS, 0.9},
	{"log_drift", true, 0.6, 0.3, SLOPE_MEAN, 1},
	{"log_half", true, 0.95, 0.3, SLOPE_HALF, 1},
	{"season_slow", false, 0.95, 0.1, SLOPE_NONE, 1},
};

const char *const rnn_smoother_names[RNN_SMOOTHERS] = {
	"naive", "ses", "drift", "ses_damped", "season_ses", "season_fast",
	"season_damped", "log_drift", "log_half", "season_slow"
};

int64_t
rnn_mix_reach(const int *seasons, int n_seasons, int h)
{
	int64_t		longest = seasons[n_seasons - 1];

	return rnn_max(LEAST_REACH, (SEASONS_KEPT + 1) * longest + LEVEL_POINTS) + (ORIGINS + 1) * (int64_t) h;
}

int64_t
references_tail(int64_t n, const int *seasons, int n_seasons)
{
	int64_t		need = LEVEL_POINTS;

	if (n_seasons > 1)
		need = rnn_max(need, (int64_t) SEASONS_KEPT * seasons[n_seasons - 1]);
	return rnn_min(n, need);
}

/*
 * Seasonal profile (m) of z (n): the last K seasons, each less its mean and
 * the slope between neighbouring means, averaged with weights rho^k, k = 0 the
 * latest.  p[0] is the phase of point n - m.
 */
static void
profile(const double *z, int64_t n, int64_t m, double rho, double *p)
{
	int64_t		K = rnn_min(n / m, SEASONS_KEPT);
	double		mean[SEASONS_KEPT],
				weight = 1,
				total = 0;

	for (int64_t k = 0; k < K; k++)
	{
		const double *block = z + n - (k + 1) * m;
		double		sum = 0;

		for (int64_t i = 0; i < m; i++)
			sum += block[i];
		mean[k] = sum / m;
		total += weight;
		weight *= rho;
	}
	memset(p, 0, sizeof(double) * m);
	weight = 1 / total;
	for (int64_t k = 0; k < K; k++)
	{
		const double *restrict block = z + n - (k + 1) * m;
		int64_t		a = k + 1 < K ? k : K - 2;	/* the oldest season borrows its slope */
		double		slope = K > 1 ? (mean[a] - mean[a + 1]) / m : 0,
					base = mean[k] - slope * (m - 1) / 2;

		for (int64_t i = 0; i < m; i++)
			p[i] += weight * (block[i] - base - slope * i);
		weight *= rho;
	}
}

/*
 * d (L): the last L points of z (n) less their profiles; ahead (h): the
 * profiles over the horizon.  Shorter seasons first, longer ones on the
 * remainder and shrunk.  False where no season has two full periods.
 */
static bool
deseasonalise(const double *z, int64_t n, int h, const int *seasons, int n_seasons,
			  double rho, double *d, int64_t L, double *ahead, double *p)
{
	bool		found = false;

	memcpy(d, z + n - L, sizeof(double) * L);
	memset(ahead, 0, sizeof(double) * h);
	for (int s = 0; s < n_seasons; s++)
	{
		int64_t		m = seasons[s],
					K = rnn_min(n / m, SEASONS_KEPT),
					phase;
		double		shrink = s > 0 ? K / (K + 0.5) : 1;

		if (m < 2 || n < 2 * m)
			continue;
		/* The first season may look further back than the tail. */
		if (found)
			profile(d, L, m, rho, p);
		else
			profile(z, n, m, rho, p);
		for (int64_t i = 0; s > 0 && i < m; i++)
			p[i] *= shrink;
		phase = (m - L % m) % m;
		for (int64_t i = 0; i < L; i++)
		{
			d[i] -= p[phase];
			phase = phase + 1 == m ? 0 : phase + 1;
		}
		phase = 0;
		for (int j = 0; j < h; j++)
		{
			ahead[j] += p[phase];
			phase = phase + 1 == m ? 0 : phase + 1;
		}
		found = true;
	}
	return found;
}

/* Exponentially weighted level of the last points of d (L). */
static double
level_of(const double *d, int64_t L, double alpha)
{
	double		w = 1,
				sum = 0,
				total = 0;

	if (alpha >= 1)
		return d[L - 1];
	for (int64_t i = L - 1; i >= 0 && w > 1e-18; i--)
	{
		sum += w * d[i];
		total += w;
		w *= 1 - alpha;
	}
	return sum / total;
}

static double
slope_of(const double *d, int64_t L, Slope slope, int season)
{
	int64_t		k;
	double		sum = 0,
				squares = 0;

	if (slope == SLOPE_NONE)
		return 0;
	if (slope == SLOPE_MEAN)
		return (d[L - 1] - d[0]) / (double) rnn_max(L - 1, 1);
	k = rnn_min(L, rnn_max(2 * (int64_t) season, 24));
	if (k <= 2)
		return 0;
	for (int64_t i = 0; i < k; i++)
	{
		double		t = i - (k - 1) / 2.0;

		sum += t * d[L - k + i];
		squares += t * t;
	}
	return sum / squares * (slope == SLOPE_HALF ? 0.5 : 1);
}

/* out (h): level and trend, corrected for the lag of the smoothing, plus ahead. */
static void
extrapolate(const Smoother *s, const double *d, int64_t L, int h, int season,
			const double *ahead, double *out)
{
	double		level = level_of(d, L, s->alpha),
				b = slope_of(d, L, s->slope, season),
				damp = 1;

	level += (1 - s->alpha) / s->alpha * b;
	for (int j = 0; j < h; j++)
	{
		double		step = b * (j + 1);

		if (s->phi != 1)
		{
			damp *= s->phi;
			step = b * s->phi * (1 - damp) / (1 - s->phi);
		}
		out[j] = level + step + (ahead ? ahead[j] : 0);
	}
}

static void
smooth_group(const Bank *bank, int64_t n, int h, double top, bool log, double rho,
			 double *ref, int64_t stride, bool *present)
{
	const double *z = log ? bank->logs : bank->x,
			   *tail;
	int64_t		L = references_tail(n, bank->seasons, bank->n_seasons),
				points = rnn_min(L, LEVEL_POINTS);

	if (rho > 0)
	{
		if (!deseasonalise(z, n, h, bank->seasons, bank->n_seasons, rho, bank->d, L, bank->ahead, bank->p))
			return;
		tail = bank->d + L - points;
	}
	else
		tail = z + n - points;
	for (int i = 0; i < RNN_SMOOTHERS; i++)
	{
		double	   *out = ref + (RNN_MAX_SEASONS + i) * stride;

		if (smoothers[i].log != log || smoothers[i].rho != rho)
			continue;
		extrapolate(&smoothers[i], tail, points, h, bank->seasons[0], rho > 0 ? bank->ahead : NULL, out);
		for (int j = 0; log && j < h; j++)
			out[j] = exp(fmin(fmax(out[j], -50), top));
		present[RNN_MAX_SEASONS + i] = true;
	}
}

void
references_at(const Bank *bank, int64_t n, int h, bool positive, double top,
			  double *ref, int64_t stride, bool *present)
{
	memset(present, 0, sizeof(bool) * RNN_LEAST_REFS);
	for (int s = 0; s < bank->n_seasons; s++)
	{
		int64_t		m = bank->seasons[s],
					phase = 0;
		double	   *out = ref + s * stride;

		present[s] = true;
		for (int j = 0; j < h; j++)
		{
			out[j] = m <= n ? bank->x[n - m + phase] : bank->x[n - 1];
			phase = phase + 1 == m ? 0 : phase + 1;
		}
	}
	smooth_group(bank, n, h, top, false, 0, ref, stride, present);
	smooth_group(bank, n, h, top, false, 0.6, ref, stride, present);
	smooth_group(bank, n, h, top, false, 0.95, ref, stride, present);
	if (positive)
	{
		smooth_group(bank, n, h, top, true, 0.6, ref, stride, present);
		smooth_group(bank, n, h, top, true, 0.95, ref, stride, present);
	}
	for (int r = 0; r < RNN_LEAST_REFS; r++)
		for (int j = 0; !present[r] && j < h; j++)
			ref[r * stride + j] = bank->x[n - 1];
}
