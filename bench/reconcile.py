"""bench/reconcile: forecasts of all levels, which add up, beside hierarchicalforecast.

Plays livestock (animal, state) and a synthetic panel at three origins: the model has the option
hierarchy and is trained before the earliest, and observes what is known at each.

adds up      greatest difference of a sum and its series, as a share of the sum of all
MASE         of the mean by level: of each forecast alone, bottom-up, by minimum
             trace, and by the method that the model chose
MinTrace     the engine and MinTrace("mint_shrink") of hierarchicalforecast get the same
             forecasts and residuals (of rnn_backtest before the earliest origin).  The
             engine takes residuals as they are, since an error that is always
             on one side is an error; hierarchicalforecast takes their means out first.
             So the engine is given residuals without means here, and the last column says
             what the means change.
"""
import argparse
import csv
import math
import os
import random
import subprocess
import tempfile

import numpy as np
from hierarchicalforecast.methods import MinTrace

import common

HERE = os.path.dirname(os.path.abspath(__file__))
HORIZON, ORIGINS, SEASON, CUTOFFS = 12, 3, 12, 24
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
SELECT 'error', b.series, (cutoff - date '1900-01-01'), step, actual, mean FROM trained,
  rnn_backtest('SELECT series, t AS ts, value FROM points WHERE origin >= {origins} - 1', {h}, {cutoffs}, NULL, model) AS b;
{each}
"""
EACH = """
CREATE TEMP TABLE o AS SELECT rnn_observe(model, (SELECT rnn_history(series, t, value) FROM points WHERE origin >= {o})) AS model FROM trained;
SELECT 'base', r.series, {o}, r.step, r.base, 0 FROM o, rnn_reconcile(model, {h}) AS r;
SELECT m, r.series, {o}, r.step, r.mean, 0 FROM o, unnest('{{auto,bottom_up,mint}}'::text[]) AS m, rnn_reconcile(model, {h}, method => m) AS r;
DROP TABLE o;
"""


def livestock(data):
    with open(os.path.join(data, "livestock.csv"), newline="") as f:
        rows = [(r["series"], r["ts"], float(r["value"])) for r in csv.DictReader(f)]
    last = max(r[1] for r in rows)
    whole = {r[0] for r in rows if r[1] == last}
    return [r for r in rows if r[0] in whole]


def synthetic(_):
    """Months with a season, levels that move, and noise that series of a group mostly pass to each other."""
    rng = random.Random(1)
    rows = []
    for group in "abcd":
        for k in range(4):
            level, state = rng.uniform(50, 200), 0.0
            for i in range(240):
                state = 0.8 * state + rng.gauss(0, 4)
                noise = rng.gauss(0, 12) * (1 if k % 2 else -1)
                value = level * (1 + 0.2 * math.sin(2 * math.pi * i / 12)) + state + noise
                rows.append(("%s/%d" % (group, k), "%04d-%02d-01" % (2000 + i // 12, 1 + i % 12), value))
    return rows


def with_origins(rows):
    """The number of the origin behind a row, 0 the latest; each is a horizon before the next."""
    times = sorted({r[1] for r in rows})
    place = {t: len(times) - 1 - i for i, t in enumerate(times)}
    return [(*r, min(place[r[1]] // HORIZON - 1, ORIGINS - 1)) for r in rows]


def ask(connection, rows):
    text = "".join('"%s",%s,%r,%d\n' % r for r in rows)
    each = "".join(EACH.format(o=o, h=HORIZON) for o in range(ORIGINS))
    out = common.psql(connection, SCRIPT.format(points=text, h=HORIZON, origins=ORIGINS, cutoffs=CUTOFFS, each=each))
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


def mase(told, values, depth):
    """By method and level."""
    errors = {}
    for method, series, origin, step, mean in told:
        y = values[series]
        end = len(y) - HORIZON * (origin + 1)
        scale = np.mean(np.abs(y[SEASON:end] - y[:end - SEASON]))
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


def main():
    sets = {"livestock": livestock, "synthetic": synthetic}
    args = common.begin(common.players("reconcile", __doc__), sets)
    program, results, agreements, levels = build(), {}, [], []
    for name in args.sets or sets:
        rows = with_origins(sets[name](args.data))
        told = ask(args.connection, rows)
        names = [r[1] for r in told if r[0] == "name"]
        depth = {r[1]: int(r[2]) for r in told if r[0] == "name"}
        bottoms = [n for n in names if depth[n] == max(depth.values())]
        forecasts = [(r[0], r[1], int(r[2]), int(r[3]), float(r[4])) for r in told if r[0] in METHODS]
        errors = [(r[1], r[2], r[3], float(r[4]) - float(r[5])) for r in told if r[0] == "error"]
        base = {s: m for method, s, o, j, m in forecasts if method == "base" and o == 0 and j == 1}
        scores = mase(forecasts, sums_of(rows, names, bottoms), depth)
        shape, shrinkage, differ, means = agreement(program, errors, base, names, bottoms)
        method = next(r[1] for r in told if r[0] == "method")
        results[name] = {"off": off(forecasts, names, bottoms), "method": method, "differ": differ, "means": means,
                         "mase": {"%s %d" % k: v for k, v in scores.items()}}
        agreements.append([name, str(shape[0]), str(shape[1]), "%.1e" % results[name]["off"], "%.3f" % shrinkage, "%.1e" % differ, "%.1e" % means])
        for d in sorted(set(depth.values())):
            levels.append([name, str(d), str(list(depth.values()).count(d))] + [common.number(scores[(m, d)]) for m in METHODS] + [method])
        levels.append([name, "mean", ""] + [common.number(float(np.mean([scores[(m, d)] for d in set(depth.values())]))) for m in METHODS] + [method])
    common.table(["set", "level", "series", "alone", "bottom-up", "mint", "chosen", "method"], levels)
    common.table(["set", "series", "residuals", "adds up", "shrinkage", "MinTrace differs", "means change"], agreements)
    common.write_json(args, results)


main()
