"""What is an edit to the watcher, and what is not."""

import subprocess
from threading import Event, Thread

import pytest

from batches.watching import only_edits, watch


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("a.py", True),
        ("sub/kept.log", True),
        ("a.log", False),
        ("sub/a.tmp", False),
        ("sub/only/x", False),
        (".a.py.swp", False),
        ("4913", False),
        ("test_batch_logs/batch_tracker.json", False),
        (".git/index", False),
    ],
)
@pytest.mark.parametrize("with_git", [False, True])
def test_what_git_ignores_and_what_editors_leave_is_no_edit(tmp_path, path, is_one, with_git):
    if with_git:
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "sub").mkdir()
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "sub/.gitignore").write_text("!kept.log\n/only/\n")

    assert (only_edits(tmp_path, [path]) == [path]) is is_one


def test_a_save_is_seen_once_and_a_deletion_too(tmp_path):
    (tmp_path / "gone.py").write_text("1")
    seen, stop = [], Event()
    thread = Thread(target=lambda: seen.extend(path for paths in watch(tmp_path, stop) for path in paths))
    thread.start()
    stop.wait(0.7)
    save = "echo 1 > a.py~; mv a.py~ a.py; echo 2 > a.py; rm gone.py; touch 4913; rm 4913"
    subprocess.run(["sh", "-c", save], cwd=tmp_path, check=True)
    stop.wait(2.0)
    stop.set()
    thread.join(5)

    assert seen == ["a.py", "gone.py"]
