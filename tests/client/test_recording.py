"""What the plugin writes of real sessions."""

import json
import re

import pytest

from tests.client.sessions import RERUNS, XDIST, outcomes, tries

EVERY_END = """
    import pytest

    def test_passes(): pass

    @pytest.mark.slow
    class TestGroup:
        @pytest.mark.unit
        @pytest.mark.parametrize("x", [1, 2])
        def test_fails(self, x):
            print("said before")
            assert x == 2

    @pytest.mark.xfail(reason="not built")
    def test_xfails(): assert 0

    @pytest.mark.xfail(reason="built meanwhile")
    def test_xpasses(): pass

    @pytest.mark.xfail(strict=True)
    def test_strict(): pass

    @pytest.mark.xfail(run=False, reason="crashes")
    def test_not_run(): pass

    def test_skips(): pytest.skip("no network")

    @pytest.mark.skip(reason="never")
    def test_skipped_by_mark(): pass

    @pytest.fixture
    def broken(): raise ValueError("no set-up")

    @pytest.fixture
    def untidy():
        yield
        raise ValueError("no teardown")

    def test_set_up(broken): pass
    def test_teardown(untidy): pass
    def test_both(untidy): assert 0
"""
ENDS = {
    "test_passes": "passed",
    "test_fails[1]": "failed",
    "test_fails[2]": "passed",
    "test_xfails": "xfailed",
    "test_xpasses": "xpassed",
    "test_strict": "failed",
    "test_not_run": "xfailed",
    "test_skips": "skipped",
    "test_skipped_by_mark": "skipped",
    "test_set_up": "error",
    "test_teardown": "error",
    "test_both": "error",
}


@pytest.mark.parametrize("arguments", [[], XDIST], ids=["alone", "xdist"])
def test_every_way_to_end_is_recorded(project, arguments):
    project.write("test_a.py", EVERY_END)

    lines = project.record("-W", "ignore", *arguments)

    assert outcomes(lines) == ENDS
    end = lines[-1]
    counts = {name: list(ENDS.values()).count(name) for name in set(ENDS.values())}
    assert end["type"] == "end"
    assert end["exit_code"] == 1
    assert end["totals"] == {"cases": 12, "attempts": 12, **counts}
    assert {"cut_off", "interrupted", "running"}.isdisjoint(end)


def test_a_line_tells_where_why_and_how_long(project):
    project.write("test_a.py", EVERY_END)

    found = tries(project.record("-W", "ignore"))

    (line,) = found["test_fails[1]"]
    assert line["nodeid"] == "test_a.py::TestGroup::test_fails[1]"
    assert (line["file"], line["line"], line["when"]) == ("test_a.py", 8, "call")
    assert line["message"] == "assert 1 == 2"
    assert "assert x == 2" in line["traceback"]
    assert line["output"] == [{"name": "Captured stdout call", "text": "said before\n"}]
    assert line["markers"] == ["unit", "slow"]
    assert line["duration"] == pytest.approx(line["setup"] + line["call"] + line["teardown"], abs=2e-6)
    assert found["test_skips"][0]["message"] == "no network"
    assert found["test_xfails"][0]["message"] == "not built"
    assert (found["test_set_up"][0]["when"], found["test_set_up"][0]["message"]) == (
        "setup",
        "ValueError: no set-up",
    )
    assert "call" not in found["test_set_up"][0]
    assert found["test_teardown"][0]["before_teardown"] == "passed"
    assert found["test_both"][0]["before_teardown"] == "failed"
    assert "message" not in found["test_passes"][0]


def test_with_workers_each_line_names_its_worker_and_its_markers(project):
    project.write("test_a.py", EVERY_END)

    lines = project.record("-W", "ignore", *XDIST)

    assert {line["worker"] for line in lines if line["type"] == "test"} <= {"gw0", "gw1"}
    assert tries(lines)["test_fails[2]"][0]["markers"] == ["unit", "slow"]
    assert all(line["started_at"] for line in lines if line["type"] == "test")
    assert not list(project.base.glob("spool/*/*"))  # workers write nothing


@pytest.mark.parametrize("arguments", [RERUNS, [*RERUNS, *XDIST]], ids=["alone", "xdist"])
def test_every_try_of_a_rerun_test_is_kept(project, arguments):
    project.write(
        "test_a.py",
        """
        import pytest
        tries = []

        @pytest.fixture
        def shaky():
            tries.append(1)
            if len(tries) == 1:
                raise OSError("no port")

        def test_shaky_fixture(shaky): pass

        runs = []
        def test_third_time():
            runs.append(1)
            assert len(runs) == 3

        def test_never(): assert 0
        """,
    )

    lines = project.record("--reruns", "2", *arguments)

    found = tries(lines)
    shape = [
        (line["outcome"], line.get("attempt", 1), line.get("final", True))
        for line in found["test_third_time"]
    ]
    assert shape == [("failed", 1, False), ("failed", 2, False), ("passed", 3, True)]
    assert [line["outcome"] for line in found["test_shaky_fixture"]] == ["error", "passed"]
    assert [line["outcome"] for line in found["test_never"]] == ["failed"] * 3
    assert lines[-1]["totals"]["attempts"] == 8
    assert (lines[-1]["totals"]["passed"], lines[-1]["totals"]["failed"]) == (2, 1)


def test_a_failed_subtest_fails_its_test(project):
    project.write(
        "test_a.py",
        """
        import unittest

        def test_parts(subtests):
            for i in range(3):
                with subtests.test("part", i=i):
                    assert i != 1

        class TestCase(unittest.TestCase):
            def test_unit(self):
                for i in range(2):
                    with self.subTest(i=i):
                        self.assertEqual(i, 0)
        """,
    )

    found = tries(project.record())

    (line,) = found["test_parts"]
    assert line["outcome"] == "failed"
    assert (line["subtests"]["total"], line["subtests"]["failed"]) == (3, 1)
    assert "i=1" in line["subtests"]["cases"][0]["name"]
    assert found["test_unit"][0]["outcome"] == "failed"


def test_texts_are_bounded_and_say_what_is_missing(project):
    project.write("test_a.py", "def test_a():\n    print('a' * 50_000 + 'end')\n    assert 0, 'x' * 90_000\n")

    (line,) = tries(project.record())["test_a"]

    assert len(line["message"]) <= 2000
    assert len(line["traceback"]) <= 20_000
    text = line["output"][0]["text"]
    assert len(text) <= 20_000
    assert text.endswith("aend\n")
    assert "characters left out" in text


def test_the_same_test_twice_counts_once_by_its_worst(project):
    project.write("test_a.py", "runs = []\ndef test_a():\n    runs.append(1)\n    assert len(runs) == 2\n")

    lines = project.record("--keep-duplicates", "test_a.py", "test_a.py")

    assert [line["outcome"] for line in tries(lines)["test_a"]] == ["failed", "passed"]
    assert lines[-1]["totals"]["failed"] == 1


def test_strange_names_make_no_strange_lines(project):
    project.write(
        "test_a.py",
        """
        import pytest

        @pytest.mark.parametrize("x", ['a"b', "line\\nbreak", "ümläut", "\\x00", "[]::", "\\ud800"])
        def test_a(x): assert x == 0, x
        """,
    )

    lines = project.record()

    assert lines[-1]["totals"]["failed"] == 6


def test_the_header_tells_where_it_ran(project):
    project.write("test_a.py", "def test_a(): pass\n")

    header = project.record("-v", "-k", "test_a or b", RUNTRAIL_ENVIRONMENT="desk", RUNTRAIL_SHARD="1/2")[0]

    assert (header["format"], header["version"]) == ("runtrail-report", 1)
    assert re.fullmatch("[0-9a-f]{32}", header["session_id"])
    assert header["pytest_args"] == "-p no:cacheprovider -v -k 'test_a or b'"
    assert (header["space"], header["environment"], header["shard"]) == ("local", "desk", "1/2")
    assert re.match("[0-9]+[.][0-9]+", header["runner"]["version"])
    assert None not in header.values()
    assert json.dumps(header)


def test_a_job_of_a_tracked_run_adds_to_that_run(project):
    project.write("test_a.py", "def test_a(): pass\n")

    tracked = project.record(JOB_NAME="performance_20260104_093000_abc123")[0]
    jenkins = project.record(JOB_NAME="shop/main", JENKINS_URL="https://ci.example.org/")[0]

    assert tracked["test_run_id"] == "performance_20260104_093000_abc123"
    assert "test_run_id" not in jenkins
