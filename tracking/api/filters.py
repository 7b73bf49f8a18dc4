"""How lists of runs are narrowed."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django_filters.fields import IsoDateTimeField

from tracking.identifiers import environment_name
from tracking.models import Space, TestRun


class MomentField(IsoDateTimeField):
    """A time in UTC: PostgreSQL knows neither offsets of a day nor years beyond those of the calendar."""

    def to_python(self, value: Any) -> datetime | None:
        try:
            found: datetime | None = super().to_python(value)
            return found.astimezone(UTC) if found else None
        except (OverflowError, ValueError):
            raise ValidationError(f"{value!r} is no time; write it as 2026-01-04T09:30:00Z.") from None


class MomentFilter(django_filters.IsoDateTimeFilter):
    field_class = MomentField


class RunFilter(django_filters.FilterSet):
    """`status`, `environment`, `definition`, `branch`, `space`, `startedAfter`, `startedBefore`."""

    status = django_filters.MultipleChoiceFilter(choices=TestRun.Status.choices)
    environment = django_filters.CharFilter(method="of_environment", label="name of the environment")
    definition = django_filters.CharFilter(method="of_definition", label="name or id of the definition")
    branch = django_filters.CharFilter()
    commit = django_filters.CharFilter(field_name="commit_sha", lookup_expr="startswith")
    space = django_filters.ChoiceFilter(choices=Space.choices)
    startedAfter = MomentFilter(field_name="started_at", lookup_expr="gte")
    startedBefore = MomentFilter(field_name="started_at", lookup_expr="lt")

    class Meta:
        model = TestRun
        fields = ("status", "environment", "definition", "branch", "commit", "space")

    def of_definition(self, runs: Any, _: str, value: str) -> Any:
        try:
            return runs.filter(definition=uuid.UUID(value))
        except ValueError:
            return runs.filter(definition__name=value)

    def of_environment(self, runs: Any, _: str, value: str) -> Any:
        return runs.filter(environment__name=environment_name(value))
