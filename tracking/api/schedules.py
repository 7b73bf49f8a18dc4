"""Schedules over HTTP: what runs by the clock, how it went last, and when it comes next."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from access import audit
from access.api.base import ProjectViewSet
from access.api.camel import CamelModelSerializer
from access.api.errors import Refused
from access.api.paging import ByNumber
from access.models import Role
from tracking import scheduling, tasks
from tracking.api.serializers import RunSerializer, definitions_of, environment_in
from tracking.models import Environment, Schedule, TestDefinition
from tracking.plan import NotRunnable


class ScheduleSerializer(CamelModelSerializer):
    """Run a definition on an environment at the times of `cron`, written as in crontab(5)."""

    test_definition_id = serializers.PrimaryKeyRelatedField(
        queryset=TestDefinition.objects.none(), source="definition"
    )
    definition = serializers.CharField(source="definition.name", read_only=True)
    environment = serializers.CharField(max_length=50)
    last_run = serializers.CharField(source="last_run.test_run_id", read_only=True, default=None)
    last_status = serializers.CharField(source="last_run.status", read_only=True, default=None)

    class Meta:
        model = Schedule
        fields = (
            *("id", "test_definition_id", "definition", "environment", "branch", "cron", "time_zone"),
            *("enabled", "next_at", "last_at", "last_run", "last_status", "problem"),
            *("created_by", "created_at"),
        )
        read_only_fields = ("id", "next_at", "last_at", "problem", "created_by", "created_at")

    def get_fields(self) -> dict[str, Any]:
        return definitions_of(self, super().get_fields())

    def validate_environment(self, name: str) -> Environment:
        return environment_in(self.context["view"].project, name)


class ScheduleViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    ProjectViewSet,
):
    """The schedules of the project."""

    queryset = Schedule.objects.for_list()
    serializer_class = ScheduleSerializer
    pagination_class = ByNumber
    lookup_value_regex = "[0-9]{1,18}"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    roles: ClassVar[dict[str, Role]] = {
        **dict.fromkeys(["create", "partial_update", "destroy"], Role.MAINTAINER),
        "run": Role.REPORTER,
    }

    @transaction.atomic
    def perform_create(self, serializer: Any) -> None:
        self._keep("schedule.create", serializer.save(project=self.project, created_by=self.actor))

    @transaction.atomic
    def perform_update(self, serializer: Any) -> None:
        self._keep("schedule.change", serializer.save())

    @transaction.atomic
    def perform_destroy(self, instance: Schedule) -> None:
        audit.record("schedule.remove", actor=self.actor, project=self.project, target=instance)
        instance.delete()

    def _keep(self, what: str, schedule: Schedule) -> None:
        if schedule.enabled:
            scheduling.set_next(schedule, now=timezone.now())
        audit.record(what, actor=self.actor, project=self.project, target=schedule)

    @extend_schema(request=None, responses={201: RunSerializer})
    @action(detail=True, methods=["post"])
    def run(self, request: Request, pk: str = "") -> Response:
        """Start what is scheduled now, out of turn; its next time stays."""
        try:
            run = scheduling.run_now(
                self.get_object(),
                by=self.actor,
                now=timezone.now(),
                commands_allowed=settings.ALLOW_LOCAL_COMMANDS,
            )
        except NotRunnable as problem:
            raise Refused(str(problem)) from None
        audit.record("run.start", actor=self.actor, project=self.project, target=run)
        tasks.wake(run.pk)
        return Response(RunSerializer(run).data, status=201)
