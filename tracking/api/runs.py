"""Test runs over HTTP: start, read, cancel, repeat, complete."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access import audit
from access.api.base import ProjectViewSet
from access.api.errors import Conflict, Refused
from access.api.paging import ByCursor
from access.models import Role
from tracking import lifecycle, reporting, tasks, tracker, tracking_file
from tracking.api.curation import IDENTIFIER, CurationActions
from tracking.api.filters import RunFilter
from tracking.api.serializers import (
    MetricsSerializer,
    RecordedWorkflowSerializer,
    RunSerializer,
    StartSerializer,
    WorkflowRunSerializer,
)
from tracking.models import TestRun, WorkflowJob
from tracking.plan import NotRunnable
from tracking.recording import record_workflow
from tracking.run_report import FORMS, report_data, written
from tracking.timing import time_run

MOST_AT_ONCE = 100  # runs of a list: they start in one transaction
NEWEST = ("-started_at", "-test_run_id")


def named_run(runs: Any, name: str) -> TestRun:
    """The one of `runs` that a path or query names by its UUID or its testRunId; else 404."""
    found: TestRun | None = runs.by_name([name]).get(name)
    if found is None:
        raise Http404("There is no such run in this project.")
    return found


class RunPages(ByCursor):
    ordering = NEWEST  # type: ignore[assignment]
    orders: ClassVar[dict[str, tuple[str, ...]]] = {"startedAt": ("started_at", "test_run_id")}


class RunViewSet(CurationActions, mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectViewSet):
    """Executions of test definitions, newest first."""

    queryset = TestRun.objects.select_related("definition", "environment", "rerun_of").defer(
        "plan", "checked"
    )
    serializer_class = RunSerializer
    pagination_class = RunPages
    filterset_class = RunFilter
    lookup_value_regex = "[^/]+"
    roles: ClassVar[dict[str, Role]] = {
        **dict.fromkeys(["create", "cancel", "rerun", "complete"], Role.REPORTER),
        **dict.fromkeys(["workflow_runs", "metrics", "tracking", "report"], Role.VIEWER),
        "record_workflow": Role.REPORTER,
        **CurationActions.curation_roles,
    }

    def get_object(self) -> TestRun:
        return named_run(self.get_queryset(), str(self.kwargs["pk"]))

    @extend_schema(request=StartSerializer, responses={201: RunSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Start a run; a list starts up to 100 in one go, all or none."""
        many = isinstance(request.data, list)
        if many and not 0 < len(request.data) <= MOST_AT_ONCE:
            raise ValidationError({"detail": f"Start 1 to {MOST_AT_ONCE} runs at once; send more in pieces."})
        asked = StartSerializer(data=request.data, many=many, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data if many else [asked.validated_data]
        with transaction.atomic():
            runs = [self._start(**one) for one in wanted]
        answer = self.get_serializer(runs if many else runs[0], many=many)
        return Response(answer.data, status=201)

    def _start(self, **wanted: Any) -> TestRun:
        by = wanted.pop("triggered_by", "") or self.actor
        try:
            run = reporting.start(
                **wanted,
                triggered_by=by,
                commands_allowed=settings.ALLOW_LOCAL_COMMANDS,
                now=timezone.now(),
            )
        except NotRunnable as problem:
            raise Refused(str(problem)) from None
        audit.record("run.start", actor=self.actor, project=self.project, target=run)
        tasks.wake(run.pk)
        return run

    @extend_schema(request=None, responses=RunSerializer, parameters=[IDENTIFIER])
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str = "") -> Response:
        """Ask for the end of a run; on the CI service too."""
        run = self.get_object()
        is_first = lifecycle.request_cancel(run, by=self.actor, now=timezone.now())
        run = self.get_object()
        if is_first:
            audit.record("run.cancel", actor=self.actor, project=self.project, target=run)
            tasks.wake(run.pk)
        elif not run.is_running:
            raise Conflict(f"{run} has ended already, as {run.status}.")
        return Response(self.get_serializer(run).data)

    @extend_schema(request=None, responses={201: RunSerializer}, parameters=[IDENTIFIER])
    @action(detail=True, methods=["post"])
    def rerun(self, request: Request, pk: str = "") -> Response:
        """Start exactly this run again: the same steps, inputs and ref."""
        try:
            again = tracker.rerun(self.get_object(), triggered_by=self.actor, now=timezone.now())
        except NotRunnable as problem:
            raise Refused(str(problem)) from None
        audit.record("run.rerun", actor=self.actor, project=self.project, target=again)
        tasks.wake(again.pk)
        return Response(self.get_serializer(again).data, status=201)

    @extend_schema(responses=MetricsSerializer, parameters=[IDENTIFIER], filters=False)
    @action(detail=True, pagination_class=None)
    def metrics(self, request: Request, pk: str = "") -> Response:
        """Where the time went: queue, execution, total over the run's workflows, in seconds."""
        run = self.get_object()
        return Response(MetricsSerializer({"run": run, "times": time_run(run)}).data)

    @extend_schema(responses={200: OpenApiTypes.OBJECT}, parameters=[IDENTIFIER], filters=False)
    @action(detail=True, pagination_class=None)
    def tracking(self, request: Request, pk: str = "") -> HttpResponse:
        """The tracking file, byte by byte as it is written to disk."""
        run = TestRun.objects.for_file().get(pk=self.get_object().pk)
        answer = HttpResponse(tracking_file.content(run, timezone.now()), content_type="application/json")
        answer["Content-Disposition"] = f'inline; filename="{run.test_run_id}.json"'
        return answer

    @extend_schema(
        responses={(200, kind): OpenApiTypes.STR for kind in FORMS.values()},
        parameters=[IDENTIFIER, OpenApiParameter("format", OpenApiTypes.STR, enum=[*FORMS])],
        filters=False,
    )
    @action(detail=True, pagination_class=None)
    def report(self, request: Request, pk: str = "") -> HttpResponse:
        """One self-contained file about the run, as `generate_report` writes it; html without `format`."""
        form = request.query_params.get("format") or "html"
        if form not in FORMS:
            raise ValidationError({"format": [f"There are {', '.join(FORMS)}."]})
        run = self.get_object()
        text = written(report_data(run, now=timezone.now()), form)
        answer = HttpResponse(text, content_type=f"{FORMS[form]}; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{run.test_run_id}.{form}"'
        return answer

    @extend_schema(responses=WorkflowRunSerializer(many=True), parameters=[IDENTIFIER], filters=False)
    @action(detail=True, url_path="workflow-runs")
    def workflow_runs(self, request: Request, pk: str = "") -> Response:
        """The run's workflows with the jobs of their latest attempt."""
        workflows = self.get_object().workflow_runs.order_by("position").prefetch_related("attempts")
        pages = WorkflowPages()
        page = pages.paginate_queryset(workflows, request, view=self) or []
        latest = {workflow.latest_attempt.pk for workflow in page if workflow.latest_attempt}
        jobs: dict[int, list[WorkflowJob]] = {}
        for job in WorkflowJob.objects.filter(attempt__in=latest).order_by("attempt_id", "job_id"):
            jobs.setdefault(job.attempt_id, []).append(job)
        rows = WorkflowRunSerializer(page, many=True, context={"jobs": jobs})
        return pages.get_paginated_response(rows.data)

    @extend_schema(
        request=RecordedWorkflowSerializer, responses={201: WorkflowRunSerializer}, parameters=[IDENTIFIER]
    )
    @workflow_runs.mapping.post
    def record_workflow(self, request: Request, pk: str = "") -> Response:
        """Record a workflow that a script sent itself; told twice of one id, it is kept once."""
        run = self.get_object()
        asked = RecordedWorkflowSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            made = record_workflow(
                run, asked.validated_data["github_run_id"], asked.validated_data["name"], now=timezone.now()
            )
        except ValueError as problem:
            raise Conflict(str(problem)) from None
        return Response(WorkflowRunSerializer(made, context={"jobs": {}}).data, status=201)


class WorkflowPages(ByCursor):
    page_size = 100
    ordering = "position"
