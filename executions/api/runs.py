"""Runs with their results: what `tracking` knows of a run, and the tests of it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.errors import Conflict
from access.api.paging import ByCursor
from access.models import Role
from executions import ingest
from executions.api.serializers import (
    MOST_AT_ONCE,
    ExecutionSerializer,
    NewExecutionSerializer,
    StoredSerializer,
)
from executions.models import Outcome, Result, ResultSet, ResultText
from executions.reported import complete, store_executions
from tracking.api.runs import IDENTIFIER, RunViewSet
from tracking.api.serializers import RunSerializer

KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The same key with the same list again changes nothing.",
)
OUTCOME = OpenApiParameter("outcome", OpenApiTypes.STR, enum=[one.word for one in Outcome])


class ResultPages(ByCursor):
    page_size = 500
    max_page_size = 10_000
    ordering = ("case_id", "ordinal", "attempt")  # type: ignore[assignment]


class RunWithResultsViewSet(RunViewSet):
    """Executions of test definitions, newest first."""

    roles: ClassVar[dict[str, Role]] = {
        **RunViewSet.roles,
        "executions": Role.VIEWER,
        "add_executions": Role.REPORTER,
    }

    @extend_schema(responses=ExecutionSerializer(many=True), parameters=[IDENTIFIER, OUTCOME], filters=False)
    @action(detail=True)
    def executions(self, request: Request, pk: str = "") -> Response:
        """Every try of every test of the run."""
        result_set = ResultSet.objects.filter(run=self.get_object()).first()
        rows = Result.objects.none()
        if result_set is not None:
            rows = Result.objects.of_set(result_set).select_related("case")
        wanted = request.query_params.get("outcome")
        if wanted:
            codes = {one.word: int(one) for one in Outcome}
            if wanted not in codes:
                raise ValidationError({"outcome": [f"There is no outcome {wanted!r}."]})
            rows = rows.filter(outcome=codes[wanted])
        pages = ResultPages()
        page = pages.paginate_queryset(rows, request, view=self) or []
        texts = {
            (case, ordinal, attempt): message.split("\n", 1)[0]
            for case, ordinal, attempt, message in ResultText.objects.filter(
                set=result_set, case__in={row.case_id for row in page}
            ).values_list("case_id", "ordinal", "attempt", "message")
        }
        return pages.get_paginated_response(
            ExecutionSerializer(page, many=True, context={"texts": texts}).data
        )

    @extend_schema(
        request=NewExecutionSerializer(many=True),
        responses={201: StoredSerializer},
        parameters=[IDENTIFIER, KEY],
    )
    @executions.mapping.post
    def add_executions(self, request: Request, pk: str = "") -> Response:
        """Report up to 10,000 results; as often as needed, in pieces or shards."""
        run = self.get_object()
        if not isinstance(request.data, list):
            raise ValidationError({"detail": "Send a list of results."})
        if not 0 < len(request.data) <= MOST_AT_ONCE:
            raise ValidationError({"detail": f"Send 1 to {MOST_AT_ONCE:,} results at once."})
        asked = NewExecutionSerializer(data=request.data, many=True)
        asked.is_valid(raise_exception=True)
        try:
            stored = store_executions(
                run,
                asked.validated_data,
                key=request.headers.get("Idempotency-Key", ""),
                sent_by=self.actor,
                now=timezone.now(),
            )
        except ingest.Conflict as problem:
            raise Conflict(str(problem)) from None
        return Response(StoredSerializer(stored).data, status=201)

    @extend_schema(request=None, responses=RunSerializer, parameters=[IDENTIFIER])
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str = "") -> Response:
        """Say that all results have come; the run ends as they tell."""
        run = self.get_object()
        if run.is_running and not complete(run, now=timezone.now()) and self.get_object().is_running:
            raise Conflict(f"{run} still has workflows that have not ended.")
        answer: Any = self.get_serializer(self.get_object()).data
        return Response(answer)
