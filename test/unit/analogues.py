"""Analogues as references, by brute force: what the specification of the mix lacks. Needs numpy."""
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


def with_analogues(references):
    """The function `references` of the specification, and analogues behind what it gives."""
    return lambda x, h, seasons: dict(references(x, h, seasons), **analogues(x, h, min(seasons)))
