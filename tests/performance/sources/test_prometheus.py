import re
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import numpy as np
import pytest

from performance.sources.base import Query, SourceRefused, SourceUnavailable
from performance.sources.prometheus import Prometheus

NINE = datetime(2026, 1, 4, 9, tzinfo=UTC)


def read(prometheus, text, *, after=0, seconds=600, step=15.0):
    start = prometheus.start + timedelta(seconds=after)
    query = Query("busy", text, "share", 0.9)
    return Prometheus(prometheus.url).read(query, start, start + timedelta(seconds=seconds), step)


def test_a_series_stands_on_the_steps_of_its_span_and_keeps_its_gap(prometheus):
    series = read(prometheus, 'busy{machine="a"}')

    assert (series.name, series.unit, series.saturated_at) == ("busy", "share", 0.9)
    assert (series.times - prometheus.start.timestamp()).tolist() == list(range(0, 601, 15))
    expected = [np.nan if 10 <= number < 16 else float(number) for number in range(41)]
    # What was last seen is taken for one more step, as Prometheus was told to.
    known = np.flatnonzero(np.isfinite(series.values))
    assert set(range(41)) - set(known.tolist()) >= {11, 12, 13, 14, 15}
    assert [series.values[n] for n in known if n != 10] == [expected[n] for n in known if n != 10]


def test_a_span_that_begins_between_two_steps_is_read_from_the_step_before(prometheus):
    series = read(prometheus, 'busy{machine="a"}', after=7, seconds=30)

    assert (series.times - prometheus.start.timestamp()).tolist() == [0, 15, 30]


def test_several_machines_are_added_up_by_the_query(prometheus):
    assert read(prometheus, "sum(busy)", seconds=60).values.tolist() == [0, 11, 22, 33, 44]


def test_a_query_that_finds_nothing_gives_gaps(prometheus):
    series = read(prometheus, "absent_thing", seconds=60)

    assert (len(series.values), series.n) == (5, 0)


REFUSED = {
    "busy": "gives 2 series; write one",
    "sum(busy": "Prometheus answered 400: .*unclosed left parenthesis",
    "busy[5m]": "Prometheus answered 400: invalid expression type",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_query_that_can_have_no_answer_is_refused_with_the_reason(prometheus, text):
    with pytest.raises(SourceRefused, match=REFUSED[text]):
        read(prometheus, text)


def test_a_server_that_does_not_answer_is_unavailable_and_its_password_stays_secret(prometheus):
    silent = Prometheus("http://ada:hush@127.0.0.1:1", timeout=0.5)

    with pytest.raises(SourceUnavailable, match="did not answer: ConnectionError") as told:
        silent.read(Query("x", "x"), prometheus.start, prometheus.start, 15)

    assert "hush" not in str(told.value)
    assert told.value.__cause__ is None


def test_without_an_address_it_says_which_setting_names_one():
    with pytest.raises(SourceRefused, match="PROMETHEUS_URL"):
        Prometheus("")


class Answers(BaseHTTPRequestHandler):
    """Answers as its server was told."""

    def do_GET(self):
        status, content = self.server.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(
    ("status", "content", "kind", "said"),
    [
        (503, b'{"status": "error", "error": "starting up"}', SourceUnavailable, "answered 503 starting up"),
        (429, b"slow down", SourceUnavailable, "answered 429"),
        (404, b"<html>", SourceRefused, "answered 404: no reason given"),
        (401, b'{"error": "who are you?"}', SourceRefused, "answered 401: who are you?"),
        (200, b"no json", SourceRefused, "answered 200: no reason given"),
        (
            200,
            b'{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}',
            SourceRefused,
            "no series",
        ),
        (200, b"[]", SourceRefused, "answered 200: no reason given"),
        (200, b'{"status": "success"}', SourceRefused, "is no answer of Prometheus"),
        (
            200,
            b'{"status":"success","data":{"resultType":"matrix","result":[{}]}}',
            SourceRefused,
            "no answer",
        ),
    ],
)
def test_what_is_no_series_is_told_by_what_may_help(status, content, kind, said):
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        server.answer = (status, content)
        Thread(target=server.handle_request, daemon=True).start()
        source = Prometheus(f"http://127.0.0.1:{server.server_address[1]}")

        with pytest.raises(kind, match=re.escape(said)):
            source.read(Query("x", "x"), NINE, NINE, 15)
