/*
 * step.c
 *		The step of a column or a panel, from the gaps between its rows.
 *
 * Every series proposes one (pace.c).  The step that
 * most regular series propose is that of all, the finer one of equals, if it
 * fits at least half of the series: gaps that are multiples of the step are
 * missing points.  So what one series has wrong is its own problem, and only
 * that one is off the grid.  Where no step is good for half of the series, nor
 * one gap that of most rows, there is none: an error, or with the option "bin"
 * the step that people would name for the usual gaps.
 *
 * A step of one day has the days of the week that there are.  The option "step"
 * goes over all of this.
 */
#include "pg/time/pace.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#define LENGTH_OF_MONTH (30 * USECS_PER_DAY)	/* to compare steps */
#define MOST_TRIED 32			/* candidates */

/* A length that some series propose; a day is also 24 hours. */
typedef struct Candidate
{
	int64		length;			/* numbers or microseconds */
	int64		months;
	int			units;			/* bits: 1 << unit */
	int			regular,		/* series that propose it */
				usual,
				all;
} Candidate;

/* ------------------------------------------------------------------- vote */

static Candidate
candidate_of(const Pace *pace)
{
	Step		step = pace->step;

	return (Candidate) {
		.length = step.count * (step.unit == UNIT_MONTHS ? LENGTH_OF_MONTH : step.unit == UNIT_DAYS ? USECS_PER_DAY : 1),
			.months = step.unit == UNIT_MONTHS ? step.count : 0,
			.units = 1 << step.unit,.regular = pace->regular,.usual = pace->usual,.all = 1
	};
}

static int
compare_lengths(const void *a, const void *b, void *arg)
{
	const Candidate *x = a,
			   *y = b;

	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return (x->months > y->months) - (x->months < y->months);
}

/* The most votes first, the finer of equals. */
static int
compare_votes(const void *a, const void *b, void *arg)
{
	const Candidate *x = a,
			   *y = b;

	if (x->regular != y->regular)
		return y->regular - x->regular;
	return x->all != y->all ? y->all - x->all : compare_lengths(a, b, NULL);
}

/* Candidates in their order, (count) at most; how many there are. */
static int
count_votes(const Pace *paces, int count, Candidate *candidates)
{
	int			voters = 0,
				n = 0;

	for (int g = 0; g < count; g++)
		if (paces[g].step.count > 0)
			candidates[voters++] = candidate_of(&paces[g]);
	sort_interruptibly(candidates, voters, sizeof(Candidate), compare_lengths, NULL);
	for (int i = 0; i < voters; i++)
	{
		if (n == 0 || compare_lengths(&candidates[n - 1], &candidates[i], NULL) != 0)
		{
			candidates[n++] = candidates[i];
			continue;
		}
		candidates[n - 1].units |= candidates[i].units;
		candidates[n - 1].regular += candidates[i].regular;
		candidates[n - 1].usual += candidates[i].usual;
		candidates[n - 1].all += candidates[i].all;
	}
	sort_interruptibly(candidates, n, sizeof(Candidate), compare_votes, NULL);
	return n;
}

/* Whether all gaps of a series are multiples of a step. */
static bool
fits(const Pace *pace, Step step)
{
	int64		divisor = pace->divisor[step.unit];

	return divisor > 0 && divisor % step.count == 0;
}

/* How many more series fit a step than don't, of all and of the regular ones. */
typedef struct Majority
{
	int			all,
				regular;
} Majority;

static Majority
majority_for(const Pace *paces, int count, Step step)
{
	Majority	m = {0};

	for (int g = 0; g < count; g++)
	{
		int			vote = paces[g].step.count == 0 ? 0 : fits(&paces[g], step) ? 1 : -1;

		m.all += vote;
		m.regular += paces[g].regular ? vote : 0;
	}
	return m;
}

/*
 * Whether a step is good for at least half of the series, and for most of the
 * regular ones: of twos and threes neither is the step of all.
 */
static bool
is_common(const Pace *paces, int count, Step step, int regular)
{
	Majority	m = majority_for(paces, count, step);

	return m.all >= 0 && (m.regular > 0 || regular == 0);
}

/* The unit in which more series fit a candidate, days before 24 hours. */
static Step
step_of(const Pace *paces, int count, const Candidate *c)
{
	Step		plain = {UNIT_PLAIN, c->length},
				days = {UNIT_DAYS, c->length / USECS_PER_DAY};

	if (c->units == 1 << UNIT_MONTHS)
		return (Step) {UNIT_MONTHS, c->months};
	if (c->units == 1 << UNIT_PLAIN)
		return plain;
	if (c->units == 1 << UNIT_DAYS)
		return days;
	return majority_for(paces, count, days).all >= majority_for(paces, count, plain).all ? days : plain;
}

/* False where no step is better than any other: the most frequent gap is returned. */
static bool
choose_step(const Pace *paces, int count, bool times, Step *step)
{
	static const Step smallest[] = {{UNIT_MONTHS, 1}, {UNIT_DAYS, 1}};
	Candidate  *candidates = palloc_extended(sizeof(Candidate) * Max(count, 1), MCXT_ALLOC_HUGE);
	int			regular = 0,
				all = 0,
				n = count_votes(paces, count, candidates);
	bool		found = n == 0;

	*step = (Step) {times ? UNIT_DAYS : UNIT_PLAIN, 1};
	for (int i = 0; i < n; i++)
	{
		regular += candidates[i].regular;
		all += candidates[i].all;
	}
	for (int i = 0; i < Min(n, MOST_TRIED) && !found; i++)
	{
		CHECK_FOR_INTERRUPTS();
		*step = step_of(paces, count, &candidates[i]);
		found = is_common(paces, count, *step, regular);
	}
	for (int i = 0; i < (int) lengthof(smallest) && times && !found; i++)
	{
		*step = smallest[i];
		found = is_common(paces, count, *step, regular);
	}
	if (!found)
	{
		*step = times ? step_of(paces, count, &candidates[0]) : (Step) {UNIT_PLAIN, 1};
		/* Where it is the gap of most rows of most series, others are off the grid. */
		found = !times || candidates[0].usual > all / 2;
	}
	pfree(candidates);
	return found;
}

static void
refuse_step(const Pace *paces, int count, Step step, const rnn_clock *clock)
{
	int			all = 0,
				fit = 0;

	for (int g = 0; g < count; g++)
		if (paces[g].step.count > 0)
		{
			all++;
			fit += fits(&paces[g], step);
		}
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("the times%s have no common step", count > 1 ? " of the series" : ""),
			 count > 1 ? errdetail("The most frequent gap is %s and fits %d of %d series.", clock_step_text(clock), fit, all) :
			 errdetail("The most frequent gap is %s.", clock_step_text(clock)),
			 errhint("Set the option \"bin\", for instance to \"mean\", or aggregate to a regular step first.")));
}

/*
 * The day of the month of most series.  It matters to those that begin on the
 * last day of a month that is too short for theirs: their votes come first.
 */
static int
choose_month_day(const Pace *paces, int count)
{
	int64		votes[32] = {0};
	int			best = 0;

	for (int g = 0; g < count; g++)
	{
		int			day = month_day(&paces[g]);
		bool		known = paces[g].open_day > 0 || paces[g].low_day < paces[g].top_day;

		if (paces[g].divisor[UNIT_MONTHS] > 0 && day >= 28 && known)
			votes[day] += paces[g].first_day < day ? (int64) count + 1 : 1;
	}
	for (int day = 28; day <= 31; day++)
		if (votes[day] > votes[best])
			best = day;
	return best;
}

/* ------------------------------------------------------------- given step */

static void
refuse_given(const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"step\" must be %s here", wanted)));
}

/* The option "step", which goes over what the rows say. */
static void
set_given(const StepOption *given, rnn_clock *clock)
{
	bool		plain = given->usecs > 0 && given->months == 0 && given->days == 0;

	clock->usecs = clock->days = clock->months = 0;
	if (!clock_has_times(clock))
	{
		if (given->number == 0)
			refuse_given("a whole number");
		clock->usecs = given->number;
		return;
	}
	if (given->number > 0)
		refuse_given("an interval or days of the week");
	clock->week = given->week;
	clock->months = given->months;
	clock->days = given->days;
	clock->usecs = given->usecs;
	/* Only where clocks change are 24 hours something else than a day. */
	if (plain && clock->kind != RNN_CLOCK_TIMESTAMPTZ && given->usecs % USECS_PER_DAY == 0)
	{
		clock->days = (int32) (given->usecs / USECS_PER_DAY);
		clock->usecs = 0;
	}
	if (clock->kind == RNN_CLOCK_DATE && clock->usecs > 0)
		refuse_given("a number of days, months or years");
}

/*
 * Whether at least half of the series go by a step but for a few rows.  Gaps
 * of jobs that are seldom on time may have a most frequent one by chance.
 */
static bool
is_exact(const Pace *paces, int count, Step step)
{
	int			all = 0,
				exact = 0;

	for (int g = 0; g < count; g++)
	{
		const Pace *pace = &paces[g];

		if (pace->step.count == 0)
			continue;
		all++;
		exact += fits(pace, step) ||
			(pace->steady && pace->step.unit == step.unit && pace->step.count == step.count);
	}
	return 2 * exact >= all;
}

/* ------------------------------------------------------------- rough steps */

#define MINUTE (60 * USECS_PER_SEC)
#define DAY USECS_PER_DAY

typedef struct RoughStep
{
	int64		length;
	int32		days,
				months;			/* both 0: microseconds */
} RoughStep;

/* Steps that people name. */
#define TIME(microseconds) {(microseconds), 0, 0}
static const RoughStep rough_steps[] = {
	TIME(1), TIME(2), TIME(5), TIME(10), TIME(20), TIME(50), TIME(100), TIME(200), TIME(500), TIME(1000),
	TIME(2000), TIME(5000), TIME(10000), TIME(20000), TIME(50000), TIME(100000), TIME(200000), TIME(500000),
	TIME(1000000), TIME(2000000), TIME(5000000), TIME(10000000), TIME(15000000), TIME(20000000), TIME(30000000),
	TIME(MINUTE), TIME(2 * MINUTE), TIME(3 * MINUTE), TIME(5 * MINUTE), TIME(10 * MINUTE), TIME(15 * MINUTE),
	TIME(20 * MINUTE), TIME(30 * MINUTE), TIME(60 * MINUTE), TIME(120 * MINUTE), TIME(180 * MINUTE),
	TIME(240 * MINUTE), TIME(360 * MINUTE), TIME(480 * MINUTE), TIME(720 * MINUTE),
	{DAY, 1, 0}, {7 * DAY, 7, 0},
	{INT64CONST(2629746000000), 0, 1}, {INT64CONST(7889238000000), 0, 3}, {INT64CONST(31556952000000), 0, 12}
};

#define ROUGH_STEPS ((int) lengthof(rough_steps))

/* By ratio the nearest to a gap. */
static int
nearest_step(int64 gap)
{
	int			k = 0;

	while (k + 1 < ROUGH_STEPS && (double) gap * gap >= (double) rough_steps[k].length * rough_steps[k + 1].length)
		k++;
	return k;
}

/* The first of the greatest. */
static int
most_votes(const int64 *votes)
{
	int			best = 0;

	for (int k = 1; k < ROUGH_STEPS; k++)
		if (votes[k] > votes[best])
			best = k;
	return best;
}

/* The step that people would name for the most usual gaps, where they differ. */
static void
infer_rough_step(RowGroup *groups, int count, rnn_clock *clock)
{
	int64		series[ROUGH_STEPS] = {0};
	RoughStep	step;

	for (int g = 0; g < count; g++)
	{
		int64		votes[ROUGH_STEPS] = {0};

		CHECK_FOR_INTERRUPTS();
		for (int64 i = 1; i < groups[g].n; i++)
			votes[nearest_step(gap_before(&groups[g], i))]++;
		if (groups[g].n > 1)
			series[most_votes(votes)]++;
	}
	step = rough_steps[most_votes(series)];
	clock->days = step.days;
	clock->months = step.months;
	clock->usecs = step.days > 0 || step.months > 0 ? 0 : step.length;
}

/* ---------------------------------------------------------- days of a week */

#define LEAST_SPAN 19			/* days, from a Monday to the Friday two weeks later */
#define LEAST_FILLED 0.8		/* of the days that there would be */

/*
 * Days of the week that there are, 0 for all of them: some never occur in
 * three weeks or more, while rows are there for most of the others.
 */
static int
infer_week(const RowGroup *groups, int count, const rnn_clock *clock)
{
	int			week = 0;
	int64		longest = 0,
				rows = 0;
	double		days = 0;

	for (int g = 0; g < count; g++)
		for (int64 i = 0; usable(&groups[g]) && i < groups[g].n; i++)
		{
			if ((i & 0xffff) == 0)
				CHECK_FOR_INTERRUPTS();
			week |= 1 << week_weekday(fields_at(clock, groups[g].rows[i].at).day);
		}
	if (week == 0 || week_days(week) < 2 || week_days(week) == 7)
		return 0;
	for (int g = 0; g < count; g++)
	{
		int64		first,
					last;

		if (!usable(&groups[g]))
			continue;
		first = fields_at(clock, groups[g].rows[0].at).day;
		last = fields_at(clock, groups[g].rows[groups[g].n - 1].at).day;
		longest = Max(longest, last - first + 1);
		days += week_number(week, last) - week_number(week, first) + 1;
		rows += groups[g].n;
	}
	return longest >= LEAST_SPAN && rows >= LEAST_FILLED * days ? week : 0;
}

/* ------------------------------------------------------------------ choice */

static void
set_step(Step step, rnn_clock *clock)
{
	if (step.unit == UNIT_PLAIN)
		clock->usecs = step.count;
	else if (step.unit == UNIT_DAYS)
		clock->days = (int32) step.count;
	else
		clock->months = (int32) step.count;
}

/* Chooses the step of rows with different times. */
static void
choose_clock(RowGroup *groups, int count, bool fail, const StepOption *given, rnn_clock *clock)
{
	Pace	   *paces = palloc_extended(sizeof(Pace) * Max(count, 1), MCXT_ALLOC_HUGE);
	int64		longest = 1;
	int64	   *gaps;
	Step		step;
	bool		common;

	for (int g = 0; g < count; g++)
		longest = Max(longest, groups[g].n);
	gaps = palloc_extended((Size) longest * sizeof(int64), MCXT_ALLOC_HUGE);
	for (int g = 0; g < count; g++)
	{
		CHECK_FOR_INTERRUPTS();
		find_pace(&groups[g], clock, fail, gaps, &paces[g]);
	}
	common = choose_step(paces, count, clock_has_times(clock), &step);
	/* Single rows have no step: their instants stay as they are until a model has one. */
	if (longest == 1 && clock->kind == RNN_CLOCK_TIMESTAMPTZ && !given->given)
		step = (Step) {UNIT_PLAIN, USECS_PER_DAY};
	set_step(step, clock);
	if (given->given)
		set_given(given, clock);
	else if (clock->bin != RNN_BIN_NONE)
	{
		if (!is_exact(paces, count, step))
			infer_rough_step(groups, count, clock);
	}
	else if (!common && fail)
		refuse_step(paces, count, step, clock);
	if (clock->months > 0 && clock->bin == RNN_BIN_NONE)
		clock->month_day = choose_month_day(paces, count);
	if (clock->days == 1 && !given->given)
		clock->week = infer_week(groups, count, clock);
	pfree(gaps);
	pfree(paces);
}

/* Copies of the groups, with one row of each time; those that can't be used are empty. */
static RowGroup *
different_times(const RowGroup *groups, int count)
{
	RowGroup   *copies = palloc_extended(sizeof(RowGroup) * Max(count, 1), MCXT_ALLOC_HUGE);

	for (int g = 0; g < count; g++)
	{
		const RowGroup *from = &groups[g];
		RowGroup   *to = &copies[g];

		*to = *from;
		to->rows = palloc_extended((Size) Max(from->n, 1) * sizeof(Row), MCXT_ALLOC_HUGE);
		to->n = 0;
		for (int64 i = 0; i < from->n; i++)
			if (i == 0 || from->rows[i].at != from->rows[i - 1].at)
				to->rows[to->n++] = from->rows[i];
	}
	return copies;
}

/* Times become local ones where the calendar counts. */
static void
localise(RowGroup *groups, int count, const rnn_clock *clock)
{
	if (clock->usecs > 0 || clock->kind != RNN_CLOCK_TIMESTAMPTZ)
		return;
	for (int g = 0; g < count; g++)
		for (int64 i = 0; i < groups[g].n; i++)
		{
			if ((i & 0xfff) == 0)
				CHECK_FOR_INTERRUPTS();
			groups[g].rows[i].at = to_local(clock, groups[g].rows[i].at);
		}
}

void
clock_infer(RowGroup *groups, int count, RowForm form, const char *zone, const Tidying *tidying, bool fail,
			rnn_clock *clock)
{
	RowGroup   *times = groups;

	memset(clock, 0, sizeof(*clock));
	clock->kind = form;
	clock->bin = tidying->bin;
	if (clock_has_times(clock) && strlcpy(clock->zone, zone, sizeof(clock->zone)) >= sizeof(clock->zone))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of time zone \"%s\" has more than %d bytes", zone, RNN_ZONE_SIZE - 1),
				 errhint("Set a time zone of the view pg_timezone_names.")));
	for (int g = 0; g < count; g++)
		merge_duplicates(&groups[g], clock, tidying, fail);
	if (tidying->bin != RNN_BIN_NONE)
		times = different_times(groups, count);
	choose_clock(times, count, fail, &tidying->step, clock);
	if (times == groups)
	{
		localise(groups, count, clock);
		return;
	}
	for (int g = 0; g < count; g++)
		pfree(times[g].rows);
	pfree(times);
	bin_rows(groups, count, clock, tidying->merged ? RNN_BIN_LAST : clock->bin, fail);
}
