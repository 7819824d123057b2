/*
 * test_config.c
 *		Options: their table, their ranges, and what is chosen where they are left open.
 */
#include "check.h"
#include "config/resolve.h"

#include <stdbool.h>
#include <string.h>

static void
set_option(rnn_config *cfg, const rnn_option *o, double v)
{
	char	   *field = (char *) cfg + o->offset;

	if (o->type == RNN_OPT_FLOAT)
		*(double *) field = v;
	else if (o->type == RNN_OPT_BIGINT)
		*(int64_t *) field = (int64_t) v;
	else
		*(int32_t *) field = (int32_t) v;
}

static bool
refused(const rnn_option *o, double v)
{
	rnn_config	cfg;
	rnn_error	err = {0};

	rnn_config_defaults(&cfg);
	set_option(&cfg, o, v);
	return rnn_config_check(&cfg, &err) == RNN_ERR_OPTION && err.status == RNN_ERR_OPTION &&
		strcmp(err.what, o->name) == 0 && err.low == o->min && err.high == o->max &&
		(err.value == v || isnan(v));
}

static bool
allowed(const rnn_option *o, double v)
{
	rnn_config	cfg;
	rnn_error	err;

	rnn_config_defaults(&cfg);
	set_option(&cfg, o, v);
	return rnn_config_check(&cfg, &err) == RNN_OK;
}

/* The table itself: sorted names, defaults in range, fields that don't overlap. */
static void
test_option_table(void)
{
	uint8_t		taken[sizeof(rnn_config)] = {0};

	for (int i = 0; i < rnn_option_count; i++)
	{
		const rnn_option *o = &rnn_options[i];
		size_t		width = o->type == RNN_OPT_FLOAT || o->type == RNN_OPT_BIGINT ? 8 :
			o->type == RNN_OPT_SEASONS ? sizeof(((rnn_config *) 0)->seasons) : 4;
		bool		free_place = o->offset % (width == 8 ? 8 : 4) == 0 && o->offset + width <= sizeof(rnn_config);

		CHECK(i == 0 || strcmp(rnn_options[i - 1].name, o->name) < 0);
		CHECK(strlen(o->name) > 0 && strlen(o->name) < 64 && strlen(o->description) > 0);
		CHECK(o->min < o->max);
		CHECK(o->automatic != (o->def >= o->min && o->def <= o->max) || o->type == RNN_OPT_SEASONS);
		for (size_t k = 0; free_place && k < width; k++)
		{
			free_place = !taken[o->offset + k];
			taken[o->offset + k] = 1;
		}
		CHECK(free_place);
	}
}

static void
test_option_enums(void)
{
	int			enums = 0;

	for (int i = 0; i < rnn_option_count; i++)
	{
		const rnn_option *o = &rnn_options[i];
		int			n = 0;

		CHECK((o->names != NULL) == (o->type == RNN_OPT_ENUM));
		while (o->names && o->names[n])
			n++;
		CHECK(!o->names || (o->min == 0 && o->max == n - 1));
		enums += o->names != NULL;
		if (o->type == RNN_OPT_BOOL)
			CHECK(o->min == 0 && o->max == 1);
	}
	CHECK(enums >= 4);
}

/* Every default passes the check, and so does each end of every range. */
static void
test_option_ranges(void)
{
	rnn_config	cfg;
	rnn_error	err;

	memset(&cfg, 0xff, sizeof(cfg));
	rnn_config_defaults(&cfg);
	CHECK(rnn_config_check(&cfg, &err) == RNN_OK);
	CHECK(rnn_config_check(&cfg, NULL) == RNN_OK);
	CHECK(cfg.seasons_given == -1);
	for (int i = 0; i < rnn_option_count; i++)
	{
		const rnn_option *o = &rnn_options[i];
		/* one more than 2^53 is no double */
		double		step = o->type == RNN_OPT_BIGINT ? 2 : 1;

		if (o->type == RNN_OPT_SEASONS)
			continue;
		CHECK(allowed(o, o->min));
		CHECK(allowed(o, o->max));
		CHECK(allowed(o, o->def));
		CHECK(refused(o, -1e9) || o->min <= -1e9);
		if (o->type == RNN_OPT_FLOAT)
		{
			CHECK(refused(o, nextafter(o->min, -INFINITY)));
			CHECK(refused(o, nextafter(o->max, INFINITY)));
			CHECK(isnan(o->def) ? o->automatic && allowed(o, NAN) : refused(o, NAN));
			CHECK(refused(o, INFINITY));
			continue;
		}
		CHECK(refused(o, o->max + step));
		CHECK(refused(o, o->min - step) || (o->automatic && o->def == o->min - step));
		CHECK(!o->automatic || refused(o, o->def - step));
	}
}

static rnn_status
check_seasons(int count, int a, int b, int c, rnn_error *err)
{
	rnn_config	cfg;

	memset(err, 0, sizeof(*err));
	rnn_config_defaults(&cfg);
	cfg.seasons_given = count;
	cfg.seasons[0] = a;
	cfg.seasons[1] = b;
	cfg.seasons[2] = c;
	return rnn_config_check(&cfg, err);
}

static void
test_option_seasons(void)
{
	rnn_error	err;

	CHECK(check_seasons(-1, -5, -5, -5, &err) == RNN_OK);	/* none is looked at */
	CHECK(check_seasons(0, 0, 0, 0, &err) == RNN_OK);
	CHECK(check_seasons(1, 1, 0, 0, &err) == RNN_OK);
	CHECK(check_seasons(3, 7, 24, 1000000, &err) == RNN_OK);
	CHECK(check_seasons(4, 1, 2, 3, &err) == RNN_ERR_OPTION && strcmp(err.what, "seasons") == 0 && err.value == 4);
	CHECK(check_seasons(-2, 1, 2, 3, &err) == RNN_ERR_OPTION && strcmp(err.what, "seasons") == 0);
	CHECK(check_seasons(1, 0, 0, 0, &err) == RNN_ERR_OPTION && err.value == 0);
	CHECK(check_seasons(2, 7, 1000001, 0, &err) == RNN_ERR_OPTION && err.value == 1000001);
	CHECK(check_seasons(2, 24, 7, 0, &err) == RNN_ERR_OPTION && err.value == 7);
	CHECK(check_seasons(3, 7, 24, 24, &err) == RNN_ERR_OPTION && err.value == 24);
}

/* Each option alone is in range; together they make no sense. */
static void
test_option_conflicts(void)
{
	rnn_config	cfg;
	rnn_error	err;

	rnn_config_defaults(&cfg);
	cfg.network = cfg.skip = 0;
	CHECK(rnn_config_check(&cfg, &err) == RNN_ERR_CONFLICT);
	CHECK(err.status == RNN_ERR_CONFLICT && strstr(err.what, "network") && strstr(err.what, "skip"));
	rnn_config_defaults(&cfg);
	cfg.patch = 9;
	cfg.context = 8;
	CHECK(rnn_config_check(&cfg, &err) == RNN_ERR_CONFLICT);
	CHECK(strstr(err.what, "patch") && strstr(err.what, "context"));
	cfg.context = 0;			/* chosen later, and then long enough */
	CHECK(rnn_config_check(&cfg, &err) == RNN_OK);
}

/* --------------------------------------------------------------- resolve */

/* What is left open is chosen, in range and consistent, whatever the data are. */
static void
test_resolve_ranges(void)
{
	static const int64_t lengths[] = {1, 2, 7, 8, 9, 40, 299, 300, 19999, 20000, 1000000, (int64_t) 1 << 40};
	static const int seasons[] = {1, 2, 5, 7, 12, 24, 168, 366, 1000000},
				contexts[] = {0, 1, 13, 600, 1000000},
				patches[] = {0, 1, 5, 512};

	for (int i = 0; i < 12 * 9 * 5 * 4 * 2; i++)
	{
		rnn_summary d = {.series = i % 2 ? 1 : PANEL,.longest = lengths[i / 2 % 12]};
		rnn_config	cfg;
		rnn_error	err;
		int			T;

		d.points = d.longest * d.series;
		rnn_config_defaults(&cfg);
		cfg.seasons_given = 1;
		cfg.seasons[0] = seasons[i / 24 % 9];
		cfg.skip = i % 3 > 0;
		cfg.context = contexts[i / 216 % 5];
		cfg.patch = patches[i / 1080 % 4];
		if (rnn_config_check(&cfg, &err) != RNN_OK)
			continue;			/* a patch longer than the context */
		rnn_config_resolve(&cfg, &d);
		CHECK(rnn_config_check(&cfg, &err) == RNN_OK);
		T = cfg.context / cfg.patch;
		CHECK(cfg.context % cfg.patch == 0 && T >= 1);
		CHECK(cfg.bptt >= 1 && cfg.bptt <= T);
		CHECK(cfg.horizon >= 1 && cfg.horizon <= RNN_MAX_TRAINED);
		CHECK(cfg.horizon <= d.longest / 3 || cfg.horizon == 1);
		CHECK(cfg.hidden > 0 && cfg.batch > 0 && cfg.steps > 0 && cfg.members > 0 && cfg.flips != RNN_FLIPS_AUTO);
		CHECK(cfg.dropout == (cfg.skip ? 0.2 : 0));
	}
}

/* What was given stays; only the context is rounded up to whole patches. */
static void
test_resolve_given(void)
{
	const rnn_summary d = {.series = 20,.points = 1000000,.longest = 100000};
	rnn_config	cfg,
				given;

	rnn_config_defaults(&cfg);
	cfg.seasons_given = 2;
	cfg.seasons[0] = 24;
	cfg.seasons[1] = 168;
	cfg.horizon = 3;
	cfg.context = 50;
	cfg.patch = 7;
	cfg.gate_memory = 30;
	cfg.bptt = 2;
	cfg.hidden = 5;
	cfg.batch = 6;
	cfg.steps = 11;
	cfg.members = 9;
	cfg.flips = RNN_FLIPS_OFF;
	cfg.dropout = 0;
	given = cfg;
	given.context = 56;
	rnn_config_resolve(&cfg, &d);
	CHECK(memcmp(&cfg, &given, sizeof(cfg)) == 0);
	cfg.bptt = 9;				/* longer than the 8 steps of the context */
	rnn_config_resolve(&cfg, &d);
	CHECK(cfg.bptt == 8);
}

/* Gates begin with a memory where a context of many steps was asked for. */
static void
test_resolve_memory(void)
{
	static const struct
	{
		int			context,
					patch,
					expect;
	}			cases[] = {{0, 1, 0}, {99, 1, 0}, {100, 1, 100}, {1200, 12, 1200}, {1188, 12, 0}, {0, 0, 0}, {512, 0, 0}};
	const rnn_summary d = {.series = 1,.points = 100000,.longest = 100000};

	for (int i = 0; i < 7; i++)
	{
		rnn_config	cfg;

		rnn_config_defaults(&cfg);
		cfg.seasons_given = 1;
		cfg.seasons[0] = 24;
		cfg.context = cases[i].context;
		cfg.patch = cases[i].patch;
		rnn_config_resolve(&cfg, &d);
		CHECK(cfg.gate_memory == cases[i].expect);
	}
}

static rnn_config
resolved(int series, int64_t longest, int season, int second)
{
	const rnn_summary d = {.series = series,.points = series * longest,.longest = longest};
	rnn_config	cfg;

	rnn_config_defaults(&cfg);
	cfg.seasons_given = second ? 2 : 1;
	cfg.seasons[0] = season;
	cfg.seasons[1] = second;
	rnn_config_resolve(&cfg, &d);
	return cfg;
}

/* The rules as docs and comments give them. */
static void
test_resolve_rules(void)
{
	rnn_config	c = resolved(1, 144, 12, 0);

	/* One season ahead; four horizons of context, in patches that divide the season. */
	CHECK(c.horizon == 12 && c.context == 48 && c.patch == 6 && c.bptt == 8);
	CHECK(c.hidden == 32 && c.members == 1 && c.steps == 600 && c.flips == RNN_FLIPS_OFF);
	c = resolved(1, 10000, 24, 168);
	CHECK(c.horizon == 24 && c.context == 336 && c.patch == 24 && c.bptt == 14);
	/* No season: twelve ahead, a patch that is a power of two. */
	c = resolved(1, 10000, 1, 0);
	CHECK(c.horizon == 12 && c.context == 48 && c.patch == 4);
	/* At most a third and half of what there is. */
	c = resolved(1, 30, 12, 0);
	CHECK(c.horizon == 10 && c.context == 15 && c.patch == 1);
	/* A panel has members, and flips where its series are short. */
	CHECK(resolved(PANEL, 299, 7, 0).members == 3 && resolved(PANEL, 299, 7, 0).flips == RNN_FLIPS_ON);
	CHECK(resolved(PANEL, 300, 7, 0).flips == RNN_FLIPS_OFF);
	CHECK(resolved(PANEL - 1, 299, 7, 0).members == 1 && resolved(PANEL - 1, 299, 7, 0).flips == RNN_FLIPS_OFF);
	c = resolved(1, 20000, 7, 0);
	CHECK(c.hidden == 64 && c.members == 3 && c.steps == 1000);
}

/* One word for sizes that are auto; what is given counts. */
static void
test_effort(void)
{
	const rnn_summary d = {.series = PANEL,.points = 100000,.longest = 10000};
	rnn_config	of[RNN_EFFORTS];

	for (int i = 0; i < RNN_EFFORTS; i++)
	{
		rnn_config_defaults(&of[i]);
		CHECK(of[i].effort == RNN_EFFORT_NORMAL);
		of[i].effort = i;
		of[i].seasons_given = 1;
		of[i].seasons[0] = 24;
		rnn_config_resolve(&of[i], &d);
		CHECK(i == 0 || (of[i].hidden > of[i - 1].hidden && of[i].steps >= 4 * of[i - 1].steps && of[i].members > of[i - 1].members));
	}
	CHECK(of[RNN_EFFORT_HIGH].hidden == 128 && of[RNN_EFFORT_HIGH].steps == 4000 && of[RNN_EFFORT_QUICK].members == 1);
	rnn_config_defaults(&of[0]);
	of[0].effort = RNN_EFFORT_QUICK;
	of[0].seasons_given = 1;
	of[0].seasons[0] = 24;
	of[0].steps = 77;
	of[0].hidden = 11;
	of[0].members = 2;
	rnn_config_resolve(&of[0], &d);
	CHECK(of[0].steps == 77 && of[0].hidden == 11 && of[0].members == 2);
}

int
main(void)
{
	TEST(test_option_table);
	TEST(test_option_enums);
	TEST(test_option_ranges);
	TEST(test_option_seasons);
	TEST(test_option_conflicts);
	TEST(test_resolve_ranges);
	TEST(test_resolve_given);
	TEST(test_resolve_memory);
	TEST(test_resolve_rules);
	TEST(test_effort);
	return check_summary("config");
}
