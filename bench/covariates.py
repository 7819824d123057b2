"""bench/covariates: what knowing the weather and the holidays ahead is worth.

Hourly sets are forecast for 24 hours at 20 origins: traffic on a motorway and
bicycles hired, spread evenly over the last fifth of their hours, and prices of
electricity, the last 20 days.  One
model is trained on what lies before the earliest origin, with covariates and
without; at each origin it is given the rows before it, and with covariates
those of the 24 hours ahead (rnn_observe).

MASE   mean |error| of a window over the mean |y(t) - y(t - 24)| of the 2,016
       hours before it, of prices of all hours; a set's figure is the mean over
       its windows
"""
import json
import os
import statistics
import sys

from common import begin, players, progress, psql, table, write_json

HORIZON = 24
ORIGINS = 20

PRICES = ("value float8, a float8, b float8",
          "SELECT ts, value, jsonb_build_object('a', a, 'b', b) AS covariates FROM raw", "24", 1000000)

# One row per hour; a holiday holds for its day.  Columns, query, hours from origin to origin, hours of the scale.
SETS = {
    "epf_np": PRICES, "epf_de": PRICES, "epf_fr": PRICES,
    "traffic_volume": ("value float8, temp float8, rain float8, snow float8, clouds float8, holiday text",
                       """SELECT date_trunc('hour', ts) AS ts, avg(value) AS value, jsonb_build_object(
                              'temp', avg(temp), 'rain', avg(rain), 'snow', avg(snow), 'clouds', avg(clouds),
                              'holiday', coalesce(max(max(nullif(holiday, 'None'))) OVER (PARTITION BY
                                                      date_trunc('hour', ts)::date), 'none')) AS covariates
                          FROM raw GROUP BY date_trunc('hour', ts)""", "n / 5 / 20", 2016),
    "bikesharing": ("value float8, tmin float8, tmax float8, rain float8",
                    """SELECT ts, avg(value) AS value, jsonb_build_object(
                           'tmin', avg(tmin), 'tmax', avg(tmax), 'rain', avg(rain)) AS covariates
                       FROM raw GROUP BY ts""", "n / 5 / 20", 2016),
}

SCRIPT = r"""
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE TEMP TABLE raw (ts timestamp, {columns});
\copy raw FROM '{path}' WITH (FORMAT csv, HEADER)
CREATE TEMP TABLE hours AS {query};
CREATE TEMP TABLE span AS
SELECT min(ts) AS first, (extract(epoch FROM max(ts) - min(ts)) / 3600)::int + 1 AS n FROM hours;
CREATE TEMP TABLE origins AS
SELECT first + (n - {horizon} - k * ({apart})) * interval '1 hour' AS origin
FROM span, generate_series(0, {origins} - 1) AS k;
CREATE TEMP TABLE rows AS
SELECT h.*, o.origin, CASE WHEN h.ts < o.origin THEN h.value END AS known
FROM hours AS h, origins AS o WHERE h.ts < o.origin + {horizon} * interval '1 hour';
CREATE TEMP TABLE models AS
SELECT rnn_train(ts, known, '{options}') AS without, rnn_train(ts, known, covariates, '{options}') AS "with"
FROM rows WHERE origin = (SELECT min(origin) FROM origins);
CREATE TEMP TABLE scales AS
SELECT o.origin, avg(abs(h.value - b.value)) AS scale
FROM origins AS o JOIN hours AS h ON h.ts < o.origin AND h.ts >= o.origin - interval '{measured} hours'
     JOIN hours AS b ON b.ts = h.ts - interval '24 hours' GROUP BY o.origin;
CREATE TEMP TABLE found AS
SELECT h.origin, f.*, x.which
FROM models, (SELECT origin, rnn_history(ts, known) AS plain, rnn_history(ts, known, covariates, NULL) AS full
              FROM rows GROUP BY origin) AS h,
     LATERAL (VALUES ('without', rnn_observe(models.without, plain)), ('with', rnn_observe(models."with", h.full)))
         AS x (which, model),
     rnn_forecast(x.model, {horizon}, options => '{{"covariate_gaps": "previous"}}') AS f;
SELECT jsonb_build_object(
  'windows', (SELECT jsonb_agg(w ORDER BY origin) FROM (
      SELECT f.origin, avg(abs(f.forecast - h.value)) FILTER (WHERE which = 'without') / min(scale) AS without,
             avg(abs(f.forecast - h.value)) FILTER (WHERE which = 'with') / min(scale) AS with
      FROM found AS f JOIN hours AS h ON h.ts = f.local_ts JOIN scales USING (origin) GROUP BY f.origin) AS w),
  'weights', (SELECT jsonb_build_object('without', rnn_info(without)->'validation'->'weight',
                                        'with', rnn_info("with")->'validation'->'weight') FROM models),
  'roles', (SELECT jsonb_agg(c->>'name' || ' ' || (c->>'role')) FROM models, jsonb_array_elements(rnn_info("with")->'covariates') AS c));
"""


def play(name, args):
    columns, query, apart, measured = SETS[name]
    progress("playing %s" % name)
    found = json.loads(psql(args.connection, SCRIPT.format(
        columns=columns, query=query, path=os.path.join(args.data, name + ".csv"), horizon=HORIZON,
        origins=ORIGINS, apart=apart, measured=measured, options=json.dumps(dict({"horizon": HORIZON}, **args.options)))))
    found["mase"] = {w: statistics.mean(x[w] for x in found["windows"]) for w in ("without", "with")}
    return found


def main():
    args = begin(players("covariates", __doc__), SETS)
    results = {name: play(name, args) for name in args.sets or SETS}
    table(["set", "windows", "MASE without", "with", "better by", "weight without", "with"],
          [[name, str(len(f["windows"])), "%.3f" % f["mase"]["without"], "%.3f" % f["mase"]["with"],
            "%.1f %%" % (100 * (1 - f["mase"]["with"] / f["mase"]["without"])),
            "%.2f" % f["weights"]["without"], "%.2f" % f["weights"]["with"]] for name, f in results.items()])
    for name, f in results.items():
        print("%s: %s" % (name, ", ".join(f["roles"])))
    write_json(args, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
