"""HTTP with GitHub: reads may be repeated, writes are sent once, whatever the network does."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.github_double import Faults, Server, World
from tests.github_double.server import TOKEN
from tests.tracking.github.wire import Wire, said
from tracking.ci import CIBusy, CILost, CIRefused, CIUnavailable, Unexpected
from tracking.ci.github import answers as answers_module
from tracking.ci.github.answers import NotThere
from tracking.ci.github.budget import Limits, ProcessBudget
from tracking.ci.github.client import Client
from tracking.ci.github.connection import transport_to
from tracking.ci.github.credentials import PersonalToken, Unauthorized
from tracking.ci.github.memory import Memory
from tracking.ci.github.transport import Transport

NO_REDIS = "unix:///nowhere/valkey.sock"
FAST = Limits(pause=0, writes_per_minute=9999, writes_per_hour=9999, points_per_minute=99999)


def speak(url, *, token=TOKEN, sleeps=None):
    return Transport(
        url,
        "2022-11-28",
        PersonalToken(token),
        budget=ProcessBudget(FAST),
        memory=Memory(NO_REDIS),
        sleep=(sleeps if sleeps is not None else []).append,
    )


@pytest.fixture
def double():
    world = World(Faults())
    repo = world.add_repository()
    world.add_file(repo)
    with Server(world) as server:
        yield server


def test_a_read_is_repeated_and_a_write_is_not():
    sleeps = []
    with Wire(said(500), b"", said(200, b'{"a": 1}')) as wire:
        assert speak(wire.url, sleeps=sleeps).get("/x").data == {"a": 1}
    assert sleeps == [0.5, 1.0]

    with Wire(said(500), said(200)) as wire, pytest.raises(CILost):
        speak(wire.url).write("POST", "/x", {})
    assert len(wire.heard) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
        b"rubbish\r\n\r\n",
        said(502, b"<html>"),
        said(503),
    ],
)
def test_a_write_whose_answer_is_lost_may_have_been_done(answer):
    with Wire(answer) as wire, pytest.raises(CILost):
        speak(wire.url).write("POST", "/x", {"ref": "main"})
    assert [body for _, body in wire.heard] == [b'{"ref": "main"}']


def test_a_write_that_never_left_was_surely_not_done():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"

    with pytest.raises(CIUnavailable, match="can't be reached"):
        speak(url).write("POST", "/x", {})


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_never_turns_a_post_into_a_get(status):
    with (
        Wire(said(201, b'{"done": true}')) as there,
        Wire(said(status, b"", f"Location: {there.url}/y")) as here,
    ):
        assert speak(here.url).write("POST", "/x", {"ref": "main"}).data == {"done": True}

    assert there.heard[0][0].startswith("POST /y ")
    assert there.heard[0][1] == b'{"ref": "main"}'


def test_the_token_does_not_go_to_another_server():
    with Wire(said(200, b"zip")) as blobs, Wire(said(302, b"", f"Location: {blobs.url}/f.zip")) as api:
        found = b"".join(speak(api.url).download("/artifact/zip", most=100))

    assert found == b"zip"
    assert f"Bearer {TOKEN}" in api.heard[0][0]
    assert "authorization" not in blobs.heard[0][0].lower()


def test_a_file_larger_than_was_agreed_is_not_read_on():
    with Wire(said(200, b"x" * 200_000)) as wire, pytest.raises(Unexpected, match="larger than 100,000"):
        list(speak(wire.url).download("/f", most=100_000))


def test_a_circle_of_redirects_ends():
    with Wire(*[said(302, b"", "Location: /x")] * 9) as wire, pytest.raises(CIUnavailable, match="circle"):
        speak(wire.url).get("/x")


@pytest.mark.parametrize(
    ("status", "headers", "error", "text"),
    [
        (401, [], Unauthorized, "does not take the token"),
        (404, [], NotThere, "may not see it"),
        (410, [], NotThere, "410"),
        (422, [], CIRefused, "422"),
        (429, ["Retry-After: 7"], CIBusy, "limit"),
        (403, ["Retry-After: 7"], CIBusy, "limit"),
        (403, ["x-ratelimit-remaining: 0"], CIBusy, "limit"),
        (403, [], CIRefused, "403"),
        (500, [], CILost, "500"),
    ],
)
def test_every_refusal_of_a_write_is_what_it_is(status, headers, error, text):
    with (
        Wire(said(status, b'{"message": "No."}', *headers)) as wire,
        pytest.raises(error, match=text) as caught,
    ):
        speak(wire.url).write("POST", "/x", {})
    assert type(caught.value) is error


def test_a_limit_closes_the_way_for_everybody_until_it_is_over():
    with Wire(said(403, b'{"message": "secondary rate limit"}', "Retry-After: 40")) as wire:
        transport = speak(wire.url)
        with pytest.raises(CIBusy) as first:
            transport.write("POST", "/x", {})
        with pytest.raises(CIBusy) as second:
            transport.get("/x")

    assert first.value.retry_after == 40
    assert 39 < second.value.retry_after <= 40
    assert len(wire.heard) == 1


def test_what_has_not_changed_costs_nothing(double):
    client = Client(speak(double.url), "acme/shop")

    first, second = client.repository(), client.repository()

    assert first == second
    assert [call.status for call in double.calls("GET", r"/repos/acme/shop$")] == [200, 200]
    assert double.calls()[-1].conditional
    assert client.transport.turns.tally == {"calls": 2, "not_modified": 1}


def test_another_token_drops_what_was_remembered(double):
    double.tokens.add("other")
    memory = Memory(NO_REDIS)
    for token in (TOKEN, "other"):
        transport = speak(double.url, token=token)
        transport.memory = memory
        transport.get("/repos/acme/shop", keep=True)

    assert not any(call.conditional for call in double.calls())


def test_pages_are_followed_to_the_end(double):
    repo, file = double.world.repos[0], next(iter(double.world.repos[0].files.values()))
    for _ in range(230):
        double.world.start(repo, file, "main", {})

    pages = list(Client(speak(double.url), "acme/shop").runs())

    assert [len(page) for page in pages] == [100, 100, 30]
    assert len({one.id for page in pages for one in page}) == 230


def test_a_next_page_on_another_server_is_not_followed():
    link = 'Link: <http://127.0.0.2:1/evil>; rel="next"'
    with (
        Wire(said(200, b'{"workflow_runs": []}', link)) as wire,
        pytest.raises(Unexpected, match="another server"),
    ):
        list(Client(speak(wire.url), "acme/shop").runs())


@pytest.mark.parametrize("body", [b"<html>", b"[1, 2", b"\xff\xfe"])
def test_an_answer_that_is_no_json_is_said_to_be_none(body):
    with Wire(said(200, body)) as wire, pytest.raises(Unexpected, match="no JSON"):
        speak(wire.url).get("/x")


def test_an_answer_of_any_size_is_not_taken(monkeypatch):
    monkeypatch.setattr(answers_module, "LARGEST", 1000)
    with Wire(said(200, b"[" + b"1," * 2000 + b"1]")) as wire, pytest.raises(Unexpected, match="larger"):
        speak(wire.url).get("/x")


def test_a_kept_connection_that_was_closed_meanwhile_does_not_look_like_a_lost_answer(double):
    transport = speak(double.url)
    transport.get("/repos/acme/shop")
    double.http.shutdown()
    double.http.server_close()
    again = Server(double.world, port=int(double.url.rsplit(":", 1)[1]))
    with again:
        number = next(iter(double.world.repos[0].files))
        answer = transport.write(
            "POST", f"/repos/acme/shop/actions/workflows/{number}/dispatches", {"ref": "main"}
        )
    assert answer.status == 204


def test_githubs_clock_is_known_from_every_answer(double):
    double.world.faults.clock_offset = 90
    transport = speak(double.url)
    transport.clock = lambda: double.world.now.timestamp()

    transport.get("/repos/acme/shop")

    assert transport.offset == 90


def test_each_thread_has_its_own_session_and_tally_and_all_share_one_budget():
    place = {"api_url": "http://127.0.0.1:9", "version": "", "app_id": "", "app_key": "", "repository": ""}
    place |= {"redis_url": NO_REDIS, "limits": Limits()}
    here = transport_to(**place, token="of all")
    with ThreadPoolExecutor(1) as pool:
        there = pool.submit(transport_to, **place, token="of all").result()

    there.turns.take(is_write=False)

    assert here.turns.take_tally() == ({}, 0.0)
    assert there.session is not here.session
    assert (there.turns.budget, there.credentials) == (here.turns.budget, here.credentials)
    assert transport_to(**place, token="of all") is here
