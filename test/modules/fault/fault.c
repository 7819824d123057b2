/*
 * fault.c
 *		Makes allocations fail, or something worse happen at them, on purpose.
 *
 * A module of its own, for the servers of tests alone: the extension under test
 * is the one that users have.  The functions that allocate in the server's
 * memory contexts are found through a table of pointers that all contexts of a
 * kind share; this module puts its own there.  Its functions count the
 * allocations of the process, and at number fault.at they do what fault.action
 * says.
 *
 * Counting begins with the first statement after SET fault.at that is no SET,
 * and goes on until something happened fault.times times.  In a parallel worker
 * it begins with the worker, which inherits the settings: fault.process says which
 * of the two is meant.
 *
 * It does not touch allocations of the context of errors, whose memory the
 * server keeps ready, nor those of critical sections, in which the server itself
 * promises not to allocate.
 */
#include "postgres.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "access/parallel.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/memnodes.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

#define DEPTH 64				/* frames of the stack that are looked at */

enum Action { OUT_OF_MEMORY, CANCEL, TERMINATE, KILL };
enum Process { ANY, LEADER, WORKER };
enum What { CONTEXTS, ARENA };

static const struct config_enum_entry actions[] = {
	{"memory", OUT_OF_MEMORY, false}, {"cancel", CANCEL, false}, {"terminate", TERMINATE, false}, {"kill", KILL, false},
	{NULL, 0, false}
};
static const struct config_enum_entry processes[] = {
	{"any", ANY, false}, {"leader", LEADER, false}, {"worker", WORKER, false}, {NULL, 0, false}
};

static const struct config_enum_entry allocators[] = {
	{"contexts", CONTEXTS, false}, {"arena", ARENA, false}, {NULL, 0, false}
};

static int	at;					/* 0: off */
static int	times = 1;
static int	action = OUT_OF_MEMORY;
static int	process = LEADER;
static int	what = CONTEXTS;
static char *trace;				/* file that all allocations are written to, "": none */

static bool counting;
static int	seen;				/* allocations */
static int	happened;
static MemoryContextMethods original;

static ExecutorStart_hook_type previous_start;
static ProcessUtility_hook_type previous_utility;

/*
 * Number of the allocation, and where the extension was: the addresses, in its
 * file, of its frames, the innermost first.
 */
static const char *
describe(void)
{
	static char text[DEPTH * 18];
	void	   *frames[DEPTH];
	int			n = backtrace(frames, DEPTH),
				len = snprintf(text, sizeof(text), "%d %s", seen, IsParallelWorker() ? "worker" : "leader");

	for (int i = 0; i < n; i++)
	{
		Dl_info		info;

		/* What is on the stack is where a call returns to, behind it. */
		if (dladdr(frames[i], &info) && strstr(info.dli_fname, "/rnnforecast.so") != NULL)
			len += snprintf(text + len, sizeof(text) - len, " %lx",
							(unsigned long) ((uintptr_t) frames[i] - (uintptr_t) info.dli_fbase - 1));
	}
	return text;
}

static void
write_trace(void)
{
	static FILE *file;

	if (file == NULL)
		file = fopen(trace, "w");
	if (file == NULL)
		return;
	fprintf(file, "%s\n", describe());
	fflush(file);
}

/*
 * PostgreSQL itself keeps a lock without owners where this allocation fails in
 * a subtransaction, and crashes at the next request for the lock.
 */
static bool
takes_lock(void)
{
	void	   *frames[8];
	int			n = backtrace(frames, 8);
	const char *before = NULL;

	for (int i = 0; i < n; i++)
	{
		Dl_info		info;

		if (!dladdr(frames[i], &info))
			continue;
		if (before && info.dli_sname && strcmp(before, "MemoryContextAlloc") == 0 && strcmp(info.dli_sname, "LockAcquireExtended") == 0)
			return true;
		before = info.dli_sname;
	}
	return false;
}

/* Counts an allocation; whether it is to fail.  What is worse than that is done here. */
static bool
fails(enum What allocator)
{
	if (!counting || what != (int) allocator || CritSectionCount > 0 || happened >= times ||
		process == (IsParallelWorker() ? LEADER : WORKER))
		return false;
	seen++;
	if (*trace)
		write_trace();
	if (seen < at || takes_lock())
		return false;
	happened++;
	write_stderr("fault %s\n", describe());
	if (action != OUT_OF_MEMORY)
		kill(MyProcPid, action == CANCEL ? SIGINT : action == TERMINATE ? SIGTERM : SIGKILL);
	return action == OUT_OF_MEMORY;
}

static bool
fails_in(MemoryContext context)
{
	return context != ErrorContext && fails(CONTEXTS);
}

static bool
fails_in_arena(void)
{
	return fails(ARENA);
}

/* -------------------------------------------------------------- the table */

#if PG_VERSION_NUM >= 170000
static void *
failing_alloc(MemoryContext context, Size size, int flags)
{
	return fails_in(context) ? MemoryContextAllocationFailure(context, size, flags) : original.alloc(context, size, flags);
}

static void *
failing_realloc(void *pointer, Size size, int flags)
{
	MemoryContext context = GetMemoryChunkContext(pointer);

	return fails_in(context) ? MemoryContextAllocationFailure(context, size, flags) : original.realloc(pointer, size, flags);
}
#else
static void *
failing_alloc(MemoryContext context, Size size)
{
	return fails_in(context) ? NULL : original.alloc(context, size);
}

#if PG_VERSION_NUM >= 160000
static void *
failing_realloc(void *pointer, Size size)
{
	return fails_in(GetMemoryChunkContext(pointer)) ? NULL : original.realloc(pointer, size);
}
#else
static void *
failing_realloc(MemoryContext context, void *pointer, Size size)
{
	return fails_in(context) ? NULL : original.realloc(context, pointer, size);
}
#endif
#endif

static void
take_table(void)
{
	MemoryContextMethods *table = unconstify(MemoryContextMethods *, TopMemoryContext->methods);
	uintptr_t	page = sysconf(_SC_PAGESIZE),
				begin = (uintptr_t) table / page * page;

	original = *table;
	/* It is constant: it lies where the program may not write. */
	if (mprotect((void *) begin, (uintptr_t) (table + 1) - begin, PROT_READ | PROT_WRITE) != 0)
		elog(ERROR, "could not write to the table of allocators: %m");
	table->alloc = failing_alloc;
	table->realloc = failing_realloc;
}

/* --------------------------------------------------------------- settings */

static void
assign_at(int value, void *extra)
{
	if (value == 0)
	{
		counting = false;
		return;
	}
	seen = happened = 0;
	counting = IsParallelWorker();
}

static void
start_statement(QueryDesc *desc, int flags)
{
	counting = at > 0;
	if (previous_start)
		previous_start(desc, flags);
	else
		standard_ExecutorStart(desc, flags);
}

static void
utility_statement(PlannedStmt *statement, const char *text, bool read_only, ProcessUtilityContext context,
				  ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver, QueryCompletion *completion)
{
	if (!IsA(statement->utilityStmt, VariableSetStmt) && !IsA(statement->utilityStmt, VariableShowStmt))
		counting = at > 0;
	if (previous_utility)
		previous_utility(statement, text, read_only, context, params, environment, receiver, completion);
	else
		standard_ProcessUtility(statement, text, read_only, context, params, environment, receiver, completion);
}

/* Allocations that were counted since SET fault.at; something has happened where it is negative. */
static const char *
show_at(void)
{
	static char text[16];

	snprintf(text, sizeof(text), "%d", happened > 0 ? -seen : seen);
	return text;
}

void
_PG_init(void)
{
	void	   *frame;

	DefineCustomIntVariable("fault.at", "Number of the allocation that fails; SHOW says how many there were.", NULL,
							&at, 0, 0, INT_MAX, PGC_USERSET, GUC_NO_SHOW_ALL, NULL, assign_at, show_at);
	DefineCustomIntVariable("fault.times", "How many allocations fail from there on.", NULL,
							&times, 1, 1, INT_MAX, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("fault.action", "What happens at it.", NULL,
							 &action, OUT_OF_MEMORY, actions, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("fault.process", "Whose allocations are counted.", NULL,
							 &process, LEADER, processes, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("fault.what", "Which allocations are counted.", NULL,
							 &what, CONTEXTS, allocators, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("fault.trace", "File that allocations are written to.", NULL,
							   &trace, "", PGC_USERSET, 0, NULL, NULL, NULL);
	previous_start = ExecutorStart_hook;
	ExecutorStart_hook = start_statement;
	previous_utility = ProcessUtility_hook;
	ProcessUtility_hook = utility_statement;
	/* The first call loads a library. */
	backtrace(&frame, 1);
	take_table();
	*find_rendezvous_variable("fault arena") = (void *) fails_in_arena;
}
