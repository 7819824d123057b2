/*
 * codec.c
 *		Models as bytea: decoded once per statement, encoded once per training.
 */
#include "pg/model/model.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define MOST_NAME 1000			/* bytes that the name of a model may have */

/* A decoded argument. */
typedef struct Decoded
{
	MemoryContext context;		/* holds the two below */
	bytea	   *bytes;
	rnn_model	model;
} Decoded;

/* What a calling expression keeps in its fn_extra. */
typedef struct CallSite
{
	Decoded    *first;			/* its first argument, NULL: none yet */
	int			told;			/* notices that were raised here, as bits */
} CallSite;

/* The pretrained network, decoded and packed once in a session: some megabytes. */
const rnn_prior *
pretrained(int version)
{
	static rnn_prior *loaded;	/* (latest version + 1) */
	rnn_prior	fresh;
	rnn_error	err;
	void	   *block = NULL;

	if (loaded == NULL)
		loaded = MemoryContextAllocZero(TopMemoryContext, sizeof(rnn_prior) * (rnn_prior_latest() + 1));
	if (version >= 1 && version <= rnn_prior_latest() && loaded[version].version == version)
		return &loaded[version];
	if (rnn_prior_size(version) > 0)
		block = MemoryContextAlloc(TopMemoryContext, rnn_prior_size(version));
	if (rnn_prior_load(version, block, &fresh, &err) != RNN_OK)
		report_engine_error(&err);
	rnn_prior_pack(&fresh, MemoryContextAlloc(TopMemoryContext, rnn_prior_packed_size(&fresh)));
	loaded[version] = fresh;
	return &loaded[version];
}

/*
 * Names become text of this database.  Its encoding may not be that of the one
 * that wrote them, and bytes may be forged.  The number of the first series
 * whose name is not valid, -1 where all are.
 */
static int
bad_name(const rnn_model *m)
{
	for (int k = 0; k < m->n_series; k++)
	{
		const rnn_series *s = &m->series[k];

		if (s->name != NULL && !pg_verify_mbstr(GetDatabaseEncoding(), s->name, s->name_len, true))
			return k;
	}
	return -1;
}

/* Names and texts of covariates likewise. */
static int
bad_text(const rnn_model *m)
{
	int			encoding = GetDatabaseEncoding();

	for (int k = 0; k < m->config.covariates.n; k++)
	{
		const rnn_covariate *c = &m->config.covariates.list[k];
		bool		valid = pg_verify_mbstr(encoding, c->name.text, c->name.len, true);

		for (int i = 0; valid && i < c->n_categories; i++)
			valid = pg_verify_mbstr(encoding, c->categories[i].text, c->categories[i].len, true);
		if (!valid)
			return k;
	}
	return -1;
}

static void
check_encoding(const rnn_model *m)
{
	const char *encoding = pg_encoding_to_char(GetDatabaseEncoding());
	int			name = bad_name(m),
				text = bad_text(m);
	rnn_text	groups = m->hierarchy.asked;

	if (groups.len > 0 && !pg_verify_mbstr(GetDatabaseEncoding(), groups.text, groups.len, true))
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("the hierarchy of the model is not valid in this database's encoding \"%s\"", encoding),
				 errhint("A model from a database of another encoding cannot be read here. Train it again in this database.")));
	if (name >= 0 || text >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 name >= 0 ? errmsg("the name of series %d of the model is not valid in this database's encoding \"%s\"", name + 1, encoding) :
				 errmsg("covariate %d of the model is not valid in this database's encoding \"%s\"", text + 1, encoding),
				 errhint("A model from a database of another encoding cannot be read here. Train it again in this database.")));
}

/*
 * Text COPY reads \x52 as the letter R, and others store the text of bytes: the
 * commonest ways to spoil a model are told from damage.
 */
static void
check_not_text(const char *bytes, Size len)
{
	static const char *const begins[] = {"R4e4e46", "\\x524e4e46", "524e4e46"};

	for (size_t i = 0; i < lengthof(begins); i++)
		if (len >= strlen(begins[i]) && memcmp(bytes, begins[i], strlen(begins[i])) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("model bytes are damaged: these bytes are not a model"),
					 errdetail("They are hexadecimal text, which was stored as if it were the bytes."),
					 errhint("COPY reads what COPY wrote, not the hexadecimal digits of a SELECT. Elsewhere decode(text, 'hex') turns digits into bytes.")));
}

/* An untyped literal is bytes where a model is expected: what is text is a name, most likely. */
void
check_not_name(const bytea *argument)
{
	const char *bytes = VARDATA_ANY(argument);
	Size		len = VARSIZE_ANY_EXHDR(argument);
	char	   *name;

	check_not_text(bytes, len);
	if (len == 0 || len > MOST_NAME || (len >= 4 && memcmp(bytes, "RNNF", 4) == 0) || memchr(bytes, '\0', len) != NULL ||
		!pg_verify_mbstr(GetDatabaseEncoding(), bytes, len, true))
		return;
	name = quote_literal_cstr(pnstrdup(bytes, len));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a model is expected, not the text %s", name),
			 errhint("If that is the name of a model, rnn_forecast_model(%s) forecasts with it, and rnn_model(%s) is the model.", name, name)));
}

/* What the bytes of `d` are, in the current context. */
static void
read_model(Decoded *d)
{
	const uint8 *bytes = (uint8 *) VARDATA_ANY(d->bytes);
	Size		len = VARSIZE_ANY_EXHDR(d->bytes),
				size;
	rnn_arena	arena;
	rnn_error	err;

	if (rnn_model_decoded_size(bytes, len, &size, &err) != RNN_OK)
		report_engine_error(&err);
	CHECK_FOR_INTERRUPTS();
	rnn_arena_init(&arena, MemoryContextAllocHuge(CurrentMemoryContext, size + 64), size + 64);
	if (rnn_model_decode(bytes, len, &arena, &d->model, &err) != RNN_OK)
		report_engine_error(&err);
	d->model.stop = &interrupts;
	if (d->model.prior > 0)
		d->model.prior_net = pretrained(d->model.prior);
}

static Decoded *
decode(MemoryContext parent, bytea *bytes)
{
	MemoryContext context = AllocSetContextCreate(parent, "rnnforecast model",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Decoded    *d = palloc0(sizeof(Decoded));
	Size		len = VARSIZE_ANY(bytes);

	d->context = context;
	d->bytes = MemoryContextAllocHuge(context, len);
	memcpy(d->bytes, bytes, len);
	check_not_text(VARDATA_ANY(d->bytes), VARSIZE_ANY_EXHDR(d->bytes));
	read_model(d);
	check_encoding(&d->model);
	MemoryContextSwitchTo(old);
	return d;
}

void
check_is_model(const rnn_model *m)
{
	if (m->is_history)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("this is a history, not a model"),
				 errhint("Train a model on it with rnn_train_history(history), or give it to a model with rnn_observe(model, history).")));
}

const rnn_model *
decode_model(bytea *bytes)
{
	return &decode(CurrentMemoryContext, bytes)->model;
}

static CallSite *
call_site(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CallSite));
	return fcinfo->flinfo->fn_extra;
}

/*
 * The first argument is kept from call to call, as it often is the same.  The
 * second lives as long as the row that it came with.
 */
const rnn_model *
fetch_model(FunctionCallInfo fcinfo, int argno, bool history_allowed)
{
	CallSite   *site = call_site(fcinfo);
	bytea	   *bytes;
	Decoded    *d = site->first;

	if (PG_ARGISNULL(argno))
		return NULL;
	bytes = PG_GETARG_BYTEA_PP(argno);
	check_not_name(bytes);
	if (argno != 0)
		d = decode(CurrentMemoryContext, bytes);
	else if (d == NULL || VARSIZE_ANY(d->bytes) != VARSIZE_ANY(bytes) ||
			 memcmp(d->bytes, bytes, VARSIZE_ANY(bytes)) != 0)
	{
		site->first = NULL;
		if (d)
			MemoryContextDelete(d->context);
		d = site->first = decode(fcinfo->flinfo->fn_mcxt, bytes);
	}
	if (!history_allowed)
		check_is_model(&d->model);
	return &d->model;
}

bool
tell_once(FunctionCallInfo fcinfo, int notice)
{
	CallSite   *site = call_site(fcinfo);
	bool		first = (site->told & notice) == 0;

	site->told |= notice;
	return first;
}

bytea *
store_model(const rnn_model *m)
{
	Size		size = rnn_model_size(m);
	bytea	   *result;

	if (size > RNN_MAX_MODEL)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a model of %zu MB is larger than the limit of 256 MB", size / (1024 * 1024)),
				 errhint("Keep less history with the option \"keep\", or use fewer series.")));
	result = palloc(VARHDRSZ + size);
	SET_VARSIZE(result, VARHDRSZ + size);
	rnn_model_encode(m, (uint8 *) VARDATA(result));
	return result;
}

/* () -> the prior of short series as a model without rows, to be looked at or given some by rnn_observe */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_prior);
Datum
rnnforecast_rnn_prior(PG_FUNCTION_ARGS)
{
	const rnn_prior *prior = pretrained(rnn_prior_for(0, 0));
	rnn_model	m = {.prior = prior->version,.prior_net = prior,.verdict = RNN_VERDICT_PRIOR,.mix_spread = 1,
	.difference = NAN,.std_error = NAN,.mix_pinball = NAN,.coverage = NAN,.n_seasons = 1,.seasons = {1}};

	m.config = prior->cfg;
	m.config.start = RNN_START_PRIOR;
	m.config.horizon = prior->horizon;
	m.config.steps = m.config.members = m.config.batch = 1;
	m.config.flips = RNN_FLIPS_ON;
	m.config.calendar = m.config.trading_days = 0;
	m.config.transform = RNN_TRANSFORM_NONE;
	m.config.pivot = 1;
	m.config.pooling = 0;
	m.config.seasons_given = 1;
	m.config.seasons[0] = 1;
	for (int i = 0; i < RNN_BANDS * RNN_MEDIAN; i++)
		m.calibration[i / RNN_MEDIAN][i % RNN_MEDIAN] = 1;
	PG_RETURN_BYTEA_P(store_model(&m));
}
