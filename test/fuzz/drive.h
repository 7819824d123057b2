/*
 * drive.h
 *		What turns a target of the engine into a program.
 *
 * A target has a name, seeds and run_input.  Alone the program runs the inputs
 * of test/fuzz/corpus/NAME, then mutates these and the seeds for FUZZ_SECONDS
 * (60; 0: none), the random numbers from FUZZ_SEED (1); with names of files it
 * runs these.  An input that ends it is left in build/NAME.bin.  -seeds FOLDER
 * writes the seeds.
 *
 * Built with clang and FUZZ_GUIDED it is one of libFuzzer, which searches by the
 * branches that are taken: tools/fuzz.
 */
#ifndef DRIVE_H
#define DRIVE_H

#include "check.h"
#include "rnn.h"

#include <dirent.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_BYTES 20000
#define POOL 256				/* inputs that are mutated again */

extern const char target_name[];
/* Whether it was taken for what it claims to be. */
static bool run_input(const uint8_t *data, size_t len);
/* Hands seeds to add_seed, once. */
static void make_seeds(void (*add_seed) (const char *name, const uint8_t *bytes, size_t len));

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	rnn_engine_init(-1);
	run_input(data, size);
	if (check_failed > 0)
		abort();
	return 0;
}

#ifdef FUZZ_GUIDED

int			LLVMFuzzerInitialize(int *argc, char ***argv);

static inline void
forget_seed(const char *name, const uint8_t *bytes, size_t len)
{
}

/* Seeds lie in the corpus; what they are made from is made here. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	/* Blocks of megabytes are reused, not mapped anew for each input. */
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	rnn_engine_init(-1);
	make_seeds(forget_seed);
	return 0;
}

#else

typedef struct Input
{
	uint8_t		bytes[MOST_BYTES];
	size_t		len;
} Input;

static Input input;
static Input pool[POOL];
static int	n_pool;
static const char *seeds_folder;	/* to be written, NULL: to the pool */
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
	char		name[100];

	snprintf(name, sizeof(name), "%s.bin", target_name);
	write_file("build", name, input.bytes, input.len);
	if (signum == 0)
		return;
	signal(signum, SIG_DFL);
	raise(signum);
}

static bool
read_file(const char *path)
{
	FILE	   *f = fopen(path, "rb");

	if (!f)
		return false;
	input.len = fread(input.bytes, 1, MOST_BYTES, f);
	fclose(f);
	return true;
}

static int
below(size_t n)
{
	return (int) rnn_rng_below(&rng, n ? n : 1);
}

/* ---------------------------------------------------------------- mutations */

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

/* A place: half of them before the weights of a model, which would get nearly all. */
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
	const Input *other = &pool[below(n_pool)];

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

/* --------------------------------------------------------------------- runs */

static void
add_seed(const char *name, const uint8_t *bytes, size_t len)
{
	CHECK(len <= MOST_BYTES);
	if (seeds_folder)
		write_file(seeds_folder, name, bytes, len);
	else if (n_pool < POOL)
	{
		memcpy(pool[n_pool].bytes, bytes, len);
		pool[n_pool++].len = len;
	}
}

/* Runs the committed inputs; they are seeds, too. */
static int
run_corpus(void)
{
	char		path[1000];
	struct dirent *entry;
	int			n = 0;
	DIR		   *folder;

	snprintf(path, sizeof(path), "test/fuzz/corpus/%s", target_name + strlen("fuzz_"));
	folder = opendir(path);
	while (folder && (entry = readdir(folder)))
	{
		snprintf(path, sizeof(path), "test/fuzz/corpus/%s/%s", target_name + strlen("fuzz_"), entry->d_name);
		if (entry->d_name[0] == '.' || !read_file(path))
			continue;
		run_input(input.bytes, input.len);
		add_seed(NULL, input.bytes, input.len);
		n++;
	}
	if (folder)
		closedir(folder);
	return n;
}

static void
fuzz(int seconds)
{
	time_t		start = time(NULL);
	int			seeds = n_pool,
				runs = 0,
				accepted = 0;

	/* Over time what became of the seeds and was accepted takes the places of their copies. */
	for (; n_pool < POOL; n_pool++)
		memcpy(&pool[n_pool], &pool[n_pool % seeds], sizeof(Input));
	for (; time(NULL) - start < seconds && check_failed == 0; runs++)
	{
		int			from = below(POOL);

		memcpy(&input, &pool[from], sizeof(input));
		/* Some are nothing but noise. */
		for (size_t i = 0; runs % 100 == 0 && i < input.len; i++)
			input.bytes[i] = (uint8_t) rnn_rng_next(&rng);
		for (int i = 1 + below(3); i > 0; i--)
			mutate();
		if (!run_input(input.bytes, input.len))
			continue;
		accepted++;
		if (from >= seeds)
			memcpy(&pool[from], &input, sizeof(input));
	}
	printf("  %d inputs, %d accepted\n", runs, accepted);
	CHECK(accepted > 0);
}

int
main(int argc, char **argv)
{
	const char *seconds = getenv("FUZZ_SECONDS"),
			   *seed = getenv("FUZZ_SEED");
	int			n;

	rnn_engine_init(-1);
	signal(SIGABRT, keep_input);
	if (argc == 3 && strcmp(argv[1], "-seeds") == 0)
		seeds_folder = argv[2];
	rnn_rng_seed(&rng, seed ? strtoull(seed, NULL, 10) : 1, 0);
	make_seeds(add_seed);
	if (seeds_folder)
		return 0;
	for (int i = 1; i < argc; i++)
		printf("%s: %s\n", argv[i], !read_file(argv[i]) ? "can't be read" :
			   run_input(input.bytes, input.len) ? "accepted" : "refused");
	if (argc == 1)
	{
		n = run_corpus();
		printf("  %d inputs of the corpus\n", n);
		CHECK(n > 0);
		if (!seconds || atoi(seconds) > 0)
			fuzz(seconds ? atoi(seconds) : 60);
		if (check_failed > 0)
			keep_input(0);
	}
	return check_summary(target_name);
}

#endif							/* FUZZ_GUIDED */

#endif							/* DRIVE_H */
