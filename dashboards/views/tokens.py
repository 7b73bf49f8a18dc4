"""Tokens of the project: make one, see when each was last used, close one forever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.cache import patch_cache_control

from access.models import ApiToken, Role, User
from access.permissions import requires
from access.tokens import new_token, revoke
from dashboards.finders import InProject, find_project, find_token
from dashboards.forms import TokenForm
from dashboards.rendering import page
from dashboards.views.actions import action


@requires(Role.ADMINISTRATOR, find=find_project)
def tokens(request: HttpRequest, found: InProject) -> HttpResponse:
    """List the tokens of a project; on POST make one and show it, this once."""
    form = TokenForm(request.POST or None)
    made, text = None, ""
    if request.method == "POST" and form.is_valid():
        days = form.cleaned_data["days"]
        try:
            made, text = new_token(
                found.project,
                form.cleaned_data["name"],
                form.cleaned_data["scope"],
                by=cast(User, request.user),
                expires_at=timezone.now() + timedelta(days=days) if days else None,
            )
            form = TokenForm()
        except ValueError as problem:
            form.add_error("name", str(problem))
    context: dict[str, Any] = {
        "project": found.project,
        "tokens": ApiToken.objects.filter(project=found.project).select_related("created_by").order_by("-pk"),
        "form": form,
        "made": made,
        "text": text,
        "now": timezone.now(),
    }
    answer = page(request, "tokens.html", context, status=400 if form.errors else 200)
    if made is not None:
        patch_cache_control(answer, no_store=True)
    return answer


@requires(Role.ADMINISTRATOR, find=find_token)
@action(back="/settings/")
def revoke_token(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """Close the door for a token."""
    if revoke(token, by=cast(User, request.user), now=timezone.now()):
        messages.success(request, f"{token.name} opens nothing any more.")
    return redirect("tokens", slug=token.project.slug)
