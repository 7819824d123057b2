"""bench/calendars: what it is worth to tell a network the calendar.

Sets with times are forecast at several origins, counted from the end of each
series.  One model of each variant is trained on what lies before the earliest: with the option calendar false,
with auto, and with true; at each origin it is given the rows before it
(rnn_observe).

MASE   mean |error| of a window over the mean |y(t) - y(t - season)| of what
       lies before it; a set's figure is the mean over its windows
"""
import json
import os
import statistics
import sys

from common import begin, players, progress, psql, table, write_json

VARIANTS = ["false", "auto", "true"]

ONE = "SELECT '' AS series, {ts} AS ts, value FROM raw"
MANY = "SELECT series, {ts} AS ts, value FROM raw"
HOUR = "SELECT '' AS series, date_trunc('hour', ts) AS ts, avg(value) AS value FROM raw GROUP BY 2"


class Set:
    def __init__(self, columns, query, step, horizon, origins, spacing, season, file=None, more="", zone=None):
        self.columns, self.query, self.step = columns, query, step
        self.horizon, self.origins, self.spacing, self.season = horizon, origins, spacing, season
        self.file, self.more, self.zone = file, more, zone


# All that is by the hour, as one panel.
MORE = r"""
CREATE TEMP TABLE roads (ts timestamp, value float8, a text, b text, c text, d text, e text);
\copy roads FROM '{data}/traffic_volume.csv' WITH (FORMAT csv, HEADER)
CREATE TEMP TABLE bikes (ts timestamp, value float8, a text, b text, c text);
\copy bikes FROM '{data}/bikesharing.csv' WITH (FORMAT csv, HEADER)
CREATE TEMP TABLE taxis (series text, ts timestamp, value float8);
\copy taxis FROM '{data}/nab_taxi_cloudwatch.csv' WITH (FORMAT csv, HEADER)
INSERT INTO raw SELECT 'roads', ts, value FROM roads UNION ALL SELECT 'bikes', ts, value FROM bikes
UNION ALL SELECT 'taxis', ts, value FROM taxis WHERE series = 'nyc_taxi';
"""
PLAIN = "ts timestamp, value float8"
NAMED = "series text, " + PLAIN
SETS = {
    "traffic_volume": Set(PLAIN + ", a text, b text, c text, d text, e text", HOUR, "1 hour", 24, 20, 203, 24),
    "bikesharing": Set(PLAIN + ", a text, b text, c text", HOUR, "1 hour", 24, 20, 203, 24),
    "hourly": Set(NAMED, MANY.format(ts="ts"), "1 hour", 48, 12, 168, 24),
    "hours": Set(NAMED, MANY.format(ts="ts"), "1 hour", 24, 20, 203, 24, "hourly", MORE),
    # The same, as if it had been measured by UTC where these clocks change.
    "hours_zoned": Set(NAMED, MANY.format(ts="ts"), "1 hour", 24, 20, 203, 24, "hourly", MORE, "America/Chicago"),
    "parking": Set(NAMED + ", capacity int", MANY.format(ts="ts"), "30 minutes", 48, 8, 48, 48),
    "twitter": Set(NAMED, MANY.format(ts="ts"), "15 minutes", 96, 8, 96, 96, "nab_twitter"),
    "taxi": Set(NAMED, ONE.format(ts="ts") + " WHERE series = 'nyc_taxi'", "30 minutes", 48, 20, 48, 48, "nab_taxi_cloudwatch"),
    "taylor": Set(PLAIN, ONE.format(ts="ts"), "30 minutes", 48, 14, 48, 48),
    "yosemite": Set(PLAIN, ONE.format(ts="ts"), "5 minutes", 288, 10, 288, 288, "yosemite_temps"),
    "peyton_manning": Set(PLAIN, ONE.format(ts="ts::date"), "1 day", 30, 20, 30, 7),
    "co2": Set(PLAIN, ONE.format(ts="ts::date"), "7 days", 26, 12, 26, 52),
    "us_gasoline": Set(PLAIN, ONE.format(ts="ts::date"), "7 days", 26, 12, 26, 52),
    "ilinet": Set(PLAIN, ONE.format(ts="ts::date"), "7 days", 26, 12, 26, 52),
    "ansett": Set(NAMED, MANY.format(ts="ts::date"), "7 days", 13, 6, 13, 52),
    "pbs": Set(NAMED, MANY.format(ts="ts::date"), "1 month", 12, 3, 12, 12),
}

SCRIPT = r"""
SET client_min_messages = warning;
SET timezone = '{zone}';
CREATE TEMP TABLE raw ({columns});
\copy raw FROM '{path}' WITH (FORMAT csv, HEADER)
{more}
CREATE TEMP TABLE points AS
SELECT series, local_ts AS ts, value
FROM rnn_fill((SELECT rnn_history(series, ts, value, '{{"bin": "mean", "step": "{step}"}}') FROM ({query}) AS q));
CREATE TEMP TABLE origins AS
SELECT series, k, max(ts) - ({horizon} - 1 + k * {spacing}) * interval '{step}' AS origin
FROM points, generate_series(0, {origins} - 1) AS k GROUP BY series, k;
CREATE TEMP TABLE scales AS
SELECT k, p.series, avg(abs(p.value - b.value)) AS scale
FROM origins AS o JOIN points AS p ON p.series = o.series AND p.ts < o.origin
     JOIN points AS b ON b.series = p.series AND b.ts = p.ts - {season} * interval '{step}' GROUP BY 1, 2;
CREATE TEMP TABLE histories AS
SELECT k, rnn_history(series, {cast}, value, '{{"step": "{step}", "duplicates": "mean"}}') AS history
FROM origins JOIN points USING (series) WHERE ts < origin GROUP BY k;
CREATE TEMP TABLE models (variant text, model bytea, seconds float8);
{trainings}
CREATE TEMP TABLE found AS
SELECT m.variant, h.k, f.series, f.local_ts, f.forecast
FROM models AS m, histories AS h, rnn_forecast(rnn_observe(model, history), {horizon}) AS f;
SELECT jsonb_build_object(
  'windows', (SELECT jsonb_agg(w) FROM (
      SELECT f.variant, f.k, f.series, avg(abs(f.forecast - p.value)) / min(scale) AS mase
      FROM found AS f JOIN points AS p ON p.series = f.series AND p.ts = f.local_ts
           JOIN scales AS s ON s.series = f.series AND s.k = f.k
      WHERE p.value IS NOT NULL AND scale > 0 GROUP BY 1, 2, 3) AS w),
  'models', (SELECT jsonb_object_agg(variant, jsonb_build_object('seconds', seconds, 'seasons', rnn_info(model)->'seasons',
      'calendar', rnn_info(model)->'calendar', 'validation', rnn_info(model)->'validation')) FROM models));
"""
TRAINING = r"""
SELECT clock_timestamp() AS began \gset
INSERT INTO models SELECT '{variant}', rnn_train_history(history, '{options}')
FROM histories WHERE k = {origins} - 1;
UPDATE models SET seconds = extract(epoch FROM clock_timestamp() - :'began') WHERE variant = '{variant}';
"""


def play(name, args):
    s = SETS[name]
    progress("playing %s" % name)
    trainings = "".join(TRAINING.format(variant=v, origins=s.origins, options=json.dumps(dict(
        {"horizon": s.horizon, "calendar": {"false": False, "true": True}.get(v, v)}, **args.options))) for v in args.variants)
    found = json.loads(psql(args.connection, SCRIPT.format(
        columns=s.columns, query=s.query, path=os.path.join(args.data, (s.file or name) + ".csv"), step=s.step,
        horizon=s.horizon, origins=s.origins, spacing=s.spacing, season=s.season, zone=s.zone or "UTC", more=s.more.format(data=args.data),
        cast="ts::date" if "::date" in s.query else "ts::timestamptz" if s.zone else "ts", trainings=trainings)))
    found["mase"] = {v: statistics.mean(w["mase"] for w in found["windows"] if w["variant"] == v) for v in args.variants}
    return found


def networks(model):
    return " ".join("%s %.2f%s" % (c["network"], c["weight"], "*" if c["chosen"] else "")
                    for c in model["validation"]["candidates"]) or "none"


def rows(results, args):
    for name, f in results.items():
        base = f["mase"][args.variants[0]]
        for v in args.variants:
            m = f["models"][v]
            yield [name, v, "%.3f" % f["mase"][v], "%+.1f %%" % (100 * (f["mase"][v] / base - 1)),
                   ", ".join(m["calendar"] or []), networks(m), " ".join(map(str, m["seasons"])), "%.0f" % m["seconds"]]


def main():
    parser = players("calendars", __doc__)
    parser.add_argument("--variants", type=lambda v: v.split(","), default=VARIANTS, metavar="V,...",
                        help="of " + ", ".join(VARIANTS))
    args = begin(parser, SETS)
    results = {}
    for name in args.sets or SETS:
        results[name] = play(name, args)
        for row in rows({name: results[name]}, args):
            progress(" | ".join(row))
    table(["set", "calendar", "MASE", "to the first", "terms", "networks judged, their weights", "seasons", "seconds"],
          list(rows(results, args)))
    write_json(args, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
