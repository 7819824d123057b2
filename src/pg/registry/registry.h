/*
 * registry.h
 *		Named models: their tables, who may do what with them, and what training
 *		one is made of.
 */
#ifndef RNN_PG_REGISTRY_H
#define RNN_PG_REGISTRY_H

#include "pg/model/model.h"

#include "nodes/pg_list.h"

/* ---------------------------------------------------------------- catalog.c */

/*
 * The tables of named models: one struct for a row of each, one reader and
 * one writer.
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

typedef struct Registry
{
	Oid			schema;			/* of the extension */
	Oid			extension;
	Oid			owner;			/* of the extension, who manages all models */
	Oid			models;			/* the table _rnn_registry, class of the models' locks */
	Oid			caller;
	Oid			function;		/* of the extension, that was called */
} Registry;

/*
 * A row of _rnn_registry.  Fields are called as their columns; 0, NaN, NULL and
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

/* A row of _rnn_registry_version. */
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
	double		mae;
	double		wape;
	double		coverage;
} ModelVersion;

enum
{
	VERSION_MODEL = 1 << 0, VERSION_VERSION = 1 << 1, VERSION_BYTES = 1 << 2, VERSION_SOURCE = 1 << 3,
	VERSION_PROMOTED = 1 << 4, VERSION_KEEP = 1 << 5, VERSION_FINGERPRINT = 1 << 6, VERSION_POINTS = 1 << 7,
	VERSION_LAST_TS = 1 << 8, VERSION_MASE = 1 << 9, VERSION_LIVE_MASE = 1 << 10, VERSION_MIX_MASE = 1 << 11,
	VERSION_MAE = 1 << 12, VERSION_WAPE = 1 << 13, VERSION_COVERAGE = 1 << 14, VERSION_ALL = (1 << 15) - 1
};

/* A row of _rnn_registry_run. */
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

/* A row of _rnn_registry_grant. */
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

/* catalog.c */
/*
 * All of these inside of SPI_connect.  Rows are in the current memory context;
 * `columns` says which fields are read or written.
 */
NamedModel *catalog_model(const Registry *registry, const char *name, Reading reading); /* NULL: none */
NamedModel *catalog_model_by_id(const Registry *registry, int32 id, Reading reading);
List	   *catalog_models(const Registry *registry, uint32 columns);	/* by id */
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

/* ------------------------------------------------------------------ rights */

typedef enum Need
{
	NEED_READ,					/* the owner, who was granted it, and the extension's owner */
	NEED_MANAGE,				/* the owner and the extension's owner */
	NEED_OWNER					/* who has the owner's rights */
} Need;

/* registry.c */
/* Error where the extension or its tables are not there. */
Registry	open_registry(FunctionCallInfo fcinfo);
/*
 * Error where there is none, or the caller has not the rights; both say that
 * there is none.  Unless it is only read its row is locked: see catalog.h.
 */
NamedModel *find_model(const Registry *registry, const char *name, Need need, bool read_only);
/*
 * The model that the first argument names, with SPI connected: how functions on
 * one begin.  SPI_finish is the caller's.
 */
NamedModel *connect_model(FunctionCallInfo fcinfo, Registry *registry, Need need, bool read_only);
/* Error where an argument is NULL; what it is called. */
void		refuse_null(FunctionCallInfo fcinfo, int argno, const char *name);
/* Error where a model can't have that name. */
char	   *checked_name(text *name);
/* Role that owns a model; error where there is none of that name and key. */
Oid			model_owner(const NamedModel *model);
/* A role's name and key, as rows have them. */
char	   *role_key(Oid role);
bool		acts_for(Oid caller, const char *name, const char *key);	/* has the rights of that role */
char	   *role_shown(const char *name, const char *key);	/* its name today */
bool		manages_all(const Registry *registry);
/* For a session, or to the end of the transaction; false where another holds it. */
bool		lock_model(const Registry *registry, int32 id, bool session);
void		unlock_model(const Registry *registry, int32 id, bool session);
/* Error where a model, whose row is locked, is being trained. */
void		refuse_in_training(const Registry *registry, const NamedModel *model);

bytea	   *version_bytes(const Registry *registry, const NamedModel *model, int32 version, bool read_only);
bytea	   *live_bytes(const Registry *registry, const NamedModel *model, bool read_only);
/* Of a model whose row is locked; false where there is no such version. */
bool		make_live(const Registry *registry, NamedModel *model, int32 version);
/* The version that was live before the live one; 0 where there is none. */
int32		version_before(const NamedModel *model, const List *versions);

/* cron_job.c: removes the job of a model; false where it had none */
bool		unschedule_model(const Registry *registry, const NamedModel *model);
/* Lets the job of a model call it by another name; error where the caller may not. */
void		rename_in_job(const Registry *registry, const NamedModel *model, const char *name);

/* stored_query.c: the query of a model */
Jsonb	   *query_settings(void);	/* of the session, to be stored */
/*
 * Error where it is no query of the columns that are needed, for its owner under
 * these settings; a NOTICE where a refit may not find the same rows.
 */
void		check_query(const Registry *registry, const NamedModel *model);
/* Rows of the query, read as its owner under its settings; NULL where there are none. */
bytea	   *query_history(const Registry *registry, const NamedModel *model);

/* cron_time.c */
void		refuse_long_steps(const char *schedule);

/* ----------------------------------------------------------------- training */

/* score.c */
/* Windows at the end of each series, `horizon` steps each, one after the other. */
typedef struct Windows
{
	const rnn_model *history;
	int			horizon;
	int			most;			/* of a series that has most */
	int64	   *first;			/* (n_series) point that the first begins at, n: none */
	double	   *scale;			/* (n_series) unit of its errors, 0: can't be measured */
	int			measurable;		/* series that can be, */
	int			measured;		/* and those of them that there was time for */
} Windows;

typedef struct Score
{
	double		mase;			/* mean over the series of mean |error| / scale; NaN: not measured */
	double		mae;			/* mean |error|, in units of the data, */
	double		wape;			/* and its sum as a share of that of |value|; NaN likewise */
	double		coverage;		/* of the 90 % interval, NaN likewise */
	int64		points;			/* compared */
	double	   *series;			/* (n_series) mean |error| / scale, NaN: not measured */
} Score;

Score		no_score(void);			/* nothing is measured */
/* At most `wanted` windows, in a third of each series; each begins after a known point. */
Windows		last_windows(const rnn_model *history, int horizon, int wanted);
/* The unit: mean |x(t) - x(t - season)| before the first window. */
void		set_scales(Windows *windows, int season);
/* What lies before the windows, as a history of its own. */
bytea	   *before_windows(const Windows *windows);
typedef struct Scored
{
	const rnn_model *model;
	Score	   *score;
} Scored;

/*
 * Each window is forecast from all rows before it, by the weights of each model.
 * When the deadline (0: none) is over, the series so far have to do.
 */
void		score_models(const Scored *models, int count, Windows *windows, TimestampTz deadline);

/* Options of rnn_fit that are not those of a training. */
typedef struct Rules
{
	int			windows;		/* that are held out at the end and scored */
	double		gate;			/* share by which a new version may be worse than the live one */
	double		break_at;		/* times its error of old at which the rows are not believed, 0: never */
	int			retain;			/* versions */
	int			rewind;			/* steps that the last row may lie before the live version's */
	double		shrink;			/* share of the live version's points and series that may be missing */
} Rules;

/* One training of a named model; all of it lives in `context`. */
typedef struct Training
{
	MemoryContext context;
	Registry	registry;
	NamedModel *model;
	const char *kind;			/* "fit", "refit" */
	Rules		rules;
	int64		run;			/* id in _rnn_registry_run */
	bytea	   *live;			/* bytes of the live version, NULL: none */
	double		live_was;		/* its error and the mix's when it was trained, NaN: not measured */
	double		mix_was;
	bytea	   *collected;		/* the rows of the query: a history */
	bytea	   *fingerprint;	/* of the rows */
	bool		old_rows;		/* the latest version was trained on the same */
	int64		points;
	TimestampTz began;			/* the work on the rows */
	bytea	   *bytes;			/* the new version */
	bytea	   *observed;		/* the live one with the new rows, where it stays live; else NULL */
	const rnn_model *history,	/* the rows */
			   *before,			/* those before the windows */
			   *live_model,
			   *trained;		/* on those before the windows */
	Windows		windows;
	Score		fresh,
				old,			/* of the live version */
				mix;
	int32		version;
	bool		stored;			/* and committed, whatever comes after */
	const char *outcome;		/* promoted, refused, skipped, failed */
	char	   *message;
} Training;

/* verdict.c */
/* Options of a training and the rules, from the options of rnn_fit. */
Jsonb	   *split_options(Jsonb *options, bool has_horizon, int64 horizon, Rules *rules, Jsonb **rules_json);
Rules		read_rules(Jsonb *json);
Jsonb	   *with_horizon(Jsonb *options, int64 horizon);	/* options NULL: none */
/* Sets outcome and message of a new version that was scored; false where the rows are not believed. */
bool		judge_version(Training *t);

/* version.c */
void		collect_rows(Training *t);	/* rows, fingerprint, points */
void		train_version(Training *t); /* bytes; touches no table */
void		store_version(Training *t); /* not live, not judged */
void		score_version(Training *t); /* scores, outcome; touches no table */
void		settle_version(Training *t);	/* notes its scores, and makes it live if it was promoted */
void		finish_run(Training *t);

#endif							/* RNN_PG_REGISTRY_H */
