"""Gauges for Prometheus, and a badge for a README."""

from __future__ import annotations

import hmac
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from access.models import Project
from access.permissions import EVERYBODY, open_to
from dashboards.operation import exposition
from tracking.models import TestRun

LOOPBACK = {"127.0.0.1", "::1"}
COLORS = {"passed": "#1b7a3d", "failed": "#c0261d", "error": "#8a2a9b", "running": "#0a5fb4"}
GRAY = "#58616b"


@open_to(EVERYBODY)
def metrics(request: HttpRequest) -> HttpResponse:
    """Hand out gauges: to this machine, or to whoever has the token of RUNTRAIL_METRICS_TOKEN."""
    wanted: str = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    is_near = request.META.get("REMOTE_ADDR") in LOOPBACK and "X-Forwarded-For" not in request.headers
    if not (is_near or (wanted and hmac.compare_digest(given.encode(), wanted.encode()))):
        raise Http404("There is nothing here.")
    return HttpResponse(exposition(timezone.now()), content_type="text/plain; version=0.0.4; charset=utf-8")


@open_to(EVERYBODY)
def badge(request: HttpRequest, slug: str) -> HttpResponse:
    """Draw how the last run of a project that shows its badge ended."""
    project = Project.objects.filter(slug=slug).first()
    last: Any = None
    if project is not None and settings.SHOW_BADGES:
        last = (
            TestRun.objects.in_project(project)
            .ended()
            .newest_first()
            .values_list("status", flat=True)
            .first()
        )
    word = last or "unknown"
    answer = render(
        request,
        "badge.svg",
        {"word": word, "color": COLORS.get(word, GRAY), "width": 62 + 8 * len(word)},
        content_type="image/svg+xml",
    )
    answer["Cache-Control"] = "max-age=60"
    return answer
