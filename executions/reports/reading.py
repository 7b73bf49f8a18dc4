"""The way in: content of any known format, packed or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, TypeVar

from executions.reports.attempts import Ledger, counted
from executions.reports.base import CaseOutcome, Limits, ReportFacts, UnknownFormat, UnreadableReport
from executions.reports.ctrf import read_ctrf
from executions.reports.detection import HEAD, detect
from executions.reports.go_test import read_go_test
from executions.reports.junit import read_junit
from executions.reports.nunit import read_nunit
from executions.reports.packed import unpack
from executions.reports.pytest_json import read_pytest_json
from executions.reports.recorder import Recorder
from executions.reports.reportlog import read_reportlog
from executions.reports.runtrail_report import read_runtrail
from executions.reports.source import buffered
from executions.reports.tap import read_tap
from executions.reports.trx import read_trx
from executions.reports.xunit_net import read_xunit

Reader = Callable[[BinaryIO, Recorder], Iterator[CaseOutcome]]
READERS: dict[str, Reader] = {
    "runtrail": read_runtrail,
    "junit": read_junit,
    "pytest-json-report": read_pytest_json,
    "pytest-reportlog": read_reportlog,
    "ctrf": read_ctrf,
    "trx": read_trx,
    "xunit": read_xunit,
    "nunit3": read_nunit,
    "nunit2": read_nunit,
    "go-test-json": read_go_test,
    "tap": read_tap,
}
DEFAULT_LIMITS = Limits()
_Item = TypeVar("_Item")


def read(
    stream: BinaryIO,
    *,
    name: str = "",
    format: str = "auto",
    limits: Limits = DEFAULT_LIMITS,
    ledger: Ledger | None = None,
    tries_before: int = 0,
) -> tuple[ReportFacts, Iterator[CaseOutcome]]:
    """Return the facts and the outcomes of one report that is not packed.

    The outcomes are read while they are taken; the facts are complete when they have ended, and not before.

    Args:
        stream: the content, from its beginning; it need not be seekable and is not closed.
        name: what the report is called, for its facts only.
        format: a key of `READERS`, or `auto`.
        ledger: the tests of the reports of the same upload that were read before.
        tries_before: how many of these are earlier tries of the same tests.

    Raises:
        UnknownFormat: at once, when the format is unknown.
        UnreadableReport: while the outcomes are taken; nothing of the report holds then.
    """
    source = buffered(stream, limits)
    if format in {"auto", ""}:
        format = detect(source.peek(HEAD)[:HEAD])
    reader = READERS.get(format)
    if reader is None:
        raise UnknownFormat(
            f"The format {format[:40]!r} is unknown; known are {', '.join(READERS)}, or auto."
        )
    facts = ReportFacts(format=format, name=name)
    outcomes = reader(source, Recorder(facts, limits))
    if tries_before:
        outcomes = (outcome._replace(tries_before=tries_before) for outcome in outcomes)
    return facts, counted(outcomes, facts, ledger)


@dataclass(slots=True)
class Upload:
    """The reports of one upload, one after another; each has to be read before the next is asked for.

    Iterating raises `UnknownFormat` where no report is found, and `UnreadableReport` as soon as one is
    damaged: nothing of the upload holds then.  `skipped` says what was left out of a zip, and why.
    """

    stream: BinaryIO
    name: str = ""
    format: str = "auto"
    limits: Limits = DEFAULT_LIMITS
    skipped: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[ReportFacts, Iterator[CaseOutcome]]]:
        found = 0
        ledger = Ledger()
        members = _named(unpack(self.stream, self.limits, name=self.name, skipped=self.skipped), self.name)
        for member in members:
            try:
                facts, outcomes = read(
                    member.stream,
                    name=member.name,
                    format=self.format,
                    limits=self.limits,
                    ledger=ledger,
                    tries_before=member.tries_before,
                )
            except UnknownFormat as reason:
                self.skipped.append(f"{member.name}: {reason}" if member.name else str(reason))
                continue
            except UnreadableReport as error:
                raise _told(error, member.name) from error
            found += 1
            yield facts, _named(outcomes, member.name)
        if not found:
            reasons = "; ".join(self.skipped[:5]) or "The zip is empty."
            raise UnknownFormat(f"No report was found. {reasons}")


def _named(items: Iterator[_Item], name: str) -> Iterator[_Item]:
    """Pass `items` on, and say in which file of an upload it is that can't be read."""
    try:
        yield from items
    except UnreadableReport as error:
        raise _told(error, name) from error


def _told(error: UnreadableReport, name: str) -> UnreadableReport:
    is_told = not name or str(error).startswith(f"{name}: ")
    return error if is_told else type(error)(f"{name}: {error}")


def open_reports(
    stream: BinaryIO, *, name: str = "", format: str = "auto", limits: Limits = DEFAULT_LIMITS
) -> Upload:
    """Return the reports of an upload, plain, gzip or zip.

    >>> import io
    >>> upload = open_reports(io.BytesIO(b'<testsuite><testcase classname="a" name="b"/></testsuite>'))
    >>> [(facts.format, [row.nodeid for row in rows]) for facts, rows in upload]
    [('junit', ['a::b'])]
    """
    return Upload(stream, name, format, limits)
