"""What a workflow file declares; see GitHub's "Workflow syntax", `on.workflow_dispatch.inputs`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

MOST_INPUTS = 25
LARGEST = 512 * 1024  # bytes; GitHub's own limit


@dataclass(frozen=True, slots=True)
class Declared:
    """The inputs of `workflow_dispatch`; None where the file can't be started by hand at all."""

    inputs: tuple[str, ...] | None
    required: tuple[str, ...] = ()
    shows_tag: bool = False  # whether its run-name shows job_name
    shows_dispatch_id: bool = False


class NotReadable(Exception):
    """The file is no workflow; the message says where."""


def declared(content: bytes) -> Declared:
    """Read a workflow file.

    Raises:
        NotReadable: it is no YAML, or no workflow.
    """
    if len(content) > LARGEST:
        raise NotReadable("it is larger than 512 kB")
    try:
        data = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise NotReadable(f"it is no YAML{where}") from None
    if not isinstance(data, dict):
        raise NotReadable("it is no mapping")
    title = str(data.get("run-name") or "")
    found = _trigger(data.get("on", data.get(True)))  # YAML 1.1 reads a bare `on` as true
    if found is None:
        return Declared(None)
    inputs = found.get("inputs")
    inputs = inputs if isinstance(inputs, dict) else {}
    required = [
        str(name)
        for name, spec in inputs.items()
        if isinstance(spec, dict) and spec.get("required") is True and spec.get("default") in (None, "")
    ]
    return Declared(
        tuple(str(name) for name in inputs), tuple(required), "job_name" in title, "dispatch_id" in title
    )


def _trigger(on: Any) -> dict[str, Any] | None:
    if on == "workflow_dispatch" or (isinstance(on, list) and "workflow_dispatch" in on):
        return {}
    if isinstance(on, dict) and "workflow_dispatch" in on:
        found = on["workflow_dispatch"]
        return found if isinstance(found, dict) else {}
    return None
