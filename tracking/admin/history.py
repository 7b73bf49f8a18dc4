"""What has run is history, to be read and not to be rewritten."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from tracking.models import (
    CallCount,
    CIRepository,
    DayTiming,
    LocalJob,
    RunEvent,
    RunFile,
    RunnerDay,
    RunnerTiming,
    RunTiming,
    Step,
    WebhookDelivery,
    WorkflowAttempt,
    WorkflowJob,
    WorkflowRun,
)


class HistoryAdmin(admin.ModelAdmin):
    """Rows that are read, never added, changed or removed by hand."""

    show_full_result_count = False  # counting all rows costs more the more are stored
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> Any:
        """All rows; a list does not read the bodies, sketches and results that it does not show."""
        rows = super().get_queryset(request)
        address = request.resolver_match
        if request.method != "GET" or address is None or not str(address.url_name).endswith("_changelist"):
            return rows
        large = (models.BinaryField, models.JSONField, models.TextField)
        columns = self.model._meta.concrete_fields
        return rows.defer(
            *(one.name for one in columns if isinstance(one, large) and one.name not in self.list_display)
        )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Step)
class StepAdmin(HistoryAdmin):
    """To search in; a step is edited with its definition."""

    list_display = ["definition", "position", "workflow", "count", "spacing", "at_most"]
    list_filter = ["definition__project"]
    search_fields = ["definition__name", "workflow"]
    list_select_related = ["definition"]


@admin.register(RunEvent)
class RunEventAdmin(HistoryAdmin):
    list_display = ["at", "run", "kind", "text"]
    list_filter = ["kind"]
    search_fields = ["run__test_run_id", "text"]
    list_select_related = ["run"]


@admin.register(WorkflowRun)
class WorkflowRunAdmin(HistoryAdmin):
    list_display = ["run", "position", "name", "dispatch_state", "conclusion", "attempt", "github_run_id"]
    list_filter = ["dispatch_state", "conclusion", "service"]
    search_fields = ["run__test_run_id", "name", "dispatch_id", "=github_run_id"]
    list_select_related = ["run"]


@admin.register(WorkflowAttempt)
class WorkflowAttemptAdmin(HistoryAdmin):
    list_display = ["workflow", "number", "status", "conclusion", "queue", "execution", "total", "quality"]
    list_filter = ["status", "conclusion", "quality", "method"]
    search_fields = ["workflow__run__test_run_id", "workflow__name"]
    list_select_related = ["workflow"]


@admin.register(WorkflowJob)
class WorkflowJobAdmin(HistoryAdmin):
    list_display = ["name", "job_id", "status", "conclusion", "runner_name", "queue", "execution", "quality"]
    list_filter = ["status", "conclusion", "quality", "runner_group"]
    search_fields = ["attempt__workflow__run__test_run_id", "name", "runner_name", "=job_id"]


@admin.register(LocalJob)
class LocalJobAdmin(HistoryAdmin):
    list_display = ["id", "name", "title", "state", "conclusion", "host", "created_at", "exit_code"]
    list_filter = ["state", "conclusion", "host"]
    search_fields = ["dispatch_id", "name", "title"]


@admin.register(CIRepository)
class CIRepositoryAdmin(HistoryAdmin):
    list_display = ["full_name", "service", "repository_id", "listed_at", "hook_at"]
    list_filter = ["service"]
    search_fields = ["full_name", "=repository_id"]


@admin.register(CallCount)
class CallCountAdmin(HistoryAdmin):
    list_display = ["hour", "identity", "calls", "not_modified", "limited", "waited"]
    list_filter = ["hour"]
    search_fields = ["identity"]


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(HistoryAdmin):
    """The body is compressed bytes; what was made of it is shown."""

    exclude = ["body"]
    list_display = ["received_at", "event", "action", "state", "times", "github_run_id", "problem"]
    list_filter = ["state", "event"]
    search_fields = ["guid", "=github_run_id"]


@admin.register(RunFile)
class RunFileAdmin(HistoryAdmin):
    list_display = ["name", "run"]
    list_filter = ["run__project"]
    search_fields = ["name"]
    list_select_related = ["run"]


class FiguresAdmin(HistoryAdmin):
    """Sketches are bytes for machines; what people read are the counts and sums."""

    exclude = ["queue_sketch", "execution_sketch", "total_sketch", "duration_sketch"]


@admin.register(RunTiming)
class RunTimingAdmin(FiguresAdmin):
    exclude = ["queue_sketch", "execution_sketch", "total_sketch"]
    list_display = ["run", "timed", "queue_sum", "execution_sum", "total_sum"]
    list_filter = ["run__project"]
    search_fields = ["run__test_run_id"]
    list_select_related = ["run"]


class RunnersAdmin(FiguresAdmin):
    exclude = ["queue_sketch", "execution_sketch"]


@admin.register(RunnerTiming)
class RunnerTimingAdmin(RunnersAdmin):
    list_display = ["run", "runner_group", "labels", "jobs", "queue_sum", "execution_sum"]
    list_filter = ["runner_group"]
    search_fields = ["run__test_run_id", "labels"]
    list_select_related = ["run"]


@admin.register(RunnerDay)
class RunnerDayAdmin(RunnersAdmin):
    list_display = ["day", "project", "runner_group", "labels", "jobs", "queue_sum", "execution_sum"]
    list_filter = ["project", "runner_group"]
    search_fields = ["labels"]
    date_hierarchy = "day"
    list_select_related = ["project"]


@admin.register(DayTiming)
class DayTimingAdmin(FiguresAdmin):
    list_display = ["day", "definition", "environment", "passed", "failed", "cancelled", "error", "timed"]
    list_filter = ["project"]
    search_fields = ["definition__name", "environment__name"]
    date_hierarchy = "day"
    list_select_related = ["definition", "environment"]
