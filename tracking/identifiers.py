"""Public names: made in one place, and taken apart in none but here."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

_PUBLIC_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_TEST_RUN_ID = re.compile(r"(?P<test_type>[a-z0-9][a-z0-9_-]*)_(?P<at>\d{8}_\d{6})_(?P<hex>[0-9a-f]{6})")


def new_test_run_id(test_type: str, at: datetime) -> str:
    """Return a new name `<test_type>_<YYYYMMDD>_<HHMMSS>_<hex6>` for a run that starts `at` (shown in UTC).

    The six random digits tell apart runs of one type in one second; the database has the last word.
    """
    return f"{test_type}_{at.astimezone(UTC):%Y%m%d_%H%M%S}_{secrets.token_hex(3)}"


def local_run_id(at: datetime, number: int) -> str:
    """Return `local-<YYYYMMDD>-<HHMMSS>` (UTC), with `-2`, `-3` … for further runs of that second."""
    return f"local-{at.astimezone(UTC):%Y%m%d-%H%M%S}" + (f"-{number}" if number > 1 else "")


def demand_public_name(text: str) -> None:
    """Refuse a name for a run that could be no part of an address, a file name or a tag.

    Raises:
        ValueError: the message says what a name may have.
    """
    if not _PUBLIC_NAME.fullmatch(text):
        raise ValueError(
            f"{text[:80]!r} can't name a run: 1 to 80 letters, digits, dots, hyphens and underscores, "
            "beginning with a letter or digit."
        )


def parse_test_run_id(text: str) -> tuple[str, datetime]:
    """Return the test type and the start (to the second, UTC) that a test_run_id tells.

    Raises:
        ValueError: it is no test_run_id.
    """
    found = _TEST_RUN_ID.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not a test run id; one looks like performance_20260104_093000_abc123.")
    at = datetime.strptime(found["at"], "%Y%m%d_%H%M%S").replace(tzinfo=UTC)
    return found["test_type"], at


def environment_name(text: str) -> str:
    """Return the one spelling of an environment's name: `aws_ecs` is `aws-ecs`, `production` is `prod`."""
    name = text.strip().lower().replace("_", "-")
    return "prod" if name == "production" else name
