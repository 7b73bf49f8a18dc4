"""Who we are to GitHub: a token, or an App that gets a new token every hour.

Tokens are of any length and shape (since April 2026 an App's token has some 520 characters).  They are
never logged; the identity that stands for one in keys and counters is a hash of it.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import jwt
from cryptography.fernet import Fernet, InvalidToken

from tracking.ci.base import CIUnavailable
from tracking.ci.github.memory import Memory

AHEAD = 300.0  # seconds before its end in which a token is renewed
JWT_LIFE, JWT_BACK = 540, 60  # seconds; GitHub takes at most ten minutes, and clocks differ


class Unauthorized(CIUnavailable):
    """GitHub does not take our token (any more); the message says what to do."""


class Credentials(Protocol):
    """Gives the token of the moment."""

    identity: str  # stands for it in keys and counters; tells nothing

    def token(self, offset: float = 0.0) -> str:
        """Return a token; `offset` is GitHub's clock minus ours, in seconds."""

    def renew(self, refused: str, offset: float = 0.0) -> bool:
        """GitHub refused this token: get another one; False where there is none to get."""


class NoToken:
    """Nothing is set: public repositories can be read, slowly, and nothing can be sent."""

    identity = "anonymous"

    def token(self, offset: float = 0.0) -> str:
        return ""

    def renew(self, refused: str, offset: float = 0.0) -> bool:
        return False


class PersonalToken:
    """A classic or fine-grained token, as somebody made it."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.identity = hashlib.sha256(token.encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"PersonalToken({self.identity})"

    def token(self, offset: float = 0.0) -> str:
        return self._token

    def renew(self, refused: str, offset: float = 0.0) -> bool:
        return False


class AppToken:
    """The hourly token of a GitHub App's installation, fetched once for all workers.

    `exchange(jwt)` asks GitHub and returns (token, its end as seconds since 1970).  Between workers the
    token lies encrypted under the App's own key, so the cache alone is worth nothing.
    """

    def __init__(
        self,
        app_id: str,
        key: str,
        *,
        place: str,
        memory: Memory,
        exchange: Callable[[str], tuple[str, float]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.app_id, self._key, self.memory, self.exchange, self.clock = app_id, key, memory, exchange, clock
        self.identity = hashlib.sha256(f"{app_id}:{place}".encode()).hexdigest()[:16]
        self._cipher = Fernet(_fernet_key(key))
        self._held: tuple[str, float] = ("", 0.0)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"AppToken({self.app_id})"

    def token(self, offset: float = 0.0) -> str:
        token, until = self._held
        if until - AHEAD > self.clock() + offset:
            return token
        return self._fetch(offset, but="")

    def renew(self, refused: str, offset: float = 0.0) -> bool:
        return self._fetch(offset, but=refused) != refused

    def signed(self, offset: float = 0.0) -> str:
        """Return the JWT by which the App shows who it is, on GitHub's clock."""
        now = int(self.clock() + offset)
        claims = {"iat": now - JWT_BACK, "exp": now + JWT_LIFE, "iss": self.app_id}
        try:
            return jwt.encode(claims, self._key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise Unauthorized(
                "GITHUB_APP_KEY is no private key in PEM form: download a new one at the App's page."
            ) from None

    def _fetch(self, offset: float, *, but: str) -> str:
        """The token that the workers share, or a new one; one worker fetches, the others wait for it."""
        with self._lock, self.memory.alone(f"token:{self.identity}"):
            token, until = self._shared()
            if not token or token == but or until - AHEAD <= self.clock() + offset:
                token, until = self.exchange(self.signed(offset))
                sealed = self._cipher.encrypt(json.dumps([token, until]).encode())
                self.memory.put(f"token:{self.identity}", sealed, max(until - self.clock() - offset, 1))
            self._held = (token, until)
            return token

    def _shared(self) -> tuple[str, float]:
        sealed = self.memory.get(f"token:{self.identity}")
        if not sealed:
            return "", 0.0
        try:
            token, until = json.loads(self._cipher.decrypt(sealed))
            return str(token), float(until)
        except (InvalidToken, ValueError):
            return "", 0.0


def end_of(text: str) -> float:
    """Read `expires_at` as seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def _fernet_key(secret: str) -> bytes:
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(hashlib.sha256(f"runtrail:{secret}".encode()).digest())
