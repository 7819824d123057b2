/*
 * play.c
 *		The rows of a backtest by one model: what it would have forecast at
 *		cutoffs, beside what came.
 *
 * Cutoffs are forecast in pieces of some ends at once, which share most of the
 * work (rnn_ends); each sees nothing behind it but covariates that are known
 * ahead.
 */
#include "pg/evaluate/evaluate.h"
#include "pg/train/train.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define Q RNN_QUANTILES
#define PIECE_NUMBERS 1000000	/* quantiles of a piece, about */
#define MOST_ENDS 4096
#define ONE_ALONE 1e6			/* kappa with which the reference of the smallest error has all of the mix's weight */

/* ------------------------------------------------------------------ a piece */

/* Cutoffs that are forecast at once: the places of their series, and ends in these. */
typedef struct Piece
{
	int			count;
	rnn_series *series;			/* (count) */
	int64		n;
	rnn_origin *origins;		/* (n) */
} Piece;

/* A series that ends at a cutoff and begins in its window, where there is one. */
static rnn_series
window_of(const Run *run, const Player *p, const rnn_series *whole, int64 e)
{
	rnn_series	s = *whole;

	s.ahead += s.n - e;
	s.n = e;
	if (run->b->window > 0)
		trim_series(&s, p->model, run->b->window, true);
	return s;
}

static Piece
new_piece(const Run *run, const Player *p, const Cut *cuts, int64 n)
{
	Piece		piece = {.n = n};

	piece.series = palloc(sizeof(rnn_series) * n);
	piece.origins = palloc(sizeof(rnn_origin) * n);
	for (int64 i = 0; i < n; i++)
	{
		const rnn_series *s = &p->series[cuts[i].series];

		if (run->b->window > 0)
			piece.series[piece.count++] = window_of(run, p, s, cuts[i].e);
		else if (i == 0 || cuts[i].series != cuts[i - 1].series)
			piece.series[piece.count++] = *s;
		piece.origins[i] = (rnn_origin) {
			.series = piece.count - 1,.e = run->b->window > 0 ? piece.series[piece.count - 1].n : cuts[i].e,
				.correction = p->correction[cuts[i].index]
		};
	}
	calendar_fill(&p->model->config, &p->model->clock, piece.series, piece.count, run->steps);
	return piece;
}

/*
 * The quantiles (n, steps, Q) of a model; NULL where there is no room for so many,
 * and for what the mix and its best reference say beside it.
 */
static double *
forecast_piece(const Run *run, const rnn_model *model, const Piece *piece)
{
	double	   *q = forecast_origins(model, piece->series, piece->count, piece->origins, piece->n, run->steps, 3);

	if (q == NULL && piece->n == 1)
		report_memory("forecasting", sizeof(double) * Q * (Size) run->steps);
	return q;
}

/* ------------------------------------------------------------------- output */

/* Quantiles of a piece by what forecasts; NULL where there is no room. */
typedef struct Said
{
	const double *q,			/* (n, steps, Q) */
			   *mix,
			   *reference;
} Said;

static bool
says_mix(const rnn_model *m)
{
	return m->n_members == 0 && m->prior_net == NULL;
}

/* False where there is no room for so many. */
static bool
ask(const Run *run, const Player *p, const Piece *piece, Said *said)
{
	*said = (Said) {.q = forecast_piece(run, p->model, piece)};
	if (said->q)
		said->mix = says_mix(p->model) ? said->q : forecast_piece(run, &p->mix, piece);
	if (said->mix)
		said->reference = forecast_piece(run, &p->reference, piece);
	return said->reference != NULL;
}

/* Of one cutoff. */
typedef struct Told
{
	const rnn_series *s;
	int64		e;
	rnn_series	before;			/* s up to there */
	rnn_config	cfg;			/* with its own bounds */
	double		scale;
} Told;

static double
naive_of(const Told *t, int64 season, int step)
{
	double		x = season_before(&t->before, season, step);

	return isnan(x) ? t->s->x[t->e - 1] : x;
}

static Datum
quantiles_of(const double *q)
{
	Datum		levels[Q];

	for (int k = 0; k < Q; k++)
		levels[k] = Float8GetDatum(q[k]);
	return PointerGetDatum(construct_array(levels, Q, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static void
put_row(Run *run, const Told *t, int step, const double *q, double mix, double reference)
{
	const rnn_clock *clock = &run->history->clock;
	double		low = (1 - run->b->level) / 2;
	MemoryContext old = MemoryContextSwitchTo(run->rows.scratch);
	Datum		values[BACKTEST_COLUMNS] = {0};
	bool		nulls[BACKTEST_COLUMNS] = {false};

	CHECK_FOR_INTERRUPTS();
	nulls[0] = t->s->name == NULL;
	if (t->s->name)
		values[0] = PointerGetDatum(cstring_to_text_with_len(t->s->name, t->s->name_len));
	nulls[1] = !clock_has_times(clock);
	if (!nulls[1])
		values[1] = TimestampGetDatum(clock_local(clock, clock_time(clock, t->s->start, t->e - 1)));
	values[2] = Int32GetDatum(step);
	clock_place(clock, t->s, t->e - 1 + step, &values[3], &nulls[3]);
	values[6] = Float8GetDatum(t->s->x[t->e - 1 + step]);
	values[7] = Float8GetDatum(q[RNN_MEDIAN]);
	values[8] = Float8GetDatum(rnn_quantile_bound(&t->cfg, q, low));
	values[9] = Float8GetDatum(rnn_quantile_bound(&t->cfg, q, 1 - low));
	values[10] = quantiles_of(q);
	values[11] = Float8GetDatum(rnn_quantile_mean(&t->cfg, q));
	values[12] = Float8GetDatum(naive_of(t, run->season, step));
	values[13] = Float8GetDatum(mix);
	values[14] = Float8GetDatum(t->scale);
	nulls[14] = isnan(t->scale);
	values[15] = Float8GetDatum(reference);
	set_key(series_name(t->s), &values[16], &nulls[16]);
	MemoryContextSwitchTo(old);
	tuples_put(&run->rows, values, nulls);
}

/* Steps after cutoff i of a piece that have come, and are known. */
static void
put_cut(Run *run, const Told *t, const Said *said, int64 i)
{
	for (int step = run->b->gap + 1; step <= run->steps && t->e - 1 + step < t->s->n; step++)
	{
		Size		at = ((Size) i * run->steps + step - 1) * Q;

		if (!isnan(t->s->x[t->e - 1 + step]))
			put_row(run, t, step, said->q + at, said->mix[at + RNN_MEDIAN], said->reference[at + RNN_MEDIAN]);
	}
}

static void
put_piece(Run *run, const Player *p, const Cut *cuts, int64 n, const Said *said)
{
	rnn_tally	tally = {0};
	ScaleSum	sum = {0};

	for (int64 i = 0; i < n; i++)
	{
		const rnn_series *s = &run->history->series[cuts[i].series];
		Told		t = {.s = s,.e = cuts[i].e,.before = *s};

		t.before.n = t.e;
		if (i > 0 && cuts[i].series != cuts[i - 1].series)
			tally = (rnn_tally) {0};
		t.cfg = rnn_forecast_config(p->model, &tally, s, t.e);
		t.scale = scale_before(&sum, s, t.e, run->season, run->b->scale_points);
		put_cut(run, &t, said, i);
	}
}

/* A half of them at a time where memory is short. */
static void
play_piece(Run *run, const Player *p, const Cut *cuts, int64 n)
{
	MemoryContext outer = MemoryContextSwitchTo(run->scratch);
	Piece		piece = new_piece(run, p, cuts, n);
	Said		said;
	bool		told = ask(run, p, &piece, &said);

	if (told)
		put_piece(run, p, cuts, n, &said);
	MemoryContextSwitchTo(outer);
	MemoryContextReset(run->scratch);
	if (told)
		return;
	play_piece(run, p, cuts, n / 2);
	play_piece(run, p, cuts + n / 2, n - n / 2);
}

/* Of the model that is given the rows before a cutoff: what came of its forecasts since the training; NULL where nothing did. */
const float *
correction_at(const Run *run, const Player *p, const Cut *cuts, int64 n, int index)
{
	rnn_model	then = *p->model;
	rnn_series *series = palloc_extended(sizeof(rnn_series) * n, MCXT_ALLOC_HUGE);
	float	   *correction = palloc(sizeof(float) * RNN_MEDIAN);
	MemoryContext outer = MemoryContextSwitchTo(run->scratch);

	then.series = series;
	then.n_series = 0;
	for (int64 i = 0; i < n; i++)
		if (cuts[i].index == index)
			series[then.n_series++] = window_of(run, p, &p->series[cuts[i].series], cuts[i].e);
	if (then.n_series > 0)
		correct_calibration(&then);
	memcpy(correction, then.correction, sizeof(float) * RNN_MEDIAN);
	MemoryContextSwitchTo(outer);
	MemoryContextReset(run->scratch);
	pfree(series);
	return then.passed > 0 ? correction : NULL;
}

/* A model's mix, without its networks. */
static rnn_model
mix_of(const rnn_model *model)
{
	rnn_model	mix = *model;

	mix.n_members = 0;
	mix.weight = mix.weight_short = 0;
	mix.prior = 0;
	mix.prior_net = NULL;
	mix.config.skip = true;
	mix.mix_spread = 1;
	return mix;
}

int64
piece_ends(const Run *run)
{
	return Max(1, Min(MOST_ENDS, PIECE_NUMBERS / ((int64) run->steps * Q)));
}

void
player_init(Run *run, Player *p, const rnn_model *model, const rnn_series *series)
{
	p->own = *model;
	/* What it learned from rows that came later. */
	p->own.passed = 0;
	p->model = &p->own;
	p->mix = mix_of(&p->own);
	p->reference = p->mix;
	p->reference.config.kappa = ONE_ALONE;
	p->series = series;
	p->correction = NULL;
	run->season = run->b->season > 0 ? run->b->season : usual_season(model);
}

void
player_correct(const Run *run, Player *p, const Cut *cuts, int64 n)
{
	p->correction = palloc0(sizeof(float *) * run->b->cutoffs);
	for (int i = 0; i < run->b->cutoffs; i++)
	{
		CHECK_FOR_INTERRUPTS();
		p->correction[i] = correction_at(run, p, cuts, n, i);
	}
}

void
play(Run *run, const Player *p, const Cut *cuts, int64 n)
{
	int64		most = piece_ends(run);

	for (int64 from = 0; from < n; from += most)
		play_piece(run, p, cuts + from, Min(most, n - from));
}
