"""What the description of the API says of its authentication; registered by being imported."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class BearerDescription(OpenApiAuthenticationExtension):
    target_class = "access.api.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of `/settings/` or `create_token`.",
        }
