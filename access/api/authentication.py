"""Programs come with a bearer token, people with the session of their browser."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from access.models import ApiToken
from access.tokens import token_of


class Program:
    """Who a token stands for; `str()` is what logs, audit and `triggeredBy` say."""

    is_authenticated = True
    is_active = True
    is_anonymous = is_staff = is_superuser = False

    def __init__(self, token: ApiToken) -> None:
        self.token = token
        self.pk = f"token-{token.pk}"

    def __str__(self) -> str:
        return f"token {self.token.name}"


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer TOKEN`; the token's project is the project of the request."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = token_of(text.strip(), now=timezone.now())
        if token is None:
            raise AuthenticationFailed("This token is unknown, revoked or has expired. Make another one.")
        return Program(token), token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Runtrail"'
