"""Probes of load balancers and containers are answered before anything else looks at them.

They come by the address of a machine, which no ALLOWED_HOSTS names, and without TLS.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from dashboards.views import health

VIEWS = {"/healthz": health.alive, "/readyz": health.ready}


class ProbesMiddleware:
    """The first of all: nothing else is asked for such a path."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return VIEWS.get(request.path_info, self.get_response)(request)
