/*
 * pretrain_run.h
 *		A pretraining and the parts of it: pretrain_step.c makes updates,
 *		pretrain_watch.c tells how far it is, pretrain.c has options and
 *		checkpoints.
 */
#ifndef PRETRAIN_RUN_H
#define PRETRAIN_RUN_H

#include "pretrain.h"
#include "net/optim.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/types.h>

#define LENGTHS 6				/* classes: up to 1, 2, 4 ... 32 steps */
#define POSITIONS 512			/* of a piece */
#define MOST_WINDOWS 256		/* of a piece */
#define MOST_PIECES 256			/* of a batch */
#define MOST_PROCESSES 256
#define SLICE 4096				/* weights that one process updates at a time */

typedef struct Settings
{
	const char *dir,
			   *league,
			   *write;
	int			version;
	double		share;
	int			steps,
				series,
				pieces,
				every,
				fresh,			/* updates that windows last, 0: to the end */
				processes;
	double		seconds,		/* ceiling, 0: none */
				drop;			/* share of windows that lose references */
	bool		all,
				memory;
	rnn_config	cfg;
} Settings;

/* Items of one class: chunk and number. */
typedef struct Class
{
	int			count,
				room;
	int32_t   (*item)[2];
} Class;

typedef struct Pool
{
	int			n_chunks;
	Chunk	   *chunk;
	Class		of[GROUPS][LENGTHS];
	int64_t		count;
} Pool;

/* What the processes share; behind it weights, both moments, averages, gradient, gradients of the pieces: (5 + pieces, P). */
typedef struct Shared
{
	_Atomic int arrived;
	_Atomic int round;
	_Atomic int failed;
	_Atomic int piece,			/* next to be taken: of the batch, */
				slice[2];		/* and of the weights, in either half of an update */
	int			steps;			/* of the whole pretraining */
	double		loss[MOST_PIECES];
	int64_t		known[MOST_PIECES];
	double		squares[];		/* (slices) */
} Shared;

typedef struct Pretrain
{
	Settings	s;
	Plans		plans;
	Pool		pool,
				held;
	Pool		league;
	int			n_sets;
	Set			set[MOST_SETS];
	Optimizer	opt;
	Shared	   *shared;
	real	   *gradients;		/* (pieces, P) */
	int			slices;
	real	   *values;			/* of one item */
	void	   *net_block;
	size_t		net_size;
	FILE	   *log;
	pid_t		validation;		/* the process that looks at the weights; 0: none does */
	int			step;
	double		loss_sum;
	int			loss_count;
	double		seconds;
} Pretrain;

/* pretrain_step.c */
void		pool_add(Pool *p, Chunk chunk);
/* Without the chunks that it had. */
void		pool_clear(Pool *p);
/* What the processes share, in memory that they inherit. */
void		share(Pretrain *p);
/* T steps of B windows, and where they lie in the block. */
void		lay_out_net(Pretrain *p, rnn_net *net, int group, int T, int B, bool training);
/* data: its numbers, until the next is asked for. */
const Item *item_of(Pretrain *p, const Pool *pool, const Class *class, int i, const real **data);
/* Column b of the net: the item's positions at the end, nothing before them. */
void		load_item(const Plans *plans, rnn_net *net, int T, int B, int b, const Item *item, const real *data, bool flip);
/* One update, by all processes together; the first of them counts. */
void		update(Pretrain *p);

/* pretrain_watch.c */
void		say(Pretrain *p, const char *format,...);
/* How well it forecasts held-out families, and the league; `whole`: each family and set. */
void		validate(Pretrain *p, bool whole);

#endif							/* PRETRAIN_RUN_H */
