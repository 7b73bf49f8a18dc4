"""What goes out of the admin as a file, and what may come in by one."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection
from import_export.fields import Field
from import_export.formats.base_formats import CSV, JSON
from import_export.resources import ModelResource
from import_export.widgets import ForeignKeyWidget, JSONWidget

from access.models import Project
from tracking.models import Environment, TestDefinition, TestRun
from tracking.steps import STEP_FIELDS, replace_steps

FORMATS = [CSV, JSON]


def _project() -> Field:
    return Field(attribute="project", column_name="project", widget=ForeignKeyWidget(Project, "slug"))


class EnvironmentResource(ModelResource):
    """One row for each environment, known by project and name."""

    project = _project()
    inputs = Field(attribute="inputs", column_name="inputs", widget=JSONWidget(), default=dict)

    class Meta:
        model = Environment
        fields = ("project", "name", "kind", "service", "ref", "inputs")
        export_order = fields
        import_id_fields = ("project", "name")
        clean_model_instances = True
        skip_unchanged = True


class DefinitionResource(ModelResource):
    """One row for each definition, its steps as JSON in one column.

    Steps that come by a file are no longer those that came from a shell, so a change of them takes the right
    to run commands on this machine, as typing them into a page does.
    """

    project = _project()
    steps = Field(column_name="steps")

    class Meta:
        model = TestDefinition
        fields = ("project", "name", "test_type", "kind", "description", "timeout", "steps")
        export_order = fields
        import_id_fields = ("project", "name")
        clean_model_instances = True

    def get_instance(self, instance_loader: Any, row: Any) -> Any:
        """The row under a lock: it is written whole, and steps may be replaced over the API meanwhile."""
        found = super().get_instance(instance_loader, row)
        if found is None or not connection.in_atomic_block:
            return found
        return TestDefinition.objects.select_for_update(no_key=True).get(pk=found.pk)

    def dehydrate_steps(self, definition: TestDefinition) -> str:
        steps = definition.steps.all() if definition.pk and not definition._state.adding else []
        return json.dumps([{name: getattr(step, name) for name in STEP_FIELDS} for step in steps])

    def after_save_instance(self, instance: TestDefinition, row: Any, **kwargs: Any) -> None:
        text = str(row.get("steps") or "").strip()
        if not text or json.loads(text) == json.loads(self.dehydrate_steps(instance)):
            return
        replace_steps(instance, _steps(text))


class RunResource(ModelResource):
    """One row for each run, to be read elsewhere; nothing comes in."""

    project = _project()
    definition = Field(attribute="definition__name", column_name="definition")
    environment = Field(attribute="environment__name", column_name="environment")

    class Meta:
        model = TestRun
        fields = (
            *("test_run_id", "project", "definition", "environment", "space", "status", "reason", "branch"),
            *("commit_sha", "triggered_by", "started_at", "completed_at", "pinned", "note"),
            *("excluded_at", "excluded_by", "excluded_reason"),
        )
        export_order = fields


def _steps(text: str) -> list[dict[str, Any]]:
    found = json.loads(text)
    if not isinstance(found, list) or not all(isinstance(step, dict) for step in found):
        raise ValueError("The column steps is a JSON list with one object for each step.")
    unknown = {name for step in found for name in step} - set(STEP_FIELDS)
    if unknown:
        raise ValueError(f"A step has no {', '.join(sorted(unknown))}; it has {', '.join(STEP_FIELDS)}.")
    return found
