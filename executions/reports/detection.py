"""Which format a content has, told from its beginning alone; names of files say nothing."""

from __future__ import annotations

import codecs
import json
import re

from executions.reports.base import UnknownFormat
from executions.reports.xml_events import encoding_of

HEAD = 1 << 16  # bytes that are looked at
_ROOT = re.compile(r"<([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
_BESIDE = re.compile(r"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(\[.*?\]\s*)?>", re.DOTALL)
_BY_ROOT = {
    "testsuites": "junit",
    "testsuite": "junit",
    "testrun": "trx",
    "assemblies": "xunit",
    "assembly": "xunit",
    "test-run": "nunit3",
    "test-results": "nunit2",
}
_BY_KEYS = [  # in this order; each is what only this format has
    ("runtrail", r'"format"\s*:\s*"runtrail-report"'),
    ("pytest-reportlog", r'"\$report_type"\s*:'),
    ("go-test-json", r'"Action"\s*:\s*"(start|run|pass|fail|skip|output|build-output|build-fail|bench)"'),
    ("ctrf", r'"reportFormat"\s*:\s*"CTRF"|"results"\s*:\s*\{\s*"(tool|summary|tests|environment)"\s*:'),
    ("pytest-json-report", r'"exitcode"\s*:|"tests"\s*:\s*\[\s*\{\s*"nodeid"\s*:'),
]
_TAP = re.compile(r"(TAP version 1[34]\b|1\.\.\d+|(not )?ok\b)")
_GO_LINE = re.compile(
    r'^\{[^\n]*"Action"\s*:\s*"[a-z-]+"[^\n]*"Package"\s*:', re.MULTILINE
)  # after a compiler's
_NAMES = "JUnit XML, pytest-json-report, pytest-reportlog, CTRF, TRX, xUnit.net, NUnit, go test -json, TAP"


def detect(head: bytes) -> str:
    """Return the name of the format of the report that begins with `head` (up to `HEAD` bytes of it).

    Raises:
        UnknownFormat: it begins like none of them, or is empty.
    """
    if head.startswith((b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06")):
        raise UnknownFormat("It is an archive, which has to be unpacked first.")
    if head[257:262] == b"ustar":
        raise UnknownFormat("It is a tar archive. Send the reports themselves, gzip files or a zip.")
    text = _decoded(head).lstrip("\ufeff \t\r\n")
    if not text:
        raise UnknownFormat("The report is empty.")
    if text.startswith("<"):
        return _of_xml(text)
    if text.startswith("{"):
        return _of_json(text)
    if _TAP.match(text):
        return "tap"
    if _GO_LINE.search(text):
        return "go-test-json"
    raise _unknown(f"it begins with {text[:30]!r}")


def _decoded(head: bytes) -> str:
    if head[:1] in (b"{", b"["):
        return head.decode(json.detect_encoding(head), "replace")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or head[:2] in (b"<\0", b"\0<"):
        return head.decode(encoding_of(head), "replace")
    if head[:2] in (b"{\0", b"\0{"):
        return head.decode("utf-16-le" if head[:1] == b"{" else "utf-16-be", "replace")
    return head.decode("utf-8", "replace")


def _of_xml(text: str) -> str:
    root = _ROOT.match(_BESIDE.sub("", text).lstrip())
    found = _BY_ROOT.get(root[2].lower()) if root else None
    if found is None or root is None:
        raise _unknown(f"its root element is <{root[2][:60]}>" if root else "it has no root element")
    if found == "trx" and "visualstudio/teamtest" not in text.lower():
        raise _unknown("its root element <TestRun> is not that of a TRX file")
    return found


def _of_json(text: str) -> str:
    for name, keys in _BY_KEYS:
        if re.search(keys, text):
            return name
    raise _unknown("it is JSON without the keys of a known report")


def _unknown(reason: str) -> UnknownFormat:
    return UnknownFormat(f"The format is unknown: {reason}. Known are {_NAMES}, plain, gzip or zip.")
