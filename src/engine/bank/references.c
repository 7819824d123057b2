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
#define REVERT_ALPHA 0.3		/* of the level that returns to its mean */

typedef enum Slope { SLOPE_NONE, SLOPE_MEAN, SLOPE_OLS, SLOPE_HALF } Slope;

static const double rhos[RHOS] = {0.6, 0.95};

typedef struct Smoother
{
	const char *name;
	bool		log;
	Profile		profile;
	double		alpha;			/* of the level */
	Slope		slope;
	double		phi;			/* damping, 1: linear */
} Smoother;

static const Smoother smoothers[RNN_SMOOTHERS] = {
	{"naive", false, NO_PROFILE, 1, SLOPE_NONE, 1},
	{"ses", false, NO_PROFILE, 0.3, SLOPE_NONE, 1},
	{"drift", false, NO_PROFILE, 1, SLOPE_MEAN, 1},
	{"ses_damped", false, NO_PROFILE, 0.3, SLOPE_OLS, 0.9},
	{"season_ses", false, FAST, 0.3, SLOPE_NONE, 1},
	{"season_fast", false, FAST, 0.7, SLOPE_NONE, 1},
	{"season_damped", false, FAST, 1, SLOPE_OLS, 0.9},
	{"log_drift", true, FAST, 0.3, SLOPE_MEAN, 1},
	{"log_half", true, SLOW, 0.3, SLOPE_HALF, 1},
	{"season_slow", false, SLOW, 0.1, SLOPE_NONE, 1},
};

const char *const rnn_smoother_names[RNN_SMOOTHERS] = {
	"naive", "ses", "drift", "ses_damped", "season_ses", "season_fast",
	"season_damped", "log_drift", "log_half", "season_slow"
};

int64_t
rnn_mix_reach(const int *seasons, int n_seasons, int h)
{
	int64_t		longest = seasons[n_seasons - 1];

	return rnn_max(LEAST_REACH, (SEASONS_KEPT + 1) * longest + LEVEL_POINTS) + (rnn_mix_origins(h) + 1) * (int64_t) h;
}

int64_t
references_tail(int64_t n, const int *seasons, int n_seasons)
{
	int64_t		need = LEVEL_POINTS;

	if (n_seasons > 1)
		need = rnn_max(need, (int64_t) SEASONS_KEPT * seasons[n_seasons - 1]);
	return rnn_min(n, need);
}

static INLINE double
mean_of(const double *x, int64_t n)
{
	double		sum[SIDE] = {0},
				share = 1 / (double) n;
	int64_t		i = 0;

	for (; i + SIDE <= n; i += SIDE)
		for (int k = 0; k < SIDE; k++)
			sum[k] += x[i + k] * share;
	for (int k = 0; i + k < n; k++)
		sum[k] += x[i + k] * share;
	return all_sides(sum);
}

/*
 * Seasonal profiles (m) of z (n), one for each rho: the last K seasons, each less
 * its mean and the slope between neighbouring means, averaged with weights
 * rho^k, k = 0 the latest.  p[.][0] is the phase of point n - m.
 */
static WIDE void
profiles(const double *z, int64_t n, int64_t m, double *const *p)
{
	int64_t		K = rnn_min(n / m, SEASONS_KEPT);
	double		mean[SEASONS_KEPT],
				weight[RHOS],
				total[RHOS] = {0};

	for (int64_t k = K - 1; k >= 0; k--)
		mean[k] = mean_of(z + n - (k + 1) * m, m);
	for (int r = 0; r < RHOS; r++)
	{
		weight[r] = 1;
		for (int64_t k = 0; k < K; k++, weight[r] *= rhos[r])
			total[r] += weight[r];
		weight[r] = 1 / total[r];
		memset(p[r], 0, sizeof(double) * m);
	}
	for (int64_t k = 0; k < K; k++)
	{
		const double *restrict block = z + n - (k + 1) * m;
		double	   *restrict fast = p[0],
				   *restrict slow = p[1];
		int64_t		a = k + 1 < K ? k : K - 2;	/* the oldest season borrows its slope */
		double		slope = K > 1 ? (mean[a] - mean[a + 1]) / m : 0,
					base = mean[k] - slope * (m - 1) / 2;

		for (int i = 0; i < (int) m; i++)
		{
			double		v = block[i] - base - slope * i;

			fast[i] += weight[0] * v;
			slow[i] += weight[1] * v;
		}
		for (int r = 0; r < RHOS; r++)
			weight[r] *= rhos[r];
	}
}

/*
 * p (m), a profile of z, becomes that of z less the profile `before` (of season f):
 * profiles are linear.  Of a season that divides m it is itself, less its mean.
 */
static void
subtract_profile(const Bank *bank, int64_t n, const double *restrict before, int64_t f, int rho, int64_t m, double *restrict p)
{
	int64_t		size = rnn_min(n / m, SEASONS_KEPT) * m,
				phase = (f - size % f) % f;
	double	   *tiled = bank->d,
			   *of[RHOS] = {bank->p, bank->p + m},
				mean = 0;

	if (m % f == 0)
	{
		for (int64_t i = 0; i < f; i++)
			mean += before[i] / f;
		for (int64_t at = 0; at < m; at += f)
			for (int64_t i = 0; i < f; i++)
				p[at + i] -= before[i] - mean;
		return;
	}
	for (int64_t i = 0; i < size; i++)
	{
		tiled[i] = before[phase];
		phase = phase + 1 == f ? 0 : phase + 1;
	}
	profiles(tiled, size, m, of);
	for (int64_t i = 0; i < m; i++)
		p[i] -= of[rho][i];
}

/* x (n) plus `sign` times the profile (m), whose first phase is that of x[0]. */
static INLINE void
add_profile(const double *restrict p, int64_t m, double sign, double *restrict x, int64_t n)
{
	for (int64_t at = 0; at < n; at += m)
		for (int64_t i = 0; i < rnn_min(m, n - at); i++)
			x[at + i] += sign * p[i];
}

/* d (points), the last of a series, less the profile; ahead (h) plus it. */
static WIDE void
apply_profile(const double *p, int64_t m, double *d, int64_t points, double *ahead, int h)
{
	int64_t		begun = points % m; /* of a season that lies before the whole ones */

	add_profile(p + m - begun, begun, -1, d, begun);
	add_profile(p, m, -1, d + begun, points - begun);
	add_profile(p, m, 1, ahead, h);
}

/*
 * For each rho, bank->level: the last points of z (n) less their profiles, and
 * bank->ahead: the profiles over the horizon.  Shorter seasons first, longer
 * ones on the remainder and shrunk.  False where no season has two full periods.
 */
static bool
deseasonalise(const Bank *bank, const double *z, int64_t n, int h, int64_t points)
{
	double	   *p[RNN_MAX_SEASONS][RHOS],
			   *room = bank->p + n;	/* the first n are subtract_profile's */
	int64_t		period[RNN_MAX_SEASONS];
	int			found = 0;

	for (int r = 0; r < RHOS; r++)
	{
		memcpy(bank->level[r], z + n - points, sizeof(double) * points);
		memset(bank->ahead[r], 0, sizeof(double) * h);
	}
	for (int s = 0; s < bank->n_seasons; s++)
	{
		int64_t		m = bank->seasons[s],
					K = rnn_min(n / m, SEASONS_KEPT);
		double		shrink = s > 0 ? K / (K + 0.5) : 1;

		if (m < 2 || n < 2 * m)
			continue;
		for (int r = 0; r < RHOS; r++, room += m)
			p[found][r] = room;
		profiles(z, n, m, p[found]);
		for (int r = 0; r < RHOS; r++)
		{
			for (int f = 0; f < found; f++)
				subtract_profile(bank, n, p[f][r], period[f], r, m, p[found][r]);
			for (int64_t i = 0; s > 0 && i < m; i++)
				p[found][r][i] *= shrink;
			apply_profile(p[found][r], m, bank->level[r], points, bank->ahead[r], h);
		}
		period[found++] = m;
	}
	return found > 0;
}

WIDE double
bank_mean(const double *x, int64_t n)
{
	return mean_of(x, n);
}

/* Exponentially weighted level of the last points of d (L). */
static WIDE double
level_of(const double *d, int64_t L, double alpha)
{
	double		sum[SIDE] = {0},
				total[SIDE] = {0},
				w[SIDE],
				fade = 1;

	if (alpha >= 1)
		return d[L - 1];
	for (int k = SIDE - 1; k >= 0; k--, fade *= 1 - alpha)
		w[k] = fade;
	for (; L >= SIDE && w[SIDE - 1] > 1e-18; L -= SIDE)
		for (int k = 0; k < SIDE; k++)
		{
			sum[k] += w[k] * d[L - SIDE + k];
			total[k] += w[k];
			w[k] *= fade;
		}
	for (int k = SIDE - (int) rnn_min(L, SIDE); L < SIDE && k < SIDE; k++)
	{
		sum[k] += w[k] * d[L - SIDE + k];
		total[k] += w[k];
	}
	return all_sides(sum) / all_sides(total);
}

/* The slope of the line through d (n) that errs least. */
static WIDE double
least_squares(const double *d, int64_t n)
{
	double		sum[SIDE] = {0},
				size = (double) n,
				t = (1 - size) / 2; /* of point i, the middle being 0 */
	int64_t		i = 0;

	for (; i + SIDE <= n; i += SIDE, t += SIDE)
		for (int k = 0; k < SIDE; k++)
			sum[k] += (t + k) * d[i + k];
	for (int k = 0; i + k < n; k++)
		sum[k] += (t + k) * d[i + k];
	return all_sides(sum) / (size * (size * size - 1) / 12);
}

static double
slope_of(const double *d, int64_t L, Slope slope, int season)
{
	int64_t		k;

	if (slope == SLOPE_NONE)
		return 0;
	if (slope == SLOPE_MEAN)
		return (d[L - 1] - d[0]) / (double) rnn_max(L - 1, 1);
	k = rnn_min(L, rnn_max(2 * (int64_t) season, 24));
	if (k <= 2)
		return 0;
	return least_squares(d + L - k, k) * (slope == SLOPE_HALF ? 0.5 : 1);
}

/* The level, corrected for the lag of the smoothing; trend (h): how far it goes from there. */
static double
level_and_trend(const Smoother *s, const double *d, int64_t L, int h, int season, double *trend)
{
	double		level = level_of(d, L, s->alpha),
				b = slope_of(d, L, s->slope, season),
				damp = 1;

	for (int j = 0; j < h; j++)
	{
		trend[j] = b * (j + 1);
		if (s->phi != 1)
		{
			damp *= s->phi;
			trend[j] = b * s->phi * (1 - damp) / (1 - s->phi);
		}
	}
	return level + (1 - s->alpha) / s->alpha * b;
}

/* out (h): level, trend, and what lies ahead of the season, NULL: none. */
static void
extrapolate(const Smoother *s, const double *d, int64_t L, int h, int season,
			const double *ahead, double *out)
{
	double		level = level_and_trend(s, d, L, h, season, out);

	for (int j = 0; j < h; j++)
		out[j] = level + out[j] + (ahead ? ahead[j] : 0);
}

/* A level of the series less its seasons that returns to its mean; d is of the slow profile, and so is ahead. */
static bool
revert(const Bank *bank, int64_t n, int h, const double *d, int64_t L, const double *ahead, double *out)
{
	double		level = level_of(d, L, REVERT_ALPHA);

	if (!revert_trend(bank, n, h, level, out))
		return false;
	for (int j = 0; j < h; j++)
		out[j] += level + ahead[j];
	return true;
}

/* The mean of each phase, the last level on top, which fades; bank->p is scratch. */
static bool
season_mean(const Bank *bank, int64_t n, int h, double *out)
{
	double		level;

	if (!season_by_means(bank, n, h, &level, out, bank->p))
		return false;
	for (int j = 0; j < h; j++)
		out[j] += level + bank->p[j % bank->seasons[0]];
	return true;
}

/* The smoothers of the series, or of its logarithms. */
static void
smooth_group(const Bank *bank, int64_t n, int h, double top, bool log, double *ref, int64_t stride, bool *present)
{
	const double *z = log ? bank->logs : bank->x;
	bool		regress = !log && bank->refs > AUTOREGRESSING;
	int64_t		points = rnn_min(n, LEVEL_POINTS),
				all = rnn_min(n, regress ? ANALOGUE_POINTS : LEVEL_POINTS);
	bool		seasonal = deseasonalise(bank, z, n, h, all);

	for (int i = 0; i < RNN_SMOOTHERS; i++)
	{
		const Smoother *s = &smoothers[i];
		double	   *out = ref + (RNN_MAX_SEASONS + i) * stride;

		if (s->log != log || (s->profile != NO_PROFILE && !seasonal))
			continue;
		if (s->profile == NO_PROFILE)
			extrapolate(s, z + n - points, points, h, bank->seasons[0], NULL, out);
		else
			extrapolate(s, bank->level[s->profile] + all - points, points, h, bank->seasons[0], bank->ahead[s->profile], out);
		for (int j = 0; log && j < h; j++)
			out[j] = exp(rnn_within(out[j], -50, top));
		present[RNN_MAX_SEASONS + i] = true;
	}
	if (!log)
		present[REVERTING] = seasonal && bank->refs > REVERTING &&
			revert(bank, n, h, bank->level[SLOW] + all - points, points, bank->ahead[SLOW], ref + REVERTING * stride);
	if (regress)
		autoregressions_at(bank, all, h, ref + AUTOREGRESSING * stride, stride, present + AUTOREGRESSING);
}

void
references_at(const Bank *bank, int64_t n, int h, bool positive, double top,
			  double *ref, int64_t stride, bool *present)
{
	memset(present, 0, sizeof(bool) * RNN_REFS);
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
	smooth_group(bank, n, h, top, false, ref, stride, present);
	if (positive)
		smooth_group(bank, n, h, top, true, ref, stride, present);
	present[REVERTING + 1] = bank->refs > REVERTING + 1 && season_mean(bank, n, h, ref + (REVERTING + 1) * stride);
	for (int r = 0; r < RNN_REFS; r++)
		for (int j = 0; !present[r] && j < h; j++)
			ref[r * stride + j] = bank->x[n - 1];
}

/* ------------------------------------------------------------------ parts */

/* weight (h) x a reference that is a sum, or where it is one of logarithms what each of its terms does. */
static void
add_terms(const Smoother *s, const double *weight, double top, double level, const double *const *term, int terms, int h,
		  double *parts)
{
	double		base = s->log ? exp(fmin(fmax(level, -50), top)) : level;

	for (int j = 0; j < h; j++)
	{
		double		sum = 0,
					factor = 1;

		for (int k = 0; k < terms; k++)
			sum += term[k][j];
		/* The mean of base and result by their logarithms, with which shares add up (Ang 2004). */
		if (s->log)
			factor = fabs(sum) > 1e-12 ? (exp(fmin(fmax(level + sum, -50), top)) - base) / sum : base;
		parts[RNN_PART_LEVEL * h + j] += weight[j] * base;
		for (int k = 0; k < terms; k++)
			parts[(RNN_PART_TREND + k) * h + j] += weight[j] * factor * term[k][j];
	}
}

/*
 * The smoothers of the series or of its logarithms.  The first seasons alone
 * give what the first ones are ahead, so each season is the difference to those
 * before it; ahead is (1 + seasons, RHOS, h), trend (h).
 */
static void
group_parts(const Bank *bank, const rnn_mix *mix, const double *weight, int64_t n, int h, double top, bool log, double *ahead,
			double *trend, double *parts)
{
	const double *z = log ? bank->logs : bank->x;
	int64_t		points = rnn_min(n, LEVEL_POINTS);
	Bank		first = *bank;

	for (first.n_seasons = 0; first.n_seasons <= bank->n_seasons; first.n_seasons++)
	{
		deseasonalise(&first, z, n, h, points);
		for (int r = 0; r < RHOS; r++)
			memcpy(ahead + ((int64_t) first.n_seasons * RHOS + r) * h, bank->ahead[r], sizeof(double) * h);
	}
	for (int k = bank->n_seasons; k > 0; k--)
		for (int64_t i = 0; i < (int64_t) RHOS * h; i++)
			ahead[(int64_t) k * RHOS * h + i] -= ahead[(int64_t) (k - 1) * RHOS * h + i];
	for (int i = 0; i < RNN_SMOOTHERS; i++)
	{
		const Smoother *s = &smoothers[i];
		const double *term[1 + RNN_MAX_SEASONS] = {trend};
		bool		seasonal = s->profile != NO_PROFILE;
		int			at = RNN_MAX_SEASONS + i;

		if (s->log != log || !mix->present[at])
			continue;
		for (int k = 1; k <= bank->n_seasons; k++)
			term[k] = ahead + ((int64_t) k * RHOS + (seasonal ? s->profile : 0)) * h;
		add_terms(s, weight + (int64_t) at * h, top, level_and_trend(s, seasonal ? bank->level[s->profile] : z + n - points, points, h, bank->seasons[0], trend),
				  term, seasonal ? 1 + bank->n_seasons : 1, h, parts);
	}
}

/* Those that return to what was usual; ahead is group_parts' of the series, bank->ahead[FAST] scratch. */
static void
reverting_parts(const Bank *bank, const rnn_mix *mix, const double *weight, int64_t n, int h, const double *ahead, double *trend,
				double *parts)
{
	static const Smoother plain = {.log = false};
	const double *term[1 + RNN_MAX_SEASONS] = {trend};
	double		level = level_of(bank->level[SLOW], rnn_min(n, LEVEL_POINTS), REVERT_ALPHA);

	for (int k = 1; k <= bank->n_seasons; k++)
		term[k] = ahead + ((int64_t) k * RHOS + SLOW) * h;
	if (mix->present[REVERTING] && revert_trend(bank, n, h, level, trend))
		add_terms(&plain, weight + (int64_t) REVERTING * h, 0, level, term, 1 + bank->n_seasons, h, parts);
	if (mix->present[REVERTING + 1] && season_by_means(bank, n, h, &level, trend, bank->p))
	{
		for (int j = 0; j < h; j++)
			bank->ahead[FAST][j] = bank->p[j % bank->seasons[0]];
		term[1] = bank->ahead[FAST];
		add_terms(&plain, weight + (int64_t) (REVERTING + 1) * h, 0, level, term, 2, h, parts);
	}
}

void
smoothers_parts(const Bank *bank, const rnn_mix *mix, const double *weight, int64_t n, int h, bool positive, double top,
				double *ahead, double *trend, double *parts)
{
	if (positive)
		group_parts(bank, mix, weight, n, h, top, true, ahead, trend, parts);
	group_parts(bank, mix, weight, n, h, top, false, ahead, trend, parts);
	reverting_parts(bank, mix, weight, n, h, ahead, trend, parts);
}
