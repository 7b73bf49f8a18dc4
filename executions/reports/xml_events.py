"""XML as a stream of elements: flat memory, no entities, no files, no network.

`pyexpat` is driven directly because a report may hold one text of a gigabyte, which every tree
builder would keep whole.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Literal
from xml.parsers import expat

from executions.reports.base import Limits, UnreadableReport
from executions.reports.values import BoundedText
from executions.reports.xml_faults import AROUND, wording

CHUNK = 1 << 16
Event = tuple[Literal["start", "end"], str, dict[str, str], str]  # the text comes with the end
_DECLARED = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})")
_BOMS = [(codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8")]
_BOMS += [(codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")]
_NO_TEXT = {"unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined", "utf_7"}
_NATIVE = {"utf-8": "utf-8", "ascii": "utf-8", "iso8859-1": "iso-8859-1"}


@dataclass(slots=True)
class _Pending:
    """What the parser told and the reader has not taken yet."""

    limits: Limits
    events: list[Event] = field(default_factory=list)
    open: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: list[BoundedText | None] = field(default_factory=list)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.open) >= self.limits.depth:
            raise UnreadableReport(
                f"Elements are nested more than {self.limits.depth} deep; nothing was kept."
            )
        name = name.rpartition(":")[2]
        self.open.append((name, attributes))
        self.texts.append(None)
        self.events.append(("start", name, attributes, ""))

    def end(self, _: str) -> None:
        name, attributes = self.open.pop()
        text = self.texts.pop()
        self.events.append(("end", name, attributes, text.value() if text else ""))

    def characters(self, piece: str) -> None:
        if not self.texts:
            return
        text = self.texts[-1]
        if text is None:
            if piece.isspace():
                return
            text = self.texts[-1] = BoundedText(max(self.limits.details, self.limits.output))
        text.add(piece)

    def skipped_entity(self, name: str, is_parameter: bool) -> None:
        if not is_parameter:
            self.characters(f"&{name};")


def xml_events(stream: BinaryIO, limits: Limits) -> Iterator[Event]:
    """Yield start and end of every element, without namespaces; the text directly inside comes with the end.

    Raises:
        UnreadableReport: not well-formed, cut off, with entities, or beyond a limit.
    """
    pending = _Pending(limits)
    chunks, encoding = _decoded(stream)
    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.StartElementHandler = pending.start
    parser.EndElementHandler = pending.end
    parser.CharacterDataHandler = pending.characters
    parser.EntityDeclHandler = _judge_entity
    parser.SkippedEntityHandler = pending.skipped_entity
    fed, last, chunk = 0, b"", b""
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
            fed += len(chunk)
            if fed - parser.CurrentByteIndex > limits.value_bytes:
                raise UnreadableReport(f"One element is larger than {limits.value_bytes:,} bytes.")
            yield from pending.events
            pending.events.clear()
            last = chunk[-AROUND:]
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        seen = last + chunk
        place = max(parser.ErrorByteIndex - fed + len(last), 0)
        before, after = seen[max(place - AROUND, 0) : place], seen[place : place + AROUND]
        raise UnreadableReport(wording(error, before, after, encoding)) from error
    except UnicodeError as error:
        raise UnreadableReport(f"The text is not in the encoding that it names: {error}.") from error
    yield from pending.events


def _judge_entity(name: str, is_parameter: bool, value: str | None, *_: object) -> None:
    """Refuse entities that would be expanded; those of other files are never read and stay as they stand."""
    if value is not None:
        raise UnreadableReport(
            f"The report declares an entity ({name[:60]!r}). Entities are refused, because they can grow"
            " without bounds; write the report without them."
        )


def _decoded(stream: BinaryIO) -> tuple[Iterator[bytes], str]:
    """Return the content in pieces and the encoding to parse it with, whatever the report calls it."""
    head = stream.read(CHUNK)
    encoding = encoding_of(head)
    if encoding in {"utf-8", "iso-8859-1"}:
        return _chunks(head.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n"), stream), encoding
    if encoding in {"utf-16", "utf-16-le", "utf-16-be"}:
        return _chunks(head, stream), encoding.replace("-le", "le").replace("-be", "be")
    decoder = codecs.getincrementaldecoder(encoding)()
    pieces = (decoder.decode(chunk).encode() for chunk in _chunks(head, stream))
    return _with_end(pieces, decoder), "utf-8"


def _with_end(pieces: Iterator[bytes], decoder: codecs.IncrementalDecoder) -> Iterator[bytes]:
    yield from pieces
    yield decoder.decode(b"", True).encode()


def _chunks(head: bytes, stream: BinaryIO) -> Iterator[bytes]:
    yield head
    while chunk := stream.read(CHUNK):
        yield chunk


def encoding_of(head: bytes) -> str:
    """Return Python's name of the encoding of an XML document that begins with `head`.

    A byte order mark wins over what is declared, and so does what the bytes plainly are: .NET writes
    "utf-16" into files that are UTF-8.
    """
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    if head[:2] in (b"<\0", b"\0<"):
        return "utf-16-le" if head[:1] == b"<" else "utf-16-be"
    declared = _DECLARED.match(head)
    if not declared:
        return "utf-8"
    name = declared[1].decode("ascii")
    try:
        codec = codecs.lookup(name)
    except LookupError as error:
        raise UnreadableReport(f"The XML declares the encoding {name}, which is unknown.") from error
    if not codec._is_text_encoding or codec.name.replace("-", "_") in _NO_TEXT:
        raise UnreadableReport(f"The XML declares {name}, which is no encoding of text.")
    if codec.name.startswith(("utf-16", "utf-32")):
        return "utf-8"
    return _NATIVE.get(codec.name, codec.name)
