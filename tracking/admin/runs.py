"""Runs: read, handed out as a file, and curated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.http import HttpRequest
from django.utils import timezone

from analysis.wording import count
from tracking import curation
from tracking.admin.doors import FilesOut
from tracking.admin.history import HistoryAdmin
from tracking.admin.resources import RunResource
from tracking.models import TestRun


class ReasonForm(ActionForm):
    """Beside the choice of an action: why."""

    reason = forms.CharField(required=False, max_length=curation.LONGEST, label="Reason:")


@admin.register(TestRun)
class TestRunAdmin(FilesOut, HistoryAdmin):
    """A run is history; a curator says what it is worth."""

    resource_classes = [RunResource]
    action_form = ReasonForm
    actions = ["pin", "unpin", "leave_out", "take_back"]
    list_display = [
        *("test_run_id", "project", "environment", "status", "branch", "triggered_by", "started_at"),
        *("pinned", "excluded_reason"),
    ]
    list_filter = [
        *("status", "space", "pinned", ("excluded_at", admin.EmptyFieldListFilter), "project"),
        "environment__kind",
    ]
    search_fields = ["test_run_id", "branch", "commit_sha", "triggered_by"]
    date_hierarchy = "started_at"
    list_select_related = ["project", "environment"]

    def has_curate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tracking.change_testrun")

    def get_export_queryset(self, request: HttpRequest) -> Any:
        return super().get_export_queryset(request).select_related("project", "definition", "environment")

    @admin.action(description="Pin: keep forever", permissions=["curate"])
    def pin(self, request: HttpRequest, runs: Any) -> None:
        self._each(request, runs, "pinned", lambda run, **by: curation.pin(run, pinned=True, **by))

    @admin.action(description="Unpin: retention may delete it", permissions=["curate"])
    def unpin(self, request: HttpRequest, runs: Any) -> None:
        self._each(request, runs, "unpinned", lambda run, **by: curation.pin(run, pinned=False, **by))

    @admin.action(description="Leave out of the statistics (say why)", permissions=["curate"])
    def leave_out(self, request: HttpRequest, runs: Any) -> None:
        reason = request.POST.get("reason", "")
        try:
            self._each(request, runs, "left out", lambda run, **by: curation.exclude(run, reason, **by))
        except ValueError as problem:
            self.message_user(request, str(problem), messages.ERROR)

    @admin.action(description="Take back into the statistics", permissions=["curate"])
    def take_back(self, request: HttpRequest, runs: Any) -> None:
        self._each(request, runs, "taken back", curation.take_back)

    def _each(self, request: HttpRequest, runs: Any, told: str, verb: Callable[..., bool]) -> None:
        now = timezone.now()
        chosen = runs.select_related("project", "definition", "environment")
        changed = sum(verb(run, by=request.user, now=now) for run in chosen)
        self.message_user(request, f"{count(changed, 'run')} {told}.")
