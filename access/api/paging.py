"""Lists in pages: by cursor where a list grows without bound, by number elsewhere."""

from __future__ import annotations

from rest_framework.pagination import CursorPagination, PageNumberPagination


class ByCursor(CursorPagination):
    """For what never ends: a page costs the same however far down it lies."""

    page_size = 50
    max_page_size = 1000
    page_size_query_param = "pageSize"
    cursor_query_param = "cursor"
    ordering = "-pk"


class ByNumber(PageNumberPagination):
    """For short lists; tells how many there are."""

    page_size = 100
    max_page_size = 1000
    page_size_query_param = "pageSize"
