/*
 * speed.c
 *		Times one recurrent layer, forward and backward, and the products of
 *		matrices in it alone; bench/speed pairs the numbers with PyTorch's.
 *
 * Reads lines "CELL H B T" (CELL one of elman, gru, lstm), "forecast" or
 * "peak" and answers each with seconds: of the layer and of its products; of a
 * whole network that forecasts a batch, of its products, and their FLOPs; or
 * of one 1024^3 product.  Seconds are of processor time, as other programs may share
 * the core, and each number is the best of a few repetitions within a tenth
 * of a second; bench/speed takes medians over many such answers.
 */
#include "kernel/blas.h"
#include "kernel/engine.h"
#include "kernel/kernel.h"
#include "net/net.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct bench
{
	rnn_shape	shape;
	rnn_net		net;
	int			T,
				B;
	real	   *w,
			   *g,
			   *x,				/* (T,B,H), tile by tile: input, output, and their gradients */
			   *y,
			   *dx,
			   *dy,
			   *gates;			/* of the products alone, their gradients behind */
	void	   *block;
	bool		counting;
	double		flops;
} bench;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static void
lay_out(bench *b, int tile, rnn_arena *a)
{
	int64_t		n = (int64_t) b->T * b->B * b->shape.H;

	rnn_net_init(&b->net, &b->shape, b->T, tile, true, a);
	b->w = arena_new(a, real, b->shape.params);
	b->g = arena_new(a, real, b->shape.params);
	b->x = arena_new(a, real, n);
	b->y = arena_new(a, real, n + b->B * b->shape.H);
	b->dx = arena_new(a, real, n);
	b->dy = arena_new(a, real, n);
	b->gates = arena_new(a, real, 2 * n * b->shape.cell->gates);
}

/* A textbook layer whose input is as wide as its state: layer 1 of two. */
static void
bench_init(bench *b, rnn_cell cell, int H, int B, int T)
{
	rnn_config	cfg;
	rnn_arena	a;
	rnn_rng		rng;
	int			tile;

	rnn_config_defaults(&cfg);
	cfg.cell = cell;
	cfg.hidden = H;
	cfg.layers = 2;
	cfg.patch = 1;
	cfg.horizon = 1;
	cfg.conv_layers = 0;
	cfg.norm = cfg.residual = cfg.skip = 0;
	cfg.dropout = 0;
	b->T = T;
	b->B = B;
	rnn_shape_init(&b->shape, &cfg);
	tile = rnn_tile_windows(&b->shape, B);
	rnn_arena_init(&a, NULL, 0);
	lay_out(b, tile, &a);
	b->block = calloc(1, a.used + 64);
	if (!b->block)
		exit(1);
	rnn_arena_init(&a, b->block, a.used + 64);
	lay_out(b, tile, &a);
	rnn_rng_seed(&rng, 1, 0);
	{
		double	   *row = malloc(sizeof(double) * H);

		if (!row)
			exit(1);
		rnn_params_init(&b->shape, &cfg, &rng, b->w, row);
		free(row);
	}
	for (int64_t i = 0; i < (int64_t) T * B * H; i++)
	{
		b->x[i] = (real) rnn_rng_normal(&rng);
		b->dy[i] = (real) rnn_rng_normal(&rng);
	}
}

static void
bench_free(bench *b)
{
	free(b->block);
}

static void
layer(bench *b)
{
	rnn_net    *net = &b->net;
	int64_t		H = b->shape.H;

	memset(b->g, 0, sizeof(real) * b->shape.params);
	rnn_layer_pack(net, b->w, 1);
	for (int from = 0; from < b->B; from += net->max_B)
	{
		int			n = b->B - from < net->max_B ? b->B - from : net->max_B;
		int64_t		at = (int64_t) from * b->T * H;

		net->x[1] = b->x + at;
		net->h[1] = b->y + (int64_t) from * (b->T + 1) * H;
		net->dx[1] = b->dx + at;
		net->dx[2] = b->dy + at;
		rnn_net_reset(net, n);
		rnn_layer_forward(net, b->w, 1, b->T, n, NULL);
		rnn_layer_backward(net, b->w, 1, b->T, n, b->g);
	}
}

/* OpenBLAS itself: the engine's own products would judge themselves. */
static void
sgemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const real *a, int64_t lda,
	  const real *b, int64_t ldb, real beta, real *c, int64_t ldc)
{
	cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
				m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}

/* The same products as the layer's, and nothing else. */
static void
products(bench *b)
{
	const rnn_shape *s = &b->shape;
	int64_t		N = (int64_t) b->T * b->B,
				H = s->H,
				G = s->cell->gates * H,
				X = s->cell->x_gates * H,
				first = s->cell->h_first * H;
	real	   *dgates = b->gates + N * G,
			   *dh = b->dy;	/* (B,H) */

	sgemm(false, true, N, X, H, b->x, H, b->w + s->w_ih[1], H, 0, b->gates, G);
	for (int t = 0; t < b->T; t++)
		sgemm(false, true, b->B, G - first, H, b->y + t * b->B * H, H, b->w + s->w_hh[1], H,
			  0, b->gates + t * b->B * G + first, G);
	for (int t = b->T - 1; t >= 0; t--)
		sgemm(false, false, b->B, H, G - first, dgates + t * b->B * G + first, G,
			  b->w + s->w_hh[1], H, 0, dh, H);
	sgemm(true, false, G - first, H, N, dgates + first, G, b->y, H, 0, b->g + s->w_hh[1], H);
	sgemm(true, false, X, H, N, dgates, G, b->x, H, 0, b->g + s->w_ih[1], H);
	sgemm(false, false, N, H, X, dgates, G, b->w + s->w_ih[1], H, 0, b->dx, H);
}

static void
lay_out_forecast(bench *b, rnn_arena *a)
{
	rnn_net_init(&b->net, &b->shape, b->T, b->B, false, a);
	b->w = arena_new(a, real, b->shape.params);
	b->gates = arena_new(a, real, (int64_t) b->T * b->B * 4 * b->shape.H);
}

/* The network of docs/scaling.md: 0.7 million weights, sees 512 points, forecasts 48, 64 series at once. */
static void
forecast_init(bench *b)
{
	rnn_config	cfg;
	rnn_arena	a;
	rnn_rng		rng;
	real	   *x;
	double		row[200];

	rnn_config_defaults(&cfg);
	cfg.hidden = 200;
	cfg.horizon = 48;
	cfg.patch = 24;
	cfg.seasons_given = 1;
	cfg.seasons[0] = 24;
	b->T = 22;
	b->B = 64;
	rnn_shape_init(&b->shape, &cfg);
	rnn_arena_init(&a, NULL, 0);
	lay_out_forecast(b, &a);
	b->block = malloc(a.used + 64);
	if (!b->block)
		exit(1);
	rnn_arena_init(&a, b->block, a.used + 64);
	lay_out_forecast(b, &a);
	rnn_rng_seed(&rng, 1, 0);
	/* Numbers that are no zeros everywhere: inputs, weights of references, references, spreads. */
	for (x = b->block; x < (real *) ((char *) b->block + a.used); x++)
		*x = (real) rnn_rng_uniform(&rng);
	rnn_params_init(&b->shape, &cfg, &rng, b->w, row);
	rnn_net_reset(&b->net, b->B);
	rnn_net_pack(&b->net, b->w);
}

static void
forecast(bench *b)
{
	rnn_net_forward(&b->net, b->w, b->T, b->B, b->T - 1, NULL);
}

/* Or counts its FLOPs in b->flops. */
static void
multiply(bench *b, int64_t m, int64_t n, int64_t k, const real *x, const real *w)
{
	if (b->counting)
		b->flops += 2.0 * m * n * k;
	else
		sgemm(false, true, m, n, k, x, k, w, k, 0, b->gates, n);
}

/* The products of forecast(), and nothing else. */
static void
forecast_products(bench *b)
{
	const rnn_shape *s = &b->shape;
	const rnn_net *net = &b->net;
	const real *w = b->w;
	int64_t		N = (int64_t) b->T * b->B,
				M = (int64_t) b->B * s->blocks,
				H = s->H,
				X = s->cell->x_gates * H,
				U = (s->cell->gates - s->cell->h_first) * H;

	multiply(b, N, H, s->D, net->u, w + s->front_w);
	for (int l = 0; l < s->L; l++)
	{
		multiply(b, N, X, H, net->x[l], w + s->w_ih[l]);
		for (int t = 0; t < b->T; t++)
			multiply(b, b->B, U, H, net->h[l] + t * b->B * H, w + s->w_hh[l]);
	}
	multiply(b, b->B, H, H, net->x[s->L], w + s->state_h);
	multiply(b, b->B, H, s->A, net->aux, w + s->state_a);
	multiply(b, b->B, s->R, H, net->state, w + s->gate_w);
	multiply(b, b->B, H, H, net->state, w + s->head_z);
	multiply(b, M, H, s->E, net->e, w + s->head_e);
	multiply(b, M, RNN_BLOCK * RNN_QUANTILES, H, net->hid, w + s->out_w);
}

/* Best time of a call, over a tenth of a second and at least three calls. */
static double
best(void (*call) (bench *), bench *b)
{
	double		start = now(),
				least = 1e30;

	for (int i = 0; i < 3 || now() - start < 0.1; i++)
	{
		double		t = now();

		call(b);
		t = now() - t;
		least = t < least ? t : least;
	}
	return least;
}

static real peak_a[1024 * 1024],
			peak_b[1024 * 1024],
			peak_c[1024 * 1024];

static void
peak(bench *b)
{
	(void) b;
	sgemm(false, false, 1024, 1024, 1024, peak_a, 1024, peak_b, 1024, 0, peak_c, 1024);
}

static void
answer(const char *cell, int H, int B, int T)
{
	bench		b;

	bench_init(&b, strcmp(cell, "lstm") == 0 ? RNN_LSTM : strcmp(cell, "gru") == 0 ? RNN_GRU : RNN_ELMAN,
			   H, B, T);
	printf("%.9f %.9f\n", best(layer, &b), best(products, &b));
	fflush(stdout);
	bench_free(&b);
}

static void
answer_forecast(void)
{
	bench		b = {.counting = true};

	forecast_init(&b);
	forecast_products(&b);
	b.counting = false;
	printf("%.9f %.9f %.0f %lld\n", best(forecast, &b), best(forecast_products, &b), b.flops,
		   (long long) b.shape.params);
	fflush(stdout);
	bench_free(&b);
}

int
main(void)
{
	char		cell[16];
	int			H,
				B,
				T;

	printf("%s\n", rnn_engine_init(-1));
	fflush(stdout);
	for (int i = 0; i < 1024 * 1024; i++)
		peak_a[i] = peak_b[i] = (real) 1 / (real) (1 + i % 1000);
	while (scanf("%15s", cell) == 1)
		if (strcmp(cell, "peak") == 0)
		{
			printf("%.9f\n", best(peak, NULL));
			fflush(stdout);
		}
		else if (strcmp(cell, "forecast") == 0)
			answer_forecast();
		else if (scanf("%d %d %d", &H, &B, &T) == 3 && H <= 1024)
			answer(cell, H, B, T);
		else
			return 1;
	return 0;
}
