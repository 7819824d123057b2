/*
 * reconcile.h
 *		Series whose names form a tree, and the sums in it.
 */
#ifndef RNN_PG_RECONCILE_H
#define RNN_PG_RECONCILE_H

#include "pg/paths/paths.h"

/* Nodes are numbered: sums, then bottoms in the order of their names. */
typedef struct Hierarchy
{
	rnn_tree	shape;
	SeriesName *name;			/* (n) */
	int		   *depth;			/* (n) 0 of the sum of all */
	int		   *members;		/* (n) bottoms that are added up */
	rnn_series *series;			/* (n) those of sums made of their bottoms' */
} Hierarchy;

/* hierarchy.c: of the model's series that have values; errors say why their names are no tree */
void		build_hierarchy(const rnn_model *m, SeriesName separator, Hierarchy *out);
void	   *reconcile_memory(Size bytes);	/* below the limit, else an error */

#endif							/* RNN_PG_RECONCILE_H */
