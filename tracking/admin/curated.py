"""What can be run, where, when and for how long it is kept; every change leaves a version."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from access.admin import ProjectAdmin
from access.models import Project
from tracking import scheduling
from tracking.admin.doors import FilesOutAndIn, VersionedAdmin
from tracking.admin.resources import DefinitionResource, EnvironmentResource
from tracking.environments import give_environments
from tracking.models import Environment, RetentionPolicy, Schedule, Step, TestDefinition


@admin.register(Project)
class ProjectWithEnvironmentsAdmin(ProjectAdmin, VersionedAdmin):
    def save_model(self, request: HttpRequest, obj: Project, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            give_environments(obj)


class StepInline(admin.StackedInline):
    model = Step
    extra = 0


@admin.register(Environment)
class EnvironmentAdmin(FilesOutAndIn, VersionedAdmin):
    resource_classes = [EnvironmentResource]
    list_display = ["name", "project", "kind", "service", "ref"]
    list_filter = ["kind", "service", "project"]
    search_fields = ["name", "project__slug", "ref"]
    autocomplete_fields = ["project"]
    list_select_related = ["project"]


@admin.register(TestDefinition)
class TestDefinitionAdmin(FilesOutAndIn, VersionedAdmin):
    """Steps are edited with their definition.  Whether it may run commands here is decided in a shell."""

    resource_classes = [DefinitionResource]
    list_display = ["name", "project", "test_type", "kind", "version", "is_from_shell", "updated_at"]
    list_filter = ["kind", "test_type", "is_from_shell", "project"]
    search_fields = ["name", "project__slug", "test_type", "description"]
    autocomplete_fields = ["project"]
    list_select_related = ["project"]
    readonly_fields = ["is_from_shell", "version", "folder"]
    inlines = [StepInline]

    def get_export_queryset(self, request: HttpRequest) -> Any:
        return super().get_export_queryset(request).select_related("project").prefetch_related("steps")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if any(formset.has_changed() for formset in formsets):
            definition = form.instance
            definition.version += 1
            # Commands typed into a page did not come from a shell, so they lose its trust.
            definition.is_from_shell = False
            definition.save(update_fields=["version", "is_from_shell", "updated_at"])


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(VersionedAdmin):
    list_display = ["project", "environment", "status", "days", "keep", "archives"]
    list_filter = ["project", "status"]
    search_fields = ["project__slug", "environment__name"]
    autocomplete_fields = ["project", "environment"]
    list_select_related = ["project", "environment"]


@admin.register(Schedule)
class ScheduleAdmin(VersionedAdmin):
    list_display = [
        *("definition", "environment", "project", "cron", "time_zone", "enabled"),
        *("next_at", "last_at", "last_run", "problem"),
    ]
    list_filter = ["enabled", "project"]
    search_fields = ["project__slug", "definition__name", "environment__name", "cron"]
    autocomplete_fields = ["project", "definition", "environment"]
    readonly_fields = ["next_at", "last_at", "last_run", "problem", "created_by"]
    list_select_related = ["project", "definition", "environment", "last_run"]

    def save_model(self, request: HttpRequest, obj: Schedule, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = str(request.user)
        super().save_model(request, obj, form, change)
        scheduling.set_next(obj, now=timezone.now())
