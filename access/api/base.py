"""The viewsets of the API: each names the project of the request and the role that an action needs."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from access.api.queries import demand_known
from access.models import ApiToken, Project, Role
from access.permissions import role_in

READING = frozenset({"list", "retrieve", "metadata"})


class ByRole(BasePermission):
    """Whoever asks has, in the project of the request, the role that the action names."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user or not request.user.is_authenticated:
            raise NotAuthenticated
        if view.action is None:  # a method that the route does not have: 405 comes next
            return True
        needed = view.role_of(view.action)
        own = own_role(request, view.project)
        if own is None or not own.includes(needed):
            raise PermissionDenied(f"You are {own or 'nobody'} of {view.project}; this needs {needed}.")
        return True


def own_role(request: Request, project: Project) -> Role | None:
    """What whoever asks may do in the project."""
    if isinstance(request.auth, ApiToken):
        return request.auth.role if request.auth.project_id == project.pk else None
    return role_in(request.user, project)


class ProjectViewSet(GenericViewSet[Any]):
    """Everything that lies in a project.

    A subclass says with `roles` what each action needs; what is not named there is reading, for viewers.
    Its queryset is narrowed to the project, so that an object of another one does not exist (404).
    """

    permission_classes = (ByRole,)
    roles: ClassVar[dict[str, Role]] = {}
    project_field = "project"

    @classmethod
    def role_of(cls, action: str) -> Role:
        """The role that an action needs."""
        return cls.roles.get(action, Role.VIEWER if action in READING else Role.ADMINISTRATOR)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action is not None:  # a method that the route does not have: 405 comes next
            demand_known(request, self)

    @property
    def project(self) -> Project:
        """The token's project; for a person `?project=`, else the one chosen in the browser."""
        if isinstance(self.request.auth, ApiToken):
            own: Project = self.request.auth.project
            if self.request.query_params.get("project", own.slug) != own.slug:
                raise Http404("The token belongs to another project.")
            return own
        named = self.request.query_params.get("project")
        chosen: Project | None = getattr(self.request._request, "project", None)
        if chosen is None or (named and chosen.slug != named):
            raise Http404("There is no such project, or you are no member of it.")
        return chosen

    @property
    def actor(self) -> str:
        """Who asks, in words."""
        return str(self.request.user)

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):  # the description of the API is made without a request
            return super().get_queryset().none()
        return super().get_queryset().filter(**{self.project_field: self.project})
