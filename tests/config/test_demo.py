import socket

import pytest

from config import demo
from performance.models import TargetHost, Workload


@pytest.fixture
def shop(db, settings, tmp_path):
    """The demo, whose shop shall listen on a port that is free."""
    settings.DATA = tmp_path
    demo.make_demo()
    return demo.target_port()


def targets():
    return set(Workload.objects.values_list("target", flat=True))


def test_the_demo_has_loads_for_its_own_shop(shop):
    assert list(Workload.objects.order_by("name").values_list("name", flat=True)) == [
        "browse",
        "checkout",
        "steps",
    ]
    assert targets() == {f"http://127.0.0.1:{shop}"}
    assert TargetHost.objects.get().host == "127.0.0.1"


def test_a_demo_that_is_there_stays_as_it_is(shop):
    Workload.objects.filter(name="browse").update(description="Ours.")

    demo.make_demo()

    assert Workload.objects.get(name="browse").description == "Ours."
    assert Workload.objects.count() == 3


def test_a_port_that_somebody_took_meanwhile_is_changed_for_another_and_the_loads_are_told(shop):
    Workload.objects.filter(name="steps").update(target="http://shop.example.com")
    with socket.create_server(("127.0.0.1", shop)):
        other = demo.target_port()

    assert other not in {0, shop}
    assert targets() == {f"http://127.0.0.1:{other}", "http://shop.example.com"}
    assert set(Workload.objects.values_list("version", flat=True)) == {1}
    assert demo.target_port() == other


def test_without_a_demo_there_is_no_shop(db, settings, tmp_path):
    settings.DATA = tmp_path

    assert demo.target_port() == 0


def test_a_demo_whose_loads_go_elsewhere_needs_no_shop(shop):
    Workload.objects.update(target="http://shop.example.com")

    assert demo.target_port() == 0
