/*
 * model.c
 *		Models and histories as bytes.  docs/developers/model-format.md draws the format.
 *
 *		offset	size	field
 *		0		4		magic "RNNF"
 *		4		2		version
 *		6		2		flags, bit 0: a history, bit 1: SAMPLING is there, bit 2: COVARIATES,
 *						bit 3: CUT SHORT, bit 4: HELD OUT, bit 5: HIERARCHY
 *		8		4		length of everything, in bytes
 *		12		4		CRC-32C of all bytes from 16 on
 *		16		...		CONFIG CLOCK JUDGEMENT [SAMPLING] [CUT SHORT] [HELD OUT] SEASONS
 *						[COVARIATES] MEMBERS LOG SERIES [HIERARCHY]
 *
 * One walk, `fields`, writes, measures and reads; see walk.h.
 */
#include "model/walk.h"
#include "base/half.h"
#include "net/shape.h"

#include <math.h>
#include <string.h>

#define MAGIC "RNNF"
#define VERSION 1
#define HEADER 16
#define MAX_SERIES 10000000
#define MAX_NAME 10000
#define MAX_LOG 100000
#define MAX_LATEST ((int64_t) 1 << 40)
#define FLAG_HISTORY 1
#define FLAG_SAMPLED 2
#define FLAG_COVARIATES 4
#define FLAG_CUT_SHORT 8
#define FLAG_HELD 16
#define FLAG_HIERARCHY 32

/* -------------------------------------------------------------- sections */

static void
candidates_of(Walk *w, rnn_model *m)
{
	walk_i32(w, &m->n_candidates, 0, m->is_history ? 0 : RNN_CANDIDATES, "the count of candidates");
	walk_i32(w, &m->chosen, 0, m->n_candidates > 0 ? m->n_candidates - 1 : 0, "the candidate chosen");
	for (int i = 0; i < m->n_candidates && !w->failed; i++)
	{
		rnn_candidate *c = &m->candidate[i];

		walk_i32(w, &c->kind, RNN_KIND_SCRATCH, RNN_KIND_TUNED, "a candidate's kind");
		walk_i32(w, &c->verdict, RNN_VERDICT_ASKED, RNN_VERDICT_PRIOR, "a candidate's verdict");
		walk_i32(w, &c->windows, 0, INT32_MAX, "a candidate's windows");
		walk_i32(w, &c->steps, 0, INT32_MAX, "a candidate's steps");
		walk_f64(w, &c->difference);
		walk_f64(w, &c->std_error);
		walk_f64(w, &c->mix_pinball);
		walk_f64(w, &c->weight);
		walk_f64(w, &c->share);
		CHECK(w, !isinf(c->difference) && !isinf(c->mix_pinball), "a candidate's judgement is infinite");
		CHECK(w, c->weight >= 0 && c->weight <= 1, "a candidate's weight");
		CHECK(w, c->share >= 0 && c->share <= 1, "a candidate's share");
	}
}

static void
missing_points(Walk *w, rnn_missing *v)
{
	walk_i64(w, &v->points, 0, WALK_PLACE, "the count of missing points");
	walk_i64(w, &v->gaps, 0, v->points, "the count of gaps");
	walk_i64(w, &v->longest, 0, v->points, "the longest gap");
	walk_i32(w, &v->series, 0, MAX_SERIES, "the count of series with gaps");
}

static void
judgement_section(Walk *w, rnn_model *m)
{
	walk_i32(w, &m->verdict, RNN_VERDICT_ASKED, RNN_VERDICT_PRIOR, "the verdict");
	walk_i32(w, &m->windows, 0, INT32_MAX, "the count of windows");
	walk_i64(w, &m->points, 0, WALK_PLACE, "the count of points");
	missing_points(w, &m->missing);
	walk_f64(w, &m->difference);
	walk_f64(w, &m->std_error);
	walk_f64(w, &m->mix_pinball);
	CHECK(w, !isinf(m->difference) && !isinf(m->mix_pinball), "a judgement is infinite");
	walk_f64(w, &m->weight);
	walk_f64(w, &m->weight_short);
	CHECK(w, m->weight >= 0 && m->weight <= 1 && m->weight_short >= 0 && m->weight_short <= 1,
		  "the network's weight");
	walk_i64(w, &m->short_below, 0, WALK_PLACE, "the length of short series");
	walk_f64(w, &m->mix_spread);
	CHECK(w, m->is_history || (m->mix_spread >= 0.01 && m->mix_spread <= 100), "the mix's spread");
	walk_i32(w, &m->prior, 0, INT32_MAX, "the prior's version");
	for (int b = 0; b < RNN_BANDS; b++)
		for (int p = 0; p < RNN_MEDIAN; p++)
		{
			walk_f32(w, &m->calibration[b][p]);
			CHECK(w, m->is_history || (m->calibration[b][p] >= 0.01f && m->calibration[b][p] <= 100), "the calibration");
		}
	walk_i32(w, &m->calibration_n, 0, INT32_MAX, "the calibration's windows");
	walk_f32(w, &m->coverage);
	CHECK(w, isnan(m->coverage) || (m->coverage >= 0 && m->coverage <= 1), "the coverage");
	walk_i32(w, &m->passed, 0, RNN_MOST_PASSED, "the windows that have passed");
	walk_i64(w, &m->calibrated_to, -2 * WALK_PLACE, 2 * WALK_PLACE, "the end of the calibration");
	for (int p = 0; p < RNN_MEDIAN; p++)
	{
		walk_f32(w, &m->correction[p]);
		CHECK(w, m->passed == 0 || (m->correction[p] >= 0.1f && m->correction[p] <= 10), "the correction");
	}
	candidates_of(w, m);
}

static void
held_section(Walk *w, rnn_held *h)
{
	walk_i32(w, &h->windows, 1, INT32_MAX, "the held-out windows");
	walk_i32(w, &h->lag, 1, 1000000, "the naive lag");
	walk_i64(w, &h->points, 1, WALK_PLACE, "the count of held-out points");
	walk_f64(w, &h->error);
	walk_f64(w, &h->size);
	walk_i64(w, &h->compared, 0, h->points, "the count of compared points");
	walk_f64(w, &h->own);
	walk_f64(w, &h->naive);
	CHECK(w, isfinite(h->error) && isfinite(h->size) && isfinite(h->own) && isfinite(h->naive) &&
		  h->error >= 0 && h->size >= 0 && h->own >= 0 && h->naive >= 0, "the error of held-out windows");
}

static bool
is_sampled(const rnn_model *m)
{
	return m->rows_latest != 0 || m->windows_share != 0;
}

static void
sampling_section(Walk *w, rnn_model *m)
{
	walk_i64(w, &m->rows_latest, 0, MAX_LATEST, "the rows of each series");
	walk_f64(w, &m->windows_share);
	CHECK(w, m->windows_share >= 0 && m->windows_share <= 1, "the share of the windows");
	CHECK(w, is_sampled(m), "nothing was sampled");
}

static bool
has_covariates(const rnn_model *m)
{
	bool		ahead = false;

	for (int i = 0; i < m->n_series && !ahead; i++)
		ahead = m->series[i].ahead > 0;
	return m->config.covariates.n > 0 || ahead;
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
		CHECK(w, (uint64_t) stored <= walk_left(w) / bytes, "a count is larger than the bytes left");
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
				walk_store(w->out + w->at, m->weights[i], true);
			continue;
		}
		v = m->prior > 0 ? half_load(w->in + w->at) : (float) walk_load(w->in + w->at, true);
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
	CHECK(w, rnn_prior_fits(member->prior, cfg) && sizeof(real) * (size_t) member->params == rnn_prior_size(member->prior), "a member's shape is not the prior's");
}

static void
members_section(Walk *w, rnn_model *m)
{
	walk_i32(w, &m->n_members, 0, m->is_history ? 0 : RNN_MAX_MEMBERS, "the count of members");
	second_kind(w, m);
	for (int i = 0; i < m->n_members && !w->failed; i++)
	{
		rnn_member *member = &m->member[i];
		rnn_config	cfg;
		int64_t		seed = (int64_t) member->seed;

		walk_i64(w, &seed, INT64_MIN, INT64_MAX, "a seed");
		member->seed = (uint64_t) seed;
		walk_i32(w, &member->patch, 1, 512, "a member's patch");
		walk_i32(w, &member->context, 1, 1000000, "a member's context");
		walk_i32(w, &member->steps, 0, INT32_MAX, "a member's steps");
		walk_i32(w, &member->stopped, 0, 1, "a member's end");
		walk_i32(w, &member->prior, 0, INT32_MAX, "a member's prior");
		walk_i64(w, &member->params, 1, RNN_MAX_MODEL / 4, "a member's size");
		walk_i64(w, &member->shared, 0, member->prior > 0 ? member->params - 1 : 0, "a member's shared weights");
		CHECK(w, member->context % member->patch == 0, "a member's context is not a whole number of patches");
		cfg = rnn_member_config(m, i);
		cfg.patch = member->patch;
		cfg.context = member->context;
		CHECK(w, member->params == rnn_param_count(&cfg), "a member's size does not fit its shape");
		check_prior(w, member, &cfg);
		if (!w->failed)
			weights_of(w, member);
	}
}

static void
log_section(Walk *w, rnn_model *m)
{
	rnn_log_row *rows = NULL;

	walk_i32(w, &m->n_log, 0, MAX_LOG, "the count of log rows");
	if (w->direction == READ && (rows = walk_room(w, m->n_log, 32, sizeof(rnn_log_row))) == NULL && w->failed)
		return;
	for (int i = 0; i < m->n_log && !w->failed; i++)
	{
		rnn_log_row row = {0};

		if (w->direction != READ)
			row = m->log[i];
		walk_i32(w, &row.member, 0, RNN_MAX_MEMBERS, "a log row's member");
		walk_i32(w, &row.phase, RNN_LOG_VALIDATION, RNN_LOG_TUNING, "a log row's phase");
		walk_i32(w, &row.step, 0, INT32_MAX, "a log row's step");
		walk_f32(w, &row.loss);
		walk_f32(w, &row.validation);
		walk_f32(w, &row.baseline);
		walk_f32(w, &row.learning_rate);
		walk_f32(w, &row.grad_norm);
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

	walk_i32(w, &narrow, 0, 1, "a series' encoding");
	if (w->direction == READ && (x = walk_room(w, s->n, narrow ? 4 : 8, sizeof(double))) == NULL && w->failed)
		return;
	if (w->direction == MEASURE)
	{
		w->at += (size_t) s->n * (narrow ? 4 : 8);
		return;
	}
	/* There may be millions: `walk_room` has seen that the bytes are there. */
	for (int64_t i = 0; i < s->n && !w->failed; i++, w->at += narrow ? 4 : 8)
	{
		double		v;

		if (w->direction == WRITE)
		{
			walk_store(w->out + w->at, s->x[i], narrow);
			continue;
		}
		v = walk_load(w->in + w->at, narrow);
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

	walk_i64(w, &s->ahead, 0, s->n > 0 ? RNN_MAX_HORIZON : 0, "a series' rows ahead");
	if (all->n == 0 || w->failed)
		return;
	n = (s->n + s->ahead) * all->n;
	if (w->direction == READ && (to = walk_room(w, n, 4, sizeof(float))) == NULL && w->failed)
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
			walk_store(w->out + w->at, s->covariates ? s->covariates[i] : NAN, true);
			continue;
		}
		v = (float) walk_load(w->in + w->at, true);
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

	walk_i32(w, &named, 0, 1, "a series' name");
	if (named && !w->failed)
	{
		walk_i32(w, &s->name_len, 0, MAX_NAME, "the length of a series' name");
		if (w->direction == READ)
		{
			char	   *name = walk_room(w, s->name_len, 1, 1);

			if (!w->failed && memchr(w->in + w->at, 0, s->name_len))
				walk_corrupt(w, "a series' name holds a zero byte");
			if (w->failed)
				return;
			if (name)
				memcpy(name, w->in + w->at, s->name_len);
			s->name = name;
			w->at += s->name_len;
		}
		else
			walk_bytes(w, (char *) (uintptr_t) s->name, s->name_len);
	}
	walk_i64(w, &s->start, INT64_MIN, INT64_MAX, "a series' start");
	walk_i64(w, &s->dropped, -WALK_PLACE, WALK_PLACE, "a series' phase");
	walk_i32(w, &s->note, RNN_NOTE_NONE, RNN_NOTE_RANGE, "a series' note");
	walk_i64(w, &s->n, 0, RNN_MAX_MODEL / 4, "a series' length");
	if (!w->failed)
		points_of(w, s);
	if (!w->failed && w->covariates)
		values_of(w, s, all);
}

/* What is made of them comes behind them. */
static void
series_section(Walk *w, rnn_model *m, bool hierarchy)
{
	rnn_series *all = NULL;

	walk_i32(w, &m->n_series, 0, MAX_SERIES, "the count of series");
	if (w->direction == READ && (all = walk_room(w, m->n_series, 36, sizeof(rnn_series))) == NULL && w->failed)
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
	if (hierarchy && !w->failed)
		hierarchy_section(w, m);
	if (w->direction == READ && !w->failed)
		mark_sums(all, &m->hierarchy.sums);
}

/* Sections that not all models have. */
static int
flags_of(const rnn_model *m)
{
	return (is_sampled(m) ? FLAG_SAMPLED : 0) | (has_covariates(m) ? FLAG_COVARIATES : 0) | (m->cut_short ? FLAG_CUT_SHORT : 0) |
		(m->held.windows > 0 ? FLAG_HELD : 0) | (m->hierarchy.asked.len > 0 ? FLAG_HIERARCHY : 0);
}

static void
fields(Walk *w, rnn_model *m, int flags)
{
	const rnn_covariates none = {0};
	bool		held = (flags & FLAG_HELD) != 0;

	w->covariates = (flags & FLAG_COVARIATES) != 0;

	config_section(w, &m->config);
	clock_section(w, &m->clock);
	judgement_section(w, m);
	if (flags & FLAG_SAMPLED)
		sampling_section(w, m);
	/* A number where the flag alone would do: the checksum is not of the header. */
	if (flags & FLAG_CUT_SHORT)
		walk_i32(w, &m->cut_short, 1, m->is_history ? 0 : 1, "the cut");
	if (held)
		held_section(w, &m->held);
	CHECK(w, !held || !m->is_history, "a history was judged");
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
		series_section(w, m, (flags & FLAG_HIERARCHY) != 0);
}

/* ------------------------------------------------------------ in and out */

size_t
rnn_model_size(const rnn_model *m)
{
	Walk		w = {.direction = MEASURE,.at = HEADER};
	rnn_model	copy = *m;

	fields(&w, &copy, flags_of(m));
	return w.at;
}

void
rnn_model_encode(const rnn_model *m, uint8_t *out)
{
	Walk		w = {.direction = WRITE,.out = out};
	rnn_model	copy = *m;
	size_t		len;

	memcpy(out, MAGIC, 4);
	w.at = HEADER;
	fields(&w, &copy, flags_of(m));
	len = w.at;
	w.at = 4;
	walk_number(&w, VERSION, 2);
	walk_number(&w, (m->is_history ? FLAG_HISTORY : 0) | flags_of(m), 2);
	walk_number(&w, len, 4);
	walk_number(&w, rnn_crc32c(out + HEADER, len - HEADER), 4);
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
	version = walk_number(&w, 0, 2);
	if (version > VERSION)
		return rnn_fail(err, RNN_ERR_VERSION, "format version", (double) version, 1, VERSION);
	flags = walk_number(&w, 0, 2);
	CHECK(&w, version == VERSION, "the version");
	CHECK(&w, flags < 2 * FLAG_HIERARCHY, "the flags");
	CHECK(&w, walk_number(&w, 0, 4) == len && len <= RNN_MAX_MODEL, "the length");
	CHECK(&w, walk_number(&w, 0, 4) == rnn_crc32c(bytes + HEADER, len - HEADER), "the checksum");
	m->format = (int32_t) version;
	m->is_history = (flags & FLAG_HISTORY) != 0;
	if (!w.failed)
		fields(&w, m, (int) flags);
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
