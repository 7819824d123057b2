/*
 * groups.c
 *		Groups of series whose values are added up: by a prefix of their names, or
 *		named one by one.
 */
#include "pg/paths/paths.h"

#include "miscadmin.h"
#include "utils/builtins.h"

/* Which groups each chosen series is in, as they are found. */
typedef struct Members
{
	const ForecastChoice *choice;
	int			n,
				room;
	int		   *series;			/* (n) places among the chosen ones */
	int		   *group;			/* (n) */
} Members;

static void
add_member(Members *m, int i, int group)
{
	if (m->n == m->room)
	{
		m->room = Max(m->room * 2, 64);
		m->series = m->series ? repalloc_huge(m->series, sizeof(int) * m->room) : palloc(sizeof(int) * m->room);
		m->group = m->group ? repalloc_huge(m->group, sizeof(int) * m->room) : palloc(sizeof(int) * m->room);
	}
	m->series[m->n] = i;
	m->group[m->n++] = group;
}

static void
add_prefix(Members *m, int group, const char *prefix, int len)
{
	int			before = m->n;

	for (int i = 0; i < m->choice->count; i++)
	{
		SeriesName	name = series_name(chosen_series(m->choice, i));

		if (len == 0 || (name.text && name.len >= len && memcmp(name.text, prefix, len) == 0))
			add_member(m, i, group);
	}
	if (m->n == before)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no series that is forecast has a name that begins with \"%s\"", pnstrdup(prefix, len)),
				 errhint("rnn_series(model) lists the names.")));
}

static void
add_named(Members *m, int group, bool *seen, const char *text, int len)
{
	SeriesName	wanted = {text, len};

	for (int i = 0; i < m->choice->count; i++)
	{
		SeriesName	name = series_name(chosen_series(m->choice, i));

		if (name.text == NULL || compare_names(&name, &wanted) != 0)
			continue;
		if (seen[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("series \"%s\" is in a group twice", text_of_name(wanted))));
		seen[i] = true;
		add_member(m, i, group);
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("series \"%s\" of a group is not forecast", text_of_name(wanted)),
			 errhint("rnn_series(model) lists the names.")));
}

static void
wrong_groups(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("groups must be an object of groups, or an array of prefixes"),
			 errhint("Write them like '{\"north\": \"north/\", \"drinks\": [\"tea\", \"milk\"]}' or '[\"north/\", \"south/\"]'.")));
}

/* Names of an array, of which the caller has the iterator. */
static void
add_list(Members *m, int group, JsonbContainer *list)
{
	JsonbIterator *it = JsonbIteratorInit(list);
	JsonbIteratorToken token;
	JsonbValue	v;
	int			before = m->n;
	bool	   *seen = palloc0(Max(m->choice->count, 1));

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token != WJB_ELEM)
			continue;
		if (v.type != jbvString)
			wrong_groups();
		add_named(m, group, seen, v.val.string.val, v.val.string.len);
	}
	pfree(seen);
	if (m->n == before)
		wrong_groups();
}

/* By the series, in the order in which they are drawn. */
static void
sort_members(const Members *m, Groups *out)
{
	int			count = m->choice->count,
			   *at;

	out->size = palloc0(sizeof(int) * Max(out->count, 1));
	out->first = palloc_extended(sizeof(int) * (count + 2), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	out->of = palloc_extended(sizeof(int) * Max(m->n, 1), MCXT_ALLOC_HUGE);
	at = out->first + 1;
	for (int k = 0; k < m->n; k++)
		at[m->series[k] + 1]++;
	for (int i = 0; i < count; i++)
		at[i + 1] += at[i];
	for (int k = 0; k < m->n; k++)
	{
		int			i = m->series[k];

		out->of[at[i]++] = m->group[k];
		out->size[m->group[k]]++;
	}
}

void
parse_groups(Jsonb *groups, const ForecastChoice *choice, Groups *out)
{
	Members		members = {.choice = choice};
	JsonbIterator *it = JsonbIteratorInit(&groups->root);
	JsonbIteratorToken token;
	JsonbValue	v;

	if (JB_ROOT_IS_SCALAR(groups) || JB_ROOT_COUNT(groups) == 0)
		wrong_groups();
	*out = (Groups) {.name = palloc(sizeof(char *) * JB_ROOT_COUNT(groups))};
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY || token == WJB_ELEM)
		{
			if (v.type != jbvString)
				wrong_groups();
			out->name[out->count++] = pnstrdup(v.val.string.val, v.val.string.len);
		}
		if (token != WJB_VALUE && token != WJB_ELEM)
			continue;
		if (v.type == jbvString)
			add_prefix(&members, out->count - 1, v.val.string.val, v.val.string.len);
		else if (v.type == jbvBinary && JsonContainerIsArray(v.val.binary.data))
			add_list(&members, out->count - 1, v.val.binary.data);
		else
			wrong_groups();
	}
	sort_members(&members, out);
}
