"""Runs side by side: was it slower, by how much, how sure is that, and was it the queue or the work?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from analysis.comparison import Comparison, benjamini_hochberg
from analysis.wording import in_words
from tracking.compared_times import PARTS, Measured, compare_part, measure, reason_of, seed_of
from tracking.environments_compared import differences_of
from tracking.models import TestRun

MOST_HEADS = 10  # compared at once
_ORDER = {"faster": 0, "same": 1, "not enough data": 1, "slower": 2}


@dataclass(frozen=True, slots=True)
class Part(Comparison):
    """One part of two runs' time, in seconds per workflow; `reason` says why it has no interval."""

    name: str = ""
    reason: str = ""

    @property
    def numbers(self) -> dict[str, Any]:
        """For programs and files; seconds, and on how many workflows."""
        names = ("base", "head", "difference", "ratio", "low", "high", "verdict", "smallest")
        counted = {"n": [self.n_base, self.n_head], "reason": self.reason or None}
        return {**{name: getattr(self, name) for name in names}, **counted}


@dataclass(frozen=True, slots=True)
class RunComparison:
    """`share_of_queueing` is the part of a slowdown of `total` that is queueing, 0 to 1; else None."""

    base: TestRun
    head: TestRun
    parts: dict[str, Part]
    differences: list[tuple[str, str, str]]

    @property
    def share_of_queueing(self) -> float | None:
        queue, execution = self.parts["queue"].difference, self.parts["execution"].difference
        if queue is None or execution is None or self.parts["total"].verdict != "slower":
            return None
        slower = max(queue, 0.0) + max(execution, 0.0)
        return max(queue, 0.0) / slower if slower > 0 else None

    @property
    def sentence(self) -> str:
        """The answer in one line."""
        total, queue, execution = (self.parts[name] for name in ("total", "queue", "execution"))
        if total.difference is None:
            return "There is nothing to compare: one of the two has no measured workflows."
        if total.verdict == "same":
            return "The two took the same time."
        if total.verdict == "not enough data":
            return "The difference is not larger than the noise; nothing is proved."
        blame = [
            name
            for name, part in (("queueing", queue), ("execution", execution))
            if part.verdict == total.verdict
        ]
        why = f": it is {' and '.join(blame)}" if blame else ""
        return f"The second is {total.verdict} by {abs(total.difference):.1f} s per workflow{why}."

    @property
    def could_see(self) -> str:
        """What would have been found at this noise, in one line; empty where nothing can be said."""
        total = self.parts["total"]
        if total.smallest is None:
            return ""
        share = f" ({100 * total.smallest / total.base:.0f} %)" if total.base else ""
        return f"At this noise, {in_words(total.smallest)}{share} or more would have been seen."


@dataclass(frozen=True, slots=True)
class Place:
    """One run in the order from fastest to slowest; `total` is None for the base itself.

    Runs that are not told apart from the base share its place.
    """

    place: int | None
    run: TestRun
    total: Part | None = None

    @property
    def numbers(self) -> dict[str, Any]:
        """For programs; seconds per workflow, against the base."""
        names = ("difference", "ratio", "low", "high", "verdict")
        found = {name: getattr(self.total, name) if self.total else None for name in names}
        return {"place": self.place, "test_run_id": self.run.test_run_id, **found}


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Several runs, each against the base."""

    base: TestRun
    found: list[RunComparison]
    measured: list[Measured]  # of the base, then of each of the others

    @property
    def ranking(self) -> list[Place]:
        """The runs from fastest to slowest, by the shift of `total` from the base; unmeasured ones last."""
        rows: list[tuple[TestRun, Part | None, int, float]] = [(self.base, None, 1, 0.0)]
        unknown = []
        for one in self.found:
            total = one.parts["total"]
            if total.difference is None:
                unknown.append(Place(None, one.head, total))
            else:
                rows.append((one.head, total, _ORDER[total.verdict], total.difference))
        rows.sort(key=lambda row: (row[2], row[3]))
        ahead = sum(group == 0 for _, _, group, _ in rows)
        places = [ahead + 1 if group == 1 else at for at, (_, _, group, _) in enumerate(rows, start=1)]
        ranked = [Place(place, run, total) for place, (run, total, *_) in zip(places, rows, strict=True)]
        return ranked + unknown

    @property
    def sentence(self) -> str:
        """The answer in one line."""
        if len(self.found) == 1:
            return self.found[0].sentence
        counts = dict.fromkeys(_ORDER, 0)
        for one in self.found:
            counts[one.parts["total"].verdict] += 1
        told = [f"{count} {verdict}" for verdict, count in counts.items() if count]
        return f"Of {len(self.found)} runs against the base: {', '.join(told)}."


def compare_runs(base: TestRun, head: TestRun) -> RunComparison:
    """Compare the latest attempts of two runs' workflows, part by part; the same answer every time."""
    return compare_many(base, [head]).found[0]


def compare_many(base: TestRun, heads: Sequence[TestRun]) -> Comparisons:
    """Compare each of `heads` with `base`.

    All parts of all of them are looked at together, so each has to be surer than one alone (Benjamini and
    Hochberg): the verdict of one depends a little on what else is shown.

    Raises:
        ValueError: none or more than `MOST_HEADS` are given.
    """
    if not 0 < len(heads) <= MOST_HEADS:
        raise ValueError(f"Name 1 to {MOST_HEADS} runs to compare with the base.")
    before, *after = measured = [measure(run) for run in (base, *heads)]
    pairs = list(zip(heads, after, strict=True))
    tables = _adjusted([_parts(before, times, seed_of(base, head)) for head, times in pairs])
    found = [
        RunComparison(base, head, parts, list(differences_of(base, head)))
        for head, parts in zip(heads, tables, strict=True)
    ]
    return Comparisons(base, found, measured)


def _parts(before: Measured, after: Measured, seed: int) -> dict[str, Part]:
    compared = {name: compare_part(name, before, after, seed=seed) for name in PARTS}
    return {
        name: Part(**asdict(found), name=name, reason=reason_of(name, found))
        for name, found in compared.items()
    }


def _adjusted(tables: list[dict[str, Part]]) -> list[dict[str, Part]]:
    tested = [part for parts in tables for part in parts.values() if part.p is not None]
    surely = dict(
        zip(
            map(id, tested),
            benjamini_hochberg([part.p for part in tested if part.p is not None]),
            strict=True,
        )
    )
    return [{name: _unless_by_chance(part, surely) for name, part in parts.items()} for parts in tables]


def _unless_by_chance(part: Part, surely: dict[int, float]) -> Part:
    if part.verdict in ("slower", "faster") and surely.get(id(part), 1.0) > 0.05:
        return replace(part, verdict="not enough data")
    return part


def as_rows(found: Comparisons) -> Iterator[dict[str, Any]]:
    """Every part of every run for a table in a file; seconds."""
    for one in found.found:
        for part in one.parts.values():
            numbers = part.numbers
            counts = dict(zip(("n_base", "n_head"), numbers.pop("n"), strict=True))
            runs = {"base_run": one.base.test_run_id, "head_run": one.head.test_run_id}
            yield {**runs, "part": part.name, **numbers, **counts}
