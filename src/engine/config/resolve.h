/* resolve.h: from 0 = auto to numbers. */
#ifndef RNN_RESOLVE_H
#define RNN_RESOLVE_H

#include "config/config.h"

#define PANEL 8					/* series that make a panel: windows are clustered by series */
#define FEW_POINTS 20000		/* known points; below, less of everything */

/* What the rules look at. */
typedef struct rnn_summary
{
	int			series;
	int64_t		points;			/* known, over all series */
	int64_t		longest;		/* points of the longest series */
	int64_t		ahead;			/* most rows behind the last point of a series */
} rnn_summary;

/* Seasons must be known (seasons_given >= 1); afterwards nothing is 0 = auto. */
void		rnn_config_resolve(rnn_config *cfg, const rnn_summary *d);

/* Of the calendar, for a network from nothing; memory: bytes of the block. */
int			rnn_calendar_terms(const rnn_config *cfg, const rnn_calendar *calendar, const rnn_summary *d, size_t memory);

#endif							/* RNN_RESOLVE_H */
