/*
 * manage.c
 *		Named models by hand: versions, rights, removal.
 */
#include "registry.h"

#include "catalog/namespace.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* To the end of the transaction: a training would bring back what is removed. */
static void
lock_or_fail(const Registry *registry, const NamedModel *m)
{
	if (!lock_model(registry, m->id, false))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("model \"%s\" is being trained", m->name),
				 errhint("Wait for the training, or end it with pg_cancel_backend(); rnn_runs has its pid.")));
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
	Registry	registry = open_registry(fcinfo);
	MemoryContext outer = CurrentMemoryContext;
	NamedModel *m;
	bytea	   *bytes,
			   *result;

	SPI_connect();
	m = find_model(&registry, text_to_cstring(PG_GETARG_TEXT_PP(0)), NEED_READ, true);
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
	Registry	registry = open_registry(fcinfo);
	NamedModel *m;

	SPI_connect();
	m = find_model(&registry, text_to_cstring(PG_GETARG_TEXT_PP(0)), NEED_MANAGE, false);
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
	Registry	registry = open_registry(fcinfo);
	NamedModel *m;
	Args		args = {0};
	int32		version;

	SPI_connect();
	m = find_model(&registry, text_to_cstring(PG_GETARG_TEXT_PP(0)), NEED_MANAGE, false);
	add_int(&args, m->id);
	add_int(&args, m->live);
	registry_run(&registry, "SELECT max(version) FROM @.rnn_registry_version "
				 "WHERE model = $1 AND version < $2 AND promoted IS NOT NULL", &args, false);
	version = result_int(1);
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
	Registry	registry = open_registry(fcinfo);
	NamedModel *m;
	Args		args = {0};

	SPI_connect();
	m = find_model(&registry, text_to_cstring(PG_GETARG_TEXT_PP(0)), NEED_MANAGE, false);
	add_int(&args, m->id);
	add_int(&args, PG_GETARG_INT32(1));
	add_arg(&args, BOOLOID, PG_GETARG_DATUM(2), false);
	if (!registry_run(&registry, "UPDATE @.rnn_registry_version SET keep = $3 WHERE model = $1 AND version = $2", &args, false))
		no_version(m, PG_GETARG_INT32(1));
	SPI_finish();
	PG_RETURN_VOID();
}

/* (name) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_drop);
Datum
rnnforecast_rnn_drop(PG_FUNCTION_ARGS)
{
	Registry	registry = open_registry(fcinfo);
	NamedModel *m;
	Args		args = {0};

	SPI_connect();
	m = find_model(&registry, text_to_cstring(PG_GETARG_TEXT_PP(0)), NEED_MANAGE, false);
	lock_or_fail(&registry, m);
	unschedule_model(&registry, m);
	add_int(&args, m->id);
	registry_run(&registry, "DELETE FROM @.rnn_registry WHERE id = $1", &args, false);
	SPI_finish();
	PG_RETURN_VOID();
}

/* Removes the names from a version's bytes; false where it has none of them. */
static bool
forget_in_version(const Registry *registry, const NamedModel *m, int32 version, ArrayType *series)
{
	bytea	   *rest = forget_series(decode_model(version_bytes(registry, m, version, false)), series);
	Args		args = {0};

	if (rest == NULL)
		return false;
	add_int(&args, m->id);
	add_int(&args, version);
	add_arg(&args, BYTEAOID, PointerGetDatum(rest), false);
	registry_run(registry, "UPDATE @.rnn_registry_version SET bytes = $3 WHERE model = $1 AND version = $2", &args, false);
	return true;
}

/* (name, series) -> versions that had some of them */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_forget_model);
Datum
rnnforecast_rnn_forget_model(PG_FUNCTION_ARGS)
{
	Registry	registry = open_registry(fcinfo);
	ArrayType  *series = PG_GETARG_ARRAYTYPE_P(1);
	NamedModel *m;
	Args		args = {0};
	int			had = 0,
				count;
	int32	   *versions;

	SPI_connect();
	m = find_model(&registry, text_to_cstring(PG_GETARG_TEXT_PP(0)), NEED_MANAGE, false);
	lock_or_fail(&registry, m);
	add_int(&args, m->id);
	registry_run(&registry, "SELECT version FROM @.rnn_registry_version WHERE model = $1 ORDER BY version", &args, false);
	count = (int) SPI_processed;
	versions = palloc(sizeof(int32) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		bool		null;

		versions[i] = DatumGetInt32(result_datum(i, 1, &null));
	}
	for (int i = 0; i < count; i++)
		had += forget_in_version(&registry, m, versions[i], series);
	add_arg(&args, TEXTARRAYOID, PointerGetDatum(series), false);
	registry_run(&registry, "UPDATE @.rnn_registry_run SET series = series - $2, message = NULL WHERE model = $1", &args, false);
	SPI_finish();
	PG_RETURN_INT32(had);
}

/* "public" is every role. */
static char *
grantee_key(const char *role)
{
	return strcmp(role, "public") == 0 ? "" : role_key(get_role_oid(role, false));
}

/* (name, role) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_grant);
Datum
rnnforecast_rnn_grant(PG_FUNCTION_ARGS)
{
	Registry	registry = open_registry(fcinfo);
	char	   *role = NameStr(*PG_GETARG_NAME(1));
	NamedModel *m;
	Args		args = {0};

	SPI_connect();
	m = find_model(&registry, text_to_cstring(PG_GETARG_TEXT_PP(0)), NEED_MANAGE, false);
	add_int(&args, m->id);
	add_text(&args, role);
	add_text(&args, grantee_key(role));
	registry_run(&registry, "INSERT INTO @.rnn_registry_grant (model, grantee, grantee_key) VALUES ($1, $2::name, $3) "
				 "ON CONFLICT (model, grantee) DO UPDATE SET grantee_key = excluded.grantee_key", &args, false);
	SPI_finish();
	PG_RETURN_VOID();
}

/* (name, role): the role may be gone already */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_revoke);
Datum
rnnforecast_rnn_revoke(PG_FUNCTION_ARGS)
{
	Registry	registry = open_registry(fcinfo);
	NamedModel *m;
	Args		args = {0};

	SPI_connect();
	m = find_model(&registry, text_to_cstring(PG_GETARG_TEXT_PP(0)), NEED_MANAGE, false);
	add_int(&args, m->id);
	add_text(&args, NameStr(*PG_GETARG_NAME(1)));
	if (!registry_run(&registry, "DELETE FROM @.rnn_registry_grant WHERE model = $1 AND grantee = $2::name", &args, false))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" has no grant on model \"%s\"", NameStr(*PG_GETARG_NAME(1)), m->name)));
	SPI_finish();
	PG_RETURN_VOID();
}
