/*
 * catalog.h
 *		The tables of named models: one struct for a row of each, one reader
 *		and one writer.
 *
 * The tables belong to who ran the extension's script, for a trusted extension
 * the bootstrap superuser, so no one else changes their shape.  The owner of
 * the extension may read them and add rows, as restoring a dump does: contents
 * are hostile, and whatever C code takes of a row was checked for its type and
 * for null.
 *
 * Rows are locked in one order: the model's first, with ROW_LOCK, and then its
 * versions, its runs, its grants.  Who changes anything of a model holds its
 * row, so that no two sessions wait for each other.
 */
#ifndef RNNFORECAST_CATALOG_H
#define RNNFORECAST_CATALOG_H

#include "pg.h"

#include "nodes/pg_list.h"

typedef struct Registry
{
	Oid			schema;			/* of the extension */
	Oid			extension;
	Oid			owner;			/* of the extension, who manages all models */
	Oid			models;			/* the table rnn_registry, class of the models' locks */
	Oid			caller;
	Oid			function;		/* of the extension, that was called */
} Registry;

/*
 * A row of rnn_registry.  Fields are called as their columns; 0, NaN, NULL and
 * DT_NOBEGIN stand for null where a column may be that.
 */
typedef struct NamedModel
{
	int32		id;
	char	   *name;
	char	   *owner;
	char	   *owner_key;
	char	   *query;			/* NULL: none */
	Jsonb	   *options;
	Jsonb	   *rules;
	Jsonb	   *settings;
	int32		live;			/* 0: no version yet */
	int32		last_version;
	char	   *schedule;
	char	   *job_owner;		/* who scheduled it last */
} NamedModel;

enum
{
	MODEL_ID = 1 << 0, MODEL_NAME = 1 << 1, MODEL_OWNER = 1 << 2, MODEL_OWNER_KEY = 1 << 3, MODEL_QUERY = 1 << 4,
	MODEL_OPTIONS = 1 << 5, MODEL_RULES = 1 << 6, MODEL_SETTINGS = 1 << 7, MODEL_LIVE = 1 << 8,
	MODEL_LAST_VERSION = 1 << 9, MODEL_SCHEDULE = 1 << 10, MODEL_JOB_OWNER = 1 << 11, MODEL_ALL = (1 << 12) - 1
};

/* A row of rnn_registry_version. */
typedef struct ModelVersion
{
	int32		model;
	int32		version;
	bytea	   *bytes;
	char	   *source;
	TimestampTz promoted;
	bool		keep;
	bytea	   *fingerprint;
	int64		points;
	Timestamp	last_ts;
	double		mase;
	double		live_mase;
	double		mix_mase;
	double		coverage;
} ModelVersion;

enum
{
	VERSION_MODEL = 1 << 0, VERSION_VERSION = 1 << 1, VERSION_BYTES = 1 << 2, VERSION_SOURCE = 1 << 3,
	VERSION_PROMOTED = 1 << 4, VERSION_KEEP = 1 << 5, VERSION_FINGERPRINT = 1 << 6, VERSION_POINTS = 1 << 7,
	VERSION_LAST_TS = 1 << 8, VERSION_MASE = 1 << 9, VERSION_LIVE_MASE = 1 << 10, VERSION_MIX_MASE = 1 << 11,
	VERSION_COVERAGE = 1 << 12, VERSION_ALL = (1 << 13) - 1
};

/* A row of rnn_registry_run. */
typedef struct ModelRun
{
	int64		id;
	int32		model;
	char	   *kind;
	TimestampTz finished;
	char	   *outcome;
	int32		version;
	int64		points;
	double		mase;
	double		live_mase;
	double		mix_mase;
	Jsonb	   *series;
	char	   *message;
} ModelRun;

enum
{
	RUN_ID = 1 << 0, RUN_MODEL = 1 << 1, RUN_KIND = 1 << 2, RUN_FINISHED = 1 << 3, RUN_OUTCOME = 1 << 4,
	RUN_VERSION = 1 << 5, RUN_POINTS = 1 << 6, RUN_MASE = 1 << 7, RUN_LIVE_MASE = 1 << 8, RUN_MIX_MASE = 1 << 9,
	RUN_SERIES = 1 << 10, RUN_MESSAGE = 1 << 11, RUN_ALL = (1 << 12) - 1
};

/* A row of rnn_registry_grant. */
typedef struct ModelGrant
{
	int32		model;
	char	   *grantee;
	char	   *grantee_key;
} ModelGrant;

/* How rows are read. */
typedef enum Reading
{
	ROW_SNAPSHOT,				/* as the statement sees them */
	ROW_NOW,					/* with all that was done and committed until now */
	ROW_LOCK					/* the same, and nobody else writes them to the end of the transaction */
} Reading;

/* extension.c */
/* Error where the extension or its tables are not there. */
Registry	open_registry(FunctionCallInfo fcinfo);
/* Name of a schema as SQL has it; error where it was dropped. */
const char *schema_name(Oid schema);
/* A table of that name that belongs to the extension; error where there is none. */
Oid			extension_table(const Registry *registry, const char *name);
_Noreturn void no_extension_table(const char *name);

/* catalog.c */
/* A column of a row that SPI returned; error where it hasn't that type. */
Datum		result_datum(uint64 row, int column, Oid type, bool *null);

/*
 * All of these inside of SPI_connect.  Rows are in the current memory context;
 * `columns` says which fields are read or written.
 */
NamedModel *catalog_model(const Registry *registry, const char *name, Reading reading); /* NULL: none */
NamedModel *catalog_model_by_id(const Registry *registry, int32 id, Reading reading);
List	   *catalog_models(const Registry *registry, uint32 columns);	/* that have a query, by id */
bool		catalog_add_model(const Registry *registry, NamedModel *m); /* and sets id; false where the name is taken */
bool		catalog_set_model(const Registry *registry, const NamedModel *m, uint32 columns);	/* false where it is gone */
void		catalog_remove_model(const Registry *registry, int32 id);

ModelVersion *catalog_version(const Registry *registry, int32 model, int32 version, uint32 columns, Reading reading);
ModelVersion *catalog_last_version(const Registry *registry, int32 model, uint32 columns);
List	   *catalog_versions(const Registry *registry, int32 model, uint32 columns);	/* by number */
void		catalog_add_version(const Registry *registry, const ModelVersion *v, uint32 columns);
bool		catalog_set_version(const Registry *registry, const ModelVersion *v, uint32 columns);
void		catalog_remove_version(const Registry *registry, const ModelVersion *v);

void		catalog_add_run(const Registry *registry, ModelRun *run, uint32 columns);	/* and sets id */
bool		catalog_set_run(const Registry *registry, const ModelRun *run, uint32 columns);
void		catalog_trim_runs(const Registry *registry, int32 model, int kept); /* the latest are kept */
/* Takes the names of series out of all runs, and the messages, which may have them. */
void		catalog_forget_in_runs(const Registry *registry, int32 model, ArrayType *series);

List	   *catalog_grants(const Registry *registry, int32 model, Reading reading);
void		catalog_add_grant(const Registry *registry, const ModelGrant *grant);	/* or it is there */
void		catalog_remove_grant(const Registry *registry, const ModelGrant *grant);

#endif							/* RNNFORECAST_CATALOG_H */
