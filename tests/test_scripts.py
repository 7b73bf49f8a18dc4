"""The habits of script/ tell the truth about what they ran."""

import os
import runpy
import subprocess
import sys
import tomllib
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

    assert set(databases_of(started[0])) == {runs}
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


def test_without_arguments_the_pure_modules_are_covered_and_run_once(started, monkeypatch):
    monkeypatch.delenv("CI", raising=False)

    assert exit_of("test", monkeypatch=monkeypatch) == 0

    covered, sqlite, postgresql, loaded = [command for command in started[0] if "pytest" in command]
    assert "tests/analysis" in covered
    assert "--cov=analysis" in covered
    assert "--ignore=tests/analysis" in sqlite
    assert not any(part.startswith(("--ignore", "--cov")) for part in postgresql)
    assert "slow" in loaded
    assert "-n" not in loaded, "what measures a load runs alone on the machine"
    reports = [command for command in started[0] if "coverage" in command]
    assert [part for part in reports[0] if part.startswith("--include")] == ["--include=analysis/*"]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_pure_module_that_fails_or_is_covered_too_little_is_a_failure(started, monkeypatch, place):
    started[1].extend([0] * place + [2])

    assert exit_of("test", monkeypatch=monkeypatch) == 2


def test_chosen_tests_are_not_held_to_the_coverage_of_all(started, monkeypatch):
    assert exit_of("test", "tests/access", monkeypatch=monkeypatch) == 0

    assert not any("cov" in part for command in started[0] for part in command)


def test_all_that_is_named_for_coverage_is_there():
    chosen = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["runtrail"]["coverage"]

    for group in chosen["modules"].values():
        assert all(list(ROOT.glob(pattern)) for pattern in group)
    assert all((ROOT / path).exists() for path in chosen["tests"])


def test_plain_pytest_of_the_environment_finds_the_checkout(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "script")
    import _environment

    packages = tmp_path / ".venv/lib/python3.11/site-packages"
    packages.mkdir(parents=True)
    shared = tmp_path / "shared"
    shared.symlink_to(tmp_path / ".venv")

    _environment.name_checkout(shared)
    assert list(packages.iterdir()) == [], "an environment of several checkouts belongs to none"
    _environment.name_checkout(tmp_path / ".venv")
    _environment.name_checkout(tmp_path / ".venv")

    assert [place.read_text() for place in packages.glob("*.pth")] == [f"{ROOT}\n"]
