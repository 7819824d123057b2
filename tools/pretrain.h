/*
 * pretrain.h
 *		What the files of the pretraining share: pretrain_data.c makes windows
 *		of synthetic and of real series, pretrain.c trains on them.
 */
#ifndef PRETRAIN_H
#define PRETRAIN_H

#include "view/frame.h"
#include "generate.h"

#define GROUPS 4				/* of horizons: 1, 2 and 4 blocks, and */
#define FAR 3					/* those of which FAR_BLOCKS blocks are drawn */
#define FAR_BLOCKS 4
#define NEAR_HORIZON 64
#define FAR_POINTS 256			/* histories that are forecast farther */
#define TRAINED_HORIZON 768		/* that the prior says it is for: as far as blocks go */
#define LONGEST_WINDOW 32		/* steps: 512 points in patches of 16 */
#define CHUNK 1024				/* series in a file */

/* All positions of one series, oldest first; the last is the one to forecast at. */
typedef struct Item
{
	int64_t		at;				/* of the first position, in numbers from the start of the data */
	int32_t		steps;			/* positions */
	int32_t		group;
	int32_t		horizon;
	int32_t		family;			/* or the number of a real set */
	int32_t		length;			/* points of history */
	int32_t		season;			/* the longest handed over */
	uint8_t		block[FAR_BLOCKS];	/* numbers of the blocks that are kept */
	double		unit;			/* an error of 1 in the scale of the last position, in the set's measure */
} Item;

/* Positions of many series: frame (width), target (Hz), next position; half floats, see unpack. */
typedef struct Chunk
{
	int			count;
	const Item *items;
	const uint16_t *data;
	void	   *mapped;			/* where both lie, NULL: in memory of the maker's */
	size_t		size;
} Chunk;

typedef struct Plans
{
	rnn_config	cfg;
	rnn_shape	shape[GROUPS];	/* they share the parameters */
	int64_t		stride[GROUPS];	/* numbers of a position: frame and target */
} Plans;

/* Items that are being made, one after the other. */
typedef struct Maker
{
	const Plans *plans;
	rnn_rng		rng;			/* draws blocks */
	int			count,
				room;
	Item	   *items;
	int64_t		used,
				size;
	uint16_t   *data;
	void	   *scratch;
	size_t		scratch_size;
} Maker;

extern const char *const program_name;	/* before what die says */
void		die(const char *format,...);
void	   *grab(size_t size);

void		plans_init(Plans *p, const rnn_config *cfg);
void		maker_init(Maker *m, const Plans *plans);
/* x (n + horizon): a history and what followed it, NaN where missing. */
void		make_item(Maker *m, const double *x, int64_t n, int horizon, int n_seasons, const int *seasons,
					  int family, double unit);
Chunk		maker_chunk(const Maker *m);
/* Numbers of a chunk; those beyond 65,504 were cut to it, and NaN is kept. */
void		unpack(const uint16_t *half, int64_t n, real *out);

/* Horizons that people ask for, and any other; not more than half of the history, n points. */
int			draw_horizon(rnn_rng *r, int n);
/*
 * The chunks of `count` synthetic series from chunk `first` on, made by forked
 * processes where they are not in the directory yet; dir NULL: kept in memory.
 */
Chunk	   *make_chunks(const Plans *plans, const char *dir, const char *name, uint64_t seed, rnn_split split,
						int first, int count, int processes);
void		chunk_drop(Chunk *chunk);

/* What a checkpoint begins with; then weights, both moments, averaged weights: (4, params). */
typedef struct CheckpointHead
{
	char		magic[8];
	int64_t		params;
	int64_t		step;
	int64_t		updates;
	double		seconds;
	rnn_config	cfg;
} CheckpointHead;

#define CHECKPOINT_MAGIC "RNNPRE1"
/* False where there is no such file. */
bool		read_checkpoint(const char *path, int64_t params, CheckpointHead *h, real *const part[4]);

/* The C file of src/prior that embeds weights w (params,). */
void		write_prior(const char *path, int version, double share, const rnn_config *cfg, int64_t params, const real *w);

/* A real set as bench/league --export writes it. */
typedef struct Set
{
	char		name[64];
	int			windows;
	double		naive;			/* mean MASE of seasonal naive */
} Set;

#define MOST_SETS 64
int			read_league(Maker *m, const char *dir, Set sets[MOST_SETS]);

#endif							/* PRETRAIN_H */
