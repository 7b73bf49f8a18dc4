"""Baselines and regressions over HTTP."""

from __future__ import annotations

import socket
from typing import Any, ClassVar

from django.conf import settings
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.base import ProjectViewSet
from access.api.errors import Conflict
from access.api.paging import ByCursor
from access.models import Role
from batches.api.batches import WORKSPACE, InWorkspace
from batches.api.serializers import BaselineSerializer, NewBaselineSerializer, RegressionSerializer
from batches.baselines import set_baseline
from batches.finding import workspaces_of
from batches.models import BatchBaseline, BatchRun, Regression, Workspace
from batches.recording import Desk
from batches.store import Store


@extend_schema_view(list=extend_schema(parameters=[WORKSPACE]))
class BaselineViewSet(InWorkspace, mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectViewSet):
    """What later results are held against, per workspace, name and branch."""

    queryset = BatchBaseline.objects.all()
    serializer_class = BaselineSerializer
    pagination_class = ByCursor
    filterset_fields = ("name", "branch")
    project_field = "workspace__project"
    lookup_value_regex = "[0-9]{1,9}"
    roles: ClassVar[dict[str, Role]] = {"create": Role.REPORTER}

    def filter_queryset(self, queryset: Any) -> Any:
        return self.of_workspace(super().filter_queryset(queryset))

    @extend_schema(request=NewBaselineSerializer, responses={201: BaselineSerializer})
    def create(self, request: Request) -> Response:
        """Make the workspace's last run of all tests its baseline."""
        asked = NewBaselineSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        workspace = self._workspace(asked.validated_data.get("workspace"))
        whole = BatchRun.objects.filter(workspace=workspace, pattern="", trouble="")
        run = whole.select_related("run").first()
        if run is None:
            raise Conflict("No run of all its tests is stored yet: `batch test` makes one.")
        name = asked.validated_data.get("name", "default")
        desk = Desk(workspace, Store(settings.DATA / "batch_files"))
        row = set_baseline(
            desk,
            run.result,
            name=name,
            branch=run.run.branch if run.run else None,
            is_here=workspace.host == socket.gethostname(),
            actor=self.actor,
            now=timezone.now(),
        )
        return Response(BaselineSerializer(row).data, status=201)

    def _workspace(self, pk: int | None) -> Workspace:
        rows = workspaces_of(self.project)
        found = list((rows.filter(pk=pk) if pk else rows)[:2])
        if not found:
            raise Http404("There is no such workspace.")
        if len(found) > 1:
            raise Conflict("There are several workspaces: say which, by its id.")
        return found[0]


@extend_schema_view(list=extend_schema(parameters=[WORKSPACE]))
class RegressionViewSet(InWorkspace, mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectViewSet):
    """Tests that did worse than the baseline, newest first; `unconfirmed` is no regression."""

    queryset = Regression.objects.select_related("batch_run__batch", "batch_run__run").defer(
        "batch_run__result"
    )
    serializer_class = RegressionSerializer
    pagination_class = ByCursor
    filterset_fields = ("kind",)
    project_field = "batch_run__workspace__project"
    workspace_field = "batch_run__workspace"
    lookup_value_regex = "[0-9]{1,9}"

    def filter_queryset(self, queryset: Any) -> Any:
        return self.of_workspace(super().filter_queryset(queryset))
