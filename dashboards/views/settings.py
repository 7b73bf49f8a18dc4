"""One's own time zone, the chosen project, and its members."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from access import audit
from access.models import Membership, Project, Role, User
from access.permissions import SIGNED_IN, may, open_to, requires
from access.time_zones import time_zones
from dashboards.finders import InProject, find_membership, find_project
from dashboards.forms import MemberForm, RoleForm, TimeZoneForm
from dashboards.rendering import page
from dashboards.views.actions import action, lead_back


@open_to(SIGNED_IN)
def settings(request: HttpRequest) -> HttpResponse:
    """Show the reader's own settings, and who is a member of the chosen project."""
    return _show(request, request.project)  # type: ignore[attr-defined]


@open_to(SIGNED_IN)
@action(back="../")
def time_zone(request: HttpRequest) -> HttpResponse:
    """Choose the zone in which pages show times."""
    form = TimeZoneForm(request.POST)
    if not form.is_valid():
        return _show(request, request.project, zone_form=form, status=400)  # type: ignore[attr-defined]
    user: Any = request.user
    user.time_zone = form.cleaned_data["time_zone"]
    user.save(update_fields=["time_zone"])
    messages.success(request, f"Times are now shown in {user.time_zone}.")
    return redirect("settings")


@open_to(SIGNED_IN)
@action(back="/")
def choose_project(request: HttpRequest) -> HttpResponse:
    """Look at another project from now on."""
    slug = request.POST.get("project", "")
    if not Project.objects.visible_to(request.user).filter(slug=slug).exists():
        raise Http404("There is nothing here.")
    request.session["project"] = slug
    return lead_back(request, "overview")


@requires(Role.ADMINISTRATOR, find=find_project)
@action(back="/settings/")
def add_member(request: HttpRequest, found: InProject) -> HttpResponse:
    """Give somebody who has an account a role in the project."""
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _show(request, found.project, member_form=form, status=400)
    user, role = form.cleaned_data["username"], form.cleaned_data["role"]
    _, is_new = Membership.objects.get_or_create(user=user, project=found.project, defaults={"role": role})
    if not is_new:
        form.add_error("username", f"{user} is a member already; change the role in the table.")
        return _show(request, found.project, member_form=form, status=400)
    audit.record("member.add", actor=cast(User, request.user), project=found.project, target=user, role=role)
    messages.success(request, f"{user} is now {role} of {found.project}.")
    return redirect("settings")


@requires(Role.ADMINISTRATOR, find=find_membership)
@action(back="/settings/")
def change_member(request: HttpRequest, member: Membership) -> HttpResponse:
    """Change the role of a member, or end the membership."""
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "There is no such role.")
        return redirect("settings")
    role = form.cleaned_data["role"]
    with transaction.atomic():
        if role != Role.ADMINISTRATOR and _is_last_administrator(member):
            messages.error(
                request, f"{member.user} is the only administrator of {member.project}; name another first."
            )
            return redirect("settings")
        if role:
            Membership.objects.filter(pk=member.pk).update(role=role)
        else:
            Membership.objects.filter(pk=member.pk).delete()
        was, now_is = member.role, role or "removed"
        audit.record(
            "member.change",
            actor=cast(User, request.user),
            project=member.project,
            target=member.user,
            was=was,
            now=now_is,
        )
    messages.success(
        request,
        f"{member.user} is now {role} of {member.project}." if role else f"{member.user} was removed.",
    )
    return redirect("settings")


def _is_last_administrator(member: Membership) -> bool:
    # The lock makes two administrators who step down at once wait for each other.
    administrators = Membership.objects.select_for_update().filter(
        project=member.project, role=Role.ADMINISTRATOR
    )
    return [row.pk for row in administrators] == [member.pk]


def _show(
    request: HttpRequest,
    project: Project | None,
    *,
    zone_form: TimeZoneForm | None = None,
    member_form: MemberForm | None = None,
    status: int = 200,
) -> HttpResponse:
    user: Any = request.user
    members = Membership.objects.filter(project=project).select_related("user").order_by("user__username")
    context = {
        "project": project,
        "members": members if project else [],
        "roles": Role.choices,
        "may_administer": project is not None and may(user, project, Role.ADMINISTRATOR),
        "zones": sorted(time_zones()),
        "zone_form": zone_form or TimeZoneForm(initial={"time_zone": user.time_zone}),
        "member_form": member_form or MemberForm(),
    }
    return page(request, "settings.html", context, status=status)
