/*
 * forecast.c
 *		From a model and histories to quantiles, at one end of each or at many.
 *
 * The mix is formed for every series.  Where the model has networks their
 * quantiles are averaged, blended with the mix's by the validated weight and
 * widened by the calibration.  Beyond the trained horizon the mix goes on
 * alone; the network's last correction fades into it.
 *
 * Without the mix (skip: false) there is nothing to go on with: the network's
 * own medians are appended to the history and it forecasts again, as textbooks
 * do, with intervals that widen with the square root of the lead time.
 */
#include "forecast/forecaster.h"

#include <math.h>
#include <string.h>

#define S RNN_BLOCK
#define Q RNN_QUANTILES
#define BATCH 32				/* ends at once: weights are read once for all */
#define PIECES 8				/* times that something is done beyond the trained horizon in one step */

bool
has_network(const rnn_model *m)
{
	return m->n_members > 0 && m->weight > 0;
}

/* With fewer points the frames are next to nothing, and none was judged. */
bool
rnn_network_applies(const rnn_model *m, int64_t n)
{
	return has_network(m) && (!m->config.skip || n >= RNN_LEAST_HISTORY);
}

double
rnn_network_weight(const rnn_model *m, int64_t n)
{
	return n < m->short_below ? m->weight_short : m->weight;
}

rnn_mix_rule
mix_rule(const rnn_model *m, int h)
{
	rnn_config	cfg = rnn_member_config(m, 0);

	return rnn_mix_rule_of(&cfg, h);
}

double
mix_share(const rnn_model *m, int64_t n)
{
	return !rnn_network_applies(m, n) ? 1 : m->config.skip ? 1 - rnn_network_weight(m, n) : 0;
}

int64_t
rnn_history_reach(const rnn_model *m)
{
	int64_t		reach = rnn_mix_reach(m->seasons, m->n_seasons, m->config.horizon),
				most = m->config.context;

	for (int i = 0; i < m->n_members; i++)
		if (m->member[i].context > most)
			most = m->member[i].context;
	if (m->prior_net && m->prior_net->cfg.context > most)
		most = m->prior_net->cfg.context;
	return reach + most;
}

int64_t
covariate_rows(const rnn_model *m, int horizon)
{
	return horizon + m->config.horizon + 2 * S;
}

/* ---------------------------------------------------------------- layout */

/* Of a member that there may not be: then the mix's frames are those of the options. */
static int
patch_of(const rnn_model *m, int member)
{
	return member < m->n_members ? m->member[member].patch : m->config.patch;
}

/* Members of one kind and patch: all else is shared. */
static bool
same_view(const rnn_model *m, int member, int other)
{
	return patch_of(m, member) == patch_of(m, other) && rnn_member_is_second(m, member) == rnn_member_is_second(m, other);
}

/* Steps of the longest window of those that look at the ends as this one does. */
static int
view_steps(const rnn_model *m, int member)
{
	int			K = 1;

	for (int i = 0; has_network(m) && i < m->n_members; i++)
		if (same_view(m, member, i))
			K = (int) rnn_max(K, m->member[i].context / m->member[i].patch);
	return K;
}

/*
 * Shapes of the members of one kind and patch.  Their frames are those of the
 * kind's context, as they were when they were trained.
 */
static void
shape_view(Forecaster *f, int member)
{
	View	   *v = &f->view;
	rnn_config	cfg = rnn_member_config(f->model, member);

	v->member = member;
	cfg.patch = v->patch = patch_of(f->model, member);
	rnn_shape_init(&v->shape, &cfg);
	v->shape.stop = f->model->stop;
	rnn_frame_plan_init(&v->plan, &v->shape, &cfg);
	v->gathered = false;
}

/* Buffers of a view, whose frames may be the prior's too. */
static void
fill_view(Forecaster *f, rnn_arena *a)
{
	View	   *v = &f->view;
	const rnn_model *m = f->model;
	int			K = view_steps(m, v->member);
	bool		shared = m->prior_net && rnn_frame_plan_same(&v->plan, &f->prior.plan);

	if (m->prior_net)
		f->prior.strips = shared ? &v->strips : &f->prior.own;
	rnn_strips_init(&v->strips, &v->plan, shared ? (int) rnn_max(K, f->prior.T) : K, f->B, f->longest, a);
	/* References of the same seasons and horizon, though the frames be others. */
	if (m->prior_net && !shared)
		v->strips.scratch = f->prior.own.scratch;
	if (!has_network(m))
		return;
	rnn_net_init(&v->net, &v->shape, (int) rnn_min(K, m->config.bptt), f->B, false, a);
#ifdef RNN_DOUBLE
	f->weights = arena_new(a, real, v->shape.params);
#endif
}

bool
lay_out_view(Forecaster *f, int member)
{
	rnn_arena	a = f->scratch;

	if (f->view.patch == 0 || !same_view(f->model, f->view.member, member))
	{
		shape_view(f, member);
		fill_view(f, &a);
		f->failed |= a.failed;
	}
	return !f->failed;
}

/* Everything but the sources; the arena ends where the largest view does. */
static void
lay_out(Forecaster *f, rnn_arena *a)
{
	const rnn_model *m = f->model;
	int			trained = m->config.horizon;
	bool		beyond = f->horizon > trained;
	size_t		most = 0;

	f->B = (int) rnn_min(f->n, BATCH);
	f->made = (int) rnn_max(f->horizon, trained);
	if (f->made > f->horizon)
		f->whole = arena_new(a, double, (size_t) f->B * f->made * Q);
	if (m->config.skip)
		f->demand = demand_new(m, f->longest, f->made, a);
	f->q = arena_new(a, real, (size_t) trained * Q);
	if (m->prior_net)
	{
		rnn_config	cfg = rnn_member_config(m, 0);

		rnn_prior_net_init(&f->prior, m->prior_net, &cfg, f->longest, f->B, a);
		f->prior.shape.stop = m->stop;
		f->said = arena_new(a, rnn_said, f->B);
		f->prior_q = arena_new(a, real, (size_t) f->B * rnn_prior_steps(m->prior_net, trained) * Q);
	}
	if (m->config.skip && beyond)
	{
		f->ref = arena_new(a, double, (size_t) RNN_REFS * f->horizon);
		f->ref_weight = arena_new(a, double, (size_t) RNN_REFS * f->horizon);
		f->ref_middle = arena_new(a, double, f->horizon);
		f->ref_work = arena_new(a, double, rnn_mix_work(f->longest, f->horizon));
	}
	if (!m->config.skip && beyond)
		f->extended = arena_new(a, double, 2 * f->longest);
	f->scratch = *a;
	for (int i = 0; i < (has_network(m) ? m->n_members : 1); i++)
	{
		rnn_arena	scratch = *a;

		shape_view(f, i);
		fill_view(f, &scratch);
		most = scratch.used > most ? scratch.used : most;
		a->failed |= scratch.failed;
	}
	f->view.patch = 0;
	a->used = most;
}

/* ----------------------------------------------------------------- sizes */

static rnn_status
check_horizon(int horizon, rnn_error *err)
{
	if (horizon < 1 || horizon > RNN_MAX_HORIZON)
		return rnn_fail(err, RNN_ERR_RANGE, "horizon", horizon, 1, RNN_MAX_HORIZON);
	return RNN_OK;
}

/* A forecaster, n ends, sources, and then the rest. */
static size_t
bytes_of(Forecaster *f, int sources, int64_t longest)
{
	rnn_arena	a;

	rnn_arena_init(&a, NULL, 0);
	arena_new(&a, Forecaster, 1);
	arena_new(&a, rnn_end, f->n);
	arena_new(&a, rnn_origin, f->n);
	f->longest = longest + f->horizon;
	lay_out(f, &a);
	/* Covariates and the calendar are those of the first members. */
	shape_view(f, 0);
	return a.used + sources * source_size(f->model, &f->view.shape, longest, f->horizon);
}

rnn_status
rnn_forecast_size(const rnn_model *m, int count, int64_t longest, int horizon, size_t *size, rnn_error *err)
{
	Forecaster	f = {.model = m,.count = count,.n = count,.horizon = horizon};

	RNN_TRY(check_horizon(horizon, err));
	*size = bytes_of(&f, count, longest);
	return RNN_OK;
}

static rnn_status
check_series(const rnn_series *series, int count, int64_t *longest, rnn_error *err)
{
	*longest = 1;
	for (int b = 0; b < count; b++)
	{
		if (series[b].n < 1)
			return rnn_fail(err, RNN_ERR_DATA, "a series without a known value cannot be forecast", b, 0, 0);
		*longest = rnn_max(*longest, series[b].n);
	}
	return RNN_OK;
}

static rnn_status
check_origins(const rnn_series *series, int count, const rnn_origin *origins, int64_t n, rnn_error *err)
{
	for (int64_t i = 0; i < n; i++)
	{
		if (origins[i].series < 0 || origins[i].series >= count)
			return rnn_fail(err, RNN_ERR_RANGE, "series", origins[i].series, 0, count - 1);
		if (origins[i].e < 1 || origins[i].e > series[origins[i].series].n)
			return rnn_fail(err, RNN_ERR_RANGE, "origin", (double) origins[i].e, 1, (double) series[origins[i].series].n);
	}
	return RNN_OK;
}

rnn_status
rnn_ends_size(const rnn_model *m, const rnn_series *series, int count, const rnn_origin *origins, int64_t n,
			  int horizon, size_t *size, rnn_error *err)
{
	Forecaster	f = {.model = m,.series = series,.count = count,.origins = origins,.n = n,.horizon = horizon};
	int64_t		longest;

	RNN_TRY(check_horizon(horizon, err));
	RNN_TRY(check_series(series, count, &longest, err));
	RNN_TRY(check_origins(series, count, origins, n, err));
	*size = bytes_of(&f, count + sources_apart(&f), longest);
	return RNN_OK;
}

/* --------------------------------------------------------------- driving */

/* With origins NULL: at the end of each series. */
static rnn_status
begin(const rnn_model *m, const rnn_series *series, int count, const rnn_origin *origins, int64_t n, int horizon,
	  void *block, size_t size, double *out, rnn_forecaster **result, rnn_error *err)
{
	int64_t		longest;
	rnn_arena	a;
	Forecaster *f;

	RNN_TRY(check_horizon(horizon, err));
	RNN_TRY(check_series(series, count, &longest, err));
	if (origins)
		RNN_TRY(check_origins(series, count, origins, n, err));
	rnn_arena_init(&a, block, size);
	*result = f = arena_new(&a, Forecaster, 1);
	if (!f)
		return rnn_fail(err, RNN_ERR_MEMORY, "forecasting", (double) size, 0, 0);
	*f = (Forecaster) {
		.model = m,.series = series,.count = count,.origins = origins,.n = n,.horizon = horizon,.out = out,
		.longest = longest + horizon,.reach = rnn_history_reach(m)
	};
	if (!origins)
	{
		rnn_origin *ends = arena_new(&a, rnn_origin, n);

		for (int i = 0; ends && i < n; i++)
			ends[i] = (rnn_origin) {.series = i,.e = series[i].n};
		f->origins = ends;
	}
	shape_view(f, 0);
	if (!a.failed)
		take_sources(f, &a);
	if (!a.failed)
		lay_out(f, &a);
	if (a.failed)
		return rnn_fail(err, RNN_ERR_MEMORY, "forecasting", (double) size, 0, 0);
	return RNN_OK;
}

rnn_status
rnn_ends_begin(const rnn_model *m, const rnn_series *series, int count, const rnn_origin *origins, int64_t n, int horizon,
			   void *block, size_t size, double *out, rnn_forecaster **f, rnn_error *err)
{
	return begin(m, series, count, origins, n, horizon, block, size, out, f, err);
}

rnn_status
rnn_forecast_begin(const rnn_model *m, const rnn_series *series, int count, int horizon,
				   void *block, size_t size, double *out, rnn_forecaster **f, rnn_error *err)
{
	return begin(m, series, count, NULL, count, horizon, block, size, out, f, err);
}

/* What is asked for of an end. */
static double *
asked_of(const Forecaster *f, int64_t end)
{
	return f->out + end * f->horizon * Q;
}

/* All rows that are made of it, while it is one of the next. */
static double *
rows_of(const Forecaster *f, int64_t end)
{
	return f->whole ? f->whole + (end - f->at) * f->made * Q : asked_of(f, end);
}

/* One more piece beyond the trained horizon of the next end that lacks one; false where all have all rows. */
static bool
extend(Forecaster *f, int count)
{
	int			h = f->model->config.horizon;
	const rnn_end *end = &f->ends[f->at + f->extending];

	if (f->horizon <= h || f->extending == count)
		return false;
	if (f->model->config.skip)
		extend_by_mix(f, end, rows_of(f, f->at + f->extending));
	else
		extend_by_feeding(f, end, f->rows, rows_of(f, f->at + f->extending));
	f->rows += h;
	if (f->model->config.skip || f->rows >= f->horizon)
	{
		f->extending++;
		f->rows = h;
	}
	return true;
}

/* The next rows of the next ends: the trained ones first.  True where they are complete. */
static bool
more_rows(Forecaster *f, int count)
{
	int			h = f->model->config.horizon;

	if (f->rows == 0)
	{
		forecast_trained(f, f->ends + f->at, count, h, (int64_t) f->made * Q, rows_of(f, f->at));
		f->rows = h;
		return f->made == h;
	}
	for (int i = 0; i < PIECES && !rnn_stopped(f->model->stop); i++)
		if (!extend(f, count))
			return true;
	return false;
}

static bool
finish_rows(Forecaster *f, int64_t end)
{
	double	   *rows = rows_of(f, end);

	if (!finish_end(f, &f->ends[end], f->origins[end].correction, rows))
		return false;
	if (f->whole)
		memcpy(asked_of(f, end), rows, sizeof(double) * f->horizon * Q);
	return true;
}

rnn_status
rnn_forecast_step(rnn_forecaster *f, bool *done, rnn_error *err)
{
	int			count = (int) rnn_min(f->n - f->at, f->B);
	bool		complete = more_rows(f, count);

	if (f->failed)
		return rnn_fail(err, RNN_ERR_MEMORY, "forecasting", NAN, 0, 0);
	if (rnn_stopped(f->model->stop))
		return rnn_fail(err, RNN_ERR_STOPPED, "forecasting", 0, 0, 0);
	for (int b = 0; complete && b < count; b++)
	{
		if (!finish_rows(f, f->at + b))
			return rnn_fail(err, RNN_ERR_NUMERIC, "the network's forecast", NAN, 0, 0);
		if (rnn_stopped(f->model->stop))
			return rnn_fail(err, RNN_ERR_STOPPED, "forecasting", 0, 0, 0);
	}
	if (complete)
	{
		f->at += count;
		f->rows = f->extending = 0;
	}
	*done = f->at == f->n;
	return RNN_OK;
}

static rnn_status
all_steps(rnn_forecaster *f, rnn_error *err)
{
	bool		done = false;

	while (!done)
		RNN_TRY(rnn_forecast_step(f, &done, err));
	return RNN_OK;
}

rnn_status
rnn_ends(const rnn_model *m, const rnn_series *series, int count, const rnn_origin *origins, int64_t n, int horizon,
		 void *block, size_t size, double *out, rnn_error *err)
{
	rnn_forecaster *f;

	RNN_TRY(rnn_ends_begin(m, series, count, origins, n, horizon, block, size, out, &f, err));
	return all_steps(f, err);
}

rnn_status
rnn_forecast(const rnn_model *m, const rnn_series *series, int count, int horizon,
			 void *block, size_t size, double *out, rnn_error *err)
{
	rnn_forecaster *f;

	RNN_TRY(rnn_forecast_begin(m, series, count, horizon, block, size, out, &f, err));
	return all_steps(f, err);
}
