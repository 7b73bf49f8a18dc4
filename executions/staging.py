"""Read an upload wholly before anything is stored: what can't be read never opens a transaction."""

from __future__ import annotations

import hashlib
import pickle
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO

from executions.reports.base import CaseOutcome, Limits, ReportFacts
from executions.reports.packed import unpack
from executions.reports.reading import open_reports

CHUNK = 10_000  # outcomes that are stored together
TEXT = 4 << 20  # characters of what they say, after which fewer have to do
_IN_MEMORY = 2  # chunks; the rest goes to a file
BUFFER = 1 << 20
# Formats that state node ids; the names of all others are rebuilt.
WITH_NODEIDS = frozenset({"runtrail", "pytest-json-report", "pytest-reportlog", "results"})
MASS_FROM, MASS_SHARE = 10, 0.5  # cases judged, and the share of failures beyond which they accuse nobody


@dataclass
class Staged:
    """The outcomes of one upload, to be taken in pieces, and what its reports say of themselves."""

    facts: list[ReportFacts] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    size: int = 0
    digest: str = ""
    _chunks: list[list[CaseOutcome]] = field(default_factory=list)
    _file: IO[bytes] | None = None
    _spilled: int = 0

    def keep(self, chunk: list[CaseOutcome]) -> None:
        if len(self._chunks) < _IN_MEMORY:
            self._chunks.append(chunk)
            return
        self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this
        pickle.dump(chunk, self._file, protocol=pickle.HIGHEST_PROTOCOL)
        self._spilled += 1

    def chunks(self) -> Iterator[list[CaseOutcome]]:
        """Give the outcomes back, the tries of a test together; may be asked for again."""
        yield from self._chunks
        if self._file:
            self._file.seek(0)
            for _ in range(self._spilled):
                yield pickle.load(self._file)  # noqa: S301 - written by `keep` just before

    def close(self) -> None:
        if self._file:
            self._file.close()

    @property
    def cases(self) -> Counter[str]:
        """Distinct tests by the outcome that decides."""
        return sum((facts.cases for facts in self.facts), Counter())

    @property
    def attempts(self) -> int:
        return sum(facts.attempts for facts in self.facts)

    @property
    def unplaced(self) -> int:
        return sum(facts.unplaced for facts in self.facts)

    @property
    def is_derived(self) -> bool:
        return any(facts.format not in WITH_NODEIDS for facts in self.facts)

    @property
    def is_mass_failure(self) -> bool:
        """Whether most of it failed: a broken machine or build, which says nothing about single tests."""
        found = self.cases
        bad = found["failed"] + found["error"]
        judged = bad + found["passed"] + found["xpassed"]
        return judged >= MASS_FROM and bad > MASS_SHARE * judged

    @property
    def context(self) -> dict[str, str]:
        return next((facts.context for facts in self.facts if facts.context), {})

    @property
    def format(self) -> str:
        return ", ".join(dict.fromkeys(facts.format for facts in self.facts))


def stage(
    stream: BinaryIO, *, name: str = "", format: str = "auto", limits: Limits, most_cases: int | None = None
) -> Staged:
    """Read all reports of an upload; `stream` must be seekable.

    Raises:
        UnreadableReport: it is damaged, cut off, hostile, of no known format or beyond a limit.
        TooManyCases: it has more than `most_cases` cases.
    """
    staged = Staged()
    staged.digest, staged.size = content_digest(stream, limits)
    stream.seek(0)
    upload = open_reports(stream, name=name, format=format or "auto", limits=limits)
    try:
        for facts, outcomes in upload:
            for chunk in _chunks(outcomes):
                staged.keep(chunk)
                _demand_fitting(staged.attempts + facts.attempts, most_cases)
            staged.facts.append(facts)
    except BaseException:
        staged.close()
        raise
    for facts in staged.facts:
        staged.problems += facts.problems
        if facts.problems_left_out:
            staged.problems.append(f"{facts.problems_left_out} more of the kind.")
    staged.problems += [f"Left out: {text}" for text in upload.skipped[:20]]
    return staged


class TooManyCases(Exception):
    """The database in use does not take a report of this size."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"The report has more than {most:,} cases, which is the limit of SQLite here. Split it into"
            " shards, or let Runtrail use PostgreSQL (DATABASE_URL)."
        )


def _demand_fitting(attempts: int, most: int | None) -> None:
    if most is not None and attempts > most:
        raise TooManyCases(most)


def content_digest(stream: BinaryIO, limits: Limits) -> tuple[str, int]:
    """Return the SHA-256 of the unpacked content and its length in bytes; packing does not change it."""
    stream.seek(0)
    digest, size = hashlib.sha256(), 0
    for member in unpack(stream, limits):
        while data := member.stream.read(BUFFER):
            digest.update(data)
            size += len(data)
    return digest.hexdigest(), size


def _chunks(outcomes: Iterable[CaseOutcome]) -> Iterator[list[CaseOutcome]]:
    chunk: list[CaseOutcome] = []
    length = 0
    for outcome in outcomes:
        if (len(chunk) >= CHUNK or length >= TEXT) and outcome.attempt == 1:
            yield chunk
            chunk, length = [], 0
        if outcome.stdout or outcome.stderr or outcome.details:
            outcome = without_output(outcome)
            length += outcome.text_length
        chunk.append(outcome)
    if chunk:
        yield chunk


def without_output(outcome: CaseOutcome) -> CaseOutcome:
    """Return what is stored of an outcome: what a test wrote that has nothing else to say is not."""
    is_kept = outcome.message or outcome.details or outcome.outcome in {"failed", "error"}
    return outcome if is_kept else outcome._replace(stdout="", stderr="")


def staged_list(outcomes: list[CaseOutcome], digest: str) -> Staged:
    """Stage results that came as a list and not as a report."""
    facts = ReportFacts(format="results")
    worst = {row.nodeid: row.outcome for row in outcomes if row.is_final}
    facts.cases.update(worst.values())
    facts.attempts = len(outcomes)
    staged = Staged(facts=[facts], digest=digest)
    for chunk in _chunks(outcomes):
        staged.keep(chunk)
    return staged


def declared_seconds(facts: Iterable[ReportFacts]) -> float:
    """Return what the reports say that they took, in seconds; 0 where they do not."""
    found: list[Any] = [facts.declared.get("time") or facts.declared.get("duration") for facts in facts]
    return float(sum(value for value in found if value))
