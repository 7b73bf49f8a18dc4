"""Thirty edits under watch, three of them wrong: each is named, and the way back leads to the same bytes."""

import subprocess
import sys

import pytest

from tests.batches.watched import Watched, script, tree
from tests.command_line import CommandLine

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(600)]
NAMES = ["cart", "mail", "price", "stock", "user"]
TEST = "from shop import {0}\ndef test_it(): assert {0}.f(2) == 4\ndef test_zero(): assert {0}.f(0) == 0\n"


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    (root / "shop").mkdir(parents=True)
    (root / "shop/__init__.py").write_text("")
    for name in NAMES:
        (root / f"shop/{name}.py").write_text("def f(x):\n    return x * 2\n")
        (root / f"test_{name}.py").write_text(TEST.format(name))
    (root / "pytest.ini").write_text("[pytest]\n")
    (root / ".gitignore").write_text("__pycache__/\n.pytest_cache/\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=a@b", *words], cwd=root, check=True)
    return root


def test_every_break_is_pinned_to_its_batch_and_its_edit(tmp_path, project):
    line = CommandLine(tmp_path)
    line.environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    before = tree(project)
    watched = Watched(line, project, "--python", sys.executable)
    wrong = "\ndef f(x):\n    return x + 1\n"
    breaking = {2: (4, "shop/stock.py", wrong), 4: (1, "shop/cart.py", wrong), 5: (3, "shop/price.py", wrong)}

    told = script(watched, [f"shop/{name}.py" for name in NAMES], breaking, at_once=True)

    assert told == [
        (1, "PASSED", None, []),
        (2, "FAILED", 4, ["4"]),
        (3, "PASSED", None, []),
        (4, "FAILED", 1, ["1"]),
        (5, "FAILED", 3, ["3"]),
        (6, "PASSED", None, []),
    ]
    assert watched.stop() == 0
    for number in (6, 3, 1):
        line.run("batch", "rollback", str(number), "--no-test")
    assert tree(project) == before
    status = ["git", "status", "--porcelain", "--untracked-files=no"]
    assert subprocess.run(status, cwd=project, capture_output=True, check=True).stdout == b""
