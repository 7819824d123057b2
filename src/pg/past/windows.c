/*
 * windows.c
 *		Forecasts of windows in a model's own history: the engine says which
 *		(engine/paths/past.c), they are forecast in pieces.
 */
#include "pg/past/past.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#define PIECE_BYTES (16 * 1024 * 1024)	/* of quantiles */

/* Windows that are forecast at once. */
typedef struct Piece
{
	const rnn_model *model;
	const rnn_past_plan *plan;
	WindowTaker take;
	void	   *taker;
	int			most,			/* windows */
				n;
	rnn_origin *origins;		/* (most) of the model's series */
	int		   *windows;		/* (most) */
	int		   *places;			/* (most) */
} Piece;

static void
make_room(Piece *piece)
{
	Size		each = sizeof(double) * RNN_QUANTILES * Max(piece->plan->steps, 1);

	piece->most = (int) Max(Min(PIECE_BYTES, memory_limit() / 8) / each, 1) + piece->plan->windows;
	piece->origins = palloc(sizeof(rnn_origin) * piece->most);
	piece->windows = palloc(sizeof(int) * piece->most);
	piece->places = palloc(sizeof(int) * piece->most);
}

/* Where memory is short, in halves; with no room for one window there is an error. */
static void
forecast_windows(const Piece *piece, int from, int n)
{
	rnn_origin *origins = palloc(sizeof(rnn_origin) * n);
	const rnn_model *m = piece->model;
	int			steps = piece->plan->steps,
				count;
	rnn_series *series;
	double	   *q;

	memcpy(origins, piece->origins + from, sizeof(rnn_origin) * n);
	series = series_of_origins(m, origins, n, &count);
	calendar_fill(&m->config, &m->clock, series, count, steps);
	q = forecast_origins(m, series, count, origins, n, steps, 1);
	if (q == NULL && n == 1)
		report_memory("forecasting windows of the past", sizeof(double) * RNN_QUANTILES * (Size) steps);
	if (q == NULL)
	{
		forecast_windows(piece, from, n / 2);
		forecast_windows(piece, from + n / 2, n - n / 2);
		return;
	}
	for (int k = 0; k < n; k++)
	{
		const rnn_origin *o = &piece->origins[from + k];

		piece->take(piece->taker, piece->places[from + k], piece->windows[from + k], &m->series[o->series], o->e,
					q + (Size) k * steps * RNN_QUANTILES);
	}
}

static void
forecast_piece(Piece *piece)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast windows", ALLOCSET_DEFAULT_SIZES),
				outer = MemoryContextSwitchTo(scratch);

	if (piece->n > 0)
		forecast_windows(piece, 0, piece->n);
	piece->n = 0;
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(scratch);
}

void
windows_each(const rnn_model *m, const rnn_past_plan *plan, WindowTaker take, void *taker)
{
	Piece		piece = {.model = m,.plan = plan,.take = take,.taker = taker};

	make_room(&piece);
	for (int k = 0; k < plan->series && plan->windows > 0; k++)
	{
		int			n = rnn_past_origins(plan, m, m->series, m->n_series, k, piece.origins + piece.n, piece.windows + piece.n);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
			piece.places[piece.n + i] = k;
		piece.n += n;
		if (piece.n + plan->windows > piece.most)
			forecast_piece(&piece);
	}
	forecast_piece(&piece);
	pfree(piece.origins);
	pfree(piece.windows);
	pfree(piece.places);
}
