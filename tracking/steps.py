"""Give a definition other steps; the API, the admin's files and their history agree on what that means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from tracking.models import Step, TestDefinition

STEP_FIELDS = ("workflow", "command", "count", "inputs", "start_after", "spacing", "at_most", "timeout")


def put_steps(definition: TestDefinition, steps: Iterable[Mapping[str, Any]]) -> None:
    """Store the steps of a definition that has none, in their order.

    One by one, as a bulk insert would leave no version of them.

    Raises:
        ValidationError: a step can't be so.
    """
    for position, told in enumerate(steps, start=1):
        step = Step(definition=definition, position=position, **told)
        step.clean_fields(exclude=["definition"])
        step.save()


def replace_steps(definition: TestDefinition, steps: Iterable[Mapping[str, Any]]) -> None:
    """Replace all steps by ones that did not come from a shell, and raise the version.

    So it loses the right to run commands on this machine (`TestDefinition.is_from_shell`).

    Raises:
        ValidationError: a step can't be so; nothing was changed.
    """
    with transaction.atomic():
        newest = TestDefinition.objects.select_for_update(no_key=True).only("version").get(pk=definition.pk)
        definition.steps.all().delete()
        put_steps(definition, steps)
        definition.version = newest.version + 1
        definition.is_from_shell = False
        definition.save(update_fields=["version", "is_from_shell", "updated_at"])
