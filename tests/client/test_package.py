"""The distribution: what it declares, and how pytest finds the plugin once it is installed."""

import ast
import tomllib

import pytest

from tests.client.sessions import PLUGIN, ROOT, SOURCE, where

PACKAGE = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["project"]


@pytest.fixture
def installed(tmp_path):
    """A folder that pytest takes for an installed client: the code, and what the installer writes."""
    place = tmp_path / "site"
    place.mkdir()
    (place / "runtrail").symlink_to(SOURCE / "runtrail")
    facts = place / "runtrail_client-0.1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: runtrail-client\nVersion: 0.1.0\n")
    (entry,) = PACKAGE["entry-points"]["pytest11"].items()
    (facts / "entry_points.txt").write_text("[pytest11]\n{} = {}\n".format(*entry))
    return {"PYTHONPATH": str(place), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": ""}


@pytest.mark.parametrize("loading", [[], PLUGIN], ids=["installed", "installed and named"])
def test_an_installed_plugin_is_loaded_once(project, receiver, installed, loading):
    project.write("test_a.py", "def test_a(): pass\n")

    done = project.run(*loading, "--runtrail", **{**installed, **where(receiver)})

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("runtrail: 1 test sent") == 1
    assert len(receiver.reports) == 1


def test_an_installed_plugin_does_nothing_until_it_is_asked(project, receiver, installed):
    project.write("test_a.py", "def test_a(): pass\n")

    done = project.run(**{**installed, **where(receiver)})

    assert "runtrail:" not in done.stdout
    assert not receiver.requests
    assert not project.spool.exists()


def test_the_program_and_its_module_are_there():
    module, _, function = PACKAGE["scripts"]["runtrail-client"].partition(":")

    assert callable(getattr(__import__(module, fromlist=[function]), function))
    assert not PACKAGE.get("dependencies")


@pytest.mark.parametrize("path", sorted((SOURCE / "runtrail").glob("*.py")), ids=lambda path: path.stem)
def test_the_oldest_python_that_is_promised_reads_every_file(path):
    oldest = tuple(int(part) for part in PACKAGE["requires-python"].removeprefix(">=").split("."))

    assert ast.parse(path.read_text(), feature_version=oldest)
