/*
 * quantile.c
 *		The distribution behind a forecast's quantiles.
 *
 * Between two levels the quantile function is linear in the normal score
 * z(p), so that quantiles of a normal distribution give it back exactly.
 *
 * Beyond the outermost levels the tail is a power of the distance x from the
 * median, in units of the outermost quantile's: p_0 / x^2, that of Student's t
 * with 2 degrees of freedom.  So it was measured: of 103,792 prior forecasts of
 * five sets (M1 monthly, NN3, PBS, retail, livestock) a quarter of the values
 * beyond x = 1 were beyond 2, and an eighth beyond 3.  What is rarer than LEAST
 * can't be told from such quantiles: there the tail ends.
 *
 * Q(p) never falls and its inverse F(y) = sup {p: Q(p) <= y} never falls
 * either; rnn_chance_above is 1 - F.
 */
#include "pg/model/model.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define Q RNN_QUANTILES
#define M RNN_MEDIAN
#define LEAST 0.001				/* that a chance is said to be, and to be left */

PG_FUNCTION_INFO_V1(rnnforecast_rnn_quantile_levels);
PG_FUNCTION_INFO_V1(rnnforecast_rnn_chance_above);

/*
 * Inverse of the normal distribution function, p in (0, 1).  Acklam's
 * rational approximation (relative error 1e-9) and one step of Halley.
 */
static double
normal_score(double p)
{
	static const double a[] = {
		-3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02,
		1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00
	};
	static const double b[] = {
		-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
		6.680131188771972e+01, -1.328068155288572e+01
	};
	static const double c[] = {
		-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
		-2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00
	};
	static const double d[] = {
		7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
		3.754408661907416e+00
	};
	double		tail = p < 0.5 ? p : 1 - p,
				x,
				e,
				u;

	if (tail < 0.02425)
	{
		double		t = sqrt(-2 * log(tail));

		x = (((((c[0] * t + c[1]) * t + c[2]) * t + c[3]) * t + c[4]) * t + c[5]) /
			((((d[0] * t + d[1]) * t + d[2]) * t + d[3]) * t + 1);
	}
	else
	{
		double		t = tail - 0.5,
					r = t * t;

		x = (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * t /
			(((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
	}
	e = 0.5 * erfc(-x * M_SQRT1_2) - tail;
	u = e * sqrt(2 * M_PI) * exp(x * x / 2);
	x -= u / (1 + x * u / 2);
	return p < 0.5 ? x : -x;
}

/* Normal scores of the levels, the same in both tails. */
static const double *
level_scores(void)
{
	static double z[Q];

	if (z[0] == 0)
		for (int k = Q - 1; k >= 0; k--)
			z[k] = k == M ? 0 : normal_score(rnn_quantile_levels[k]);
	return z;
}

static double
clamp_finite(double x)
{
	return x > DBL_MAX ? DBL_MAX : x < -DBL_MAX ? -DBL_MAX : x;
}

/* Without a difference that could overflow. */
static double
between(double low, double high, double share)
{
	return low == high ? low : low * (1 - share) + high * share;
}

/* Where p of the distribution lies further out than that, on the side of the outermost quantile. */
static double
tail_quantile(double outermost, double median, double p)
{
	double		further = sqrt(rnn_quantile_levels[0] / fmax(p, LEAST)) - 1;

	return outermost == median ? median : clamp_finite(outermost + (outermost - median) * further);
}

/* The share that lies beyond y, which is beyond the outermost quantile; the distances may overflow. */
static double
tail_share(double outermost, double median, double y)
{
	double		unit = fabs(outermost / 2 - median / 2),
				x = unit > 0 ? fabs(y / 2 - median / 2) / unit : INFINITY;

	return fmax(rnn_quantile_levels[0] / (x * x), LEAST);
}

double
quantile_at(const double *q, double p)
{
	const double *z = level_scores();
	double		score;
	int			k = 0;

	/* 0.9 is not quite what leaves 0.05 on each side. */
	for (int i = 0; i < Q; i++)
		if (fabs(p - rnn_quantile_levels[i]) < 1e-12)
			return q[i];
	score = normal_score(p);
	if (score < z[0])
		return tail_quantile(q[0], q[M], p);
	if (score > z[Q - 1])
		return tail_quantile(q[Q - 1], q[M], 1 - p);
	while (k < Q - 2 && score > z[k + 1])
		k++;
	return between(q[k], q[k + 1], (score - z[k]) / (z[k + 1] - z[k]));
}

/* How far y is on the way from low to high. */
static double
share_of(double y, double low, double high)
{
	if (isinf(high - low))
		return (y / 2 - low / 2) / (high / 2 - low / 2);
	return (y - low) / (high - low);
}

static double
chance_above(const double *q, double y)
{
	const double *z = level_scores();
	int			k = 0;

	if (q[0] == q[Q - 1])
		return y < q[0];
	if (y < q[0])
		return 1 - tail_share(q[0], q[M], y);
	if (y >= q[Q - 1])
		return tail_share(q[Q - 1], q[M], y);
	while (q[k + 1] <= y)
		k++;
	return 0.5 * erfc(between(z[k], z[k + 1], share_of(y, q[k], q[k + 1])) * M_SQRT1_2);
}

/* rnn_quantile_levels() -> float8[] */
Datum
rnnforecast_rnn_quantile_levels(PG_FUNCTION_ARGS)
{
	Datum		levels[Q];

	for (int k = 0; k < Q; k++)
		levels[k] = Float8GetDatum(rnn_quantile_levels[k]);
	PG_RETURN_ARRAYTYPE_P(construct_array(levels, Q, FLOAT8OID, sizeof(float8),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* The quantiles in an array of any user, checked. */
static void
read_quantiles(ArrayType *array, double *q)
{
	const float8 *data;

	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != Q || ARR_HASNULL(array) ||
		ARR_ELEMTYPE(array) != FLOAT8OID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("quantiles must be an array of %d numbers without NULL", Q),
				 errhint("Pass the column \"quantiles\" of rnn_forecast.")));
	data = (const float8 *) ARR_DATA_PTR(array);
	for (int k = 0; k < Q; k++)
	{
		q[k] = data[k];
		if (!isfinite(q[k]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("quantile %d must be finite, not %g", k + 1, q[k])));
		if (k > 0 && q[k] < q[k - 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("quantiles must not decrease: %g follows %g", q[k], q[k - 1])));
	}
}

/* rnn_chance_above(quantiles float8[], threshold float8) -> float8 */
Datum
rnnforecast_rnn_chance_above(PG_FUNCTION_ARGS)
{
	double		q[Q],
				threshold = PG_GETARG_FLOAT8(1);

	read_quantiles(PG_GETARG_ARRAYTYPE_P(0), q);
	if (isnan(threshold))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("threshold must be a number, not NaN")));
	if (isinf(threshold))
		PG_RETURN_FLOAT8(threshold > 0 ? 0 : 1);
	PG_RETURN_FLOAT8(chance_above(q, threshold));
}
