"""What a list of runs can be narrowed to; the URL holds all of it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import django_filters as filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from access.models import Project
from tracking.identifiers import environment_name
from tracking.models import Environment, Space, TestDefinition, TestRun, WorkflowRun


class MomentField(forms.CharField):
    """A day or a time, in the reader's zone unless it names one; a day means all of it."""

    def __init__(self, *, day_ends: bool = False, **kwargs: Any) -> None:
        self.day_ends = day_ends
        super().__init__(**kwargs)

    def clean(self, value: Any) -> datetime | None:
        text = (super().clean(value) or "").strip()
        if not text:
            return None
        try:
            moment = self._moment(text)
        except (ValueError, OverflowError):
            moment = None
        if moment is None:
            raise ValidationError(f"{text!r} is no date. Write it as 2026-01-04 or 2026-01-04T09:30.")
        return moment

    def _moment(self, text: str) -> datetime | None:
        day = parse_date(text)
        moment = parse_datetime(text) if day is None else datetime.combine(day, time.min)
        if moment is None:
            return None
        if day is not None and self.day_ends:
            moment += timedelta(days=1, microseconds=-1)
        aware = timezone.make_aware(moment) if timezone.is_naive(moment) else moment
        return aware.astimezone(UTC)  # or a date at the end of the calendar overflows in the database layer


class MomentFilter(filters.Filter):
    field_class = MomentField


class WorkflowFilter(filters.FilterSet):
    """Filters of the workflow runs of one project."""

    ENDS = [("open", "open"), ("success", "success"), ("failure", "failure"), ("cancelled", "cancelled")]
    state = filters.ChoiceFilter(
        choices=[*ENDS, ("other", "other")], method="ended", empty_label="any", label="state"
    )
    name = filters.CharFilter("name", "exact", label="workflow")
    service = filters.ChoiceFilter(
        choices=[("github", "github"), ("local", "local")], empty_label="any", label="service"
    )

    class Meta:
        model = WorkflowRun
        fields: list[str] = []

    def ended(self, rows: QuerySet[WorkflowRun], name: str, value: str) -> QuerySet[WorkflowRun]:
        if value == "other":
            return rows.exclude(conclusion__in=["", "success", "failure", "cancelled"])
        return rows.filter(conclusion="" if value == "open" else value)


class RunFilter(filters.FilterSet):
    """Filters of the runs of one project."""

    status = filters.MultipleChoiceFilter(choices=TestRun.Status.choices)
    environment = filters.ChoiceFilter(method="in_environment", empty_label="any")
    definition = filters.ChoiceFilter(method="of_definition", empty_label="any")
    branch = filters.CharFilter(max_length=255)
    space = filters.ChoiceFilter(choices=Space.choices, empty_label="any")
    started_after = MomentFilter("started_at", "gte", label="started from")
    started_before = MomentFilter("started_at", "lte", label="started until", day_ends=True)
    q = filters.CharFilter(method="matching", label="search")

    class Meta:
        model = TestRun
        fields: list[str] = []

    def __init__(self, data: Any, *, project: Project, **kwargs: Any) -> None:
        data = data.copy()
        if data.get("environment"):
            data["environment"] = environment_name(data["environment"])
        super().__init__(data, **kwargs)
        self.environments = dict(Environment.objects.in_project(project).values_list("name", "pk"))
        self.definitions = dict(TestDefinition.objects.in_project(project).values_list("name", "pk"))
        for name, known in (("environment", self.environments), ("definition", self.definitions)):
            self.filters[name].extra["choices"] = [(word, word) for word in known]
            self.filters[name].extra["error_messages"] = {
                "invalid_choice": f"There is no {name} %(value)s in this project."
            }
        for name in ("status", "space"):
            self.filters[name].extra["error_messages"] = {"invalid_choice": f"There is no {name} %(value)s."}

    def in_environment(self, rows: QuerySet[TestRun], name: str, value: str) -> QuerySet[TestRun]:
        return rows.filter(environment_id=self.environments[value])

    def of_definition(self, rows: QuerySet[TestRun], name: str, value: str) -> QuerySet[TestRun]:
        return rows.filter(definition_id=self.definitions[value])

    def matching(self, rows: QuerySet[TestRun], name: str, value: str) -> QuerySet[TestRun]:
        return rows.filter(
            Q(test_run_id__icontains=value)
            | Q(branch__icontains=value)
            | Q(commit_sha__istartswith=value)
            | Q(triggered_by__icontains=value)
        )

    @property
    def is_narrowed(self) -> bool:
        return any(value for value in self.form.cleaned_data.values()) if self.is_valid() else True
