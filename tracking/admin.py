"""Curation of what can be run; what has run is history, to be read and not to be rewritten."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from access.admin import ProjectAdmin
from access.audit import record
from access.models import Project
from tracking.environments import give_environments
from tracking.models import (
    CallCount,
    CIRepository,
    DayTiming,
    Environment,
    LocalJob,
    RetentionPolicy,
    RunEvent,
    RunnerDay,
    RunnerTiming,
    RunTiming,
    Step,
    TestDefinition,
    TestRun,
    WebhookDelivery,
    WorkflowAttempt,
    WorkflowJob,
    WorkflowRun,
)


class HistoryAdmin(admin.ModelAdmin):
    """Rows that are read, never added, changed or removed by hand."""

    show_full_result_count = False  # counting all rows costs more the more are stored
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Project)
class ProjectWithEnvironmentsAdmin(ProjectAdmin):
    def save_model(self, request: HttpRequest, obj: Project, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            give_environments(obj)


class StepInline(admin.StackedInline):
    model = Step
    extra = 0


@admin.register(Environment)
class EnvironmentAdmin(admin.ModelAdmin):
    list_display = ["name", "project", "kind", "service", "ref"]
    list_filter = ["kind", "service", "project"]
    search_fields = ["name", "project__slug", "ref"]
    autocomplete_fields = ["project"]
    list_select_related = ["project"]


@admin.register(TestDefinition)
class TestDefinitionAdmin(admin.ModelAdmin):
    """Steps are edited with their definition.  Whether it may run commands here is decided in a shell."""

    list_display = ["name", "project", "test_type", "kind", "version", "is_from_shell", "updated_at"]
    list_filter = ["kind", "test_type", "is_from_shell", "project"]
    search_fields = ["name", "project__slug", "test_type", "description"]
    autocomplete_fields = ["project"]
    list_select_related = ["project"]
    readonly_fields = ["is_from_shell", "version", "folder"]
    inlines = [StepInline]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if any(formset.has_changed() for formset in formsets):
            definition = form.instance
            definition.version += 1
            # Commands typed into a page did not come from a shell, so they lose its trust.
            definition.is_from_shell = False
            definition.save(update_fields=["version", "is_from_shell", "updated_at"])


@admin.register(Step)
class StepAdmin(HistoryAdmin):
    """To search in; a step is edited with its definition."""

    list_display = ["definition", "position", "workflow", "count", "spacing", "at_most"]
    list_filter = ["definition__project"]
    search_fields = ["definition__name", "workflow"]
    list_select_related = ["definition"]


@admin.register(TestRun)
class TestRunAdmin(HistoryAdmin):
    """A run is history; a curator pins it, so that retention leaves it alone."""

    list_display = [
        *("test_run_id", "project", "environment", "status", "branch", "triggered_by", "started_at"),
        "pinned",
    ]
    list_filter = ["status", "space", "pinned", "project", "environment__kind"]
    actions = ["pin", "unpin"]
    search_fields = ["test_run_id", "branch", "commit_sha", "triggered_by"]
    date_hierarchy = "started_at"
    list_select_related = ["project", "environment"]

    @admin.action(description="Pin: keep for ever")
    def pin(self, request: HttpRequest, runs: Any) -> None:
        self._pin(request, runs, pinned=True)

    @admin.action(description="Unpin: retention may delete it")
    def unpin(self, request: HttpRequest, runs: Any) -> None:
        self._pin(request, runs, pinned=False)

    def _pin(self, request: HttpRequest, runs: Any, *, pinned: bool) -> None:
        for run in runs.select_related("project"):
            record(
                "run.pin" if pinned else "run.unpin", actor=str(request.user), project=run.project, target=run
            )
        runs.update(pinned=pinned)


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(admin.ModelAdmin):
    list_display = ["project", "environment", "status", "days", "keep", "archives"]
    list_filter = ["project", "status"]
    search_fields = ["project__slug", "environment__name"]
    autocomplete_fields = ["project", "environment"]
    list_select_related = ["project", "environment"]


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
