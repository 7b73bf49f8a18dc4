"""What the screens of libraries let through, narrowed to what somebody may do here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse
from import_export.admin import ExportMixin, ImportExportMixin
from simple_history.admin import SimpleHistoryAdmin

from tracking.admin.resources import FORMATS


class FilesOut(ExportMixin, admin.ModelAdmin):
    """Files for those who may see the rows; the library hands them to everybody of the staff."""

    formats = FORMATS

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


class FilesOutAndIn(FilesOut, ImportExportMixin):
    """Files in from those who may add and change rows."""

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)


class VersionedAdmin(SimpleHistoryAdmin):
    """Rows whose versions are looked at, and never written back (docs/decisions/0054)."""

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def history_form_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "GET":
            raise PermissionDenied("A version is not written back; type its values into the row.")
        return super().history_form_view(request, *args, **kwargs)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row; locked while it is changed, because all of its columns are written."""
        found = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST" or not connection.in_atomic_block:
            return found
        return self.get_queryset(request).select_for_update(no_key=True, of=("self",)).get(pk=found.pk)
