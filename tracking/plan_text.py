"""What a plan would send, for people and for programs; nothing is sent or stored here."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from analysis.wording import count


def placeholder(plan: dict[str, Any]) -> str:
    """What stands for the identifier that only a run which has begun has."""
    return f"{plan['test_type']}_<date>_<time>_<hex6>"


def preview(plan: dict[str, Any]) -> Iterator[str]:
    """Each step of `plan` in a few lines."""
    place = f" at {plan['ref']}" if plan["service"] != "local" else ""
    total = sum(step["count"] for step in plan["steps"])
    yield f"Would send {count(total, 'workflow')} to {plan['service']}{place}:"
    for step in plan["steps"]:
        inputs = ", ".join(f"{key}={value}" for key, value in _inputs(plan, step).items())
        yield f"  {step['count']} × {_what(plan, step)}"
        yield f"      inputs: {inputs}"
        yield f"      {_when(step)}, {_at_once(step)}"


def preview_json(plan: dict[str, Any]) -> dict[str, Any]:
    """The same for programs; offsets in seconds after the run's start."""
    return {
        "test_type": plan["test_type"],
        "service": plan["service"],
        "ref": plan["ref"],
        "job_name": placeholder(plan),
        "workflow_count": sum(step["count"] for step in plan["steps"]),
        "steps": [
            {
                "name": step["name"],
                "workflow": step["workflow"],
                "command": _command(plan, step),
                "count": step["count"],
                "inputs": _inputs(plan, step),
                "start_offsets": _offsets(step),
                "at_most": step["at_most"],
            }
            for step in plan["steps"]
        ],
    }


def _what(plan: dict[str, Any], step: dict[str, Any]) -> str:
    return shlex.join(_command(plan, step)) if plan["service"] == "local" else str(step["workflow"])


def _command(plan: dict[str, Any], step: dict[str, Any]) -> list[str]:
    return [str(word).replace("{job_name}", placeholder(plan)) for word in step["command"]]


def _inputs(plan: dict[str, Any], step: dict[str, Any]) -> dict[str, Any]:
    return {**step["inputs"], "job_name": placeholder(plan)}


def _offsets(step: dict[str, Any]) -> list[float]:
    return [round(step["start_after"] + turn * step["spacing"], 3) for turn in range(step["count"])]


def _when(step: dict[str, Any]) -> str:
    offsets = _offsets(step)
    if offsets[0] == offsets[-1]:
        return f"{offsets[0]:g} s after the start"
    return f"{offsets[0]:g} to {offsets[-1]:g} s after the start, {step['spacing']:g} s apart"


def _at_once(step: dict[str, Any]) -> str:
    return f"at most {step['at_most']} at once" if step["at_most"] else "any number at once"
