"""The forms of the login pages, with a bound on guessing.

Attempts are counted by user name AND address: guessing locks out neither the owner of the name, who is
elsewhere, nor other people at the same address.  Without Redis nobody is held back, as in the API.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError

MOST = 10  # attempts in a row
WINDOW = 15 * 60  # seconds since the first of them


class _Bounded(AuthenticationForm):
    """An attempt is counted before the password is looked at, so that many at once gain nothing."""

    is_refused = False

    def clean(self) -> dict[str, Any]:
        key = _key(self.cleaned_data.get("username", ""), address_of(self.request))
        self.is_refused = _count(key) > MOST
        if self.is_refused:
            raise ValidationError(f"Too many attempts. Wait {WINDOW // 60} minutes, then try again.")
        cleaned = super().clean()
        _forget(key)
        return cleaned


class LoginForm(_Bounded):
    """For people."""


class AdminLoginForm(_Bounded, AdminAuthenticationForm):
    """For staff, at the door of the admin."""


class Login(LoginView):
    """The login page; who tried too often is answered with 429."""

    template_name = "login.html"
    redirect_authenticated_user = True
    authentication_form = LoginForm

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        answer = super().form_invalid(form)
        if isinstance(form, _Bounded) and form.is_refused:
            answer.status_code, answer["Retry-After"] = 429, str(WINDOW)
        return answer


def address_of(request: HttpRequest | None) -> str:
    """Who speaks to us; behind the proxy of RUNTRAIL_HTTPS who spoke to that, as it says last."""
    if request is None:
        return ""
    told = request.headers.get("X-Forwarded-For", "") if settings.SECURE_PROXY_SSL_HEADER else ""
    return told.rpartition(",")[2].strip() or str(request.META.get("REMOTE_ADDR", ""))


def _key(username: str, address: str) -> str:
    return "login:" + hashlib.sha256(f"{username.casefold()}\n{address}".encode()).hexdigest()


def _count(key: str) -> int:
    try:
        cache.add(key, 0, timeout=WINDOW)
        return int(cache.incr(key))
    except (RedisError, OSError, ValueError):  # ValueError: its time was up between the two
        return 0


def _forget(key: str) -> None:
    try:
        cache.delete(key)
    except (RedisError, OSError):
        return
