/*
 * info.c
 *		rnn_info: what a model is and why, as jsonb.
 *
 * The object is written as JSON text and read back by the server, which sorts
 * its keys.  Nothing in it depends on the session: the function is immutable.
 * Options are printed by walking rnn_options, so that none is forgotten.
 */
#include "pg/model/model.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(rnnforecast_rnn_info);

static const char *const kind_names[] = {"number", "date", "timestamp", "timestamptz", "step"};

static void
put_place(StringInfo out, const char *key, const rnn_model *m, const Place *place)
{
	if (place->series == NULL)
		put_text(out, key, NULL);
	else if (clock_has_times(&m->clock))
		put_text(out, key, place_text(m, place));
	else
		put_int(out, key, clock_position(&m->clock, place->series, place->point));
}

/* First and last point of all series. */
static void
put_span(StringInfo out, const rnn_model *m)
{
	Place		first,
				last;

	find_span(m, &first, &last);
	put_place(out, "first", m, &first);
	put_place(out, "last", m, &last);
}

/* null where there were none */
static void
put_gaps(StringInfo out, const rnn_missing *missing)
{
	if (missing->points == 0)
	{
		put_text(out, "gaps", NULL);
		return;
	}
	open_object(out, "gaps");
	put_int(out, "missing", missing->points);
	put_int(out, "count", missing->gaps);
	put_int(out, "longest", missing->longest);
	put_int(out, "series", missing->series);
	appendStringInfoChar(out, '}');
}

/* null where all rows and windows were used */
static void
put_sampled(StringInfo out, const rnn_model *m)
{
	if (m->rows_latest == 0 && m->windows_share == 0)
	{
		put_text(out, "sampled", NULL);
		return;
	}
	open_object(out, "sampled");
	if (m->rows_latest > 0)
		put_int(out, "latest_rows", m->rows_latest);
	else
		put_text(out, "latest_rows", NULL);
	put_number(out, "windows", m->windows_share > 0 ? m->windows_share : 1);
	appendStringInfoChar(out, '}');
}

static void
put_data(StringInfo out, const rnn_model *m)
{
	bool		times = clock_has_times(&m->clock);

	put_text(out, "time", kind_names[m->clock.kind]);
	put_text(out, "step", m->clock.kind != RNN_CLOCK_NONE ? clock_step_text(&m->clock) : NULL);
	put_text(out, "bin", m->clock.bin != RNN_BIN_NONE ? bin_names[m->clock.bin] : NULL);
	put_text(out, "timezone", times && m->clock.zone[0] ? m->clock.zone : NULL);
	put_int(out, "series", m->n_series);
	put_int(out, "points", known_points(m));
	put_span(out, m);
	put_gaps(out, &m->missing);
	put_sampled(out, m);
}

/* null where there is no network, or it isn't told */
static void
put_calendar(StringInfo out, const rnn_model *m)
{
	if (!uses_network(m) || m->config.terms == 0)
	{
		put_text(out, "calendar", NULL);
		return;
	}
	open_array(out, "calendar");
	for (int i = 0; i < RNN_TERMS; i++)
		if (m->config.terms & 1 << i)
			put_text(out, NULL, calendar_word(&m->clock, i));
	appendStringInfoChar(out, ']');
}

static void
put_seasons(StringInfo out, const rnn_model *m)
{
	open_array(out, "seasons");
	for (int i = 0; i < m->n_seasons; i++)
		if (m->seasons[i] > 1)
			put_int(out, NULL, m->seasons[i]);
	appendStringInfoChar(out, ']');
	put_bool(out, "seasons_detected", m->seasons_detected != 0);
}

static const char *
kind_word(int kind)
{
	return kind == RNN_KIND_SCRATCH ? "scratch" : kind == RNN_KIND_HEAD ? "tuned head" : "tuned";
}

static void
put_members(StringInfo out, const rnn_model *m)
{
	open_array(out, "members");
	for (int i = 0; i < m->n_members; i++)
	{
		const rnn_member *member = &m->member[i];

		open_object(out, NULL);
		put_text(out, "network", kind_word(member->prior == 0 ? RNN_KIND_SCRATCH : member->shared > 0 ? RNN_KIND_HEAD : RNN_KIND_TUNED));
		put_int(out, "hidden", rnn_member_config(m, i).hidden);
		put_number(out, "share", rnn_member_share(m, i));
		put_int(out, "patch", member->patch);
		put_int(out, "context", member->context);
		put_int(out, "steps", member->steps);
		put_bool(out, "stopped_by_time", member->stopped != 0);
		put_int(out, "parameters", member->params);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

static void
put_network(StringInfo out, const rnn_model *m)
{
	const rnn_config *c = &m->config;
	bool		by_time = is_cut_short(m);

	if (m->n_members == 0)
	{
		put_text(out, "network", NULL);
		put_bool(out, "stopped_by_time", by_time);
		return;
	}
	open_object(out, "network");
	put_text(out, "cell", rnn_cell_names[c->cell]);
	put_int(out, "layers", c->layers);
	put_int(out, "hidden", c->hidden);
	put_int(out, "patch", m->member[0].patch);
	put_int(out, "context", m->member[0].context);
	put_int(out, "parameters", m->member[0].params);
	put_int(out, "tuned", m->member[0].prior > 0 ? m->member[0].params - m->member[0].shared : 0);
	put_int(out, "steps", m->member[0].steps);
	put_bool(out, "stopped_early", m->member[0].steps < c->steps && !by_time);
	put_members(out, m);
	appendStringInfoChar(out, '}');
	put_bool(out, "stopped_by_time", by_time);
}

/* null where there are none */
static void
put_covariate_list(StringInfo out, const rnn_model *m)
{
	static const char *const roles[] = {
		[RNN_PAST] = "past",[RNN_AHEAD] = "ahead",[RNN_STATIC] = "static"
	};
	const rnn_covariates *all = &m->config.covariates;

	if (all->n == 0)
	{
		put_text(out, "covariates", NULL);
		return;
	}
	open_array(out, "covariates");
	for (int i = 0; i < all->n; i++)
	{
		const rnn_covariate *c = &all->list[i];

		open_object(out, NULL);
		put_text(out, "name", pnstrdup(c->name.text, c->name.len));
		put_text(out, "role", roles[c->role]);
		put_text(out, "kind", c->is_text ? "text" : "number");
		if (c->is_text)
			put_int(out, "categories", c->n_categories);
		else
		{
			put_number(out, "centre", c->centre);
			put_number(out, "scale", c->scale);
		}
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

/* null where nothing was found that covariates add by themselves */
static void
put_regression(StringInfo out, const rnn_model *m)
{
	static const char *const details[] = {
		[RNN_DETAIL_LINEAR] = "linear",[RNN_DETAIL_BENT] = "bent",[RNN_DETAIL_PHASED] = "by phase",
		[RNN_DETAIL_JOINT] = "joint"
	};
	const rnn_regression *r = &m->config.covariates.regression;

	if (r->n == 0)
	{
		put_text(out, "regression", NULL);
		return;
	}
	open_object(out, "regression");
	put_text(out, "detail", details[r->detail]);
	put_int(out, "terms", r->n);
	appendStringInfoChar(out, '}');
}

static void
put_seasons_option(StringInfo out, const rnn_config *c)
{
	open_array(out, "seasons");
	for (int i = 0; i < Max(c->seasons_given, 0); i++)
		put_int(out, NULL, c->seasons[i]);
	appendStringInfoChar(out, ']');
}

static void
put_options(StringInfo out, const rnn_model *m)
{
	const rnn_config *c = &m->config;

	open_object(out, "options");
	for (int i = 0; i < rnn_option_count; i++)
	{
		const rnn_option *o = &rnn_options[i];
		const char *field = (const char *) c + o->offset;

		switch (o->type)
		{
			case RNN_OPT_BOOL:
				put_bool(out, o->name, *(const int32_t *) field != 0);
				break;
			case RNN_OPT_INT:
				put_int(out, o->name, *(const int32_t *) field);
				break;
			case RNN_OPT_BIGINT:
				put_int(out, o->name, *(const int64_t *) field);
				break;
			case RNN_OPT_FLOAT:
				put_number(out, o->name, *(const double *) field);
				break;
			case RNN_OPT_ENUM:
				put_text(out, o->name, o->names[*(const int32_t *) field]);
				break;
			case RNN_OPT_SEASONS:
				put_seasons_option(out, c);
				break;
		}
	}
	appendStringInfoChar(out, '}');
}

/* Every network that was trained and judged, in that order. */
static void
put_candidates(StringInfo out, const rnn_model *m)
{
	open_array(out, "candidates");
	for (int i = 0; i < m->n_candidates; i++)
	{
		const rnn_candidate *c = &m->candidate[i];

		open_object(out, NULL);
		put_text(out, "network", kind_word(c->kind));
		put_bool(out, "chosen", c->share > 0);
		put_number(out, "share", c->share);
		put_int(out, "windows", c->windows);
		put_int(out, "steps", c->steps);
		put_number(out, "difference", c->difference);
		put_number(out, "error", c->std_error);
		put_number(out, "mix_pinball", c->mix_pinball);
		put_number(out, "weight", c->weight);
		put_text(out, "reason", verdict_reason(m, c->verdict));
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

static void
put_validation(StringInfo out, const rnn_model *m)
{
	open_object(out, "validation");
	put_int(out, "windows", m->windows);
	put_int(out, "points", m->points);
	put_number(out, "difference", m->difference);
	put_number(out, "error", m->std_error);
	put_number(out, "mix_pinball", m->mix_pinball);
	put_number(out, "weight", m->weight);
	if (m->short_below > 0)
	{
		open_object(out, "short");
		put_int(out, "below", m->short_below);
		put_number(out, "weight", m->weight_short);
		appendStringInfoChar(out, '}');
	}
	else
		put_text(out, "short", NULL);
	put_text(out, "reason", verdict_reason(m, m->verdict));
	put_candidates(out, m);
	appendStringInfoChar(out, '}');
}

/* null where the mix goes alone */
static void
put_prior(StringInfo out, const rnn_model *m)
{
	if (m->prior_net == NULL)
	{
		put_text(out, "prior", NULL);
		return;
	}
	open_object(out, "prior");
	put_int(out, "version", m->prior);
	put_int(out, "parameters", m->prior_net->params);
	put_number(out, "share", m->prior_net->share);
	appendStringInfoChar(out, '}');
}

/* Factors by band of the horizon, each from the outermost pair of levels in. */
static void
put_calibration(StringInfo out, const rnn_model *m)
{
	if (m->calibration_n > 0 && isfinite(m->coverage))
		put_float(out, "coverage", m->coverage);
	else
		put_text(out, "coverage", "not measured");
	open_object(out, "calibration");
	put_int(out, "windows", m->calibration_n);
	open_array(out, "factors");
	for (int b = 0; b < RNN_BANDS; b++)
	{
		open_array(out, NULL);
		for (int k = 0; k < RNN_MEDIAN; k++)
			put_float(out, NULL, m->calibration[b][k]);
		appendStringInfoChar(out, ']');
	}
	appendStringInfoChar(out, ']');
	if (m->passed > 0)
	{
		put_int(out, "passed", m->passed);
		open_array(out, "correction");
		for (int k = 0; k < RNN_MEDIAN; k++)
			put_float(out, NULL, m->correction[k]);
		appendStringInfoChar(out, ']');
	}
	appendStringInfoChar(out, '}');
}

/* Errors on held-out windows, in units of the data and as shares; null where none were measured. */
static void
put_accuracy(StringInfo out, const rnn_model *m)
{
	const rnn_held *held = &m->held;

	if (held->windows == 0)
	{
		put_text(out, "accuracy", NULL);
		return;
	}
	open_object(out, "accuracy");
	put_int(out, "windows", held->windows);
	put_int(out, "values", held->points);
	put_number(out, "mae", held->error);
	put_number(out, "wape", held->size > 0 ? held->error / held->size : NAN);
	if (held->compared > 0)
	{
		open_object(out, "naive");
		put_int(out, "lag", held->lag);
		put_int(out, "values", held->compared);
		put_number(out, "mae", held->naive);
		put_number(out, "skill", held->naive > 0 ? 1 - held->own / held->naive : NAN);
		appendStringInfoChar(out, '}');
	}
	else
		put_text(out, "naive", NULL);
	appendStringInfoChar(out, '}');
}

/* Squared errors of held-out windows in units of those of each forecast alone, by level; null where they were not compared. */
static void
put_levels(StringInfo out, const rnn_model *m)
{
	const rnn_hierarchy *h = &m->hierarchy;
	int		   *level = levels_of(m);

	open_array(out, "levels");
	for (int l = 0; l < RNN_LEVELS; l++)
	{
		int			series = 0;

		for (int i = 0; i < m->n_series; i++)
			series += level[i] == l;
		if (series == 0)
			continue;
		open_object(out, NULL);
		put_int(out, "depth", l);
		put_int(out, "series", series);
		put_number(out, "bottom_up", h->windows > 0 ? h->bottom_up[l] : NAN);
		put_number(out, "mint", h->windows > 0 ? h->mint[l] : NAN);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

/* null where no series is a sum of others */
static void
put_hierarchy(StringInfo out, const rnn_model *m)
{
	const rnn_hierarchy *h = &m->hierarchy;

	if (h->asked.len == 0)
	{
		put_text(out, "hierarchy", NULL);
		return;
	}
	open_object(out, "hierarchy");
	put_text(out, "option", pnstrdup(h->asked.text, h->asked.len));
	put_int(out, "sums", h->sums.count);
	put_text(out, "method", h->pull ? "mint" : "bottom_up");
	put_number(out, "shrinkage", h->pull ? h->shrinkage : NAN);
	put_int(out, "windows", h->windows);
	put_levels(out, m);
	appendStringInfoChar(out, '}');
}

Jsonb *
model_info(const rnn_model *m)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	put_text(&out, "summary", model_summary(m));
	put_int(&out, "format", m->format);
	put_text(&out, "kind", m->is_history ? "history" : "model");
	put_data(&out, m);
	put_covariate_list(&out, m);
	if (!m->is_history)
	{
		if (m->config.covariates.n > 0)
			put_regression(&out, m);
		put_prior(&out, m);
		put_hierarchy(&out, m);
		put_seasons(&out, m);
		put_calendar(&out, m);
		put_int(&out, "horizon", m->config.horizon);
		put_network(&out, m);
		put_options(&out, m);
		put_validation(&out, m);
		put_accuracy(&out, m);
		put_calibration(&out, m);
	}
	appendStringInfoChar(&out, '}');
	return json_from(out.data);
}

/* rnn_info(model) -> jsonb */
Datum
rnnforecast_rnn_info(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(model_info(fetch_model(fcinfo, 0, true)));
}

/* Whether an error says that bytes, or what they tell of times, mean nothing on this server. */
static bool
is_unreadable(int code)
{
	return code == ERRCODE_DATA_CORRUPTED || code == ERRCODE_FEATURE_NOT_SUPPORTED || code == ERRCODE_CHARACTER_NOT_IN_REPERTOIRE ||
		code == ERRCODE_DATETIME_VALUE_OUT_OF_RANGE || code == ERRCODE_INVALID_PARAMETER_VALUE;
}

/*
 * The same for a view of many models, which is not to fail as a whole: NULL for
 * bytes that cannot be read.  What raises these errors holds nothing but memory,
 * so that no subtransaction is needed.
 */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_readable_info);
Datum
rnnforecast_rnn_readable_info(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	MemoryContext context = CurrentMemoryContext;
	Jsonb	   *volatile info = NULL;

	PG_TRY();
	{
		info = model_info(decode_model(bytes));
	}
	PG_CATCH();
	{
		if (!is_unreadable(geterrcode()))
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
	}
	PG_END_TRY();
	if (info == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(info);
}
