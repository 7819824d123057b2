"""References that the specification of the mix lacks, by brute force: analogues, those that return to the usual, and
regressions on blocks. Needs numpy."""
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


AUTOREGRESSIONS = ["autoregression", "autoregression_recent"]


def regress(d, size, stride, ahead):
    """What follows d: blocks of `size` points, each by a ridge regression on the one before."""
    mean, cosine = d.mean(), np.cos(np.pi * np.outer(np.arange(10), np.arange(size) + 0.5) / size) / size
    unit = np.abs(d - mean).max() or 1
    d = (d - mean) / unit

    def tell(end):
        return np.concatenate([cosine @ d[end - size:end], d[end - 1:end], [d[max(0, end - 7 * size):end].mean()]])

    ends = np.arange(len(d) - size, size - 1, -stride)
    x, y = np.array([tell(e) for e in ends]), np.array([d[e:e + size] for e in ends])
    scale = np.sqrt((x ** 2).sum(0))
    scale[scale == 0] = 1
    a, b, best = (x / scale).T @ (x / scale), (x / scale).T @ y, None
    for ridge in (0.01, 0.1, 1):
        inverse = np.linalg.inv(a + ridge * np.eye(12))
        w = inverse @ b
        rest = ((y - x / scale @ w) ** 2).sum()
        score = rest / max(1 - np.trace(inverse @ a) / (len(ends) * stride / size), 1e-3) ** 2
        if best is None or score < best[0]:
            best = score, w / scale[:, None]
    n = len(d)
    while len(d) < n + len(ahead):
        d = np.append(d, tell(len(d)) @ best[1])
    return mean + unit * d[n:n + len(ahead)] + ahead


def autoregressions(x, h, seasons, deseasonalise):
    """Regressions by the last 2,000 points, less the slow profile of the seasons, and by the later half of them."""
    m = min(seasons)
    d, ahead = deseasonalise(x, h, seasons, 0.95) or (x, np.zeros(h))
    size = -(-12 // m) * m if m <= 60 else 24
    stride, d = max(m, size // 4) if m <= 60 else size // 4, d[-2000:]
    used = [d, d[len(d) - len(d) // 2:]]
    return {name: regress(u, size, stride, ahead) for name, u in zip(AUTOREGRESSIONS, used) if len(u) // size >= 20}


FADE = 0.85


def origins(h):
    return max(6, min(16, 4096 // h))


def gap_of(n, h, patch):
    """From one origin to the next: whole patches, or the largest part of one that a horizon holds, but in short series."""
    if n < 10 * h:
        return max(1, h // 2)
    return h // patch * patch if h >= patch else max(g for g in range(1, h + 1) if patch % g == 0)


def trailing_errors(spec, x, h, seasons, names):
    """The specification's function, by more origins where there is room, the later the heavier."""
    n, errors = len(x), {k: [] for k in names}
    least, gap = max(2 * seasons[0], 6), gap_of(n, h, spec.patch)
    for v in range(origins(h)):
        end = n - v * gap - min(h, max(1, (n - least) // 2))
        hh = min(h, n - v * gap - end)
        if end < least:
            break
        for k, f in spec.references(x[:end], hh, seasons).items():
            if k in errors:
                errors[k].append(np.abs(f - x[end:end + hh]).mean())
    seen = max(map(len, errors.values()))
    w = FADE ** np.arange(seen)
    return {k: w @ e / w.sum() for k, e in errors.items() if seen and len(e) == seen}, seen


def complete(spec, refs=19):
    """Gives the specification the first `refs` of all references, and the origins at which they are scored."""
    first, weights = spec.references, spec.weights
    spec.patch, spec.origins = 1, origins

    def references(x, h, seasons):
        out = first(x, h, seasons)
        if refs > 13:
            out.update(analogues(x, h, min(seasons)))
        if refs > 15:
            out.update(reverting(x, h, seasons, spec.deseasonalise))
        if refs > 17:
            out.update(autoregressions(x, h, seasons, spec.deseasonalise))
        return out

    spec.references = references
    spec.trailing_errors = lambda *args: trailing_errors(spec, *args)
    spec.weights = lambda errors, seen, kappa=spec.KAPPA: weights(errors, (FADE ** np.arange(seen)).sum(), kappa)
