/*
 * test_basics.c
 *		What everything else stands on: memory, random numbers, checksum,
 *		half precision, equations.
 */
#include "check.h"
#include "rnn.h"
#include "base/half.h"
#include "base/root.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------- arena */

/* However a block lies, what is handed out is aligned, apart and inside. */
static void
test_arena_places(void)
{
	const size_t size = 4096;
	char	   *memory = malloc(size + 64);

	for (int offset = 0; offset < 64; offset++)
	{
		char	   *block = memory + offset,
				   *behind = block;
		rnn_arena	a;
		bool		aligned = true,
					apart = true;

		rnn_arena_init(&a, block, size);
		for (size_t bytes = 1; bytes < 200; bytes += 33)
		{
			char	   *p = rnn_arena_alloc(&a, bytes, 1);

			aligned = aligned && p && (uintptr_t) p % 64 == 0;
			apart = apart && p >= behind && p + bytes <= block + size;
			behind = p + bytes;
		}
		CHECK(aligned);
		CHECK(apart);
		CHECK(!a.failed);
	}
	free(memory);
}

/* Allocations of a layout: true where all were given and could be written to. */
static bool
lay_out(rnn_arena *a)
{
	double	   *first = arena_new(a, double, 100);
	char	   *second = arena_new(a, char, 1);
	float	   *third = arena_new(a, float, 77);

	if (!first || !second || !third)
		return false;
	memset(first, 1, sizeof(double) * 100);
	memset(second, 2, 1);
	memset(third, 3, sizeof(float) * 77);
	return first[99] == first[0] && *second == 2;
}

/* What was measured is enough wherever the block lies, and no more than needed but for that. */
static void
test_arena_measure(void)
{
	const size_t exact = 832 + 64 + 320;
	rnn_arena	measured,
				a;
	char	   *memory;

	rnn_arena_init(&measured, NULL, 0);
	CHECK(!lay_out(&measured));
	CHECK(!measured.failed);
	CHECK(measured.used == exact + 64);
	for (int offset = 0; offset < 64; offset++)
	{
		/* The block ends where its memory does, for the sanitizer to see. */
		memory = malloc(measured.used + offset);
		rnn_arena_init(&a, memory + offset, measured.used);
		CHECK(lay_out(&a));
		CHECK(a.used <= a.size);
		free(memory);
	}
	memory = aligned_alloc(64, exact);
	rnn_arena_init(&a, memory, exact);
	CHECK(lay_out(&a));
	rnn_arena_init(&a, memory, exact - 1);
	CHECK(!lay_out(&a));
	CHECK(a.failed);
	free(memory);
}

static void
test_arena_exhaustion(void)
{
	char	   *memory = aligned_alloc(64, 256);
	rnn_arena	a;
	size_t		used;

	rnn_arena_init(&a, memory, 256);
	CHECK(rnn_arena_alloc(&a, 3, 64) == memory);
	used = a.used;
	CHECK(rnn_arena_alloc(&a, 65, 1) == NULL);
	CHECK(a.failed);
	CHECK(a.used == used);
	/* This one would fit, but after a failure nothing may be taken for whole. */
	CHECK(rnn_arena_alloc(&a, 1, 1) == NULL);

	/* No byte is left, and none is wanted. */
	rnn_arena_init(&a, memory, 256);
	CHECK(rnn_arena_alloc(&a, 256, 1) == memory);
	CHECK(rnn_arena_alloc(&a, 0, 8) != NULL);
	CHECK(!a.failed);
	CHECK(rnn_arena_alloc(&a, 1, 1) == NULL);

	/* A block that ends before its first boundary. */
	rnn_arena_init(&a, memory + 1, 62);
	CHECK(rnn_arena_alloc(&a, 1, 1) == NULL);
	CHECK(a.failed);
	free(memory);
}

/* Products beyond size_t are refused, in measuring too. */
static void
test_arena_overflow(void)
{
	static const size_t counts[][2] = {
		{SIZE_MAX, 1}, {1, SIZE_MAX}, {SIZE_MAX, SIZE_MAX}, {SIZE_MAX / 8 + 1, 8},
		{SIZE_MAX / 2, 2}, {(size_t) 1 << 33, (size_t) 1 << 33}, {SIZE_MAX - 62, 1}
	};
	char		memory[256];

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		for (int measure = 0; measure < 2; measure++)
		{
			rnn_arena	a;

			rnn_arena_init(&a, measure ? NULL : memory, measure ? 0 : sizeof(memory));
			CHECK(rnn_arena_alloc(&a, counts[i][0], counts[i][1]) == NULL);
			CHECK(a.failed);
		}
}

/* ------------------------------------------------------------------- rng */

/* The authors' generator: values of the C reference from the state 1, 2, 3, 4. */
static void
test_rng_reference(void)
{
	static const uint64_t expected[] = {
		41943041u, 58720359u, 3588806011781223u, 3591011842654386u,
		9228616714210784205u, 9973669472204895162u, 14011001112246962877u,
		12406186145184390807u, 15849039046786891736u, 10450023813501588000u
	};
	rnn_rng		r = {{1, 2, 3, 4}};

	for (int i = 0; i < 10; i++)
		CHECK(rnn_rng_next(&r) == expected[i]);
}

/* As its author published it (Vigna, splitmix64.c). */
static uint64_t
splitmix64(uint64_t *x)
{
	uint64_t	z = (*x += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Its known values, and the state of stream 0: the second splitmix from the seed's first number. */
static void
test_rng_splitmix(void)
{
	static const uint64_t known[] = {
		6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u,
		16408922859458223821u
	};
	uint64_t	x = 1234567;

	for (int i = 0; i < 5; i++)
		CHECK(splitmix64(&x) == known[i]);
	for (uint64_t seed = 0; seed < 50; seed++)
		for (uint64_t stream = 0; stream < 3; stream++)
		{
			rnn_rng		r;

			x = seed;
			x = splitmix64(&x) ^ (stream * 0xd1342543de82ef95u);
			rnn_rng_seed(&r, seed, stream);
			for (int i = 0; i < 4; i++)
				CHECK(r.s[i] == splitmix64(&x));
		}
}

/*
 * Seeding is our own: these were printed once and must never change, or a
 * stored seed would train another model.  The last two are hashes of a series
 * and a block, as window.c draws them.
 */
static void
test_rng_streams(void)
{
	static const struct
	{
		uint64_t	seed,
					stream,
					next[3];
	}			expected[] = {
		{0, 0, {0x84f09bf307c1073au, 0xc82ffb597ceee51bu, 0xadf96905c5df4417u}},
		{0, 1, {0xc59d0dc73e2b001cu, 0xfbb582895e5ba8deu, 0xe4ad41792689cc2du}},
		{1, 0, {0x704560ced7cc0501u, 0x4eef90036c89c53au, 0xdce05af2ba1364d7u}},
		{42, 7, {0xf1e8e70c151bddd1u, 0x9f4158c275c54ccbu, 0x89d8f36093faf792u}},
		{UINT64_MAX, 3, {0xece18dbdd58dedb4u, 0x16aa34ef0ec0f0f7u, 0x3a3349fa90f53027u}},
		{19, 5, {0xbf261cfd474a5fe5u, 0x47fd6d1bc25a3edeu, 0x59899401976770d3u}},
		{3, 0, {0x70941881b9658a52u, 0xca1da4d5bf88f1a3u, 0xe9611c041840e31fu}}
	};
	rnn_rng		r;

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
	{
		rnn_rng_seed(&r, expected[i].seed, expected[i].stream);
		for (int k = 0; k < 3; k++)
			CHECK(rnn_rng_next(&r) == expected[i].next[k]);
	}
	rnn_rng_seed(&r, 42, 7);
	CHECK(rnn_rng_uniform(&r) == 0x1.e3d1ce182a37bp-1);
	CHECK(rnn_rng_below(&r, 1000) == 699);
	/* log and cos may differ in their last bit from library to library. */
	CHECK_NEAR(rnn_rng_normal(&r), 1.1060947664704857, 1e-14);
}

/* Streams and seeds that lie side by side have nothing in common. */
static void
test_rng_independent(void)
{
	/* seed and stream beside 5, 5 */
	static const uint64_t beside[4][2] = {{5, 6}, {6, 5}, {4, 6}, {0, 0}};

	for (int pair = 0; pair < 4; pair++)
	{
		const int	n = 100000;
		rnn_rng		a,
					b;
		double		sum = 0;
		int			equal = 0;

		rnn_rng_seed(&a, 5, 5);
		rnn_rng_seed(&b, beside[pair][0], beside[pair][1]);
		for (int i = 0; i < n; i++)
		{
			uint64_t	x = rnn_rng_next(&a),
						y = rnn_rng_next(&b);

			equal += __builtin_popcountll(~(x ^ y));
			sum += ((double) (x >> 11) * 0x1p-53 - 0.5) * ((double) (y >> 11) * 0x1p-53 - 0.5);
		}
		/* five standard deviations */
		CHECK(fabs(sum / n * 12) < 5 / sqrt(n));
		CHECK(fabs(equal / (64.0 * n) - 0.5) < 5 * 0.5 / sqrt(64.0 * n));
	}
}

static void
test_rng_uniform(void)
{
	const int	n = 400000;
	int			bins[100] = {0},
				below[7] = {0};
	double		chi = 0;
	rnn_rng		r,
				last = {{0, 0, 0, UINT64_MAX}};
	bool		inside = true;

	rnn_rng_seed(&r, 1, 2);
	for (int i = 0; i < n; i++)
	{
		double		u = rnn_rng_uniform(&r);

		inside = inside && u >= 0 && u < 1;
		bins[(int) (u * 100)]++;
		below[rnn_rng_below(&r, 7)]++;
	}
	CHECK(inside);
	for (int i = 0; i < 100; i++)
		chi += (bins[i] - n / 100.0) * (bins[i] - n / 100.0) / (n / 100.0);
	CHECK(chi > 40 && chi < 180);	/* 99 degrees of freedom */
	chi = 0;
	for (int i = 0; i < 7; i++)
		chi += (below[i] - n / 7.0) * (below[i] - n / 7.0) / (n / 7.0);
	CHECK(chi < 30);			/* 6 degrees of freedom */

	/* The largest number that the generator can give is still below 1. */
	CHECK(rnn_rng_uniform(&last) < 1);
}

static void
test_rng_below(void)
{
	static const uint64_t limits[] = {1, 2, 3, 1000, (uint64_t) 1 << 32, ((uint64_t) 1 << 63) + 1, UINT64_MAX};
	rnn_rng		r;

	rnn_rng_seed(&r, 3, 4);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
	{
		uint64_t	top = 0;
		bool		inside = true;

		for (int k = 0; k < 5000; k++)
		{
			uint64_t	x = rnn_rng_below(&r, limits[i]);

			inside = inside && x < limits[i];
			top = x > top ? x : top;
		}
		CHECK(inside);
		CHECK((double) top >= 0.99 * (double) (limits[i] - 1));
	}
}

static void
test_rng_normal(void)
{
	const int	n = 400000;
	double		sum = 0,
				squares = 0,
				fourth = 0;
	int			tail = 0;
	rnn_rng		r,
				edge = {{0, 0, 0, UINT64_MAX}};

	rnn_rng_seed(&r, 9, 1);
	for (int i = 0; i < n; i++)
	{
		double		x = rnn_rng_normal(&r);

		sum += x;
		squares += x * x;
		fourth += x * x * x * x;
		tail += fabs(x) > 1.959963985;
	}
	CHECK(fabs(sum / n) < 5 / sqrt(n));
	CHECK(fabs(squares / n - 1) < 5 * sqrt(2.0 / n));
	CHECK(fabs(fourth / n - 3) < 5 * sqrt(96.0 / n));
	CHECK(fabs(tail / (double) n - 0.05) < 5 * sqrt(0.05 * 0.95 / n));
	/* Here 1 - u is the smallest it can be: far out, but a number. */
	CHECK(fabs(rnn_rng_normal(&edge)) < 10);
}

/* ------------------------------------------------------------------- crc */

/* The polynomial bit by bit, going on from the checksum of what came before. */
static uint32_t
crc_bitwise(uint32_t before, const uint8_t *bytes, size_t len)
{
	uint32_t	crc = ~before;

	for (size_t i = 0; i < len; i++)
	{
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
	}
	return ~crc;
}

/* RFC 3720, B.4, and the check value that every catalogue of CRCs gives. */
static void
test_crc_vectors(void)
{
	uint8_t		zeros[32] = {0},
				ones[32],
				up[32],
				down[32];

	memset(ones, 255, 32);
	for (int i = 0; i < 32; i++)
	{
		up[i] = (uint8_t) i;
		down[i] = (uint8_t) (31 - i);
	}
	CHECK(rnn_crc32c((const uint8_t *) "123456789", 9) == 0xe3069283u);
	CHECK(rnn_crc32c(zeros, 32) == 0x8a9136aau);
	CHECK(rnn_crc32c(ones, 32) == 0x62a8ab43u);
	CHECK(rnn_crc32c(up, 32) == 0x46dd794eu);
	CHECK(rnn_crc32c(down, 32) == 0x113fdb5cu);
	CHECK(rnn_crc32c(zeros, 0) == 0);
}

/* The engine has no incremental form; in pieces by the polynomial it is the same. */
static void
test_crc_pieces(void)
{
	uint8_t		bytes[700];
	rnn_rng		r;

	rnn_rng_seed(&r, 8, 8);
	for (int i = 0; i < 700; i++)
		bytes[i] = (uint8_t) rnn_rng_next(&r);
	for (size_t len = 0; len <= 700; len += 7)
	{
		size_t		cut = rnn_rng_below(&r, len + 1);
		uint32_t	first = rnn_crc32c(bytes, cut);

		CHECK(first == crc_bitwise(0, bytes, cut));
		CHECK(rnn_crc32c(bytes, len) == crc_bitwise(first, bytes + cut, len - cut));
	}
}

/* Every burst of up to 32 bits is noticed: that is what the checksum is for. */
static void
test_crc_bursts(void)
{
	uint8_t		bytes[64];
	uint32_t	whole;
	rnn_rng		r;
	int			missed = 0;

	rnn_rng_seed(&r, 8, 9);
	for (int i = 0; i < 64; i++)
		bytes[i] = (uint8_t) rnn_rng_next(&r);
	whole = rnn_crc32c(bytes, 64);
	for (int at = 0; at <= 60; at++)
		for (int k = 0; k < 200; k++)
		{
			/* single bits first */
			uint32_t	burst = k < 32 ? (uint32_t) 1 << k : (uint32_t) rnn_rng_next(&r) | 1;

			for (int i = 0; i < 4; i++)
				bytes[at + i] ^= (uint8_t) (burst >> (8 * i));
			missed += rnn_crc32c(bytes, 64) == whole;
			for (int i = 0; i < 4; i++)
				bytes[at + i] ^= (uint8_t) (burst >> (8 * i));
		}
	CHECK(missed == 0);
	CHECK(rnn_crc32c(bytes, 64) == whole);
}

/* The share that is dropped, an odd end included, and a mean that stays. */
static void
test_rng_dropout(void)
{
	static real mask[100001];
	rnn_rng		r;
	int			dropped = 0,
				pairs = 0;

	rnn_rng_seed(&r, 3, 0);
	mask[100000] = 7;
	rnn_rng_dropout(&r, 0.2, 1, 99999, mask);
	CHECK(mask[99999] == 0 && mask[100000] == 7);
	for (int i = 0; i < 99999; i++)
	{
		CHECK(mask[i] == 0 || mask[i] == (real) 1.25);
		dropped += mask[i] == 0;
		pairs += i % 2 && mask[i] == 0 && mask[i - 1] == 0;
	}
	CHECK(abs(dropped - 20000) < 600);
	/* Two decisions of one draw have nothing to do with each other. */
	CHECK(abs(pairs - 2000) < 250);
}

/* -------------------------------------------------------- half precision */

/* As the format says: sign, 5 bits of the exponent, 10 of the fraction. */
static double
half_written_out(const uint8_t *b)
{
	int			half = b[0] | b[1] << 8,
				exponent = half >> 10 & 31;
	double		fraction = (half & 1023) / 1024.0,
				value = exponent ? ldexp(1 + fraction, exponent - 15) : ldexp(fraction, -14);

	return half >> 15 ? -value : value;
}

/* All that there are, the one beyond the usual exponents too, there and back. */
static void
test_half_all(void)
{
	bool		exact = true,
				back = true;

	for (int i = 0; i < 1 << 16; i++)
	{
		uint8_t		b[2] = {(uint8_t) i, (uint8_t) (i >> 8)},
					again[2];
		float		x = half_load(b);

		exact = exact && x == half_written_out(b) && !signbit(x) == !(i >> 15);
		half_store(again, x);
		/* Nothing above the largest number is written. */
		back = back && (fabs(x) > HALF_LARGEST || memcmp(b, again, 2) == 0);
	}
	CHECK(exact);
	CHECK(back);
}

/* ------------------------------------------------------------- equations */

#define EQUATIONS 17
#define SIDES 3

/* The products of rows (EQUATIONS, of) with each other, as far as two more numbers lie from row to row. */
static void
products_of(const double *rows, int of, double *a)
{
	memset(a, 0, sizeof(double) * EQUATIONS * (EQUATIONS + 2));
	for (int i = 0; i < EQUATIONS; i++)
		for (int k = 0; k < EQUATIONS; k++)
			for (int j = 0; j < of; j++)
				a[i * (EQUATIONS + 2) + k] += rows[i * of + j] * rows[k * of + j];
}

static void
test_root(void)
{
	double		rows[EQUATIONS * EQUATIONS],
				a[EQUATIONS * (EQUATIONS + 2)],
				f[EQUATIONS * (EQUATIONS + 2)],
				y[EQUATIONS][SIDES + 1],
				x[EQUATIONS][SIDES + 1],
				away = 0;
	rnn_rng		rng;

	rnn_rng_seed(&rng, 31, 0);
	for (int i = 0; i < EQUATIONS * EQUATIONS; i++)
		rows[i] = rnn_rng_normal(&rng);
	products_of(rows, EQUATIONS, a);
	for (int i = 0; i < EQUATIONS; i++)
		for (int j = 0; j <= SIDES; j++)
			x[i][j] = y[i][j] = rnn_rng_normal(&rng);
	memcpy(f, a, sizeof(f));
	for (int k = 0; k < EQUATIONS; k++)
		root_row(f, EQUATIONS + 2, k, 0);
	root_solve(f, EQUATIONS + 2, EQUATIONS, SIDES, x[0], SIDES + 1);
	for (int i = 0; i < EQUATIONS; i++)
	{
		CHECK(x[i][SIDES] == y[i][SIDES]);
		for (int j = 0; j < SIDES; j++)
		{
			double		is = 0;

			for (int k = 0; k < EQUATIONS; k++)
				is += a[i * (EQUATIONS + 2) + k] * x[k][j];
			away = fmax(away, fabs(is - y[i][j]));
		}
	}
	CHECK(away < 1e-9);
	printf("- equations that say less than there are unknowns have a solution of bounded size\n");
	products_of(rows, 3, f);
	memset(x, 0, sizeof(x));
	for (int k = 0; k < EQUATIONS; k++)
	{
		root_row(f, EQUATIONS + 2, k, 1e-6);
		CHECK(f[k * (EQUATIONS + 3)] >= 1e-3 * (1 - 1e-12));
		x[k][0] = k == 0;
	}
	root_solve(f, EQUATIONS + 2, EQUATIONS, 1, x[0], SIDES + 1);
	for (int k = 0; k < EQUATIONS; k++)
		CHECK(isfinite(x[k][0]));
}

int
main(void)
{
	TEST(test_arena_places);
	TEST(test_arena_measure);
	TEST(test_arena_exhaustion);
	TEST(test_arena_overflow);
	TEST(test_rng_reference);
	TEST(test_rng_splitmix);
	TEST(test_rng_streams);
	TEST(test_rng_independent);
	TEST(test_rng_uniform);
	TEST(test_rng_below);
	TEST(test_rng_dropout);
	TEST(test_rng_normal);
	TEST(test_crc_vectors);
	TEST(test_crc_pieces);
	TEST(test_crc_bursts);
	TEST(test_half_all);
	TEST(test_root);
	return check_summary("basics");
}
