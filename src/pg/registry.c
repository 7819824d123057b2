/*
 * registry.c
 *		Named models: their tables, who may do what, and how they are locked.
 *
 * A role is remembered by its name, which goes into dumps and to other
 * servers, and by a key that says which role of that name on this server, so
 * that one who gets the name of a dropped role doesn't get its models.
 *
 * The lock is on an object of the class of our own table: no command but ours
 * takes locks there, so nobody can hold up a training, as with an advisory
 * lock, and whether a training still runs can be seen in pg_locks.
 */
#include "registry.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#define TABLE "rnn_registry"
#define LOCK_MODE ShareUpdateExclusiveLock	/* conflicts with itself */

/* ------------------------------------------------------------- arguments */

void
add_arg(Args *args, Oid type, Datum value, bool null)
{
	Assert(args->count < MOST_ARGS);
	args->types[args->count] = type;
	args->values[args->count] = null ? (Datum) 0 : value;
	args->nulls[args->count++] = null ? 'n' : ' ';
}

void
add_text(Args *args, const char *value)
{
	add_arg(args, TEXTOID, value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL);
}

void
add_int(Args *args, int32 value)
{
	add_arg(args, INT4OID, Int32GetDatum(value), false);
}

void
add_float(Args *args, double value)
{
	add_arg(args, FLOAT8OID, Float8GetDatum(value), isnan(value));
}

/* ---------------------------------------------------------------- tables */

static Oid
owner_of_table(Oid table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "table %u of rnnforecast is gone", table);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

Registry
open_registry(FunctionCallInfo fcinfo)
{
	Registry	r = {.schema = get_func_namespace(fcinfo->flinfo->fn_oid),.caller = GetUserId(),.function = fcinfo->flinfo->fn_oid};

	r.models = get_relname_relid(TABLE, r.schema);
	if (!OidIsValid(r.models))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the tables of named models are not there"),
				 errhint("Run ALTER EXTENSION rnnforecast UPDATE.")));
	r.owner = owner_of_table(r.models);
	return r;
}

static char *
with_schema(const char *sql, Oid schema)
{
	const char *name = quote_identifier(get_namespace_name(schema));
	StringInfoData s;

	initStringInfo(&s);
	for (; *sql; sql++)
		if (*sql == '@')
			appendStringInfoString(&s, name);
		else
			appendStringInfoChar(&s, *sql);
	return s.data;
}

bool
registry_run(const Registry *registry, const char *sql, const Args *args, bool read_only)
{
	Oid			user;
	int			context,
				level,
				rc;
	static const Args none;

	if (args == NULL)
		args = &none;
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(registry->owner, context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
	level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	rc = SPI_execute_with_args(with_schema(sql, registry->schema), args->count, (Oid *) args->types,
							   (Datum *) args->values, args->nulls, read_only, 0);
	AtEOXact_GUC(false, level);
	SetUserIdAndSecContext(user, context);
	if (rc < 0)
		elog(ERROR, "SPI_execute: %s", SPI_result_code_string(rc));
	return SPI_processed > 0;
}

Datum
result_datum(uint64 row, int column, bool *null)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, null);
}

int64
result_int(int column)
{
	bool		null;
	Datum		value = result_datum(0, column, &null);

	return null ? 0 : DatumGetInt32(value);
}

char *
result_text(int column)
{
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);
}

static Jsonb *
result_jsonb(int column)
{
	bool		null;
	Datum		value = result_datum(0, column, &null);

	return null ? NULL : DatumGetJsonbPCopy(value);
}

/* ---------------------------------------------------------------- rights */

char *
role_key(Oid role)
{
	return psprintf(UINT64_FORMAT ":%u", GetSystemIdentifier(), role);
}

/* The role of that name and key, InvalidOid if there is none. */
static Oid
role_of(const char *name, const char *key)
{
	Oid			role = get_role_oid(name, true);
	char	   *here = psprintf(UINT64_FORMAT ":", GetSystemIdentifier());

	/* A key of another server doesn't say who it is on this one. */
	if (OidIsValid(role) && strncmp(key, here, strlen(here)) == 0 && strcmp(key, role_key(role)) != 0)
		role = InvalidOid;
	return role;
}

bool
acts_for(Oid caller, const char *name, const char *key)
{
	Oid			role = role_of(name, key);

	return OidIsValid(role) && has_privs_of_role(caller, role);
}

/* (name, key) -> whether the caller has the rights of that role, or of the tables' owner */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_role_is);
Datum
rnnforecast_rnn_role_is(PG_FUNCTION_ARGS)
{
	Registry	registry = open_registry(fcinfo);
	char	   *name = NameStr(*PG_GETARG_NAME(0));

	PG_RETURN_BOOL(strcmp(name, "public") == 0 || has_privs_of_role(registry.caller, registry.owner) ||
				   acts_for(registry.caller, name, text_to_cstring(PG_GETARG_TEXT_PP(1))));
}

Oid
model_owner(const NamedModel *model)
{
	Oid			role = role_of(model->owner, model->owner_key);

	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the owner \"%s\" of model \"%s\" does not exist", model->owner, model->name),
				 errdetail("The role was dropped, or another one has its name now."),
				 errhint("Fit the query under a new name, or register rnn_model('%s') again.", model->name)));
	return role;
}

static bool
is_granted(const Registry *registry, const NamedModel *model, bool read_only)
{
	Args		args = {0};

	add_int(&args, model->id);
	registry_run(registry, "SELECT grantee::text, grantee_key FROM @.rnn_registry_grant WHERE model = $1", &args, read_only);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *name = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		char	   *key = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2);

		if (strcmp(name, "public") == 0 || acts_for(registry->caller, name, key))
			return true;
	}
	return false;
}

static void
no_model(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" does not exist", name),
			 errhint("The view rnn_models lists the models that you may use.")));
}

NamedModel *
find_model(const Registry *registry, const char *name, Need need, bool read_only)
{
	Args		args = {0};
	NamedModel *m = palloc(sizeof(NamedModel));
	bool		owns,
				manages;

	add_text(&args, name);
	if (!registry_run(registry, "SELECT id, name, owner::text, owner_key, query, options, rules, settings, live "
					  "FROM @.rnn_registry WHERE name = $1", &args, read_only))
		no_model(name);
	*m = (NamedModel) {
		.id = result_int(1),.name = result_text(2),.owner = result_text(3),.owner_key = result_text(4),
		.query = result_text(5),.options = result_jsonb(6),.rules = result_jsonb(7),
		.settings = result_jsonb(8),.live = result_int(9)
	};
	owns = acts_for(registry->caller, m->owner, m->owner_key);
	manages = owns || has_privs_of_role(registry->caller, registry->owner);
	if (!manages && !is_granted(registry, m, read_only))
		no_model(name);
	if ((need == NEED_MANAGE && !manages) || (need == NEED_OWNER && !owns))
	{
		/* Says so, if that is why. */
		if (manages)
			model_owner(m);
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of model \"%s\"", name),
				 errdetail("Its owner is \"%s\".", m->owner)));
	}
	return m;
}

/* ----------------------------------------------------------------- locks */

static LOCKTAG
model_tag(const Registry *registry, int32 id)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, registry->models, (Oid) id, 0);
	return tag;
}

bool
lock_model(const Registry *registry, int32 id, bool session)
{
	LOCKTAG		tag = model_tag(registry, id);

	return LockAcquire(&tag, LOCK_MODE, session, true) != LOCKACQUIRE_NOT_AVAIL;
}

void
unlock_model(const Registry *registry, int32 id)
{
	LOCKTAG		tag = model_tag(registry, id);

	LockRelease(&tag, LOCK_MODE, true);
}

/* -------------------------------------------------------------- versions */

bytea *
version_bytes(const Registry *registry, const NamedModel *m, int32 version, bool read_only)
{
	Args		args = {0};
	bool		null;

	add_int(&args, m->id);
	add_int(&args, version);
	if (!registry_run(registry, "SELECT bytes FROM @.rnn_registry_version WHERE model = $1 AND version = $2", &args, read_only))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no version %d", m->name, version),
				 errhint("The view rnn_versions lists them.")));
	return DatumGetByteaPCopy(result_datum(0, 1, &null));
}

/*
 * The live version, in one statement with its number: it may be another one,
 * and this one be removed, at any moment.  NULL where no version is live.
 */
bytea *
live_bytes(const Registry *registry, const NamedModel *m, bool read_only)
{
	Args		args = {0};
	bool		null;

	add_int(&args, m->id);
	if (!registry_run(registry, "SELECT v.bytes FROM @.rnn_registry AS r JOIN @.rnn_registry_version AS v "
					  "ON v.model = r.id AND v.version = r.live WHERE r.id = $1", &args, read_only))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has no live version", m->name),
				 errhint("Make one of rnn_versions live with rnn_promote.")));
	return DatumGetByteaPCopy(result_datum(0, 1, &null));
}

/* False where there is no such version. */
bool
make_live(const Registry *registry, const NamedModel *m, int32 version)
{
	Args		args = {0};

	add_int(&args, m->id);
	add_int(&args, version);
	return registry_run(registry, "UPDATE @.rnn_registry_version SET promoted = clock_timestamp() "
						"WHERE model = $1 AND version = $2", &args, false) &&
		registry_run(registry, "UPDATE @.rnn_registry SET live = $2 WHERE id = $1", &args, false);
}
