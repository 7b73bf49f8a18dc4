"""JMeter's JTL files, as a table or as XML; times are milliseconds.

A transaction stands beside the requests that it is made of and repeats their time: it is a time, no request.
Where nothing but transactions was written they are what was measured.

Source: the JMeter user's manual, "Listeners", sample result attributes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from performance.imports.results import Imported, Requests, UnreadableResult, number

TOOL = "JMeter"
MILLI = 1e-3
SAMPLES = {"httpSample", "sample"}
TRANSACTION = "Number of samples in transaction"  # how JMeter begins the message of one


def read_table(rows: Iterator[dict[str, str]]) -> Iterator[Imported]:
    found = _Samples()
    for row in rows:
        success, said = row.get("success", "true"), row.get("responseMessage")
        found.add(row["label"], row["elapsed"], row["timeStamp"], success, said)
    return found.results()


def read_xml(stream: BinaryIO) -> Iterator[Imported]:
    """Read samples one by one; those inside another are its parts (redirects, a transaction's requests)."""
    found, depth = _Samples(), 0
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
                found.add(*(node.get(key) for key in ("lb", "t", "ts", "s", "rm")))
                root.clear()
    except ParseError as error:
        raise UnreadableResult(f"the XML is damaged or cut off: {error}; send it again") from error
    except DefusedXmlException as error:
        raise UnreadableResult(
            "the XML declares entities or a DTD, which no result needs; remove it"
        ) from error
    return found.results()


class _Samples:
    def __init__(self) -> None:
        self.requests, self.transactions = Requests(TOOL), Requests(TOOL)

    def add(self, label: Any, elapsed: Any, at: Any, success: Any, said: Any) -> None:
        into = self.transactions if str(said or "").startswith(TRANSACTION) else self.requests
        into.add(
            str(label or "all"),
            number(TOOL, elapsed, "an elapsed time") * MILLI,
            number(TOOL, at, "a time stamp (milliseconds are read, no dates)") * MILLI,
            failed=str(success).lower() != "true",
        )

    def results(self) -> Iterator[Imported]:
        if not self.requests.count:
            yield from self.transactions.results()
            return
        yield from self.requests.results()
        for one in self.transactions.results():
            if one.metric == "latency":
                yield replace(one, metric="time")
