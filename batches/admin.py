"""What was recorded is history: to be read here, never changed."""

from __future__ import annotations

from django.contrib import admin

from batches.models import (
    Batch,
    BatchBaseline,
    BatchJob,
    BatchRun,
    Edit,
    FileState,
    KnownFile,
    Regression,
    Rollback,
    Workspace,
)
from tracking.admin import HistoryAdmin


@admin.register(Workspace)
class WorkspaceAdmin(HistoryAdmin):
    list_display = ["root", "host", "project", "batch_size", "created_at"]
    list_filter = ["project"]
    search_fields = ["root", "host"]
    list_select_related = ["project"]


@admin.register(Batch)
class BatchAdmin(HistoryAdmin):
    list_display = ["number", "workspace", "opened_at", "closed_at", "is_dropped"]
    list_filter = ["is_dropped"]
    search_fields = ["workspace__root"]
    list_select_related = ["workspace"]


@admin.register(Edit)
class EditAdmin(HistoryAdmin):
    list_display = ["path", "batch", "position", "description", "recorded_at"]
    list_filter = ["recorded_at"]
    search_fields = ["path", "description"]
    list_select_related = ["batch"]


@admin.register(BatchRun)
class BatchRunAdmin(HistoryAdmin):
    list_display = ["id", "workspace", "batch", "started_at", "success", "pattern"]
    list_filter = ["success"]
    search_fields = ["workspace__root"]
    list_select_related = ["workspace", "batch"]


@admin.register(Regression)
class RegressionAdmin(HistoryAdmin):
    list_display = ["name", "kind", "baseline_seconds", "seconds"]
    list_filter = ["kind"]
    search_fields = ["name"]


@admin.register(Rollback)
class RollbackAdmin(HistoryAdmin):
    list_display = ["id", "batch", "started_at", "finished_at"]
    list_filter = ["finished_at"]
    search_fields = ["batch__workspace__root"]
    list_select_related = ["batch"]


@admin.register(BatchBaseline)
class BatchBaselineAdmin(HistoryAdmin):
    list_display = ["name", "workspace", "branch", "set_at"]
    list_filter = ["branch"]
    search_fields = ["name", "workspace__root"]
    list_select_related = ["workspace"]


@admin.register(FileState)
class FileStateAdmin(HistoryAdmin):
    list_display = ["digest", "kind", "mode", "size"]
    list_filter = ["kind"]
    search_fields = ["digest"]


@admin.register(KnownFile)
class KnownFileAdmin(HistoryAdmin):
    list_display = ["path", "workspace", "state", "is_recorded"]
    list_filter = ["is_recorded"]
    search_fields = ["path"]
    list_select_related = ["workspace", "state"]


@admin.register(BatchJob)
class BatchJobAdmin(HistoryAdmin):
    list_display = ["id", "kind", "batch", "workspace", "requested_by", "requested_at", "exit_code"]
    list_filter = ["kind"]
    search_fields = ["requested_by", "workspace__root"]
    list_select_related = ["batch", "workspace"]
