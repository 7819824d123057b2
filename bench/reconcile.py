"""bench/reconcile: forecasts of all levels, which add up, beside hierarchicalforecast.

Plays livestock (animal, state) at its origins, half a year apart over eight years, and panels that are made up, of several kinds
and with several seeds, at three origins: the model has the option hierarchy and is trained before
the earliest, and observes what is known at each.

cancels      noise that series of a group mostly pass to each other
common       one factor that all series follow, and one of each group
counts       rare demand of whole numbers
sizes        levels that walk, of series of very different sizes
shops        days of 27 shops of three levels, with weeks
shifts       sudden levels and outliers

adds up      greatest difference of a sum and its series, as a share of the sum of all
MASE         of the mean by level, over all seeds: of each forecast alone, bottom-up, by minimum
             trace, and by the method that the model chose
MinTrace     the engine and MinTrace("mint_shrink") of hierarchicalforecast get the same
             forecasts and residuals (of rnn_backtest before the earliest origin).  The
             engine takes residuals as they are, since an error that is always
             on one side is an error; hierarchicalforecast takes their means out first.
             So the engine is given residuals without means here, and the last column says
             what the means change.
"""
import collections
import csv
import datetime
import math
import os
import random
import subprocess
import tempfile

import numpy as np
from hierarchicalforecast.methods import MinTrace

import common

HERE = os.path.dirname(os.path.abspath(__file__))
CUTOFFS = 24
METHODS = ("base", "bottom_up", "mint", "auto")

SCRIPT = """
SET timezone = 'UTC';
SET client_min_messages = error;
SET jit = off;
CREATE TEMP TABLE points (series text, t date, value float8, origin int);
COPY points FROM STDIN (FORMAT csv);
{points}\\.
CREATE TEMP TABLE trained AS
SELECT rnn_train(series, t, value, '{{"start": "prior", "horizon": {h}, "hierarchy": "/"}}') AS model FROM points WHERE origin >= {origins} - 1;
SELECT 'method', rnn_info(model)->'hierarchy'->>'method', 0, 0, 0, 0 FROM trained;
SELECT 'name', name, depth, members, 0, 0 FROM trained, rnn_series(model);
{errors}
{each}
"""
ERRORS = """
SELECT 'error', b.series, (cutoff - date '1900-01-01'), step, actual, mean FROM trained,
  rnn_backtest('SELECT series, t AS ts, value FROM points WHERE origin >= {origins} - 1', {h}, {cutoffs}, NULL, model) AS b;
"""
EACH = """
CREATE TEMP TABLE o AS SELECT rnn_observe(model, (SELECT rnn_history(series, t, value) FROM points WHERE origin >= {o})) AS model FROM trained;
SELECT 'base', r.series, {o}, r.step, r.base, 0 FROM o, rnn_reconcile(model, {h}) AS r;
SELECT m, r.series, {o}, r.step, r.mean, 0 FROM o, unnest('{{auto,bottom_up,mint}}'::text[]) AS m, rnn_reconcile(model, {h}, method => m) AS r;
DROP TABLE o;
"""

# Rows (series, time, value); the last origin leaves a horizon behind it, the others lie `spacing` steps before.
Panel = collections.namedtuple("Panel", "rows horizon season origins spacing")


def livestock(data, _):
    with open(os.path.join(data, "livestock.csv"), newline="") as f:
        rows = [(r["series"], r["ts"], float(r["value"])) for r in csv.DictReader(f)]
    last = max(r[1] for r in rows)
    whole = {r[0] for r in rows if r[1] == last}
    return Panel([r for r in rows if r[0] in whole], 12, 12, 16, 6)


# --------------------------------------------------------------- made up

def month(i):
    return "%04d-%02d-01" % (2000 + i // 12, 1 + i % 12)


def year(i, phase=0.0):
    return math.sin(2 * math.pi * (i / 12 + phase))


def chain(rng, n, stay, size):
    """Numbers that keep a share of the one before."""
    x, out = 0.0, []
    for _ in range(n):
        x = stay * x + rng.gauss(0, size)
        out.append(x)
    return out


def months(rng, groups, each, one):
    """`one` makes the 240 values of series k of a group."""
    rows = []
    for group in "abcdefgh"[:groups]:
        shared = chain(rng, 240, 0.9, 1)
        for k in range(each):
            rows += [("%s/%d" % (group, k), month(i), v) for i, v in enumerate(one(k, shared))]
    return Panel(rows, 12, 12, 3, 12)


def cancels(_, rng):
    def one(k, _):
        level, state = rng.uniform(50, 200), chain(rng, 240, 0.8, 4)
        return [level * (1 + 0.2 * year(i)) + state[i] + rng.gauss(0, 12) * (1 if k % 2 else -1) for i in range(240)]
    return months(rng, 4, 4, one)


def common_factor(_, rng):
    everywhere = chain(rng, 240, 0.9, 1)

    def one(_, shared):
        level, weight, phase, own = math.exp(rng.gauss(4, 0.8)), rng.uniform(0.03, 0.08), rng.random() / 6, chain(rng, 240, 0.7, 0.02)
        return [level * (1 + weight * everywhere[i] + 0.03 * shared[i] + 0.15 * year(i, phase) + own[i] + rng.gauss(0, 0.03)) for i in range(240)]
    return months(rng, 3, 5, one)


def poisson(rng, mean):
    n, p, u = 0, math.exp(-mean), rng.random()
    while u > p and n < 100:
        u -= p
        n += 1
        p *= mean / n
    return float(n)


def counts(_, rng):
    def one(_k, _shared):
        rate, phase, drift = rng.uniform(0.05, 1.2), rng.random() / 6, chain(rng, 240, 0.95, 0.08)
        return [poisson(rng, rate * math.exp(drift[i]) * (1 + 0.4 * year(i, phase))) for i in range(240)]
    return months(rng, 4, 6, one)


def sizes(_, rng):
    def one(_k, _shared):
        level, trend, height, phase = math.exp(rng.gauss(4, 1.2)), rng.gauss(0, 0.002), rng.uniform(0, 0.4), rng.random()
        noise, walk = rng.uniform(0.02, 0.15), chain(rng, 240, 1, 0.02)
        return [level * math.exp(trend * i + walk[i] + height * year(i, phase) + rng.gauss(0, noise)) for i in range(240)]
    return months(rng, 5, 3, one)


def shifts(_, rng):
    def one(_k, _shared):
        usual = level = rng.uniform(50, 300)
        values = []
        for i in range(240):
            level = usual * rng.uniform(0.5, 1.5) if rng.random() < 0.02 else level
            values.append(level * (1 + 0.15 * year(i)) + rng.gauss(0, 10) + (rng.gauss(0, 60) if rng.random() < 0.04 else 0))
        return values
    return months(rng, 4, 3, one)


def shops(_, rng):
    rows, everywhere = [], chain(rng, 420, 0.6, 0.05)
    for name in ("%s/%s/%d" % (a, b, k) for a in "abc" for b in "xyz" for k in range(3)):
        level, week, own = math.exp(rng.gauss(3, 0.7)), [rng.gauss(0, 0.12) for _ in range(7)], chain(rng, 420, 0.95, 0.03)
        for i in range(420):
            mean = level * math.exp(week[i % 7] + everywhere[i] + own[i])
            rows.append((name, str(datetime.date(2020, 1, 1) + datetime.timedelta(i)), max(0.0, round(rng.gauss(mean, 1.3 * mean ** 0.5)))))
    return Panel(rows, 7, 7, 3, 7)


SETS = {"livestock": livestock, "cancels": cancels, "common": common_factor, "counts": counts, "sizes": sizes, "shops": shops, "shifts": shifts}


# ------------------------------------------------------------------ play

def with_origins(panel):
    """The number of the latest origin behind a row, 0 the last of all."""
    times = sorted({r[1] for r in panel.rows})
    place = {t: len(times) - 1 - i for i, t in enumerate(times)}
    return [(*r, min((place[r[1]] - panel.horizon) // panel.spacing, panel.origins - 1)) for r in panel.rows]


def ask(connection, panel, rows, errors):
    text = "".join('"%s",%s,%r,%d\n' % r for r in rows)
    each = "".join(EACH.format(o=o, h=panel.horizon) for o in range(panel.origins))
    errors = ERRORS.format(h=panel.horizon, origins=panel.origins, cutoffs=CUTOFFS) if errors else ""
    out = common.psql(connection, SCRIPT.format(points=text, h=panel.horizon, origins=panel.origins, errors=errors, each=each))
    return list(csv.reader(out.splitlines(), delimiter="|", quoting=csv.QUOTE_NONE))


def parts_of(name, bottoms):
    return [b for b in bottoms if name == "/" or b == name or b.startswith(name + "/")]


def sums_of(rows, names, bottoms):
    """Values (times) by series of all levels."""
    times = sorted({r[1] for r in rows})
    place = {t: i for i, t in enumerate(times)}
    values = {b: np.zeros(len(times)) for b in bottoms}
    for series, t, value, _ in rows:
        values[series][place[t]] = value
    return {n: sum(values[b] for b in parts_of(n, bottoms)) for n in names}


def mase(panel, told, values, depth):
    """By method and level."""
    errors = {}
    for method, series, origin, step, mean in told:
        y = values[series]
        end = len(y) - panel.horizon - panel.spacing * origin
        scale = np.mean(np.abs(y[panel.season:end] - y[:end - panel.season]))
        errors.setdefault((method, depth[series]), []).append(abs(mean - y[end + step - 1]) / scale)
    return {k: float(np.mean(v)) for k, v in errors.items()}


def off(told, names, bottoms):
    """How far sums are off, by the method of the model."""
    mean = {(s, o, j): m for method, s, o, j, m in told if method == "auto"}
    return max(abs(m - sum(mean[(b, o, j)] for b in parts_of(s, bottoms))) / abs(mean[("/", o, j)]) for (s, o, j), m in mean.items())


def engine(program, S, residuals, y):
    """n series, sums first; S (n, bottoms)."""
    n, sums = S.shape[0], S.shape[0] - S.shape[1]
    lines = ["%d %d %d" % (n, sums, residuals.shape[1]), " ".join(map(str, range(sums)))]
    for i in range(n):
        of = [a for a in range(sums) if i >= sums and S[a, i - sums]]
        lines.append(" ".join(map(str, [len(of), *of])))
    lines += [" ".join(map(repr, map(float, row))) for row in residuals.T] + [" ".join(map(repr, map(float, y)))]
    out = subprocess.run([program], input="\n".join(lines), stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    return float(out[0]), np.array(list(map(float, out[1:])))


def agreement(program, errors, base, names, bottoms):
    """Greatest differences as shares of the sum of all: of the engine and MinTrace, and of the means."""
    order = [n for n in names if n not in bottoms] + bottoms
    S = np.array([[float(b in parts_of(n, bottoms)) for b in bottoms] for n in order])
    cells = {}
    for series, cutoff, step, e in errors:
        cells.setdefault((cutoff, step), {})[series] = e
    R = np.array([[row[n] for n in order] for _, row in sorted(cells.items()) if len(row) == len(order)]).T
    y = np.array([base[n] for n in order])
    centred = R - R.mean(axis=1, keepdims=True)
    shrinkage, ours = engine(program, S, centred, y)
    theirs = MinTrace("mint_shrink").fit_predict(S=S, y_hat=y[:, None], y_insample=R, y_hat_insample=np.zeros_like(R))["mean"][:, 0]
    _, raw = engine(program, S, R, y)
    return R.shape, shrinkage, np.max(np.abs(ours - theirs)) / abs(y[0]), np.max(np.abs(ours - raw)) / abs(y[0])


def build():
    program = os.path.join(tempfile.mkdtemp(), "reconcile")
    engine_dir = os.path.join(HERE, "..", "src", "engine")
    subprocess.run([os.environ.get("CC", "gcc"), "-std=gnu11", "-O2", "-I" + engine_dir, os.path.join(engine_dir, "paths", "reconcile.c"),
                    os.path.join(HERE, "reconcile.c"), "-lm", "-o", program], check=True)
    return program


def play(args, program, name, seed):
    """The scores of a panel, and of the first seed how the engine agrees."""
    panel = SETS[name](args.data, random.Random("%s %d" % (name, seed)))
    rows = with_origins(panel)
    told = ask(args.connection, panel, rows, seed == 1)
    names = [r[1] for r in told if r[0] == "name"]
    depth = {r[1]: int(r[2]) for r in told if r[0] == "name"}
    bottoms = [n for n in names if depth[n] == max(depth.values())]
    forecasts = [(r[0], r[1], int(r[2]), int(r[3]), float(r[4])) for r in told if r[0] in METHODS]
    played = {"depths": list(depth.values()), "method": next(r[1] for r in told if r[0] == "method"), "off": off(forecasts, names, bottoms),
              "mase": mase(panel, forecasts, sums_of(rows, names, bottoms), depth)}
    if seed == 1:
        errors = [(r[1], r[2], r[3], float(r[4]) - float(r[5])) for r in told if r[0] == "error"]
        base = {s: m for method, s, o, j, m in forecasts if method == "base" and o == 0 and j == 1}
        played["agreement"] = agreement(program, errors, base, names, bottoms)
    return played


def level_rows(name, played):
    """Of each level, and of their mean."""
    depths = played[0]["depths"]
    mean = {k: float(np.mean([p["mase"][k] for p in played])) for k in played[0]["mase"]}
    levels = sorted(set(depths))
    mint = "%d of %d" % (sum(p["method"] == "mint" for p in played), len(played))
    rows = [[name, str(d), str(depths.count(d))] + [common.number(mean[(m, d)]) for m in METHODS] + [mint] for d in levels]
    return rows + [[name, "mean", ""] + [common.number(float(np.mean([mean[(m, d)] for d in levels]))) for m in METHODS] + [mint]]


def main():
    parser = common.players("reconcile", __doc__)
    parser.add_argument("--seeds", type=int, default=16, metavar="N", help="panels of each kind that is made up")
    args = common.begin(parser, SETS)
    program, results, agreements, levels = build(), {}, [], []
    for name in args.sets or SETS:
        played = [play(args, program, name, seed + 1) for seed in range(1 if name == "livestock" else args.seeds)]
        shape, shrinkage, differ, means = played[0]["agreement"]
        levels += level_rows(name, played)
        results[name] = [{**p, "mase": {"%s %d" % k: v for k, v in p["mase"].items()}} for p in played]
        agreements.append([name, str(shape[0]), str(shape[1]), "%.1e" % max(p["off"] for p in played), "%.3f" % shrinkage, "%.1e" % differ, "%.1e" % means])
        common.progress(name)
    common.table(["set", "level", "series", "alone", "bottom-up", "mint", "chosen", "mint chosen"], levels)
    common.table(["set", "series", "residuals", "adds up", "shrinkage", "MinTrace differs", "means change"], agreements)
    common.write_json(args, results)


main()
