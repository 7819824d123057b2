/*
 * schedule.c
 *		Refits by the clock: jobs of pg_cron, and when the next one is.
 *
 * A job belongs to the caller and runs as him.  pg_cron is taken for what it
 * says it is only if the schema "cron" belongs to the extension.
 *
 * A job is known by its name, its role and its database, never by its number
 * alone: rows of models are restored and replicated to where other jobs have
 * these numbers.  Nobody removes a job with other rights than his own; what he
 * cannot remove is said.
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
static void
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

/* ---------------------------------------------------------------- pg_cron */

static bool
have_pg_cron(void)
{
	Oid			extension = get_extension_oid("pg_cron", true),
				schema = get_namespace_oid("cron", true);

	return OidIsValid(extension) && OidIsValid(schema) &&
		getExtensionOfObject(NamespaceRelationId, schema) == extension;
}

/* A statement as the caller, with nothing but pg_catalog in the path; the int8 that it returns, 0 where NULL or none. */
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
	if (SPI_processed > 0 && SPI_tuptable->tupdesc->natts == 1 && SPI_gettypeid(SPI_tuptable->tupdesc, 1) == INT8OID)
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
	AtEOXact_GUC(false, level);
	return null ? 0 : DatumGetInt64(value);
}

/* With all arguments in their exact types, so that no procedure of somebody else's is nearer. */
static char *
refit_command(const Registry *registry, const char *name)
{
	return psprintf("CALL %s.rnn_refit(%s::pg_catalog.text, NULL::pg_catalog.text)", schema_name(registry->schema), quote_literal_cstr(name));
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
set_schedule(const Registry *registry, const NamedModel *m, const char *schedule, const char *job_owner)
{
	NamedModel	now = {.id = m->id,.schedule = unconstify(char *, schedule),.job_owner = unconstify(char *, job_owner)};

	catalog_set_model(registry, &now, MODEL_SCHEDULE | MODEL_JOB_OWNER);
}

/* By its number: the names of models may be longer than those of jobs. */
static char *
job_name(const NamedModel *m)
{
	return psprintf("rnnforecast %d", m->id);
}

/* Inside of SPI_connect, as all below: whether the caller may look at jobs, and whether at those of all roles. */
static bool
may(const char *condition)
{
	return run_as_caller(psprintf("SELECT CASE WHEN %s THEN 1::int8 END", condition)) == 1;
}

static bool
sees_jobs(void)
{
	return have_pg_cron() && may("has_schema_privilege('cron', 'USAGE')");
}

/* The model's job that a role has, and the caller may remove; 0 where there is none. */
static int64
find_job(const NamedModel *m, const char *role)
{
	return run_as_caller(psprintf("SELECT jobid FROM cron.job WHERE jobname = %s AND username = %s AND database = current_database() "
								  "AND (username = current_user OR has_table_privilege('cron.job', 'DELETE'))",
								  quote_literal_cstr(job_name(m)), quote_literal_cstr(role)));
}

static bool
remove_job(const NamedModel *m, const char *role)
{
	int64		job = sees_jobs() ? find_job(m, role) : 0;

	if (job > 0)
		run_as_caller(psprintf("SELECT cron.unschedule(" INT64_FORMAT ")", job));
	return job > 0;
}

/* The same of the role that scheduled it last; false, and a WARNING, where its job may still be there. */
static bool
remove_job_of(const NamedModel *m, const char *role)
{
	if (remove_job(m, role) || !have_pg_cron() ||
		(sees_jobs() && (may(psprintf("current_user = %s", quote_literal_cstr(role))) ||
						 may("NOT row_security_active('cron.job') AND has_table_privilege('cron.job', 'DELETE')"))))
		return true;
	ereport(WARNING,
			(errmsg("job \"%s\" of role \"%s\" was not removed", job_name(m), role),
			 errdetail("It trains model \"%s\", if it is still there: only that role and superusers can see it.", m->name),
			 errhint("That role can remove it: SELECT cron.unschedule('%s').", job_name(m))));
	return false;
}

/* pg_cron would put the new schedule into it, and leave it in that database. */
static void
refuse_job_elsewhere(const NamedModel *m)
{
	if (may(psprintf("EXISTS (SELECT FROM cron.job WHERE jobname = %s AND username = current_user "
					 "AND database <> current_database())", quote_literal_cstr(job_name(m)))))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("there is a job \"%s\" for another database", job_name(m)),
				 errhint("Remove it with SELECT cron.unschedule('%s').", job_name(m))));
}

/* (name, schedule) -> the job */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_schedule);
Datum
rnnforecast_rnn_schedule(PG_FUNCTION_ARGS)
{
	Registry	registry = open_registry(fcinfo);
	char	   *schedule = text_to_cstring(PG_GETARG_TEXT_PP(1)),
			   *caller = GetUserNameFromId(registry.caller, false),
			   *before;
	NamedModel *m;
	int64		job;

	SPI_connect();
	m = find_model(&registry, text_to_cstring(PG_GETARG_TEXT_PP(0)), NEED_OWNER, false);
	if (strpbrk(schedule, "\r\n") != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a schedule must be one line")));
	refuse_long_steps(schedule);
	if (!have_pg_cron())
		no_pg_cron(&registry, m->name, schedule);
	refuse_job_elsewhere(m);
	job = run_as_caller(psprintf("SELECT cron.schedule(%s, %s, %s)", quote_literal_cstr(job_name(m)),
								 quote_literal_cstr(schedule), quote_literal_cstr(refit_command(&registry, m->name))));
	before = m->job_owner;
	if (before && strcmp(before, caller) != 0)
		remove_job_of(m, before);
	set_schedule(&registry, m, schedule, caller);
	SPI_finish();
	PG_RETURN_INT64(job);
}

bool
unschedule_model(const Registry *registry, const NamedModel *m)
{
	const char *role = m->job_owner;
	bool		had = remove_job(m, GetUserNameFromId(registry->caller, false));

	if (role == NULL)
		return had;
	if (!remove_job_of(m, role))
		return false;
	set_schedule(registry, m, NULL, NULL);
	return true;
}

/* (name) -> whether there was a schedule, and no more */
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
