"""A workspace for one trial of `killed.py`: its files, its five edits of every kind, and each step."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from access.models import Project
from batches import logs
from batches.models import Batch, Edit
from batches.planning import Order, Surroundings, planned, prove
from batches.recording import open_workspace, record_edit
from batches.rollback import roll_back, undo
from batches.store import Store

FOLDER, PLUGIN = Path(sys.argv[1]), Path(sys.argv[2])
NOW = datetime(2026, 1, 4, 9, 0, tzinfo=UTC)
FILES = {"a.py": "ONE = 1\n", "b.py": "TWO = 2\n", "deep/c.py": "THREE = 3\n", "gone.py": ""}
TEST = "import a, b\ndef test_one(): assert a.ONE == 1\ndef test_two(): assert b.TWO == 2\n"


class Trial:
    def __init__(self, number):
        self.root = FOLDER / f"w{number}"
        (self.root / "deep").mkdir(parents=True)
        for name, text in {**FILES, "test_it.py": TEST, "pytest.ini": "[pytest]\n"}.items():
            (self.root / name).write_text(text)
        self.desk = self.open()

    def open(self):
        store = Store(FOLDER / "store")
        return open_workspace(Project.objects.get(slug="default"), self.root, store, host="h", now=NOW)

    def begin(self):
        self.desk = self.open()

    def change(self):
        """Five edits of every kind; return their paths."""
        (self.root / "a.py").write_text("ONE = 7\n")
        (self.root / "b.py").chmod(0o755)
        (self.root / "deep/c.py").unlink()
        (self.root / "deep/c.py").symlink_to("../a.py")
        (self.root / "gone.py").unlink()
        (self.root / "new.py").write_text("NEW = 1\n")
        return ["a.py", "b.py", "deep/c.py", "gone.py", "new.py"]

    def record(self, path):
        edit = record_edit(self.desk, path, "why", actor="ada", now=NOW)
        with self.desk.lock():
            logs.write_backup(self.desk, edit.batch)
            logs.write_tracker(self.desk)

    def record_all(self):
        done = set(Edit.objects.filter(batch__workspace=self.desk.workspace).values_list("path", flat=True))
        for path in ["a.py", "b.py", "deep/c.py", "gone.py", "new.py"]:
            if path not in done:
                self.record(path)
        self.backup()
        with self.desk.lock():
            logs.write_tracker(self.desk)

    def batch(self):
        return Batch.objects.get(workspace=self.desk.workspace, number=1)

    def back(self):
        roll_back(self.desk, self.batch(), actor="ada", now=NOW)

    def forth(self):
        undo(self.desk, self.batch(), actor="ada", now=NOW)

    def backup(self):
        with self.desk.lock():
            logs.write_backup(self.desk, self.batch())

    def test(self):
        around = Surroundings(PLUGIN, Path("/nowhere"), {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        order = Order(python=sys.executable, timeout=60)
        with planned(self.desk, order, around, tell=lambda text: None) as plan:
            prove(self.desk, plan, batch=self.batch(), baseline=None, triggered_by="ada", now=NOW)

    def tree(self):
        found = {}
        for place in sorted(self.root.rglob("*")):
            name = place.relative_to(self.root).as_posix()
            if "test_batch_logs" in name or "__pycache__" in name or ".pytest_cache" in name:
                continue
            if place.is_symlink():
                found[name] = ("link", str(place.readlink()))
            elif place.is_file():
                found[name] = (place.stat().st_mode & 0o777, place.read_text())
        return found
