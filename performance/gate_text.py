"""What a shell says of a gate, and of what one more run could show."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.wording import count
from performance.gate import Gate, change_in_words
from performance.judging import Judged


def lines(gate: Gate) -> Iterator[str]:
    """The answer first, then every figure that was looked at."""
    yield gate.sentence
    yield from (f"Warning: {text}" for text in gate.warnings)
    if not gate.judged:
        return
    yield ""
    yield f"{'figure':<28} {'change':<36} {'p':>8}  verdict"
    for one in sorted(gate.judged, key=lambda one: one.q):
        yield f"{_cut(str(one.yardstick)):<28} {change_in_words(one):<36} {one.q:>8.2g}  {_word(one, gate)}"
    yield ""
    runs = gate.judged[0].verdict
    yield (
        f"{count(runs.n_after, 'run')} against {runs.n_before} of the baseline {gate.baseline.run}; "
        f"intervals hold in {1 - gate.budget:.1%}; p is corrected for {len(gate.judged)} figures."
    )


def _word(one: Judged, gate: Gate) -> str:
    if one in gate.worse:
        return "WORSE"
    word = one.verdict.verdict
    return "no proof" if word == "worse" else word


def _cut(text: str) -> str:
    return text if len(text) <= 28 else f"{text[:27]}…"
