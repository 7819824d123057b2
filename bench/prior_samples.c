/*
 * prior_samples.c
 *		Prints synthetic series as CSV (make build/prior_samples).
 *
 *		build/prior_samples N [SEED [FAMILY]]
 *
 * N series of the seed, or the first N of the family of that number.  Columns:
 * number, family, n, seasons, given, t (from n on it is the future), x.
 * With N negative, times -N series instead.
 */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static rnn_synth_work work;
static rnn_synth s;

static int
measure(int count, uint64_t seed)
{
	double		seconds[RNN_FAMILIES] = {0},
				all = 0,
				points = 0;
	int			made[RNN_FAMILIES] = {0};

	for (int i = 0; i < count; i++)
	{
		clock_t		start = clock();
		double		took;

		rnn_synth_make(seed, i, RNN_SPLIT_ALL, RNN_SYNTH_HORIZON, &work, &s);
		took = (double) (clock() - start) / CLOCKS_PER_SEC;
		seconds[s.family] += took;
		all += took;
		made[s.family]++;
		points += s.n;
	}
	for (int f = 0; f < RNN_FAMILIES; f++)
		printf("%-26s %6d series %8.1f microseconds each\n", rnn_family_name(f), made[f],
			   1e6 * seconds[f] / (made[f] ? made[f] : 1));
	printf("%.0f series a second, of %.0f points on average\n", count / all, points / count);
	return 0;
}

static void
print_seasons(const int *seasons, int n)
{
	for (int i = 0; i < n; i++)
		printf("%s%d", i ? " " : "", seasons[i]);
	printf(",");
}

int
main(int argc, char **argv)
{
	int			count = argc > 1 ? atoi(argv[1]) : 40,
				family = argc > 3 ? atoi(argv[3]) : -1;
	uint64_t	seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

	if (count < 0)
		return measure(-count, seed);
	if (family >= RNN_FAMILIES)
		return 1;
	printf("number,family,n,seasons,given,t,x\n");
	for (uint64_t i = 0; count > 0; i++)
	{
		rnn_synth_make(seed, i, RNN_SPLIT_ALL, RNN_SYNTH_HORIZON, &work, &s);
		if (family >= 0 && (int) s.family != family)
			continue;
		count--;
		for (int t = 0; t < s.n + s.horizon; t++)
		{
			printf("%llu,\"%s\",%d,", (unsigned long long) i, rnn_family_name(s.family), s.n);
			print_seasons(s.seasons, s.n_seasons);
			print_seasons(s.given, s.n_given);
			printf("%d,", t);
			if (s.x[t] == s.x[t])
				printf("%.10g", s.x[t]);
			printf("\n");
		}
	}
	return 0;
}
