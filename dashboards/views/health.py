"""Whether this process lives, and whether it can do its work; for load balancers and supervisors."""

from __future__ import annotations

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from access.permissions import EVERYBODY, open_to

SECONDS = 1.0  # a prober that waits longer counts it as down anyway


@open_to(EVERYBODY)
def alive(request: HttpRequest) -> HttpResponse:
    """Answer; nothing is asked of anybody else."""
    return HttpResponse("ok\n", content_type="text/plain")


@open_to(EVERYBODY)
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 if the database and the broker answer, else 503 with which of them does not."""
    parts = {"database": _database(), "broker": _broker()}
    is_ready = all(word == "ok" for word in parts.values())
    return JsonResponse({"ready": is_ready, **parts}, status=200 if is_ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as problem:
        return f"no answer ({type(problem).__name__})"
    return "ok"


def _broker() -> str:
    try:
        client = redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
        with client:
            client.ping()
    except (redis.RedisError, OSError) as problem:
        return f"no answer ({type(problem).__name__})"
    return "ok"
