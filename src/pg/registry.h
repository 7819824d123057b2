/*
 * registry.h
 *		What the files of the registry of named models share.
 *
 * Its tables are read and written as their owner, after the caller's rights
 * were looked at, so nobody needs rights on them and whatever their owner has
 * put on them (triggers, policies) runs as that owner, not as the caller.
 */
#ifndef RNNFORECAST_REGISTRY_H
#define RNNFORECAST_REGISTRY_H

#include "pg.h"

#include "catalog/pg_type.h"

typedef struct Registry
{
	Oid			schema;			/* of the extension */
	Oid			models;			/* the table rnn_registry, class of the models' locks */
	Oid			owner;			/* of the tables */
	Oid			caller;
	Oid			function;		/* of the extension, that was called */
} Registry;

/* A row of rnn_registry; pointers are in the context of the caller of find_model. */
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
} NamedModel;

/* Arguments of a statement. */
#define MOST_ARGS 20
typedef struct Args
{
	int			count;
	Oid			types[MOST_ARGS];
	Datum		values[MOST_ARGS];
	char		nulls[MOST_ARGS];
} Args;

void		add_arg(Args *args, Oid type, Datum value, bool null);
void		add_text(Args *args, const char *value);	/* NULL: null */
void		add_int(Args *args, int32 value);
void		add_float(Args *args, double value);	/* NaN: null */

typedef enum Need
{
	NEED_READ,					/* the owner, who was granted it, and the tables' owner */
	NEED_MANAGE,				/* the owner and the tables' owner */
	NEED_OWNER					/* who has the owner's rights */
} Need;

/* registry.c */
Registry	open_registry(FunctionCallInfo fcinfo);
/*
 * Runs a statement as the tables' owner; "@" in it is the extension's schema.
 * Inside of SPI_connect; true where a row was returned or written.
 */
bool		registry_run(const Registry *registry, const char *sql, const Args *args, bool read_only);
/* A column of the row that registry_run returned, NULL as 0. */
Datum		result_datum(uint64 row, int column, bool *null);
int64		result_int(int column);		/* an int4; 0 where NULL */
char	   *result_text(int column);	/* in the context of the caller */
/* Error where there is none, or the caller has not the rights; both say that there is none. */
NamedModel *find_model(const Registry *registry, const char *name, Need need, bool read_only);
bytea	   *version_bytes(const Registry *registry, const NamedModel *model, int32 version, bool read_only);
/* Role that owns a model; error where there is none of that name and key. */
Oid			model_owner(const NamedModel *model);
char	   *role_key(Oid role);
bool		acts_for(Oid caller, const char *name, const char *key);	/* has the rights of that role */
/* For a session, or to the end of the transaction; false where another holds it. */
bool		lock_model(const Registry *registry, int32 id, bool session);
void		unlock_model(const Registry *registry, int32 id);
bytea	   *live_bytes(const Registry *registry, const NamedModel *model, bool read_only);
bool		make_live(const Registry *registry, const NamedModel *model, int32 version);

/* schedule.c: removes the job of a model; false where it had none */
bool		unschedule_model(const Registry *registry, const NamedModel *model);

/* stored.c: the query of a model */
Jsonb	   *query_settings(void);	/* of the session, to be stored */
/* Rows of the query, read as its owner under its settings; NULL where there are none. */
bytea	   *query_history(const Registry *registry, Oid owner, const char *query, Jsonb *settings, Jsonb *options);

#endif							/* RNNFORECAST_REGISTRY_H */
