"""Sends what a session recorded, and what earlier ones could not, within a limit of time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtrail.api import Refused, Server, TryAgain, query_of
from runtrail.destination import Destination
from runtrail.spool import Spool

STEP = 5.0  # seconds for each step of a connection


@dataclass
class Delivery:
    """How far it came; read by the session while the sending may still go on."""

    answer: dict[str, Any] | None = None
    problem: str = ""
    refused: Path | None = None
    earlier: int = 0
    is_over: bool = False


def deliver(spool: Spool, destination: Destination, report: Path, *, within: float) -> Delivery:
    """Send `report` and then those that wait for the same address, the oldest first.

    It takes `within` seconds at most: whatever a network, a proxy or a server does, the session goes
    on, and what has not arrived by then waits for the next one.
    """
    delivery = Delivery()
    deadline = time.monotonic() + within
    sending = threading.Thread(
        target=_send_all, args=(delivery, spool, destination, report, deadline), name="runtrail", daemon=True
    )
    sending.start()
    sending.join(within)
    if not delivery.is_over and delivery.answer is None and not delivery.problem:
        delivery.problem = f"no answer within {within:g} s"
    return delivery


def _send_all(
    delivery: Delivery, spool: Spool, destination: Destination, report: Path, deadline: float
) -> None:
    try:
        server = Server(destination, timeout=STEP, deadline=deadline)
        delivery.answer = send_one(server, spool, report, delivery)
        for path in spool.waiting(destination.address):
            if delivery.answer is None or time.monotonic() > deadline:
                break
            delivery.earlier += send_one(server, spool, path) is not None
    except TryAgain as problem:
        delivery.problem = delivery.problem or str(problem)
    except Refused as problem:
        delivery.problem = str(problem)
    except Exception as problem:  # a thread's exception would become the session's warning
        delivery.problem = f"{type(problem).__name__}: {problem}"
    finally:
        delivery.is_over = True


def send_one(
    server: Server, spool: Spool, path: Path, delivery: Delivery | None = None
) -> dict[str, Any] | None:
    """Send one report and remove it; put it aside where the server refuses it.  Raises TryAgain."""
    try:
        answer = server.send(path, query_of(path))
    except Refused as problem:
        place = spool.refuse(path, str(problem))
        if delivery is not None:
            delivery.problem, delivery.refused = str(problem), place
        return None
    except FileNotFoundError:  # another session was faster
        return None
    spool.forget(path)
    return answer
