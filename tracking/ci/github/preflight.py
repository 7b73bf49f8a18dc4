"""Before the first of many workflows goes out: can all of them?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tracking.ci.base import Preflight
from tracking.ci.github.answers import NotThere
from tracking.ci.github.budget import Limits
from tracking.ci.github.client import Client, Repository
from tracking.ci.github.workflow_file import MOST_INPUTS, Declared, NotReadable, declared

OURS = ("job_name", "dispatch_id")  # inputs that Runtrail fills in where they are declared
_SHA = re.compile(r"[0-9a-f]{40}\Z")


def check(plan: dict[str, Any], client: Client, *, limits: Limits) -> Preflight:
    """Look at the repository, the ref and every file of `plan`: two calls and two for each file."""
    try:
        repository = client.repository()
    except NotThere:
        return Preflight(faults=(f"{client.name} does not exist on GitHub, or the token may not see it.",))
    is_enterprise = client.transport.is_enterprise
    ref = plan.get("ref") or repository.default_branch
    faults = [*_ref_faults(client, ref), *_pace_faults(plan, limits)]
    remarks = _rights(repository)
    files: dict[str, Any] = {}
    if not faults:
        for file in sorted({step["workflow"] for step in plan["steps"]}):
            steps = [step for step in plan["steps"] if step["workflow"] == file]
            found, wrong = _file(client, file, ref, steps)
            faults += wrong
            if found:
                files[file] = found
                remarks += _tag_remarks(file, found, is_enterprise=is_enterprise, faults=faults)
    checked = {
        "repository_id": repository.id,
        "repository": repository.full_name,
        "ref": ref,
        "enterprise": is_enterprise,
        "files": files,
    }
    return Preflight(tuple(faults), tuple(remarks), checked if not faults else {})


def _ref_faults(client: Client, ref: str) -> list[str]:
    if _SHA.match(ref):
        return [f"GitHub starts workflows at a branch or tag, not at the commit {ref[:10]}…"]
    if not client.has_ref(ref):
        return [f"There is no branch or tag {ref} in {client.name}."]
    return []


def _pace_faults(plan: dict[str, Any], limits: Limits) -> list[str]:
    """Within GitHub's limits, does the sending alone take longer than the run may?"""
    count = sum(step["count"] for step in plan["steps"])
    seconds = max(
        count * limits.pause,
        (count - 1) // limits.writes_per_minute * 60.0,
        (count - 1) // limits.writes_per_hour * 3600.0,
    )
    if seconds <= plan["timeout"]:
        return []
    return [
        f"Sending {count:,} workflows takes {seconds:,.0f} s within GitHub's limits, longer than the run's "
        f"limit of {plan['timeout']:,} s: raise the definition's timeout, or GITHUB_WRITES_PER_HOUR."
    ]


def _rights(repository: Repository) -> list[str]:
    if repository.may_write is False:
        return [f"The token may read {repository.full_name}; whether it may start workflows shows now."]
    return []


def _file(
    client: Client, file: str, ref: str, steps: list[dict[str, Any]]
) -> tuple[dict[str, Any] | None, list[str]]:
    try:
        workflow = client.workflow(file)
    except NotThere:
        return None, [f"{file} is not among the workflows of {client.name}'s default branch."]
    if workflow.state != "active":
        return None, [f"{file} is {workflow.state.replace('_', ' ')} on GitHub: enable it there."]
    try:
        content = declared(client.file(workflow.path, ref))
    except NotThere:
        return None, [f"{file} does not exist at {ref}."]
    except NotReadable as problem:
        return None, [f"{file} at {ref} can't be read: {problem}."]
    faults = list(_input_faults(file, content, steps))
    found = {
        "id": workflow.id,
        "inputs": list(content.inputs or ()),
        "shows_tag": content.shows_tag,
        "shows_dispatch_id": content.shows_dispatch_id and "dispatch_id" in (content.inputs or ()),
    }
    return (None if faults else found), faults


def _input_faults(file: str, content: Declared, steps: Iterable[dict[str, Any]]) -> Iterable[str]:
    if content.inputs is None:
        yield f"{file} can't be started by Runtrail: it does not have a workflow_dispatch trigger."
        return
    if len(content.inputs) > MOST_INPUTS:
        yield f"{file} declares {len(content.inputs)} inputs; GitHub takes {MOST_INPUTS}."
    for step in steps:
        given = set(step["inputs"])
        unknown = sorted(given - set(content.inputs) - set(step.get("optional", [])))
        if unknown:
            yield f"{file} does not declare the input{'s' * (len(unknown) > 1)} {', '.join(unknown)}."
        missing = sorted(set(content.required) - given - set(OURS))
        if missing:
            yield f"{file} requires the input{'s' * (len(missing) > 1)} {', '.join(missing)}."


def _tag_remarks(file: str, found: dict[str, Any], *, is_enterprise: bool, faults: list[str]) -> list[str]:
    if "job_name" not in found["inputs"]:
        if is_enterprise:
            faults.append(
                f"{file} does not declare the input job_name, and this server tells no run ids: its runs "
                "could never be found again. Add job_name to its inputs and to its run-name."
            )
            return []
        return [f"{file} does not declare the input job_name: its runs can't show the tag."]
    if not found["shows_tag"]:
        return [f"{file} does not show job_name in its run-name: the tag can't be seen on GitHub."]
    return []
