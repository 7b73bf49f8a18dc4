"""Edits and rollbacks over real files."""

import contextlib
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest
from django.db import transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batches import rollback
from batches.preview import Refused, show
from batches.recording import NothingThere, open_workspace, record_edit
from batches.rollback import roll_back, undo, unfinished
from batches.store import Store
from batches.workspace import OutsideWorkspace, relative_path
from tests.factories import make_project

NOW = datetime(2026, 1, 4, tzinfo=UTC)
NAMES = ["a.py", "b.py", "deep/c.py"]
ODD = [
    "a.py",
    "two words.py",
    "deep/über/ñ.txt",
    "deep",
    "new\nline",
    "-r",
    "*.py",
    "deep/x",
    "x/y/z.bin",
    "x",
]
ACTIONS = st.tuples(
    st.sampled_from(["write", "empty", "large", "delete", "link", "loop", "mode", "closed", "rename"]),
    st.sampled_from(ODD),
    st.sampled_from(ODD),
    st.binary(max_size=8),
)


def make_desk(folder: Path):
    root = folder / "work"
    (root / "deep").mkdir(parents=True)
    for name in NAMES[:2]:
        (root / name).write_bytes(name.encode())
    return open_workspace(make_project("default"), root, Store(folder / "store"), host="desk", now=NOW)


@pytest.fixture
def desk(db, tmp_path):
    return make_desk(tmp_path)


def record(desk, path, content=None, **options):
    if content is not None:
        (desk.root / path).write_text(content)
    return record_edit(desk, path, actor="a", now=NOW, **options)


def back(desk, batch, **options):
    return roll_back(desk, batch, actor="a", now=NOW, **options)


def tree(root):
    found = {}
    for place in sorted(root.rglob("*")):
        if place.is_symlink():
            found[str(place)] = ("link", str(place.readlink()))
        elif place.is_file():
            found[str(place)] = (place.stat().st_mode, place.read_bytes())
    return found


def clear(root, path):
    """Make room for a file at `path`, as a person would; yield every path that went for it."""
    for parent in [root / one for one in reversed(Path(path).parents)]:
        if os.path.lexists(parent) and (parent.is_symlink() or not parent.is_dir()):
            parent.unlink()
            yield parent.relative_to(root).as_posix()
    place = root / path
    if place.is_dir() and not place.is_symlink():
        gone = [below for below in place.rglob("*") if below.is_symlink() or not below.is_dir()]
        shutil.rmtree(place)
        yield from (below.relative_to(root).as_posix() for below in gone)
    place.parent.mkdir(parents=True, exist_ok=True)


def act(root, action, name, other, content):
    """Do one edit; return every path that it touched."""
    place = root / name
    is_file = place.is_file() and not place.is_symlink()
    if action in {"mode", "closed"}:
        if is_file:
            place.chmod(0o755 if action == "mode" else 0o400)
        return [name] if is_file else []
    if action == "delete":
        if not (os.path.lexists(place) and (place.is_symlink() or not place.is_dir())):
            return []
        place.unlink()
        return [name]
    if action == "rename":
        if not (is_file or place.is_symlink()) or name == other:
            return []
        aside = root.parent / "aside"
        place.rename(aside)
        touched = list(clear(root, other))
        aside.rename(root / other)
        return [name, *touched, other]
    touched = list(clear(root, name))
    place.unlink(missing_ok=True)
    if action in {"link", "loop"}:
        place.symlink_to(place.name if action == "loop" else "some where/ñ")
    else:
        place.write_bytes({"write": content, "empty": b"", "large": content * 300_000}[action])
    return [*touched, name]


@pytest.mark.django_db
@settings(max_examples=40, deadline=None)
@example([("write", "deep/x", "x", b""), ("loop", "deep", "x", b"")], 2)
@given(st.lists(ACTIONS, min_size=1, max_size=10), st.sampled_from([2, 1000]))
def test_rollback_brings_back_the_first_tree_and_its_undo_the_last(actions, size):
    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        desk = make_desk(Path(folder))
        first = tree(desk.root)
        batches = []
        for action in actions:
            for path in act(desk.root, *action):
                with contextlib.suppress(NothingThere):
                    batches.append(record_edit(desk, path, size=size, actor="a", now=NOW).batch)
        last = tree(desk.root)
        batches = sorted(set(batches), key=lambda batch: batch.number)

        for batch in reversed(batches):
            assert all(not row["problem"] for row in show(desk, batch))
            back(desk, batch)
        assert tree(desk.root) == first
        for batch in batches:
            undo(desk, batch, actor="a", now=NOW)
        assert tree(desk.root) == last
        transaction.set_rollback(True)  # the next example begins with nothing stored


def test_work_that_was_never_recorded_is_not_overwritten_unless_told(desk):
    batch = record(desk, "b.py", "recorded").batch
    (desk.root / "b.py").write_text("precious")

    with pytest.raises(Refused, match=r"b\.py"):
        back(desk, batch)
    assert (desk.root / "b.py").read_text() == "precious"

    back(desk, batch, force=True)
    assert (desk.root / "b.py").read_text() == "b.py"
    undo(desk, batch, actor="a", now=NOW)
    assert (desk.root / "b.py").read_text() == "precious"


def test_edits_of_a_later_batch_are_not_lost(desk):
    first = record(desk, "b.py", "one", size=1).batch
    second = record(desk, "b.py", "two", size=1).batch

    with pytest.raises(Refused, match=r"Batch 2 edited b\.py later"):
        back(desk, first)

    back(desk, second)
    assert (desk.root / "b.py").read_text() == "one"
    back(desk, first)
    assert (desk.root / "b.py").read_text() == "b.py"


def test_a_rollback_that_was_killed_in_the_middle_goes_on(desk):
    record(desk, "a.py", "x")
    batch = record(desk, "b.py", "y").batch
    written = []

    def dies(root, path, state, store):
        if written:
            raise KeyboardInterrupt
        written.append(path)
        write(root, path, state, store)

    write = rollback.write_state
    with mock.patch.object(rollback, "write_state", dies), pytest.raises(KeyboardInterrupt):
        back(desk, batch)
    assert unfinished(desk) is not None

    back(desk, batch)

    assert unfinished(desk) is None
    assert [(desk.root / name).read_text() for name in NAMES[:2]] == NAMES[:2]


def test_a_folder_that_became_a_link_is_never_written_through(desk, tmp_path):
    record(desk, "a.py", "x")
    record(desk, "deep/c.py", "1", size=2)
    batch = record(desk, "deep/c.py", "2").batch
    (desk.root / "deep/c.py").unlink()
    (desk.root / "deep").rmdir()
    (tmp_path / "elsewhere").mkdir()
    (desk.root / "deep").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OutsideWorkspace):
        back(desk, batch, force=True)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_link_that_leads_out_is_no_way_out(desk, tmp_path):
    (desk.root / "out").symlink_to(tmp_path)

    with pytest.raises(OutsideWorkspace, match="outside"):
        relative_path(desk.root, "out/secret.py", desk.root)
