/*
 * test_model.c
 *		Models as bytes: what is written is read again, what was damaged by
 *		chance is refused.  test_forged damages models on purpose.
 */
#include "samples.h"

/* Refused as corrupt, with a reason. */
static bool
is_corrupt(const uint8_t *bytes, size_t len)
{
	rnn_error	err = {0};
	size_t		size;

	return rnn_model_decoded_size(bytes, len, &size, &err) == RNN_ERR_CORRUPT &&
		err.status == RNN_ERR_CORRUPT && err.what && err.what[0];
}

/* The same quantiles to the bit from both, or the same error. */
static bool
same_forecasts(const rnn_model *a, const rnn_model *b, int horizon)
{
	bool		same = a->n_series == b->n_series && a->n_series > 0;

	for (int i = 0; same && i < a->n_series; i++)
	{
		const rnn_series *s = &a->series[i],
				   *t = &b->series[i];
		double	   *p,
				   *q;

		if (s->n == 0)
			continue;
		p = forecast_series(a, s->x, s->n, horizon);
		q = forecast_series(b, t->x, t->n, horizon);
		same = p && q && memcmp(p, q, sizeof(double) * horizon * RNN_QUANTILES) == 0;
		free(p), free(q);
	}
	return same;
}

static bool
same_double(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static bool
same_option(const rnn_option *o, const rnn_config *a, const rnn_config *b)
{
	size_t		width = o->type == RNN_OPT_FLOAT || o->type == RNN_OPT_BIGINT ? 8 : 4;

	return memcmp((const char *) a + o->offset, (const char *) b + o->offset, width) == 0;
}

static void
compare_series(const rnn_series *a, const rnn_series *b)
{
	CHECK((a->name == NULL) == (b->name == NULL));
	CHECK(!a->name || (a->name_len == b->name_len && memcmp(a->name, b->name, a->name_len) == 0));
	CHECK(a->note == b->note && a->start == b->start && a->dropped == b->dropped && a->n == b->n);
	for (int64_t i = 0; i < a->n; i++)
		if (!isnan(a->x[i]) || !isnan(b->x[i]))
			CHECK(a->x[i] == b->x[i]);
	CHECK(a->ahead == b->ahead);
	CHECK(!a->covariates || memcmp(a->covariates, b->covariates, sizeof(float) * (a->n + a->ahead) * COVARIATES) == 0);
}

static void
compare_covariates(const rnn_covariates *a, const rnn_covariates *b)
{
	CHECK(a->n == b->n);
	for (int k = 0; k < a->n; k++)
	{
		const rnn_covariate *p = &a->list[k],
				   *q = &b->list[k];

		CHECK(p->name.len == q->name.len && memcmp(p->name.text, q->name.text, p->name.len) == 0);
		CHECK(p->role == q->role && p->is_text == q->is_text && p->n_categories == q->n_categories);
		CHECK(p->is_text || (p->centre == q->centre && p->scale == q->scale));
		for (int i = 0; i < p->n_categories; i++)
			CHECK(p->categories[i].len == q->categories[i].len &&
				  memcmp(p->categories[i].text, q->categories[i].text, p->categories[i].len) == 0);
	}
}

static void
compare_members(const rnn_model *a, const rnn_model *b)
{
	CHECK(a->n_members == b->n_members);
	for (int i = 0; i < a->n_members; i++)
	{
		const rnn_member *p = &a->member[i],
				   *q = &b->member[i];

		CHECK(p->seed == q->seed && p->patch == q->patch && p->context == q->context);
		CHECK(p->steps == q->steps && p->stopped == q->stopped && p->params == q->params);
		CHECK(memcmp(p->weights, q->weights, sizeof(float) * p->params) == 0);
	}
	CHECK(a->n_log == b->n_log);
	CHECK(a->n_log == 0 || memcmp(a->log, b->log, sizeof(rnn_log_row) * a->n_log) == 0);
}

/* Field by field: bytes that are equal tell nothing of what was never written. */
static void
compare_models(const rnn_model *a, const rnn_model *b)
{
	CHECK(a->is_history == b->is_history && a->verdict == b->verdict);
	CHECK(a->missing.points == b->missing.points && a->missing.gaps == b->missing.gaps);
	CHECK(a->missing.longest == b->missing.longest && a->missing.series == b->missing.series);
	CHECK(a->windows == b->windows && a->points == b->points && a->calibration_n == b->calibration_n);
	CHECK(same_double(a->difference, b->difference) && same_double(a->std_error, b->std_error));
	CHECK(same_double(a->mix_pinball, b->mix_pinball) && a->weight == b->weight);
	CHECK(a->mix_spread == b->mix_spread);
	CHECK(a->weight_short == b->weight_short && a->short_below == b->short_below);
	CHECK(memcmp(a->calibration, b->calibration, sizeof(a->calibration)) == 0);
	CHECK(memcmp(&a->coverage, &b->coverage, sizeof(float)) == 0);
	CHECK(memcmp(&a->held, &b->held, sizeof(a->held)) == 0);
	CHECK(a->rows_latest == b->rows_latest && a->windows_share == b->windows_share && a->cut_short == b->cut_short);
	CHECK(a->n_seasons == b->n_seasons && memcmp(a->seasons, b->seasons, sizeof(a->seasons)) == 0);
	CHECK(a->seasons_detected == b->seasons_detected);
	for (int i = 0; i < rnn_option_count; i++)
		if (rnn_options[i].type != RNN_OPT_SEASONS)
			CHECK(same_option(&rnn_options[i], &a->config, &b->config));
	for (int r = 0; !a->is_history && r < a->config.mixed && a->config.pooling > 0; r++)
		CHECK(same_double(a->config.pooled[r], b->config.pooled[r]));
	CHECK(a->config.seasons_given == b->config.seasons_given && a->config.terms == b->config.terms);
	CHECK(a->clock.kind == b->clock.kind && a->clock.months == b->clock.months && a->clock.days == b->clock.days);
	CHECK(a->clock.month_day == b->clock.month_day && a->clock.usecs == b->clock.usecs);
	CHECK(a->clock.week == b->clock.week && a->clock.bin == b->clock.bin);
	CHECK(memcmp(a->clock.zone, b->clock.zone, RNN_ZONE_SIZE) == 0);
	compare_covariates(&a->config.covariates, &b->config.covariates);
	compare_members(a, b);
	CHECK(a->n_series == b->n_series);
	for (int i = 0; i < a->n_series; i++)
		compare_series(&a->series[i], &b->series[i]);
}

/* ------------------------------------------------------------------ tests */

/* What the samples are for: every branch of the format is in one of them. */
static void
test_samples(void)
{
	CHECK(samples[0].model.n_members == 1 && samples[0].model.weight == 1 && !samples[0].model.config.skip);
	CHECK(samples[1].model.member[0].params > samples[5].model.member[0].params);
	CHECK(samples[2].model.n_members == 2 && samples[2].model.member[0].seed != samples[2].model.member[1].seed);
	CHECK(samples[3].model.n_members == 0 && samples[3].model.verdict == RNN_VERDICT_OFF);
	CHECK(samples[4].model.windows > 0 && samples[4].model.std_error > 0);
	CHECK(samples[4].model.n_log > 0);
}

static void
test_round_trip(void)
{
	for (int i = 0; i < SAMPLES; i++)
	{
		Sample	   *s = &samples[i];
		rnn_error	err;
		rnn_model	m;
		void	   *block = read_bytes(s->bytes, s->len, &m, &err);
		uint8_t    *again = malloc(s->len);

		CHECK(block != NULL);
		if (!block)
		{
			printf("  %s: %s\n", s->kind, err.what);
			continue;
		}
		compare_models(&s->model, &m);
		CHECK(rnn_model_size(&m) == s->len);
		rnn_model_encode(&m, again);
		CHECK(memcmp(again, s->bytes, s->len) == 0);
		/* within the trained horizon and beyond */
		CHECK(s->model.is_history || same_forecasts(&s->model, &m, 3));
		CHECK(s->model.is_history || same_forecasts(&s->model, &m, 40));
		free(block), free(again);
	}
}

static float weights[2][8000];
static rnn_log_row rows[2] = {
	{1, 0, 20, 0.5f, 0.25f, 0.125f, 0.01f, 3}, {RNN_MAX_MEMBERS, 1, INT32_MAX, -1, 7, 8, 9, 10}
};

/* Each option at one end of its range and then at the other, resolved. */
static void
option_ends(rnn_config *cfg, bool high)
{
	rnn_config_defaults(cfg);
	for (int i = 0; i < rnn_option_count; i++)
	{
		const rnn_option *o = &rnn_options[i];
		char	   *field = (char *) cfg + o->offset;
		double		v = high ? o->max : o->min;

		if (o->type == RNN_OPT_FLOAT)
			*(double *) field = v;
		else if (o->type == RNN_OPT_BIGINT)
			*(int64_t *) field = (int64_t) v;
		else if (o->type != RNN_OPT_SEASONS)
			*(int32_t *) field = (int32_t) v;
	}
	/* Shapes that a test can hold, and what excludes each other. */
	cfg->network = 1;
	cfg->hidden = 1 + high;
	cfg->layers = 1 + high;
	cfg->conv_layers = high;
	cfg->conv_kernel = 1 + high;
	cfg->patch = 1 + high;
	cfg->context = 12;
	cfg->bptt = 6 - high;
}

static void
every_member(rnn_model *m, bool high)
{
	m->n_members = 2;
	for (int i = 0; i < 2; i++)
	{
		rnn_config	cfg = m->config;

		cfg.patch = 1 + i + high;
		cfg.context = 6 * cfg.patch;
		m->member[i] = (rnn_member) {
			.seed = (high ? UINT64_MAX : 1) ^ (uint64_t) (2 * i),.patch = cfg.patch,.context = cfg.context,.steps = 90 + i,
			.stopped = i,.params = rnn_param_count(&cfg),.weights = weights[i]
		};
		CHECK(m->member[i].params <= 8000);
		for (int64_t k = 0; k < m->member[i].params; k++)
			weights[i][k] = (float) ((k % 2 ? -1 : 1) * (k % 3 == 0 ? 1e-42 : k % 3 == 1 ? 3e38 : 0.1) / (1 + i));
	}
}

/* A value of its own in every field, low or high. */
static rnn_model
every_field(bool high)
{
	rnn_model	m = {
		.verdict = high ? RNN_VERDICT_TIME : RNN_VERDICT_ADDED,.windows = high ? INT32_MAX : 3,
		.points = high ? (int64_t) 1 << 53 : 4,.missing = {high ? (int64_t) 1 << 53 : 5, high ? (int64_t) 1 << 53 : 2, 3, high ? 10000000 : 1},
		.difference = high ? NAN : -1.5,.std_error = high ? NAN : 0.25,
		.mix_pinball = high ? NAN : 0.75,.weight = high ? 1 : 0.375,.mix_spread = high ? 100 : 0.01,
		.weight_short = high ? 1 : 0.625,.short_below = high ? (int64_t) 1 << 53 : 21,
		.calibration_n = high ? INT32_MAX : 17,.coverage = high ? 1 : 0.875f,.seasons_detected = high,
		.held = {high ? INT32_MAX : 0, high ? 1000000 : 0, high ? (int64_t) 1 << 53 : 0, high ? 2.5 : 0, high ? 1e300 : 0,
		high ? (int64_t) 1 << 52 : 0, high ? 0.5 : 0, high ? 3.5 : 0},
		.rows_latest = high ? (int64_t) 1 << 40 : 0,.windows_share = high ? 1 : 0.25,.cut_short = high,
		.n_seasons = high ? 3 : 2,.seasons = {high ? 7 : 1, high ? 24 : 12, high ? 1000000 : 0},
		.n_log = 2,.log = rows,.n_series = 4,.series = many
	};

	for (int b = 0; b < RNN_BANDS; b++)
		for (int p = 0; p < RNN_MEDIAN; p++)
			m.calibration[b][p] = high ? 100 - b - 4 * p : 0.01f + b + 4 * p;
	option_ends(&m.config, high);
	/* Where the prior is trained further there is no calendar. */
	m.config.calendar = !high;
	m.config.terms = high ? 0 : (1 << RNN_TERMS) - 1;
	m.clock = high ? (rnn_clock) {0} : (rnn_clock) {.kind = RNN_CLOCK_DATE,.days = 1};
	m.config.transform = high ? RNN_TRANSFORM_ASINH : RNN_TRANSFORM_NONE;
	m.config.pivot = high ? 1e300 : 1e-300;
	for (int r = 0; r < RNN_REFS; r++)
		m.config.pooled[r] = r == 1 ? NAN : r % 2 ? 1000 - r : r - 1000;
	m.config.seasons_given = m.n_seasons;
	memcpy(m.config.seasons, m.seasons, sizeof(m.seasons));
	every_member(&m, high);
	return m;
}

/* Written and read, and the same in every field. */
static void
check_kept(const rnn_model *m)
{
	size_t		len = rnn_model_size(m);
	uint8_t    *bytes = malloc(len);
	rnn_error	err = {0};
	rnn_model	read;
	void	   *block;

	rnn_model_encode(m, bytes);
	block = read_bytes(bytes, len, &read, &err);
	CHECK(block != NULL);
	if (block)
		compare_models(m, &read);
	else
		printf("\t%s\n", err.what);
	free(block), free(bytes);
}

static void
test_every_field(void)
{
	for (int high = 0; high < 2; high++)
	{
		rnn_model	m = every_field(high);

		check_kept(&m);
		m.n_log = 0;
		m.n_series = 0;
		check_kept(&m);
		m.windows_share = 0;
		check_kept(&m);
	}
}

static void
test_clocks(void)
{
	static const rnn_clock clocks[] = {
		{.kind = RNN_CLOCK_NONE},
		{.kind = RNN_CLOCK_DATE,.days = 1},
		{.kind = RNN_CLOCK_DATE,.months = 120000,.month_day = 31},
		{.kind = RNN_CLOCK_TIMESTAMP,.months = 3,.month_day = 28,.zone = "UTC"},
		{.kind = RNN_CLOCK_TIMESTAMP,.usecs = (int64_t) 1 << 53},
		{.kind = RNN_CLOCK_TIMESTAMPTZ,.days = 4000000,.zone = "America/Argentina/ComodRivadavia"},
		{.kind = RNN_CLOCK_TIMESTAMPTZ,.usecs = 1,
		.zone = "A12345678901234567890123456789012345678901234567890123456789012"},
		{.kind = RNN_CLOCK_STEP,.usecs = 900000000,.bin = RNN_BIN_COUNT},
		{.kind = RNN_CLOCK_DATE,.days = 1,.week = 3,.bin = RNN_BIN_MEAN},
		{.kind = RNN_CLOCK_TIMESTAMP,.days = 1,.week = 126}
	};

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++)
	{
		rnn_model	m = every_field(true);

		m.clock = clocks[i];
		check_kept(&m);
		m.is_history = true;
		m.config.seasons_given = -1;
		m.n_members = m.cut_short = 0;
		m.held = (rnn_held) {0};
		check_kept(&m);
	}
}

/* Every note, names of every length, and points of either width. */
static void
test_series(void)
{
	static const double wide[3] = {1e300, NAN, -1e-310},
				narrow[3] = {-0.0, NAN, 16777216};
	char		name[10000];
	rnn_model	m = every_field(true);

	memset(name, 0xfe, sizeof(name));
	for (int note = RNN_NOTE_NONE; note <= RNN_NOTE_RANGE; note++)
		for (int len = 0; len <= 10000; len = len ? len * 100 : 1)
		{
			rnn_series	s[2] = {
				{.name = name,.name_len = len,.note = note,.start = INT64_MAX - note,
				.dropped = (int64_t) 1 << 53,.n = 3,.x = wide},
				{.name = name,.name_len = len,.note = RNN_NOTE_RANGE - note,.start = INT64_MIN,
				.dropped = -((int64_t) 1 << 53),.n = 3,.x = narrow}
			};

			m.n_series = 2;
			m.series = s;
			check_kept(&m);
			m.series = s + 1;
			m.n_series = 1;
			s[1].name = NULL;
			s[1].name_len = 0;
			check_kept(&m);
			s[1].n = 0;
			check_kept(&m);
		}
}

/* The format's own promise: magic, version, flags, length and checksum in place. */
static void
test_header(void)
{
	for (int i = 0; i < SAMPLES; i++)
	{
		uint8_t		header[HEADER] = {'R', 'N', 'N', 'F', 1, 0, samples[i].model.is_history | (i == 7 ? 4 : 0) | (i == HIERARCHY ? 32 : 0) | (samples[i].model.held.windows > 0 ? 16 : 0), 0};

		put_u32(header + 8, (uint32_t) samples[i].len);
		put_u32(header + 12, rnn_crc32c(samples[i].bytes + HEADER, samples[i].len - HEADER));
		CHECK(memcmp(header, samples[i].bytes, HEADER) == 0);
	}
}

/* A block that is too small is an error wherever it runs out, and not overrun. */
static void
test_small_block(void)
{
	for (int i = 0; i < SAMPLES; i++)
	{
		Sample	   *s = &samples[i];
		size_t		size;
		rnn_error	err;

		CHECK(rnn_model_decoded_size(s->bytes, s->len, &size, &err) == RNN_OK);
		/* It holds up to a cache line more than an aligned block needs. */
		for (size_t n = 0; n + 64 < size; n += 37)
		{
			char	   *block = aligned_alloc(64, (n + 63) / 64 * 64 + 64);
			rnn_arena	a;
			rnn_model	m;

			rnn_arena_init(&a, block, n);
			CHECK(rnn_model_decode(s->bytes, s->len, &a, &m, &err) == RNN_ERR_MEMORY);
			CHECK(err.status == RNN_ERR_MEMORY);
			free(block);
		}
	}
}

/* More bytes than any model has: not even the checksum is looked at. */
static void
test_large(void)
{
	size_t		len = RNN_MAX_MODEL + 1,
				size;
	uint8_t    *bytes = calloc(len, 1);
	rnn_error	err;

	memcpy(bytes, samples[0].bytes, HEADER);
	put_u32(bytes + 8, (uint32_t) len);
	CHECK(rnn_model_decoded_size(bytes, len, &size, &err) == RNN_ERR_CORRUPT);
	CHECK(strcmp(err.what, "the length") == 0);
	free(bytes);
}

/* Cut off anywhere; in a copy that ends there, for the sanitizer to see. */
static void
test_truncated(void)
{
	for (int i = 0; i < SAMPLES; i++)
		for (size_t len = 0; len < samples[i].len; len++)
		{
			uint8_t    *cut = malloc(len ? len : 1);

			memcpy(cut, samples[i].bytes, len);
			CHECK(is_corrupt(cut, len));
			if (len >= HEADER)
			{
				sign(cut, len);
				CHECK(is_corrupt(cut, len));
			}
			free(cut);
		}
}

static void
test_appended(void)
{
	for (int i = 0; i < SAMPLES; i++)
		for (size_t more = 1; more < 100; more += 14)
			for (int fill = 0; fill < 256; fill += 255)
			{
				Sample	   *s = &samples[i];
				uint8_t    *bytes = malloc(s->len + more);

				memcpy(bytes, s->bytes, s->len);
				memset(bytes + s->len, fill, more);
				CHECK(is_corrupt(bytes, s->len + more));
				sign(bytes, s->len + more);
				CHECK(is_corrupt(bytes, s->len + more));
				free(bytes);
			}
}

/* Said apart from damage: the reader needs a newer extension and not a backup. */
static void
test_version(void)
{
	static const int newer[] = {2, 3, 255, 256, 257, 65535};

	for (int i = 0; i < SAMPLES; i++)
	{
		Sample	   *s = &samples[i];
		uint8_t    *bytes = malloc(s->len);
		rnn_error	err = {0};
		rnn_model	m;
		rnn_arena	a;
		size_t		size;

		memcpy(bytes, s->bytes, s->len);
		for (int k = 0; k < 6; k++)
		{
			bytes[4] = (uint8_t) newer[k];
			bytes[5] = (uint8_t) (newer[k] >> 8);
			CHECK(rnn_model_decoded_size(bytes, s->len, &size, &err) == RNN_ERR_VERSION);
			CHECK(err.status == RNN_ERR_VERSION && strcmp(err.what, "format version") == 0);
			CHECK(err.value == newer[k] && err.high == 1);
			/* Nobody knows what a newer version looks like behind its header. */
			CHECK(rnn_model_decoded_size(bytes, HEADER, &size, NULL) == RNN_ERR_VERSION);
			rnn_arena_init(&a, NULL, 0);
			CHECK(rnn_model_decode(bytes, s->len, &a, &m, &err) == RNN_ERR_VERSION);
		}
		bytes[4] = bytes[5] = 0;	/* there never was a version 0 */
		CHECK(is_corrupt(bytes, s->len));
		free(bytes);
	}
}

/* One bit or all of them, in every byte: the checksum, or the header, notices. */
static void
test_flipped(void)
{
	for (int i = 0; i < SAMPLES; i++)
		for (size_t at = 0; at < samples[i].len; at++)
			for (int k = 0; k < 2; k++)
			{
				Sample	   *s = &samples[i];
				uint8_t		flip = k ? 0xff : (uint8_t) (1 << (at % 8));
				size_t		size;
				rnn_error	err = {0};
				rnn_status	status;

				s->bytes[at] ^= flip;
				status = rnn_model_decoded_size(s->bytes, s->len, &size, &err);
				CHECK(status == err.status);
				CHECK(at == 4 || at == 5 ? status == RNN_ERR_VERSION || status == RNN_ERR_CORRUPT :
					  status == RNN_ERR_CORRUPT);
				s->bytes[at] ^= flip;
			}
}

/* Encoded from values that no training gives, then read: refused for `what`. */
static bool
unsound(const rnn_model *m, const char *what)
{
	size_t		len = rnn_model_size(m),
				size;
	uint8_t    *bytes = malloc(len);
	rnn_error	err = {0};
	bool		refused;

	rnn_model_encode(m, bytes);
	refused = rnn_model_decoded_size(bytes, len, &size, &err) == RNN_ERR_CORRUPT && strcmp(err.what, what) == 0;
	if (!refused)
		printf("\tnot \"%s\" but \"%s\"\n", what, err.what ? err.what : "accepted");
	free(bytes);
	return refused;
}

#define UNSOUND(change, what) \
	do { rnn_model m = *sound; change; CHECK(unsound(&m, what)); } while (0)

static void
test_unsound_judgement(const rnn_model *sound)
{
	UNSOUND(m.difference = INFINITY, "a judgement is infinite");
	UNSOUND(m.mix_pinball = -INFINITY, "a judgement is infinite");
	UNSOUND(m.weight = NAN, "the network's weight");
	UNSOUND(m.weight = 1.0001, "the network's weight");
	UNSOUND(m.weight = -0.0001, "the network's weight");
	UNSOUND(m.weight_short = NAN, "the network's weight");
	UNSOUND(m.weight_short = 1.0001, "the network's weight");
	UNSOUND(m.weight_short = -0.0001, "the network's weight");
	UNSOUND(m.short_below = -1, "the length of short series");
	UNSOUND(m.short_below = ((int64_t) 1 << 53) + 1, "the length of short series");
	UNSOUND(m.mix_spread = 0, "the mix's spread");
	UNSOUND(m.mix_spread = NAN, "the mix's spread");
	UNSOUND(m.mix_spread = 0.0099, "the mix's spread");
	UNSOUND(m.mix_spread = 100.01, "the mix's spread");
	UNSOUND(m.calibration[3][6] = 0, "the calibration");
	UNSOUND(m.calibration[0][0] = NAN, "the calibration");
	UNSOUND(m.calibration[1][2] = INFINITY, "the calibration");
	UNSOUND(m.coverage = 1.01f, "the coverage");
	UNSOUND(m.coverage = -INFINITY, "the coverage");
	UNSOUND(m.held = ((rnn_held) {1, 0, 1, 1, 1, 1, 1, 1}), "the naive lag");
	UNSOUND(m.held = ((rnn_held) {1, 1000001, 1, 1, 1, 1, 1, 1}), "the naive lag");
	UNSOUND(m.held = ((rnn_held) {1, 1, 0, 1, 1, 0, 1, 1}), "the count of held-out points");
	UNSOUND(m.held = ((rnn_held) {1, 1, 1, 1, 1, 2, 1, 1}), "the count of compared points");
	UNSOUND(m.held = ((rnn_held) {1, 1, 1, NAN, 1, 1, 1, 1}), "the error of held-out windows");
	UNSOUND(m.held = ((rnn_held) {1, 1, 1, 1, -1, 1, 1, 1}), "the error of held-out windows");
	UNSOUND(m.held = ((rnn_held) {1, 1, 1, 1, 1, 1, INFINITY, 1}), "the error of held-out windows");
	UNSOUND(m.held = ((rnn_held) {1, 1, 1, 1, 1, 1, 1, -0.5}), "the error of held-out windows");
	UNSOUND(m.verdict = RNN_VERDICT_PRIOR + 1, "the verdict");
	UNSOUND(m.windows = -1, "the count of windows");
	UNSOUND(m.points = -1, "the count of points");
	UNSOUND(m.calibration_n = -1, "the calibration's windows");
	UNSOUND(m.n_seasons = 0, "the count of seasons");
	UNSOUND(m.seasons[0] = 0, "a season");
	UNSOUND((m.n_seasons = 2, m.seasons[1] = 7), "a season");
	UNSOUND((m.n_seasons = 2, m.seasons[1] = 1000001), "a season");
}

static void
test_unsound_config(const rnn_model *sound)
{
	UNSOUND(m.config.horizon = 0, "an option is not resolved");
	UNSOUND(m.config.members = 0, "an option is not resolved");
	UNSOUND(m.config.hidden = 1025, "hidden");
	UNSOUND(m.config.cell = 3, "cell");
	UNSOUND(m.config.cell = -1, "cell");
	UNSOUND(m.config.loss = 3, "loss");
	UNSOUND(m.config.layers = 9, "layers");
	UNSOUND(m.config.dropout = NAN, "dropout");
	UNSOUND(m.config.dropout = -1, "an option is not resolved");
	UNSOUND(m.config.seed = INT64_MIN, "seed");
	UNSOUND(m.config.network = m.config.skip = 0, "options \"network\" and \"skip\" cannot both be false");
	UNSOUND(m.config.context = 9, "the context is not a whole number of patches");
	UNSOUND(m.config.bptt = 5, "bptt is longer than the context");
}

static void
test_unsound_clock(const rnn_model *sound)
{
	UNSOUND(m.clock.kind = RNN_CLOCK_STEP + 1, "the kind of clock");
	UNSOUND(m.clock.kind = RNN_CLOCK_DATE, "the clock's step");
	UNSOUND(m.clock.days = 1, "the clock's step");
	UNSOUND((m.clock.kind = RNN_CLOCK_DATE, m.clock.days = m.clock.months = 1), "the clock's step");
	UNSOUND(m.clock.month_day = 27, "the clock's day of the month");
	UNSOUND(m.clock.month_day = 32, "the clock's day of the month");
	UNSOUND(m.clock.usecs = -1, "the clock's microseconds");
	UNSOUND(m.clock.week = 31, "the clock's days of the week");
	UNSOUND((m.clock.kind = RNN_CLOCK_DATE, m.clock.days = 1, m.clock.week = 127), "the clock's days of the week");
	UNSOUND((m.clock.kind = RNN_CLOCK_DATE, m.clock.days = 1, m.clock.week = 64), "the clock's days of the week");
	UNSOUND(m.clock.bin = RNN_BIN_COUNT + 1, "the clock's bins");
	UNSOUND(m.clock.bin = RNN_BIN_SUM, "the clock's bins");
	UNSOUND(memset(m.clock.zone, 'A', RNN_ZONE_SIZE), "the zone's name does not end");
	UNSOUND(m.clock.zone[0] = '\n', "the zone's name");
	UNSOUND(m.clock.zone[9] = 'A', "the zone's name");
}

/* The model with its first member again, as one of a second kind. */
static rnn_model
two_kinds(rnn_model m)
{
	m.n_members = 2;
	m.member[1] = m.member[0];
	m.second = (rnn_second) {
		.first = 1,.share = 0.5,.hidden = m.config.hidden,.patch = m.config.patch,.context = m.config.context,
		.references = m.config.references
	};
	return m;
}

static void
test_unsound_second(const rnn_model *sound)
{
	UNSOUND(m.second.first = m.n_members, "the first member of the second kind");
	UNSOUND((m = two_kinds(m), m.second.share = 1.5), "the share of the second kind");
	UNSOUND((m = two_kinds(m), m.second.share = NAN), "the share of the second kind");
	UNSOUND((m = two_kinds(m), m.second.hidden = 1025), "the width of the second kind");
	UNSOUND((m = two_kinds(m), m.second.patch = 0), "the patch of the second kind");
	UNSOUND((m = two_kinds(m), m.second.context = -2), "the context of the second kind");
	UNSOUND((m = two_kinds(m), m.second.patch = 3), "the context of the second kind is not a whole number of patches");
	UNSOUND((m = two_kinds(m), m.second.past = 2), "what the second kind sees of the past");
	UNSOUND((m = two_kinds(m), m.second.references = 1), "the count of references");
	UNSOUND((m = two_kinds(m), m.second.hidden = 2), "a member's size does not fit its shape");
}

static void
test_unsound_members(const rnn_model *sound)
{
	float		weights[4096];
	rnn_log_row row = {.step = 1};

	CHECK(sound->member[0].params < 4096);
	memcpy(weights, sound->member[0].weights, sizeof(float) * sound->member[0].params);
	weights[sound->member[0].params - 1] = NAN;
	UNSOUND(m.member[0].weights = weights, "a weight is not finite");
	weights[sound->member[0].params - 1] = -INFINITY;
	UNSOUND(m.member[0].weights = weights, "a weight is not finite");
	UNSOUND(m.member[0].params--, "a member's size does not fit its shape");
	UNSOUND(m.member[0].patch = 1, "a member's size does not fit its shape");
	UNSOUND(m.member[0].patch = 3, "a member's context is not a whole number of patches");
	UNSOUND(m.config.hidden++, "a member's size does not fit its shape");
	UNSOUND(m.cut_short = 2, "the cut");
	UNSOUND(m.member[0].stopped = 2, "a member's end");
	UNSOUND(m.is_history = true, "the count of candidates");
	UNSOUND((m.is_history = true, m.n_candidates = m.chosen = 0, m.held.windows = 1), "a history was judged");
	UNSOUND((m.is_history = true, m.n_candidates = m.chosen = m.held.windows = 0), "the count of members");
	UNSOUND(m.n_candidates = RNN_CANDIDATES + 1, "the count of candidates");
	UNSOUND(m.chosen = m.n_candidates, "the candidate chosen");
	UNSOUND(m.missing.points = -1, "the count of missing points");
	UNSOUND(m.missing.gaps = m.missing.points + 1, "the count of gaps");
	UNSOUND(m.missing.longest = m.missing.points + 1, "the longest gap");
	UNSOUND(m.missing.series = -1, "the count of series with gaps");
	UNSOUND(m.config.terms = 1, "terms of the calendar");
	UNSOUND((m.clock = (rnn_clock) {.kind = RNN_CLOCK_DATE,.days = 1}, m.config.terms = 16), "terms of the calendar");
	UNSOUND((m.clock = (rnn_clock) {.kind = RNN_CLOCK_DATE,.days = 1}, m.config.terms = 15), "terms of the calendar");
	UNSOUND((m.clock = (rnn_clock) {.kind = RNN_CLOCK_DATE,.days = 1}, m.config.terms = 15, m.config.calendar = 1),
			"a member's size does not fit its shape");
	UNSOUND(m.config.calendar = -1, "an option is not resolved");
	UNSOUND(m.candidate[0].kind = RNN_KIND_TUNED + 1, "a candidate's kind");
	UNSOUND(m.candidate[0].weight = 1.01, "a candidate's weight");
	UNSOUND(m.candidate[0].share = NAN, "a candidate's share");
	UNSOUND(m.candidate[0].difference = INFINITY, "a candidate's judgement is infinite");
	UNSOUND(m.member[0].shared = 1, "a member's shared weights");
	UNSOUND(m.member[0].prior = rnn_prior_latest(), "a member's shape is not the prior's");
	UNSOUND(m.member[0].prior = -1, "a member's prior");
	UNSOUND(m.rows_latest = -1, "the rows of each series");
	UNSOUND(m.rows_latest = ((int64_t) 1 << 40) + 1, "the rows of each series");
	UNSOUND(m.windows_share = 1.5, "the share of the windows");
	UNSOUND(m.windows_share = NAN, "the share of the windows");
	row.phase = 3;
	UNSOUND((m.n_log = 1, m.log = &row), "a log row's phase");
	row.phase = 0;
	row.member = RNN_MAX_MEMBERS + 1;
	UNSOUND((m.n_log = 1, m.log = &row), "a log row's member");
}

static void
test_unsound_covariates(void)
{
	const rnn_model *sound = &samples[7].model;
	rnn_covariate list[RNN_MAX_COVARIATES + 1] = {0};
	rnn_text	many_words[RNN_MAX_CATEGORIES + 1] = {0},
				other[] = {{"b", 1}, {"a", 1}};
	float		other_values[30 + AHEAD][COVARIATES];
	rnn_series	s = samples[7].model.series[0];
	char		long_text[1001];

#define BAD(change, what) \
	do { memcpy(list, covariates, sizeof(covariates)); UNSOUND((change, m.config.covariates.list = list), what); } while (0)
	memset(long_text, 'n', sizeof(long_text));
	BAD((m.config.covariates.n = 65, m.n_series = 0), "the count of covariates");
	BAD(m.config.covariates.n = 2, "a member's size does not fit its shape");
	BAD(list[0].role = 4, "the role of a covariate");
	BAD(list[0].role = RNN_AHEAD, "a member's size does not fit its shape");
	BAD(list[0].name.len = 0, "the length of a covariate's name");
	BAD((list[0].name.text = long_text, list[0].name.len = 256), "the length of a covariate's name");
	BAD(list[1].name = list[0].name, "covariates are not in order");
	BAD(list[2].name = list[1].name, "covariates are not in order");
	BAD(list[0].centre = NAN, "the scale of a covariate");
	BAD(list[0].scale = 0, "the scale of a covariate");
	BAD(list[1].scale = -1, "the scale of a covariate");
	BAD(list[1].scale = INFINITY, "the scale of a covariate");
	BAD(list[2].n_categories = -1, "the count of a covariate's texts");
	BAD((list[2].n_categories = 65, list[2].categories = many_words), "the count of a covariate's texts");
	BAD(list[2].n_categories = 1, "a member's size does not fit its shape");
	BAD(list[2].categories = other, "a covariate's texts are not in order");
	other[1] = other[0];
	BAD(list[2].categories = other, "a covariate's texts are not in order");
	other[1] = (rnn_text) {long_text, 1001};
	BAD(list[2].categories = other, "the length of a covariate's text");
	other[1] = (rnn_text) {"c\0", 2};
	BAD(list[2].categories = other, "a covariate's text holds a zero byte");
#undef BAD
	memcpy(other_values, values, sizeof(values));
	s.covariates = NULL;
	s.ahead = -1;
	UNSOUND(m.series = &s, "a series' rows ahead");
	s.ahead = RNN_MAX_HORIZON + 1;
	UNSOUND(m.series = &s, "a series' rows ahead");
	s.ahead = AHEAD;
	s.covariates = other_values[0];
	other_values[29 + AHEAD][0] = -INFINITY;
	UNSOUND(m.series = &s, "a covariate is infinite");
	other_values[29 + AHEAD][0] = 4;
	other_values[3][2] = 3;
	UNSOUND(m.series = &s, "a covariate is none of its texts");
	other_values[3][2] = 0.5f;
	UNSOUND(m.series = &s, "a covariate is none of its texts");
	other_values[3][2] = -1;
	UNSOUND(m.series = &s, "a covariate is none of its texts");
}

static void
test_unsound_series(const rnn_model *sound)
{
	double		x[5] = {1, 2, NAN, 4, 5};
	rnn_series	s = {.n = 5,.x = x};
	char		long_name[10001];

	memset(long_name, 'n', sizeof(long_name));
	UNSOUND((m.series = &s, x[0] = NAN), "the first or last point is missing");
	x[0] = 1, x[4] = NAN;
	UNSOUND(m.series = &s, "the first or last point is missing");
	x[4] = INFINITY;
	UNSOUND(m.series = &s, "a point is infinite");
	x[4] = 5;
	s.note = RNN_NOTE_RANGE + 1;
	UNSOUND(m.series = &s, "a series' note");
	s.note = 0;
	s.dropped = INT64_MIN;
	UNSOUND(m.series = &s, "a series' phase");
	s.dropped = 0;
	s.name = "a\0b";
	s.name_len = 3;
	UNSOUND(m.series = &s, "a series' name holds a zero byte");
	s.name = long_name;
	s.name_len = sizeof(long_name);
	UNSOUND(m.series = &s, "the length of a series' name");
}

static void
test_unsound(void)
{
	rnn_model	sound = samples[5].model;

	memset(&sound.clock, 0, sizeof(sound.clock));
	sound.n_series = 1;
	test_unsound_judgement(&sound);
	test_unsound_config(&sound);
	test_unsound_clock(&sound);
	test_unsound_members(&sound);
	test_unsound_second(&sound);
	test_unsound_series(&sound);
	test_unsound_covariates();
}

/* Weights that are large enough give no number: an error, and never a NaN. */
static void
test_overflow(void)
{
	for (int i = 0; i < SAMPLES; i++)
	{
		rnn_model	m = samples[i].model;
		const rnn_series *s = &m.series[0];
		size_t		size;
		rnn_error	err = {0};
		void	   *block;
		double		out[30 * RNN_QUANTILES];

		if (m.n_members == 0)
			continue;
		m.weight = 1;
		for (int k = 0; k < m.n_members; k++)
			m.member[k].weights = weights[0];
		for (int64_t k = 0; k < m.member[0].params; k++)
			weights[0][k] = k % 2 ? -3e38f : 3e38f;
		CHECK(rnn_forecast_size(&m, 1, s->n, 30, &size, &err) == RNN_OK);
		block = malloc(size);
		CHECK(rnn_forecast(&m, s, 1, 30, block, size, out, &err) == RNN_ERR_NUMERIC);
		CHECK(err.status == RNN_ERR_NUMERIC && strcmp(err.what, "the network's forecast") == 0);
		/* Not asked, it does no harm. */
		m.weight = 0;
		if (m.config.skip)
			CHECK(rnn_forecast(&m, s, 1, 30, block, size, out, &err) == RNN_OK);
		free(block);
	}
}

int
main(void)
{
	rnn_engine_init(-1);
	make_samples();
	TEST(test_samples);
	TEST(test_round_trip);
	TEST(test_every_field);
	TEST(test_clocks);
	TEST(test_series);
	TEST(test_header);
	TEST(test_small_block);
	TEST(test_large);
	TEST(test_truncated);
	TEST(test_appended);
	TEST(test_version);
	TEST(test_flipped);
	TEST(test_unsound);
	TEST(test_overflow);
	free_samples();
	return check_summary("model");
}
