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
	char	  **names;			/* (count) of the columns that are covariates, NULL of the others */
	bool		covariates;		/* there are some */
} QueryColumns;

/* Inside of SPI_connect; an error where the query is no SELECT of such columns. */
void		query_columns(const char *query, QueryColumns *columns);
/* "SELECT schema.aggregate(columns, arguments) AS m FROM (query) ..."; arguments may be "". */
char	   *query_call(const QueryColumns *columns, Oid schema, const char *aggregate, const char *arguments);

#endif							/* RNNFORECAST_COLUMNS_H */
