/*
 * manage.c
 *		Named models by hand: versions, rights, removal.
 */
#include "pg/registry/registry.h"
#include "pg/past/past.h"

#include "catalog/namespace.h"
#include "executor/spi.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static void
no_version(const NamedModel *m, int32 version)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" has no version %d", m->name, version),
			 errhint("The view rnn_versions lists them.")));
}

/* (name [, version]) -> its bytes */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_model);
Datum
rnnforecast_rnn_model(PG_FUNCTION_ARGS)
{
	Registry	registry;
	MemoryContext outer = CurrentMemoryContext;
	NamedModel *m;
	bytea	   *bytes,
			   *result;

	m = connect_model(fcinfo, &registry, NEED_READ, true);
	bytes = PG_NARGS() > 1 ? version_bytes(&registry, m, PG_GETARG_INT32(1), true) : live_bytes(&registry, m, true);
	result = memcpy(MemoryContextAllocHuge(outer, VARSIZE(bytes)), bytes, VARSIZE(bytes));
	SPI_finish();
	PG_RETURN_BYTEA_P(result);
}

/* What is given of a training takes the place of what is stored. */
static void
set_training(FunctionCallInfo fcinfo, const Registry *registry, NamedModel *m, int query, int horizon, int options)
{
	ModelVersion *last = catalog_last_version(registry, m->id, VERSION_MODEL | VERSION_VERSION);
	Jsonb	   *all = json_merge(m->options, m->rules);
	Rules		rules;

	if (!PG_ARGISNULL(query))
	{
		m->query = text_to_cstring(PG_GETARG_TEXT_PP(query));
		m->settings = query_settings();
	}
	if (!PG_ARGISNULL(options))
		all = json_merge(all, PG_GETARG_JSONB_P(options));
	m->options = split_options(all, !PG_ARGISNULL(horizon), PG_ARGISNULL(horizon) ? 0 : PG_GETARG_INT64(horizon), &rules, &m->rules);
	if (m->query && (!PG_ARGISNULL(query) || !PG_ARGISNULL(options)))
		check_query(registry, m);
	catalog_set_model(registry, m, MODEL_QUERY | MODEL_SETTINGS | MODEL_OPTIONS | MODEL_RULES);
	/* The next refit trains on the same rows, too. */
	if (last)
		catalog_set_version(registry, last, VERSION_FINGERPRINT);
}

/* As ALTER TABLE .. OWNER has it: the query will run as the new one, so the caller has to be able to be that. */
static void
set_owner(const Registry *registry, NamedModel *m, const char *name)
{
	Oid			role = get_role_oid(name, false);

#if PG_VERSION_NUM >= 160000
	check_can_set_role(registry->caller, role);
#else
	check_is_member_of_role(registry->caller, role);
#endif
	m->owner = pstrdup(name);
	m->owner_key = role_key(role);
	catalog_set_model(registry, m, MODEL_OWNER | MODEL_OWNER_KEY);
	if (m->job_owner && !acts_for(get_role_oid(m->job_owner, true), m->owner, m->owner_key))
		ereport(WARNING,
				(errmsg("the schedule of model \"%s\" belongs to role \"%s\", which may not train it any more", m->name, m->job_owner),
				 errhint("Call rnn_schedule as \"%s\".", name)));
}

static void
set_name(const Registry *registry, NamedModel *m, const char *name)
{
	if (catalog_model(registry, name, ROW_NOW) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("model \"%s\" already exists", name)));
	rename_in_job(registry, m, name);
	m->name = pstrdup(name);
	catalog_set_model(registry, m, MODEL_NAME);
}

/* (name, query, horizon, options, owner, new_name) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_alter);
Datum
rnnforecast_rnn_alter(PG_FUNCTION_ARGS)
{
	enum {NAME, QUERY, HORIZON, OPTIONS, OWNER, NEW_NAME};
	bool		trains = !PG_ARGISNULL(QUERY) || !PG_ARGISNULL(HORIZON) || !PG_ARGISNULL(OPTIONS);
	Registry	registry;
	NamedModel *m;

	refuse_null(fcinfo, NAME, "name");
	if (!trains && PG_ARGISNULL(OWNER) && PG_ARGISNULL(NEW_NAME))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is nothing to change"),
				 errhint("Pass query, horizon, options, owner or new_name.")));
	m = connect_model(fcinfo, &registry, trains ? NEED_OWNER : NEED_MANAGE, false);
	refuse_in_training(&registry, m);
	if (!PG_ARGISNULL(OWNER))
		set_owner(&registry, m, NameStr(*PG_GETARG_NAME(OWNER)));
	if (trains)
		set_training(fcinfo, &registry, m, QUERY, HORIZON, OPTIONS);
	if (!PG_ARGISNULL(NEW_NAME))
		set_name(&registry, m, checked_name(PG_GETARG_TEXT_PP(NEW_NAME)));
	if (trains)
		ereport(NOTICE,
				(errmsg("the next refit of model \"%s\" uses this change; until then version %d forecasts as before", m->name, m->live),
				 errhint("CALL rnn_refit(%s) trains it now.", quote_literal_cstr(m->name))));
	SPI_finish();
	PG_RETURN_VOID();
}

/* (name, version) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_promote);
Datum
rnnforecast_rnn_promote(PG_FUNCTION_ARGS)
{
	Registry	registry;
	NamedModel *m;

	m = connect_model(fcinfo, &registry, NEED_MANAGE, false);
	if (!make_live(&registry, m, PG_GETARG_INT32(1)))
		no_version(m, PG_GETARG_INT32(1));
	SPI_finish();
	PG_RETURN_VOID();
}

/* (name) -> the version that is live now: of those that were promoted, the one before */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_rollback);
Datum
rnnforecast_rnn_rollback(PG_FUNCTION_ARGS)
{
	Registry	registry;
	NamedModel *m;
	int32		version;

	m = connect_model(fcinfo, &registry, NEED_MANAGE, false);
	version = version_before(m, catalog_versions(&registry, m->id, VERSION_VERSION | VERSION_PROMOTED));
	if (version == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has no version to go back to", m->name),
				 errdetail("Version %d is live, and no version that was live before it is left.", m->live)));
	make_live(&registry, m, version);
	SPI_finish();
	PG_RETURN_INT32(version);
}

/* (name, version, keep) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_keep);
Datum
rnnforecast_rnn_keep(PG_FUNCTION_ARGS)
{
	Registry	registry;
	ModelVersion v = {.version = PG_GETARG_INT32(1),.keep = PG_GETARG_BOOL(2)};
	NamedModel *m;

	m = connect_model(fcinfo, &registry, NEED_MANAGE, false);
	v.model = m->id;
	if (!catalog_set_version(&registry, &v, VERSION_KEEP))
		no_version(m, v.version);
	SPI_finish();
	PG_RETURN_VOID();
}

/* (name) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_drop);
Datum
rnnforecast_rnn_drop(PG_FUNCTION_ARGS)
{
	Registry	registry;
	NamedModel *m;

	m = connect_model(fcinfo, &registry, NEED_MANAGE, false);
	refuse_in_training(&registry, m);
	unschedule_model(&registry, m);
	catalog_remove_model(&registry, m->id);
	SPI_finish();
	PG_RETURN_VOID();
}

/* Removes the names from a version's bytes; false where it has none of them. */
static bool
forget_in_version(const Registry *registry, const NamedModel *m, int32 version, ArrayType *series)
{
	ModelVersion v = {.model = m->id,.version = version};

	v.bytes = forget_series(decode_model(version_bytes(registry, m, version, false)), series);
	return v.bytes && catalog_set_version(registry, &v, VERSION_BYTES);
}

/* (name, series) -> versions that had some of them */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_forget_model);
Datum
rnnforecast_rnn_forget_model(PG_FUNCTION_ARGS)
{
	Registry	registry;
	ArrayType  *series = PG_GETARG_ARRAYTYPE_P(1);
	MemoryContext outer,
				one;
	NamedModel *m;
	ListCell   *cell;
	List	   *versions;
	int			had = 0;

	m = connect_model(fcinfo, &registry, NEED_MANAGE, false);
	refuse_in_training(&registry, m);
	versions = catalog_versions(&registry, m->id, VERSION_VERSION);
	one = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast version", ALLOCSET_DEFAULT_SIZES);
	foreach(cell, versions)
	{
		outer = MemoryContextSwitchTo(one);
		had += forget_in_version(&registry, m, ((ModelVersion *) lfirst(cell))->version, series);
		MemoryContextSwitchTo(outer);
		MemoryContextReset(one);
	}
	catalog_forget_in_runs(&registry, m->id, series);
	SPI_finish();
	PG_RETURN_INT32(had);
}

/* "public" is every role. */
static char *
grantee_key(const char *role)
{
	return strcmp(role, "public") == 0 ? "" : role_key(get_role_oid(role, false));
}

/* Takes a role's grants away, by the name that it has now; whether it had one. */
static bool
revoke_from(const Registry *registry, const NamedModel *m, const char *role)
{
	ListCell   *cell;
	bool		had = false;

	foreach(cell, catalog_grants(registry, m->id, ROW_NOW))
	{
		const ModelGrant *grant = lfirst(cell);

		if (strcmp(role_shown(grant->grantee, grant->grantee_key), role) != 0)
			continue;
		catalog_remove_grant(registry, grant);
		had = true;
	}
	return had;
}

/* (name, role) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_grant);
Datum
rnnforecast_rnn_grant(PG_FUNCTION_ARGS)
{
	Registry	registry;
	char	   *role = NameStr(*PG_GETARG_NAME(1));
	ModelGrant	grant = {.grantee = role};
	NamedModel *m;

	m = connect_model(fcinfo, &registry, NEED_MANAGE, false);
	grant.model = m->id;
	grant.grantee_key = grantee_key(role);
	catalog_add_grant(&registry, &grant);
	SPI_finish();
	PG_RETURN_VOID();
}

/* (name, role): the role may be gone already */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_revoke);
Datum
rnnforecast_rnn_revoke(PG_FUNCTION_ARGS)
{
	Registry	registry;
	char	   *role = NameStr(*PG_GETARG_NAME(1));
	NamedModel *m;

	m = connect_model(fcinfo, &registry, NEED_MANAGE, false);
	if (!revoke_from(&registry, m, role))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" has no grant on model \"%s\"", role, m->name)));
	SPI_finish();
	PG_RETURN_VOID();
}
