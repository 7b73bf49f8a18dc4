"""Whether runs differ, by how much and how sure that is; the unit of proof is a run, never a request.

Requests of one run share its machine, its neighbors and its minute, so a million of them prove nothing about
the next run.  Figures of runs are compared on a logarithmic scale, where differences are ratios and where the
spread of runs is about equal on both sides.  That spread is estimated from both sides together and from
earlier identical runs (`Noise`), so that even one run against one has an honest interval; Student's t pays
for how little is known of it.

Sources: B. L. Welch and W. S. Gosset's t; J. Cohen, Statistical Power Analysis, 2.3 (noncentral t);
N. Cliff, Psychological Bulletin 114 (1993) 494-509; S. Holm, Scandinavian Journal of Statistics 6 (1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

SURE = 0.95
POWER = 0.8
BETTER, WORSE, SAME, NO_PROOF = "better", "worse", "same", "no proof"


@dataclass(frozen=True, slots=True)
class Noise:
    """How much identical runs differ: a standard deviation of `freedom` degrees, in logs or in the unit."""

    deviation: float
    freedom: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """`ratio` is after by before with its 95 % interval, or on the plain scale the difference.

    `p` is of no difference at all; `delta` is Cliff's, -1 to 1, positive where after is greater.
    `smallest` is the change, as a share (or in the unit), that would have been seen in four of five cases.
    `error` and `freedom` are the standard error on the working scale and its degrees of freedom, for those
    who add up.
    """

    n_before: int
    n_after: int
    before: float | None = None
    after: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    delta: float | None = None
    smallest: float | None = None
    error: float | None = None
    freedom: int = 0
    verdict: str = NO_PROOF
    reason: str = ""
    is_ratio: bool = True


def judge_runs(
    before: Sequence[float],
    after: Sequence[float],
    *,
    less_is_better: bool = True,
    same_within: float = 0.05,
    noise: Noise | None = None,
    is_ratio: bool = True,
    sure: float = SURE,
) -> Verdict:
    """Compare one figure of runs before and after a change.

    Args:
        before, after: one value per run, (n,) and (m,), in one unit.
        same_within: share, or on the plain scale amount, that makes no difference to anybody.
        noise: what identical runs told of the spread, on the same scale.
        is_ratio: compare by ratio; else by difference (shares of errors, which may be zero).

    Returns:
        same where the interval lies inside `same_within`, better or worse where it leaves "no change" out,
        no proof otherwise, with the reason.
    """
    x, y = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    told = Verdict(len(x), len(y), is_ratio=is_ratio)
    if not len(x) or not len(y):
        return replace(told, reason="there is no run on one of the two sides")
    if is_ratio and (x.min() <= 0 or y.min() <= 0):
        return replace(told, reason="a figure of zero has no ratio")
    a, b = (np.log(x), np.log(y)) if is_ratio else (x, y)
    told = replace(told, before=_center(a, is_ratio), after=_center(b, is_ratio), delta=cliffs_delta(x, y))
    spread = pooled([a, b], noise)
    shift = float(b.mean() - a.mean())
    if spread is None:
        reason = "one run each tells nothing of how much identical runs differ; make more of them"
        return replace(told, ratio=_out(shift, is_ratio), reason=reason)
    error = spread.deviation * math.sqrt(1 / len(x) + 1 / len(y))
    return _judged(told, shift, error, spread.freedom, same_within, less_is_better, sure)


def judge_pairs(
    first: Sequence[float],
    second: Sequence[float],
    *,
    less_is_better: bool = True,
    same_within: float = 0.05,
    sure: float = SURE,
) -> Verdict:
    """Compare two figures measured in the same rounds, (n,) each, so that what a round shares cancels."""
    x, y = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    told = Verdict(len(x), len(y))
    if len(x) and min(x.min(), y.min()) <= 0:
        return replace(told, reason="a figure of zero has no ratio")
    if not len(x):
        return replace(told, reason="no round measured both")
    gaps = np.log(y) - np.log(x)
    shift = float(gaps.mean())
    told = replace(
        told, before=_center(np.log(x), True), after=_center(np.log(y), True), delta=cliffs_delta(x, y)
    )
    if len(gaps) < 2:
        return replace(told, ratio=_out(shift, True), reason="one round has no spread; make more of them")
    error = float(gaps.std(ddof=1)) / math.sqrt(len(gaps))
    return _judged(told, shift, error, len(gaps) - 1, same_within, less_is_better, sure)


def pooled(groups: Sequence[np.ndarray], noise: Noise | None = None) -> Noise | None:
    """Return the spread inside groups of identical runs, together with what was known; None if of nothing."""
    freedom = sum(len(group) - 1 for group in groups if len(group))
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in groups if len(group))
    if noise is not None:
        freedom += noise.freedom
        squares += noise.deviation**2 * noise.freedom
    if freedom < 1:
        return None
    return Noise(math.sqrt(squares / freedom), freedom)


def cliffs_delta(before: np.ndarray, after: np.ndarray) -> float:
    """Return how much more often a value after is the greater one, -1 to 1."""
    return float(np.sign(np.subtract.outer(after, before)).mean())


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted so that the chance of any false one is held (family-wise), in their order."""
    order = np.argsort(p_values)
    adjusted, worst = [1.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = worst
    return adjusted


def product(verdicts: Sequence[Verdict], *, sure: float = SURE) -> tuple[float, float, float] | None:
    """Return the product of independent ratios with its interval; None where none is known with its error.

    Degrees of freedom by Welch and Satterthwaite.
    """
    known = [one for one in verdicts if one.ratio and one.error is not None and one.freedom]
    if not known:
        return None
    total = sum(math.log(one.ratio or 1) for one in known)
    variances = [(one.error or 0) ** 2 for one in known]
    variance = sum(variances)
    if variance == 0:
        return math.exp(total), math.exp(total), math.exp(total)
    below = sum(v**2 / one.freedom for v, one in zip(variances, known, strict=True))
    reach = t_quantile(sure, variance**2 / below) * math.sqrt(variance)
    return math.exp(total), math.exp(total - reach), math.exp(total + reach)


def _judged(
    told: Verdict,
    shift: float,
    error: float,
    freedom: int,
    same_within: float,
    less_is_better: bool,
    sure: float,
) -> Verdict:
    reach = t_quantile(sure, freedom) * error
    low, high = shift - reach, shift + reach
    tolerance = math.log1p(same_within) if told.is_ratio else same_within
    word, reason = NO_PROOF, ""
    if -tolerance <= low and high <= tolerance:
        word = SAME
    elif low > 0 or high < 0:
        word = WORSE if (shift > 0) == less_is_better else BETTER
    else:
        reason = "the noise of the runs hides it"
    smallest = detectable(error, freedom, sure, POWER)
    return replace(
        told,
        ratio=_out(shift, told.is_ratio),
        low=_out(low, told.is_ratio),
        high=_out(high, told.is_ratio),
        p=_p_value(shift, error, freedom),
        smallest=math.expm1(smallest) if told.is_ratio else smallest,
        error=error,
        freedom=freedom,
        verdict=word,
        reason=reason,
    )


def _center(values: np.ndarray, is_ratio: bool) -> float:
    return _out(float(values.mean()), is_ratio)


def _out(value: float, is_ratio: bool) -> float:
    return math.exp(min(value, 700.0)) if is_ratio else value


def t_quantile(sure: float, freedom: float) -> float:
    """Return Student's quantile that bounds the middle `sure` of the distribution."""
    return _student(freedom, (1 + sure) / 2)


def _p_value(shift: float, error: float, freedom: int) -> float:
    if error == 0:
        return 1.0 if shift == 0 else 0.0
    from scipy.special import stdtr

    return float(2 * stdtr(freedom, -abs(shift) / error))


def detectable(error: float, freedom: float, sure: float, power: float) -> float:
    """Return the shift that a standard error lets be seen in `power` of all cases."""
    if error == 0:
        return 0.0
    # The exact answer needs a search in the noncentral t; two quantiles of t come within a few percent of it.
    return error * (t_quantile(sure, freedom) + _student(freedom, power))


def _student(freedom: float, share: float) -> float:
    # Loading it takes longer than the server's start, so it is loaded when needed.
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share))
