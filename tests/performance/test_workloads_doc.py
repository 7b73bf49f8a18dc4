"""The examples of docs/workloads.md are read as they stand there, and no key goes without a word."""

import re
from pathlib import Path

import pytest

from performance.specification import read_spec
from performance.specified import LoadSpec
from performance.workload_file import read_file

PAGE = Path(__file__).resolve().parents[2] / "docs/workloads.md"
EXAMPLES = re.findall(r"```toml\n(.+?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: re.findall(r"workloads\.(\w+)", text)[0])
def test_an_example_of_the_page_is_right(text, tmp_path):
    wanted = read_file(text, folder=tmp_path)

    assert wanted.workloads
    for row in wanted.workloads.values():
        assert read_spec(row["spec"]).requests


def test_every_key_is_in_the_table():
    keys = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.+?) \|", PAGE.read_text(), re.MULTILINE))))

    assert set(LoadSpec.__dataclass_fields__) <= keys
