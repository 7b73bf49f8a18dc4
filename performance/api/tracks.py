"""The whole track over HTTP: started as work for a worker, watched phase by phase, cancelled."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.base import ProjectViewSet, own_role
from access.api.camel import CamelModelSerializer, CamelSerializer
from access.api.errors import Conflict, Refused
from access.api.paging import ByNumber
from access.models import Role
from performance import tasks
from performance.models import TrackRun, Workload
from performance.specification import FaultySpec
from performance.track import FEWEST_ROUNDS, MOST_ROUNDS, ROUNDS, GoesOn, start_track
from performance.track_ends import cancel_track
from performance.track_loads import RATE, SECONDS, load_of_target
from performance.track_result import phases_of
from performance.trigger import NotRunnable

NAMED = OpenApiParameter("id", OpenApiTypes.UUID, "path", description="The UUID of a track.")


class NewTrackSerializer(CamelSerializer):
    """Against what: a workload of the project, or the address of one of its own hosts."""

    workload = serializers.CharField(max_length=50, required=False, help_text="Name of a workload.")
    target = serializers.CharField(
        max_length=500, required=False, help_text="A load of one request, `/`; for maintainers."
    )
    seconds = serializers.FloatField(required=False, min_value=1, max_value=3600, help_text="With target.")
    rate = serializers.FloatField(
        required=False, min_value=1, max_value=10_000, help_text="With target: requests in a second."
    )
    rounds = serializers.IntegerField(
        default=ROUNDS, min_value=FEWEST_ROUNDS, max_value=MOST_ROUNDS, help_text="Runs of each component."
    )
    triggered_by = serializers.CharField(max_length=255, required=False)

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if ("workload" in asked) == ("target" in asked):
            raise serializers.ValidationError({"workload": ["Name either a workload or a target."]})
        wrong = {"seconds", "rate"} & asked.keys() if "workload" in asked else set()
        if wrong:
            raise serializers.ValidationError(
                {name: ["Goes with target only; a workload has its own."] for name in wrong}
            )
        return asked


class PhaseSerializer(CamelSerializer):
    """One phase; `duration` in seconds. Without a result yet it is `running` or `waiting`."""

    name = serializers.CharField()
    status = serializers.ChoiceField(["waiting", "running", "passed", "failed", "error", "skipped"])
    duration = serializers.FloatField()
    tests = serializers.IntegerField()
    passed = serializers.IntegerField()
    failed = serializers.IntegerField()
    findings = serializers.ListField(child=serializers.CharField())


class TrackSerializer(CamelModelSerializer):
    """A run of the whole track: what goes on, and the result of each phase."""

    status = serializers.CharField(read_only=True, help_text="running, passed, failed, error or cancelled.")
    workload = serializers.CharField(source="workload.name", read_only=True, default=None)
    phase = serializers.SerializerMethodField(help_text="The one that goes on; null when none does.")
    test_run_id = serializers.SerializerMethodField("get_run", help_text="Its latest load, while it runs.")
    duration = serializers.SerializerMethodField(help_text="Seconds; so far while it is running.")
    phases = serializers.SerializerMethodField()

    class Meta:
        model = TrackRun
        fields = (
            *("id", "status", "reason", "workload", "target", "rounds", "triggered_by", "cancelled_by"),
            *("started_at", "completed_at", "cancel_requested_at", "duration", "phase", "test_run_id"),
            "phases",
        )
        read_only_fields = fields

    def get_phase(self, track: TrackRun) -> str | None:
        return track.progress.get("phase") if track.is_running else None

    def get_run(self, track: TrackRun) -> str | None:
        return track.progress.get("run") if track.is_running else None

    def get_duration(self, track: TrackRun) -> float:
        if track.is_running:
            return round((timezone.now() - track.started_at).total_seconds(), 3)
        return float(track.summary.get("duration", 0.0))

    @extend_schema_field(PhaseSerializer(many=True))
    def get_phases(self, track: TrackRun) -> list[dict[str, Any]]:
        return list(PhaseSerializer(phases_of(track), many=True).data)


class TrackViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectViewSet):
    """Runs of the whole track, newest first."""

    queryset = TrackRun.objects.for_page().order_by("-started_at", "-pk")
    serializer_class = TrackSerializer
    pagination_class = ByNumber
    filterset_fields = ("status",)
    lookup_value_regex = "[0-9a-fA-F-]{32,36}"
    roles: ClassVar[dict[str, Role]] = dict.fromkeys(["create", "cancel"], Role.REPORTER)

    @extend_schema(request=NewTrackSerializer, responses={201: TrackSerializer})
    def create(self, request: Request) -> Response:
        """Go through all phases in order; a worker drives them, one track of a workload at a time."""
        asked = NewTrackSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        try:
            with transaction.atomic():  # of a refused track not even its load is kept
                track = start_track(
                    self._load(wanted),
                    by=self.actor,
                    triggered_by=wanted.get("triggered_by", ""),
                    rounds=wanted["rounds"],
                    now=timezone.now(),
                )
        except FaultySpec as faulty:
            field = "target" if "target" in wanted else "workload"
            raise ValidationError({field: faulty.faults}) from None
        except GoesOn as problem:
            raise Conflict(str(problem)) from None
        except NotRunnable as problem:
            raise Refused(str(problem)) from None
        tasks.wake_track(track.pk)
        return Response(self.get_serializer(track).data, status=201)

    @extend_schema(request=None, responses=TrackSerializer, parameters=[NAMED])
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str = "") -> Response:
        """End the load that goes on and skip what is left; the phases that have ended are kept."""
        track: TrackRun = self.get_object()
        if not cancel_track(track, by=self.actor, now=timezone.now()) and not track.is_running:
            raise Conflict(f"It has ended already, as {track.status}.")
        return Response(self.get_serializer(self.get_object()).data)

    def _load(self, wanted: dict[str, Any]) -> Workload:
        if "target" in wanted:
            own = own_role(self.request, self.project)
            if own is None or not own.includes(Role.MAINTAINER):
                raise PermissionDenied(
                    f"A target without a workload needs a {Role.MAINTAINER}: it makes the workload `track`."
                )
            return load_of_target(
                self.project,
                wanted["target"],
                seconds=wanted.get("seconds", SECONDS),
                rate=wanted.get("rate", RATE),
                generators=list(settings.LOAD_GENERATORS),
                now=timezone.now(),
            )
        rows = Workload.objects.of(self.project).with_all()
        found: Workload | None = rows.filter(name=wanted["workload"]).first()
        if found is None:
            raise ValidationError(
                {"workload": [f"There is no workload {wanted['workload']!r} in {self.project}."]}
            )
        return found
