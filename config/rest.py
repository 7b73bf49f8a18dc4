"""How Django REST framework and the description of the API are set up."""

from __future__ import annotations

from typing import Any


def framework(*, per_minute: int) -> dict[str, Any]:
    """Return REST_FRAMEWORK; `per_minute` is how often one token or person may ask."""
    return {
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "access.api.authentication.BearerAuthentication",
            "rest_framework.authentication.SessionAuthentication",
        ],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["access.api.parsing.CarefulJSONParser"],
        "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
        "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
        "DEFAULT_THROTTLE_CLASSES": ["access.api.throttling.ByToken"],
        "DEFAULT_THROTTLE_RATES": {"token": f"{per_minute}/min"},
        "EXCEPTION_HANDLER": "config.api.handle",
        "NON_FIELD_ERRORS_KEY": "nonFieldErrors",
        "URL_FORMAT_OVERRIDE": None,  # `format` is a report's own
    }


DESCRIPTION: dict[str, Any] = {
    "TITLE": "Runtrail",
    "DESCRIPTION": "Test runs, what became of each test, and where the time went.",
    "VERSION": "1",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
}
