"""Where reports go."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Destination:
    """A server, and the token of a project there."""

    url: str = ""
    token: str = field(default="", repr=False)

    @property
    def is_complete(self) -> bool:
        return bool(self.url and self.token)

    @property
    def address(self) -> str:
        """A name for the two that tells neither; without a server, `unaddressed`."""
        if not self.url:
            return "unaddressed"
        import hashlib  # here, because it is slow to import and not every session sends

        return hashlib.sha256(f"{self.url.rstrip('/')}\n{self.token}".encode()).hexdigest()[:16]
