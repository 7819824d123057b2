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

int
main(void)
{
	rnn_rng		rng;

	rnn_engine_init(-1);
	make_samples();
	rnn_rng_seed(&rng, 6, 6);
	for (int i = 0; i < SAMPLES; i++)
		test_forged(&samples[i], &rng);
	free_samples();
	return check_summary("forged");
}
