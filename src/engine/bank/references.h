/*
 * references.h
 *		What references.c gives to mix.c.
 */
#ifndef RNN_REFERENCES_H
#define RNN_REFERENCES_H

#include "bank/bank.h"

#define ORIGINS 6				/* trailing ones that are scored */
#define SEASONS_KEPT 12			/* in a profile */
#define LEVEL_POINTS 400		/* that a level or a slope looks at */

/* Scratch and facts that the origins share. */
typedef struct Bank
{
	const double *x;
	const double *logs;			/* (n) where positive, else NULL */
	const int  *seasons;
	int			n_seasons;
	double	   *d;				/* (tail) */
	double	   *p;				/* (season) */
	double	   *ahead;			/* (h) */
} Bank;

/* Points of a prefix of n that deseasonalised values are needed for. */
int64_t		references_tail(int64_t n, const int *seasons, int n_seasons);

/*
 * All references at the end of x[0..n): ref (R, h) with rows `stride` apart.
 * positive: all of these points are; top: log of their maximum plus 3.
 */
void		references_at(const Bank *bank, int64_t n, int h, bool positive, double top,
						  double *ref, int64_t stride, bool *present);

#endif							/* RNN_REFERENCES_H */
