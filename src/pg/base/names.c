/*
 * names.c
 *		Names of series and of covariates, and their words: compared by their
 *		bytes, found by hash, and put in order; what a misspelt one may have meant.
 */
#include "pg/base/base.h"

#include "common/hashfn.h"
#include "common/jsonapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/varlena.h"

SeriesName
series_name(const rnn_series *s)
{
	return (SeriesName) {s->name, s->name_len};
}

char *
text_of_name(SeriesName name)
{
	return pnstrdup(name.text, name.len);
}

/* Whether an escape, at its backslash, is of a character that this database's encoding may not have. */
static bool
is_foreign(const char *escape, int len)
{
	return GetDatabaseEncoding() != PG_UTF8 && len > 4 && escape[1] == 'u' && (escape[2] != '0' || escape[3] != '0' || escape[4] > '7');
}

/*
 * Whether the text is one JSON object of plain values.  Whatever people call
 * their series, no name is an error: what jsonb might refuse is no key, as
 * numbers with an exponent and escapes of letters, which it never writes, and
 * numbers that are longer than any name.
 */
static bool
is_flat_object(const char *text, int len)
{
	bool		quoted = false;
#if PG_VERSION_NUM >= 170000
	JsonLexContext *lex;
#endif

	if (len < 2 || len > MOST_SERIES_NAME || text[0] != '{' || text[len - 1] != '}')
		return false;
	for (int i = 1; i < len; i++)
	{
		if (quoted && text[i] == '\\' && is_foreign(text + i, len - i))
			return false;
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && (text[i] == '{' || text[i] == '[' || ((text[i] | 32) == 'e' && text[i - 1] >= '0' && text[i - 1] <= '9')))
			return false;
	}
#if PG_VERSION_NUM >= 170000
	lex = makeJsonLexContextCstringLen(NULL, text, len, GetDatabaseEncoding(), true);
	return pg_parse_json(lex, &nullSemAction) == JSON_SUCCESS;
#else
	return pg_parse_json(makeJsonLexContextCstringLen(unconstify(char *, text), len, GetDatabaseEncoding(), true), &nullSemAction) == JSON_SUCCESS;
#endif
}

Jsonb *
key_of_name(SeriesName name)
{
	return name.text && is_flat_object(name.text, name.len) ? json_from(text_of_name(name)) : NULL;
}

void
set_key(SeriesName name, Datum *value, bool *null)
{
	Jsonb	   *key = key_of_name(name);

	*null = key == NULL;
	*value = JsonbPGetDatum(key);
}

/* (the name of a series) -> the columns that it was made of */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_key);
Datum
rnnforecast_rnn_key(PG_FUNCTION_ARGS)
{
	text	   *name = PG_GETARG_TEXT_PP(0);
	Jsonb	   *key = key_of_name((SeriesName) {VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)});

	if (key == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(key);
}

const char *
of_series(SeriesName name)
{
	return name.text == NULL ? "" : psprintf(" of series \"%s\"", text_of_name(name));
}

int
compare_names(const SeriesName *a, const SeriesName *b)
{
	int			order = memcmp(a->text, b->text, Min(a->len, b->len));

	return order ? order : a->len - b->len;
}

static uint32
hash_name(const void *key, Size size)
{
	const SeriesName *name = key;

	return hash_bytes((const unsigned char *) name->text, name->len);
}

static int
match_names(const void *a, const void *b, Size size)
{
	return compare_names(a, b);
}

HTAB *
new_index(MemoryContext context, const char *what, Size entry)
{
	HASHCTL		ctl = {
		.keysize = sizeof(SeriesName),.entrysize = entry,
		.hash = hash_name,.match = match_names,.hcxt = context
	};

	return hash_create(what, 64, &ctl, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

static int
compare_numbered(const void *a, const void *b, void *arg)
{
	const SeriesName *names = arg;

	return compare_names(&names[*(const int *) a], &names[*(const int *) b]);
}

int *
rank_names(const SeriesName *names, int n)
{
	int		   *order = palloc_extended(sizeof(int) * Max(n, 1), MCXT_ALLOC_HUGE),
			   *rank = palloc_extended(sizeof(int) * Max(n, 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < n; i++)
		order[i] = i;
	sort_interruptibly(order, n, sizeof(int), compare_numbered, unconstify(SeriesName *, names));
	for (int i = 0; i < n; i++)
		rank[order[i]] = i;
	pfree(order);
	return rank;
}

const char *
closest_name(const char *name, const char *const *names, int count)
{
	const char *best = NULL;
	int			least = 4,
				len = strlen(name);

	for (int i = 0; i < count; i++)
	{
		int			other = strlen(names[i]),
					d;

		if (pg_strcasecmp(name, names[i]) == 0)
			return names[i];
		if (len > 60 || other > 60)
			continue;
		d = varstr_levenshtein_less_equal(name, len, names[i], other, 1, 1, 1, least, true);
		if (d < least && d < other / 2 + 1)
		{
			least = d;
			best = names[i];
		}
	}
	return best;
}

void
refuse_option(const char *name, const char *function, const char *const *own, int count, const char *besides)
{
	const char *near = closest_name(name, own, count);
	StringInfoData all;

	initStringInfo(&all);
	for (int i = 0; i < count; i++)
		appendStringInfo(&all, "%s%s", i > 0 ? ", " : "", own[i]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown option \"%s\" of %s", name, function),
			 errdetail("The options of %s are %s%s", function, all.data, besides),
			 near ? errhint("Did you mean \"%s\"?", near) : 0));
}
