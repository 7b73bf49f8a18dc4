import base64
import json
from datetime import timedelta

import pytest

from dashboards.paging import BadCursor, Order, page_of
from dashboards.run_list import ORDERS, ordered
from tests.factories import NINE, make_run
from tracking.models import TestRun

pytestmark = pytest.mark.django_db


def walk(sort, *, backwards=False):
    rows, order = ordered(TestRun.objects.all(), sort)
    pages, cursor = [], ""
    while True:
        page = page_of(rows, order, cursor, size=3)
        pages.append([run.test_run_id for run in page.rows])
        if not page.after:
            break
        cursor = page.after
    if backwards:
        pages, last = [pages[-1]], page
        while last.before:
            last = page_of(rows, order, last.before, size=3)
            pages.append([run.test_run_id for run in last.rows])
        pages.reverse()
    return pages


@pytest.fixture
def runs():
    for number in range(10):
        status = ["passed", "failed", "running"][number % 3]
        started = NINE + timedelta(seconds=number // 2)  # two always begin in the same second
        make_run(status=status, started_at=started, duration=10 + number % 4)


@pytest.mark.parametrize("sort", ORDERS)
def test_the_pages_hold_every_run_once_in_order(runs, sort):
    rows, order = ordered(TestRun.objects.all(), sort)
    columns = [("-" if descending else "") + name for name, descending in order.columns]
    expected = [run.test_run_id for run in rows.order_by(*columns)]

    pages = walk(sort)

    assert [name for page in pages for name in page] == expected
    assert [len(page) for page in pages] == [3, 3, 3, 1]


@pytest.mark.parametrize("sort", ORDERS)
def test_the_way_back_shows_the_same_pages(runs, sort):
    assert walk(sort, backwards=True) == walk(sort)


@pytest.mark.parametrize(
    "cursor", ["nonsense", "W10", "W3RydWUsW11d", "bnVsbA", "é", "W2ZhbHNlLFt7InQiOjF9LDFdXQ"]
)
def test_a_cursor_that_is_not_ours_is_refused(runs, cursor):
    rows, order = ordered(TestRun.objects.all(), "-started")

    with pytest.raises(BadCursor):
        page_of(rows, order, cursor, size=3)


@pytest.mark.parametrize("value", ["x", 1e400, {"t": "2026-01-04T09:00:00Z"}])
def test_a_cursor_whose_values_no_row_can_have_is_refused(runs, value):
    order = Order((("api_calls", True),))
    cursor = base64.urlsafe_b64encode(json.dumps([False, [value]]).encode()).decode()

    with pytest.raises(BadCursor):
        page_of(TestRun.objects.all(), order, cursor, size=3)
