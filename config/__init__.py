"""Wires: settings, URLs, Celery, the supervisor; imported by nobody but Django."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
