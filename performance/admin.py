"""Curation of loads, own hosts, metric queries and alarms; what was measured is read only."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from access import audit
from access.models import User
from performance.models import (
    Bottleneck,
    ChangePoint,
    Comparison,
    ComparisonRun,
    Component,
    Gathering,
    Metric,
    MetricQuery,
    MetricSeries,
    Optimization,
    OptimizationRun,
    PerformanceBaseline,
    TargetHost,
    TrackRun,
    Workload,
    WorkloadRun,
)
from tracking.admin import HistoryAdmin


class Deletable:
    """Rows that are deleted with their parts, on the record; their runs stay then as long as policies say."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)  # type: ignore[arg-type]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        found, counts, _, held = super().get_deleted_objects(objs, request)  # type: ignore[misc]
        return found, counts, set(), held  # parts are never deleted alone, so nobody has the right to

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        what, project = f"performance.{obj._meta.model_name}.delete", obj.workload.project
        with transaction.atomic():
            audit.record(what, actor=cast(User, request.user), project=project, target=obj)
            obj.delete()

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset.select_related("workload__project"):
            self.delete_model(request, row)


@admin.register(TargetHost)
class TargetHostAdmin(admin.ModelAdmin):
    list_display = ["host", "project", "note", "added_by", "added_at"]
    list_filter = ["project"]
    search_fields = ["host", "project__slug", "note"]
    autocomplete_fields = ["project"]
    readonly_fields = ["added_by", "added_at"]
    list_select_related = ["project"]

    def save_model(self, request: HttpRequest, obj: TargetHost, form: Any, change: bool) -> None:
        obj.added_by = obj.added_by or str(request.user)
        super().save_model(request, obj, form, change)


class WorkloadForm(forms.ModelForm):
    """Stored secrets are never shown; an empty field keeps them, a dash removes them."""

    class Meta:
        model = Workload
        fields = [
            *("description", "environment", "target", "generator", "spec", "secrets"),
            *("same_within", "is_archived"),
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept = self.instance.secrets
        self.initial.pop("secrets", None)
        self.fields["secrets"] = forms.CharField(
            required=False,
            widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
            help_text=("Some are stored. " if self.kept else "None are stored. ")
            + 'A JSON object as {"token": "…"}; empty keeps what is stored, a single - removes it.',
        )

    def clean_secrets(self) -> str | None:
        typed = self.cleaned_data.get("secrets")
        return None if typed == "-" else typed or self.kept


class ComponentInline(admin.TabularInline):
    model = Component
    extra = 0


@admin.register(Workload)
class WorkloadAdmin(admin.ModelAdmin):
    """New workloads come by `workload load` or the API, because each needs its definition."""

    form = WorkloadForm
    list_display = ["name", "project", "environment", "target", "generator", "version", "is_archived"]
    list_filter = ["generator", "is_archived", "project"]
    search_fields = ["name", "project__slug", "target", "description"]
    list_select_related = ["project", "environment"]
    inlines = [ComponentInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Workload, form: Any, change: bool) -> None:
        if {"spec", "target", "generator"} & set(form.changed_data):
            obj.version += 1
        super().save_model(request, obj, form, change)


@admin.register(Component)
class ComponentAdmin(admin.ModelAdmin):
    list_display = ["name", "workload", "target", "price_per_hour", "currency"]
    list_filter = ["workload__project"]
    search_fields = ["name", "workload__name"]
    autocomplete_fields = ["workload"]
    list_select_related = ["workload"]


@admin.register(MetricQuery)
class MetricQueryAdmin(admin.ModelAdmin):
    list_display = ["name", "source", "project", "environment", "unit", "saturated_at", "enabled"]
    list_filter = ["source", "enabled", "project"]
    search_fields = ["name", "query", "project__slug"]
    autocomplete_fields = ["project", "environment"]
    list_select_related = ["project", "environment"]


@admin.register(ChangePoint)
class ChangePointAdmin(Deletable, HistoryAdmin):
    """Decided on the workload's page, where the evidence is seen."""

    list_display = ["workload", "metric", "request", "before", "after", "p", "is_alarm", "state", "found_at"]
    list_filter = ["state", "is_alarm", "is_worse"]
    search_fields = ["workload__name", "commit_sha", "metric"]
    list_select_related = ["workload"]


@admin.register(Optimization)
class OptimizationAdmin(Deletable, admin.ModelAdmin):
    list_display = ["name", "workload", "verdict", "commit_sha", "created_by", "created_at"]
    list_filter = ["verdict", "workload__project"]
    search_fields = ["name", "description", "commit_sha"]
    readonly_fields = ["workload", "verdict", "result", "judged_at", "tries", "created_by", "created_at"]
    list_select_related = ["workload"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(WorkloadRun)
class WorkloadRunAdmin(HistoryAdmin):
    list_display = ["run", "workload", "component", "purpose", "started_at", "requests", "errors", "tool"]
    list_filter = ["purpose", "generator"]
    search_fields = ["run__test_run_id", "workload__name"]
    date_hierarchy = "started_at"
    list_select_related = ["run", "workload", "component"]


@admin.register(Metric)
class MetricAdmin(HistoryAdmin):
    exclude = ["sketch"]
    list_display = ["run", "name", "request", "n", "value", "unit", "p50", "p95", "p99"]
    list_filter = ["name"]
    search_fields = ["run__run__test_run_id", "request"]
    list_select_related = ["run__run"]


@admin.register(MetricSeries)
class MetricSeriesAdmin(HistoryAdmin):
    exclude = ["times", "values"]
    list_display = ["run", "source", "name", "unit", "n", "saturated_at", "problem"]
    list_filter = ["source"]
    search_fields = ["run__test_run_id", "name"]
    list_select_related = ["run"]


@admin.register(Gathering)
class GatheringAdmin(HistoryAdmin):
    list_display = ["run", "until", "tries", "again_at", "problem"]
    list_filter = ["again_at"]
    search_fields = ["run__test_run_id", "problem"]
    list_select_related = ["run"]


@admin.register(Bottleneck)
class BottleneckAdmin(HistoryAdmin):
    list_display = ["run", "rank", "kind", "name", "score", "share", "text"]
    list_filter = ["kind"]
    search_fields = ["run__run__test_run_id", "name"]
    list_select_related = ["run__run"]


@admin.register(PerformanceBaseline)
class PerformanceBaselineAdmin(Deletable, HistoryAdmin):
    list_display = ["workload", "component", "branch", "run", "set_by", "set_at"]
    list_filter = ["workload__project"]
    search_fields = ["workload__name", "branch"]
    list_select_related = ["workload", "component", "run__run"]


@admin.register(OptimizationRun)
class OptimizationRunAdmin(HistoryAdmin):
    list_display = ["optimization", "side", "run"]
    list_filter = ["side"]
    search_fields = ["optimization__name", "run__run__test_run_id"]
    list_select_related = ["optimization", "run__run"]


@admin.register(Comparison)
class ComparisonAdmin(Deletable, HistoryAdmin):
    list_display = ["workload", "rounds", "status", "created_by", "created_at", "completed_at"]
    list_filter = ["status", "workload__project"]
    search_fields = ["workload__name"]
    list_select_related = ["workload"]


@admin.register(ComparisonRun)
class ComparisonRunAdmin(HistoryAdmin):
    list_display = ["comparison", "component", "round", "run"]
    list_filter = ["component__workload__project"]
    search_fields = ["component__name", "run__run__test_run_id"]
    list_select_related = ["comparison__workload", "component", "run__run"]


@admin.register(TrackRun)
class TrackRunAdmin(HistoryAdmin):
    list_display = [
        *("started_at", "project", "workload", "target", "status", "reason"),
        *("triggered_by", "completed_at"),
    ]
    list_filter = ["status", "project"]
    search_fields = ["project__slug", "target"]
    list_select_related = ["project", "workload"]
