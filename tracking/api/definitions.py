"""Environments and test definitions over HTTP."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from rest_framework import mixins, serializers

from access.api.base import ProjectViewSet
from access.api.camel import CamelModelSerializer
from access.api.paging import ByNumber
from access.api.parsing import OwnKeys
from access.models import Role
from tracking.ci import is_known
from tracking.identifiers import environment_name
from tracking.models import Environment, Step, TestDefinition
from tracking.steps import STEP_FIELDS, put_steps, replace_steps

WRITING = {"create": Role.MAINTAINER, "update": Role.MAINTAINER, "partial_update": Role.MAINTAINER}


class EnvironmentSerializer(CamelModelSerializer):
    """Where tests run; `aws_ecs` and `aws-ecs` are the same name."""

    inputs = OwnKeys(child=serializers.CharField(allow_blank=True), required=False)

    class Meta:
        model = Environment
        fields = ("id", "name", "kind", "service", "ref", "inputs")

    def validate_name(self, name: str) -> str:
        name = environment_name(name)
        others = Environment.objects.in_project(self.context["view"].project).filter(name=name)
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise serializers.ValidationError("There is an environment of that name already.", "unique")
        return name

    def validate_service(self, service: str) -> str:
        if not is_known(service):
            known = ", ".join(sorted(settings.CI_SERVICES))
            raise serializers.ValidationError(f"There is no service {service!r}. There are: {known}.")
        return service

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            spelt = {key: data[key] for key in ("name", "kind") if isinstance(data.get(key), str)}
            data = {**data, **{key: environment_name(value) for key, value in spelt.items()}}
        return super().to_internal_value(data)


class EnvironmentViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    ProjectViewSet,
):
    """The environments of the project."""

    queryset = Environment.objects.all()
    serializer_class = EnvironmentSerializer
    pagination_class = ByNumber
    roles: ClassVar[dict[str, Role]] = WRITING
    http_method_names = ["get", "post", "patch", "head", "options"]

    def perform_create(self, serializer: Any) -> None:
        serializer.save(project=self.project)


class StepSerializer(CamelModelSerializer):
    """One workflow, or one command of the local service, sent `count` times."""

    command = serializers.ListField(
        child=serializers.CharField(max_length=4000), required=False, max_length=200
    )
    inputs = OwnKeys(child=serializers.CharField(allow_blank=True), required=False)
    count = serializers.IntegerField(min_value=1, max_value=10_000, required=False)
    start_after = serializers.FloatField(min_value=0, max_value=31_536_000, required=False)
    spacing = serializers.FloatField(min_value=0, max_value=86_400, required=False)
    at_most = serializers.IntegerField(min_value=0, max_value=10_000, required=False)
    timeout = serializers.IntegerField(min_value=1, max_value=31_536_000, required=False, allow_null=True)

    class Meta:
        model = Step
        fields = STEP_FIELDS

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("workflow") and not attrs.get("command"):
            raise serializers.ValidationError("It needs a workflow (for GitHub) or a command (for local).")
        return attrs


class DefinitionSerializer(CamelModelSerializer):
    """What can be run.  Giving `steps` replaces all of them and raises the version."""

    steps = StepSerializer(many=True, required=False, max_length=200)  # type: ignore[call-arg]
    kind = serializers.ChoiceField(
        choices=[TestDefinition.WORKFLOWS, TestDefinition.SUITE],
        required=False,
        help_text="Can't be changed.",
    )
    workspace = serializers.CharField(
        source="folder", max_length=1000, required=False, help_text="Where the commands run."
    )
    expected = serializers.ListField(
        child=serializers.CharField(max_length=1024),
        required=False,
        max_length=100_000,
        help_text="Of a suite: cases that have to be reported.",
    )
    reports = serializers.ListField(
        child=serializers.CharField(max_length=300),
        required=False,
        max_length=50,
        help_text="Of a suite: report files that its command writes.",
    )
    timeout = serializers.IntegerField(min_value=1, max_value=31_536_000, required=False)

    class Meta:
        model = TestDefinition
        fields = (
            *("id", "name", "test_type", "kind", "description", "timeout", "version", "steps"),
            *("workspace", "expected", "reports", "created_at", "updated_at"),
        )
        read_only_fields = ("id", "version", "created_at", "updated_at")

    def validate_name(self, name: str) -> str:
        others = TestDefinition.objects.in_project(self.context["view"].project).filter(name=name)
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise serializers.ValidationError("There is a definition of that name already.", "unique")
        return name

    def validate_kind(self, kind: str) -> str:
        if self.instance is not None and kind != self.instance.kind:
            raise serializers.ValidationError("The kind of a definition can't be changed; make another one.")
        return kind

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind = attrs.get("kind") or (self.instance.kind if self.instance else TestDefinition.WORKFLOWS)
        steps = attrs.get("steps")
        if kind == TestDefinition.SUITE and steps is not None and not _is_one_command(steps):
            raise serializers.ValidationError({"steps": ["A suite has one step: the command that runs it."]})
        if kind != TestDefinition.SUITE and (attrs.get("expected") or attrs.get("reports")):
            raise serializers.ValidationError({"kind": ["Only a suite has expected cases and report files."]})
        return attrs

    def create(self, validated_data: dict[str, Any]) -> TestDefinition:
        steps = validated_data.pop("steps", [])
        with transaction.atomic():
            made: TestDefinition = super().create(validated_data)
            put_steps(made, steps)
        return made

    def update(self, instance: TestDefinition, validated_data: dict[str, Any]) -> TestDefinition:
        steps = validated_data.pop("steps", None)
        with transaction.atomic():
            instance = self.as_it_is_now(instance)
            is_moved = validated_data.get("folder", instance.folder) != instance.folder
            changed: TestDefinition = super().update(instance, validated_data)
            if is_moved:
                TestDefinition.objects.filter(pk=changed.pk).update(is_from_shell=False)
                changed.is_from_shell = False
            if steps is not None:
                replace_steps(changed, steps)
        return changed


class DefinitionViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    ProjectViewSet,
):
    """What can be run in the project."""

    queryset = TestDefinition.objects.prefetch_related("steps")
    serializer_class = DefinitionSerializer
    pagination_class = ByNumber
    roles: ClassVar[dict[str, Role]] = WRITING
    http_method_names = ["get", "post", "patch", "head", "options"]

    def perform_create(self, serializer: Any) -> None:
        serializer.save(project=self.project)


def _is_one_command(steps: list[dict[str, Any]]) -> bool:
    return len(steps) == 1 and bool(steps[0].get("command")) and steps[0].get("count", 1) == 1
