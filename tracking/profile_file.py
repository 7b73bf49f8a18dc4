"""Read a `runtrail.toml`: every fault with its line and key, or a profile that holds."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from access.models import REPOSITORY
from tracking.identifiers import environment_name
from tracking.models import Environment
from tracking.profile_lines import Path, line_finder

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
_TYPE = re.compile(r"[a-z0-9][a-z0-9_-]*\Z")


Others = Mapping[str, str]
NO_OTHERS: Others = MappingProxyType({})


class FaultyProfile(Exception):
    """The file can't be taken; `faults` has a line for each reason."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Profile:
    """What a file asks for; fields that it leaves out are absent and stay as they are."""

    slug: str
    project: dict[str, Any] = field(default_factory=dict)
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)


Check = Callable[[Any], str]  # what is wrong with a value; empty: nothing


def _text(most: int, pattern: re.Pattern[str] | None = None, told: str = "") -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            return "must be a text in quotes"
        if len(value) > most:
            return f"must have at most {most} characters"
        return told if pattern is not None and not pattern.match(value) else ""

    return check


def _whole(least: int, most: int) -> Check:
    def check(value: Any) -> str:
        is_right = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        return "" if is_right else f"must be a whole number from {least:,} to {most:,}"

    return check


def _seconds(most: float) -> Check:
    def check(value: Any) -> str:
        is_right = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most
        return "" if is_right else f"must be a number of seconds from 0 to {most:,.0f}"

    return check


def _words(value: Any) -> str:
    is_right = isinstance(value, list) and value and all(isinstance(word, str) for word in value)
    return "" if is_right else 'must be a list of texts, as in ["python", "build.py"]'


def _texts(value: Any) -> str:
    is_right = isinstance(value, list) and all(isinstance(one, str) and one for one in value)
    return "" if is_right else 'must be a list of texts, as in ["tests/test_cart.py::test_total"]'


def _inputs(value: Any) -> str:
    is_right = isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
    return "" if is_right else 'must be a table of texts, as in { region = "us-east-1" }'


def _kind(value: Any) -> str:
    kinds = [*Environment.Kind.values, "production"]
    return "" if value in kinds else f"must be one of {', '.join(Environment.Kind.values)}"


KINDS = ("workflows", "suite")
_SMALL = "may have small letters, digits and hyphens, beginning with a letter or digit"
PROJECT: dict[str, Check] = {
    "slug": _text(50, _NAME, _SMALL),
    "name": _text(100),
    "repository": _text(200, re.compile(rf"{REPOSITORY}|\Z"), "must be owner/name"),
    "default_branch": _text(255),
}
ENVIRONMENT: dict[str, Check] = {
    "kind": _kind,
    "service": _text(20),
    "ref": _text(255),
    "inputs": _inputs,
}
DEFINITION: dict[str, Check] = {
    "test_type": _text(40, _TYPE, "may have small letters, digits, hyphens and underscores"),
    "description": _text(5000),
    "timeout": _whole(1, 31_536_000),
    "steps": lambda value: "" if isinstance(value, list) and value else "must have at least one step",
    "kind": lambda value: "" if value in KINDS else f"must be one of {', '.join(KINDS)}",
}
# A suite has one command in place of steps, and its results are taken by themselves.
SUITE: dict[str, Check] = {
    **{name: check for name, check in DEFINITION.items() if name != "steps"},
    "workspace": _text(1000),
    "command": _words,
    "expected": _texts,
    "reports": _texts,
}
STEP: dict[str, Check] = {
    "workflow": _text(255),
    "command": _words,
    "count": _whole(1, 10_000),
    "inputs": _inputs,
    "start_after": _seconds(31_536_000),
    "spacing": _seconds(86_400),
    "at_most": _whole(0, 10_000),
    "timeout": _whole(1, 31_536_000),
}


def read_profile(text: str, *, services: list[str], others: Others = NO_OTHERS) -> Profile:
    """Return what a file asks for.

    Args:
        text: the content of a `runtrail.toml`.
        services: the CI services that this installation knows.
        others: tables that somebody else reads (empty), or why they can't be in this file.

    Raises:
        FaultyProfile: with every fault, its line and its key.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise FaultyProfile([f"This is no TOML: {problem}."]) from None
    line_of = line_finder(text)
    faults = [
        f"line {line_of(path)}: {'.'.join(map(str, path))} {told}"
        for path, told in _faults(data, services, others)
    ]
    if faults:
        raise FaultyProfile(faults)
    return Profile(
        slug=data["project"]["slug"],
        project={key: value for key, value in data["project"].items() if key != "slug"},
        environments={environment_name(name): row for name, row in data.get("environments", {}).items()},
        definitions=data.get("definitions", {}),
    )


def _faults(
    data: dict[str, Any], services: list[str], others: Mapping[str, str]
) -> Iterator[tuple[Path, str]]:
    known = ["project", "environments", "definitions", *(name for name, why in others.items() if not why)]
    for name in data.keys() - set(known):
        told = f"is no table of this file; there are {', '.join(known[:-1])} and {known[-1]}"
        yield (name,), others.get(name) or told
    project = data.get("project")
    if not isinstance(project, dict) or "slug" not in project:
        yield ("project", "slug"), "is missing: the project's short name"
    yield from _table(("project",), project if isinstance(project, dict) else {}, PROJECT)
    names: dict[str, str] = {}
    for name, row in _rows(data, "environments"):
        path = ("environments", name)
        if not _NAME.match(environment_name(name)) or len(name) > 50:
            yield path, _SMALL
        if environment_name(name) in names:
            yield path, f"is {names[environment_name(name)]} once more"
        names[environment_name(name)] = name
        yield from _table(path, row, ENVIRONMENT)
        if isinstance(row, dict) and row.get("service") not in (None, *services):
            yield (*path, "service"), f"is unknown; there are {', '.join(sorted(services))}"
    for name, row in _rows(data, "definitions"):
        path = ("definitions", name)
        if not _NAME.match(name) or len(name) > 50:
            yield path, _SMALL
        is_suite = isinstance(row, dict) and row.get("kind") == "suite"
        yield from _table(path, row, SUITE if is_suite else DEFINITION)
        if is_suite and "command" not in row:
            yield (*path, "command"), "is missing: what runs the suite"
        steps = row.get("steps") if isinstance(row, dict) else None
        for number, step in enumerate(steps if isinstance(steps, list) else []):
            yield from _table((*path, "steps", number), step, STEP)
            if isinstance(step, dict) and not {"workflow", "command"} & step.keys():
                yield (*path, "steps", number), "needs a workflow (for GitHub) or a command (for local)"


def _rows(data: dict[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    found = data.get(name, {})
    yield from found.items() if isinstance(found, dict) else [("", found)]


def _table(path: Path, row: Any, checks: dict[str, Check]) -> Iterator[tuple[Path, str]]:
    if not isinstance(row, dict):
        yield path, "must be a table"
        return
    for key, value in row.items():
        if key not in checks:
            yield (*path, key), f"is unknown here; there are {', '.join(checks)}"
        elif told := checks[key](value):
            yield (*path, key), told
