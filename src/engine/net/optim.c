/*
 * optim.c
 *		AdamW (Loshchilov and Hutter 2019) with warm-up, linear decay, clipping
 *		of the gradient's norm (Pascanu, Mikolov and Bengio 2013) and averaged
 *		weights (Polyak and Juditsky 1992, exponential).
 */
#include "net/optim.h"
#include "kernel/kernel.h"

#include <math.h>
#include <string.h>

#define BETA1 0.9
#define BETA2 0.99
#define LANES 16				/* sums side by side, for vectors */
#define YOUNG 900				/* updates in which an average reaches its length */

void
optimizer_init(Optimizer *o, int64_t P, bool ema, rnn_arena *a)
{
	o->P = P;
	o->fixed = 0;
	o->w = arena_new(a, real, P);
	o->g = arena_new(a, real, P);
	o->m = arena_new(a, real, P);
	o->v = arena_new(a, real, P);
	o->ema = ema ? arena_new(a, real, P) : NULL;
}

/* The weights w are set; forget everything else. */
void
optimizer_start(Optimizer *o)
{
	memset(o->m, 0, sizeof(real) * o->P);
	memset(o->v, 0, sizeof(real) * o->P);
	if (o->ema)
		memcpy(o->ema, o->w, sizeof(real) * o->P);
	o->updates = 0;
}

void
optimizer_clear(Optimizer *o)
{
	memset(o->g + o->fixed, 0, sizeof(real) * (o->P - o->fixed));
}

static double
learning_rate(const rnn_config *cfg, int64_t update, int steps, bool decay)
{
	double		rate = cfg->learning_rate,
				left = steps - update,
				tail = cfg->decay * steps;

	if (update < cfg->warmup)
		rate *= (double) (update + 1) / (cfg->warmup + 1);
	if (decay && tail > 0 && left < tail)
		rate *= fmax(left / tail, 0);
	return rate;
}

/*
 * Decay of the averaged weights at an update.  A young average must not
 * remember the initial weights: it looks back over a part of the updates, by a
 * polynomial as of Shamir and Zhang 2013.  Over a ninth of them up to an ema
 * of 0.99, over more beyond it, so that 0.995 has its length after as many
 * updates as 0.99, and differs from it in a training of some hundreds; over a
 * fourth of them at most.
 */
static double
averaging(double ema, int64_t update)
{
	double		part = fmin(fmax(YOUNG * (1 - ema), 4), 9);

	return fmin(ema, (1.0 + update) / (1 + part + update));
}

double
optimizer_squares(const Optimizer *o, int64_t from, int64_t to)
{
	double		lane[LANES] = {0},
				sum = 0;
	int64_t		i = from;

	for (; i + LANES <= to; i += LANES)
		for (int k = 0; k < LANES; k++)
			lane[k] += (double) o->g[i + k] * o->g[i + k];
	for (; i < to; i++)
		sum += (double) o->g[i] * o->g[i];
	for (int k = 0; k < LANES; k++)
		sum += lane[k];
	return sum;
}

rnn_status
optimizer_begin(Optimizer *o, const rnn_config *cfg, double pace, int steps, bool decay, int64_t points, double squares,
				rnn_error *err)
{
	double		scale = 1.0 / points;

	o->norm = sqrt(squares) * scale;
	if (!isfinite(o->norm))
		return rnn_fail(err, RNN_ERR_NUMERIC, "training diverged: the gradient's norm", o->norm, 0, 0);
	if (cfg->clip > 0 && o->norm > cfg->clip)
		scale *= cfg->clip / o->norm;
	o->scale = scale;
	o->rate = pace * learning_rate(cfg, o->updates, steps, decay);
	o->updates++;
	return RNN_OK;
}

void
optimizer_apply(const Optimizer *o, const rnn_config *cfg, int64_t from, int64_t to)
{
	rnn_kernel->adamw(to - from, o->w + from, o->g + from, o->m + from, o->v + from, o->ema ? o->ema + from : NULL,
					  (real) o->scale, (real) o->rate, (real) BETA1, (real) BETA2,
					  (real) (1 / (1 - pow(BETA1, o->updates))), (real) (1 / (1 - pow(BETA2, o->updates))),
					  (real) cfg->weight_decay, (real) averaging(cfg->ema, o->updates));
}

rnn_status
optimizer_update(Optimizer *o, const rnn_config *cfg, double pace, int steps, bool decay, int64_t points, rnn_error *err)
{
	rnn_status	status = optimizer_begin(o, cfg, pace, steps, decay, points, optimizer_squares(o, o->fixed, o->P), err);

	if (status == RNN_OK)
		optimizer_apply(o, cfg, o->fixed, o->P);
	return status;
}

const real *
optimizer_weights(const Optimizer *o)
{
	return o->ema ? o->ema : o->w;
}
