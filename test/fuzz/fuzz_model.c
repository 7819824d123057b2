/*
 * fuzz_model.c
 *		Any bytes at all, with a header that fits, are no model or do no harm.
 *
 * What is accepted must write itself, forecast numbers in order, follow its
 * gradient and go on training.
 */
#include "accepted.h"
#include "drive.h"

#define TRAINING ((size_t) 5 << 20)

const char	target_name[] = "fuzz_model";

/* One step of training that goes on from the model, where that is little work. */
static void
go_on(const rnn_model *m)
{
	rnn_config	cfg = m->config;
	Trained		t;

	if (m->n_series == 0 || m->series[0].n < 2 || m->series[0].n > 200 || work_of(m) > 2000 || cfg.hidden > 16 ||
		cfg.conv_layers > 2 || cfg.layers > 2)
		return;
	cfg.steps = 1;
	cfg.batch = 2;
	cfg.members = m->n_members > 0 && m->n_members < 3 ? m->n_members : 1;
	t = train_on(m, tiny_prior(), &cfg, m->series[0].x, m->series[0].n, TRAINING);
	CHECK(t.status == RNN_OK || t.status == RNN_ERR_MEMORY || t.status == RNN_ERR_NUMERIC ||
		  t.status == RNN_ERR_DATA || t.status == RNN_ERR_CONFLICT);
	free(t.block);
}

static void
use_model(const rnn_model *m, uint32_t choice)
{
	CHECK(info_fine(m));
	CHECK(writes_itself(m));
	for (int i = 0; !m->is_history && i < m->n_series && i < 2; i++)
		CHECK(forecast_fine(m, &m->series[i], 1 + (int) (choice >> (8 * i)) % 48) != 0);
	for (int i = 0; i < m->n_members && i < 3; i++)
		CHECK(flow_fine(m, i));
	if (!m->is_history && choice % 16 == 0)
		go_on(m);
}

static bool
run_input(const uint8_t *data, size_t len)
{
	uint8_t    *bytes = malloc(len ? len : 1);
	rnn_model	m;
	rnn_error	err = {0};
	size_t		size;
	void	   *block = NULL;

	memcpy(bytes, data, len);
	if (len < HEADER)
		CHECK(rnn_model_decoded_size(bytes, len, &size, &err) == RNN_ERR_CORRUPT);
	else
	{
		uint8_t		header[8] = {'R', 'N', 'N', 'F', 1, 0, data[6] & 1, 0};

		memcpy(bytes, header, sizeof(header));
		sign(bytes, len);
		block = read_bytes(bytes, len, &m, &err);
		CHECK(block || (err.status == RNN_ERR_CORRUPT && err.what) ||
			  (err.status == RNN_ERR_VERSION && strcmp(err.what, "prior") == 0));
		if (block)
			use_model(&m, rnn_crc32c(bytes, len));
	}
	free(block), free(bytes);
	return block != NULL;
}

static void
make_seeds(void (*add_seed) (const char *name, const uint8_t *bytes, size_t len))
{
	make_samples();
	for (int i = 0; i < SAMPLES; i++)
		add_seed(samples[i].kind, samples[i].bytes, samples[i].len);
	free_samples();
}
