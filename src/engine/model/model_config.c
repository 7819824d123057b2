/*
 * model_config.c
 *		Sections of a model's bytes: its options, clock, seasons and covariates.
 */
#include "model/walk.h"

#include <math.h>
#include <string.h>

#define MOST_KEY 255			/* bytes of a covariate's name */
#define MOST_WORD 1000			/* and of one of its texts */
#define MOST_WORDS 10000		/* of a covariate of a history */

static const rnn_option *
option_named(const char *name, int len)
{
	for (int i = 0; i < rnn_option_count; i++)
		if ((int) strlen(rnn_options[i].name) == len && memcmp(rnn_options[i].name, name, len) == 0)
			return &rnn_options[i];
	return NULL;
}

/* One value: a double, or 8 bytes of an integer. */
static void
option_value(Walk *w, const rnn_option *o, rnn_config *cfg)
{
	char	   *field = (char *) cfg + o->offset;

	if (o->type == RNN_OPT_FLOAT)
		walk_f64(w, (double *) field);
	else if (o->type == RNN_OPT_BIGINT)
		walk_i64(w, (int64_t *) field, INT64_MIN, INT64_MAX, "an option");
	else
	{
		int64_t		v = *(int32_t *) field;

		walk_i64(w, &v, INT32_MIN, INT32_MAX, "an option is out of range");
		*(int32_t *) field = (int32_t) v;
	}
}

/* Options go by name, so that later versions may add some. */
void
config_section(Walk *w, rnn_config *cfg)
{
	int32_t		count = rnn_option_count - 1;	/* seasons have a section */

	walk_i32(w, &count, 0, 1000, "the count of options");
	if (w->direction == READ)
		rnn_config_defaults(cfg);
	for (int i = 0, k = 0; i < count && !w->failed; i++)
	{
		char		name[64];
		int32_t		len = 0;
		const rnn_option *o = NULL;

		if (w->direction != READ)
		{
			while (rnn_options[k].type == RNN_OPT_SEASONS)
				k++;
			o = &rnn_options[k++];
			len = (int32_t) strlen(o->name);
			memcpy(name, o->name, len);
		}
		walk_i32(w, &len, 1, sizeof(name), "an option's name is too long");
		if (w->failed)
			return;
		walk_bytes(w, name, len);
		if (w->direction == READ && !w->failed)
		{
			o = option_named(name, len);
			CHECK(w, o != NULL && o->type != RNN_OPT_SEASONS, "an option is unknown");
		}
		if (!w->failed)
			option_value(w, o, cfg);
	}
}

/* What a trained model's configuration must have besides its ranges. */
void
check_config(Walk *w, const rnn_model *m)
{
	const rnn_config *c = &m->config;
	rnn_error	err;

	if (w->direction != READ || w->failed)
		return;
	if (rnn_config_check(c, &err) != RNN_OK)
		walk_corrupt(w, err.what);
	if (m->is_history)
		return;
	CHECK(w, c->horizon >= 1 && c->context >= 1 && c->patch >= 1 && c->hidden >= 1 &&
		  c->bptt >= 1 && c->batch >= 1 && c->members >= 1 && c->dropout >= 0 && c->calendar >= 0 && c->trading_days >= 0 &&
		  c->transform != RNN_TRANSFORM_AUTO && !isnan(c->pivot) && !isnan(c->pooling), "an option is not resolved");
	CHECK(w, c->calendar == (c->terms != 0), "terms of the calendar");
	CHECK(w, c->context % c->patch == 0, "the context is not a whole number of patches");
	CHECK(w, c->bptt <= c->context / c->patch, "bptt is longer than the context");
}

void
clock_section(Walk *w, rnn_clock *c)
{
	int			steps;

	walk_i32(w, &c->kind, RNN_CLOCK_NONE, RNN_CLOCK_STEP, "the kind of clock");
	walk_i32(w, &c->months, 0, 120000, "the clock's months");
	walk_i32(w, &c->days, 0, 4000000, "the clock's days");
	walk_i32(w, &c->month_day, 0, 31, "the clock's day of the month");
	CHECK(w, c->month_day == 0 || c->month_day >= 28, "the clock's day of the month");
	walk_i64(w, &c->usecs, 0, WALK_PLACE, "the clock's microseconds");
	walk_i32(w, &c->week, 0, 126, "the clock's days of the week");
	CHECK(w, c->week == 0 || (c->days == 1 && (c->week & (c->week - 1)) != 0), "the clock's days of the week");
	walk_i32(w, &c->bin, RNN_BIN_NONE, RNN_BIN_COUNT, "the clock's bins");
	CHECK(w, c->bin == RNN_BIN_NONE || c->kind != RNN_CLOCK_NONE, "the clock's bins");
	walk_bytes(w, c->zone, sizeof(c->zone));
	steps = (c->months > 0) + (c->days > 0) + (c->usecs > 0);
	CHECK(w, steps == (c->kind == RNN_CLOCK_NONE ? 0 : 1), "the clock's step");
	CHECK(w, memchr(c->zone, 0, sizeof(c->zone)) != NULL, "the zone's name does not end");
	for (int i = 0, ended = 0; w->direction == READ && !w->failed && i < RNN_ZONE_SIZE; i++)
	{
		ended |= c->zone[i] == 0;
		CHECK(w, ended ? c->zone[i] == 0 : c->zone[i] > 32 && c->zone[i] < 127, "the zone's name");
	}
}

static bool
has_times(const rnn_clock *c)
{
	return c->kind != RNN_CLOCK_NONE && c->kind != RNN_CLOCK_STEP;
}

/* A list of references by its length. */
void
references_field(Walk *w, int32_t *v, bool is_history)
{
	walk_i32(w, v, is_history ? 0 : RNN_LEAST_REFS, RNN_REFS, "the count of references");
	CHECK(w, is_history || *v == RNN_LEAST_REFS || *v == RNN_LEAST_REFS + RNN_ANALOGUES ||
		  *v == RNN_REFS - RNN_AUTOREGRESSIONS || *v == RNN_REFS, "the count of references");
}

static void
pooled_errors(Walk *w, rnn_config *c)
{
	for (int r = 0; r < c->mixed && c->pooling > 0 && !w->failed; r++)
	{
		walk_f64(w, &c->pooled[r]);
		CHECK(w, isnan(c->pooled[r]) || fabs(c->pooled[r]) <= RNN_MOST_POOLED, "the panel's error of a reference");
	}
}

void
seasons_section(Walk *w, rnn_model *m)
{
	walk_i32(w, &m->n_seasons, m->is_history ? 0 : 1, RNN_MAX_SEASONS, "the count of seasons");
	walk_i32(w, &m->seasons_detected, 0, 1, "the seasons' origin");
	walk_i32(w, &m->config.terms, 0, m->is_history || !has_times(&m->clock) ? 0 : (1 << RNN_TERMS) - 1, "terms of the calendar");
	references_field(w, &m->config.references, m->is_history);
	references_field(w, &m->config.mixed, m->is_history);
	walk_i32(w, &m->config.past, 0, 1, "what a network sees of the past");
	if (!m->is_history)
		pooled_errors(w, &m->config);
	for (int i = 0; i < m->n_seasons && !w->failed; i++)
		walk_i32(w, &m->seasons[i], i > 0 ? m->seasons[i - 1] + 1 : 1, 1000000, "a season");
	if (w->direction != READ)
		return;
	m->config.seasons_given = m->is_history ? -1 : m->n_seasons;
	memcpy(m->config.seasons, m->seasons, sizeof(m->config.seasons));
}

static bool
ascending(const rnn_text *a, const rnn_text *b)
{
	int			order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);

	return order < 0 || (order == 0 && a->len < b->len);
}

static void
words_of(Walk *w, rnn_covariate *c, int most)
{
	rnn_text   *words = NULL,
				before = {0};

	walk_i32(w, &c->n_categories, 0, most, "the count of a covariate's texts");
	if (w->direction == READ && (words = walk_room(w, c->n_categories, 4, sizeof(rnn_text))) == NULL && w->failed)
		return;
	for (int i = 0; i < c->n_categories && !w->failed; i++)
	{
		rnn_text	word = {0};

		if (w->direction != READ)
			word = c->categories[i];
		walk_text(w, &word, 0, MOST_WORD, "the length of a covariate's text", "a covariate's text holds a zero byte");
		CHECK(w, i == 0 || ascending(&before, &word), "a covariate's texts are not in order");
		before = word;
		if (words)
			words[i] = word;
	}
	if (w->direction == READ)
		c->categories = words;
}

static void
covariate_of(Walk *w, rnn_covariate *c, bool is_history)
{
	int32_t		is_text = c->is_text;

	walk_text(w, &c->name, 1, MOST_KEY, "the length of a covariate's name", "a covariate's text holds a zero byte");
	walk_i32(w, &c->role, RNN_PAST, RNN_STATIC, "the role of a covariate");
	walk_i32(w, &is_text, 0, 1, "the kind of a covariate");
	c->is_text = is_text != 0;
	if (c->is_text)
	{
		words_of(w, c, is_history ? MOST_WORDS : RNN_MAX_CATEGORIES);
		return;
	}
	walk_f64(w, &c->centre);
	walk_f64(w, &c->scale);
	CHECK(w, isfinite(c->centre) && c->scale > 1e-100 && c->scale < 1e100, "the scale of a covariate");
}

static void
weights_of(Walk *w, const double **list, int n)
{
	double	   *weight = NULL;

	if (w->direction == READ && (weight = walk_room(w, n, 8, sizeof(double))) == NULL && w->failed)
		return;
	for (int i = 0; i < n && !w->failed; i++)
	{
		double		v = w->direction == READ ? 0 : (*list)[i];

		walk_f64(w, &v);
		CHECK(w, fabs(v) < RNN_MOST_WEIGHT, "a weight of the regression");
		if (weight)
			weight[i] = v;
	}
	if (w->direction == READ)
		*list = weight;
}

/* How many weights there are follows from the covariates. */
static void
regression_of(Walk *w, const rnn_covariates *all, rnn_regression *r, bool is_history)
{
	if (is_history)
		*r = (rnn_regression) {0};
	walk_i32(w, &r->detail, RNN_DETAIL_NONE, is_history ? RNN_DETAIL_NONE : RNN_DETAIL_JOINT, "the detail of the regression");
	if (w->failed || r->detail == RNN_DETAIL_NONE)
		return;
	walk_i32(w, &r->cycle, 1, 1000000, "the cycle of the regression");
	if (w->direction == READ && !w->failed)
		r->n = rnn_regression_terms(all, r->detail);
	CHECK(w, r->n > 0 && r->n <= RNN_MOST_TERMS, "the count of the regression's terms");
	if (w->failed)
		return;
	weights_of(w, &r->weight, r->n);
	if (r->detail == RNN_DETAIL_JOINT)
		weights_of(w, &r->joint, rnn_regression_terms(all, RNN_DETAIL_LINEAR));
}

/* Their names ascend, so none occurs twice. */
void
covariates_section(Walk *w, rnn_model *m)
{
	rnn_covariates *all = &m->config.covariates;
	rnn_covariate *list = NULL;
	rnn_text	before = {0};

	walk_i32(w, &all->n, 0, RNN_MAX_COVARIATES, "the count of covariates");
	if (w->direction == READ && (list = walk_room(w, all->n, 16, sizeof(rnn_covariate))) == NULL && w->failed)
		return;
	/* Shapes depend on them, so they must be there when bytes are only measured, too. */
	if (w->direction == READ && list == NULL)
		list = w->measured;
	for (int i = 0; i < all->n && !w->failed; i++)
	{
		rnn_covariate c = {0};

		if (w->direction != READ)
			c = all->list[i];
		covariate_of(w, &c, m->is_history);
		CHECK(w, i == 0 || ascending(&before, &c.name), "covariates are not in order");
		before = c.name;
		if (list)
			list[i] = c;
	}
	if (w->direction == READ)
		all->list = list;
	if (all->n > 0 && !w->failed)
		regression_of(w, all, &all->regression, m->is_history);
}
