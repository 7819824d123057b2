"""bench/scale: time and memory of the extension with many rows and series.

ingest    rnn_history(series, ts, value) over many rows beside array_agg(value)
          GROUP BY series, which does less: it keeps no times and sorts
          nothing.  Runs are paired; no parallel workers on either side
panel     rnn_train with default options over many rows of a panel, then
          rnn_forecast of all its series: seconds and memory
large     the same with 500 points of each series instead of 200
rates     series forecast per second by one backend: a network of 0.7 million
          weights that sees 512 points, 48 steps ahead, the prior, and the mix alone
latency   one series by the prior, 48 steps ahead, again and again in one session
          of pgbench: milliseconds, those of the client and the wire included
members   rnn_train with four members: two workers beside none, in turns, and
          whether the bytes are the same; panels like those of `training`, or
          all *.csv (series, ts or step, value) in --data DIR
cores     rnn_forecast of 10,000 series by the prior, by the backend alone and with
          one and two workers, in turns: seconds, CPU s of each process, the bytes
training  rnn_train with default options on panels of the size of public
          competitions: seconds
backtest  rnn_backtest of 12 cutoffs beside one forecast of the same query, and of
          24 cutoffs of 1,000 series by the prior
growth    the same as rates and panel at several sizes: rows, series, horizon, width

Memory is the sum of the anonymous pages (RssAnon) of the backend and its
parallel workers, the largest of samples 10 ms apart, less what the backend
had before: shared buffers don't count.  Rows are computed from hashes, so
they are the same in every run.  "CPU s" and rates per core are of the
backend's own CPU time, which other work on the machine disturbs less.
"""
import argparse
import glob
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time

from common import number, progress, psql, psql_command, table

PARTS = ["ingest", "panel", "rates", "latency", "members", "cores", "training", "growth", "large", "backtest"]

# Values of any precision: those that fit into float32 are stored in half the
# bytes.  A season of `period` steps, a slope, noise.
TABLE = """
SET client_min_messages = warning;
DROP TABLE IF EXISTS {name};
CREATE UNLOGGED TABLE {name} AS
SELECT 'series ' || s AS series, {time} AS ts,
       100 + s % 50 + 0.01 * t + 20 * sin(6.283185307179586 * (t + s) / {period}) +
       hashint8(s * 1000003::bigint + t) / 2147483648.0 * 10 AS value
FROM generate_series(1, {points}) AS t, generate_series(1, {series}) AS s;
ANALYZE {name};
"""
DAILY = "date '2020-01-01' + t"
WEEKLY = "date '2000-01-03' + 7 * t"
HOURLY = "timestamp '2020-01-01' + t * interval '1 hour'"

failed = []


def make_table(args, name, series, points, time=DAILY, period=7):
    progress("%s: %d rows of %d series" % (name, series * points, series))
    psql(args.connection, TABLE.format(name=name, series=series, points=points, time=time, period=period))


def target(what, value, form, met):
    print("%s %s: %s" % ("met   " if met else "MISSED", what, form % value), flush=True)
    if not met:
        failed.append(what)


# --------------------------------------------------------------------- memory

def status(pid, key):
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith(key + ":"):
                return int(line.split()[1])
    return 0


def cpu_seconds(pid):
    """User and system time of a process."""
    with open("/proc/%d/stat" % pid) as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def workers(leader):
    """Parallel workers are the postmaster's children that name their leader."""
    parent = status(leader, "PPid")
    found = []
    with open("/proc/%d/task/%d/children" % (parent, parent)) as f:
        for pid in map(int, f.read().split()):
            with open("/proc/%d/cmdline" % pid) as c:
                if "parallel worker for PID %d" % leader in c.read():
                    found.append(pid)
    return found


class Memory(threading.Thread):
    """The largest sum of RssAnon of a backend and its workers, in MB, and the CPU time of the latter."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.base, self.peak = pid, status(pid, "RssAnon"), 0
        self.running, self.worked = True, {}

    def run(self):
        team, seen = [], 0
        while self.running:
            if time.monotonic() - seen > 0.1:
                try:
                    team, seen = workers(self.pid), time.monotonic()
                except OSError:
                    pass
            total = 0
            for pid in [self.pid] + team:
                try:
                    total += status(pid, "RssAnon")
                    if pid != self.pid:
                        self.worked[pid] = cpu_seconds(pid)
                except OSError:
                    pass
            self.peak = max(self.peak, total)
            time.sleep(0.01)

    def stop(self):
        self.running = False
        self.join()
        return max(self.peak - self.base, 0) / 1024


class Session:
    """One backend."""

    def __init__(self, args):
        self.process = subprocess.Popen(psql_command(args.connection), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.run("SET client_min_messages = warning; SET jit = off; SET timezone = 'UTC';")
        self.pid = int(self.run("SELECT pg_backend_pid();"))

    def run(self, script):
        self.process.stdin.write(script + "\n\\echo done\n")
        self.process.stdin.flush()
        lines = []
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("psql failed")
            if line == "done\n":
                return "".join(lines).strip()
            lines.append(line)

    def measure(self, script):
        """(answer, seconds, MB, CPU seconds of the backend, of its parallel workers)"""
        memory = Memory(self.pid)
        memory.start()
        start, worked = time.monotonic(), cpu_seconds(self.pid)
        answer = self.run(script)
        seconds, worked = time.monotonic() - start, cpu_seconds(self.pid) - worked
        return answer, seconds, memory.stop(), worked, sum(memory.worked.values())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(args, script, before=""):
    """In a backend of its own, as memory that is freed may stay with it."""
    session = Session(args)
    if before:
        session.run(before)
    result = session.measure(script)
    session.close()
    return result


# ---------------------------------------------------------------------- parts

HISTORY = "SELECT length(rnn_history(series, ts, value)) FROM {0};"
ARRAY = "SELECT sum(cardinality(a)) FROM (SELECT array_agg(value) AS a FROM {0} GROUP BY series) AS x;"


def ingest(args):
    rows = int(10_000_000 * args.scale)
    shapes = [(1000, "1,000 series"), (rows // 200, "200 rows each")]
    figures = []
    for series, what in shapes:
        make_table(args, "scale_ingest", series, rows // series)
        before = "SET max_parallel_workers_per_gather = 0; SET work_mem = '1GB';" + args.settings
        session = Session(args)
        session.run(before + "SELECT count(*) FROM scale_ingest;")
        ratios, ours, theirs = [], [], []
        for _ in range(args.rounds):
            a = session.measure(HISTORY.format("scale_ingest"))
            b = session.measure(ARRAY.format("scale_ingest"))
            ours.append(a[3])
            theirs.append(b[3])
            ratios.append(b[3] / a[3])
        session.close()
        memory = [measure(args, q.format("scale_ingest"), before)[2] for q in (HISTORY, ARRAY)]
        figures.append([what, rows, statistics.median(ours), statistics.median(theirs),
                        statistics.median(ratios), *memory])
    print("\nIngest: rnn_history(series, ts, value) beside array_agg(value) GROUP BY series")
    table(["rows", "CPU s", "array_agg CPU s", "rows/s", "ratio of rates", "MB", "array_agg MB"],
          [["%d, %s" % (f[1], f[0]), number(f[2], "%.2f"), number(f[3], "%.2f"), number(f[1] / f[2], "%.0f"),
            number(f[4], "%.2f"), number(f[5], "%.0f"), number(f[6], "%.0f")] for f in figures])
    for f in figures:
        target("ingest, %s: at least half of the rate of array_agg" % f[0], f[4], "%.2f", f[4] >= 0.5)


TRAIN = "DROP TABLE IF EXISTS scale_model; CREATE TABLE scale_model AS " \
        "SELECT rnn_train(series, ts, value, '{1}') AS model FROM {0};"
FORECAST = "SELECT count(*) FROM scale_model, rnn_forecast(model{0});"


def panel_row(args, series, points, options="{}"):
    make_table(args, "scale_panel", series, points)
    _, seconds, memory, *_ = measure(args, TRAIN.format("scale_panel", options), args.settings)
    info = json.loads(psql(args.connection, "SELECT rnn_info(model) FROM scale_model"))
    size = int(psql(args.connection, "SELECT length(model) FROM scale_model"))
    rows, forecasting, forecast_memory, work, _ = measure(args, FORECAST.format(""), args.settings)
    return {"series": series, "points": points, "seconds": seconds, "memory": memory, "info": info,
            "size": size / 1e6, "rows": int(rows), "forecasting": forecasting,
            "forecast_memory": forecast_memory, "work": work}


def print_panels(figures):
    table(["series x points", "training s", "MB", "model MB", "sampled", "forecast rows", "s", "CPU s", "MB"],
          [["%d x %d" % (f["series"], f["points"]), number(f["seconds"], "%.1f"), number(f["memory"], "%.0f"),
            number(f["size"], "%.1f"), json.dumps(f["info"].get("sampled")), str(f["rows"]),
            number(f["forecasting"], "%.1f"), number(f["work"], "%.1f"),
            number(f["forecast_memory"], "%.0f")] for f in figures])


def large(args):
    panel(args, 500)


def panel(args, points=200):
    f = panel_row(args, int(100_000 * args.scale), points)
    print("\nPanel: rnn_train with default options, rnn_forecast of all series")
    print_panels([f])
    print(f["info"]["summary"])
    target("training: memory below 1,000 MB", f["memory"], "%.0f", f["memory"] < 1000)
    target("forecasting: memory below 500 MB", f["forecast_memory"], "%.0f", f["forecast_memory"] < 500)
    if args.scale >= 1:
        sampled = f["info"].get("sampled")
        target("rnn_info says what was sampled", json.dumps(sampled), "%s", bool(sampled))


def rate(args, options, series, horizon=48):
    """(series/s of CPU time, parameters, MB, series/s)"""
    session = Session(args)
    session.run(args.settings + TRAIN.format("scale_rates", json.dumps(options)))
    info = json.loads(session.run("SELECT rnn_info(model) FROM scale_model;"))
    session.close()
    best = [measure(args, FORECAST.format(", %d" % horizon), args.settings) for _ in range(args.rounds)]
    seconds = [statistics.median(b[i] for b in best) for i in (3, 1)]
    return (series / seconds[0], (info["network"] or {}).get("parameters", 0), max(b[2] for b in best),
            series / seconds[1])


NETWORK = {"horizon": 48, "context": 512, "seasons": [24], "start": "scratch", "steps": 5,
           "members": 1, "hidden": 200}


RATES = ["model", "weights", "series/s/core", "series/s by the clock", "MB"]


def rate_row(what, f):
    return [what, str(f[1]), number(f[0], "%.0f"), number(f[3], "%.0f"), number(f[2], "%.0f")]


def rates(args):
    series = int(2000 * args.scale)
    make_table(args, "scale_rates", series, 1000, HOURLY, 24)
    network = rate(args, NETWORK, series)
    prior = rate(args, {"horizon": 48, "seasons": [24], "start": "prior"}, series)
    mix = rate(args, {"horizon": 48, "seasons": [24], "network": False}, series)
    print("\nRates: %d series of 1,000 hourly points, 48 steps ahead, one backend" % series)
    table(RATES, [rate_row("network, context 512", network), rate_row("prior", prior), rate_row("mix alone", mix)])
    target("network: at least 400 series/s/core", network[0], "%.0f", network[0] >= 400)
    target("prior: at least 400 series/s/core", prior[0], "%.0f", prior[0] >= 400)
    target("mix alone: at least 5,000 series/s/core", mix[0], "%.0f", mix[0] >= 5000)


# A stored model with its rows; one that is given them; no model, and the seasons are found, too.
LATENCY = [("stored model", "SELECT count(*) FROM scale_one_model, rnn_forecast(model, 48);"),
           ("rnn_observe", "SELECT count(*) FROM scale_one_model, (SELECT rnn_history(ts, value) AS h FROM scale_one) AS x, "
                           "rnn_forecast(rnn_observe(model, h), 48);"),
           ("rnn_forecast_query, seasons given", "SELECT count(*) FROM rnn_forecast_query('SELECT ts, value FROM scale_one', 48, "
                                                 "options => '{\"seasons\": [24]}');"),
           ("rnn_forecast_query", "SELECT count(*) FROM rnn_forecast_query('SELECT ts, value FROM scale_one', 48);")]


def pgbench(args, query, times):
    """Mean milliseconds of a query, all in one session"""
    command = ["pgbench", "-n", "-t", str(times), "-f", "/dev/stdin"] + ([args.connection] if args.connection else [])
    done = subprocess.run(command, input=args.settings + query, stdout=subprocess.PIPE, text=True)
    found = re.search(r"latency average = ([0-9.]+) ms", done.stdout)
    if done.returncode != 0 or not found:
        raise RuntimeError("pgbench failed")
    return float(found.group(1))


def latency(args):
    figures = {}
    for points in (64, 512, 2048):
        make_table(args, "scale_one", 1, points, HOURLY, 24)
        psql(args.connection, "SET client_min_messages = warning; DROP TABLE IF EXISTS scale_one_model;"
             "CREATE TABLE scale_one_model AS SELECT rnn_train(ts, value, "
             "'{\"horizon\": 48, \"seasons\": [24], \"start\": \"prior\"}') AS model FROM scale_one;")
        for what, query in LATENCY:
            figures[what, points] = min(pgbench(args, query, 200) for _ in range(args.rounds))
    print("\nLatency: one series by the prior, 48 steps ahead, milliseconds")
    table(["points", "64", "512", "2,048"],
          [[what] + [number(figures[what, p], "%.1f") for p in (64, 512, 2048)] for what, _ in LATENCY])
    one = figures[LATENCY[0][0], 512]
    target("one series of 512 points by the prior: less than 5 ms", one, "%.1f", one < 5)


# name, series, points, time, season, SQL of a value, options: a profile that
# the level moves, a local cycle, breaks, noise; what a mix can't see alone.
COMPETITIONS = [("hourly", 414, 960, HOURLY, 24, '{"horizon": 48}'),
                ("weekly", 359, 1000, WEEKLY, 52, '{"horizon": 13}')]
COMPETITION = """
SET client_min_messages = warning;
DROP TABLE IF EXISTS {name};
CREATE UNLOGGED TABLE {name} AS
SELECT 'series ' || s AS series, {time} AS ts,
       (100 + s % 50) * exp(0.3 * sin(6.283185307179586 * (t + s) / {period}) *
                            (1.5 + sin(6.283185307179586 * t / (7 * {period}) + s)) +
                            0.2 * abs(sin(0.05 * t + s)) + hashint8(s * 1000003::bigint + t) / 2147483648.0 * 0.1) AS value
FROM generate_series(1, {points}) AS t, generate_series(1, {series}) AS s;
ANALYZE {name};
"""


def make_competitions(args):
    """Names of tables, SQL of their time, and options"""
    for name, series, points, time, period, options in COMPETITIONS:
        name = "scale_" + name
        series = max(int(series * args.scale), 1)
        progress("%s: %d rows of %d series" % (name, series * points, series))
        psql(args.connection, COMPETITION.format(name=name, series=series, points=points, time=time, period=period))
        yield name, "ts", json.loads(options)


def load_data(args):
    """Tables of the CSV files in --data, without what is marked test."""
    for path in sorted(glob.glob(os.path.join(args.data, "*.csv"))):
        with open(path) as f:
            columns = f.readline().strip().split(",")
        time = next((c for c in ("ts", "step") if c in columns), None)
        if columns[0] != "series" or time is None or "value" not in columns or not matches(args, path):
            continue
        name = "scale_" + re.sub(r"\W", "_", os.path.basename(path)[:-4])
        types = {"value": "float8", "step": "bigint", "ts": "timestamp"}
        psql(args.connection, "DROP TABLE IF EXISTS %s; CREATE UNLOGGED TABLE %s (%s);\n\\copy %s FROM '%s' CSV HEADER\n%s" % (
            name, name, ", ".join("%s %s" % (c, types.get(c, "text")) for c in columns), name, path,
            "DELETE FROM %s WHERE split = 'test';" % name if "split" in columns else ""))
        yield name, time, {}


def matches(args, path):
    return not args.sets or os.path.basename(path)[:-4] in args.sets.split(",")


def idle():
    """Share of the processors' time that nobody uses now."""
    def times():
        with open("/proc/stat") as f:
            return [int(x) for x in f.readline().split()[1:9]]
    before = times()
    time.sleep(1)
    spent = [b - a for a, b in zip(before, times())]
    return (spent[3] + spent[4]) / max(sum(spent), 1)


MEMBERS = "SELECT md5(rnn_train(series, {1}, value, '{2}')::text) FROM {0};"


def members(args):
    figures = []
    for name, ts, options in load_data(args) if args.data else make_competitions(args):
        query = MEMBERS.format(name, ts, json.dumps({**options, "members": 4}))
        seconds, worked, digests, free = {0: [], 2: []}, {0: [], 2: []}, set(), []
        for _ in range(args.rounds):
            free.append(idle())
            for workers in (0, 2):
                answer, took, _, mine, theirs = measure(args, query, args.settings + "SET rnnforecast.max_workers = %d;" % workers)
                seconds[workers].append(took)
                worked[workers].append(max(mine, (mine + theirs) / 2))
                digests.add(answer)
        ratio = statistics.median(b / a for a, b in zip(seconds[0], seconds[2]))
        figures.append([name[6:], statistics.median(seconds[0]), statistics.median(seconds[2]), ratio,
                        statistics.median(free), len(digests) == 1,
                        statistics.median(b / a for a, b in zip(worked[0], worked[2]))])
    print("\nMembers: four of them, trained by the backend alone and with two workers")
    table(["panel", "alone, s", "two workers, s", "ratio", "processors idle before", "least ratio by CPU time", "bytes"],
          [[f[0], number(f[1], "%.1f"), number(f[2], "%.1f"), number(f[3], "%.2f"), number(f[4], "%.2f"),
            number(f[6], "%.2f"), "the same" if f[5] else "DIFFERENT"] for f in figures])
    for f in figures:
        target("members, %s: at most 0.6 of the time" % f[0], f[3], "%.2f", f[3] <= 0.6)
        target("members, %s: the same bytes" % f[0], f[5], "%s", f[5])


CORES = "SELECT sum(hashfloat8(forecast)::bigint * step), sum(hashfloat8(upper)::bigint) FROM scale_model, rnn_forecast(model);"


def cores(args):
    series = int(10_000 * args.scale)
    make_table(args, "scale_cores", series, 200)
    psql(args.connection, "SET client_min_messages = warning;" +
         TRAIN.format("scale_cores", json.dumps({"horizon": 24, "start": "prior"})))
    runs = {0: [], 1: [], 2: []}
    for _ in range(args.rounds):
        for workers in runs:
            runs[workers].append(measure(args, CORES, args.settings + "SET rnnforecast.max_workers = %d;" % workers +
                                         "SELECT length(model) FROM scale_model;"))
    seconds, longest = ({w: statistics.median(f(r, w) for r in runs[w]) for w in runs} for f in (
        lambda r, w: r[1], lambda r, w: max(r[3], r[4] / max(w, 1))))
    print("\nCores: rnn_forecast of %d series by the prior, 24 steps ahead" % series)
    table(["workers", "s", "CPU s of the backend", "of its workers", "of the longest, at least", "beside none, s", "CPU s"],
          [[str(w), number(seconds[w], "%.2f")] + [number(statistics.median(r[i] for r in runs[w]), "%.2f") for i in (3, 4)] +
           [number(longest[w], "%.2f"), number(seconds[0] / seconds[w], "%.2f"), number(longest[0] / longest[w], "%.2f")] for w in runs])
    target("cores: the same bytes", len({r[0] for w in runs for r in runs[w]}), "%d", len({r[0] for w in runs for r in runs[w]}) == 1)
    target("cores: two workers at least 1.7 times as fast as none", seconds[0] / seconds[2], "%.2f", seconds[0] >= 1.7 * seconds[2])


def training(args):
    figures = []
    for name, ts, options in load_data(args) if args.data else make_competitions(args):
        answer, seconds, memory, mine, theirs = measure(
            args, "SELECT rnn_info(rnn_train(series, %s, value, '%s'))->>'summary' FROM %s;" %
            (ts, json.dumps(options), name), args.settings)
        figures.append([name[6:], seconds, mine, theirs, memory, answer])
    print("\nTraining with default options")
    table(["panel", "s", "CPU s", "CPU s of workers", "MB", "model"],
          [[f[0]] + [number(x, "%.1f") for x in f[1:5]] + [f[5]] for f in figures])
    for f in figures:
        target("training, %s: less than 60 s" % f[0], f[1], "%.0f", f[1] < 60)


def backtest(args):
    def work(query):
        _, _, _, mine, theirs = measure(args, query, args.settings)
        return mine + theirs

    name = next(make_competitions(args))[0]
    rows = "'SELECT series, ts, value FROM %s'"
    figures = [(work("SELECT count(*) FROM rnn_forecast_query(%s, 48);" % (rows % name)),
                work("SELECT count(*) FROM rnn_backtest(%s, 48, 12);" % (rows % name))) for _ in range(args.rounds)]
    one, many = (statistics.median(f[k] for f in figures) for k in range(2))
    make_table(args, "scale_backtest", int(1000 * args.scale), 730)
    short = work("SELECT count(*) FROM rnn_backtest(%s, 14, 24);" % (rows % "scale_backtest"))
    print("\nBacktests: CPU s of one forecast %.2f, of 12 cutoffs %.2f, of 24 cutoffs of many series %.1f" % (one, many, short))
    target("12 cutoffs: at most 3 forecasts", many / one, "%.2f", many <= 3 * one)
    target("24 cutoffs of 1,000 series by the prior: below 30 s", short, "%.1f", short < 30)


def growth(args):
    print("\nGrowth with series and rows: default options")
    print_panels([panel_row(args, int(s * args.scale), p)
                  for s, p in ((1000, 200), (10000, 200), (1000, 2000), (30000, 200), (1, 200_000), (1, 1_000_000))])
    series = int(1000 * args.scale)
    make_table(args, "scale_rates", series, 1000, HOURLY, 24)
    figures = []
    for what, options, horizon in (
            ("horizon 12", {"horizon": 12}, 12), ("horizon 48", {}, 48), ("horizon 192", {"horizon": 192}, 192),
            ("trained for 48, 480 ahead", {}, 480), ("hidden 64", {"hidden": 64}, 48),
            ("hidden 128", {"hidden": 128}, 48), ("hidden 256", {"hidden": 256}, 48),
            ("context 128", {"context": 128}, 48), ("context 2048", {"context": 2048}, 48),
            ("mix, horizon 12", {"horizon": 12, "network": False}, 12), ("mix", {"network": False}, 48),
            ("mix, horizon 192", {"horizon": 192, "network": False}, 192)):
        figures.append(rate_row(what, rate(args, {**NETWORK, **options}, series, horizon)))
    print("\nGrowth of forecasting with horizon and width: %d series, otherwise hidden 200, context 512" % series)
    table(RATES, figures)


def main():
    parser = argparse.ArgumentParser(prog="bench/scale", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="of %s; the first four by default" % ", ".join(PARTS))
    parser.add_argument("--scale", type=float, default=1, help="fraction of the rows and series")
    parser.add_argument("--rounds", type=int, default=3, help="of each paired measurement")
    parser.add_argument("--data", metavar="DIR", help="panels as CSV for `members` and `training`")
    parser.add_argument("--sets", default="", metavar="NAME,...", help="of the files in --data")
    parser.add_argument("--settings", default="", metavar="SQL", help="run first in every session")
    parser.add_argument("--connection", metavar="STRING", help="a running server's, on this machine")
    args = parser.parse_args()
    for part in args.parts:
        if part not in PARTS:
            parser.error("there is no part %s; there are %s" % (part, ", ".join(PARTS)))
    psql(args.connection, "SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS rnnforecast;")
    for part in args.parts or PARTS[:4]:
        globals()[part](args)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
