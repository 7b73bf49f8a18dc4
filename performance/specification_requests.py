"""The requests of a specification and the checks on their answers."""

from __future__ import annotations

import json
import re

from performance import specified as spec
from performance.placeholders import names_in
from performance.reading import Table

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z")
_SECRET = {"authorization", "proxy-authorization", "x-api-key", "api-key", "x-auth-token"}
_FRAMING = {"content-length", "transfer-encoding", "connection", "te", "upgrade", "expect", "trailer"}


def read_requests(table: Table, own_locustfile: bool) -> tuple[spec.Request, ...]:
    found = table.items("requests", most=1000)
    if not found and not own_locustfile and isinstance(table.data.get("requests", []), list):
        table.fault("requests", "must have at least one request")
    made = [
        _request(Table(one, f"requests[{number}]", table.faults), number) for number, one in enumerate(found)
    ]
    names = [one.name for one in made]
    for name in sorted({name for name in names if names.count(name) > 1}):
        table.fault("requests", f"has the name {name!r} more than once")
    return tuple(made)


def _request(table: Table, number: int) -> spec.Request:
    path = table.text("path", "/", most=4000)
    if not path.startswith("/") or re.search(r"[\x00-\x20\x7f#]", path):
        table.fault("path", "must begin with / and have no blanks and no #; the host is that of the target")
    headers = table.texts("headers")
    check_headers(headers, table, "headers")
    body = table.raw("body", "")
    is_json = not isinstance(body, str)
    text = json.dumps(body, ensure_ascii=False) if is_json else body
    if len(text) > 10_000_000:
        table.fault("body", "has more than 10 MB; `data.files` makes large ones")
    method = table.choice("method", "GET", spec.METHODS)
    made = spec.Request(
        name=table.text("name", f"{method} {path}"[:200], most=200) or f"request {number + 1}",
        method=method,
        path=path,
        headers=headers,
        body=text,
        body_is_json=is_json,
        weight=table.number("weight", 1.0, 0.0001, 1_000_000) or 1.0,
        checks=_checks(table.table("checks")),
    )
    table.end()
    return made


def _checks(table: Table | None) -> spec.Checks:
    if table is None:
        return spec.Checks()
    statuses = table.raw("status", [])
    statuses = statuses if isinstance(statuses, list) else [statuses]
    if not all(isinstance(one, int) and not isinstance(one, bool) and 100 <= one <= 599 for one in statuses):
        table.fault("status", "must be a list of numbers from 100 to 599, as in [200, 304]")
        statuses = []
    wanted = table.raw("json", {})
    if not isinstance(wanted, dict):
        table.fault("json", 'must be a table of keys and values, as in { "cart.total" = 3 }')
        wanted = {}
    made = spec.Checks(
        status=tuple(statuses),
        contains=table.text("contains", "", most=10_000),
        json=wanted,
        max_latency=table.number("max_latency", None, 0.000001, 3600),
        max_bytes=table.whole("max_bytes", None, 0, 4_000_000_000),
    )
    table.end()
    return made


def check_headers(headers: dict[str, str], table: Table, key: str) -> None:
    """Tell of headers that can't be sent, or that would lead the request somewhere else."""
    for name, value in headers.items():
        if not _HEADER.match(name):
            table.fault(f"{key}.{name}", "is no name of a header")
        elif name.lower() == "host":
            table.fault(f"{key}.{name}", "can't be set: the load goes to the target, by its own name")
        elif name.lower() in _FRAMING:
            table.fault(f"{key}.{name}", "can't be set: the generator writes it")
        elif name.lower() in _SECRET and value and not names_in(value):
            table.fault(
                f"{key}.{name}",
                "is a secret, and a load is shown to whoever may look: write {{token}} for it and give the "
                "value in `secrets`, or use `auth`",
            )
        elif not value.isprintable() or not value.isascii():
            table.fault(f"{key}.{name}", "must be plain ASCII text in one line")
