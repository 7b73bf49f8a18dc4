"""Errors, and the load from which on they come."""

from __future__ import annotations

from collections import Counter

import numpy as np

from analysis.proportions import wilson_interval
from performance.measured import Measured
from performance.rules.base import Finding, Thresholds, percent, picture, rounded

FEWEST = 5  # errors; fewer are an accident


def errors_that_set_in(measured: Measured, limits: Thresholds) -> list[Finding]:
    """Return one finding where errors are more than accidents, with the load at which they set in."""
    counts = [(int(measured.error[level.rows].sum()), len(level.rows)) for level in measured.levels]
    wrong, n = sum(bad for bad, _ in counts), sum(all_ for _, all_ in counts)
    share = max(bad / all_ for bad, all_ in counts)
    surely = max((wilson_interval(bad, all_) or (0.0, 0.0))[0] for bad, all_ in counts)
    if wrong < FEWEST or max(wrong / n, surely) < limits.error_share:
        return []
    rates = [measured.offered(level) for level in measured.levels]
    shares = [bad / all_ for bad, all_ in counts]
    begins = _begins(counts)
    rows = np.flatnonzero(measured.error)
    what = Counter(_called(int(measured.status[row]), bool(measured.unanswered[row])) for row in rows)
    where = Counter(measured.requests[measured.request[row]] for row in rows)
    name, _ = what.most_common(1)[0]
    text = f"{percent(share)} of the requests failed ({name})"
    if begins:
        below = sum(bad for bad, _ in counts[:begins]) / sum(all_ for _, all_ in counts[:begins])
        text = (
            f"From {rates[begins]:.0f} requests per second on {percent(shares[begins])} of them failed "
            f"({name}), and {percent(below)} below that"
        )
        text += f"; at worst {percent(share)} did" if share > shares[begins] else ""
    evidence = {
        **rounded({"errors": wrong, "n": n, "share": share, "rates": rates, "shares": shares}),
        "sets_in_at": rounded(rates[begins]) if begins else None,
        "kinds": dict(what.most_common(5)),
        "requests": dict(where.most_common(5)),
        "unanswered_share": rounded(float(measured.unanswered[rows].mean())),
        "picture": picture("line", rates, shares, x_title="load (1/s)", y_title="errors (share)"),
    }
    return [Finding("errors", name, 0.6 + 0.4 * min(share * 2, 1.0), text + ".", None, evidence)]


def _begins(counts: list[tuple[int, int]]) -> int:
    """Number of the first level with more errors than all below it, 0 where there is none (Fisher's test).

    It accuses nobody, it only says where; so 1 % is strict enough.
    """
    from scipy.stats import fisher_exact  # see rising_p

    for number in range(1, len(counts)):
        below = np.sum(counts[:number], axis=0)
        bad, n = counts[number]
        table = [[bad, n - bad], [below[0], below[1] - below[0]]]
        if fisher_exact(table, alternative="greater").pvalue < 0.01:
            return number
    return 0


def _called(status: int, is_unanswered: bool) -> str:
    if is_unanswered:
        return "no answer"
    return f"status {status}" if status >= 400 else "a check failed"
