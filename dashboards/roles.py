"""The table of who may come in, made from the routes themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from access.models import Role
from access.permissions import EVERYBODY, SIGNED_IN

ADMIN = "admin/"  # Django's own screens ask for staff by themselves

HEADER = """\
# Who may open what

Made from the routes by `python -m tests.roles_table > docs/roles.md`; a test compares the two.
Each role includes the ones before it: viewer, reporter, maintainer, administrator. To somebody who is
no member of a project, nothing in it exists (404); a member with too small a role is refused (403).
Who is not signed in is led to `/login/` and back. The screens under `/admin/` are for staff.

| path | name | who |
| --- | --- | --- |
"""


@dataclass(frozen=True, slots=True)
class Route:
    """A path as the URL map writes it, its name, and the rule of its view (None: it has none)."""

    path: str
    name: str
    rule: Any


def routes() -> list[Route]:
    """Return every route outside the admin."""
    return list(_walk(get_resolver().url_patterns, ""))


def table() -> str:
    """Return docs/roles.md."""
    lines = (f"| `/{route.path}` | {route.name} | {_who(route.rule)} |\n" for route in routes())
    return HEADER + "".join(lines)


def _walk(patterns: list[Any], prefix: str) -> Iterator[Route]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if path.startswith(ADMIN):
            continue
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield Route(path, pattern.name or "", getattr(pattern.callback, "rule", None))


def _who(rule: Any) -> str:
    if rule in (SIGNED_IN, EVERYBODY):
        return str(rule)
    return f"{Role(rule).value} of the project" if rule in set(Role) else "**no rule**"
