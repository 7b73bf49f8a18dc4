"""Which runs have been kept long enough: archived first, then deleted, in pieces that may be repeated."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import ProtectedError
from django.forms.models import model_to_dict

from tracking.models import RetentionPolicy, TestRun, WorkflowAttempt, WorkflowJob

PIECE = 50  # runs deleted in one transaction


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
        shortest = min(policy.days for policy in mine)
        old = (
            TestRun.objects.ended()
            .filter(project=project_pk, pinned=False, completed_at__lt=now - timedelta(days=shortest))
            .select_related("environment", "definition", "project")
            .defer("plan", "checked", "metadata")
            .order_by("started_at")
        )
        kept = _always_kept(project_pk, max(policy.keep for policy in mine))
        for run in old.iterator(chunk_size=500):
            policy = next((one for one in mine if _fits(one, run)), None)
            if policy is None or not _is_old(run, policy, now):
                continue
            if run.pk not in kept.get((run.definition_id, run.environment_id), [])[: policy.keep]:
                yield Expired(run, policy)


def _is_old(run: TestRun, policy: RetentionPolicy, now: datetime) -> bool:
    return run.completed_at is not None and run.completed_at < now - timedelta(days=policy.days)


def prune(
    now: datetime, *, storage: Storage, forget: Callable[[list[TestRun]], None], dry_run: bool = False
) -> Iterator[Expired]:
    """Archive and delete what has expired; yield each run that went, or with `dry_run` would go.

    A run's archive is written whole before the run is deleted, under the same name each time, so an
    interrupted prune is repeated without loss.

    Args:
        storage: where archives go.
        forget: takes the results of some runs out of the history without changing any count.
    """
    waiting: list[Expired] = []
    for one in list(expired(now)):
        if dry_run:
            yield one
            continue
        waiting.append(one)
        if len(waiting) == PIECE:
            yield from _let_go(waiting, storage, forget)
            waiting = []
    yield from _let_go(waiting, storage, forget)


def archive_name(run: TestRun) -> str:
    """Where a run's archive lies: by project and month."""
    return f"runs/{run.project.slug}/{run.started_at:%Y-%m}/{run.test_run_id}.json.gz"


def _let_go(found: list[Expired], storage: Storage, forget: Callable[[list[TestRun]], None]) -> list[Expired]:
    keys = [one.run.pk for one in found]
    whole = TestRun.objects.for_file().in_bulk(keys)  # `expired` leaves out what makes a row large
    for one in found:
        if one.policy.archives and one.run.pk in whole:
            _write(whole[one.run.pk], storage)
    with transaction.atomic():
        # Whoever pinned or reopened one meanwhile was faster; the lock makes whoever comes now wait.
        free = TestRun.objects.ended().filter(pk__in=keys, pinned=False).select_for_update()
        runs = _delete(list(free.order_by("pk")), forget)
    gone = {run.pk for run in runs}
    return [one for one in found if one.run.pk in gone]


def _delete(runs: list[TestRun], forget: Callable[[list[TestRun]], None]) -> list[TestRun]:
    """Delete runs with their results; return those that went: what something above still needs stays."""
    try:
        with transaction.atomic():
            forget(runs)
            TestRun.objects.filter(pk__in=[run.pk for run in runs]).delete()
    except ProtectedError:  # one of them, as the baseline of a load is
        return [gone for run in runs for gone in _delete([run], forget)] if len(runs) > 1 else []
    return runs


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


def _fits(policy: RetentionPolicy, run: TestRun) -> bool:
    return policy.environment_id in (None, run.environment_id) and policy.status in ("", run.status)


def _always_kept(project_pk: int, most: int) -> dict[tuple[Any, int], list[Any]]:
    """The newest ended runs of each definition and environment, newest first."""
    found: dict[tuple[Any, int], list[Any]] = {}
    rows = TestRun.objects.ended().filter(project=project_pk).newest_first()
    for pk, definition, environment in rows.values_list("pk", "definition_id", "environment_id").iterator():
        kept = found.setdefault((definition, environment), [])
        if len(kept) < most:
            kept.append(pk)
    return found
