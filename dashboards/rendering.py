"""One way to answer with a page: whole, or only its middle for `static/js/refresh.js`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control


def page(
    request: HttpRequest, template: str, context: dict[str, Any], *, refresh: float = 0, status: int = 200
) -> HttpResponse:
    """Render `template`; with ?fragment=1 without the frame around it.

    `refresh` is the number of seconds after which the page asks again; 0 is never.
    """
    layout = "fragment.html" if request.GET.get("fragment") else "base.html"
    response = render(request, template, {**context, "layout": layout, "refresh": refresh}, status=status)
    patch_cache_control(response, private=True, no_cache=True)
    return response
