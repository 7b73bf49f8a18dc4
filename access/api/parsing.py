"""Bodies as they come in: what no database can keep is refused with the field's name, never a crash."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

DEEPEST = 20  # levels of a map whose keys are the user's own


class CarefulJSONParser(JSONParser):
    """JSON, also where it is nested deeper than Python can read."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None


class OwnKeys(serializers.DictField):
    """A map whose keys are the user's own; they travel untouched.

    PostgreSQL keeps neither a NUL nor half of a surrogate pair, so neither is taken anywhere.
    """

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        waiting, depth = [found], 0
        while waiting:
            depth += 1
            if depth > DEEPEST:
                raise serializers.ValidationError(f"It is nested deeper than {DEEPEST} levels.", "too_deep")
            waiting = [inner for value in waiting for inner in _inside(value)]
        return found


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, list):
        return value
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value)):
        raise serializers.ValidationError("It holds a NUL or half of a surrogate pair.", "unkeepable")
    return []
