/*
 * window.c
 *		Windows into a net.
 */
#include "view/window.h"

void
rnn_windows_load(rnn_net *net, const rnn_frame_plan *plan, const rnn_window *windows, int B, int K,
				 int from, int T, int first, int every)
{
	for (int i = 0; i < T; i++)
		for (int b = 0; b < B; b++)
		{
			const rnn_window *w = &windows[b];
			const rnn_strip *s = w->strip;
			int			at = w->last - K + 1 + from + i;
			bool		begun = at >= 0,
						head = i >= first && (i - first) % every == 0;
			int64_t		row = (int64_t) i * B + b;

			rnn_frame_load(net, row, begun ? s->frames + at * plan->width : NULL, w->flip, head);
			rnn_covariates_load(net, row, plan, begun ? s->points : NULL, s->e0 + at * s->stride, head, w->forget);
		}
}

int64_t
rnn_windows_forward(rnn_net *net, const rnn_frame_plan *plan, const real *w, const rnn_window *windows,
					int B, int K, int T)
{
	rnn_net_reset(net, B);
	for (int from = 0;; from += T)
	{
		int			steps = (int) rnn_min(T, K - from);
		bool		last = from + steps == K;

		rnn_windows_load(net, plan, windows, B, K, from, steps, last ? steps - 1 : steps, 1);
		rnn_net_forward(net, w, steps, B, last ? steps - 1 : steps, NULL);
		if (last)
			return (int64_t) (steps - 1) * B;
		rnn_net_carry(net, steps, B);
	}
}
