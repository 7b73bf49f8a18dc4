"""Archived runs: which there are, what is in one, and one put back."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.files.storage import Storage
from django.db import IntegrityError, models, transaction

from access.models import Project
from tracking.models import Environment, TestDefinition, TestRun, WorkflowAttempt, WorkflowJob, WorkflowRun
from tracking.rollups import keep_own_figures
from tracking.tracker import note

FOLDER, ENDING = "runs", ".json.gz"


class Unrestorable(ValueError):
    """It can't be put back; the message says why and what to do."""


def archived(storage: Storage, project: Project, *, month: str = "") -> Iterator[tuple[str, str]]:
    """Yield test run id and month (2026-01) of every archived run of `project`, newest month first."""
    months = [month] if month else sorted(_listed(storage, f"{FOLDER}/{project.slug}")[0], reverse=True)
    for one in months:
        for name in sorted(_listed(storage, f"{FOLDER}/{project.slug}/{one}")[1]):
            if name.endswith(ENDING):
                yield name.removesuffix(ENDING), one


def read_archive(storage: Storage, project: Project, test_run_id: str) -> dict[str, Any]:
    """Return what was kept of a run.

    Raises:
        Unrestorable: there is no such archive, or it is damaged.
    """
    for month in _listed(storage, f"{FOLDER}/{project.slug}")[0]:
        name = f"{FOLDER}/{project.slug}/{month}/{test_run_id}{ENDING}"
        if "/" in test_run_id or not storage.exists(name):
            continue
        try:
            with storage.open(name) as file:
                found: dict[str, Any] = json.loads(gzip.decompress(file.read()))
        except (OSError, EOFError, zlib.error, ValueError):
            raise Unrestorable(f"The archive {name} is damaged.") from None
        if found.get("format") != "runtrail-run" or found.get("version") != 1:
            raise Unrestorable(f"{name} is of a kind that this version of Runtrail can't read.")
        return found
    raise Unrestorable(f"{project} has no archived run {test_run_id!r}; `archived_runs` lists them.")


def restore(content: dict[str, Any], project: Project, *, now: datetime) -> TestRun:
    """Put an archived run back with its workflows, attempts, jobs and log, pinned; all of it or nothing.

    Its figures of the day were never taken away; of its tests the counts were kept, not the results.

    Raises:
        Unrestorable: it is there already, or its definition or environment is no more.
    """
    told = content["run"]
    if TestRun.objects.filter(test_run_id=told["test_run_id"]).exists():
        raise Unrestorable(f"{told['test_run_id']} is there already.")
    places = {
        "definition": TestDefinition.objects.in_project(project).filter(name=told["definition"]).first(),
        "environment": Environment.objects.in_project(project).filter(name=told["environment"]).first(),
    }
    for name, row in places.items():
        if row is None:
            raise Unrestorable(f"{project} has no {name} {told[name]!r} any more; make it again first.")
    try:
        with transaction.atomic():
            return _put_back(content, project, places, now)
    except IntegrityError as problem:
        raise Unrestorable(f"It contradicts what is there now: {problem}") from None


def _put_back(content: dict[str, Any], project: Project, places: dict[str, Any], now: datetime) -> TestRun:
    told = content["run"]
    original = TestRun.objects.filter(pk=told.get("rerun_of")).first()
    fields = _known(TestRun, {**told, "pinned": True}, without={"rerun_of", *places, "project"})
    run = TestRun.objects.create(**fields, **places, project=project, rerun_of=original)
    own = {"run_id": run.pk, "project_id": project.pk}
    workflows = _rows(WorkflowRun, content["workflows"], lambda row: own)
    attempts = _rows(
        WorkflowAttempt, content["attempts"], lambda row: {"workflow_id": workflows[row["workflow_id"]]}
    )
    _rows(WorkflowJob, content["jobs"], lambda row: {"attempt_id": attempts[row["attempt_id"]]})
    for event in content["events"]:
        note(run, event["kind"], event["text"], datetime.fromisoformat(event["at"]))
    note(run, "restored", "It was put back from its archive, and pinned.", now)
    keep_own_figures(run)
    return run


def _rows(model: Any, rows: list[dict[str, Any]], links: Any) -> dict[int, int]:
    """Make rows again; return the new keys by the old ones."""
    made = {}
    for row in rows:
        changed = links(row)
        fields = _known(model, row, without={"id", *changed})
        made[row["id"]] = model.objects.create(**fields, **changed).pk
    return made


def _known(model: type[models.Model], values: dict[str, Any], *, without: set[str]) -> dict[str, Any]:
    """The values of columns that there are today, as Python has them."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return {
        name: fields[name].to_python(value)
        for name, value in values.items()
        if name in fields and name not in without
    }


def _listed(storage: Storage, folder: str) -> tuple[list[str], list[str]]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return [], []
    return [name for name in folders if name], [name for name in files if name]
