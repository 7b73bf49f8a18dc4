"""What a run did worse than its baseline: new failures, and tests that became slower.

A single sample of a short test says little on a shared machine: a slowdown counts when it is above the
ratio against the baseline and against the median of the last runs, above an absolute floor, and seen again
in one targeted rerun.  What fails a guard is `unconfirmed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

_GOOD = {"passed", "xpassed"}
_BAD = {"failed", "error"}
Result = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """When a test counts as slower; `ratio` 1.5 is 50 % more, `floor` in seconds."""

    ratio: float = 1.5
    floor: float = 0.1
    is_plain: bool = False


def compare(
    result: Result,
    baseline: Result,
    *,
    earlier: Sequence[Result] = (),
    rerun: Callable[[list[str]], Mapping[str, float]] | None = None,
    rule: Rule = Rule(),
) -> dict[str, Any]:
    """Return `new_failures`, `performance_degradations` and `unconfirmed`.

    Args:
        earlier: results of the last runs in the same environment.
        rerun: runs the named tests once more and returns their seconds.
    """
    before = {test["name"]: test for test in baseline["tests"]}
    new_failures = [
        {
            "test_name": test["name"],
            "baseline_outcome": before[test["name"]]["outcome"],
            "outcome": test["outcome"],
        }
        for test in result["tests"]
        if test["outcome"] in _BAD and before.get(test["name"], {}).get("outcome") in _GOOD
    ]
    new_failures += _unread(result, before) + _crashed(result, baseline)
    slower = [
        _slower(test, before[test["name"]]["seconds"])
        for test in result["tests"]
        if test["outcome"] in _GOOD
        and before.get(test["name"], {}).get("outcome") in _GOOD
        and test["seconds"] > rule.ratio * before[test["name"]]["seconds"]
    ]
    if rule.is_plain:
        return {"new_failures": new_failures, "performance_degradations": slower, "unconfirmed": []}
    suspects = [row for row in slower if _is_suspect(row, earlier, rule)]
    again = rerun([row["test_name"] for row in suspects]) if rerun and suspects else {}
    sure = [row for row in suspects if again.get(row["test_name"], 0) > rule.ratio * row["baseline_seconds"]]
    unsure = [row for row in slower if row not in sure]
    return {"new_failures": new_failures, "performance_degradations": sure, "unconfirmed": unsure}


def _is_suspect(row: Mapping[str, Any], earlier: Sequence[Result], rule: Rule) -> bool:
    if row["current_seconds"] - row["baseline_seconds"] < rule.floor:
        return False
    seen = [
        test["seconds"]
        for each in earlier
        for test in each["tests"]
        if test["name"] == row["test_name"] and test["outcome"] in _GOOD
    ]
    usual = median([row["baseline_seconds"], *seen])
    return bool(row["current_seconds"] > rule.ratio * usual)


def _slower(test: Mapping[str, Any], baseline: float) -> dict[str, Any]:
    more = round((test["seconds"] / baseline - 1) * 100, 1) if baseline else None
    return {
        "test_name": test["name"],
        "baseline_seconds": baseline,
        "current_seconds": test["seconds"],
        "slowdown_percent": more,
    }


def _unread(result: Result, before: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Modules and classes that failed as a whole, of which a test passed in the baseline and is gone now."""
    now = {test["name"] for test in result["tests"]}
    gone = [name for name, test in before.items() if test["outcome"] in _GOOD and name not in now]
    return [
        {"test_name": test["name"], "baseline_outcome": "passed", "outcome": test["outcome"]}
        for test in result["tests"]
        if test["outcome"] in _BAD and test["name"] not in before and _holds(test["name"], gone)
    ]


def _holds(name: str, gone: Sequence[str]) -> bool:
    """Whether `name` stands for a whole that held one of `gone`: a file, `module::(collection)`."""
    place, _, last = name.partition("::")
    if last and not last.startswith("("):
        return False
    return any(one.startswith((f"{place}::", f"{place}.")) for one in gone)


def _crashed(result: Result, baseline: Result) -> list[dict[str, Any]]:
    """Modules whose process failed now and did not then."""
    then = {row["name"] for row in baseline["modules"] if row["error"]}
    return [
        {"test_name": row["name"], "baseline_outcome": "passed", "outcome": "error"}
        for row in result["modules"]
        if row["error"] and row["name"] not in then
    ]
