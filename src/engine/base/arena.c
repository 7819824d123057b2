/*
 * arena.c
 *		A bump allocator in a block that the caller owns.
 */
#include "base/base.h"

#define ALIGNMENT 64			/* a cache line, and the widest vector */

void
rnn_arena_init(rnn_arena *a, void *block, size_t size)
{
	/* The block itself may be less aligned: skip to the first boundary. */
	size_t		skip = block ? (ALIGNMENT - (uintptr_t) block % ALIGNMENT) % ALIGNMENT : ALIGNMENT;

	a->base = block;
	a->size = size;
	a->used = skip;
	a->failed = block && skip > size;
}

void *
rnn_arena_alloc(rnn_arena *a, size_t count, size_t width)
{
	size_t		bytes;

	if (a->failed || (width > 0 && count > (SIZE_MAX / 2 - a->used - ALIGNMENT) / width))
	{
		a->failed = true;
		return NULL;
	}
	bytes = (count * width + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (a->base && bytes > a->size - a->used)
	{
		a->failed = true;
		return NULL;
	}
	a->used += bytes;
	return a->base ? a->base + a->used - bytes : NULL;
}
