"""`BatchTestTracker` in a plain Python."""

import subprocess
import sys

from tests.command_line import CommandLine
from tests.journeys.product import ROOT

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from batches.test_batch_tracker import BatchTestTracker

class Pairs(BatchTestTracker):
    BATCH_SIZE = 2

tracker = Pairs(python=sys.executable)
assert (tracker.edit_count, tracker.current_batch.batch_id) == (0, 1)
assert tracker.record_edit("test_a.py", "same") is None
open("a.py", "w").write("1/0")
open("test_a.py", "w").write("import a\\ndef test_a(): pass\\n")
result = tracker.record_edit("test_a.py", "breaks")
assert tracker.edit_count == 2 and result.batch_id == 1 and not result.success and result.failed_tests == 1
assert (tracker.create_backup(1) / "git_commit.txt").exists()
tracker.record_edit("a.py", "late")
assert tracker.edit_count == 1 and tracker.current_batch.batch_id == 2
tracker.rollback_batch(2)
"""


def test_a_script_records_tests_and_goes_back(tmp_path):
    line = CommandLine(tmp_path)
    line.environment.pop("PYTEST_CURRENT_TEST", None)
    work = tmp_path / "work"
    work.mkdir()
    (work / "pytest.ini").write_text("[pytest]\n")
    (work / "test_a.py").write_text("def test_a(): pass\n")

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(ROOT)],
        cwd=work,
        env={**line.environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert not (work / "a.py").exists()
