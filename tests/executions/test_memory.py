"""A report four times as large takes no more memory."""

import tracemalloc

import pytest

from executions.reports.base import Limits
from executions.staging import TEXT, stage

CASE = b'<testcase classname="tests.test_a.TestA" name="test_%d" time="0.1">%s</testcase>'
SAID = b"<system-out>%s</system-out>" % (b"it said so much\n" * 600)
FAILED = b"<failure message='no'>%s</failure>" % (b"assert 1 == 2\n" * 600)


class Made:
    """A report that exists only while it is read: it can be read twice, and never lies in memory."""

    def __init__(self, megabytes, body):
        self.count, self.body = megabytes * (1 << 20) // len(body), body
        self.seek(0)

    def seek(self, position):
        assert position == 0
        self._parts, self._rest = self._made(), b""

    def seekable(self):
        return True

    def read(self, size=-1):
        while len(self._rest) < size and (part := next(self._parts, None)):
            self._rest += part
        given, self._rest = self._rest[:size], self._rest[size:]
        return given

    def _made(self):
        yield b'<testsuites><testsuite name="pytest">'
        for number in range(self.count):
            yield CASE % (number, self.body)
        yield b"</testsuite></testsuites>"


def peak(megabytes, body):
    tracemalloc.start()
    try:
        staged = stage(Made(megabytes, body), limits=Limits())
        largest = max(sum(one.text_length for one in chunk) for chunk in staged.chunks())
        staged.close()
        return tracemalloc.get_traced_memory()[1], largest, staged.attempts
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("body", [SAID, FAILED], ids=["output", "failures"])
def test_memory_is_flat_as_a_report_grows_from_20_to_80_megabytes(body):
    small, _, few = peak(20, body)
    large, longest, many = peak(80, body)

    assert many > 3.9 * few
    assert large < 1.3 * small + (1 << 20)
    assert large < 120 << 20
    assert longest < TEXT + (1 << 20)
