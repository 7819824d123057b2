/*
 * resolve.c
 *		Chooses what the user left open, from the data.
 *
 * The rules use only lengths, seasons and the horizon, never a series' name
 * or kind; docs/developers/internals.md explains them.
 */
#include "config/resolve.h"

#include <math.h>

#define LONGEST_PATCH 24
#define LONGEST_CONTEXT 1000000	/* as in rnn_options */
#define LEAST_STEPS 8			/* recurrent steps of a context */
#define LONG_STEPS 100			/* of a context that is there to be remembered */
#define SHORT_SERIES 300		/* points */
#define LEAST_LENGTH 300		/* points of a series, on average: fewer tell other cycles than the seasons badly */
#define NEAR 0.02				/* a season is a cycle that it is as near to */
#define MEMORY_PART 8			/* of the memory, for what is prepared by point */

/* Sizes of a training, below FEW_POINTS and from there on. */
typedef struct Sizes
{
	int			hidden[2],
				steps[2],
				members[2];		/* a single short series, and others */
} Sizes;

static const Sizes sizes[RNN_EFFORTS] = {
	[RNN_EFFORT_QUICK] = {{32, 32}, {150, 250}, {1, 1}},
	[RNN_EFFORT_NORMAL] = {{32, 64}, {600, 1000}, {1, 3}},
	[RNN_EFFORT_HIGH] = {{64, 128}, {2400, 4000}, {3, 5}},
};

static int
clamp(int64_t v, int low, int high)
{
	return v < low ? low : v > high ? high : (int) v;
}

/* The rows ahead that came with the series, else one season; not more than a third of the longest series. */
static int
auto_horizon(const rnn_config *cfg, const rnn_summary *d)
{
	int			season = cfg->seasons[0] > 1 ? cfg->seasons[0] : 12;

	return clamp(d->ahead > 0 ? d->ahead : season, 1, clamp(d->longest / 3, 1, RNN_MAX_TRAINED));
}

/*
 * Two of the longest season or four horizons, since what comes before that is
 * in the references; at most half of the longest series, so that there are
 * windows that differ.
 */
static int
auto_context(const rnn_config *cfg, const rnn_summary *d)
{
	int64_t		longest = cfg->seasons[cfg->seasons_given - 1];
	int64_t		want = 4 * (int64_t) cfg->horizon;

	if (2 * longest > want)
		want = 2 * longest;
	want = clamp(want, 32, 512);
	return clamp(want < d->longest / 2 ? want : d->longest / 2, 4, 512);
}

/*
 * The longest patch that leaves eight recurrent steps.  It divides the season
 * or is made of whole ones, so that a place in the patch always means the same
 * phase; without a season it is a power of two.
 */
static int
auto_patch(int context, int season)
{
	int			best = 1;

	for (int p = 2; p <= LONGEST_PATCH; p++)
	{
		bool		fits = season > 1 ? season % p == 0 || p % season == 0 : (p & (p - 1)) == 0;

		if (fits && context / p >= LEAST_STEPS)
			best = p;
	}
	return best;
}

/*
 * Short series teach little but which way things went; flipped ones teach that
 * up and down are alike.  Long ones have shapes that up and down don't share,
 * and what a covariate or the calendar does has a sign.
 */
static int
auto_flips(const rnn_config *cfg, const rnn_summary *d)
{
	return cfg->covariates.n == 0 && cfg->terms == 0 && d->series >= PANEL && d->points < SHORT_SERIES * (int64_t) d->series ? RNN_FLIPS_ON : RNN_FLIPS_OFF;
}

void
rnn_config_resolve(rnn_config *cfg, const rnn_summary *d)
{
	const Sizes *size = &sizes[cfg->effort];
	bool		long_asked = cfg->context > 0,
				many = d->points >= FEW_POINTS;
	int			T;

	if (cfg->horizon == 0)
		cfg->horizon = auto_horizon(cfg, d);
	if (cfg->context == 0)
		cfg->context = cfg->patch > 0 ? clamp((int64_t) auto_context(cfg, d), cfg->patch, LONGEST_CONTEXT)
			: auto_context(cfg, d);
	if (cfg->patch == 0)
		cfg->patch = auto_patch(cfg->context, cfg->seasons[0]);
	/* a whole number of patches, but no more points than a stored model may have */
	T = (cfg->context + cfg->patch - 1) / cfg->patch;
	cfg->context = (T * cfg->patch > LONGEST_CONTEXT ? T - 1 : T) * cfg->patch;
	T = cfg->context / cfg->patch;
	/* Nobody asks for so many steps but to have something remembered over them. */
	if (cfg->gate_memory < 0)
		cfg->gate_memory = long_asked && T >= LONG_STEPS ? cfg->context : 0;
	if (cfg->bptt == 0)
		cfg->bptt = T < 512 ? T : 512;
	if (cfg->bptt > T)
		cfg->bptt = T;
	if (cfg->hidden == 0)
		cfg->hidden = size->hidden[many];
	if (cfg->batch == 0)
	{
		/* About 2,000 positions, fewer where the horizon is long. */
		int64_t		blocks = (cfg->horizon + RNN_BLOCK - 1) / RNN_BLOCK;

		cfg->batch = clamp(6144 / (cfg->bptt * (blocks + 1)), 4, 64);
	}
	if (cfg->steps == 0)
		cfg->steps = size->steps[many];
	/*
	 * Dropped units shrink what the network says: towards the mix, where there
	 * is one, and else towards nothing.
	 */
	if (cfg->dropout < 0)
		cfg->dropout = cfg->skip ? 0.2 : 0;
	if (cfg->flips == RNN_FLIPS_AUTO)
		cfg->flips = auto_flips(cfg, d);
	/* A panel is trained once for many forecasts; members that are averaged err less. */
	if (cfg->members == 0)
		cfg->members = size->members[many || d->series >= PANEL];
}

/* -------------------------------------------------- terms of the calendar */

/* Phases of the seasons are inputs already. */
static bool
is_season(const rnn_config *cfg, const rnn_calendar *calendar, int term)
{
	for (int i = 0; i < cfg->seasons_given; i++)
		if (fabs(cfg->seasons[i] - calendar->steps[term]) <= NEAR * calendar->steps[term])
			return true;
	return false;
}

/*
 * All that the history goes through once where they are asked for; auto: day
 * and week, twice, and no season has them, and only where series are long and
 * the network is judged.
 */
int
rnn_calendar_terms(const rnn_config *cfg, const rnn_calendar *calendar, const rnn_summary *d, size_t memory)
{
	bool		asked = cfg->calendar > 0;
	int			terms = 0;

	if (cfg->calendar == 0 ||
		(!asked && (cfg->start != RNN_START_AUTO || !cfg->skip || d->points < LEAST_LENGTH * (int64_t) d->series ||
					d->points > (int64_t) (memory / MEMORY_PART / (sizeof(real) * RNN_PHASES)))))
		return 0;
	for (int i = 0; i <= (asked ? RNN_TERM_YEAR : RNN_TERM_WEEK); i++)
		if (calendar->terms & 1 << i && d->longest >= (asked ? 1 : 2) * calendar->steps[i] &&
			(asked || !is_season(cfg, calendar, i)))
			terms |= 1 << i;
	return terms;
}
