"""Which runs have been kept long enough: archived first, then deleted, in pieces that may be repeated."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from itertools import islice
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import CASCADE, PROTECT, RESTRICT, ManyToOneRel, Model
from django.forms.models import model_to_dict

from access.models import Project
from tracking.models import RetentionPolicy, RunFile, TestRun, WorkflowAttempt, WorkflowJob

PIECE = 20  # runs archived and deleted in one transaction, for which SQLite keeps other writers waiting
LOOKED_AT = 500  # old runs of which it is asked at once what rests on them


@dataclass(frozen=True, slots=True)
class Expired:
    """A run that may go, and the policy that says so."""

    run: TestRun
    policy: RetentionPolicy


def expired(now: datetime) -> Iterator[Expired]:
    """Yield every run that some policy lets go; the narrowest policy that fits a run decides alone.

    Of a run it reads what a line about it needs; there may be a hundred thousand of them.
    """
    policies = list(RetentionPolicy.objects.select_related("environment"))
    for project_pk in {policy.project_id for policy in policies}:
        mine = [policy for policy in policies if policy.project_id == project_pk]
        mine.sort(key=lambda policy: -policy.narrowness)
        latest = max(policy.lets_go_before(now) for policy in mine)
        old = (
            TestRun.objects.ended()
            .filter(project=project_pk, pinned=False, completed_at__lt=latest)
            .select_related("environment", "definition", "project")
            .defer("plan", "checked", "metadata")
            .order_by("started_at")
        )
        newest = cache(partial(_newest, max(policy.keep for policy in mine)))
        rows = old.iterator(chunk_size=LOOKED_AT)
        while piece := list(islice(rows, LOOKED_AT)):
            found = [Expired(run, policy) for run in piece if (policy := _policy_of(run, mine))]
            found = [one for one in found if _is_old(one.run, one.policy, now)]
            held = needed([one.run.pk for one in found])
            for one in found:
                kept = newest(one.run.definition_id, one.run.environment_id)[: one.policy.keep]
                if one.run.pk not in held and one.run.pk not in kept:
                    yield one


def needed(runs: Collection[Any]) -> set[Any]:
    """Return which of those runs (primary keys) something rests on: what names them by PROTECT or RESTRICT.

    The floors above say so in their models, as a comparison does of the runs that it compares.
    """
    found: set[Any] = set()
    for model, path in _holders(TestRun):
        found.update(model._base_manager.filter(**{f"{path}__in": runs}).values_list(path, flat=True))
    return found


def _holders(model: type[Model], path: str = "") -> Iterator[tuple[type[Model], str]]:
    """Yield the models whose rows hold a row of `model`, or what goes with it, and the way to it."""
    for relation in model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ManyToOneRel):
            continue
        there = f"{relation.field.name}__{path}" if path else relation.field.name
        if relation.on_delete in (PROTECT, RESTRICT):
            yield relation.related_model, there
        elif relation.on_delete is CASCADE and relation.related_model is not model:
            yield from _holders(relation.related_model, there)


def _is_old(run: TestRun, policy: RetentionPolicy, now: datetime) -> bool:
    return run.completed_at is not None and run.completed_at < policy.lets_go_before(now)


def prune(
    now: datetime,
    *,
    storage: Storage,
    forget: Callable[[list[TestRun]], None],
    dry_run: bool = False,
    piece: int = PIECE,
) -> Iterator[Expired]:
    """Archive and delete what has expired; yield each run that went, or with `dry_run` would go.

    A run's archive is written whole before the run is deleted, under the same name each time, so an
    interrupted prune is repeated without loss.

    Args:
        storage: where archives go.
        forget: takes the results of some runs out of the history without changing any count.
        piece: runs archived and deleted in one transaction.
    """
    waiting: list[Expired] = []
    for one in list(expired(now)):
        if dry_run:
            yield one
            continue
        waiting.append(one)
        if len(waiting) == piece:
            yield from _let_go(waiting, storage, forget)
            waiting = []
    yield from _let_go(waiting, storage, forget)
    if not dry_run:
        _remove_files(storage)


def archive_name(run: TestRun) -> str:
    """Where a run's archive lies: by project and month."""
    return f"runs/{run.project.slug}/{run.started_at:%Y-%m}/{run.test_run_id}.json.gz"


def _let_go(found: list[Expired], storage: Storage, forget: Callable[[list[TestRun]], None]) -> list[Expired]:
    wanted = {one.run.pk: one for one in found}
    with transaction.atomic():
        # First the projects, as whoever writes a late report of such a run does.
        projects = {one.run.project_id for one in found}
        list(Project.objects.select_for_update(no_key=True).filter(pk__in=projects).order_by("pk"))
        # Whoever pinned or reopened one meanwhile was faster; the lock makes whoever comes now wait.
        free = TestRun.objects.for_file().ended().filter(pk__in=wanted, pinned=False)
        runs = list(free.select_for_update(of=("self",)).order_by("pk"))
        held = needed([run.pk for run in runs])
        runs = [run for run in runs if run.pk not in held]
        for run in runs:
            if wanted[run.pk].policy.archives:
                _write(run, storage)
        forget(runs)
        TestRun.objects.filter(pk__in=[run.pk for run in runs]).delete()
    gone = {run.pk for run in runs}
    return [one for one in found if one.run.pk in gone]


def _remove_files(storage: Storage) -> None:
    """Delete the files of runs that are gone; a file that is gone already is no fault."""
    for file in RunFile.objects.filter(run=None).iterator(chunk_size=500):
        storage.delete(file.name)
        file.delete()


def _write(run: TestRun, storage: Storage) -> None:
    name = archive_name(run)
    content = gzip.compress(json.dumps(_content(run), cls=_ToTheMicrosecond).encode(), mtime=0)
    if storage.exists(name):
        storage.delete(name)  # of an interrupted prune
    storage.save(name, ContentFile(content))


class _ToTheMicrosecond(DjangoJSONEncoder):
    """Django's own cuts times to the millisecond; what an archive gives back is to be what went in."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


def _content(run: TestRun) -> dict[str, Any]:
    attempts = WorkflowAttempt.objects.filter(workflow__run=run)
    return {
        "format": "runtrail-run",
        "version": 1,
        "run": {
            **model_to_dict(run),
            "id": str(run.pk),
            "test_run_id": run.test_run_id,
            "project": run.project.slug,
            "definition": run.definition.name,
            "environment": run.environment.name,
        },
        "workflows": list(run.workflow_runs.order_by("position").values()),
        "attempts": list(attempts.order_by("pk").values()),
        "jobs": list(WorkflowJob.objects.filter(attempt__in=attempts).order_by("pk").values()),
        "events": list(run.events.order_by("pk").values("at", "kind", "text")),
    }


def _policy_of(run: TestRun, policies: list[RetentionPolicy]) -> RetentionPolicy | None:
    """The narrowest one that fits; they come narrowest first."""
    for policy in policies:
        if policy.environment_id in (None, run.environment_id) and policy.status in ("", run.status):
            return policy
    return None


def _newest(most: int, definition_pk: Any, environment_pk: int) -> list[Any]:
    """The newest ended runs of a definition in an environment, newest first."""
    runs = TestRun.objects.ended().filter(definition=definition_pk, environment=environment_pk)
    return list(runs.newest_first().values_list("pk", flat=True)[:most])
