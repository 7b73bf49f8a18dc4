"""The file of one session: a JSON object a line, on disk as soon as it is known.

docs/report-format.md says what the lines hold.  The file is locked while its session lives, so that
a file that nobody holds and that has no end was left behind by a session that was killed.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

FORMAT, VERSION = "runtrail-report", 1
OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
_WORST_FIRST = {
    name: rank for rank, name in enumerate(("error", "failed", "xpassed", "passed", "xfailed", "skipped"))
}
ABANDONED_AFTER = 24 * 3600  # seconds, where files can't be locked

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def encode(record: dict[str, Any]) -> bytes:
    """One line without its end; half characters of file names become question marks."""
    return _encode(record).encode("utf-8", "replace")


def utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="microseconds")[:-6] + "Z"


class Totals:
    """Counts of cases by their last attempt, and of duplicates by the worst outcome."""

    def __init__(self) -> None:
        self.attempts = 0
        self._outcomes: dict[str, str] = {}
        self._open: set[str] = set()  # cases whose last line announced another try

    def add(self, nodeid: str, outcome: str, is_final: bool = True) -> None:
        self.attempts += 1
        before = self._outcomes.get(nodeid)
        if before is None or nodeid in self._open or _WORST_FIRST[outcome] < _WORST_FIRST[before]:
            self._outcomes[nodeid] = outcome
        if is_final:
            self._open.discard(nodeid)
        else:
            self._open.add(nodeid)

    def as_dict(self) -> dict[str, int]:
        counts = dict.fromkeys(OUTCOMES, 0)
        for outcome in self._outcomes.values():
            counts[outcome] += 1
        return {"cases": len(self._outcomes), "attempts": self.attempts, **counts}


class ReportFile:
    """A report being written.  Raises OSError where the disk is full or gone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered, and by the methods of this one object: tests may replace `open` and `os`.
        self._file: BinaryIO = path.open("xb", buffering=0)
        lock(self._file)
        self._write, self._truncate, self._seek = self._file.write, self._file.truncate, self._file.seek
        self._size = 0  # bytes of whole lines
        self._open_head = b""

    def write(self, record: dict[str, Any]) -> None:
        self.finish(encode(record), b"\n")

    def begin(self, head: bytes) -> None:
        """Write the head of a line; a file that ends in one shows what ran when its session died."""
        self.drop_head()
        self._open_head = head
        self._put(head)

    def finish(self, head: bytes, rest: bytes) -> None:
        """Write a line; of one that was begun with `head`, its rest."""
        if self._open_head is head:
            self._open_head = b""
            self._put(rest)
        else:
            self.drop_head()
            self._put(head + rest)
        self._size += len(head) + len(rest)

    def drop_head(self) -> None:
        if self._open_head:
            self._open_head = b""
            self._truncate(self._size)
            self._seek(self._size)

    def _put(self, text: bytes) -> None:
        if self._write(text) != len(text):
            raise OSError("there is no room for the report")

    def close(self) -> None:
        self._file.close()


def lock(file: BinaryIO) -> bool:
    """Take the file for this process; False where another one holds it."""
    if fcntl is None:  # pragma: no cover - Windows
        return os.fstat(file.fileno()).st_mtime < datetime.now(timezone.utc).timestamp() - ABANDONED_AFTER
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: as if nobody held it
        return True
    return True


def close_orphan(path: Path) -> bool:
    """End the file of a session that was killed; False where its session lives, or nothing is in it.

    What the session wrote stays as it is, but for a line that it had only begun: that is the test
    which ran, and the end names it.
    """
    with path.open("r+b") as file:
        if not lock(file):
            return False
        totals, last_whole, torn, last = _scan(file)
        if last is None:
            return False
        if last.get("type") != "end":
            file.truncate(last_whole)
            file.seek(last_whole)
            file.write(encode(_end_of(path, totals, torn)) + b"\n")
    return True


def _scan(file: BinaryIO) -> tuple[Totals, int, bytes, dict[str, Any] | None]:
    """Read to the last whole line; return the totals, where it ends, what follows, and the line."""
    totals, position, last = Totals(), 0, None
    for line in file:
        try:
            record = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            record = None
        if not isinstance(record, dict):
            return totals, position, line, last
        if record.get("type") == "test" and record.get("outcome") in _WORST_FIRST:
            totals.add(record["nodeid"], record["outcome"], record.get("final", True))
        position += len(line)
        last = record
    return totals, position, b"", last


def _end_of(path: Path, totals: Totals, torn: bytes) -> dict[str, Any]:
    end: dict[str, Any] = {"type": "end", "ended_at": utc(path.stat().st_mtime), "cut_off": True}
    try:
        running = json.loads(torn + b"}")["nodeid"]
    except (ValueError, KeyError, TypeError):
        pass
    else:
        end["running"] = [running]
    return {**end, "totals": totals.as_dict()}


def read_header(path: Path) -> dict[str, Any]:
    """Return the session line; an empty dict where the file is not ours."""
    with path.open("rb") as file:
        try:
            header = json.loads(file.readline(1_000_000))
        except ValueError:
            return {}
    ours = isinstance(header, dict) and header.get("format") == FORMAT
    return header if ours else {}
