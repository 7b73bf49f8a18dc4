"""The pytest plugin: records a session and sends it.  It never changes what the session does.

Active with `pytest --runtrail` or `runtrail = true` in the ini file.  Every hook is guarded: a fault
of the plugin ends the recording with one line in the summary, and the tests go on.
"""

from __future__ import annotations

import functools
import os
import weakref
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from runtrail.session import Session
from runtrail.settings import settings_from

NAME = "runtrail-recording"
MARKERS = "$runtrail_markers"  # in a worker's report, on its way to the controller
STEERING = {"parametrize", "usefixtures", "filterwarnings"}  # markers that say nothing of the test
_RUNS_NOTHING = ("collectonly", "setupplan", "setuponly", "showfixtures", "show_fixtures_per_test")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("runtrail", "record the session for Runtrail")
    group.addoption("--runtrail", action="store_true", default=None, help="record this session and send it")
    group.addoption(
        "--no-runtrail",
        action="store_false",
        dest="runtrail",
        help="record nothing, whatever the ini file says",
    )
    group.addoption(
        "--runtrail-report", metavar="PATH", help="write the record to this new file, send nothing"
    )
    parser.addini("runtrail", "record sessions and send them to Runtrail", type="bool", default=False)
    parser.addini("runtrail_url", "address of the server; RUNTRAIL_URL wins", default="")
    parser.addini("runtrail_token", "token of the project; RUNTRAIL_TOKEN wins", default="")
    parser.addini("runtrail_environment", "environment of the results; RUNTRAIL_ENVIRONMENT wins", default="")
    parser.addini("runtrail_timeout", "seconds to send for at the session's end", default="")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if is_wanted(config):
        is_worker = hasattr(config, "workerinput")  # of pytest-xdist; the controller records
        config.pluginmanager.register(Worker() if is_worker else Recording(config), NAME)


def is_wanted(config: pytest.Config) -> bool:
    """Whether this session is asked to be recorded, runs tests, and is not the subject of a test itself."""
    option = config.option
    asked = config.getini("runtrail") if option.runtrail is None else option.runtrail
    if not (asked or option.runtrail_report):
        return False
    return "PYTEST_CURRENT_TEST" not in os.environ and not any(
        getattr(option, name, False) for name in _RUNS_NOTHING
    )


def guarded(hook: Callable[..., None]) -> Callable[..., None]:
    """Run the hook of a recording that goes on; a fault ends the recording and nothing else."""

    @functools.wraps(hook)
    def call(self: Recording, *arguments: Any, **named: Any) -> None:
        if self.session is None:
            return
        try:
            hook(self, *arguments, **named)
        except Exception as problem:  # whatever it is, the tests are not to blame for it
            self.give_up(problem)

    return call


class Recording:
    """The hooks of a session that is recorded; with pytest-xdist, on its controller."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.session: Session | None = None
        self.line = ""
        self._pytest_session: pytest.Session | None = None
        self._items: dict[str, pytest.Item] | None = None
        self._names = MarkerNames()
        self._markers: dict[str, list[str]] = {}
        self._collected: set[str] = set()
        _forget_in_children(self)

    def give_up(self, problem: Exception) -> None:
        session, self.session = self.session, None
        self.line = f"runtrail: recording stopped by {type(problem).__name__}: {problem}".replace("\n", " ")[
            :300
        ]
        try:
            if session is not None:
                session.abandon()
        except Exception:  # noqa: S110 - it is told already
            pass

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        config = self.config
        self._pytest_session = session
        try:
            report = config.option.runtrail_report
            self.session = Session(
                settings_from(os.environ, config.getini, Path(report).absolute() if report else None),
                folder=config.rootpath,
                arguments=[str(argument) for argument in config.invocation_params.args],
                environment=os.environ,
                runner={"name": "pytest", "version": pytest.__version__},
                distributed=config.pluginmanager.hasplugin("dsession"),
                markers_of=self._markers_of,
            )
        except Exception as problem:
            self.give_up(problem)

    @pytest.hookimpl(tryfirst=True)
    @guarded
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        assert self.session is not None  # noqa: S101 - for the type checker, here and below
        self.session.open()

    # These two are called for every test there is, so they are guarded in place.
    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        try:
            if self.session is not None:
                self.session.begin(nodeid, location)
        except Exception as problem:
            self.give_up(problem)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        try:
            if self.session is not None:
                self.session.add(report)
        except Exception as problem:
            self.give_up(problem)

    @guarded
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        assert self.session is not None  # noqa: S101
        if report.outcome != "passed" and report.nodeid not in self._collected:
            self._collected.add(report.nodeid)  # every worker collects and says the same
            self.session.add_collection(report)

    @guarded
    def pytest_internalerror(self, excrepr: Any) -> None:
        assert self.session is not None  # noqa: S101
        self.session.problem("internal_error", str(excrepr))

    @guarded
    def pytest_keyboard_interrupt(self, excinfo: Any) -> None:
        assert self.session is not None  # noqa: S101
        self.session.interrupted(f"{excinfo.typename}: {excinfo.value}".rstrip(": "))

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_from_serializable(self, data: dict[str, Any]) -> None:
        """Take what the worker added to its report, before anybody makes a report of it."""
        markers = data.pop(MARKERS, None)
        if markers:
            self._markers[data.get("nodeid", "")] = markers

    @pytest.hookimpl(trylast=True)
    @guarded
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        assert self.session is not None  # noqa: S101
        stopped = getattr(session, "shouldstop", "") or getattr(session, "shouldfail", "")
        self.line = self.session.finish(int(exitstatus), str(stopped or ""))
        self.session = None

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.line:
            terminalreporter.write_line(self.line)

    def _markers_of(self, nodeid: str) -> list[str]:
        if nodeid in self._markers:
            return self._markers[nodeid]
        if self._items is None:
            items = getattr(self._pytest_session, "items", [])
            self._items = {item.nodeid: item for item in items}
        item = self._items.get(nodeid)
        return self._names.of(item) if item is not None else []


class Worker:
    """On a worker of pytest-xdist: sends the names of markers along, which its reports don't have."""

    def __init__(self) -> None:
        self._items: dict[str, pytest.Item] = {}
        self._names = MarkerNames()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._items = {item.nodeid: item for item in session.items}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_report_to_serializable(self, report: Any) -> Generator[None, Any, None]:
        outcome = yield
        if getattr(report, "when", "") == "setup" and outcome.excinfo is None:
            item, data = self._items.get(report.nodeid), outcome.get_result()
            if item is not None and isinstance(data, dict):
                data[MARKERS] = self._names.of(item)


class MarkerNames:
    """The names of a test's markers, each once, the nearest first."""

    def __init__(self) -> None:
        self._of_parents: dict[Any, list[str]] = {}

    def of(self, item: pytest.Item) -> list[str]:
        parent, own = item.parent, item.own_markers
        inherited = self._of_parents.get(parent)
        if inherited is None:
            inherited = self._of_parents[parent] = _names(parent.iter_markers()) if parent else []
        return _names(own, inherited) if own else inherited


def _names(markers: Iterable[pytest.Mark], inherited: Iterable[str] = ()) -> list[str]:
    own = [mark.name for mark in markers if mark.name not in STEERING]
    return list(dict.fromkeys([*own, *inherited]))


def _forget_in_children(recording: Recording) -> None:
    """A test may fork: the child has the same open file and would write and send as well."""
    if not hasattr(os, "register_at_fork"):  # pragma: no cover - Windows
        return
    known = weakref.ref(recording)

    def forget() -> None:
        found = known()
        if found is not None:
            found.session = None

    os.register_at_fork(after_in_child=forget)
