/*
 * refit.c
 *		Training named models: rnn_fit, rnn_refit, rnn_refit_all, rnn_register.
 *
 * A function's note of its own failure would be rolled back with it, so refits
 * are procedures: they commit that they run, read the rows, commit, train, commit
 * the new version, judge it, and commit what became of it.  While they train and
 * judge nothing of a transaction is needed, not even a snapshot, so that a long
 * training doesn't hold up vacuum.  An error is caught, noted and raised again;
 * what can't be caught leaves a running row without its lock, which the view
 * rnn_runs shows as lost.
 */
#include "pg/registry/registry.h"
#include "pg/forecast/forecast.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

static Training *
new_training(const Registry *registry, const char *kind)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast named model", ALLOCSET_DEFAULT_SIZES);
	Training   *t = MemoryContextAllocZero(context, sizeof(Training));

	t->context = context;
	t->registry = *registry;
	t->kind = kind;
	t->live_was = t->mix_was = NAN;
	t->fresh = t->old = t->mix = no_score();
	return t;
}

static void
insert_run(Training *t, const char *outcome)
{
	ModelRun	run = {.model = t->model->id,.kind = unconstify(char *, t->kind),.outcome = unconstify(char *, outcome)};

	catalog_add_run(&t->registry, &run, RUN_MODEL | RUN_KIND | RUN_OUTCOME);
	t->run = run.id;
}

/* --------------------------------------------------------------- new names */

static NamedModel *
insert_model(const Registry *registry, const char *name, const char *query, Jsonb *options, Jsonb *rules)
{
	NamedModel *m = palloc0(sizeof(NamedModel));

	m->name = pstrdup(name);
	m->owner = GetUserNameFromId(registry->caller, false);
	m->owner_key = role_key(registry->caller);
	m->query = query ? pstrdup(query) : NULL;
	m->options = options;
	m->rules = rules;
	m->settings = query_settings();
	if (!catalog_add_model(registry, m))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("model \"%s\" already exists", name),
				 errhint("Train it again with CALL rnn_refit, change it with rnn_alter, or replace it with rnn_fit(..., replace => true).")));
	return m;
}

/* Error where it is another's. */
static bool
is_taken(const Registry *registry, const char *name)
{
	NamedModel *m = catalog_model(registry, name, ROW_NOW);

	if (m == NULL)
		return false;
	if (!acts_for(registry->caller, m->owner, m->owner_key) && !manages_all(registry))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("model \"%s\" already exists", name),
				 errhint("It belongs to another role. Choose another name.")));
	return true;
}

/* A name that is taken by a model of the caller's gets another query; versions, runs and grants stay. */
static NamedModel *
replace_model(const Registry *registry, const char *name, const char *query, Jsonb *options, Jsonb *rules)
{
	NamedModel *m = find_model(registry, name, NEED_OWNER, false);

	refuse_in_training(registry, m);
	m->query = pstrdup(query);
	m->options = options;
	m->rules = rules;
	m->settings = query_settings();
	catalog_set_model(registry, m, MODEL_QUERY | MODEL_OPTIONS | MODEL_RULES | MODEL_SETTINGS);
	return m;
}

/* (name, query, horizon, options, replace) -> the version, 1 of a new name */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_fit);
Datum
rnnforecast_rnn_fit(PG_FUNCTION_ARGS)
{
	enum {NAME, QUERY, HORIZON, OPTIONS, REPLACE};
	Registry	registry = open_registry(fcinfo);
	bool		replace = !PG_ARGISNULL(REPLACE) && PG_GETARG_BOOL(REPLACE);
	Training   *t;
	Jsonb	   *options,
			   *rules;
	char	   *name,
			   *query;
	int32		version;

	refuse_null(fcinfo, NAME, "name");
	refuse_null(fcinfo, QUERY, "query");
	SPI_connect();
	t = new_training(&registry, "fit");
	MemoryContextSwitchTo(t->context);
	name = checked_name(PG_GETARG_TEXT_PP(NAME));
	query = text_to_cstring(PG_GETARG_TEXT_PP(QUERY));
	options = split_options(PG_ARGISNULL(OPTIONS) ? NULL : PG_GETARG_JSONB_P(OPTIONS), !PG_ARGISNULL(HORIZON),
							PG_ARGISNULL(HORIZON) ? 0 : PG_GETARG_INT64(HORIZON), &t->rules, &rules);
	t->model = replace && is_taken(&registry, name) ? replace_model(&registry, name, query, options, rules) :
		insert_model(&registry, name, query, options, rules);
	check_query(&registry, t->model);
	insert_run(t, "running");
	collect_rows(t);
	train_version(t);
	store_version(t);
	score_version(t);
	settle_version(t);
	finish_run(t);
	version = t->version;
	SPI_finish();
	PG_RETURN_INT32(version);
}

/*
 * Makes what is stored with a name fit the model that it gets, for the next
 * refit: its horizon, and for rows of another query how they are read.  What
 * the options don't say is as in the model.
 */
static void
adopt(const Registry *registry, NamedModel *named, const rnn_model *m, char *query)
{
	if (query)
	{
		named->query = query;
		named->settings = query_settings();
		named->options = bins_of(m);
		named->rules = json_without(named->rules, "keys");
	}
	named->options = with_horizon(named->options, m->config.horizon);
	catalog_set_model(registry, named, MODEL_QUERY | MODEL_SETTINGS | MODEL_OPTIONS | MODEL_RULES);
}

/* (name, model, query) -> its version, which is live */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_register);
Datum
rnnforecast_rnn_register(PG_FUNCTION_ARGS)
{
	Registry	registry = open_registry(fcinfo);
	char	   *name;
	char	   *query = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	Training   *t;
	Jsonb	   *rules;
	const rnn_model *m;
	int32		version;

	refuse_null(fcinfo, 0, "name");
	refuse_null(fcinfo, 1, "model");
	name = checked_name(PG_GETARG_TEXT_PP(0));
	SPI_connect();
	t = new_training(&registry, "register");
	MemoryContextSwitchTo(t->context);
	t->bytes = PG_GETARG_BYTEA_P(1);
	check_not_name(t->bytes);
	m = decode_model(t->bytes);
	check_is_model(m);
	t->fresh.coverage = m->calibration_n > 0 ? m->coverage : NAN;
	if (is_taken(&registry, name))
	{
		t->model = find_model(&registry, name, query ? NEED_OWNER : NEED_MANAGE, false);
		t->rules = read_rules(t->model->rules);
		adopt(&registry, t->model, m, query);
	}
	else
	{
		Jsonb	   *options = split_options(bins_of(m), true, m->config.horizon, &t->rules, &rules);

		t->model = insert_model(&registry, name, query, options, rules);
	}
	if (query)
		check_query(&registry, t->model);
	t->outcome = "promoted";
	store_version(t);
	settle_version(t);
	version = t->version;
	SPI_finish();
	PG_RETURN_INT32(version);
}

/* ----------------------------------------------------------------- phases */

/* Does a phase; its error, or NULL.  What the phase did is then undone. */
static ErrorData *
guarded(void (*phase) (Training *t), Training *t)
{
	MemoryContext outer = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(t->context);
	PG_TRY();
	{
		phase(t);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(t->context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(outer);
	CurrentResourceOwner = owner;
	return error;
}

static void
commit(void)
{
	SPI_commit();
	SPI_start_transaction();
}

static void
load_live(Training *t)
{
	ModelVersion *v;

	t->rules = read_rules(t->model->rules);
	if (t->model->live == 0)
		return;
	t->live = live_bytes(&t->registry, t->model, false);
	v = catalog_version(&t->registry, t->model->id, t->model->live, VERSION_MASE | VERSION_MIX_MASE, ROW_NOW);
	t->live_was = v ? v->mase : NAN;
	t->mix_was = v ? v->mix_mase : NAN;
}

/* What the caller has done to it, if anything, was committed: the live version as it is now. */
static void
read_phase(Training *t)
{
	load_live(t);
	collect_rows(t);
}

/* Notes the outcome of a refit that does not train. */
static void
skip(Training *t, const char *why)
{
	t->outcome = "skipped";
	t->message = pstrdup(why);
	ereport(NOTICE,
			(errmsg("refit of model \"%s\" was skipped: %s", t->model->name, why)));
}

/*
 * Trains what was read, stores and judges it; the error that ended it, or NULL.
 * What was trained is committed before it is judged, for it may have taken hours.
 */
static ErrorData *
train_and_store(Training *t)
{
	ErrorData  *error = guarded(read_phase, t);

	if (error)
		return error;
	if (t->old_rows)
	{
		skip(t, "no new rows");
		return NULL;
	}
	commit();
	error = guarded(train_version, t);
	if (error == NULL)
		error = guarded(store_version, t);
	if (error)
		return error;
	commit();
	t->stored = true;
	error = guarded(score_version, t);
	return error ? error : guarded(settle_version, t);
}

static void
note_failure(Training *t, ErrorData *error)
{
	t->outcome = "failed";
	t->message = error->message;
	if (!t->stored)
	{
		t->version = 0;
		return;
	}
	t->message = psprintf("trained and stored as version %d, not judged: %s", t->version, error->message);
	error->hint = psprintf("The network is trained: rnn_promote(%s, %d) makes it live without being judged.",
						   quote_literal_cstr(t->model->name), t->version);
}

static void
report_outcome(const Training *t)
{
	if (strcmp(t->outcome, "refused") == 0)
		ereport(WARNING,
				(errmsg("refit of model \"%s\" was refused: %s", t->model->name, t->message),
				 errdetail("Version %d stays live. Errors are MASE on the last windows.", t->model->live),
				 errhint("The view rnn_runs tells more. rnn_promote(%s, %d) makes the new version live nevertheless.",
						 quote_literal_cstr(t->model->name), t->version)));
}

/* Does the work and notes what became of it; the error that ended it, or NULL. */
static ErrorData *
train_and_note(Training *t)
{
	ErrorData  *error = train_and_store(t),
			   *unnoted;

	if (error)
		note_failure(t, error);
	/* Nowhere to note it, if the tables were dropped meanwhile. */
	unnoted = guarded(finish_run, t);
	commit();
	return error ? error : unnoted;
}

/*
 * One refit, in transactions of its own; the error that ended it, already
 * noted, or NULL.  The first statement is in the caller's transaction.
 */
static ErrorData *
refit(Training *t)
{
	ErrorData  *volatile error = NULL;

	if (t->model->query == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has no query to train on", t->model->name),
				 errhint("It was registered without a query. rnn_register(name, model, query) gives it one.")));
	insert_run(t, "running");
	if (!lock_model(&t->registry, t->model->id, true))
	{
		skip(t, "it is being trained already");
		finish_run(t);
		commit();
		return NULL;
	}
	PG_TRY();
	{
		commit();
		error = train_and_note(t);
	}
	PG_FINALLY();
	{
		/* It is the session's, and no transaction ends it. */
		unlock_model(&t->registry, t->model->id, true);
	}
	PG_END_TRY();
	if (error == NULL)
		report_outcome(t);
	return error;
}

static void
begin_procedure(FunctionCallInfo fcinfo, const char *name)
{
	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) || castNode(CallContext, fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("%s cannot run inside a transaction block or a function", name),
				 errhint("Call it as a statement of its own, because it commits what it does.")));
	PreventCommandIfReadOnly(name);
	PreventCommandDuringRecovery(name);
	SPI_connect_ext(SPI_OPT_NONATOMIC);
}

/* (name, INOUT outcome) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_refit);
Datum
rnnforecast_rnn_refit(PG_FUNCTION_ARGS)
{
	MemoryContext outer = CurrentMemoryContext;
	TupleDesc	desc;
	Registry	registry = open_registry(fcinfo);
	Training   *t;
	ErrorData  *error;
	Datum		value;
	bool		null = false;

	refuse_null(fcinfo, 0, "name");
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "rnn_refit has no row type");
	desc = BlessTupleDesc(desc);
	begin_procedure(fcinfo, "rnn_refit()");
	t = new_training(&registry, "refit");
	MemoryContextSwitchTo(t->context);
	t->model = find_model(&registry, text_to_cstring(PG_GETARG_TEXT_PP(0)), NEED_OWNER, false);
	error = refit(t);
	if (error)
		ReThrowError(error);
	MemoryContextSwitchTo(outer);
	value = CStringGetTextDatum(t->outcome);
	SPI_finish();
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, &value, &null)));
}

/* Names of the models that have a query and whose owner's rights the caller has. */
static List *
own_models(const Registry *registry)
{
	List	   *names = NIL;
	ListCell   *cell;

	foreach(cell, catalog_models(registry, MODEL_NAME | MODEL_OWNER | MODEL_OWNER_KEY | MODEL_QUERY))
	{
		const NamedModel *m = lfirst(cell);

		if (m->query && acts_for(registry->caller, m->owner, m->owner_key))
			names = lappend(names, m->name);
	}
	return names;
}

static void
find_phase(Training *t)
{
	t->model = find_model(&t->registry, t->model->name, NEED_OWNER, false);
}

/* () */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_refit_all);
Datum
rnnforecast_rnn_refit_all(PG_FUNCTION_ARGS)
{
	Registry	registry = open_registry(fcinfo);
	List	   *names;
	ListCell   *cell;
	int			failed = 0;

	begin_procedure(fcinfo, "rnn_refit_all()");
	names = own_models(&registry);
	foreach(cell, names)
	{
		Training   *t = new_training(&registry, "refit");
		NamedModel	named = {.name = lfirst(cell)};
		MemoryContext outer = MemoryContextSwitchTo(t->context);
		ErrorData  *error;

		t->model = &named;
		error = guarded(find_phase, t);
		if (error == NULL)
			error = refit(t);
		if (error && error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		if (error)
		{
			failed++;
			ereport(WARNING,
					(errcode(error->sqlerrcode),
					 errmsg("refit of model \"%s\" failed: %s", named.name, error->message)));
		}
		MemoryContextSwitchTo(outer);
		MemoryContextDelete(t->context);
	}
	SPI_finish();
	if (failed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%d of %d models could not be trained again", failed, list_length(names)),
				 errhint("The view rnn_runs says why.")));
	PG_RETURN_VOID();
}
