"""A quality gate that keeps its promise: of decisions about identical runs, at most `budget` say "regressed".

The figures of new runs are held against those of earlier, identical ones.  Each is a prediction on the scale
of logarithms (Student's), widened where runs resemble their neighbors in time; all figures share one budget
(Holm, Scandinavian Journal of Statistics 6 (1979) 65-70): looking at more of them costs power, not honesty.
A wild run is no regression: it is the middle of three or more new runs that counts, and it must also lie
beyond nine of ten earlier ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

BUDGET = 0.01
FEWEST_HISTORY, FEWEST_NEW = 10, 3
MEDIAN_LOSS = 1.4  # times the variance of a mean; 1.35 for three values, 1.57 for very many
USUAL = 0.9  # of earlier runs stayed below what a regression's middle run must pass
WILD = 5.0  # spreads of the history away from the middle of the new runs
SUSPECT = 0.05  # one or two new runs as odd as that are asked for more


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of earlier runs, oldest first, and of new ones; `floor` is the least change that matters."""

    name: str
    history: Sequence[float]
    new: Sequence[float]
    less_is_better: bool = True
    floor: float = 0.0


@dataclass(frozen=True, slots=True)
class FigureVerdict:
    """`base` and `head` are medians; `ratio` is head by base, None where they are not above zero.

    `p` is how often identical runs look this bad, `limit` what it is held against, `smallest` the worsening,
    as a share, that would be seen in four of five cases.  `more_runs` new runs would settle it.
    """

    name: str
    verdict: str
    reason: str
    n_history: int
    n_new: int
    base: float | None = None
    head: float | None = None
    ratio: float | None = None
    p: float | None = None
    limit: float | None = None
    smallest: float | None = None
    more_runs: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """`verdict` is `pass`, `regressed` or `not enough data`; the figures keep their order."""

    verdict: str
    budget: float
    figures: tuple[FigureVerdict, ...] = field(default_factory=tuple)

    @property
    def regressed(self) -> list[FigureVerdict]:
        return [figure for figure in self.figures if figure.verdict == "regressed"]


def decide(figures: Sequence[Figure], *, budget: float = BUDGET, same_within: float = 0.05) -> Decision:
    """Decide on the new runs by all figures at once.

    Args:
        budget: share of decisions on identical runs that may say "regressed".
        same_within: a worsening below this share is passed, however sure it is.

    Raises:
        ValueError: the budget is no share between 0 and 0.5, or a figure is not finite.
    """
    if not 0 < budget <= 0.5:
        raise ValueError(f"the budget is a share between 0 and 0.5, not {budget}")
    seen = [_look_at(figure, same_within, budget / len(figures)) for figure in figures]
    judged = sorted((one.p, place) for place, one in enumerate(seen) if one.p is not None)
    open_limit = True
    for rank, (p, place) in enumerate(judged):
        limit = budget / (len(judged) - rank)
        open_limit = open_limit and p <= limit
        seen[place] = _settle(seen[place], figures[place], limit, open_limit, same_within)
    verdicts = {one.verdict for one in seen}
    verdict = next((one for one in ("regressed", "not enough data") if one in verdicts), "pass")
    return Decision(verdict if seen else "not enough data", budget, tuple(seen))


def _look_at(figure: Figure, same_within: float, limit: float) -> FigureVerdict:
    old, new = np.asarray(figure.history, dtype=float), np.asarray(figure.new, dtype=float)
    if not (np.isfinite(old).all() and np.isfinite(new).all()):
        raise ValueError(f"{figure.name}: leave out the runs without the figure, all must be finite")
    found = FigureVerdict(figure.name, "not enough data", "", len(old), len(new))
    if len(old) < FEWEST_HISTORY or len(new) == 0:
        missing = f"{FEWEST_HISTORY} earlier identical runs and one new run are needed"
        return replace(found, reason=missing, more_runs=max(1 - len(new), 0))
    base, head = float(np.median(old)), float(np.median(new))
    in_logs = min(old.min(), new.min()) > 0
    sign = 1.0 if figure.less_is_better else -1.0
    scaled = (np.log(old), np.log(new)) if in_logs else (old, new)
    # A wild run makes the middle of three the upper of two: it is left out, and missed.
    away = np.abs(scaled[1] - np.median(scaled[1]))
    spread = float(scaled[0].std(ddof=1))
    tame = scaled[1][away <= WILD * spread] if spread > 0 else scaled[1]
    p, error = _prediction(sign * scaled[0], sign * tame)
    smallest = (_student(1 - limit, len(old) - 1) + 0.85) * error
    return replace(
        found,
        n_new=len(tame),
        base=base,
        head=head,
        ratio=head / base if in_logs else None,
        p=p,
        smallest=math.expm1(smallest)
        if in_logs and figure.less_is_better
        else _share(smallest, in_logs, base),
    )


def _settle(
    seen: FigureVerdict, figure: Figure, limit: float, odd: bool, same_within: float
) -> FigureVerdict:
    if seen.base is None or seen.head is None or seen.p is None:
        return seen
    worse = (seen.head - seen.base) * (1 if figure.less_is_better else -1)
    matters = worse > max(same_within * abs(seen.base), figure.floor)
    edge = float(np.quantile(figure.history, USUAL if figure.less_is_better else 1 - USUAL))
    beyond = seen.head > edge if figure.less_is_better else seen.head < edge
    suspect = matters and seen.p <= SUSPECT
    seen = replace(seen, limit=limit)
    if seen.n_new < FEWEST_NEW and suspect:
        more = FEWEST_NEW - seen.n_new
        return replace(seen, reason=f"looks worse; run it {more} more time(s) to be sure", more_runs=more)
    if odd and matters and beyond:
        return replace(seen, verdict="regressed", reason="worse than identical runs are")
    if odd and matters:
        return replace(seen, verdict="pass", reason="worse on average, within what earlier runs reached")
    reason = "no worse than identical runs" if not odd else "worse by less than what matters"
    return replace(seen, verdict="pass", reason=reason)


def _prediction(old: np.ndarray, new: np.ndarray) -> tuple[float, float]:
    """Return the one-sided p of the middle new run lying so much higher, and the error it is held against."""
    from scipy.special import stdtr

    n, spread = len(old), float(old.std(ddof=1))
    r = _resemblance(old)
    middle = MEDIAN_LOSS if len(new) > 2 else 1.0
    error = spread * math.sqrt(middle * _mean_variance(len(new), r) + _mean_variance(n, r))
    gap = float(np.median(new) - old.mean())
    if error == 0:
        return (0.0 if gap > 0 else 1.0), 0.0
    return float(stdtr(n - 1, -gap / error)), error


def _resemblance(old: np.ndarray) -> float:
    """The correlation of neighbors, at the upper end of what so few runs can tell; never below 0."""
    rest = old - old.mean()
    power = float((rest**2).sum())
    if power <= 0:
        return 0.0
    n = len(old)
    r = float((rest[1:] * rest[:-1]).sum()) / power
    return min(max(r + (1 + 4 * r) / n + 1 / math.sqrt(n), 0.0), 0.9)


def _mean_variance(n: int, r: float) -> float:
    """The variance of the mean of n neighbors that correlate by r, in units of that of one."""
    steps = np.arange(1, n)
    return float(1 + 2 * ((1 - steps / n) * r**steps).sum()) / n


def _student(q: float, freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, q))


def _share(smallest: float, in_logs: bool, base: float) -> float | None:
    if in_logs:
        return -math.expm1(-smallest)  # of what is better when there is more of it
    return smallest / abs(base) if base else None
