"""Finds out which tool wrote a file, and has it read."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from performance.imports import benchmarks, jmeter, k6, locust
from performance.imports.results import Imported, UnreadableResult

KNOWN = (
    "k6 (--summary-export, handleSummary, --out json, --out csv), JMeter (JTL as CSV or XML), Locust (--csv, "
    "--json), hyperfine (--export-json), pytest-benchmark (--benchmark-json), Google Benchmark "
    "(--benchmark_format=json)"
)
LARGEST_DOCUMENT = 256 * 2**20  # bytes of a file that must be read whole
LONGEST_LINE = 2**20
HEAD = 4096

DOCUMENTS: list[tuple[Callable[[Any], bool], Callable[[Any], Iterator[Imported]]]] = [
    (k6.is_summary, k6.read_summary),
    (locust.is_document, locust.read_document),
    (benchmarks.is_hyperfine, benchmarks.read_hyperfine),
    (benchmarks.is_pytest_benchmark, benchmarks.read_pytest_benchmark),
    (benchmarks.is_google_benchmark, benchmarks.read_google_benchmark),
]
TABLES: list[tuple[set[str], Callable[[Iterator[dict[str, str]]], Iterator[Imported]]]] = [
    ({"metric_name", "timestamp", "metric_value"}, k6.read_table),
    ({"timeStamp", "elapsed", "label"}, jmeter.read_table),
    ({"Type", "Name", "Request Count"}, locust.read_stats),
    ({"Timestamp", "Total Request Count", "Name"}, locust.read_history),
]


def read_results(stream: BinaryIO) -> list[Imported]:
    """Read the results in a file of any of the known tools.

    Args:
        stream: bytes from their beginning, plain or gzip.

    Raises:
        UnreadableResult: no known format, damaged, cut off, or nothing measured; the text says what to do.
    """
    try:
        found = list(_read(_unpacked(stream)))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableResult(f"the gzip file is damaged or cut off ({error}); send it again") from error
    except UnicodeDecodeError as error:
        raise UnreadableResult(f"the file is not UTF-8 text ({error.reason}); {_advice()}") from error
    except (LookupError, TypeError, AttributeError, csv.Error, OverflowError) as error:
        raise UnreadableResult(
            f"the file is not as its tool writes it ({type(error).__name__}: {error}); "
            "was it edited? Export it again"
        ) from error
    except RecursionError as error:
        raise UnreadableResult(f"the file is nested too deep for a result; {_advice()}") from error
    if not found:
        raise UnreadableResult(
            "the file holds no measurement: let the tool send at least one request, and try again"
        )
    return found


def _unpacked(stream: BinaryIO) -> io.BufferedReader:
    buffered = io.BufferedReader(stream, HEAD) if not isinstance(stream, io.BufferedReader) else stream  # type: ignore[type-var]
    if buffered.peek(2)[:2] == b"\x1f\x8b":
        return io.BufferedReader(gzip.GzipFile(fileobj=buffered), 2**16)
    return buffered  # type: ignore[return-value]


def _read(stream: io.BufferedReader) -> Iterator[Imported]:
    head = stream.peek(HEAD)[:HEAD]
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise UnreadableResult(f"the file is empty; {_advice()}")
    if start[:1] == b"<":
        return jmeter.read_xml(stream)
    if start[:1] == b"{" and k6.is_line(start.split(b"\n", 1)[0]):
        return k6.read_lines(_lines(stream))
    if start[:1] in b"{[":
        return _document(stream)
    return _table(stream)


def _document(stream: io.BufferedReader) -> Iterator[Imported]:
    data = stream.read(LARGEST_DOCUMENT + 1)
    if len(data) > LARGEST_DOCUMENT:
        raise UnreadableResult(
            f"the file is larger than {LARGEST_DOCUMENT // 2**20} MiB, and its format must be read whole; "
            "export a summary, or lines (k6: --out json)"
        )
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise UnreadableResult(
            f"the JSON is damaged or cut off at line {error.lineno}: {error.msg}; send it again"
        ) from error
    for fits, read in DOCUMENTS:
        if fits(document):
            return read(document)
    raise UnreadableResult(f"this JSON is of no known tool; {_advice()}")


def _table(stream: io.BufferedReader) -> Iterator[Imported]:
    lines = _lines(stream)
    header = next(lines)
    delimiter = max(",;\t|", key=header.count)
    columns = next(csv.reader([header], delimiter=delimiter), [])
    for needed, read in TABLES:
        if needed <= set(columns):
            return read(_whole_rows(csv.DictReader(lines, columns, delimiter=delimiter)))
    if columns and columns[0].isdigit() and len(columns[0]) == 13:
        raise UnreadableResult(
            "this looks like a JMeter table without its header; "
            "run JMeter with -Jjmeter.save.saveservice.print_field_names=true"
        )
    raise UnreadableResult(f"this table is of no known tool; {_advice()}")


def _whole_rows(rows: csv.DictReader[str]) -> Iterator[dict[str, str]]:
    """What is missing at the end of a row would be read as something: no success as a failure."""
    for row in rows:
        if None in row.values():
            raise UnreadableResult(
                f"line {rows.line_num + 1} has fewer values than the header has names: it was cut off; "
                "remove it, or send the file again"
            )
        yield row


def _lines(stream: io.BufferedReader) -> Iterator[str]:
    first = True
    while line := stream.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise UnreadableResult(f"a line is longer than {LONGEST_LINE} bytes; {_advice()}")
        yield line.decode("utf-8-sig" if first else "utf-8")
        first = False


def _advice() -> str:
    return f"give a result of {KNOWN}"
