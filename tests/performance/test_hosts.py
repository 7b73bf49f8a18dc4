"""No load goes to a host that the project has not named, however it is written."""

import pytest

from performance.hosts import NotAllowed, demand_own_host, read_target
from performance.models import WorkloadRun
from performance.saving import name_host, save_workload
from performance.specification import FaultySpec
from performance.trigger import start_workload_run
from tests.factories import NINE, make_environment, make_project
from tests.performance.factories import GENERATORS, SPEC, make_component, make_workload
from tracking.models import TestRun
from tracking.plan import NotRunnable


@pytest.mark.parametrize(
    ("target", "where"),
    [
        ("http://shop.example.com", "shop.example.com:80"),
        ("https://Shop.Example.com/base/", "shop.example.com:443"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("http://[0:0::1]", "[::1]:80"),
    ],
)
def test_a_target_is_a_host_and_a_port(target, where):
    assert str(read_target(target)) == where


@pytest.mark.parametrize(
    "target",
    [
        *("", "shop", "//shop", "ftp://shop", "file:///etc/passwd", "http://", "http://:80"),
        *("http://me:pw@shop", "http://shop@evil.example", "http://shop:80@evil.example/"),
        *("http://shop\\@evil.example", "http://shop/ x", "http://shop\t.example", "http://shop\n"),
        *("http://shop?x=1", "http://shop/#x", "http://shop:0", "http://shop:99999", "http://shop:x"),
        *("http://shop..example", "http://-shop", "http://shop.", "http://sh_op", "http://shöp.example"),
        *("http://[::1", "http://[::1%25eth0]", "http://[shop]", "http://%73hop"),
    ],
)
def test_what_two_programs_could_read_in_two_ways_is_no_target(target):
    with pytest.raises(FaultySpec):
        read_target(target)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("named", "target", "is_own"),
    [
        ("shop.example.com", "http://shop.example.com", True),
        ("shop.example.com", "https://SHOP.example.com:8443/x", True),
        ("shop.example.com:8080", "http://shop.example.com:8080", True),
        ("shop.example.com:8080", "http://shop.example.com", False),
        ("shop.example.com:80", "http://shop.example.com", True),
        ("shop.example.com", "http://www.shop.example.com", False),
        ("shop.example.com", "http://shop.example.com.evil.example", False),
        ("127.0.0.1", "http://localhost", False),
        ("localhost", "http://127.0.0.1", False),
        ("127.0.0.1", "http://2130706433", False),
        ("127.0.0.1", "http://127.1", False),
        ("127.0.0.1", "http://0x7f.0.0.1", False),
        ("127.0.0.1", "http://[::ffff:127.0.0.1]", False),
        ("[::1]", "http://[0:0:0:0:0:0:0:1]:9", True),
    ],
)
def test_names_are_compared_and_not_what_they_lead_to(named, target, is_own):
    project = make_project()
    name_host(project, named, by="ada")
    name_host(make_project("other"), "www.shop.example.com", by="ada")

    if is_own:
        assert demand_own_host(project, target)
    else:
        with pytest.raises(NotAllowed, match="has not named"):
            demand_own_host(project, target)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "host",
    ["", "http://x", "a b", "x:y", "*.example.com", "a/b", "shop.", "shop:0", "shop:70000", "[::1]:70000"],
)
def test_what_is_no_host_can_not_be_named(host):
    with pytest.raises(FaultySpec):
        name_host(make_project(), host, by="ada")


@pytest.mark.django_db
def test_a_run_on_a_foreign_host_stores_nothing():
    workload = make_workload(target="http://elsewhere.example")
    own = make_workload("own")
    foreign = make_component("foreign", workload=own, target="http://elsewhere.example")
    with_host = make_component("host", workload=own, headers={"Host": "elsewhere.example"})

    for arguments in ({"workload": workload}, {"workload": own, "component": foreign}):
        with pytest.raises(NotAllowed):
            start_workload_run(**arguments, triggered_by="ada", now=NINE)
    with pytest.raises(FaultySpec, match=r"headers\.Host"):
        start_workload_run(own, component=with_host, triggered_by="ada", now=NINE)
    with pytest.raises(NotRunnable, match="no component of own"):
        start_workload_run(own, component=make_component(workload=workload), triggered_by="ada", now=NINE)

    assert not TestRun.objects.exists()
    assert not WorkloadRun.objects.exists()


@pytest.mark.django_db
def test_a_locust_file_is_taken_only_from_a_shell():
    project = make_project()
    fields = {
        "target": "http://127.0.0.1",
        "spec": {"users": 1, "duration": 1},
        "environment": make_environment(),
        "locustfile": "import os",
        "generator": "locust",
        "generators": GENERATORS,
        "now": NINE,
    }

    with pytest.raises(FaultySpec, match="only from a shell"):
        save_workload(project, "own", **fields)
    assert save_workload(project, "own", **fields, is_from_shell=True)[1]


@pytest.mark.django_db
def test_names_that_stand_for_nothing_are_refused_before_the_start():
    requests = [{"path": "/{{user}}", "headers": {"X": "{{token}}"}, "body": "{{n}}"}]
    workload = make_workload(spec={**SPEC, "requests": requests}, secrets={"token": "a"})
    component = make_component(workload=workload, variables={"user": "ada"})

    with pytest.raises(FaultySpec, match=r"requests\[0\]: {{user}} stands for nothing"):
        start_workload_run(workload, triggered_by="ada", now=NINE)
    assert (
        start_workload_run(workload, component=component, triggered_by="ada", now=NINE).component == component
    )


@pytest.mark.django_db
def test_a_changed_load_is_the_next_version_and_a_changed_text_is_not():
    assert make_workload().version == 1
    assert make_workload(description="New words.").version == 1
    assert make_workload(spec={**SPEC, "duration": 20}).version == 2
    assert make_workload(spec={**SPEC, "duration": 20}, target="http://127.0.0.1:9").version == 3
