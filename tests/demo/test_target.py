import json
import os
import socket
import subprocess
import sys
import urllib.error

import pytest

from demo.target.switches import BadSwitch, Switches, read_switches
from performance.generators.server_timing import parse
from tests.demo.conftest import ROOT, opened


def parts_of(shop, path, method="GET"):
    _, headers = shop.ask(path, method)
    return dict(parse(headers["Server-Timing"].encode()))


@pytest.mark.parametrize(
    ("path", "method", "parts"),
    [
        ("/catalog", "GET", {"database", "rendering"}),
        ("/product/3", "GET", {"database", "rendering"}),
        ("/cart/ada", "POST", {"database", "rendering"}),
        ("/checkout/ada", "POST", {"database", "payment", "rendering"}),
        ("/upload/a.txt", "PUT", {"database"}),
    ],
)
def test_every_page_tells_its_parts_and_their_sum(shop, path, method, parts):
    told = parts_of(shop, path, method)

    assert set(told) == parts | {"lock", "total"}
    assert sum(told[name] for name in parts) <= told["total"]


def test_what_is_put_into_a_cart_is_shown_there(shop):
    for _ in range(2):
        shop.ask("/cart/eve", "POST")

    body, _ = shop.ask("/cart/eve")

    assert body.count(b"<tr>") >= 1


def test_an_upload_is_answered_with_its_size_and_digest(shop):
    body, _ = shop.ask("/upload/a", "POST", "x")

    assert json.loads(body)["size"] == 3


def test_switches_move_while_it_runs_and_can_be_turned_off_together(shop):
    with shop.switched(database=0.08):
        assert parts_of(shop, "/catalog")["database"] >= 0.08
        assert json.loads(shop.ask("/switches")[0])["database"] == 0.08

    assert json.loads(shop.ask("/switches")[0])["database"] == 0


def test_a_failing_shop_still_tells_how_it_is(shop):
    with shop.switched(errors=1):
        with pytest.raises(urllib.error.HTTPError, match="500"):
            shop.ask("/catalog")
        assert shop.ask("/health")[0] == b"ok\n"


@pytest.mark.parametrize("content", [{"databse": 1}, {"database": -1}, {"database": "x"}, [1]])
def test_a_switch_that_there_is_not_is_refused(shop, content):
    with pytest.raises(urllib.error.HTTPError, match="400"):
        shop.ask("/switches", "POST", content)


@pytest.mark.parametrize("path", ["/nothing", "/product/0", "/product/x"])
def test_what_there_is_not_is_not_found(shop, path):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        shop.ask(path)


def test_switches_come_by_environment_and_command_line():
    environment = {**os.environ, "DEMO_TARGET_SWITCHES": "rendering=0.03,errors=0.5"}

    with opened("--slow", "database=0.04", "--switch", "errors=0", **environment) as shop:
        told = parts_of(shop, "/catalog")

    assert told["rendering"] >= 0.03
    assert told["database"] >= 0.04


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--slow", "cache=1"], "There is no switch 'cache'"), (["--switch", "lock"], "database=0.05")],
)
def test_a_faulty_command_line_says_what_is_possible(arguments, said):
    command = [sys.executable, "-m", "demo.target", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert said in done.stderr


def test_a_port_that_is_taken_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "demo.target", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "can't be used: Address already in use. Choose another." in done.stderr


def test_a_switch_keeps_its_kind():
    made = Switches().changed(read_switches(["workers=2", "lock=0.5"]))

    assert (made.workers, made.lock) == (2, 0.5)
    with pytest.raises(BadSwitch):
        Switches().changed({"workers": True})
