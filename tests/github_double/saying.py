"""What an answer is made of, and what is not there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.github_double.nouns import Repository

if TYPE_CHECKING:
    from tests.github_double.server import Server


class Drop(Exception):
    """The connection is closed without an answer."""


@dataclass
class Said:
    status: int
    data: Any
    headers: dict[str, str] = field(default_factory=dict)


def repo_of(server: Server, name: str) -> Repository | None:
    return next((one for one in server.world.repos if one.full_name == name), None)


def nothing() -> Said:
    return Said(404, {"message": "Not Found"})
