"""What a CI service remembers of runs, also of those that Runtrail did not start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tracking.ci.base import RemoteJob, RemoteRun


@dataclass(frozen=True, slots=True)
class PastRun:
    """One workflow run, by its latest attempt; `remote.jobs` is empty."""

    number: int
    workflow: str  # as people call it
    path: str  # .github/workflows/tests.yml
    event: str
    actor: str
    pull_request: int | None
    remote: RemoteRun

    @property
    def is_over(self) -> bool:
        return self.remote.status == "completed"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a run left at the service; it names its run and never its job.

    `size` is in bytes as it is kept, packed; `digest` is `sha256:…` where the service tells one.
    """

    number: int
    name: str
    size: int
    created_at: datetime | None
    expires_at: datetime | None
    is_expired: bool
    digest: str = ""


class ArtifactGone(Exception):
    """The service has the file no more."""


class CIHistory(Protocol):
    """Each method may raise CIUnavailable or CIRefused; all of them only read."""

    def runs(self, since: datetime) -> Iterator[PastRun]:
        """Yield the runs created since then, the newest first."""

    def run(self, number: int) -> PastRun:
        """Return one run."""

    def jobs(self, run: PastRun) -> list[RemoteJob]:
        """Return the jobs of all attempts of a run, each with its attempt."""

    def artifacts(self, run: PastRun) -> list[Artifact]:
        """Return the files that a run has left so far."""

    def download(self, artifact: Artifact, into: IO[bytes], *, most: int) -> None:
        """Write a file into an empty, seekable stream.

        Raises:
            ArtifactGone: the service has it no more.
            CIRefused: it is larger than `most` bytes.
        """
