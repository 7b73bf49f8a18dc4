"""Projects over HTTP."""

from __future__ import annotations

import re
from typing import Any

from rest_framework import mixins, permissions
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from access.api.base import own_role
from access.api.camel import CamelModelSerializer
from access.api.paging import ByNumber
from access.api.queries import demand_known
from access.models import ApiToken, Project, Role
from tracking.environments import give_environments

_REPOSITORY = re.compile(r"(?!\.+/)[\w.-]+/(?!\.+$)[\w.-]+", re.ASCII)


class ProjectSerializer(CamelModelSerializer):
    """A project; its secrets are never shown."""

    class Meta:
        model = Project
        fields = ("slug", "name", "repository", "default_branch", "created_at")
        read_only_fields = ("created_at",)

    def validate_slug(self, slug: str) -> str:
        if self.instance is not None and slug != self.instance.slug:
            raise ValidationError(
                "It can't be changed: archives, addresses and commands name the project by it. "
                "Change `name`, or make a new project."
            )
        return slug

    def validate_repository(self, repository: str) -> str:
        if repository and not _REPOSITORY.fullmatch(repository):
            raise ValidationError("Write it as owner/name, as in acme/shop.")
        return repository


class MayChangeProject(permissions.IsAuthenticated):
    """Members read, administrators change, the installation's administrators make new ones."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        return request.method != "POST" or bool(getattr(request.user, "is_superuser", False))

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        needed = Role.VIEWER if request.method in permissions.SAFE_METHODS else Role.ADMINISTRATOR
        own = own_role(request, obj)
        return own is not None and own.includes(needed)


class ProjectViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    GenericViewSet[Any],
):
    """Projects that whoever asks can see."""

    queryset = Project.objects.all()
    serializer_class = ProjectSerializer
    permission_classes = (MayChangeProject,)
    pagination_class = ByNumber
    lookup_field = "slug"
    http_method_names = ["get", "post", "patch", "head", "options"]

    @classmethod
    def role_of(cls, action: str) -> Role:
        return Role.VIEWER if action in {"list", "retrieve"} else Role.ADMINISTRATOR

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action is not None:
            demand_known(request, self)

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return Project.objects.none()
        if isinstance(self.request.auth, ApiToken):
            return Project.objects.filter(pk=self.request.auth.project_id)
        return Project.objects.visible_to(self.request.user).distinct()

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        give_environments(serializer.save())
