/*
 * options.c
 *		Options from jsonb, and the rows of the view rnn_options.
 *
 * The engine's table (rnn_options in config.c) says what there is; options
 * that only the server understands are in a table of their own here.
 */
#include "pg/base/base.h"

#include <math.h>

#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

static const char *const on_error_names[] = {
	[ON_ERROR_FAIL] = "fail",[ON_ERROR_SKIP] = "skip",[ON_ERROR_NAIVE] = "naive", NULL
};

const char *const bin_names[] = {"none", "mean", "sum", "last", "min", "max", "count", NULL};
static const char *const duplicates_names[] = {"error", "mean", "sum", "min", "max", "last", NULL};
static const char *const known_ahead_names[] = {
	[KNOWN_AHEAD_AUTO] = "auto",[KNOWN_AHEAD_ALL] = "all",[KNOWN_AHEAD_NONE] = "none", NULL
};

const rnn_option *
engine_option(const char *name)
{
	for (int i = 0; i < rnn_option_count; i++)
		if (strcmp(rnn_options[i].name, name) == 0)
			return &rnn_options[i];
	return NULL;
}

static int
server_option(const char *name)
{
	for (int i = 0; i < SERVER_OPTIONS; i++)
		if (strcmp(server_options[i].name, name) == 0)
			return i;
	return -1;
}

static bool
is_rule(const char *name)
{
	for (int i = 0; i < RULE_OPTIONS; i++)
		if (strcmp(rule_options[i].name, name) == 0)
			return true;
	return false;
}

#define KEYS "keys"				/* of functions that take a query */
#define MOST_KEYS 20
#define ALL_OPTIONS (rnn_option_count + SERVER_OPTIONS + RULE_OPTIONS)

static const char *
name_of_option(int i)
{
	if (i < rnn_option_count)
		return rnn_options[i].name;
	i -= rnn_option_count;
	return i < SERVER_OPTIONS ? server_options[i].name : rule_options[i - SERVER_OPTIONS].name;
}

const char *
closest_option(const char *name)
{
	const char **names = palloc(sizeof(char *) * ALL_OPTIONS);

	for (int i = 0; i < ALL_OPTIONS; i++)
		names[i] = name_of_option(i);
	return closest_name(name, names, ALL_OPTIONS);
}

static void
unknown_option(const char *name)
{
	StringInfoData all;
	const char *near = closest_option(name);

	if (is_rule(name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" is only for named models", name),
				 errhint("Pass it to rnn_fit.")));
	if (strcmp(name, KEYS) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" is only for functions that take a query", name),
				 errhint("Make one name of the columns instead: jsonb_build_object('shop', shop, 'product', product).")));
	initStringInfo(&all);
	for (int i = 0; i < ALL_OPTIONS - RULE_OPTIONS; i++)
		appendStringInfo(&all, "%s%s", i > 0 ? ", " : "", name_of_option(i));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown option \"%s\"", name),
			 errdetail("The options are %s.", all.data),
			 near ? errhint("Did you mean \"%s\"?", near) :
			 errhint("The view rnn_options lists all options. Covariates come before options: rnn_train(series, ts, value, covariates, options).")));
}

void
wrong_type(const char *name, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" must be %s", name, wanted)));
}

char *
value_text(const JsonbValue *v)
{
	return JsonbToCString(NULL, &JsonbValueToJsonb(unconstify(JsonbValue *, v))->root, 64);
}

/* Whether a string would do without its quotes. */
static bool
is_quoted(const JsonbValue *v)
{
	char	   *text,
			   *end;

	if (v->type != jbvString || v->val.string.len == 0 || v->val.string.len > 30)
		return false;
	text = pnstrdup(v->val.string.val, v->val.string.len);
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return true;
	return isfinite(strtod(text, &end)) && *end == '\0';
}

void
wrong_value(const char *name, const char *wanted, const JsonbValue *v)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" must be %s, not %s", name, wanted, value_text(v)),
			 is_quoted(v) ? errhint("Write it without quotes: {\"%s\": %s}.", name, pnstrdup(v->val.string.val, v->val.string.len)) : 0));
}

static bool
is_auto(const JsonbValue *v)
{
	return v->type == jbvNull || (v->type == jbvString && v->val.string.len == 4 &&
								  memcmp(v->val.string.val, "auto", 4) == 0);
}

static double
number_option(const char *name, const JsonbValue *v, bool whole, double min, double max)
{
	double		x;

	if (v->type != jbvNumeric)
		wrong_value(name, whole ? "a whole number" : "a number", v);
	x = json_number(v);
	if (whole && x != rint(x))
		wrong_value(name, "a whole number", v);
	if (!(x >= min && x <= max))
	{
		rnn_error	err = {RNN_ERR_OPTION, name, x, min, max};

		report_engine_error(&err);
	}
	return x;
}

double
lone_option(Jsonb *options, const char *name, bool whole, double min, double max, double def)
{
	JsonbValue *v = json_field(options, name);

	return v == NULL || v->type == jbvNull ? def : number_option(name, v, whole, min, max);
}

static int32
enum_option(const char *name, const char *const *names, const JsonbValue *v)
{
	StringInfoData all;
	char	   *given = v->type == jbvString ? pnstrdup(v->val.string.val, v->val.string.len) : NULL;

	initStringInfo(&all);
	for (int i = 0; names[i]; i++)
	{
		if (given && strcmp(given, names[i]) == 0)
			return i;
		appendStringInfo(&all, "%s\"%s\"", i > 0 ? ", " : "", names[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 given ? errmsg("option \"%s\" cannot be \"%s\"", name, given) :
			 errmsg("option \"%s\" cannot be %s", name, value_text(v)),
			 errdetail("Allowed values are %s.", all.data)));
	return 0;
}

static int
compare_int(const void *a, const void *b)
{
	return *(const int *) a - *(const int *) b;
}

/* A number, an array of up to three, or "auto". */
static void
seasons_option(const rnn_option *o, const JsonbValue *v, rnn_config *cfg)
{
	int			n = 0,
				unique = 0;

	cfg->seasons_given = -1;
	if (is_auto(v))
		return;
	if (v->type == jbvNumeric)
		cfg->seasons[n++] = (int32) number_option(o->name, v, true, o->min, o->max);
	else if (v->type == jbvBinary && JsonContainerIsArray(v->val.binary.data))
	{
		JsonbIterator *it = JsonbIteratorInit(v->val.binary.data);
		JsonbValue	item;
		JsonbIteratorToken token;

		while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
		{
			if (token != WJB_ELEM)
				continue;
			if (n == RNN_MAX_SEASONS)
				wrong_value(o->name, "at most three numbers", v);
			cfg->seasons[n++] = (int32) number_option(o->name, &item, true, o->min, o->max);
		}
	}
	else
		wrong_value(o->name, "a number, an array of numbers, or \"auto\"", v);
	qsort(cfg->seasons, n, sizeof(int32), compare_int);
	for (int i = 0; i < n; i++)
		if (i == 0 || cfg->seasons[i] != cfg->seasons[i - 1])
			cfg->seasons[unique++] = cfg->seasons[i];
	/* Beside a season of 2 or more, 1 says nothing. */
	if (unique > 1 && cfg->seasons[0] == 1)
		memmove(cfg->seasons, cfg->seasons + 1, --unique * sizeof(int32));
	cfg->seasons_given = unique;
}

static void
set_engine_option(const rnn_option *o, const JsonbValue *v, rnn_config *cfg)
{
	char	   *field = (char *) cfg + o->offset;

	if (o->type == RNN_OPT_SEASONS)
		seasons_option(o, v, cfg);
	else if (o->automatic && is_auto(v))
	{
		if (o->type == RNN_OPT_FLOAT)
			*(double *) field = o->def;
		else
			*(int32 *) field = (int32) o->def;
	}
	else if (o->type == RNN_OPT_ENUM)
		*(int32 *) field = enum_option(o->name, o->names, v);
	else if (o->type == RNN_OPT_BOOL)
	{
		if (v->type != jbvBool)
			wrong_value(o->name, o->automatic ? "true, false or \"auto\"" : "true or false", v);
		*(int32 *) field = v->val.boolean;
	}
	else if (o->type == RNN_OPT_FLOAT)
		*(double *) field = number_option(o->name, v, false, o->min, o->max);
	else if (o->type == RNN_OPT_BIGINT)
		*(int64 *) field = (int64) number_option(o->name, v, true, o->min, o->max);
	else
		*(int32 *) field = (int32) number_option(o->name, v, true, o->min, o->max);
}

/* What an error says of a step: also in place of the server's own, which knows neither the option nor an example. */
static void
describe_step_error(void *given)
{
	errcode(ERRCODE_INVALID_PARAMETER_VALUE);
	errmsg("option \"step\" cannot be \"%s\"", (char *) given);
	errdetail("A step is days of the week, or an interval of months and years, of days and weeks, or of hours and less. An interval is above 0 and at most 10000 years.");
	errhint("Examples are \"15 minutes\", \"1 day\", \"1 month\", \"weekdays\", \"Mon-Sat\" and \"Tue,Thu\".");
}

static Interval *
read_interval(char *text)
{
	ErrorContextCallback where = {.previous = error_context_stack,.callback = describe_step_error,.arg = text};
	Interval   *span;

	error_context_stack = &where;
	span = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	if ((span->month != 0) + (span->day != 0) + (span->time != 0) != 1 || span->month < 0 || span->day < 0 || span->time < 0 ||
		span->month > 120000 || span->day > 3650000 || span->time > INT64CONST(3650000) * USECS_PER_DAY)
		ereport(ERROR, (errmsg("no step")));
	error_context_stack = where.previous;
	return span;
}

/* Of months, of days, or of microseconds, but not of two of them. */
static void
step_option(const JsonbValue *v, StepOption *step)
{
	char	   *text;
	Interval   *span;

	memset(step, 0, sizeof(*step));
	if (is_auto(v))
		return;
	step->given = true;
	if (v->type == jbvNumeric)
	{
		step->number = (int64) number_option("step", v, true, 1, (double) MOST_STEP);
		return;
	}
	if (v->type != jbvString)
		wrong_value("step", "an interval, days of the week, or a whole number", v);
	text = pnstrdup(v->val.string.val, v->val.string.len);
	if ((step->week = week_parse(text)) != 0)
	{
		step->days = 1;
		return;
	}
	span = read_interval(text);
	step->months = span->month;
	step->days = span->day;
	step->usecs = span->time;
}

static void
set_server_option(int option, const JsonbValue *v, ServerOptions *server)
{
	const ServerOption *o = &server_options[option];

	switch (option)
	{
		case OPTION_BIN:
			server->tidying.bin = enum_option(o->name, bin_names, v);
			break;
		case OPTION_DUPLICATES:
			server->tidying.duplicates = DUPLICATES_ERROR + enum_option(o->name, duplicates_names, v);
			break;
		case OPTION_HIERARCHY:
			server->hierarchy = hierarchy_option(v);
			break;
		case OPTION_STEP:
			step_option(v, &server->tidying.step);
			break;
		case OPTION_KEEP:
			server->keep = is_auto(v) ? 0 : (int) number_option(o->name, v, true, o->min, o->max);
			break;
		case OPTION_KNOWN_AHEAD:
			server->known_ahead = v->type != jbvBool ? enum_option(o->name, known_ahead_names, v) :
				v->val.boolean ? KNOWN_AHEAD_ALL : KNOWN_AHEAD_NONE;
			break;
		case OPTION_ON_ERROR:
			server->tidying.on_error = enum_option(o->name, on_error_names, v);
			break;
		case OPTION_PROGRESS:
			if (v->type != jbvBool)
				wrong_value(o->name, "true or false", v);
			server->progress = v->val.boolean;
			break;
		case OPTION_TIMEZONE:
			{
				char	   *zone;

				if (v->type != jbvString)
					wrong_value(o->name, "the name of a time zone", v);
				zone = pnstrdup(v->val.string.val, v->val.string.len);
				if (strlen(zone) >= sizeof(server->timezone) || pg_tzset(zone) == NULL)
					ereport(ERROR,
							(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							 errmsg("time zone \"%s\" not recognized", zone),
							 errhint("The view pg_timezone_names lists the names.")));
				/* the canonical spelling */
				strlcpy(server->timezone, pg_get_timezone_name(pg_tzset(zone)), sizeof(server->timezone));
				break;
			}
	}
}

JsonbIterator *
begin_options(Jsonb *options, const char *example)
{
	if (!JB_ROOT_IS_OBJECT(options))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object"),
				 errhint("Write them as '%s'.", example)));
	return JsonbIteratorInit(&options->root);
}

char *
next_option(JsonbIterator **it, JsonbValue *v)
{
	JsonbIteratorToken token;
	char	   *name = NULL;

	while ((token = JsonbIteratorNext(it, v, name != NULL)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = pnstrdup(v->val.string.val, v->val.string.len);
		else if (token == WJB_VALUE)
			return name;
	}
	return NULL;
}

void
parse_options(Jsonb *options, rnn_config *cfg, ServerOptions *server)
{
	JsonbIterator *it;
	JsonbValue	v;
	char	   *name;
	rnn_error	err;

	rnn_config_defaults(cfg);
	memset(server, 0, sizeof(*server));
	if (options == NULL)
		return;
	it = begin_options(options, "{\"horizon\": 24}");
	while ((name = next_option(&it, &v)) != NULL)
	{
		const rnn_option *o = engine_option(name);

		if (o)
			set_engine_option(o, &v, cfg);
		else if (server_option(name) >= 0)
			set_server_option(server_option(name), &v, server);
		else
			unknown_option(name);
	}
	if (rnn_config_check(cfg, &err) != RNN_OK)
		report_engine_error(&err);
}

/* Options of this layer that say how rows become series. */
static bool
tidies(int option)
{
	return option == OPTION_BIN || option == OPTION_DUPLICATES || option == OPTION_ON_ERROR ||
		option == OPTION_STEP || option == OPTION_TIMEZONE;
}

bool
is_of_history(const char *name)
{
	return strcmp(name, "gaps") == 0 || tidies(server_option(name));
}

Jsonb *
history_options(Jsonb *options)
{
	JsonbIterator *it = JsonbIteratorInit(&options->root);
	JsonbValue	v;
	char	   *name;

	while ((name = next_option(&it, &v)) != NULL)
		if (!is_of_history(name))
			options = json_without(options, name);
	return JB_ROOT_COUNT(options) > 0 ? options : NULL;
}

List *
take_keys(Jsonb **options)
{
	JsonbValue *v = *options && JB_ROOT_IS_OBJECT(*options) ? json_field(*options, KEYS) : NULL;
	List	   *keys = NIL;
	JsonbIterator *it;
	JsonbValue	item;
	JsonbIteratorToken token;

	if (v == NULL)
		return NIL;
	*options = json_without(*options, KEYS);
	if (v->type == jbvNull)
		return NIL;
	if (v->type != jbvBinary || !JsonContainerIsArray(v->val.binary.data) || JsonContainerSize(v->val.binary.data) == 0 ||
		JsonContainerSize(v->val.binary.data) > MOST_KEYS)
		wrong_value(KEYS, "an array of 1 to 20 names of columns", v);
	it = JsonbIteratorInit(v->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (item.type != jbvString)
			wrong_value(KEYS, "an array of names of columns", v);
		keys = lappend(keys, pnstrdup(item.val.string.val, item.val.string.len));
	}
	return keys;
}

static char *
names_for_history(void)
{
	StringInfoData names;

	initStringInfo(&names);
	appendStringInfoString(&names, "gaps");
	for (int i = 0; i < SERVER_OPTIONS; i++)
		if (tidies(i))
			appendStringInfo(&names, ", %s", server_options[i].name);
	return names.data;
}

void
parse_history_options(Jsonb *options, rnn_config *cfg, ServerOptions *server)
{
	const rnn_option *gaps = engine_option("gaps");
	JsonbIterator *it;
	JsonbValue	v;
	char	   *name;

	rnn_config_defaults(cfg);
	memset(server, 0, sizeof(*server));
	if (options == NULL)
		return;
	it = begin_options(options, "{\"on_error\": \"skip\"}");
	while ((name = next_option(&it, &v)) != NULL)
	{
		if (strcmp(name, gaps->name) == 0)
		{
			set_engine_option(gaps, &v, cfg);
			continue;
		}
		if (!tidies(server_option(name)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("rnn_history has no option \"%s\"", name),
					 errdetail("Its options are %s.", names_for_history()),
					 engine_option(name) || server_option(name) >= 0 ?
					 errhint("Pass \"%s\" to rnn_train or rnn_train_history.", name) : 0));
		set_server_option(server_option(name), &v, server);
	}
}

void
parse_forecast_options(Jsonb *options, const rnn_model *m, ForecastOptions *forecast)
{
	static const char *const own[] = {"align", "covariate_gaps", "on_error", "fresh"};
	ServerOptions server = {0};
	rnn_config	cfg = m->config;
	JsonbIterator *it;
	JsonbValue	v;
	char	   *name;

	*forecast = (ForecastOptions) {.covariate_gaps = m->config.covariate_gaps,.on_error = ON_ERROR_FAIL};
	if (options == NULL)
		return;
	it = begin_options(options, "{\"covariate_gaps\": \"previous\"}");
	while ((name = next_option(&it, &v)) != NULL)
	{
		if (server_option(name) == OPTION_ON_ERROR)
			set_server_option(OPTION_ON_ERROR, &v, &server);
		else if (strcmp(name, "align") == 0 && v.type != jbvBool)
			wrong_value(name, "true or false", &v);
		else if (strcmp(name, "align") == 0)
			forecast->align = v.val.boolean;
		else if (strcmp(name, "covariate_gaps") == 0)
			set_engine_option(engine_option(name), &v, &cfg);
		else
			refuse_option(name, "rnn_forecast", own, lengthof(own),
						  ", the last one only for named models. Options of the training go to rnn_train.");
	}
	forecast->covariate_gaps = cfg.covariate_gaps;
	forecast->on_error = server.tidying.on_error;
}
