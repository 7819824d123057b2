/*
 * fit.c
 *		One network that learns from a study: its first weights, its updates, its
 *		log, and what is kept of it.
 */
#include "train/stages.h"
#include "base/half.h"

#include <math.h>
#include <string.h>

#define POSITIONS_PART 3			/* of a minibatch's, where each is drawn for itself */

static uint64_t
seed_of(const Fit *fit)
{
	return (uint64_t) fit->study->cfg.seed + (uint64_t) fit->member * 0x9e3779b97f4a7c15u;
}

/* Members have patches and contexts of their own, so each may differ in size. */
static const rnn_member *
warm_member(const Fit *fit)
{
	const rnn_model *warm = fit->study->warm;
	int			n = !warm ? 0 : warm->second.first > 0 ? warm->second.first : warm->n_members;
	const rnn_member *from = n > 0 ? &warm->member[fit->member % n] : NULL;

	return from && from->params == fit->opt.P ? from : NULL;
}

/* The version whose weights are shared: where the model to go on from had an earlier one, that. */
static int
prior_beneath(const Fit *fit)
{
	const rnn_member *from = warm_member(fit);

	if (fit->study->kind == RNN_KIND_SCRATCH)
		return 0;
	return from ? from->prior : fit->study->panel.prior->version;
}

/* New weights, or those of a model to go on from. */
static void
first_weights(Fit *fit)
{
	const Study *s = fit->study;
	const rnn_member *from = warm_member(fit);
	rnn_rng		init;

	rnn_rng_seed(&init, seed_of(fit), 0);
	if (from)
		for (int64_t i = 0; i < fit->opt.P; i++)
			fit->opt.w[i] = (real) from->weights[i];
	else if (s->kind != RNN_KIND_SCRATCH)
		memcpy(fit->opt.w, s->panel.prior->weights, sizeof(real) * fit->opt.P);
	else
		rnn_params_init(&s->shape, &s->cfg, &init, fit->opt.w, fit->init_row);
}

/* Members that see less of the past err otherwise, and are trained faster. */
static int
window_steps(const Fit *fit)
{
	int			K = fit->study->cfg.context / fit->study->cfg.patch;

	return fit->final ? (K * (4 - fit->member % 3) + 3) / 4 : K;
}

static void
start(Fit *fit, int member, bool final, int steps)
{
	fit->member = member;
	fit->final = final;
	fit->steps = steps;
	fit->before = 0;
	fit->K = window_steps(fit);
	plan_slots(fit);
	rnn_rng_seed(&fit->rng, seed_of(fit), final ? 2 : 1);
	fit->step = 0;
	fit->chunk = 0;
	fit->loss_sum = fit->norm_sum = 0;
	fit->loss_count = 0;
}

void
fit_start(Fit *fit, int member, bool final, int steps)
{
	start(fit, member, final, steps);
	fit->prior = prior_beneath(fit);
	first_weights(fit);
	optimizer_start(&fit->opt);
}

/* Members begin at the better half's weights and at the other's in turn, so as to differ. */
void
fit_go_on(Fit *fit, int member, const Judgement *j)
{
	int			better = j->loss[0] <= j->loss[1] ? 0 : 1,
				half = (better + member) % 2;

	start(fit, member, true, (int) ceil(RNN_GO_ON * j->candidate.steps));
	fit->before = j->step[half];
	fit->prior = j->member.prior;
	memcpy(fit->opt.w, judged_weights(j, half), sizeof(real) * fit->opt.P);
	optimizer_start(&fit->opt);
}

/* The first of T steps that the head learns from, drawn so that there is one. */
static int
draw_head(Fit *fit, int T)
{
	return (int) ((uint64_t) (T - 1) - rnn_rng_below(&fit->rng, (uint64_t) rnn_min(T, HEAD_EVERY))) % HEAD_EVERY;
}

/*
 * T steps of B windows from `first` on, forward and backward, the head from step
 * `at` on; the state is kept for the next chunk.
 */
static double
learn_tile(Fit *fit, int T, int first, int B, int at, int64_t *known)
{
	real	   *state = fit->carried ? fit->carried + first * rnn_net_state(&fit->net) : NULL;
	double		loss;

	if (fit->chunk == 0)
		rnn_net_reset(&fit->net, B);
	else
		rnn_net_move_state(&fit->net, B, state, false);
	load_chunk(fit, T, first, B, at);
	loss = rnn_net_learn(&fit->net, fit->opt.w, T, B, at, HEAD_EVERY, fit->study->cfg.dropout > 0 ? &fit->rng : NULL,
						 fit->opt.fixed > 0, known, fit->opt.g);
	if (state)
	{
		rnn_net_carry(&fit->net, T, B);
		rnn_net_move_state(&fit->net, B, state, true);
	}
	return loss;
}

/* ---------------------------------------------------------------- the head alone */

/* Those of the first member, whoever asks: what is kept doesn't depend on which jobs a process has done. */
static int
whole_steps(const Study *s)
{
	return s->cfg.context / s->cfg.patch;
}

/* The first frames of a window are the last ones of another, but for those of a run's first window. */
static void
keep_states(Fit *fit, const rnn_window *window, int b, int B)
{
	const Study *s = fit->study;
	int			H = s->shape.H,
				K = whole_steps(s),
				first = window->last < K ? 0 : window->last - (K - 1) / 2;
	int64_t		frame = (window->strip->frames - s->frames) / s->plan.width + (window->flip ? s->F : 0);

	for (int at = first; at <= window->last; at++)
		memcpy(fit->states + (frame + at) * H, fit->net.x[s->shape.L] + ((int64_t) (at - window->last + K - 1) * B + b) * H,
			   sizeof(real) * H);
}

/* Windows of the frames that are next, half of them new in each. */
static int
next_windows(Fit *fit, rnn_window *window)
{
	const Study *s = fit->study;
	int			K = whole_steps(s),
				B = 0;

	for (; fit->states_flip <= (s->cfg.flips == RNN_FLIPS_ON); fit->states_flip++, fit->states_run = 0)
		for (; fit->states_run < s->n_runs; fit->states_run++, fit->states_last = 0)
		{
			const rnn_strip *strip = &s->runs[fit->states_run].strip;

			for (; fit->states_last < strip->count; B++)
			{
				int			next = fit->states_last == 0 ? K - 1 : fit->states_last - 1 + (K + 1) / 2;

				if (B == fit->net.max_B)
					return B;
				window[B] = (rnn_window) {.strip = strip,.last = (int) rnn_min(next, strip->count - 1),.flip = fit->states_flip};
				fit->states_last = window[B].last + 1;
			}
		}
	return B;
}

bool
fit_states(Fit *fit)
{
	const Study *s = fit->study;
	int			K = whole_steps(s),
				B;
	rnn_window *window = fit->held.window;

	if (!fit->states)
		return true;
	if (fit->states_of != fit->prior)
	{
		fit->states_of = fit->prior;
		fit->states_run = fit->states_last = fit->states_flip = fit->held_known = 0;
		rnn_net_pack(&fit->net, fit->opt.w);
	}
	B = next_windows(fit, window);
	if (B == 0)
		return true;
	rnn_net_pack(&fit->net, fit->opt.w);
	rnn_net_reset(&fit->net, B);
	rnn_windows_load(&fit->net, &s->plan, window, B, K, 0, K, K, 1);
	rnn_net_forward(&fit->net, fit->opt.w, K, B, K, NULL);
	for (int b = 0; b < B; b++)
		keep_states(fit, &window[b], b, B);
	return false;
}

/* A step of a window, drawn into a row, with what the layers say there and what follows. */
static void
draw_position(Fit *fit, int64_t row)
{
	const Study *s = fit->study;
	rnn_window	window;
	int			r = draw_window(fit, &window),
				at = window.last - (int) rnn_rng_below(&fit->rng, (uint64_t) rnn_min(fit->K, window.last + 1));
	int64_t		frame = (window.strip->frames - s->frames) / s->plan.width + at;

	rnn_head_load(&fit->net, row, s->frames + frame * s->plan.width, window.flip);
	memcpy(fit->net.x[s->shape.L] + row * s->shape.H, fit->states + (frame + (window.flip ? s->F : 0)) * s->shape.H,
		   sizeof(real) * s->shape.H);
	load_target(fit, row, r, at, window.flip);
}

/* As many positions as a part of those of a minibatch, but each drawn for itself. */
static double
learn_positions(Fit *fit, int64_t *known)
{
	const Study *s = fit->study;
	int64_t		room = (int64_t) fit->net.max_T * fit->net.max_B,
				left = rnn_max(1, (int64_t) s->cfg.batch * fit->K / POSITIONS_PART),
				of_part,
				rows;
	double		loss = 0;

	rnn_head_pack(&fit->net, fit->opt.w);
	for (; left > 0 && !rnn_stopped(s->panel.stop); left -= rows)
	{
		rows = rnn_min(left, room);
		for (int64_t i = 0; i < rows; i++)
			draw_position(fit, i);
		loss += rnn_head_learn(&fit->net, fit->opt.w, rows, s->cfg.dropout > 0 ? &fit->rng : NULL, &of_part, fit->opt.g);
		*known += of_part;
	}
	return loss;
}

/* One chunk of all windows, tile by tile. */
static double
learn_windows(Fit *fit, int T, int64_t *known)
{
	const Study *s = fit->study;
	double		loss = 0;
	int			at = draw_head(fit, T),
				B;
	int64_t		of_tile;

	rnn_net_pack(&fit->net, fit->opt.w);
	for (int first = 0; first < s->cfg.batch && !rnn_stopped(s->panel.stop); first += B)
	{
		B = s->cfg.batch - first < fit->net.max_B ? s->cfg.batch - first : fit->net.max_B;
		loss += learn_tile(fit, T, first, B, at, &of_tile);
		*known += of_tile;
	}
	return loss;
}

rnn_status
fit_chunk(Fit *fit, rnn_error *err)
{
	const Study *s = fit->study;
	int			T = fit->K - fit->chunk < s->cfg.bptt ? fit->K - fit->chunk : s->cfg.bptt;
	int64_t		known = 0;
	double		loss;

	if (fit->states)
		T = fit->K;
	else if (fit->chunk == 0)
		draw_windows(fit);
	optimizer_clear(&fit->opt);
	loss = fit->states ? learn_positions(fit, &known) : learn_windows(fit, T, &known);
	if (known > 0)
	{
		RNN_TRY(optimizer_update(&fit->opt, &s->cfg, s->pace, fit->steps, fit->final, known, err));
		fit->loss_sum += loss / known;
		fit->norm_sum += fit->opt.norm;
		fit->loss_count++;
	}
	fit->chunk = fit->chunk + T == fit->K ? 0 : fit->chunk + T;
	fit->step++;
	return RNN_OK;
}

double
fit_loss(const Fit *fit)
{
	return fit->loss_count ? fit->loss_sum / fit->loss_count : NAN;
}

void
fit_log(Fit *fit, double validation, double baseline)
{
	Log		   *log = &fit->log;

	if (*log->n == log->room)
		return;
	log->row[(*log->n)++] = (rnn_log_row) {
		fit->member, log->phase, fit->step,
		(float) (fit->loss_count ? fit->loss_sum / fit->loss_count : 0),
		(float) validation, (float) baseline, (float) fit->opt.rate,
		(float) (fit->loss_count ? fit->norm_sum / fit->loss_count : 0)
	};
	fit->loss_sum = fit->norm_sum = 0;
	fit->loss_count = 0;
}

/* ---------------------------------------------------------------- members */

rnn_member
fit_member(const Fit *fit, int steps, bool stopped)
{
	const Study *s = fit->study;

	return (rnn_member) {
		.seed = seed_of(fit),
			.patch = s->cfg.patch,.context = fit->K * s->cfg.patch,
			.steps = steps,.stopped = stopped,
			.prior = fit->prior,
			.shared = candidate_shared(s),.params = fit->opt.P,
	};
}

void
member_weights(const rnn_member *m, const real *from, real *to)
{
	memcpy(to, from, sizeof(real) * m->params);
	for (int64_t i = m->shared; i < m->params && m->prior > 0; i++)
	{
		uint8_t		half[2];

		half_store(half, to[i]);
		to[i] = (real) half_load(half);
	}
}
