"""The way in: content of any known format, packed or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from executions.reports.attempts import counted
from executions.reports.base import CaseOutcome, Limits, ReportFacts, UnknownFormat
from executions.reports.ctrf import read_ctrf
from executions.reports.detection import HEAD, detect
from executions.reports.go_test import read_go_test
from executions.reports.junit import read_junit
from executions.reports.nunit import read_nunit
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


def read(
    stream: BinaryIO, *, name: str = "", format: str = "auto", limits: Limits = DEFAULT_LIMITS
) -> tuple[ReportFacts, Iterator[CaseOutcome]]:
    """Return the facts and the outcomes of one report that is not packed.

    The outcomes are read while they are taken; the facts are complete when they have ended, and not before.

    Args:
        stream: the content, from its beginning; it need not be seekable and is not closed.
        name: what the report is called, for its facts only.
        format: a key of `READERS`, or `auto`.

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
    return facts, counted(reader(source, Recorder(facts, limits)), facts)
