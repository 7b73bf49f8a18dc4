"""Doors from Celery about people."""

from __future__ import annotations

from celery import shared_task
from django.core.management import call_command


@shared_task
def forget_sessions() -> None:
    """Delete sessions that have ended: each login leaves one, and Django leaves that to its operator."""
    call_command("clearsessions")
