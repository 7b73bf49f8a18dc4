"""A repository at the double of GitHub whose CI nobody here started."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from executions import sync
from executions.sync import Bounds
from tests.factories import make_project
from tests.github_double import Behaviour, Server, World
from tests.github_double.server import TOKEN
from tests.tracking.github.github_run import FAST, NO_REDIS
from tracking.ci.github.budget import ProcessBudget
from tracking.ci.github.client import Client
from tracking.ci.github.credentials import PersonalToken
from tracking.ci.github.history import History
from tracking.ci.github.memory import Memory
from tracking.ci.github.transport import Transport

WORKFLOW = "name: Tests\non: push\njobs: {test: {runs-on: ubuntu-latest, steps: [{run: 'true'}]}}\n"
OLD, NEW = "test (ubuntu-latest, 3.11)", "test (ubuntu-latest, 3.12)"


def junit(*names: str, failed: tuple[str, ...] = ()) -> bytes:
    """A report in which these tests passed, but for the failed ones."""
    cases = "".join(
        f"<testcase classname='tests.test_shop' name='{name}' time='0.1'>"
        + ("<failure message='no'>trace</failure>" if name in failed else "")
        + "</testcase>"
        for name in names
    )
    return f"<testsuite name='pytest'>{cases}</testsuite>".encode()


def zipped(**files: bytes) -> bytes:
    """A zip as GitHub makes one of an artifact; `__` in a name stands for a slash, `_xml` for its ending."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return packed.getvalue()


class Elsewhere:
    """Somebody's CI, on the double's clock."""

    def __init__(self, **server: Any) -> None:
        self.world = World()
        self.repo = self.world.add_repository("acme/shop")
        self.file = self.world.add_file(self.repo, "tests.yml", WORKFLOW)
        self.server = Server(self.world, **server)
        self.project = make_project("shop", repository="acme/shop")
        self.memory = Memory(NO_REDIS)

    @property
    def now(self) -> Any:
        return self.world.now

    def history(self) -> History:
        clock = lambda: self.world.now.timestamp()  # noqa: E731
        transport = Transport(
            self.server.url,
            "2022-11-28",
            PersonalToken(TOKEN),
            budget=ProcessBudget(FAST, clock),
            memory=self.memory,
            clock=clock,
            sleep=self.world.advance,
        )
        return History(Client(transport, "acme/shop"))

    def push(self, *jobs: str, seconds: float = 60, **ways: Any) -> Any:
        """Somebody pushes; so many seconds go by (a run takes 25)."""
        self.world.behaviour = lambda run: Behaviour(jobs=jobs or ("test",), **ways)
        run = self.world.start(self.repo, self.file, "main", {}, event="push")
        self.world.advance(seconds)
        return run

    def sync(self, **bounds: Any) -> sync.Synced:
        """What the scheduler does at a project's turn."""
        return sync.sync_turn(self.project, self.history(), bounds=Bounds(**bounds), now=self.now)

    def called(self, path: str = "") -> list[str]:
        """The paths that were asked for since the last time, without the repository's."""
        found = [call.path.removeprefix("/repos/acme/shop") for call in self.server.calls(path=path)]
        self.server.log.clear()
        return found
