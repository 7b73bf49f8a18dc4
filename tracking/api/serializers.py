"""Runs, workflows and their times as they look over HTTP."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from access.api.camel import CamelModelSerializer, CamelSerializer
from access.api.parsing import OwnKeys
from tracking.identifiers import environment_name
from tracking.models import Environment, Space, TestDefinition, TestRun, WorkflowJob, WorkflowRun

_METRIC: dict[str, Any] = {
    "n": serializers.IntegerField(),
    **{name: serializers.FloatField(allow_null=True) for name in ("mean", "p50", "p95", "p99")},
    "unit": serializers.CharField(),
    "quality": serializers.CharField(),
}
TIMES = inline_serializer("Times", _METRIC)


class RunSerializer(CamelModelSerializer):
    """One execution of a test definition."""

    test_definition_id = serializers.UUIDField(source="definition_id", read_only=True)
    definition = serializers.CharField(source="definition.name", read_only=True)
    environment = serializers.CharField(source="environment.name", read_only=True)
    environment_kind = serializers.CharField(source="environment.kind", read_only=True)
    rerun_of = serializers.CharField(source="rerun_of.test_run_id", read_only=True, default=None)
    duration = serializers.SerializerMethodField()

    class Meta:
        model = TestRun
        fields = (
            *("id", "test_run_id", "test_definition_id", "definition", "status", "reason", "started_at"),
            *("completed_at", "duration", "environment", "environment_kind", "space", "triggered_by"),
            *("branch", "commit_sha", "tree_hash", "metadata", "rerun_of"),
            *("note", "pinned", "excluded_at", "excluded_reason"),
        )
        read_only_fields = fields

    def get_duration(self, run: TestRun) -> float | None:
        """Seconds from start to end; null while it runs."""
        return run.duration.total_seconds() if run.duration is not None else None


class StartSerializer(CamelSerializer):
    """What a new run is to be."""

    test_definition_id = serializers.PrimaryKeyRelatedField(
        queryset=TestDefinition.objects.none(), source="definition"
    )
    environment = serializers.CharField(max_length=50)
    triggered_by = serializers.CharField(max_length=255, required=False)
    branch = serializers.CharField(max_length=255, required=False)
    commit_sha = serializers.RegexField(
        "^[0-9A-Fa-f]{7,40}$",
        required=False,
        error_messages={"invalid": "Give 7 to 40 hexadecimal digits."},
    )
    tree_hash = serializers.RegexField(
        "^[0-9A-Fa-f]{40}$", required=False, error_messages={"invalid": "Give 40 hexadecimal digits."}
    )
    space = serializers.ChoiceField(choices=Space.choices, required=False)
    metadata = OwnKeys(required=False)

    def get_fields(self) -> dict[str, Any]:
        return definitions_of(self, super().get_fields())

    def validate_environment(self, name: str) -> Environment:
        return environment_in(self.context["view"].project, name)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in {"commit_sha", "tree_hash"} & attrs.keys():
            attrs[name] = attrs[name].lower()
        return attrs


def definitions_of(serializer: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """Let `testDefinitionId` name the definitions of the request's project only."""
    view = serializer.context.get("view")
    if view is not None and not getattr(view, "swagger_fake_view", False):
        fields["testDefinitionId"].queryset = TestDefinition.objects.in_project(view.project)
    return fields


def environment_in(project: Any, name: str) -> Environment:
    """The environment of that name; else an error that names those that there are."""
    mine = Environment.objects.in_project(project)
    found: Environment | None = mine.filter(name=environment_name(name)).first()
    if found is None:
        known = ", ".join(mine.values_list("name", flat=True)[:20])
        raise serializers.ValidationError(f"There is no such environment. There are: {known}.")
    return found


class MetricsSerializer(serializers.Serializer[Any]):
    """Where the time of a run went.  What did not run has no time and counts in none of these."""

    workflows = serializers.SerializerMethodField()
    queue = serializers.SerializerMethodField()
    execution = serializers.SerializerMethodField()
    total = serializers.SerializerMethodField()
    queueShare = serializers.FloatField(source="times.queue_share", allow_null=True)
    method = serializers.CharField(source="times.method")
    apiCalls = serializers.IntegerField(source="run.api_calls")

    @extend_schema_field(
        inline_serializer(
            "WorkflowCounts", {"total": serializers.IntegerField(), "completed": serializers.IntegerField()}
        )
    )
    def get_workflows(self, shown: dict[str, Any]) -> dict[str, int]:
        return {"total": shown["times"].workflows, "completed": shown["times"].completed}

    @extend_schema_field(TIMES)
    def get_queue(self, shown: dict[str, Any]) -> dict[str, Any]:
        return self._times(shown, "queue")

    @extend_schema_field(TIMES)
    def get_execution(self, shown: dict[str, Any]) -> dict[str, Any]:
        return self._times(shown, "execution")

    @extend_schema_field(TIMES)
    def get_total(self, shown: dict[str, Any]) -> dict[str, Any]:
        return self._times(shown, "total")

    @staticmethod
    def _times(shown: dict[str, Any], part: str) -> dict[str, Any]:
        found = getattr(shown["times"], part)
        numbers = {name: getattr(found, name, None) for name in ("mean", "p50", "p95", "p99")}
        return {"n": found.n if found else 0, **numbers, "unit": "s", "quality": shown["times"].quality}


class JobSerializer(CamelModelSerializer):
    """One job of a workflow; times in seconds, null where it did not run."""

    class Meta:
        model = WorkflowJob
        fields = (
            *("job_id", "name", "status", "conclusion", "created_at", "started_at", "completed_at"),
            *("queue", "setup", "execution", "total", "method", "quality", "runner_name", "runner_group"),
            *("labels", "reason", "url"),
        )


class WorkflowRunSerializer(CamelModelSerializer):
    """One workflow with its latest attempt; times in seconds, null where nothing ran."""

    github_run_id = serializers.SerializerMethodField(method_name="get_github_run_id")
    status = serializers.SerializerMethodField()
    queue = serializers.SerializerMethodField()
    execution = serializers.SerializerMethodField()
    total = serializers.SerializerMethodField()
    quality = serializers.SerializerMethodField()
    jobs = serializers.SerializerMethodField()

    class Meta:
        model = WorkflowRun
        fields = (
            *("github_run_id", "attempt", "position", "name", "workflow_file", "status", "conclusion"),
            *("queue", "execution", "total", "quality", "url", "reason", "dispatch_state", "dispatch_id"),
            *("visible_tag", "sent_at", "jobs"),
        )
        read_only_fields = fields

    def get_github_run_id(self, workflow: WorkflowRun) -> int | None:
        """GitHub's number; null for local ones and for what was not sent yet."""
        return workflow.github_run_id or workflow.run.fetched_run_id

    def get_status(self, workflow: WorkflowRun) -> str:
        """The service's own word; empty before it was heard of."""
        latest = workflow.latest_attempt
        return latest.status if latest else ""

    def get_queue(self, workflow: WorkflowRun) -> float | None:
        return workflow.latest_attempt.queue if workflow.latest_attempt else None

    def get_execution(self, workflow: WorkflowRun) -> float | None:
        return workflow.latest_attempt.execution if workflow.latest_attempt else None

    def get_total(self, workflow: WorkflowRun) -> float | None:
        return workflow.latest_attempt.total if workflow.latest_attempt else None

    def get_quality(self, workflow: WorkflowRun) -> str:
        return workflow.latest_attempt.quality if workflow.latest_attempt else ""

    @extend_schema_field(JobSerializer(many=True))
    def get_jobs(self, workflow: WorkflowRun) -> Any:
        latest = workflow.latest_attempt
        return JobSerializer(
            self.context.get("jobs", {}).get(latest.pk, []) if latest else [], many=True
        ).data


class RecordedWorkflowSerializer(CamelSerializer):
    """A workflow that a script sent itself."""

    github_run_id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    name = serializers.CharField(max_length=200)
