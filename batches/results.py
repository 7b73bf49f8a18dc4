"""Results of a run of tests as the files of `test_batch_logs/` show them, and as text and JUnit XML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

from batches.runner import ModuleRun
from executions.reports.base import CaseOutcome

BAD = {"failed": "FAIL", "error": "ERROR"}
_PASSED = {"passed", "xpassed"}
_LOCATION = re.compile(
    r'^(?:(?:  |E +)File "(?P<a>[^"]+)", line (?P<m>\d+)|(?P<b>[^\s:]+\.py):(?P<n>\d+):)', re.MULTILINE
)
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
COLLECTION = "(collection)"  # instead of a test's name, where its module could not be read
LONGEST = 20_000  # characters of a traceback


def seed_time(at: datetime) -> str:
    """UTC, naive, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def build_result(
    runs: Sequence[ModuleRun],
    *,
    root: str,
    batch_id: int | None,
    started: datetime,
    seconds: float,
    commit: str,
) -> dict[str, Any]:
    """Return one result with its modules and tests; a process that failed is an `ERROR` of its module."""
    cases = [case for made in runs for case in made.cases]
    failures = [_failure(case, root) for case in cases if case.outcome in BAD]
    failures += [_crash(made) for made in runs if made.trouble]
    counts: Counter[str] = Counter(case.outcome for case in cases)
    crashed = sum(bool(made.trouble) for made in runs)
    return {
        "batch_id": batch_id,
        "timestamp": seed_time(started),
        "success": bool(cases) and not failures,
        "total_tests": len(cases) + crashed,
        "passed_tests": counts["passed"] + counts["xpassed"],
        "failed_tests": len(failures),
        "skipped_tests": counts["skipped"] + counts["xfailed"],
        "duration_seconds": round(seconds, 3),
        "git_commit_hash": commit,
        "failures": failures,
        "modules": _modules(cases, runs),
        "tests": [
            {"name": case.nodeid, "outcome": case.outcome, "seconds": round(case.duration or 0.0, 6)}
            for case in cases
        ],
    }


def short(result: Mapping[str, Any]) -> dict[str, Any]:
    """The part that `test_results.json` lists."""
    return {key: value for key, value in result.items() if key not in {"modules", "tests"}}


def module_of(nodeid: str, file: str = "") -> str:
    """`tests/test_a.py::TestA::test_b` -> `tests.test_a`; names with dots need the `file` for that."""
    place = nodeid.partition("::")[0]
    if not place.endswith(".py"):
        place = file.removeprefix("src/") or (place if "::" in nodeid else nodeid.rpartition(".")[0])
    return place.removesuffix(".py").replace("/", ".")


def to_junit(result: Mapping[str, Any]) -> bytes:
    """Return the result as JUnit XML; tests in their modules."""
    texts = {failure["nodeid"]: failure for failure in result["failures"] if "nodeid" in failure}
    texts |= {_name(failure): failure for failure in result["failures"]}
    top = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(
        top,
        "testsuite",
        name="batch",
        tests=str(result["total_tests"]),
        failures=str(sum(each["type"] == "FAIL" for each in result["failures"])),
        errors=str(sum(each["type"] == "ERROR" for each in result["failures"])),
        skipped=str(result["skipped_tests"]),
        time=str(result["duration_seconds"]),
        timestamp=result["timestamp"],
    )
    for test in result["tests"]:
        class_name, name = split(test["name"])
        case = ElementTree.SubElement(
            suite, "testcase", classname=_clean(class_name), name=_clean(name), time=str(test["seconds"])
        )
        if test["outcome"] in BAD:
            kind = "failure" if test["outcome"] == "failed" else "error"
            text = texts.get(f"{class_name}.{name}", {}).get("traceback", "")
            told = ElementTree.SubElement(case, kind, message=_clean(text.strip().rpartition("\n")[2]))
            told.text = _clean(text)
        elif test["outcome"] in {"skipped", "xfailed"}:
            ElementTree.SubElement(case, "skipped")
    for failure in result["failures"]:
        if failure["test_name"] == "(process)":
            case = ElementTree.SubElement(suite, "testcase", classname=failure["module"], name="(process)")
            ElementTree.SubElement(case, "error").text = _clean(failure["traceback"])
    return bytes(ElementTree.tostring(top, encoding="utf-8", xml_declaration=True))


def text_report(result: Mapping[str, Any], edits: Sequence[Mapping[str, Any]], pattern: str = "") -> str:
    """Return the report of a batch for people: counts, its edits, and every failure with its traceback.

    Args:
        pattern: of the files that ran, where those were not all.
    """
    lines = [
        f"TEST REPORT - BATCH {result['batch_id']}" if result["batch_id"] else "TEST REPORT",
        "=" * 70,
        f"Time:     {result['timestamp']} UTC",
        f"Commit:   {result['git_commit_hash'] or 'none'}",
        *([f"Pattern:  {pattern} (not all tests ran)"] if pattern else []),
        f"Result:   {'PASSED' if result['success'] else 'FAILED'}",
        f"Tests:    {result['total_tests']} total, {result['passed_tests']} passed, "
        f"{result['failed_tests']} failed, {result['skipped_tests']} skipped",
        f"Duration: {result['duration_seconds']:.2f} s",
        "",
        "EDITS IN THIS BATCH",
        "-" * 70,
    ]
    lines += [f"{n}. {edit['file_path']}: {edit['description'] or '-'}" for n, edit in enumerate(edits, 1)]
    lines += ["none"] * (not edits)
    for number, failure in enumerate(result["failures"], start=1):
        title = f"{number}. {failure['type']}: {failure['test_class']}.{failure['test_name']}"
        lines += ["", title, f"   at {failure['file_location'] or 'unknown'}", "-" * 70, failure["traceback"]]
    return "\n".join(lines) + "\n"


def split(nodeid: str) -> tuple[str, str]:
    """Return module and class with dots, and the test's own name."""
    if "::" not in nodeid and nodeid.endswith(".py"):
        return module_of(nodeid), COLLECTION
    if "::" not in nodeid:
        class_name, _, name = nodeid.rpartition(".")
        return class_name, name
    head, bracket, parameters = nodeid.partition("[")
    _, *classes, name = head.split("::")
    return ".".join([module_of(nodeid), *classes]), name + bracket + parameters


def _failure(case: CaseOutcome, root: str) -> dict[str, Any]:
    class_name, name = split(case.nodeid)
    traceback = (case.details or case.message)[:LONGEST]
    return {
        "type": BAD[case.outcome],
        "test_name": name,
        "test_class": class_name,
        "module": module_of(case.nodeid, case.file),
        "traceback": traceback,
        "file_location": _location(traceback, root) or (f"{case.file}:{case.line or 1}" if case.file else ""),
    }


def _location(traceback: str, root: str) -> str:
    """The last place in the workspace that a traceback names."""
    found = ""
    for match in _LOCATION.finditer(traceback):
        path = (match["a"] or match["b"]).removeprefix(root + "/")
        if not path.startswith(("/", "<", "..")):
            found = f"{path}:{match['m'] or match['n']}"
    return found


def _crash(made: ModuleRun) -> dict[str, Any]:
    module = made.name.removesuffix(".py").replace("/", ".") or "suite"
    return {
        "type": "ERROR",
        "test_name": "(process)",
        "test_class": module,
        "module": module,
        "traceback": made.trouble,
        "file_location": made.name,
    }


def _modules(cases: Sequence[CaseOutcome], runs: Sequence[ModuleRun]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for case in cases:
        name = module_of(case.nodeid, case.file)
        row = found.setdefault(name, _empty(name))
        row["total_tests"] += 1
        word = "failed" if case.outcome in BAD else "passed" if case.outcome in _PASSED else "skipped"
        row[f"{word}_tests"] += 1
        row["duration_seconds"] = round(row["duration_seconds"] + (case.duration or 0.0), 6)
    for made in runs:
        if made.trouble:
            name = _crash(made)["module"]
            found.setdefault(name, _empty(name))["error"] = made.trouble
    for row in found.values():
        row["success"] = not row["failed_tests"] and not row["error"]
    return list(found.values())


def _empty(name: str) -> dict[str, Any]:
    counts = dict.fromkeys(("total_tests", "passed_tests", "failed_tests", "skipped_tests"), 0)
    return {"name": name, "success": True, **counts, "duration_seconds": 0.0, "error": ""}


def _name(failure: Mapping[str, Any]) -> str:
    return f"{failure['test_class']}.{failure['test_name']}"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
