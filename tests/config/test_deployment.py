"""What is written down for several machines holds: every variable is documented, every program is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.command_line import CommandLine
from tracking.profile_file import read_profile

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
OF_OTHERS = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"}


def test_every_variable_of_the_containers_is_documented():
    documented = set(re.findall(r"^## (\w+)", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE))
    used = {name for service in COMPOSE["services"].values() for name in service.get("environment", {})}

    assert used - OF_OTHERS <= documented


def test_the_worker_listens_to_every_queue_that_tasks_go_to():
    from django.conf import settings

    listens = set(COMPOSE["services"]["worker"]["command"][-1].split(","))
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}

    assert {settings.CELERY_TASK_DEFAULT_QUEUE, *routed} <= listens


def test_every_entry_of_the_timetable_is_a_task_that_workers_know():
    from config.beat import TIMETABLE
    from config.celery import app

    app.loader.import_default_modules()

    assert {entry["task"] for entry in TIMETABLE.values()} <= app.tasks.keys()


def test_the_check_for_deployment_is_clean_with_the_documented_variables(tmp_path):
    variables = {
        "PATH": "/usr/bin:/bin",
        "RUNTRAIL_DATA": str(tmp_path),
        "RUNTRAIL_HTTPS": "1",
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFGHIJ",
        "ALLOWED_HOSTS": "runtrail.example.com",
        "CSRF_TRUSTED_ORIGINS": "https://runtrail.example.com",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.django_db
def test_the_profiles_of_the_demo_are_those_of_its_file():
    from access.models import Project
    from config.demo import make_demo
    from tracking.profiles import apply_profile

    make_demo()
    profile = read_profile((ROOT / "runtrail.toml").read_text(), services=["local", "github"])

    assert apply_profile(profile, str(ROOT)) == []
    assert Project.objects.get(slug="demo").definitions.exclude(kind="workload").count() == 2


@pytest.mark.embedded
def test_a_backup_restored_into_an_empty_place_has_everything(tmp_path):
    import sqlite3

    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first = CommandLine(tmp_path / "one", is_new=True)
    report = tmp_path / "junit.xml"
    report.write_text('<testsuite><testcase classname="m" name="t" time="0.5"/></testsuite>')
    first.run("import_report", str(report))
    second = CommandLine(tmp_path / "two", is_new=True)
    second.data.mkdir(parents=True, exist_ok=True)

    source, target = (sqlite3.connect(one.data / "db.sqlite3") for one in (first, second))
    source.backup(target)
    source.close()
    target.close()

    assert second.run("stats", "show").stdout == first.run("stats", "show").stdout
    assert "m::t" in second.run("stats", "show").stdout
    assert "right to the last row" in second.run("stats", "rebuild").stdout
