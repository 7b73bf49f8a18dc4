"""GitHub's own API description as the judge of every request and every answer.

Where the description is wrong or stricter than GitHub, it is put right here, each with its reason.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.paths.exceptions import PathNotFound

from tests.shared_data import PLACE

FOLDER = PLACE / "github"
FILES = {
    "2022-11-28": FOLDER / "github-actions-openapi-2022-11-28.json",
    "2026-03-10": FOLDER / "github-actions-openapi.json",
}


def is_there() -> bool:
    return all(path.is_file() for path in FILES.values())


@cache
def description(version: str) -> OpenAPI:
    data = json.loads(FILES[version].read_text())
    for path, item in data["paths"].items():
        for operation in item.values():
            if not isinstance(operation, dict):
                continue
            for parameter in operation.get("parameters", []):
                # A number fits both halves of "integer or file name", and is refused for that.
                if parameter.get("name") == "workflow_id" or parameter.get("$ref", "").endswith(
                    "workflow-id"
                ):
                    parameter.pop("$ref", None)
                    parameter |= {"name": "workflow_id", "in": "path", "required": True}
                    parameter["schema"] = {"type": "string"}
            if path.endswith(("/contents/{path}", "/git/ref/{ref}")):
                operation["x-slashes"] = True  # its last parameter may hold slashes, which OpenAPI can't say
    # "The job's outcome, null while it goes on" is in no list of outcomes.
    data["components"]["schemas"]["job"]["properties"]["conclusion"]["enum"].append(None)
    data["servers"] = [{"url": "http://github.test"}]
    return OpenAPI.from_dict(data)


class Asked:
    """A request in the form that openapi-core reads."""

    host_url = "http://github.test"
    content_type = "application/json"

    def __init__(self, method: str, url: str, body: bytes) -> None:
        parts = urlsplit(url)
        self.method, self.path, self.body = method.lower(), _one_word(parts.path), body or None
        self.parameters = RequestParameters(query=dict(parse_qsl(parts.query)))


class Answered:
    """An answer in the form that openapi-core reads."""

    content_type = "application/json"

    def __init__(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.status_code, self.data, self.headers = status, data, headers


def faults_of(
    version: str,
    method: str,
    url: str,
    body: bytes,
    status: int,
    data: bytes,
    headers: dict[str, str] | None = None,
) -> list[str]:
    """Return what the description says against a request and its answer; empty when nothing."""
    api = description(version or "2022-11-28")
    asked = Asked(method, url, body)
    found = []
    for what, check in (
        ("request", lambda: api.validate_request(asked)),
        ("answer", lambda: api.validate_response(asked, Answered(status, data, headers or {}))),
    ):
        if what == "answer" and status >= 400:
            continue  # the description has few of them, and GitHub's errors are not in it
        try:
            check()
        except PathNotFound:
            return [f"{method} {url}: no such path"] if "/repositories/" not in url else []
        except OpenAPIError as problem:
            found.append(f"{method} {url}: {what}: {_deep(problem)}")
    return found


def _one_word(path: str) -> str:
    for end in ("/contents/", "/git/ref/"):
        before, there, after = path.partition(end)
        if there:
            return before + there + after.replace("/", "%2F")
    return path


def _deep(problem: BaseException) -> str:
    said: list[Any] = [problem]
    while said[-1].__cause__:
        said.append(said[-1].__cause__)
    errors = getattr(said[-1], "schema_errors", None) or []
    return "; ".join([str(said[-1]), *[f"{list(e.path)}: {e.message}" for e in list(errors)[:5]]])[:600]
