"""Write golden_trading.h: what the days of months add to series, by the normal equations of numpy and the Easter of
dateutil. Needs numpy and python-dateutil; the header is committed.

    python3 test/unit/make_golden_trading.py > test/unit/golden_trading.h
"""
import calendar
import datetime

import numpy as np
from dateutil.easter import easter

RIDGES = (0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)


def days(year, month):
    """How many Mondays to Sundays, and days from Thursday before to Monday after Easter Sunday."""
    all_days = [datetime.date(year, month, d + 1) for d in range(calendar.monthrange(year, month)[1])]
    near = [easter(year) + datetime.timedelta(d) for d in range(-3, 2)]
    return [sum(d.weekday() == k for d in all_days) for k in range(7)] + [sum(d in near for d in all_days)]


def change(x):
    """y(t) - y(t - 1) - y(t - 12) + y(t - 13)"""
    return x[13:] - x[12:-1] - x[1:-12] + x[:-13]


def fit(x, terms):
    y, d = change(np.log(x)), change(terms.astype(float))
    w = np.zeros(8)
    for _ in range(2):
        rest = np.abs(y - d @ w)
        weight = 1 / np.maximum(rest / rest.mean(), 1)
        a, b = d.T @ (weight[:, None] * d), d.T @ (weight * y)
        least, w = (weight * y ** 2).sum(), np.zeros(8)
        for ridge in RIDGES:
            inverse = np.linalg.inv(a + ridge * np.trace(a) / 8 * np.eye(8))
            tried = inverse @ b
            fitted = min(1.3 * np.trace(inverse @ a) / len(y), 0.9)
            expected = (weight * (y - d @ tried) ** 2).sum() / (1 - fitted) ** 2
            if expected < least:
                least, w = expected, tried
    return w


def numbers(values, form):
    return "{" + ", ".join(form % v for v in values) + "}"


def case(title, n, year, month, planted, noise, seed):
    rng = np.random.default_rng(seed)
    terms = np.array([days(year + (month - 1 + i) // 12, (month - 1 + i) % 12 + 1) for i in range(n)])
    level = np.cumsum(0.004 + 0.01 * rng.standard_normal(n)) + 0.2 * np.sin(np.arange(n) * 2 * np.pi / 12)
    x = np.round(50000 * np.exp(level + noise * rng.standard_normal(n) + (terms - terms.mean(0)) @ planted))
    print("{\n\t.title = \"%s\", .n = %d,\n\t.days = \"%s\"," % (title, n, "".join(map(str, terms.ravel()))))
    print("\t.x = %s," % numbers(x, "%d"))
    print("\t.planted = %s,\n\t.weight = %s\n}," % (numbers(planted, "%g"), numbers(fit(x, terms), "%.12g")))


SHOP = np.array([-0.01, -0.01, -0.005, 0.005, 0.015, 0.03, -0.02, 0.01])
print("/* golden_trading.h: made by make_golden_trading.py. */")
case("a shop, ten years", 120, 2004, 3, SHOP, 0.01, 1)
case("a shop, four years", 48, 2011, 1, SHOP, 0.01, 2)
case("a shop that is loud", 240, 1990, 12, SHOP, 0.08, 3)
case("no day counts", 150, 1980, 6, 0 * SHOP, 0.03, 4)
