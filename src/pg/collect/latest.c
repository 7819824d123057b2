/*
 * latest.c
 *		Rows come into a state, and where they outgrow the memory the latest stay.
 *
 * Rows of a panel carry the number of their series' name.  Where they outgrow
 * an eighth of the memory limit, only the latest K of each series are kept, K
 * the largest of 2^i and 3 * 2^i with which all fit.  That is a property of the
 * rows alone: whatever part of them a state has seen, its K is never smaller
 * than that of all, so the order and the plan don't matter.
 */
#include "pg/collect/collect.h"

#include <math.h>

#include "miscadmin.h"

#define FIRST_ROOM 64

static int
compare_columns(const void *a, const void *b, void *arg)
{
	const CovariateColumn *columns = arg;

	return compare_names(&columns[*(const int *) a].name, &columns[*(const int *) b].name);
}

void
order_columns(const RowState *state, int *order)
{
	for (int k = 0; k < state->n_columns; k++)
		order[k] = k;
	qsort_arg(order, state->n_columns, sizeof(int), compare_columns, state->columns);
}

int
compare_covariates(const RowState *state, const int *order, int64 a, int64 b)
{
	for (int k = 0; k < state->n_columns; k++)
	{
		const CovariateColumn *column = &state->columns[order[k]];
		float		x = column->values[a],
					y = column->values[b];

		if (isnan(x) || isnan(y))
		{
			if (isnan(x) != isnan(y))
				return isnan(x) ? 1 : -1;
		}
		else if (column->kind == COVARIATE_TEXT)
		{
			int			words = compare_names(&column->words[(int) x], &column->words[(int) y]);

			if (words != 0)
				return words;
		}
		else if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

static void
make_room(RowState *state, int64 n)
{
	int64		limit = most_collected(state),
				room = Max(state->room, FIRST_ROOM);

	while (room < n)
		room *= 2;
	if (!state->keyed && n > limit)
		outgrown("rows", state->n);
	if (room != state->room)
		set_room(state, Max(n, Min(room, limit)));
}

static int64
kept_with(const int64 *counts, int n, int64 latest)
{
	int64		sum = 0;

	for (int i = 0; i < n; i++)
		sum += Min(counts[i], latest);
	return sum;
}

/* The next smaller of 2^i and 3 * 2^i. */
static int64
less_than(int64 latest)
{
	if (latest <= 3)
		return latest - 1;
	return (latest & (latest - 1)) == 0 ? latest / 4 * 3 : latest / 3 * 2;
}

void
state_fit(RowState *state)
{
	int64		limit = most_collected(state);

	if (state->room <= limit)
		return;
	if (state->keyed)
		state_settle(state);
	else if (state->n > limit)
		outgrown("rows", state->n);
	set_room(state, Max(Max(state->n, limit), 1));
}

/* What rows are ordered by, through their numbers. */
typedef struct RowOrder
{
	const RowState *state;
	int			columns[RNN_MAX_COVARIATES];
} RowOrder;

/* The latest first; a total order, down to the covariates. */
static int
compare_latest(const void *a, const void *b, void *arg)
{
	const RowOrder *order = arg;
	int64		x = *(const int64 *) a,
				y = *(const int64 *) b;
	int			rows = compare_rows(&order->state->rows[y], &order->state->rows[x], NULL);

	return rows ? rows : compare_covariates(order->state, order->columns, y, x);
}

static void
sort_latest(int64 *numbers, int64 n, RowOrder *order)
{
	bool		sorted = true;

	for (int64 i = 1; i < n && sorted; i++)
		sorted = compare_latest(&numbers[i - 1], &numbers[i], order) <= 0;
	if (sorted)
		return;
	sort_interruptibly(numbers, n, sizeof(int64), compare_latest, order);
}

/* Numbers of the rows that are kept, by series. */
static int64 *
latest_rows(RowState *state, const int64 *counts, int64 *kept)
{
	int64	   *from = palloc_extended(sizeof(int64) * (state->n_names + 1), MCXT_ALLOC_HUGE),
			   *numbers = palloc_extended((Size) Max(state->n, 1) * sizeof(int64), MCXT_ALLOC_HUGE);
	RowOrder	order = {.state = state};

	order_columns(state, order.columns);
	from[0] = 0;
	for (int i = 0; i < state->n_names; i++)
		from[i + 1] = from[i] + counts[i];
	for (int64 i = 0; i < state->n; i++)
		numbers[from[state->series[i]]++] = i;
	*kept = 0;
	for (int i = 0; i < state->n_names; i++)
	{
		int64	   *own = numbers + from[i] - counts[i];
		int64		n = Min(counts[i], state->latest);

		CHECK_FOR_INTERRUPTS();
		if (counts[i] > state->latest)
			sort_latest(own, counts[i], &order);
		memmove(numbers + *kept, own, n * sizeof(int64));
		*kept += n;
	}
	pfree(from);
	return numbers;
}

/* The chosen entries (kept of them, each `width` bytes) of a column of the state. */
static void *
gather(RowState *state, void *column, const int64 *numbers, int64 kept, Size width)
{
	char	   *to = MemoryContextAllocHuge(state->hdr.eoh_context, (Size) Max(state->room, 1) * width);

	for (int64 i = 0; i < kept; i++)
		memcpy(to + i * width, (char *) column + numbers[i] * width, width);
	pfree(column);
	return to;
}

/* Drops all but the latest rows of each series. */
static void
prune(RowState *state, const int64 *counts)
{
	int64		kept;
	int64	   *numbers = latest_rows(state, counts, &kept);

	if (state->n > 0)
	{
		state->rows = gather(state, state->rows, numbers, kept, sizeof(Row));
		state->series = gather(state, state->series, numbers, kept, sizeof(int32));
		for (int k = 0; k < state->n_columns; k++)
			state->columns[k].values = gather(state, state->columns[k].values, numbers, kept, sizeof(float));
	}
	state->n = kept;
	pfree(numbers);
}

void
state_settle(RowState *state)
{
	int64	   *counts;
	int64		latest = state->latest ? state->latest : (int64) 1 << 40;
	MemoryContext old;

	if (!state->keyed || (state->n <= most_rows(state) && state->latest == 0))
		return;
	old = MemoryContextSwitchTo(state->hdr.eoh_context);
	counts = palloc_extended(sizeof(int64) * Max(state->n_names, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int64 i = 0; i < state->n; i++)
		counts[state->series[i]]++;
	while (latest > 1 && kept_with(counts, state->n_names, latest) > most_rows(state))
		latest = less_than(latest);
	if (kept_with(counts, state->n_names, latest) > most_rows(state))
		outgrown("series", state->n_names);
	state->latest = latest;
	prune(state, counts);
	pfree(counts);
	MemoryContextSwitchTo(old);
}

void
state_add(RowState *state, int64 at, double value)
{
	if (state->n == state->room)
		make_room(state, state->n + 1);
	for (int k = 0; k < state->n_columns; k++)
		state->columns[k].values[state->n] = NAN;
	state->rows[state->n++] = (Row) {at, value};
}

void
state_add_to(RowState *state, int series, int64 at, double value)
{
	if (state->n == state->room)
	{
		if (state->n >= most_collected(state))
			state_settle(state);
		else
			make_room(state, state->n + 1);
	}
	for (int k = 0; k < state->n_columns; k++)
		state->columns[k].values[state->n] = NAN;
	state->rows[state->n] = (Row) {at, value};
	state->series[state->n++] = series;
}
