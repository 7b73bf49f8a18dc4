"""Artifacts: their list, the signed address of one, and the store that serves it for a minute."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.github_double import shapes
from tests.github_double.nouns import Artifact
from tests.github_double.saying import Drop, Said, nothing, repo_of

if TYPE_CHECKING:
    from tests.github_double.server import Server

GOOD_FOR = timedelta(minutes=1)


def artifacts(server: Server, name: str, number: str, query: dict[str, str], data: Any) -> Said:
    repo, world = repo_of(server, name), server.world
    run = world.runs.get(int(number))
    if run is None or run.repo is not repo:
        return nothing()
    left = sorted((one for one in world.artifacts.values() if one.run is run), key=lambda one: -one.id)
    size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
    cut = left[(page - 1) * size : page * size]
    url = f"{server.url}/repos/{name}/actions/runs/{number}/artifacts?per_page={size}&page={page + 1}"
    more = {"Link": f'<{url}>; rel="next"'} if page * size < len(left) else {}
    hidden = world.faults.late_expiry
    listed = [
        shapes.artifact(server.url, one, is_expired=_is_gone(server, one) and not hidden) for one in cut
    ]
    return Said(200, {"total_count": len(left), "artifacts": listed}, more)


def download(server: Server, name: str, number: str, query: Any, data: Any) -> Said:
    found = server.world.artifacts.get(int(number))
    if found is None or found.run.repo is not repo_of(server, name):
        return nothing()
    if _is_gone(server, found):
        return Said(410, {"message": "Artifact has expired"})
    until = (server.world.now + GOOD_FOR).timestamp()
    # Another host than the API's, as GitHub's own store is.
    store = server.url.replace("127.0.0.1", "localhost")
    signed = f"{store}/_store/{found.id}?until={until:.0f}&sig={_signature(found.id, until)}"
    return Said(302, None, {"Location": signed})


def stored(server: Server, number: str, query: dict[str, str], token: str) -> Said:
    """The store knows no tokens, and says so as GitHub's does."""
    found = server.world.artifacts.get(int(number))
    until = float(query.get("until", 0))
    if token:
        return Said(400, {"message": "Authentication information is not given in the correct format."})
    if found is None or query.get("sig") != _signature(int(number), until):
        return Said(403, {"message": "Signature did not match."})
    if server.world.now.timestamp() > until:
        return Said(403, {"message": "Signature not valid in the specified time frame."})
    if server.world.faults.cut_downloads:
        server.world.faults.cut_downloads -= 1
        raise Drop
    found.served += 1
    return Said(200, found.content)


def _is_gone(server: Server, found: Artifact) -> bool:
    return server.world.now >= found.expires_at


def _signature(number: int, until: float) -> str:
    return hashlib.sha256(f"{number} {until:.0f}".encode()).hexdigest()[:16]
