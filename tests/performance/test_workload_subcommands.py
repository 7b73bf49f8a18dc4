"""What `workload` says of workloads, of files with faults and of what is not there."""

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from performance.models import Component, TargetHost, Workload, WorkloadRun
from tests.factories import make_environment, make_project
from tests.performance.factories import make_component, make_workload, make_workload_run

pytestmark = pytest.mark.django_db
PLAIN = "users = 1\nduration = 1\nrequests = [{}]\n"
OF_X = f'[workloads.a]\ntarget = "http://x"\n{PLAIN}'


def workload(*arguments):
    """Run a subcommand in the project demo; return what it printed."""
    out = io.StringIO()
    call_command("workload", *arguments, "--project", "demo", stdout=out)
    return out.getvalue()


def test_the_list_shows_each_with_its_last_run():
    run = make_workload_run(make_workload("checkout"))
    make_workload("other")
    make_workload("gone", is_archived=True)
    Workload.objects.filter(name="gone").update(is_archived=True)

    listed = json.loads(workload("list", "--format", "json"))

    assert [(row["name"], row["last_run"]) for row in listed] == [
        ("checkout", run.run.test_run_id),
        ("other", None),
    ]
    assert "checkout_20260104_090000" in workload("list")
    assert "never run" in workload("list")


def test_an_empty_list_says_what_to_do_next():
    make_project()

    assert "`workload load FILE`" in workload("list")


def test_a_run_is_shown_in_a_table_and_for_programs():
    run = make_workload_run(latencies=[0.0123] * 500, status="failed", stopped_early="Too slow.")

    text = workload("show", run.run.test_run_id)
    told = json.loads(workload("show", run.run.test_run_id, "--format", "json"))

    assert "Ended early: Too slow." in text
    assert "12.3 ms" in text
    assert (told["status"], told["requests"], told["seed"]) == ("failed", 500, run.seed)
    (latency,) = (one for one in told["metrics"] if one["name"] == "latency")
    assert latency["p95"] == pytest.approx(0.0123)


def test_a_dry_run_shows_the_stages_and_stores_nothing():
    spec = {
        "requests": [{}],
        "arrival": {"kind": "ramp", "rate": 5, "to_rate": 50},
        "duration": 10,
        "warmup": 2,
    }
    make_workload(spec=spec)

    text = workload("run", "checkout", "--dry-run")

    assert "0 to 2 s: warm-up, 5 requests a second" in text
    assert "2 to 12 s: load, 5 to 50 requests a second" in text
    assert not WorkloadRun.objects.exists()


def test_a_file_is_applied_whole_or_not_at_all(tmp_path):
    make_project()
    make_workload("checkout", spec={"requests": [{}], "users": 3, "duration": 1})
    file = tmp_path / "load.json"
    good = {"target": "http://x", "users": 1, "duration": 1, "requests": [{}], "components": {"two": {}}}
    file.write_text(json.dumps({"target_hosts": ["x"], "workloads": {"checkout": good}}))

    first, second = workload("load", str(file)), workload("load", str(file))
    good["components"]["two"]["price_per_hour"] = 0.5
    file.write_text(json.dumps({"workloads": {"checkout": good}}))
    dry, third = workload("load", str(file), "--dry-run"), workload("load", str(file))
    file.write_text(json.dumps({"workloads": {"new": good, "bad": {**good, "environment": "nowhere"}}}))
    with pytest.raises(CommandError, match="has no environment 'nowhere'"):
        workload("load", str(file))

    assert first.splitlines() == [
        "+ target host x",
        "~ workload checkout: target 'http://127.0.0.1:8080' → 'http://x'",
        "~ workload checkout: users 3 → 1",
        "~ workload checkout: version 2",
        "+ component checkout/two",
    ]
    assert second == "Nothing changes.\n"
    assert dry == third == "~ component checkout/two\n"
    assert Component.objects.get().price_per_hour == 0.5
    assert list(Workload.objects.values_list("name", flat=True)) == ["checkout"]


def test_a_locust_file_lies_beside_the_file_that_names_it(tmp_path):
    make_environment()
    (tmp_path / "shop.py").write_text("from locust import FastHttpUser")
    file = tmp_path / "load.toml"
    file.write_text('[workloads.own]\ntarget = "http://x"\nlocustfile = "shop.py"\nusers = 2\nduration = 1\n')

    workload("load", str(file))

    made = Workload.objects.get()
    assert (made.generator, made.locustfile) == ("locust", "from locust import FastHttpUser")


def test_a_host_is_named_once():
    make_project()

    assert "is now one of" in workload("allow", "Shop.example.com:8080")
    assert "was already one of" in workload("allow", "shop.example.com:8080")
    assert TargetHost.objects.get().host == "shop.example.com:8080"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "nothing"], r"has no workload 'nothing'. There are: checkout\."),
        (["run", "checkout", "--component", "three"], r"has no component 'three'. There are: two\."),
        (
            ["run", "checkout", "--component", "two"],
            "has not named elsewhere.example:80 as a host of its own",
        ),
        (["show", "nothing"], "There is no workload run 'nothing'"),
        (["load", "missing.toml"], r"missing\.toml can't be read: No such file or directory\."),
        (["allow", "http://x/"], r"Write a host as shop\.example\.com"),
        (["list", "--project", "none"], "There is no project 'none'"),
    ],
)
def test_what_is_not_there_is_said(arguments, told):
    make_component(workload=make_workload(), target="http://elsewhere.example")

    with pytest.raises(CommandError, match=told) as refused:
        call_command("workload", *arguments, *([] if "none" in arguments else ["--project", "demo"]))

    assert refused.value.returncode == 3
    assert not WorkloadRun.objects.exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = [", "This is no TOML: "),
        ("workload = 1", "workload: is not known here; there are target_hosts, workloads."),
        ("", "workloads: must have at least one table"),
        (OF_X.replace("[{}]", "[]"), "workloads.a.requests: must have at least one request."),
        (OF_X + 'secrets = { token = "$NOT_SET" }', "secrets.token: the variable NOT_SET is not set here."),
        (OF_X + 'secrets = { token = "abc" }', "secrets.token: must name a variable of the environment"),
        (OF_X + 'generator = "jmeter"', "workloads.a.generator: must be one of open_loop, locust"),
        (OF_X + 'locustfile = "no.py"', "workloads.a.locustfile: no.py can't be read"),
        (OF_X.replace("http://x", "http://a@b"), "workloads.a.target: must hold no user and password"),
        (
            OF_X + "[workloads.a.components.two]\nprice = 3",
            "workloads.a.components.two.price: is not known here",
        ),
        (OF_X.replace("workloads.a", "workloads.A_B"), "name: 'A_B' may have small letters"),
    ],
)
def test_faults_of_a_file_are_told_with_their_paths(tmp_path, text, told):
    make_environment()
    (tmp_path / "load.toml").write_text(text)

    with pytest.raises(CommandError) as refused:
        workload("load", str(tmp_path / "load.toml"))

    assert told in str(refused.value)
    assert str(refused.value).endswith("Nothing was changed.")
    assert not Workload.objects.exists()
