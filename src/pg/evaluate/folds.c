/*
 * folds.c
 *		Parts of a backtest done side by side, by the process that was asked and
 *		by parallel workers: each is a training and what its model forecasts, or
 *		a piece of what one model does.
 *
 * Workers get the rows as a history, the model, and the cutoffs of all parts.
 * They give the rows of the result, which the leader puts in order.
 */
#include "pg/evaluate/evaluate.h"
#include "pg/train/train.h"

#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#define ROW_BYTES 400			/* of the result, about */
#define HEAD_FILE "head"
#define HISTORY_FILE "history"
#define MODEL_FILE "model"
#define OPTIONS_FILE "options"
#define CUTS_FILE "cuts"
#define FIRST_FILE "first"
#define CORRECTION_FILE "correction"
#define CORRECTED 16			/* cutoffs of a piece of corrections */
#define WIDTH (1 + RNN_MEDIAN)	/* numbers of one: whether there is one, and it */

/* What workers are told beside all that is in files of its own. */
typedef struct Head
{
	Backtest	b;
	int			steps;
	int			n;				/* parts */
	bool		known;			/* cutoffs are counted on the steps of the model */
	bool		given;			/* there is a model, */
	bool		corrected;		/* and its intervals at all cutoffs */
	Oid			row;
	int32		row_mod;
} Head;

PGDLLEXPORT void rnnforecast_play_folds(dsm_segment *seg, shm_toc *toc);
PGDLLEXPORT void rnnforecast_correct_folds(dsm_segment *seg, shm_toc *toc);

static void
play_part(Folds *f, int i)
{
	const Cut  *cuts = f->cuts + f->first[i];
	int64		n = f->first[i + 1] - f->first[i];

	CHECK_FOR_INTERRUPTS();
	if (f->player)
		play(f->run, f->player, cuts, n);
	else
		play_trained(f->run, f->options, cuts, n);
}

/* ------------------------------------------------------------------ workers */

static Size
most_cuts(const Folds *f)
{
	int64		most = 0;

	for (int i = 0; i < f->n; i++)
		most = Max(most, f->first[i + 1] - f->first[i]);
	return most;
}

/* What a process takes: the rows as bytes and decoded, the model, a training or a piece, and the part's result. */
static Size
part_bytes(const Folds *f)
{
	Size		bytes = 2 * rnn_model_size(f->history) + most_cuts(f) * f->run->steps * ROW_BYTES;

	if (f->given)
		bytes += 2 * rnn_model_size(f->given) +
			forecast_work(f->given, Min(most_cuts(f), (Size) f->given->n_series), 1, f->run->steps);
	else
	{
		TrainingSize size;

		size_training(f->history, f->options, &size);
		bytes += size.memory;
	}
	return bytes;
}

static int
useful_workers(const Folds *f, int parts)
{
	Size		each,
				limit = memory_limit();
	int			most = Min(Min(rnnforecast_max_workers, max_parallel_workers), parts - 1);

	if (most < 1 || rnn_model_size(f->history) > RNN_MAX_MODEL || (f->given && rnn_model_size(f->given) > RNN_MAX_MODEL))
		return 0;
	each = part_bytes(f);
	if (temp_file_limit >= 0 && each / 1024 * parts >= (Size) temp_file_limit)
		return 0;
	return (int) Min(limit > each ? limit / each - 1 : 0, (Size) most);
}

/* ------------------------------------------------------------------ files */

static void
share_model(SharedFileSet *files, const char *name, const rnn_model *model)
{
	bytea	   *bytes = store_model(model);

	write_part(files, name, (rnn_part) {bytes, VARSIZE(bytes)});
	pfree(bytes);
}

/* What a player has of n cutoffs as numbers (n, WIDTH), and back. */
static float *
pack_corrections(const float **correction, int n)
{
	float	   *all = palloc_extended(sizeof(float) * WIDTH * (Size) n, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (int i = 0; i < n; i++)
		if (correction[i])
		{
			all[(Size) i * WIDTH] = 1;
			memcpy(all + (Size) i * WIDTH + 1, correction[i], sizeof(float) * RNN_MEDIAN);
		}
	return all;
}

static void
unpack_corrections(const float *all, const float **correction, int n)
{
	for (int i = 0; i < n; i++)
		correction[i] = all[(Size) i * WIDTH] != 0 ? all + (Size) i * WIDTH + 1 : NULL;
}

static void
share_corrections(SharedFileSet *files, const Folds *f)
{
	int			n = f->run->b->cutoffs;

	write_part(files, CORRECTION_FILE, (rnn_part) {pack_corrections(f->player->correction, n), sizeof(float) * WIDTH * (Size) n});
}

static const float **
read_corrections(SharedFileSet *files, int n)
{
	const float **correction = palloc0(sizeof(float *) * n);

	unpack_corrections(read_part(files, CORRECTION_FILE).bytes, correction, n);
	return correction;
}

static void
share_folds(void *arg, SharedFileSet *files)
{
	const Folds *f = arg;
	Head		head = {
		.b = *f->run->b,.steps = f->run->steps,.n = f->n,.known = f->known,.given = f->given != NULL,
		.corrected = f->player && f->player->correction,
		.row = f->run->rows.desc->tdtypeid,.row_mod = f->run->rows.desc->tdtypmod
	};

	write_part(files, HEAD_FILE, (rnn_part) {&head, sizeof(head)});
	write_part(files, CUTS_FILE, (rnn_part) {(void *) f->cuts, sizeof(Cut) * f->first[f->n]});
	write_part(files, FIRST_FILE, (rnn_part) {f->first, sizeof(int64) * (f->n + 1)});
	share_model(files, HISTORY_FILE, f->history);
	if (f->given)
	{
		share_model(files, MODEL_FILE, f->given);
		if (head.corrected)
			share_corrections(files, f);
	}
	else
		write_part(files, OPTIONS_FILE, (rnn_part) {f->options, VARSIZE(f->options)});
}

/* ------------------------------------------------------------------ parts */

static rnn_part
make_part(void *arg, int i)
{
	Folds	   *f = arg;

	play_part(f, i);
	return tuples_take(&f->run->rows);
}

/* Of the leader: where rows are put aside, and where they belong. */
typedef struct Leader
{
	Folds	   *f;
	Run			aside;
	Folds		own;
} Leader;

static void
share_of_leader(void *arg, SharedFileSet *files)
{
	share_folds(((Leader *) arg)->f, files);
}

static rnn_part
make_of_leader(void *arg, int i)
{
	return make_part(&((Leader *) arg)->own, i);
}

static void
take_of_leader(void *arg, int i, const rnn_part *rows)
{
	tuples_add(&((Leader *) arg)->f->run->rows, rows);
}

static bool
play_beside(Folds *f)
{
	Leader		leader = {.f = f,.aside = *f->run,.own = *f};
	Beside		work = {
		.n = f->n,.arg = &leader,.share = share_of_leader,.make = make_of_leader,.take = take_of_leader,
		.what = "parts of a backtest"
	};
	bool		done;

	leader.own.run = &leader.aside;
	tuples_aside(&leader.aside.rows, f->run->rows.desc);
	done = work_beside(&work, useful_workers(f, f->n), "rnnforecast_play_folds");
	tuplestore_end(leader.aside.rows.store);
	return done;
}

void
play_folds(Folds *f)
{
	if (f->n > 1 && play_beside(f))
		return;
	for (int i = 0; i < f->n; i++)
		play_part(f, i);
}

/* -------------------------------------------------------------- corrections */

static int
piece_cutoffs(const Folds *f, int i)
{
	return Min(CORRECTED, f->run->b->cutoffs - i * CORRECTED);
}

static rnn_part
make_corrections(void *arg, int i)
{
	Folds	   *f = arg;
	int			n = piece_cutoffs(f, i);
	const float *correction[CORRECTED];

	for (int k = 0; k < n; k++)
	{
		CHECK_FOR_INTERRUPTS();
		correction[k] = correction_at(f->run, f->player, f->cuts, f->first[f->n], i * CORRECTED + k);
	}
	return (rnn_part) {pack_corrections(correction, n), sizeof(float) * WIDTH * n};
}

static void
take_corrections(void *arg, int i, const rnn_part *result)
{
	Folds	   *f = arg;
	float	   *own = memcpy(palloc(result->len), result->bytes, result->len);

	unpack_corrections(own, f->correction + i * CORRECTED, piece_cutoffs(f, i));
}

void
correct_folds(Folds *f)
{
	int			cutoffs = f->run->b->cutoffs,
				pieces = (cutoffs + CORRECTED - 1) / CORRECTED;
	Beside		work = {
		.n = pieces,.arg = f,.share = share_folds,.make = make_corrections,.take = take_corrections,
		.what = "corrections of a backtest"
	};

	f->correction = palloc0(sizeof(float *) * cutoffs);
	if (work_beside(&work, useful_workers(f, pieces), "rnnforecast_correct_folds"))
		f->player->correction = f->correction;
	else
		player_correct(f->run, f->player, f->cuts, f->first[f->n]);
}

/* ----------------------------------------------------------------- a worker */

static void
read_model(SharedFileSet *files, const Head *head, Folds *f)
{
	Run		   *run = f->run;
	Player	   *player = palloc0(sizeof(Player));

	f->given = decode_model(read_part(files, MODEL_FILE).bytes);
	run->history = judged_history(f->history, head->known ? f->given : NULL, f->given->hierarchy.asked);
	player_init(run, player, f->given, head->known ? run->history->series : series_for_model(run->history, f->given));
	if (head->corrected)
		player->correction = read_corrections(files, head->b.cutoffs);
	f->player = player;
}

static Beside
begin_folds(SharedFileSet *files)
{
	Head	   *head = read_part(files, HEAD_FILE).bytes;
	Run		   *run = palloc0(sizeof(Run));
	Folds	   *f = palloc0(sizeof(Folds));

	run->b = &head->b;
	run->steps = head->steps;
	run->scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast piece", ALLOCSET_DEFAULT_SIZES);
	tuples_aside(&run->rows, lookup_rowtype_tupdesc_copy(head->row, head->row_mod));
	f->run = run;
	f->n = head->n;
	f->cuts = read_part(files, CUTS_FILE).bytes;
	f->first = read_part(files, FIRST_FILE).bytes;
	f->history = decode_model(read_part(files, HISTORY_FILE).bytes);
	if (head->given)
		read_model(files, head, f);
	else
	{
		f->options = read_part(files, OPTIONS_FILE).bytes;
		run->history = judged_history(f->history, NULL, hierarchy_asked(f->options));
	}
	return (Beside) {.n = f->n,.arg = f,.make = make_part};
}

void
rnnforecast_play_folds(dsm_segment *seg, shm_toc *toc)
{
	work_along(seg, toc, begin_folds);
}

static Beside
begin_corrections(SharedFileSet *files)
{
	Beside		work = begin_folds(files);

	work.make = make_corrections;
	return work;
}

void
rnnforecast_correct_folds(dsm_segment *seg, shm_toc *toc)
{
	work_along(seg, toc, begin_corrections);
}
