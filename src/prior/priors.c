/*
 * priors.c
 *		Which versions of the prior there are.
 *
 * Models store the version alone, so one that has shipped stays here for good;
 * what is new takes the one that was trained for its horizon.
 */
#include "model/versions.h"

const rnn_prior_data *const rnn_priors[] = {&rnn_prior_1, &rnn_prior_2};
const int	rnn_prior_count = sizeof(rnn_priors) / sizeof(rnn_priors[0]);
