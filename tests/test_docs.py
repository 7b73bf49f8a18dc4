"""Documentation is held against the code, so it can't rot silently."""

import ast
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from tracking.timing import METHODS, QUALITIES

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
READERS = {"text", "number", "flag", "secret", "words", "one_of", "folder", "url", "redis", "get"}
READERS |= {"database", "other_database"}
OURS = {"config", "access", "tracking", "executions", "performance", "batches"}


def variables_read():
    """Names that config/ and the commands read from the environment."""
    folders = [ROOT / "config", *(ROOT / app / "management" for app in sorted(OURS - {"config", "access"}))]
    for source in [ROOT / "manage.py", *(path for folder in folders for path in folder.rglob("*.py"))]:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                reads = node.func.attr in READERS and ast.unparse(node.func.value) in {"env", "os.environ"}
                if reads and isinstance(node.args[0], ast.Constant):
                    yield node.args[0].value


def test_every_variable_has_a_heading_and_every_heading_a_variable():
    headings = set(re.findall(r"^## (\w+)$", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE))

    assert headings == set(variables_read())


def test_every_command_has_a_heading():
    headings = set(re.findall(r"^## (\w+)$", (ROOT / "docs/commands.md").read_text(), re.MULTILINE))
    commands = {name for name, app in get_commands().items() if app in OURS}

    assert commands
    assert commands == headings - {"Scripts"}


def test_every_way_a_number_was_obtained_is_explained():
    text = (ROOT / "docs/metrics.md").read_text()

    for word in [*METHODS, *QUALITIES]:
        assert f"| `{word}` |" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} points to {target}"


def test_decisions_are_numbered_and_short():
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))

    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        assert len(page.read_text().splitlines()) <= 25, page.name


def test_every_question_of_the_tracking_systems_document_is_answered():
    text = (ROOT / "docs/troubleshooting.md").read_text()

    for question in ("aren't being tagged", "Can't find my test run", "show wrong job_name"):
        assert re.search(rf"### Q: .*{re.escape(question)}\n\S", text)
