"""GitHub's endpoints that Runtrail uses, each as one method; see GitHub's API description for the paths."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tracking.ci.base import CILost, CIRefused, CIUnavailable, RemoteJob, Unexpected
from tracking.ci.github.answers import NotThere
from tracking.ci.github.credentials import Unauthorized, end_of
from tracking.ci.github.records import RunRecord, artifact_record, job_record, run_record
from tracking.ci.github.transport import Transport
from tracking.ci.past import Artifact


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, known by its number for ever and by its name for now."""

    id: int
    full_name: str
    default_branch: str
    may_write: bool | None  # None where GitHub does not say


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow file that GitHub knows; `state` is active, disabled_manually, …"""

    id: int
    name: str
    path: str
    state: str


class Client:
    """One repository through one identity."""

    def __init__(self, transport: Transport, repository: str) -> None:
        self.transport, self.name = transport, repository

    @property
    def base(self) -> str:
        return f"/repos/{quote(self.name, safe='/')}"

    def repository(self) -> Repository:
        """Raises NotThere where it does not exist or can't be seen; follows a new name."""
        data = self._object(self.transport.get(self.base, keep=True).data, "a repository")
        rights = data.get("permissions")
        found = Repository(
            id=self._number(data, "id"),
            full_name=str(data.get("full_name") or self.name),
            default_branch=str(data.get("default_branch") or "main"),
            may_write=bool(rights.get("push")) if isinstance(rights, dict) else None,
        )
        self.name = found.full_name
        return found

    def has_ref(self, ref: str) -> bool:
        """Whether there is a branch or tag of this name (two calls at most)."""
        for kind in ("heads", "tags"):
            try:
                self.transport.get(f"{self.base}/git/ref/{kind}/{quote(ref, safe='/')}")
            except NotThere:
                continue
            return True
        return False

    def workflow(self, file: str) -> Workflow:
        """Raises NotThere where the default branch has no such file."""
        name = quote(file.rsplit("/", 1)[-1], safe="")
        data = self._object(self.transport.get(f"{self.base}/actions/workflows/{name}").data, "a workflow")
        return Workflow(
            self._number(data, "id"), str(data.get("name")), str(data.get("path")), str(data.get("state"))
        )

    def file(self, path: str, ref: str) -> bytes:
        """Return a file's content at a ref."""
        where = f"{self.base}/contents/{quote(path, safe='/')}"
        data = self._object(self.transport.get(where, {"ref": ref}).data, "a file")
        try:
            return base64.b64decode(str(data.get("content") or ""))
        except binascii.Error:
            raise Unexpected("GitHub sent a file that is no base64.") from None

    def dispatch(
        self, workflow: int | str, ref: str, inputs: dict[str, str], *, ask_for_id: bool
    ) -> dict[str, Any]:
        """Start a workflow; return what GitHub says of the run, which may be nothing."""
        body: dict[str, Any] = {"ref": ref, "inputs": inputs}
        if ask_for_id:
            body["return_run_details"] = True
        answer = self.transport.write("POST", f"{self.base}/actions/workflows/{workflow}/dispatches", body)
        return answer.data if isinstance(answer.data, dict) else {}

    def runs(self, *, keep: bool = False) -> Iterator[list[RunRecord]]:
        """Yield all runs of the repository, newest first, a page at a time.

        Without any filter on purpose: filtered lists come from a search index that may be days old.
        With `keep` an unchanged first page costs nothing of GitHub's hour.
        """
        for page in self.transport.pages(f"{self.base}/actions/runs", {}, "workflow_runs", keep=keep):
            yield [run_record(one) for one in page]

    def run(self, number: int) -> RunRecord:
        """Raises NotThere where it was deleted or can't be seen."""
        return run_record(self.transport.get(f"{self.base}/actions/runs/{number}", keep=True).data)

    def attempt(self, number: int, attempt: int) -> RunRecord:
        """One attempt of a run."""
        return run_record(self.transport.get(f"{self.base}/actions/runs/{number}/attempts/{attempt}").data)

    def jobs(self, number: int, attempt: int) -> list[RemoteJob]:
        """All jobs of one attempt; a partial re-run lists those that it took over as well."""
        path = f"{self.base}/actions/runs/{number}/attempts/{attempt}/jobs"
        return [job_record(one) for page in self.transport.pages(path, {}, "jobs") for one in page]

    def all_jobs(self, number: int) -> list[RemoteJob]:
        """The jobs of all attempts of a run."""
        path = f"{self.base}/actions/runs/{number}/jobs"
        pages = self.transport.pages(path, {"filter": "all"}, "jobs", keep=True)
        return [job_record(one) for page in pages for one in page]

    def artifacts(self, number: int) -> list[Artifact]:
        """What a run has left so far."""
        path = f"{self.base}/actions/runs/{number}/artifacts"
        pages = self.transport.pages(path, {}, "artifacts")
        return [artifact_record(one) for page in pages for one in page]

    def artifact(self, number: int, *, most: int) -> Iterator[bytes]:
        """The bytes of an artifact, as a zip."""
        return self.transport.download(f"{self.base}/actions/artifacts/{number}/zip", most=most)

    def cancel(self, number: int, *, force: bool = False) -> None:
        """Ask for the end of a run.  Asked twice it ends once, so after a lost answer one tries again."""
        how = "force-cancel" if force else "cancel"
        try:
            self.transport.write("POST", f"{self.base}/actions/runs/{number}/{how}")
        except CILost as loss:
            raise CIUnavailable(str(loss)) from None

    def calls_left(self) -> int | None:
        """How many calls GitHub's hour has left for us; None where it does not say.  Costs none."""
        data = self.transport.get("/rate_limit").data
        core = ((data or {}).get("resources") or {}).get("core") or {}
        left = core.get("remaining")
        return left if isinstance(left, int) else None

    @staticmethod
    def _object(data: Any, what: str) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise Unexpected(f"GitHub sent no object for {what}.")
        return data

    @staticmethod
    def _number(data: dict[str, Any], key: str) -> int:
        value = data.get(key)
        if not isinstance(value, int):
            raise Unexpected(f"GitHub sent no number as {key}.")
        return value


def installation_token(transport: Transport, repository: str) -> tuple[str, float]:
    """Exchange an App's JWT (the transport's credentials) for a token of its installation here.

    Raises:
        CIUnavailable: there is none to have just now; what it was wanted for was not sent.
    """
    found = transport.get(f"/repos/{quote(repository, safe='/')}/installation").data
    number = Client._number(Client._object(found, "an installation"), "id")
    try:
        answer = transport.write("POST", f"/app/installations/{number}/access_tokens", {})
    except CILost as loss:  # a token too many does no harm
        raise CIUnavailable(f"the App could get no token: {loss}") from None
    except CIRefused as refusal:
        raise Unauthorized(f"the App gets no token for {repository}: {refusal}") from None
    data = Client._object(answer.data, "a token")
    return str(data.get("token") or ""), end_of(str(data.get("expires_at")))
