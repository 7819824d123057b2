/*
 * sort.c
 *		Sorting that may take long: a cancel ends it.
 */
#include "pg/base/base.h"

#include "miscadmin.h"

#if PG_VERSION_NUM >= 150000
void
sort_interruptibly(void *x, Size n, Size width, Comparison compare, void *arg)
{
	qsort_interruptible(x, n, width, compare, arg);
}
#else
typedef struct Sort
{
	Comparison	compare;
	void	   *arg;
} Sort;

static int
compare_interruptibly(const void *a, const void *b, void *arg)
{
	Sort	   *sort = arg;

	CHECK_FOR_INTERRUPTS();
	return sort->compare(a, b, sort->arg);
}

/* It sorts in place: nothing is lost by a jump out of it. */
void
sort_interruptibly(void *x, Size n, Size width, Comparison compare, void *arg)
{
	Sort		sort = {compare, arg};

	qsort_arg(x, n, width, compare_interruptibly, &sort);
}
#endif

int
compare_int64(const void *a, const void *b, void *arg)
{
	int64		x = *(const int64 *) a,
				y = *(const int64 *) b;

	return (x > y) - (x < y);
}
