"""HTTP with GitHub: reads may be repeated, writes are sent once, and nobody asks before his turn.

Three outcomes of a write: it was taken, it was refused, or nobody knows (`CILost`).  What GitHub's
answers mean is decided in `answers.py`; endpoints are in `client.py`.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from tracking.ci.base import CILost, CIUnavailable, Unexpected
from tracking.ci.github import answers
from tracking.ci.github.budget import Budget
from tracking.ci.github.credentials import Credentials
from tracking.ci.github.memory import Memory
from tracking.ci.github.turns import Turns

TIMEOUT = (5.0, 30.0)  # seconds to connect, and between two pieces of the answer
TRIES, PAUSE = 3, 0.5  # of a read; seconds before the second, doubled before the third
HOPS = 4
REMEMBERED = 3600.0  # seconds that an answer is kept for its ETag
UNSENT = (requests.ConnectTimeout, requests.exceptions.InvalidURL, requests.exceptions.SSLError)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of GitHub that says yes."""

    status: int
    data: Any
    url: str
    next_url: str = ""


class Transport:
    """One identity at one server.

    `offset` is GitHub's clock minus ours in seconds, as of the last answer.
    """

    def __init__(
        self,
        api_url: str,
        version: str,
        credentials: Credentials,
        *,
        budget: Budget,
        memory: Memory,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.api_url, self.version, self.credentials = api_url.rstrip("/"), version, credentials
        self.memory, self.clock, self.sleep = memory, clock, sleep
        self.session = requests.Session()
        self.session.trust_env = True
        self.offset = 0.0
        self.turns = Turns(budget, credentials.identity, sleep)
        self.is_enterprise = False

    def server_time(self) -> datetime:
        """What GitHub's clock says now, as far as we know."""
        return datetime.fromtimestamp(self.clock() + self.offset, UTC)

    def get(self, path: str, params: dict[str, Any] | None = None, *, keep: bool = False) -> Answer:
        """Read; with `keep` the answer is remembered and only asked for again if it changed.

        Raises:
            CIUnavailable: no answer, or one that may be another one later.
            answers.NotThere: there is no such thing, or we may not see it.
        """
        url = self._url(path, params)
        for turn in range(1, TRIES + 1):
            try:
                return self._read(url, keep=keep)
            except answers.TryAgain as problem:
                if turn == TRIES:
                    raise CIUnavailable(str(problem)) from None
                self.sleep(PAUSE * 2 ** (turn - 1))
        raise AssertionError("the last turn returns or raises")

    def pages(
        self, path: str, params: dict[str, Any], key: str, *, keep: bool = False
    ) -> Iterator[list[Any]]:
        """Yield page after page of a list, following `Link`; with `keep` the first is remembered."""
        answer = self.get(path, {"per_page": 100, **params}, keep=keep)
        while True:
            items = answer.data.get(key) if isinstance(answer.data, dict) else answer.data
            if not isinstance(items, list):
                raise Unexpected(f"GitHub sent no list of {key}.")
            yield items
            if not answer.next_url:
                return
            if urlsplit(answer.next_url).netloc != urlsplit(self.api_url).netloc:
                raise Unexpected("GitHub's next page is on another server.")
            answer = self.get(answer.next_url)

    def write(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """Send once, whatever happens.

        Raises:
            CILost: it was sent, and nobody knows what came of it.
            CIRefused: GitHub said no.
            CIUnavailable: it was surely not taken.
        """
        url = self._url(path)
        # A kept connection that the server has closed meanwhile would look like a lost answer.
        self.session.close()
        response = self._send(method, url, body)
        if response.status_code == 401 and self._renewed(response):
            response = self._send(method, url, body)
        return self._answer(answers.judged(response, is_write=True, closed=self._close), response)

    def download(self, path: str, *, most: int) -> Iterator[bytes]:
        """Yield the bytes of a file that GitHub keeps elsewhere; our token does not go there.

        Raises:
            answers.TryAgain: the connection broke; what came before is worth nothing.
            answers.NotThere: it is kept no more.
        """
        response = self._call("GET", self._url(path), stream=True)
        if response.status_code == 401 and self._renewed(response):
            response = self._call("GET", self._url(path), stream=True)
        with answers.judged(response, is_write=False, closed=self._close) as found:
            taken = 0
            try:
                for piece in found.iter_content(64 * 1024):
                    taken += len(piece)
                    if taken > most:
                        raise Unexpected(f"The file is larger than {most:,} bytes.")
                    yield piece
            except requests.RequestException as problem:
                raise answers.no_answer(problem, ()) from None

    def _read(self, url: str, *, keep: bool) -> Answer:
        name = self._name_of(url)
        kept = self.memory.get(name) if keep else None
        etag, _, rest = (kept or b"").partition(b"\n")
        following, _, remembered = rest.partition(b"\n")
        headers = {"If-None-Match": etag.decode()} if etag else {}
        response = self._call("GET", url, headers=headers)
        if response.status_code == 401 and self._renewed(response):
            response = self._call("GET", url)
        if response.status_code == 304 and kept:
            self.turns.tally["not_modified"] += 1
            return Answer(200, json.loads(remembered), url, following.decode())
        answer = self._answer(answers.judged(response, is_write=False, closed=self._close), response)
        if keep and response.headers.get("ETag"):
            head = f"{response.headers['ETag']}\n{answer.next_url}\n".encode()
            self.memory.put(name, head + response.content, REMEMBERED)
        return answer

    def _send(self, method: str, url: str, body: dict[str, Any] | None) -> requests.Response:
        try:
            return self._call(method, url, body=body)
        except answers.Unsent as problem:
            raise CIUnavailable(str(problem)) from None
        except answers.TryAgain as problem:
            raise CILost(f"{problem}.") from None

    def _call(
        self,
        method: str,
        url: str,
        *,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """One call and the redirects that follow from it; the method never changes on the way."""
        for _ in range(HOPS):
            self.turns.take(is_write=method != "GET")
            # An Enterprise server keeps files beside its API, and they want no token either.
            is_home = url.startswith((f"{self.api_url}/", f"{self.api_url}?"))
            sent = {**self._headers(is_home=is_home), **(headers or {})}
            try:
                response = self.session.request(
                    method, url, json=body, headers=sent, timeout=TIMEOUT, allow_redirects=False, stream=True
                )
                if not stream:
                    answers.read_bounded(response)
            except requests.RequestException as problem:
                raise answers.no_answer(problem, UNSENT) from None
            self._learn(response)
            if response.status_code not in (301, 302, 303, 307, 308) or "Location" not in response.headers:
                return response
            url = urljoin(url, response.headers["Location"])
        raise CIUnavailable("GitHub sent us round in a circle.")

    def _headers(self, *, is_home: bool) -> dict[str, str]:
        common = {"User-Agent": "runtrail", "Accept": "application/vnd.github+json"}
        if not is_home:
            return {"User-Agent": "runtrail"}
        if self.version:
            common["X-GitHub-Api-Version"] = self.version
        token = self.credentials.token(self.offset)
        return {**common, "Authorization": f"Bearer {token}"} if token else common

    def _renewed(self, response: requests.Response) -> bool:
        """Once on a 401, another token may be had: an App's may have ended before its time."""
        refused = str(response.request.headers.get("Authorization", "")).removeprefix("Bearer ")
        return bool(refused) and self.credentials.renew(refused, self.offset)

    def _learn(self, response: requests.Response) -> None:
        if "X-GitHub-Enterprise-Version" in response.headers:
            self.is_enterprise = True
        said = response.headers.get("Date")
        if said:
            try:
                self.offset = parsedate_to_datetime(said).timestamp() - self.clock()
            except (TypeError, ValueError):
                return

    def _close(self, response: requests.Response) -> float:
        return self.turns.close(response, self.clock() + self.offset)

    def _answer(self, response: requests.Response, original: requests.Response) -> Answer:
        self.turns.went_well()
        try:
            data = response.json() if response.content else None
        except ValueError:
            raise Unexpected("GitHub's answer is no JSON.") from None
        return Answer(response.status_code, data, original.url, response.links.get("next", {}).get("url", ""))

    def _url(self, path: str, params: dict[str, Any] | None = None) -> str:
        url = path if path.startswith("http") else f"{self.api_url}{path}"
        prepared = requests.Request("GET", url, params=params).prepare()
        return str(prepared.url)

    def _name_of(self, url: str) -> str:
        # GitHub's ETags depend on the token: with another one every answer counts as new.
        who = hashlib.sha256(self.credentials.token(self.offset).encode()).hexdigest()[:16]
        return f"etag:{who}:{hashlib.sha256(url.encode()).hexdigest()[:32]}"
