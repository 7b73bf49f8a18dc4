"""Calls cost: how many, for whom, and how long they had to wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db.models import F

from tracking.ci.github.transport import Transport
from tracking.models import CallCount, TestRun


@contextmanager
def counted(transport: Transport, run_pk: UUID | None = None) -> Iterator[None]:
    """Write down what is called inside, for the hour and, where it is known, for a run."""
    try:
        yield
    finally:
        tally, waited = transport.turns.take_tally()
        if tally:
            CallCount.objects.add(transport.credentials.identity, tally, waited, at=transport.server_time())
        if run_pk and tally["calls"]:
            TestRun.objects.filter(pk=run_pk).update(
                api_calls=F("api_calls") + tally["calls"], api_waited=F("api_waited") + waited
            )
