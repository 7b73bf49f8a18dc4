"""What GitHub does at each address that Runtrail calls; messages of errors as they were recorded."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.github_double import shapes
from tests.github_double.dispatching import dispatch
from tests.github_double.leaving import artifacts, download
from tests.github_double.nouns import Run
from tests.github_double.saying import Said, nothing, repo_of

if TYPE_CHECKING:
    from tests.github_double.server import Server

REPO = r"/repos/(?P<name>[^/]+/[^/]+)"


def repository(server: Server, name: str, query: Any, data: Any) -> Said:
    repo = repo_of(server, name)
    return Said(200, shapes.full_repository(server.url, repo)) if repo else nothing()


def ref(server: Server, name: str, kind: str, ref: str, query: Any, data: Any) -> Said:
    repo = repo_of(server, name)
    if repo is None or kind != "heads" or ref not in repo.branches:
        return nothing()
    sha = repo.branches[ref]
    at = {"type": "commit", "sha": sha, "url": f"{server.url}/repos/{name}/git/commits/{sha}"}
    url = f"{server.url}/repos/{name}/git/refs/{kind}/{ref}"
    return Said(200, {"ref": f"refs/{kind}/{ref}", "node_id": "REF_1", "url": url, "object": at})


def workflow(server: Server, name: str, key: str, query: Any, data: Any) -> Said:
    repo = repo_of(server, name)
    file = repo.file(key) if repo else None
    return Said(200, shapes.workflow(server.url, repo, file)) if file else nothing()


def content(server: Server, name: str, path: str, query: dict[str, str], data: Any) -> Said:
    repo = repo_of(server, name)
    file = next((one for one in repo.files.values() if one.path == path), None) if repo else None
    if file is None or (repo and query.get("ref", repo.default_branch) not in repo.branches):
        return nothing()
    url = f"{server.url}/repos/{name}/contents/{path}"
    return Said(
        200,
        {
            "type": "file",
            "encoding": "base64",
            "size": len(file.text),
            "name": path.rsplit("/", 1)[-1],
            "path": path,
            "content": base64.b64encode(file.text.encode()).decode(),
            "sha": "b" * 40,
            "url": url,
            "git_url": url,
            "html_url": url,
            "download_url": url,
            "_links": {"self": url, "git": url, "html": url},
        },
    )


def runs(server: Server, name: str, query: dict[str, str], data: Any) -> Said:
    repo, world = repo_of(server, name), server.world
    if repo is None:
        return nothing()
    filters = set(query) - {"per_page", "page"}
    lag = world.faults.stale_filters if filters else world.faults.list_lag
    shown = world.now - timedelta(seconds=lag)
    found = sorted(
        (one for one in world.runs.values() if one.repo is repo and one.created_at <= shown),
        key=lambda one: (one.created_at, one.id),
        reverse=True,
    )
    size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
    cut = found[(page - 1) * size : page * size]
    url = f"{server.url}/repos/{name}/actions/runs?per_page={size}&page={page + 1}"
    more = {"Link": f'<{url}>; rel="next"'} if page * size < len(found) else {}
    listed = [shapes.run(server.url, repo, one, one.attempts[-1]) for one in cut]
    return Said(200, {"total_count": len(found), "workflow_runs": listed}, more)


def run(server: Server, name: str, number: str, query: Any, data: Any) -> Said:
    one = _run(server, name, number)
    return Said(200, shapes.run(server.url, one.repo, one, one.attempts[-1])) if one else nothing()


def attempt(server: Server, name: str, number: str, turn: str, query: Any, data: Any) -> Said:
    one = _run(server, name, number)
    if one is None or int(turn) > len(one.attempts):
        return nothing()
    return Said(200, shapes.run(server.url, one.repo, one, one.attempts[int(turn) - 1]))


def jobs(server: Server, name: str, number: str, turn: str, query: dict[str, str], data: Any) -> Said:
    one = _run(server, name, number)
    if one is None or int(turn) > len(one.attempts):
        return nothing()
    tried = one.attempts[int(turn) - 1]
    size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
    cut = tried.jobs[(page - 1) * size : page * size]
    url = f"{server.url}/repos/{name}/actions/runs/{number}/attempts/{turn}/jobs"
    url += f"?per_page={size}&page={page + 1}"
    more = {"Link": f'<{url}>; rel="next"'} if page * size < len(tried.jobs) else {}
    listed = [shapes.job(server.url, one.repo, one, tried, job) for job in cut]
    return Said(200, {"total_count": len(tried.jobs), "jobs": listed}, more)


def all_jobs(server: Server, name: str, number: str, query: dict[str, str], data: Any) -> Said:
    one = _run(server, name, number)
    if one is None:
        return nothing()
    tried = one.attempts if query.get("filter") == "all" else one.attempts[-1:]
    found = [shapes.job(server.url, one.repo, one, attempt, job) for attempt in tried for job in attempt.jobs]
    size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
    url = f"{server.url}/repos/{name}/actions/runs/{number}/jobs?filter=all&per_page={size}&page={page + 1}"
    more = {"Link": f'<{url}>; rel="next"'} if page * size < len(found) else {}
    return Said(200, {"total_count": len(found), "jobs": found[(page - 1) * size : page * size]}, more)


def cancel(server: Server, name: str, number: str, how: str, query: Any, data: Any) -> Said:
    one = _run(server, name, number)
    if one is None:
        return nothing()
    if server.world.faults.refuse_cancel and how == "cancel":
        return Said(409, {"message": "Cannot cancel a workflow run that is completed."})
    server.world.cancel(one)
    return Said(202, {})


def rate_limit(server: Server, query: Any, data: Any) -> Said:
    core = {"limit": 5000, "used": 0, "remaining": 5000, "reset": int(server.world.now.timestamp()) + 3600}
    return Said(200, {"resources": {"core": core, "search": core}, "rate": core})


def installation(server: Server, name: str, query: Any, data: Any) -> Said:
    at = "2026-01-01T00:00:00Z"
    return Said(
        200,
        {
            "id": 7,
            "app_id": 1,
            "app_slug": "runtrail",
            "target_id": 1,
            "target_type": "Organization",
            "single_file_name": None,
            "repository_selection": "all",
            "events": [],
            "permissions": {},
            "account": shapes.user(server.url, "acme"),
            "created_at": at,
            "updated_at": at,
            **{f"{one}_url": server.url for one in ("access_tokens", "html", "repositories")},
            "suspended_by": None,
            "suspended_at": None,
        },
    )


def access_token(server: Server, number: str, query: Any, data: Any) -> Said:
    token = f"ghs_{next(server.world.numbers)}_" + "x" * 512  # as long as they have been since April 2026
    server.tokens.add(token)
    end = server.world.now + timedelta(hours=1)
    return Said(201, {"token": token, "expires_at": shapes.stamp(end), "permissions": {}})


def _run(server: Server, name: str, number: str) -> Run | None:
    found = server.world.runs.get(int(number))
    return found if found and found.repo is repo_of(server, name) else None


ROUTES = [
    ("GET", REPO, repository),
    ("GET", REPO + r"/git/ref/(?P<kind>heads|tags)/(?P<ref>.+)", ref),
    ("GET", REPO + r"/actions/workflows/(?P<key>[^/]+)", workflow),
    ("GET", REPO + r"/contents/(?P<path>.+)", content),
    ("POST", REPO + r"/actions/workflows/(?P<key>[^/]+)/dispatches", dispatch),
    ("GET", REPO + r"/actions/runs", runs),
    ("GET", REPO + r"/actions/runs/(?P<number>\d+)", run),
    ("GET", REPO + r"/actions/runs/(?P<number>\d+)/attempts/(?P<turn>\d+)", attempt),
    ("GET", REPO + r"/actions/runs/(?P<number>\d+)/attempts/(?P<turn>\d+)/jobs", jobs),
    ("GET", REPO + r"/actions/runs/(?P<number>\d+)/jobs", all_jobs),
    ("GET", REPO + r"/actions/runs/(?P<number>\d+)/artifacts", artifacts),
    ("GET", REPO + r"/actions/artifacts/(?P<number>\d+)/zip", download),
    ("POST", REPO + r"/actions/runs/(?P<number>\d+)/(?P<how>cancel|force-cancel)", cancel),
    ("GET", r"/rate_limit", rate_limit),
    ("GET", REPO + r"/installation", installation),
    ("POST", r"/app/installations/(?P<number>\d+)/access_tokens", access_token),
]
