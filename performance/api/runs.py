"""Workload runs over HTTP: what goes on, figures, series, and what held the run back."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

import django_filters
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from access import audit
from access.api.base import ProjectViewSet
from access.api.errors import Conflict
from access.api.paging import ByCursor
from access.models import Role
from performance import tasks
from performance.api.serializers import (
    BottleneckSerializer,
    MetricSerializer,
    SeriesSerializer,
    WorkloadRunSerializer,
)
from performance.models import Bottleneck, Metric, MetricSeries, WorkloadRun
from tracking import lifecycle
from tracking.api.filters import MomentFilter
from tracking.models import TestRun

IDENTIFIER = OpenApiParameter("run", OpenApiTypes.STR, "path", description="The UUID, or the testRunId.")


class WorkloadRunFilter(django_filters.FilterSet):
    """`workload`, `component`, `status`, `branch`, `purpose`, `startedAfter`, `startedBefore`."""

    workload = django_filters.CharFilter(field_name="workload__name")
    component = django_filters.CharFilter(field_name="component__name")
    status = django_filters.MultipleChoiceFilter(field_name="run__status", choices=TestRun.Status.choices)
    branch = django_filters.CharFilter(field_name="run__branch")
    purpose = django_filters.ChoiceFilter(choices=WorkloadRun.Purpose.choices)
    startedAfter = MomentFilter(field_name="started_at", lookup_expr="gte")
    startedBefore = MomentFilter(field_name="started_at", lookup_expr="lt")

    class Meta:
        model = WorkloadRun
        fields = ("workload", "component", "status", "branch", "purpose")


class WorkloadRunPages(ByCursor):
    ordering = ("-started_at", "-run_id")  # type: ignore[assignment]


class WorkloadRunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectViewSet):
    """Drives of workloads, newest first."""

    queryset = WorkloadRun.objects.for_list()
    serializer_class = WorkloadRunSerializer
    pagination_class = WorkloadRunPages
    filterset_class = WorkloadRunFilter
    project_field = "run__project"
    lookup_value_regex = "[^/]+"
    roles: ClassVar[dict[str, Role]] = {
        "stop": Role.REPORTER,
        **dict.fromkeys(["metrics", "bottlenecks"], Role.VIEWER),
    }

    def get_object(self) -> WorkloadRun:
        named = str(self.kwargs["pk"])
        try:
            wanted: dict[str, Any] = {"pk": uuid.UUID(named)}
        except ValueError:
            wanted = {"run__test_run_id": named}
        found: WorkloadRun = get_object_or_404(self.get_queryset(), **wanted)
        return found

    @extend_schema(request=None, responses=WorkloadRunSerializer, parameters=[IDENTIFIER])
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str = "") -> Response:
        """End a load at once; what was measured is kept."""
        found = self.get_object()
        run = found.run
        if not lifecycle.request_cancel(run, by=self.actor, now=timezone.now()) and not run.is_running:
            raise Conflict(f"{run} has ended already, as {run.status}.")
        audit.record("workload.stop", actor=self.actor, project=self.project, target=run)
        tasks.wake(found.pk)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        responses=inline_serializer(
            "WorkloadMetrics",
            {"metrics": MetricSerializer(many=True), "series": SeriesSerializer(many=True)},
        ),
        parameters=[IDENTIFIER],
        filters=False,
    )
    @action(detail=True, pagination_class=None)
    def metrics(self, request: Request, pk: str = "") -> Response:
        """Figures over all requests and by request, and series over the time of the run."""
        found = self.get_object()
        return Response(
            {
                "metrics": MetricSerializer(
                    Metric.objects.filter(run=found).order_by("name", "request").defer("sketch"), many=True
                ).data,
                "series": SeriesSerializer(
                    MetricSeries.objects.filter(run=found.run_id).order_by("source", "name"), many=True
                ).data,
            }
        )

    @extend_schema(responses=BottleneckSerializer(many=True), parameters=[IDENTIFIER], filters=False)
    @action(detail=True, pagination_class=None)
    def bottlenecks(self, request: Request, pk: str = "") -> Response:
        """What held it back, the strongest first; an empty list means that nothing was found."""
        rows = Bottleneck.objects.filter(run=self.get_object()).order_by("rank")
        return Response(
            {
                "count": len(rows),
                "next": None,
                "previous": None,
                "results": BottleneckSerializer(rows, many=True).data,
            }
        )
