"""Which hosts a project calls its own: no load is ever put on another one.

Names are compared, never the addresses behind them: whoever names a host answers for where it leads.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from access.models import Project
from performance.models import TargetHost
from performance.specified import FaultySpec
from tracking.plan import NotRunnable

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?\Z")


class NotAllowed(NotRunnable):
    """The project has not named that host as its own; the message says how it would."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a load goes; an IPv6 `host` stands in brackets."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def read_target(target: str) -> Address:
    """Return where `target` (a URL) leads.

    Raises:
        FaultySpec: it is no plain http(s) address: nothing that two programs could read in two ways.
    """
    faults: list[str] = []
    try:
        parts = urlsplit(target)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as problem:
        raise FaultySpec([f"target: {problem}."]) from None
    if parts.scheme not in ("http", "https"):
        faults.append("target: must begin with http:// or https://.")
    if re.search(r"[\s\\\x00-\x1f\x7f]", target) or not target.isascii():
        faults.append("target: must be plain ASCII without blanks; write the punycode form of a name.")
    if "@" in parts.netloc:
        faults.append("target: must hold no user and password; `auth` and the workload's secrets have them.")
    if parts.query or parts.fragment or "?" in target or "#" in target:
        faults.append("target: must end with the path; queries belong to the requests.")
    shown = _shown(host, parts.netloc)
    if not shown:
        faults.append(f"target: {host!r} is no name or address of a host.")
    if port == 0:
        faults.append("target: there is no port 0.")
    if faults:
        raise FaultySpec(faults)
    return Address(parts.scheme, shown, port or (443 if parts.scheme == "https" else 80))


def own_hosts(project: Project) -> list[str]:
    """The hosts that the project calls its own, some with :port."""
    return list(TargetHost.objects.filter(project=project).values_list("host", flat=True))


def demand_own_host(project: Project, target: str) -> Address:
    """Return where `target` leads, if the project has named that host as its own.

    Raises:
        FaultySpec: it is no address.
        NotAllowed: it is somebody else's, as far as the project says.
    """
    address = read_target(target)
    for named in TargetHost.objects.filter(project=project):
        if named.allows(address.host, address.port):
            return address
    names = ", ".join(own_hosts(project)[:20])
    raise NotAllowed(
        f"{project} has not named {address} as a host of its own, so no load is put on it. "
        f"Its own: {names or 'none yet'}. An administrator adds one with "
        f"`workload allow {address} --project {project}` or in the admin under target hosts."
    )


def _shown(host: str, netloc: str) -> str:
    """The one way to write a host; empty where it is none."""
    if "[" in netloc:
        try:
            address = ipaddress.IPv6Address(host)
        except ValueError:
            return ""
        # A zone belongs to one machine and is no part of a name.
        return "" if address.scope_id else f"[{address.compressed}]"
    return host if _NAME.match(host) and ".." not in host else ""
