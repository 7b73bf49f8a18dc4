"""Apply a profile: say what it changes, then change it, all or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import transaction

from access.models import Project
from tracking.environments import give_environments
from tracking.models import Environment, TestDefinition
from tracking.profile_file import Profile
from tracking.steps import STEP_FIELDS, put_steps

_NOT_COLUMNS = ("steps", "workspace", "command")
_PLAIN: dict[str, Any] = {
    "workflow": "",
    "command": [],
    "count": 1,
    "inputs": {},
    "start_after": 0,
    "spacing": 0,
    "at_most": 0,
    "timeout": None,
}


def apply_profile(profile: Profile, folder: str, *, dry_run: bool = False) -> list[str]:
    """Make the project as the profile says; return what changes, a line each.

    Applied twice, it changes nothing.  What the profile does not name stays as it is.

    Args:
        folder: where its local commands run.
        dry_run: change nothing, only say what would change.
    """
    changes: list[str] = []
    with transaction.atomic():
        project = _project(profile, changes)
        for name, row in profile.environments.items():
            _environment(project, name, row, changes)
        for name, row in profile.definitions.items():
            _definition(project, name, row, folder, changes)
        transaction.set_rollback(dry_run)
    return changes


def _project(profile: Profile, changes: list[str]) -> Project:
    project, is_new = Project.objects.get_or_create(
        slug=profile.slug, defaults={"name": profile.project.get("name", profile.slug)}
    )
    if is_new:
        changes.append(f"+ project {project.slug}")
        give_environments(project)
    _change(project, profile.project, f"project {project.slug}", changes)
    return project


def _environment(project: Project, name: str, row: dict[str, Any], changes: list[str]) -> None:
    wanted = dict(row)
    if wanted.get("kind") == "production":
        wanted["kind"] = "prod"
    defaults = {"kind": wanted.get("kind", name if name in Environment.Kind.values else "staging")}
    environment, is_new = Environment.objects.get_or_create(project=project, name=name, defaults=defaults)
    if is_new:
        changes.append(f"+ environment {name}")
    _change(environment, wanted, f"environment {name}", changes)


def _definition(project: Project, name: str, row: dict[str, Any], folder: str, changes: list[str]) -> None:
    wanted = {key: value for key, value in row.items() if key not in _NOT_COLUMNS}
    place = str((Path(folder) / row.get("workspace", ".")).resolve()) if "workspace" in row else folder
    steps = [{"command": row["command"]}] if "command" in row else row.get("steps")
    wanted["folder"] = place
    if steps is not None:  # else its steps may be ones that were typed into a page
        wanted["is_from_shell"] = True
    # Locked, so that steps which somebody types into a page meanwhile don't come to be trusted.
    definition, is_new = TestDefinition.objects.select_for_update(no_key=True).get_or_create(
        project=project,
        name=name,
        defaults={**wanted, "test_type": wanted.get("test_type", name.replace("-", "_"))},
    )
    if is_new:
        changes.append(f"+ definition {name}")
    _change(definition, wanted, f"definition {name}", changes)
    if steps is not None:
        _steps(definition, [{**_PLAIN, **step} for step in steps], changes, is_new=is_new)


def _steps(
    definition: TestDefinition, wanted: list[dict[str, Any]], changes: list[str], *, is_new: bool
) -> None:
    kept = [
        {name: getattr(step, name) for name in STEP_FIELDS} for step in definition.steps.order_by("position")
    ]
    if kept == wanted:
        return
    for number in range(max(len(kept), len(wanted))):
        before = kept[number] if number < len(kept) else None
        after = wanted[number] if number < len(wanted) else None
        if before != after:
            changes.extend(_step_changes(f"definition {definition.name}, step {number + 1}", before, after))
    definition.steps.all().delete()
    put_steps(definition, wanted)
    if not is_new:
        definition.version += 1
        definition.save(update_fields=["version", "updated_at"])
        changes.append(f"~ definition {definition.name}: version {definition.version}")


def _step_changes(name: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[str]:
    if before is None and after is not None:
        return [f"+ {name}: {after['count']} × {after['workflow'] or ' '.join(after['command'])}"]
    if after is None or before is None:
        return [f"- {name}"]
    keys = [key for key in STEP_FIELDS if before[key] != after[key]]
    return [f"~ {name}: {key} {before[key]!r} → {after[key]!r}" for key in keys]


def _change(row: Any, wanted: dict[str, Any], name: str, changes: list[str]) -> None:
    changed = [key for key, value in wanted.items() if getattr(row, key) != value]
    for key in changed:
        changes.append(f"~ {name}: {key} {getattr(row, key)!r} → {wanted[key]!r}")
        setattr(row, key, wanted[key])
    if changed:
        row.save()
