"""What the pages about tests show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, F, FloatField, QuerySet, Value, When
from django.db.models.functions import Abs, Cast, NullIf

from access.models import Project
from dashboards.paging import Order
from dashboards.states import State, state
from executions.figures import Figures, figures_of, together
from executions.models import CaseStatistics, Result, ResultSet, ResultText, SameCode, TestCase
from executions.querysets import pieces
from tracking.models import TestRun

BY_NAME = Order((("nodeid", False), ("suite", False), ("id", False)))
ROWS = 100
_MARKS = {"xfailed": ("skipped", "xfailed"), "xpassed": ("passed", "xpassed")}
COLUMNS = [
    *("nodeid", "suite", "runs", "passed", "failed", "error", "skipped", "failure_rate", "rate_low"),
    *("rate_high", "mean", "p50", "p95", "last_run_at", "last_failure_at"),
]


def outcome_state(word: str) -> State:
    """Return the state of a test's outcome."""
    kind, shown = _MARKS.get(word, (word, word))
    return state(kind, shown)


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A test in a list, with its figures over both spaces."""

    case: TestCase
    figures: Figures
    local: Figures | None
    ci: Figures | None

    @property
    def strip(self) -> list[tuple[State, str]]:
        return [(outcome_state(word), word) for word in self.figures.recent[-20:]]


def rows_of(cases: Iterable[TestCase]) -> list[CaseRow]:
    """Return a row for each test, in one more query for all."""
    cases = list(cases)
    found: defaultdict[int, list[CaseStatistics]] = defaultdict(list)
    for piece in pieces([case.pk for case in cases]):
        for row in CaseStatistics.objects.filter(case_id__in=piece):
            found[row.case_id].append(row)
    return [_row(case, found[case.pk]) for case in cases]


def _row(case: TestCase, rows: list[CaseStatistics]) -> CaseRow:
    by_space = {row.space: figures_of(row) for row in rows}
    return CaseRow(case, together(rows), by_space.get("local"), by_space.get("ci"))


def stream(cases: QuerySet[TestCase], limit: int, chunk: int = 500) -> Iterator[dict[str, Any]]:
    """Yield up to `limit` tests for a file, `chunk` at a time."""
    batch: list[TestCase] = []
    for case in cases[:limit].iterator(chunk_size=chunk):
        batch.append(case)
        if len(batch) == chunk:
            yield from map(plain, rows_of(batch))
            batch = []
    yield from map(plain, rows_of(batch))


def plain(row: CaseRow) -> dict[str, Any]:
    """A test for a file: snake_case, seconds, rates 0 to 1."""
    names = COLUMNS[2:]
    return {
        "nodeid": row.case.nodeid,
        "suite": row.case.suite,
        **{name: getattr(row.figures, name) for name in names},
    }


@dataclass(frozen=True, slots=True)
class Point:
    """How a test went in one run."""

    at: datetime
    run: TestRun
    space: str
    state: State
    word: str
    duration: float | None


@dataclass(frozen=True, slots=True)
class CasePage:
    """One test: figures per space and over both, its last runs, its failures, and what speaks against it."""

    case: TestCase
    spaces: list[Figures]
    all: Figures
    points: list[Point]
    failures: list[ResultText]
    same_code: list[SameCode]

    @property
    def has_durations(self) -> bool:
        return any(point.duration is not None for point in self.points)

    @property
    def strips(self) -> dict[str, list[Point]]:
        """The last runs by space, oldest first."""
        found: defaultdict[str, list[Point]] = defaultdict(list)
        for point in reversed(self.points):
            found[point.space].append(point)
        return dict(found)


def load(case: TestCase) -> CasePage:
    """Return the page of a test in a fixed number of queries."""
    rows = list(CaseStatistics.objects.filter(case=case).order_by("space"))
    results = (
        Result.objects.deciding()
        .filter(case=case)
        .select_related("set__run__environment", "set__run__definition")
    )
    points = [
        Point(
            row.started_at,
            row.set.run,
            row.set.space,
            outcome_state(row.outcome_word),
            row.outcome_word,
            row.duration,
        )
        for row in results.order_by("-started_at", "-set_id")[:ROWS]
    ]
    texts = ResultText.objects.filter(case=case).select_related("set__run").order_by("-started_at", "-id")
    proofs = SameCode.objects.filter(case=case, passes__gt=0).order_by("-last_at")
    return CasePage(
        case=case,
        spaces=[figures_of(row) for row in rows],
        all=together(rows),
        points=points,
        failures=list(texts[:5]),
        same_code=list(proofs[:10]),
    )


@dataclass(frozen=True, slots=True)
class RunResults:
    """The tests of one run, failed ones first, with what they said."""

    result_set: ResultSet
    rows: list[tuple[Result, State, ResultText | None]]

    @property
    def hidden(self) -> int:
        return max(self.result_set.total - len(self.rows), 0)


_RANK = [2, 1, 5, 4, 3]  # error, failed, xpassed, xfailed, skipped


def results_of(run: TestRun, most: int = 200) -> RunResults | None:
    """Return the tests of a run, or None where none were reported."""
    result_set = ResultSet.objects.filter(run=run).first()
    if result_set is None:
        return None
    deciding = Result.objects.of_set(result_set).deciding().select_related("case")
    rank = Case(*(When(outcome=code, then=Value(place)) for place, code in enumerate(_RANK)))
    # What did not pass has an index of its own; of the others the first ones known, without reading names.
    rows = list(deciding.filter(outcome__gt=0).order_by(rank, "case__nodeid")[:most])
    rows += deciding.filter(outcome=0).order_by("case_id")[: most - len(rows)]
    texts = {
        (text.case_id, text.ordinal, text.attempt): text
        for text in ResultText.objects.filter(set=result_set, case__in=[row.case_id for row in rows])
    }
    return RunResults(
        result_set,
        [
            (row, outcome_state(row.outcome_word), texts.get((row.case_id, row.ordinal, row.attempt)))
            for row in rows
        ],
    )


def spaces_rows(project: Project, most: int = ROWS) -> list[dict[str, Any]]:
    """Tests that ran at a desk and in CI, the furthest apart first."""
    cases = [*_apart_by(project, "local", "ci", most), *_apart_by(project, "ci", "local", most)]
    if len(set(cases)) < most:
        cases += _never_apart(project, most)
    found = [_apart(row) for row in rows_of(TestCase.objects.filter(pk__in=cases)) if row.local and row.ci]
    return sorted(found, key=lambda row: (-abs(row["difference"] or 0), row["row"].case.nodeid))[:most]


def _apart_by(project: Project, space: str, other: str, most: int) -> list[int]:
    """Tests that failed in one space and ran in the other, the furthest apart first."""
    here, there = F("passed") + F("xpassed"), F("case__statistics__passed") + F("case__statistics__xpassed")
    bad, bad_there = F("failed") + F("error"), F("case__statistics__failed") + F("case__statistics__error")
    apart = Abs(_share(bad, here + bad) - _share(bad_there, there + bad_there))
    rows = CaseStatistics.objects.in_project(project).ever_failed().filter(space=space)
    both = rows.filter(case__statistics__space=other).order_by(apart.desc(nulls_last=True), "case_id")
    return list(both.values_list("case_id", flat=True)[:most])


def _never_apart(project: Project, most: int) -> list[int]:
    """Tests that ran in both spaces, by name; none where only one of them is known."""
    sets = ResultSet.objects.filter(project=project)
    if not all(sets.filter(space=space).exists() for space in ("local", "ci")):
        return []
    cases = TestCase.objects.in_project(project).filter(statistics__space="local")
    return list(
        cases.filter(statistics__space="ci").order_by("nodeid", "suite").values_list("pk", flat=True)[:most]
    )


def _share(part: Any, whole: Any) -> Any:
    """A part of a whole as a number that is no integer; null where the whole is nothing."""
    return Cast(part, FloatField()) / NullIf(Cast(whole, FloatField()), Value(0.0))


def _apart(row: CaseRow) -> dict[str, Any]:
    local, ci = row.local, row.ci
    assert local is not None and ci is not None  # noqa: PT018, S101 - the caller looked
    difference = sure = None
    if local.failure_rate is not None and ci.failure_rate is not None:
        difference = ci.failure_rate - local.failure_rate
        sure = bool(
            (local.rate_high or 0) < (ci.rate_low or 0) or (ci.rate_high or 0) < (local.rate_low or 0)
        )
    ratio = ci.mean / local.mean if ci.mean and local.mean else None
    return {"row": row, "difference": difference, "sure": sure, "ratio": ratio}
