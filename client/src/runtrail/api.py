"""Speaks to a Runtrail server, with the standard library only.

TLS is verified and proxies are taken from the environment, as urllib does.  A token goes to the
configured host and to no other: a redirect elsewhere is an error.
"""

from __future__ import annotations

import gzip
import http.client
import json
import platform
import shutil
import ssl
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlencode, urljoin, urlsplit

from runtrail import __version__
from runtrail.destination import Destination
from runtrail.report_file import read_header

IN_MEMORY = 8_000_000  # bytes of a packed report; a larger one lies on the disk while it is sent
LONGEST_ANSWER = 20_000_000
REDIRECTS = 4
LATER = {408, 425, 429}  # besides 5xx: the same request may work another time
AGENT = f"runtrail-client/{__version__} (Python {platform.python_version()})"
PACKED = {b"\x1f\x8b": "application/gzip", b"PK": "application/zip"}


class TryAgain(Exception):
    """The server could not be reached, or can't just now; `after` seconds where it said so."""

    def __init__(self, text: str, after: float = 0.0) -> None:
        super().__init__(text)
        self.after = after


class Refused(Exception):
    """The server will not have it; sending it again would change nothing."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Server:
    """One server; `timeout` is for each step of the connection, `deadline` for all (time.monotonic)."""

    def __init__(
        self, destination: Destination, *, timeout: float = 10.0, deadline: float = float("inf")
    ) -> None:
        self.url = destination.url.rstrip("/")
        if urlsplit(self.url).scheme not in ("http", "https") or not urlsplit(self.url).netloc:
            raise Refused(f"RUNTRAIL_URL is no address of a server: {destination.url!r}")
        self._token, self._timeout, self._deadline = destination.token, timeout, deadline
        self._opener = urllib.request.build_opener(_NoRedirect)

    def get(self, path: str, **query: Any) -> Any:
        """Read one answer of the API; `path` may be the address of a next page on the same server."""
        url = path if "://" in path else f"{self.url}/api/v1/{path}"
        return self._answer(_with_query(url, query), None, {})

    def send(self, path: Path, query: dict[str, Any]) -> dict[str, Any]:
        """Send a report; return the server's account of it.  Sent twice it is stored once."""
        with path.open("rb") as file, tempfile.SpooledTemporaryFile(IN_MEMORY) as packed:
            kind = PACKED.get(file.read(2), "")
            file.seek(0)
            headers = {"Content-Type": kind or "application/octet-stream"}
            if kind:
                body: Any = file
                size = path.stat().st_size
            else:
                # Packed first and sent then: the length must be known, because not every server and
                # proxy takes a body of unknown length.
                with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=5, mtime=0) as packing:
                    shutil.copyfileobj(file, packing, 1 << 18)
                size, body = packed.tell(), packed
                headers["Content-Encoding"] = "gzip"
            headers["Content-Length"] = str(size)
            answer = self._answer(_with_query(f"{self.url}/api/v1/reports/", query), body, headers)
        if not isinstance(answer, dict) or "testRunId" not in answer:
            raise TryAgain("what answered is no Runtrail server")
        return answer

    def _answer(self, url: str, body: BinaryIO | None, headers: dict[str, str]) -> Any:
        for _ in range(REDIRECTS):
            self._demand_same_host(url)
            if body is not None:
                body.seek(0)
            try:
                return self._ask(url, body, headers)
            except _Moved as moved:
                url = urljoin(url, str(moved))
        raise Refused(f"{self.url} redirects in circles")

    def _ask(self, url: str, body: BinaryIO | None, headers: dict[str, str]) -> Any:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TryAgain("no time was left")
        request = urllib.request.Request(url, data=body, method="POST" if body is not None else "GET")  # noqa: S310
        for name, value in {"Accept": "application/json", "User-Agent": AGENT, **headers}.items():
            request.add_header(name, value)
        if self._token:
            # Unredirected, so that no proxy and no other host is shown it.
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=min(self._timeout, left)) as answer:
                return json.loads(answer.read(LONGEST_ANSWER))
        except urllib.error.HTTPError as problem:
            with problem:
                raise _meaning(problem) from None
        except json.JSONDecodeError:
            raise TryAgain("what answered is no Runtrail server") from None
        except (OSError, http.client.HTTPException, ssl.SSLError) as problem:
            raise TryAgain(_words(problem)) from None

    def _demand_same_host(self, url: str) -> None:
        there, ours = urlsplit(url), urlsplit(self.url)
        is_upgrade = ours.scheme == "http" and there.scheme == "https" and there.hostname == ours.hostname
        if (there.scheme, there.netloc) != (ours.scheme, ours.netloc) and not is_upgrade:
            raise Refused(f"{self.url} leads to {there.scheme}://{there.netloc}; is RUNTRAIL_URL right?")


class _Moved(Exception):
    pass


def _meaning(problem: urllib.error.HTTPError) -> Exception:
    location = problem.headers.get("Location", "")
    if problem.code in (301, 302, 307, 308) and location:
        return _Moved(location)
    text = f"{problem.code} {problem.reason}{_reason(problem)}"
    if problem.code >= 500 or problem.code in LATER:
        after = problem.headers.get("Retry-After", "")
        return TryAgain(text, float(after) if after.isdecimal() else 0.0)
    return Refused(text, problem.code)


def _reason(problem: urllib.error.HTTPError) -> str:
    """What the server's error says, in one line."""
    try:
        said = json.loads(problem.read(100_000))
    except (ValueError, OSError, http.client.HTTPException):
        return ""
    text = said.get("detail", said) if isinstance(said, dict) else said
    return f": {text if isinstance(text, str) else json.dumps(text)}"[:500]


def _words(problem: BaseException) -> str:
    reason = getattr(problem, "reason", problem)
    return str(getattr(reason, "strerror", None) or reason or type(problem).__name__)[:300]


def _with_query(url: str, query: dict[str, Any]) -> str:
    kept = {key: value for key, value in query.items() if value not in ("", None)}
    return f"{url}{'&' if '?' in url else '?'}{urlencode(kept, doseq=True)}" if kept else url


def query_of(path: Path) -> dict[str, str]:
    """The query for a file of the plugin, from its own header: the same whenever it is sent."""
    header = read_header(path)
    names = {"environment": "environment", "space": "space", "branch": "branch", "commit": "commit"}
    names.update(tree_hash="treeHash", test_run_id="testRunId", shard="shard")
    query = {there: str(header[here]) for here, there in names.items() if header.get(here)}
    return {"format": "runtrail", **query} if header else {}
