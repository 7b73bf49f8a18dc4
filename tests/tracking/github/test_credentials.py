"""Who we are to GitHub: refreshed once for all, in time, and shown nowhere."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from tests.github_double import Server, World
from tests.tracking.github.wire import Wire, said
from tracking.ci import CIUnavailable
from tracking.ci.github.budget import Limits, ProcessBudget
from tracking.ci.github.client import installation_token
from tracking.ci.github.credentials import AppToken, PersonalToken, Unauthorized
from tracking.ci.github.memory import Memory
from tracking.ci.github.transport import Transport

NO_REDIS = "unix:///nowhere/valkey.sock"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def keys():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.Encoding.PEM
    private = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(form, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


@pytest.fixture
def double(keys):
    world = World()
    world.add_repository()
    server = Server(world)
    server.tokens.clear()
    server.app_key = keys[1]
    with server:
        yield server
    assert server.violations == []


def app(double, key, *, redis=NO_REDIS, place="acme/shop"):
    def clock():
        return double.world.now.timestamp()

    def transport(credentials):
        budget = ProcessBudget(Limits(pause=0), clock)
        return Transport(double.url, "2022-11-28", credentials, budget=budget, memory=memory, clock=clock)

    memory = Memory(redis)
    exchange = lambda signed: installation_token(transport(PersonalToken(signed)), "acme/shop")  # noqa: E731
    made = AppToken("1", key, place=place, memory=memory, exchange=exchange, clock=clock)
    return made, transport(made)


def refreshes(double):
    return len(double.calls("POST", r"access_tokens$"))


def test_an_app_gets_a_token_and_keeps_it_until_shortly_before_its_end(double, keys):
    _, transport = app(double, keys[0])

    for _ in range(3):
        assert transport.get("/repos/acme/shop").status == 200
    assert refreshes(double) == 1
    double.world.advance(3400)  # of 3600 seconds: it would end within five minutes
    assert transport.get("/repos/acme/shop").status == 200
    assert refreshes(double) == 2


def test_a_token_that_is_refused_before_its_time_is_renewed_once(double, keys):
    _, transport = app(double, keys[0])
    transport.get("/repos/acme/shop")

    double.tokens.clear()
    assert transport.get("/repos/acme/shop").status == 200
    assert refreshes(double) == 2


def test_a_second_refusal_is_said_and_not_tried_for_ever(double, keys, monkeypatch):
    _, transport = app(double, keys[0])
    transport.get("/repos/acme/shop")
    double.tokens.clear()
    monkeypatch.setattr(
        type(double), "_refused", lambda *_: None if "/app" in _[2] or "installation" in _[2] else _refusal()
    )

    with pytest.raises(Unauthorized, match="does not take the token"):
        transport.get("/repos/acme/shop")
    assert len(double.calls("GET", r"/repos/acme/shop$", 401)) == 2


def _refusal():
    from tests.github_double.saying import Said

    return Said(401, {"message": "Bad credentials"})


def test_the_app_shows_itself_on_githubs_clock(double, keys):
    double.world.faults.clock_offset = 1500
    made, transport = app(double, keys[0])
    with pytest.raises(Unauthorized):
        transport.get("/repos/acme/shop")

    transport.offset = 1500  # as every answer's Date tells
    assert made.token(1500)


def test_20_threads_refresh_once(double, keys, settings):
    _, transport = app(double, keys[0], redis=settings.REDIS_URL, place=f"threads-{time.time_ns()}")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: transport.get("/repos/acme/shop").status, range(20)))

    assert answers == [200] * 20
    assert refreshes(double) == 1


def test_four_processes_of_five_threads_refresh_once(double, keys, tmp_path):
    (tmp_path / "key.pem").write_text(keys[0])
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    told = {
        "url": double.url,
        "key": str(tmp_path / "key.pem"),
        "redis": settings.REDIS_URL,
        "place": f"processes-{time.time_ns()}",
        "now": double.world.now.timestamp(),
    }
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    workers = [
        subprocess.Popen([sys.executable, str(script), json.dumps(told)], env=variables, cwd=ROOT)
        for _ in range(4)
    ]

    assert [worker.wait(60) for worker in workers] == [0] * 4
    assert refreshes(double) == 1
    assert len(double.calls("GET", r"/repos/acme/shop$", 200)) == 20


def test_what_lies_in_the_shared_memory_is_worth_nothing_alone(double, keys, settings):
    made, transport = app(double, keys[0], redis=settings.REDIS_URL, place=f"sealed-{time.time_ns()}")
    transport.get("/repos/acme/shop")

    sealed = made.memory.get(f"token:{made.identity}")
    assert sealed
    assert made.token().encode() not in sealed


def test_a_key_that_is_none_says_what_to_do(double):
    _, transport = app(double, "no key")

    with pytest.raises(Unauthorized, match="GITHUB_APP_KEY is no private key"):
        transport.get("/repos/acme/shop")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (said(502), "no token"),
        (said(403, b'{"message": "This installation has been suspended"}'), "suspended"),
    ],
    ids=["broken", "suspended"],
)
def test_an_app_that_gets_no_token_waits_and_nothing_of_it_counts_as_sent(keys, answer, words):
    with Wire(said(200, b'{"id": 7}'), answer) as wire:
        _, transport = app(SimpleNamespace(url=wire.url, world=World()), keys[0])

        with pytest.raises(CIUnavailable, match=words):
            transport.write("POST", "/repos/acme/shop/actions/workflows/1/dispatches", {"ref": "main"})

    assert [head.split()[1] for head, _ in wire.heard] == [
        "/repos/acme/shop/installation",
        "/app/installations/7/access_tokens",
    ]


def test_tokens_of_any_length_are_sent_and_shown_in_no_text(double):
    token = "ghs_1_" + "y" * 514
    double.tokens.add(token)
    credentials = PersonalToken(token)
    transport = Transport(
        double.url,
        "2022-11-28",
        credentials,
        budget=ProcessBudget(Limits(pause=0)),
        memory=Memory(NO_REDIS),
    )

    assert transport.get("/repos/acme/shop").status == 200
    assert token not in repr(credentials) + credentials.identity + repr(transport.__dict__)


WORKER = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
import django
django.setup()
from tracking.ci.github.budget import Limits, ProcessBudget
from tracking.ci.github.client import installation_token
from tracking.ci.github.credentials import AppToken, PersonalToken
from tracking.ci.github.memory import Memory
from tracking.ci.github.transport import Transport
told = json.loads(sys.argv[1])
clock = lambda: told["now"]
memory = Memory(told["redis"])
def transport(who):
    budget = ProcessBudget(Limits(pause=0), clock)
    return Transport(told["url"], "2022-11-28", who, budget=budget, memory=memory, clock=clock)
exchange = lambda signed: installation_token(transport(PersonalToken(signed)), "acme/shop")
key = open(told["key"]).read()
app = AppToken("1", key, place=told["place"], memory=memory, exchange=exchange, clock=clock)
app = transport(app)
with ThreadPoolExecutor(5) as pool:
    assert [one.status for one in pool.map(lambda _: app.get("/repos/acme/shop"), range(5))] == [200] * 5
"""
