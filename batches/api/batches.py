"""Batches over HTTP: read them, have their tests run, take them back."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.http import Http404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.base import ProjectViewSet
from access.api.errors import Conflict
from access.api.paging import ByCursor, ByNumber
from access.models import Role
from batches import jobs, tasks
from batches.api.serializers import (
    BatchJobSerializer,
    BatchSerializer,
    EditSerializer,
    PreviewSerializer,
    RollbackOrderSerializer,
    TestOrderSerializer,
)
from batches.finding import Unclear, batch_numbered, last_runs, workspace_named
from batches.models import Batch, BatchJob
from batches.preview import show
from batches.recording import Desk
from batches.store import Store
from batches.workspace import NotKeepable

WORKSPACE = OpenApiParameter(
    "workspace", OpenApiTypes.STR, description="Its id, its folder or host:folder, where there are several."
)
NUMBER = OpenApiParameter("id", OpenApiTypes.INT, "path", description="The number of the batch.")


class BatchPages(ByCursor):
    ordering = ("-opened_at", "-id")  # type: ignore[assignment]


class InWorkspace:
    """Lists of one workspace, where `?workspace=` names it."""

    workspace_field = "workspace"

    def of_workspace(self, rows: Any) -> Any:
        named = self.request.query_params.get("workspace", "")  # type: ignore[attr-defined]
        if not named:
            return rows
        workspace = workspace_named(self.project, named)  # type: ignore[attr-defined]
        if workspace is None:
            raise Http404("There is no such workspace.")
        return rows.filter(**{self.workspace_field: workspace})


@extend_schema_view(
    list=extend_schema(parameters=[WORKSPACE]), retrieve=extend_schema(parameters=[NUMBER, WORKSPACE])
)
class BatchViewSet(InWorkspace, mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectViewSet):
    """Edits in groups, the tests of each group, and the way back; newest first."""

    queryset = Batch.objects.all()
    serializer_class = BatchSerializer
    pagination_class = BatchPages
    filterset_fields = ("is_dropped",)
    project_field = "workspace__project"
    lookup_value_regex = "[0-9]{1,9}"
    roles: ClassVar[dict[str, Role]] = {
        **dict.fromkeys(["edits", "rollback", "jobs"], Role.VIEWER),
        **dict.fromkeys(["test", "cancel"], Role.REPORTER),
        "start_rollback": Role.MAINTAINER,  # it changes somebody's files
    }

    def get_queryset(self) -> Any:
        return super().get_queryset().listed()

    def get_object(self) -> Batch:
        named = self.request.query_params.get("workspace", "")
        try:
            found = batch_numbered(self.project, int(self.kwargs["pk"]), named)
        except Unclear as problem:
            raise Conflict(str(problem)) from None
        if found is None:
            raise Http404("There is no such batch.")
        return found

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = self.of_workspace(self.filter_queryset(self.get_queryset()))
        page = self.paginate_queryset(rows) or []
        context = {**self.get_serializer_context(), "runs": last_runs(page)}
        return self.get_paginated_response(BatchSerializer(page, many=True, context=context).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        batch = self.get_queryset().get(pk=self.get_object().pk)
        context = {**self.get_serializer_context(), "runs": last_runs([batch])}
        return Response(BatchSerializer(batch, context=context).data)

    @extend_schema(responses=EditSerializer(many=True), parameters=[NUMBER, WORKSPACE], filters=False)
    @action(detail=True, pagination_class=ByNumber)
    def edits(self, request: Request, pk: str = "") -> Response:
        """Its edits in the order of their recording, with their differences."""
        rows = self.get_object().edits.select_related("after").order_by("position")
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(EditSerializer(page, many=True).data)

    @extend_schema(responses=BatchJobSerializer(many=True), parameters=[NUMBER, WORKSPACE], filters=False)
    @action(detail=True, pagination_class=ByCursor)
    def jobs(self, request: Request, pk: str = "") -> Response:
        """What was asked for from afar, newest first, with what it writes while it goes on."""
        rows = BatchJob.objects.filter(batch=self.get_object()).select_related("batch", "batch_run__run")
        page = self.paginate_queryset(rows.defer("batch_run__result")) or []
        return self.get_paginated_response(BatchJobSerializer(page, many=True).data)

    @extend_schema(
        request=TestOrderSerializer, responses={202: BatchJobSerializer}, parameters=[NUMBER, WORKSPACE]
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str = "") -> Response:
        """Have the tests run by the worker of the workspace's host; 409 where there is none."""
        batch = self.get_object()
        asked = TestOrderSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return self._ask(batch, BatchJob.Kind.TEST, asked.validated_data)

    @extend_schema(responses=PreviewSerializer(many=True), parameters=[NUMBER, WORKSPACE], filters=False)
    @action(detail=True, pagination_class=None)
    def rollback(self, request: Request, pk: str = "") -> Response:
        """What a rollback would do, file by file; 409 where only another machine can tell."""
        batch = self.get_object()
        root = Path(batch.workspace.root)
        if batch.workspace.host != socket.gethostname() or not root.is_dir():
            raise Conflict(f"The files lie in {batch.workspace}, which can't be seen from here.")
        try:
            rows = show(Desk(batch.workspace, Store(settings.DATA / "batch_files")), batch)
        except (NotKeepable, OSError) as problem:
            raise Conflict(str(problem)) from None
        return Response(PreviewSerializer(rows, many=True).data)

    @extend_schema(
        request=RollbackOrderSerializer, responses={202: BatchJobSerializer}, parameters=[NUMBER, WORKSPACE]
    )
    @rollback.mapping.post
    def start_rollback(self, request: Request, pk: str = "") -> Response:
        """Have the batch taken back on the workspace's host, and the tests run after it."""
        batch = self.get_object()
        asked = RollbackOrderSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = dict(asked.validated_data)
        kind = BatchJob.Kind.UNDO if wanted.pop("undo", False) else BatchJob.Kind.ROLLBACK
        return self._ask(batch, kind, wanted)

    @extend_schema(request=None, responses=BatchJobSerializer, parameters=[NUMBER, WORKSPACE])
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str = "") -> Response:
        """End what goes on for this batch."""
        batch = self.get_object()
        job = jobs.open_jobs(batch.workspace).filter(batch=batch).order_by("id").first()
        if job is None or not jobs.cancel(job, actor=self.actor, now=timezone.now()):
            raise Conflict(f"Nothing goes on for {batch}.")
        job.refresh_from_db()
        return Response(BatchJobSerializer(job).data)

    def _ask(self, batch: Batch, kind: str, wanted: dict[str, Any]) -> Response:
        try:
            job = tasks.order(batch.workspace, kind, batch=batch, options=wanted, actor=self.actor)
        except (jobs.NotServed, jobs.Busy) as problem:
            raise Conflict(str(problem)) from None
        return Response(BatchJobSerializer(job).data, status=202)
