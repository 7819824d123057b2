/*
 * registry.c
 *		Named models: who may do what, and how they are locked.
 *
 * A role is remembered by a key of the server's identifier and the role's OID,
 * and by its name.  On that server the key says who it is, whatever its name is
 * today, so that a role that is renamed keeps its models and one who gets the
 * name of a dropped role doesn't get them.  On another, behind a dump or a
 * subscription, the name does.
 *
 * The lock is on an object of the class of our own table: no command but ours
 * takes locks there, so nobody can hold up a training, as with an advisory
 * lock, and whether a training still runs can be seen in pg_locks.
 */
#include "pg/registry/registry.h"

#include "access/xlog.h"
#include "catalog/dependency.h"
#include "catalog/pg_proc.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#define LOCK_MODE ShareUpdateExclusiveLock	/* conflicts with itself */
#define LOCKED_TABLE "_rnn_registry"	/* class of the models' locks */
#define MOST_NAME 1000			/* bytes, as the table says */

void
refuse_null(FunctionCallInfo fcinfo, int argno, const char *name)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", name)));
}

char *
checked_name(text *name)
{
	char	   *result = text_to_cstring(name);

	if (*result == '\0' || strlen(result) > MOST_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a model must have 1 to %d bytes, not %zu", MOST_NAME, strlen(result))));
	return result;
}

Registry
open_registry(FunctionCallInfo fcinfo)
{
	Oid			function = fcinfo->flinfo->fn_oid;
	Registry	r = {.schema = get_func_namespace(function),.caller = GetUserId(),.function = function};

	r.extension = getExtensionOfObject(ProcedureRelationId, function);
	r.models = extension_table(r.schema, r.extension, LOCKED_TABLE);
	r.owner = extension_owner(r.extension);
	return r;
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
	char	   *here = psprintf(UINT64_FORMAT ":", GetSystemIdentifier()),
			   *end;
	Size		len = strlen(here);
	unsigned long role;

	/* A key of another server doesn't say who it is on this one. */
	if (strncmp(key, here, len) != 0)
		return get_role_oid(name, true);
	errno = 0;
	role = strtoul(key + len, &end, 10);
	if (errno != 0 || *end != '\0' || role > PG_UINT32_MAX || strcmp(key, role_key((Oid) role)) != 0 ||
		!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum((Oid) role)))
		return InvalidOid;
	return (Oid) role;
}

bool
acts_for(Oid caller, const char *name, const char *key)
{
	Oid			role = role_of(name, key);

	return OidIsValid(role) && has_privs_of_role(caller, role);
}

char *
role_shown(const char *name, const char *key)
{
	Oid			role = role_of(name, key);
	char	   *shown = OidIsValid(role) ? GetUserNameFromId(role, true) : NULL;

	return shown ? shown : pstrdup(name);
}

bool
manages_all(const Registry *registry)
{
	return has_privs_of_role(registry->caller, registry->owner);
}

static bool
is_public(const char *grantee)
{
	return strcmp(grantee, "public") == 0;
}

/* The registry, found once a statement: views ask for every row. */
static const Registry *
statement_registry(FunctionCallInfo fcinfo)
{
	Registry   *r = fcinfo->flinfo->fn_extra;

	if (r == NULL)
	{
		r = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(Registry));
		*r = open_registry(fcinfo);
		fcinfo->flinfo->fn_extra = r;
	}
	return r;
}

/* (name, key) -> whether the caller has the rights of that role, or of the extension's owner */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_role_is);
Datum
rnnforecast_rnn_role_is(PG_FUNCTION_ARGS)
{
	const Registry *registry = statement_registry(fcinfo);
	char	   *name = NameStr(*PG_GETARG_NAME(0));

	PG_RETURN_BOOL(is_public(name) || manages_all(registry) ||
				   acts_for(registry->caller, name, text_to_cstring(PG_GETARG_TEXT_PP(1))));
}

/* (name, key) -> what that role is called now */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_role_shown);
Datum
rnnforecast_rnn_role_shown(PG_FUNCTION_ARGS)
{
	char	   *shown = role_shown(NameStr(*PG_GETARG_NAME(0)), text_to_cstring(PG_GETARG_TEXT_PP(1)));

	PG_RETURN_DATUM(DirectFunctionCall1(namein, CStringGetDatum(shown)));
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
				 errhint("Fit the query under a new name, or register rnn_model(%s) again.", quote_literal_cstr(model->name))));
	return role;
}

static bool
is_granted(const Registry *registry, const NamedModel *model, Reading reading)
{
	ListCell   *cell;

	foreach(cell, catalog_grants(registry, model->id, reading))
	{
		ModelGrant *grant = lfirst(cell);

		if (is_public(grant->grantee) || acts_for(registry->caller, grant->grantee, grant->grantee_key))
			return true;
	}
	return false;
}

/* The name of a model that the caller may read and may have meant, NULL where there is none. */
static const char *
closest_model(const Registry *registry, const char *name)
{
	List	   *models = catalog_models(registry, MODEL_ID | MODEL_NAME | MODEL_OWNER | MODEL_OWNER_KEY);
	const char **names = palloc(sizeof(char *) * Max(list_length(models), 1));
	int			count = 0;
	ListCell   *cell;

	foreach(cell, models)
	{
		const NamedModel *m = lfirst(cell);

		if (manages_all(registry) || acts_for(registry->caller, m->owner, m->owner_key) || is_granted(registry, m, ROW_SNAPSHOT))
			names[count++] = m->name;
	}
	return closest_name(name, names, count);
}

static void
no_model(const Registry *registry, const char *name)
{
	const char *near = closest_model(registry, name);

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" does not exist", name),
			 near ? errhint("Did you mean \"%s\"?", near) : errhint("The view rnn_models lists the models that you may use.")));
}

/* Gives a row that is locked the names and keys that its roles have on this server today: what a dump takes along. */
static void
refresh_names(const Registry *registry, NamedModel *m)
{
	Oid			owner = role_of(m->owner, m->owner_key);
	ListCell   *cell;

	if (OidIsValid(owner) && (strcmp(m->owner, role_shown(m->owner, m->owner_key)) != 0 || strcmp(m->owner_key, role_key(owner)) != 0))
	{
		m->owner = role_shown(m->owner, m->owner_key);
		m->owner_key = role_key(owner);
		catalog_set_model(registry, m, MODEL_OWNER | MODEL_OWNER_KEY);
	}
	foreach(cell, catalog_grants(registry, m->id, ROW_NOW))
	{
		ModelGrant *old = lfirst(cell);
		Oid			role = is_public(old->grantee) ? InvalidOid : role_of(old->grantee, old->grantee_key);
		ModelGrant	now = {.model = m->id};

		if (!OidIsValid(role))
			continue;
		now.grantee = role_shown(old->grantee, old->grantee_key);
		now.grantee_key = role_key(role);
		if (strcmp(now.grantee, old->grantee) == 0 && strcmp(now.grantee_key, old->grantee_key) == 0)
			continue;
		catalog_remove_grant(registry, old);
		catalog_add_grant(registry, &now);
	}
}

NamedModel *
find_model(const Registry *registry, const char *name, Need need, bool read_only)
{
	Reading		reading = read_only ? ROW_SNAPSHOT : ROW_LOCK;
	NamedModel *m = catalog_model(registry, name, reading);
	bool		owns,
				manages;

	if (m == NULL)
		no_model(registry, name);
	owns = acts_for(registry->caller, m->owner, m->owner_key);
	manages = owns || manages_all(registry);
	if (!manages && !is_granted(registry, m, reading))
		no_model(registry, name);
	if ((need == NEED_MANAGE && !manages) || (need == NEED_OWNER && !owns))
	{
		/* Says so, if that is why. */
		if (manages)
			model_owner(m);
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of model \"%s\"", name),
				 errdetail("Its owner is \"%s\".", role_shown(m->owner, m->owner_key))));
	}
	if (!read_only)
		refresh_names(registry, m);
	return m;
}

NamedModel *
connect_model(FunctionCallInfo fcinfo, Registry *registry, Need need, bool read_only)
{
	*registry = open_registry(fcinfo);
	SPI_connect();
	return find_model(registry, text_to_cstring(PG_GETARG_TEXT_PP(0)), need, read_only);
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
unlock_model(const Registry *registry, int32 id, bool session)
{
	LOCKTAG		tag = model_tag(registry, id);

	LockRelease(&tag, LOCK_MODE, session);
}

/*
 * A training would bring back what is removed.  None begins while the model's
 * row is locked, as it is here, so it is enough to look for one that runs.  The
 * lock is not kept: at a rollback the row's may go first, and a refit that has
 * waited for the row would take this session for a training.
 */
void
refuse_in_training(const Registry *registry, const NamedModel *m)
{
	if (!lock_model(registry, m->id, false))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("model \"%s\" is being trained", m->name),
				 errhint("Wait until the training ends, or end it with pg_cancel_backend(pid). The view rnn_runs shows its pid.")));
	unlock_model(registry, m->id, false);
}

/* -------------------------------------------------------------- versions */

bytea *
version_bytes(const Registry *registry, const NamedModel *m, int32 version, bool read_only)
{
	ModelVersion *v = catalog_version(registry, m->id, version, VERSION_BYTES, read_only ? ROW_SNAPSHOT : ROW_NOW);

	if (v == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no version %d", m->name, version),
				 errhint("The view rnn_versions lists them.")));
	return v->bytes;
}

/*
 * The live version: of the statement's snapshot, as the model is, or of a row
 * that is locked; so it is there even while another becomes live.
 */
bytea *
live_bytes(const Registry *registry, const NamedModel *m, bool read_only)
{
	if (m->live == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has no live version", m->name),
				 errhint("Make a version of the view rnn_versions live with rnn_promote.")));
	return version_bytes(registry, m, m->live, read_only);
}

bool
make_live(const Registry *registry, NamedModel *m, int32 version)
{
	ModelVersion v = {.model = m->id,.version = version,.promoted = GetCurrentTimestamp()};

	if (!catalog_set_version(registry, &v, VERSION_PROMOTED))
		return false;
	m->live = version;
	return catalog_set_model(registry, m, MODEL_LIVE);
}

int32
version_before(const NamedModel *m, const List *versions)
{
	int32		before = 0;
	const ListCell *cell;

	foreach(cell, versions)
	{
		const ModelVersion *v = lfirst(cell);

		if (v->version < m->live && !TIMESTAMP_IS_NOBEGIN(v->promoted))
			before = Max(before, v->version);
	}
	return before;
}
