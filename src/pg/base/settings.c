/*
 * settings.c
 *		The settings rnnforecast.*, and what they bound.
 */
#include "pg/base/base.h"

#include <limits.h>

#include "miscadmin.h"
#include "utils/guc.h"

#define MOST_WORKERS 1024

int			rnnforecast_max_memory = 512 * 1024;
double		rnnforecast_max_seconds = 0;
int			rnnforecast_max_workers = MOST_WORKERS;
const char *rnnforecast_kernels = "";

/* Only what always ends the statement: after anything else the step must go on. */
const rnn_stop interrupts = {{&QueryCancelPending, &ProcDiePending}};

/* By the number that rnn_engine_init takes. */
static const struct config_enum_entry instruction_sets[] = {
	{"auto", -1, false}, {"portable", 0, false}, {"avx2", 1, false}, {"avx512", 2, false}, {NULL, 0, false}
};
static int	instruction_set = -1;

/* What the processor lacks is not taken, whatever is asked for. */
static void
assign_instruction_set(int limit, void *extra)
{
	rnnforecast_kernels = rnn_engine_init(limit);
}

void
define_settings(void)
{
	DefineCustomEnumVariable("rnnforecast.instruction_set",
							 "Sets the widest instructions that the kernels may use.",
							 "Models have the same bytes on all processors that use the same instructions.",
							 &instruction_set, -1, instruction_sets,
							 PGC_SUSET, 0, NULL, assign_instruction_set, NULL);
	DefineCustomIntVariable("rnnforecast.max_memory",
							"Sets the memory that a running training or forecast may use.",
							"It bounds collected rows and working memory of each aggregate.",
							&rnnforecast_max_memory, 512 * 1024, 16 * 1024, INT_MAX / 2,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomRealVariable("rnnforecast.max_seconds",
							 "Sets the longest time that a training may take, in seconds.",
							 "The option \"seconds\" can only shorten that time. Zero means no limit.",
							 &rnnforecast_max_seconds, 0, 0, 1e7,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("rnnforecast.max_workers",
							"Sets the most parallel workers that judge candidates, train members or forecast series for one call.",
							"Models and forecasts do not depend on it. The setting max_parallel_workers limits the workers of all sessions together.",
							&rnnforecast_max_workers, MOST_WORKERS, 0, MOST_WORKERS,
							PGC_USERSET, 0, NULL, NULL, NULL);
}

Size
memory_limit(void)
{
	return (Size) rnnforecast_max_memory * 1024;
}
