/*
 * fit_weight.c
 *		What a tuned prior is worth: tools/fit weight.
 *
 * Each case is a training as rnn_train does it, of one series, of the pieces of
 * one, or of several of one family, and forecasts at the next origins from a
 * model that is given any weight.  A line of cases.csv says what the judging
 * knew, and the loss that came for each weight; fit_weight.py fits the rule to
 * them.  Cases that are there already are not made again.
 */
#include "fit.h"
#include "train/stages.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define Q RNN_QUANTILES
#define MOST 24					/* series of a case */
#define ORIGINS 4				/* after a single series, */
#define FEW_ORIGINS 2			/* after each of several */
#define LEAST_ALL 500			/* points, known or not, that a training begins with */
#define MEMORY ((size_t) 512 << 20)

typedef struct Case
{
	int			family,
				count;
	rnn_series	series[MOST];	/* up to the first origin */
	int			h,
				origins,
				n_seasons,
				seasons[RNN_SYNTH_SEASONS];
	double		x[MOST][RNN_SYNTH_POINTS];
} Case;

/* ------------------------------------------------------------------- cases */

static void
set_seasons(Case *c, const rnn_synth *s)
{
	c->family = s->family;
	c->n_seasons = s->n_given;
	memcpy(c->seasons, s->given, sizeof(int) * s->n_given);
}

/* Horizons that people ask for, as far as windows to judge by fit into the points. */
static bool
choose_horizon(rnn_rng *r, Case *c, int64_t points)
{
	static const int usual[] = {6, 7, 8, 12, 13, 14, 18, 24, 26, 28, 30, 36, 48, 52, 60, 64};
	int			fitting = 0;

	while (fitting < (int) (sizeof(usual) / sizeof(usual[0])) && usual[fitting] * (32 + c->origins) <= points)
		fitting++;
	if (fitting == 0)
		return false;
	c->h = usual[rnn_rng_below(r, fitting)];
	return true;
}

static void
add_series(Case *c, const double *x, int n)
{
	int			i = c->count++;

	memcpy(c->x[i], x, sizeof(double) * n);
	c->series[i] = (rnn_series) {.name = "abcdefghijklmnopqrstuvwxyz" + i,.name_len = 1,.n = n,.x = c->x[i]};
}

/* Its points before the first origin; false where one is too short, or its ends are missing. */
static bool
cut_series(Case *c)
{
	int64_t		all = 0;

	for (int i = 0; i < c->count; i++)
	{
		rnn_series *s = &c->series[i];

		s->n -= (int64_t) c->origins * c->h;
		while (s->n > 0 && isnan(s->x[s->n - 1]))
			s->n--;
		all += s->n;
		if (s->n < 3 * c->h || s->n < 24 || isnan(s->x[0]))
			return false;
	}
	return all >= LEAST_ALL;
}

static bool
one_series(rnn_rng *r, Case *c, const rnn_synth *s, int pieces)
{
	int			all = s->n + s->horizon,
				length = all / pieces;

	c->origins = pieces == 1 ? ORIGINS : FEW_ORIGINS;
	if (!choose_horizon(r, c, all))
		return false;
	set_seasons(c, s);
	for (int i = 0; i < pieces; i++)
		add_series(c, s->x + i * length, length);
	return cut_series(c);
}

/* Series of one family and season, from `number` on. */
static bool
one_family(rnn_rng *r, Case *c, const Fitting *fit, uint64_t number, int count, rnn_synth *s, rnn_synth_work *work)
{
	int64_t		all = 0;

	c->origins = FEW_ORIGINS;
	for (int tries = 0; tries < 20000 && c->count < count; tries++)
	{
		rnn_synth_make(fit->seed, number + tries, RNN_SPLIT_HELD_OUT, RNN_SYNTH_HORIZON, work, s);
		if (s->n < 60 || s->n > 1000 || (c->count > 0 && ((int) s->family != c->family || s->n_given != c->n_seasons ||
														  (s->n_given > 0 && s->given[0] != c->seasons[0]))))
			continue;
		if (c->count == 0)
			set_seasons(c, s);
		add_series(c, s->x, s->n + s->horizon);
		all += s->n + s->horizon;
	}
	return c->count == count && choose_horizon(r, c, all) && cut_series(c);
}

/* Case i of the seed: half of them single series, an eighth pieces, the others families, some of these panels. */
static void
make_case(const Fitting *fit, uint64_t i, Case *c)
{
	static rnn_synth s;
	static rnn_synth_work work;
	uint64_t	number = i << 32;
	rnn_rng		r;

	rnn_rng_seed(&r, fit->seed, i);
	for (;; number += 1 << 16)
	{
		int			kind = (int) (i % 8);

		c->count = 0;
		if (kind >= 5)
		{
			if (one_family(&r, c, fit, number, kind < 7 ? 2 + (int) rnn_rng_below(&r, 6) : 8 + (int) rnn_rng_below(&r, 17), &s, &work))
				return;
			continue;
		}
		do
			rnn_synth_make(fit->seed, number++, RNN_SPLIT_HELD_OUT, RNN_SYNTH_HORIZON, &work, &s);
		while (s.n < LEAST_ALL);
		if (one_series(&r, c, &s, kind < 4 ? 1 : 2 + (int) rnn_rng_below(&r, 6)))
			return;
	}
}

/* ---------------------------------------------------------------- training */

/* What the judging knew. */
typedef struct Judged
{
	double		weight;			/* by the rule as it is */
	double		base,
				difference,
				error,
				chosen;			/* weight of least loss, mean of both halves */
	double		gain[RNN_GRID],
				gain_error[RNN_GRID];
	int			windows,
				kind;
	int64_t		points;
} Judged;

static Judged
look(const rnn_trainer *t)
{
	const Judgement *judgement = t->plan.judged[0];
	const rnn_candidate *c = &judgement->candidate;
	Judged		j = {
		.weight = c->weight,.base = c->mix_pinball,.difference = c->difference,.error = c->std_error,
			.chosen = (judgement->grid[0] + judgement->grid[1]) / 2.0 / (RNN_GRID - 1),
			.windows = c->windows,.kind = c->kind,.points = t->plan.summary.points
	};

	memcpy(j.gain, t->task.trial.gains[LOSS_SCALED].difference, sizeof(j.gain));
	memcpy(j.gain_error, t->task.trial.gains[LOSS_SCALED].error, sizeof(j.gain_error));
	return j;
}

/* Trains, whatever weight the network would get; false where there is too little to judge it by. */
static bool
train(const Fitting *fit, const Case *c, void *block, size_t room, Judged *j, rnn_model *m)
{
	rnn_panel	panel = {.count = c->count,.series = c->series,.prior = &fit->prior};
	rnn_config	cfg;
	rnn_trainer *t;
	rnn_progress p = {0};
	rnn_error	err = {0};
	bool		judged = false;
	size_t		size;

	rnn_config_defaults(&cfg);
	cfg.horizon = c->h;
	cfg.seasons_given = c->n_seasons;
	memcpy(cfg.seasons, c->seasons, sizeof(int) * c->n_seasons);
	if (rnn_trainer_size(&cfg, &panel, room, &size, &err) != RNN_OK ||
		rnn_trainer_init(&t, block, size, &cfg, &panel, NULL, &err) != RNN_OK)
		die("training: %s", err.what);
	/* A panel's network from nothing is judged by a rule of its own. */
	t->plan.kinds[0] = RNN_KIND_HEAD;
	t->plan.n_kinds = 1;
	while (!p.done)
	{
		if (rnn_trainer_step(t, &p, &err) != RNN_OK)
			die("training: %s", err.what);
		if (!t->plan.decided || judged)
			continue;
		if (!t->plan.judged[0]->judged)
			return false;
		*j = look(t);
		judged = true;
		t->plan.model.weight = t->plan.model.weight_short = 1;
		t->plan.model.short_below = 0;
	}
	if (rnn_trainer_model(t, m, &err) != RNN_OK)
		die("training: %s", err.what);
	for (int i = 0; i < RNN_BANDS * RNN_MEDIAN; i++)
		m->calibration[i / RNN_MEDIAN][i % RNN_MEDIAN] = 1;
	return true;
}

/* Mean |y(t) - y(t - season)|, the unit in which series of a case are averaged. */
static double
unit_of(const Case *c, const rnn_series *s)
{
	int			m = c->n_seasons > 0 && c->seasons[0] < s->n ? c->seasons[0] : 1,
				n = 0;
	double		sum = 0;

	for (int64_t t = m; t < s->n; t++)
	{
		double		d = fabs(s->x[t] - s->x[t - m]);

		if (isnan(d))
			continue;
		sum += d;
		n++;
	}
	return n > 0 ? sum / n : 0;
}

/* Means over series, origins and steps, for each weight: pinball loss, and |error| of the median. */
static bool
score(const Case *c, rnn_model *m, double loss[RNN_GRID], double absolute[RNN_GRID])
{
	static double network[RNN_SYNTH_HORIZON * Q],
				base[RNN_SYNTH_HORIZON * Q];
	double		known = 0;

	memset(loss, 0, sizeof(double) * RNN_GRID);
	memset(absolute, 0, sizeof(double) * RNN_GRID);
	for (int i = 0; i < c->count; i++)
	{
		const rnn_series *s = &c->series[i];
		double		unit = unit_of(c, s);

		for (int o = 0; o < c->origins && unit > 0; o++)
		{
			int64_t		n = s->n + (int64_t) o * c->h;

			m->weight = 1;
			forecast_after(m, s->x, n, c->h, network);
			m->weight = 0;
			forecast_after(m, s->x, n, c->h, base);
			for (int k = 0; k < c->h; k++)
			{
				double		y = s->x[n + k];

				if (isnan(y))
					continue;
				known++;
				for (int g = 0; g < RNN_GRID; g++)
				{
					double		w = g / (RNN_GRID - 1.0),
								q[Q];

					for (int l = 0; l < Q; l++)
						q[l] = w * network[k * Q + l] + (1 - w) * base[k * Q + l];
					loss[g] += mean_pinball(q, y) / unit;
					absolute[g] += fabs(y - q[RNN_MEDIAN]) / unit;
				}
			}
		}
	}
	for (int g = 0; g < RNN_GRID && known > 0; g++)
	{
		loss[g] /= known;
		absolute[g] /= known;
	}
	return known > 0 && loss[0] > 0 && absolute[0] > 0;
}

static void
print_grid(FILE *f, const double *x)
{
	for (int g = 0; g < RNN_GRID; g++)
		fprintf(f, ",%.6g", x[g]);
}

static void
print_head(FILE *f)
{
	static const char *const names[] = {"gain", "error", "loss", "absolute"};

	fprintf(f, "case,family,series,points,longest,horizon,season,kind,windows,weight,base,difference,std_error,chosen");
	for (int i = 0; i < 4; i++)
		for (int g = 0; g < RNN_GRID; g++)
			fprintf(f, ",%s_%d", names[i], g);
	fprintf(f, "\n");
}

/* Writes the file at once when all is known, so that a stop leaves none. */
static void
run_case(const Fitting *fit, int i, const Case *c, void *block, const char *name)
{
	FILE	   *f;
	Judged		j;
	rnn_model	m;
	double		loss[RNN_GRID],
				absolute[RNN_GRID];
	int64_t		longest = 0;
	bool		known = train(fit, c, block, MEMORY, &j, &m) && score(c, &m, loss, absolute);

	f = open_in(fit->dir, name, "w");
	for (int k = 0; k < c->count; k++)
		longest = c->series[k].n > longest ? c->series[k].n : longest;
	if (!known)
	{
		fclose(f);
		return;
	}
	fprintf(f, "%d,\"%s\",%d,%lld,%lld,%d,%d,%d,%d,%.6g,%.6g,%.6g,%.6g,%.6g", i, rnn_family_name(c->family), c->count,
			(long long) j.points, (long long) longest, c->h, c->n_seasons > 0 ? c->seasons[0] : 1, j.kind, j.windows,
			j.weight, j.base, j.difference, j.error, j.chosen);
	print_grid(f, j.gain);
	print_grid(f, j.gain_error);
	print_grid(f, loss);
	print_grid(f, absolute);
	fprintf(f, "\n");
	if (fclose(f) != 0)
		die("%s can't be written", name);
}

static void
work(const Fitting *fit, int process)
{
	Case	   *c = grab(sizeof(*c));
	void	   *block = grab(MEMORY);
	char		name[100];

	for (int i = process; i < fit->count; i += fit->processes)
	{
		FILE	   *f;

		snprintf(name, sizeof(name), "case-%05d.csv", i);
		f = open_in(fit->dir, name, "r");
		if (f)
		{
			fclose(f);
			continue;
		}
		make_case(fit, i, c);
		run_case(fit, i, c, block, name);
	}
	free(c), free(block);
}

/* One file of all cases. */
void
fit_weight(const Fitting *fit)
{
	FILE	   *out;

	in_processes(fit, work);
	out = open_in(fit->dir, "cases.csv", "w");
	print_head(out);
	for (int i = 0; i < fit->count; i++)
	{
		char		name[100],
					line[4096];
		FILE	   *f;

		snprintf(name, sizeof(name), "case-%05d.csv", i);
		f = open_in(fit->dir, name, "r");
		while (f && fgets(line, sizeof(line), f))
			fputs(line, out);
		if (f)
			fclose(f);
	}
	if (fclose(out) != 0)
		die("cases.csv can't be written");
}
