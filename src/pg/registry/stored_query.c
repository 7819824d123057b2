/*
 * stored_query.c
 *		The query of a named model, run as its owner.
 *
 * As REFRESH MATERIALIZED VIEW does it: with the owner's rights, in a
 * security-restricted operation, whatever it set undone at the end; and
 * read-only, under the settings of the day on which it was
 * stored.  So who trains a model of another lends it nothing.
 *
 * A superuser's query never has a superuser's rights: it reads as
 * pg_read_all_data, all rows or none.  Where the extension's owner is no
 * superuser, he could have written it into a dump that he restores, and it isn't
 * run at all; nor is that of a role that reaches the server's files or programs.
 */
#include "pg/registry/registry.h"
#include "pg/forecast/forecast.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"

#define AT_PATH 0

/* What the meaning of a query depends on. */
static const char *const kept_settings[] = {"search_path", "TimeZone", "DateStyle", "IntervalStyle"};

/*
 * The schemas that are searched now, by their names: "$user" would be another
 * role's where the query runs as one.  Temporary ones are the session's.
 */
static char *
resolved_path(void)
{
	int			count = fetch_search_path_array(NULL, 0);
	Oid		   *schemas = palloc(sizeof(Oid) * Max(count, 1));
	StringInfoData s;

	initStringInfo(&s);
	count = Min(fetch_search_path_array(schemas, count), count);
	for (int i = 0; i < count; i++)
	{
		char	   *name = get_namespace_name(schemas[i]);

		if (name)
			appendStringInfo(&s, "%s%s", s.len > 0 ? ", " : "", quote_identifier(name));
	}
	return s.data;
}

Jsonb *
query_settings(void)
{
	StringInfoData s;

	initStringInfo(&s);
	for (size_t i = 0; i < lengthof(kept_settings); i++)
	{
		appendStringInfoString(&s, i == 0 ? "{" : ", ");
		escape_json(&s, kept_settings[i]);
		appendStringInfoString(&s, ": ");
		escape_json(&s, i == AT_PATH ? resolved_path() : GetConfigOption(kept_settings[i], false, false));
	}
	appendStringInfoChar(&s, '}');
	return json_from(s.data);
}

static char *
setting(Jsonb *settings, const char *name)
{
	JsonbValue *v = json_field(settings, name);

	return v && v->type == jbvString ? pnstrdup(v->val.string.val, v->val.string.len) : NULL;
}

/* Temporary tables come last, so that none of the session stands before a table of the query. */
static void
apply_settings(Jsonb *settings)
{
	for (size_t i = 0; i < lengthof(kept_settings); i++)
	{
		char	   *value = setting(settings, kept_settings[i]);

		if (value == NULL)
			continue;
		if (i == AT_PATH)
			value = psprintf("%s%spg_temp", value, *value ? ", " : "");
		(void) set_config_option(kept_settings[i], value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	}
}

/* Whether a role's rights go beyond databases. */
static bool
reaches_server(Oid role)
{
	return superuser_arg(role) || has_privs_of_role(role, ROLE_PG_EXECUTE_SERVER_PROGRAM) ||
		has_privs_of_role(role, ROLE_PG_WRITE_SERVER_FILES) || has_privs_of_role(role, ROLE_PG_READ_SERVER_FILES);
}

/* Whose rights the query of an owner has. */
static Oid
query_role(const Registry *registry, Oid owner)
{
	if (reaches_server(owner) && !superuser_arg(registry->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the query of a model that belongs to %s is not run",
						superuser_arg(owner) ? "a superuser" : "a role that reaches the server's files or programs"),
				 errdetail("The extension belongs to \"%s\", who is no superuser and could have written it.",
						   GetUserNameFromId(registry->owner, false)),
				 errhint("SET ROLE to a role with fewer rights, and fit the model again.")));
	return superuser_arg(owner) ? ROLE_PG_READ_ALL_DATA : owner;
}

/*
 * Policies are none of a superuser's: where they would hide rows from the role
 * that reads for him, that is an error.
 */
static void
read_all_rows(void)
{
	(void) set_config_option("row_security", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

static void
say_who_reads(void *arg)
{
	errcontext("query of a superuser's model, read with the rights of \"%s\"", (const char *) arg);
	/* A distributed table is read by logging in to other servers. */
	if (ERRCODE_TO_CATEGORY(geterrcode()) == ERRCODE_CONNECTION_EXCEPTION)
		errhint("That role cannot log in to other servers. SET ROLE to one that can and may read the tables, and fit the model again.");
}

/* What is undone when the query was read. */
typedef struct Reader
{
	bool		no_snapshot,
				was_read_only;
	Oid			user;
	int			context,
				level;
	ErrorContextCallback who;
} Reader;

/* From here on a query is read as its owner would. */
static void
begin_reading(Reader *r, const Registry *registry, Oid owner, Jsonb *settings)
{
	Oid			reader;

	*r = (Reader) {.no_snapshot = !ActiveSnapshotSet(),.was_read_only = XactReadOnly};
	if (r->no_snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	GetUserIdAndSecContext(&r->user, &r->context);
	reader = query_role(registry, owner);
	SetUserIdAndSecContext(reader, r->context | SECURITY_RESTRICTED_OPERATION);
	r->level = NewGUCNestLevel();
	apply_settings(settings);
	r->who.previous = error_context_stack;
	if (reader != owner)
	{
		read_all_rows();
		r->who.callback = say_who_reads;
		r->who.arg = GetUserNameFromId(reader, false);
		error_context_stack = &r->who;
	}
	XactReadOnly = true;
}

static void
end_reading(const Reader *r)
{
	error_context_stack = r->who.previous;
	XactReadOnly = r->was_read_only;
	AtEOXact_GUC(false, r->level);
	SetUserIdAndSecContext(r->user, r->context);
	if (r->no_snapshot)
		PopActiveSnapshot();
}

/* They are among the rules, since no training knows of them. */
static List *
stored_keys(const NamedModel *m)
{
	Jsonb	   *rules = m->rules;

	return take_keys(&rules);
}

bytea *
query_history(const Registry *registry, const NamedModel *m)
{
	Reader		reader;
	QueryColumns columns;
	bytea	   *history;

	begin_reading(&reader, registry, model_owner(m), m->settings);
	SPI_connect();
	query_columns(m->query, stored_keys(m), &columns);
	history = query_aggregate(&columns, registry->function, "rnn_history", history_options(m->options));
	SPI_finish();
	end_reading(&reader);
	return history;
}

/* What a refit may not find again. */
static void
doubt_query(const char *query)
{
	CachedPlanSource *source;
	SPIPlanPtr	plan = prepare_select(query, 0, NULL, &source);
	ListCell   *cell;

	foreach(cell, source->relationOids)
		if (get_rel_persistence(lfirst_oid(cell)) == RELPERSISTENCE_TEMP)
			ereport(NOTICE,
					(errmsg("the query reads the temporary table \"%s\"", get_rel_name(lfirst_oid(cell))),
					 errdetail("The table is dropped at the end of this session, and a refit will then fail.")));
	if (contain_volatile_functions((Node *) source->query_list))
		ereport(NOTICE,
				(errmsg("the query calls a volatile function"),
				 errdetail("Each refit may get other rows from it, even if the tables have not changed.")));
	SPI_freeplan(plan);
}

void
check_query(const Registry *registry, const NamedModel *m)
{
	Reader		reader;
	QueryColumns columns;

	begin_reading(&reader, registry, model_owner(m), m->settings);
	SPI_connect();
	query_columns(m->query, stored_keys(m), &columns);
	doubt_query(columns.query);
	SPI_finish();
	end_reading(&reader);
}
