/*
 * pretrain_data.c
 *		Windows to pretrain on, computed once: the references take longer than
 *		the network does.
 */
#define _GNU_SOURCE
#include "pretrain.h"
#include "base/half.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define S RNN_BLOCK

void
die(const char *format,...)
{
	va_list		args;

	va_start(args, format);
	fprintf(stderr, "%s: ", program_name);
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(1);
}

void *
grab(size_t size)
{
	void	   *p = calloc(1, size ? size : 1);

	if (!p)
		die("no memory for %zu bytes", size);
	return p;
}

/* ------------------------------------------------------------------ items */

void
plans_init(Plans *p, const rnn_config *cfg)
{
	static const int blocks[GROUPS] = {1, 2, 4, FAR_BLOCKS};

	p->cfg = *cfg;
	for (int g = 0; g < GROUPS; g++)
	{
		p->cfg.horizon = blocks[g] * S;
		rnn_shape_init(&p->shape[g], &p->cfg);
		p->stride[g] = p->shape[g].D + p->shape[g].A + (int64_t) (p->shape[g].R + 2) * blocks[g] * S;
	}
}

void
maker_init(Maker *m, const Plans *plans)
{
	memset(m, 0, sizeof(*m));
	m->plans = plans;
	rnn_rng_seed(&m->rng, 0, 0);
}

static int
group_of(int horizon)
{
	return horizon <= S ? 0 : horizon <= 2 * S ? 1 : horizon <= NEAR_HORIZON ? 2 : FAR;
}

static void
more_room(Maker *m, int64_t numbers, size_t scratch)
{
	if (m->count == m->room)
	{
		m->room = m->room ? 2 * m->room : 1024;
		m->items = realloc(m->items, sizeof(Item) * m->room);
	}
	while (m->used + numbers > m->size)
	{
		m->size = m->size ? 2 * m->size : 1 << 20;
		m->data = realloc(m->data, sizeof(*m->data) * m->size);
	}
	if (scratch > m->scratch_size)
	{
		free(m->scratch);
		m->scratch = malloc(scratch);
		m->scratch_size = scratch;
	}
	if (!m->items || !m->data || (scratch && !m->scratch))
		die("no memory for the windows");
}

#define HALF_NAN 0x7fff			/* no number that pack makes */

/* As half_store, for many: to nearest, what is too large becomes the largest. */
static void
pack(const real *x, int64_t n, uint16_t *half)
{
	for (int64_t i = 0; i < n; i++)
	{
		float		held = x[i] > (real) HALF_LARGEST ? (float) HALF_LARGEST : x[i] < (real) -HALF_LARGEST ? (float) -HALF_LARGEST : x[i],
					small = held * 0x1p-112f;
		uint32_t	bits;

		memcpy(&bits, &small, sizeof(bits));
		half[i] = (uint16_t) (((bits & 0x7fffffff) + 0xfff + (bits >> 13 & 1)) >> 13 | (bits >> 16 & 0x8000));
		if (isnan(x[i]))
			half[i] = HALF_NAN;
	}
}

void
unpack(const uint16_t *half, int64_t n, real *out)
{
	for (int64_t i = 0; i < n; i++)
	{
		real		x = half_load((const uint8_t *) &half[i]);

		out[i] = half[i] == HALF_NAN ? (real) NAN : x;
	}
}

static void
set_target(real *target, int Hz, const double *x, int64_t e, int64_t known, int horizon, double unit,
		   const rnn_scale *scale)
{
	for (int j = 0; j < Hz; j++)
	{
		double		y = j < horizon && e + j < known ? x[e + j] / unit : NAN;

		target[j] = isnan(y) ? (real) NAN : (real) fmin(fmax((y - scale->a) / scale->s, -1e6), 1e6);
	}
}

/* One block out of each part of the horizon. */
static void
draw_blocks(rnn_rng *r, int blocks, uint8_t *out)
{
	for (int k = 0; k < FAR_BLOCKS; k++)
	{
		int			from = k * blocks / FAR_BLOCKS,
					to = (k + 1) * blocks / FAR_BLOCKS;

		out[k] = (uint8_t) (from + (int) rnn_rng_below(r, to - from));
	}
}

/* Of a frame and the target behind it the blocks that were drawn. */
static void
keep_blocks(const rnn_shape *s, const real *frame, const uint8_t *block, real *out)
{
	int64_t		Hz = (int64_t) s->blocks * S,
				facts = s->D + s->A;

	memcpy(out, frame, sizeof(real) * facts);
	out += facts;
	/* References, spread and target are rows of the horizon alike. */
	for (int row = 0; row < s->R + 2; row++)
		for (int k = 0; k < FAR_BLOCKS; k++, out += S)
			memcpy(out, frame + facts + row * Hz + block[k] * S, sizeof(real) * S);
}

void
make_item(Maker *m, const double *x, int64_t n, int horizon, int n_seasons, const int *seasons,
		  int family, double unit)
{
	static const int none[1] = {1};
	int			group = group_of(horizon),
				P = m->plans->cfg.patch,
				steps = (int) ((n + P - 1) / P);
	rnn_shape	shape = m->plans->shape[group];
	rnn_config	cfg = m->plans->cfg;
	rnn_series	series = {.n = n,.x = x};
	rnn_frame_plan plan;
	rnn_points	points;
	rnn_arena	arena;
	rnn_scale	scale = {0};
	double	   *work;
	real	   *whole,
			   *kept;
	size_t		scratch;
	Item	   *item;

	if (n_seasons == 0)
	{
		n_seasons = 1;
		seasons = none;
	}
	cfg.seasons_given = n_seasons;
	memcpy(cfg.seasons, seasons, sizeof(int) * n_seasons);
	shape.horizon = horizon;
	if (group == FAR)
		shape.blocks = (horizon + S - 1) / S;
	rnn_frame_plan_init(&plan, &shape, &cfg);
	steps = steps < LONGEST_WINDOW ? steps : LONGEST_WINDOW;
	scratch = sizeof(double) * (rnn_frame_work(&plan, n) + 2 * n) + sizeof(real) * (plan.width + horizon + S + m->plans->stride[group]) + 4096;
	more_room(m, steps * m->plans->stride[group], scratch);

	rnn_arena_init(&arena, m->scratch, m->scratch_size);
	rnn_points_init(&points, &series, &arena);
	work = arena_new(&arena, double, rnn_frame_work(&plan, n));
	whole = arena_new(&arena, real, plan.width + shape.blocks * S);
	kept = arena_new(&arena, real, m->plans->stride[group]);
	if (arena.failed)
		die("the scratch of a window is too small");
	rnn_frame_begin(&plan, n, work);
	item = &m->items[m->count++];
	*item = (Item) {
		.at = m->used,.steps = steps,.group = group,.horizon = horizon,.family = family,
			.length = (int) n,.season = seasons[n_seasons - 1],.block = {0, 1, 2, 3}
	};
	if (group == FAR)
		draw_blocks(&m->rng, shape.blocks, item->block);
	for (int k = steps - 1; k >= 0; k--)
	{
		int64_t		e = n - (int64_t) k * P;
		rnn_frame_compute(&plan, &points, e, whole, &scale, work);
		set_target(whole + plan.width, shape.blocks * S, x, e, n + horizon, horizon, points.unit, &scale);
		if (group == FAR)
			keep_blocks(&shape, whole, item->block, kept);
		pack(group == FAR ? kept : whole, m->plans->stride[group], m->data + m->used);
		m->used += m->plans->stride[group];
	}
	item->unit = unit * scale.s * points.unit;
}

Chunk
maker_chunk(const Maker *m)
{
	return (Chunk) {.count = m->count,.items = m->items,.data = m->data};
}

/* ----------------------------------------------------------------- chunks */

typedef struct ChunkHead
{
	char		magic[8];
	int64_t		params;			/* of the widest plan: guards against another patch or layout */
	int64_t		stride[GROUPS];
	int64_t		count;
	int64_t		numbers;
} ChunkHead;

static ChunkHead
chunk_head(const Plans *p)
{
	ChunkHead	h = {.magic = "RNNWIN2"};

	h.params = (int64_t) p->cfg.patch << 32 | p->cfg.context;
	memcpy(h.stride, p->stride, sizeof(h.stride));
	return h;
}

int
draw_horizon(rnn_rng *r, int n)
{
	static const int usual[] = {6, 7, 8, 12, 12, 13, 14, 18, 18, 24, 24, 28, 30, 36, 48, 48, 48, 60, 64},
				usual_far[] = {96, 120, 144, 168, 192, 240, 288, 336, 336, 480, 480, 720, 720};
	bool		far = n >= FAR_POINTS && rnn_rng_uniform(r) < 0.5;
	int			longest = far ? RNN_SYNTH_HORIZON : NEAR_HORIZON,
				most = n / 2 < longest ? n / 2 : longest,
				h;

	if (far)
		h = rnn_rng_below(r, 2) ? usual_far[rnn_rng_below(r, sizeof(usual_far) / sizeof(usual_far[0]))] :
			(int) (NEAR_HORIZON * exp(rnn_rng_uniform(r) * log((double) RNN_SYNTH_HORIZON / NEAR_HORIZON)));
	else
		h = rnn_rng_below(r, 2) ? usual[rnn_rng_below(r, sizeof(usual) / sizeof(usual[0]))] :
			(int) exp(rnn_rng_uniform(r) * log(NEAR_HORIZON + 1));
	most = most < 2 ? 2 : most;
	return h < 1 ? 1 : h > most ? most : h;
}

/* The file of a chunk: in the directory, or without one in memory, by its descriptor. */
typedef struct Place
{
	char		path[4096];
	int			fd;				/* -1: in the directory */
} Place;

static Place
place_of(const char *dir, const char *name, int number)
{
	Place		place = {.fd = -1};

	if (dir)
		snprintf(place.path, sizeof(place.path), "%s/%s-%05d.win", dir, name, number);
	else
	{
		place.fd = memfd_create(name, 0);
		if (place.fd < 0)
			die("no memory for windows: %s", strerror(errno));
		snprintf(place.path, sizeof(place.path), "/proc/self/fd/%d", place.fd);
	}
	return place;
}

static void
write_chunk(const Plans *plans, const Maker *m, const Place *place)
{
	ChunkHead	head = chunk_head(plans);
	char		partial[4200];
	FILE	   *f;
	bool		kept = place->fd < 0;

	head.count = m->count;
	head.numbers = m->used;
	snprintf(partial, sizeof(partial), "%s%s", place->path, kept ? ".part" : "");
	f = fopen(partial, "wb");
	if (!f || fwrite(&head, sizeof(head), 1, f) != 1 ||
		fwrite(m->items, sizeof(Item), m->count, f) != (size_t) m->count ||
		fwrite(m->data, sizeof(*m->data), m->used, f) != (size_t) m->used ||
		fclose(f) != 0 || (kept && rename(partial, place->path) != 0))
		die("%s cannot be written: %s", partial, strerror(errno));
}

static void
make_chunk(const Plans *plans, const Place *place, uint64_t seed, rnn_split split, int number, int count)
{
	rnn_synth  *s = grab(sizeof(*s));
	rnn_synth_work *work = grab(sizeof(*work));
	Maker		m;

	maker_init(&m, plans);
	for (int i = 0; i < count; i++)
	{
		uint64_t	id = (uint64_t) number * CHUNK + i;
		rnn_rng		r;

		rnn_synth_make(seed, id, split, RNN_SYNTH_HORIZON, work, s);
		rnn_rng_seed(&r, seed ^ 0x9e3779b97f4a7c15u, id);
		rnn_rng_seed(&m.rng, seed ^ 0xc2b2ae3d27d4eb4fu, id);
		make_item(&m, s->x, s->n, draw_horizon(&r, s->n), s->n_given, s->given, s->family, 1);
	}
	write_chunk(plans, &m, place);
	free(m.items), free(m.data), free(m.scratch), free(s), free(work);
}

static Chunk
read_chunk(const Plans *plans, const Place *place)
{
	ChunkHead	want = chunk_head(plans);
	const ChunkHead *head;
	struct stat st;
	const char *bytes;
	int			fd = place->fd < 0 ? open(place->path, O_RDONLY) : place->fd;

	if (fd < 0 || fstat(fd, &st) != 0)
		die("%s cannot be read: %s", place->path, strerror(errno));
	bytes = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED)
		die("%s cannot be mapped: %s", place->path, strerror(errno));
	head = (const ChunkHead *) bytes;
	if ((size_t) st.st_size < sizeof(*head) || memcmp(head, &want, offsetof(ChunkHead, count)) != 0 ||
		(size_t) st.st_size != sizeof(*head) + head->count * sizeof(Item) + head->numbers * sizeof(uint16_t))
		die("%s is of another version: remove it", place->path);
	return (Chunk) {
		(int) head->count, (const Item *) (bytes + sizeof(*head)),
		(const uint16_t *) (bytes + sizeof(*head) + head->count * sizeof(Item)), (void *) bytes, st.st_size
	};
}

void
chunk_drop(Chunk *chunk)
{
	munmap(chunk->mapped, chunk->size);
}

Chunk *
make_chunks(const Plans *plans, const char *dir, const char *name, uint64_t seed, rnn_split split,
			int first, int count, int processes)
{
	int			chunks = (count + CHUNK - 1) / CHUNK;
	Place	   *place = grab(sizeof(Place) * chunks);
	Chunk	   *made = grab(sizeof(Chunk) * chunks);
	_Atomic int *next = mmap(NULL, sizeof(*next), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (next == MAP_FAILED)
		die("no shared memory: %s", strerror(errno));
	for (int c = 0; c < chunks; c++)
		place[c] = place_of(dir, name, first + c);
	for (int p = 0; p < processes; p++)
	{
		pid_t		pid = fork();

		if (pid < 0)
			die("no process: %s", strerror(errno));
		if (pid > 0)
			continue;
		for (int c; (c = atomic_fetch_add(next, 1)) < chunks;)
			if (place[c].fd >= 0 || access(place[c].path, R_OK) != 0)
				make_chunk(plans, &place[c], seed, split, first + c, (int) rnn_min(count - c * CHUNK, CHUNK));
		_exit(0);
	}
	for (int p = 0; p < processes; p++)
	{
		int			status;

		if (wait(&status) < 0 || status != 0)
			die("a process that made windows failed");
	}
	for (int c = 0; c < chunks; c++)
		made[c] = read_chunk(plans, &place[c]);
	munmap(next, sizeof(*next));
	free(place);
	return made;
}

/* ---------------------------------------------------------------- weights */

bool
read_checkpoint(const char *path, int64_t params, CheckpointHead *h, real *const part[4])
{
	FILE	   *f = fopen(path, "rb");
	bool		ok;

	if (!f)
		return false;
	ok = fread(h, sizeof(*h), 1, f) == 1 && memcmp(h->magic, CHECKPOINT_MAGIC, sizeof(h->magic)) == 0 && h->params == params;
	for (int i = 0; i < 4 && ok; i++)
		ok = fread(part[i], sizeof(real), params, f) == (size_t) params;
	if (!ok)
		die("%s is of another network: remove it", path);
	fclose(f);
	return true;
}

/* A literal: lists of numbers take compilers hundreds of megabytes. */
void
write_prior(const char *path, int version, double share, const rnn_config *cfg, int64_t params, const real *w)
{
	FILE	   *f = fopen(path, "w");
	int			column = 0;

	if (!f)
		die("%s cannot be written: %s", path, strerror(errno));
	fprintf(f, "/* Written by tools/pretrain; see docs/developers/prior.md. */\n#include \"model/versions.h\"\n\n"
			"const rnn_prior_data rnn_prior_%d = {\n"
			"\t.version = %d,.cell = %d,.layers = %d,.hidden = %d,\n\t.patch = %d,.context = %d,.horizon = %d,.references = %d,.past = %d,.least = %d,\n\t.share = %g,\n"
			"\t.widen = {24.5, 12, 7, 4.5, 3, 3, 3},\n"
			"\t.params = %lld,\n\t.weights =\n", version, version, cfg->cell, cfg->layers, cfg->hidden,
			cfg->patch, cfg->context, TRAINED_HORIZON, cfg->references, cfg->past, cfg->past ? cfg->context : 0, share, (long long) params);
	for (int64_t i = 0; i < params; i++)
	{
		uint8_t		half[2];

		if (!(fabs(w[i]) <= HALF_LARGEST))
			die("a weight of %g is too large", w[i]);
		half_store(half, w[i]);
		for (int k = 0; k < 2; k++)
		{
			unsigned int byte = half[k];

			if (column == 0)
				column = fprintf(f, "\t\"") + 3;
			/* Always three digits, since one could follow; no ?? of a trigraph. */
			column += byte >= ' ' && byte < 127 && byte != '"' && byte != '\\' && byte != '?' ?
				fprintf(f, "%c", byte) : fprintf(f, "\\%03o", byte);
			if (column > 112)
				column = fprintf(f, "\"\n") * 0;
		}
	}
	fprintf(f, "%s};\n", column ? "\"\n" : "");
	if (fclose(f) != 0)
		die("%s cannot be written: %s", path, strerror(errno));
}

/* ------------------------------------------------------------ real series */

static void
expect(bool ok, const char *path)
{
	if (!ok)
		die("%s is no set of the league", path);
}

/* Windows of one set: the mean of |y(t) - y(t - season)| is the measure's unit. */
static void
read_set(Maker *m, const char *path, int number, Set *set)
{
	FILE	   *f = fopen(path, "r");
	int			h,
				season,
				n_seasons,
				seasons[RNN_MAX_SEASONS],
				series,
				windows;
	double	  **x;
	int		   *n;

	if (!f)
		die("%s cannot be read: %s", path, strerror(errno));
	expect(fscanf(f, "%d %d %d", &h, &season, &n_seasons) == 3 && n_seasons <= RNN_MAX_SEASONS, path);
	for (int i = 0; i < n_seasons; i++)
		expect(fscanf(f, "%d", &seasons[i]) == 1, path);
	expect(fscanf(f, "%d %d", &series, &windows) == 2 && series > 0, path);
	x = grab(sizeof(*x) * series);
	n = grab(sizeof(*n) * series);
	for (int i = 0; i < series; i++)
	{
		expect(fscanf(f, "%d", &n[i]) == 1, path);
		x[i] = grab(sizeof(double) * n[i]);
		for (int j = 0; j < n[i]; j++)
			expect(fscanf(f, "%lf", &x[i][j]) == 1, path);
	}
	for (int w = 0; w < windows; w++)
	{
		int			s,
					e,
					steps,
					from;
		double		sum = 0,
					naive = 0;

		expect(fscanf(f, "%d %d %d", &s, &e, &steps) == 3 && s < series && e > season && e + steps <= n[s], path);
		from = e > 2016 ? e - 2016 : 0;
		for (int i = from + season; i < e; i++)
			sum += fabs(x[s][i] - x[s][i - season]);
		sum /= e - from - season;
		if (!(sum > 0))
			continue;
		for (int j = 0; j < steps; j++)
			naive += fabs(x[s][e + j] - x[s][e - season + j % season]) / steps / sum;
		make_item(m, x[s], e, steps, n_seasons, seasons, number, 1 / sum);
		set->naive += naive;
		set->windows++;
	}
	set->naive /= set->windows;
	for (int i = 0; i < series; i++)
		free(x[i]);
	free(x), free(n), fclose(f);
}

/* Sets in the file "sets" of the directory, a name a line, panels before the rest. */
int
read_league(Maker *m, const char *dir, Set sets[MOST_SETS])
{
	char		path[4096];
	FILE	   *f;
	int			count = 0;

	snprintf(path, sizeof(path), "%s/sets", dir);
	f = fopen(path, "r");
	if (!f)
		die("%s cannot be read: %s", path, strerror(errno));
	while (count < MOST_SETS && fscanf(f, "%63s", sets[count].name) == 1)
	{
		sets[count].windows = 0;
		sets[count].naive = 0;
		snprintf(path, sizeof(path), "%s/%s.txt", dir, sets[count].name);
		read_set(m, path, count, &sets[count]);
		count++;
	}
	fclose(f);
	return count;
}
