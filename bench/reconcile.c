/*
 * reconcile.c
 *		The engine's minimum trace on numbers from standard input: n series, A sums,
 *		T rows; the A numbers of the sums; for each series the count of its sums and
 *		their places; T rows of n residuals; n forecasts.  Prints the shrinkage and
 *		the n reconciled forecasts.
 */
#include "paths/reconcile.h"

#include <stdio.h>
#include <stdlib.h>

static int
read_int(void)
{
	int			x;

	if (scanf("%d", &x) != 1)
		exit(1);
	return x;
}

static void
read_numbers(double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (scanf("%lf", &x[i]) != 1)
			exit(1);
}

int
main(void)
{
	int			n = read_int(),
				count = read_int(),
				rows = read_int();
	int32_t    *series = calloc(count, sizeof(int32_t)),
			   *first = calloc(n + 1, sizeof(int32_t)),
			   *of = calloc((size_t) n * count, sizeof(int32_t));
	double	   *residuals = calloc((size_t) rows * n, sizeof(double)),
			   *y = calloc(n, sizeof(double));
	rnn_sums	sums = {.count = count,.series = series,.first = first,.of = of};
	rnn_mint   *m;

	for (int a = 0; a < count; a++)
		series[a] = read_int();
	for (int i = 0; i < n; i++)
	{
		first[i + 1] = first[i] + read_int();
		for (int k = first[i]; k < first[i + 1]; k++)
			of[k] = read_int();
	}
	read_numbers(residuals, (size_t) rows * n);
	read_numbers(y, n);
	m = rnn_mint_begin(&sums, n, residuals, rows, 1, malloc(rnn_mint_size(&sums, n, rows)));
	while (rnn_mint_step(m))
		continue;
	rnn_mint_apply(m, y);
	printf("%.17g\n", rnn_mint_shrinkage(m));
	for (int i = 0; i < n; i++)
		printf("%.17g\n", y[i]);
	return 0;
}
