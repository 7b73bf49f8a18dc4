"""Curation of tests; what was reported is history, to be read.

`Result` has no screen: its rows have no key of their own, and there are a hundred million of them.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from executions.models import (
    CaseArchive,
    CaseStatistics,
    CISync,
    IdempotencyKey,
    Report,
    ResultPack,
    ResultSet,
    ResultText,
    SameCode,
    SyncedRun,
    TestCase,
)
from tracking.admin import HistoryAdmin


@admin.register(TestCase)
class TestCaseAdmin(admin.ModelAdmin):
    """A curator joins a renamed test to its new name by `canonical`, and notes what is known of it."""

    list_display = ["nodeid", "suite", "project", "is_derived", "first_seen_at"]
    list_filter = ["project", "is_derived"]
    search_fields = ["nodeid", "suite"]
    list_select_related = ["project"]
    autocomplete_fields = ["canonical"]
    readonly_fields = ["project", "suite", "nodeid", "junit_key", "is_derived", "file", "first_seen_at"]
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Report)
class ReportAdmin(HistoryAdmin):
    list_display = [
        "id",
        "received_at",
        "project",
        "status",
        "format",
        "total",
        "failed",
        "error",
        "run",
        "name",
    ]
    list_filter = ["status", "project", "format"]
    search_fields = ["name", "run__test_run_id", "sent_by"]
    list_select_related = ["project", "run"]


@admin.register(ResultSet)
class ResultSetAdmin(HistoryAdmin):
    list_display = ["run", "project", "space", "started_at", "passed", "failed", "error", "skipped"]
    list_filter = ["space", "project"]
    search_fields = ["run__test_run_id", "code"]
    list_select_related = ["project", "run"]


@admin.register(ResultPack)
class ResultPackAdmin(HistoryAdmin):
    """Packed columns for machines; the results themselves are on the run's page."""

    list_display = ["set"]
    list_filter = ["set__space"]
    search_fields = ["set__run__test_run_id"]
    list_select_related = ["set__run"]
    exclude = ["cases", "outcomes", "durations"]


@admin.register(ResultText)
class ResultTextAdmin(HistoryAdmin):
    list_display = ["case", "set", "started_at", "message"]
    list_filter = ["started_at"]
    search_fields = ["case__nodeid", "set__run__test_run_id"]
    list_select_related = ["case", "set"]


class CountsAdmin(HistoryAdmin):
    list_display = ["case", "space", "runs", "failed", "error", "last_run_at", "last_failure_at"]
    list_filter = ["space"]
    search_fields = ["case__nodeid"]
    list_select_related = ["case"]


@admin.register(CaseStatistics)
class CaseStatisticsAdmin(CountsAdmin):
    list_display = [*CountsAdmin.list_display, "flips", "recent"]


@admin.register(CaseArchive)
class CaseArchiveAdmin(CountsAdmin):
    pass


@admin.register(SameCode)
class SameCodeAdmin(HistoryAdmin):
    list_display = ["case", "space", "code", "failures", "passes", "last_at"]
    list_filter = ["space"]
    search_fields = ["case__nodeid", "code"]
    list_select_related = ["case"]


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(HistoryAdmin):
    list_display = ["key", "project", "at"]
    list_filter = ["project"]
    search_fields = ["key"]
    list_select_related = ["project"]


@admin.register(CISync)
class CISyncAdmin(admin.ModelAdmin):
    list_display = ["project", "every", "next_at", "reached", "problem"]
    list_filter = ["every"]
    search_fields = ["project__slug"]
    list_select_related = ["project"]
    readonly_fields = ["next_at", "reached", "full_at", "problem"]


@admin.register(SyncedRun)
class SyncedRunAdmin(HistoryAdmin):
    list_display = ["github_run_id", "project", "path", "attempt", "jobs", "is_whole", "created_at"]
    list_filter = ["is_whole", "project"]
    search_fields = ["github_run_id", "path"]
    list_select_related = ["project"]
