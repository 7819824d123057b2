/*
 * progress.h
 *		How running trainings report, for all sessions to see.
 */
#ifndef RNNFORECAST_PROGRESS_H
#define RNNFORECAST_PROGRESS_H

#include "pg.h"

void		progress_init(void);	/* while the library is loaded */
void		progress_name(const char *model);	/* of the next training; NULL: none */
void		progress_begin(int series);
void		progress_update(const rnn_progress *p, int members);
void		progress_end(void);		/* after errors too */

#endif							/* RNNFORECAST_PROGRESS_H */
