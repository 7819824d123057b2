"""rnn_accuracy beside the functions of gluonts, fev and utilsforecast.

Random cases of a few series each, with zeros, missing values, constant
pasts and sizes from 1e-3 to 1e6, go through the aggregate and through each
library's own functions; the greatest difference of each measure is printed.
docs/accuracy-metrics.md lists where their definitions differ.
"""
import argparse
import io
import sys

import fev.metrics
import numpy as np
import pandas as pd
from gluonts.evaluation import metrics as gluonts
from utilsforecast import losses

from common import psql, table

LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
TOLERANCE = 1e-9
MEASURES = ("mae", "rmse", "bias", "wape", "mape", "smape", "mase", "rmsse", "wql", "sql", "coverage", "msis")


def draw(rng):
    """One case: past (list of arrays), actual, forecast (N, H), quantiles (N, H, Q), season."""
    series, horizon, season = rng.integers(1, 5), rng.integers(1, 13), rng.integers(1, 7)
    size = 10.0 ** rng.uniform(-3, 6)
    past = [size * rng.normal(1, 1, rng.integers(season + 2, 40)) for _ in range(series)]
    if rng.random() < 0.2:
        past[0][:] = size                                   # a scale of 0
    actual = size * rng.normal(1, 1, (series, horizon))
    forecast = size * rng.normal(1, 1, (series, horizon))
    quantiles = np.sort(forecast[..., None] + size * rng.normal(0, 1, (series, horizon, len(LEVELS))), axis=2)
    if rng.random() < 0.3:
        actual[rng.random(actual.shape) < 0.2] = 0
    if rng.random() < 0.3:
        actual[rng.random(actual.shape) < 0.2] = np.nan
    return past, actual, forecast, quantiles, int(season)


def differences(past, season, power):
    return np.array([np.mean(np.abs(p[season:] - p[:-season]) ** power) ** (1 / power) for p in past])


def literal(x):
    return "" if np.isnan(x) else repr(float(x))


def rows(cases):
    """Lines of COPY: case, series, values, an interval of the outer quantiles, scales of both powers."""
    out = io.StringIO()
    for c, (past, actual, forecast, quantiles, season) in enumerate(cases):
        scale, root = differences(past, season, 1), differences(past, season, 2)
        for i in range(len(past)):
            for h in range(actual.shape[1]):
                q = quantiles[i, h]
                numbers = (actual[i, h], forecast[i, h], q[0], q[-1], scale[i], root[i])
                out.write("%d,%d,%s,\"{%s}\"\n" % (c, i, ",".join(map(literal, numbers)), ",".join(map(literal, q))))
    return out.getvalue()


def ours(connection, cases):
    """Measures of each case and of each of its series."""
    measures = ", ".join(("(b)." if m == "rmsse" else "(a).") + m for m in MEASURES)
    lines = psql(connection, """
        CREATE TEMP TABLE t (c int, i int, actual float8, forecast float8, lower float8, upper float8, scale float8, root float8, quantiles float8[]);
        COPY t FROM STDIN CSV;
%s\\.
        SELECT c, coalesce(i, -1), %s FROM (
            SELECT c, i, rnn_accuracy(r) AS a, rnn_accuracy(s) AS b FROM (SELECT *, 0.8 AS level, '{%s}'::float8[] AS levels FROM t) AS r,
                LATERAL (SELECT actual, forecast, root AS scale) AS s GROUP BY GROUPING SETS ((c), (c, i))) AS a;
        """ % (rows(cases), measures, ",".join(map(str, LEVELS))))
    found = {}
    for line in lines.split():
        words = line.split("|")
        found[int(words[0]), int(words[1])] = dict(zip(MEASURES, [float(w) if w else None for w in words[2:]]))
    return found


def of_fev(cases):
    for c, (past, actual, forecast, quantiles, season) in enumerate(cases):
        given = dict(y_true=actual[..., None], y_pred=forecast[..., None], y_past=np.concatenate(past)[:, None],
                     y_past_lengths=np.array([len(p) for p in past]), q_pred=quantiles[:, :, None, :], seasonality=season,
                     quantile_levels=LEVELS)
        for measure in ("mae", "rmse", "wape", "mape", "smape", "mase", "rmsse", "wql", "sql"):
            if measure == "sql" and 0 in differences(past, season, 1):
                continue                                    # 0/0 is left out, but x/0 too
            yield (c, -1), measure, fev.metrics.get_metric(measure).compute(**given)


def of_gluonts(cases):
    for c, (past, actual, forecast, quantiles, season) in enumerate(cases):
        for i, p in enumerate(past):
            known = ~np.isnan(actual[i])
            if not known.any():
                continue
            y, f, q = actual[i][known], forecast[i][known], quantiles[i][known]
            scale = gluonts.calculate_seasonal_error(p, seasonality=season)
            yield (c, i), "mae", gluonts.abs_error(y, f) / len(y)
            yield (c, i), "rmse", gluonts.mse(y, f) ** 0.5
            yield (c, i), "wape", gluonts.abs_error(y, f) / gluonts.abs_target_sum(y)
            yield (c, i), "smape", gluonts.smape(y, f)
            if (y != 0).all():
                yield (c, i), "mape", gluonts.mape(y, f)
            yield (c, i), "wql", np.mean([gluonts.quantile_loss(y, q[:, k], l) for k, l in enumerate(LEVELS)]) / gluonts.abs_target_sum(y)
            if scale > 0:
                yield (c, i), "mase", gluonts.mase(y, f, scale)
                yield (c, i), "msis", gluonts.msis(y, q[:, 0], q[:, -1], scale, 0.2)


def frames(cases):
    """All series as two data frames, without what is missing."""
    test, train = [], []
    for c, (past, actual, forecast, quantiles, season) in enumerate(cases):
        for i, p in enumerate(past):
            known = ~np.isnan(actual[i])
            key = "%d %d" % (c, i)
            frame = pd.DataFrame({"unique_id": key, "ds": len(p) + np.flatnonzero(known), "y": actual[i][known], "f": forecast[i][known],
                                  "f-lo-80": quantiles[i][known, 0], "f-hi-80": quantiles[i][known, -1], "season": season})
            for k in range(len(LEVELS)):
                frame["q%d" % k] = quantiles[i][known, k]
            test.append(frame)
            train.append(pd.DataFrame({"unique_id": key, "ds": np.arange(len(p)), "y": p, "season": season}))
    return pd.concat(test), pd.concat(train)


def of_utilsforecast(cases):
    test, train = frames(cases)
    columns = {"f": ["q%d" % k for k in range(len(LEVELS))]}

    def results(measure, frame, factor=1):
        for key, value in zip(frame["unique_id"], frame["f"]):
            yield tuple(map(int, key.split())), measure, float(value) * factor

    for measure in ("mae", "rmse", "bias", "wape", "mape"):
        yield from results(measure, getattr(losses, measure)(test, ["f"]))
    yield from results("smape", losses.smape(test, ["f"]), 2)
    yield from results("coverage", losses.coverage(test, ["f"], level=80))
    loss, size = losses.mqloss(test, columns, np.array(LEVELS)), test.assign(a=test.y.abs()).groupby("unique_id").a.mean()
    yield from results("wql", loss.assign(f=loss["f"] / loss["unique_id"].map(size)), 2)
    for season, part in test.groupby("season"):
        past = train[train.season == season]
        for measure in ("mase", "rmsse"):
            yield from results(measure, getattr(losses, measure)(part, ["f"], seasonality=season, train_df=past))
        yield from results("sql", losses.scaled_mqloss(part, columns, np.array(LEVELS), seasonality=season, train_df=past), 2)


def compare(found, theirs):
    """Of each measure how many were compared, and the greatest difference, relative where above 1."""
    worst = {}
    for key, measure, value in theirs:
        mine = found[key][measure]
        if not np.isfinite(value):                          # NULL here, or what they have no number for
            continue
        n, difference = worst.get(measure, (0, 0))
        apart = np.inf if mine is None else abs(mine - value) / max(abs(value), 1)
        worst[measure] = n + 1, max(difference, apart)
    return worst


def main():
    parser = argparse.ArgumentParser(prog="bench/accuracy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--connection", metavar="STRING", help="a running server's")
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    cases = [draw(rng) for _ in range(args.cases)]
    psql(args.connection, "SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS rnnforecast;")
    found = ours(args.connection, cases)
    with np.errstate(all="ignore"):
        sides = [compare(found, f(cases)) for f in (of_gluonts, of_fev, of_utilsforecast)]
    table(["measure", "gluonts", "fev", "utilsforecast"],
          [[m] + ["%d: %.0e" % s[m] if m in s else "" for s in sides] for m in MEASURES])
    if any(w > TOLERANCE for s in sides for _, w in s.values()):
        sys.exit("a measure differs by more than %g" % TOLERANCE)


main()
