"""What an answer of GitHub means, and what its silence means.

Source of the rules: GitHub's documentation, "Rate limits for the REST API" and "Troubleshooting the
REST API", and the messages that were recorded from it.
"""

from __future__ import annotations

from collections.abc import Callable

import requests
from urllib3.exceptions import NewConnectionError

from tracking.ci.base import CIBusy, CILost, CIRefused, CIUnavailable, Unexpected
from tracking.ci.github.credentials import Unauthorized

SECONDARY = 60.0  # seconds: GitHub asks for at least a minute, then for longer and longer
LONGEST = 3600.0
LARGEST = 32 * 1024 * 1024  # bytes of one answer


class TryAgain(Exception):
    """No answer, or none of GitHub's own; a read may be repeated."""


class Unsent(TryAgain):
    """Nothing has left this machine."""


class NotThere(CIRefused):
    """There is no such thing, or our token may not see it: GitHub tells these apart to nobody."""


def no_answer(problem: requests.RequestException, unsent: tuple[type[Exception], ...]) -> TryAgain:
    """What a broken connection means: was anything sent?"""
    reason: object = problem.args[0] if problem.args else problem
    cause = getattr(reason, "reason", reason)
    if isinstance(problem, unsent) or isinstance(cause, NewConnectionError):
        return Unsent("GitHub can't be reached")
    if isinstance(problem, requests.Timeout):
        return TryAgain("GitHub did not answer in time")
    return TryAgain("the connection to GitHub was dropped")


def judged(
    response: requests.Response, *, is_write: bool, closed: Callable[[requests.Response], float]
) -> requests.Response:
    """Return the answer if it says yes; `closed` is told of limits and returns the seconds to wait.

    Raises:
        CIBusy: a limit was hit, and nothing was done.
        CILost: a write that may or may not have been done.
        CIRefused: GitHub said no.
        TryAgain: GitHub had a fault of its own while reading.
        Unauthorized: it is about our token.
    """
    status = response.status_code
    if 200 <= status < 300:
        return response
    said = _message(response)
    if status == 429 or (status == 403 and _is_a_limit(response, said)):
        raise CIBusy(f"GitHub's limit was hit ({said})", retry_after=closed(response))
    if status == 401:
        raise Unauthorized(f"GitHub does not take the token ({said}): it has expired or was revoked.")
    if status >= 500:
        if is_write:
            raise CILost(f"GitHub answered {status} ({said}).")
        raise TryAgain(f"GitHub answered {status} ({said})")
    if status in (404, 410):
        raise NotThere(f"GitHub answered {status} ({said}): it does not exist, or the token may not see it.")
    if status == 403 and not is_write:
        raise CIUnavailable(f"the token may not read this ({said})")
    raise CIRefused(f"GitHub answered {status}: {said}.")


def read_bounded(response: requests.Response) -> None:
    """Read the answer, but not any size of it.

    Raises:
        Unexpected: it is larger than 32 MB.
    """
    pieces, taken = [], 0
    for piece in response.iter_content(64 * 1024):
        taken += len(piece)
        if taken > LARGEST:
            raise Unexpected("GitHub's answer is larger than 32 MB.")
        pieces.append(piece)
    response._content = b"".join(pieces)


def seconds_to_wait(response: requests.Response, now: float, strikes: int) -> float:
    """How long a limit closes the way: as GitHub says, else longer with every strike in a row."""
    said = response.headers.get("Retry-After", "")
    if said.isdigit():
        return max(float(said), 1.0)
    if response.headers.get("x-ratelimit-remaining") == "0":
        reset = response.headers.get("x-ratelimit-reset", "")
        if reset.isdigit():
            return min(max(float(reset) - now, 1.0), LONGEST)
    return float(min(SECONDARY * 2 ** max(strikes - 1, 0), LONGEST))


def _is_a_limit(response: requests.Response, said: str) -> bool:
    headers = response.headers
    if headers.get("Retry-After") or headers.get("x-ratelimit-remaining") == "0":
        return True
    return "rate limit" in said.lower() or "abuse" in said.lower()


def _message(response: requests.Response) -> str:
    try:
        data = response.json()
        text = data.get("message") if isinstance(data, dict) else ""
    except ValueError:
        text = ""
    return " ".join(str(text or response.reason or "no reason given").split())[:300].rstrip(".")
