/*
 * test_forged.c
 *		Damaged models with a checksum that fits are refused or do no harm.
 */
#include "accepted.h"

static void
report_flip(const Sample *s, size_t at, uint8_t was, uint8_t is, const char *what)
{
	CHECK(!"a damaged model does harm");
	if (check_failed <= 20)
		printf("\t%s, byte %zu from %02x to %02x: %s\n", s->kind, at, was, is, what);
}

/* Bytes of a stored weight. */
static size_t
weight_size(const rnn_member *m)
{
	return m->prior > 0 ? 2 : sizeof(float);
}

/* Where the weights lie, from the first member's to the last one's. */
static void
find_weights(const Sample *s, size_t *from, size_t *to)
{
	*from = *to = 0;
	for (int i = 0; i < s->model.n_members; i++)
	{
		const rnn_member *m = &s->model.member[i];
		size_t		bytes = weight_size(m) * (size_t) (m->params - m->shared),
					at = *to;
		uint8_t    *stored = malloc(bytes);

		if (m->prior == 0)
			memcpy(stored, m->weights, bytes);
		for (int64_t k = m->shared; m->prior > 0 && k < m->params; k++)
			half_store(stored + 2 * (k - m->shared), m->weights[k]);
		while (at + bytes <= s->len && memcmp(s->bytes + at, stored, bytes) != 0)
			at++;
		CHECK(at + bytes <= s->len);
		free(stored);
		*from = i == 0 ? at : *from;
		*to = at + bytes;
	}
}

/*
 * Accepted: it must then be a model in every respect.  Most of the bytes are
 * the weights', of which none matters more than the others: their last bytes,
 * which hold the exponent, are tried in forecasts, the others looked at.
 */
static void
try_damaged(const Sample *s, size_t at, uint8_t was, bool weight, bool low, const rnn_model *m, int *forecasts)
{
	CHECK(m->n_series <= 4);
	if (!info_fine(m))
		report_flip(s, at, was, s->bytes[at], "not a model");
	if (!hierarchy_fine(m))
		report_flip(s, at, was, s->bytes[at], "forecasts do not add up");
	if (low)
		return;
	if (!weight && !writes_itself(m))
		report_flip(s, at, was, s->bytes[at], "not written as read");
	for (int i = 0; !m->is_history && i < m->n_series && i < 2; i++)
	{
		int			said = forecast_fine(m, &m->series[i], i == 0 ? 7 : 4);

		if (said == 0)
			report_flip(s, at, was, s->bytes[at], "not a forecast");
		*forecasts += said > 0;
	}
	for (int i = 0; i < m->n_members; i++)
		if (at % 5 == 0 && !flow_fine(m, i))
			report_flip(s, at, was, s->bytes[at], "not a gradient flow");
}

/* Single bits find the counts and the limits, random bytes the rest. */
static uint8_t
damaged(uint8_t was, size_t at, int k, rnn_rng *rng)
{
	return k == 0 ? (uint8_t) rnn_rng_next(rng) : k == 1 ? was ^ (uint8_t) (1 << (at % 8)) : was ^ 0xc0;
}

/* Every byte in turn, with a checksum that fits: a model in its own right, or refused. */
static void
test_forged(Sample *s, rnn_rng *rng)
{
	int			refused = 0,
				accepted = 0,
				forecasts = 0;
	size_t		from,
				to,
				width = s->model.n_members > 0 ? weight_size(&s->model.member[0]) : 4;

	find_weights(s, &from, &to);
	for (size_t at = 4; at < s->len; at++)
	{
		bool		weight = at >= from && at < to,
					low = weight && (at - from) % width < width - 1;

		for (int k = 0; k < (low ? 1 : weight ? 2 : 3); k++)
		{
			uint8_t		was = s->bytes[at];
			rnn_model	m;
			rnn_error	err = {0};
			void	   *block;

			s->bytes[at] = damaged(was, at, k, rng);
			sign(s->bytes, s->len);
			block = read_bytes(s->bytes, s->len, &m, &err);
			refused += block == NULL;
			accepted += block != NULL;
			if (block)
				try_damaged(s, at, was, weight, low, &m, &forecasts);
			else
				CHECK(err.what && (err.status == RNN_ERR_CORRUPT ||
								   (err.status == RNN_ERR_VERSION && (at < 6 || strcmp(err.what, "prior") == 0))));
			free(block);
			s->bytes[at] = was;
		}
	}
	sign(s->bytes, s->len);
	printf("  %s: %d refused, %d accepted, %d forecasts\n", s->kind, refused, accepted, forecasts);
	CHECK(refused > 100);
	CHECK(accepted > 100);
	CHECK(s->model.is_history || forecasts > 100);
}

/* ------------------------------------------------------------- hierarchies */

/* A field of the last section that is written over, by its place among the 4 bytes from the count of sums on. */
typedef struct Forgery
{
	int			field;
	int32_t		value;
	const char *what;			/* NULL: it is accepted */
} Forgery;

enum
{
	FIELD_ASKED = -2,			/* its length, and 3 bytes that fill no field */
	FIELD_SUMS = 0,
	FIELD_PARTS,
	FIELD_SUM,
	FIELD_LEVEL = FIELD_SUM + SUMS,
	FIELD_FIRST = FIELD_LEVEL + SUMS,
	FIELD_OF = FIELD_FIRST + 4 + 1,
	FIELD_WINDOWS = FIELD_OF + PARTS,
	FIELD_SHRINKAGE,			/* doubles take two */
	FIELD_ERRORS = FIELD_SHRINKAGE + 2,
	FIELD_METHOD = FIELD_ERRORS + 4 * RNN_LEVELS,
	FIELD_PULL,
	FIELDS = FIELD_PULL + 4 * SUMS
};

static const Forgery forgeries[] = {
	{FIELD_SUMS, -1, "the count of sums"},
	{FIELD_SUMS, 5, "the count of sums"},
	{FIELD_SUMS, INT32_MAX, "the count of sums"},
	{FIELD_SUMS, INT32_MIN, "the count of sums"},
	{FIELD_PARTS, -1, "the count of parts of sums"},
	{FIELD_PARTS, INT32_MAX, "the count of parts of sums"},
	{FIELD_PARTS, 1 << 26, "a count is larger than the bytes left"},
	{FIELD_PARTS, 2, "where parts of sums begin"},
	{FIELD_PARTS, 4, "a part's sum"},
	/* A series outside, the same one twice, not in their order. */
	{FIELD_SUM + 1, 4, "a sum's number"},
	{FIELD_SUM, -1, "a sum's number"},
	{FIELD_SUM + 1, INT32_MAX, "a sum's number"},
	{FIELD_SUM + 1, 0, "the order of sums"},
	{FIELD_SUM, 1, "the order of sums"},
	{FIELD_LEVEL, -1, "a sum's level"},
	{FIELD_LEVEL + 1, RNN_LEVELS - 1, "a sum's level"},
	/* A sum of itself, and sums of each other. */
	{FIELD_FIRST + 2, 2, "a sum is part of another"},
	{FIELD_SUM + 1, 2, "a sum is part of another"},
	{FIELD_FIRST, 1, "where parts of sums begin"},
	{FIELD_FIRST, -1, "where parts of sums begin"},
	{FIELD_FIRST + 3, 4, "where parts of sums begin"},
	{FIELD_FIRST + 4, 2, "where parts of sums begin"},
	{FIELD_FIRST + 1, 1, "the order of parts of sums"},
	{FIELD_FIRST + 2, 3, "the order of parts of sums"},
	{FIELD_FIRST + 3, INT32_MIN, "where parts of sums begin"},
	{FIELD_OF, 2, "a part's sum"},
	{FIELD_OF + 2, -1, "a part's sum"},
	{FIELD_OF + 1, INT32_MAX, "a part's sum"},
	{FIELD_WINDOWS, -1, "the windows of a hierarchy"},
	{FIELD_SHRINKAGE + 1, 0x7ff80000, "the shrinkage of a hierarchy"},
	{FIELD_SHRINKAGE + 1, 0x3ff80000, "the shrinkage of a hierarchy"},
	{FIELD_SHRINKAGE + 1, (int32_t) 0xbff00000, "the shrinkage of a hierarchy"},
	{FIELD_METHOD, 2, "the method of a hierarchy"},
	{FIELD_METHOD, -1, "the method of a hierarchy"},
	{FIELD_METHOD, 0, "there are bytes behind the end"},
	{FIELD_PULL, 0x7fc00000, "a part of a gap is not finite"},
	{FIELD_PULL + 4 * SUMS - 1, (int32_t) 0xff800000, "a part of a gap is not finite"},
	/* Nothing is wrong with these. */
	{FIELD_ERRORS, INT32_MAX, NULL},
	{FIELD_ERRORS + 1, 0x7ff00000, NULL},
	{FIELD_PULL, 0x7f7fffff, NULL},
	{FIELD_OF + 1, 0, NULL}
};

static void
forge(Sample *s, size_t at, const Forgery *f)
{
	uint8_t		was[4];
	rnn_model	m;
	rnn_error	err = {0};
	void	   *block;

	memcpy(was, s->bytes + at, 4);
	put_u32(s->bytes + at, (uint32_t) f->value);
	sign(s->bytes, s->len);
	block = read_bytes(s->bytes, s->len, &m, &err);
	CHECK((block != NULL) == (f->what == NULL));
	CHECK(block != NULL || (err.status == RNN_ERR_CORRUPT && err.what && f->what && strcmp(err.what, f->what) == 0));
	if (block == NULL && f->what && strcmp(err.what, f->what) != 0)
		printf("\tfield %d, %d: %s, not %s\n", f->field, f->value, err.what, f->what);
	CHECK(block == NULL || (hierarchy_fine(&m) && writes_itself(&m)));
	free(block);
	memcpy(s->bytes + at, was, 4);
	sign(s->bytes, s->len);
}

static void
test_forged_hierarchy(Sample *s)
{
	size_t		from = s->len - 4 * FIELDS,
				asked = from - 3 - 4;

	CHECK(memcmp(s->bytes + from - 3, "\"/\"", 3) == 0);
	for (size_t i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++)
		forge(s, from + 4 * (size_t) forgeries[i].field, &forgeries[i]);
	forge(s, asked, &(Forgery) {FIELD_ASKED, 0, "the length of a hierarchy"});
	forge(s, asked, &(Forgery) {FIELD_ASKED, -1, "the length of a hierarchy"});
	forge(s, asked, &(Forgery) {FIELD_ASKED, 1000001, "the length of a hierarchy"});
	forge(s, asked, &(Forgery) {FIELD_ASKED, 1000000, "a count is larger than the bytes left"});
	forge(s, from - 4, &(Forgery) {FIELD_ASKED, 3 << 8, "a hierarchy holds a zero byte"});
}

int
main(void)
{
	rnn_rng		rng;

	rnn_engine_init(-1);
	make_samples();
	rnn_rng_seed(&rng, 6, 6);
	for (int i = 0; i < SAMPLES; i++)
		test_forged(&samples[i], &rng);
	test_forged_hierarchy(&samples[HIERARCHY]);
	free_samples();
	return check_summary("forged");
}
