/*
 * fit.h
 *		What the files of tools/fit share.
 */
#ifndef FIT_H
#define FIT_H

#include "pretrain.h"
#include "rnn.h"

#include <stdio.h>

typedef struct Fitting
{
	const char *dir;
	rnn_prior	prior;			/* to be judged */
	uint64_t	seed;
	int			count,			/* series or trainings */
				processes;
} Fitting;

/* Runs work(fit, process) in so many processes, and waits for them. */
void		in_processes(const Fitting *fit, void (*work) (const Fitting *fit, int process));
/* Opens DIR/NAME, for reading where mode says so. */
FILE	   *open_in(const char *dir, const char *name, const char *mode);
/* Quantiles (horizon, Q) after x (n) of one series. */
void		forecast_after(const rnn_model *m, const double *x, int64_t n, int horizon, double *q);
/* What start: prior makes of no rows. */
rnn_model	untrained(const Fitting *fit, int horizon, int n_seasons, const int *seasons);
double		mean_pinball(const double *q, double y);	/* over the levels */

void		fit_widen(const Fitting *fit);
void		fit_weight(const Fitting *fit);

#endif							/* FIT_H */
