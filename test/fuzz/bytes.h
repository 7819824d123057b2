/*
 * bytes.h
 *		An input that is taken apart from its front; behind its end are zeros.
 */
#ifndef BYTES_H
#define BYTES_H

#include <stdint.h>

typedef struct Bytes
{
	const uint8_t *next;
	const uint8_t *end;
} Bytes;

static inline uint8_t
take(Bytes *in)
{
	return in->next < in->end ? *in->next++ : 0;
}

static inline void
take_all(Bytes *in, void *to, int n)
{
	for (int i = 0; i < n; i++)
		((uint8_t *) to)[i] = take(in);
}

#endif							/* BYTES_H */
