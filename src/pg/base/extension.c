/*
 * extension.c
 *		An extension: its owner, schema and tables.
 *
 * All of it may be dropped while a refit trains, which holds no lock on it: what
 * is not there any more is an error, and what has its name now is not taken for
 * it.
 */
#include "pg/base/base.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"

Oid
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
extension_table(Oid schema, Oid extension, const char *name)
{
	Oid			table;

	/* A refit holds no lock on it while it trains. */
	AcceptInvalidationMessages();
	(void) schema_name(schema);
	table = get_relname_relid(name, schema);
	if (!OidIsValid(table) || !OidIsValid(extension) ||
		getExtensionOfObject(RelationRelationId, table) != extension)
		no_extension_table(name);
	return table;
}
