/*
 * check.h
 *		The whole test framework: checks count, a summary line is printed.
 */
#ifndef CHECK_H
#define CHECK_H

#include <math.h>
#include <stdio.h>

static int	check_passed,
			check_failed;

static inline void
check_result(int ok, const char *file, int line, const char *what)
{
	if (ok)
		check_passed++;
	else if (++check_failed <= 20)
		printf("%s:%d: %s\n", file, line, what);
}

#define CHECK(cond) check_result((cond) ? 1 : 0, __FILE__, __LINE__, #cond)

/* |a - b| <= rel max(|a|, |b|) */
#define CHECK_NEAR(a, b, rel) \
	do { \
		double a_ = (a), b_ = (b); \
		int ok_ = fabs(a_ - b_) <= (rel) * fmax(fabs(a_), fabs(b_)); \
		check_result(ok_, __FILE__, __LINE__, #a " near " #b); \
		if (!ok_ && check_failed <= 20) \
			printf("\t%.17g, %.17g\n", a_, b_); \
	} while (0)

#define TEST(name) name()

static inline int
check_summary(const char *suite)
{
	printf("%s: %d passed, %d failed\n", suite, check_passed, check_failed);
	return check_failed > 0;
}

#endif							/* CHECK_H */
