"""Workspaces over HTTP, and what was asked for in them from afar."""

from __future__ import annotations

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.base import ProjectViewSet
from access.api.errors import Conflict
from access.api.paging import ByCursor, ByNumber
from access.models import Role
from batches import jobs
from batches.api.serializers import BatchJobSerializer, WorkspaceSerializer
from batches.models import BatchJob, Workspace


class WorkspaceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectViewSet):
    """Folders whose edits are recorded."""

    queryset = Workspace.objects.order_by("-id")
    serializer_class = WorkspaceSerializer
    pagination_class = ByNumber
    lookup_value_regex = "[0-9]{1,9}"
    roles: ClassVar[dict[str, Role]] = {"jobs": Role.VIEWER, "cancel": Role.REPORTER}

    @extend_schema(responses=BatchJobSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=ByCursor)
    def jobs(self, request: Request, pk: str = "") -> Response:
        """What was asked for from afar, newest first: of its batches, and of all its tests."""
        rows = BatchJob.objects.filter(workspace=self.get_object()).select_related("batch", "batch_run__run")
        page = self.paginate_queryset(rows.defer("batch_run__result")) or []
        return self.get_paginated_response(BatchJobSerializer(page, many=True).data)

    @extend_schema(request=None, responses=BatchJobSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str = "") -> Response:
        """End what goes on in the workspace, or waits for its turn."""
        workspace = self.get_object()
        job = jobs.open_jobs(workspace).order_by("id").first()
        if job is None or not jobs.cancel(job, actor=self.actor, now=timezone.now()):
            raise Conflict(f"Nothing goes on in {workspace}.")
        job.refresh_from_db()
        return Response(BatchJobSerializer(job).data)
