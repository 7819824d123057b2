/*
 * cells.h
 *		The list of the recurrent cells.
 *
 * A row X(ELMAN, elman, "Elman", gates, x_gates, h_first, cell, keep, in) is all that a
 * cell is to the rest of the engine; what it computes is in kernel/cells.h and
 * kernel/reference.c.  Their order is that of their numbers in a model's bytes.
 *
 *		gates		segments of H in a row of gates
 *		x_gates		the first of them take the input's product
 *		h_first		those from here on take the state's product
 *		cell		whether c is kept beside h
 *		keep		the gate that keeps the state, -1: none
 *		in			the gate that lets new things into it, -1: what `keep` leaves
 */
#ifndef RNN_CELLS_H
#define RNN_CELLS_H

#define RNN_CELLS(X) \
	X(ELMAN, elman, "Elman", 1, 1, 0, false, -1, -1) \
	X(GRU, gru, "GRU", 4, 3, 1, false, 2, -1) \
	X(LSTM, lstm, "LSTM", 4, 4, 0, true, 1, 0)

#define RNN_CELL_NUMBER(NUMBER, name, ...) RNN_##NUMBER,
typedef enum rnn_cell { RNN_CELLS(RNN_CELL_NUMBER) RNN_CELL_KINDS } rnn_cell;

#endif							/* RNN_CELLS_H */
