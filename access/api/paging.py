"""Lists in pages: by cursor where a list grows without bound, by number elsewhere."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import DataError
from rest_framework.exceptions import NotFound
from rest_framework.exceptions import ValidationError as Invalid
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.request import Request


class ByCursor(CursorPagination):
    """For what never ends: a page costs the same however far down it lies.

    `orders` are the other orders that may be asked for, as `?ordering=NAME` or `-NAME`: what there is an
    index for, by its name over HTTP, with the fields that make it.
    """

    orders: ClassVar[dict[str, tuple[str, ...]]] = {}
    page_size = 50
    max_page_size = 1000
    page_size_query_param = "pageSize"
    cursor_query_param = "cursor"
    ordering = "-pk"

    def get_page_size(self, request: Request) -> int:
        _size_asked_for(request, self.page_size_query_param)
        return super().get_page_size(request) or self.page_size

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> Any:
        asked = request.query_params.get("ordering")
        if asked is None or not self.orders:
            return super().get_ordering(request, queryset, view)
        fields = self.orders.get(asked.removeprefix("-"))
        if fields is None:
            there = ", ".join(f"{name}, -{name}" for name in self.orders)
            raise Invalid({"ordering": [f"There are {there}."]})
        return tuple(f"-{one}" for one in fields) if asked.startswith("-") else fields

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        if self.orders:
            names = [form.format(name) for name in self.orders for form in ("{}", "-{}")]
            schema = {"type": "string", "enum": names}
            found.append({"name": "ordering", "required": False, "in": "query", "schema": schema})
        return found

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValidationError, ValueError, TypeError, OverflowError, DataError):
            if not request.query_params.get(self.cursor_query_param):
                raise
            raise NotFound(self.invalid_cursor_message) from None


def _size_asked_for(request: Request, name: str) -> None:
    """Refuse a size that is none, instead of taking another in silence.

    Raises:
        rest_framework.exceptions.ValidationError: it is no whole number of at least 1.
    """
    asked = request.query_params.get(name)
    if asked is not None and not (asked.isascii() and asked.isdigit() and int(asked[:9])):
        raise Invalid({name: ["Give a whole number of at least 1."]})


class ByNumber(PageNumberPagination):
    """For short lists; tells how many there are."""

    page_size = 100
    max_page_size = 1000
    page_size_query_param = "pageSize"

    def get_page_size(self, request: Request) -> int | None:
        _size_asked_for(request, self.page_size_query_param)
        return super().get_page_size(request)
