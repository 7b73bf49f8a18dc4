"""The floor plan, held against the code, and each rule held against code that breaks it."""

import ast
import weakref
from pathlib import Path, PurePosixPath

import pytest

from tests import floor_plan
from tests.floor_plan import FLOORS, RULES, Module

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = [*FLOORS, "config", "client", "tests", "benchmarks", "script"]


def sources():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            where = path.relative_to(ROOT)
            is_python = path.suffix == ".py" or (folder == "script" and path.is_file() and not path.suffix)
            if is_python and not {"migrations", "__pycache__"} & set(where.parts):
                yield Module(PurePosixPath(where), path.read_text())


MODULES = list(sources())


def test_there_is_something_to_guard():
    assert len([module for module in MODULES if module.is_domain]) > 40
    assert {"script/test", "config/settings.py", "tests/servers.py"} <= {
        str(module.path) for module in MODULES
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule):
    found = [f"{module.path} {offense}" for module in MODULES for offense in sorted(set(rule(module)))]

    assert not found, "\n".join(found)


def test_every_file_of_ci_services_is_an_adapter_or_known_to_be_none():
    inside = [module.path for module in MODULES if module.path.parts[:2] == ("tracking", "ci")]
    files = {path.with_suffix("").parts[2] for path in inside}

    assert files <= {"__init__", "base", "past", "unknown", *floor_plan.ADAPTERS}


@pytest.mark.parametrize("table", ["DOORS_BY_NAME", "ADAPTERS_BY_NAME", "LONG_WITH_REASON"])
def test_every_exception_is_still_needed(table):
    exceptions = getattr(floor_plan, table)
    modules = {str(module.path): module for module in MODULES}

    for path in list(exceptions):
        reason = exceptions.pop(path)
        try:
            assert [offense for rule in RULES for offense in rule(modules[path])], f"{path} needs none"
        finally:
            exceptions[path] = reason


BREACHES = [
    ("tracking/x.py", "from dashboards import rendering"),
    ("tracking/x.py", "import config.settings"),
    ("access/x.py", "def f():\n    from tracking.models import TestRun"),
    ("tracking/x.py", "from tracking import tasks"),
    ("tracking/x.py", "from . import tasks"),
    ("tracking/ci/x.py", "from ..tasks import drive_run"),
    ("tracking/x.py", "from django.utils import timezone\ntimezone.now()"),
    ("tracking/x.py", "from django.utils import timezone as tz\ntz.now()"),
    ("tracking/x.py", "from django.utils.timezone import now as soon\nsoon()"),
    ("tracking/x.py", "from django.utils import timezone\ntimezone.localdate()"),
    ("tracking/x.py", "import datetime\ndatetime.datetime.now()"),
    ("tracking/x.py", "from datetime import date\ndate.today()"),
    ("tracking/x.py", "from time import time\ntime()"),
    ("tracking/x.py", "from django.conf import settings"),
    ("tracking/x.py", "import django.conf"),
    ("tracking/x.py", "import django\ndjango.conf.settings.DATA"),
    ("tracking/x.py", "def f(request): pass"),
    ("tracking/x.py", "from django.http import HttpRequest"),
    ("dashboards/charts/x.py", "from django.utils import timezone\ntimezone.now()"),
    ("tracking/x.py", "drive_run.delay(1)"),
    ("tracking/x.py", "app.tasks.drive_run.apply_async([1])"),
    ("tracking/x.py", "app.send_task('tracking.tasks.drive_run')"),
    ("tracking/x.py", "import importlib"),
    ("tracking/x.py", "from django.utils.module_loading import import_string"),
    ("tracking/x.py", "__import__('dashboards')"),
    ("tracking/models/x.py", "from tracking import lifecycle"),
    ("tracking/models/x.py", "from access.permissions import may"),
    ("tracking/querysets.py", "from tracking.timing import time_run"),
    ("analysis/x.py", "from django.db import models"),
    ("analysis/x.py", "import requests"),
    ("analysis/x.py", "import subprocess"),
    ("dashboards/views/x.py", "from tracking.ci.local import LocalProcesses"),
    ("tracking/x.py", "from tracking.ci import github"),
    ("access/x.py", "from django.dispatch import receiver"),
    ("config/x.py", "from django.db.models import signals"),
    ("access/x.py", "from django.core.signals import request_finished"),
    ("client/src/runtrail/x.py", "import requests"),
    ("client/src/runtrail/x.py", "import pytest"),
    ("client/src/runtrail/x.py", "from tracking.models import TestRun"),
    ("access/helpers.py", ""),
    ("tracking/models/utils.py", ""),
    ("script/x", "\n" * 251),
    ("tests/test_x.py", "def f():\n" + "    pass\n" * 40),
]


@pytest.mark.parametrize(("path", "text"), BREACHES)
def test_a_breach_is_found_however_it_is_written(path, text):
    module = Module(PurePosixPath(path), text)

    assert [offense for rule in RULES for offense in rule(module)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("tracking/models/x.py", "from django.utils import timezone\nat = Field(default=timezone.now)"),
        ("tracking/x.py", "from datetime import datetime\ndatetime.fromisoformat('2026-01-04')"),
        ("tracking/x.py", "from access.models import Project\nfrom tracking.ci.base import CIUnavailable"),
        ("tracking/tasks.py", "from django.utils import timezone\ndrive_run.delay(timezone.now())"),
        ("dashboards/views/x.py", "from tracking.ci import connect\ndef view(request): pass"),
        ("analysis/x.py", "import math, zlib, numpy"),
        ("client/src/runtrail/plugin.py", "import json, pytest\nfrom runtrail.session import Session"),
    ],
)
def test_what_is_allowed_is_left_alone(path, text):
    assert not [offense for rule in RULES for offense in rule(Module(PurePosixPath(path), text))]


def test_every_rule_is_broken_by_some_breach():
    modules = [Module(PurePosixPath(path), text) for path, text in BREACHES]

    assert not [rule.__name__ for rule in RULES if not any(list(rule(module)) for module in modules)]


def test_the_plan_is_read_without_any_tool():
    tree = ast.parse((ROOT / "tests/floor_plan.py").read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert imported <= {"__future__", "collections.abc", "dataclasses", "functools", "pathlib"}


def test_nothing_of_ours_is_called_by_a_signal():
    from django.db.models import signals

    kinds = [signals.pre_save, signals.post_save, signals.pre_delete, signals.post_delete]
    for signal in [*kinds, signals.m2m_changed, signals.post_migrate]:
        for entry in signal.receivers:
            receiver = entry[1]() if isinstance(entry[1], weakref.ReferenceType) else entry[1]
            assert getattr(receiver, "__module__", "").partition(".")[0] not in {*FLOORS, "config"}
