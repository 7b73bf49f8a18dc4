"""Workloads in a runtrail.toml: what changes is shown, twice changes nothing, hosts stay a person's word."""

import json

import pytest
from django.core.management import CommandError, call_command

from access.models import Project
from performance.hosts import NotAllowed
from performance.models import TargetHost, Workload
from performance.saving import name_host, secrets_of
from performance.trigger import start_workload_run
from tests.factories import NINE

pytestmark = pytest.mark.django_db
PROJECT = '[project]\nslug = "shop"\n'
LOAD = """
[workloads.checkout]
target = "http://127.0.0.1:8080"
environment = "aws_ecs"
description = "What visitors do."
duration = 30
arrival = { kind = "constant", rate = 50 }
requests = [{ name = "cart", path = "/cart" }]

[workloads.checkout.components.new]
target = "http://127.0.0.1:8081"

[environments.aws-ecs]
kind = "staging"
service = "local"
"""


@pytest.fixture
def load(tmp_path, capsys):
    file = tmp_path / "runtrail.toml"

    def apply(text, *arguments):
        file.write_text(PROJECT + text)
        call_command("load_profiles", str(file), *arguments)
        return capsys.readouterr().out

    apply.folder = tmp_path
    return apply


def faults_of(load, text):
    with pytest.raises(CommandError) as refused:
        load(text)
    return [line.strip() for line in str(refused.value).splitlines()[1:]]


def test_a_new_project_gets_its_workloads_with_its_environments(load):
    said = load(LOAD)

    assert "+ workload checkout" in said
    assert "+ component checkout/new" in said
    workload = Workload.objects.get()
    assert (workload.project.slug, workload.environment.name) == ("shop", "aws-ecs")
    assert workload.spec["arrival"] == {"kind": "constant", "rate": 50}
    assert workload.components.get().target == "http://127.0.0.1:8081"


def test_applied_twice_it_changes_nothing(load):
    load(LOAD)
    before = Workload.objects.get()

    assert "nothing changes" in load(LOAD)
    assert Workload.objects.get().updated_at == before.updated_at


def test_a_change_is_shown_with_both_values_before_it_is_made(load):
    load(LOAD)
    changed = LOAD.replace("rate = 50", "rate = 70").replace("What visitors do.", "Shopping.")

    said = load(changed, "--dry-run")

    assert "~ workload checkout: description 'What visitors do.' → 'Shopping.'" in said
    assert "arrival {'kind': 'constant', 'rate': 50} → {'kind': 'constant', 'rate': 70}" in said
    assert "version 2" in said
    assert Workload.objects.get().version == 1
    assert load(changed).replace("Applied to shop.", "") == said.replace(
        "Nothing was changed (--dry-run).", ""
    )
    assert Workload.objects.get().version == 2


def test_what_the_file_does_not_name_stays(load):
    load(LOAD)

    assert "nothing changes" in load("")
    assert Workload.objects.filter(is_archived=False).exists()


def test_a_load_comes_back_from_the_archive_and_that_is_said(load):
    load(LOAD)
    Workload.objects.update(is_archived=True)

    assert "is_archived True → False" in load(LOAD)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("duration = 30", "duration = -1", "line 8: workloads.checkout.duration must be a number from"),
        ("duration = 30", "durations = 30", "line 8: workloads.checkout.durations is not known here"),
        ('"/cart" }', '"cart" }', "line 10: workloads.checkout.requests[0].path "),
        ("8081", "8081/?a=1", "line 13: workloads.checkout.components.new.target must end with the path"),
        ("http://127.0.0.1:8080", "ftp://shop", "line 5: workloads.checkout.target must begin with http"),
        ("rate = 50", "rate = 0", "line 9: workloads.checkout.arrival"),
        ('"aws_ecs"', '"moon"', "line 6: workloads.checkout.environment shop has no environment 'moon'"),
        ("workloads.checkout", "workloads.Shop", "line 4: workloads.Shop.name 'Shop' may have small letters"),
    ],
)
def test_every_fault_has_its_line_and_its_key_and_nothing_is_changed(load, old, new, told):
    faults = faults_of(load, LOAD.replace(old, new))

    assert any(told in fault for fault in faults), faults
    assert not Project.objects.exists()


def test_faults_of_both_parts_are_told_together(load):
    faults = faults_of(load, LOAD.replace('"staging"', '"moon"').replace("rate = 50", "rate = 0"))

    assert len(faults) == 2
    assert any("environments.aws-ecs.kind" in fault for fault in faults)


def test_the_name_of_a_profile_is_none_for_a_workload(load):
    steps = '[[definitions.checkout.steps]]\ncommand = ["true"]\n'

    (fault,) = faults_of(load, LOAD + steps)

    assert fault.startswith("line 4: workloads.checkout shop has a test profile 'checkout' already")


@pytest.mark.parametrize("table", ['target_hosts = ["127.0.0.1"]\n', '[hosts]\n"127.0.0.1" = "ours"\n'])
def test_hosts_are_not_named_by_a_file_that_a_pull_request_changes(load, table):
    file = load.folder / "runtrail.toml"
    file.write_text(table + PROJECT + LOAD)

    with pytest.raises(CommandError, match=r"line 1: .*would decide where load goes.*workload allow"):
        call_command("load_profiles", str(file))

    assert not TargetHost.objects.exists()


def test_a_workload_of_a_foreign_host_is_kept_and_can_not_be_started_until_a_person_names_it(load):
    said = load(LOAD)

    assert "checkout can't be started yet: shop has not named 127.0.0.1:8080" in said
    workload = Workload.objects.get()
    with pytest.raises(NotAllowed):
        start_workload_run(workload, triggered_by="ada", now=NINE)
    name_host(workload.project, "127.0.0.1", by="ada")
    assert "can't be started" not in load(LOAD)
    assert start_workload_run(workload, triggered_by="ada", now=NINE)


def test_secrets_come_from_the_environment_and_are_not_shown(load, monkeypatch):
    text = LOAD.replace("duration = 30", 'duration = 30\nsecrets = { token = "$SHOP_TOKEN" }')
    monkeypatch.setenv("SHOP_TOKEN", "s3cret")
    load(text)
    monkeypatch.setenv("SHOP_TOKEN", "0ther")

    said = load(text)

    assert "~ workload checkout: secrets" in said
    assert "0ther" not in said
    assert secrets_of(Workload.objects.get()) == {"token": "0ther"}
    assert "nothing changes" in load(text)


def test_a_program_gets_the_same(load, capsys):
    told = json.loads(load(LOAD, "--format", "json"))

    assert told["applied"]
    assert "+ workload checkout" in told["changes"]
    assert len(told["hints"]) == 2
