"""What a file was before its edit: known, or said to be unknown, and never guessed."""

import subprocess

import pytest

from batches.models import FileState
from batches.preview import Refused, show
from batches.recording import NothingThere, open_workspace, record_edit
from batches.rollback import roll_back
from batches.store import Store
from batches.workspace import NotKeepable, OutsideWorkspace, relative_path
from tests.batches.workspaces import NOW
from tests.factories import make_project

pytestmark = pytest.mark.django_db
WHO = ["-c", "user.name=n", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"]


def git(folder, *words):
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", *WHO, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path):
    """A repository with a committed file, one that git ignores, and a rule for it."""
    root = tmp_path / "work"
    git(root, "init", "-q", "-b", "main")
    (root / ".gitignore").write_text("*.log\nsecret/\n")
    (root / "a.py").write_text("committed\n")
    (root / "kept.log").write_text("precious\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    return root


@pytest.fixture
def open_it(root, tmp_path):
    def open_it(recording=""):
        store = Store(tmp_path / "store")
        return open_workspace(make_project(), root, store, host="desk", recording=recording, now=NOW)

    return open_it


def record(desk, path, text=None):
    if text is not None:
        (desk.root / path).parent.mkdir(parents=True, exist_ok=True)
        (desk.root / path).write_text(text)
    return record_edit(desk, path, actor="ada", now=NOW)


def content(desk, state):
    if state is None:
        return None
    return "absent" if state.kind == FileState.Kind.ABSENT else desk.store.get(state.digest).decode()


def test_the_commit_the_stock_and_the_last_record_are_earlier_states(root, open_it):
    (root / "untracked.py").write_text("stock\n")
    desk = open_it()

    assert content(desk, record(desk, "a.py", "1\n").before) == "committed\n"
    assert content(desk, record(desk, "a.py", "2\n").before) == "1\n"
    assert content(desk, record(desk, "untracked.py", "3\n").before) == "stock\n"
    assert content(desk, record(desk, "new one.py", "4\n").before) == "absent"


def test_work_that_was_not_committed_at_the_first_use_is_an_earlier_state_too(root, open_it):
    (root / "a.py").write_text("uncommitted\n")
    desk = open_it()

    assert content(desk, record(desk, "a.py", "1\n").before) == "uncommitted\n"


def test_files_that_were_edited_before_the_first_record_go_back_to_the_commit(root, open_it):
    (root / "b.py").write_text("committed\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "second")
    for name in ("a.py", "b.py"):
        (root / name).write_text("edited\n")
    desk = open_it(recording="a.py")

    assert [content(desk, record(desk, name).before) for name in ("a.py", "b.py")] == ["committed\n"] * 2


def test_what_a_commit_brought_meanwhile_is_the_earlier_state(root, open_it):
    desk = open_it()
    (root / "a.py").write_text("pulled\n")
    git(root, "commit", "-qam", "of somebody else")

    assert content(desk, record(desk, "a.py", "mine\n").before) == "pulled\n"


def test_a_commit_that_is_recorded_by_the_hook_goes_back_to_before_it(root, open_it):
    desk = open_it()
    (root / "a.py").write_text("new\n")
    (root / "added.py").write_text("new\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "work")

    assert content(desk, record(desk, "a.py").before) == "committed\n"
    assert content(desk, record(desk, "added.py").before) == "absent"


@pytest.mark.parametrize("path", ["kept.log", "secret/key.py", "large.bin", "nested/inner.py"])
def test_a_file_that_nobody_had_an_eye_on_is_never_deleted_by_a_rollback(root, open_it, path):
    (root / "secret").mkdir()
    (root / "secret/key.py").write_text("precious\n")
    (root / "large.bin").write_bytes(b"0" * (3 << 20))
    git(root / "nested", "init", "-q")
    (root / "nested/inner.py").write_text("precious\n")
    desk = open_it()
    batch = record(desk, "a.py", "1\n").batch

    edit = record(desk, path, "edited\n")

    assert edit.before is None
    roll_back(desk, batch, actor="ada", now=NOW)
    assert (root / path).read_text() == "edited\n"
    assert (root / "a.py").read_text() == "committed\n"


def test_a_submodule_gives_its_own_commits(root, open_it, tmp_path):
    git(tmp_path / "library", "init", "-q", "-b", "main")
    (tmp_path / "library/lib.py").write_text("library\n")
    git(tmp_path / "library", "add", ".")
    git(tmp_path / "library", "commit", "-qm", "first")
    git(root, "submodule", "add", "-q", str(tmp_path / "library"), "sub")
    git(root, "commit", "-qm", "with a submodule")
    desk = open_it()

    edit = record(desk, "sub/lib.py", "edited\n")

    assert content(desk, edit.before) == "library\n"
    roll_back(desk, edit.batch, actor="ada", now=NOW)
    assert (root / "sub/lib.py").read_text() == "library\n"


def test_git_keeps_one_bit_of_the_mode_and_the_rest_stays(root, open_it):
    (root / "a.py").chmod(0o664)
    desk = open_it()
    (root / "a.py").chmod(0o640)

    edit = record(desk, "a.py", "1\n")
    roll_back(desk, edit.batch, actor="ada", now=NOW)

    assert (root / "a.py").stat().st_mode & 0o777 == 0o640
    assert subprocess.run(["git", "diff", "--quiet"], cwd=root, check=False).returncode == 0


def test_a_file_recorded_twice_goes_back_to_before_the_first(root, open_it):
    desk = open_it()
    record(desk, "a.py", "1\n")
    record(desk, "a.py")
    batch = record(desk, "a.py", "3\n").batch

    roll_back(desk, batch, actor="ada", now=NOW)

    assert (root / "a.py").read_text() == "committed\n"
    assert [edit.position for edit in batch.edits.order_by("position")] == [1, 2, 3]


def test_a_read_only_file_goes_back_and_stays_read_only(root, open_it):
    (root / "closed.py").write_text("1")
    (root / "closed.py").chmod(0o444)
    desk = open_it()
    (root / "closed.py").chmod(0o644)
    (root / "closed.py").write_text("2")
    (root / "closed.py").chmod(0o444)

    batch = record(desk, "closed.py").batch
    roll_back(desk, batch, actor="ada", now=NOW)

    assert (root / "closed.py").read_text() == "1"
    assert (root / "closed.py").stat().st_mode & 0o777 == 0o444


def test_folders_devices_and_names_that_can_not_be_kept_are_refused_in_words(root, open_it):
    desk = open_it()
    (root / "folder").mkdir()
    with pytest.raises(NothingThere, match="is a folder: record its files"):
        record(desk, "folder")
    with pytest.raises(NothingThere, match="is not there"):
        record(desk, "nowhere.py")
    subprocess.run(["mkfifo", "pipe"], cwd=root, check=True)
    with pytest.raises(NotKeepable, match="no file"):
        record(desk, "pipe")
    with pytest.raises(NotKeepable, match="can't be kept"):
        record(desk, "\udcff.py")


def test_links_that_go_in_circles_and_repositories_below_are_no_way_in(root):
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("one")
    for path in ("one/x.py", "nested/.git/config", ".git/config", "test_batch_logs/x"):
        with pytest.raises(OutsideWorkspace):
            relative_path(root, path, root)
    assert relative_path(root, "one", root) == "one", "a link itself may be recorded"


def test_a_large_file_and_one_that_is_no_text_are_kept_without_a_difference(root, open_it):
    desk = open_it()
    large = record(desk, "large.txt", "x\n" * 600_000)
    binary = record(desk, "null.txt", "a\0b")

    assert large.diff.startswith("Large files differ: 0 and 1,200,000 bytes")
    assert binary.diff.startswith("Binary files differ")
    roll_back(desk, large.batch, actor="ada", now=NOW)
    assert not (root / "large.txt").exists()


def test_a_look_at_a_rollback_keeps_nothing(root, open_it):
    desk = open_it()
    batch = record(desk, "a.py", "1\n").batch
    (root / "a.py").write_text("unseen\n")
    states = FileState.objects.count()

    assert show(desk, batch) == [
        {"path": "a.py", "action": "restore", "problem": "its present state was never recorded"}
    ]
    assert FileState.objects.count() == states


def test_a_folder_with_foreign_files_is_not_removed_for_a_file(root, open_it):
    (root / "thing").write_text("file")
    desk = open_it()
    (root / "thing").unlink()
    (root / "thing").mkdir()
    batch = record(desk, "thing/in.py", "1").batch
    record(desk, "thing")
    (root / "thing/foreign.py").write_text("precious")

    with pytest.raises(Refused, match="folder with files"):
        roll_back(desk, batch, force=True, actor="ada", now=NOW)
    assert (root / "thing/foreign.py").read_text() == "precious"
    assert (root / "thing/in.py").read_text() == "1"
