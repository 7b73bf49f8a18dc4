"""Lists in pages: by cursor where a list grows without bound, by number elsewhere."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError
from rest_framework.exceptions import NotFound
from rest_framework.exceptions import ValidationError as Invalid
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.request import Request


class ByCursor(CursorPagination):
    """For what never ends: a page costs the same however far down it lies."""

    page_size = 50
    max_page_size = 1000
    page_size_query_param = "pageSize"
    cursor_query_param = "cursor"
    ordering = "-pk"

    def get_page_size(self, request: Request) -> int:
        _size_asked_for(request, self.page_size_query_param)
        return super().get_page_size(request) or self.page_size

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
