"""A generator as a process: started, watched, ended; none outlives who started it."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tracking import job_wrapper

ROOT = Path(__file__).resolve().parent.parent
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "VIRTUAL_ENV")
_SYSTEM = ctypes.CDLL(None)  # loaded before a fork: loading takes locks


class Generator:
    """One generator's process and the folder that it writes into.

    `beside` are programs that run meanwhile, as the sampler of this machine: `python -m MODULE ARGS`.
    """

    def __init__(self, module: str, folder: Path, *, beside: Sequence[Sequence[str]] = ()) -> None:
        self.module, self.folder, self.beside = module, folder, beside
        self.process: subprocess.Popen[bytes] | None = None
        self.others: list[subprocess.Popen[bytes]] = []

    def start(self, plan: dict[str, Any], secrets: dict[str, str]) -> None:
        """Write the plan, readable by its owner only, and start; secrets go through a pipe."""
        # Who was killed right here left one, and two loads must not write into the same files.
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, mode=0o700)
        path = self.folder / "plan.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(plan))
        self.process = self._begin(self.module, str(path), str(self.folder), stdin=subprocess.PIPE)
        assert self.process.stdin is not None  # noqa: S101
        try:
            self.process.stdin.write(json.dumps(secrets).encode())
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it ended already, and its exit code will say how
        self.others = [self._begin(*(self._named(word) for word in words)) for words in self.beside]

    @property
    def exit_code(self) -> int | None:
        """None while it runs, or before it was started."""
        return self.process.poll() if self.process else None

    @property
    def progress(self) -> dict[str, Any]:
        return read_json(self.folder / "progress.json")

    @property
    def end(self) -> dict[str, Any]:
        """What it said at its end; empty where it could not."""
        return read_json(self.folder / "end.json")

    def ask_to_end(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and all that it started, at once."""
        for process in filter(None, [self.process, *self.others]):
            job_wrapper.kill_group(process.pid, signal.SIGKILL)
            process.wait()

    def end_others(self) -> None:
        for process in self.others:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.others:
            try:
                process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                job_wrapper.kill_group(process.pid, signal.SIGKILL)
                process.wait()

    def last_words(self, lines: int = 5) -> str:
        """The end of what it wrote on its standard error."""
        try:
            text = (self.folder / "generator.log").read_text(errors="replace")
        except OSError:
            return ""
        return " ".join(" ".join(text.strip().splitlines()[-lines:]).split())[-500:]

    def _named(self, word: str) -> str:
        pid = self.process.pid if self.process else 0
        return word.replace("{folder}", str(self.folder)).replace("{generator}", str(pid))

    def _begin(
        self, module: str, *arguments: str, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        # The server's own secrets are none of a load's business.
        passed = {name: value for name in PASSED_ON if (value := os.environ.get(name))}
        with (self.folder / "generator.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env={**passed, "PYTHONUNBUFFERED": "1"},
                stdin=stdin,
                stdout=log,
                stderr=log,
                preexec_fn=in_own_session(),
            )


def in_own_session(*, own: bool = True) -> Callable[[], None]:
    """What a child does before its program starts: Ctrl-C passes it by, and the kernel ends it with us."""
    parent = os.getpid()

    def prepare() -> None:
        if own:
            os.setsid()
        if sys.platform == "linux":
            _SYSTEM.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
            if os.getppid() != parent:  # it was gone before the kernel knew
                os._exit(1)

    return prepare


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; empty where there is none."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
