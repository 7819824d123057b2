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
 *
 *		engine.h		rnn_engine_init, once in a process
 *		config.h		rnn_config_defaults, then what the user asked for
 *		pretrained.h	rnn_prior_size, rnn_prior_load: the network to build on
 *		trainer.h		rnn_trainer_size, _init, _step until it is done, _model
 *		model.h			rnn_model_size, _encode; rnn_model_decoded_size, _decode
 *		forecast.h		rnn_forecast_size, _begin, _step until it is done; rnn_ends_size, _begin at many ends
 *		parts.h			rnn_parts_size, rnn_parts: what the mix is made of
 *		anomaly.h		rnn_watch_size, rnn_watch_step until all rows are judged
 *		paths.h			rnn_past_plan_for, rnn_past_begin .. _finish; rnn_sampler_begin, _series, _step
 *		reconcile.h		rnn_mint_size, _begin, _step until nothing is left, _apply; rnn_bottom_up
 *
 * A caller includes this file and no other; it brings what the rooms of the
 * engine show (docs/developers/internals.md).
 */
#ifndef RNN_H
#define RNN_H

#include "base/base.h"
#include "kernel/engine.h"
#include "config/config.h"
#include "series/series.h"
#include "model/model.h"
#include "forecast/forecast.h"
#include "view/parts.h"
#include "train/trainer.h"
#include "anomaly/anomaly.h"
#include "paths/paths.h"
#include "paths/reconcile.h"

#endif							/* RNN_H */
