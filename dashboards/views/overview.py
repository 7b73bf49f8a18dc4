"""The first page of a project."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from access.models import Role
from access.permissions import requires
from dashboards import overview_news, overview_page, sentences
from dashboards.rendering import page

FAST, SLOW = 2, 10  # seconds between two looks while something runs, and otherwise


@requires(Role.VIEWER)
def overview(request: HttpRequest) -> HttpResponse:
    """Show what runs, what ended badly, what waits for somebody, and whether it queues more than usual."""
    project: Any = request.project  # type: ignore[attr-defined]
    shown = overview_page.load(project, timezone.now())
    said = sentences.overview(running=shown.running, bad=shown.bad, recent=shown.recent, usual=shown.usual)
    context = {
        "shown": shown,
        "news": overview_news.load(project),
        "sentence": "No run was recorded here yet." if shown.is_empty else said,
        "project": project,
    }
    return page(request, "overview.html", context, refresh=FAST if shown.going else SLOW)
