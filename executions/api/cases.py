"""Tests over HTTP: the list, one test's history and statistics, the flaky ones, two runs compared."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.base import ProjectViewSet
from access.api.paging import ByCursor
from access.models import Role
from executions.api.serializers import (
    CaseSerializer,
    FlakySerializer,
    HistorySerializer,
    StatisticsSerializer,
)
from executions.figures import figures_of, together
from executions.flakiness import rank_flaky
from executions.models import CaseStatistics, Result, TestCase
from tracking.models import Space

SPACE = OpenApiParameter("space", OpenApiTypes.STR, enum=Space.values)
MOST_FLAKY = 500


class CaseFilter(django_filters.FilterSet):
    """`search`: words that the name has somewhere; `state`: failing."""

    search = django_filters.CharFilter(method="with_words")

    class Meta:
        model = TestCase
        fields = ("suite",)

    def with_words(self, cases: Any, _: str, value: str) -> Any:
        return cases.search(value)


class CasePages(ByCursor):
    ordering = ("nodeid", "suite")  # type: ignore[assignment]
    orders: ClassVar[dict[str, tuple[str, ...]]] = {"nodeid": ("nodeid", "suite")}


class HistoryPages(ByCursor):
    page_size = 100
    ordering = ("-started_at", "-set_id", "-attempt")  # type: ignore[assignment]


class CaseViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, ProjectViewSet):
    """The tests of the project, by name."""

    queryset = TestCase.objects.filter(canonical=None)
    serializer_class = CaseSerializer
    pagination_class = CasePages
    filterset_class = CaseFilter
    lookup_value_regex = "[0-9]{1,9}"
    http_method_names = ["get", "patch", "head", "options"]
    roles: ClassVar[dict[str, Role]] = {
        "partial_update": Role.MAINTAINER,
        "history": Role.VIEWER,
        "statistics": Role.VIEWER,
    }

    @extend_schema(responses=HistorySerializer(many=True), parameters=[SPACE], filters=False)
    @action(detail=True)
    def history(self, request: Request, pk: str = "") -> Response:
        """How it went each time, newest first, every try."""
        rows = Result.objects.filter(case=self.get_object()).select_related("set__run__environment")
        space = space_of(request)
        if space:
            rows = rows.filter(set__space=space)
        pages = HistoryPages()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(HistorySerializer(page, many=True).data)

    @extend_schema(responses=OpenApiTypes.OBJECT, filters=False)
    @action(detail=True, pagination_class=None)
    def statistics(self, request: Request, pk: str = "") -> Response:
        """What is counted of it: `local`, `ci` and `all`."""
        rows = list(CaseStatistics.objects.filter(case=self.get_object()))
        answer: dict[str, Any] = {row.space: StatisticsSerializer(figures_of(row)).data for row in rows}
        return Response({**answer, "all": StatisticsSerializer(together(rows)).data})


class FlakyViewSet(ProjectViewSet):
    """Tests that pass and fail, the surest first."""

    queryset = TestCase.objects.all()
    serializer_class = FlakySerializer
    pagination_class = None

    @extend_schema(
        responses=FlakySerializer(many=True),
        parameters=[
            SPACE,
            OpenApiParameter("threshold", OpenApiTypes.FLOAT, description="failure rate in percent"),
            OpenApiParameter("window", OpenApiTypes.INT, description="runs of each test that are looked at"),
        ],
    )
    def list(self, request: Request) -> Response:
        """Tests whose last runs both passed and failed, with what speaks for each."""
        found = rank_flaky(
            self.project,
            space=space_of(request),
            threshold=number(request, "threshold", 0.0, 100.0, 0.0),
            window=int(number(request, "window", 2, 1000, 50)),
        )[:MOST_FLAKY]
        return Response({"count": len(found), "next": None, "previous": None, "results": flaky_rows(found)})


def flaky_rows(found: Any) -> Any:
    return FlakySerializer(found, many=True).data


def space_of(request: Request) -> str:
    """The space that the query names, or an empty text for both."""
    space = request.query_params.get("space", "")
    if space and space not in Space.values:
        raise ValidationError({"space": ["There are local and ci."]})
    return space


def number(request: Request, name: str, least: float, most: float, default: float) -> float:
    """A number of the query within its bounds."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise ValidationError({name: [f"Give a number from {least:g} to {most:g}."]})
    return value
