"""How a command or a file says something as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any


def json_text(content: Any) -> str:
    """Return `content` as indented JSON; moments are ISO 8601 in UTC, what else has no form there is text.

    >>> print(json_text({"at": datetime(2026, 1, 4, 9, 30, tzinfo=UTC)}))
    {
      "at": "2026-01-04T09:30:00Z"
    }
    """
    return json.dumps(content, indent=2, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return moment.isoformat().replace("+00:00", "Z")
    return str(value)
