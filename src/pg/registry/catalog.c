/*
 * catalog.c
 *		The tables of named models, read and written.
 *
 * A table is described once, by its columns and where they are in the struct of
 * a row; statements and the checks of what they return are made of that.  They
 * run as the tables' owner, with nothing but pg_catalog in the path, after the
 * caller's rights were looked at, as the server's own foreign keys do: nobody
 * else needs rights on the tables, and what a superuser may have put there,
 * triggers or policies, runs as their owner, not as the caller.
 */
#include "pg/registry/registry.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#define MOST_ARGS 20

typedef struct Column
{
	const char *name;
	Oid			type;
	bool		required;		/* never null */
	Size		at;				/* in the struct of a row */
} Column;

typedef struct Table
{
	const char *name;
	Size		size;			/* of the struct */
	int			keys;			/* the first columns, which say which row it is */
	int			count;
	const Column *columns;
} Table;

#define COLUMN(row, field, type, required) {#field, type, required, offsetof(row, field)}
#define TABLE(name, row, keys, columns) {name, sizeof(row), keys, lengthof(columns), columns}

/* In the order of the bits of each. */
static const Column model_columns[] = {
	COLUMN(NamedModel, id, INT4OID, true),
	COLUMN(NamedModel, name, TEXTOID, true),
	COLUMN(NamedModel, owner, NAMEOID, true),
	COLUMN(NamedModel, owner_key, TEXTOID, true),
	COLUMN(NamedModel, query, TEXTOID, false),
	COLUMN(NamedModel, options, JSONBOID, true),
	COLUMN(NamedModel, rules, JSONBOID, true),
	COLUMN(NamedModel, settings, JSONBOID, true),
	COLUMN(NamedModel, live, INT4OID, false),
	COLUMN(NamedModel, last_version, INT4OID, true),
	COLUMN(NamedModel, schedule, TEXTOID, false),
	COLUMN(NamedModel, job_owner, NAMEOID, false)
};

static const Column version_columns[] = {
	COLUMN(ModelVersion, model, INT4OID, true),
	COLUMN(ModelVersion, version, INT4OID, true),
	COLUMN(ModelVersion, bytes, BYTEAOID, true),
	COLUMN(ModelVersion, source, TEXTOID, true),
	COLUMN(ModelVersion, promoted, TIMESTAMPTZOID, false),
	COLUMN(ModelVersion, keep, BOOLOID, true),
	COLUMN(ModelVersion, fingerprint, BYTEAOID, false),
	COLUMN(ModelVersion, points, INT8OID, true),
	COLUMN(ModelVersion, last_ts, TIMESTAMPOID, false),
	COLUMN(ModelVersion, mase, FLOAT8OID, false),
	COLUMN(ModelVersion, live_mase, FLOAT8OID, false),
	COLUMN(ModelVersion, mix_mase, FLOAT8OID, false),
	COLUMN(ModelVersion, mae, FLOAT8OID, false),
	COLUMN(ModelVersion, wape, FLOAT8OID, false),
	COLUMN(ModelVersion, coverage, FLOAT8OID, false)
};

static const Column run_columns[] = {
	COLUMN(ModelRun, id, INT8OID, true),
	COLUMN(ModelRun, model, INT4OID, true),
	COLUMN(ModelRun, kind, TEXTOID, true),
	COLUMN(ModelRun, finished, TIMESTAMPTZOID, false),
	COLUMN(ModelRun, outcome, TEXTOID, true),
	COLUMN(ModelRun, version, INT4OID, false),
	COLUMN(ModelRun, points, INT8OID, false),
	COLUMN(ModelRun, mase, FLOAT8OID, false),
	COLUMN(ModelRun, live_mase, FLOAT8OID, false),
	COLUMN(ModelRun, mix_mase, FLOAT8OID, false),
	COLUMN(ModelRun, series, JSONBOID, false),
	COLUMN(ModelRun, message, TEXTOID, false)
};

static const Column grant_columns[] = {
	COLUMN(ModelGrant, model, INT4OID, true),
	COLUMN(ModelGrant, grantee, NAMEOID, true),
	COLUMN(ModelGrant, grantee_key, TEXTOID, true)
};

static const Table models = TABLE("_rnn_registry", NamedModel, 1, model_columns);
static const Table versions = TABLE("_rnn_registry_version", ModelVersion, 2, version_columns);
static const Table runs = TABLE("_rnn_registry_run", ModelRun, 1, run_columns);
static const Table grants = TABLE("_rnn_registry_grant", ModelGrant, 3, grant_columns);

static Oid
owner_of_table(Oid table, const char *name)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		no_extension_table(name);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* ----------------------------------------------------------------- columns */

typedef struct Args
{
	int			count;
	Oid			types[MOST_ARGS];
	Datum		values[MOST_ARGS];
	char		nulls[MOST_ARGS];
} Args;

static void
add_arg(Args *args, Oid type, Datum value, bool null)
{
	Assert(args->count < MOST_ARGS);
	args->types[args->count] = type;
	args->values[args->count] = null ? (Datum) 0 : value;
	args->nulls[args->count++] = null ? 'n' : ' ';
}

static void
add_int(Args *args, int32 value)
{
	add_arg(args, INT4OID, Int32GetDatum(value), false);
}

static Datum
name_datum(const char *text)
{
	return DirectFunctionCall1(namein, CStringGetDatum(text));
}

/* The field of a row as an argument. */
static void
add_field(Args *args, const Column *c, const void *row)
{
	const void *at = (const char *) row + c->at;
	void	   *pointer = c->type == NAMEOID || c->type == TEXTOID || c->type == JSONBOID || c->type == BYTEAOID ?
		*(void *const *) at : NULL;
	Datum		value = PointerGetDatum(pointer);
	bool		null = pointer == NULL;

	switch (c->type)
	{
		case BOOLOID:
			value = BoolGetDatum(*(const bool *) at);
			null = false;
			break;
		case INT4OID:
			value = Int32GetDatum(*(const int32 *) at);
			null = !c->required && *(const int32 *) at == 0;
			break;
		case INT8OID:
			value = Int64GetDatum(*(const int64 *) at);
			null = !c->required && *(const int64 *) at == 0;
			break;
		case FLOAT8OID:
			value = Float8GetDatum(*(const double *) at);
			null = isnan(*(const double *) at);
			break;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			value = TimestampGetDatum(*(const Timestamp *) at);
			null = TIMESTAMP_IS_NOBEGIN(*(const Timestamp *) at);
			break;
		case NAMEOID:
			value = null ? value : name_datum(pointer);
			break;
		case TEXTOID:
			value = null ? value : CStringGetTextDatum(pointer);
			break;
	}
	add_arg(args, c->type, value, null);
}

/* A value into the field of a row, in the current memory context. */
static void
set_field(void *row, const Column *c, Datum value, bool null)
{
	void	   *at = (char *) row + c->at;

	switch (c->type)
	{
		case BOOLOID:
			*(bool *) at = !null && DatumGetBool(value);
			break;
		case INT4OID:
			*(int32 *) at = null ? 0 : DatumGetInt32(value);
			break;
		case INT8OID:
			*(int64 *) at = null ? 0 : DatumGetInt64(value);
			break;
		case FLOAT8OID:
			*(double *) at = null ? NAN : DatumGetFloat8(value);
			break;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			*(Timestamp *) at = null ? DT_NOBEGIN : DatumGetTimestamp(value);
			break;
		case NAMEOID:
			*(char **) at = null ? NULL : pstrdup(NameStr(*DatumGetName(value)));
			break;
		case TEXTOID:
			*(char **) at = null ? NULL : TextDatumGetCString(value);
			break;
		case JSONBOID:
			*(Jsonb **) at = null ? NULL : DatumGetJsonbPCopy(value);
			break;
		case BYTEAOID:
			*(bytea **) at = null ? NULL : DatumGetByteaPCopy(value);
			break;
	}
}

/* The one place in which a value of the tables becomes one of C: what a column isn't, it isn't taken for. */
static void
read_field(void *row, const Table *t, const Column *c, HeapTuple tuple, TupleDesc desc, int column)
{
	Datum		value;
	bool		null;

	if (column > desc->natts || SPI_gettypeid(desc, column) != c->type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table \"%s\" is not of type %s", c->name, t->name, format_type_be(c->type)),
				 errdetail("The table of rnnforecast was changed.")));
	value = SPI_getbinval(tuple, desc, column, &null);
	if (null && c->required)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("column \"%s\" of table \"%s\" is null", c->name, t->name),
				 errdetail("The table of rnnforecast was changed.")));
	set_field(row, c, value, null);
}

static void
read_fields(void *row, const Table *t, uint32 columns, uint64 at)
{
	int			n = 0;

	for (int i = 0; i < t->count; i++)
		if (columns & (1 << i))
			read_field(row, t, &t->columns[i], SPI_tuptable->vals[at], SPI_tuptable->tupdesc, ++n);
}

/* -------------------------------------------------------------- statements */

/*
 * Runs a statement, "@" in it is the table; true where a row was returned or
 * written.  The current memory context stays what it is.
 */
static bool
run(const Registry *registry, const Table *t, const char *sql, const Args *args, bool read_only)
{
	MemoryContext outer = CurrentMemoryContext;
	Oid			table = extension_table(registry->schema, registry->extension, t->name),
				user;
	int			context,
				level,
				rc;
	StringInfoData s;

	initStringInfo(&s);
	for (; *sql; sql++)
		if (*sql == '@')
			appendStringInfo(&s, "%s.%s", schema_name(registry->schema), t->name);
		else
			appendStringInfoChar(&s, *sql);
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(owner_of_table(table, t->name),
						   context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	rc = SPI_execute_with_args(s.data, args->count, (Oid *) args->types, (Datum *) args->values, args->nulls, read_only, 0);
	AtEOXact_GUC(false, level);
	SetUserIdAndSecContext(user, context);
	MemoryContextSwitchTo(outer);
	pfree(s.data);
	if (rc < 0)
		elog(ERROR, "SPI_execute: %s", SPI_result_code_string(rc));
	return SPI_processed > 0;
}

static void
done(void)
{
	SPI_freetuptable(SPI_tuptable);
}

/* "WHERE" and the keys, which are the first arguments. */
static void
append_keys(StringInfo s, const Table *t)
{
	for (int i = 0; i < t->keys; i++)
		appendStringInfo(s, " %s %s = $%d", i == 0 ? "WHERE" : "AND", t->columns[i].name, i + 1);
}

static void
add_keys(Args *args, const Table *t, const void *row)
{
	for (int i = 0; i < t->keys; i++)
		add_field(args, &t->columns[i], row);
}

/* Rows by a condition, as a list of structs. */
static List *
read_rows(const Registry *registry, const Table *t, uint32 columns, const char *condition, const Args *args, Reading reading)
{
	const char *comma = "";
	List	   *rows = NIL;
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfoString(&s, "SELECT ");
	for (int i = 0; i < t->count; i++)
		if (columns & (1 << i))
		{
			appendStringInfo(&s, "%s%s", comma, t->columns[i].name);
			comma = ", ";
		}
	appendStringInfo(&s, " FROM @ WHERE %s%s", condition, reading == ROW_LOCK ? " FOR UPDATE" : "");
	run(registry, t, s.data, args, reading == ROW_SNAPSHOT);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		void	   *row = palloc0(t->size);

		read_fields(row, t, columns, i);
		rows = lappend(rows, row);
	}
	done();
	pfree(s.data);
	return rows;
}

static void *
read_row(const Registry *registry, const Table *t, uint32 columns, const char *condition, const Args *args, Reading reading)
{
	List	   *rows = read_rows(registry, t, columns, condition, args, reading);

	return rows == NIL ? NULL : linitial(rows);
}

/* False where the table has such a row; `id` gets the first column. */
static bool
insert_row(const Registry *registry, const Table *t, void *row, uint32 columns, const char *conflict)
{
	Args		args = {0};
	const char *comma = "";
	bool		inserted;
	StringInfoData s,
				values;

	initStringInfo(&s);
	initStringInfo(&values);
	appendStringInfoString(&s, "INSERT INTO @ (");
	for (int i = 0; i < t->count; i++)
		if (columns & (1 << i))
		{
			add_field(&args, &t->columns[i], row);
			appendStringInfo(&s, "%s%s", comma, t->columns[i].name);
			appendStringInfo(&values, "%s$%d", comma, args.count);
			comma = ", ";
		}
	appendStringInfo(&s, ") VALUES (%s)%s RETURNING %s", values.data, conflict, t->columns[0].name);
	inserted = run(registry, t, s.data, &args, false);
	if (inserted)
		read_fields(row, t, 1, 0);
	done();
	return inserted;
}

static bool
update_row(const Registry *registry, const Table *t, const void *row, uint32 columns)
{
	Args		args = {0};
	const char *comma = "";
	bool		updated;
	StringInfoData s;

	initStringInfo(&s);
	add_keys(&args, t, row);
	appendStringInfoString(&s, "UPDATE @ SET ");
	for (int i = 0; i < t->count; i++)
		if (columns & (1 << i))
		{
			add_field(&args, &t->columns[i], row);
			appendStringInfo(&s, "%s%s = $%d", comma, t->columns[i].name, args.count);
			comma = ", ";
		}
	append_keys(&s, t);
	updated = run(registry, t, s.data, &args, false);
	done();
	return updated;
}

static void
delete_row(const Registry *registry, const Table *t, const void *row)
{
	Args		args = {0};
	StringInfoData s;

	initStringInfo(&s);
	add_keys(&args, t, row);
	appendStringInfoString(&s, "DELETE FROM @");
	append_keys(&s, t);
	run(registry, t, s.data, &args, false);
	done();
}

/* ------------------------------------------------------------------ models */

NamedModel *
catalog_model(const Registry *registry, const char *name, Reading reading)
{
	Args		args = {0};

	add_arg(&args, TEXTOID, CStringGetTextDatum(name), false);
	return read_row(registry, &models, MODEL_ALL, "name = $1", &args, reading);
}

NamedModel *
catalog_model_by_id(const Registry *registry, int32 id, Reading reading)
{
	Args		args = {0};

	add_int(&args, id);
	return read_row(registry, &models, MODEL_ALL, "id = $1", &args, reading);
}

List *
catalog_models(const Registry *registry, uint32 columns)
{
	Args		args = {0};

	return read_rows(registry, &models, columns, "true ORDER BY id", &args, ROW_NOW);
}

bool
catalog_add_model(const Registry *registry, NamedModel *m)
{
	return insert_row(registry, &models, m, MODEL_ALL & ~MODEL_ID, " ON CONFLICT (name) DO NOTHING");
}

bool
catalog_set_model(const Registry *registry, const NamedModel *m, uint32 columns)
{
	return update_row(registry, &models, m, columns);
}

void
catalog_remove_model(const Registry *registry, int32 id)
{
	NamedModel	m = {.id = id};

	delete_row(registry, &models, &m);
}

/* ---------------------------------------------------------------- versions */

ModelVersion *
catalog_version(const Registry *registry, int32 model, int32 version, uint32 columns, Reading reading)
{
	Args		args = {0};

	add_int(&args, model);
	add_int(&args, version);
	return read_row(registry, &versions, columns, "model = $1 AND version = $2", &args, reading);
}

ModelVersion *
catalog_last_version(const Registry *registry, int32 model, uint32 columns)
{
	Args		args = {0};

	add_int(&args, model);
	return read_row(registry, &versions, columns, "model = $1 ORDER BY version DESC LIMIT 1", &args, ROW_NOW);
}

List *
catalog_versions(const Registry *registry, int32 model, uint32 columns)
{
	Args		args = {0};

	add_int(&args, model);
	return read_rows(registry, &versions, columns, "model = $1 ORDER BY version", &args, ROW_NOW);
}

void
catalog_add_version(const Registry *registry, const ModelVersion *v, uint32 columns)
{
	ModelVersion copy = *v;

	insert_row(registry, &versions, &copy, columns, "");
}

bool
catalog_set_version(const Registry *registry, const ModelVersion *v, uint32 columns)
{
	return update_row(registry, &versions, v, columns);
}

void
catalog_remove_version(const Registry *registry, const ModelVersion *v)
{
	delete_row(registry, &versions, v);
}

/* -------------------------------------------------------------------- runs */

void
catalog_add_run(const Registry *registry, ModelRun *one, uint32 columns)
{
	insert_row(registry, &runs, one, columns, "");
}

bool
catalog_set_run(const Registry *registry, const ModelRun *one, uint32 columns)
{
	return update_row(registry, &runs, one, columns);
}

void
catalog_trim_runs(const Registry *registry, int32 model, int kept)
{
	Args		args = {0};

	add_int(&args, model);
	add_int(&args, kept);
	run(registry, &runs, "DELETE FROM @ WHERE model = $1 AND id <= (SELECT o.id FROM @ AS o WHERE o.model = $1 "
		"ORDER BY o.id DESC OFFSET $2 LIMIT 1)", &args, false);
	done();
}

void
catalog_forget_in_runs(const Registry *registry, int32 model, ArrayType *series)
{
	Args		args = {0};

	add_int(&args, model);
	add_arg(&args, TEXTARRAYOID, PointerGetDatum(series), false);
	run(registry, &runs, "UPDATE @ SET series = CASE jsonb_typeof(series) WHEN 'object' THEN series - $2 END, message = NULL "
		"WHERE model = $1", &args, false);
	done();
}

/* ------------------------------------------------------------------ grants */

List *
catalog_grants(const Registry *registry, int32 model, Reading reading)
{
	Args		args = {0};

	add_int(&args, model);
	return read_rows(registry, &grants, (1 << lengthof(grant_columns)) - 1, "model = $1", &args, reading);
}

void
catalog_add_grant(const Registry *registry, const ModelGrant *grant)
{
	ModelGrant	copy = *grant;

	insert_row(registry, &grants, &copy, (1 << lengthof(grant_columns)) - 1, " ON CONFLICT DO NOTHING");
}

void
catalog_remove_grant(const Registry *registry, const ModelGrant *grant)
{
	delete_row(registry, &grants, grant);
}
