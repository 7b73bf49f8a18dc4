"""The bytes of requests: names filled in and escaped for where they stand, and answers checked."""

import base64
import json

import pytest

from performance.generators.base import Plan, read_plan
from performance.generators.content import Content, is_right
from performance.placeholders import UnknownName, fill, names_in
from performance.specification import read_spec
from performance.specified import Checks


def content_of(*requests, target="http://shop.example:8080/base/", **more):
    plan_fields = {key: more.pop(key) for key in ("headers", "variables", "secrets", "run") if key in more}
    spec = read_spec({"requests": list(requests), "users": 1, "duration": 1, **more})
    return Content(Plan(spec, target, seed=7, **plan_fields))


def parts_of(data):
    head, _, body = data.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    return line, dict(header.split(": ", 1) for header in headers), body


def test_a_request_goes_to_the_targets_own_name_below_its_path():
    line, headers, body = parts_of(content_of({"path": "/cart?x=1"}).request(0, 0, 0))

    assert line == "GET /base/cart?x=1 HTTP/1.1"
    assert headers["Host"] == "shop.example:8080"
    assert body == b""
    assert (
        parts_of(content_of({}, target="https://shop.example:443").request(0, 0, 0))[1]["Host"]
        == "shop.example"
    )
    assert parts_of(content_of({}, target="http://[::1]:90").request(0, 0, 0))[1]["Host"] == "[::1]:90"


def test_names_are_escaped_for_where_they_stand():
    content = content_of(
        {
            "method": "POST",
            "path": "/{{name}}",
            "headers": {"X-Name": "{{name}}"},
            "body": {"name": "{{name}}"},
        },
        variables={"name": 'a/b "ü"\r\nX-Evil: 1'},
    )

    line, headers, body = parts_of(content.request(0, 0, 0))

    assert line == "POST /base/a%2Fb%20%22%C3%BC%22%0D%0AX-Evil%3A%201 HTTP/1.1"
    assert "X-Evil" not in headers
    assert json.loads(body) == {"name": 'a/b "ü"\r\nX-Evil: 1'}
    assert headers["Content-Type"] == "application/json"
    assert int(headers["Content-Length"]) == len(body)


def test_rows_go_round_by_user_and_numbers_go_on():
    content = content_of({"path": "/{{user}}/{{n}}"}, data={"rows": [{"user": "ada"}, {"user": "bob"}]})

    lines = [content.request(0, n, n).split(b" ")[1].decode() for n in range(3)]

    assert lines == ["/base/ada/0", "/base/bob/1", "/base/ada/2"]


def test_data_files_have_their_size_and_names_that_no_other_run_has():
    request = {"method": "PUT", "path": "/files/{{file}}", "body": "{{file_content}}"}
    data = {"files": 2, "size": 1000}
    content = content_of(request, data=data, run="checkout_1")
    same = content_of(request, data={**data, "unique_names": False}, run="checkout_1")

    first, second, third = (parts_of(content.request(0, n, 0)) for n in range(3))

    assert first[0] == "PUT /base/files/checkout_1-0-file-0.bin HTTP/1.1"
    assert len({line for line, *_ in (first, second, third)}) == 3
    assert len(first[2]) == len(second[2]) == 1000
    assert first[2] == third[2] != second[2]
    assert parts_of(same.request(0, 5, 0))[0] == "PUT /base/files/file-1.bin HTTP/1.1"


def test_a_file_may_stand_within_a_body():
    content = content_of(
        {"method": "POST", "body": "--b\r\nname={{file}}\r\n\r\n{{file_content}}\r\n--b--"},
        data={"files": 1, "size": 10, "unique_names": False},
    )

    _, headers, body = parts_of(content.request(0, 0, 0))

    assert body.startswith(b"--b\r\nname=file-0.bin\r\n\r\n")
    assert body.endswith(b"\r\n--b--")
    assert int(headers["Content-Length"]) == len(body)


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"kind": "bearer", "secret": "key"}, "Authorization", "Bearer me:pw"),
        ({"kind": "basic", "secret": "key"}, "Authorization", f"Basic {base64.b64encode(b'me:pw').decode()}"),
        ({"kind": "header", "header": "X-Key", "secret": "key"}, "X-Key", "me:pw"),
    ],
)
def test_requests_say_who_sends_them(auth, header, value):
    content = content_of({}, auth=auth, secrets={"key": "me:pw"})

    assert parts_of(content.request(0, 0, 0))[1][header] == value


def test_headers_of_a_component_yield_to_those_of_a_request():
    content = content_of({"headers": {"X-A": "request"}}, headers={"X-A": "component", "X-B": "component"})

    headers = parts_of(content.request(0, 0, 0))[1]

    assert (headers["X-A"], headers["X-B"]) == ("request", "component")


@pytest.mark.parametrize(
    ("checks", "answer", "right"),
    [
        (Checks(), (200, 0.1, 2, b"ok"), True),
        (Checks(), (302, 0.1, 0, b""), True),
        (Checks(), (404, 0.1, 0, b""), False),
        (Checks(status=(404,)), (404, 0.1, 0, b""), True),
        (Checks(status=(404,)), (200, 0.1, 0, b""), False),
        (Checks(contains="wor"), (200, 0.1, 5, b"hello world"), True),
        (Checks(contains="moon"), (200, 0.1, 5, b"hello world"), False),
        (Checks(max_latency=0.1), (200, 0.2, 0, b""), False),
        (Checks(max_bytes=10), (200, 0.1, 11, b""), False),
        (Checks(json={"cart.items.0.id": 3}), (200, 0.1, 9, b'{"cart": {"items": [{"id": 3}]}}'), True),
        (Checks(json={"cart.items.1.id": 3}), (200, 0.1, 9, b'{"cart": {"items": [{"id": 3}]}}'), False),
        (Checks(json={"a.b": 1}), (200, 0.1, 9, b'{"a.b": 1}'), True),
        (Checks(json={"a": None}), (200, 0.1, 9, b"no json"), False),
        (Checks(json={"a": 1}), (200, 0.1, 9, b"[" * 100_000), False),
    ],
)
def test_answers_are_checked(checks, answer, right):
    assert is_right(checks, *answer) is right


def test_names_are_found_and_unknown_ones_told():
    assert names_in("/{{a}}/{{ b }}", "{{c.d}} {x} {{}} {{1}}") == {"a", "b", "c.d"}
    with pytest.raises(UnknownName):
        fill(["", "a", ""], {})


def test_secrets_come_by_standard_input(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"spec": {"requests": [{}], "users": 1, "duration": 1}, "target": "http://x"}))

    with (tmp_path / "stdin").open("w+") as stdin:
        stdin.write('{"key": "pw"}')
        stdin.seek(0)
        plan = read_plan(path, stdin)

    assert plan.secrets == {"key": "pw"}
    assert "pw" not in repr(plan)
    assert plan.address == ("http", "x", 80)
