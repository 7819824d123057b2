/* half.h: IEEE 754 binary16 without infinities and NaN, for weights that are stored. */
#ifndef RNN_HALF_H
#define RNN_HALF_H

#include <math.h>
#include <stdint.h>

#define HALF_LARGEST 65504.0

static inline double
half_load(const uint8_t *b)
{
	unsigned int half = b[0] | (unsigned int) b[1] << 8;
	int			exponent = half >> 10 & 31;
	double		fraction = (half & 1023) / 1024.0,
				value = exponent ? ldexp(1 + fraction, exponent - 15) : ldexp(fraction, -14);

	return half >> 15 ? -value : value;
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
