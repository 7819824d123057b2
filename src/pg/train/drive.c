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

bool
drive_step(rnn_trainer *trainer, Driver *driver)
{
	double		elapsed = seconds_since(driver->start);
	rnn_progress p;
	rnn_error	err;

	CHECK_FOR_INTERRUPTS();
	if (driver->ceiling > 0 && elapsed > driver->ceiling && !driver->hurried)
	{
		rnn_trainer_hurry(trainer);
		driver->hurried = true;
	}
	if (rnn_job_step(trainer, &p, &err) != RNN_OK)
		report_engine_error(&err);
	progress_update(&p);
	if (driver->progress && elapsed >= driver->next_notice)
	{
		notice_progress(&p, elapsed);
		driver->next_notice = elapsed + NOTICE_SECONDS;
	}
	return p.done;
}

void
drive(rnn_trainer *trainer, Driver *driver)
{
	while (!drive_step(trainer, driver))
		;
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
