"""The door for messages of GitHub: check the signature on the raw bytes, keep, hand over, answer."""

from __future__ import annotations

import structlog
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from access.models import Project
from access.permissions import EVERYBODY, open_to
from tracking import ci, tasks
from tracking.deliveries import addressees, keep_delivery, signers

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
    owners = signers(body, request.headers.get("X-Hub-Signature-256", ""), secrets)
    guid, event = request.headers.get("X-GitHub-Delivery", ""), request.headers.get("X-GitHub-Event", "")
    if not owners:
        log.warning("hook_not_signed", guid=guid[:64])
        return _answer(401, "The signature does not fit: the secrets here and at GitHub differ.")
    if not guid or not event:
        return _answer(400, "X-GitHub-Delivery and X-GitHub-Event are missing.")
    return _kept(guid, event, body, addressees(owners, event, body, ci.message_reader("github")))


def _kept(guid: str, event: str, body: bytes, projects: list[Project | None]) -> JsonResponse:
    now, status = timezone.now(), 200
    for project in projects:
        delivery, is_to_do = keep_delivery(guid, event, body, project=project, now=now)
        if is_to_do:
            tasks.wake_delivery(delivery.pk)
            status = 202
    return _answer(status, "Kept." if status == 202 else "Known already.")


def _secrets() -> list[tuple[str, Project | None]]:
    projects = Project.objects.exclude(webhook_secret=None).exclude(webhook_secret="")
    found: list[tuple[str, Project | None]] = [(str(one.webhook_secret), one) for one in projects]
    if settings.GITHUB_WEBHOOK_SECRET:
        found.append((settings.GITHUB_WEBHOOK_SECRET, None))
    return found


def _answer(status: int, text: str) -> JsonResponse:
    return JsonResponse({"detail": text}, status=status)
