/*
 * cron_job.c
 *		Refits by the clock: jobs of pg_cron.
 *
 * A job belongs to the caller and runs as him.  pg_cron is taken for what it
 * says it is only if the schema "cron" belongs to the extension.
 *
 * A job is known by its name, its role and its database, never by its number
 * alone: rows of models are restored and replicated to where other jobs have
 * these numbers.  Nobody removes a job with other rights than his own; what he
 * cannot remove is said.
 */
#include "pg/registry/registry.h"

#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

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

/* Says what does the same, unless a name in it would be a line of a crontab by itself. */
static void
no_pg_cron(const Registry *registry, const char *name, const char *schedule)
{
	const char *line = psprintf("%s psql -X -d %s -U %s -c %s", schedule, shell_word(get_database_name(MyDatabaseId)),
								shell_word(GetUserNameFromId(registry->caller, false)),
								shell_word(refit_command(registry, name)));
	bool		one = strpbrk(line, "\r\n") == NULL;

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("pg_cron is not installed in database \"%s\"", get_database_name(MyDatabaseId)),
			 one ? errdetail("Without it, a line of a crontab does the same:\n%s", line) : 0,
			 one ? errhint("Install pg_cron, or give that line to a user who may log in as this role.") : errhint("Install pg_cron.")));
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
	Registry	registry;
	char	   *schedule = text_to_cstring(PG_GETARG_TEXT_PP(1)),
			   *caller,
			   *before;
	NamedModel *m;
	int64		job;

	m = connect_model(fcinfo, &registry, NEED_OWNER, false);
	caller = GetUserNameFromId(registry.caller, false);
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

void
rename_in_job(const Registry *registry, const NamedModel *m, const char *name)
{
	const char *role = m->job_owner,
			   *caller = GetUserNameFromId(registry->caller, false);

	/* Rows that were restored may tell of jobs that are not here, and may be forged. */
	if (role == NULL || m->schedule == NULL || !have_pg_cron())
		return;
	if (strcmp(role, caller) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the job that trains model \"%s\" belongs to role \"%s\"", m->name, role),
				 errdetail("It calls the model by its name, and only that role can change it."),
				 errhint("Call rnn_unschedule(%s) first, or rename the model as that role.", quote_literal_cstr(m->name))));
	if (sees_jobs() && find_job(m, role) > 0)
		run_as_caller(psprintf("SELECT cron.schedule(%s, %s, %s)", quote_literal_cstr(job_name(m)),
							   quote_literal_cstr(m->schedule), quote_literal_cstr(refit_command(registry, name))));
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
	Registry	registry;
	NamedModel *m;
	bool		had;

	m = connect_model(fcinfo, &registry, NEED_MANAGE, false);
	had = unschedule_model(&registry, m);
	SPI_finish();
	PG_RETURN_BOOL(had);
}
