"""Lists in pages: by cursor where a list grows without bound, by number elsewhere."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.request import Request


class ByCursor(CursorPagination):
    """For what never ends: a page costs the same however far down it lies."""

    page_size = 50
    max_page_size = 1000
    page_size_query_param = "pageSize"
    cursor_query_param = "cursor"
    ordering = "-pk"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValidationError, ValueError, TypeError, OverflowError, DataError):
            if not request.query_params.get(self.cursor_query_param):
                raise
            raise NotFound(self.invalid_cursor_message) from None


class ByNumber(PageNumberPagination):
    """For short lists; tells how many there are."""

    page_size = 100
    max_page_size = 1000
    page_size_query_param = "pageSize"
