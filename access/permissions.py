"""One table of who may come in: every view carries its rule, and a view without one fails the test.

`requires(Role.REPORTER, find=find_run)` loads the object that the URL names, asks what the user
may do in the object's project, and hands the object to the view.  To a stranger an object of
another project does not exist (404); to a member with too small a role it is refused (403).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from access.models import Membership, Project, Role, User

SIGNED_IN = "signed in"  # anybody with a session
EVERYBODY = "everybody"  # no session needed


def role_in(user: Any, project: Project) -> Role | None:
    """Return what `user` may do in `project`, or None for a stranger."""
    if not isinstance(user, User) or not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMINISTRATOR
    role = Membership.objects.role_of(user, project)
    return Role(role) if role else None


def may(user: Any, project: Project, role: Role) -> bool:
    """Whether `user` may do in `project` what `role` may."""
    own = role_in(user, project)
    return own is not None and own.includes(role)


def demand(user: Any, project: Project, role: Role) -> None:
    """Let a user with `role` in `project` pass; raise Http404 for strangers, PermissionDenied for others."""
    own = role_in(user, project)
    if own is None:
        raise Http404("There is nothing here.")
    if not own.includes(role):
        raise PermissionDenied(f"You are {own} of {project}; this needs {role}.")


def requires(role: Role, find: Callable[..., Any] | None = None) -> Callable[[Any], Any]:
    """Guard a view with `role` in the project of what `find(**url_kwargs)` returns.

    Without `find` the project is the one the user has chosen (`request.project`).
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if find is None:
                project = request.project  # type: ignore[attr-defined]
                if project is None:
                    return no_project(request)
                demand(request.user, project, role)
                return view(request, **kwargs)
            found = find(**kwargs)
            demand(request.user, found.project, role)
            return view(request, found)

        guarded.rule = role  # type: ignore[attr-defined]
        return guarded

    return decorate


def open_to(rule: str) -> Callable[[Any], Any]:
    """Mark a view as open to everybody, or to everybody who is signed in."""

    def decorate(view: Any) -> Any:
        view.rule = rule
        if rule == EVERYBODY:
            view.login_required = False
        return view

    return decorate


def no_project(request: HttpRequest) -> HttpResponse:
    """Tell a user without any project what to do."""
    from django.shortcuts import render

    return render(request, "no_project.html", status=403)
