"""bench/totals: sums over a horizon, and the paths that they come from.

Plays sets of the league, ansett and pbs, bikesharing by days, and synthetic
demand that is mostly 0, at their origins: the model is trained before the earliest, and observes what is
known at each.

steps    share of the single values that lie in their 90 % interval
cover    share of the sums of a horizon that lie in the 90 % interval of
         rnn_forecast_total, and beside it in the sum of the steps' bounds
group    the same of the sum of all series of a panel, at each origin
stock    share of the sums below the 95 % quantile of the total, its standard
         error by origins, since series at one origin err together, and that
         quantile as a share of the sum of the steps' 95 % quantiles
bias     of the sum of `mean`, and of the sum of `forecast`, as shares of what came
lag 1    rank correlation of neighbouring steps: of what came in its forecast,
         pooled over windows, and of the paths
off      most that a share of paths below a quantile is off its level
"""
import csv
import json
import os
import random

import common
import league

SETS = {name: {"set": name, "files": name, "kind": kind, "horizon": horizon, "season": season, "origins": origins,
               "spacing": spacing, "seasons": seasons}
        for name, kind, horizon, season, origins, spacing, seasons in [
            ("ansett", "panel", 6, 52, 30, 6, ""), ("pbs", "panel", 6, 12, 24, 6, "12")]}
DEMAND, BIKES = "demand", "bikes"
WHOLE = (DEMAND, "livestock")
MOST_SERIES = 8                # whose paths are looked at one by one
MOST_ORIGINS = 30              # of a set, the latest

SCRIPT = """
SET timezone = 'UTC';
SET client_min_messages = error;
SET jit = off;
CREATE TEMP TABLE points (series text, t {type}, value float8, seen int);
COPY points FROM STDIN (FORMAT csv);
{points}\\.
ANALYZE points;
CREATE TEMP TABLE trained AS
SELECT rnn_train(series, t, value, '{options}') AS model FROM points WHERE seen >= {earliest};
"""

def demand():
    """Series of which most values are 0, others geometric, at random rates."""
    rng = random.Random(1)
    rows = []
    horizon, origins, n, series = 6, 6, 160, 200
    for s in range(series):
        rate, size = rng.uniform(0.05, 0.5), rng.uniform(0.2, 0.8)
        for i in range(n):
            value = 0
            if rng.random() < rate:
                value = 1
                while rng.random() > size:
                    value += 1
            rows.append(("d%03d" % s, i, value, seen(i, n, horizon, origins)))
    return rows, "bigint", horizon, origins


def seen(i, n, horizon, origins):
    """The earliest origin behind row i of n: after each of the last blocks of a horizon comes one."""
    return min((n - i - 1) // horizon - 1, origins - 1)


def bikes(data):
    """All days of which there are 24 hours."""
    hours = {}
    with open(os.path.join(data, "bikesharing.csv"), newline="") as f:
        for r in csv.DictReader(f):
            hours.setdefault(r["ts"][:10], []).append(float(r["value"]))
    days = sorted((day, sum(v)) for day, v in hours.items() if len(v) == 24)
    horizon, origins = 14, 20
    return [("bikes", day, v, seen(i, len(days), horizon, origins)) for i, (day, v) in enumerate(days)], "date", horizon, origins


def script(rows, kind, horizon, origins, options):
    text = SCRIPT.format(type=kind, points=league.as_csv(rows), earliest=origins - 1,
                         options=json.dumps(options).replace("'", "''"))
    for origin in range(origins):
        text += """
CREATE TEMP TABLE o AS
SELECT rnn_observe(model, (SELECT rnn_history(series, t, value) FROM points WHERE seen >= {o})) AS model FROM trained;
CREATE TEMP TABLE came AS
SELECT series, n AS step, value FROM (SELECT series, value, row_number() OVER (PARTITION BY series ORDER BY t) AS n
                                      FROM points WHERE seen < {o}) AS p WHERE n <= {h};
CREATE TEMP TABLE f AS SELECT f.* FROM o, rnn_forecast(model, {h}) AS f;
CREATE TEMP TABLE t AS SELECT f.* FROM o, rnn_forecast_total(model, {h}) AS f;
SELECT json_build_object('sums', (SELECT json_agg(json_build_array(c.total, t.lower, t.upper, s.lower, s.upper, t.quantiles[13], s.q95, t.mean, s.forecast))
    FROM (SELECT series, sum(value) AS total FROM came GROUP BY series HAVING count(*) = {h}) AS c JOIN t USING (series)
    JOIN (SELECT series, sum(lower) AS lower, sum(upper) AS upper, sum(quantiles[13]) AS q95, sum(forecast) AS forecast FROM f GROUP BY series) AS s USING (series)),
 'group', (SELECT json_build_array((SELECT sum(value) FROM came), g.lower, g.upper, g.members) FROM o, rnn_forecast_total(model, {h}, groups => '{{"all": ""}}') AS g),
 'within', (SELECT json_build_array(count(*) FILTER (WHERE value BETWEEN lower AND upper), count(*)) FROM came JOIN f USING (series, step)),
 'places', (SELECT json_agg(p) FROM (SELECT json_agg(1 - rnn_chance_above(quantiles, value) ORDER BY step) AS p FROM came JOIN f USING (series, step) GROUP BY series HAVING count(*) = {h}) AS p),
 'paths', (SELECT json_build_array(avg(r), max(off)) FROM
    (SELECT corr(u, next) AS r, NULL::float8 AS off FROM (SELECT p.series, p.step, u, lead(u) OVER (PARTITION BY p.series, path ORDER BY p.step) AS next
        FROM (SELECT p.series, path, p.step, percent_rank() OVER (PARTITION BY p.series, p.step ORDER BY value) AS u
              FROM o, rnn_simulate(model, {h}, series => ARRAY(SELECT DISTINCT f.series FROM f ORDER BY 1 LIMIT {most})) AS p) AS p) AS n GROUP BY series, step
     UNION ALL
     SELECT NULL, greatest(avg((value < q)::int) - level, level - avg((value <= q)::int)) FROM
        (SELECT p.series, p.step, value, x.q, x.level FROM o, rnn_simulate(model, {h}, series => ARRAY(SELECT DISTINCT f.series FROM f ORDER BY 1 LIMIT {most})) AS p
         JOIN f ON f.series = p.series AND f.step = p.step, unnest(f.quantiles, rnn_quantile_levels()) AS x (q, level)) AS v GROUP BY series, step, q, level) AS x2));
DROP TABLE o, came, f, t;
""".format(o=origin, h=horizon, most=MOST_SERIES)
    return text


def share(pairs):
    pairs = list(pairs)
    return sum(pairs) / len(pairs) if pairs else None


def correlation(pairs):
    n = len(pairs)
    if n < 10:
        return None
    a, b = sum(p[0] for p in pairs) / n, sum(p[1] for p in pairs) / n
    aa, bb = sum((p[0] - a) ** 2 for p in pairs), sum((p[1] - b) ** 2 for p in pairs)
    return sum((p[0] - a) * (p[1] - b) for p in pairs) / (aa * bb) ** 0.5 if aa * bb > 0 else None


def error_by_origins(told, is_so):
    """Of a share of sums, of which only those of different origins say anything anew."""
    shares = [share(is_so(s) for s in t["sums"]) for t in told if t["sums"]]
    n, mean = len(shares), share(shares)
    return (sum((x - mean) ** 2 for x in shares) / (n - 1) / n) ** 0.5 if n > 1 else None


def figures(told):
    sums = [s for t in told for s in t["sums"] or []]
    groups = [t["group"] for t in told if t["sums"] and len(t["sums"]) == t["group"][3] > 1]
    actual = sum(s[0] for s in sums)
    places = [p for t in told for w in t["places"] or [] for p in zip(w, w[1:])]
    paths = [t["paths"][0] for t in told if t["paths"][0] is not None]
    within, steps = (sum(t["within"][i] for t in told) for i in (0, 1))
    return {"sums": len(sums), "steps": within / steps if steps else None, "cover": share(s[1] <= s[0] <= s[2] for s in sums),
            "bounds": share(s[3] <= s[0] <= s[4] for s in sums),
            "groups": len(groups), "group": share(g[1] <= g[0] <= g[2] for g in groups),
            "stock": share(s[0] <= s[5] for s in sums), "error": error_by_origins(told, lambda s: s[0] <= s[5]), "size": sum(s[5] for s in sums) / sum(s[6] for s in sums),
            "bias": sum(s[7] for s in sums) / actual - 1, "median": sum(s[8] for s in sums) / actual - 1,
            "came": correlation(places), "paths": sum(paths) / len(paths) if paths else None,
            "off": max((t["paths"][1] for t in told if t["paths"][1] is not None), default=None)}


def rows_of(args, name):
    if name == DEMAND:
        return demand()
    if name == BIKES:
        return bikes(args.data)
    row = {**(SETS.get(name) or LEAGUE[name])}
    row.update((k, v) for k, v in (("origins", args.origins), ("spacing", args.spacing)) if v)
    found = league.League(args.data, row)
    rows = found.rows if len({r[0] for r in found.rows}) <= args.most else thin(found.rows, args.most)
    return rows, found.type(), found.horizon, 1 if found.kind == "split" else min(found.origins, MOST_ORIGINS)


def thin(rows, most):
    """So many series, evenly spread."""
    names = sorted({r[0] for r in rows})
    kept = {names[i * len(names) // most] for i in range(most)}
    return [r for r in rows if r[0] in kept]


def main():
    parser = common.players("totals", __doc__)
    parser.add_argument("--most", type=int, default=400, metavar="N", help="series of a set at most")
    parser.add_argument("--origins", type=int, metavar="N", help="origins of a set of the league, in place of its own")
    parser.add_argument("--spacing", type=int, metavar="STEPS", help="steps from one of them to the next")
    with open(os.path.join(parser.parse_known_args()[0].data, "league.csv"), newline="") as f:
        LEAGUE.update((r["set"], r) for r in csv.DictReader(f))
    for more in ("second.csv", "singles.csv"):
        with open(os.path.join(league.HERE, more), newline="") as f:
            LEAGUE.update((r["set"], r) for r in csv.DictReader(f))
    names = [*SETS, BIKES, DEMAND, *LEAGUE]
    args = common.begin(parser, names)
    results = {}
    head = ["set", "sums", "steps", "cover", "bounds", "group", "stock", "error", "size", "bias", "median", "lag 1 came", "paths", "off"]
    for name in args.sets or names:
        rows, kind, horizon, origins = rows_of(args, name)
        # Numbers of items and animals are said to be whole, as a user would.
        options = {"start": "prior", "horizon": horizon, **({"integer": True} if name in WHOLE else {}), **args.options}
        try:
            out = common.psql(args.connection, script(rows, kind, horizon, origins, options))
        except RuntimeError as e:
            common.progress("%s: %s" % (name, e))
            continue
        f = results[name] = figures([json.loads(line) for line in out.splitlines() if line.startswith("{")])
        common.progress("%s %s" % (name, json.dumps({k: round(v, 4) for k, v in f.items() if v is not None})))
    common.table(head, [[name, str(f["sums"])] + [common.number(f[k]) for k in (
        "steps", "cover", "bounds", "group", "stock", "error", "size", "bias", "median", "came", "paths", "off")] for name, f in results.items()])
    common.write_json(args, results)


LEAGUE = {}
main()
