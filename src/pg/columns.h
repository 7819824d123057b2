/*
 * columns.h
 *		From the text of a query to the call of an aggregate on its rows.
 */
#ifndef RNNFORECAST_COLUMNS_H
#define RNNFORECAST_COLUMNS_H

#include "pg.h"

typedef enum ColumnRole
{
	COLUMN_SERIES, COLUMN_TIME, COLUMN_VALUE, COLUMN_ROLES
} ColumnRole;

typedef struct QueryColumns
{
	char	   *query;			/* without a semicolon at its end */
	int			count;			/* of all columns */
	int			at[COLUMN_ROLES];	/* number of the column, from 1; 0: none */
	const char *casts[COLUMN_ROLES];	/* to the exact type of the aggregate's argument, or "" */
	char	  **names;			/* (count) of the columns that are covariates, NULL of the others */
	bool		covariates;		/* there are some */
} QueryColumns;

/* Inside of SPI_connect; an error where the query is no SELECT of such columns. */
void		query_columns(const char *query, QueryColumns *columns);
/* "SELECT schema.aggregate(columns, arguments) AS m FROM (query) ..."; arguments may be "". */
char	   *query_call(const QueryColumns *columns, Oid schema, const char *aggregate, const char *arguments);
/*
 * The aggregate of the query's rows, NULL where there are none, in memory of
 * the caller of SPI_connect.  `function` is one of ours: the aggregate must
 * belong to the same extension.
 */
bytea	   *query_aggregate(const QueryColumns *columns, Oid function, const char *aggregate, Jsonb *options);

/* query.c: options that put rows into the bins of a model; NULL where it has none */
Jsonb	   *bins_of(const rnn_model *model);

#endif							/* RNNFORECAST_COLUMNS_H */
