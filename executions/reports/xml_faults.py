"""What is wrong with a damaged XML document, in words that say what to do."""

from __future__ import annotations

import re
from xml.parsers import expat

AROUND = 200  # bytes before and after the fault that are looked at
_CODES = expat.errors.codes
_CUT_OFF = {
    _CODES[text]
    for text in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}
_WIDE = {"utf-16": "utf-16-le", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be"}
_REFERENCE = re.compile(rb"&#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}));")
_ENTITY = re.compile(rb"&[A-Za-z][A-Za-z0-9]{0,30};")
_AS_WRITTEN = "Send the file as the test runner wrote it."
_NO_CONTROLS = (
    "Leave such characters out, or have the test runner escape them; colors of a terminal are the usual"
    " cause, and many runners write none with NO_COLOR=1 or FORCE_COLOR=0."
)


def wording(error: expat.ExpatError, before: bytes, after: bytes, encoding: str) -> str:
    """Return what stands against a document, where, and what to do.

    Args:
        before, after: up to `AROUND` bytes on both sides of the place that the parser names.
        encoding: of these bytes, by the parser's name.
    """
    reason, advice = _judge(error.code, before, after, encoding)
    return f"The XML can't be read at line {error.lineno}, column {error.offset + 1}: {reason}. {advice}"


def _judge(code: int, before: bytes, after: bytes, encoding: str) -> tuple[str, str]:
    told = expat.ErrorString(code)
    if code in _CUT_OFF:
        return f"it ends too early ({told})", _AS_WRITTEN
    if encoding in _WIDE:
        after = after.decode(_WIDE[encoding], "replace").encode()
        before = b""
    reference = _REFERENCE.match(after)
    if code == _CODES[expat.errors.XML_ERROR_BAD_CHAR_REF] and reference:
        number = int(reference[1], 16) if reference[1] else int(reference[2])
        return f"it names {_called(number)}, which XML does not allow", _NO_CONTROLS
    entity = _ENTITY.match(after)
    if code == _CODES[expat.errors.XML_ERROR_UNDEFINED_ENTITY] and entity:
        return (
            f"the entity {entity[0].decode()} is not known in XML",
            "Write the character itself, or its number as in &#160;.",
        )
    if code == _CODES[expat.errors.XML_ERROR_INVALID_TOKEN] and after:
        return _of_token(told, before, after, encoding)
    return told, _AS_WRITTEN


def _of_token(told: str, before: bytes, after: bytes, encoding: str) -> tuple[str, str]:
    """What stands where something else has to."""
    first = after[0]
    if first < 0x20 and first not in b"\t\r\n":
        return f"there is {_called(first)}, which XML does not allow", _NO_CONTROLS
    if after[:3] in (b"\xef\xbf\xbe", b"\xef\xbf\xbf"):
        return (
            f"there is the character U+{ord(after[:3].decode()):04X}, which XML does not allow",
            _NO_CONTROLS,
        )
    if encoding == "utf-8" and first >= 0x80 and not _is_character(after):
        return (
            f"the byte 0x{first:02X} is not UTF-8",
            'Name the encoding in the first line, as in <?xml version="1.0" encoding="windows-1252"?>.',
        )
    if re.search(rb"&[^;&<>]{0,60}$", before):
        return "there is an & that begins no entity", "It has to be written as &amp;."
    if first == ord("<"):
        return "there is a < within the value of an attribute", "It has to be written as &lt;."
    return told, _AS_WRITTEN


def _is_character(data: bytes) -> bool:
    """Whether a character of UTF-8 stands at the beginning."""
    for length in (2, 3, 4):
        try:
            data[:length].decode()
        except UnicodeDecodeError:
            continue
        return True
    return False


def _called(number: int) -> str:
    return f"the {'control ' if number < 0x20 else ''}character U+{number:04X}"
