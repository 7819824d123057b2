/*
 * progress.h
 *		How running trainings report, for all sessions to see.
 */
#ifndef RNNFORECAST_PROGRESS_H
#define RNNFORECAST_PROGRESS_H

#include "pg.h"

void		progress_init(void);	/* while the library is loaded */
void		progress_begin(const char *model, int series);	/* its name, NULL: none */
void		progress_update(const rnn_progress *p, int members);
void		progress_end(void);		/* after errors too */

#endif							/* RNNFORECAST_PROGRESS_H */
