"""Runs the tests of a workspace with the user's own Python: the whole suite, or each module by itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

from analysis.wording import count
from batches.processes import Ended, run_bounded
from batches.stock import LEFT_OUT
from executions.local_run import Recorder, end_report, environment_for_tests
from executions.reports.base import CaseOutcome, UnreadableReport
from executions.reports.reading import read

TEST_FILES = ("test_*.py", "*_test.py")
NOTHING_COLLECTED = 5  # pytest's exit code
USAGE_ERROR = 4  # the one where a named test is not there
BEGAN = " began and did not end"  # what a report says of the test in which its session was cut off
MOST_NAMED = 200  # tests named on a command line; beyond that their files are
UNITTEST = Path(__file__).with_name("unittest_report.py")


@dataclass(frozen=True)
class Plan:
    """What to run and how."""

    root: Path
    python: str
    plugin: Path
    scratch: Path
    environment: Mapping[str, str]
    framework: str = "pytest"
    timeout: float = 3600.0
    pattern: str = ""
    isolated: bool = False
    selected: Sequence[str] = ()
    show: Callable[[str], None] | None = None
    is_cancelled: Callable[[], bool] | None = None
    tell: Callable[[str], None] = print


@dataclass
class ModuleRun:
    """How one process went; `name` is a module's path, or empty for the whole suite."""

    name: str
    ended: Ended
    report: Path
    cases: list[CaseOutcome] = field(default_factory=list)
    trouble: str = ""
    is_read: bool = False
    is_cut_off: bool = False  # the process ended, and the session of tests had not
    running: str = ""  # the test in which that happened, where it is known

    @property
    def has_crashed(self) -> bool:
        return self.ended.code < 0 or self.is_cut_off


def find_modules(root: Path, pattern: str = "") -> list[str]:
    """Return the test files below `root`, by name or path where there is a pattern."""
    return sorted(path for path in _files(root) if _is_meant(path, pattern))


def run_suite(plan: Plan) -> list[ModuleRun]:
    """Run what the plan says; a suite whose process crashed is run again module by module."""
    if plan.selected:
        return [_run(plan, 0, "", plan.selected)]
    modules = find_modules(plan.root, plan.pattern)
    if plan.pattern and not modules:
        return []
    if not plan.isolated:
        named = modules if plan.pattern or plan.framework == "unittest" else []
        if plan.framework == "unittest" and not named:
            return []
        whole = _run(plan, 0, "", named)
        if whole.ended.was_late or not whole.has_crashed or not modules:
            return [whole]
        plan.tell(f"{whole.trouble} Each module is run by itself.")
    runs = []
    for number, module in enumerate(modules, start=1):
        runs.append(_run(plan, number, module, [module]))
        plan.tell(f"[{number}/{len(modules)}] {module}: {_told(runs[-1])}")
        if runs[-1].ended.was_late:
            break
    return runs


def run_named(plan: Plan, names: Collection[str]) -> tuple[list[ModuleRun], set[str]]:
    """Run single tests, with unittest their files; return also which of them have a file."""
    files = _files_of(plan, names)
    there = {name for name in names if files.get(name) and (plan.root / files[name]).exists()}
    if not there:
        return [], there
    their_files = sorted({files[name] for name in there})
    by_name = plan.framework == "pytest" and len(there) <= MOST_NAMED
    plan = replace(plan, isolated=False, pattern="", show=None)
    runs = run_suite(replace(plan, selected=sorted(there) if by_name else their_files))
    if by_name and any(made.ended.code == USAGE_ERROR for made in runs):
        runs = run_suite(replace(plan, selected=their_files))  # one of them is not there yet
    return runs, there


def module_name(path: str) -> str:
    """The name under which a file is imported: what lies below `src` is found from there."""
    return path.removeprefix("src/").removesuffix(".py").replace("/", ".")


def _files_of(plan: Plan, names: Collection[str]) -> dict[str, str]:
    """Test -> its file: pytest's names begin with it, those of unittest with its module."""
    if plan.framework == "pytest":
        return {name: name.partition("::")[0] for name in names}
    modules = {module_name(path): path for path in find_modules(plan.root)}
    found = {}
    for name in names:
        parts = name.partition("::")[0].split(".")
        begins = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
        module = next((one for one in begins if one in modules), None)
        if module:
            found[name] = modules[module]
    return found


def _run(plan: Plan, number: int, name: str, arguments: Sequence[str]) -> ModuleRun:
    report = plan.scratch / f"report-{number}.{'jsonl' if plan.framework == 'pytest' else 'xml'}"
    report.unlink(missing_ok=True)
    recorder = Recorder(plan.plugin, report)
    environment = environment_for_tests(plan.environment, recorder, is_sent=False)
    if plan.framework == "pytest":
        ours = ["--tb=short", "--continue-on-collection-errors"]
        command = [plan.python, "-m", "pytest", *recorder.arguments, *ours, *arguments]
    else:
        modules = [f"{module_name(path)}={path}" for path in arguments]
        command = [plan.python, str(UNITTEST), str(report), *modules]
    ended = run_bounded(
        command, plan.root, environment, timeout=plan.timeout, show=plan.show, is_cancelled=plan.is_cancelled
    )
    made = ModuleRun(name, ended, report)
    if plan.framework == "pytest" and report.exists():
        end_report(recorder)
    _read(made)
    made.trouble = _trouble(made, plan)
    return made


def _read(made: ModuleRun) -> None:
    if not made.report.exists():
        made.is_cut_off = made.ended.code == 0
        return
    try:
        with made.report.open("rb") as file:
            facts, outcomes = read(file)
            made.cases = [case for case in outcomes if case.is_final and not case.is_duplicate]
        made.is_read, made.is_cut_off = True, facts.is_cut_off
        made.running = next((text.partition(BEGAN)[0] for text in facts.problems if BEGAN in text), "")
    except UnreadableReport as problem:
        made.trouble = f"Its report can't be read: {problem}"


def _trouble(made: ModuleRun, plan: Plan) -> str:
    if made.ended.was_late:
        return f"It took longer than {plan.timeout:g} seconds and was ended. --timeout gives it more."
    where = f" in {made.running}" if made.running else ""
    if made.ended.code < 0:
        return f"The test process crashed by signal {-made.ended.code}{where}."
    if made.is_cut_off:
        return f"The test process ended{where} with exit code {made.ended.code}, before its tests had."
    if made.trouble or made.cases or made.ended.code in {0, NOTHING_COLLECTED}:
        return made.trouble
    last = made.ended.output.strip().splitlines()[-15:]
    return "The tests could not run:\n" + "\n".join(last)


def _told(made: ModuleRun) -> str:
    bad = sum(case.outcome in {"failed", "error"} for case in made.cases)
    return made.trouble.partition("\n")[0] or f"{count(len(made.cases), 'test')}, {bad:,} failed"


def _files(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if name not in LEFT_OUT
            and not name.startswith(".")
            and not (Path(folder) / name / "pyvenv.cfg").exists()
        )
        for name in names:
            yield (Path(folder) / name).relative_to(root).as_posix()


def _is_meant(path: str, pattern: str) -> bool:
    name = path.rpartition("/")[2]
    if pattern:
        return path.endswith(".py") and (fnmatch(name, pattern) or fnmatch(path, pattern))
    return any(fnmatch(name, usual) for usual in TEST_FILES)
