/*
 * estimate.c
 *		How many rows a forecast has, as far as the planner can know it.
 */
#include "pg/forecast/forecast.h"

#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"

/* The constant that an argument comes down to, or `otherwise`. */
static double
constant_argument(PlannerInfo *root, List *args, int number, double otherwise)
{
	Node	   *arg;

	if (number >= list_length(args))
		return otherwise;
	arg = estimate_expression_value(root, list_nth(args, number));
	if (!IsA(arg, Const) || ((Const *) arg)->constisnull)
		return otherwise;
	return (double) DatumGetInt64(((Const *) arg)->constvalue);
}

/* Number of names in `series`, 1 where it isn't known. */
static double
constant_series(PlannerInfo *root, List *args)
{
	Node	   *arg;

	if (FORECAST_SERIES >= list_length(args))
		return 1;
	arg = estimate_expression_value(root, list_nth(args, FORECAST_SERIES));
	if (!IsA(arg, Const) || ((Const *) arg)->constisnull)
		return 1;
	return Max(ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(((Const *) arg)->constvalue)),
							  ARR_DIMS(DatumGetArrayTypeP(((Const *) arg)->constvalue))), 1);
}

/* Rows of a call with a constant horizon. */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_forecast_support);
Datum
rnnforecast_rnn_forecast_support(PG_FUNCTION_ARGS)
{
	Node	   *node = (Node *) PG_GETARG_POINTER(0);
	SupportRequestRows *request = (SupportRequestRows *) node;
	List	   *args;
	double		horizon;

	if (!IsA(node, SupportRequestRows) || !is_funcclause(request->node))
		PG_RETURN_POINTER(NULL);
	args = ((FuncExpr *) request->node)->args;
	horizon = constant_argument(request->root, args, FORECAST_HORIZON, 0);
	if (horizon < 1 || horizon > RNN_MAX_HORIZON)
		PG_RETURN_POINTER(NULL);
	request->rows = constant_series(request->root, args) *
		(horizon + Max(constant_argument(request->root, args, FORECAST_HISTORY, 0), 0));
	PG_RETURN_POINTER(node);
}
