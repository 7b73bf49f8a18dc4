"""GitHub's JSON with all that its description requires, from what the double knows."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

_USER_LINKS = (
    *("avatar", "events", "followers", "following", "gists", "html", "organizations"),
    *("received_events", "repos", "starred", "subscriptions"),
)
_REPOSITORY_LINKS = (
    *("archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits", "compare"),
    *("contents", "contributors", "deployments", "downloads", "events", "forks", "git_commits", "git_refs"),
    *("git_tags", "hooks", "html", "issue_comment", "issue_events", "issues", "keys", "labels", "languages"),
    *("merges", "milestones", "notifications", "pulls", "releases", "stargazers", "statuses", "subscribers"),
    *("subscription", "tags", "teams", "trees"),
)
_RUN_LINKS = ("jobs", "logs", "check_suite", "cancel", "rerun", "artifacts", "workflow")


def stamp(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def user(base: str, login: str = "octocat") -> dict[str, Any]:
    url = f"{base}/users/{login}"
    links = {f"{name}_url": f"{url}/{name}" for name in _USER_LINKS}
    return {
        "login": login,
        "id": 1,
        "node_id": "U_1",
        "gravatar_id": "",
        "type": "User",
        "site_admin": False,
        **links,
        "url": url,
    }


def repository(base: str, repo: Any) -> dict[str, Any]:
    url = f"{base}/repos/{repo.full_name}"
    return {
        **{f"{name}_url": f"{url}/{name}" for name in _REPOSITORY_LINKS},
        "id": repo.id,
        "node_id": f"R_{repo.id}",
        "name": repo.full_name.split("/")[1],
        "full_name": repo.full_name,
        "owner": user(base, repo.full_name.split("/")[0]),
        "private": False,
        "description": None,
        "fork": False,
        "url": url,
    }


def full_repository(base: str, repo: Any) -> dict[str, Any]:
    counts = ("forks", "forks_count", "open_issues", "open_issues_count", "size", "stargazers_count")
    more = ("watchers", "watchers_count", "network_count", "subscribers_count")
    flags = ("has_issues", "has_projects", "has_wiki", "has_pages", "has_discussions", "archived", "disabled")
    at = "2020-01-01T00:00:00Z"
    return {
        **repository(base, repo),
        **dict.fromkeys([*counts, *more], 0),
        **dict.fromkeys(flags, False),
        **{
            f"{kind}_url": f"https://example.org/{repo.full_name}.git"
            for kind in ("clone", "git", "ssh", "svn")
        },
        "homepage": None,
        "language": None,
        "mirror_url": None,
        "license": None,
        "default_branch": repo.default_branch,
        "pushed_at": at,
        "created_at": at,
        "updated_at": at,
        "permissions": {"admin": False, "pull": True, "push": repo.may_write},
    }


def workflow(base: str, repo: Any, file: Any) -> dict[str, Any]:
    url = f"{base}/repos/{repo.full_name}/actions/workflows/{file.id}"
    return {
        "id": file.id,
        "node_id": f"W_{file.id}",
        "name": file.name,
        "path": file.path,
        "state": file.state,
        "url": url,
        "html_url": url,
        "badge_url": f"{url}/badge.svg",
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2020-01-01T00:00:00Z",
    }


def run(base: str, repo: Any, one: Any, attempt: Any) -> dict[str, Any]:
    url = f"{base}/repos/{repo.full_name}/actions/runs/{one.id}"
    head = repo.branches.get(one.ref, "0" * 40)
    earlier = f"{url}/attempts/{attempt.number - 1}" if attempt.number > 1 else None
    return {
        **{f"{name}_url": f"{url}/{name}" for name in _RUN_LINKS},
        "id": one.id,
        "node_id": f"WFR_{one.id}",
        "name": one.file.name,
        "url": url,
        "html_url": url,
        "head_branch": one.ref,
        "head_sha": head,
        "path": one.file.path,
        "run_number": one.id % 1000,
        "event": one.event,
        "display_title": one.title,
        "status": attempt.status,
        "conclusion": attempt.conclusion,
        "workflow_id": one.file.id,
        "pull_requests": [],
        "created_at": stamp(one.created_at),
        "updated_at": stamp(attempt.updated_at),
        "run_started_at": stamp(attempt.started_at),
        "run_attempt": attempt.number,
        "previous_attempt_url": earlier,
        "actor": user(base),
        "triggering_actor": user(base),
        "repository": repository(base, repo),
        "head_repository": repository(base, repo),
        "head_commit": {
            "id": head,
            "tree_id": repo.tree_of(head),
            "message": "A change",
            "timestamp": "2026-01-04T08:00:00Z",
            "author": {"name": "Ada", "email": "ada@example.org"},
            "committer": {"name": "Ada", "email": "ada@example.org"},
        },
    }


def job(base: str, repo: Any, one: Any, attempt: Any, found: Any) -> dict[str, Any]:
    url = f"{base}/repos/{repo.full_name}/actions"
    has_runner = found.runner_id is not None
    return {
        "id": found.id,
        "node_id": f"CR_{found.id}",
        "run_id": one.id,
        "run_attempt": attempt.number,
        "run_url": f"{url}/runs/{one.id}",
        "url": f"{url}/jobs/{found.id}",
        "html_url": f"{url}/jobs/{found.id}",
        "head_sha": repo.branches.get(one.ref, "0" * 40),
        "head_branch": one.ref,
        "workflow_name": one.file.name,
        "name": found.name,
        "status": found.status,
        "conclusion": found.conclusion,
        "created_at": stamp(found.created_at),
        # GitHub fills started_at while the job still waits.
        "started_at": stamp(found.started_at or found.created_at),
        "completed_at": stamp(found.completed_at),
        "check_run_url": f"{base}/repos/{repo.full_name}/check-runs/{found.id}",
        "labels": ["ubuntu-latest"],
        "runner_id": found.runner_id,
        "runner_name": f"runner-{found.runner_id}" if has_runner else None,
        "runner_group_id": 1 if has_runner else None,
        "runner_group_name": "Default" if has_runner else None,
        "steps": [],
    }


def artifact(base: str, found: Any, *, is_expired: bool) -> dict[str, Any]:
    url = f"{base}/repos/{found.run.repo.full_name}/actions/artifacts/{found.id}"
    return {
        "id": found.id,
        "node_id": f"A_{found.id}",
        "name": found.name,
        "size_in_bytes": len(found.content),
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": is_expired,
        "created_at": stamp(found.created_at),
        "updated_at": stamp(found.created_at),
        "expires_at": stamp(found.expires_at),
        "digest": f"sha256:{hashlib.sha256(found.content).hexdigest()}",
    }
