"""What every request carries: the chosen project, the reader's time zone, and a name in the logs."""

from __future__ import annotations

import uuid
import zoneinfo
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from access.models import Project
from access.time_zones import time_zones


class NoNulMiddleware:
    """Refuse an address with a NUL: nothing is named so, and PostgreSQL fails when it is asked for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return JsonResponse({"detail": "An address can't hold a NUL (%00)."}, status=400)
        return self.get_response(request)


class RequestContextMiddleware:
    """Give the request its project, its time zone and its log context."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        request.project = chosen_project(request)  # type: ignore[attr-defined]
        name = getattr(user, "time_zone", "UTC")
        zone = zoneinfo.ZoneInfo(name if name in time_zones() else "UTC")
        structlog.contextvars.bind_contextvars(request_id=uuid.uuid4().hex[:12])
        try:
            with timezone.override(zone):
                return self.get_response(request)
        finally:
            structlog.contextvars.clear_contextvars()


def chosen_project(request: HttpRequest) -> Project | None:
    """Return the project the user looks at: `?project=`, else the session's, else their first."""
    if not request.user.is_authenticated:
        return None
    visible = {project.slug: project for project in Project.objects.visible_to(request.user)}
    for slug in (request.GET.get("project"), request.session.get("project")):
        if slug in visible:
            return visible[slug]
    return visible.get("demo") or next(iter(visible.values()), None)
