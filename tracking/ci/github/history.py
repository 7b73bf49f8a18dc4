"""Runs at GitHub that nobody here need have started: their jobs, and the files that they left.

Lists are read without a filter and up to the day that was asked for: GitHub's filtered lists come from
an index that may be days old (docs/github.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import IO

from tracking.ci.base import CIRefused, CIUnavailable, RemoteJob, Unexpected
from tracking.ci.github.answers import NotThere, TryAgain
from tracking.ci.github.client import Client
from tracking.ci.github.counting import counted
from tracking.ci.github.records import RunRecord
from tracking.ci.past import Artifact, ArtifactGone, PastRun

MOST_PAGES = 100  # of a hundred runs each
TRIES, PAUSE = 3, 1.0  # of a download; seconds before the second, doubled before the third


class History:
    """What GitHub remembers of one repository."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def runs(self, since: datetime) -> Iterator[PastRun]:
        with counted(self.client.transport):
            for number, page in enumerate(self._pages(), start=1):
                recent = [one for one in page if one.created_at is None or one.created_at >= since]
                yield from (one.as_past() for one in recent)
                if len(recent) < len(page) or number == MOST_PAGES:
                    return

    def run(self, number: int) -> PastRun:
        with counted(self.client.transport):
            try:
                return self.client.run(number).as_past()
            except NotThere:
                raise CIRefused(
                    f"{self.client.name} has no workflow run {number}, or the token may not see it."
                ) from None

    def jobs(self, run: PastRun) -> list[RemoteJob]:
        with counted(self.client.transport):
            return self.client.all_jobs(run.number)

    def artifacts(self, run: PastRun) -> list[Artifact]:
        with counted(self.client.transport):
            return self.client.artifacts(run.number)

    def download(self, artifact: Artifact, into: IO[bytes], *, most: int) -> None:
        with counted(self.client.transport):
            for turn in range(1, TRIES + 1):
                try:
                    self._download(artifact, into, most)
                except NotThere:
                    raise ArtifactGone(artifact.name) from None
                except TryAgain as problem:
                    if turn == TRIES:
                        raise CIUnavailable(
                            f"the file {artifact.name!r} could not be had: {problem}"
                        ) from None
                    self.client.transport.sleep(PAUSE * 2 ** (turn - 1))
                else:
                    return

    def _pages(self) -> Iterator[list[RunRecord]]:
        try:
            yield from self.client.runs(keep=True)
        except NotThere:
            raise CIRefused(
                f"GitHub has no repository {self.client.name}, or the token may not see it."
            ) from None

    def _download(self, artifact: Artifact, into: IO[bytes], most: int) -> None:
        into.seek(0)
        into.truncate()
        digest = hashlib.sha256()
        try:
            for piece in self.client.artifact(artifact.number, most=most):
                digest.update(piece)
                into.write(piece)
        except Unexpected as problem:
            raise CIRefused(str(problem)) from None
        told = artifact.digest.removeprefix("sha256:")
        if told != artifact.digest and told != digest.hexdigest():
            raise TryAgain("what came is not what GitHub has")
        into.seek(0)
