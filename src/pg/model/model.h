/*
 * model.h
 *		Models as bytea: read, written, and what is told of them.
 */
#ifndef RNN_PG_MODEL_H
#define RNN_PG_MODEL_H

#include "pg/series/series.h"

#include "utils/array.h"

/* codec.c */
const rnn_prior *pretrained(int version);
/* Decoded argument, cached for the statement; NULL where SQL NULL. Error for a history
 * unless allowed. */
const rnn_model *fetch_model(FunctionCallInfo fcinfo, int argno, bool history_allowed);
/* Decoded and checked, in the current memory context. */
const rnn_model *decode_model(bytea *bytes);
void		check_is_model(const rnn_model *m);	/* error for a history */
void		check_not_name(const bytea *argument);	/* error for text in the place of a model */
/* Whether a notice (a bit) is the first from this place of the statement. */
bool		tell_once(FunctionCallInfo fcinfo, int notice);
bytea	   *store_model(const rnn_model *m);

/* subset.c */
/* Which series (n_series) an array of text names; error for NULL, and unless lenient for an unknown name. */
bool	   *series_named(const rnn_model *m, ArrayType *names, bool lenient);

/* span.c: where a model's rows lie */
typedef struct Place
{
	const rnn_series *series;	/* NULL: there is none */
	int64		point;
} Place;

void		find_span(const rnn_model *m, Place *first, Place *last);	/* of all series */
/* ISO 8601 as the wall clock of the model's zone, or the number of the row. */
char	   *place_text(const rnn_model *m, const Place *place);
/* "12 months", "1 day", "48 steps of 00:30:00". */
char	   *steps_text(const rnn_model *m, int64 steps);

/* levels.c: of a model whose series are sums of others; 0: of all */
int		   *levels_of(const rnn_model *m);	/* (n_series) */
int		   *parts_in(const rnn_model *m);	/* (n_series) how many series are added up in each, 1 of those that are no sums */

/* info.c: what rnn_info returns */
Jsonb	   *model_info(const rnn_model *m);

/* summary.c */
char	   *model_summary(const rnn_model *m);	/* in a sentence */
const char *verdict_reason(const rnn_model *m, int verdict);
int64		known_points(const rnn_model *m);	/* those of the training, or those of a history */
bool		uses_network(const rnn_model *m);
bool		is_cut_short(const rnn_model *m);	/* by a ceiling of seconds */

#endif							/* RNN_PG_MODEL_H */
