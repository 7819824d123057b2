/*
 * pretrain_step.c
 *		Updates of the pretraining, by any number of processes.
 *
 * A batch is cut into pieces, each of windows of about the same length and of
 * one group of horizons, so that little is padded.  Processes take one piece
 * after the other, each with a random sequence and a gradient of its own; then
 * slices of the weights, for which they add the gradients up in the order of
 * the pieces.  So the bytes depend neither on who did what nor on how many they
 * are.
 */
#include "pretrain_run.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define S RNN_BLOCK

static int
length_class(int steps)
{
	int			c = 0;

	while (c < LENGTHS - 1 && 1 << c < steps)
		c++;
	return c;
}

void
pool_add(Pool *p, Chunk chunk)
{
	p->chunk = realloc(p->chunk, sizeof(Chunk) * (p->n_chunks + 1));
	if (!p->chunk)
		die("no memory");
	for (int i = 0; i < chunk.count; i++)
	{
		const Item *item = &chunk.items[i];
		Class	   *c = &p->of[item->group][length_class(item->steps)];

		if (c->count == c->room)
		{
			c->room = c->room ? 2 * c->room : 1024;
			c->item = realloc(c->item, sizeof(*c->item) * c->room);
			if (!c->item)
				die("no memory");
		}
		c->item[c->count][0] = p->n_chunks;
		c->item[c->count++][1] = i;
		p->count++;
	}
	p->chunk[p->n_chunks++] = chunk;
}

void
pool_clear(Pool *p)
{
	for (int i = 0; i < p->n_chunks; i++)
		chunk_drop(&p->chunk[i]);
	for (int i = 0; i < GROUPS * LENGTHS; i++)
		p->of[i / LENGTHS][i % LENGTHS].count = 0;
	p->n_chunks = 0;
	p->count = 0;
}

/* ---------------------------------------------------------------- batches */

void
lay_out_net(Pretrain *p, rnn_net *net, int group, int T, int B, bool training)
{
	for (int pass = 0; pass < 2; pass++)
	{
		rnn_arena	a;

		rnn_arena_init(&a, pass ? p->net_block : NULL, pass ? p->net_size : 0);
		rnn_net_init(net, &p->plans.shape[group], T, B, training, &a);
		net->far = group == FAR ? arena_new(&a, real, (int64_t) T * B * FAR_BLOCKS) : NULL;
		if (pass == 0 && a.used + 64 > p->net_size)
		{
			free(p->net_block);
			p->net_size = a.used + 64;
			p->net_block = grab(p->net_size);
		}
	}
}

const Item *
item_of(Pretrain *p, const Pool *pool, const Class *class, int i, const real **data)
{
	const Chunk *chunk = &pool->chunk[class->item[i][0]];
	const Item *item = &chunk->items[class->item[i][1]];

	unpack(chunk->data + item->at, item->steps * p->plans.stride[item->group], p->values);
	*data = p->values;
	return item;
}

void
load_item(const Plans *plans, rnn_net *net, int T, int B, int b, const Item *item, const real *data, bool flip)
{
	int64_t		Hz = (int64_t) net->shape->blocks * S,
				stride = plans->stride[item->group];

	for (int t = 0; t < T; t++)
	{
		int64_t		row = (int64_t) t * B + b,
					k = t - (T - item->steps);
		const real *frame = k < 0 ? NULL : data + k * stride;

		rnn_frame_load(net, row, frame, flip, true);
		for (int j = 0; net->far && j < FAR_BLOCKS; j++)
			net->far[row * FAR_BLOCKS + j] = item->block[j];
		if (!net->target)
			continue;
		if (!frame)
			rnn_target_none(net, row);
		for (int64_t j = 0; frame && j < Hz; j++)
			net->target[row * Hz + j] = (flip ? -1 : 1) * frame[stride - Hz + j];
	}
}

/*
 * References that a window does without, at all its positions, so that the gate
 * learns to choose among whatever there is: as if they could not be formed.  A
 * position keeps all where it would lose nearly all of its weight.
 */
static void
drop_references(rnn_net *net, int T, int B, int b, rnn_rng *r)
{
	const rnn_shape *s = net->shape;
	int64_t		Hz = (int64_t) s->blocks * S;
	bool		dropped[RNN_REFS];
	double		share = 0.7 * rnn_rng_uniform(r);

	for (int k = 0; k < s->R; k++)
		dropped[k] = rnn_rng_uniform(r) < share;
	for (int t = 0; t < T; t++)
	{
		int64_t		row = (int64_t) t * B + b;
		real	   *error = net->aux + row * s->A,
				   *weight = error + s->R,
					left = 0;

		for (int k = 0; k < s->R; k++)
			left += dropped[k] ? 0 : weight[k];
		if (left < (real) 0.01)
			continue;
		for (int k = 0; k < s->R; k++)
		{
			weight[k] = dropped[k] ? 0 : weight[k] / left;
			if (!dropped[k])
				continue;
			error[k] = 2;
			memset(net->ref + (row * s->R + k) * Hz, 0, sizeof(real) * Hz);
		}
	}
}

/* B windows of a class, drawn by r; adds to the gradient, and the count of known points. */
static double
tile(Pretrain *p, rnn_net *net, const Class *class, int T, int B, rnn_rng *r, real *g, int64_t *known)
{
	int64_t		of_tile;
	double		loss;

	for (int b = 0; b < B; b++)
	{
		const real *data;
		const Item *item = item_of(p, &p->pool, class, (int) rnn_rng_below(r, class->count), &data);

		load_item(&p->plans, net, T, B, b, item, data, rnn_rng_below(r, 2));
		if (p->s.drop > 0 && rnn_rng_uniform(r) < p->s.drop)
			drop_references(net, T, B, b, r);
	}
	rnn_net_reset(net, B);
	loss = rnn_net_learn(net, p->opt.w, T, B, 0, 1, p->s.cfg.dropout > 0 ? r : NULL, false, &of_tile, g);
	*known += of_tile;
	return loss;
}

/* A series of any class is as likely as another. */
static const Class *
draw_class(const Pool *pool, rnn_rng *r, int *group, int *length)
{
	int64_t		left = (int64_t) rnn_rng_below(r, pool->count);

	*group = *length = 0;
	while (left >= pool->of[*group][*length].count)
	{
		left -= pool->of[*group][*length].count;
		if (++*length == LENGTHS)
		{
			*length = 0;
			++*group;
		}
	}
	return &pool->of[*group][*length];
}

/* The gradient of the mean loss of one piece, divided by how many there are. */
static void
learn_piece(Pretrain *p, int piece)
{
	real	   *g = p->gradients + piece * p->opt.P;
	int64_t		known = 0;
	int			group,
				length,
				T,
				B,
				most;
	const Class *class;
	rnn_rng		r;
	rnn_net		net;
	double		loss = 0;

	rnn_rng_seed(&r, (uint64_t) p->s.cfg.seed, (uint64_t) p->step * MOST_PIECES + piece + 1);
	class = draw_class(&p->pool, &r, &group, &length);
	T = 1 << length;
	B = POSITIONS / T < MOST_WINDOWS ? POSITIONS / T : MOST_WINDOWS;
	most = rnn_tile_windows(&p->plans.shape[group], B);
	lay_out_net(p, &net, group, T, most, true);
	rnn_net_pack(&net, p->opt.w);
	memset(g, 0, sizeof(real) * p->opt.P);
	for (int from = 0; from < B; from += most)
		loss += tile(p, &net, class, T, B - from < most ? B - from : most, &r, g, &known);
	for (int64_t i = 0; i < p->opt.P; i++)
		g[i] *= (real) (1.0 / p->s.pieces / rnn_max(known, 1));
	p->shared->loss[piece] = loss;
	p->shared->known[piece] = known;
}

/* ---------------------------------------------------------------- updates */

void
share(Pretrain *p)
{
	int64_t		P = p->opt.P;
	size_t		head,
				size;
	real	   *at;

	p->values = grab(sizeof(real) * LONGEST_WINDOW * p->plans.stride[FAR]);
	p->slices = (int) ((P + SLICE - 1) / SLICE);
	head = (sizeof(Shared) + sizeof(double) * p->slices + 63) / 64 * 64;
	size = head + sizeof(real) * P * (5 + p->s.pieces);
	p->shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->shared == MAP_FAILED)
		die("no shared memory: %s", strerror(errno));
	at = (real *) ((char *) p->shared + head);
	p->opt.w = at;
	p->opt.m = at + P;
	p->opt.v = at + 2 * P;
	p->opt.ema = at + 3 * P;
	p->opt.g = at + 4 * P;
	p->gradients = at + 5 * P;
}

/* All processes are here; the last to come sets the counters back that nobody takes from at present. */
static void
meet(Pretrain *p, bool pieces)
{
	Shared	   *s = p->shared;
	int			round = atomic_load(&s->round);

	if (atomic_fetch_add(&s->arrived, 1) + 1 == p->s.processes)
	{
		atomic_store(&s->arrived, 0);
		if (pieces)
			atomic_store(&s->slice[1], 0);
		else
		{
			atomic_store(&s->piece, 0);
			atomic_store(&s->slice[0], 0);
		}
		atomic_store(&s->round, round + 1);
		return;
	}
	while (atomic_load(&s->round) == round)
	{
		if (atomic_load(&s->failed))
			exit(1);
		sched_yield();
	}
}

/* One slice of the sum of the pieces' gradients. */
static void
add_pieces(Pretrain *p, int slice)
{
	int64_t		P = p->opt.P,
				from = (int64_t) slice * SLICE,
				to = rnn_min(P, from + SLICE);

	memcpy(p->opt.g + from, p->gradients + from, sizeof(real) * (to - from));
	for (int k = 1; k < p->s.pieces; k++)
	{
		const real *restrict g = p->gradients + k * P;
		real	   *restrict sum = p->opt.g;

		for (int64_t i = from; i < to; i++)
			sum[i] += g[i];
	}
	p->shared->squares[slice] = optimizer_squares(&p->opt, from, to);
}

void
update(Pretrain *p)
{
	Shared	   *s = p->shared;
	double		squares = 0;
	rnn_error	err;
	int			i;

	while ((i = atomic_fetch_add(&s->piece, 1)) < p->s.pieces)
		learn_piece(p, i);
	meet(p, true);
	while ((i = atomic_fetch_add(&s->slice[0], 1)) < p->slices)
		add_pieces(p, i);
	for (int k = 0; k < p->s.pieces; k++)
		p->loss_sum += s->loss[k] / rnn_max(s->known[k], 1) / p->s.pieces;
	p->loss_count++;
	meet(p, true);
	for (int k = 0; k < p->slices; k++)
		squares += s->squares[k];
	if (optimizer_begin(&p->opt, &p->s.cfg, 1, s->steps, true, 1, squares, &err) != RNN_OK)
		die("step %d: %s", p->step, err.what);
	while ((i = atomic_fetch_add(&s->slice[1], 1)) < p->slices)
		optimizer_apply(&p->opt, &p->s.cfg, (int64_t) i * SLICE, rnn_min(p->opt.P, (int64_t) (i + 1) * SLICE));
	meet(p, false);
	p->step++;
}
