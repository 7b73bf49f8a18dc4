"""Whatever is sent to whatever path of the API, the answer is never a fault of the server."""

import json
import re
from contextlib import suppress
from urllib.parse import quote

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as how
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode

from access.api.throttling import ByToken
from access.tokens import new_token
from batches import tasks as batches_tasks
from config.wsgi import application
from tests.api.test_roles import fill

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("default"), pytest.mark.strict]
SCHEMA = schemathesis.openapi.from_dict(
    json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str))
)
SCHEMA.app = application
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
EXAMPLES = how(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
WORDS = [
    *("", "\0", "a\0b", "%", "\u202e", "x" * 5000, "null", "[]", "-1", "0", "NaN", "1e999", str(2**31)),
    *(str(2**63), "9" * 4400, "2026-99-99", "9999-12-31T23:59:59+23:59", "0001-01-01T00:00:00-23:59"),
    *("cD0yMDI2", "Y2Q9", "bz0xMDAwMDAwMDAwMDAw", "cD0wMDAwJTAw", "00000000-0000-0000-0000-000000000000"),
    *("1/0", "5/4", "..", "true"),
]
RAW = ["%ff%fe", "%ED%A0%80", "%"]  # no UTF-8, half of a pair, a sign alone
SHAPES = [
    *(None, True, 0, -1, 1.5, 10**30, "", "x", "\0", "\ud800", [], {}, [[]], [None], [0], [{}], {"": None}),
    *([{}] * 3, {"\0": "\0"}, {"a": {"b": {"c": []}}}),
]
ODD = [
    None,
    True,
    -1,
    10**30,
    1e308,
    "",
    "\0",
    "\ud800",
    "x" * 5000,
    [],
    {},
    [{}],
    {"\0": "\0"},
    "9999-12-31",
]


@pytest.fixture
def things(shop):
    return fill(shop)


@pytest.fixture
def who(shop, client, monkeypatch):
    """A program that may do everything, as often as it likes."""
    client.raise_request_exception = False
    monkeypatch.setattr(ByToken, "get_rate", lambda self: None)
    # As if a worker were there: to find out that there is none takes 1.5 s each time.
    monkeypatch.setattr(batches_tasks, "is_served", lambda host: True)
    monkeypatch.setattr(batches_tasks, "wake", lambda *_: None)
    # As Django's own client of tests does: the end of a request must not end the test's transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield {"Authorization": f"Bearer {new_token(shop, 'any', 'admin', by='a test')[1]}"}
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def labels(operation):
    return operation.label


KINDS = {  # where a path's collection is not called like the route of its things
    "batches": "batch",
    "performance/runs": "workload-run",
    "performance/comparisons": "component-comparison",
}


def path_of(operation, things):
    """What the path names, so that a request gets further than to 404."""
    collection = operation.path.removeprefix("/api/v1/").partition("/{")[0]
    kind = KINDS.get(collection, collection.rpartition("/")[2].removesuffix("s"))
    return {one.name: str(things[kind]) for one in operation.path_parameters if kind in things}


def test_the_description_is_valid_and_nothing_in_it_is_guessed(tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yaml"))


@pytest.mark.parametrize("operation", OPERATIONS, ids=labels)
def test_what_the_description_allows_and_what_it_forbids(operation, who, things):
    for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:

        @EXAMPLES
        @given(case=operation.as_strategy(mode, path_parameters=path_of(operation, things) or None))
        def asked(case):
            assert case.call(headers=who).status_code < 500, case.as_curl_command()

        with suppress(Unsatisfiable):  # a request without any parameter can't be a wrong one
            asked()


@pytest.mark.parametrize("operation", OPERATIONS, ids=labels)
def test_odd_words_in_every_place_of_an_address(operation, who, things, client):
    address = operation.path.format(**path_of(operation, things))
    faults = []

    def ask(where, body=b"[]"):
        answer = client.generic(operation.method, where, body, "application/json", headers=who)
        if answer.status_code >= 500:
            faults.append((where[:200], answer.content[:200]))

    words = [*map(quote, map(_sendable, WORDS)), *RAW]
    for name in sorted({one.name for one in operation.query}):
        for word in words:
            ask(f"{address}?{name}={word}")
        ask(f"{address}?{name}=1&{name}=2")
    for word in words if "{" in operation.path else []:
        ask(re.sub(r"{\w+}", lambda _, word=word: word, operation.path))

    assert faults == []


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.method in ("post", "patch")], ids=labels
)
def test_odd_bodies(operation, who, things, client):
    address = operation.path.format(**path_of(operation, things))
    faults = []

    def ask(body, kind="application/json"):
        answer = client.generic(operation.method, address, body, kind, headers=who)
        if answer.status_code >= 500:
            faults.append((body[:200], kind, answer.content[:200]))

    shapes = [json.dumps(shape).encode() for shape in [*SHAPES, *_with_odd_values(operation)]]
    cut = [b"", b"{", b"\xff\xfe", b"\0", b'{"a": NaN}', b"[" * 100_000, b'{"a":' * 50_000, b'"\xed\xa0\x80"']
    for body in [*shapes, *cut]:
        ask(body)
    for kind in "", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x", "a/b;charset=x":
        ask(b"--x\r\n\r\n--x--", kind)
        ask(b"{}", kind)

    assert faults == []


def _with_odd_values(operation):
    """Bodies with one odd value in each field, alone and in a list."""
    fields = _fields(operation)
    for field in sorted(fields):
        for value in ODD:
            yield {field: value}
    if fields:
        yield [dict.fromkeys(fields, value) for value in SHAPES]


def _fields(operation):
    """The names of what a body may have, or each thing of a list."""
    told = SCHEMA.raw_schema["paths"][operation.path][operation.method].get("requestBody", {})
    shape = told.get("content", {}).get("application/json", {}).get("schema", {})
    name = shape.get("items", shape).get("$ref", "").rpartition("/")[2]
    return set(SCHEMA.raw_schema["components"]["schemas"].get(name, {}).get("properties", {}))


def test_the_fields_of_bodies_are_known():
    assert sum(bool(_fields(one)) for one in OPERATIONS if one.method in ("post", "patch")) >= 12


def _sendable(word):
    return word.encode("utf-8", "surrogatepass")
