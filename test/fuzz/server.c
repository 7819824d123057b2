/*
 * server.c
 *		Fuzz targets of the server layer, as a module that a backend loads.
 *
 * Options, rows and states need palloc, ereport, jsonb and the calendar, so
 * these targets run where those are: inside of a server.  The module holds the
 * whole extension, in a database that doesn't have it.  Any input ends in a
 * result that keeps its promises or in an error of the user's; what breaks this
 * ends the process.
 *
 * fuzz_run(target, input) runs one input: test/t/034_corpus.pl runs those in
 * test/fuzz/corpus.  With clang, fuzz(target, arguments) hands the backend over
 * to libFuzzer, which looks for more: tools/fuzz.
 */
#include "bytes.h"
#include "pg/model/model.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define MEMORY 32				/* kB: grids are small, and panels outgrow it */

extern Datum rnnforecast_rnn_collect_combine(PG_FUNCTION_ARGS);
extern Datum rnnforecast_rnn_history_final(PG_FUNCTION_ARGS);

static MemoryContext scratch;	/* emptied after each input */

/* What must hold; ends the process so that the input is kept. */
static void
demand(bool holds, const char *what)
{
	if (holds)
		return;
	write_stderr("fuzz: %s\n", what);
	abort();
}

/* -------------------------------------------------------------------- json */

/* A text as a client may send it. */
static char *
text_of(const uint8 *data, Size size)
{
	if (memchr(data, 0, size) || !pg_verifymbstr((const char *) data, size, true))
		return NULL;
	return pnstrdup((const char *) data, size);
}

static Jsonb *
jsonb_of(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/* ------------------------------------------------------------------- calls */

/* Calls a support function as an aggregate over a window does. */
static Datum
call(PGFunction function, int nargs, Datum a, Datum b)
{
	LOCAL_FCINFO(fcinfo, 2);
	WindowAggState agg = {.curaggcontext = scratch};
	FmgrInfo	flinfo = {.fn_mcxt = scratch};
	Datum		result;

	agg.ss.ps.type = T_WindowAggState;
	InitFunctionCallInfoData(*fcinfo, &flinfo, nargs, InvalidOid, (fmNodePtr) &agg, NULL);
	fcinfo->args[0] = (NullableDatum) {a, a == 0};
	fcinfo->args[1] = (NullableDatum) {b, b == 0};
	result = function(fcinfo);
	return fcinfo->isnull ? 0 : result;
}

static RowState *
fresh_state(RowForm form, bool keyed)
{
	LOCAL_FCINFO(fcinfo, 1);
	WindowAggState agg = {.curaggcontext = scratch};

	agg.ss.ps.type = T_WindowAggState;
	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, (fmNodePtr) &agg, NULL);
	fcinfo->args[0] = (NullableDatum) {0, true};
	return state_for_update(fcinfo, form, keyed);
}

/* What a history that was made promises to those who read it. */
static void
check_series(const rnn_model *m, const rnn_series *s)
{
	const rnn_clock *clock = &m->clock;
	int64		at[] = {0, s->n / 2, s->n - 1, s->n + 40};

	demand(!isnan(s->x[0]) && !isnan(s->x[s->n - 1]), "a series ends with nothing");
	for (int64 k = 0; k < s->n; k++)
		demand(!isinf(s->x[k]), "a value is infinite");
	for (int i = 0; i < (int) lengthof(at); i++)
	{
		Datum		values[3];
		bool		nulls[3];

		clock_label(clock, s, at[i]);
		clock_place(clock, s, at[i], values, nulls);
		if (clock->kind != RNN_CLOCK_NONE)
			demand(clock_index(clock, s->start, clock_time(clock, s->start, at[i])) == at[i], "a point is not where its time is");
	}
}

static void
check_months(const rnn_series *s)
{
	for (int64 i = 0; s->days && i < s->days_rows; i++)
	{
		const uint8 *days = s->days + i * RNN_DAYS;
		int			all = 0;

		for (int k = 0; k < 7; k++)
			all += days[k];
		demand(all >= 28 && all <= 31 && days[7] <= 5, "a month has other days");
	}
}

static void
check_history(Datum history)
{
	const rnn_model *m = decode_model(DatumGetByteaPP(history));
	rnn_config	cfg = m->config;
	rnn_series *series = palloc(sizeof(rnn_series) * Max(m->n_series, 1));
	int			hints[8];

	demand(m->is_history, "a history is none");
	clock_hints(&m->clock, hints);
	clock_step_text(&m->clock);
	memcpy(series, m->series, sizeof(rnn_series) * m->n_series);
	for (int i = 0; i < m->n_series; i++)
		if (series[i].n > 0)
			check_series(m, &series[i]);
	cfg.terms = clock_calendar(&m->clock).terms;
	cfg.trading_days = true;
	calendar_fill(&cfg, &m->clock, series, m->n_series, 3);
	for (int i = 0; i < m->n_series; i++)
		check_months(&series[i]);
}

/* ----------------------------------------------------------------- options */

static void
check_config(const rnn_config *cfg)
{
	rnn_error	err;

	demand(rnn_config_check(cfg, &err) == RNN_OK, "options that were taken are none");
}

/* Input: which options, and their text. */
static void
fuzz_options(const uint8 *data, Size size)
{
	char	   *text = size > 0 ? text_of(data + 1, size - 1) : NULL;
	rnn_model	m = {0};
	rnn_config	cfg;
	ServerOptions server;
	ForecastOptions forecast;
	Jsonb	   *options;

	if (text == NULL)
		return;
	options = jsonb_of(text);
	rnn_config_defaults(&m.config);
	switch (data[0] % 4)
	{
		case 0:
			parse_options(options, &cfg, &server);
			check_config(&cfg);
			demand(server.keep >= 0, "keep is below 0");
			break;
		case 1:
			parse_history_options(options, &cfg, &server);
			check_config(&cfg);
			break;
		case 2:
			parse_forecast_options(options, &m, &forecast);
			break;
		default:
			json_field(options, "horizon");
			parse_options(options, &cfg, &server);
			if ((options = history_options(options)) != NULL)
				parse_history_options(options, &cfg, &server);
	}
}

/* -------------------------------------------------------------------- rows */

static const char *const zones[] = {
	"UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu", "Antarctica/Troll",
	"Australia/Lord_Howe", "America/Sao_Paulo"
};

static const char *const steps[] = {
	"1 month", "1 day", "7 days", "15 minutes", "24:00", "weekdays", "Tue,Thu", "1 year", "36:00", "00:00:00.000001"
};

static const char *
one_of(const char *const *words, int n, uint8 choice)
{
	return words[choice % n];
}

/* Those of rnn_history, each of them now and then. */
static Jsonb *
row_options(Bytes *in)
{
	static const char *const bins[] = {"none", "mean", "sum", "last", "min", "max", "count"};
	static const char *const duplicates[] = {"error", "mean", "sum", "min", "max", "last"};
	static const char *const on_error[] = {"fail", "skip", "naive"};
	static const char *const gaps[] = {"mask", "interpolate", "previous", "zero", "error"};
	uint8		which = take(in);
	StringInfoData text;

	initStringInfo(&text);
	if (which & 1)
		appendStringInfo(&text, ",\"bin\":\"%s\"", one_of(bins, lengthof(bins), take(in)));
	if (which & 2)
		appendStringInfo(&text, ",\"duplicates\":\"%s\"", one_of(duplicates, lengthof(duplicates), take(in)));
	if (which & 4)
		appendStringInfo(&text, ",\"on_error\":\"%s\"", one_of(on_error, lengthof(on_error), take(in)));
	if (which & 8)
		appendStringInfo(&text, ",\"gaps\":\"%s\"", one_of(gaps, lengthof(gaps), take(in)));
	if (which & 16)
		appendStringInfo(&text, ",\"timezone\":\"%s\"", one_of(zones, lengthof(zones), take(in)));
	if (which & 32)
		appendStringInfo(&text, ",\"step\":\"%s\"", one_of(steps, lengthof(steps), take(in)));
	else if (which & 64)
		appendStringInfo(&text, ",\"step\":%d", 1 + take(in));
	return text.len == 0 ? NULL : jsonb_of(psprintf("{%s}", text.data + 1));
}

static int64
take_int64(Bytes *in)
{
	int64		x;

	take_all(in, &x, sizeof(x));
	return x;
}

/* The next time after another: `count` steps of a usual length, or anything. */
static int64
step_on(Bytes *in, int64 at, uint8 how, bool times)
{
	static const int64 lengths[] = {1, USECS_PER_SEC, USECS_PER_MINUTE, USECS_PER_HOUR, USECS_PER_DAY, 7 * USECS_PER_DAY};
	int			unit = how & 7,
				count = how >> 3 & 7;

	if (unit == 7)
		return count == 0 ? take_int64(in) : at - count * USECS_PER_HOUR;
	if (!times)
		return at + count * (unit + 1);
	if (unit == 6)
		return add_interval(at, count, 0);
	return at + count * lengths[unit];
}

static double
value_of(Bytes *in, uint8 how)
{
	double		value = how / 4.0 - 8;

	if (how == 253)
		take_all(in, &value, sizeof(value));
	return how == 255 ? NAN : how == 254 ? INFINITY : value;
}

static bool
in_range(RowForm form, int64 at)
{
	if (form == FORM_STEP)
		return at >= -MOST_STEP && at <= MOST_STEP;
	return IS_VALID_TIMESTAMP(at) && at >= INT64CONST(-63082281600000000);
}

static void
add_row(RowState *state, Bytes *in, int64 at, uint8 how)
{
	static const char *const covariates[] = {
		"{\"a\": 1}", "{\"a\": 2.5, \"b\": \"x\"}", "{\"b\": \"y\"}", "{\"a\": null, \"c\": true}",
		"{\"b\": 1}", "{}", "{\"c\": 1e30}", "{\"c\": \"z\", \"d\": false}"
	};
	uint8		more = how & 128 ? take(in) : 0;
	double		value = value_of(in, take(in));
	GivenCovariates given = {0};

	if (isinf(value) && !state->keyed)
		value = NAN;
	if (more & 128)
		read_covariates(state, jsonb_of(covariates[more & 7]), &given);
	if (state->keyed)
	{
		char		name[] = {'a' + (more >> 3 & 7), 0};

		state_add_to(state, state_series(state, (SeriesName) {name, 1}), at, value);
	}
	else
		state_add(state, at, value);
	put_covariates(state, &given);
}

/* Input: a form, options, the first time, and rows: how far they are from each other and what they have. */
static void
fuzz_rows(const uint8 *data, Size size)
{
	static const RowForm forms[] = {FORM_DATE, FORM_TIMESTAMP, FORM_TIMESTAMPTZ, FORM_STEP, FORM_ORDERED};
	Bytes		in = {data, data + size};
	uint8		head = take(&in);
	RowForm		form = forms[head % 5];
	bool		keyed = form == FORM_STEP || (form != FORM_ORDERED && head & 64);
	RowState   *state = fresh_state(form, keyed);
	int64		at = head & 128 ? take_int64(&in) : form == FORM_STEP ? 0 : (take(&in) * 37) * USECS_PER_DAY;
	Datum		history;

	state->options = row_options(&in);
	while (in.next < in.end)
	{
		uint8		how = take(&in);

		at = form == FORM_ORDERED ? state->n : step_on(&in, at, how, form != FORM_STEP);
		if (form == FORM_DATE)
			at -= at % USECS_PER_DAY;
		if (form != FORM_ORDERED && !in_range(form, at))
			break;
		add_row(state, &in, at, how);
	}
	history = call(rnnforecast_rnn_history_final, 1, state_datum(state), 0);
	if (history != 0)
		check_history(history);
}

/* ------------------------------------------------------------------- state */

static bytea *
flat_form(Datum state)
{
	ExpandedObjectHeader *eoh = DatumGetEOHP(state);
	Size		size = EOH_get_flat_size(eoh);
	bytea	   *flat = palloc(size);

	EOH_flatten_into(eoh, flat, size);
	return flat;
}

static void
demand_same(const bytea *a, const bytea *b)
{
	demand(VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0, "a state that was read is written otherwise");
}

/*
 * Input: the bytes of a flat state but for its checksum.  Its first are set, or
 * few would be read on; where the first byte is even, the length of its options
 * is made to fit.
 */
static void
fuzz_state(const uint8 *data, Size size)
{
	bytea	   *bytes = palloc(VARHDRSZ + size + sizeof(uint32)),
			   *flat,
			   *other;
	char	   *head = VARDATA(bytes);
	int64		lengths[3];
	uint32		crc;
	Datum		state,
				history;

	if (size < 64)
		return;
	SET_VARSIZE(bytes, VARHDRSZ + size + sizeof(crc));
	memcpy(head, data, size);
	memcpy(head, "RNN4", 4);
	memcpy(lengths, head + 32, sizeof(lengths));
	if (data[0] % 2 == 0)
	{
		int64		n,
					rest;

		memcpy(&n, head + 8, sizeof(n));
		rest = (int64) size - 64 - lengths[0] - lengths[1] - n * (16 + (head[24] ? 4 : 0));
		if (n >= 0 && n < 100000 && rest >= 0)
			memcpy(head + 56, &rest, sizeof(rest));
	}
	crc = rnn_crc32c((uint8 *) head, size);
	memcpy(head + size, &crc, sizeof(crc));
	state = call(rnnforecast_rnn_collect_combine, 2, 0, PointerGetDatum(bytes));
	flat = flat_form(state);
	other = flat_form(call(rnnforecast_rnn_collect_combine, 2, 0, PointerGetDatum(flat)));
	demand_same(flat, other);
	/* Twice its rows, and a copy of what may only be read. */
	state = call(rnnforecast_rnn_collect_combine, 2, EOHPGetRODatum(DatumGetEOHP(state)), PointerGetDatum(flat));
	history = call(rnnforecast_rnn_history_final, 1, state, 0);
	if (history != 0)
		check_history(history);
}

/* --------------------------------------------------------------------- run */

static const struct
{
	const char *name;
	void		(*run) (const uint8 *data, Size size);
}			targets[] = {
	{"options", fuzz_options}, {"rows", fuzz_rows}, {"state", fuzz_state}
};
static int	target;

static void
choose_target(const char *name)
{
	for (target = 0; target < (int) lengthof(targets); target++)
		if (strcmp(targets[target].name, name) == 0)
			return;
	elog(ERROR, "there is no fuzz target \"%s\"", name);
}

/* The SQLSTATE of the error that it ended with, 0 if none. */
static int
run_input(const uint8 *data, Size size)
{
	MemoryContext old = CurrentMemoryContext;
	int			memory = rnnforecast_max_memory;
	volatile int code = 0;

	if (scratch == NULL)
		scratch = AllocSetContextCreate(TopMemoryContext, "fuzz", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(scratch);
	rnnforecast_max_memory = MEMORY;
	PG_TRY();
	{
		targets[target].run(data, size);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(scratch);
		code = geterrcode();
		if (code == ERRCODE_INTERNAL_ERROR)
		{
			ErrorData  *error = CopyErrorData();

			write_stderr("fuzz: %s (%s:%d)\n", error->message, error->filename, error->lineno);
			demand(false, "an internal error");
		}
		FlushErrorState();
	}
	PG_END_TRY();
	rnnforecast_max_memory = memory;
	MemoryContextSwitchTo(old);
	MemoryContextReset(scratch);
	return code;
}

/* (target, input) -> SQLSTATE */
PG_FUNCTION_INFO_V1(rnnforecast_fuzz_run);
Datum
rnnforecast_fuzz_run(PG_FUNCTION_ARGS)
{
	bytea	   *input = PG_GETARG_BYTEA_PP(1);

	choose_target(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_TEXT_P(cstring_to_text(unpack_sql_state(run_input((uint8 *) VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input)))));
}

#ifdef FUZZ_GUIDED

extern int	LLVMFuzzerRunDriver(int *argc, char ***argv, int (*run) (const uint8_t *data, size_t size));

static int
run_guided(const uint8_t *data, size_t size)
{
	CHECK_FOR_INTERRUPTS();
	run_input(data, size);
	return 0;
}

/* (target, arguments of libFuzzer): doesn't return */
PG_FUNCTION_INFO_V1(rnnforecast_fuzz);
Datum
rnnforecast_fuzz(PG_FUNCTION_ARGS)
{
	char	   *arguments = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *argv_room[100] = {"fuzz"};
	char	  **argv = argv_room;
	int			argc = 1;

	choose_target(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	for (char *word = strtok(arguments, " "); word && argc < (int) lengthof(argv_room) - 1; word = strtok(NULL, " "))
		argv[argc++] = word;
	PG_RETURN_INT32(LLVMFuzzerRunDriver(&argc, &argv, run_guided));
}

#endif							/* FUZZ_GUIDED */
