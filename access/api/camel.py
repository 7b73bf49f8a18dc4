"""camelCase outside, snake_case inside: fields are renamed when a serializer is built.

Not by a renderer that rewrites all keys: that would rewrite the keys that users chose, too.
"""

from __future__ import annotations

import re
from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from rest_framework import serializers


def camel(name: str) -> str:
    """Return `started_at` as `startedAt`."""
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def camelized(found: Any) -> Any:
    """Rename all keys of what Runtrail wrote; nothing in it may have keys that users gave."""
    if isinstance(found, dict):
        return {camel(name): camelized(value) for name, value in found.items()}
    return [camelized(value) for value in found] if isinstance(found, list) else found


class CamelFields:
    """Serializers whose declared and model fields are spelled in camelCase outside."""

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()  # type: ignore[misc]
        renamed = {}
        for name, field in fields.items():
            if camel(name) != name and field.source is None:
                field.source = name
            renamed[camel(name)] = field
        return renamed

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            fields = self.fields  # type: ignore[attr-defined]
            asked = {camel(key): key for key in data if isinstance(key, str) and key not in fields}
            # Not to be overlooked in silence: what is optional would be missing without a word.
            wrong = {name: [f"Write it as {name}."] for name in asked if name in fields}
            if wrong:
                raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)  # type: ignore[misc]


class CamelSerializer(CamelFields, serializers.Serializer[Any]):
    """A serializer of plain objects or dictionaries."""


class CamelModelSerializer(CamelFields, serializers.ModelSerializer[Any]):
    """A serializer of rows."""

    def update(self, instance: Any, validated_data: Any) -> Any:
        with transaction.atomic():
            return super().update(self.as_it_is_now(instance), validated_data)

    @staticmethod
    def as_it_is_now(instance: Any) -> Any:
        """Read the row anew under a lock: saving writes every column, what others changed meanwhile too."""
        return get_object_or_404(type(instance)._base_manager.select_for_update(no_key=True), pk=instance.pk)
