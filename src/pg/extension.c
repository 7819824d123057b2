/*
 * extension.c
 *		The extension that a function belongs to: its schema, owner, tables.
 *
 * All of it may be dropped while a refit trains, which holds no lock on it: what
 * is not there any more is an error, and what has its name now is not taken for
 * it.
 */
#include "catalog.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"

#define LOCKED_TABLE "rnn_registry"	/* class of the models' locks */

static Oid
extension_owner(Oid extension)
{
	Relation	catalog = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			owner;

	ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(extension));
	scan = systable_beginscan(catalog, ExtensionOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	owner = HeapTupleIsValid(tuple) ? ((Form_pg_extension) GETSTRUCT(tuple))->extowner : InvalidOid;
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return owner;
}

const char *
schema_name(Oid schema)
{
	char	   *name = get_namespace_name(schema);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("the schema of rnnforecast was dropped meanwhile")));
	return quote_identifier(name);
}

void
no_extension_table(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("table \"%s\" of rnnforecast does not exist", name),
			 errdetail("The extension was dropped or changed.")));
}

Oid
extension_table(const Registry *r, const char *name)
{
	Oid			table;

	/* A refit holds no lock on it while it trains. */
	AcceptInvalidationMessages();
	(void) schema_name(r->schema);
	table = get_relname_relid(name, r->schema);
	if (!OidIsValid(table) || !OidIsValid(r->extension) ||
		getExtensionOfObject(RelationRelationId, table) != r->extension)
		no_extension_table(name);
	return table;
}

Registry
open_registry(FunctionCallInfo fcinfo)
{
	Oid			function = fcinfo->flinfo->fn_oid;
	Registry	r = {.schema = get_func_namespace(function),.caller = GetUserId(),.function = function};

	r.extension = getExtensionOfObject(ProcedureRelationId, function);
	r.models = extension_table(&r, LOCKED_TABLE);
	r.owner = extension_owner(r.extension);
	return r;
}
