"""One transport per identity and process: connections are kept, and its limits are known to all."""

from __future__ import annotations

from functools import lru_cache

from tracking.ci.github.budget import Limits, SharedBudget
from tracking.ci.github.client import installation_token
from tracking.ci.github.credentials import AppToken, Credentials, NoToken, PersonalToken
from tracking.ci.github.memory import Memory
from tracking.ci.github.transport import Transport


@lru_cache(maxsize=64)
def transport_to(
    *,
    api_url: str,
    version: str,
    token: str,
    app_id: str,
    app_key: str,
    repository: str,
    redis_url: str,
    limits: Limits,
) -> Transport:
    """Return the transport of a token, else of an App's installation at `repository`, else of nobody."""
    budget, memory = SharedBudget(redis_url, limits), Memory(redis_url)

    def transport(credentials: Credentials) -> Transport:
        return Transport(api_url, version, credentials, budget=budget, memory=memory)

    if token:
        return transport(PersonalToken(token))
    if not (app_id and app_key):
        return transport(NoToken())

    def exchange(signed: str) -> tuple[str, float]:
        return installation_token(transport(PersonalToken(signed)), repository)

    return transport(AppToken(app_id, app_key, place=repository, memory=memory, exchange=exchange))
