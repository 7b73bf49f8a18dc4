"""Is everything there that a run needs?  What is missing is said one by one; nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence

from tracking.ci.base import CIRefused, CIUnavailable, Finding
from tracking.ci.github.answers import NotThere
from tracking.ci.github.client import Client, Repository
from tracking.ci.github.workflow_file import NotReadable, declared
from tracking.models import CIRepository


def diagnosis(client: Client, files: Sequence[str]) -> list[Finding]:
    """Look at the token, the repository, its rights, `files`, the budget and the messages."""
    if not client.name:
        return [Finding(False, "No repository is named: write it as owner/name.")]
    if client.transport.credentials.identity == "anonymous":
        return [Finding(False, "There is no token: set one here, or GITHUB_TOKEN, or a GitHub App.")]
    try:
        repository = client.repository()
    except NotThere:
        text = f"{client.name} is not there, or the token may not see it: give it Metadata: read."
        return [Finding(False, text)]
    except (CIUnavailable, CIRefused) as problem:
        return [Finding(False, f"GitHub could not be asked: {problem}.")]
    seen = f"The token sees {repository.full_name}; its default branch is {repository.default_branch}."
    found = [Finding(True, seen)]
    found.append(_rights(repository))
    for file in files:
        found.append(_file(client, repository, file))
    return [*found, _budget(client), _messages(repository)]


def _rights(repository: Repository) -> Finding:
    if repository.may_write is False:
        return Finding(False, "The token may not start workflows: give it Actions: read and write.")
    if repository.may_write is None:
        return Finding(True, "Whether the token may start workflows shows with the first run.")
    return Finding(True, "The token's owner may start workflows.")


def _file(client: Client, repository: Repository, file: str) -> Finding:
    try:
        workflow = client.workflow(file)
        content = declared(client.file(workflow.path, repository.default_branch))
    except NotThere:
        return Finding(False, f"{file} is not on {repository.default_branch}, or Contents: read is missing.")
    except NotReadable as problem:
        return Finding(False, f"{file} can't be read: {problem}.")
    except (CIUnavailable, CIRefused) as problem:
        return Finding(False, f"{file} could not be looked at: {problem}.")
    if workflow.state != "active":
        return Finding(False, f"{file} is {workflow.state.replace('_', ' ')}: enable it on GitHub.")
    if content.inputs is None:
        return Finding(False, f"{file} has no workflow_dispatch trigger, so nobody can start it.")
    missing = [name for name in ("job_name", "dispatch_id") if name not in content.inputs]
    if missing:
        return Finding(False, f"{file} does not declare {' and '.join(missing)}: add them to its inputs.")
    if not (content.shows_tag and content.shows_dispatch_id):
        return Finding(False, f"{file} does not show job_name and dispatch_id in its run-name.")
    return Finding(True, f"{file} is active, takes job_name and dispatch_id, and shows them.")


def _budget(client: Client) -> Finding:
    try:
        left = client.calls_left()
    except (CIUnavailable, CIRefused) as problem:
        return Finding(False, f"The calls that are left could not be asked for: {problem}.")
    if left is None:
        return Finding(True, "This server has no limit of calls.")
    return Finding(left > 100, f"{left:,} calls are left in GitHub's hour.")


def _messages(repository: Repository) -> Finding:
    watch = CIRepository.objects.filter(service="github", repository_id=repository.id).first()
    if watch and watch.hook_at:
        return Finding(True, f"The webhook works: a message came at {watch.hook_at:%Y-%m-%d %H:%M:%S} UTC.")
    text = "No message has come yet: add the webhook (below); without it Runtrail asks once a minute."
    return Finding(False, text)
