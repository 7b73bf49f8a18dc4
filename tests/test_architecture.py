"""The floor plan, held against the code.  It needs no tool, so it can never be skipped."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {  # app -> what it may import, besides itself
    "analysis": set(),
    "access": {"analysis"},
    "tracking": {"analysis", "access"},
    "executions": {"analysis", "access", "tracking"},
    "performance": {"analysis", "access", "tracking"},
    "batches": {"analysis", "access", "tracking", "executions"},
    "dashboards": {"analysis", "access", "tracking", "executions", "batches", "performance"},
}
DOORS = {"admin", "api", "tasks", "hooks", "views", "urls", "management", "middleware"}
BANNED_NAMES = {"utils", "helpers", "common", "misc", "services", "managers", "base_models", "signals"}
LONGEST_FILE, LONGEST_FUNCTION = 250, 40
LONG_WITH_REASON: dict[str, str] = {}

# Modules that are no doors and yet speak to the world, with the reason.
ADAPTERS = {
    "tracking/ci/__init__.py": "the door to the services that the settings name",
    "tracking/test_run_tracker.py": "a door: the Python API of scripts",
    "tracking/job_wrapper.py": "a program of its own, outside Django",
}

SOURCES = sorted(
    path.relative_to(ROOT)
    for app in [*FLOORS, "config"]
    for path in (ROOT / app).rglob("*.py")
    if "migrations" not in path.parts
)
DOMAIN = [source for source in SOURCES if source.parts[0] in FLOORS]


def room_of(source):
    return source.with_suffix("").parts[1] if len(source.parts) > 1 else ""


def is_door(source):
    return room_of(source) in DOORS or source.parts[0] == "dashboards" or str(source) in ADAPTERS


def tree_of(source):
    return ast.parse((ROOT / source).read_text())


def imports_of(source):
    for node in ast.walk(tree_of(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls_in(source):
    """Dotted names that are called, as in `timezone.now`; a field's default is not a call."""
    for node in ast.walk(tree_of(source)):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
            yield f"{called.value.id}.{called.attr}"


def test_there_is_something_to_guard():
    assert len(DOMAIN) > 40


@pytest.mark.parametrize("source", DOMAIN, ids=str)
def test_imports_go_down_the_floors(source):
    app = source.parts[0]
    for name in imports_of(source):
        there = name.partition(".")[0]
        assert there != "config", f"{source} must not import {name}: config is imported by nobody"
        if there in FLOORS and there != app:
            assert there in FLOORS[app], f"{source} must not import {name}"


@pytest.mark.parametrize("source", DOMAIN, ids=str)
def test_no_room_leads_through_a_door(source):
    if is_door(source):
        return
    for name in imports_of(source):
        app, _, rest = name.partition(".")
        if app in FLOORS:
            assert rest.split(".")[0] not in DOORS, f"{source} is no door; it must not import {name}"


@pytest.mark.parametrize("source", DOMAIN, ids=str)
def test_rooms_take_time_and_settings_as_arguments(source):
    if is_door(source):
        return
    forbidden = {"timezone.now", "datetime.now", "datetime.utcnow", "time.time"}
    assert not forbidden & set(calls_in(source)), f"{source} reads the clock"
    assert "django.conf.settings" not in set(imports_of(source)), f"{source} reads the settings"


@pytest.mark.parametrize("source", DOMAIN, ids=str)
def test_only_doors_send_tasks(source):
    if is_door(source):
        return
    sent = {name for name in calls_in(source) if name.endswith((".delay", ".apply_async"))}
    assert not sent, f"{source} sends {sent}"


@pytest.mark.parametrize("source", [s for s in DOMAIN if s.parts[0] == "analysis"], ids=str)
def test_numbers_know_nothing_of_django(source):
    assert not [name for name in imports_of(source) if name.startswith("django")]


@pytest.mark.parametrize("source", DOMAIN, ids=str)
def test_models_import_no_verb(source):
    if room_of(source) != "models":
        return
    for name in imports_of(source):
        app, _, rest = name.partition(".")
        if app == source.parts[0]:
            assert rest.split(".")[0] in {"models", "querysets"}, f"{source} must not import {name}"


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_nobody_imports_an_adapter_by_name(source):
    if source.parts[:2] == ("tracking", "ci"):
        return
    adapters = {"tracking.ci.github"}
    assert not adapters & {name.rpartition(".")[0] for name in imports_of(source)}


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_no_room_is_called_after_nothing(source):
    assert not BANNED_NAMES & set(source.with_suffix("").parts)


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_nobody_listens_to_signals(source):
    listened = {"receiver", "post_save", "pre_save", "post_delete", "pre_delete", "m2m_changed"}
    assert not listened & {name.rpartition(".")[2] for name in imports_of(source)}


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_files_and_functions_stay_short(source):
    if str(source) in LONG_WITH_REASON:
        return
    lines = (ROOT / source).read_text().count("\n")
    assert lines <= LONGEST_FILE, f"{source} has {lines} lines"
    for node in ast.walk(tree_of(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{source}: {node.name} has {length} lines"
