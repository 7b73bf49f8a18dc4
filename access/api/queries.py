"""Which parameters an address may have: those that the description of the API names, and no others.

A filter that is overlooked in silence answers with everything, and a misspelt `treeHash` is lost for good.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from access.api.camel import camel

OF_EVERY_ADDRESS = frozenset({"project"})


def demand_known(request: Request, view: Any) -> None:
    """Refuse parameters that the action of `view` does not know.

    Raises:
        rest_framework.exceptions.ValidationError: by parameter, what to write instead.
    """
    known = known_parameters(view, request.method or "")
    wrong = {name: [_advice(name, known)] for name in request.query_params if name not in known}
    if request.query_params.get("format") == "json":  # what is answered anyway
        wrong.pop("format", None)
    if wrong:
        raise ValidationError(wrong)


def _advice(name: str, known: frozenset[str]) -> str:
    if camel(name) != name:
        return f"Write it as {camel(name)}."
    meant = {one.lower(): one for one in known}.get(name.lower())
    if meant:
        return f"Write it as {meant}."
    there = ", ".join(sorted(known - OF_EVERY_ADDRESS))
    return (
        f"There is no such parameter here. There are: {there}." if there else "Nothing can be asked for here."
    )


def known_parameters(view: Any, method: str) -> frozenset[str]:
    """The names of the parameters of the action that `view` is at, as its description has them."""
    key = (type(view), view.action, method)
    if key not in _FOUND:
        _FOUND[key] = OF_EVERY_ADDRESS.union(_known(view, method))
    return _FOUND[key]


_FOUND: dict[tuple[type, str, str], frozenset[str]] = {}


def _known(view: Any, method: str) -> Iterator[str]:
    handler = getattr(view, view.action, None)
    kwargs = getattr(handler, "kwargs", {})
    if "schema" in kwargs:
        told = kwargs["schema"]()
        told.view, told.method = view, method
        yield from (one.name for one in told.get_override_parameters() if one.location == "query")
    if method not in {"GET", "HEAD"}:
        return
    pages = kwargs.get("pagination_class", view.pagination_class)
    if pages is not None and (view.action == "list" or (kwargs and view.action != "retrieve")):
        yield from (one["name"] for one in pages().get_schema_operation_parameters(view))
    if view.action == "list":
        filters = getattr(view, "filterset_class", None)
        yield from filters.base_filters if filters else getattr(view, "filterset_fields", ())
