/*
 * net.c
 *		Buffers, and the order of the parts.
 */
#include "net/net.h"
#include "kernel/blas.h"
#include "kernel/kernel.h"

#include <math.h>
#include <string.h>

#define S RNN_BLOCK
#define Q RNN_QUANTILES

int
rnn_tile_windows(const rnn_shape *s, int B)
{
	int64_t		weights = 2 * (int64_t) s->cell->gates * s->H * s->H;
	int			most = weights > RNN_TILE_WEIGHTS ? RNN_TILE_WIDE : RNN_TILE;

	return B < most ? B : most;
}

static void
init_layers(rnn_net *net, int64_t N, int64_t B, bool training, real *const *packed, rnn_arena *a)
{
	const rnn_shape *s = net->shape;
	int64_t		H = s->H,
				G = s->cell->gates * H,
				step = B * G,
				width = s->I[0] > s->H ? s->I[0] : s->H;

	for (int l = 0; l < s->L; l++)
	{
		net->x[l] = arena_new(a, real, N * s->I[l]);
		net->xn[l] = s->norm ? arena_new(a, real, N * s->I[l]) : NULL;
		net->norm_save[l] = s->norm ? arena_new(a, real, 2 * N) : NULL;
		net->gates[l] = s->cell->gates > 1 ? arena_new(a, real, N * G) : NULL;
		net->h[l] = arena_new(a, real, (B + N) * H);
		net->c[l] = s->cell->has_cell ? arena_new(a, real, (B + N) * H) : NULL;
		net->drop[l] = training && s->dropout > 0 ? arena_new(a, real, N * H) : NULL;
		net->dx[l] = training ? arena_new(a, real, N * s->I[l]) : NULL;
		net->packed[l] = packed && packed[l] ? packed[l] : arena_new(a, real, RNN_PACKED(s->cell->gates, s->I[l], H));
		net->panels[l] = training && H > RNN_PANEL && H % RNN_WHOLE == 0 ?
			arena_new(a, real, (s->cell->gates - s->cell->h_first) * H * H) : NULL;
	}
	net->x[s->L] = arena_new(a, real, N * H);
	if (!training)
		return;
	net->dx[s->L] = arena_new(a, real, N * H);
	net->dgates = arena_new(a, real, step > RNN_NEAR ? step : N * G < RNN_NEAR ? N * G : RNN_NEAR);
	net->dxn = arena_new(a, real, N * width);
	net->dc = arena_new(a, real, B * H);
	net->dh = arena_new(a, real, B * H);
	net->dy = s->dropout > 0 ? arena_new(a, real, B * H) : NULL;
}

static void
init_convs(rnn_net *net, int64_t N, int64_t B, bool training, rnn_arena *a)
{
	const rnn_shape *s = net->shape;
	int			most = 0;

	if (!s->project)
		return;
	for (int i = 0; i <= s->convs; i++)
	{
		net->pad[i] = i < s->convs ? (s->kernel - 1) * s->dilation[i] : 0;
		most = net->pad[i] > most ? net->pad[i] : most;
		net->z[i] = arena_new(a, real, (net->pad[i] * B + N) * s->H);
		if (i < s->convs)
			net->conv_a[i] = arena_new(a, real, N * s->H);
	}
	if (training)
		net->dz = arena_new(a, real, (most * B + N) * s->H);
}

static void
init_head(rnn_net *net, int64_t N, bool training, rnn_arena *a)
{
	const rnn_shape *s = net->shape;
	int64_t		Hz = (int64_t) s->blocks * S,
				M = N * s->blocks;

	net->state_a = arena_new(a, real, N * s->H);
	net->state = arena_new(a, real, N * s->H);
	net->per_state = arena_new(a, real, N * s->H);
	net->gate = arena_new(a, real, N * s->R);
	net->middle = arena_new(a, real, N * Hz);
	net->e = arena_new(a, real, M * s->E);
	net->hid_a = arena_new(a, real, M * s->H);
	net->hid = arena_new(a, real, M * s->H);
	net->out = arena_new(a, real, M * S * Q);
	if (!training)
		return;
	net->hid_drop = s->dropout > 0 ? arena_new(a, real, M * s->H) : NULL;
	net->dout = arena_new(a, real, M * S * Q);
	net->dmiddle = arena_new(a, real, N * Hz);
	net->dblock = arena_new(a, real, N * Hz);
	net->dhid = arena_new(a, real, M * s->H);
	net->dstate = arena_new(a, real, N * s->H);
	net->dgate = arena_new(a, real, N * s->R);
}

static void
init(rnn_net *net, const rnn_shape *shape, int T, int B, bool training, real *const *packed, rnn_arena *a)
{
	int64_t		N = (int64_t) T * B,
				Hz = (int64_t) shape->blocks * S;

	memset(net, 0, sizeof(*net));
	net->shape = shape;
	net->max_T = T;
	net->max_B = B;
	net->training = training;
	net->u = arena_new(a, real, N * shape->D);
	net->aux = arena_new(a, real, N * shape->A);
	net->ref = arena_new(a, real, N * shape->R * Hz);
	net->spread = arena_new(a, real, N * Hz);
	net->before = arena_new(a, bool, N);
	net->target = training ? arena_new(a, real, N * Hz) : NULL;
	net->turned = training && shape->H % RNN_WHOLE == 0 ? arena_new(a, real, shape->params) : NULL;
	rnn_point_layout(net, N, training, a);
	init_convs(net, N, B, training, a);
	init_layers(net, N, B, training, packed, a);
	init_head(net, N, training, a);
}

void
rnn_net_init(rnn_net *net, const rnn_shape *shape, int T, int B, bool training, rnn_arena *a)
{
	init(net, shape, T, B, training, NULL, a);
}

void
rnn_net_init_packed(rnn_net *net, const rnn_shape *shape, int T, int B, real *const *packed, rnn_arena *a)
{
	init(net, shape, T, B, false, packed, a);
}

void
rnn_net_ask(rnn_net *net, rnn_arena *a)
{
	const rnn_shape *s = net->shape;
	int64_t		N = (int64_t) net->max_T * net->max_B,
				Hz = (int64_t) s->blocks * S;

	net->input.u = arena_new(a, real, N * s->D);
	net->input.aux = arena_new(a, real, N * s->A);
	net->input.ref = arena_new(a, real, N * s->R * Hz);
	net->input.p = s->F > 0 ? arena_new(a, real, N * Hz * s->F) : NULL;
}

void
rnn_net_reset(rnn_net *net, int B)
{
	const rnn_shape *s = net->shape;

	for (int l = 0; l < s->L; l++)
	{
		memset(net->h[l], 0, sizeof(real) * B * s->H);
		if (net->c[l])
			memset(net->c[l], 0, sizeof(real) * B * s->H);
	}
	for (int i = 0; s->project && i < s->convs; i++)
		memset(net->z[i], 0, sizeof(real) * net->pad[i] * B * s->H);
}

/* Not part of the forward pass, since the backward pass needs the old first state. */
void
rnn_net_carry(rnn_net *net, int T, int B)
{
	const rnn_shape *s = net->shape;
	int64_t		step = (int64_t) B * s->H;

	for (int l = 0; l < s->L; l++)
	{
		memcpy(net->h[l], net->h[l] + T * step, sizeof(real) * step);
		if (net->c[l])
			memcpy(net->c[l], net->c[l] + T * step, sizeof(real) * step);
	}
	if (s->project)
		rnn_conv_carry(net, T, B);
}

void
rnn_empty_rows(const rnn_net *net, int64_t first, int64_t rows, real *x)
{
	int			H = net->shape->H;

	for (int64_t i = 0; i < rows; i++)
		if (net->before[first + i])
			memset(x + i * H, 0, sizeof(real) * H);
}

/* to (columns,rows) = w (rows,columns), some whole vectors of rows at a time */
static void
turn_matrix(int64_t rows, int64_t columns, const real *restrict w, real *restrict to)
{
	for (int64_t i = 0; i < rows; i += RNN_WHOLE)
		for (int64_t j = 0; j < columns; j++)
			for (int64_t k = i; k < i + RNN_WHOLE; k++)
				to[j * rows + k] = w[k * columns + j];
}

/* Products with what is stored by columns are our own kernel's, which is worth it where they are many. */
static void
turn_weights(rnn_net *net, const real *w)
{
	for (const rnn_tensor *t = net->shape->tensor; t < net->shape->tensor + net->shape->tensors; t++)
		for (int64_t k = 0; t->part != RNN_PART_LAYER && t->rows % RNN_WHOLE == 0 && k < t->matrices; k++)
		{
			int64_t		at = t->offset + k * t->rows * t->columns;

			turn_matrix(t->rows, t->columns, w + at, net->turned + at);
		}
}

void
rnn_weigh(const rnn_net *net, const real *w, int64_t at, int64_t rows, int64_t out, int64_t in,
		  const real *x, int64_t ld, real *y)
{
	if (net->turned && out % RNN_WHOLE == 0)
		rnn_gemm(false, false, rows, out, in, x, ld, net->turned + at, out, 1, y, out);
	else
		rnn_gemm(false, true, rows, out, in, x, ld, w + at, in, 1, y, out);
}

void
rnn_head_pack(rnn_net *net, const real *w)
{
	if (net->turned)
		turn_weights(net, w);
}

void
rnn_net_pack(rnn_net *net, const real *w)
{
	rnn_head_pack(net, w);
	for (int l = 0; l < net->shape->L; l++)
		rnn_layer_pack(net, w, l);
}

/* In or out: n numbers between the net and a store, which is returned behind them. */
static real *
move_state(real *state, int64_t n, real *store, bool out)
{
	if (out)
		memcpy(store, state, sizeof(real) * n);
	else
		memcpy(state, store, sizeof(real) * n);
	return store + n;
}

void
rnn_net_move_state(rnn_net *net, int B, real *store, bool out)
{
	const rnn_shape *s = net->shape;
	int64_t		step = (int64_t) B * s->H;

	for (int l = 0; l < s->L; l++)
	{
		store = move_state(net->h[l], step, store, out);
		if (net->c[l])
			store = move_state(net->c[l], step, store, out);
	}
	for (int i = 0; s->project && i < s->convs; i++)
		store = move_state(net->z[i], net->pad[i] * step, store, out);
}

int64_t
rnn_net_state(const rnn_net *net)
{
	const rnn_shape *s = net->shape;
	int64_t		rows = s->L * (s->cell->has_cell ? 2 : 1);

	for (int i = 0; s->project && i < s->convs; i++)
		rows += net->pad[i];
	return rows * s->H;
}

void
rnn_net_forward(rnn_net *net, const real *w, int T, int B, int head_from, rnn_rng *rng)
{
	net->dropped = rng && net->shape->dropout > 0;
	rnn_embed_past(net, w, (int64_t) T * B);
	rnn_conv_forward(net, w, T, B);
	for (int l = 0; l < net->shape->L; l++)
		rnn_layer_forward(net, w, l, T, B, rng);
	if (rnn_stopped(net->shape->stop))
		return;
	rnn_head_forward(net, w, (int64_t) head_from * B, (int64_t) (T - head_from) * B, rng);
}

double
rnn_net_loss(rnn_net *net, int T, int B, int head_from, int64_t *known)
{
	const rnn_shape *s = net->shape;
	double		sum = 0;
	int			count = 0;

	*known = 0;
	for (int64_t k = (int64_t) head_from * B * s->blocks; k < (int64_t) T * B * s->blocks; k++)
	{
		count = 0;
		sum += rnn_kernel->block_loss(net->out + k * S * Q, net->middle + k * S, net->target + k * S,
									  net->spread + k * S, s->loss, net->dout + k * S * Q,
									  net->dmiddle + k * S, &count);
		*known += count;
	}
	return sum;
}

/* From the gradient of the last layer's output. */
static void
layers_backward(rnn_net *net, const real *w, int T, int B, real *g)
{
	const rnn_shape *s = net->shape;

	for (int l = s->L - 1; l >= 0; l--)
		rnn_layer_backward(net, w, l, T, B, g);
	rnn_conv_backward(net, w, T, B, g);
	rnn_inputs_back(net, w, (int64_t) T * B, g);
}

/* The same net, whose rows begin at `first` where the head gets something or hands it on. */
static rnn_net
rows_from(const rnn_net *net, int64_t first)
{
	const rnn_shape *s = net->shape;
	int64_t		points = first * s->blocks * S;
	rnn_net		part = *net;

	part.aux += first * s->A;
	part.ref += points * s->R;
	part.spread += points;
	part.target += points;
	if (part.far)
		part.far += first * s->blocks;
	part.x[s->L] += first * s->H;
	part.dx[s->L] += first * s->H;
	if (s->F > 0)
	{
		part.p += points * s->F;
		part.ahead_words += points * s->words_ahead;
	}
	if (net->input.u)
	{
		part.input.aux += first * s->A;
		part.input.ref += points * s->R;
		part.input.p += s->F > 0 ? points * s->F : 0;
	}
	return part;
}

/* Rows of which what the head keeps stays near until it goes backward. */
static int64_t
head_rows(const rnn_shape *s)
{
	int64_t		block = s->E + 3 * s->H + 2 * S * Q + 3 * S + S * 3 * (int64_t) s->F,
				rows = RNN_HEAD / (s->blocks * block + 5 * s->H);

	return rows < RNN_LEAST_ROWS ? RNN_LEAST_ROWS : rows;
}

/* Forward and backward of the head at `rows` rows behind each other, some groups of them, `apart` from each to the next. */
static double
learn_head(rnn_net *net, const real *w, int64_t from, int64_t to, int64_t rows, int64_t apart, rnn_rng *rng,
		   int64_t *known, real *g)
{
	double		loss = 0;

	*known = 0;
	for (int64_t at = from; at < to && !rnn_stopped(net->shape->stop); at += apart)
	{
		int			now = (int) (to - at < rows ? to - at : rows);
		rnn_net		part = rows_from(net, at);
		int64_t		of_part;

		rnn_head_forward(&part, w, 0, now, rng);
		loss += rnn_net_loss(&part, 1, now, 0, &of_part);
		rnn_head_backward(&part, w, 0, now, g);
		*known += of_part;
	}
	return loss;
}

double
rnn_head_learn(rnn_net *net, const real *w, int64_t rows, rnn_rng *rng, int64_t *known, real *g)
{
	int64_t		most = head_rows(net->shape);

	net->dropped = rng && net->shape->dropout > 0;
	return learn_head(net, w, 0, rows, most, most, rng, known, g);
}

double
rnn_net_learn(rnn_net *net, const real *w, int T, int B, int first, int every, rnn_rng *rng, bool head_alone,
			  int64_t *known, real *g)
{
	int64_t		N = (int64_t) T * B,
				rows = every > 1 ? B : head_rows(net->shape);
	double		loss;

	rnn_net_forward(net, w, T, B, T, rng);
	/* Other steps get nothing from the head. */
	if (!head_alone && (first > 0 || every > 1))
		memset(net->dx[net->shape->L], 0, sizeof(real) * N * net->shape->H);
	loss = learn_head(net, w, (int64_t) first * B, N, rows, every * rows, rng, known, g);
	if (!head_alone && *known > 0)
		layers_backward(net, w, T, B, g);
	return loss;
}

void
rnn_net_backward(rnn_net *net, const real *w, int T, int B, int head_from, real *g)
{
	if (rnn_stopped(net->shape->stop))
		return;
	rnn_head_backward(net, w, (int64_t) head_from * B, (int64_t) (T - head_from) * B, g);
	layers_backward(net, w, T, B, g);
}

void
rnn_net_quantiles(const rnn_net *net, int64_t row, real *q)
{
	const rnn_shape *s = net->shape;
	real		block[S * Q];

	for (int b = 0; b < s->blocks; b++)
	{
		int64_t		k = row * s->blocks + b;

		rnn_kernel->block_quantiles(net->out + k * S * Q, net->middle + k * S,
									net->spread + k * S, block);
		for (int j = 0; j < S && b * S + j < s->horizon; j++)
			for (int i = 0; i < Q; i++)
				q[(b * S + j) * Q + i] = block[i * S + j];
	}
}
