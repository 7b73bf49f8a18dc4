"""Connect a project with its repository on GitHub, and see what is missing."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from access import audit
from access.models import Project, Role, User
from access.permissions import requires
from dashboards.finders import InProject, find_project
from dashboards.forms import GitHubForm
from dashboards.rendering import page
from dashboards.views.actions import action
from executions.sync import sync_of
from tracking import ci
from tracking.models import Step


@requires(Role.ADMINISTRATOR, find=find_project)
def github(request: HttpRequest, found: InProject) -> HttpResponse:
    """Show the connection, or change it; secrets are never shown again."""
    if request.method != "POST":
        return _show(request, found.project)
    form = GitHubForm(request.POST)
    if not form.is_valid():
        return _show(request, found.project, form=form, status=400)
    changed = [*_change(found.project, form), *_change_sync(found.project, form)]
    if changed:
        audit.record(
            "project.github",
            actor=cast(User, request.user),
            project=found.project,
            target=found.project,
            changed=", ".join(changed),
        )
    messages.success(request, "Saved. Check the connection now." if changed else "Nothing was changed.")
    return redirect("github_settings", slug=found.project.slug)


@requires(Role.ADMINISTRATOR, find=find_project)
@action(back="../")
def check_connection(request: HttpRequest, found: InProject) -> HttpResponse:
    """Ask GitHub what is there and what is missing; nothing is sent."""
    steps = Step.objects.filter(definition__project=found.project).exclude(workflow="")
    files = sorted({str(name) for name in steps.values_list("workflow", flat=True)})
    findings = ci.connect("github", found.project).check_connection(files)
    return _show(request, found.project, findings=findings)


def _change(project: Project, form: GitHubForm) -> list[str]:
    """Write what is new; return the names of the changed fields."""
    wanted = {
        "repository": form.cleaned_data["repository"],
        "default_branch": form.cleaned_data["default_branch"],
    }
    if form.cleaned_data["forget"]:
        wanted |= {"github_token": None, "webhook_secret": None}
    if form.cleaned_data["token"]:
        wanted["github_token"] = form.cleaned_data["token"]
    if form.cleaned_data["webhook_secret"]:
        wanted["webhook_secret"] = form.cleaned_data["webhook_secret"]
    changed = [name for name, value in wanted.items() if getattr(project, name) != value]
    for name in changed:
        setattr(project, name, wanted[name])
    if changed:
        project.save(update_fields=changed)
    return changed


def _change_sync(project: Project, form: GitHubForm) -> list[str]:
    """Write how CI is fetched; the next turn comes at once."""
    sync = sync_of(project)
    wanted = {"patterns": form.cleaned_data["patterns"]}
    if form.cleaned_data["every"] is not None:
        wanted["every"] = form.cleaned_data["every"]
    changed = [name for name, value in wanted.items() if getattr(sync, name) != value]
    for name in changed:
        setattr(sync, name, wanted[name])
    if changed:
        sync.next_at = None
        sync.save()
    return changed


def _show(
    request: HttpRequest,
    project: Project,
    *,
    form: GitHubForm | None = None,
    findings: list[ci.Finding] | None = None,
    status: int = 200,
) -> HttpResponse:
    sync = sync_of(project)
    given = {
        "repository": project.repository,
        "default_branch": project.default_branch,
        "every": sync.every,
        "patterns": ", ".join(sync.patterns),
    }
    context = {
        "project": project,
        "form": form or GitHubForm(initial=given),
        "has_token": bool(project.github_token),
        "has_secret": bool(project.webhook_secret),
        "findings": findings,
        "sync": sync,
        "hook_url": request.build_absolute_uri("/hooks/github/"),
    }
    return page(request, "github_settings.html", context, status=status)
