"""A session with the plugin ends and reads as it does without it, whatever is wrong."""

import json
import re
import subprocess

import pytest

from runtrail.report_file import close_orphan
from tests.client.sessions import PLUGIN, RERUNS, SOURCE, XDIST, environment, outcomes

MIXED = """
    import pytest

    def test_a(): pass
    def test_b(): assert 0
    @pytest.mark.xfail
    def test_c(): assert 0
    @pytest.fixture
    def f():
        yield
        1 / 0
    def test_d(f): pass
"""
SESSIONS = {  # name: (test file, arguments, exit code)
    "passes": ("def test_a(): pass\n", [], 0),
    "fails": (MIXED, [], 1),
    "stops at the first": (MIXED, ["-x"], 1),
    "with workers": ("def test_a(): pass\ndef test_b(): assert 0\n", XDIST, 1),
    "with reruns": (
        "n = []\ndef test_a():\n    n.append(1)\n    assert len(n) > 1\n",
        [*RERUNS, "--reruns", "2"],
        0,
    ),
    "interrupted": ("def test_a(): raise KeyboardInterrupt\n", [], 2),
    "left by pytest.exit": ("import pytest\ndef test_a(): pytest.exit('enough', 9)\n", [], 9),
    "left by sys.exit in a module": ("import sys\nsys.exit(4)\n", [], 3),
    "not importable": ("import nothing_like_it\n", [], 2),
    "no such file": ("def test_a(): pass\n", ["test_zzz.py"], 4),
    "unknown option": ("def test_a(): pass\n", ["--no-such-option"], 4),
    "nothing collected": ("x = 1\n", [], 5),
    "everything deselected": ("def test_a(): pass\n", ["-k", "zzz"], 5),
    "warnings are errors": ("def test_a(): pass\n", ["-W", "error"], 0),
    "very quiet": ("def test_a(): pass\n", ["-qq"], 0),
    "collected only": ("def test_a(): pass\n", ["--collect-only"], 0),
    "forks": (
        "import os\ndef test_a():\n    if os.fork() == 0:\n        return\n    os.wait()\n",
        ["-p", "no:cov"],
        0,
    ),
    "a fixture that crashes pytest": ("def test_a(): pass\n", ["-p", "crashing"], 3),
}
CRASHING = "def pytest_runtest_logfinish(): raise RuntimeError('bad plugin')\n"


def without_times(output: str) -> str:
    """The output without what differs from one run to the next."""
    output = re.sub(r"\bin [0-9.]+s\b( \([0-9:]+\))?", "in X", output)
    output = re.sub(r"0x[0-9a-f]+|\[gw\d\].*|-p runtrail.plugin", "X", output)
    output = re.sub(r"={2,}", "==", output)
    # xdist's workers end their tests in any order.
    return re.sub(r"^[.FEsxX]+", lambda found: "".join(sorted(found[0])), output, flags=re.MULTILINE)


@pytest.mark.parametrize("name", SESSIONS)
def test_exit_code_and_output_are_those_of_a_session_without_it(project, name):
    text, arguments, code = SESSIONS[name]
    project.write("test_a.py", text)
    project.write("crashing.py", CRASHING)
    path = {"PYTHONPATH": f"{project.folder}:{SOURCE}"}

    alone = project.run(*arguments, **path)
    recorded = project.run(*PLUGIN, "--runtrail", *arguments, **path)

    assert (alone.returncode, recorded.returncode) == (code, code), recorded.stdout + recorded.stderr
    ours = [line for line in recorded.stdout.splitlines() if line.startswith("runtrail: ")]
    rest = "\n".join(line for line in recorded.stdout.splitlines() if not line.startswith("runtrail: "))
    assert len(ours) <= 1
    if name != "forks":  # two processes write there
        assert without_times(rest) == without_times(alone.stdout.rstrip("\n"))
        assert without_times(recorded.stderr) == without_times(alone.stderr)


def test_a_plugin_that_breaks_says_so_once_and_the_tests_go_on(project):
    project.write(
        "conftest.py",
        """
        from runtrail.recording import Recorder

        def broken(*arguments):
            raise RuntimeError("a fault of the recording")

        Recorder.add = broken
        """,
    )
    project.write("test_a.py", "def test_a(): pass\ndef test_b(): pass\n")

    done = project.run(*PLUGIN, "--runtrail")

    assert done.returncode == 0
    assert "2 passed" in done.stdout
    assert done.stdout.count("runtrail:") == 1
    assert "recording stopped by RuntimeError: a fault of the recording" in done.stdout


@pytest.mark.parametrize("hook", ["Session.__init__", "Session.open", "Session.finish", "Session.begin"])
def test_no_fault_of_the_recording_is_a_fault_of_the_tests(project, hook):
    owner, method = hook.split(".")
    project.write(
        "broken.py", f"from runtrail.session import {owner}\ndef b(*a, **k): 1 / 0\n{owner}.{method} = b\n"
    )
    project.write("test_a.py", "def test_a(): pass\n")

    done = project.run("-p", "broken", *PLUGIN, "--runtrail", PYTHONPATH=f"{project.folder}:{SOURCE}")

    assert done.returncode == 0
    assert "1 passed" in done.stdout
    assert "ZeroDivisionError" in done.stdout
    assert not done.stderr


def test_a_home_that_cannot_be_written_to_changes_nothing(project):
    project.write("test_a.py", "def test_a(): pass\n")

    done = project.run(*PLUGIN, "--runtrail", RUNTRAIL_SPOOL="/proc/nowhere")

    assert done.returncode == 0
    assert "1 passed" in done.stdout
    assert done.stdout.count("runtrail: 1 test kept in") == 1


def test_the_report_can_be_written_while_tests_replace_files_time_and_os(project):
    project.write(
        "test_a.py",
        """
        import builtins, io, os, time
        import pytest

        @pytest.fixture(scope="module", autouse=True)
        def nothing_works():
            with pytest.MonkeyPatch.context() as patch:
                def fail(*_, **__): raise OSError("not in tests")
                patch.setattr(os, "write", fail)
                patch.setattr(builtins, "open", fail)
                patch.setattr(time, "time", lambda: 0.0)
                yield

        def test_a(): pass
        def test_b(): os.chdir("/")
        """,
    )

    lines = project.record()

    assert lines[-1]["totals"]["passed"] == 2
    assert all(line["started_at"] > 1_700_000_000 for line in lines if line["type"] == "test")


def test_a_disk_without_room_ends_the_recording_and_nothing_else(project):
    project.write("test_a.py", "".join(f"def test_{n}(): pass\n" for n in range(100)))
    limited = ["sh", "-c", 'ulimit -f 4; exec "$@"', "sh", *project.command(*PLUGIN, "--runtrail")]

    done = subprocess.run(
        limited,
        cwd=project.folder,
        env=environment(project.base),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "100 passed" in done.stdout
    assert "runtrail: recording stopped by OSError" in done.stdout
    (left,) = project.kept("running")
    assert close_orphan(left)
    assert outcomes([json.loads(line) for line in left.read_bytes().splitlines()])["test_0"] == "passed"
