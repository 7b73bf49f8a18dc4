"""What every page shows around its content, and the marks of states."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django import template
from django.template import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode

from access.models import Project, Role
from access.permissions import role_in
from dashboards.states import State, state
from dashboards.templatetags.durations import duration
from tracking.history import Day
from tracking.models import TestRun

register = template.Library()


class Frame:
    """The projects to choose from, the one that is shown, and what the reader may do in it.

    Each is asked for when it is first used, because a fragment of a page shows none of them.
    """

    def __init__(self, user: Any, project: Project | None) -> None:
        self.user = user
        self.project = project

    @cached_property
    def projects(self) -> list[Project]:
        return list(Project.objects.visible_to(self.user))

    @cached_property
    def may_report(self) -> bool:
        return self.role is not None and self.role.includes(Role.REPORTER)

    @cached_property
    def may_maintain(self) -> bool:
        return self.role is not None and self.role.includes(Role.MAINTAINER)

    @cached_property
    def role(self) -> Role | None:
        return role_in(self.user, self.project) if self.project is not None else None


@register.simple_tag(takes_context=True)
def frame(context: Context) -> Frame:
    """Return the frame of the page; the project of the object it shows, else the chosen one."""
    request: Any = context["request"]
    return Frame(request.user, context.get("project") or request.project)


@register.simple_tag
def zone() -> str:
    """Name the reader's time zone, as in "Europe/Berlin (UTC+1)"."""
    offset = timezone.localtime().utcoffset()
    minutes = round(offset.total_seconds() / 60) if offset else 0
    name = timezone.get_current_timezone_name()
    if minutes == 0:
        return name if name == "UTC" else f"{name} (UTC)"
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes > 0 else "−"
    return f"{name} (UTC{sign}{hours}{f':{rest:02}' if rest else ''})"


@register.simple_tag
def mark(of: State | str) -> str:
    """Draw a state: sign and word in its color."""
    shown = state(of) if isinstance(of, str) else of
    return format_html(
        '<span class="state {}"><span aria-hidden="true">{}</span> {}</span>',
        shown.kind,
        shown.sign,
        shown.word,
    )


@register.simple_tag(takes_context=True)
def in_project(context: Context, name: str, project: Project, *args: str) -> str:
    """Return the URL of page `name`, saying the project where it is not the chosen one."""
    url = reverse(name, args=args)
    chosen = context["request"].project
    return url if chosen == project else f"{url}?{urlencode({'project': project.slug})}"


@register.simple_tag(takes_context=True)
def with_query(context: Context, **changes: Any) -> str:
    """Return the page's own query with `changes`; an empty value takes a key away."""
    query = context["request"].GET.copy()
    query.pop("fragment", None)
    for key, value in changes.items():
        if value in (None, ""):
            query.pop(key, None)
        else:
            query[key] = value
    return f"?{query.urlencode()}"


@register.filter
def stacked(day: Day, tallest: int) -> list[tuple[str, int, int]]:
    """Return (state, top, height) of the pieces of a day's column, in runs; what passed lies below."""
    top, pieces = tallest, []
    for kind in ("passed", "cancelled", "failed", "error"):
        height = getattr(day, kind)
        top -= height
        if height:
            pieces.append((kind, top, height))
    return pieces


@register.simple_tag
def so_far(run: TestRun) -> str:
    """Write for how long a running run has been going."""
    return duration(run.duration_so_far(timezone.now()))
