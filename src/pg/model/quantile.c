/*
 * quantile.c
 *		Functions on the quantiles of a forecast (engine/series/quantile.c).
 */
#include "pg/model/model.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define Q RNN_QUANTILES

PG_FUNCTION_INFO_V1(rnnforecast_rnn_quantile_levels);
PG_FUNCTION_INFO_V1(rnnforecast_rnn_chance_above);

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
	PG_RETURN_FLOAT8(rnn_quantiles_above(q, threshold));
}
