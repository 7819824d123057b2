/*
 * pretrained.h
 *		The network that was pretrained on synthetic series, as it ships.
 */
#ifndef RNN_PRETRAINED_H
#define RNN_PRETRAINED_H

#include "net/shape.h"

/*
 * A network that was pretrained on synthetic series, docs/developers/prior.md.  Its mean
 * with the mix is what a model forecasts where nothing better is trained.
 */
typedef struct rnn_prior
{
	int32_t		version;
	int32_t		horizon;		/* steps ahead that it was trained for; what it changes fades beyond */
	double		share;			/* in its mean with the mix */
	double		widen[RNN_MEDIAN];	/* of a series of n points, the gaps of that mean are 1 + widen / n as
								 * wide, by pair of levels, the outermost first */
	rnn_config	cfg;			/* shape */
	int64_t		params;
	const real *weights;		/* (params,) in the block that it was loaded into */
	real	   *packed[RNN_MAX_LAYERS];	/* those of its layers as the kernels want them; NULL: each forecast packs them */
} rnn_prior;

int			rnn_prior_latest(void);
/*
 * The version for a horizon and for series of so many points on average: of
 * those that were trained as far ahead, else of those that were trained the
 * farthest, the latest that is for series as short.
 */
int			rnn_prior_for(int horizon, int64_t points);
/* Bytes that rnn_prior_load fills, 0 if there is no such version here. */
size_t		rnn_prior_size(int version);
rnn_status	rnn_prior_load(int version, void *block, rnn_prior *out, rnn_error *err);
/* Packs them once for all forecasts, into a block of so many bytes; for the kernels of this process. */
size_t		rnn_prior_packed_size(const rnn_prior *prior);
void		rnn_prior_pack(rnn_prior *prior, void *block);
/* The first n of its weights; false if there is no such version, or it has fewer. */
bool		rnn_prior_weights(int version, int64_t n, float *out);
/* Whether a network of this version has the shape that cfg, resolved, describes. */
bool		rnn_prior_fits(int version, const rnn_config *cfg);

/* Whether options that are not open ask for no other network than the prior's. */
bool		rnn_prior_allows(const rnn_prior *prior, const rnn_config *cfg);
/* Sets those that are the prior's, and its context for series of up to `longest` points. */
void		rnn_prior_shape(const rnn_prior *prior, int64_t longest, rnn_config *cfg);

#endif							/* RNN_PRETRAINED_H */
