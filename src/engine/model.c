/*
 * model.c
 *		Models and histories as bytes.  docs/model-format.md draws the format.
 *
 *		offset	size	field
 *		0		4		magic "RNNF"
 *		4		2		version
 *		6		2		flags, bit 0: a history, bit 1: SAMPLING is there, bit 2: COVARIATES
 *		8		4		length of everything, in bytes
 *		12		4		CRC-32C of all bytes from 16 on
 *		16		...		CONFIG CLOCK JUDGEMENT [SAMPLING] SEASONS [COVARIATES] MEMBERS LOG SERIES
 *
 * Numbers are little-endian.  One walk, `fields`, writes, measures and reads:
 * what one direction does the other can't forget.  Bytes that come in are
 * hostile: every count is held to a limit and to the bytes left before it is
 * used, and every value to what the rest of the engine relies on.
 */
#include "rnn.h"
#include "half.h"

#include <math.h>
#include <string.h>

#define MAGIC "RNNF"
#define VERSION 1
#define HEADER 16
#define MAX_SERIES 10000000
#define MAX_NAME 10000
#define MAX_LOG 100000
#define MAX_PLACE ((int64_t) 1 << 53)
#define MAX_LATEST ((int64_t) 1 << 40)
#define FLAG_HISTORY 1
#define FLAG_SAMPLED 2
#define FLAG_COVARIATES 4
#define MOST_KEY 255			/* bytes of a covariate's name */
#define MOST_WORD 1000			/* and of one of its texts */
#define MOST_WORDS 10000		/* of a covariate of a history */

typedef enum Direction { MEASURE, WRITE, READ } Direction;

typedef struct Walk
{
	Direction	direction;
	uint8_t    *out;			/* WRITE */
	const uint8_t *in;			/* READ */
	size_t		at,
				len;
	rnn_arena  *arena;			/* READ; base NULL measures */
	rnn_error  *err;
	bool		failed;
	bool		covariates;		/* there is that section */
	rnn_covariate measured[RNN_MAX_COVARIATES];
} Walk;

/* A condition on what was read; holds trivially for what is written. */
#define CHECK(w, cond, what) \
	do { if ((w)->direction == READ && !(w)->failed && !(cond)) corrupt((w), (what)); } while (0)

static void
corrupt(Walk *w, const char *what)
{
	if (!w->failed)
		rnn_fail(w->err, RNN_ERR_CORRUPT, what, 0, 0, 0);
	w->failed = true;
}

static size_t
left(const Walk *w)
{
	return w->failed ? 0 : w->len - w->at;
}

/* size bytes of an unsigned number */
static uint64_t
number(Walk *w, uint64_t v, int size)
{
	uint64_t	got = 0;

	if (w->direction == READ && left(w) < (size_t) size)
	{
		corrupt(w, "the bytes end too early");
		return 0;
	}
	for (int i = 0; i < size; i++)
	{
		if (w->direction == WRITE)
			w->out[w->at + i] = (uint8_t) (v >> (8 * i));
		else if (w->direction == READ)
			got |= (uint64_t) w->in[w->at + i] << (8 * i);
	}
	w->at += size;
	return w->direction == READ ? got : v;
}

static void
field_i32(Walk *w, int32_t *v, double low, double high, const char *what)
{
	*v = (int32_t) (uint32_t) number(w, (uint32_t) *v, 4);
	CHECK(w, *v >= low && *v <= high, what);
}

static void
field_i64(Walk *w, int64_t *v, int64_t low, int64_t high, const char *what)
{
	*v = (int64_t) number(w, (uint64_t) *v, 8);
	CHECK(w, *v >= low && *v <= high, what);
}

static void
field_f64(Walk *w, double *v)
{
	uint64_t	bits;

	memcpy(&bits, v, 8);
	bits = number(w, bits, 8);
	memcpy(v, &bits, 8);
}

static void
field_f32(Walk *w, float *v)
{
	uint32_t	bits;

	memcpy(&bits, v, 4);
	bits = (uint32_t) number(w, bits, 4);
	memcpy(v, &bits, 4);
}

/* Little-endian numbers in place; compilers make one load or store of each. */
static uint32_t
load32(const uint8_t *b)
{
	return b[0] | (uint32_t) b[1] << 8 | (uint32_t) b[2] << 16 | (uint32_t) b[3] << 24;
}

static void
store32(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t) v;
	b[1] = (uint8_t) (v >> 8);
	b[2] = (uint8_t) (v >> 16);
	b[3] = (uint8_t) (v >> 24);
}

static double
load_point(const uint8_t *b, bool narrow)
{
	uint64_t	bits = load32(b);
	uint32_t	half;
	float		f;
	double		v;

	if (narrow)
	{
		half = (uint32_t) bits;
		memcpy(&f, &half, 4);
		return f;
	}
	bits |= (uint64_t) load32(b + 4) << 32;
	memcpy(&v, &bits, 8);
	return v;
}

static void
store_point(uint8_t *b, double v, bool narrow)
{
	float		f = (float) v;
	uint32_t	half;
	uint64_t	bits;

	if (narrow)
	{
		memcpy(&half, &f, 4);
		store32(b, half);
		return;
	}
	memcpy(&bits, &v, 8);
	store32(b, (uint32_t) bits);
	store32(b + 4, (uint32_t) (bits >> 32));
}

static void
field_bytes(Walk *w, char *v, size_t n)
{
	if (w->direction == READ && left(w) < n)
	{
		corrupt(w, "the bytes end too early");
		return;
	}
	if (w->direction == WRITE && n > 0)
		memcpy(w->out + w->at, v, n);
	else if (w->direction == READ && n > 0)
		memcpy(v, w->in + w->at, n);
	w->at += n;
}

/* Room for n elements that take at least `least` bytes each of those left. */
static void *
room(Walk *w, int64_t n, size_t least, size_t width)
{
	if (w->failed || (uint64_t) n > left(w) / least)
	{
		corrupt(w, "a count is larger than the bytes left");
		return NULL;
	}
	return rnn_arena_alloc(w->arena, (size_t) n, width);
}

/* ---------------------------------------------------------------- config */

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
		field_f64(w, (double *) field);
	else if (o->type == RNN_OPT_BIGINT)
		field_i64(w, (int64_t *) field, INT64_MIN, INT64_MAX, "an option");
	else
	{
		int64_t		v = *(int32_t *) field;

		field_i64(w, &v, INT32_MIN, INT32_MAX, "an option is out of range");
		*(int32_t *) field = (int32_t) v;
	}
}

/* Options go by name, so that later versions may add some. */
static void
config_section(Walk *w, rnn_config *cfg)
{
	int32_t		count = rnn_option_count - 1;	/* seasons have a section */

	field_i32(w, &count, 0, 1000, "the count of options");
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
		field_i32(w, &len, 1, sizeof(name), "an option's name is too long");
		if (w->failed)
			return;
		field_bytes(w, name, len);
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
static void
check_config(Walk *w, const rnn_model *m)
{
	const rnn_config *c = &m->config;
	rnn_error	err;

	if (w->direction != READ || w->failed)
		return;
	if (rnn_config_check(c, &err) != RNN_OK)
		corrupt(w, err.what);
	if (m->is_history)
		return;
	CHECK(w, c->horizon >= 1 && c->context >= 1 && c->patch >= 1 && c->hidden >= 1 &&
		  c->bptt >= 1 && c->batch >= 1 && c->members >= 1 && c->dropout >= 0 && c->calendar >= 0, "an option is not resolved");
	CHECK(w, c->calendar == (c->terms != 0), "terms of the calendar");
	CHECK(w, c->context % c->patch == 0, "the context is not a whole number of patches");
	CHECK(w, c->bptt <= c->context / c->patch, "bptt is longer than the context");
}

/* -------------------------------------------------------------- sections */

static void
clock_section(Walk *w, rnn_clock *c)
{
	int			steps;

	field_i32(w, &c->kind, RNN_CLOCK_NONE, RNN_CLOCK_STEP, "the kind of clock");
	field_i32(w, &c->months, 0, 120000, "the clock's months");
	field_i32(w, &c->days, 0, 4000000, "the clock's days");
	field_i32(w, &c->month_day, 0, 31, "the clock's day of the month");
	CHECK(w, c->month_day == 0 || c->month_day >= 28, "the clock's day of the month");
	field_i64(w, &c->usecs, 0, MAX_PLACE, "the clock's microseconds");
	field_i32(w, &c->week, 0, 126, "the clock's days of the week");
	CHECK(w, c->week == 0 || (c->days == 1 && (c->week & (c->week - 1)) != 0), "the clock's days of the week");
	field_i32(w, &c->bin, RNN_BIN_NONE, RNN_BIN_COUNT, "the clock's bins");
	CHECK(w, c->bin == RNN_BIN_NONE || c->kind != RNN_CLOCK_NONE, "the clock's bins");
	field_bytes(w, c->zone, sizeof(c->zone));
	steps = (c->months > 0) + (c->days > 0) + (c->usecs > 0);
	CHECK(w, steps == (c->kind == RNN_CLOCK_NONE ? 0 : 1), "the clock's step");
	CHECK(w, memchr(c->zone, 0, sizeof(c->zone)) != NULL, "the zone's name doesn't end");
	for (int i = 0, ended = 0; w->direction == READ && !w->failed && i < RNN_ZONE_SIZE; i++)
	{
		ended |= c->zone[i] == 0;
		CHECK(w, ended ? c->zone[i] == 0 : c->zone[i] > 32 && c->zone[i] < 127, "the zone's name");
	}
}

static void
candidates_of(Walk *w, rnn_model *m)
{
	field_i32(w, &m->n_candidates, 0, m->is_history ? 0 : RNN_CANDIDATES, "the count of candidates");
	field_i32(w, &m->chosen, 0, m->n_candidates > 0 ? m->n_candidates - 1 : 0, "the candidate chosen");
	for (int i = 0; i < m->n_candidates && !w->failed; i++)
	{
		rnn_candidate *c = &m->candidate[i];

		field_i32(w, &c->kind, RNN_KIND_SCRATCH, RNN_KIND_TUNED, "a candidate's kind");
		field_i32(w, &c->verdict, RNN_VERDICT_ASKED, RNN_VERDICT_PRIOR, "a candidate's verdict");
		field_i32(w, &c->windows, 0, INT32_MAX, "a candidate's windows");
		field_i32(w, &c->steps, 0, INT32_MAX, "a candidate's steps");
		field_f64(w, &c->difference);
		field_f64(w, &c->std_error);
		field_f64(w, &c->mix_pinball);
		field_f64(w, &c->weight);
		CHECK(w, !isinf(c->difference) && !isinf(c->mix_pinball), "a candidate's judgement is infinite");
		CHECK(w, c->weight >= 0 && c->weight <= 1, "a candidate's weight");
	}
}

static void
missing_points(Walk *w, rnn_missing *v)
{
	field_i64(w, &v->points, 0, MAX_PLACE, "the count of missing points");
	field_i64(w, &v->gaps, 0, v->points, "the count of gaps");
	field_i64(w, &v->longest, 0, v->points, "the longest gap");
	field_i32(w, &v->series, 0, MAX_SERIES, "the count of series with gaps");
}

static void
judgement_section(Walk *w, rnn_model *m)
{
	field_i32(w, &m->verdict, RNN_VERDICT_ASKED, RNN_VERDICT_PRIOR, "the verdict");
	field_i32(w, &m->windows, 0, INT32_MAX, "the count of windows");
	field_i64(w, &m->points, 0, MAX_PLACE, "the count of points");
	missing_points(w, &m->missing);
	field_f64(w, &m->difference);
	field_f64(w, &m->std_error);
	field_f64(w, &m->mix_pinball);
	CHECK(w, !isinf(m->difference) && !isinf(m->mix_pinball), "a judgement is infinite");
	field_f64(w, &m->weight);
	field_f64(w, &m->weight_short);
	CHECK(w, m->weight >= 0 && m->weight <= 1 && m->weight_short >= 0 && m->weight_short <= 1,
		  "the network's weight");
	field_i64(w, &m->short_below, 0, MAX_PLACE, "the length of short series");
	field_f64(w, &m->mix_spread);
	CHECK(w, m->is_history || (m->mix_spread >= 0.01 && m->mix_spread <= 100), "the mix's spread");
	field_i32(w, &m->prior, 0, INT32_MAX, "the prior's version");
	for (int b = 0; b < RNN_BANDS; b++)
		for (int p = 0; p < RNN_MEDIAN; p++)
		{
			field_f32(w, &m->calibration[b][p]);
			CHECK(w, m->is_history || (m->calibration[b][p] >= 0.01f && m->calibration[b][p] <= 100), "the calibration");
		}
	field_i32(w, &m->calibration_n, 0, INT32_MAX, "the calibration's windows");
	field_f32(w, &m->coverage);
	CHECK(w, isnan(m->coverage) || (m->coverage >= 0 && m->coverage <= 1), "the coverage");
	candidates_of(w, m);
}

static bool
is_sampled(const rnn_model *m)
{
	return m->rows_latest != 0 || m->windows_share != 0;
}

static void
sampling_section(Walk *w, rnn_model *m)
{
	field_i64(w, &m->rows_latest, 0, MAX_LATEST, "the rows of each series");
	field_f64(w, &m->windows_share);
	CHECK(w, m->windows_share >= 0 && m->windows_share <= 1, "the share of the windows");
	CHECK(w, is_sampled(m), "nothing was sampled");
}

static bool
has_times(const rnn_clock *c)
{
	return c->kind != RNN_CLOCK_NONE && c->kind != RNN_CLOCK_STEP;
}

static void
seasons_section(Walk *w, rnn_model *m)
{
	field_i32(w, &m->n_seasons, m->is_history ? 0 : 1, RNN_MAX_SEASONS, "the count of seasons");
	field_i32(w, &m->seasons_detected, 0, 1, "the seasons' origin");
	field_i32(w, &m->config.terms, 0, m->is_history || !has_times(&m->clock) ? 0 : (1 << RNN_TERMS) - 1, "terms of the calendar");
	for (int i = 0; i < m->n_seasons && !w->failed; i++)
		field_i32(w, &m->seasons[i], i > 0 ? m->seasons[i - 1] + 1 : 1, 1000000, "a season");
	if (w->direction != READ)
		return;
	m->config.seasons_given = m->is_history ? -1 : m->n_seasons;
	memcpy(m->config.seasons, m->seasons, sizeof(m->config.seasons));
}

static bool
has_covariates(const rnn_model *m)
{
	bool		ahead = false;

	for (int i = 0; i < m->n_series && !ahead; i++)
		ahead = m->series[i].ahead > 0;
	return m->config.covariates.n > 0 || ahead;
}

static void
text_field(Walk *w, rnn_text *t, int32_t least, int32_t most, const char *what)
{
	char	   *text;

	field_i32(w, &t->len, least, most, what);
	if (w->failed)
		return;
	if (w->direction != READ)
	{
		field_bytes(w, (char *) (uintptr_t) t->text, t->len);
		return;
	}
	text = room(w, t->len, 1, 1);
	CHECK(w, w->failed || !memchr(w->in + w->at, 0, t->len), "a covariate's text holds a zero byte");
	if (w->failed)
		return;
	if (text)
		memcpy(text, w->in + w->at, t->len);
	t->text = (const char *) w->in + w->at;
	if (text)
		t->text = text;
	w->at += t->len;
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

	field_i32(w, &c->n_categories, 0, most, "the count of a covariate's texts");
	if (w->direction == READ && (words = room(w, c->n_categories, 4, sizeof(rnn_text))) == NULL && w->failed)
		return;
	for (int i = 0; i < c->n_categories && !w->failed; i++)
	{
		rnn_text	word = {0};

		if (w->direction != READ)
			word = c->categories[i];
		text_field(w, &word, 0, MOST_WORD, "the length of a covariate's text");
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

	text_field(w, &c->name, 1, MOST_KEY, "the length of a covariate's name");
	field_i32(w, &c->role, RNN_PAST, RNN_STATIC, "the role of a covariate");
	field_i32(w, &is_text, 0, 1, "the kind of a covariate");
	c->is_text = is_text != 0;
	if (c->is_text)
	{
		words_of(w, c, is_history ? MOST_WORDS : RNN_MAX_CATEGORIES);
		return;
	}
	field_f64(w, &c->centre);
	field_f64(w, &c->scale);
	CHECK(w, isfinite(c->centre) && c->scale > 1e-100 && c->scale < 1e100, "the scale of a covariate");
}

/* Their names ascend, so none occurs twice. */
static void
covariates_section(Walk *w, rnn_model *m)
{
	rnn_covariates *all = &m->config.covariates;
	rnn_covariate *list = NULL;
	rnn_text	before = {0};

	field_i32(w, &all->n, 0, RNN_MAX_COVARIATES, "the count of covariates");
	if (w->direction == READ && (list = room(w, all->n, 16, sizeof(rnn_covariate))) == NULL && w->failed)
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
}

/* Single precision, or, of one that goes on from a prior, the weights that differ in half precision. */
static void
weights_of(Walk *w, rnn_member *m)
{
	int			bytes = m->prior > 0 ? 2 : 4;
	int64_t		stored = m->params - m->shared;
	float	   *weights = NULL;

	if (w->direction == READ)
	{
		CHECK(w, (uint64_t) stored <= left(w) / bytes, "a count is larger than the bytes left");
		if (w->failed)
			return;
		weights = rnn_arena_alloc(w->arena, (size_t) m->params, sizeof(float));
		if (m->shared > 0)
			rnn_prior_weights(m->prior, m->shared, weights);
	}
	if (w->direction == MEASURE)
	{
		w->at += (size_t) stored * bytes;
		return;
	}
	for (int64_t i = m->shared; i < m->params && !w->failed; i++, w->at += bytes)
	{
		float		v;

		if (w->direction == WRITE)
		{
			if (m->prior > 0)
				half_store(w->out + w->at, m->weights[i]);
			else
				store_point(w->out + w->at, m->weights[i], true);
			continue;
		}
		v = m->prior > 0 ? (float) half_load(w->in + w->at) : (float) load_point(w->in + w->at, true);
		/* Half precision here has no infinity: what would be one is a number. */
		CHECK(w, isfinite(v), "a weight is not finite");
		if (weights)
			weights[i] = v;
	}
	if (w->direction == READ)
		m->weights = weights;
}

/* A prior that is not here is no damage: a newer library has it. */
static void
check_prior(Walk *w, const rnn_member *member, const rnn_config *cfg)
{
	if (w->direction != READ || w->failed || member->prior == 0)
		return;
	if (rnn_prior_size(member->prior) == 0)
	{
		rnn_fail(w->err, RNN_ERR_VERSION, "prior", member->prior, 1, rnn_prior_latest());
		w->failed = true;
		return;
	}
	CHECK(w, rnn_prior_fits(member->prior, cfg), "a member's shape isn't the prior's");
}

static void
members_section(Walk *w, rnn_model *m)
{
	field_i32(w, &m->n_members, 0, m->is_history ? 0 : RNN_MAX_MEMBERS, "the count of members");
	for (int i = 0; i < m->n_members && !w->failed; i++)
	{
		rnn_member *member = &m->member[i];
		rnn_config	cfg = m->config;
		int64_t		seed = (int64_t) member->seed;

		field_i64(w, &seed, INT64_MIN, INT64_MAX, "a seed");
		member->seed = (uint64_t) seed;
		field_i32(w, &member->patch, 1, 512, "a member's patch");
		field_i32(w, &member->context, 1, 1000000, "a member's context");
		field_i32(w, &member->steps, 0, INT32_MAX, "a member's steps");
		field_i32(w, &member->stopped, 0, 1, "a member's end");
		field_i32(w, &member->prior, 0, INT32_MAX, "a member's prior");
		field_i64(w, &member->params, 1, RNN_MAX_MODEL / 4, "a member's size");
		field_i64(w, &member->shared, 0, member->prior > 0 ? member->params - 1 : 0, "a member's shared weights");
		CHECK(w, member->context % member->patch == 0, "a member's context is not a whole number of patches");
		cfg.patch = member->patch;
		cfg.context = member->context;
		CHECK(w, member->params == rnn_param_count(&cfg), "a member's size doesn't fit its shape");
		check_prior(w, member, &cfg);
		if (!w->failed)
			weights_of(w, member);
	}
}

static void
log_section(Walk *w, rnn_model *m)
{
	rnn_log_row *rows = NULL;

	field_i32(w, &m->n_log, 0, MAX_LOG, "the count of log rows");
	if (w->direction == READ && (rows = room(w, m->n_log, 32, sizeof(rnn_log_row))) == NULL && w->failed)
		return;
	for (int i = 0; i < m->n_log && !w->failed; i++)
	{
		rnn_log_row row = {0};

		if (w->direction != READ)
			row = m->log[i];
		field_i32(w, &row.member, 0, RNN_MAX_MEMBERS, "a log row's member");
		field_i32(w, &row.phase, RNN_LOG_VALIDATION, RNN_LOG_TUNING, "a log row's phase");
		field_i32(w, &row.step, 0, INT32_MAX, "a log row's step");
		field_f32(w, &row.loss);
		field_f32(w, &row.validation);
		field_f32(w, &row.baseline);
		field_f32(w, &row.learning_rate);
		field_f32(w, &row.grad_norm);
		if (rows)
			rows[i] = row;
	}
	if (w->direction == READ)
		m->log = rows;
}

/* float32 where every known value survives it: half the bytes. */
static bool
fits_float(const rnn_series *s)
{
	for (int64_t i = 0; i < s->n; i++)
		if (!isnan(s->x[i]) && (double) (float) s->x[i] != s->x[i])
			return false;
	return true;
}

static void
points_of(Walk *w, rnn_series *s)
{
	int32_t		narrow = w->direction == READ ? 0 : fits_float(s);
	double	   *x = NULL;

	field_i32(w, &narrow, 0, 1, "a series' encoding");
	if (w->direction == READ && (x = room(w, s->n, narrow ? 4 : 8, sizeof(double))) == NULL && w->failed)
		return;
	if (w->direction == MEASURE)
	{
		w->at += (size_t) s->n * (narrow ? 4 : 8);
		return;
	}
	/* There may be millions: `room` has seen that the bytes are there. */
	for (int64_t i = 0; i < s->n && !w->failed; i++, w->at += narrow ? 4 : 8)
	{
		double		v;

		if (w->direction == WRITE)
		{
			store_point(w->out + w->at, s->x[i], narrow);
			continue;
		}
		v = load_point(w->in + w->at, narrow);
		CHECK(w, !isinf(v), "a point is infinite");
		CHECK(w, !isnan(v) || (i > 0 && i < s->n - 1), "the first or last point is missing");
		if (x)
			x[i] = v;
	}
	if (w->direction == READ)
		s->x = x;
}

/* (n + ahead, count), of numbers or places of texts. */
static void
values_of(Walk *w, rnn_series *s, const rnn_covariates *all)
{
	int64_t		n;
	float	   *to = NULL;

	field_i64(w, &s->ahead, 0, s->n > 0 ? RNN_MAX_HORIZON : 0, "a series' rows ahead");
	if (all->n == 0 || w->failed)
		return;
	n = (s->n + s->ahead) * all->n;
	if (w->direction == READ && (to = room(w, n, 4, sizeof(float))) == NULL && w->failed)
		return;
	if (w->direction == MEASURE)
	{
		w->at += (size_t) n * 4;
		return;
	}
	for (int64_t i = 0; i < n && !w->failed; i++, w->at += 4)
	{
		const rnn_covariate *c = &all->list[i % all->n];
		float		v;

		if (w->direction == WRITE)
		{
			store_point(w->out + w->at, s->covariates ? s->covariates[i] : NAN, true);
			continue;
		}
		v = (float) load_point(w->in + w->at, true);
		CHECK(w, !isinf(v), "a covariate is infinite");
		CHECK(w, isnan(v) || !c->is_text || (v >= 0 && v <= c->n_categories && v == floorf(v)),
			  "a covariate is none of its texts");
		if (to)
			to[i] = v;
	}
	if (w->direction == READ)
		s->covariates = to;
}

static void
series_of(Walk *w, rnn_series *s, const rnn_covariates *all)
{
	int32_t		named = s->name != NULL;

	field_i32(w, &named, 0, 1, "a series' name");
	if (named && !w->failed)
	{
		field_i32(w, &s->name_len, 0, MAX_NAME, "the length of a series' name");
		if (w->direction == READ)
		{
			char	   *name = room(w, s->name_len, 1, 1);

			if (!w->failed && memchr(w->in + w->at, 0, s->name_len))
				corrupt(w, "a series' name holds a zero byte");
			if (w->failed)
				return;
			if (name)
				memcpy(name, w->in + w->at, s->name_len);
			s->name = name;
			w->at += s->name_len;
		}
		else
			field_bytes(w, (char *) (uintptr_t) s->name, s->name_len);
	}
	field_i64(w, &s->start, INT64_MIN, INT64_MAX, "a series' start");
	field_i64(w, &s->dropped, -MAX_PLACE, MAX_PLACE, "a series' phase");
	field_i32(w, &s->note, RNN_NOTE_NONE, RNN_NOTE_RANGE, "a series' note");
	field_i64(w, &s->n, 0, RNN_MAX_MODEL / 4, "a series' length");
	if (!w->failed)
		points_of(w, s);
	if (!w->failed && w->covariates)
		values_of(w, s, all);
}

static void
series_section(Walk *w, rnn_model *m)
{
	rnn_series *all = NULL;

	field_i32(w, &m->n_series, 0, MAX_SERIES, "the count of series");
	if (w->direction == READ && (all = room(w, m->n_series, 36, sizeof(rnn_series))) == NULL && w->failed)
		return;
	for (int i = 0; i < m->n_series && !w->failed; i++)
	{
		rnn_series	s = {0};

		if (w->direction != READ)
			s = m->series[i];
		series_of(w, &s, &m->config.covariates);
		if (all)
			all[i] = s;
	}
	if (w->direction == READ)
		m->series = all;
}

static void
fields(Walk *w, rnn_model *m, bool sampled)
{
	const rnn_covariates none = {0};

	config_section(w, &m->config);
	clock_section(w, &m->clock);
	judgement_section(w, m);
	if (sampled)
		sampling_section(w, m);
	seasons_section(w, m);
	check_config(w, m);
	if (w->direction == READ)
		m->config.covariates = none;
	if (!w->failed && w->covariates)
		covariates_section(w, m);
	if (!w->failed)
		members_section(w, m);
	if (!w->failed)
		log_section(w, m);
	if (!w->failed)
		series_section(w, m);
}

/* ------------------------------------------------------------ in and out */

size_t
rnn_model_size(const rnn_model *m)
{
	Walk		w = {.direction = MEASURE,.at = HEADER,.covariates = has_covariates(m)};
	rnn_model	copy = *m;

	fields(&w, &copy, is_sampled(m));
	return w.at;
}

void
rnn_model_encode(const rnn_model *m, uint8_t *out)
{
	Walk		w = {.direction = WRITE,.out = out,.covariates = has_covariates(m)};
	rnn_model	copy = *m;
	size_t		len;

	memcpy(out, MAGIC, 4);
	w.at = HEADER;
	fields(&w, &copy, is_sampled(m));
	len = w.at;
	w.at = 4;
	number(&w, VERSION, 2);
	number(&w, (m->is_history ? FLAG_HISTORY : 0) | (is_sampled(m) ? FLAG_SAMPLED : 0) |
		   (w.covariates ? FLAG_COVARIATES : 0), 2);
	number(&w, len, 4);
	number(&w, rnn_crc32c(out + HEADER, len - HEADER), 4);
}

static rnn_status
read_model(const uint8_t *bytes, size_t len, rnn_arena *a, rnn_model *m, rnn_error *err)
{
	rnn_error	local;
	Walk		w = {.direction = READ,.in = bytes,.len = len,.arena = a,.err = err ? err : &local};
	uint64_t	version,
				flags;

	memset(m, 0, sizeof(*m));
	if (len < HEADER || memcmp(bytes, MAGIC, 4) != 0)
		return rnn_fail(err, RNN_ERR_CORRUPT, "these bytes are not a model", (double) len, 0, 0);
	w.at = 4;
	version = number(&w, 0, 2);
	if (version > VERSION)
		return rnn_fail(err, RNN_ERR_VERSION, "format version", (double) version, 1, VERSION);
	flags = number(&w, 0, 2);
	CHECK(&w, version == VERSION, "the version");
	CHECK(&w, flags <= (FLAG_HISTORY | FLAG_SAMPLED | FLAG_COVARIATES), "the flags");
	CHECK(&w, number(&w, 0, 4) == len && len <= RNN_MAX_MODEL, "the length");
	CHECK(&w, number(&w, 0, 4) == rnn_crc32c(bytes + HEADER, len - HEADER), "the checksum");
	m->format = (int32_t) version;
	m->is_history = (flags & FLAG_HISTORY) != 0;
	w.covariates = (flags & FLAG_COVARIATES) != 0;
	if (!w.failed)
		fields(&w, m, (flags & FLAG_SAMPLED) != 0);
	CHECK(&w, w.at == len, "there are bytes behind the end");
	if (w.failed)
		return w.err->status;
	if (a->failed)
		return rnn_fail(err, RNN_ERR_MEMORY, "decoding a model", (double) a->size, 0, 0);
	return RNN_OK;
}

rnn_status
rnn_model_decoded_size(const uint8_t *bytes, size_t len, size_t *size, rnn_error *err)
{
	rnn_arena	a;
	rnn_model	m;

	rnn_arena_init(&a, NULL, 0);
	RNN_TRY(read_model(bytes, len, &a, &m, err));
	*size = a.used;
	return RNN_OK;
}

rnn_status
rnn_model_decode(const uint8_t *bytes, size_t len, rnn_arena *a, rnn_model *m, rnn_error *err)
{
	return read_model(bytes, len, a, m, err);
}
