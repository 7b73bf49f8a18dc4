"""Bodies as they come in: what no database can keep is refused with the field's name, never a crash."""

from __future__ import annotations

import io
import json
import re
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from access.api.errors import TooLarge

LARGEST = 64 << 20  # bytes of a body, which is held in memory; reports are not read here
DEEPEST = 20  # levels of a map whose keys are the user's own


_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


class CarefulJSONParser(JSONParser):
    """JSON without what nobody could write again: half of a surrogate pair, endless nesting."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise TooLarge(f"A body of JSON may have {LARGEST:,} bytes; send it in pieces.")
        try:
            found = super().parse(io.BytesIO(content), media_type, parser_context)
            if _HALF.search(content):  # most often a whole pair
                json.dumps(found, ensure_ascii=False).encode()
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except UnicodeEncodeError:
            raise ParseError("The JSON holds half of a surrogate pair.") from None
        return found


class OwnKeys(serializers.DictField):
    """A map whose keys are the user's own; they travel untouched.

    PostgreSQL keeps no NUL, so none is taken anywhere.
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
    if isinstance(value, str) and "\0" in value:
        raise serializers.ValidationError("It holds a NUL.", "unkeepable")
    return []
