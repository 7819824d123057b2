/*
 * analogue.c
 *		References by analogues: what followed the windows of the series' own
 *		past that were most like the last one.
 *
 * The method of analogues (Lorenz 1969), which is k-nearest-neighbour regression
 * on the series' windows (Martinez, Frias, Perez and Rivera 2019).  A window is
 * moved by the difference of the levels at its end before it is compared, and
 * what followed it by the same; near windows weigh more, by 1 / distance^2.
 *
 * Everything is a difference of two points, so a level of any size loses no
 * digit.  Sums go over a window from its end backwards, for some windows side
 * by side: the compiler makes vectors of them, of which no one waits for another,
 * and no bit depends on how wide they are or how many.
 */
#include "bank/references.h"

#include <string.h>

#define MANY 24					/* windows that are compared at once; SIDE where they are fewer */
#define MOST_NEAR 10

typedef struct Analogue
{
	int			seasons,		/* that a window is long, */
				least,			/* within these bounds */
				most,
				level,			/* points at its end that its level is the mean of */
				near;			/* windows that are followed */
} Analogue;

/* The longer first. */
static const Analogue analogues[RNN_ANALOGUES] = {
	{2, 12, 96, 8, 5},
	{1, 12, 48, 3, 10},
};

/* How candidates differ from the last window, by analogue. */
typedef struct Distances
{
	double	   *squares[RNN_ANALOGUES], /* sum of squared differences, once the levels are the same */
			   *shift[RNN_ANALOGUES];	/* last window's level less theirs */
} Distances;

static int
length_of(const Analogue *a, int season)
{
	return (int) rnn_min(a->most, rnn_max(a->least, (int64_t) a->seasons * season));
}

/* Points of a prefix of n that analogues look at. */
static int64_t
looked_at(int64_t n)
{
	return rnn_min(n, ANALOGUE_POINTS);
}

size_t
analogues_work(int64_t n)
{
	return (size_t) (2 * RNN_ANALOGUES * looked_at(n));
}

static Distances
distances_in(double *work, int64_t n)
{
	Distances	d;
	int64_t		room = looked_at(n);

	for (int a = 0; a < RNN_ANALOGUES; a++)
	{
		d.squares[a] = work + 2 * a * room;
		d.shift[a] = work + (2 * a + 1) * room;
	}
	return d;
}

/* Points from .. to back from the ends of `side` windows and of the last one: sums of what differs, and of its squares. */
static INLINE void
add_differences(const int side, const double *last, const double *z, int from, int to, double *sum, double *squares)
{
	double		s[MANY],
				q[MANY];

	memcpy(s, sum, sizeof(double) * side);
	memcpy(q, squares, sizeof(double) * side);
	for (int i = from; i < to; i++)
	{
		double		x = last[-i - 1];
		const double *at = z - i - 1;

		for (int k = 0; k < side; k++)
		{
			double		differ = x - at[k];

			s[k] += differ;
			q[k] += differ * differ;
		}
	}
	memcpy(sum, s, sizeof(double) * side);
	memcpy(squares, q, sizeof(double) * side);
}

/* The nearest place behind `from` at which an analogue from `one` on wants its sums. */
static INLINE int
next_stop(const int *length, int one, int from)
{
	int			next = length[one];

	for (int a = one; a < RNN_ANALOGUES; a++)
	{
		if (analogues[a].level > from && analogues[a].level < next)
			next = analogues[a].level;
		if (length[a] > from && length[a] < next)
			next = length[a];
	}
	return next;
}

/*
 * `side` windows that end before z, z + 1, ... against the one that ends before
 * `last`, by the analogues from `one` on; results go to place `at` and behind it.
 */
static INLINE void
compare_side(const int side, const double *last, const double *z, const int *length, int one, const Distances *d, int64_t at)
{
	double		sum[MANY] = {0},
				squares[MANY] = {0},
				shift[RNN_ANALOGUES][MANY];

	for (int from = 0, to; from < length[one]; from = to)
	{
		to = next_stop(length, one, from);
		add_differences(side, last, z, from, to, sum, squares);
		for (int a = one; a < RNN_ANALOGUES; a++)
		{
			for (int k = 0; to == analogues[a].level && k < side; k++)
				shift[a][k] = sum[k] / to;
			for (int k = 0; to == length[a] && k < side; k++)
			{
				d->shift[a][at + k] = shift[a][k];
				d->squares[a][at + k] = squares[k] - shift[a][k] * (2 * sum[k] - to * shift[a][k]);
			}
		}
	}
}

/* The same for all that end before x[from], x[from + 1] .. x[to], the first of them at place `at`. */
static WIDE void
compare(const double *x, int64_t n, int64_t from, int64_t to, const int *length, int one, const Distances *d, int64_t at)
{
	int64_t		c = from;

	for (; c + MANY <= to + 1; c += MANY)
		compare_side(MANY, x + n, x + c, length, one, d, at + c - from);
	for (; c <= to; c += SIDE)
	{
		/* The last ones overlap those before: they are computed twice, to the same bits. */
		int64_t		first = rnn_min(c, to - SIDE + 1);

		compare_side(SIDE, x + n, x + first, length, one, d, at + first - from);
	}
}

/* Places of the nearest of `count` windows, the nearest first; of two that are as near the later one. */
static void
nearest(const double *squares, int64_t count, int near, int64_t *place)
{
	int			found = 0;

	for (int64_t c = count - 1; c >= 0; c--)
	{
		int			k = found;

		if (found == near && !(squares[c] < squares[place[near - 1]]))
			continue;
		if (found == near)
			k--;
		else
			found++;
		for (; k > 0 && squares[c] < squares[place[k - 1]]; k--)
			place[k] = place[k - 1];
		place[k] = c;
	}
}

/* Rounding may leave less than nothing of windows that are the same. */
static double
distance(double squares)
{
	return squares > 0 ? squares : 0;
}

/* What followed them, out (h): the window at place 0 ends before x[0]. */
static void
follow(const Analogue *a, const double *x, int64_t count, const double *squares, const double *shift, int h, double *out)
{
	int64_t		place[MOST_NEAR];
	double		tiny,
				total = 0;

	nearest(squares, count, a->near, place);
	tiny = 1e-9 * distance(squares[place[a->near - 1]]) + 1e-290;
	memset(out, 0, sizeof(double) * h);
	for (int k = 0; k < a->near; k++)
	{
		const double *after = x + place[k];
		double		by = shift[place[k]],
					weight = (distance(squares[place[0]]) + tiny) / (distance(squares[place[k]]) + tiny);

		total += weight;
		for (int j = 0; j < h; j++)
			out[j] += weight * (after[j] + by);
	}
	for (int j = 0; j < h; j++)
		out[j] /= total;
}

/* Both analogues where the longer has room, else the shorter; places are counted from the shorter's first window. */
static void
compare_all(const Bank *bank, int64_t n, int h, const int *length, const int64_t *first, bool both, const Distances *d)
{
	int64_t		to = both ? rnn_max(first[0] - 1, first[1] + SIDE - 1) : n - h;

	if (both)
		compare(bank->x, n, first[0], n - h, length, 0, d, first[0] - first[1]);
	if (!both || first[1] < first[0])
		compare(bank->x, n, first[1], to, length, 1, d, 0);
}

void
analogues_at(const Bank *bank, int64_t n, int h, double *ref, int64_t stride, bool *present)
{
	int64_t		first[RNN_ANALOGUES];
	int			length[RNN_ANALOGUES];
	Distances	d = distances_in(bank->distances, n);

	for (int a = 0; a < RNN_ANALOGUES; a++)
	{
		length[a] = length_of(&analogues[a], bank->seasons[0]);
		first[a] = n - looked_at(n) + length[a];
		present[a] = n - h - first[a] + 1 >= MOST_NEAR;
	}
	if (present[1])
		compare_all(bank, n, h, length, first, present[0], &d);
	for (int a = 0; a < RNN_ANALOGUES; a++)
	{
		int64_t		away = first[a] - first[1];

		if (present[a])
			follow(&analogues[a], bank->x + first[a], n - h - first[a] + 1, d.squares[a] + away, d.shift[a] + away, h,
				   ref + a * stride);
		for (int j = 0; !present[a] && j < h; j++)
			ref[a * stride + j] = bank->x[n - 1];
	}
}
