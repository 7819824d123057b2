"""What the specification of the mix lacks, by brute force: more references (analogues, those that return to the usual,
and regressions on blocks), more origins, and weights at each step ahead. Needs numpy."""
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


def trailing_windows(spec, x, h, seasons):
    """What each reference forecast at the origins, the latest first: (end, steps, name -> forecast)."""
    n, windows = len(x), []
    least, gap = max(2 * seasons[0], 6), gap_of(n, h, spec.patch)
    for v in range(origins(h)):
        end = n - v * gap - min(h, max(1, (n - least) // 2))
        hh = min(h, n - v * gap - end)
        if end < least:
            break
        windows.append((end, hh, spec.references(x[:end], hh, seasons)))
    return windows


def trailing_errors(spec, x, h, seasons, names):
    """The specification's function, by more origins where there is room, the later the heavier."""
    errors = {k: [] for k in names}
    for end, hh, refs in trailing_windows(spec, x, h, seasons):
        for k, f in refs.items():
            if k in errors:
                errors[k].append(np.abs(f - x[end:end + hh]).mean())
    seen = max(map(len, errors.values()))
    w = FADE ** np.arange(seen)
    return {k: w @ e / w.sum() for k, e in errors.items() if seen and len(e) == seen}, seen


PARTS, CELLS, WHOLE = 8, 24, 3


def local_mix(spec, x, h, seasons, kappa):
    """The mix by weights at each step: errors of steps that are near, and at the same phase, beside those of all steps."""
    now = spec.references(x, h, seasons)
    errors, seen = spec.trailing_errors(x, h, seasons, now)
    if seen == 0:
        return now["naive"]
    names, (_, whole) = list(errors), spec.weights(errors, seen, kappa)
    error, count = np.zeros((len(names), h)), np.zeros(h)
    for v, (end, hh, refs) in enumerate(trailing_windows(spec, x, h, seasons)):
        error[:, :hh] += FADE ** v * np.abs(np.array([refs[k] for k in names]) - x[end:end + hh])
        count[:hh] += FADE ** v
    j, parts, cells = np.arange(h), min(PARTS, h), min(seasons[0], CELLS)
    part, cell, out = j * parts // h, j % seasons[0] * cells // seasons[0], np.zeros(h)
    for step in range(h):
        lead = (j - (part[step] + 0.5) * h / parts + 0.5) * 4 / h
        around = np.abs(cell - cell[step])
        phase = np.minimum(around, cells - around) * 12 / cells
        near = np.exp(-(lead ** 2 + phase ** 2) / 2)
        e, origins_here = (error * near).sum(1) / max((count * near).sum(), 1e-300), (count * near).sum() / near.sum()
        usual = np.median(e)
        if not (origins_here > 0 and usual > 0):
            e, usual, origins_here = whole, 1, 0
        e = (origins_here * e / usual + 1) / (origins_here + 1)
        e = (origins_here * e + WHOLE * whole / np.median(whole)) / (origins_here + WHOLE)
        w = (e / e.min()) ** -kappa
        out[step] = w / w.sum() @ np.array([now[k][step] for k in names])
    return out


def complete(spec, refs=19):
    """Gives the specification the first `refs` of all references, the origins at which they are scored, and weights at
    each step; the mix by the weights of all steps is then `whole_mix`."""
    first, weights = spec.references, spec.weights
    spec.patch, spec.origins, spec.whole_mix = 1, origins, spec.mix

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
    spec.mix = lambda x, h, seasons, kappa=spec.KAPPA: local_mix(spec, x, h, seasons, kappa)
    spec.trailing_errors = lambda *args: trailing_errors(spec, *args)
    spec.weights = lambda errors, seen, kappa=spec.KAPPA: weights(errors, (FADE ** np.arange(seen)).sum(), kappa)
