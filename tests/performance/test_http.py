"""The HTTP client reads every answer that a server may give, however it is cut into pieces."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from performance.generators.http import Call, Connection
from performance.generators.server_timing import parse

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Wire:
    """Stands for the pool and the transport; remembers what the connection made of its pieces."""

    def __init__(self, method="GET"):
        self.answers, self.lost_calls, self.aborted, self.timing = [], [], False, b""
        self.connection = Connection(self)
        self.connection.connection_made(self)
        self.call = Call(0.0, 0, method, b"")
        self.call.body = []
        self.connection.send(self.call)

    def write(self, data): ...

    def abort(self):
        self.aborted = True

    def answered(self, connection, call, status, timing):
        self.answers.append((status, b"".join(call.body), connection.closes))
        self.timing = timing

    def lost(self, connection, call):
        self.lost_calls.append(call)

    def hear(self, pieces, end=False):
        for piece in pieces:
            if not self.aborted:
                self.connection.data_received(piece)
        if end:
            self.connection.connection_lost(None)
        return self


ANSWERS = [
    (OK + b"Content-Length: 5\r\n\r\nhello", (200, b"hello", False)),
    (b"HTTP/1.1 404 Not Found\r\ncontent-length:0\r\n\r\n", (404, b"", False)),
    (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"", False)),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", (304, b"", False)),
    (OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", (200, b"ok", True)),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", (200, b"ok", True)),
    (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", (200, b"ok", False)),
    (CHUNKS + b"5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\n\r\n", (200, b"hello world", False)),
    (CHUNKS + b"3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n", (200, b"abc", False)),
    (CHUNKS + b"0\r\n\r\n", (200, b"", False)),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok", (200, b"ok", False)),
    (b"HTTP/1.1 103 Early Hints\r\nL: a\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\n1", (200, b"1", False)),
    (OK + b"Content-Length: 2\r\n\r\nok and more", (200, b"ok", True)),
    (b"HTTP/1.1 302 Found\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n", (302, b"", False)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "answer"), ANSWERS, ids=lambda value: value[:60] if isinstance(value, bytes) else ""
)
def test_an_answer_is_read_at_once_and_byte_by_byte(data, answer):
    assert Wire().hear([data]).answers == [answer]
    # What comes after the end has not arrived yet when the bytes drip.
    dripped = Wire().hear([data[place : place + 1] for place in range(len(data))]).answers
    assert dripped[0][:2] == answer[:2]


@settings(max_examples=100)
@given(st.sampled_from(ANSWERS[:12]), st.lists(st.integers(0, 120), max_size=6))
def test_where_it_is_cut_makes_no_difference(case, cuts):
    data, answer = case
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[begin:end] for begin, end in pairwise(places) if end > begin]

    assert Wire().hear(pieces).answers == [answer]


def test_an_answer_without_a_length_ends_with_its_connection():
    wire = Wire().hear([OK + b"\r\nall ", b"of it"], end=True)

    assert wire.answers == [(200, b"all of it", True)]
    assert wire.lost_calls == [None]


def test_an_answer_to_head_has_no_body():
    assert Wire("HEAD").hear([OK + b"Content-Length: 5000\r\n\r\n"]).answers == [(200, b"", False)]


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        OK + b"Content-Length: -5\r\n\r\n",
        OK + b"Content-Length: 5x\r\n\r\n",
        CHUNKS + b"zz\r\n",
        CHUNKS + b"-5\r\nhello\r\n0\r\n\r\n",
        CHUNKS + b"1_0\r\nhello",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000,
    ],
)
def test_what_is_no_answer_ends_the_connection(data):
    wire = Wire().hear([data])

    assert wire.aborted
    assert wire.answers == []


def test_a_connection_that_ends_in_the_middle_loses_its_request():
    wire = Wire().hear([OK + b"Content-Length: 5\r\n\r\nhel"], end=True)

    assert wire.answers == []
    assert wire.lost_calls == [wire.call]


def test_what_nobody_asked_for_ends_the_connection():
    wire = Wire().hear([OK + b"Content-Length: 0\r\n\r\n", b"HTTP/1.1 408 Request Timeout\r\n\r\n"])

    assert wire.aborted


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data):
    Wire().hear([OK, data]).hear([b"\r\n\r\n" + data], end=True)


@pytest.mark.parametrize(
    ("header", "parts"),
    [
        (b"db;dur=53.2", [("db", 0.0532)]),
        (b'cache;desc="Read, then; write";dur=23, db;dur="1"', [("cache", 0.023), ("db", 0.001)]),
        (b"miss, db;desc=x", []),
        (b"db;DUR=1.5;desc=a , app ; dur = 2", [("db", 0.0015), ("app", 0.002)]),
        (b"db;dur=x, a;dur=-1, b;dur=nan, c;dur=inf", []),
        (b"x" * 100 + b";dur=1", [("x" * 40, 0.001)]),
    ],
)
def test_server_timing_is_read(header, parts):
    assert list(parse(header)) == [(name, pytest.approx(seconds)) for name, seconds in parts]
