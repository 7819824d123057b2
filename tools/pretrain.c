/*
 * pretrain.c
 *		Trains the prior on synthetic series (tools/pretrain).
 *
 *		pretrain DIR [option=value ...]
 *
 * DIR keeps the windows, the log and a checkpoint after every thousand steps:
 * run again it goes on from there, to the same bytes as without a stop.
 *
 *		steps		updates (30000)
 *		series		synthetic series (200000)
 *		processes	1 or 2 (2): the same bytes with either
 *		league		directory that bench/league --export wrote; only looked at
 *		write		C file to write the averaged weights to at the end, as prior `version` (1)
 *		hidden, layers, patch, cell, rate, dropout, seed, split (train or all)
 *
 * An update takes two halves of a batch.  Each is of series of about the same
 * length and of one group of horizons, so that little is padded; each process
 * computes the gradient of one and both apply their sum.
 */
#include "pretrain.h"
#include "net/optim.h"
#include "kernel/engine.h"
#include "kernel/kernel.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define S RNN_BLOCK
#define Q RNN_QUANTILES
#define LENGTHS 6				/* classes: up to 1, 2, 4 ... 32 steps */
#define POSITIONS 1024			/* of half a batch */
#define MOST_WINDOWS 256		/* of half a batch */
#define CHECKED 4096			/* series of held-out families in each validation */
#define EVERY 1000

const char *const program_name = "pretrain";

typedef struct Settings
{
	const char *dir,
			   *league,
			   *write;
	int			version;
	double		share;
	int			steps,
				series,
				processes;
	bool		all;
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

/* What the processes share. */
typedef struct Shared
{
	_Atomic int arrived[2];
	_Atomic int failed;
	double		loss[2];
	int64_t		known[2];
	real		g[];			/* (2, P) */
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
	void	   *net_block;
	size_t		net_size;
	FILE	   *log;
	int			step;
	double		loss_sum;
	int			loss_count;
	double		seconds;
} Pretrain;

static int
length_class(int steps)
{
	int			c = 0;

	while (c < LENGTHS - 1 && 1 << c < steps)
		c++;
	return c;
}

static void
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

/* ---------------------------------------------------------------- batches */

/* T steps of B windows, and where they lie in the block. */
static void
lay_out_net(Pretrain *p, rnn_net *net, int group, int T, int B, bool training)
{
	for (int pass = 0; pass < 2; pass++)
	{
		rnn_arena	a;

		rnn_arena_init(&a, pass ? p->net_block : NULL, pass ? p->net_size : 0);
		rnn_net_init(net, &p->plans.shape[group], T, B, training, &a);
		if (pass == 0 && a.used + 64 > p->net_size)
		{
			free(p->net_block);
			p->net_size = a.used + 64;
			p->net_block = grab(p->net_size);
		}
	}
}

static const Item *
item_of(const Pool *pool, const Class *class, int i, const real **data)
{
	const Chunk *chunk = &pool->chunk[class->item[i][0]];
	const Item *item = &chunk->items[class->item[i][1]];

	*data = chunk->data + item->at;
	return item;
}

/* Column b of the net: the item's positions at the end, nothing before them. */
static void
load_item(const Plans *plans, rnn_net *net, int T, int B, int b, const Item *item, const real *data, bool flip)
{
	int64_t		Hz = (int64_t) net->shape->blocks * S,
				stride = plans->stride[item->group];

	for (int t = 0; t < T; t++)
	{
		int64_t		row = (int64_t) t * B + b,
					k = t - (T - item->steps);
		const real *frame = k < 0 ? NULL : data + k * stride;

		rnn_frame_load(net, row, frame, flip);
		if (!net->target)
			continue;
		if (!frame)
			rnn_target_none(net, row);
		for (int64_t j = 0; frame && j < Hz; j++)
			net->target[row * Hz + j] = (flip ? -1 : 1) * frame[stride - Hz + j];
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
		const Item *item = item_of(&p->pool, class, (int) rnn_rng_below(r, class->count), &data);

		load_item(&p->plans, net, T, B, b, item, data, rnn_rng_below(r, 2));
	}
	rnn_net_reset(net, B);
	loss = rnn_net_learn(net, p->opt.w, T, B, p->s.cfg.dropout > 0 ? r : NULL, false, &of_tile, g);
	*known += of_tile;
	return loss;
}

/* The gradient of the mean loss of one half of a batch. */
static void
half_batch(Pretrain *p, int half, real *g)
{
	int64_t		left,
				known = 0;
	int			group = 0,
				length = 0,
				T,
				B,
				most;
	const Class *class;
	rnn_rng		r;
	rnn_net		net;
	double		loss = 0;

	/* A series of any class is as likely as another. */
	rnn_rng_seed(&r, (uint64_t) p->s.cfg.seed, (uint64_t) p->step * 2 + half + 1);
	left = (int64_t) rnn_rng_below(&r, p->pool.count);
	while (left >= p->pool.of[group][length].count)
	{
		left -= p->pool.of[group][length].count;
		if (++length == LENGTHS)
		{
			length = 0;
			group++;
		}
	}
	class = &p->pool.of[group][length];
	T = 1 << length;
	B = POSITIONS / T < MOST_WINDOWS ? POSITIONS / T : MOST_WINDOWS;
	most = rnn_tile_windows(&p->plans.shape[group], B);
	lay_out_net(p, &net, group, T, most, true);
	rnn_net_pack(&net, p->opt.w);
	memset(g, 0, sizeof(real) * p->opt.P);
	for (int from = 0; from < B; from += most)
		loss += tile(p, &net, class, T, B - from < most ? B - from : most, &r, g, &known);
	for (int64_t i = 0; i < p->opt.P; i++)
		g[i] *= (real) (0.5 / known);
	p->shared->loss[half] = loss;
	p->shared->known[half] = known;
}

/* Both processes are here. */
static void
meet(Pretrain *p, int me, int round)
{
	atomic_store(&p->shared->arrived[me], round);
	while (atomic_load(&p->shared->arrived[1 - me]) < round)
	{
		if (atomic_load(&p->shared->failed))
			exit(1);
		sched_yield();
	}
}

static void
update(Pretrain *p, int me)
{
	int64_t		P = p->opt.P;
	rnn_error	err;

	for (int half = 0; half < 2; half++)
		if (p->s.processes == 1 || half == me)
			half_batch(p, half, p->shared->g + half * P);
	if (p->s.processes == 2)
		meet(p, me, 2 * p->step + 1);
	for (int64_t i = 0; i < P; i++)
		p->opt.g[i] = p->shared->g[i] + p->shared->g[P + i];
	p->loss_sum += (p->shared->loss[0] / p->shared->known[0] + p->shared->loss[1] / p->shared->known[1]) / 2;
	p->loss_count++;
	if (optimizer_update(&p->opt, &p->s.cfg, 1, p->s.steps, true, 1, &err) != RNN_OK)
		die("step %d: %s", p->step, err.what);
	/* Nobody overwrites what the other still reads. */
	if (p->s.processes == 2)
		meet(p, me, 2 * p->step + 2);
	p->step++;
}

/* ------------------------------------------------------------- validation */

static double
capped_pinball(const real *q, double y)
{
	double		loss = 0;

	for (int k = 0; k < Q; k++)
		loss += rnn_pinball(k, y - q[k]);
	return RNN_LOSS_CAP * tanh(loss / Q / RNN_LOSS_CAP);
}

/* Mean over an item's horizon: pinball and absolute error of the median. */
static void
item_loss(const rnn_net *net, const Item *item, const real *target, const real *q, double loss[2])
{
	int			known = 0;

	(void) net;
	loss[0] = loss[1] = 0;
	for (int j = 0; j < item->horizon; j++)
	{
		if (isnan(target[j]))
			continue;
		known++;
		loss[0] += capped_pinball(q + j * Q, target[j]);
		loss[1] += fabs(target[j] - q[j * Q + RNN_MEDIAN]) * item->unit;
	}
	for (int i = 0; i < 2 && known > 0; i++)
		loss[i] /= known;
}

typedef void (*Told) (void *to, const Item *item, const double network[2], const double mix[2]);

/* Tells of every item of a pool how network and mix forecast its end. */
static void
forecast_pool(Pretrain *p, const Pool *pool, Told told, void *to)
{
	static real q[4 * S * Q];

	for (int group = 0; group < GROUPS; group++)
		for (int length = 0; length < LENGTHS; length++)
		{
			const Class *class = &pool->of[group][length];
			int			T = 1 << length,
						most = POSITIONS / T < MOST_WINDOWS ? POSITIONS / T : MOST_WINDOWS;

			for (int from = 0; from < class->count; from += most)
			{
				int			B = class->count - from < most ? class->count - from : most;
				rnn_net		net;

				lay_out_net(p, &net, group, T, B, false);
				for (int b = 0; b < B; b++)
				{
					const real *data;
					const Item *item = item_of(pool, class, from + b, &data);

					load_item(&p->plans, &net, T, B, b, item, data, false);
				}
				rnn_net_pack(&net, optimizer_weights(&p->opt));
				rnn_net_reset(&net, B);
				rnn_net_forward(&net, optimizer_weights(&p->opt), T, B, T - 1, NULL);
				for (int b = 0; b < B; b++)
				{
					const real *data;
					const Item *item = item_of(pool, class, from + b, &data);
					const real *last = data + (item->steps - 1) * p->plans.stride[group],
							   *target = last + p->plans.stride[group] - p->plans.shape[group].blocks * S;
					rnn_frame_plan plan = {.shape = &p->plans.shape[group]};
					double		loss[2],
								mix[2];

					rnn_net_quantiles(&net, (int64_t) (T - 1) * B + b, q);
					item_loss(&net, item, target, q, loss);
					rnn_frame_mix(&plan, last, 1, q);
					item_loss(&net, item, target, q, mix);
					told(to, item, loss, mix);
				}
			}
		}
}

typedef struct Sums
{
	double		network[RNN_FAMILIES + 1],
				mix[RNN_FAMILIES + 1];
	int			count[RNN_FAMILIES + 1];
	double		mase[MOST_SETS],
				mase_mix[MOST_SETS];
} Sums;

static void
add_held(void *to, const Item *item, const double network[2], const double mix[2])
{
	Sums	   *sums = to;

	for (int i = 0; i < 2; i++)
	{
		int			f = i ? RNN_FAMILIES : item->family;

		sums->network[f] += network[0];
		sums->mix[f] += mix[0];
		sums->count[f]++;
	}
}

static void
add_league(void *to, const Item *item, const double network[2], const double mix[2])
{
	Sums	   *sums = to;

	sums->mase[item->family] += network[1];
	sums->mase_mix[item->family] += mix[1];
}

static void
say(Pretrain *p, const char *format,...)
{
	FILE	   *to[2] = {stdout, p->log};

	for (int i = 0; i < 2; i++)
	{
		va_list		args;

		va_start(args, format);
		vfprintf(to[i], format, args);
		va_end(args);
		fflush(to[i]);
	}
}

/* Geometric mean of the ratios to seasonal naive, as the league counts them. */
static double
ratio(const Pretrain *p, const double *mase, int from, int to)
{
	double		sum = 0;

	for (int i = from; i < to; i++)
		sum += log(fmax(0.25, mase[i] / p->set[i].windows / p->set[i].naive));
	return exp(sum / (to - from));
}

#define PANELS 6				/* of the league, the first of its sets */

static void
validate(Pretrain *p, bool whole)
{
	Sums		sums = {0};
	int			n = p->n_sets;

	forecast_pool(p, &p->held, add_held, &sums);
	say(p, "step %d  loss %.5f  held out %.5f mix %.5f  seconds %.0f", p->step,
		p->loss_count ? p->loss_sum / p->loss_count : 0,
		sums.network[RNN_FAMILIES] / sums.count[RNN_FAMILIES], sums.mix[RNN_FAMILIES] / sums.count[RNN_FAMILIES],
		p->seconds);
	p->loss_sum = p->loss_count = 0;
	if (n > 0)
	{
		forecast_pool(p, &p->league, add_league, &sums);
		if (n > PANELS)
			say(p, "  league panels %.3f (%.3f) singles %.3f (%.3f) all %.4f (%.4f)",
				ratio(p, sums.mase, 0, PANELS), ratio(p, sums.mase_mix, 0, PANELS),
				ratio(p, sums.mase, PANELS, n), ratio(p, sums.mase_mix, PANELS, n),
				ratio(p, sums.mase, 0, n), ratio(p, sums.mase_mix, 0, n));
	}
	say(p, "\n");
	for (int i = 0; whole && i < n; i++)
		say(p, "    %-16s %.3f  mix %.3f  naive %.3f\n", p->set[i].name, sums.mase[i] / p->set[i].windows,
			sums.mase_mix[i] / p->set[i].windows, p->set[i].naive);
	for (int f = 0; whole && f < RNN_FAMILIES; f++)
		if (sums.count[f] > 0)
			say(p, "    %-22s %.4f  mix %.4f  %d series\n", rnn_family_name(f), sums.network[f] / sums.count[f],
				sums.mix[f] / sums.count[f], sums.count[f]);
}

/* ------------------------------------------------------------ checkpoints */

static void
checkpoint_path(const Pretrain *p, char *path, size_t size, const char *suffix)
{
	snprintf(path, size, "%s/checkpoint%s", p->s.dir, suffix);
}

static void
save(const Pretrain *p)
{
	CheckpointHead h = {.magic = CHECKPOINT_MAGIC,.params = p->opt.P,.step = p->step,.updates = p->opt.updates,
	.seconds = p->seconds,.cfg = p->s.cfg};
	const real *part[4] = {p->opt.w, p->opt.m, p->opt.v, p->opt.ema};
	char		path[4096],
				partial[4096];
	FILE	   *f;
	bool		ok;

	checkpoint_path(p, path, sizeof(path), "");
	checkpoint_path(p, partial, sizeof(partial), ".part");
	f = fopen(partial, "wb");
	ok = f && fwrite(&h, sizeof(h), 1, f) == 1;
	for (int i = 0; i < 4 && ok; i++)
		ok = fwrite(part[i], sizeof(real), p->opt.P, f) == (size_t) p->opt.P;
	if (!ok || fclose(f) != 0 || rename(partial, path) != 0)
		die("%s can't be written: %s", path, strerror(errno));
}

static bool
restore(Pretrain *p)
{
	CheckpointHead h;
	real	   *part[4] = {p->opt.w, p->opt.m, p->opt.v, p->opt.ema};
	char		path[4096];

	checkpoint_path(p, path, sizeof(path), "");
	if (!read_checkpoint(path, p->opt.P, &h, part))
		return false;
	p->step = (int) h.step;
	p->opt.updates = h.updates;
	p->seconds = h.seconds;
	return true;
}

/* ------------------------------------------------------------------- main */

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void
set_option(Settings *s, const char *name, const char *value)
{
	double		v = atof(value);

	if (!strcmp(name, "steps"))
		s->steps = (int) v;
	else if (!strcmp(name, "series"))
		s->series = (int) v;
	else if (!strcmp(name, "processes"))
		s->processes = v == 1 ? 1 : 2;
	else if (!strcmp(name, "league"))
		s->league = value;
	else if (!strcmp(name, "write"))
		s->write = value;
	else if (!strcmp(name, "version"))
		s->version = (int) v;
	else if (!strcmp(name, "share"))
		s->share = v;
	else if (!strcmp(name, "hidden"))
		s->cfg.hidden = (int) v;
	else if (!strcmp(name, "layers"))
		s->cfg.layers = (int) v;
	else if (!strcmp(name, "patch"))
		s->cfg.patch = (int) v;
	else if (!strcmp(name, "cell"))
		s->cfg.cell = !strcmp(value, "lstm") ? RNN_LSTM : !strcmp(value, "elman") ? RNN_ELMAN : RNN_GRU;
	else if (!strcmp(name, "rate"))
		s->cfg.learning_rate = v;
	else if (!strcmp(name, "dropout"))
		s->cfg.dropout = v;
	else if (!strcmp(name, "seed"))
		s->cfg.seed = (int64_t) v;
	else if (!strcmp(name, "split"))
		s->all = !strcmp(value, "all");
	else
		die("there is no option \"%s\"", name);
}

static void
read_settings(Settings *s, int argc, char **argv)
{
	rnn_config_defaults(&s->cfg);
	s->cfg.hidden = 128;
	s->cfg.patch = 16;
	s->cfg.context = LONGEST_WINDOW * 16;
	s->cfg.bptt = LONGEST_WINDOW;
	s->cfg.batch = MOST_WINDOWS;
	s->cfg.dropout = 0.05;
	s->cfg.learning_rate = 0.001;
	s->cfg.warmup = 200;
	s->cfg.decay = 0.5;
	s->cfg.ema = 0.999;
	s->cfg.seed = 1;
	s->steps = 30000;
	s->series = 200000;
	s->processes = 2;
	s->version = 1;
	s->share = 0.8;
	if (argc < 2)
		die("usage: pretrain DIR [option=value ...]");
	s->dir = argv[1];
	for (int i = 2; i < argc; i++)
	{
		char	   *equals = strchr(argv[i], '=');

		if (!equals)
			die("\"%s\" is not option=value", argv[i]);
		*equals = 0;
		set_option(s, argv[i], equals + 1);
	}
	s->cfg.steps = s->steps;
	s->cfg.context = LONGEST_WINDOW * s->cfg.patch;
}

static void
prepare(Pretrain *p)
{
	Settings   *s = &p->s;
	rnn_split	split = s->all ? RNN_SPLIT_ALL : RNN_SPLIT_TRAIN;
	const char *name = s->all ? "all" : "train";
	double		start = now();
	rnn_arena	a;
	rnn_rng		r;
	size_t		size;
	char		path[4096];

	snprintf(path, sizeof(path), "%s/log.txt", s->dir);
	p->log = fopen(path, "a");
	if (!p->log)
		die("%s can't be written: %s", path, strerror(errno));
	plans_init(&p->plans, &s->cfg);
	make_chunks(&p->plans, s->dir, name, (uint64_t) s->cfg.seed, split, s->series, s->processes);
	make_chunks(&p->plans, s->dir, "held", (uint64_t) s->cfg.seed + 1000003, RNN_SPLIT_HELD_OUT, CHECKED, s->processes);
	for (int c = 0; c * CHUNK < s->series; c++)
		pool_add(&p->pool, read_chunk(&p->plans, s->dir, name, c));
	for (int c = 0; c * CHUNK < CHECKED; c++)
		pool_add(&p->held, read_chunk(&p->plans, s->dir, "held", c));
	if (s->league)
	{
		Maker	   *m = grab(sizeof(*m));

		maker_init(m, &p->plans);
		p->n_sets = read_league(m, s->league, p->set);
		pool_add(&p->league, maker_chunk(m));
	}
	for (int pass = 0; pass < 2; pass++)
	{
		void	   *block = pass ? grab(size) : NULL;

		rnn_arena_init(&a, block, pass ? size : 0);
		optimizer_init(&p->opt, p->plans.shape[0].params, true, &a);
		size = a.used + 64;
	}
	size = sizeof(Shared) + 2 * sizeof(real) * p->opt.P;
	p->shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->shared == MAP_FAILED)
		die("no shared memory: %s", strerror(errno));
	rnn_rng_seed(&r, (uint64_t) s->cfg.seed, 0);
	rnn_params_init(&p->plans.shape[0], &s->cfg, &r, p->opt.w, grab(sizeof(double) * s->cfg.hidden));
	optimizer_start(&p->opt);
	say(p, "%s: %lld series, %lld weights, windows after %.0f s\n", restore(p) ? "going on" : "start",
		(long long) p->pool.count, (long long) p->opt.P, now() - start);
}

int
main(int argc, char **argv)
{
	static Pretrain p;
	double		start;
	pid_t		child = 0;
	int			me = 0,
				status = 0;

	read_settings(&p.s, argc, argv);
	rnn_engine_init(-1);
	prepare(&p);
	atomic_store(&p.shared->arrived[0], 2 * p.step);
	atomic_store(&p.shared->arrived[1], 2 * p.step);
	start = now() - p.seconds;
	if (p.step == 0)
		validate(&p, false);
	if (p.s.processes == 2)
	{
		child = fork();
		if (child < 0)
			die("no process: %s", strerror(errno));
		me = child == 0;
	}
	while (p.step < p.s.steps)
	{
		update(&p, me);
		p.seconds = now() - start;
		if (me == 0 && (p.step % EVERY == 0 || p.step == p.s.steps))
		{
			save(&p);
			validate(&p, p.step == p.s.steps);
		}
	}
	if (me == 1)
		_exit(0);
	if (child > 0 && (waitpid(child, &status, 0) < 0 || status != 0))
		die("the other process failed");
	if (p.s.write)
		write_prior(p.s.write, p.s.version, p.s.share, &p.s.cfg, p.opt.P, optimizer_weights(&p.opt));
	return 0;
}
