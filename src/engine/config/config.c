/*
 * config.c
 *		The one table of options: names, ranges, defaults, descriptions.
 *
 * SQL parsing, the view rnn_options, rnn_info and the checks of stored models
 * all walk this table, so an option exists exactly once.
 */
#include "config/config.h"

#include <math.h>
#include <string.h>

static const char *const start_names[] = {"auto", "scratch", "prior", "tune", NULL};
#define NAME(NUMBER, name, ...) #name,
#define TITLE(NUMBER, name, title, ...) title,
const char *const rnn_cell_names[] = {RNN_CELLS(NAME) NULL};
const char *const rnn_cell_titles[] = {RNN_CELLS(TITLE)};
static const char *const activation_names[] = {"tanh", "relu", NULL};
static const char *const effort_names[] = {"quick", "normal", "high", NULL};
static const char *const flips_names[] = {"auto", "on", "off", NULL};
static const char *const gaps_names[] = {"mask", "interpolate", "previous", "zero", "error", NULL};
static const char *const transform_names[] = {"none", "log", "asinh", "box-cox", "auto", NULL};
static const char *const covariate_gaps_names[] = {"error", "previous", "zero", "missing", NULL};
static const char *const loss_names[] = {"pinball", "mse", "mae", NULL};

#define AT(field) offsetof(rnn_config, field)

const rnn_option rnn_options[] = {
	{"activation", RNN_OPT_ENUM, AT(activation), RNN_TANH, 0, 1, false, activation_names,
	"activation of elman cells"},
	{"batch", RNN_OPT_INT, AT(batch), 0, 1, 1024, true, NULL,
	"windows in a minibatch"},
	{"bptt", RNN_OPT_INT, AT(bptt), 0, 1, 100000, true, NULL,
	"steps of back-propagation through time; where they are fewer than the context has, the state is carried over (truncated BPTT)"},
	{"calendar", RNN_OPT_BOOL, AT(calendar), -1, 0, 1, true, NULL,
	"whether a network trained from scratch sees the hour, weekday, day of month and year; auto: hour and weekday where no season covers them"},
	{"cell", RNN_OPT_ENUM, AT(cell), RNN_GRU, 0, RNN_CELL_KINDS - 1, false, rnn_cell_names,
	"recurrent cell"},
	{"clip", RNN_OPT_FLOAT, AT(clip), 1.0, 0, 1e6, false, NULL,
	"bound of the gradient's norm; 0: none"},
	{"context", RNN_OPT_INT, AT(context), 0, 1, 1000000, true, NULL,
	"points of history that the network sees"},
	{"conv_dilation", RNN_OPT_INT, AT(conv_dilation), 1, 1, 256, false, NULL,
	"dilation of the first causal convolution, doubled with each further one"},
	{"conv_kernel", RNN_OPT_INT, AT(conv_kernel), 3, 1, 32, false, NULL,
	"kernel of the causal convolutions, in steps"},
	{"conv_layers", RNN_OPT_INT, AT(conv_layers), 0, 0, 8, false, NULL,
	"causal convolutions at stride 1 between the patches and the cells"},
	{"covariate_gaps", RNN_OPT_ENUM, AT(covariate_gaps), RNN_AHEAD_ERROR, 0, 3, false, covariate_gaps_names,
	"what a forecast does where a covariate that is known ahead is missing"},
	{"decay", RNN_OPT_FLOAT, AT(decay), 0.3, 0, 1, false, NULL,
	"last part of the training in which the learning rate falls to zero"},
	{"dropout", RNN_OPT_FLOAT, AT(dropout), -1, 0, 0.9, true, NULL,
	"probability of dropping a unit between layers and in the head"},
	{"effort", RNN_OPT_ENUM, AT(effort), RNN_EFFORT_NORMAL, 0, RNN_EFFORTS - 1, false, effort_names,
	"how much training may cost: quick, normal or high; sets hidden, steps and members where these are auto"},
	{"ema", RNN_OPT_FLOAT, AT(ema), 0.99, 0, 0.99999, false, NULL,
	"decay of the exponential moving average of the weights; 0: none"},
	{"flips", RNN_OPT_ENUM, AT(flips), RNN_FLIPS_AUTO, 0, 2, false, flips_names,
	"whether the sign of a fifth of the training windows is flipped; auto: in panels of short series"},
	{"forget_bias", RNN_OPT_FLOAT, AT(forget_bias), 1.0, -10, 10, false, NULL,
	"initial bias of the forget gate of lstm cells"},
	{"gaps", RNN_OPT_ENUM, AT(gaps), RNN_GAPS_MASK, 0, 4, false, gaps_names,
	"what replaces missing points; mask: nothing, the network sees which points are missing"},
	{"gate_memory", RNN_OPT_INT, AT(gate_memory), -1, 0, 1000000, true, NULL,
	"points over which the gates of an untrained network keep a state; 0: a few; auto: the context where it is given and has 100 steps or more, else 0"},
	{"hidden", RNN_OPT_INT, AT(hidden), 0, 1, 1024, true, NULL,
	"width of the hidden state"},
	{"horizon", RNN_OPT_INT, AT(horizon), 0, 1, RNN_MAX_TRAINED, true, NULL,
	"steps ahead that the model is trained for"},
	{"integer", RNN_OPT_BOOL, AT(integer), 0, 0, 1, false, NULL,
	"whether forecasts and their quantiles are rounded to whole numbers"},
	{"kappa", RNN_OPT_FLOAT, AT(kappa), 8, 0, 64, false, NULL,
	"exponent of the trailing error in the weights of the references"},
	{"lambda", RNN_OPT_FLOAT, AT(lambda), NAN, -2, 3, true, NULL,
	"exponent of the transform box-cox; auto: from the data"},
	{"layers", RNN_OPT_INT, AT(layers), 2, 1, 8, false, NULL,
	"stacked recurrent layers"},
	{"learning_rate", RNN_OPT_FLOAT, AT(learning_rate), 0.002, 1e-7, 1, false, NULL,
	"peak learning rate of AdamW"},
	{"loss", RNN_OPT_ENUM, AT(loss), RNN_PINBALL, 0, 2, false, loss_names,
	"loss of the point forecast; the quantiles around it always use pinball"},
	{"lower", RNN_OPT_FLOAT, AT(lower), NAN, -1e300, 1e300, true, NULL,
	"lower bound of forecasts and their quantiles; auto: 0 where no value is below 0 and at least a tenth are 0, else none"},
	{"members", RNN_OPT_INT, AT(members), 0, 1, RNN_MAX_MEMBERS, true, NULL,
	"networks in the ensemble"},
	{"network", RNN_OPT_BOOL, AT(network), 1, 0, 1, false, NULL,
	"whether a network takes part; false: the mix of references forecasts alone"},
	{"norm", RNN_OPT_BOOL, AT(norm), 1, 0, 1, false, NULL,
	"whether a LayerNorm comes before each recurrent layer"},
	{"patch", RNN_OPT_INT, AT(patch), 0, 1, 512, true, NULL,
	"points that one step of the network takes in (kernel and stride of the first convolution); 1: no patches"},
	{"patience", RNN_OPT_INT, AT(patience), 16, 1, 1000, false, NULL,
	"validations without progress before training stops early"},
	{"pivot", RNN_OPT_FLOAT, AT(pivot), NAN, 1e-300, 1e300, true, NULL,
	"where the transform asinh turns from proportional to logarithmic; auto: below most of the values"},
	{"pooling", RNN_OPT_FLOAT, AT(pooling), NAN, 0, 1000, true, NULL,
	"where references of a short series are weighed: how many trailing origins of its own the errors of all series count for; 0: each stands alone; auto: what would have forecast the past best"},
	{"recurrent_gain", RNN_OPT_FLOAT, AT(recurrent_gain), 1.0, 0, 10, false, NULL,
	"gain of the orthogonal initialisation of the recurrent weights"},
	{"residual", RNN_OPT_BOOL, AT(residual), 1, 0, 1, false, NULL,
	"whether there is a residual connection around each recurrent layer"},
	{"seasons", RNN_OPT_SEASONS, AT(seasons), 0, 1, 1000000, true, NULL,
	"seasonal periods in steps, at most three; [1]: none"},
	{"seconds", RNN_OPT_FLOAT, AT(seconds), 0, 0, 1e7, false, NULL,
	"longest time of the training in seconds; 0: no limit; rnn_info says whether it ended the training"},
	{"seed", RNN_OPT_BIGINT, AT(seed), 0, -9007199254740992.0, 9007199254740992.0, false, NULL,
	"seed of every random choice"},
	{"skip", RNN_OPT_BOOL, AT(skip), 1, 0, 1, false, NULL,
	"whether the mix of references is added to the network's output; false: the network forecasts alone"},
	{"start", RNN_OPT_ENUM, AT(start), RNN_START_AUTO, 0, 3, false, start_names,
	"auto: a network is added to mix and prior only where validation says so; prior: train nothing; "
	"tune: go on training the prior and use it; scratch: train a network from scratch and use it"},
	{"steps", RNN_OPT_INT, AT(steps), 0, 1, 10000000, true, NULL,
	"minibatches that a network is trained on"},
	{"trading_days", RNN_OPT_BOOL, AT(trading_days), -1, 0, 1, true, NULL,
	"whether months are compared by the weekdays that they have, and by Easter; auto: where steps are months"},
	{"transform", RNN_OPT_ENUM, AT(transform), RNN_TRANSFORM_AUTO, 0, 4, false, transform_names,
	"transform of the values before everything else, undone in forecasts; auto: asinh where forecasts of the past were better so, else none"},
	{"upper", RNN_OPT_FLOAT, AT(upper), NAN, -1e300, 1e300, true, NULL,
	"upper bound of forecasts and their quantiles; auto: none"},
	{"warmup", RNN_OPT_INT, AT(warmup), 30, 0, 1000000, false, NULL,
	"steps in which the learning rate rises"},
	{"weight_decay", RNN_OPT_FLOAT, AT(weight_decay), 0.02, 0, 10, false, NULL,
	"decoupled weight decay of AdamW"},
};
const int rnn_option_count = sizeof(rnn_options) / sizeof(rnn_options[0]);

void
rnn_config_defaults(rnn_config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	for (int i = 0; i < rnn_option_count; i++)
	{
		const rnn_option *o = &rnn_options[i];
		char	   *field = (char *) cfg + o->offset;

		if (o->type == RNN_OPT_FLOAT)
			*(double *) field = o->def;
		else if (o->type == RNN_OPT_BIGINT)
			*(int64_t *) field = (int64_t) o->def;
		else if (o->type != RNN_OPT_SEASONS)
			*(int32_t *) field = (int32_t) o->def;
	}
	cfg->seasons_given = -1;
	cfg->references = cfg->mixed = RNN_REFS;
}

static double
option_value(const rnn_config *cfg, const rnn_option *o)
{
	const char *field = (const char *) cfg + o->offset;

	if (o->type == RNN_OPT_FLOAT)
		return *(const double *) field;
	if (o->type == RNN_OPT_BIGINT)
		return (double) *(const int64_t *) field;
	return *(const int32_t *) field;
}

static rnn_status
check_seasons(const rnn_config *cfg, const rnn_option *o, rnn_error *err)
{
	if (cfg->seasons_given < -1 || cfg->seasons_given > RNN_MAX_SEASONS)
		return rnn_fail(err, RNN_ERR_OPTION, "seasons", cfg->seasons_given, 0, RNN_MAX_SEASONS);
	for (int i = 0; i < cfg->seasons_given; i++)
		if (cfg->seasons[i] < o->min || cfg->seasons[i] > o->max ||
			(i > 0 && cfg->seasons[i] <= cfg->seasons[i - 1]))
			return rnn_fail(err, RNN_ERR_OPTION, "seasons", cfg->seasons[i], o->min, o->max);
	return RNN_OK;
}

bool
rnn_covariates_change(const rnn_covariates *c)
{
	for (int i = 0; i < c->n; i++)
		if (c->list[i].role != RNN_STATIC)
			return true;
	return false;
}

bool
rnn_transform_takes(const rnn_config *cfg, double x)
{
	return x > 0 || (cfg->transform != RNN_TRANSFORM_LOG && cfg->transform != RNN_TRANSFORM_BOX_COX);
}

rnn_status
rnn_config_check(const rnn_config *cfg, rnn_error *err)
{
	for (int i = 0; i < rnn_option_count; i++)
	{
		const rnn_option *o = &rnn_options[i];
		double		v = option_value(cfg, o);

		if (o->type == RNN_OPT_SEASONS)
		{
			RNN_TRY(check_seasons(cfg, o, err));
			continue;
		}
		if (o->automatic && (v == o->def || (isnan(v) && isnan(o->def))))
			continue;
		if (!(v >= o->min && v <= o->max))
			return rnn_fail(err, RNN_ERR_OPTION, o->name, v, o->min, o->max);
	}
	if (!cfg->network && !cfg->skip)
		return rnn_fail(err, RNN_ERR_CONFLICT, "options \"network\" and \"skip\" cannot both be false", 0, 0, 0);
	if (cfg->start == RNN_START_PRIOR && !(cfg->network && cfg->skip))
		return rnn_fail(err, RNN_ERR_CONFLICT, "option \"start\" cannot be \"prior\" where option \"network\" or \"skip\" is false", 0, 0, 0);
	if (cfg->start == RNN_START_TUNE && !(cfg->network && cfg->skip))
		return rnn_fail(err, RNN_ERR_CONFLICT, "option \"start\" cannot be \"tune\" where option \"network\" or \"skip\" is false", 0, 0, 0);
	if ((cfg->start == RNN_START_PRIOR || cfg->start == RNN_START_TUNE) && cfg->calendar > 0)
		return rnn_fail(err, RNN_ERR_CONFLICT, "option \"start\" cannot be \"prior\" or \"tune\" where option \"calendar\" is true", 0, 0, 0);
	if (cfg->lower > cfg->upper)
		return rnn_fail(err, RNN_ERR_CONFLICT, "option \"lower\" cannot be above option \"upper\"", cfg->lower, 0, cfg->upper);
	if (cfg->integer && ceil(cfg->lower) > floor(cfg->upper))
		return rnn_fail(err, RNN_ERR_CONFLICT, "there is no whole number between options \"lower\" and \"upper\"", cfg->lower, 0, cfg->upper);
	if (cfg->gaps == RNN_GAPS_ZERO && !rnn_transform_takes(cfg, 0))
		return rnn_fail(err, RNN_ERR_CONFLICT, "option \"gaps\" cannot be \"zero\" where option \"transform\" is \"log\" or \"box-cox\"", 0, 0, 0);
	if (cfg->patch > 0 && cfg->context > 0 && cfg->patch > cfg->context)
		return rnn_fail(err, RNN_ERR_CONFLICT, "option \"patch\" cannot be longer than option \"context\"", cfg->patch, 1, cfg->context);
	return RNN_OK;
}
