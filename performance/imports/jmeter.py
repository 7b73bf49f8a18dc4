"""JMeter's JTL files, as a table or as XML; times are milliseconds, transactions come beside their requests.

Source: the JMeter user's manual, "Listeners", sample result attributes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from performance.imports.results import Imported, Requests, UnreadableResult, number

TOOL = "JMeter"
MILLI = 1e-3
SAMPLES = {"httpSample", "sample"}


def read_table(rows: Iterator[dict[str, str]]) -> Iterator[Imported]:
    found = Requests(TOOL)
    for row in rows:
        _add(found, row["label"], row["elapsed"], row["timeStamp"], row.get("success", "true"))
    return found.results()


def read_xml(stream: BinaryIO) -> Iterator[Imported]:
    """Read samples one by one; those inside another are its parts (redirects, a transaction's requests)."""
    found, depth = Requests(TOOL), 0
    try:
        for event, node in iterparse(stream, events=("start", "end"), forbid_dtd=True):
            depth += 1 if event == "start" else -1
            if event == "start" and depth == 1:
                root = node
                if node.tag != "testResults":
                    raise UnreadableResult(
                        f"this XML begins with <{node.tag}>, which is no JMeter result; "
                        "save the results of a listener, not the test plan"
                    )
            if event == "end" and depth == 1 and node.tag in SAMPLES:
                _add(found, *(node.get(key) for key in ("lb", "t", "ts", "s")))
                root.clear()
    except ParseError as error:
        raise UnreadableResult(f"the XML is damaged or cut off: {error}; send it again") from error
    except DefusedXmlException as error:
        raise UnreadableResult(
            "the XML declares entities or a DTD, which no result needs; remove it"
        ) from error
    return found.results()


def _add(found: Requests, label: Any, elapsed: Any, at: Any, success: Any) -> None:
    found.add(
        str(label or "all"),
        number(TOOL, elapsed, "an elapsed time") * MILLI,
        number(TOOL, at, "a time stamp; save time stamps as milliseconds:") * MILLI,
        failed=str(success).lower() != "true",
    )
