"""Every version of what people set, the deleted ones too."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tracking.admin.history import HistoryAdmin
from tracking.models import TRACKED

SHOWN = {
    "Project": ("slug", "name", "repository"),
    "Environment": ("name", "service", "ref"),
    "TestDefinition": ("name", "test_type", "version"),
    "Step": ("workflow", "count", "spacing"),
    "RetentionPolicy": ("status", "days", "keep"),
    "Schedule": ("cron", "time_zone", "enabled"),
}


class VersionAdmin(HistoryAdmin):
    """Who wrote which values when; the newest first."""

    list_filter = ["history_type", "history_date"]
    search_fields = ["history_user__username"]
    list_select_related = ["history_user"]

    def __init__(self, model: Any, site: Any) -> None:
        shown = SHOWN[model.instance_type.__name__]
        self.list_display = ["history_date", "history_type", "history_user", *shown]
        super().__init__(model, site)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [self.search_fields[0], SHOWN[self.model.instance_type.__name__][0]]


for tracked, _ in TRACKED:
    admin.site.register(tracked.history.model, VersionAdmin)
