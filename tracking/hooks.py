"""The door for messages of GitHub: check the signature on the raw bytes, keep, hand over, answer."""

from __future__ import annotations

import structlog
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from access.models import Project
from access.permissions import EVERYBODY, open_to
from tracking import tasks
from tracking.deliveries import keep_delivery, signer

log = structlog.get_logger(__name__)
LARGEST = 25 * 1024 * 1024  # bytes; GitHub sends no larger ones


@open_to(EVERYBODY)
@csrf_exempt
def github(request: HttpRequest) -> JsonResponse:
    """Take a delivery: 202 kept, 200 known already, 401 not signed by us, 503 no secret is set."""
    if request.method != "POST":
        return _answer(405, "Deliveries are POSTed here by GitHub.")
    secrets = _secrets()
    if not secrets:
        return _answer(503, "No webhook secret is set: set GITHUB_WEBHOOK_SECRET or the project's.")
    if int(request.headers.get("Content-Length") or 0) > LARGEST:
        return _answer(413, "The body is larger than GitHub's limit of 25 MB.")
    body = request.read(LARGEST)
    is_ours, project = signer(body, request.headers.get("X-Hub-Signature-256", ""), secrets)
    guid, event = request.headers.get("X-GitHub-Delivery", ""), request.headers.get("X-GitHub-Event", "")
    if not is_ours:
        log.warning("hook_not_signed", guid=guid[:64])
        return _answer(401, "The signature does not fit: the secrets here and at GitHub differ.")
    if not guid or not event:
        return _answer(400, "X-GitHub-Delivery and X-GitHub-Event are missing.")
    delivery, is_to_do = keep_delivery(guid, event, body, project=project, now=timezone.now())
    if not is_to_do:
        return _answer(200, "Known already.")
    tasks.wake_delivery(delivery.pk)
    return _answer(202, "Kept.")


def _secrets() -> dict[str, Project | None]:
    found: dict[str, Project | None] = {
        str(project.webhook_secret): project
        for project in Project.objects.exclude(webhook_secret=None).exclude(webhook_secret="")
    }
    if settings.GITHUB_WEBHOOK_SECRET:
        found[settings.GITHUB_WEBHOOK_SECRET] = None
    return found


def _answer(status: int, text: str) -> JsonResponse:
    return JsonResponse({"detail": text}, status=status)
