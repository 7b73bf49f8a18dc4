"""What all rules share: the form of a finding, and how much is much."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analysis.wording import in_words


@dataclass(frozen=True)
class Finding:
    """One thing that held the target back; `score` is the strength of the evidence, 0 to 1.

    `share` is the part of the response time that it took, where that can be said.  `evidence` holds the
    numbers that the sentence rests on, and under `picture` what a chart of them needs.
    """

    kind: str
    name: str
    score: float
    text: str
    share: float | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Thresholds:
    """From where on something is worth a word.  A ratio AND a difference: 3 ms that become 6 are noise.

    noticeable: seconds that a part must take, or grow by.  dominates: share of the response time.
    grew: ratio against a lower load, an earlier time or earlier runs.  p: the chance that noise looks so.
    """

    noticeable: float = 0.02
    dominates: float = 0.6
    grew: float = 1.5
    p: float = 0.001
    error_share: float = 0.01


def rounded(value: Any) -> Any:
    """Return numbers fit for JSON: six significant digits, None for what is no number."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [rounded(inner) for inner in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


def picture(kind: str, x: Any, y: Any, *, x_title: str, y_title: str, **more: Any) -> dict[str, Any]:
    """What a chart of the evidence needs: `kind` is line or bars, x and y (n,), titles with units."""
    return rounded({"kind": kind, "x": list(x), "y": list(y), "x_title": x_title, "y_title": y_title, **more})


def percent(share: float) -> str:
    return f"{share * 100:.0f} %" if share >= 0.1 else f"{share * 100:.1f} %"


def seconds(value: float) -> str:
    return in_words(float(value))


def rising_p(values: np.ndarray) -> float:
    """Probability that values (n,) without a trend rise as steadily (Mann 1945, Kendall 1975), one-sided."""
    n = len(values)
    if n < 4:
        return 1.0
    signs = np.sign(values[None, :] - values[:, None])
    statistic = np.triu(signs, 1).sum()
    variance = n * (n - 1) * (2 * n + 5) / 18
    if statistic <= 0:
        return 1.0
    from scipy.stats import norm  # takes a quarter of a second, which only those pay who ask

    return float(norm.sf((statistic - 1) / np.sqrt(variance)))
