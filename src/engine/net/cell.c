/*
 * cell.c
 *		The recurrent cells behind one table.
 *
 * Elman (Elman 1990), GRU (Cho et al. 2014, with the reset gate after the
 * product as in cuDNN) and LSTM (Hochreiter and Schmidhuber 1997; Gers et al.
 * 2000) differ only in how many gates they keep and in what their kernels do.
 */
#include "net/net.h"
#include "kernel/kernel.h"

#include <string.h>

static void
zero_init(const rnn_config *cfg, int H, real *bias)
{
	(void) cfg;
	memset(bias, 0, sizeof(real) * H);
}

static void
elman_forward(int activation, const rnn_step *s)
{
	if (activation == RNN_RELU)
		rnn_kernel->relu_forward(s);
	else
		rnn_kernel->tanh_forward(s);
}

static void
elman_backward(int activation, const rnn_back *s)
{
	if (activation == RNN_RELU)
		rnn_kernel->relu_backward(s);
	else
		rnn_kernel->tanh_backward(s);
}

static void
gru_init(const rnn_config *cfg, int H, real *bias)
{
	(void) cfg;
	memset(bias, 0, sizeof(real) * 4 * H);
}

static void
gru_forward(int activation, const rnn_step *s)
{
	(void) activation;
	rnn_kernel->gru_forward(s);
}

static void
gru_backward(int activation, const rnn_back *s)
{
	(void) activation;
	rnn_kernel->gru_backward(s);
}

/* A forget gate that starts open lets gradients pass from the first step on. */
static void
lstm_init(const rnn_config *cfg, int H, real *bias)
{
	for (int k = 0; k < 4 * H; k++)
		bias[k] = k >= H && k < 2 * H ? (real) cfg->forget_bias : 0;
}

static void
lstm_forward(int activation, const rnn_step *s)
{
	(void) activation;
	rnn_kernel->lstm_forward(s);
}

static void
lstm_backward(int activation, const rnn_back *s)
{
	(void) activation;
	rnn_kernel->lstm_backward(s);
}

const rnn_cell_ops rnn_cells[] = {
	[RNN_ELMAN] = {1, 1, 0, false, zero_init, elman_forward, elman_backward},
	[RNN_GRU] = {4, 3, 1, false, gru_init, gru_forward, gru_backward},
	[RNN_LSTM] = {4, 4, 0, true, lstm_init, lstm_forward, lstm_backward},
};
