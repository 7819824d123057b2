/*
 * drive.c
 *		The server drives the trainer step by step and looks for interrupts, the
 *		clock and the need of a NOTICE between steps; nothing of the engine is
 *		ever jumped over by an error but memory that its context frees.
 */
#include "pg/train/crew.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"

#define NOTICE_SECONDS 5
#define TRAINER_ALIGN 64

static double
seconds_since(TimestampTz start)
{
	return (GetCurrentTimestamp() - start) / 1e6;
}

static void
notice_progress(const rnn_progress *p, double elapsed)
{
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfo(&s, "training: %s", p->phase);
	if (p->steps > 0)
		appendStringInfo(&s, ", member %d, step %d of %d", p->member, p->step, p->steps);
	if (!isnan(p->loss))
		appendStringInfo(&s, ", loss %.4f", p->loss);
	ereport(NOTICE,
			(errmsg("%s, %.0f s", s.data, elapsed)));
	pfree(s.data);
}

static void
show_progress(const rnn_trainer *trainer, const rnn_progress *p)
{
	rnn_config	cfg;
	rnn_choice	choice;

	progress_update(p, p->ready ? rnn_trainer_members(trainer, &cfg, &choice) : 0);
}

Ending
drive(rnn_trainer *trainer, Driver *driver)
{
	rnn_progress p = {0};
	rnn_error	err;

	while (!p.done && !p.split)
	{
		double		elapsed = seconds_since(driver->start);

		CHECK_FOR_INTERRUPTS();
		if (driver->ceiling > 0 && elapsed > driver->ceiling && !driver->hurried)
		{
			rnn_trainer_hurry(trainer);
			driver->hurried = true;
		}
		if (rnn_trainer_step(trainer, &p, &err) != RNN_OK)
			report_engine_error(&err);
		show_progress(trainer, &p);
		if (driver->stepped)
			driver->stepped(trainer, &p, driver->arg);
		if (driver->progress && elapsed >= driver->next_notice)
		{
			notice_progress(&p, elapsed);
			driver->next_notice = elapsed + NOTICE_SECONDS;
		}
	}
	return p.done ? ENDING_DONE : p.lacks ? ENDING_LACKS : ENDING_SPLIT;
}

void *
training_block(Size size)
{
	return (void *) TYPEALIGN(TRAINER_ALIGN, MemoryContextAllocHuge(CurrentMemoryContext, size + TRAINER_ALIGN));
}

double
seconds_allowed(const rnn_config *cfg)
{
	if (rnnforecast_max_seconds > 0 && (cfg->seconds == 0 || cfg->seconds > rnnforecast_max_seconds))
		return rnnforecast_max_seconds;
	return cfg->seconds;
}

Driver
new_driver(const rnn_config *cfg, const ServerOptions *server, const Occasion *occasion)
{
	return (Driver) {
		.start = occasion->start,.ceiling = seconds_allowed(cfg) * occasion->share,.name = occasion->name,
			.progress = server->progress,.next_notice = seconds_since(occasion->start) + NOTICE_SECONDS
	};
}
