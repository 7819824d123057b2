/*
 * manage.c
 *		Named models by hand: versions, rights, removal.
 */
#include "pg/registry/registry.h"

#include "catalog/namespace.h"
#include "executor/spi.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/memutils.h"

/*
 * A training would bring back what is removed.  None begins while the model's
 * row is locked, as it is here, so it is enough to look for one that runs.  The
 * lock is not kept: at a rollback the row's may go first, and a refit that has
 * waited for the row would take this session for a training.
 */
static void
refuse_in_training(const Registry *registry, const NamedModel *m)
{
	if (!lock_model(registry, m->id, false))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("model \"%s\" is being trained", m->name),
				 errhint("Wait for the training, or end it with pg_cancel_backend(); rnn_runs has its pid.")));
	unlock_model(registry, m->id, false);
}

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
				 errdetail("Version %d is live, and no earlier one that was live is there.", m->live)));
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
