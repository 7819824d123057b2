/*
 * walk.c
 *		Numbers, bytes and room: the steps of the walk over a model's bytes.
 *
 * Numbers are little-endian.
 */
#include "model/walk.h"

#include <string.h>

void
walk_corrupt(Walk *w, const char *what)
{
	if (!w->failed)
		rnn_fail(w->err, RNN_ERR_CORRUPT, what, 0, 0, 0);
	w->failed = true;
}

size_t
walk_left(const Walk *w)
{
	return w->failed ? 0 : w->len - w->at;
}

/* size bytes of an unsigned number */
uint64_t
walk_number(Walk *w, uint64_t v, int size)
{
	uint64_t	got = 0;

	if (w->direction == READ && walk_left(w) < (size_t) size)
	{
		walk_corrupt(w, "the bytes end too early");
		return 0;
	}
	for (int i = 0; i < size; i++)
	{
		if (w->direction == WRITE)
			w->out[w->at + i] = (uint8_t) (v >> (8 * i));
		else if (w->direction == READ)
			got |= (uint64_t) w->in[w->at + i] << (8 * i);
	}
	w->at += size;
	return w->direction == READ ? got : v;
}

void
walk_i32(Walk *w, int32_t *v, double low, double high, const char *what)
{
	*v = (int32_t) (uint32_t) walk_number(w, (uint32_t) *v, 4);
	CHECK(w, *v >= low && *v <= high, what);
}

void
walk_i64(Walk *w, int64_t *v, int64_t low, int64_t high, const char *what)
{
	*v = (int64_t) walk_number(w, (uint64_t) *v, 8);
	CHECK(w, *v >= low && *v <= high, what);
}

void
walk_f64(Walk *w, double *v)
{
	uint64_t	bits;

	memcpy(&bits, v, 8);
	bits = walk_number(w, bits, 8);
	memcpy(v, &bits, 8);
}

void
walk_f32(Walk *w, float *v)
{
	uint32_t	bits;

	memcpy(&bits, v, 4);
	bits = (uint32_t) walk_number(w, bits, 4);
	memcpy(v, &bits, 4);
}

void
walk_bytes(Walk *w, char *v, size_t n)
{
	if (w->direction == READ && walk_left(w) < n)
	{
		walk_corrupt(w, "the bytes end too early");
		return;
	}
	if (w->direction == WRITE && n > 0)
		memcpy(w->out + w->at, v, n);
	else if (w->direction == READ && n > 0)
		memcpy(v, w->in + w->at, n);
	w->at += n;
}

/* Room for n elements that take at least `least` bytes each of those left. */
void *
walk_room(Walk *w, int64_t n, size_t least, size_t width)
{
	if (w->failed || (uint64_t) n > walk_left(w) / least)
	{
		walk_corrupt(w, "a count is larger than the bytes left");
		return NULL;
	}
	return rnn_arena_alloc(w->arena, (size_t) n, width);
}

void
walk_text(Walk *w, rnn_text *t, int32_t least, int32_t most, const char *length, const char *zero)
{
	char	   *text;

	walk_i32(w, &t->len, least, most, length);
	if (w->failed)
		return;
	if (w->direction != READ)
	{
		walk_bytes(w, (char *) (uintptr_t) t->text, t->len);
		return;
	}
	text = walk_room(w, t->len, 1, 1);
	CHECK(w, w->failed || !memchr(w->in + w->at, 0, t->len), zero);
	if (w->failed)
		return;
	if (text)
		memcpy(text, w->in + w->at, t->len);
	t->text = (const char *) w->in + w->at;
	if (text)
		t->text = text;
	w->at += t->len;
}
