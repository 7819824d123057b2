"""tools/fit weight: the rule that gives a tuned prior its weight, fitted to trainings.

Before a series is seen, the difference that a tuned prior makes at weight w is
taken to be curve w^2 - slope w on average, relative to the loss, and spread w
its deviation from series to series. Validation measures it with an error; the
mean of both, each by its precision, is least at the weight that is chosen
(src/engine/train/judge.c). Many choices of the three numbers do as well as the best, the one
of the least geometric mean of the losses that came. Real series are not synthetic
ones, so of those not worse than it by more than the standard error of the
difference the one is taken that trusts most in what was measured: of the largest
spread. A half of the cases is judged by what the other fits.
"""
import csv
import itertools
import math
import statistics
import sys

WEIGHTS = [g / 10 for g in range(11)]
SLOPES = [0, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.13, 0.16, 0.2]
CURVES = [0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25]
SPREADS = [0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.12, 0.16, 0.2, 0.24, 0.32, 0.5, 1]
CLASSES = [("one series, to 999 points", lambda c: c["series"] == 1 and c["points"] < 1000),
           ("one series, more", lambda c: c["series"] == 1 and c["points"] >= 1000),
           ("2 to 7 series", lambda c: 1 < c["series"] < 8),
           ("8 to 24 series", lambda c: c["series"] >= 8),
           ("all", lambda c: True)]


def read(path):
    cases = []
    with open(path, newline="") as f:
        for row in csv.DictReader(f):
            case = {k: float(row[k]) for k in ("case", "series", "points", "base", "weight")}
            for name in ("gain", "error", "loss", "absolute"):
                case[name] = [float(row["%s_%d" % (name, g)]) for g in range(11)]
            cases.append(case)
    return cases


def choose(case, slope, curve, spread):
    """Place of the weight in WEIGHTS, as tuned_weight of judge.c"""
    least, best = 0, 0
    for g, w in enumerate(WEIGHTS[1:], 1):
        error = case["error"][g] / (case["base"] * w * spread)
        trust = 1 / (1 + error * error)
        d = (1 - trust) * w * (curve * w - slope)
        if trust > 0:
            d += trust * case["gain"][g] / case["base"]
        if d < least:
            least, best = d, g
    return best


def change(case, weight, what="loss"):
    """Logarithm of what came with the weight, over what came without the network"""
    x = weight * 10
    g = min(int(x), 9)
    y = case[what]
    return math.log(((g + 1 - x) * y[g] + (x - g) * y[g + 1]) / y[0])


def fit(cases):
    rules = [r for r in itertools.product(SLOPES, CURVES, SPREADS) if r[0] <= 2 * r[1]]
    came = {r: [change(c, WEIGHTS[choose(c, *r)]) for c in cases] for r in rules}
    mean = {r: statistics.fmean(came[r]) for r in rules}
    best = min(rules, key=mean.get)

    def as_good(r):
        worse = [a - b for a, b in zip(came[r], came[best])]
        return statistics.fmean(worse) <= statistics.stdev(worse) / math.sqrt(len(worse))
    return min(filter(as_good, rules), key=lambda r: (-r[2], mean[r]))


def main(path):
    cases = read(path)
    halves = [fit([c for c in cases if c["case"] // 8 % 2 == i]) for i in (1, 0)]
    whole = fit(cases)
    columns = [("in hindsight", lambda c: WEIGHTS[min(range(11), key=lambda g: c["loss"][g])]),
               ("weight 1", lambda c: 1), ("weight 0.5", lambda c: 0.5), ("the library's rule", lambda c: c["weight"]),
               ("fitted on the other half", lambda c: WEIGHTS[choose(c, *halves[int(c["case"]) // 8 % 2])])]
    for what in ("loss", "absolute"):
        print("\n%s of the models over that of weight 0, geometric mean; +- its standard error\n" % {
            "loss": "Pinball loss", "absolute": "Absolute error"}[what])
        print("| | cases | " + " | ".join(name for name, _ in columns) + " |\n|---|---:" + "|---:" * len(columns) + "|")
        for name, inside in CLASSES:
            chosen = [c for c in cases if inside(c)]
            if len(chosen) < 2:
                continue
            cells = []
            for _, weight in columns:
                x = [change(c, weight(c), what) for c in chosen]
                cells.append("%.4f +- %.4f" % (math.exp(statistics.fmean(x)), statistics.stdev(x) / math.sqrt(len(x))))
            print("| %s | %d | %s |" % (name, len(chosen), " | ".join(cells)))
    print("\nslope, curve, spread: %s; of the halves %s and %s" % (whole, *halves))


if __name__ == "__main__":
    main(sys.argv[1])
