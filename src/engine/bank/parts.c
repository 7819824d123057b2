/*
 * parts.c
 *		What the mix of references is made of.
 *
 * Smoothers and what returns to the usual know their own parts (references.c).  Here are those of the seasonal
 * naive references, whose level is the mean of the season that they repeat, and
 * whose rest is shared by the shorter seasons within it first; and those of the
 * analogues, whose level and seasons are those of a smoother.
 */
#include "bank/references.h"

#include <math.h>
#include <string.h>

#define LAST 8					/* points that the level of the analogues is of */

/* Doubles of scratch, in the order in which they lie. */
typedef struct Scratch
{
	double	   *ref,			/* (R, h) */
			   *weight,			/* (R, h) */
			   *mix,			/* of rnn_mix_at */
			   *logs,			/* (n) */
			   *d,				/* (n) */
			   *p,				/* (4 n) */
			   *level,			/* (RHOS, ANALOGUE_POINTS) */
			   *at,				/* (RHOS, h) */
			   *ahead,			/* (1 + seasons, RHOS, h) */
			   *trend;			/* (h) */
} Scratch;

static size_t
lay_out(int64_t n, int h, double *work, Scratch *s)
{
	size_t		sizes[] = {
		(size_t) RNN_REFS * h, (size_t) RNN_REFS * h, rnn_mix_work(n, h), n, n, 4 * n, RHOS * ANALOGUE_POINTS, (size_t) RHOS * h,
		(size_t) (1 + RNN_MAX_SEASONS) * RHOS * h, h
	};
	double	  **to[] = {&s->ref, &s->weight, &s->mix, &s->logs, &s->d, &s->p, &s->level, &s->at, &s->ahead, &s->trend};
	size_t		used = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
	{
		*to[i] = work ? work + used : NULL;
		used += sizes[i];
	}
	return used;
}

size_t
rnn_mix_parts_work(int64_t n, int h)
{
	Scratch		s;

	return lay_out(n, h, NULL, &s);
}

/* Takes from block (m) the profile of each shorter season: what the points of a phase have in common; room is (m). */
static void
take_profile(double *block, int64_t m, int64_t f, double *room)
{
	for (int64_t i = 0; i < f; i++)
	{
		double		sum = 0;
		int64_t		count = 0;

		for (int64_t k = m - f + i; k >= 0; k -= f, count++)
			sum += block[k];
		for (int64_t k = m - f + i; k >= 0; k -= f)
			room[k] = sum / (double) count;
	}
	for (int64_t k = 0; k < m; k++)
		block[k] -= room[k];
}

static void
add_periodic(const double *block, int64_t m, const double *weight, int h, double *part)
{
	for (int j = 0; j < h; j++)
		part[j] += weight[j] * block[j % m];
}

/* The season before, of seasons[s]; block and room are (m). */
static void
naive_parts(const double *x, int64_t n, int h, const int *seasons, int s, const double *weight, double *block, double *room, double *parts)
{
	int64_t		m = seasons[s] <= n ? seasons[s] : 1;
	double		level = bank_mean(x + n - m, m);

	for (int j = 0; j < h; j++)
		parts[RNN_PART_LEVEL * h + j] += weight[j] * level;
	for (int64_t i = 0; i < m; i++)
		block[i] = x[n - m + i] - level;
	for (int k = 0; k < s && m > 1; k++)
	{
		take_profile(block, m, seasons[k], room);
		add_periodic(room, m, weight, h, parts + (RNN_PART_SEASON + k) * h);
	}
	add_periodic(block, m, weight, h, parts + (RNN_PART_SEASON + s) * h);
}

/* level: that of the last points without their seasons; ahead: what each season does. */
static void
analogue_parts(double level, const double *ahead, int n_seasons, int h, const double *weight, const double *ref, double *parts)
{
	for (int j = 0; j < h; j++)
	{
		double		rest = ref[j] - level;

		parts[RNN_PART_LEVEL * h + j] += weight[j] * level;
		for (int k = 0; k < n_seasons; k++)
		{
			double		season = ahead[((int64_t) (k + 1) * RHOS + RHOS - 1) * h + j];

			parts[(RNN_PART_SEASON + k) * h + j] += weight[j] * season;
			rest -= season;
		}
		parts[RNN_PART_ANALOGUES * h + j] += weight[j] * rest;
	}
}

/* The bound of what logarithms say; false where not all points have one. */
static bool
take_logs(const double *x, int64_t n, double *logs, double *top)
{
	*top = -INFINITY;
	for (int64_t i = 0; i < n; i++)
	{
		if (!(x[i] > 0))
			return false;
		logs[i] = log(x[i]);
		*top = fmax(*top, logs[i] + 3);
	}
	return true;
}

void
rnn_mix_parts(const rnn_mix_rule *rule, const double *x, int64_t n, rnn_mix *mix, double *parts, double *work)
{
	Scratch		s;
	int			h = rule->h,
				n_seasons = rule->n_seasons;
	int64_t		points = rnn_min(n, LEVEL_POINTS),
				last = rnn_min(n, LAST);
	double		top,
				level;
	bool		positive;
	Bank		bank = {.x = x,.seasons = rule->seasons,.n_seasons = n_seasons,.refs = rule->refs};

	lay_out(n, h, work, &s);
	rnn_mix_at(rule, x, n, mix, s.ref, s.mix);
	rnn_mix_local(rule, x, mix, s.mix, s.weight, s.trend);
	memset(parts, 0, sizeof(double) * RNN_PARTS * h);
	positive = take_logs(x, n, s.logs, &top);
	bank.logs = positive ? s.logs : NULL;
	bank.d = s.d;
	bank.p = s.p;
	for (int r = 0; r < RHOS; r++)
	{
		bank.level[r] = s.level + r * ANALOGUE_POINTS;
		bank.ahead[r] = s.at + (int64_t) r * h;
	}
	smoothers_parts(&bank, mix, s.weight, n, h, positive, top, s.ahead, s.trend, parts);
	level = bank_mean(bank.level[RHOS - 1] + points - last, last);
	for (int k = 0; k < n_seasons; k++)
		if (mix->present[k])
			naive_parts(x, n, h, rule->seasons, k, s.weight + (int64_t) k * h, s.p, s.d, parts);
	for (int a = RNN_LEAST_REFS; a < rule->refs; a++)
		if (mix->present[a] && (a < REVERTING || a >= AUTOREGRESSING))
			analogue_parts(level, s.ahead, n_seasons, h, s.weight + (int64_t) a * h, s.ref + (int64_t) a * h, parts);
}
