"""What is proved over HTTP: optimizations, comparisons of components, changes, and the whole track."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.base import ProjectViewSet
from access.api.camel import camelized
from access.api.errors import Conflict, Refused
from access.api.paging import ByNumber
from access.models import Role
from performance import tasks
from performance.api.proving_filters import ChangeFilter, ComparisonFilter, OptimizationFilter
from performance.api.proving_serializers import (
    ChangePointSerializer,
    ComponentComparisonSerializer,
    DecisionSerializer,
    NewComparisonSerializer,
    NewOptimizationSerializer,
    OptimizationSerializer,
)
from performance.changes import accept, dismiss, reopen
from performance.comparison import NotComparable, cancel_comparison, start_comparison
from performance.models import ChangePoint, Comparison, Optimization, TrackRun, Workload, WorkloadRun
from performance.optimization import NotRecordable, record_optimization
from performance.proving import advance_comparison, advance_retry
from performance.retrying import ask_again
from performance.total_effect import total_effect
from performance.trigger import start_workload_run

NUMBER = "[0-9]{1,18}"
IDENTIFIER = OpenApiParameter("id", OpenApiTypes.INT, "path")
NAMED = OpenApiParameter("workload", OpenApiTypes.STR, description="Name of a workload.", required=True)
EMPTY = {"status": "not run", "duration": 0.0, "phases": []}


class OfWorkloads(ProjectViewSet):
    """What belongs to the workloads of the project."""

    project_field = "workload__project"
    pagination_class = ByNumber

    def workload(self, name: str) -> Workload:
        found: Workload | None = Workload.objects.of(self.project).filter(name=name).first()
        if found is None:
            raise ValidationError({"workload": [f"There is no workload {name!r} in {self.project}."]})
        return found

    def runs(self, workload: Workload, field: str, named: Sequence[str]) -> list[WorkloadRun]:
        """The runs that were named by UUID or public name, in their order."""
        wanted = Q(run__test_run_id__in=named) | Q(pk__in=[one for one in named if _is_uuid(one)])
        rows = WorkloadRun.objects.of(workload.project).for_driving().filter(wanted)
        found = {name: row for row in rows for name in (str(row.pk), row.run.test_run_id)}
        missing = [one for one in named if one not in found]
        if missing:
            raise ValidationError({field: [f"There is no workload run {missing[0]!r} in {self.project}."]})
        return [found[one] for one in named]


class OptimizationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OfWorkloads):
    """What was tried to make a system better, newest first."""

    queryset = (
        Optimization.objects.select_related("workload")
        .prefetch_related("sides__run__run")
        .order_by("-created_at", "-pk")
    )
    serializer_class = OptimizationSerializer
    filterset_class = OptimizationFilter
    lookup_value_regex = NUMBER
    roles: ClassVar[dict[str, Role]] = {
        **dict.fromkeys(["create", "retry"], Role.REPORTER),
        "total": Role.VIEWER,
    }

    @extend_schema(request=NewOptimizationSerializer, responses={201: OptimizationSerializer})
    def create(self, request: Request) -> Response:
        """Record a change with the runs before and after it; the answer has the verdict."""
        asked = NewOptimizationSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        workload = self.workload(wanted.pop("workload"))
        before, after = (self.runs(workload, side, wanted.pop(side)) for side in ("before", "after"))
        try:
            made = record_optimization(
                workload,
                wanted.pop("name"),
                before=before,
                after=after,
                by=self.actor,
                now=timezone.now(),
                **wanted,
            )
        except NotRecordable as problem:
            raise Refused(str(problem)) from None
        return Response(self.get_serializer(self.get_queryset().get(pk=made.pk)).data, status=201)

    @extend_schema(request=None, responses=OptimizationSerializer, parameters=[IDENTIFIER])
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str = "") -> Response:
        """Make more runs, in turn on both sides where both can still be loaded, and judge again."""
        optimization: Optimization = self.get_object()
        if optimization.result.get("planned"):
            raise Conflict("It is being tried again already.")
        try:
            ask_again(optimization, by=self.actor, now=timezone.now())
        except NotRecordable as problem:
            raise Conflict(str(problem)) from None
        run = advance_retry(optimization, start=start_workload_run, now=timezone.now())
        if run:
            tasks.wake(run.pk)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(responses=OpenApiTypes.OBJECT, parameters=[NAMED], filters=False)
    @action(detail=False, pagination_class=None)
    def total(self, request: Request) -> Response:
        """All optimizations of a workload together: the product of their ratios, with its interval."""
        workload = self.workload(request.query_params.get("workload", ""))
        return Response(camelized(total_effect(workload).as_json()))


class ComponentComparisonViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OfWorkloads):
    """Components under the same load, newest comparison first."""

    queryset = (
        Comparison.objects.select_related("workload")
        .prefetch_related("components", "turns__component", "turns__run__run")
        .order_by("-created_at", "-pk")
    )
    serializer_class = ComponentComparisonSerializer
    filterset_class = ComparisonFilter
    lookup_value_regex = "[0-9a-fA-F-]{32,36}"
    roles: ClassVar[dict[str, Role]] = dict.fromkeys(["create", "cancel"], Role.REPORTER)

    @extend_schema(request=NewComparisonSerializer, responses={201: ComponentComparisonSerializer})
    def create(self, request: Request) -> Response:
        """Let components take turns; workers drive the runs one after the other."""
        asked = NewComparisonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        workload = self.workload(wanted["workload"])
        known = {one.name: one for one in workload.components.all()}
        missing = [name for name in wanted["components"] if name not in known]
        if missing:
            names = ", ".join(known) or "none yet"
            raise ValidationError(
                {"components": [f"{workload} has no component {missing[0]!r}; it has: {names}."]}
            )
        chosen = [known[name] for name in wanted["components"]]
        try:
            made = start_comparison(
                workload, chosen, rounds=wanted["rounds"], by=self.actor, now=timezone.now()
            )
        except NotComparable as problem:
            raise Refused(str(problem)) from None
        if run := advance_comparison(made, start=start_workload_run, now=timezone.now()):
            tasks.wake(run.pk)
        return Response(self.get_serializer(self.get_queryset().get(pk=made.pk)).data, status=201)

    @extend_schema(request=None, responses=ComponentComparisonSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str = "") -> Response:
        """Start no more turns."""
        if not cancel_comparison(self.get_object(), by=self.actor, now=timezone.now()):
            raise Conflict("It has ended already.")
        return Response(self.get_serializer(self.get_object()).data)


class ChangeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OfWorkloads):
    """Changes of level in the series of workloads, newest first."""

    queryset = ChangePoint.objects.select_related("workload", "component", "first_run__run")
    serializer_class = ChangePointSerializer
    filterset_class = ChangeFilter
    lookup_value_regex = NUMBER
    roles: ClassVar[dict[str, Role]] = dict.fromkeys(["accept", "dismiss", "reopen"], Role.MAINTAINER)

    @extend_schema(request=DecisionSerializer, responses=ChangePointSerializer, parameters=[IDENTIFIER])
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str = "") -> Response:
        """It is real; with `commitSha` it is tied to that commit."""
        return self._decide(request, accept)

    @extend_schema(request=DecisionSerializer, responses=ChangePointSerializer, parameters=[IDENTIFIER])
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, pk: str = "") -> Response:
        """It is none, or none that matters; say why."""
        return self._decide(request, dismiss)

    @extend_schema(request=None, responses=ChangePointSerializer, parameters=[IDENTIFIER])
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str = "") -> Response:
        """Take a decision back."""
        return self._decide(request, reopen)

    def _decide(self, request: Request, verb: Any) -> Response:
        change: ChangePoint = self.get_object()
        asked = DecisionSerializer(data=request.data or {})
        asked.is_valid(raise_exception=True)
        wanted = {
            reopen: {},
            dismiss: {"note": asked.validated_data["note"]},
            accept: asked.validated_data,
        }[verb]
        try:
            verb(change, by=request.user, now=timezone.now(), **wanted)
        except ValueError as problem:
            raise ValidationError({"note": [str(problem)]}) from None
        return Response(self.get_serializer(self.get_object()).data)


class SummaryViewSet(ProjectViewSet):
    """The whole track: the summary of its last run."""

    queryset = TrackRun.objects.order_by("-started_at")
    pagination_class = None

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        """Status, seconds, and each phase with its tests and findings; `not run` before the first time."""
        last = self.get_queryset().filter(completed_at__isnull=False).first()
        return Response(camelized(last.summary) if last else EMPTY)


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
