/*
 * arena.c
 *		The engine's arena, failing on purpose.
 *
 * tools/check-faults links this into the extension of its server, with
 * -Wl,--wrap=rnn_arena_alloc: calls of the engine come here, and fault.c says
 * which of them fail.
 */
#include "postgres.h"

#include "fmgr.h"

#include "../../../src/engine/rnn.h"

void	   *__real_rnn_arena_alloc(rnn_arena *a, size_t count, size_t width);
void	   *__wrap_rnn_arena_alloc(rnn_arena *a, size_t count, size_t width);

void *
__wrap_rnn_arena_alloc(rnn_arena *a, size_t count, size_t width)
{
	bool		(**fails) (void) = (bool (**) (void)) find_rendezvous_variable("fault arena");

	if (*fails && (*fails) ())
	{
		a->failed = true;
		return NULL;
	}
	return __real_rnn_arena_alloc(a, count, width);
}
