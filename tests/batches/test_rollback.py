"""Edits and rollbacks over real files."""

import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from batches import rollback
from batches.preview import Refused, show
from batches.recording import NothingThere, open_workspace, record_edit
from batches.rollback import roll_back, undo, unfinished
from batches.store import Store
from batches.workspace import OutsideWorkspace, relative_path
from tests.factories import make_project

NOW = datetime(2026, 1, 4, tzinfo=UTC)
NAMES = ["a.py", "b.py", "deep/c.py"]
ACTIONS = st.tuples(
    st.sampled_from(["write", "delete", "link", "mode", "rename"]),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
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


def act(desk, action, name, other, content):
    """Do one edit as a person would, and record every path that it touched."""
    place, target = desk.root / name, desk.root / other
    touched = [name]
    if action == "write":
        place.unlink(missing_ok=True)
        place.write_bytes(content)
    elif action == "delete":
        place.unlink(missing_ok=True)
    elif action == "link":
        place.unlink(missing_ok=True)
        place.symlink_to("somewhere")
    elif action == "mode" and place.is_file() and not place.is_symlink():
        place.chmod(0o755)
    elif action == "rename" and os.path.lexists(place) and name != other:
        place.replace(target)
        touched.append(other)
    for path in touched:
        try:
            edit = record_edit(desk, path, size=1000, actor="a", now=NOW)
        except NothingThere:
            continue
        yield edit.batch


class Identity(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(st.lists(ACTIONS, min_size=1, max_size=8))
    def test_rollback_brings_back_the_first_tree_and_its_undo_the_last(self, actions):
        with tempfile.TemporaryDirectory() as folder:
            desk = make_desk(Path(folder))
            first = tree(desk.root)
            record(desk, "a.py", size=1000)  # from now on what is new was not there before
            batches = [batch for action in actions for batch in act(desk, *action)]
            last = tree(desk.root)
            if not batches:
                return

            back(desk, batches[0])
            unknown = {row["path"] for row in show(desk, batches[0]) if row["action"] == "no earlier state"}
            for name in unknown:
                for kept in (first, last):
                    kept.pop(str(desk.root / name), None)
            seen = {
                k: v
                for k, v in tree(desk.root).items()
                if str(k) not in {str(desk.root / n) for n in unknown}
            }
            assert seen == first
            undo(desk, batches[0], actor="a", now=NOW)
            seen = {
                k: v
                for k, v in tree(desk.root).items()
                if str(k) not in {str(desk.root / n) for n in unknown}
            }
            assert seen == last
            shutil.rmtree(desk.root)


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
