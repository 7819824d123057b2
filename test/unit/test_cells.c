/*
 * test_cells.c
 *		Each recurrent cell against PyTorch: one step and five, forward and
 *		backward, driven through the layer alone.
 */
#include "check.h"
#include "kernel/engine.h"
#include "kernel/kernel.h"
#include "net/net.h"

#include <stdlib.h>
#include <string.h>

#define T_MAX 5
#define B 2
#define X 3					/* inputs */
#define H 4

typedef struct golden
{
	const char *title;
	rnn_cell	cell;
	int			activation;
	int			T;
	real		x[T_MAX * B * X],
				h0[B * H],
				c0[B * H],
				w_ih[4 * H * X],
				w_hh[4 * H * H],
				bias[4 * H],
				y[T_MAX * B * H],
				dy[T_MAX * B * H],
				dx[T_MAX * B * X],
				dh0[B * H],
				dw_ih[4 * H * X],
				dw_hh[4 * H * H],
				dbias[4 * H];
} golden;

static const golden goldens[] = {
#include "golden_cells.h"
};

/* A shape of one layer with X inputs, which no configuration asks for. */
static void
golden_shape(rnn_shape *s, const golden *p)
{
	rnn_config	cfg;
	int64_t		at = 0;

	rnn_config_defaults(&cfg);
	cfg.cell = p->cell;
	cfg.activation = p->activation;
	cfg.layers = 1;
	cfg.hidden = H;
	cfg.patch = 1;
	cfg.horizon = 1;
	cfg.conv_layers = 0;
	cfg.norm = cfg.residual = cfg.skip = 0;
	cfg.dropout = 0;
	rnn_shape_init(s, &cfg);
	s->I[0] = X;
	s->w_ih[0] = at;
	s->w_hh[0] = at += s->cell->x_gates * H * X;
	s->bias[0] = at += (s->cell->gates - s->cell->h_first) * H * H;
}

static void
check_array(const char *title, const char *name, const real *got, const real *want, int n)
{
	double		error = 0;

	for (int i = 0; i < n; i++)
		error = fmax(error, isnan(got[i]) ? INFINITY : fabs((double) got[i] - want[i]));
	CHECK(error < 3e-6);
	if (!(error < 3e-6))
		printf("\t%s: %s is off by %g\n", title, name, error);
}

static void
check_golden(const golden *p)
{
	static char block[1 << 20];
	rnn_shape	s;
	rnn_net		net;
	rnn_arena	a;
	real		w[512],
				g[512];
	int			x_gates,
				states,
				gates;

	golden_shape(&s, p);
	x_gates = s.cell->x_gates * H;
	states = (s.cell->gates - s.cell->h_first) * H;
	gates = s.cell->gates * H;
	memset(block, 0xff, sizeof(block));
	rnn_arena_init(&a, block, sizeof(block));
	rnn_net_init(&net, &s, p->T, B, true, &a);
	memset(net.before, 0, sizeof(bool) * p->T * B);
	CHECK(!a.failed);
	memcpy(w + s.w_ih[0], p->w_ih, sizeof(real) * x_gates * X);
	memcpy(w + s.w_hh[0], p->w_hh, sizeof(real) * states * H);
	memcpy(w + s.bias[0], p->bias, sizeof(real) * gates);
	memcpy(net.x[0], p->x, sizeof(real) * p->T * B * X);
	memcpy(net.h[0], p->h0, sizeof(real) * B * H);
	if (net.c[0])
		memcpy(net.c[0], p->c0, sizeof(real) * B * H);

	rnn_layer_pack(&net, w, 0);
	rnn_layer_forward(&net, w, 0, p->T, B, NULL);
	check_array(p->title, "y", net.x[1], p->y, p->T * B * H);
	check_array(p->title, "h", net.h[0] + B * H, p->y, p->T * B * H);

	memcpy(net.dx[1], p->dy, sizeof(real) * p->T * B * H);
	memset(g, 0, sizeof(g));
	rnn_layer_backward(&net, w, 0, p->T, B, g);
	check_array(p->title, "dx", net.dx[0], p->dx, p->T * B * X);
	check_array(p->title, "dh0", net.dh, p->dh0, B * H);
	check_array(p->title, "dw_ih", g + s.w_ih[0], p->dw_ih, x_gates * X);
	check_array(p->title, "dw_hh", g + s.w_hh[0], p->dw_hh, states * H);
	check_array(p->title, "dbias", g + s.bias[0], p->dbias, gates);
}

static void
test_goldens(void)
{
	int			n = sizeof(goldens) / sizeof(goldens[0]);

	CHECK(n == 8);
	for (int i = 0; i < n; i++)
		check_golden(&goldens[i]);
}

int
main(void)
{
	for (int limit = 0; limit <= 2; limit++)
	{
		rnn_engine_init(limit);
		TEST(test_goldens);
	}
	return check_summary("cells");
}
