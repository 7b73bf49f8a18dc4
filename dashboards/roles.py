"""The table of who may come in, made from the routes themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from access.models import Role
from access.permissions import EVERYBODY, SIGNED_IN

ADMIN = "admin/"  # Django's own screens ask for staff by themselves
API = "api/v1/"  # has a role for each method

HEADER = """\
# Who may open what

Made from the routes by `python -m tests.roles_table > docs/roles.md`; a test compares the two.
Each role includes the ones before it: viewer, reporter, maintainer, administrator. To somebody who is
no member of a project, nothing in it exists (404); a member with too small a role is refused (403).
Who is not signed in is led to `/login/` and back. The screens under `/admin/` are for staff.

| path | name | who |
| --- | --- | --- |
"""
API_HEADER = """
## The API

A token's scope counts as a role: `read` viewer, `report` reporter, `admin` administrator, in the token's
project only. Without a token or a session the answer is 401, with too small a role 403, and for an object
of another project 404.

| method | path | who |
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


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path of the API, and the role that it needs."""

    method: str
    path: str
    name: str
    action: str
    role: Role


def endpoints() -> list[Endpoint]:
    """Return every method of every path of the API."""
    found = []
    for path, pattern in _patterns(get_resolver().url_patterns, ""):
        if not path.startswith(API):
            continue
        view: Any = pattern.callback
        for method, action in view.actions.items():
            if method != "head" and method in view.cls.http_method_names:
                role = view.cls.role_of(action)
                found.append(Endpoint(method.upper(), _plain(path), pattern.name or "", action, role))
    return found


def table() -> str:
    """Return docs/roles.md."""
    pages = (f"| `/{route.path}` | {route.name} | {_who(route.rule)} |\n" for route in routes())
    methods = (f"| {one.method} | `/{one.path}` | {one.role.value} |\n" for one in endpoints())
    return HEADER + "".join(pages) + API_HEADER + "".join(methods)


def _walk(patterns: list[Any], prefix: str) -> Iterator[Route]:
    for path, pattern in _patterns(patterns, prefix):
        if not path.startswith(API):
            yield Route(path, pattern.name or "", getattr(pattern.callback, "rule", None))


def _patterns(patterns: list[Any], prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if path.startswith(ADMIN):
            continue
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield path, pattern


def _plain(path: str) -> str:
    """A path as people write it: `^test-runs/(?P<pk>[^/]+)/$` is `test-runs/{pk}/`."""
    return re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", path).replace("^", "").replace("$", "")


def _who(rule: Any) -> str:
    if rule in (SIGNED_IN, EVERYBODY):
        return str(rule)
    return f"{Role(rule).value} of the project" if rule in set(Role) else "**no rule**"
