"""Starting a workflow, with all that goes wrong there; messages of errors as they were recorded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.github_double.nouns import Repository
from tests.github_double.saying import Drop, Said, nothing, repo_of

if TYPE_CHECKING:
    from tests.github_double.server import Server


def dispatch(server: Server, name: str, key: str, query: Any, data: dict[str, Any]) -> Said:
    world, repo = server.world, repo_of(server, name)
    file = repo.file(key) if repo else None
    if repo is None or file is None:
        return nothing()
    wrong = _wrong(server, repo, file, data)
    if wrong:
        return Said(422, {"message": wrong})
    world.dispatches += 1
    number, faults = world.dispatches, world.faults
    limited = _limited(server, number)
    if limited:
        return limited
    if faults.fails("error_before", number):
        return Said(500, {"message": "Failed to run workflow dispatch"})
    if faults.fails("unavailable", number):
        return Said(503, {"message": "No server is currently available"})
    if faults.fails("drop_before", number):
        raise Drop
    run = world.start(repo, file, data["ref"], {k: str(v) for k, v in (data.get("inputs") or {}).items()})
    if faults.fails("error_after", number):
        return Said(500, {"message": "Failed to run workflow dispatch"})
    if faults.fails("drop_after", number):
        raise Drop
    if server.enterprise or not data.get("return_run_details"):
        return Said(204, None)
    url = f"{server.url}/repos/{repo.full_name}/actions/runs/{run.id}"
    return Said(200, {"workflow_run_id": run.id, "run_url": url, "html_url": url})


def _wrong(server: Server, repo: Repository, file: Any, data: dict[str, Any]) -> str:
    declared = file.trigger
    given = data.get("inputs") or {}
    if declared is None:
        return "Workflow does not have 'workflow_dispatch' trigger"
    if server.enterprise and "return_run_details" in data:
        return 'Invalid request.\n\n"return_run_details" is not a permitted key.'
    if re.fullmatch(r"[0-9a-f]{40}", data["ref"]) or data["ref"] not in repo.branches:
        return f"No ref found for: {data['ref']}"
    unknown = [name for name in given if name not in declared]
    if unknown:
        return f"Unexpected inputs provided: {unknown}"
    for name, spec in declared.items():
        if (spec or {}).get("required") and not (spec or {}).get("default") and name not in given:
            return f"Required input '{name}' not provided"
    return ""


def _limited(server: Server, number: int) -> Said | None:
    faults = server.world.faults
    wait = {"Retry-After": str(faults.retry_after)} if faults.retry_after is not None else {}
    if faults.fails("too_many", number):
        return Said(429, {"message": "Too many requests"}, wait)
    if faults.fails("secondary", number):
        text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        return Said(403, {"message": text}, wait)
    return None
