"""Keep a team's own Locust file from other hosts than the project's own.

Python tells a hook of every name that is looked up and every connection that is made, and the hook can't be
taken away again.  It stops mistakes, not somebody who means to; so such files come only from a shell.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from typing import Any


class Guard:
    """Lets only `hosts` be reached, and once closed says in `refused` what was tried."""

    def __init__(self, hosts: list[str]) -> None:
        self.hosts = {_name(host) for host in hosts}
        self.ports = {_name(host): set[int]() for host in hosts}
        for host in hosts:
            if port := _port(host):
                self.ports[_name(host)].add(port)
        self.addresses: set[str] = set()
        self.refused = ""
        self.is_closed = self.is_looking = False

    def close(self) -> None:
        """Let nothing else through from now on."""
        if not self.is_closed:
            self._look_up()
            self.is_closed = True
            sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.is_looking:
            return
        if event == "socket.getaddrinfo":
            self._name_is_looked_up(arguments[0])
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            self._is_connected(str(arguments[1][0]))

    def _name_is_looked_up(self, host: Any) -> None:
        if isinstance(host, bytes):
            host = host.decode("ascii", "replace")
        if host and _name(str(host)) not in self.hosts and str(host) not in self.addresses:
            self._refuse(str(host))

    def _is_connected(self, address: str) -> None:
        if address not in self.addresses:
            self._look_up()
        if address not in self.addresses:
            self._refuse(address)

    def _refuse(self, host: str) -> None:
        self.refused = self.refused or host
        raise PermissionError(f"{host} is no host of the project's own")

    def _look_up(self) -> None:
        self.is_looking = True
        try:
            for host in self.hosts:
                with contextlib.suppress(OSError):
                    self.addresses |= {str(found[4][0]) for found in socket.getaddrinfo(host, None)}
        finally:
            self.is_looking = False


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower() if host.count(":") == 1 else host.lower()


def _port(host: str) -> int:
    last = host.rpartition(":")[2]
    return int(last) if ":" in host and last.isdecimal() and not host.endswith("]") else 0
