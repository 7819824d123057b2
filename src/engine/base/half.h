/* half.h: IEEE 754 binary16 without infinities and NaN, for weights that are stored. */
#ifndef RNN_HALF_H
#define RNN_HALF_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define HALF_LARGEST 65504.0

/*
 * A float has the same fraction, 13 bits longer, and an exponent that is 112
 * larger: moved there, the bits are the number times 2^-112, and the product
 * is exact, that of a number without its leading one too.
 */
static inline float
half_load(const uint8_t *b)
{
	uint32_t	half = b[0] | (uint32_t) b[1] << 8,
				bits = (half & 0x7fff) << 13 | (half & 0x8000) << 16;
	float		small;

	memcpy(&small, &bits, sizeof(small));
	return small * 0x1p112f;
}

/* To nearest; what is too large becomes the largest. */
static inline void
half_store(uint8_t *b, double x)
{
	int			exponent;
	double		size = fmin(fabs(x), HALF_LARGEST),
				fraction = frexp(size, &exponent);	/* in [1/2, 1) */
	unsigned int half = 0;

	if (size > 0 && exponent < -13)
		half = (unsigned int) nearbyint(ldexp(size, 24));
	else if (size > 0)
		/* A fraction that rounds up to 2 carries into the exponent, as it should. */
		half = ((unsigned int) (exponent + 14) << 10) + (unsigned int) nearbyint(ldexp(2 * fraction - 1, 10));
	half |= signbit(x) ? 1u << 15 : 0;
	b[0] = half & 255;
	b[1] = half >> 8;
}

#endif							/* RNN_HALF_H */
