/*
 * week.c
 *		Days of the week that a daily series has, as five from Monday to Friday.
 *
 * A set of days is a mask, bit 0 for Monday; 0 stands for all of them.  Open
 * days are numbered through, so that a step over a weekend is one step.
 */
#include "pg/base/base.h"

#define DAYS 7
#define MONDAY (-5)				/* before 2000-01-01, a Saturday */

static const char *const names[DAYS] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

static int
count_bits(int mask)
{
	int			n = 0;

	for (; mask; mask &= mask - 1)
		n++;
	return n;
}

/* Rounds down before 2000 too. */
static int64
week_of(int64 day)
{
	return (day - MONDAY) / DAYS - ((day - MONDAY) % DAYS < 0);
}

int
week_weekday(int64 day)
{
	return (int) (day - MONDAY - week_of(day) * DAYS);
}

int
week_days(int week)
{
	return week ? count_bits(week) : DAYS;
}

int64
week_number(int week, int64 day)
{
	return week_of(day) * count_bits(week) + count_bits(week & ((1 << week_weekday(day)) - 1));
}

int64
week_day(int week, int64 number)
{
	int			days = count_bits(week),
				left;
	int64		whole = number / days - (number % days < 0),
				day = whole * DAYS + MONDAY;

	left = (int) (number - whole * days);
	while (true)
	{
		if (week & 1 << week_weekday(day) && left-- == 0)
			return day;
		day++;
	}
}

/* The days from one to another, around the week's end where it must be. */
static int
range_mask(int from, int to)
{
	int			mask = 1 << from;

	for (int d = from; d != to;)
	{
		d = (d + 1) % DAYS;
		mask |= 1 << d;
	}
	return mask;
}

/* "weekdays", a range as "Mon-Sat", or a list as "Mon,Wed,Fri". */
const char *
week_text(int week)
{
	StringInfoData list;

	if (week == WEEKDAYS)
		return "weekdays";
	for (int from = 0; from < DAYS; from++)
		for (int to = 0; to < DAYS; to++)
			if (range_mask(from, to) == week && week_days(week) > 2)
				return psprintf("%s-%s", names[from], names[to]);
	initStringInfo(&list);
	for (int d = 0; d < DAYS; d++)
		if (week & 1 << d)
			appendStringInfo(&list, "%s%s", list.len ? "," : "", names[d]);
	return list.data;
}

static int
day_named(const char *text)
{
	for (int d = 0; d < DAYS; d++)
		if (pg_strncasecmp(text, names[d], 3) == 0)
			return d;
	return -1;
}

/* What week_text writes, 0 where it is something else. */
int
week_parse(const char *text)
{
	int			mask = 0;

	if (pg_strcasecmp(text, "weekdays") == 0)
		return WEEKDAYS;
	while (true)
	{
		int			from = day_named(text),
					to = from;

		if (from < 0)
			return 0;
		text += 3;
		if (*text == '-')
		{
			if ((to = day_named(text + 1)) < 0)
				return 0;
			text += 4;
		}
		mask |= range_mask(from, to);
		if (*text == '\0')
			break;
		if (*text++ != ',')
			return 0;
	}
	/* All days are a step of one day, and one of them is a week. */
	return count_bits(mask) > 1 && count_bits(mask) < DAYS ? mask : 0;
}
