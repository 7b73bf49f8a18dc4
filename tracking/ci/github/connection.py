"""One transport for each identity and thread; the budget is one for all threads of a process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from tracking.ci.github.budget import Limits, SharedBudget
from tracking.ci.github.client import installation_token
from tracking.ci.github.credentials import AppToken, Credentials, NoToken, PersonalToken
from tracking.ci.github.memory import Memory
from tracking.ci.github.transport import Transport


def transport_to(**place: Any) -> Transport:
    """Return this thread's transport, as `_identity` describes it.

    A transport has one session, and counts its calls for whoever uses it just now: two threads of a web
    server would close each other's connections and count calls for the wrong run.
    """
    return _own(threading.get_ident(), _identity(**place))


@lru_cache(maxsize=256)
def _own(thread: int, make: Callable[[], Transport]) -> Transport:
    return make()


@lru_cache(maxsize=64)
def _identity(
    *,
    api_url: str,
    version: str,
    token: str,
    app_id: str,
    app_key: str,
    repository: str,
    redis_url: str,
    limits: Limits,
) -> Callable[[], Transport]:
    """Return what makes transports: by a token, else as an App installed at `repository`, else as nobody."""
    budget, memory = SharedBudget(redis_url, limits), Memory(redis_url)

    def transport(credentials: Credentials) -> Transport:
        return Transport(api_url, version, credentials, budget=budget, memory=memory)

    def exchange(signed: str) -> tuple[str, float]:
        return installation_token(transport(PersonalToken(signed)), repository)

    if token:
        return partial(transport, PersonalToken(token))
    if not (app_id and app_key):
        return partial(transport, NoToken())
    app = AppToken(app_id, app_key, place=repository, memory=memory, exchange=exchange)
    return partial(transport, app)
