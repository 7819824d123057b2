"""bench/definitions: the M1 competition, scored by our definitions and by those of gluonts and fev.

Plays the three sets as bench/league does, each variant from one origin, the last value of the part
named train. The same forecasts and quantiles are then scored by bench/league's own
score, by evaluate_forecasts of gluonts, which finds the season by the frequency, and by the
metrics of fev. The quantiles are those at 0.1, 0.2 .. 0.9.

MASE   mean |error| over the mean |y(t) - y(t - season)| of the past
WQL    2 sum of pinball losses / sum |y|, mean over the levels
SQL    mean of 2 times the pinball loss over the scale of MASE, mean over the levels

The command fails if two of them differ by more than a millionth.

The last table has the seasonal naive forecast, its point at every level, beside the figures
that fev's repository publishes for it. The archive that it takes the data from has values
in single precision, rounded to two decimals. On values that are rounded like this, figures must
be the same to a millionth, or data or definitions are not the published ones.
docs/developers/benchmark.md has the figures and says where the data come from.
"""
import os
import sys
import tempfile

import fev.metrics
import numpy as np
import pandas as pd
import rdata
from gluonts.dataset.split import split
from gluonts.ev.metrics import MASE, AverageMeanScaledQuantileLoss, MeanWeightedSumQuantileLoss
from gluonts.model.evaluation import evaluate_forecasts_raw
from gluonts.model.forecast import QuantileForecast

import common
import league

# Horizon, season and frequency.
SETS = {"m1_monthly": (18, 12, "M"), "m1_quarterly": (8, 4, "Q"), "m1_yearly": (6, 1, "Y")}
VARIANTS = ("default", "prior", "mix")
MEASURES = ("mase", "wql", "sql")
LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
TOLERANCE = 1e-6
# MASE and WQL of the seasonal naive forecast: benchmarks/chronos_zeroshot/results/seasonal_naive.csv
# of github.com/autogluon/fev at 1bc95fd.
PUBLISHED = {"m1_monthly": (1.3144614979513043, 0.191463255686139), "m1_quarterly": (2.0775365248114586, 0.1495021901794842),
             "m1_yearly": (4.894322199038784, 0.2092955994133826)}


def write_sets(rda, folder):
    """The three files from the R package's."""
    rows = {name: [] for name in SETS}
    for series in rdata.read_rda(rda)["M1"].values():
        name, period = (str(np.ravel(series[field])[0]) for field in ("sn", "period"))
        past, future = (list(map(float, np.ravel(series[field]))) for field in ("x", "xx"))
        rows["m1_" + period.lower()] += [(name, i + 1, v, "train" if i < len(past) else "test") for i, v in enumerate(past + future)]
    for name in SETS:
        with open(os.path.join(folder, name + ".csv"), "w") as f:
            f.write("series,step,value,split\n" + league.as_csv(rows[name]))


class Rounded(league.League):
    """A set with values as the archive has them."""

    def add_series(self, series, points):
        super().add_series(series, [(t, round(float(np.float32(v)), 2), target) for t, v, target in points])


def read(kind, data, name):
    horizon, season, _ = SETS[name]
    return kind(data, {"set": name, "files": name, "kind": "split", "horizon": horizon, "season": season, "origins": 1,
                       "spacing": 0, "seasons": str(season), "scale": 0})


def told(played, w):
    return played[w.series, w.origin]


def naive_of(panel, levels):
    """Seasonal naive as the forecasts of a variant: its point at every level."""
    return {(w.series, w.origin): [(f, f, f, [f] * len(levels)) for f in w.naive] for w in panel.windows}


def quantiles_of(panel, levels, played):
    """(windows, steps, levels) at LEVELS alone."""
    kept = [next(i for i, level in enumerate(levels) if abs(level - wanted) < 1e-6) for wanted in LEVELS]
    return np.array([[[r[3][i] for i in kept] for r in told(played, w)] for w in panel.windows])


def of_gluonts(panel, quantiles, frequency):
    """Of the median and the quantiles; the past is all that it is given."""
    start = pd.Period("1900", frequency)
    dataset = [{"start": start, "target": np.array(w.x + w.actual)} for w in panel.windows]
    test = split(dataset, offset=-panel.horizon)[1].generate_instances(panel.horizon)
    forecasts = [QuantileForecast(q.T, start + len(w.x), [str(level) for level in LEVELS]) for w, q in zip(panel.windows, quantiles)]
    found = evaluate_forecasts_raw(forecasts, test_data=test, metrics=[MASE(), MeanWeightedSumQuantileLoss(LEVELS),
                                                                       AverageMeanScaledQuantileLoss(LEVELS)])
    return dict(zip(MEASURES, map(float, found.values())))


def of_fev(panel, quantiles, played, season):
    points = np.array([[r[0] for r in told(played, w)] for w in panel.windows])
    given = dict(y_true=np.array([w.actual for w in panel.windows])[..., None], y_pred=points[..., None],
                 y_past=np.concatenate([w.x for w in panel.windows])[:, None], y_past_lengths=np.array([len(w.x) for w in panel.windows]),
                 q_pred=quantiles[:, :, None, :], seasonality=season, quantile_levels=LEVELS)
    return {m: fev.metrics.get_metric(m).compute(**given) for m in MEASURES}


def score(panel, levels, played):
    """Measures by all three."""
    _, season, frequency = SETS[panel.name]
    quantiles = quantiles_of(panel, levels, played)
    ours = league.score(panel, levels, played, 0.1)
    return {"here": {m: ours[m] for m in MEASURES}, "gluonts": of_gluonts(panel, quantiles, frequency),
            "fev": of_fev(panel, quantiles, played, season)}


def apart(x, *others):
    """The greatest difference, as a share of x."""
    return max(abs(other - x) / x for other in others)


def differences(results):
    """(difference, where) of each measure and variant."""
    return [(apart(*(scores[who][m] for who in ("here", "gluonts", "fev"))), "%s of %s, %s" % (m.upper(), variant, name))
            for name, variants in results.items() for variant, scores in variants.items() for m in MEASURES]


def naive_score(data, name, kind):
    panel = read(kind, data, name)
    return panel, score(panel, LEVELS, naive_of(panel, LEVELS))


def play(args, name):
    """Variant -> scores."""
    panel, naive = naive_score(args.data, name, Rounded if args.rounded else league.League)
    results = {}
    for variant in VARIANTS:
        options = {"horizon": panel.horizon, "seasons": panel.given, **league.VARIANTS[variant], **args.options}
        levels, _, _, played = league.play(panel, options, args.connection)
        results[variant] = score(panel, levels, played)
    results["seasonal naive"] = naive
    common.progress("%s: %d windows, pasts of %d to %d points" % (
        name, len(panel.windows), min(len(w.x) for w in panel.windows), max(len(w.x) for w in panel.windows)))
    return results


def print_scores(results):
    sides = ("here", "gluonts", "fev")
    common.table(["set", "variant"] + ["%s %s" % (m.upper(), who) for m in MEASURES for who in sides],
                 [[name, variant] + [common.number(scores[who][m], "%.4f") for m in MEASURES for who in sides]
                  for name, variants in results.items() for variant, scores in variants.items()])
    found = differences(results)
    print("\nLargest difference: %.1e (%s)" % max(found))
    return [difference for difference, _ in found]


def print_naive(data, names):
    rows, found = [], []
    for name in names:
        raw, rounded = (naive_score(data, name, kind)[1]["here"] for kind in (league.League, Rounded))
        found += [apart(p, rounded[m]) for m, p in zip(MEASURES, PUBLISHED[name])]
        rows.append([name] + [common.number(x, "%.6f") for m, p in zip(MEASURES, PUBLISHED[name]) for x in (raw[m], rounded[m], p)])
    common.table(["seasonal naive"] + ["%s%s" % (m, how) for m in ("MASE", "WQL") for how in ("", " rounded", " published")], rows)
    print("\nLargest difference of rounded and published: %.1e" % max(found))
    return found


def main():
    parser = common.players("definitions", __doc__)
    parser.add_argument("--rounded", action="store_true", help="play the values as the archive has them")
    parser.add_argument("--rda", metavar="FILE", help="M1.rda of the R package Mcomp, in place of --data")
    args = common.begin(parser, SETS)
    if args.rda:
        made = tempfile.TemporaryDirectory()
        args.data = made.name
        write_sets(args.rda, args.data)
    if not os.path.exists(os.path.join(args.data, "m1_monthly.csv")):
        print("no m1_monthly.csv in %s: nothing to play (--data DIR or --rda FILE says where it is)" % args.data)
        return
    results = {name: play(args, name) for name in args.sets or SETS}
    common.write_json(args, results)
    if not all(d <= TOLERANCE for d in print_scores(results) + print_naive(args.data, results)):
        sys.exit("figures differ by more than %g" % TOLERANCE)


main()
