"""Batches: the line from green to red, one of them, and what can be done with it."""

from __future__ import annotations

import socket
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from access.models import Role
from access.permissions import requires
from batches import jobs, tasks
from batches.finding import Unclear, batch_numbered, workspace_named, workspaces_of
from batches.models import Batch, BatchJob
from batches.status import suggestion
from batches.store import Store
from dashboards import batch_list, batch_pages
from dashboards.downloads import FORMATS, LIMIT, download
from dashboards.paging import BadCursor, Order, Page, page_of
from dashboards.rendering import page
from dashboards.views.actions import action

SIZE = 50
NEWEST = Order((("opened_at", True), ("id", True)))
LIVE = 1.5  # seconds between two looks at something that goes on


@requires(Role.VIEWER)
def batches(request: HttpRequest) -> HttpResponse:
    """List the batches of the project, or of one workspace."""
    project: Any = request.project  # type: ignore[attr-defined]
    workspaces = list(workspaces_of(project)[:200])
    named = request.GET.get("workspace", "")
    chosen = workspace_named(project, named) if named else None
    problems = [f"There is no workspace {named!r} here."] if named and chosen is None else []
    if chosen is None and len(workspaces) == 1:
        chosen = workspaces[0]
    listed = Batch.objects.in_project(project).listed()
    listed = listed.filter(workspace=chosen) if chosen else listed
    form = request.GET.get("format", "")
    if form in FORMATS:
        rows = batch_list.stream(listed.order_by("-opened_at", "-pk"), LIMIT)
        return download(rows, batch_list.COLUMNS, form=form, name="batches")  # type: ignore[return-value]
    try:
        found = page_of(listed, NEWEST, request.GET.get("cursor", ""), SIZE)
    except BadCursor as problem:
        problems.append(str(problem))
        found = Page([], "", "")
    line = batch_list.rows_of(listed.order_by("-opened_at", "-pk")[: batch_list.LINE])
    going = batch_pages.going_on([chosen] if chosen else workspaces)
    context = {
        "project": project,
        "workspaces": workspaces,
        "chosen": chosen,
        "found": found,
        "rows": batch_list.rows_of(found.rows),
        "line": line[::-1],
        "sentence": batch_list.sentence(line) if chosen or not workspaces else _over_all(line),
        "suggestion": suggestion(chosen) if chosen else "",
        "going": going,
        "problems": problems,
    }
    refresh = LIVE if any(view.is_going for view in going) else 10
    return page(request, "batches/list.html", context, refresh=refresh)


@requires(Role.VIEWER)
def batch(request: HttpRequest, number: int) -> HttpResponse:
    """Show one batch: edits, results, who is to blame, and the way back."""
    found = _find(request, number)
    form = request.GET.get("format", "")
    store = Store(settings.DATA / "batch_files")
    is_here = found.workspace.host == socket.gethostname()
    shown = batch_pages.load(found, store, is_here=is_here)
    if form in FORMATS:
        rows = map(batch_pages.plain_edit, shown.edits)
        name = f"batch-{number}-edits"
        return download(rows, batch_pages.EDIT_COLUMNS, form=form, name=name)  # type: ignore[return-value]
    context = {"project": found.workspace.project, "batch": found, "shown": shown, "is_here": is_here}
    return page(request, "batches/detail.html", context, refresh=LIVE if shown.is_going else 10)


@requires(Role.REPORTER)
@action(back="../")
def test(request: HttpRequest, number: int) -> HttpResponse:
    """Have the tests of the workspace run on its host."""
    return _ask(request, _find(request, number), BatchJob.Kind.TEST, {})


@requires(Role.MAINTAINER)
@action(back="../")
def rollback(request: HttpRequest, number: int) -> HttpResponse:
    """Take the batch back on its host."""
    given = {"force": True} if request.POST.get("force") else {}
    return _ask(request, _find(request, number), BatchJob.Kind.ROLLBACK, given)


@requires(Role.MAINTAINER)
@action(back="../")
def undo(request: HttpRequest, number: int) -> HttpResponse:
    """Take the last rollback of the batch back."""
    return _ask(request, _find(request, number), BatchJob.Kind.UNDO, {})


@requires(Role.REPORTER)
@action(back="../")
def cancel(request: HttpRequest, number: int) -> HttpResponse:
    """End what goes on for the batch."""
    found = _find(request, number)
    _cancel(request, jobs.open_jobs(found.workspace).filter(batch=found).order_by("id").first())
    return _back(found)


@requires(Role.REPORTER)
@action(back="../../../")
def cancel_job(request: HttpRequest, job: int) -> HttpResponse:
    """End something that goes on and is of no batch."""
    project: Any = request.project  # type: ignore[attr-defined]
    found = BatchJob.objects.filter(pk=job, workspace__project=project) if job < 2**31 else None
    one = found.select_related("workspace__project").first() if found is not None else None
    if one is None:
        raise Http404("There is no such job.")
    _cancel(request, one)
    where = {"workspace": str(one.workspace_id), "project": project.slug}
    return redirect(f"{reverse('batches')}?{urlencode(where)}")


def _cancel(request: HttpRequest, job: BatchJob | None) -> None:
    if job and jobs.cancel(job, actor=request.user, now=timezone.now()):
        messages.success(request, "It is being ended.")
    else:
        messages.info(request, "Nothing goes on here any more.")


def _ask(request: HttpRequest, batch: Batch, kind: str, options: dict[str, Any]) -> HttpResponse:
    try:
        tasks.order(batch.workspace, kind, batch=batch, options=options, actor=request.user)
    except jobs.NotServed as problem:
        messages.error(request, str(problem))
    except jobs.Busy as problem:
        messages.info(request, str(problem))
    else:
        messages.success(request, f"Asked {batch.workspace.host} for it; what it does shows here.")
    return _back(batch)


def _back(batch: Batch) -> HttpResponse:
    where = {"workspace": str(batch.workspace_id), "project": batch.workspace.project.slug}
    query = urlencode(where)
    return redirect(f"{reverse('batch', args=[batch.number])}?{query}")


def _find(request: HttpRequest, number: int) -> Batch:
    """The batch of the chosen project; of several of that number the newest, where none is named."""
    project: Any = request.project  # type: ignore[attr-defined]
    if number >= 2**31:
        raise Http404("There is no such batch.")
    named = request.GET.get("workspace", "") or request.POST.get("workspace", "")
    try:
        found = batch_numbered(project, number, named)
    except Unclear:
        rows = Batch.objects.in_project(project).filter(number=number)
        found = rows.select_related("workspace__project").order_by("-opened_at").first()
    if found is None:
        raise Http404("There is no such batch.")
    return found


def _over_all(line: list[batch_list.BatchRow]) -> str:
    """One sentence over several workspaces: the one that was worked in last."""
    if not line:
        return batch_list.sentence(line)
    last = line[0].batch.workspace
    own = batch_list.sentence([row for row in line if row.batch.workspace_id == last.pk])
    return f"{last}: {own}"
