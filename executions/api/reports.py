"""Test reports come in, and what came of them."""

from __future__ import annotations

from typing import Any, BinaryIO, ClassVar, cast

import django_filters
from django.conf import settings
from django.core.files.storage import storages
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, parsers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.base import ProjectViewSet
from access.api.errors import Conflict, TooLarge, UnknownFormat, Unreadable
from access.api.paging import ByCursor
from access.models import Role
from executions import ingest
from executions.api.serializers import ReportSerializer
from executions.models import Report
from executions.reports import base
from executions.reports.reading import READERS
from executions.staging import TooManyCases
from executions.tasks import wake_upload
from executions.told import parse_shard
from executions.uploads import keep_upload
from tracking.models import TestRun

TOLD = ("environment", "space", "branch", "commit", "treeHash", "testRunId", "triggeredBy")
PARAMETERS = [
    *(OpenApiParameter(name, OpenApiTypes.STR) for name in TOLD),
    OpenApiParameter("shard", OpenApiTypes.STR, description="i/n, as in 1/4"),
    OpenApiParameter("format", OpenApiTypes.STR, enum=["auto", *READERS]),
    OpenApiParameter("name", OpenApiTypes.STR, description="What the file is called, for the uploads page."),
]


class AnyContent(parsers.BaseParser):
    """The body as it is, whatever its type says: the format is detected from the content."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return stream


class ReportFilter(django_filters.FilterSet):
    """`status`; `testRunId`, or the run's UUID."""

    testRunId = django_filters.CharFilter(method="of_run", label="public name or UUID of the run")

    class Meta:
        model = Report
        fields = ("status",)

    def of_run(self, reports: Any, _: str, value: str) -> Any:
        run = (
            TestRun.objects.in_project(self.request.parser_context["view"].project)
            .by_name([value])
            .get(value)
        )
        return reports.filter(run=run) if run else reports.none()


class ReportPages(ByCursor):
    orders: ClassVar[dict[str, tuple[str, ...]]] = {"receivedAt": ("pk",)}


class ReportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProjectViewSet):
    """Test reports, newest first; refused ones with the reason."""

    queryset = Report.objects.select_related("run")
    serializer_class = ReportSerializer
    pagination_class = ReportPages
    parser_classes = (parsers.MultiPartParser, AnyContent)
    filterset_class = ReportFilter
    roles: ClassVar[dict[str, Role]] = {"create": Role.REPORTER}
    lookup_value_regex = "[0-9]{1,9}"

    @extend_schema(
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses=dict.fromkeys([200, 201, 202], ReportSerializer),
        parameters=PARAMETERS,
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take a report, raw or multipart, plain, gzip or zip; the same one again is answered with 200.

        A large one is answered with 202 and read by a worker; `Location` is where to look.
        """
        file, name, length = self._content(request)
        told = self._told(request)
        how: dict[str, Any] = {
            "project": self.project,
            "now": timezone.now(),
            "name": name,
            "format": told["format"],
            "limits": base.Limits(unpacked_bytes=settings.REPORT_BYTES),
            "test_run_id": self._run_id(told["testRunId"]),
            "commit": told["commit"],
            "tree_hash": told["treeHash"],
            "triggered_by": told["triggeredBy"] or self.actor,
            "shard": self._shard(told["shard"]),
            **{name: told[name] for name in ("space", "environment", "branch")},
        }
        try:
            report = self._keep(file, **how) if length > settings.REPORT_AT_ONCE else self._read(file, **how)
        except base.UnknownFormat as problem:
            raise UnknownFormat(str(problem)) from None
        except base.UnreadableReport as problem:
            raise Unreadable(str(problem)) from None
        except TooManyCases as problem:
            raise TooLarge(str(problem)) from None
        except ingest.Conflict as problem:
            raise Conflict(str(problem)) from None
        except ValueError as problem:
            raise ValidationError({"detail": str(problem)}) from None
        is_waiting = report.status == Report.Status.QUEUED
        place = {"Location": request.build_absolute_uri(f"{request.path}{report.pk}/")} if is_waiting else {}
        status = 202 if is_waiting else 201 if report.is_new else 200
        return Response(self.get_serializer(report).data, status=status, headers=place)

    @staticmethod
    def _read(file: BinaryIO, **how: Any) -> Report:
        return ingest.ingest_report(file, most_cases=settings.REPORT_CASES, **how)

    @staticmethod
    def _keep(file: BinaryIO, **how: Any) -> Report:
        """Keep a large report for a worker."""
        with ingest.seekable(file, how["limits"]) as stream:
            report = keep_upload(stream, storage=storages["artifacts"], **how)
        if report.status == Report.Status.QUEUED:
            wake_upload(report.pk)
        return report

    def _content(self, request: Request) -> tuple[BinaryIO, str, int]:
        length = int(request.headers.get("Content-Length") or 0)
        if length > settings.REPORT_BYTES:
            raise TooLarge(f"A report may have {settings.REPORT_BYTES:,} bytes.")
        if request.content_type.startswith("multipart/"):
            files = [file for name in request.FILES for file in request.FILES.getlist(name)]
            if not files:
                raise ValidationError({"file": ["Send the report as a file."]})
            if len(files) > 1:
                raise ValidationError({"file": ["Send one file; several go into a zip."]})
            file = files[0]
            return cast(BinaryIO, file.file), str(file.name), int(file.size or 0)
        return cast(BinaryIO, request._request), request.query_params.get("name", ""), length

    @staticmethod
    def _told(request: Request) -> dict[str, str]:
        """What is told about the report: in the address, or in fields of a form as `curl -F` sends them.

        Raises:
            ValidationError: a field that is none.
        """
        form: Any = request.data if request.content_type.startswith("multipart/") else {}
        names = [one.name for one in PARAMETERS]
        fields = {key: form[key] for key in form if key not in request.FILES}
        there = f"There is no such field. There are: {', '.join(names)}."
        wrong = {key: [there] for key in fields.keys() - names}
        wrong |= {key: ["A text can't hold a NUL."] for key, value in fields.items() if "\0" in value}
        if wrong:
            raise ValidationError(wrong)
        return {name: request.query_params.get(name) or fields.get(name, "") for name in names}

    def _run_id(self, text: str) -> str:
        """The public name of the run that `text` names, by it or by its UUID; it may be a new one."""
        found = TestRun.objects.in_project(self.project).by_name([text] if text else [])
        return found[text].test_run_id if text in found else text

    @staticmethod
    def _shard(text: str) -> tuple[int, int] | None:
        try:
            return parse_shard(text)
        except ValueError as problem:
            raise ValidationError({"shard": [str(problem)]}) from None
