/*
 * names.c
 *		Names of series and of covariates, and their words: compared by their
 *		bytes, found by hash, and put in order; what a misspelt one may have meant.
 */
#include "pg/base/base.h"

#include "common/hashfn.h"
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
