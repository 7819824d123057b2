/*
 * test_references.c
 *		Every reference, its error and weight, and their mix against the
 *		executable specification, and what the engine promises beside it.
 */
#include "check.h"
#include "rnn.h"
#include "bank/bank.h"

#include <stdlib.h>
#include <string.h>

#define KEPT 4					/* steps of a horizon in a golden case */

typedef struct golden
{
	const char *title;
	/* the recipe of the series, make_golden_references.py */
	int64_t		n;
	int			h;
	int			seasons[RNN_MAX_SEASONS],
				n_seasons;
	int64_t		level,
				trend,
				walk,
				noise,
				amp[RNN_MAX_SEASONS],
				run,
				thin,
				sink;
	int			refs;
	double		scale,
				kappa,
				last,			/* known value, and sum of |x / scale|, to check the recipe by */
				sum;
	/* what it gives */
	int			rounding;		/* some errors are nothing but rounding: errors and weights of no use */
	int			seen;
	int			kept;
	int			step[KEPT];
	char		formed[RNN_REFS + 1];	/* '0' absent, '1' formed, '2' and in the mix */
	double		ref[RNN_REFS][KEPT],
				error[RNN_REFS],
				weight[RNN_REFS],
				spread[2],
				mix[KEPT],
				local[KEPT];	/* the mix by weights at each step */
} golden;

static const golden goldens[] = {
#include "golden_references.h"
};

/* ---------------------------------------------------------------- series */

static int64_t
integer_noise(int64_t amplitude, uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (int64_t) (((uint64_t) amplitude * (*state >> 33)) >> 31) - amplitude / 2;
}

/* The series of a case, NaN in its gaps; malloc'd. */
static double *
follow(const golden *g)
{
	double	   *x = malloc(sizeof(double) * g->n);
	uint64_t	state = g->n;
	int64_t		walk = 0;

	for (int64_t i = 0; i < g->n; i++)
	{
		int64_t		value;
		bool		inner = i > 0 && i < g->n - 1;

		walk += integer_noise(g->walk, &state);
		value = g->level + g->trend * i + walk + integer_noise(g->noise, &state);
		for (int s = 0; s < g->n_seasons; s++)
		{
			int64_t		m = g->seasons[s],
						phase = i % m;

			value += 4 * g->amp[s] * phase * (m - phase) / (m * m);
		}
		if (i >= g->n - g->sink)
			value = -value;
		x[i] = (double) value * g->scale;
		if (inner && ((i >= g->n / 2 && i < g->n / 2 + g->run) || (g->thin && i % g->thin == 3)))
			x[i] = NAN;
	}
	return x;
}

/* A series that no golden case has: noise around a level, with a season of 12. */
static double *
monthly(int64_t n, double level, uint64_t seed)
{
	double	   *x = malloc(sizeof(double) * n);
	rnn_rng		rng;

	rnn_rng_seed(&rng, seed, 3);
	for (int64_t i = 0; i < n; i++)
		x[i] = level + 5 * sin(6.283185307179586 * i / 12) + rnn_rng_normal(&rng);
	return x;
}

static rnn_mix_rule
rule_of(int h, const int *seasons, int n_seasons, double kappa, int refs)
{
	rnn_mix_rule rule = rnn_mix_rule_plain(h, seasons, n_seasons, kappa);

	rule.refs = refs;
	return rule;
}

/* References and mix in scratch of exactly the size asked for, full of `byte`. */
static rnn_mix
mix_at(const double *x, int64_t n, int h, const int *seasons, int n_seasons, double kappa, int refs, int byte, double *ref)
{
	size_t		bytes = sizeof(double) * rnn_mix_work(n, h);
	double	   *work = malloc(bytes + 64);
	rnn_mix_rule rule = rule_of(h, seasons, n_seasons, kappa, refs);
	rnn_mix		mix;
	int			intact = 1;

	memset(work, byte, bytes + 64);
	memset(&mix, byte, sizeof(mix));
	rnn_mix_at(&rule, x, n, &mix, ref, work);
	for (int i = 0; i < 64; i++)
		intact &= ((unsigned char *) work)[bytes + i] == (unsigned char) byte;
	CHECK(intact);
	free(work);
	return mix;
}

/* --------------------------------------------------------------- goldens */

/*
 * Both sides are arithmetic in double and so agree to 1e-9 with room to spare,
 * but for values that nearly cancel: sums in another order leave the rounding
 * of what was added up, which is `size` at most.
 */
static bool
near(double got, double want, double size)
{
	return fabs(got - want) <= fmax(1e-9 * fmax(fabs(got), fabs(want)), 1e-14 * size);
}

static void
check_values(const golden *g, const char *what, int which, const double *got, const double *want, int n, double size)
{
	int			bad = 0;

	for (int i = 0; i < n; i++)
		if (!near(got[i], want[i], size))
			bad = i + 1;
	CHECK(bad == 0);
	if (bad)
		printf("\t%s: %s %d [%d] is %.13g, not %.13g\n", g->title, what, which, bad - 1, got[bad - 1], want[bad - 1]);
}

static void
check_golden(const golden *g)
{
	double	   *x = follow(g),
			   *ref = malloc(sizeof(double) * RNN_REFS * g->h),
			   *out = malloc(sizeof(double) * g->h),
				top = 0,
				sum = 0,
				at[KEPT];
	rnn_mix		mix;
	rnn_mix_rule rule = rule_of(g->h, g->seasons, g->n_seasons, g->kappa, g->refs);
	double	   *work = malloc(sizeof(double) * rnn_mix_work(g->n, g->h)),
			   *weight = malloc(sizeof(double) * RNN_REFS * g->h);

	rnn_fill_forward(x, g->n, x);
	for (int64_t i = 0; i < g->n; i++)
	{
		top = fmax(top, fabs(x[i]));
		sum += fabs(x[i] / g->scale);
	}
	CHECK(x[g->n - 1] == g->last);
	CHECK_NEAR(sum, g->sum, 1e-14);

	mix = mix_at(x, g->n, g->h, g->seasons, g->n_seasons, g->kappa, g->refs, 0xff, ref);
	rnn_mix_combine(&mix, ref, g->h, out);
	CHECK(mix.seen == g->seen);
	for (int r = 0; r < g->refs; r++)
	{
		for (int k = 0; k < g->kept; k++)
			at[k] = ref[r * g->h + g->step[k]];
		/* One that can't be formed is the last value, should anyone look. */
		for (int k = 0; k < g->kept && g->formed[r] == '0'; k++)
			CHECK(at[k] == g->last);
		if (g->formed[r] != '0')
			check_values(g, "reference", r, at, g->ref[r], g->kept, top);
		CHECK(mix.present[r] == (g->formed[r] == '2'));
		if (!g->rounding)
		{
			check_values(g, "error", r, &mix.error[r], &g->error[r], 1, 0);
			check_values(g, "weight", r, &mix.weight[r], &g->weight[r], 1, 0);
		}
	}
	for (int k = 0; k < g->kept; k++)
		at[k] = out[g->step[k]];
	check_values(g, "mix", 0, at, g->mix, g->kept, top);
	rnn_mix_at(&rule, x, g->n, &mix, ref, work);
	rnn_mix_local(&rule, x, &mix, work, weight, out);
	rnn_mix_combine_local(weight, ref, g->h, out);
	for (int k = 0; k < g->kept; k++)
		at[k] = out[g->step[k]];
	check_values(g, "local mix", 0, at, g->local, g->kept, top);
	if (!g->rounding)
		check_values(g, "spread", 0, mix.spread, g->spread, 2, 0);
	free(x), free(ref), free(out), free(work), free(weight);
}

static void
test_goldens(void)
{
	int			n = sizeof(goldens) / sizeof(goldens[0]);

	printf("- references, errors, weights and the mix, by weights of the whole horizon and of each step, are the specification's\n");
	CHECK(n == 80);
	for (int i = 0; i < n; i++)
		check_golden(&goldens[i]);
}

/* ------------------------------------------------------------ properties */

/* What was in the scratch before, and what comes after x, must not matter. */
static void
test_reads_the_past_alone(void)
{
	static const int seasons[] = {4, 12};
	double	   *x = monthly(300, 20, 1),
				ref[2][RNN_REFS * 9];
	rnn_mix		mix[2];

	printf("- nothing but x[0..n) is looked at\n");
	for (int n = 1; n <= 250; n += n < 60 ? 1 : 19)
	{
		double	   *prefix = malloc(sizeof(double) * n);

		memcpy(prefix, x, sizeof(double) * n);
		mix[0] = mix_at(x, n, 9, seasons, 2, 8, RNN_REFS, 0xff, ref[0]);
		mix[1] = mix_at(prefix, n, 9, seasons, 2, 8, RNN_REFS, 0, ref[1]);
		CHECK(memcmp(ref[0], ref[1], sizeof(ref[0])) == 0);
		CHECK(memcmp(mix[0].error, mix[1].error, sizeof(mix[0].error)) == 0);
		CHECK(memcmp(mix[0].weight, mix[1].weight, sizeof(mix[0].weight)) == 0);
		CHECK(memcmp(mix[0].spread, mix[1].spread, sizeof(mix[0].spread)) == 0);
		free(prefix);
	}
	free(x);
}

/* Points before the reach change nothing, those within it do. */
static void
test_reach(void)
{
	static const int seasons[][RNN_MAX_SEASONS] = {{1}, {12}, {52}, {300}, {24, 168}, {4, 12, 300}};
	static const int count[] = {1, 1, 1, 1, 2, 3};
	static const int horizons[] = {1, 60, 700};

	printf("- what lies before the reach changes nothing\n");
	for (int s = 0; s < 6; s++)
		for (int i = 0; i < 3; i++)
		{
			int			h = horizons[i];
			int64_t		reach = rnn_mix_reach(seasons[s], count[s], h),
						n = reach + 1000;
			double	   *x = monthly(n, 20, s),
					   *ref[2];
			rnn_mix		mix[2];

			for (int k = 0; k < 2; k++)
				ref[k] = malloc(sizeof(double) * RNN_REFS * h);
			mix[0] = mix_at(x + 1000, reach, h, seasons[s], count[s], 8, RNN_REFS, 0, ref[0]);
			for (int k = 0; k < 1000; k++)
				x[k] = 15 + k % 9;
			mix[1] = mix_at(x, n, h, seasons[s], count[s], 8, RNN_REFS, 0, ref[1]);
			CHECK(memcmp(ref[0], ref[1], sizeof(double) * RNN_REFS * h) == 0);
			CHECK(memcmp(mix[0].weight, mix[1].weight, sizeof(mix[0].weight)) == 0);
			CHECK(memcmp(mix[0].spread, mix[1].spread, sizeof(mix[0].spread)) == 0);
			x[n - 400] += 1;		/* where the slope of the drift begins */
			mix[1] = mix_at(x, n, h, seasons[s], count[s], 8, RNN_REFS, 0, ref[1]);
			CHECK(memcmp(ref[0], ref[1], sizeof(double) * RNN_REFS * h) != 0);
			free(x), free(ref[0]), free(ref[1]);
		}
}

static void
test_weights(void)
{
	static const int seasons[] = {12};

	printf("- weights are shares, absent references have none\n");
	for (int n = 1; n < 100; n++)
	{
		double	   *x = monthly(n, n % 2 ? 20 : 0, n),
					ref[RNN_REFS * 5],
					sum = 0;
		rnn_mix		mix = mix_at(x, n, 5, seasons, 1, 8, n % 2 ? RNN_REFS : RNN_LEAST_REFS, 0xff, ref);

		for (int r = 0; r < RNN_REFS; r++)
		{
			CHECK(mix.weight[r] >= 0 && mix.weight[r] <= 1);
			CHECK(mix.present[r] || (mix.weight[r] == 0 && mix.error[r] == 0));
			CHECK(!mix.present[r] || mix.error[r] > 0);
			sum += mix.weight[r];
		}
		CHECK_NEAR(sum, 1, 1e-12);
		CHECK(mix.spread[0] > 0 && mix.spread[1] > 0);
		free(x);
	}
}

/* One after the other in shared scratch, whichever the order, the same bytes as each alone. */
static void
test_shared(void)
{
	enum {N = 900, WINDOW = 700};
	static const int seasons[2] = {7, 30};
	static const int h_of[] = {1, 7, 20, 64};
	static double ref[RNN_REFS * 64],
				alone[RNN_REFS * 64];

	printf("- references that are kept for the next position change no byte\n");
	for (int c = 0; c < 24; c++)
	{
		int			h = h_of[c % 4],
					stride = c % 3 == 0 ? -5 : c % 3 == 1 ? h : 1;
		double	   *x = monthly(N, c < 12 ? 40 : 6, c + 1),
				   *work = malloc(sizeof(double) * rnn_mix_work_shared(WINDOW, h));

		memset(work, 0x7f, sizeof(double) * rnn_mix_work_shared(WINDOW, h));
		rnn_mix_begin(work, WINDOW, h);
		for (int64_t i = 0; i < N && i < 300 * labs(stride); i += labs(stride))
		{
			int			refs = i % 3 ? RNN_REFS : RNN_LEAST_REFS;
			int64_t		e = stride > 0 ? 1 + i : N - i,
						n = e < WINDOW ? e : WINDOW;
			rnn_mix		one = mix_at(x + e - n, n, h, seasons, 1 + c % 2, 4, refs, 0, alone),
						next;
			rnn_mix_rule rule = rule_of(h, seasons, 1 + c % 2, 4, refs);

			memset(&next, 0, sizeof(next));
			rnn_mix_next(&rule, x + e - n, e - n, n, &next, ref, work);
			CHECK(memcmp(&one, &next, sizeof(one)) == 0);
			CHECK(memcmp(alone, ref, sizeof(double) * refs * h) == 0);
		}
		free(work), free(x);
	}
}

/* Ends that are a patch apart share their trailing origins. */
static void
test_gaps(void)
{
	/* horizon, patch, points and how far apart the origins are */
	static const int cases[][4] = {
		{30, 1, 400, 30}, {30, 16, 400, 16}, {48, 16, 600, 48}, {50, 7, 600, 49}, {7, 24, 400, 6}, {13, 16, 400, 8}, {1, 12, 400, 1},
		{30, 16, 200, 15}
	};
	static const int seasons[] = {12};
	double	   *x = monthly(600, 20, 1),
				ref[RNN_REFS * 50],
				out[50],
			   *work = malloc(sizeof(double) * rnn_mix_work(600, 50));

	printf("- ends that are a patch apart share origins\n");
	for (int c = 0; c < 8; c++)
	{
		int			h = cases[c][0],
					n = cases[c][2];
		rnn_mix_rule rule = rule_of(h, seasons, 1, 8, RNN_REFS);
		rnn_mix		mix;

		rule.patch = cases[c][1];
		rnn_mix_at(&rule, x, n, &mix, ref, work);
		CHECK(mix.seen > 3);
		for (int v = 1; v <= mix.seen; v++)
		{
			int64_t		end;

			CHECK(rnn_mix_trailing(&mix, work, v, h, out, &end) == h && end == n - h - (v - 1) * cases[c][3]);
		}
	}
	free(x), free(work);
}

/* Largest difference between a mix and the sum of its parts, by the size of the mix. */
static double
parts_apart(const double *x, int64_t n, int h, const int *seasons, int n_seasons, double *parts)
{
	double	   *ref = malloc(sizeof(double) * RNN_REFS * h),
			   *work = malloc(sizeof(double) * rnn_mix_parts_work(n, h)),
			   *mix_work = malloc(sizeof(double) * rnn_mix_work(n, h)),
			   *weight = malloc(sizeof(double) * RNN_REFS * h),
			   *whole = malloc(sizeof(double) * h),
				apart = 0;
	rnn_mix		mix,
				same;
	rnn_mix_rule rule = rule_of(h, seasons, n_seasons, 8, RNN_REFS);

	rnn_mix_at(&rule, x, n, &mix, ref, mix_work);
	rnn_mix_local(&rule, x, &mix, mix_work, weight, whole);
	rnn_mix_combine_local(weight, ref, h, whole);
	memset(work, 0x7f, sizeof(double) * rnn_mix_parts_work(n, h));
	rnn_mix_parts(&rule, x, n, &same, parts, work);
	CHECK(memcmp(&mix, &same, sizeof(mix)) == 0);
	for (int j = 0; j < h; j++)
	{
		double		sum = 0;

		for (int p = 0; p < RNN_PARTS; p++)
			sum += parts[p * h + j];
		apart = fmax(apart, fabs(sum - whole[j]) / fmax(fabs(whole[j]), 1));
	}
	free(ref), free(work), free(whole), free(weight), free(mix_work);
	return apart;
}

static void
test_parts(void)
{
	enum {N = 900, H = 40};
	static const int seasons[3] = {7, 30, 91},
				two[2] = {7, 91};
	static double parts[RNN_PARTS * H];

	printf("- parts of the mix add up to it, and seasons are where they belong\n");
	for (int c = 0; c < 40; c++)
	{
		double	   *x = monthly(N, c % 2 ? 40 : 6, c + 1);
		int64_t		n = c < 10 ? 1 + c : 50 + 20 * c;

		for (int64_t i = 0; c % 3 == 0 && i < n; i++)
			x[i] -= 100;
		CHECK(parts_apart(x, n, 1 + c % H, seasons, 1 + c % 3, parts) < 1e-12);
		free(x);
	}
	for (int positive = 0; positive < 2; positive++)
	{
		double	   *x = malloc(sizeof(double) * N);

		for (int i = 0; i < N; i++)
			x[i] = (positive ? 100 : -20) + 5 * sin(2 * M_PI * i / 7) + 9 * cos(2 * M_PI * i / 91) + 0.01 * i;
		CHECK(parts_apart(x, N, H, two, 2, parts) < 1e-12);
		for (int k = 0; k < 2; k++)
		{
			double		along = 0,
						square = 0;

			for (int j = 0; j < H; j++)
			{
				double		planted = k == 0 ? 5 * sin(2 * M_PI * (N + j) / 7) : 9 * cos(2 * M_PI * (N + j) / 91);

				along += planted * parts[(RNN_PART_SEASON + k) * H + j];
				square += planted * planted;
			}
			CHECK(along > 0.7 * square && along < 1.3 * square);
		}
		free(x);
	}
}

/* Days of 24 hours, whose hours 8 to 15 vary by `day`, and others by 1; a weekend is 20 higher. */
static void
make_days(double *x, int64_t n, double day)
{
	uint64_t	state = 5;

	for (int64_t i = 0; i < n; i++)
	{
		int			hour = (int) (i % 24);
		double		noise = (double) integer_noise(1 << 20, &state) / (1 << 19);

		x[i] = 10 * sin(hour * M_PI / 12) + 20 * (i / 24 % 7 >= 5) + noise * (hour >= 8 && hour < 16 ? day : 1);
	}
}

static void
test_phases(void)
{
	enum { N = 24 * 70 };
	static double x[N];
	int			seasons[] = {24, 168};
	rnn_phases	p,
				other;

	printf("- phases of a season that differ more have wider intervals\n");
	make_days(x, N, 5);
	rnn_phases_at(x, N, seasons, 2, 48, &p);
	for (int hour = 0; hour < 24; hour++)
	{
		double		mean = (8 * 5 + 16 * 1) / 24.0;

		if (hour > 9 && hour < 14)
			CHECK(fabs(rnn_phase_factor(&p, hour) / (5 / mean) - 1) < 0.25);
		if (hour < 6 || hour > 17)
			CHECK(rnn_phase_factor(&p, hour) < 1.6 / mean);
		CHECK(rnn_phase_factor(&p, hour) == rnn_phase_factor(&p, hour + 48));
	}
	/* Without the week the change to a weekend is taken for noise of all hours. */
	rnn_phases_at(x, N, seasons, 1, 48, &other);
	CHECK(rnn_phase_factor(&other, 12) < 0.8 * rnn_phase_factor(&p, 12));
	/* What was measured in the hours before noon is too little for noon. */
	rnn_phases_at(x, N - 16, seasons, 2, 1, &other);
	CHECK(rnn_phase_factor(&other, 3) > 3 && rnn_phase_factor(&other, 18) < 1.3);
	/* Only what the references look at counts, and missing points do not. */
	x[0] = 1e9;
	for (int64_t i = N - 24 * 10; i < N - 24 * 7; i++)
		x[i] = NAN;
	rnn_phases_at(x, N, seasons, 2, 48, &other);
	CHECK(fabs(rnn_phase_factor(&other, 12) / rnn_phase_factor(&p, 12) - 1) < 0.2);
	make_days(x, N, 1);
	rnn_phases_at(x, N, seasons, 2, 48, &p);
	for (int hour = 0; hour < 24; hour++)
		CHECK(fabs(rnn_phase_factor(&p, hour) - 1) < 0.25);
	printf("- too little is known of phases: all are alike\n");
	rnn_phases_at(x, 71, seasons, 1, 48, &p);
	CHECK(rnn_phase_factor(&p, 12) == 1);
	rnn_phases_at(x, N, (int[]) {3}, 1, 48, &p);
	CHECK(rnn_phase_factor(&p, 12) == 1);
	memset(x, 0, sizeof(x));
	rnn_phases_at(x, N, seasons, 2, 48, &p);
	CHECK(rnn_phase_factor(&p, 12) == 1);
}

static void
test_fill_forward(void)
{
	double		x[] = {NAN, NAN, 3, NAN, NAN, -0.0, NAN, 7, INFINITY, NAN},
				want[] = {NAN, NAN, 3, 3, 3, -0.0, -0.0, 7, INFINITY, INFINITY},
				out[10];

	printf("- gaps are filled with what came before them\n");
	rnn_fill_forward(x, 10, out);
	rnn_fill_forward(x, 10, x);
	for (int i = 0; i < 10; i++)
	{
		CHECK(i < 2 ? isnan(out[i]) && isnan(x[i]) : out[i] == want[i] && x[i] == want[i]);
		CHECK(i < 2 || signbit(out[i]) == signbit(want[i]));
	}
}

int
main(void)
{
	TEST(test_goldens);
	TEST(test_reads_the_past_alone);
	TEST(test_reach);
	TEST(test_weights);
	TEST(test_shared);
	TEST(test_gaps);
	TEST(test_parts);
	TEST(test_phases);
	TEST(test_fill_forward);
	return check_summary("references");
}
