"""How far a share of a few cases can be trusted."""

from __future__ import annotations

import math

Z95 = 1.959963984540054  # standard normal quantile of 0.975


def wilson_interval(hits: int, n: int, *, z: float = Z95) -> tuple[float, float] | None:
    """Return the Wilson score interval of `hits` in `n`; None for n = 0.

    Unlike the textbook interval it stays inside 0 to 1 and does not shrink to a point at 0 of n:
    1 failure in 2 runs is not "50 %".

    Args:
        hits: how often it happened, 0 <= hits <= n.
        n: of how many.
        z: the normal quantile; 1.96 gives a 95 % interval.

    Returns:
        Lower and upper bound as shares, 0 to 1.

    Raises:
        ValueError: `hits` is no number from 0 to `n`.

    Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
    Journal of the American Statistical Association 22 (1927) 209-212.

    >>> tuple(round(bound, 4) for bound in wilson_interval(1, 2))
    (0.0945, 0.9055)
    """
    if not 0 <= hits <= n:
        raise ValueError(f"hits must lie between 0 and n, not {hits} of {n}")
    if n == 0:
        return None
    share, square = hits / n, z * z
    center = (share + square / (2 * n)) / (1 + square / n)
    spread = z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    # At the ends the formula gives exactly 0 or 1 but for rounding.
    low = 0.0 if hits == 0 else max(center - spread, 0.0)
    high = 1.0 if hits == n else min(center + spread, 1.0)
    return low, high
