"""How many requests a token, a person or an address may make in a minute."""

from __future__ import annotations

from typing import Any

from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class ByToken(SimpleRateThrottle):
    """Counted for each token or person; without Redis nobody is held back."""

    scope = "token"

    def get_cache_key(self, request: Request, view: Any) -> str:
        asks = getattr(request.user, "pk", None) or self.get_ident(request)
        return f"api:{asks}"

    def allow_request(self, request: Request, view: Any) -> bool:
        try:
            return bool(super().allow_request(request, view))
        except (RedisError, OSError):
            return True
