/*
 * rnn.h
 *		The public API of the forecasting engine, and its manual.
 *
 * The engine is pure C11: no PostgreSQL, no heap, no I/O, no longjmp, no
 * global state but the table of kernels.  The caller owns all memory: ask
 * a function for its size, hand it one block, drive it step by step.  So
 * the server can bound, cancel and watch everything that runs long.
 *
 * Names of dimensions, everywhere: B batch, T time steps (patches), I input,
 * H hidden, L layers, R references, S points in a horizon block, Q quantiles,
 * P parameters (as a count) or points in a patch (as a size).
 *
 * Errors: every function that can fail returns an rnn_status and, if `err` is
 * not NULL, says what was wrong and with which value.
 */
#ifndef RNN_H
#define RNN_H

#include "base/base.h"
#include "kernel/engine.h"
#include "config/config.h"
#include "series/series.h"
#include "model/model.h"
#include "forecast/forecast.h"
#include "train/trainer.h"

#endif							/* RNN_H */
