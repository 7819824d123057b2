/*
 * version.c
 *		A new version of a named model: rows, training, scores, and its row in
 *		the tables.
 */
#include "pg/registry/registry.h"
#include "pg/train/train.h"

#include <math.h>

#include "common/int.h"
#include "common/sha2.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#define MOST_NAMED 1000			/* series whose errors a run lists, the worst */
#define RUNS_KEPT 1000			/* of a model */
#define SHARE_TRAINING 0.8		/* of the seconds of a version; what is left is for judging it */

/* Columns that are known when a version was judged. */
#define VERSION_JUDGED (VERSION_FINGERPRINT | VERSION_MASE | VERSION_LIVE_MASE | VERSION_MIX_MASE | \
	VERSION_MAE | VERSION_WAPE | VERSION_COVERAGE)

void
collect_rows(Training *t)
{
	const rnn_model *history;
	ModelVersion *before;

	t->collected = query_history(&t->registry, t->model);
	if (t->collected == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query of model \"%s\" has no rows", t->model->name)));
	t->fingerprint = DatumGetByteaP(DirectFunctionCall1(sha256_bytea, PointerGetDatum(t->collected)));
	history = decode_model(t->collected);
	for (int i = 0; i < history->n_series; i++)
		for (int64 k = 0; k < history->series[i].n; k++)
			t->points += !isnan(history->series[i].x[k]);
	before = catalog_last_version(&t->registry, t->model->id, VERSION_FINGERPRINT);
	t->old_rows = before && before->fingerprint && VARSIZE(before->fingerprint) == VARSIZE(t->fingerprint) &&
		memcmp(before->fingerprint, t->fingerprint, VARSIZE(t->fingerprint)) == 0;
}

/* The mix takes little more time than reading the rows does, and has a clock of its own. */
static const rnn_model *
train_mix(const rnn_model *history, Jsonb *options)
{
	Occasion	occasion = {.start = GetCurrentTimestamp(),.share = 1};

	return decode_model(train_on_history(history, options, NULL, &occasion));
}

/* Only what says what is forecast: the mix on the same terms. */
static Jsonb *
mix_options(Jsonb *options, int horizon)
{
	static const char *const kept[] = {"seasons", "kappa", "timezone"};
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfoString(&s, "{\"network\": false");
	if (horizon > 0)
		appendStringInfo(&s, ", \"horizon\": %d", horizon);
	for (size_t i = 0; i < lengthof(kept); i++)
	{
		JsonbValue *v = json_field(options, kept[i]);

		if (v == NULL)
			continue;
		appendStringInfo(&s, ", \"%s\": ", kept[i]);
		appendStringInfoString(&s, JsonbToCString(NULL, &JsonbValueToJsonb(v)->root, 64));
	}
	appendStringInfoChar(&s, '}');
	return json_from(s.data);
}

/* The horizon of the training: given, that of the live version, or what auto makes of the rows. */
static int
horizon_of(const Training *t, const rnn_model *history, const rnn_model *live)
{
	rnn_config	cfg;
	ServerOptions server;

	parse_options(t->model->options, &cfg, &server);
	if (cfg.horizon > 0)
		return cfg.horizon;
	if (live)
		return live->config.horizon;
	return train_mix(history, mix_options(t->model->options, 0))->config.horizon;
}

void
train_version(Training *t)
{
	Jsonb	   *options = t->model->options;
	Occasion	occasion = {.start = GetCurrentTimestamp(),.name = t->model->name};
	int			horizon;

	t->began = occasion.start;
	t->history = decode_model(t->collected);
	t->live_model = t->live ? decode_model(t->live) : NULL;
	horizon = horizon_of(t, t->history, t->live_model);
	if (t->live)
		check_clocks(t->live_model, t->history);
	if (strcmp(t->kind, "fit") == 0)
	{
		doubt_rows(NULL, t->history->series, t->history->n_series, horizon);
		doubt_gaps(NULL, &t->history->clock, t->history->series, t->history->n_series, &t->history->config);
	}
	t->windows = last_windows(t->history, horizon, t->rules.windows);
	t->before = decode_model(before_windows(&t->windows));
	occasion.share = t->windows.most > 0 ? SHARE_TRAINING : 1;
	t->trained = decode_model(train_on_history(t->before, with_horizon(options, horizon), t->live_model, &occasion));
	t->bytes = observe_history(t->trained, t->history);
}

void
score_version(Training *t)
{
	const rnn_model *mix = train_mix(t->before, mix_options(t->model->options, t->windows.horizon));
	Scored		scored[] = {{t->trained, &t->fresh}, {mix, &t->mix}, {t->live_model, &t->old}};
	double		ceiling = seconds_allowed(&t->trained->config);

	set_scales(&t->windows, mix->n_seasons > 0 ? mix->seasons[0] : 1);
	score_models(scored, t->live ? 3 : 2, &t->windows,
				 ceiling > 0 ? TimestampTzPlusMilliseconds(t->began, (int64) (ceiling * 1000)) : 0);
	if (judge_version(t) && strcmp(t->outcome, "refused") == 0)
		t->observed = observe_history(t->live_model, t->history);
}

/* ---------------------------------------------------------------- tables */

/* The latest time of all series, as the wall clock shows it; DT_NOBEGIN without times. */
static Timestamp
last_time(const rnn_model *m)
{
	Timestamp	last = DT_NOBEGIN;

	for (int i = 0; i < m->n_series && clock_has_times(&m->clock); i++)
	{
		const rnn_series *s = &m->series[i];

		if (s->n > 0)
			last = Max(last, clock_local(&m->clock, clock_time(&m->clock, s->start, s->n - 1)));
	}
	return last;
}

/* The model's row, locked: what became of it while it was trained. */
static NamedModel *
model_now(const Training *t)
{
	NamedModel *m = catalog_model_by_id(&t->registry, t->model->id, ROW_LOCK);

	if (m == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" was dropped while it was trained", t->model->name)));
	return m;
}

/* What its rows were is noted when it is judged: until then the next refit trains on them again. */
static void
insert_version(Training *t, NamedModel *m)
{
	const rnn_model *model = decode_model(t->bytes);
	ModelVersion v = {
		.model = m->id,.bytes = t->bytes,.source = unconstify(char *, t->kind),
		.points = model->points,.last_ts = last_time(model)
	};

	if (pg_add_s32_overflow(m->last_version, 1, &v.version))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("model \"%s\" has no number left for a version", m->name)));
	t->version = m->last_version = v.version;
	catalog_set_model(&t->registry, m, MODEL_LAST_VERSION);
	catalog_add_version(&t->registry, &v, VERSION_ALL & ~(VERSION_PROMOTED | VERSION_KEEP | VERSION_JUDGED));
}

static void
note_scores(const Training *t)
{
	ModelVersion v = {
		.model = t->model->id,.version = t->version,.fingerprint = t->fingerprint,.mase = t->fresh.mase,
		.live_mase = t->old.mase,.mix_mase = t->mix.mase,
		.mae = t->fresh.mae,.wape = t->fresh.wape,.coverage = t->fresh.coverage
	};

	if (!catalog_set_version(&t->registry, &v, VERSION_JUDGED))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("version %d of model \"%s\" was removed while it was judged", t->version, t->model->name)));
}

/* Weights that were better go on from today's rows. */
static void
observe_live(const Training *t)
{
	ModelVersion v = {
		.model = t->model->id,.version = t->model->live,.bytes = t->observed,
		.last_ts = last_time(decode_model(t->observed))
	};

	catalog_set_version(&t->registry, &v, VERSION_BYTES | VERSION_LAST_TS);
}

/* Keeps the live version, that to which rnn_rollback would go, the latest, and what is to be kept. */
static void
remove_old(const Training *t, const NamedModel *m)
{
	List	   *versions = catalog_versions(&t->registry, m->id, VERSION_MODEL | VERSION_VERSION | VERSION_KEEP | VERSION_PROMOTED);
	int32		before = version_before(m, versions);
	ListCell   *cell;

	foreach(cell, versions)
	{
		const ModelVersion *v = lfirst(cell);

		if (!v->keep && v->version != m->live && v->version != before && v->version <= m->last_version - t->rules.retain)
			catalog_remove_version(&t->registry, v);
	}
	catalog_trim_runs(&t->registry, m->id, RUNS_KEPT);
}

void
store_version(Training *t)
{
	NamedModel *m = model_now(t);

	insert_version(t, m);
	remove_old(t, m);
}

void
settle_version(Training *t)
{
	NamedModel *m = model_now(t);

	note_scores(t);
	/* The scores were made of what was live then. */
	if (m->live != t->model->live)
	{
		t->model->live = m->live;
		t->outcome = "refused";
		t->message = "another version became live meanwhile";
	}
	else if (strcmp(t->outcome, "promoted") == 0)
		make_live(&t->registry, m, t->version);
	else if (t->observed)
		observe_live(t);
	remove_old(t, m);
}

typedef struct Worst
{
	int			series;
	double		error;
} Worst;

static int
compare_worst(const void *a, const void *b)
{
	double		x = ((const Worst *) a)->error,
				y = ((const Worst *) b)->error;

	return (x < y) - (x > y);
}

/* {"name": error, ...} of the worst; NULL where there are no names. */
static Jsonb *
series_errors(const Training *t)
{
	const rnn_model *history = t->windows.history;
	Worst	   *worst;
	int			count = 0;
	StringInfoData s;

	if (history == NULL || t->fresh.series == NULL)
		return NULL;
	worst = palloc_extended(sizeof(Worst) * Max(history->n_series, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < history->n_series; i++)
		if (history->series[i].name != NULL && isfinite(t->fresh.series[i]))
			worst[count++] = (Worst) {i, t->fresh.series[i]};
	if (count == 0)
		return NULL;
	qsort(worst, count, sizeof(Worst), compare_worst);
	initStringInfo(&s);
	for (int i = 0; i < Min(count, MOST_NAMED); i++)
	{
		const rnn_series *one = &history->series[worst[i].series];

		appendStringInfoString(&s, i == 0 ? "{" : ", ");
		escape_json(&s, pnstrdup(one->name, one->name_len));
		appendStringInfo(&s, ": %.6g", worst[i].error);
	}
	appendStringInfoChar(&s, '}');
	return json_from(s.data);
}

void
finish_run(Training *t)
{
	bool		scored = t->windows.history != NULL;
	ModelRun	run = {
		.id = t->run,.finished = GetCurrentTimestamp(),.outcome = unconstify(char *, t->outcome),.version = t->version,
		.points = t->points,.mase = scored ? t->fresh.mase : NAN,.live_mase = scored ? t->old.mase : NAN,
		.mix_mase = scored ? t->mix.mase : NAN,.series = series_errors(t),.message = t->message
	};

	catalog_set_run(&t->registry, &run, RUN_ALL & ~(RUN_ID | RUN_MODEL | RUN_KIND));
}
