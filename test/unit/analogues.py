"""Analogues as references, by brute force, and those that return to the usual: what the specification of the mix lacks. Needs numpy."""
import numpy as np

#            name              seasons, within, level, near
ANALOGUES = [("analogue", 2, 12, 96, 8, 5), ("analogue_short", 1, 12, 48, 3, 10)]


def analogues(x, h, season):
    """What followed the windows that were most like the last one, among the last 2,000 points."""
    out, start = {}, max(0, len(x) - 2000)
    for name, seasons, least, most, level, near in ANALOGUES:
        size = min(max(seasons * season, least), most)
        ends = np.arange(start + size, len(x) - h + 1)
        if len(ends) < 10:
            continue
        now = x[len(x) - size:]
        past = np.array([x[e - size:e] for e in ends])
        differ = now - past
        shift = differ[:, size - level:].sum(1) / level
        # sum of (differ - shift)^2 in a form that is exact for small whole numbers, so that ties are ties
        d = (differ ** 2).sum(1) - shift * (2 * differ.sum(1) - size * shift)
        best = sorted(range(len(ends)), key=lambda i: (d[i], -i))[:near]
        d = np.maximum(d[best], 0)
        w = (d[0] + 1e-9 * d[-1] + 1e-290) / (d + 1e-9 * d[-1] + 1e-290)
        out[name] = (w / w.sum()) @ np.array([x[ends[i]:ends[i] + h] + shift[i] for i in best])
    return out


REVERTING = ["season_revert", "season_mean"]


def reverting(x, h, seasons, deseasonalise):
    """A level, and the last season's, that return to the mean of many seasons; deseasonalise is the specification's."""
    m, j, out = min(seasons), np.arange(h), {}
    far = min(len(x), max(2000, 12 * max(seasons)))
    if m < 2 or far < 4 * m:
        return out
    d, ahead = deseasonalise(x, h, seasons, 0.95)
    d = d[-400:]
    w = 0.7 ** np.arange(len(d))
    level = (w / w.sum()) @ d[::-1]
    mean = x[len(x) - min(28, far // m) * m:].mean()
    out["season_revert"] = mean + (level - mean) * 0.4 ** ((j + 1) / m) + ahead
    usual = x[len(x) - min(14, far // m) * m:].reshape(-1, m).mean(0)
    out["season_mean"] = usual[j % m] + (x[len(x) - m:].mean() - usual.mean()) * 0.4 ** (1 + (j + 1) / m)
    return out


def with_all(spec, refs=17):
    """The specification's function `references` with the first `refs` of all references."""
    first = spec.references

    def references(x, h, seasons):
        out = first(x, h, seasons)
        if refs > 13:
            out.update(analogues(x, h, min(seasons)))
        if refs > 15:
            out.update(reverting(x, h, seasons, spec.deseasonalise))
        return out
    return references
