"""Reports on this machine: being written, waiting to be sent, refused.

    <spool>/running/<session>.jsonl            locked by its session
    <spool>/waiting/<address>/<session>.jsonl  sent by the next session, oldest first
    <spool>/refused/<session>.jsonl, .reason   the server will not have it

`<address>` is made of the server's address and the token, so that a report never goes to another
project than the one it was made for.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runtrail.report_file import close_orphan

SIZE, COUNT, AGE = 200_000_000, 500, 30 * 24 * 3600  # bytes, files and seconds that are kept
RUNNING_AGE = 7 * 24 * 3600  # seconds after which a file that somebody still holds is no session's any more


def default_folder(environment: Mapping[str, str]) -> Path:
    if environment.get("RUNTRAIL_SPOOL"):
        return Path(environment["RUNTRAIL_SPOOL"]).expanduser().absolute()
    state = environment.get("XDG_STATE_HOME") or str(Path("~/.local/state").expanduser())
    return Path(state) / "runtrail"


class Spool:
    """The reports kept in one folder.  What another process takes away meanwhile is no error."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running, self.refused = folder / "running", folder / "refused"

    def running_file(self, session_id: str) -> Path:
        self._make(self.running)
        return self.running / f"{session_id}.jsonl"

    def keep(self, path: Path, address: str) -> Path:
        """Move a report that has its end to those that wait for `address`."""
        place = self.folder / "waiting" / address
        self._make(place)
        kept = place / path.name
        path.replace(kept)
        return kept

    def refuse(self, path: Path, reason: str) -> Path:
        """Put a report aside that the server will not have; sending it again would change nothing."""
        self._make(self.refused)
        place = self.refused / path.name
        with contextlib.suppress(FileNotFoundError):
            path.replace(place)
            place.with_suffix(".reason").write_text(reason + "\n", encoding="utf-8")
        return place

    def waiting(self, address: str = "*") -> list[Path]:
        """Reports that wait, the oldest first; for one address, or for all."""
        return _oldest_first((self.folder / "waiting").glob(f"{address}/*.jsonl"))

    def put_aside(self) -> list[Path]:
        return _oldest_first(self.refused.glob("*.jsonl"))

    def reason(self, path: Path) -> str:
        try:
            return path.with_suffix(".reason").read_text(encoding="utf-8").strip()
        except OSError:
            return ""

    def adopt(self, address: str) -> int:
        """Take what killed sessions left behind to those that wait; return how many there were."""
        adopted = 0
        for path in _oldest_first(self.running.glob("*.jsonl")):
            with contextlib.suppress(OSError):
                if close_orphan(path):
                    self.keep(path, self._address_of(path) or address)
                    self._forget_address(path)
                    adopted += 1
        return adopted

    def remember_address(self, path: Path, address: str) -> None:
        """Note beside a running report where it goes, for whoever finds it."""
        path.with_suffix(".address").write_text(address, encoding="utf-8")

    def remember_last(self, address: str, answer: dict[str, Any]) -> None:
        """Keep the server's last answer for `address`, so that the gate knows which run to ask for."""
        with contextlib.suppress(OSError):
            self._make(self.folder)
            self._last(address).write_text(json.dumps(answer), encoding="utf-8")

    def last(self, address: str) -> dict[str, Any]:
        try:
            found = json.loads(self._last(address).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _last(self, address: str) -> Path:
        return self.folder / f"last-{address}.json"

    def forget(self, path: Path) -> None:
        """Remove a report that has arrived, or that nobody wants."""
        for each in (path, path.with_suffix(".reason"), path.with_suffix(".address")):
            with contextlib.suppress(OSError):
                each.unlink()

    def prune(self, now: float) -> int:
        """Remove what is too old or too much, the oldest first; return how many reports went."""
        gone = 0
        size = count = 0
        for path in reversed(_oldest_first([*self.waiting(), *self.put_aside()])):
            with contextlib.suppress(OSError):
                found = path.stat()
                size, count = size + found.st_size, count + 1
                if size > SIZE or count > COUNT or found.st_mtime < now - AGE:
                    self.forget(path)
                    gone += 1
        for path in self.running.glob("*"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < now - RUNNING_AGE:
                    self.forget(path)
        return gone

    def _address_of(self, path: Path) -> str:
        try:
            return path.with_suffix(".address").read_text(encoding="utf-8").strip()
        except OSError:
            return ""

    def _forget_address(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            path.with_suffix(".address").unlink()

    def _make(self, folder: Path) -> None:
        # What tests print is for their owner; a folder that was there, such as /tmp, stays as it is.
        for place in (self.folder, folder):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)


def _oldest_first(paths: Iterator[Path] | list[Path]) -> list[Path]:
    found = []
    for path in paths:
        with contextlib.suppress(OSError):
            found.append((path.stat().st_mtime, path.name, path))
    return [path for *_, path in sorted(found)]
