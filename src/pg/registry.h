/*
 * registry.h
 *		What the files of the registry of named models share: who may do what
 *		with a model, and its lock.
 */
#ifndef RNNFORECAST_REGISTRY_H
#define RNNFORECAST_REGISTRY_H

#include "catalog.h"

#include "catalog/pg_type.h"

typedef enum Need
{
	NEED_READ,					/* the owner, who was granted it, and the extension's owner */
	NEED_MANAGE,				/* the owner and the extension's owner */
	NEED_OWNER					/* who has the owner's rights */
} Need;

/* registry.c */
/*
 * Error where there is none, or the caller has not the rights; both say that
 * there is none.  Unless it is only read its row is locked: see catalog.h.
 */
NamedModel *find_model(const Registry *registry, const char *name, Need need, bool read_only);
/* Role that owns a model; error where there is none of that name and key. */
Oid			model_owner(const NamedModel *model);
/* A role's name and key, as rows have them. */
char	   *role_key(Oid role);
bool		acts_for(Oid caller, const char *name, const char *key);	/* has the rights of that role */
char	   *role_shown(const char *name, const char *key);	/* its name today */
bool		manages_all(const Registry *registry);
/* For a session, or to the end of the transaction; false where another holds it. */
bool		lock_model(const Registry *registry, int32 id, bool session);
void		unlock_model(const Registry *registry, int32 id);

bytea	   *version_bytes(const Registry *registry, const NamedModel *model, int32 version, bool read_only);
bytea	   *live_bytes(const Registry *registry, const NamedModel *model, bool read_only);
/* Of a model whose row is locked; false where there is no such version. */
bool		make_live(const Registry *registry, NamedModel *model, int32 version);
/* The version that was live before the live one; 0 where there is none. */
int32		version_before(const NamedModel *model, const List *versions);

/* schedule.c: removes the job of a model; false where it had none */
bool		unschedule_model(const Registry *registry, const NamedModel *model);

/* stored.c: the query of a model */
Jsonb	   *query_settings(void);	/* of the session, to be stored */
/* Rows of the query, read as its owner under its settings; NULL where there are none. */
bytea	   *query_history(const Registry *registry, Oid owner, const char *query, Jsonb *settings, Jsonb *options);

#endif							/* RNNFORECAST_REGISTRY_H */
