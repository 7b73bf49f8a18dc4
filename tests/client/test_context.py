"""What CI services tell, as each of them writes it."""

import json
from pathlib import Path

import pytest

from runtrail.context import SERVICES, ci_facts

# What each service puts into the environment, and what is to be understood by it.
CASES = json.loads(Path(__file__).with_name("ci_services.json").read_text())
GITHUB = CASES["github push"]["environment"]
SHA = GITHUB["GITHUB_SHA"]


@pytest.mark.parametrize("name", CASES)
def test_each_service_is_understood(name):
    environment, expected = CASES[name]["environment"], CASES[name]["expected"]

    found = ci_facts(environment)

    if "ci" not in expected:
        found = {key: value for key, value in found.items() if key != "ci"}
    assert found == expected


def test_every_service_has_a_case():
    tried = {ci_facts(case["environment"])["ci"]["provider"] for case in CASES.values()}

    assert tried == {provider for _, provider, _ in SERVICES} | {"unknown"}


def test_a_pull_request_counts_as_its_head_not_as_the_merge_that_was_checked_out(tmp_path):
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"head": {"sha": "f" * 40}}}))

    found = ci_facts({**GITHUB, "GITHUB_REF": "refs/pull/7/merge", "GITHUB_EVENT_PATH": str(event)})

    assert found["commit"] == "f" * 40


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pull_request": null}'])
def test_an_event_without_a_head_leaves_the_commit(tmp_path, text):
    event = tmp_path / "event.json"
    event.write_text(text)

    assert ci_facts({**GITHUB, "GITHUB_EVENT_PATH": str(event)})["commit"] == SHA


@pytest.mark.parametrize("environment", [{}, {"CI": ""}, {"CI": "false"}, {"CI": "0"}])
def test_a_desk_is_no_service(environment):
    assert ci_facts(environment) == {}
