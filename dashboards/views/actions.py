"""What actions have in common: they are sent by a form, and lead back to a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme


def action(back: str) -> Callable[[Any], Any]:
    """Run a view only for POST; whoever opens its address otherwise is led to `back`, seen from it."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def acting(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            # After a login in between the browser arrives here by GET, and must not act by it.
            if request.method != "POST":
                return HttpResponseRedirect(back)
            if any("\0" in text for _, texts in request.POST.lists() for text in texts):
                return HttpResponseBadRequest("A form can't hold a NUL.", content_type="text/plain")
            return view(request, *args, **kwargs)

        return acting

    return decorate


def lead_back(request: HttpRequest, default: str) -> HttpResponse:
    """Redirect to the page that the form names in `next`, if it is ours; else to `default`."""
    target = request.POST.get("next", "")
    if target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        return HttpResponseRedirect(target)
    return redirect(default)
