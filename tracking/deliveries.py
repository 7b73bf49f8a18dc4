"""Messages of a CI service: kept as they come, then applied as observations, once each."""

from __future__ import annotations

import hashlib
import hmac
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from access.models import Project
from tracking.ci import Message, Unexpected
from tracking.models import CIRepository, WebhookDelivery, WorkflowRun
from tracking.observe import apply_observation
from tracking.tracker import note

State = WebhookDelivery.State
SERVICE = "github"


def signers(
    body: bytes, signature: str, secrets: Iterable[tuple[str, Project | None]]
) -> list[Project | None]:
    """Return whose secrets make `signature` (`sha256=…`) of the raw bytes; empty: it is not signed by us.

    Every secret is tried, so that the time tells nothing about which one fits.  None stands for the
    installation itself, which speaks for all projects.
    """
    given = signature.encode("ascii", "replace")
    fitting = []
    for secret, owner in secrets:
        made = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        if hmac.compare_digest(made.encode(), given):
            fitting.append(owner)
    return fitting


def addressees(
    owners: list[Project | None],
    event: str,
    body: bytes,
    read: Callable[[str, bytes], Message | None],
) -> list[Project | None]:
    """Return which of those whose secret fits a message is for: all of one secret share it.

    Where none of them names its repository, as after a renaming, it is for each: the number of the
    workflow run then tells whose it is.
    """
    if None in owners:
        return [None]
    if len(owners) < 2:
        return owners
    try:
        told = read(event, body)
    except Unexpected:
        told = None
    if told is None:
        return owners
    name = told.repository.casefold()
    return [one for one in owners if one and one.repository.casefold() == name] or owners


def keep_delivery(
    guid: str, event: str, body: bytes, *, project: Project | None, now: datetime
) -> tuple[WebhookDelivery, bool]:
    """Store a signed message before anything is made of it; True if it is to be worked on.

    GitHub delivers again under the same guid: what failed is then tried anew, the rest only counted.
    """
    with transaction.atomic():
        delivery, is_new = WebhookDelivery.objects.get_or_create(
            guid=guid[:64],
            project=project,
            defaults={"event": event[:40], "body": zlib.compress(body), "received_at": now},
        )
        if is_new:
            return delivery, True
        again = WebhookDelivery.objects.filter(pk=delivery.pk)
        again.update(times=F("times") + 1)
        again.filter(state__in=[State.FAILED, State.STRANGER]).update(state=State.RECEIVED)
        delivery.refresh_from_db()
    return delivery, delivery.state == State.RECEIVED


def apply_delivery(
    delivery: WebhookDelivery, *, read: Callable[[str, bytes], Message | None], now: datetime
) -> UUID | None:
    """Make of a message what can be made of it; return the run that it moved on.

    Safe to repeat: it is an observation, and observations are merged.
    """
    try:
        told = read(delivery.event, delivery.raw)
    except (Unexpected, zlib.error) as problem:
        _end(delivery, State.FAILED, problem=str(problem))
        return None
    if told is None:
        _end(delivery, State.IGNORED)
        return None
    delivery.action = told.action[:40]
    delivery.repository_id = told.remote.repository_id
    delivery.github_run_id = told.remote.github_run_id
    if delivery.repository_id:
        watch = CIRepository.objects.filter(service=SERVICE, repository_id=delivery.repository_id)
        watch.update(hook_at=delivery.received_at)
    with transaction.atomic():
        workflow = _workflow_of(told, delivery.project_id, now)
        if workflow is None:
            _end(delivery, State.STRANGER)
            return None
        remote = replace(told.remote, dispatch_id=workflow.dispatch_id)
        moved = apply_observation(workflow, remote, clock="api", now=now)
        _end(delivery, State.APPLIED)
    run_pk: UUID = workflow.run_id
    return run_pk if moved else None


def take_up_strangers(workflows: Iterable[WorkflowRun]) -> int:
    """Messages may overtake the answer that gives a workflow its number; return how many fit now."""
    numbers = [workflow.github_run_id for workflow in workflows if workflow.github_run_id]
    taken = 0
    for begin in range(0, len(numbers), 500):
        strangers = WebhookDelivery.objects.of_strangers()
        taken += strangers.filter(github_run_id__in=numbers[begin : begin + 500]).update(state=State.RECEIVED)
    return taken


def _workflow_of(told: Message, project_pk: int | None, now: datetime) -> WorkflowRun | None:
    """The row of a workflow run: by its number, or by the dispatch_id that its title shows."""
    rows = WorkflowRun.objects.select_related("run").prefetch_related("attempts").filter(service=SERVICE)
    if project_pk:
        rows = rows.filter(run__project=project_pk)  # a project's secret speaks for that project only
    number = told.remote.github_run_id
    known: WorkflowRun | None = rows.filter(github_run_id=number).first()
    if known or not told.words:
        return known
    words = [word.strip("()[]·,") for word in told.words]
    found: WorkflowRun | None = rows.filter(github_run_id=None, dispatch_id__in=words).first()
    if found is None or found.workflow_file.rsplit("/", 1)[-1] != told.path.rsplit("/", 1)[-1]:
        return None
    if found.dispatch_state == "unknown":
        note(found.run, "found", f"{found} turned up: its answer had been lost.", now)
    return found


def _end(delivery: WebhookDelivery, state: str, *, problem: str = "") -> None:
    delivery.state, delivery.problem = state, problem
    delivery.save(update_fields=["state", "problem", "action", "repository_id", "github_run_id"])
