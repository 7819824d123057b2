"""bench/league: forecasts of public sets, beside the classical methods.

There are four circles of sets. The first one is the league of 14, by which the
extension is compared with others. The second one (bench/second.csv) is what
recipes and constants are chosen by, so that the league stays a fair judge. The
third one (bench/singles.csv) are single series with many later origins, by which
the coverage of intervals is judged, the fourth one (bench/sparse.csv) are counts
with many zeros, where a network must not make sums worse.

A set is one or many series and a few origins, counted in rows from the end of
each. One model is trained on what lies before the earliest origin, and
rnn_backtest plays it at all of them. Missing values are filled forward
on both sides; rows that are not there stay missing times.

MASE   mean |error| of a window over the mean |y(t) - y(t - season)| of the
       2,016 steps before it (second circle: of all of them); a set's figure is
       the mean over its windows
sMAPE  mean of 200 |y - f| / (|y| + |f|) of a window, mean over windows; targets
       of 0, where any other forecast would score 200, are left out
WQL    2 sum of pinball losses / sum |y|, mean over the levels .05 to .95
       (second circle: .1 to .9)
SQL    2 times the pinball loss over the scale of MASE, mean over the same levels,
       steps and windows
Ratios are to seasonal naive (its point as every quantile), and not below
0.25, so that one easy set does not decide; means of ratios are geometric.
"""
import argparse
import bisect
import concurrent.futures
import csv
import datetime
import importlib
import importlib.util
import io
import json
import math
import os
import random
import statistics
import sys

from common import number, progress, psql, table

HERE = os.path.dirname(os.path.abspath(__file__))
FIRST, SECOND, SINGLES, SPARSE = "first", "second", "singles", "sparse"
OUTERMOST = {FIRST: 0.05, SECOND: 0.1, SINGLES: 0.1, SPARSE: 0.1}      # level of WQL; the levels lie as far apart
# Seasons by hand, in steps; 12 elsewhere in the first circle, detected in the second.
SEASONS = {"m1_quarterly": [4], "m1_yearly": [1], "hourly": [24, 168],
           "taylor": [48, 336], "co2": [52], "us_gasoline": [52],
           "ilinet": [52], "peyton_manning": [7, 364], "sunspots": [11]}
VARIANTS = {"default": {}, "prior": {"start": "prior"}, "tune": {"start": "tune"}, "scratch": {"start": "scratch"},
            "mix": {"network": False}, "network": {"start": "scratch", "skip": False}}
# MASE of statsforecast 2.1.1 with its defaults on the same windows, histories
# cut to 2,016 points, by the scale of steps where rows are missing (hourly,
# ilinet, peyton_manning); MSTL with the daily and the weekly season on hourly and
# taylor, and AutoETS for its trend.
CLASSICS = ["Theta", "AutoETS", "AutoARIMA", "MSTL+ETS"]
CLASSICAL = {
    "m1_monthly": (1.102, 1.090, 1.116, None),
    "m1_quarterly": (1.667, 1.659, 1.693, None),
    "m1_yearly": (3.609, 3.950, 3.503, None),
    "nn3": (0.915, 0.896, None, None),
    "livestock": (0.931, 0.680, None, None),
    "hourly": (1.313, 1.429, None, 1.021),
    "taylor": (1.046, None, None, 0.140),
    "air_passengers": (0.804, 1.113, 0.813, None),
    "retail_sales": (0.369, 0.377, 0.455, None),
    "co2": (0.662, None, None, 0.234),
    "us_gasoline": (3.198, None, None, 2.845),
    "ilinet": (1.408, None, None, 2.099),
    "peyton_manning": (1.435, 1.487, None, 1.437),
    "sunspots": (3.114, 3.118, 1.784, None)}

SCRIPT = """
SET timezone = 'UTC';
SET client_min_messages = warning;
SET jit = off;
CREATE TEMP TABLE points (series text, t {type}, value float8, seen int);
COMMENT ON COLUMN points.seen IS 'the earliest origin that lies after the row';
COPY points FROM STDIN (FORMAT csv);
{points}\\.
ANALYZE points;
SELECT clock_timestamp() AS began \\gset
CREATE TEMP TABLE trained AS
SELECT rnn_train(series, t, value, '{options}') AS model FROM points WHERE seen >= {earliest};
SELECT extract(epoch FROM clock_timestamp() - :'began') AS training,
       clock_timestamp() AS began \\gset
CREATE TEMP TABLE played AS
SELECT b.* FROM trained, rnn_backtest('SELECT series, t AS ts, value FROM points', {horizon}, {cutoffs},
                                      '{backtest}', model) AS b;
SELECT extract(epoch FROM clock_timestamp() - :'began') AS forecasting \\gset
\\echo :training :forecasting
SELECT rnn_info(model) FROM trained;
SELECT rnn_quantile_levels();
COPY (SELECT series, {cutoff}, {key}, forecast, lower, upper, quantiles, naive, scale FROM played)
    TO STDOUT (FORMAT csv);
"""


# ------------------------------------------------------------------- windows

class Window:
    """What is known at an origin, and what came: y[:end], y[end:stop].

    steps: where the rows lie on the grid, without those that are missing."""

    def __init__(self, series, origin, times, steps, y, end, stop, season, measured):
        self.series, self.origin = series, origin
        self.times, self.future = times[:end], times[end:stop]
        self.x, self.actual = y[:end], y[end:stop]
        self.ahead = [k - steps[end - 1] for k in steps[end:stop]]
        self.back = steps[-1] - steps[end - 1]      # steps from the origin to the end
        known, first = dict(zip(steps[:end], self.x)), steps[end - 1] - measured
        differences = [abs(v - known[k - season]) for k, v in known.items()
                       if k - season in known and (not measured or k - season > first)]
        self.scale = statistics.fmean(differences) if differences else 0.0
        self.naive = [naive(known, k, steps[end - 1], season) for k in steps[end:stop]]


def naive(known, k, last, season):
    """The value at step k in the latest season that has one."""
    k -= (k - last + season - 1) // season * season
    while k > 0 and k not in known:
        k -= season
    return known.get(k, known[last])


class League:
    """One set: its rows, windows and the times between them."""

    def __init__(self, data, row):
        self.name, self.kind = row["set"], row["kind"]
        self.horizon, self.season = int(row["horizon"]), int(row["season"])
        self.origins, self.spacing = int(row["origins"]), int(row["spacing"] or 0)
        self.given = [int(m) for m in row["seasons"].split()]
        self.measured = int(row.get("scale", 2016) or 0)
        self.windows, self.rows = [], []
        found = sorted(read(data, row).items())
        gaps = [b[0] - a[0] for _, points in found[:50] for a, b in zip(points, points[1:])]
        self.gap = statistics.mode(gaps)
        for series, points in found:
            self.add_series(series, points)

    def add_series(self, series, points):
        times, y = [p[0] for p in points], [p[1] for p in points]
        steps = self.places(times)
        if self.kind == "split":
            ends = [sum(not p[2] for p in points)]
        else:
            ends = [len(y) - o * self.spacing - self.horizon for o in range(self.origins)]
        for origin, end in enumerate(ends):
            if self.kind == "split" or end >= max(3 * self.season, 24):
                w = Window(series, origin, times, steps, y, end, end + self.horizon, self.season, self.measured)
                if w.scale > 0:
                    self.windows.append(w)
        back = sorted(ends)
        self.rows += [(series, t, v, len(back) - 1 - bisect.bisect_right(back, i))
                      for i, (t, v) in enumerate(zip(times, y))]

    def places(self, times):
        """Steps of the grid since the first time; months have 28 to 31 days."""
        places = [0]
        for a, b in zip(times, times[1:]):
            places.append(places[-1] + max(1, round((b - a) / self.gap)))
        return places

    def type(self):
        t = self.windows[0].times[0]
        if isinstance(t, int):
            return "bigint"
        return "date" if self.gap.seconds == 0 else "timestamp"

    def backtest(self):
        """Horizon, count of cutoffs, and options of rnn_backtest that give all windows."""
        options = {"season": self.season, **({"scale_points": self.measured} if self.measured else {})}
        if all(w.ahead == list(range(1, self.horizon + 1)) and w.back == self.horizon + w.origin * self.spacing
               for w in self.windows):
            return self.horizon, self.origins, {**options, "every": self.spacing or self.horizon}
        # Cutoffs are counted in steps there, and in rows here.
        return (max(max(w.ahead) for w in self.windows), 1,
                {**options, "at": sorted({str(w.times[-1]) for w in self.windows})})


def values(r, name):
    """(series, value) of a row; each column is a series where the first one is called date."""
    if "date" in r:
        return [(column, float(v or "nan")) for column, v in r.items() if column != "date"]
    return [(r.get("series", name), float("nan" if r["value"] == "" else r["value"]))]


def binned(points, seconds):
    """Means of the points of each bin, at its start."""
    bins = {}
    for t, v, target in points:
        start = t - (t - datetime.datetime.min) % datetime.timedelta(seconds=seconds)
        bins.setdefault(start, []).append(v)
    return [(t, statistics.fmean(v), False) for t, v in bins.items()]


def made_up():
    """Demand for spare parts: months of which most have none, few parts with a trend."""
    made = random.Random(1)
    for part in range(200):
        rate, shape, trend = math.exp(made.uniform(-2.5, 0.5)), made.uniform(0.5, 3), made.choice([0, 0, 0, made.gauss(0, 0.01)])
        for month in range(72):
            mean, count, spent = made.gammavariate(shape, rate / shape) * math.exp(trend * month), 0, made.expovariate(1)
            while spent < mean:
                count, spent = count + 1, spent + made.expovariate(1)
            yield {"series": str(part), "ts": "%d-%02d-01" % (2018 + month // 12, month % 12 + 1), "value": count}


def is_sparse(points):
    return sum(p[1] == 0 for p in points) >= 0.2 * len(points)


def rows_of(data, row):
    if not row["files"]:
        yield from made_up()
        return
    with open(os.path.join(data, row["files"] + ".csv"), newline="") as f:
        yield from csv.DictReader(f)


def read(data, row):
    """Series -> [(time, value, is it a target)], missing values filled forward."""
    found, only = {}, row.get("series")
    for r in rows_of(data, row):
        t = int(r["step"]) if "step" in r else datetime.datetime.fromisoformat(r.get("date") or r["ts"])
        for series, v in values(r, row["set"]):
            if only in (None, "", "sparse", series):
                found.setdefault(series, []).append((t, v, r.get("split") == "test"))
    if only == "sparse":
        found = {series: points for series, points in found.items() if is_sparse(points)}
    for series, points in found.items():
        if row.get("bin"):
            points = binned(points, int(row["bin"]))
        points.sort(key=lambda p: p[0])
        points = points[-int(row.get("history") or 0):]
        filled, last = [], math.nan
        for t, v, target in points:
            last = last if math.isnan(v) else v
            if not math.isnan(last):
                filled.append((t, last, target))
        found[series] = filled
    return found


# -------------------------------------------------------------------- playing

def as_csv(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def play(league, options, connection):
    """(levels, info, seconds, window -> [(forecast, lower, upper, quantiles)])"""
    numbered = league.type() == "bigint"
    horizon, cutoffs, backtest = league.backtest()
    out = psql(connection, SCRIPT.format(
        type=league.type(), key="position" if numbered else "local_ts",
        cutoff="position - step" if numbered else "cutoff", points=as_csv(league.rows),
        earliest=0 if league.kind == "split" else league.origins - 1, horizon=horizon, cutoffs=cutoffs,
        backtest=json.dumps(backtest), options=json.dumps(options).replace("'", "''")))
    seconds, info, levels, rest = out.split("\n", 3)
    floats = lambda text: [float(v) for v in text.strip("{}").split(",")]
    read_time = int if numbered else datetime.datetime.fromisoformat
    rows = {(series, read_time(cutoff), read_time(t)): told
            for series, cutoff, t, *told in csv.reader(io.StringIO(rest))}
    forecasts = {}
    for w in league.windows:
        for t, naive_value in zip(w.future, w.naive):
            if (w.series, w.times[-1], t) not in rows:
                raise RuntimeError("a target of %s has no forecast" % w.series)
            f, lower, upper, quantiles, same, scale = rows[w.series, w.times[-1], t]
            if not (math.isclose(float(scale), w.scale, rel_tol=1e-9) and math.isclose(float(same), naive_value)):
                raise RuntimeError("%s at %s: another scale or naive forecast" % (w.series, w.times[-1]))
            forecasts.setdefault((w.series, w.origin), []).append(
                (float(f), float(lower), float(upper), floats(quantiles)))
    return floats(levels), json.loads(info), [float(s) for s in seconds.split()], forecasts


# -------------------------------------------------------------------- scoring

def mase(windows, forecast):
    return statistics.fmean(abs(a - b) / w.scale
                            for w in windows for a, b in zip(w.actual, forecast(w)))


def smape(windows, forecast):
    errors = [[200 * abs(a - b) / (abs(a) + abs(b)) for a, b in zip(w.actual, forecast(w)) if a]
              for w in windows]
    return statistics.fmean(statistics.fmean(e) for e in errors if e)


def pinball(level, y, q):
    return max(level * (y - q), (level - 1) * (y - q))


def score_points(league, forecast):
    return {"mase": mase(league.windows, forecast), "smape": smape(league.windows, forecast)}


def score(league, levels, forecasts, apart):
    """apart: the distance of the levels that count in WQL, and the outermost one."""
    kept = [i for i, level in enumerate(levels) if apart / 2 < level < 1 - apart / 2
            and abs(level / apart - round(level / apart)) < 0.01]
    loss = naive_loss = 0.0
    scaled, covered = [], [[], [], []]
    for w in league.windows:
        rows = forecasts[w.series, w.origin]
        for j, (y, (_, lower, upper, q)) in enumerate(zip(w.actual, rows)):
            covered[3 * j // len(rows)].append(lower <= y <= upper)
            point_loss = 2 * statistics.fmean(pinball(levels[i], y, q[i]) for i in kept)
            loss += point_loss
            scaled.append(point_loss / w.scale)
        naive_loss += sum(abs(a - b) for a, b in zip(w.actual, w.naive))
    size = sum(abs(y) for w in league.windows for y in w.actual)
    return {**score_points(league, lambda w: [r[0] for r in forecasts[w.series, w.origin]]),
            "wql": loss / size, "naive_wql": naive_loss / size, "sql": statistics.fmean(scaled),
            "coverage": [statistics.fmean(c) for c in covered],
            "coverage_all": statistics.fmean(sum(covered, []))}


def mix_difference(league, forecasts, seasons, patch, spec):
    """The largest |difference| to the specification of the mix, over the scale.

    It knows no missing times: they are filled forward here, as there. And it
    looks at all that it is given: here, at what rnn_mix_reach says. What was
    never below 0 may be held there."""
    worst, reach = 0.0, max(2400, 13 * max(seasons) + 400) + (spec.origins(league.horizon) + 1) * league.horizon
    spec.patch = patch
    for w in league.windows:
        x = [w.x[0]]
        steps = league.places(w.times)
        for a, b, v in zip(steps, steps[1:], w.x[1:]):
            x += [x[-1]] * (b - a - 1) + [v]
        f = spec.mix(spec.np.array(x[-reach:]), league.horizon, seasons)
        lower = 0 if min(x) >= 0 else -math.inf
        worst = max([worst] + [min(abs(f[a - 1] - r[0]), abs(max(f[a - 1], lower) - r[0])) / w.scale for a, r in zip(
            w.ahead, forecasts[w.series, w.origin]) if a <= league.horizon])
    return worst


def play_set(row, args, spec):
    """Figures of one set: naive's and each variant's."""
    league = League(args.data, row)
    by_hand = SEASONS.get(league.name, [12])
    seasons = league.given if args.detect or args.circle != FIRST else by_hand
    figures = {"naive": {"windows": len(league.windows),
                         **score_points(league, lambda w: w.naive)}}
    for variant in args.variants:
        options = {"horizon": league.horizon, **({"seasons": seasons} if seasons else {}),
                   **VARIANTS[variant], **args.options}
        try:
            levels, info, seconds, forecasts = play(league, options, args.connection)
        except RuntimeError as e:
            progress("%s, %s: %s" % (league.name, variant, e))
            continue
        figures[variant] = score(league, levels, forecasts, OUTERMOST[args.circle])
        figures[variant].update(training=seconds[0], forecasting=seconds[1],
                                weight=info["validation"]["weight"], info=info)
        if spec and variant == "mix":
            figures[variant]["difference"] = mix_difference(
                league, forecasts, by_hand, info["options"]["patch"], spec)
        progress("%-15s %-8s MASE %.3f (naive %.3f), %.1f + %.1f s" % (
            league.name, variant, figures[variant]["mase"], figures["naive"]["mase"], *seconds))
    return figures


def export(rows, args):
    """The windows as tools/pretrain reads them, a file a set: horizon, season,
    count of seasons, seasons, count of series and of windows; a line a series:
    length, values; a line a window: series, end, targets."""
    os.makedirs(args.export, exist_ok=True)
    rows = sorted(rows, key=lambda r: r["kind"] == "single")
    for row in rows:
        league = League(args.data, row)
        seasons = (league.given or [league.season]) if args.circle != FIRST else SEASONS.get(league.name, [12])
        series = {}
        for w in league.windows:
            if len(w.x) + len(w.actual) > len(series.get(w.series, [])):
                series[w.series] = w.x + w.actual
        names = list(series)
        with open(os.path.join(args.export, league.name + ".txt"), "w") as f:
            print(league.horizon, league.season, len(seasons), *seasons, len(series), len(league.windows), file=f)
            for y in series.values():
                print(len(y), *map(repr, y), file=f)
            for w in league.windows:
                print(names.index(w.series), len(w.x), len(w.actual), file=f)
    with open(os.path.join(args.export, "sets"), "w") as f:
        f.writelines(row["set"] + "\n" for row in rows)


# ------------------------------------------------------------------- printing

def geometric(ratios, panels):
    """Means over panels, singles and all of set -> ratio (None: no figure)."""
    means = []
    for chosen in ([s for s in ratios if s in panels], [s for s in ratios if s not in panels],
                   list(ratios)):
        known = [math.log(max(0.25, ratios[s])) for s in chosen if ratios[s] is not None]
        means.append(math.exp(statistics.fmean(known)) if known and len(known) == len(chosen) else None)
    return means


def all_ratios(results, variants, panels):
    """Method -> (means of MASE's ratios, of WQL's or None)"""
    naive = {s: f["naive"]["mase"] for s, f in results.items()}
    over_naive = lambda mase: geometric({s: mase(s) and mase(s) / naive[s] for s in results}, panels)
    found = {} if not set(results) <= set(CLASSICAL) else {
        "Theta": (over_naive(lambda s: CLASSICAL[s][0]), None),
        "AutoETS, else Theta": (over_naive(lambda s: CLASSICAL[s][1] or CLASSICAL[s][0]), None),
        "best classical, hindsight": (over_naive(lambda s: min(filter(None, CLASSICAL[s]))), None)}
    for v in variants:
        wql = geometric({s: f[v]["wql"] / f[v]["naive_wql"] if v in f else None
                         for s, f in results.items()}, panels)
        found[v] = (over_naive(lambda s: results[s].get(v, {}).get("mase")), wql)
    return found


def print_all(results, variants, panels):
    print("\nMASE")
    classics = CLASSICS if set(results) <= set(CLASSICAL) else []
    table(["set", "windows", "naive"] + classics + variants,
          [[s, str(f["naive"]["windows"]), number(f["naive"]["mase"])] +
           [number(x) for x in CLASSICAL.get(s, [])] +
           [number(f.get(v, {}).get("mase")) for v in variants] for s, f in results.items()])
    print("\nOver seasonal naive, geometric means over %d sets" % len(results))
    table(["method"] + [m + " " + g for m in ("MASE", "WQL") for g in ("panels", "singles", "whole")],
          [[name] + [number(x) for x in mean_mase + (wql or [None] * 3)]
           for name, (mean_mase, wql) in all_ratios(results, variants, panels).items()])
    for v in variants:
        covered = [f[v]["coverage_all"] for f in results.values() if v in f]
        if covered:
            print("\n%s: the 90 %% interval covers %.3f on average, and sets are %.4f away from 0.9 on average" % (
                v, statistics.fmean(covered), statistics.fmean(abs(c - 0.9) for c in covered)))
    for v in variants:
        print("\n%s: coverage is that of the 90 %% interval, by thirds of the horizon;"
              " weight: the network's part" % v)
        table(["set", "sMAPE", "(naive)", "WQL", "(naive)", "1st", "2nd", "3rd", "all", "weight",
               "train s", "forecast s"],
              [[s, number(f[v]["smape"], "%.2f"), number(f["naive"]["smape"], "%.2f"),
                number(f[v]["wql"], "%.4f"), number(f[v]["naive_wql"], "%.4f"),
                *[number(c, "%.2f") for c in f[v]["coverage"] + [f[v]["coverage_all"], f[v]["weight"]]],
                number(f[v]["training"], "%.1f"), number(f[v]["forecasting"], "%.1f")]
               for s, f in results.items() if v in f])


def main():
    parser = argparse.ArgumentParser(prog="bench/league", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET", help="sets to play; all by default")
    parser.add_argument("--circle", choices=[FIRST, SECOND, SINGLES, SPARSE], default=FIRST,
                        help="the league, or the sets that recipes are chosen by")
    parser.add_argument("--variants", default="default,prior,mix,network",
                        help="of default, prior (nothing trained), mix (no network), network (no mix)")
    parser.add_argument("--detect", action="store_true",
                        help="seasons are detected where there are dates, not given by hand")
    parser.add_argument("--options", type=json.loads, default={}, metavar="JSON",
                        help="options for every training")
    parser.add_argument("--export", metavar="DIR", help="write the windows for tools/pretrain, play nothing")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    parser.add_argument("--jobs", type=int, default=1, help="sets that are played side by side")
    parser.add_argument("--connection", metavar="STRING", help="a running server's")
    parser.add_argument("--data", metavar="DIR", default=os.path.join(HERE, "../../shared/data"),
                        help="where league.csv is; ../shared/data beside the checkout by default")
    parser.add_argument("--mix", metavar="PATH",
                        help="compare the variant mix with this specification in Python, and with "
                             "test/unit/analogues.py (needs numpy)")
    args = parser.parse_args()
    args.variants = args.variants.split(",")
    circle = os.path.join(args.data, "league.csv") if args.circle == FIRST else os.path.join(HERE, args.circle + ".csv")
    with open(circle, newline="") as f:
        rows = list(csv.DictReader(f))
    panels = [r["set"] for r in rows if r["kind"] != "single"]
    for what, asked, known in (("set", args.sets, [r["set"] for r in rows]),
                               ("variant", args.variants, VARIANTS)):
        for name in asked:
            if name not in known:
                parser.error("there is no %s %s; there are %s" % (what, name, ", ".join(known)))
    spec = None
    if args.mix:
        sys.dont_write_bytecode = True
        if args.detect or args.circle != FIRST or "mix" not in args.variants:
            parser.error("--mix compares the variant mix with the league's seasons given by hand")
        loader = importlib.util.spec_from_file_location("mix", args.mix)
        spec = importlib.util.module_from_spec(loader)
        loader.loader.exec_module(spec)
        sys.path.append(os.path.join(HERE, "../test/unit"))
        importlib.import_module("analogues").complete(spec)

    rows = [r for r in rows if not args.sets or r["set"] in args.sets]
    if args.export:
        return export(rows, args)
    version = psql(args.connection, "SET client_min_messages = warning;"
                   "CREATE EXTENSION IF NOT EXISTS rnnforecast; SELECT rnn_version();").strip()
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        played = list(pool.map(lambda r: play_set(r, args, spec), rows))
    results = {r["set"]: figures for r, figures in zip(rows, played)}

    print("%s; seasons %s%s" % (version, "detected" if args.detect or args.circle != FIRST else "given",
                                "; options " + json.dumps(args.options) if args.options else ""))
    print_all(results, args.variants, panels)
    if args.json:
        with open(args.json, "w") as f:
            json.dump({"version": version, "detect": args.detect, "options": args.options, "sets": results,
                       "ratios": all_ratios(results, args.variants, panels)}, f, indent=1)
    failed = any(v not in f for f in results.values() for v in args.variants)
    if spec and not failed:
        name, worst = max(((s, f["mix"]["difference"]) for s, f in results.items()), key=lambda p: p[1])
        print("\nLargest difference to the specification of the mix: %.2g of the scale (%s)" % (worst, name))
        failed = worst > 1e-4
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
