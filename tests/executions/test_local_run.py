"""Which interpreter runs the user's tests."""

import sys

import pytest

from tracking.interpreter import NoPython, find_python

HAS_PYTEST = f'#!/bin/sh\nexec {sys.executable} "$@"\n'
NO_PYTEST = "#!/bin/sh\nexit 1\n"


@pytest.fixture
def machine(tmp_path):
    def make(name, text=HAS_PYTEST):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    make.folder = tmp_path / "project"
    (make.folder / "inner").mkdir(parents=True)
    (make.folder / ".git").mkdir()
    make.path = str(tmp_path / "bin")
    make.own = tmp_path / "runtrail" / ".venv"
    return make


def find(machine, folder=None, **options):
    variables = {"PATH": machine.path, **options.pop("variables", {})}
    return find_python(folder or machine.folder, variables, own=machine.own, **options)


def test_the_order_is_chosen_workspace_active_beside_path(machine):
    python3 = machine("bin/python3")
    assert find(machine) == python3

    beside = machine("project/.venv/bin/python")
    assert find(machine) == find(machine, machine.folder / "inner") == beside

    active = machine("active/bin/python")
    variables = {"VIRTUAL_ENV": str(active).removesuffix("/bin/python")}
    assert find(machine, variables=variables) == active

    of_workspace, chosen = machine("workspace/python"), machine("chosen/python")
    assert find(machine, variables=variables, of_workspace=of_workspace) == of_workspace
    assert find(machine, variables=variables, of_workspace=of_workspace, chosen=chosen) == chosen
    assert find(machine, chosen="python3") == python3


def test_an_environment_above_the_repository_is_not_the_projects(machine):
    machine(".venv/bin/python")
    python3 = machine("bin/python3")

    assert find(machine, machine.folder / "inner") == python3


def test_our_own_environment_is_taken_for_our_own_tests_only(machine):
    ours = machine("runtrail/.venv/bin/python")
    python3 = machine("bin/python3")
    variables = {"VIRTUAL_ENV": str(machine.own)}

    assert find(machine, variables=variables) == python3
    assert find(machine, machine.own.parent, variables=variables) == ours


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "name one with --python"),
        ({"chosen": "/no/such/python"}, "no Python at '/no/such/python'"),
    ],
)
def test_without_an_interpreter_it_says_what_to_do(machine, options, said):
    with pytest.raises(NoPython, match=said):
        find(machine, **options)


def test_an_interpreter_without_pytest_is_named(machine):
    python3 = machine("bin/python3", NO_PYTEST)

    with pytest.raises(NoPython, match=f"{python3} has no pytest"):
        find(machine)
