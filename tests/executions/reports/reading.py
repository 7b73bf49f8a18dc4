"""Reads a text as a report, for the tests beside."""

import io

from executions.reports.base import Limits
from executions.reports.reading import open_reports

LIMITS = Limits()


def read_all(content, *, limits=LIMITS, **options):
    """Return the facts and the rows of the one report in `content` (text or bytes)."""
    data = content.encode() if isinstance(content, str) else content
    ((facts, rows),) = [
        (facts, list(rows)) for facts, rows in open_reports(io.BytesIO(data), limits=limits, **options)
    ]
    return facts, rows


def outcomes(rows):
    """Return nodeid, outcome and attempt of every row."""
    return [(row.nodeid, row.outcome, row.attempt) for row in rows]


def junit(*cases, suite="shop", **attributes):
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<testsuites><testsuite name="{suite}"{more}>{"".join(cases)}</testsuite></testsuites>'
