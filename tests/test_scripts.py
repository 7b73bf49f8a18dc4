"""The habits of script/ tell the truth about what they ran."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def started(monkeypatch):
    """What a script starts, instead of starting it: command lines, and the codes they end with."""
    commands, codes = [], []

    def run(command, **_):
        commands.append([str(part) for part in command])
        return subprocess.CompletedProcess(command, codes.pop(0) if codes else 0)

    monkeypatch.syspath_prepend(ROOT / "script")
    import _environment

    monkeypatch.setattr(_environment, "ensure", lambda tests=False: Path(sys.executable))
    monkeypatch.setattr(os, "chdir", lambda folder: None)
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return commands, codes


def exit_of(script, *arguments, monkeypatch):
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "script" / script), run_name="__main__")
    return int(ended.value.code or 0)


def databases_of(commands):
    return [
        part.partition("=")[2] for command in commands for part in command if part.startswith("--database=")
    ]


def test_the_suite_runs_on_both_databases_with_what_pytest_is_told(started, monkeypatch):
    assert exit_of("test", "-k", "lease", monkeypatch=monkeypatch) == 0

    assert databases_of(started[0]) == ["sqlite", "postgresql"]
    assert all(command[-2:] == ["-k", "lease"] for command in started[0])


@pytest.mark.parametrize("codes", [[1, 0], [0, 1], [-9, 0], [0, -9]])
def test_a_suite_that_failed_or_was_killed_on_one_database_is_a_failure(started, monkeypatch, codes):
    started[1].extend(codes)

    assert exit_of("test", monkeypatch=monkeypatch) != 0


@pytest.mark.parametrize(
    ("url", "runs", "left_out"),
    [("postgresql://h/x", "postgresql", "sqlite"), ("sqlite:////tmp/x", "sqlite", "postgresql")],
)
def test_a_named_database_is_the_only_one_and_the_other_is_said(
    started, monkeypatch, capsys, url, runs, left_out
):
    monkeypatch.setenv("DATABASE_URL", url)

    exit_of("test", monkeypatch=monkeypatch)

    assert databases_of(started[0]) == [runs]
    assert f"Left out: {left_out}," in capsys.readouterr().out


@pytest.mark.parametrize(("is_ci", "code"), [("true", 1), ("", 0)])
def test_a_missing_browser_is_said_and_is_a_failure_in_ci(started, monkeypatch, capsys, is_ci, code):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("CI", is_ci)

    assert exit_of("test", monkeypatch=monkeypatch) == code
    assert "no Chromium" in capsys.readouterr().out


def test_every_benchmark_runs_and_nothing_that_is_none(started, monkeypatch):
    started[1].extend([-9])

    assert exit_of("bench", monkeypatch=monkeypatch) == 1
    ran = [command[-1] for command in started[0]]
    assert "benchmarks.pages" in ran
    assert not {"benchmarks.stock", "benchmarks.__init__"} & set(ran)
