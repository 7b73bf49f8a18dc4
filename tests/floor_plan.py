"""The rules of docs/architecture.md as functions from a module to its offenses.

Only the standard library is needed, so they can never be skipped.  Names are resolved through
their imports, so that an alias, a relative import or a longer path hides nothing.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

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
WORDING = "templatetags"  # tells how long ago something was, and lends its words to sentences
# No doors by their place, and yet they speak to the world, with the reason.
DOORS_BY_NAME = {
    "tracking/ci/__init__.py": "connects the services that the settings name",
    "tracking/test_run_tracker.py": "the Python API of scripts",
    "executions/execution_schema.py": "the Python API of scripts",
    "batches/test_batch_tracker.py": "the Python API of scripts",
    "batches/unittest_report.py": "a program of its own, in the interpreter of the user",
    "tracking/job_wrapper.py": "a program of its own, outside Django",
    "performance/generators/open_loop.py": "a program of its own, outside Django",
    "performance/generators/locust.py": "a program of its own, outside Django",
    "performance/generators/joining.py": "a program of its own, outside Django",
    "performance/generators/locust_hooks.py": "runs in Locust's processes, outside Django",
    "performance/generators/timetable.py": "runs in Locust's processes, outside Django",
    "access/permissions.py": "the decorators of views",
    "access/logins.py": "the login page and its forms",
    "dashboards/rendering.py": "answers requests for all views",
    "performance/sources/__init__.py": "connects the sources that the settings name",
    "performance/sources/host.py": "samples this machine now, and is a program of its own, outside Django",
}
ADAPTERS = {"github", "local"}  # files of tracking/ci that speak to one service
ADAPTERS_BY_NAME: dict[str, str] = {}  # none: what both halves of the local service need is in job_files

CLOCK = {
    *(f"django.utils.timezone.{name}" for name in ("now", "localtime", "localdate")),
    *(f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")),
    *("datetime.date.today", "time.time", "time.time_ns"),
}
SENDING = {"delay", "apply_async", "send_task"}
SIGNALS = (
    *("django.dispatch", "django.db.models.signals", "django.db.backends.signals"),
    *("django.core.signals", "django.contrib.auth.signals"),
)
INDIRECT = ("importlib", "django.utils.module_loading")
NUMBERS = {"numpy", "scipy", "ddsketch", "google", "analysis"}
OUTSIDE = {"io", "os", "pathlib", "socket", "sqlite3", "ssl", "subprocess", "urllib", "http", "time"}
BANNED_NAMES = {"utils", "helpers", "common", "misc", "services", "managers", "base_models", "signals"}
LONGEST_FILE, LONGEST_FUNCTION = 250, 40
LONG_WITH_REASON = {
    "tests/tracking/test_runner.py": "real processes and the fixtures that they share",
    "tests/floor_plan.py": "all rules in one place, read without any tool",
    "tests/factories.py": "a row with all its columns is one long call",
}


@dataclass(frozen=True)
class Module:
    """One source file; `path` is relative to the checkout."""

    path: PurePosixPath
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def app(self) -> str:
        return self.path.parts[0]

    @property
    def room(self) -> str:
        return self.path.with_suffix("").parts[1]

    @property
    def is_domain(self) -> bool:
        return self.app in FLOORS

    @property
    def is_door(self) -> bool:
        return not self.is_domain or self.room in {*DOORS, WORDING} or str(self.path) in DOORS_BY_NAME

    @cached_property
    def bound(self) -> dict[str, str]:
        """What each imported name stands for: `tz` -> `django.utils.timezone`."""
        found = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    found[alias.asname or top] = alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{self._origin(node)}.{alias.name}"
        return found

    @cached_property
    def imports(self) -> set[str]:
        """Full names of what is imported, and of what is reached from there: `import a`, then `a.b.c`."""
        found = set(self.bound.values())
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.Attribute):
                found |= {self.full_name(node)} - {""}
        return found

    def full_name(self, node: ast.AST) -> str:
        """Return the dotted name of an expression that begins with an imported name, else an empty string."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.bound:
            return ""
        return ".".join([self.bound[node.id], *reversed(parts)])

    def calls(self) -> Iterator[ast.expr]:
        yield from (node.func for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.path.parts[: -node.level]
        return ".".join([*package, *filter(None, [node.module])])


def _is_under(name: str, *places: str) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def imports_go_down_the_floors(module: Module) -> Iterator[str]:
    if not module.is_domain:
        return
    for name in module.imports:
        there = name.partition(".")[0]
        if there == "config" or (there in FLOORS and there not in {module.app, *FLOORS[module.app]}):
            yield f"imports {name}"


def no_room_leads_through_a_door(module: Module) -> Iterator[str]:
    if module.is_door:
        return
    for name in module.imports:
        app, _, rest = name.partition(".")
        if app in FLOORS and rest.partition(".")[0] in DOORS:
            yield f"is no door and imports {name}"


def rooms_get_time_settings_and_users_as_arguments(module: Module) -> Iterator[str]:
    if module.is_door:
        return
    yield from (
        f"reads the clock: {name}" for name in sorted(CLOCK & set(map(module.full_name, module.calls())))
    )
    for name in module.imports:
        if _is_under(name, "django.conf"):
            yield "reads the settings"
        if name in {"django.http.HttpRequest", "rest_framework.request.Request"}:
            yield "reads the request"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.arg) and node.arg == "request":
            yield "takes the request"


def only_doors_send_tasks(module: Module) -> Iterator[str]:
    if module.is_door:
        return
    for called in module.calls():
        if isinstance(called, ast.Attribute) and called.attr in SENDING:
            yield f"sends a task: {ast.unparse(called)}"


def only_doors_import_by_string(module: Module) -> Iterator[str]:
    if module.is_domain and not module.is_door:
        yield from (f"imports by string: {name}" for name in module.imports if _is_under(name, *INDIRECT))
        yield from ("imports by string" for called in module.calls() if ast.unparse(called) == "__import__")


def models_import_no_verb(module: Module) -> Iterator[str]:
    if not module.is_domain or module.room not in {"models", "querysets"}:
        return
    for name in module.imports:
        app, _, rest = name.partition(".")
        if app in FLOORS and app != "analysis" and rest.partition(".")[0] not in {"", "models", "querysets"}:
            yield f"is a noun and imports {name}"


def numbers_know_neither_django_nor_the_world(module: Module) -> Iterator[str]:
    if module.app != "analysis":
        return
    for name in module.imports:
        top = name.partition(".")[0]
        if top in OUTSIDE or top not in {*sys.stdlib_module_names, *NUMBERS}:
            yield f"imports {name}"


def nobody_imports_an_adapter_by_name(module: Module) -> Iterator[str]:
    inside = module.app == "tests" or module.path.parts[:2] == ("tracking", "ci")
    if inside or str(module.path) in ADAPTERS_BY_NAME:
        return
    for name in module.imports:
        inner = name.removeprefix("tracking.ci.").partition(".")[0]
        if name.startswith("tracking.ci.") and inner in ADAPTERS:
            yield f"imports {name}"


def the_client_stands_on_its_own(module: Module) -> Iterator[str]:
    if module.app != "client":  # it runs in the interpreters of users, and pytest runs its plugin only
        return
    known = {*sys.stdlib_module_names, "runtrail", *(["pytest"] if module.path.name == "plugin.py" else [])}
    yield from (f"imports {name}" for name in module.imports if name.partition(".")[0] not in known)


def nobody_listens_to_signals(module: Module) -> Iterator[str]:
    if module.is_domain or module.app == "config":
        yield from (f"listens to {name}" for name in module.imports if _is_under(name, *SIGNALS))


def no_room_is_called_after_nothing(module: Module) -> Iterator[str]:
    yield from (f"is called {name}" for name in BANNED_NAMES & set(module.path.with_suffix("").parts))


def files_and_functions_stay_short(module: Module) -> Iterator[str]:
    if str(module.path) in LONG_WITH_REASON:
        return
    lines = module.text.count("\n")
    if lines > LONGEST_FILE:
        yield f"has {lines} lines"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{node.name} has {length} lines"


RULES = [
    imports_go_down_the_floors,
    no_room_leads_through_a_door,
    rooms_get_time_settings_and_users_as_arguments,
    only_doors_send_tasks,
    only_doors_import_by_string,
    models_import_no_verb,
    numbers_know_neither_django_nor_the_world,
    nobody_imports_an_adapter_by_name,
    nobody_listens_to_signals,
    the_client_stands_on_its_own,
    no_room_is_called_after_nothing,
    files_and_functions_stay_short,
]
