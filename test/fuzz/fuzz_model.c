/*
 * fuzz_model.c
 *		Any bytes at all, with a header that fits, are no model or do no harm.
 *
 * What is accepted must write itself, forecast numbers in order, follow its
 * gradient and go on training.  Alone this program mutates small models for
 * FUZZ_SECONDS (60), the random numbers from FUZZ_SEED (1); with names of files
 * it runs these.  An input that ends it is left in build/fuzz_model.bin.
 *
 * With clang the branches that are taken guide the search; -seeds writes the
 * small models:
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
 *		-DFUZZ_GUIDED -Isrc/engine -Isrc/prior -Itest/unit -o build/guided
 *		test/fuzz/fuzz_model.c src/engine/[a-z]*.c src/prior/prior.c -lopenblas -lm
 *	mkdir build/corpus; build/asan/fuzz_model -seeds build/corpus
 *	build/guided -max_len=12000 -rss_limit_mb=2000 -max_total_time=300 build/corpus
 */
#include "accepted.h"

#include <signal.h>
#include <time.h>

#define MOST_BYTES 20000
#define POOL 256				/* accepted mutants that are mutated again */
#define TRAINING ((size_t) 8 << 20)

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

/* Whether the bytes were a model. */
static bool
run_bytes(const uint8_t *data, size_t len)
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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	rnn_engine_init(-1);
	run_bytes(data, size);
	if (check_failed > 0)
		abort();
	return 0;
}

#ifndef FUZZ_GUIDED

typedef struct Input
{
	uint8_t		bytes[MOST_BYTES];
	size_t		len;
} Input;

static Input input;
static Input pool[POOL];
static rnn_rng rng;

/* Read by the sanitizers: they end with a signal that keep_input waits for. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *
__asan_default_options(void)
{
	return "abort_on_error=1";
}

const char *
__ubsan_default_options(void)
{
	return "abort_on_error=1:print_stacktrace=1";
}

static void
write_file(const char *folder, const char *name, const uint8_t *bytes, size_t len)
{
	char		path[1000];
	FILE	   *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "wb");
	if (!f || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
		printf("can't write %s\n", path);
}

static void
keep_input(int signum)
{
	write_file("build", "fuzz_model.bin", input.bytes, input.len);
	signal(signum, SIG_DFL);
	raise(signum);
}

static int
below(size_t n)
{
	return (int) rnn_rng_below(&rng, n ? n : 1);
}

/* Ends of ranges, and what is no number. */
static void
put_special(uint8_t *at, size_t room)
{
	static const double doubles[] = {0, -0.0, 1, -1, 1e300, -1e300, 1e-300, 5e-324, 1e100, 0x1p53, INFINITY, NAN};
	static const float floats[] = {1e30f, -3e38f, 1e-45f, 100, 0.01f, INFINITY, NAN};
	static const int64_t wholes[] = {
		0, 1, 2, 3, 7, 8, 16, 17, 255, 512, 1000, 1024, 1000000, INT32_MAX, INT32_MIN, -1, INT64_MAX, INT64_MIN
	};
	int			kind = below(3);
	uint8_t		bytes[8];

	/* Little-endian machines alone run this. */
	if (kind == 0)
		memcpy(bytes, &doubles[below(sizeof(doubles) / 8)], 8);
	else if (kind == 1)
		memcpy(bytes, &floats[below(sizeof(floats) / 4)], 4);
	else
		memcpy(bytes, &wholes[below(sizeof(wholes) / 8)], 8);
	kind = kind == 1 || rnn_rng_next(&rng) % 2 ? 4 : 8;
	memcpy(at, bytes, (size_t) kind < room ? (size_t) kind : room);
}

/* A place: half of them before the weights, which would get nearly all. */
static size_t
place(void)
{
	return below(rnn_rng_next(&rng) % 2 || input.len < 1500 ? input.len : 1500);
}

static void
move_tail(size_t from, size_t to)
{
	size_t		tail = input.len - from;

	if (to + tail > MOST_BYTES)
		return;
	memmove(input.bytes + to, input.bytes + from, tail);
	input.len = to + tail;
}

static void
mutate(void)
{
	size_t		at = place(),
				room = input.len - at,
				n = below(2) ? 4 * (1 + below(4)) : 1 + below(40);
	const Input *other = &pool[below(POOL)];

	if (room == 0)
		return;
	n = n < room ? n : room;
	switch (below(8))
	{
		case 0:
			move_tail(at + n, at);
			break;
		case 1:
			move_tail(at, at + n);
			break;
		case 2:
			if (at + n <= other->len)
				memcpy(input.bytes + at, other->bytes + at, n);
			break;
		case 3:
			input.bytes[at] = (uint8_t) rnn_rng_next(&rng);
			break;
		case 4:
			input.bytes[at] += rnn_rng_next(&rng) % 2 ? 1 : 255;
			break;
		case 5:
			input.bytes[at] ^= (uint8_t) (1 << below(8));
			break;
		default:
			put_special(input.bytes + at, room);
	}
}

/* The small models, and over time what became of them and was accepted. */
static void
fill_pool(void)
{
	make_samples();
	for (int i = 0; i < POOL; i++)
	{
		const Sample *s = &samples[i % SAMPLES];

		CHECK(s->len <= MOST_BYTES);
		memcpy(pool[i].bytes, s->bytes, s->len);
		pool[i].len = s->len;
	}
}

static void
fuzz(int seconds)
{
	time_t		start = time(NULL);
	int			runs = 0,
				accepted = 0;

	for (; time(NULL) - start < seconds && check_failed == 0; runs++)
	{
		int			from = below(POOL);

		memcpy(&input, &pool[from], sizeof(input));
		/* Some are nothing but noise. */
		for (size_t i = HEADER; runs % 100 == 0 && i < input.len; i++)
			input.bytes[i] = (uint8_t) rnn_rng_next(&rng);
		for (int i = 1 + below(3); i > 0; i--)
			mutate();
		if (!run_bytes(input.bytes, input.len))
			continue;
		accepted++;
		/* One of each kind stays as it was. */
		if (from >= SAMPLES)
			memcpy(&pool[from], &input, sizeof(input));
	}
	if (check_failed > 0)
		write_file("build", "fuzz_model.bin", input.bytes, input.len);
	printf("  %d inputs, %d accepted\n", runs, accepted);
	CHECK(accepted > 0 && accepted < runs);
}

static int
run_file(const char *name)
{
	FILE	   *f = fopen(name, "rb");

	if (!f)
	{
		printf("can't read %s\n", name);
		return 1;
	}
	input.len = fread(input.bytes, 1, MOST_BYTES, f);
	fclose(f);
	printf("%s: %s\n", name, run_bytes(input.bytes, input.len) ? "accepted" : "refused");
	return 0;
}

int
main(int argc, char **argv)
{
	const char *seconds = getenv("FUZZ_SECONDS"),
			   *seed = getenv("FUZZ_SEED");
	int			status = 0;

	rnn_engine_init(-1);
	if (argc == 3 && strcmp(argv[1], "-seeds") == 0)
	{
		make_samples();
		for (int i = 0; i < SAMPLES; i++)
			write_file(argv[2], samples[i].kind, samples[i].bytes, samples[i].len);
		free_samples();
		return 0;
	}
	for (int i = 1; i < argc; i++)
		status |= run_file(argv[i]);
	if (argc == 1)
	{
		signal(SIGABRT, keep_input);
		rnn_rng_seed(&rng, seed ? strtoull(seed, NULL, 10) : 1, 0);
		fill_pool();
		fuzz(seconds ? atoi(seconds) : 60);
		free_samples();
	}
	return check_summary("fuzz_model") | status;
}

#endif							/* FUZZ_GUIDED */
