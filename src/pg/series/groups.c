/*
 * groups.c
 *		Groups of series whose values are added up: by a prefix of their names,
 *		named one by one, or all levels of a tree that the names form.
 */
#include "pg/series/series.h"

#include "miscadmin.h"
#include "utils/builtins.h"

/* Which groups each series is in, as they are found. */
typedef struct Members
{
	const SeriesName *names;	/* (count) of the series */
	int			count;
	const bool *sum;			/* (count) they go into groups by name alone; NULL: there are none */
	bool		lenient;		/* groups may name what is not there */
	int			n,
				room;
	int		   *series;			/* (n) */
	int		   *group;			/* (n) */
} Members;

static void
make_room_for_members(Members *m)
{
	Size		room = Max((Size) m->room * 2, 64);

	/* Once more when they are sorted. */
	if (room > memory_limit() / (3 * sizeof(int)))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("groups of series need more memory than rnnforecast.max_memory allows"),
				 errdetail("They have more than %d members together.", m->n),
				 errhint("Raise rnnforecast.max_memory, or ask for fewer groups.")));
	m->room = (int) Min(room, PG_INT32_MAX);
	m->series = m->series ? repalloc_huge(m->series, sizeof(int) * m->room) : palloc(sizeof(int) * m->room);
	m->group = m->group ? repalloc_huge(m->group, sizeof(int) * m->room) : palloc(sizeof(int) * m->room);
}

static void
add_member(Members *m, int i, int group)
{
	if (m->n == m->room)
		make_room_for_members(m);
	m->series[m->n] = i;
	m->group[m->n++] = group;
}

int
place_of_name(const SeriesName *names, int count, SeriesName wanted)
{
	int			low = 0,
				high = count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		int			order = compare_names(&names[middle], &wanted);

		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

/* ----------------------------------------------------------------- groups */

static void
add_prefix(Members *m, int group, const char *prefix, int len)
{
	int			before = m->n;

	for (int i = 0; i < m->count; i++)
		if (!(m->sum && m->sum[i]) &&
			(len == 0 || (m->names[i].text && m->names[i].len >= len && memcmp(m->names[i].text, prefix, len) == 0)))
			add_member(m, i, group);
	if (m->n == before && !m->lenient)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no series has a name that begins with \"%s\"", pnstrdup(prefix, len)),
				 errhint("rnn_series(model) lists the names.")));
}

static void
add_named(Members *m, int group, bool *seen, const char *text, int len)
{
	SeriesName	wanted = {text, len};
	int			i = place_of_name(m->names, m->count, wanted);

	if (i < 0 && m->lenient)
		return;
	if (i < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("series \"%s\" of a group does not exist", text_of_name(wanted)),
				 errhint("rnn_series(model) lists the names.")));
	if (seen[i])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("series \"%s\" is in a group twice", text_of_name(wanted))));
	seen[i] = true;
	add_member(m, i, group);
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
	bool	   *seen = palloc0(Max(m->count, 1));

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
	if (m->n == before && !m->lenient)
		wrong_groups();
}

/* By the series, in the order in which they are drawn. */
static void
sort_members(const Members *m, Groups *out)
{
	int			count = m->count,
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
parse_groups(Jsonb *groups, const SeriesName *names, const bool *sum, int count, bool lenient, Groups *out)
{
	Members		members = {.names = names,.sum = sum,.count = count,.lenient = lenient};
	JsonbIterator *it = JsonbIteratorInit(&groups->root);
	JsonbIteratorToken token;
	JsonbValue	v;

	if (JB_ROOT_IS_SCALAR(groups) || JB_ROOT_COUNT(groups) == 0)
		wrong_groups();
	*out = (Groups) {.name = palloc(sizeof(SeriesName) * JB_ROOT_COUNT(groups))};
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY || token == WJB_ELEM)
		{
			if (v.type != jbvString)
				wrong_groups();
			out->name[out->count++] = (SeriesName) {pnstrdup(v.val.string.val, v.val.string.len), v.val.string.len};
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

/* ------------------------------------------------------------------- trees */

/* The tree while it grows: names of one prefix follow each other, so one walk finds each sum once, before its parts. */
typedef struct Growth
{
	Members		members;
	SeriesName	separator;
	Groups	   *out;
	int			room;
	int		   *open;			/* (room) the last sum of each depth */
	int			depth;			/* of these */
} Growth;

static void
make_room(Growth *g)
{
	g->room = Max(g->room * 2, 64);
	if (g->out->name == NULL)
	{
		g->out->name = palloc(sizeof(SeriesName) * g->room);
		g->out->depth = palloc(sizeof(int) * g->room);
		g->open = palloc(sizeof(int) * g->room);
		return;
	}
	g->out->name = repalloc_huge(g->out->name, sizeof(SeriesName) * g->room);
	g->out->depth = repalloc_huge(g->out->depth, sizeof(int) * g->room);
	g->open = repalloc_huge(g->open, sizeof(int) * g->room);
}

static void
open_sum(Growth *g, SeriesName name, int depth)
{
	if (g->out->count == g->room)
		make_room(g);
	g->out->name[g->out->count] = name;
	g->out->depth[g->out->count] = depth;
	g->open[depth] = g->out->count++;
	g->depth = depth + 1;
}

/* Where the separator comes next in a name, its length if it doesn't. */
static int
next_separator(const Growth *g, SeriesName name, int from)
{
	for (int at = from; at + g->separator.len <= name.len; at++)
		if (memcmp(name.text + at, g->separator.text, g->separator.len) == 0)
			return at;
	return name.len;
}

/* The sums that a series is part of. */
static void
add_leaf(Growth *g, int i)
{
	SeriesName	name = g->members.names[i];
	int			from = 0,
				level = 0;

	for (;;)
	{
		int			at = next_separator(g, name, from);
		SeriesName	prefix = {name.text, at};

		if (at == from)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the name of series \"%s\" has an empty part", text_of_name(name)),
					 errdetail("Parts of names are separated by \"%s\".", text_of_name(g->separator))));
		if (at == name.len)
			break;
		level++;
		if (level >= g->depth || compare_names(&g->out->name[g->open[level]], &prefix) != 0)
			open_sum(g, prefix, level);
		from = at + g->separator.len;
	}
	for (int k = 0; k <= level; k++)
		add_member(&g->members, i, g->open[k]);
}

void
tree_groups(SeriesName separator, const SeriesName *names, int count, Groups *out)
{
	Growth		g = {.members = {.names = names,.count = count},.separator = separator,.out = out};

	*out = (Groups) {0};
	open_sum(&g, separator, 0);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		add_leaf(&g, i);
	}
	sort_members(&g.members, out);
}

void
check_group_names(const Groups *groups, const SeriesName *names, int count)
{
	for (int a = 0; a < groups->count; a++)
		if (place_of_name(names, count, groups->name[a]) >= 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" is the name of a sum, and of a series with values of its own", text_of_name(groups->name[a])),
					 errhint("Leave the series out of the training, or give the sums other names.")));
}
