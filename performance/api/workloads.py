"""Workloads over HTTP: described as data, and triggered."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access import audit
from access.api.base import ProjectViewSet
from access.api.errors import Conflict, Refused
from access.api.paging import ByNumber
from access.models import Role
from performance import tasks
from performance.api.serializers import (
    TargetHostSerializer,
    TriggerSerializer,
    WorkloadRunSerializer,
    WorkloadSerializer,
)
from performance.models import Component, TargetHost, Workload
from performance.saving import name_host, save_workload
from performance.specification import FaultySpec
from performance.trigger import NotRunnable, start_workload_run

NAMED = OpenApiParameter("id", str, "path", description="The UUID of a workload.")
UUID = "[0-9a-fA-F-]{32,36}"


class WorkloadViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectViewSet):
    """What load can be put on which system."""

    queryset = (
        Workload.objects.select_related("environment").prefetch_related("components").order_by("name", "pk")
    )
    serializer_class = WorkloadSerializer
    pagination_class = ByNumber
    filterset_fields = ("name", "generator")
    lookup_value_regex = UUID
    roles: ClassVar[dict[str, Role]] = {
        **dict.fromkeys(["create", "partial_update", "destroy"], Role.MAINTAINER),
        "trigger": Role.REPORTER,
    }

    @extend_schema(responses={201: WorkloadSerializer})
    def create(self, request: Request) -> Response:
        """Describe a workload.  A file of Locust's is code, so it comes from a shell only."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        if Workload.objects.filter(project=self.project, name=wanted["name"]).exists():
            raise Conflict(f"{self.project} has a workload {wanted['name']!r} already; change that one.")
        return Response(self.get_serializer(self._save(wanted)).data, status=201)

    @extend_schema(parameters=[NAMED])
    def partial_update(self, request: Request, pk: str = "") -> Response:
        """Change a workload; another load gets the next version."""
        workload: Workload = self.get_object()
        asked = self.get_serializer(workload, data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        if asked.validated_data.get("name", workload.name) != workload.name:
            raise ValidationError(
                {"name": ["A workload keeps its name, because its history is found by it."]}
            )
        kept = {
            name: getattr(workload, name)
            for name in (
                *("name", "target", "spec", "environment", "generator", "description", "same_within"),
                "is_archived",  # saving takes a workload back, as `workload load` does
            )
        }
        changed = self._save({**kept, **asked.validated_data})
        return Response(self.get_serializer(changed).data)

    @extend_schema(parameters=[NAMED])
    def destroy(self, request: Request, pk: str = "") -> Response:
        """Archive a workload: it can't be started any more, its history stays."""
        workload: Workload = self.get_object()
        Workload.objects.filter(pk=workload.pk).update(is_archived=True)
        audit.record("workload.archive", actor=self.actor, project=self.project, target=workload)
        return Response(status=204)

    @extend_schema(request=TriggerSerializer, responses={201: WorkloadRunSerializer}, parameters=[NAMED])
    @action(detail=True, methods=["post"])
    def trigger(self, request: Request, pk: str = "") -> Response:
        """Put the load on; only ever on a host that the project has named as its own."""
        workload: Workload = self.get_object()
        asked = TriggerSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        try:
            run = start_workload_run(
                workload,
                triggered_by=wanted.pop("triggered_by", "") or self.actor,
                component=self._component(workload, wanted.pop("component", "")),
                now=timezone.now(),
                **wanted,
            )
        except FaultySpec as faulty:
            raise ValidationError({"spec": faulty.faults}) from None
        except NotRunnable as problem:
            raise Refused(str(problem)) from None
        audit.record("workload.start", actor=self.actor, project=self.project, target=run)
        tasks.wake(run.pk)
        return Response(WorkloadRunSerializer(run).data, status=201)

    def _component(self, workload: Workload, name: str) -> Component | None:
        if not name:
            return None
        found: Component | None = workload.components.filter(name=name).first()
        if found is None:
            known = ", ".join(workload.components.values_list("name", flat=True)) or "none"
            raise ValidationError({"component": [f"{workload} has no component {name!r}; it has: {known}."]})
        return found

    def _save(self, wanted: dict[str, Any]) -> Workload:
        components = wanted.pop("components", None)
        archived = wanted.pop("is_archived", None)
        if any("name" not in row for row in components or ()):
            raise ValidationError({"components": ["Each needs its name."]})
        try:
            with transaction.atomic():
                workload, _ = save_workload(
                    self.project,
                    generators=list(settings.LOAD_GENERATORS),
                    now=timezone.now(),
                    **wanted,
                )
                for row in components or ():
                    Component.objects.update_or_create(workload=workload, name=row.pop("name"), defaults=row)
                if archived is not None:
                    Workload.objects.filter(pk=workload.pk).update(is_archived=archived)
        except FaultySpec as faulty:
            raise ValidationError({"spec": faulty.faults}) from None
        except NotRunnable as problem:
            raise Conflict(str(problem)) from None
        audit.record("workload.save", actor=self.actor, project=self.project, target=workload)
        found: Workload = self.get_queryset().get(pk=workload.pk)
        return found


class TargetHostViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, ProjectViewSet):
    """The hosts that the project calls its own; no load goes anywhere else."""

    queryset = TargetHost.objects.order_by("host", "pk")
    serializer_class = TargetHostSerializer
    pagination_class = ByNumber
    lookup_value_regex = "[0-9]{1,18}"
    roles: ClassVar[dict[str, Role]] = dict.fromkeys(["create", "destroy"], Role.ADMINISTRATOR)

    def create(self, request: Request) -> Response:
        """Name a host as the project's own."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            host, is_new = name_host(self.project, by=self.actor, **asked.validated_data)
        except FaultySpec as faulty:
            raise ValidationError({"host": faulty.faults}) from None
        audit.record("target_host.add", actor=self.actor, project=self.project, target=host)
        return Response(self.get_serializer(host).data, status=201 if is_new else 200)

    def perform_destroy(self, instance: TargetHost) -> None:
        audit.record("target_host.remove", actor=self.actor, project=self.project, target=instance)
        instance.delete()
