"""Uploads of any packing: plain, gzip or zip; opened in place, so no name of an archive becomes a path."""

from __future__ import annotations

import gzip
import io
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

from executions.reports.base import Limits, UnreadableReport
from executions.reports.bazel import tries_in
from executions.reports.source import BUFFER, Source, buffered

_GZIP, _ZIP, _EMPTY_ZIP = b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06"
_IN_MEMORY = 8 << 20
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an upload; `stream` has to be read before the next member is asked for.

    `tries_before` is not 0 where earlier files of the upload are earlier tries of the same tests.
    """

    name: str
    stream: io.BufferedReader
    tries_before: int = 0


def unpack(
    stream: BinaryIO, limits: Limits, *, name: str = "", skipped: list[str] | None = None
) -> Iterator[Member]:
    """Yield the files of an upload: itself, what gzip holds, or the entries of a zip.

    A zip may hold gzip files; archives in archives are not opened.  Nothing is written under a name that
    an archive gives.  What is left out of a zip is said in `skipped`.

    Raises:
        UnreadableReport: damaged, cut off, encrypted or beyond a limit; also while a member is read.
    """
    source = buffered(stream, limits)
    head = source.peek(4)[:4]
    if head.startswith((_ZIP, _EMPTY_ZIP)):
        yield from _entries(_seekable(stream, source, limits), limits, [] if skipped is None else skipped)
    elif head.startswith(_GZIP):
        member = Member(name.removesuffix(".gz"), _gunzip(source, limits.unpacked_bytes, limits))
        if member.stream.peek(4)[:4].startswith((_GZIP, _ZIP)):
            raise UnreadableReport(
                "The gzip file holds another archive. Send the report itself, or a zip of reports."
            )
        yield member
    else:
        yield Member(name, source)


class _Counted(io.RawIOBase):
    """Passes a stream on and knows how much of it was used."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.count = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.count += len(data)
        return data


def _gunzip(stream: BinaryIO, most: int, limits: Limits) -> io.BufferedReader:
    packed = _Counted(stream)
    unpacked = gzip.GzipFile(fileobj=cast(BinaryIO, packed))
    source = Source(cast(BinaryIO, unpacked), most, lambda: packed.count, limits.packed_ratio)
    return io.BufferedReader(source, BUFFER)


def _seekable(stream: BinaryIO, source: io.BufferedReader, limits: Limits) -> BinaryIO:
    """Return the whole archive as a stream that can be read from its end, as zip wants it."""
    if stream.seekable():
        stream.seek(0)
        return stream
    copy = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - lives as long as its entries
    while data := source.read(BUFFER):
        copy.write(data)
    copy.seek(0)
    return cast(BinaryIO, copy)


def _entries(stream: BinaryIO, limits: Limits, skipped: list[str]) -> Iterator[Member]:
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError, EOFError) as error:
        raise UnreadableReport(f"The zip is damaged or cut off: {error}.") from error
    with archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(entries) > limits.entries:
            raise UnreadableReport(f"The zip has more than {limits.entries:,} entries, which is the limit.")
        used = 0
        for place, tries_before in tries_in([entry.filename for entry in entries]):
            entry = entries[place]
            name = entry.filename[-300:]
            if stat.S_ISLNK(entry.external_attr >> 16):
                skipped.append(f"{name}: a link, which is never followed")
                continue
            if entry.flag_bits & _ENCRYPTED:
                raise UnreadableReport(f"{name!r} is encrypted. Send the reports without a password.")
            source, member = _open(archive, entry, name, limits.unpacked_bytes - used, limits)
            if member is None:
                skipped.append(f"{name}: an archive in the archive, which is not opened")
                continue
            yield replace(member, tries_before=tries_before)
            while member.stream.read(BUFFER):  # to its end, where its checksum is compared
                pass
            used += source.count


def _open(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, most: int, limits: Limits
) -> tuple[Source, Member | None]:
    try:
        file = archive.open(entry)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error) as error:
        raise UnreadableReport(f"{name!r} can't be opened: {error}.") from error
    packed = entry.compress_size
    source = Source(cast(BinaryIO, file), most, lambda: packed, limits.packed_ratio)
    reader = cast(io.BufferedReader, io.BufferedReader(source, BUFFER))
    head = reader.peek(4)[:4]
    if head.startswith(_GZIP):
        inner = _gunzip(cast(BinaryIO, reader), most, limits)
        is_nested = inner.peek(4)[:4].startswith((_GZIP, _ZIP))
        unpacked = cast(Source, inner.raw)
        return unpacked, None if is_nested else Member(name.removesuffix(".gz"), inner)
    return source, None if head.startswith(_ZIP) else Member(name, reader)
