/*
 * subset.c
 *		Series of a model by their names.
 */
#include "pg/model/model.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"

static void
unknown_series(const rnn_model *model, const SeriesName *name)
{
	bool		unnamed = model->n_series == 1 && model->series[0].name == NULL;

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("model has no series \"%s\"", pnstrdup(name->text, name->len)),
			 unnamed ? errdetail("Its only series has no name.") :
			 errhint("rnn_series lists the series of a model.")));
}

static int
compare_wanted(const void *a, const void *b, void *arg)
{
	return compare_names(a, b);
}

/* The names in an array, sorted, each once. */
static SeriesName *
names_wanted(ArrayType *names, int *count)
{
	Datum	   *values;
	bool	   *nulls;
	int			n,
				left = 0;
	SeriesName *wanted;

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &n);
	wanted = palloc_extended(sizeof(SeriesName) * Max(n, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		text	   *name;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("series must not contain NULL")));
		name = DatumGetTextPP(values[i]);
		wanted[i] = (SeriesName) {VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)};
	}
	sort_interruptibly(wanted, n, sizeof(SeriesName), compare_wanted, NULL);
	for (int i = 0; i < n; i++)
		if (left == 0 || compare_names(&wanted[left - 1], &wanted[i]) != 0)
			wanted[left++] = wanted[i];
	*count = left;
	return wanted;
}

static int
find_name(const SeriesName *wanted, int count, const rnn_series *s)
{
	SeriesName	name = {s->name, s->name_len};
	int			low = 0,
				high = count - 1;

	while (low <= high)
	{
		int			middle = low + (high - low) / 2,
					order = compare_names(&name, &wanted[middle]);

		if (order == 0)
			return middle;
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return -1;
}

/* All series are looked at: in forged bytes a name may be there twice. */
bool *
series_named(const rnn_model *model, ArrayType *names, bool lenient)
{
	bool	   *named = palloc_extended(Max(model->n_series, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO),
			   *found;
	int			count;
	SeriesName *wanted = names_wanted(names, &count);

	found = palloc_extended(Max(count, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int k = 0; k < model->n_series; k++)
	{
		int			i = model->series[k].name ? find_name(wanted, count, &model->series[k]) : -1;

		if ((k & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (i >= 0)
			found[i] = named[k] = true;
	}
	for (int i = 0; i < count; i++)
		if (!found[i] && !lenient)
			unknown_series(model, &wanted[i]);
	return named;
}
