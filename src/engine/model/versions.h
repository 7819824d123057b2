/*
 * versions.h
 *		The weights of the pretrained network as they are embedded.
 */
#ifndef RNN_VERSIONS_H
#define RNN_VERSIONS_H

#include "base/base.h"

/* Written by tools/pretrain; weights are IEEE 754 half precision, low byte first. */
typedef struct rnn_prior_data
{
	int			version;
	int			cell;
	int			layers;
	int			hidden;
	int			patch;
	int			context;
	int			horizon;		/* steps ahead that it was trained for */
	int			references;		/* of the list, that it sees */
	int			past;			/* bool: it sees more of the past than its patches */
	int			least;			/* points of the series that it is for, on average */
	double		share;			/* in its mean with the mix */
	double		widen[RNN_MEDIAN];	/* of short series: the mean's gaps are 1 + this / n as wide, by pair of levels */
	int64_t		params;
	const char *weights;		/* (2 params) */
} rnn_prior_data;

/*
 * The versions that this library has, in priors.c alone, so that a test can
 * have another.
 */
extern const rnn_prior_data rnn_prior_1;
extern const rnn_prior_data rnn_prior_2;
extern const rnn_prior_data *const rnn_priors[];
extern const int rnn_prior_count;

#endif							/* RNN_VERSIONS_H */
