/*
 * read.h
 *		What the functions that read a model share: returned rows and the
 *		quantile function of a forecast.
 */
#ifndef RNNFORECAST_READ_H
#define RNNFORECAST_READ_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/tuplestore.h"

#include "rnn.h"

/* The result of a function that returns all its rows at once. */
typedef struct Rows
{
	Tuplestorestate *store;
	TupleDesc	desc;
	MemoryContext scratch;		/* for the values of one row */
} Rows;

/* rows.c: error unless the caller's row type has `columns` columns. */
void		rows_begin(Rows *rows, FunctionCallInfo fcinfo, int columns);
void		rows_put(Rows *rows, Datum *values, bool *nulls);	/* empties scratch */

/*
 * quantile.c: the value at probability p in (0, 1) of the distribution with
 * quantiles q (Q).  Linear in the normal score between the levels, a normal
 * tail beyond them.  Always finite if q is.
 */
double		quantile_at(const double *q, double p);

#endif							/* RNNFORECAST_READ_H */
