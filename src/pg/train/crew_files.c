/*
 * crew_files.c
 *		Temporary files through which a leader and its workers hand each other
 *		series, what jobs begin with and what became of them; and other bytes.
 */
#include "pg/train/crew.h"

#include "miscadmin.h"
#include "utils/guc.h"

#define SERIES_FILE "series"
#define STUDY_FILE "study"

#if PG_VERSION_NUM >= 150000
#define file_create(files, name) BufFileCreateFileSet(&(files)->fs, name)
#define file_export(file) BufFileExportFileSet(file)
#define file_open(files, name) BufFileOpenFileSet(&(files)->fs, name, O_RDONLY, false)
#else
#define file_create(files, name) BufFileCreateShared(files, name)
#define file_export(file) BufFileExportShared(file)
#define file_open(files, name) BufFileOpenShared(files, name, O_RDONLY)
#endif

static void
read_bytes(BufFile *file, void *bytes, Size len)
{
	if (BufFileRead(file, bytes, len) != len)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read from a temporary file of parallel workers")));
}

/* Pieces, so that a cancel need not wait for all of a large part. */
static void
transfer(BufFile *file, const rnn_part *part, bool write)
{
	const Size	piece = 8 * 1024 * 1024;

	for (Size at = 0; at < part->len; at += piece)
	{
		Size		len = Min(piece, part->len - at);

		CHECK_FOR_INTERRUPTS();
		if (write)
			BufFileWrite(file, (char *) part->bytes + at, len);
		else
			read_bytes(file, (char *) part->bytes + at, len);
	}
}

static Size
covariate_bytes(const rnn_panel *panel, const rnn_series *s)
{
	return s->covariates ? (s->n + s->ahead) * panel->covariates.n * sizeof(float) : 0;
}

void
write_series(Shared *shared, const rnn_panel *panel)
{
	BufFile    *file = file_create(&shared->files, SERIES_FILE);

	BufFileWrite(file, (void *) panel->covariates.list, sizeof(rnn_covariate) * panel->covariates.n);
	for (int i = 0; i < panel->count; i++)
	{
		const rnn_series *s = &panel->series[i];
		rnn_part	points = {(void *) s->x, s->n * sizeof(double)},
					covariates = {(void *) s->covariates, covariate_bytes(panel, s)};

		BufFileWrite(file, (void *) s, sizeof(*s));
		transfer(file, &points, true);
		transfer(file, &covariates, true);
	}
	file_export(file);
	BufFileClose(file);
}

static void
study_parts(rnn_trainer *trainer, rnn_part parts[RNN_STUDY_PARTS])
{
	rnn_error	err;

	if (rnn_study_parts(trainer, parts, &err) != RNN_OK)
		report_engine_error(&err);
}

void
write_study(Shared *shared, rnn_trainer *trainer)
{
	BufFile    *file = file_create(&shared->files, STUDY_FILE);
	rnn_part	parts[RNN_STUDY_PARTS];

	study_parts(trainer, parts);
	for (int i = 0; i < RNN_STUDY_PARTS; i++)
	{
		BufFileWrite(file, &parts[i].len, sizeof(parts[i].len));
		transfer(file, &parts[i], true);
	}
	file_export(file);
	BufFileClose(file);
}

void
read_series(Shared *shared, rnn_panel *panel)
{
	BufFile    *file = file_open(&shared->files, SERIES_FILE);
	rnn_series *series = palloc_extended(sizeof(rnn_series) * panel->count, MCXT_ALLOC_HUGE);
	rnn_covariate *list = palloc(sizeof(rnn_covariate) * Max(panel->covariates.n, 1));

	/* Their names and words stay behind: shapes and scales are all that training looks at. */
	read_bytes(file, list, sizeof(rnn_covariate) * panel->covariates.n);
	panel->covariates.list = list;

	for (int i = 0; i < panel->count; i++)
	{
		rnn_part	points,
					covariates;

		read_bytes(file, &series[i], sizeof(rnn_series));
		points.len = series[i].n * sizeof(double);
		points.bytes = palloc_extended(Max(points.len, 1), MCXT_ALLOC_HUGE);
		transfer(file, &points, false);
		covariates.len = covariate_bytes(panel, &series[i]);
		covariates.bytes = palloc_extended(Max(covariates.len, 1), MCXT_ALLOC_HUGE);
		transfer(file, &covariates, false);
		series[i].name = NULL;
		series[i].x = points.bytes;
		series[i].covariates = series[i].covariates ? covariates.bytes : NULL;
		series[i].calendar = NULL;
		series[i].days = NULL;
	}
	panel->series = series;
	BufFileClose(file);
}

void
read_study(Shared *shared, rnn_trainer *trainer)
{
	BufFile    *file = file_open(&shared->files, STUDY_FILE);
	rnn_part	parts[RNN_STUDY_PARTS];

	study_parts(trainer, parts);
	for (int i = 0; i < RNN_STUDY_PARTS; i++)
	{
		size_t		len;

		read_bytes(file, &len, sizeof(len));
		if (len != parts[i].len)
			elog(ERROR, "a parallel training was laid out differently in leader and worker");
		transfer(file, &parts[i], false);
	}
	BufFileClose(file);
	rnn_study_filled(trainer);
}

void
write_part(SharedFileSet *files, const char *name, rnn_part part)
{
	BufFile    *file = file_create(files, name);

	BufFileWrite(file, &part.len, sizeof(part.len));
	transfer(file, &part, true);
	file_export(file);
	BufFileClose(file);
}

rnn_part
read_part(SharedFileSet *files, const char *name)
{
	BufFile    *file = file_open(files, name);
	rnn_part	part;

	read_bytes(file, &part.len, sizeof(part.len));
	part.bytes = palloc_extended(part.len, MCXT_ALLOC_HUGE);
	transfer(file, &part, false);
	BufFileClose(file);
	return part;
}

static char *
result_name(int post)
{
	return psprintf("result%d", post);
}

void
write_result(Shared *shared, int post, rnn_part result)
{
	write_part(&shared->files, result_name(post), result);
}

rnn_part
read_result(Shared *shared, int post)
{
	return read_part(&shared->files, result_name(post));
}

static Size
series_bytes(const rnn_panel *panel)
{
	Size		bytes = sizeof(rnn_covariate) * panel->covariates.n;

	for (int i = 0; i < panel->count; i++)
		bytes += sizeof(rnn_series) + panel->series[i].n * sizeof(double) + covariate_bytes(panel, &panel->series[i]);
	return bytes;
}

/*
 * Whether the files of leader and workers stay below temp_file_limit, which
 * holds for each process: the series, and no more than the trainer has in use,
 * of which the study and what becomes of jobs are parts.
 */
bool
fits_on_disk(const rnn_trainer *trainer, const rnn_panel *panel)
{
	Size		bytes = series_bytes(panel) + rnn_trainer_used(trainer) + (RNN_MAX_JOBS + 2) * (Size) BLCKSZ;

	return temp_file_limit < 0 || bytes / 1024 < (Size) temp_file_limit;
}
