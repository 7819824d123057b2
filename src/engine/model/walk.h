/*
 * walk.h
 *		The walk over the bytes of a model: what writes, measures and reads its
 *		fields.
 *
 * The sections are in model_config.c (what a model was asked and what it was
 * given) and model.c (what came of it), each written once for all directions:
 * what one direction does the other can't forget.  Bytes that come in are
 * hostile: every count is held to a limit and to the bytes left before it is
 * used, and every value to what the rest of the engine relies on.
 */
#ifndef RNN_WALK_H
#define RNN_WALK_H

#include "model/model.h"

#include <string.h>

#define WALK_PLACE ((int64_t) 1 << 53)	/* greatest of a place in time, or count of points */

typedef enum Direction { MEASURE, WRITE, READ } Direction;

typedef struct Walk
{
	Direction	direction;
	uint8_t    *out;			/* WRITE */
	const uint8_t *in;			/* READ */
	size_t		at,
				len;
	rnn_arena  *arena;			/* READ; base NULL measures */
	rnn_error  *err;
	bool		failed;
	bool		covariates;		/* there is that section */
	rnn_covariate measured[RNN_MAX_COVARIATES];
} Walk;

/* A condition on what was read; holds trivially for what is written. */
#define CHECK(w, cond, what) \
	do { if ((w)->direction == READ && !(w)->failed && !(cond)) walk_corrupt((w), (what)); } while (0)

/* walk.c */
void		walk_corrupt(Walk *w, const char *what);
size_t		walk_left(const Walk *w);	/* bytes, none once the walk has failed */
void	   *walk_room(Walk *w, int64_t n, size_t least, size_t width);	/* n elements of at least `least` of them */
uint64_t	walk_number(Walk *w, uint64_t v, int size);	/* unsigned, of `size` bytes */
void		walk_i32(Walk *w, int32_t *v, double low, double high, const char *what);
void		walk_i64(Walk *w, int64_t *v, int64_t low, int64_t high, const char *what);
void		walk_f64(Walk *w, double *v);
void		walk_f32(Walk *w, float *v);
void		walk_bytes(Walk *w, char *v, size_t n);
/* Its length is from `least` to `most`, else what's wrong is `length`; `zero`: it holds a zero byte. */
void		walk_text(Walk *w, rnn_text *t, int32_t least, int32_t most, const char *length, const char *zero);

/* model_config.c */
void		config_section(Walk *w, rnn_config *cfg);
void		references_field(Walk *w, int32_t *v, bool is_history);
void		check_config(Walk *w, const rnn_model *m);	/* once the seasons are read */
void		clock_section(Walk *w, rnn_clock *c);
void		seasons_section(Walk *w, rnn_model *m);
void		covariates_section(Walk *w, rnn_model *m);

/* hierarchy.c */
void		hierarchy_section(Walk *w, rnn_model *m);	/* once the series are read */
void		mark_sums(rnn_series *series, const rnn_sums *sums);

/* second.c */
void		second_kind(Walk *w, rnn_model *m);

/* Little-endian numbers in place; compilers make one load or store of each. */
static inline uint32_t
load32(const uint8_t *b)
{
	return b[0] | (uint32_t) b[1] << 8 | (uint32_t) b[2] << 16 | (uint32_t) b[3] << 24;
}

static inline void
store32(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t) v;
	b[1] = (uint8_t) (v >> 8);
	b[2] = (uint8_t) (v >> 16);
	b[3] = (uint8_t) (v >> 24);
}

/* One of many numbers, narrow: in single precision. */
static inline double
walk_load(const uint8_t *b, bool narrow)
{
	uint64_t	bits = load32(b);
	uint32_t	half;
	float		f;
	double		v;

	if (narrow)
	{
		half = (uint32_t) bits;
		memcpy(&f, &half, 4);
		return f;
	}
	bits |= (uint64_t) load32(b + 4) << 32;
	memcpy(&v, &bits, 8);
	return v;
}

static inline void
walk_store(uint8_t *b, double v, bool narrow)
{
	float		f = (float) v;
	uint32_t	half;
	uint64_t	bits;

	if (narrow)
	{
		memcpy(&half, &f, 4);
		store32(b, half);
		return;
	}
	memcpy(&bits, &v, 8);
	store32(b, (uint32_t) bits);
	store32(b + 4, (uint32_t) (bits >> 32));
}

#endif							/* RNN_WALK_H */
