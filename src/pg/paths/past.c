/*
 * past.c
 *		The errors of a model's forecasts in its own history: the engine says which
 *		(engine/paths/past.c), they are forecast in pieces.
 */
#include "pg/paths/paths.h"
#include "pg/train/train.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#define PIECE_BYTES (16 * 1024 * 1024)	/* of quantiles */

/* Windows that are forecast at once. */
typedef struct Piece
{
	int			most,			/* windows */
				n;
	rnn_origin *origins;		/* (most) of the model's series */
	int		   *windows;		/* (most) */
	int		   *places;			/* (most) */
} Piece;

static Piece
new_piece(const rnn_past_plan *plan)
{
	Size		each = sizeof(double) * RNN_QUANTILES * Max(plan->steps, 1);
	Piece		piece = {.most = (int) Max(Min(PIECE_BYTES, memory_limit() / 8) / each, 1) + plan->windows};

	piece.origins = palloc(sizeof(rnn_origin) * piece.most);
	piece.windows = palloc(sizeof(int) * piece.most);
	piece.places = palloc(sizeof(int) * piece.most);
	return piece;
}

/* Where memory is short, in halves; with no room for one window there is an error. */
static void
score_windows(const rnn_model *m, rnn_past *past, const Piece *piece, int from, int n)
{
	rnn_origin *origins = palloc(sizeof(rnn_origin) * n);
	int			steps = past->plan.steps,
				count;
	rnn_series *series;
	double	   *q;

	memcpy(origins, piece->origins + from, sizeof(rnn_origin) * n);
	series = series_of_origins(m, origins, n, &count);
	if (m->config.terms)
		calendar_fill(&m->clock, series, count, steps);
	q = forecast_origins(m, series, count, origins, n, steps);
	if (q == NULL && n == 1)
		paths_too_large();
	if (q == NULL)
	{
		score_windows(m, past, piece, from, n / 2);
		score_windows(m, past, piece, from + n / 2, n - n / 2);
		return;
	}
	for (int k = 0; k < n; k++)
	{
		const rnn_origin *o = &piece->origins[from + k];

		rnn_past_score(past, &m->series[o->series], o->e, piece->places[from + k], piece->windows[from + k],
					   q + (Size) k * steps * RNN_QUANTILES);
	}
}

static void
score_piece(const rnn_model *m, rnn_past *past, Piece *piece)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast windows", ALLOCSET_DEFAULT_SIZES),
				outer = MemoryContextSwitchTo(scratch);

	if (piece->n > 0)
		score_windows(m, past, piece, 0, piece->n);
	piece->n = 0;
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(scratch);
}

void
measure_past(const rnn_model *m, int horizon, PastErrors *errors)
{
	rnn_past_plan plan = rnn_past_plan_for(m, m->series, m->n_series, horizon);
	rnn_past   *past = &errors->past;
	Piece		piece = new_piece(&plan);

	rnn_past_begin(past, &plan, paths_memory(rnn_past_size(&plan)));
	errors->place = palloc_extended(sizeof(int) * Max(m->n_series, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < m->n_series; i++)
		errors->place[i] = -1;
	for (int k = 0; k < plan.series; k++)
	{
		int			n = rnn_past_origins(&plan, m, m->series, m->n_series, k, piece.origins + piece.n, piece.windows + piece.n);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
			piece.places[piece.n + i] = k;
		errors->place[rnn_past_series(&plan, m->n_series, k)] = k;
		piece.n += n;
		if (piece.n + plan.windows > piece.most)
			score_piece(m, past, &piece);
	}
	score_piece(m, past, &piece);
	rnn_past_finish(past);
}
