/*
 * schedule.c
 *		Refits by the clock: jobs of pg_cron, and when the next one is.
 *
 * A job belongs to the caller and runs as him.  pg_cron is taken for what it
 * says it is only if the schema "cron" belongs to the extension.
 */
#include "registry.h"

#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#define MOST_DAYS (8 * 366 + 2)		/* until a February 29 comes round */

/* ------------------------------------------------------------ the schedule */

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
	if (from < f->low || to > f->high || from > to || by < 1)
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

/* ---------------------------------------------------------------- pg_cron */

static bool
have_pg_cron(void)
{
	Oid			extension = get_extension_oid("pg_cron", true),
				schema = get_namespace_oid("cron", true);

	return OidIsValid(extension) && OidIsValid(schema) &&
		getExtensionOfObject(NamespaceRelationId, schema) == extension;
}

/* A statement as the caller, with nothing but pg_catalog in the path; an int8 of its first column, 0 where NULL or none. */
static int64
run_as_caller(const char *sql)
{
	int			level = NewGUCNestLevel(),
				rc;
	bool		null = true;
	Datum		value = (Datum) 0;

	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	rc = SPI_execute(sql, false, 1);
	if (rc < 0)
		elog(ERROR, "SPI_execute: %s", SPI_result_code_string(rc));
	if (SPI_processed > 0)
		value = result_datum(0, 1, &null);
	AtEOXact_GUC(false, level);
	return null ? 0 : DatumGetInt64(value);
}

static char *
refit_command(const Registry *registry, const char *name)
{
	return psprintf("CALL %s.rnn_refit(%s)", quote_identifier(get_namespace_name(registry->schema)), quote_literal_cstr(name));
}

/* One word of a shell. */
static char *
shell_word(const char *text)
{
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfoChar(&s, '\'');
	for (; *text; text++)
		if (*text == '\'')
			appendStringInfoString(&s, "'\\''");
		else if (*text == '%')
			appendStringInfoString(&s, "\\%");	/* a line's end to cron */
		else
			appendStringInfoChar(&s, *text);
	appendStringInfoChar(&s, '\'');
	return s.data;
}

static void
no_pg_cron(const Registry *registry, const char *name, const char *schedule)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("pg_cron is not installed in database \"%s\"", get_database_name(MyDatabaseId)),
			 errdetail("Without it, a line of a crontab does the same:\n%s psql -X -d %s -U %s -c %s", schedule,
					   shell_word(get_database_name(MyDatabaseId)),
					   shell_word(GetUserNameFromId(registry->caller, false)),
					   shell_word(refit_command(registry, name))),
			 errhint("Install pg_cron, or give that line to a user who may log in as this role.")));
}

static void
set_schedule(const Registry *registry, const NamedModel *m, const char *schedule, int64 job)
{
	Args		args = {0};

	add_int(&args, m->id);
	add_text(&args, schedule);
	add_arg(&args, INT8OID, Int64GetDatum(job), job == 0);
	registry_run(registry, "UPDATE @.rnn_registry SET schedule = $2, job = $3 WHERE id = $1", &args, false);
}

/* (name, schedule) -> the job */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_schedule);
Datum
rnnforecast_rnn_schedule(PG_FUNCTION_ARGS)
{
	Registry	registry = open_registry(fcinfo);
	char	   *schedule = text_to_cstring(PG_GETARG_TEXT_PP(1));
	NamedModel *m;
	int64		job;

	SPI_connect();
	m = find_model(&registry, text_to_cstring(PG_GETARG_TEXT_PP(0)), NEED_OWNER, false);
	if (strpbrk(schedule, "\r\n") != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a schedule must be one line")));
	if (!have_pg_cron())
		no_pg_cron(&registry, m->name, schedule);
	job = run_as_caller(psprintf("SELECT cron.schedule(%s, %s, %s)", quote_literal_cstr(psprintf("rnnforecast %s", m->name)),
								 quote_literal_cstr(schedule), quote_literal_cstr(refit_command(&registry, m->name))));
	set_schedule(&registry, m, schedule, job);
	SPI_finish();
	PG_RETURN_INT64(job);
}

bool
unschedule_model(const Registry *registry, const NamedModel *m)
{
	Args		args = {0};
	bool		null;
	int64		job;

	add_int(&args, m->id);
	if (!registry_run(registry, "SELECT job FROM @.rnn_registry WHERE id = $1 AND job IS NOT NULL", &args, false))
		return false;
	job = DatumGetInt64(result_datum(0, 1, &null));
	/* Jobs of others can't be seen, and those that somebody removed are no more. */
	if (have_pg_cron() &&
		run_as_caller(psprintf("SELECT jobid FROM cron.job WHERE jobid = " INT64_FORMAT, job)) == job)
		run_as_caller(psprintf("SELECT cron.unschedule(" INT64_FORMAT ")", job));
	set_schedule(registry, m, NULL, 0);
	return true;
}

/* (name) -> whether there was a schedule */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_unschedule);
Datum
rnnforecast_rnn_unschedule(PG_FUNCTION_ARGS)
{
	Registry	registry = open_registry(fcinfo);
	NamedModel *m;
	bool		had;

	SPI_connect();
	m = find_model(&registry, text_to_cstring(PG_GETARG_TEXT_PP(0)), NEED_MANAGE, false);
	had = unschedule_model(&registry, m);
	SPI_finish();
	PG_RETURN_BOOL(had);
}
