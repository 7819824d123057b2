/*
 * search.h
 *		The searches that come before a training, one after the other, driven step by step.
 */
#ifndef RNN_SEARCH_H
#define RNN_SEARCH_H

#include "config/resolve.h"
#include "detect/curve.h"
#include "detect/pool.h"

/* What was found, or as it was asked for: plain bytes. */
typedef struct rnn_found
{
	int			n;
	int			season[RNN_MAX_SEASONS];
	rnn_transform_kind transform;
	double		pooling;
	double		pooled[RNN_REFS];
} rnn_found;

typedef struct rnn_search
{
	const rnn_config *asked;
	const rnn_summary *summary;
	const rnn_series *series;
	int			count;
	const int  *hints;
	int			n_hints;
	int			stage;
	bool		begun;			/* the stage has */
	rnn_season_search seasons;
	rnn_curve_search curve;
	rnn_pool_search pool;
	rnn_found	found;
} rnn_search;

/* Whether series tell each other which references are good. */
bool		rnn_search_pools(const rnn_config *asked, int count);

/* Whether something is left open that only a search can tell. */
bool		rnn_search_needed(const rnn_config *asked, int count);

/*
 * Seasons, then the transform, then what a panel knows of its references: each
 * where it is left open.  The series are as gaps and a transform that was asked for
 * make them.  What is passed must stay where it is until the end.
 */
void		rnn_search_begin(rnn_search *s, const rnn_config *asked, const rnn_summary *summary, const rnn_series *series, int count,
							 const int *hints, int n_hints);
/*
 * Some milliseconds of it, in scratch, which must begin at the same place each time and keep what it holds; hurry: by what is
 * known so far.  False: there is too little scratch.
 */
bool		rnn_search_step(rnn_search *s, rnn_arena scratch, bool hurry);
/* What was found, NULL before the end. */
rnn_found  *rnn_search_found(rnn_search *s);

#endif							/* RNN_SEARCH_H */
