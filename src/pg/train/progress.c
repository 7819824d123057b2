/*
 * progress.c
 *		The view of running trainings: slots in shared memory.
 *
 * The memory is there where the library is preloaded, and from PostgreSQL 17
 * on in any case, under a name.  A training takes a free slot, writes to it
 * now and then, and gives it back when it ends, by whatever end: an error
 * unwinds to it, and a process that is terminated runs its exit callbacks.  Only
 * a crash skips them, and the server then makes its shared memory anew.  A
 * training that finds no free slot isn't shown.
 *
 * Names and numbers of a slot are copied under its spinlock, so readers never
 * see half of an update.
 */
#include "pg/train/train.h"

#include <math.h>

#include "catalog/pg_authid.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#endif

#define SLOTS 128
#define MODEL_SIZE 128			/* bytes of a name that are shown */
#define PHASE_SIZE 32
#define UPDATE_MS 100
#define COLUMNS 11
#define AREA "rnnforecast progress"

typedef struct Facts
{
	int			pid;			/* 0: the slot is free */
	Oid			database;
	Oid			role;
	char		model[MODEL_SIZE];
	char		phase[PHASE_SIZE];
	int			series;
	int			member;
	int			members;
	int			step;
	int			steps;
	double		loss;
	TimestampTz started;
	TimestampTz steps_began;	/* of this phase of training, 0: none yet */
	int			steps_before;	/* of it at that time, those of its members counted on */
} Facts;

typedef struct Slot
{
	slock_t		mutex;
	Facts		facts;
} Slot;

static Slot *area;				/* (SLOTS), NULL: there is none */
static Slot *mine;
static int	depth;				/* trainings of this process, one inside of the other */
static TimestampTz next_update;
static const char *last_phase;	/* a literal of the engine's */
static bool last_final;

#if PG_VERSION_NUM >= 150000
static shmem_request_hook_type previous_request;
#endif
static shmem_startup_hook_type previous_startup;

static void
make_slots(void *memory)
{
	Slot	   *slots = memory;

	memset(slots, 0, sizeof(Slot) * SLOTS);
	for (int i = 0; i < SLOTS; i++)
		SpinLockInit(&slots[i].mutex);
}

#if PG_VERSION_NUM >= 150000
static void
request_memory(void)
{
	if (previous_request)
		previous_request();
	RequestAddinShmemSpace(sizeof(Slot) * SLOTS);
}
#endif

static void
find_memory(void)
{
	bool		found;

	if (previous_startup)
		previous_startup();
	area = ShmemInitStruct(AREA, sizeof(Slot) * SLOTS, &found);
	if (!found)
		make_slots(area);
}

void
progress_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
#if PG_VERSION_NUM >= 150000
	previous_request = shmem_request_hook;
	shmem_request_hook = request_memory;
#else
	RequestAddinShmemSpace(sizeof(Slot) * SLOTS);
#endif
	previous_startup = shmem_startup_hook;
	shmem_startup_hook = find_memory;
}

#if PG_VERSION_NUM >= 190000
static void
make_segment(void *memory, void *arg)
{
	make_slots(memory);
}
#endif

static bool
have_area(void)
{
#if PG_VERSION_NUM >= 170000
	bool		found;

	if (area == NULL && IsUnderPostmaster)
#if PG_VERSION_NUM >= 190000
		area = GetNamedDSMSegment(AREA, sizeof(Slot) * SLOTS, make_segment, &found, NULL);
#else
		area = GetNamedDSMSegment(AREA, sizeof(Slot) * SLOTS, make_slots, &found);
#endif
#endif
	return area != NULL;
}

/* --------------------------------------------------------------- writing */

static void
release(void)
{
	if (mine == NULL)
		return;
	SpinLockAcquire(&mine->mutex);
	mine->facts.pid = 0;
	SpinLockRelease(&mine->mutex);
	mine = NULL;
}

static void
release_at_exit(int code, Datum arg)
{
	release();
}

static void
take_slot(const Facts *facts)
{
	static bool registered;

	if (!registered)
		before_shmem_exit(release_at_exit, (Datum) 0);
	registered = true;
	for (int i = 0; i < SLOTS && mine == NULL; i++)
	{
		SpinLockAcquire(&area[i].mutex);
		if (area[i].facts.pid == 0)
		{
			area[i].facts = *facts;
			mine = &area[i];
		}
		SpinLockRelease(&area[i].mutex);
	}
}

/* As much of a name as is shown, with no half of a character. */
static void
copy_name(char *to, const char *model)
{
	int			len = strlen(model);

	if (len >= MODEL_SIZE)
		len = pg_mbcliplen(model, len, MODEL_SIZE - 1);
	memcpy(to, model, len);
	to[len] = '\0';
}

void
progress_begin(const char *model, int series)
{
	Facts		facts = {
		.pid = MyProcPid,.database = MyDatabaseId,.role = GetUserId(),.phase = "begin",
		.series = series,.loss = NAN,.started = GetCurrentTimestamp()
	};

	bool		shown = have_area();

	if (depth++ > 0 || !shown)
		return;
	if (model)
		copy_name(facts.model, model);
	last_phase = NULL;
	last_final = false;
	take_slot(&facts);
}

void
progress_end(void)
{
	if (--depth > 0)
		return;
	depth = 0;
	release();
}

/* Steps of this phase of training, those of the members before it counted on. */
static int
steps_of(const rnn_progress *p, bool final)
{
	return final ? Max(p->member - 1, 0) * p->steps + p->step : p->step;
}

void
progress_update(const rnn_progress *p)
{
	TimestampTz now;
	bool		trains = strncmp(p->phase, "train", 5) == 0,
				final = strcmp(p->phase, "train") != 0;

	if (mine == NULL || depth > 1)
		return;
	now = GetCurrentTimestamp();
	if (now < next_update && p->phase == last_phase)
		return;
	last_phase = p->phase;
	next_update = now + UPDATE_MS * INT64CONST(1000);
	SpinLockAcquire(&mine->mutex);
	strlcpy(mine->facts.phase, p->phase, PHASE_SIZE);
	mine->facts.member = p->member;
	mine->facts.members = p->members;
	mine->facts.step = p->step;
	mine->facts.steps = p->steps;
	mine->facts.loss = p->loss;
	if (trains && (mine->facts.steps_began == 0 || final != last_final))
	{
		mine->facts.steps_began = now;
		mine->facts.steps_before = steps_of(p, final);
		last_final = final;
	}
	SpinLockRelease(&mine->mutex);
}

/* --------------------------------------------------------------- reading */

/*
 * When the steps will all be done, at the speed of this phase so far: those of
 * the training that is judged, at most, and of each member on all rows.  0: not
 * known.
 */
static TimestampTz
estimated_end(const Facts *f, TimestampTz now)
{
	bool		final = strcmp(f->phase, "train on everything") == 0;
	double		done = (final ? Max(f->member - 1, 0) * (double) f->steps : 0) + f->step,
				all = final ? (double) f->steps * Max(f->members, 1) : f->steps * (1 + RNN_GO_ON * Max(f->members, 1)),
				seconds = (now - f->steps_began) / 1e6;

	if (f->steps_began == 0 || strncmp(f->phase, "train", 5) != 0 || done <= f->steps_before || all < done)
		return 0;
	return now + (int64) ((all - done) * seconds / (done - f->steps_before) * 1e6);
}

static void
put_facts(Tuples *rows, const Facts *f)
{
	MemoryContext old = MemoryContextSwitchTo(rows->scratch);
	TimestampTz now = GetCurrentTimestamp(),
				end = estimated_end(f, now);
	Datum		values[COLUMNS] = {
		Int32GetDatum(f->pid), ObjectIdGetDatum(f->role), CStringGetTextDatum(f->model), CStringGetTextDatum(f->phase),
		Int32GetDatum(f->series), Int32GetDatum(f->member), Int32GetDatum(f->step), Int32GetDatum(f->steps),
		Float8GetDatum(f->loss),
		DirectFunctionCall2(timestamp_mi, TimestampTzGetDatum(now), TimestampTzGetDatum(f->started)),
		TimestampTzGetDatum(end)
	};
	bool		nulls[COLUMNS] = {
		[2] = f->model[0] == '\0',[5] = f->steps == 0,[6] = f->steps == 0,[7] = f->steps == 0,
		[8] = !isfinite(f->loss),[10] = end == 0
	};

	MemoryContextSwitchTo(old);
	tuples_put(rows, values, nulls);
}

/* () -> rows of the view rnn_progress: the caller's own, or all for pg_read_all_stats */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_progress_rows);
Datum
rnnforecast_rnn_progress_rows(PG_FUNCTION_ARGS)
{
	Tuples		rows;
	bool		all = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);

	tuples_begin(&rows, fcinfo, COLUMNS);
	if (!have_area())
	{
		ereport(NOTICE,
				(errmsg("the progress of trainings is not shown"),
				 errhint("Add rnnforecast to shared_preload_libraries, or train with the option {\"progress\": true}.")));
		return (Datum) 0;
	}
	for (int i = 0; i < SLOTS; i++)
	{
		Facts		facts;

		SpinLockAcquire(&area[i].mutex);
		facts = area[i].facts;
		SpinLockRelease(&area[i].mutex);
		if (facts.pid != 0 && facts.database == MyDatabaseId && (all || has_privs_of_role(GetUserId(), facts.role)))
			put_facts(&rows, &facts);
	}
	return (Datum) 0;
}
