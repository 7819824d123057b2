"""bench/shares: what rnn_explain gives to covariates, beside integrated gradients.

Eight series of 500 days with three covariates that are known ahead, two of
which act together, and a network that is trained on them from nothing.  What
a covariate does in the rows ahead is divided in four ways: by rnn_explain, by
Shapley's value (1953) over all orders, and by integrated gradients
(Sundararajan and others 2017) along the straight path from the usual values,
in 4 and in 64 steps, whose derivatives are differences of forecasts.

open      what the shares and the whole difference leave open
planted   distance from Shapley's value of the effect that was planted
exact     distance from Shapley's value of the network's forecasts

All are sums over series, steps and covariates, as parts of the sum of what was
planted.  No data are needed.
"""
import itertools
import json
import math
import random

import common

DAYS, HORIZON, SERIES, EPSILON = 500, 7, 8, 0.02
NAMES = ["promo", "price", "warmth"]
EFFECTS = {
    "products": lambda promo, price, warmth: 40 * promo - 12 * price + 8 * max(warmth, 0) + 15 * promo * max(-price, 0),
    "jumps": lambda promo, price, warmth: (30 * promo - 10 * price + 8 * max(warmth, 0) + 40 * promo * (price < -0.3) +
                                           10 * promo * max(warmth, 0) * max(-price, 0)),
}
STEPS = (4, 64)

SCRIPT = """
SET client_min_messages = error;
SET jit = off;
CREATE TEMP TABLE d (s text, n int, v float8, promo float8, price float8, warmth float8);
COPY d FROM STDIN (FORMAT csv);
{rows}
\\.
CREATE TEMP TABLE variants (id int, a float8, b float8, c float8);
COPY variants FROM STDIN (FORMAT csv);
{variants}
\\.
CREATE TEMP TABLE trained AS
SELECT rnn_train(s, n, v, jsonb_build_object('promo', promo, 'price', price, 'warmth', warmth), '{options}') AS model FROM d;
CREATE TEMP TABLE usual AS
SELECT s, (array_agg(promo ORDER BY promo))[count(*) / 2 + 1] AS promo, (array_agg(price ORDER BY price))[count(*) / 2 + 1] AS price,
       (array_agg(warmth ORDER BY warmth))[count(*) / 2 + 1] AS warmth FROM d WHERE v IS NOT NULL GROUP BY s;
SELECT json_build_array('usual', s, promo, price, warmth) FROM usual;
SELECT json_build_array('explained', series, step, covariates) FROM trained, rnn_explain(model);
SELECT json_build_array('forecast', id, series, step, forecast)
FROM trained, variants AS w, LATERAL (
    SELECT rnn_observe(model, rnn_history(s, n, v, jsonb_build_object(
        'promo', u.promo + CASE WHEN v IS NULL THEN w.a ELSE 1 END * (d.promo - u.promo),
        'price', u.price + CASE WHEN v IS NULL THEN w.b ELSE 1 END * (d.price - u.price),
        'warmth', u.warmth + CASE WHEN v IS NULL THEN w.c ELSE 1 END * (d.warmth - u.warmth)), NULL)) AS other
    FROM d JOIN usual AS u USING (s)) AS o, rnn_forecast(other);
"""


def rows_of(effect, seed):
    rng, rows = random.Random(seed), []
    for s in range(SERIES):
        level = rng.uniform(80, 120)
        for n in range(DAYS + HORIZON):
            x = (int(rng.random() < (0.15 if n < DAYS else 0.5)), rng.gauss(0, 1), math.sin(n / 20) + 0.7 * rng.gauss(0, 1))
            rows.append((str(s), n, "" if n >= DAYS else level + 10 * (n % 7) + effect(*x) + 2 * rng.gauss(0, 1), *x))
    return rows


def variants():
    """Of each covariate, how far it is on the way from its usual value."""
    corners = list(itertools.product((0.0, 1.0), repeat=3))
    path = [tuple((k + 0.5) / steps + sign * EPSILON * (i == c) for i in range(3))
            for steps in STEPS for k in range(steps) for c in range(3) for sign in (-1, 1)]
    return list(dict.fromkeys(corners + path))


def shapley(f):
    share = [0.0] * 3
    for order in itertools.permutations(range(3)):
        at = [0.0] * 3
        for c in order:
            before = f(tuple(at))
            at[c] = 1.0
            share[c] += (f(tuple(at)) - before) / 6
    return share


def integrated(f, steps):
    def moved(k, c, sign):
        return f(tuple((k + 0.5) / steps + sign * EPSILON * (i == c) for i in range(3)))
    return [sum(moved(k, c, 1) - moved(k, c, -1) for k in range(steps)) / steps / (2 * EPSILON) for c in range(3)]


def play(args, effect, seed):
    rows, at = rows_of(effect, seed), variants()
    options = {"start": "scratch", "horizon": HORIZON, "seasons": [7], "context": 28, "patch": 7, "members": 1, "steps": 1500, **args.options}
    out = common.psql(args.connection, SCRIPT.format(
        rows="\n".join(",".join(map(str, r)) for r in rows), options=json.dumps(options),
        variants="\n".join("%d,%r,%r,%r" % (i, *v) for i, v in enumerate(at))))
    told = [json.loads(line) for line in out.splitlines() if line.startswith("[")]
    usual = {t[1]: t[2:] for t in told if t[0] == "usual"}
    forecasts = {(at[t[1]], t[2], t[3]): t[4] for t in told if t[0] == "forecast"}
    ahead = {(r[0], r[1] - DAYS + 1): r[3:] for r in rows if r[1] >= DAYS}
    found, size = {}, 0
    for _, series, step, covariates in (t for t in told if t[0] == "explained"):
        x, u = ahead[series, step], usual[series]

        def f(v):
            return forecasts[v, series, step]
        planted = shapley(lambda v: effect(*(u[c] + v[c] * (x[c] - u[c]) for c in range(3))))
        exact = shapley(f)
        size += sum(map(abs, planted))
        for name, share in {"rnn_explain": [covariates[n] for n in NAMES], "Shapley": exact,
                            **{"integrated, %d steps" % k: integrated(f, k) for k in STEPS}}.items():
            sums = found.setdefault(name, [0.0] * 3)
            sums[0] += abs(sum(share) - f((1.0,) * 3) + f((0.0,) * 3))
            sums[1] += sum(abs(a - b) for a, b in zip(share, planted))
            sums[2] += sum(abs(a - b) for a, b in zip(share, exact))
    return found, size


def main():
    parser = common.players("shares", __doc__)
    parser.add_argument("--seeds", type=int, default=6, metavar="N")
    args = common.begin(parser, EFFECTS)
    results = {}
    for name in args.sets or EFFECTS:
        sums, size = {}, 0
        for seed in range(args.seeds):
            found, of = play(args, EFFECTS[name], seed)
            size += of
            for way, s in found.items():
                sums[way] = [a + b for a, b in zip(sums.get(way, [0] * 3), s)]
        results[name] = {way: [x / size for x in s] for way, s in sums.items()}
    common.table(["effect", "shares by", "open", "planted", "exact"],
                 [[name, way, *map(common.number, s)] for name, f in results.items() for way, s in f.items()])
    common.write_json(args, results)


main()
