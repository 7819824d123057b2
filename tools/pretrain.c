/*
 * pretrain.c
 *		Trains the prior on synthetic series (tools/pretrain).
 *
 *		pretrain DIR [option=value ...]
 *
 * DIR keeps the windows, the log and a checkpoint after every `every` steps:
 * run again it goes on from there, to the same bytes as without a stop.
 *
 *		steps		updates (30000)
 *		seconds		ceiling of the whole run, 0 for none (0): as many updates as fit,
 *					chosen by the time that they take until the rate begins to
 *					fall; the log tells how many, and `steps` of that number gives
 *					the same bytes
 *		series		synthetic series (200000)
 *		fresh		updates after which as many other series take their place, 0 for
 *					never (0); `seconds` does not know of the time that they take
 *		processes	(2): the same bytes with any number
 *		pieces		of a batch, of 512 positions each (4)
 *		every		updates from one checkpoint to the next (1000)
 *		memory		1: windows are not kept in DIR (0)
 *		drop		share of windows that go without some of the references (0)
 *		league		directory that bench/league --export wrote; only looked at
 *		write		C file to write the averaged weights to at the end, as prior `version` (1)
 *		references	of the list, that the network sees (all)
 *		past		1: the network sees more of the past than its patches (0)
 *		hidden, layers, patch, cell, rate, warmup, decay, ema, dropout, seed, split (train or all)
 */
#include "pretrain_run.h"
#include "kernel/engine.h"
#include "kernel/kernel.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECKED 4096			/* series of held-out families in each validation */
#define LEAST_TIMED 20			/* updates that tell how long one takes */
#define RESERVE 0.03			/* of the time, for what follows the last update */

const char *const program_name = "pretrain";

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
		die("%s cannot be written: %s", path, strerror(errno));
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
	else if (!strcmp(name, "seconds"))
		s->seconds = v;
	else if (!strcmp(name, "processes"))
		s->processes = (int) v;
	else if (!strcmp(name, "pieces"))
		s->pieces = (int) v;
	else if (!strcmp(name, "every"))
		s->every = (int) v;
	else if (!strcmp(name, "fresh"))
		s->fresh = (int) v;
	else if (!strcmp(name, "memory"))
		s->memory = v != 0;
	else if (!strcmp(name, "drop"))
		s->drop = v;
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
	else if (!strcmp(name, "references"))
		s->cfg.references = (int) v;
	else if (!strcmp(name, "past"))
		s->cfg.past = v != 0;
	else if (!strcmp(name, "warmup"))
		s->cfg.warmup = (int) v;
	else if (!strcmp(name, "decay"))
		s->cfg.decay = v;
	else if (!strcmp(name, "ema"))
		s->cfg.ema = v;
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
	s->pieces = 4;
	s->every = 1000;
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
	if (s->fresh < 0 || (s->fresh > 0 && s->seconds > 0))
		die("fresh must not be negative, and goes without seconds");
	if (s->processes < 1 || s->processes > MOST_PROCESSES || s->pieces < 1 || s->pieces > MOST_PIECES || s->every < 1)
		die("processes must be 1 to %d, pieces 1 to %d, every at least 1", MOST_PROCESSES, MOST_PIECES);
	/* What it is compared with is the mix of its own references, in the same frame. */
	s->cfg.mixed = 0;
	s->cfg.steps = s->steps;
	s->cfg.context = LONGEST_WINDOW * s->cfg.patch;
}

/* `series` series, those that are due after so many times as many. */
static void
add_series(Pretrain *p, Pool *pool, rnn_split split, int series, int round)
{
	static const char *const names[] = {[RNN_SPLIT_TRAIN] = "train",[RNN_SPLIT_HELD_OUT] = "held",[RNN_SPLIT_ALL] = "all"};
	const Settings *s = &p->s;
	uint64_t	seed = (uint64_t) s->cfg.seed + (split == RNN_SPLIT_HELD_OUT ? 1000003 : 0);
	int			chunks = (series + CHUNK - 1) / CHUNK;
	Chunk	   *made = make_chunks(&p->plans, s->memory ? NULL : s->dir, names[split], seed, split,
								   round * chunks, series, s->processes);

	for (int c = 0; c < chunks; c++)
		pool_add(pool, made[c]);
	free(made);
}

static int
round_of(const Pretrain *p)
{
	return p->s.fresh > 0 ? p->step / p->s.fresh : 0;
}

/* The windows of the update that is due. */
static void
draw_windows(Pretrain *p)
{
	pool_clear(&p->pool);
	add_series(p, &p->pool, p->s.all ? RNN_SPLIT_ALL : RNN_SPLIT_TRAIN, p->s.series, round_of(p));
}

static void
prepare(Pretrain *p)
{
	Settings   *s = &p->s;
	double		start = now();
	bool		goes_on;
	rnn_rng		r;
	char		path[4096];

	snprintf(path, sizeof(path), "%s/log.txt", s->dir);
	p->log = fopen(path, "a");
	if (!p->log)
		die("%s cannot be written: %s", path, strerror(errno));
	plans_init(&p->plans, &s->cfg);
	add_series(p, &p->held, RNN_SPLIT_HELD_OUT, CHECKED, 0);
	if (s->league)
	{
		Maker	   *m = grab(sizeof(*m));

		maker_init(m, &p->plans);
		p->n_sets = read_league(m, s->league, p->set);
		pool_add(&p->league, maker_chunk(m));
	}
	p->opt.P = p->plans.shape[0].params;
	share(p);
	p->shared->steps = s->steps;
	rnn_rng_seed(&r, (uint64_t) s->cfg.seed, 0);
	rnn_params_init(&p->plans.shape[0], &s->cfg, &r, p->opt.w, grab(sizeof(double) * s->cfg.hidden));
	optimizer_start(&p->opt);
	goes_on = restore(p);
	draw_windows(p);
	say(p, "%s: %lld series, %lld weights, windows after %.0f s\n", goes_on ? "going on" : "start",
		(long long) p->pool.count, (long long) p->opt.P, now() - start);
}

/*
 * With a ceiling, how many updates fit.  Nothing before the rate begins to fall
 * depends on it, and then it stays.
 */
static void
plan_steps(Pretrain *p, int first, double since, double started)
{
	int			done = p->step - first;
	double		left = p->s.seconds * (1 - RESERVE) - (now() - started);

	if (p->s.seconds <= 0 || done < LEAST_TIMED)
		return;
	if (p->step < (1 - p->s.cfg.decay) * p->shared->steps)
		p->shared->steps = (int) fmin(p->s.steps, p->step + 1 + fmax(0, left * done / (now() - since)));
	/* Slower than it was: what is trained counts, though its rate has not come down. */
	else if (left <= 0 && p->step + 1 < p->shared->steps)
		p->shared->steps = p->step + 1;
}

/* Another process looks at the weights as they are now, after the one before it: the log keeps the order of the steps. */
static void
validate_aside(Pretrain *p)
{
	size_t		size = sizeof(real) * p->opt.P;
	real	   *copy = grab(size);
	int			status;

	if (p->validation > 0 && waitpid(p->validation, &status, 0) > 0 && status != 0)
		die("the validation failed");
	memcpy(copy, p->opt.ema, size);
	p->validation = fork();
	if (p->validation < 0)
		die("no process: %s", strerror(errno));
	if (p->validation == 0)
	{
		p->opt.ema = copy;
		validate(p, false);
		_exit(0);
	}
	p->loss_sum = p->loss_count = 0;
	free(copy);
}

/* As long as the windows last. */
static void
train(Pretrain *p, bool first, double started)
{
	double		since = now(),
				before = p->seconds;
	int			from = p->step,
				round = round_of(p);

	while (p->step < p->shared->steps && round_of(p) == round)
	{
		update(p);
		if (!first)
			continue;
		p->seconds = before + now() - since;
		plan_steps(p, from, since, started);
		if (p->step % p->s.every == 0 && p->step < p->shared->steps)
		{
			save(p);
			validate_aside(p);
		}
	}
}

static Shared *watched;

/* Whoever ends early takes the others along. */
static void
fail(void)
{
	if (watched)
		atomic_store(&watched->failed, 1);
}

static void
train_together(Pretrain *p, double started)
{
	pid_t		child = 1;

	watched = p->shared;
	for (int i = 1; i < p->s.processes && child > 0; i++)
		child = fork();
	if (child < 0)
		die("no process: %s", strerror(errno));
	train(p, child > 0, started);
	if (child == 0)
		_exit(0);
	watched = NULL;
	for (int status; wait(&status) > 0;)
		if (status != 0)
			die("another process failed");
	p->validation = 0;
}

int
main(int argc, char **argv)
{
	static Pretrain p;
	double		started = now();

	read_settings(&p.s, argc, argv);
	rnn_engine_init(-1);
	prepare(&p);
	if (p.step == 0)
		validate_aside(&p);
	atexit(fail);
	for (bool first = true; first || p.step < p.shared->steps; first = false)
	{
		if (!first)
			draw_windows(&p);
		train_together(&p, started);
	}
	save(&p);
	say(&p, "steps=%d\n", p.step);
	validate(&p, true);
	if (p.s.write)
		write_prior(p.s.write, p.s.version, p.s.share, &p.s.cfg, p.opt.P, optimizer_weights(&p.opt));
	return 0;
}
