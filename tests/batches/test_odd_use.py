"""What somebody types by mistake, or by habit: answered before anything runs or is stored."""

from argparse import ArgumentTypeError

import pytest

from batches.baselines import NoBaseline, demand_writable, read_baseline
from batches.logs import demand_folder
from batches.management.words import at_most, batch_size
from batches.workspace import OutsideWorkspace, relative_path


@pytest.mark.parametrize("typed", [".", "..", "", "sub/..", "../work", "/", "a\0b", "/etc/passwd"])
def test_what_is_no_file_of_the_workspace_is_refused(tmp_path, typed):
    (tmp_path / "work/sub").mkdir(parents=True)

    with pytest.raises(OutsideWorkspace):
        relative_path(tmp_path / "work", typed, tmp_path / "work")
    with pytest.raises(OutsideWorkspace):
        relative_path(tmp_path / "work", str(tmp_path / "work"), tmp_path / "work")


def test_a_path_is_meant_from_where_one_stands_and_outside_of_the_workspace_from_its_root(tmp_path):
    (tmp_path / "work/sub").mkdir(parents=True)

    assert relative_path(tmp_path / "work", "a.py", tmp_path / "work/sub") == "sub/a.py"
    assert relative_path(tmp_path / "work", "sub/a.py", tmp_path) == "sub/a.py"
    assert relative_path(tmp_path / "work", str(tmp_path / "work/a.py"), tmp_path) == "a.py"


def test_sizes_and_names_that_no_database_takes_are_bad_usage():
    assert batch_size("10") == 10
    for text in ("0", "-1", "x", "99999999999999999999"):
        with pytest.raises(ArgumentTypeError):
            batch_size(text)
    assert at_most(3)("abc") == "abc"
    with pytest.raises(ArgumentTypeError):
        at_most(3)("abcd")


@pytest.mark.parametrize(
    "text",
    [
        *("", "[1", "[]", "null", "{}", '{"tests": 5}', '{"tests": [5]}', '{"tests": [], "modules": [1]}'),
        '{"tests": [{"name": 1, "outcome": "passed", "seconds": 1}]}',
        '{"tests": [{"name": "a", "outcome": "passed", "seconds": "1"}]}',
    ],
)
def test_a_file_that_is_no_baseline_is_refused_before_the_tests_run(tmp_path, text):
    (tmp_path / "b.json").write_text(text)

    with pytest.raises(NoBaseline, match="is no baseline"):
        read_baseline(tmp_path, str(tmp_path / "b.json"))


def test_a_baseline_needs_a_place_that_can_be_written(tmp_path):
    demand_writable(tmp_path, str(tmp_path / "new.json"))
    for place in (tmp_path, tmp_path / "no/b.json"):
        with pytest.raises(NoBaseline, match="--baseline-file"):
            demand_writable(tmp_path, str(place))
    with pytest.raises(NoBaseline, match="There is no baseline"):
        read_baseline(tmp_path, str(tmp_path / "no.json"))


@pytest.mark.parametrize("what", ["link", "file"])
def test_logs_that_are_no_folder_are_said_before_anything_runs(tmp_path, what):
    place = tmp_path / "test_batch_logs"
    demand_folder(place)
    if what == "link":
        place.symlink_to(tmp_path)
    else:
        place.write_text("")

    with pytest.raises(OutsideWorkspace, match=f"is a {what}; it has to be a folder"):
        demand_folder(place)
