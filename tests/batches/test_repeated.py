"""What is done twice, or cut short and done again, leaves the same as done once."""

from datetime import timedelta

import pytest

from access.models import AuditEntry
from batches.backups import back_up
from batches.models import Rollback
from batches.preview import Refused
from batches.recording import NothingThere, next_number, reset, untested
from batches.rollback import roll_back, undo
from tests.batches.workspaces import NOW, edit, make_desk, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(tmp_path):
    return make_desk(tmp_path, a_py="1")


def test_a_rollback_that_is_repeated_changes_nothing_and_is_undone_by_one_undo(desk):
    batch = edit(desk, "a.py", "2", size=1)
    first = roll_back(desk, batch, actor="ada", now=NOW)
    before = (desk.root / "a.py").read_text()

    again = roll_back(desk, batch, actor="ada", now=NOW)

    assert (again.pk, Rollback.objects.count()) == (first.pk, 1)
    assert (desk.root / "a.py").read_text() == before
    undo(desk, batch, actor="ada", now=NOW)
    assert (desk.root / "a.py").read_text() == "2"


def test_a_batch_without_any_earlier_state_is_not_called_rolled_back(desk):
    batch = edit(desk, "a.py", "2", size=1)
    batch.edits.update(before=None)

    with pytest.raises(Refused, match="No earlier state is known"):
        roll_back(desk, batch, actor="ada", now=NOW)

    assert not Rollback.objects.exists()


def test_a_batch_whose_tests_were_cut_short_is_untested_until_all_tests_ran(desk):
    batch = edit(desk, "a.py", "2", size=1)
    assert untested(desk.workspace) == batch
    run = make_run(batch)
    type(run).objects.update(pattern="test_a*.py")
    assert untested(desk.workspace) == batch, "those were not all"

    edit(desk, "a.py", "3", size=2)
    later = make_run(edit(desk, "a.py", "4", size=2))
    type(run).objects.filter(pk=later.pk).update(started_at=NOW + timedelta(minutes=1))

    assert untested(desk.workspace) is None, "its edits were in the tree of the later run"


def test_a_backup_is_of_a_batch_that_is_there_or_of_all_there_is_before_the_next(desk):
    edit(desk, "a.py", "2", size=1)

    assert back_up(desk, 1, actor="ada") == (1, desk.root / "test_batch_logs/backups/batch_1")
    assert back_up(desk, 2, actor="ada")[1] is None
    with pytest.raises(NothingThere, match="There is no batch 9 here"):
        back_up(desk, 9, actor="ada")

    assert AuditEntry.objects.filter(action="batch.backup").count() == 2


def test_numbers_go_on_after_a_reset_and_everybody_says_so(desk):
    edit(desk, "a.py", "2", size=1)
    reset(desk, actor="ada", now=NOW)

    assert next_number(desk.workspace) == 2
    assert back_up(desk, 2, actor="ada")[1] is None
    assert edit(desk, "a.py", "3", size=1).number == 2
