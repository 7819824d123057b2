/*
 * cron_time.c
 *		When a schedule of pg_cron is due next.
 */
#include "pg/registry/registry.h"

#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#define MOST_DAYS (8 * 366 + 2)		/* until a February 29 comes round */

typedef struct Field
{
	int			low,
				high;
	const char *const *names;	/* of `low` and up, NULL: none */
} Field;

enum { AT_MINUTE, AT_HOUR, AT_DAY, AT_MONTH, AT_WEEKDAY, CRON_FIELDS };

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const Field fields[CRON_FIELDS] = {
	[AT_MINUTE] = {0, 59, NULL},[AT_HOUR] = {0, 23, NULL},[AT_DAY] = {1, 31, NULL},
	[AT_MONTH] = {1, 12, month_names},[AT_WEEKDAY] = {0, 7, weekday_names}
};

static const struct
{
	const char *name,
			   *means;
}			short_forms[] = {
	{"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
	{"@daily", "0 0 * * *"}, {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"}
};

typedef struct Cron
{
	uint64		set[CRON_FIELDS];	/* bit by value */
	bool		any[CRON_FIELDS];	/* the field begins with a star */
} Cron;

/* A number or a name at *s; -1 where there is none. */
static int
parse_value(const char **s, const Field *f)
{
	int			value = 0;

	for (int i = 0; f->names && f->names[i]; i++)
		if (pg_strncasecmp(*s, f->names[i], 3) == 0)
		{
			*s += 3;
			return f->low + i;
		}
	if (!isdigit((unsigned char) **s))
		return -1;
	for (; isdigit((unsigned char) **s) && value < 1000; (*s)++)
		value = 10 * value + **s - '0';
	return value;
}

static int
longest_step(const Field *f)
{
	return f->high - f->low + 1;
}

/* "*", "3", "1-5", each with "/2" behind it, at *s. */
static bool
parse_range(const char **s, const Field *f, uint64 *set)
{
	int			from = f->low,
				to = f->high,
				by = 1;

	if (**s == '*')
		(*s)++;
	else
	{
		from = to = parse_value(s, f);
		if (**s == '-')
		{
			(*s)++;
			to = parse_value(s, f);
		}
		else if (**s == '/')
			to = f->high;
	}
	if (**s == '/')
	{
		(*s)++;
		by = parse_value(s, &fields[AT_MINUTE]);
	}
	if (from < f->low || to > f->high || from > to || by < 1 || by > longest_step(f))
		return false;
	for (int i = from; i <= to; i += by)
		*set |= UINT64CONST(1) << i;
	return true;
}

/* False where it is none that is known here; pg_cron may know more. */
static bool
parse_cron(const char *text, Cron *cron)
{
	const char *s = text;

	memset(cron, 0, sizeof(*cron));
	for (size_t i = 0; i < lengthof(short_forms); i++)
		if (pg_strcasecmp(text, short_forms[i].name) == 0)
			s = short_forms[i].means;
	for (int i = 0; i < CRON_FIELDS; i++)
	{
		s += strspn(s, " \t");
		cron->any[i] = *s == '*';
		do
		{
			if (!parse_range(&s, &fields[i], &cron->set[i]))
				return false;
		} while (*s == ',' && s++);
		if (*s != ' ' && *s != '\t' && *s != '\0')
			return false;
	}
	if (cron->set[AT_WEEKDAY] & (1 << 7))
		cron->set[AT_WEEKDAY] |= 1;
	return s[strspn(s, " \t")] == '\0';
}

/* pg_cron takes a step that is longer than its field, and runs once in it, which nobody means. */
void
refuse_long_steps(const char *schedule)
{
	const char *s = schedule + strspn(schedule, " \t");

	for (int i = 0; i < CRON_FIELDS && *s; i++)
	{
		for (; *s && *s != ' ' && *s != '\t'; s++)
			if (*s == '/' && strtol(s + 1, NULL, 10) > longest_step(&fields[i]))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("schedule \"%s\" has a step of %ld in field %d", schedule, strtol(s + 1, NULL, 10), i + 1),
						 errdetail("The longest step of this field is %d.", longest_step(&fields[i])),
						 errhint("Use the next field: '0 */2 * * *' is every two hours.")));
		s += strspn(s, " \t");
	}
}

static bool
has(const Cron *cron, int field, int value)
{
	return (cron->set[field] >> value) & 1;
}

/* Days are those of either field where both are restricted. */
static bool
day_fits(const Cron *cron, int month, int day, int weekday)
{
	bool		by_day = has(cron, AT_DAY, day),
				by_weekday = has(cron, AT_WEEKDAY, weekday);

	return has(cron, AT_MONTH, month) &&
		(cron->any[AT_DAY] || cron->any[AT_WEEKDAY] ? by_day && by_weekday : by_day || by_weekday);
}

/* The first minute of a day that fits, from minute `from` on; -1: none. */
static int
minute_of_day(const Cron *cron, int from)
{
	for (int m = from; m < 24 * 60; m++)
		if (has(cron, AT_HOUR, m / 60) && has(cron, AT_MINUTE, m % 60))
			return m;
	return -1;
}

/* The next time after `now`, by the clock of the zone; false where there is none. */
static bool
next_time(const Cron *cron, TimestampTz now, pg_tz *zone, TimestampTz *next)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset,
				from;

	if (timestamp2tm(now, &offset, &tm, &fsec, NULL, zone) != 0)
		return false;
	from = tm.tm_hour * 60 + tm.tm_min + 1;
	for (int i = 0, date = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday); i < MOST_DAYS; i++, date++, from = 0)
	{
		int			minute;
		Timestamp	local;

		j2date(date, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		if (!day_fits(cron, tm.tm_mon, tm.tm_mday, j2day(date)) || (minute = minute_of_day(cron, from)) < 0)
			continue;
		tm.tm_hour = minute / 60;
		tm.tm_min = minute % 60;
		tm.tm_sec = 0;
		offset = DetermineTimeZoneOffset(&tm, zone);
		if (tm2timestamp(&tm, 0, &offset, &local) != 0)
			return false;
		*next = local;
		return true;
	}
	return false;
}

/* (schedule) -> when it is due next; NULL where that can't be told */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_next_run);
Datum
rnnforecast_rnn_next_run(PG_FUNCTION_ARGS)
{
	/* pg_cron has a setting since 1.5, and is in GMT before that and without it. */
	const char *name = GetConfigOption("cron.timezone", true, false);
	pg_tz	   *zone = pg_tzset(name && *name ? name : "GMT");
	TimestampTz next;
	Cron		cron;

	if (zone == NULL || !parse_cron(text_to_cstring(PG_GETARG_TEXT_PP(0)), &cron) ||
		!next_time(&cron, GetCurrentTimestamp(), zone, &next))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(next);
}
