"""Write golden_references.h: references and their mix by the executable
specification, whose path is the argument. Needs numpy; the header is committed.

    python3 test/unit/make_golden_references.py MIX.PY > test/unit/golden_references.h

Series are recipes in integers, which test_references.c follows to the same
bits. What is not in the specification is worked out here: the spread of the
mix's errors, from the forecasts that it makes at earlier origins. Analogues
(analogues.py) join the references in the cases ALL.
"""
import importlib.util
import sys

import numpy as np

from analogues import ANALOGUES, AUTOREGRESSIONS, FADE, REVERTING, complete

STEPS = 4    # of a horizon that are kept


def case(title, n, h, seasons, **recipe):
    return dict(dict(level=0, trend=0, walk=0, noise=0, amp=[0, 0, 0], scale=1.0, run=0, thin=0, sink=0,
                     kappa=8.0, rounding=0, refs=13), title=title, n=n, h=h, seasons=seasons, **recipe)


MONTHS = dict(level=5000, trend=11, walk=40, noise=300, amp=[900, 0, 0])
CASES = [
    case("one point", 1, 1, [1], level=7),
    case("one point, a season", 1, 5, [12], level=7),
    case("two points", 2, 3, [1], level=50, noise=20),
    case("three points", 3, 2, [2], level=50, noise=20),
    case("five points", 5, 4, [1], level=50, noise=20),
    case("the last length without an origin", 6, 1, [1], level=50, noise=20),
    case("the first length with one", 7, 1, [1], level=50, noise=20),
    case("a horizon beyond the series", 9, 20, [4], level=50, noise=20),
    case("three periods", 12, 3, [4], level=50, noise=20, amp=[30, 0, 0]),
    case("one period", 12, 6, [12], **MONTHS),
    case("two periods less a point", 23, 6, [12], **MONTHS),
    case("two periods", 24, 6, [12], **MONTHS),
    case("two periods and a point", 25, 6, [12], **MONTHS),
    case("months", 72, 12, [12], **MONTHS),
    case("months around zero", 72, 12, [12], **dict(MONTHS, level=-700)),
    case("months with zeros", 72, 12, [12], **dict(MONTHS, level=-120, trend=0, walk=0, noise=100)),
    case("months below zero", 72, 12, [12], **dict(MONTHS, level=-9000)),
    case("months with gaps", 90, 12, [12], run=9, thin=7, **MONTHS),
    case("positive until lately", 72, 6, [12], sink=3, **MONTHS),
    case("kappa 0", 72, 6, [12], **dict(MONTHS, kappa=0.0)),
    case("kappa 2.5", 72, 6, [12], **dict(MONTHS, kappa=2.5)),
    case("kappa 64", 72, 6, [12], **dict(MONTHS, kappa=64.0)),
    case("a walk", 120, 6, [1], level=900, walk=60),
    case("a walk beyond the levels' points", 700, 8, [1], level=9000, walk=60, noise=40),
    case("a noisy trend", 100, 10, [1], level=100, trend=25, noise=40),
    case("a falling trend with a season", 100, 10, [6], level=9000, trend=-60, noise=40, amp=[300, 0, 0]),
    case("an exact trend", 60, 6, [1], level=100, trend=3, rounding=1),
    case("an exact season", 60, 8, [5], level=100, amp=[50, 0, 0], rounding=1),
    case("a constant", 60, 6, [4], level=5, rounding=1),
    case("a negative constant", 60, 6, [1], level=-3, rounding=1),
    case("nothing but zeros", 60, 6, [4], rounding=1),
    case("a season and none", 60, 6, [1, 6], level=900, noise=100, amp=[0, 400, 0]),
    case("a season too long for earlier origins", 27, 2, [1, 12], level=900, noise=100, amp=[0, 400, 0]),
    case("two seasons", 70, 7, [4, 12], level=900, noise=100, amp=[200, 400, 0]),
    case("two seasons, gaps", 300, 9, [7, 28], level=3000, walk=20, noise=100, amp=[500, 900, 0], run=30, thin=13),
    case("the second season too long", 70, 7, [4, 40], level=900, noise=100, amp=[200, 400, 0]),
    case("the second season longer than all", 50, 7, [4, 90], level=900, noise=100, amp=[200, 0, 0]),
    case("three seasons", 150, 7, [2, 6, 18], level=9000, noise=100, amp=[200, 400, 800]),
    case("hours of days and weeks", 2600, 48, [24, 168], level=9000, walk=9, noise=200, amp=[2000, 1500, 0]),
    case("twelve periods and more", 200, 10, [5], level=900, noise=100, amp=[200, 0, 0]),
    case("a profile beyond the levels' points", 800, 30, [52], level=9000, walk=20, noise=300, amp=[900, 0, 0]),
    case("a long horizon", 150, 100, [12], **MONTHS),
    case("an even horizon, origins apart by all of it", 300, 30, [12], **MONTHS),
    case("1e300", 72, 6, [12], scale=1e296, **MONTHS),
    case("1e150 around zero", 72, 6, [12], scale=1e147, **dict(MONTHS, level=-700)),
    case("1e-22, below the bound of the logarithms", 72, 6, [12], scale=2e-26, **MONTHS),
    case("1e-30", 72, 6, [12], scale=1e-34, **MONTHS),
    case("1e-160", 72, 6, [12], scale=1e-164, **MONTHS),
    case("1e-300 around zero", 72, 6, [12], scale=1e-303, **dict(MONTHS, level=-700)),
]

ALL = [
    case("a point too few for analogues", 26, 6, [1], level=900, walk=60, refs=15),
    case("as many as the shorter needs, and the longer", 27, 6, [1], level=900, walk=60, refs=15),
    case("the shorter alone", 36, 6, [12], refs=15, **MONTHS),
    case("both, one origin each way", 70, 6, [12], refs=15, **MONTHS),
    case("months, analogues", 190, 12, [12], refs=15, **MONTHS),
    case("months with gaps, analogues", 150, 12, [12], run=9, thin=7, refs=15, **MONTHS),
    case("months with zeros, analogues", 120, 12, [12], refs=15, **dict(MONTHS, level=-120, trend=0, walk=0, noise=100)),
    case("a walk, analogues", 200, 6, [1], level=900, walk=60, refs=15),
    case("a season of 5, analogues", 130, 7, [5], level=900, noise=100, amp=[200, 0, 0], refs=15),
    case("hours of days and weeks, analogues", 2700, 48, [24, 168], level=9000, walk=9, noise=200,
         amp=[2000, 1500, 0], refs=15),
    case("a long season, analogues", 2300, 30, [52], level=9000, walk=20, noise=300, amp=[900, 0, 0], refs=15),
    case("windows of their longest", 700, 20, [168], level=9000, walk=20, noise=300, amp=[900, 0, 0], refs=15),
    case("small numbers, analogues", 150, 6, [12], scale=1e-34, refs=15, **MONTHS),
    case("a constant, analogues", 60, 6, [4], level=5, rounding=1, refs=15),
    case("a point too few to return to the usual", 47, 6, [12], refs=17, **MONTHS),
    case("four seasons of the usual", 48, 6, [12], refs=17, **MONTHS),
    case("months that return, all origins", 250, 12, [12], refs=17, **MONTHS),
    case("no season to return to", 200, 6, [1], level=900, walk=60, refs=17),
    case("more seasons than return", 900, 30, [24], level=9000, walk=20, noise=300, amp=[900, 0, 0], refs=17),
    case("hours of days and weeks that return", 2700, 48, [24, 168], level=9000, walk=9, noise=200,
         amp=[2000, 1500, 0], refs=17),
    case("seasons too long for all of them", 3000, 20, [200], level=9000, walk=20, noise=300, amp=[900, 0, 0], refs=17),
    case("a point too few for a regression", 245, 6, [12], refs=19, **MONTHS),
    case("a regression, and none by the later half", 330, 6, [12], refs=19, **MONTHS),
    case("both regressions", 570, 14, [12], refs=19, **MONTHS),
    case("days of a week by two weeks", 900, 30, [7], level=9000, walk=20, noise=300, amp=[900, 0, 0], refs=19),
    case("no season to regress by", 800, 6, [1], level=900, walk=60, refs=19),
    case("hours of days and weeks, regressions", 2700, 100, [24, 168], level=9000, walk=9, noise=200,
         amp=[2000, 1500, 0], refs=19),
    case("a season too long for a block", 3000, 40, [96], level=9000, walk=20, noise=300, amp=[900, 0, 0], refs=19),
    case("a constant, regressions", 600, 6, [12], level=5, rounding=1, refs=19),
    case("large numbers, regressions", 570, 14, [12], scale=1e140, refs=19, **MONTHS),
    case("small numbers, regressions", 570, 14, [12], scale=1e-140, refs=19, **MONTHS),
]


def noise(amplitude, state):
    """An integer from -amplitude / 2 on, and the next state."""
    state = (state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
    return (amplitude * (state >> 33) >> 31) - amplitude // 2, state


def series(c):
    x, walk, state = [], 0, c["n"]
    for i in range(c["n"]):
        step, state = noise(c["walk"], state)
        jump, state = noise(c["noise"], state)
        walk += step
        value = c["level"] + c["trend"] * i + walk + jump
        for amp, m in zip(c["amp"], c["seasons"]):
            value += 4 * amp * (i % m) * (m - i % m) // (m * m)
        if i >= c["n"] - c["sink"]:
            value = -value
        inner, middle = 0 < i < c["n"] - 1, c["n"] // 2
        gap = inner and (middle <= i < middle + c["run"] or (c["thin"] and i % c["thin"] == 3))
        x.append(x[-1] if gap else value * c["scale"])
    return np.array(x)


def spread(x, origins, weights):
    """Mean error of the mix over the halves of each origin's horizon; of one step both are its."""
    halves = []
    for end, h, refs in origins:
        error = np.abs(sum(w * refs[k] for k, w in weights.items()) - x[end:end + h])
        halves.append((error[:h // 2].mean() if h > 1 else error.mean(), error[h // 2:].mean()))
    halves = halves[:8]
    return np.average(halves, axis=0, weights=FADE ** np.arange(len(halves))) + 1e-300


def array(values):
    return "{" + ", ".join("%.12g" % v for v in values) + "}"


def sparse(names, values):
    """An initialiser of those there are; the index only where one before it is missing."""
    parts = [("" if r and names[r - 1] in values else "[%d] = " % r) + "%.12g" % values[name]
             for r, name in enumerate(names) if name in values]
    return "{" + ", ".join(parts) + "}"


def show(fields):
    """Fields of an initialiser, in lines as full as they get."""
    line = "\t"
    for part in (", ".join(fields) + ",").split(" "):
        if len(line.expandtabs(4)) + len(part) > 116:
            print(line.rstrip())
            line = "\t\t"
        line += part + " "
    print(line.rstrip())


def golden(mix, c):
    x, h = series(c), c["h"]
    seasonal = ["seasonal_naive_%d" % m for m in c["seasons"]] + [None] * (3 - len(c["seasons"]))
    names = seasonal + [s[0] for s in mix.SMOOTHERS] + ([a[0] for a in ANALOGUES] + REVERTING + AUTOREGRESSIONS)[:c["refs"] - 13]
    kept = mix.references, mix.trailing_errors, mix.weights, mix.mix
    complete(mix, c["refs"])
    calls, plain = [], mix.references
    now = plain(x, h, c["seasons"])

    def recorded(history, steps, seasons):
        calls.append((len(history), steps, plain(history, steps, seasons)))
        return calls[-1][2]

    mix.references = recorded
    errors, seen = mix.trailing_errors(x, h, c["seasons"], now)
    mix.references = plain
    final, local = (f(x, h, c["seasons"], c["kappa"]) for f in (mix.whole_mix, mix.mix))
    if seen:
        w, e = mix.weights(errors, seen, c["kappa"])
        weights, errors = dict(zip(errors, w)), dict(zip(errors, e))
        halves = spread(x, calls, weights)
    else:
        step = np.abs(np.diff(x)).mean() if len(x) > 1 else abs(x[0]) * 0.1
        weights, errors, halves = {"naive": 1.0}, {"naive": step}, (step, step)
    mix.references, mix.trailing_errors, mix.weights, mix.mix = kept
    kept = np.linspace(0, h - 1, min(h, STEPS)).astype(int)
    print("{")
    show([".title = \"%s\"" % c["title"], ".n_seasons = %d" % len(c["seasons"]), ".seen = %d" % seen,
          ".last = %.17g" % x[-1], ".sum = %.17g" % np.abs(x / c["scale"]).sum(), ".kept = %d" % len(kept),
          ".step = " + array(kept)]
         + [".%s = %s" % (k, array(v) if isinstance(v, list) else repr(v))
            for k, v in c.items() if k != "title" and v and v != [0, 0, 0]]
         # 0 absent, 1 formed, 2 with a weight
         + [".formed = \"%s\"" % "".join(str((name in now) + (name in weights)) for name in names)]
         + [".ref[%d] = %s" % (r, array(now[name][kept])) for r, name in enumerate(names) if name in now]
         + [".%s = %s" % (key, sparse(names, values))
            for key, values in (("error", errors), ("weight", weights)) if not c["rounding"]]
         + [".spread = " + array(halves), ".mix = " + array(final[kept]), ".local = " + array(local[kept])])
    print("},")


spec = importlib.util.spec_from_file_location("mix", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
np.seterr(all="ignore")
print("/* golden_references.h: made by make_golden_references.py. */")
for c in CASES + ALL:
    golden(module, c)
