/*
 * fit.c
 *		Measures on synthetic series what the constants of the prior must be
 *		(tools/fit).
 *
 *		fit widen DIR [option=value ...]
 *		fit weight DIR [option=value ...]
 *
 * Series are fresh ones of the families that split=train leaves out, so that
 * with a prior pretrained on the others they are as new to it as a real series
 * is: prior=FILE is the checkpoint of such a pretraining.  Without it the prior
 * that ships is taken.
 *
 *		seed		of the series (2027)
 *		count		series (40000), for weight trainings (1000)
 *		processes	(2)
 */
#include "fit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define Q RNN_QUANTILES

const char *const program_name = "fit";

void
in_processes(const Fitting *fit, void (*work) (const Fitting *fit, int process))
{
	for (int p = 0; p < fit->processes; p++)
	{
		pid_t		pid = fork();

		if (pid < 0)
			die("no process: %s", strerror(errno));
		if (pid > 0)
			continue;
		work(fit, p);
		fflush(NULL);
		_exit(0);
	}
	for (int p = 0; p < fit->processes; p++)
	{
		int			status;

		if (wait(&status) < 0 || status != 0)
			die("a process failed");
	}
}

FILE *
open_in(const char *dir, const char *name, const char *mode)
{
	char		path[4096];
	FILE	   *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, mode);
	if (!f && mode[0] != 'r')
		die("%s can't be written: %s", path, strerror(errno));
	return f;
}

rnn_model
untrained(const Fitting *fit, int horizon, int n_seasons, const int *seasons)
{
	rnn_model	m = {.mix_spread = 1,.prior = fit->prior.version,.prior_net = &fit->prior};

	rnn_config_defaults(&m.config);
	m.config.start = RNN_START_PRIOR;
	m.config.horizon = horizon;
	m.config.context = fit->prior.cfg.context;
	m.config.patch = fit->prior.cfg.patch;
	m.config.bptt = m.config.context / m.config.patch;
	m.config.hidden = 8;
	m.n_seasons = m.seasons[0] = 1;
	if (n_seasons > 0)
	{
		m.n_seasons = n_seasons;
		memcpy(m.seasons, seasons, sizeof(int) * n_seasons);
	}
	m.config.seasons_given = m.n_seasons;
	memcpy(m.config.seasons, m.seasons, sizeof(m.seasons));
	for (int i = 0; i < RNN_BANDS * RNN_MEDIAN; i++)
		m.calibration[i / RNN_MEDIAN][i % RNN_MEDIAN] = 1;
	return m;
}

void
forecast_after(const rnn_model *m, const double *x, int64_t n, int horizon, double *q)
{
	static void *block;
	static size_t room;
	rnn_series	s = {.n = n,.x = x};
	rnn_error	err = {0};
	size_t		size;

	if (rnn_forecast_size(m, 1, n, horizon, &size, &err) != RNN_OK)
		die("forecast: %s", err.what);
	if (size > room)
	{
		free(block);
		block = grab(size);
		room = size;
	}
	if (rnn_forecast(m, &s, 1, horizon, block, size, q, &err) != RNN_OK)
		die("forecast: %s", err.what);
}

double
mean_pinball(const double *q, double y)
{
	double		loss = 0;

	for (int k = 0; k < Q; k++)
		loss += rnn_pinball(k, y - q[k]) / Q;
	return loss;
}

/* The averaged weights of a checkpoint of tools/pretrain in place of those that ship. */
static void
load_prior(Fitting *fit, const char *checkpoint)
{
	rnn_error	err = {0};
	size_t		size = rnn_prior_size(rnn_prior_for(1, 0));
	real	   *w = grab(size),
			   *unused = grab(3 * size);
	CheckpointHead head;

	if (rnn_prior_load(rnn_prior_for(1, 0), w, &fit->prior, &err) != RNN_OK)
		die("prior: %s", err.what);
	if (checkpoint)
	{
		real	   *part[4] = {unused, unused + fit->prior.params, unused + 2 * fit->prior.params, w};

		if (!read_checkpoint(checkpoint, fit->prior.params, &head, part))
			die("%s can't be read: %s", checkpoint, strerror(errno));
	}
	free(unused);
}

int
main(int argc, char **argv)
{
	Fitting			fit = {.seed = 2027,.processes = 2};
	const char *prior = NULL;
	bool		widen = argc > 2 && strcmp(argv[1], "widen") == 0;

	if (argc < 3 || (!widen && strcmp(argv[1], "weight") != 0))
		die("usage: fit widen|weight DIR [option=value ...]");
	fit.dir = argv[2];
	fit.count = widen ? 40000 : 1000;
	for (int i = 3; i < argc; i++)
	{
		const char *value = strchr(argv[i], '=');

		if (!value++)
			die("\"%s\" is not option=value", argv[i]);
		if (strncmp(argv[i], "seed=", 5) == 0)
			fit.seed = strtoull(value, NULL, 10);
		else if (strncmp(argv[i], "count=", 6) == 0)
			fit.count = atoi(value);
		else if (strncmp(argv[i], "processes=", 10) == 0)
			fit.processes = atoi(value);
		else if (strncmp(argv[i], "prior=", 6) == 0)
			prior = value;
		else
			die("there is no option \"%s\"", argv[i]);
	}
	if (fit.count < 1 || fit.processes < 1 || fit.processes > 64)
		die("count and processes must be at least 1, processes at most 64");
	rnn_engine_init(-1);
	load_prior(&fit, prior);
	if (widen)
		fit_widen(&fit);
	else
		fit_weight(&fit);
	return 0;
}
