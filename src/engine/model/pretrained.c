/*
 * pretrained.c
 *		A network that was trained on synthetic series (docs/developers/prior.md).
 *
 * Its weights are part of the library, so they are the same on a standby and
 * need no file and no table.
 */
#include "model/pretrained.h"
#include "model/versions.h"
#include "base/half.h"

#include <string.h>

static const rnn_prior_data *
find(int version)
{
	for (int i = 0; i < rnn_prior_count; i++)
		if (rnn_priors[i]->version == version)
			return rnn_priors[i];
	return NULL;
}

int
rnn_prior_latest(void)
{
	int			latest = 0;

	for (int i = 0; i < rnn_prior_count; i++)
		latest = rnn_priors[i]->version > latest ? rnn_priors[i]->version : latest;
	return latest;
}

/* One that was trained as far ahead, else the farthest; of those one for series as long; of those the latest. */
static bool
fits_better(const rnn_prior_data *a, const rnn_prior_data *b, int horizon, int64_t points)
{
	bool		far = a->horizon >= horizon,
				enough = points >= a->least;

	if (far != (b->horizon >= horizon))
		return far;
	if (!far && a->horizon != b->horizon)
		return a->horizon > b->horizon;
	if (enough != (points >= b->least))
		return enough;
	return a->version > b->version;
}

int
rnn_prior_for(int horizon, int64_t points)
{
	const rnn_prior_data *best = rnn_priors[0];

	for (int i = 1; i < rnn_prior_count; i++)
		if (fits_better(rnn_priors[i], best, horizon, points))
			best = rnn_priors[i];
	return best->version;
}

/* Everything but the context, which changes no weight. */
static void
set_shape(const rnn_prior_data *d, rnn_config *cfg)
{
	cfg->cell = d->cell;
	cfg->layers = d->layers;
	cfg->hidden = d->hidden;
	cfg->patch = d->patch;
	cfg->norm = cfg->residual = cfg->skip = true;
	cfg->conv_layers = 0;
	cfg->references = d->references;
	cfg->past = d->past;
	cfg->blind = true;
}

size_t
rnn_prior_size(int version)
{
	const rnn_prior_data *d = find(version);

	return d ? sizeof(real) * (size_t) d->params : 0;
}

rnn_status
rnn_prior_load(int version, void *block, rnn_prior *out, rnn_error *err)
{
	const rnn_prior_data *d = find(version);
	real	   *w = block;

	if (!d)
		return rnn_fail(err, RNN_ERR_VERSION, "prior", version, 1, rnn_prior_latest());
	for (int64_t i = 0; i < d->params; i++)
		w[i] = half_load((const uint8_t *) d->weights + 2 * i);
	memset(out, 0, sizeof(*out));
	rnn_config_defaults(&out->cfg);
	set_shape(d, &out->cfg);
	out->cfg.context = d->context;
	out->cfg.bptt = d->context / d->patch;
	out->cfg.dropout = 0;
	out->version = version;
	out->horizon = d->horizon;
	out->share = d->share;
	memcpy(out->widen, d->widen, sizeof(out->widen));
	out->params = d->params;
	out->weights = w;
	return RNN_OK;
}

static void
lay_out_packed(rnn_prior *prior, const rnn_shape *s, rnn_arena *a)
{
	for (int l = 0; l < s->L; l++)
		prior->packed[l] = arena_new(a, real, RNN_PACKED(s->cell->gates, s->I[l], s->H));
}

size_t
rnn_prior_packed_size(const rnn_prior *prior)
{
	rnn_prior	measured = *prior;
	rnn_shape	s;
	rnn_arena	a;

	rnn_shape_init(&s, &prior->cfg);
	rnn_arena_init(&a, NULL, 0);
	lay_out_packed(&measured, &s, &a);
	return a.used;
}

void
rnn_prior_pack(rnn_prior *prior, void *block)
{
	const real *w = prior->weights;
	rnn_shape	s;
	rnn_arena	a;

	rnn_shape_init(&s, &prior->cfg);
	rnn_arena_init(&a, block, rnn_prior_packed_size(prior));
	lay_out_packed(prior, &s, &a);
	for (int l = 0; l < s.L; l++)
		rnn_kernel->pack(s.cell, s.I[l], s.H, w + s.w_ih[l], w + s.w_hh[l], w + s.bias[l], prior->packed[l]);
}

bool
rnn_prior_weights(int version, int64_t n, float *out)
{
	const rnn_prior_data *d = find(version);

	if (!d || n > d->params)
		return false;
	for (int64_t i = 0; out && i < n; i++)
		out[i] = half_load((const uint8_t *) d->weights + 2 * i);
	return true;
}

bool
rnn_prior_fits(int version, const rnn_config *cfg)
{
	const rnn_prior_data *d = find(version);

	return d && cfg->cell == d->cell && cfg->layers == d->layers && cfg->hidden == d->hidden &&
		cfg->patch == d->patch && cfg->norm && cfg->residual && cfg->skip && cfg->conv_layers == 0 &&
		cfg->terms == 0;
}

bool
rnn_prior_allows(const rnn_prior *prior, const rnn_config *cfg)
{
	rnn_config	own = *cfg;

	if (own.hidden == 0)
		own.hidden = prior->cfg.hidden;
	if (own.patch == 0)
		own.patch = prior->cfg.patch;
	return rnn_prior_fits(prior->version, &own) && (own.context == 0 || own.context % own.patch == 0);
}

void
rnn_prior_shape(const rnn_prior *prior, int64_t longest, rnn_config *cfg)
{
	int			P = prior->cfg.patch,
				steps = prior->cfg.context / P;

	if (cfg->context == 0)
		cfg->context = longest < prior->cfg.context ? (int) ((longest + P - 1) / P) * P : steps * P;
	set_shape(find(prior->version), cfg);
}
