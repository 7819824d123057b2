/*
 * json.c
 *		JSON: fields of an object, and objects written as text.
 */
#include "pg/base/base.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/numeric.h"

JsonbValue *
json_field(const Jsonb *json, const char *name)
{
	JsonbValue	key = {.type = jbvString,.val.string = {.len = strlen(name),.val = unconstify(char *, name)}};

	return json ? findJsonbValueFromContainer(unconstify(JsonbContainer *, &json->root), JB_FOBJECT, &key) : NULL;
}

Jsonb *
json_from(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

Jsonb *
json_without(Jsonb *json, const char *name)
{
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(json), CStringGetTextDatum(name)));
}

Jsonb *
json_merge(Jsonb *a, Jsonb *b)
{
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(a), JsonbPGetDatum(b)));
}

double
json_number(const JsonbValue *v)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(v->val.numeric)));
}

/* --------------------------------------------------------------- writing */

/* The comma that every pair but the first of an object needs. */
static void
put_key(StringInfo out, const char *key)
{
	char		last = out->len > 0 ? out->data[out->len - 1] : '{';

	if (last != '{' && last != '[')
		appendStringInfoChar(out, ',');
	if (key != NULL)
	{
		escape_json(out, key);
		appendStringInfoChar(out, ':');
	}
}

void
put_text(StringInfo out, const char *key, const char *value)
{
	put_key(out, key);
	if (value != NULL)
		escape_json(out, value);
	else
		appendStringInfoString(out, "null");
}

void
put_int(StringInfo out, const char *key, int64 value)
{
	put_key(out, key);
	appendStringInfo(out, INT64_FORMAT, value);
}

void
put_bool(StringInfo out, const char *key, bool value)
{
	put_key(out, key);
	appendStringInfoString(out, value ? "true" : "false");
}

/* JSON knows neither NaN nor infinity: null. */
void
put_number(StringInfo out, const char *key, double value)
{
	char		buffer[DOUBLE_SHORTEST_DECIMAL_LEN];

	put_key(out, key);
	if (!isfinite(value))
	{
		appendStringInfoString(out, "null");
		return;
	}
	double_to_shortest_decimal_buf(value, buffer);
	appendStringInfoString(out, buffer);
}

/* A float without the digits that it doesn't have. */
void
put_float(StringInfo out, const char *key, float value)
{
	char		buffer[FLOAT_SHORTEST_DECIMAL_LEN];

	put_key(out, key);
	if (!isfinite(value))
	{
		appendStringInfoString(out, "null");
		return;
	}
	float_to_shortest_decimal_buf(value, buffer);
	appendStringInfoString(out, buffer);
}

void
open_object(StringInfo out, const char *key)
{
	put_key(out, key);
	appendStringInfoChar(out, '{');
}

void
open_array(StringInfo out, const char *key)
{
	put_key(out, key);
	appendStringInfoChar(out, '[');
}
