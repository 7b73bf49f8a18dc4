"""Every version of what people set, the deleted ones too."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

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
    list_select_related = ["history_user"]

    def __init__(self, model: Any, site: Any) -> None:
        shown = SHOWN[model.instance_type.__name__]
        self.list_display = ["history_date", "history_type", "history_user", *shown]
        self.search_fields = [*shown[:1], "history_user__username"]
        super().__init__(model, site)


for tracked, _ in TRACKED:
    admin.site.register(tracked.history.model, VersionAdmin)
