/*
 * rng.c
 *		The generator behind every random choice: xoshiro256++ (Blackman and
 *		Vigna, "Scrambled linear pseudorandom number generators", 2021).
 *
 * A seed and a stream number give independent sequences, so that an ensemble
 * member draws the same numbers alone and beside others.
 */
#include "base/base.h"

#include <math.h>
#include <string.h>

static uint64_t
splitmix(uint64_t *x)
{
	uint64_t	z = (*x += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void
rnn_rng_seed(rnn_rng *r, uint64_t seed, uint64_t stream)
{
	uint64_t	x = seed;

	x = splitmix(&x) ^ (stream * 0xd1342543de82ef95u);
	for (int i = 0; i < 4; i++)
		r->s[i] = splitmix(&x);
}

static uint64_t
rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

uint64_t
rnn_rng_next(rnn_rng *r)
{
	uint64_t   *s = r->s;
	uint64_t	result = rotl(s[0] + s[3], 23) + s[0];
	uint64_t	t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

double
rnn_rng_uniform(rnn_rng *r)
{
	return (rnn_rng_next(r) >> 11) * 0x1p-53;
}

uint64_t
rnn_rng_below(rnn_rng *r, uint64_t n)
{
	/* Rejection keeps every value equally likely. */
	uint64_t	limit = UINT64_MAX - UINT64_MAX % n,
				x;

	do
		x = rnn_rng_next(r);
	while (x >= limit);
	return x % n;
}

/* Box and Muller 1958, one value of the pair. */
double
rnn_rng_normal(rnn_rng *r)
{
	double		u = 1.0 - rnn_rng_uniform(r),
				v = rnn_rng_uniform(r);

	return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

#define UNITS 64				/* that are dropped at once, as vectors */

/* n units, at most UNITS. */
static void
drop(rnn_rng *r, int32_t below, real kept, int64_t n, real *mask)
{
	int32_t		part[UNITS] = {0};
	real		units[UNITS];

	for (int64_t i = 0; i < n; i += 4)
	{
		uint64_t	x = rnn_rng_next(r);

		for (int k = 0; k < 4; k++)
			part[i + k] = x >> 16 * k & 0xffff;
	}
	for (int i = 0; i < UNITS; i++)
		units[i] = part[i] < below ? 0 : kept;
	memcpy(mask, units, sizeof(real) * n);
}

/* Each draw decides for four units of a row, by 16 bits each: so rows are dropped alike, however many at once. */
void
rnn_rng_dropout(rnn_rng *r, double p, int64_t rows, int64_t n, real *mask)
{
	const int32_t below = (int32_t) (p * 0x1p16 + 0.5);
	const real	kept = (real) (1 / (1 - p));

	for (; rows > 0; rows--, mask += n)
		for (int64_t i = 0; i < n; i += UNITS)
			drop(r, below, kept, rnn_min(n - i, UNITS), mask + i);
}
