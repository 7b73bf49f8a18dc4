"""What people and programs say of a run over HTTP: a note, kept forever, does not count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.camel import CamelSerializer
from access.models import Role
from tracking import curation
from tracking.api.serializers import RunSerializer

IDENTIFIER = OpenApiParameter("id", OpenApiTypes.STR, "path", description="The UUID, or the testRunId.")


class NoteSerializer(CamelSerializer):
    """What there is to say of a run; an empty text removes the note."""

    note = serializers.CharField(max_length=curation.LONGEST, allow_blank=True)


class PinSerializer(CamelSerializer):
    """Whether retention leaves the run alone forever."""

    pinned = serializers.BooleanField()


class ReasonSerializer(CamelSerializer):
    """Why a run does not count."""

    reason = serializers.CharField(max_length=curation.LONGEST)


class CurationActions:
    """Actions of the viewset of runs; what is so already is answered with 200 and changes nothing."""

    curation_roles: ClassVar[dict[str, Role]] = {
        "annotate": Role.REPORTER,
        **dict.fromkeys(["pin", "exclude", "include"], Role.MAINTAINER),
    }

    @extend_schema(request=NoteSerializer, responses=RunSerializer, parameters=[IDENTIFIER])
    @action(detail=True, methods=["post"], url_path="note")
    def annotate(self, request: Request, pk: str = "") -> Response:
        """Keep a note with the run."""
        return self._curate(
            request, NoteSerializer, lambda run, told, **how: curation.annotate(run, told["note"], **how)
        )

    @extend_schema(request=PinSerializer, responses=RunSerializer, parameters=[IDENTIFIER])
    @action(detail=True, methods=["post"])
    def pin(self, request: Request, pk: str = "") -> Response:
        """Keep the run forever, or let the retention policies have it again."""
        return self._curate(request, PinSerializer, lambda run, told, **how: curation.pin(run, **told, **how))

    @extend_schema(request=ReasonSerializer, responses=RunSerializer, parameters=[IDENTIFIER])
    @action(detail=True, methods=["post"])
    def exclude(self, request: Request, pk: str = "") -> Response:
        """Leave the run out of the statistics, for a reason."""
        return self._curate(
            request, ReasonSerializer, lambda run, told, **how: curation.exclude(run, told["reason"], **how)
        )

    @extend_schema(request=None, responses=RunSerializer, parameters=[IDENTIFIER])
    @action(detail=True, methods=["post"])
    def include(self, request: Request, pk: str = "") -> Response:
        """Let the run count again."""
        return self._curate(request, None, lambda run, told, **how: curation.take_back(run, **how))

    def _curate(self, request: Request, shape: Any, say: Callable[..., bool]) -> Response:
        view: Any = self
        run = view.get_object()
        told: Any = {}
        if shape is not None:
            asked = shape(data=request.data)
            asked.is_valid(raise_exception=True)
            told = asked.validated_data
        say(run, told, by=view.actor, now=timezone.now())
        return Response(view.get_serializer(view.get_object()).data)
