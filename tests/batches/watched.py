"""A project under `batch watch`, edited thirty times by a script; three of the edits break something.

Run by hand on a real project, with a Python that has its tests' needs:
python -m tests.batches.watched FOLDER FILE:NAME FILE:NAME FILE:NAME   (NAME is a function that tests call)
"""

import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.command_line import CommandLine

PAUSE = 1.0  # seconds between two edits of the same file: a save is seen when it has been quiet for 0.6


class Watched:
    """`batch watch` going on in a folder."""

    def __init__(self, line, folder, *more):
        self.line, self.folder, self.more = line, folder, more
        line.folder = folder
        self.process = subprocess.Popen(
            [*line.command("batch", "watch", *more)],
            cwd=folder,
            env={**line.environment, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines, self.heard = queue.Queue(), []
        self.reading = threading.Thread(target=self._read, daemon=True)
        self.reading.start()
        self.until("Watching")

    def _read(self):
        for text in self.process.stdout:
            self.lines.put(text)

    def until(self, pattern, within=180):
        """Wait for a line; return the match."""
        end = time.monotonic() + within
        while True:
            try:
                text = self.lines.get(timeout=max(end - time.monotonic(), 0.1))
            except queue.Empty:
                raise AssertionError(f"{pattern!r} was not said:\n{''.join(self.heard)}") from None
            self.heard.append(text)
            if found := re.search(pattern, text):
                return found

    def edit(self, path, text):
        """Save as an editor does."""
        place = self.folder / path
        aside = place.with_name(f".{place.name}.swp")
        aside.write_text(text)
        aside.replace(place)

    def until_recorded(self, path):
        return self.until(rf"Recorded {re.escape(path)} \(edit (\d)/5 of batch (\d+)\)")

    def outcome(self):
        """How the tests of the full batch went, and which edits are suspected."""
        found = self.until(r"(PASSED|FAILED|could not): ?(\d+) tests, \d+ passed, (\d+) failed")
        return found[1], [match[1] for match in map(SUSPECTED.search, self.heard[-40:]) if match]

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60)
        self.reading.join(10)
        self.process.stdout.close()
        return code


SUSPECTED = re.compile(r"Suspected: edit (\d+),")


def script(watched, files, breaking, *, at_once=False):
    """Thirty edits in six batches; return of each: number, outcome, the edit that broke it, suspected.

    `at_once` saves five different files one after the other without waiting, in the order of their names.
    """
    told, number = [], 0
    for batch in range(1, 7):
        broken = breaking.get(batch)
        watched.heard.clear()
        saved = []
        for position in range(1, 6):
            path, text = files[number % len(files)], f"\n# edit {number}\n"
            if broken and broken[0] == position:
                path, text = broken[1], broken[2]
            watched.edit(path, (watched.folder / path).read_text() + text)
            number += 1
            if at_once:
                saved.append(path)
            else:
                watched.until_recorded(path)
        for path in saved:
            watched.until_recorded(path)
        word, suspected = watched.outcome()
        told.append((batch, word, broken[0] if broken else None, suspected))
        if broken:
            watched.line.run("batch", "rollback", str(batch), "--no-test")
            time.sleep(PAUSE)
    return told


def tree(folder):
    found = {}
    for place in sorted(folder.rglob("*")):
        name = place.relative_to(folder).as_posix()
        is_other = {".git", "__pycache__", ".pytest_cache", "test_batch_logs"} & set(Path(name).parts)
        if place.is_file() and not is_other:
            found[name] = (place.stat().st_mode, place.read_bytes())
    return found


def main(folder, *targets):
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as installed:
        line = CommandLine(Path(installed))
        line.environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        watched = Watched(line, folder, "--python", sys.executable)
        before = tree(folder)
        breaking = {}
        for batch, position, target in zip((2, 4, 5), (4, 1, 3), targets, strict=True):
            path, _, name = target.partition(":")
            breaking[batch] = (position, path, f"\n\ndef {name}(*given, **named):\n    raise ValueError\n")
        files = sorted({target.partition(":")[0] for target in targets})
        told = script(watched, files, breaking)
        code = watched.stop()
        for number in (6, 3, 1):
            line.run("batch", "rollback", str(number), "--no-test")
        same = tree(folder) == before
    for row in told:
        print("batch {}: {}, broken by edit {}, suspected {}".format(*row))
    print(f"watch ended with {code}; identical after all rollbacks: {same}; {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), *sys.argv[2:])
