"""Batches, edits, jobs, baselines and regressions as they look over HTTP."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from access.api.camel import CamelModelSerializer, CamelSerializer, camel
from batches.finding import status_of
from batches.models import Batch, BatchBaseline, BatchJob, BatchRun, Edit, Regression, Workspace


class WorkspaceSerializer(CamelModelSerializer):
    """A folder on a machine whose edits are recorded."""

    class Meta:
        model = Workspace
        fields = ("id", "host", "root", "batch_size", "created_at")


class BatchSerializer(CamelModelSerializer):
    """A group of edits and what its tests said.

    `status`: open, untested, passed, failed, error (the tests could not run), rolled back.
    """

    id = serializers.IntegerField(source="number")
    host = serializers.CharField(source="workspace.host")
    root = serializers.CharField(source="workspace.root")  # type: ignore[assignment]
    status = serializers.SerializerMethodField()
    edit_count = serializers.IntegerField()
    test_run_id = serializers.SerializerMethodField()
    total_tests = serializers.SerializerMethodField()
    failed_tests = serializers.SerializerMethodField()
    duration = serializers.SerializerMethodField()
    suspicion = serializers.SerializerMethodField()

    class Meta:
        model = Batch
        fields = (
            *("id", "number", "workspace", "host", "root", "status", "opened_at", "closed_at", "git_commit"),
            *("is_dropped", "edit_count", "test_run_id", "total_tests", "failed_tests", "duration"),
            "suspicion",
        )

    def _run(self, batch: Batch) -> BatchRun | None:
        found: BatchRun | None = self.context["runs"].get(batch.pk)
        return found

    def get_status(self, batch: Any) -> str:
        return status_of(batch, self._run(batch))

    @extend_schema_field(OpenApiTypes.STR)
    def get_testRunId(self, batch: Batch) -> str | None:
        run = self._run(batch)
        return run.run.test_run_id if run and run.run else None

    def get_totalTests(self, batch: Batch) -> int | None:
        run = self._run(batch)
        return run.total_tests if run else None

    def get_failedTests(self, batch: Batch) -> int | None:
        run = self._run(batch)
        return run.failed_tests if run else None

    def get_duration(self, batch: Batch) -> float | None:
        run = self._run(batch)
        return run.duration if run else None

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_suspicion(self, batch: Batch) -> dict[str, Any] | None:
        run = self._run(batch)
        return told(run.suspicion) if run and run.suspicion else None


class EditSerializer(CamelModelSerializer):
    """One recorded edit; `earlierState` false: a rollback leaves the file alone."""

    id = serializers.IntegerField(source="position")
    hash = serializers.CharField(source="after.digest")
    kind = serializers.CharField(source="after.kind")
    size = serializers.IntegerField(source="after.size")
    earlier_state = serializers.SerializerMethodField()

    class Meta:
        model = Edit
        fields = (
            *("id", "position", "path", "description", "recorded_at", "hash", "kind", "size"),
            *("earlier_state", "diff"),
        )

    def get_earlierState(self, edit: Edit) -> bool:
        return edit.before_id is not None


class BatchJobSerializer(CamelModelSerializer):
    """Tests or a rollback going on, or done, on the workspace's host."""

    status = serializers.CharField()
    batch = serializers.SerializerMethodField()
    test_run_id = serializers.SerializerMethodField()

    class Meta:
        model = BatchJob
        fields = (
            *("id", "workspace", "batch", "kind", "status", "requested_by", "requested_at", "claimed_at"),
            *("finished_at", "exit_code", "message", "output", "test_run_id"),
        )

    @extend_schema_field(OpenApiTypes.INT)
    def get_batch(self, job: BatchJob) -> int | None:
        return job.batch.number if job.batch else None

    @extend_schema_field(OpenApiTypes.STR)
    def get_testRunId(self, job: BatchJob) -> str | None:
        return job.batch_run.run.test_run_id if job.batch_run and job.batch_run.run else None


class TestOrderSerializer(CamelSerializer):
    """What to run: all tests, or those of a pattern."""

    pattern = serializers.CharField(max_length=255, required=False, allow_blank=True)
    timeout = serializers.IntegerField(min_value=1, max_value=86_400, required=False)


class RollbackOrderSerializer(CamelSerializer):
    """`force` overwrites what was never recorded; `undo` takes the last rollback back."""

    force = serializers.BooleanField(required=False)
    undo = serializers.BooleanField(required=False)


class PreviewSerializer(CamelSerializer):
    """What a rollback would do to one file, and what speaks against it."""

    path = serializers.CharField()
    action = serializers.CharField()
    problem = serializers.CharField()


class BaselineSerializer(CamelModelSerializer):
    """Results that later ones are held against."""

    total_tests = serializers.IntegerField(source="result.total_tests")
    failed_tests = serializers.IntegerField(source="result.failed_tests")
    duration = serializers.FloatField(source="result.duration_seconds")

    class Meta:
        model = BatchBaseline
        fields = (
            *("id", "workspace", "name", "branch", "set_at", "total_tests", "failed_tests", "duration"),
        )


class NewBaselineSerializer(CamelSerializer):
    """The workspace's last run of all tests becomes its baseline."""

    workspace = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)
    name = serializers.CharField(max_length=100, required=False)


class RegressionSerializer(CamelModelSerializer):
    """A test that did worse than its baseline."""

    workspace = serializers.IntegerField(source="batch_run.workspace_id")
    batch = serializers.SerializerMethodField()
    test_run_id = serializers.SerializerMethodField()
    at = serializers.DateTimeField(source="batch_run.started_at")

    class Meta:
        model = Regression
        fields = (
            *("id", "workspace", "batch", "test_run_id", "at", "kind", "name", "baseline_seconds", "seconds"),
        )

    @extend_schema_field(OpenApiTypes.INT)
    def get_batch(self, row: Regression) -> int | None:
        return row.batch_run.batch.number if row.batch_run.batch else None

    @extend_schema_field(OpenApiTypes.STR)
    def get_testRunId(self, row: Regression) -> str | None:
        return row.batch_run.run.test_run_id if row.batch_run.run else None


def told(suspicion: dict[str, Any]) -> dict[str, Any]:
    """What the search found, in camelCase but for the names of tests."""
    outer = {camel(key): value for key, value in suspicion.items() if key != "tests"}
    tests = [
        {"name": name, **{camel(key): value for key, value in one.items()}}
        for name, one in suspicion.get("tests", {}).items()
    ]
    return {**outer, "tests": tests}
