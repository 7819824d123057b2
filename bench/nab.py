"""bench/nab: which windows of NAB's files rnn_anomalies catches, scored as NAB does.

The Numenta Anomaly Benchmark (Lavin and Ahmad 2015) labels windows in files of
readings. A detection is a row; here the first row of each event is one. Of the
detections in a window the first counts, the earlier the more:

    value(y) = 2 / (1 + exp(5 y)) - 1

y goes from -1 at the left end of a window to 0 at its right end, and a caught
window earns value / value(-1). A detection outside loses 0.11 times as much as
value(y) falls below 0, y being its distance from the window before it in
lengths of that window, and 0.11 where there is none before it. A window that
is not caught loses 1. Detections in the first 15 % of a file, of 5,000 rows at
most, don't count. The score is 0 for a detector that never speaks, and 100 for
one that speaks in the first row of each window. Profiles: false detections
weigh twice as much (low_fp), or windows that are not caught do (low_fn).

All files are played with one threshold, as NAB does: the number of false alarms
a series and week that are allowed. "default" is what rnn_anomalies flags when
it is told nothing, "best" the threshold with the best standard score.

--planted plays 200 made-up series of six weeks of hours in place of NAB's files,
with one anomaly each, of a kind that is known: which are caught by default.
"""
import argparse
import bisect
import collections
import csv
import datetime
import io
import json
import math
import os
import random

from common import DATA, progress, psql, table, write_json

PROFILES = {"standard": (0.11, 1), "low_fp": (0.22, 1), "low_fn": (0.11, 2)}  # of false detections and missed windows
SETS = {"nab_taxi_cloudwatch": ("nyc_taxi",), "nab_twitter": ()}              # and series with steps of 30 minutes
STEPS = {True: "30 minutes", False: "5 minutes"}
ALARMS = [round(10 ** (k / 20), 3) for k in range(-20, 11)]
WEEK = 7 * 24 * 3600
# Standard score on these 28 files, from the benchmark's published results.
PUBLISHED = [("ARTime", 76.8), ("Numenta HTM", 70.9), ("CAD OSE", 70.4), ("KNN-CAD", 61.8), ("Relative Entropy", 57.6),
             ("Random Cut Forest", 50.1), ("Windowed Gaussian", 38.7)]
SCRIPT = """
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE TEMP TABLE points (series text, ts timestamp, value float8);
COPY points FROM STDIN (FORMAT csv, HEADER);
{points}\\.
COPY (SELECT series, local_ts, 1 - probability, is_anomaly, event
      FROM rnn_anomalies('SELECT series, ts, value FROM points WHERE {where}',
                         options => '{options}')
      WHERE is_anomaly ORDER BY series, local_ts) TO STDOUT (FORMAT csv);
"""


# --------------------------------------------------------------------- scoring

def value(y):
    return -1.0 if y > 3 else 2 / (1 + math.exp(5 * y)) - 1


def probation(rows):
    return min(int(0.15 * rows), int(0.15 * 5000))


def play_file(rows, windows, detections, profile):
    """Score, windows caught and false detections of one file; windows are pairs of rows, both within."""
    false_weight, missed = PROFILES[profile]
    found = [i for i in sorted(detections) if i >= probation(rows)]
    score, caught, used = 0, 0, set()
    for left, right in windows:
        inside = [i for i in found if left <= i <= right]
        used.update(inside)
        if inside:
            caught += 1
            score += value(-(right - inside[0] + 1) / (right - left + 1)) / value(-1)
        else:
            score -= missed
    false = [i for i in found if i not in used]
    for i in false:
        before = [w for w in windows if w[1] < i]
        score += false_weight * (value((i - before[-1][1]) / (before[-1][1] - before[-1][0])) if before else -1)
    return score, caught, len(false)


def normalised(score, windows, profile):
    missed = PROFILES[profile][1]
    return 100 * (score + missed * windows) / ((1 + missed) * windows) if windows else float("nan")


class File:
    def __init__(self, name):
        self.name, self.times, self.windows = name, [], []

    def add_window(self, begin, end):
        left = bisect.bisect_left(self.times, begin)
        right = bisect.bisect_right(self.times, end) - 1
        self.windows.append((left, right))

    def weeks(self):
        step = sorted(b - a for a, b in zip(self.times, self.times[1:]))[len(self.times) // 2].total_seconds()
        return step * (len(self.times) - probation(len(self.times))) / WEEK


def play(files, detections, profile="standard"):
    """Of all files: the score, and for each what play_file says."""
    rows = {f.name: play_file(len(f.times), f.windows, detections.get(f.name, ()), profile) for f in files}
    return normalised(sum(r[0] for r in rows.values()), sum(len(f.windows) for f in files), profile), rows


# ----------------------------------------------------------------- the detector

def read(data):
    parse, files = datetime.datetime.fromisoformat, {}
    for name in SETS:
        with open(os.path.join(data, name + ".csv")) as f:
            for row in csv.DictReader(f):
                files.setdefault(row["series"], File(row["series"])).times.append(parse(row["ts"]))
    with open(os.path.join(data, "nab_anomaly_windows.csv")) as f:
        for row in csv.DictReader(f):
            files[row["series"]].add_window(parse(row["from_ts"]), parse(row["to_ts"]))
    return list(files.values())


def row_of(file, moment):
    """Readings of one step are one row of the detector; it is put where the first of them lies."""
    return min(bisect.bisect_left(file.times, moment), len(file.times) - 1)


def detect(args, files, alarms):
    """The first rows of events, by file; alarms None: the defaults."""
    by_name = {f.name: f for f in files}
    found, seen = collections.defaultdict(list), set()
    for name, slow in SETS.items():
        with open(os.path.join(args.data, name + ".csv")) as f:
            points = f.read()
        for half in ([False, True] if slow else [False]):
            listed = ", ".join("''%s''" % s for s in slow)
            where = "true" if not slow else "series %sIN (%s)" % ("" if half else "NOT ", listed)
            options = dict(args.options, bin="mean", step=STEPS[half], **({} if alarms is None else {"alarms": alarms}))
            text = psql(args.connection, SCRIPT.format(points=points, where=where, options=json.dumps(options)))
            for series, moment, _, _, event in csv.reader(io.StringIO(text)):
                if (series, event) not in seen:
                    seen.add((series, event))
                    found[series].append(row_of(by_name[series], datetime.datetime.fromisoformat(moment)))
    return found


# ------------------------------------------------------------ made-up series

HOURS, COUNT = 6 * 7 * 24, 200
KINDS = {"spike": 1, "level shift": 24, "missing season": 24, "flat line": 24, "drift": 72, "excluded spike": 1}  # rows that count
PLANTED = """
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE TEMP TABLE points (series text, ts timestamp, value float8, exclude bool);
COPY points FROM STDIN (FORMAT csv);
{points}\\.
COPY (SELECT series, extract(epoch FROM local_ts - '2024-01-01') / 3600 FROM rnn_anomalies('TABLE points', options => '{options}')
      WHERE is_anomaly ORDER BY 1, 2) TO STDOUT (FORMAT csv);
"""


def made_up(number, kind):
    """Values, rows that are left out, and the row where the anomaly begins. Every fourth series has no season."""
    r = random.Random("%d" % number)
    style, sd, rho = number % 4, 0.15 + 0.35 * r.random(), 0.7 * r.random()
    knots = [r.gauss(0, 1) for _ in range(24)]
    day = [sum(knots[(h + k) % 24] for k in range(-2, 3)) / 5 for h in range(24)]
    size = math.sqrt(sum(x * x for x in day) / 24)
    week, slope, e, noise = [1 + 0.3 * r.random() for _ in range(7)], 0.5 * r.gauss(0, 1) / HOURS, 0.0, []
    for _ in range(HOURS):
        shock = r.gauss(0, 1) / (math.sqrt(r.gammavariate(2, 0.5)) if style == 3 else 1)    # style 3: heavy tails
        e = rho * e + shock * sd * math.sqrt(1 - rho * rho)
        noise.append(e)
    season = [0 if style == 2 else 2 * day[t % 24] / size * week[t // 24 % 7] for t in range(HOURS)]
    at, sign, left_out = int(HOURS * 0.6) + r.randrange(HOURS // 4), r.choice([-1, 1]), set()
    if kind == "missing season":
        season[at:at + 24] = [season[at]] * 24
    x = [10 + slope * t + season[t] + noise[t] for t in range(HOURS)]
    if kind in ("spike", "excluded spike"):
        x[at] += 8 * sd * sign
        left_out = {at} if kind == "excluded spike" else set()
    if kind == "level shift":
        x[at:] = [v + 5 * sd * sign for v in x[at:]]
    if kind == "flat line":
        x[at:at + 24] = [x[at - 1]] * 24
    if kind == "drift":
        x[at:] = [v + 8 * sd * sign * min(k / 72, 1) for k, v in enumerate(x[at:])]
    return [math.exp(v / 6) * 10 for v in x] if style == 1 else x, left_out, at


def play_planted(args):
    begin, out = datetime.datetime(2024, 1, 1), []
    for kind, rows in KINDS.items():
        series = {str(k): made_up(k, kind) for k in range(COUNT)}
        points = "".join("%s,%s,%.6f,%s\n" % (name, begin + datetime.timedelta(hours=t), v, t in left_out)
                         for name, (x, left_out, _) in series.items() for t, v in enumerate(x))
        text = psql(args.connection, PLANTED.format(points=points, options=json.dumps(args.options)))
        flags = collections.defaultdict(list)
        for name, t in csv.reader(io.StringIO(text)):
            flags[name].append(int(float(t)))
        caught, delays, before, hours = 0, [], 0, 0
        for name, (_, _, at) in series.items():
            hit = [t for t in flags[name] if at <= t < at + rows + (1 if kind == "excluded spike" else 0)]
            caught += bool(hit)
            delays += [hit[0] - at] if hit else []
            early = [t for t in flags[name] if t < at]
            before += sum(i == 0 or t - early[i - 1] > 6 for i, t in enumerate(early))
            hours += at
        out.append([kind, "%.1f %%" % (100 * caught / COUNT), str(sorted(delays)[len(delays) // 2]) if delays else "", "%.2f" % (before / hours * 168)])
    table(["planted", "caught", "median delay, rows", "false alarms a series and week before it"], out)


# --------------------------------------------------------------------- output

def halves(files):
    return files[0::2], files[1::2]


def print_files(files, detections):
    _, rows = play(files, detections)
    out = []
    for f in files:
        score, caught, false = rows[f.name]
        out.append([f.name, str(len(f.windows)), str(caught), str(false), "%.2f" % (false / f.weeks()), "%.2f" % score])
    table(["file", "windows", "caught", "false alarms", "a week", "score, at most the windows"], out)


def print_summary(files, results):
    out, weeks = [], sum(f.weeks() for f in files)
    for name, detections in results:
        score, rows = play(files, detections)
        caught, false = (sum(r[i] for r in rows.values()) for i in (1, 2))
        out.append([name] + ["%.1f" % play(files, detections, p)[0] for p in PROFILES] + [str(caught), str(false), "%.2f" % (false / weeks)]
                   + ["%.1f" % play(half, detections)[0] for half in halves(files)])
    table(["threshold"] + list(PROFILES) + ["caught of %d" % sum(len(f.windows) for f in files), "false alarms", "a series and week",
                                            "every other file", "the others"], out)


def self_test():
    """A perfect detector has 100, a silent one 0, in every profile; and values that were worked out by hand."""
    files = [File("a"), File("b")]
    for f in files:
        f.times = [datetime.datetime(2024, 1, 1) + datetime.timedelta(minutes=5 * i) for i in range(1000)]
    files[0].windows = [(200, 299), (600, 699)]
    files[1].windows = [(500, 549)]
    perfect = {f.name: [w[0] for w in f.windows] for f in files}
    for profile in PROFILES:
        assert abs(play(files, perfect, profile)[0] - 100) < 1e-9
        assert abs(play(files, {}, profile)[0]) < 1e-9
    # before all windows, 0.11 each; in the probation nothing; far behind a window almost 0.11
    assert abs(play_file(1000, [(500, 549)], [160, 170], "standard")[0] - (-1 - 0.22)) < 1e-9
    assert play_file(1000, [(500, 549)], [10, 149], "standard")[0] == -1
    assert abs(play_file(1000, [(500, 549)], [999], "standard")[0] - (-1 - 0.11)) < 1e-3
    # only the first detection of a window counts, and the last row of it earns little
    early, late = (play_file(1000, [(500, 599)], d, "standard")[0] for d in ([500, 550, 599], [599]))
    assert abs(early - 1) < 1e-9 and abs(late - (2 / (1 + math.exp(-0.05)) - 1) / (2 / (1 + math.exp(-5)) - 1)) < 1e-9
    # right behind a window a detection costs next to nothing
    assert -0.01 < play_file(1000, [(500, 599)], [500, 600], "standard")[0] - 1 < 0
    progress("self-test passed")


def main():
    parser = argparse.ArgumentParser(prog="bench/nab", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--options", type=json.loads, default={}, metavar="JSON", help="options for every call")
    parser.add_argument("--planted", action="store_true", help="play made-up series")
    parser.add_argument("--connection", metavar="STRING", help="a running server's")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    parser.add_argument("--data", metavar="DIR", default=DATA)
    args = parser.parse_args()
    self_test()
    psql(args.connection, "SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS rnnforecast;")
    if args.planted:
        play_planted(args)
        return
    files = read(args.data)
    default = detect(args, files, None)
    scores = {}
    for alarms in ALARMS:
        scores[alarms] = detect(args, files, alarms)
        progress("%g alarms a week: %.1f" % (alarms, play(files, scores[alarms])[0]))
    best = max(ALARMS, key=lambda a: play(files, scores[a])[0])
    print_summary(files, [("default", default), ("best: %g alarms a week" % best, scores[best])])
    print_files(files, default)
    table(["detector", "standard"], [[name, "%.1f" % score] for name, score in
                                     sorted(PUBLISHED + [("rnn_anomalies, best threshold", play(files, scores[best])[0]),
                                                         ("rnn_anomalies, defaults", play(files, default)[0])], key=lambda x: -x[1])])
    write_json(args, {"default": play(files, default), "best": [best, play(files, scores[best])]})


if __name__ == "__main__":
    main()
