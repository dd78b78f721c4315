"""From the bytes of a file to text: compression and encoding are told by the content, not by the name."""

import codecs
import gzip
import io
import itertools
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, AnyStr, BinaryIO, NamedTuple, cast

from rapport_imports.alphabets import Likely, likeliest

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Files that hold something else than text, by how they begin, and what to do about them.
_OTHERS = (
    (b"BZh", "is compressed with bzip2: unpack it first"),
    (b"\xfd7zXZ\x00", "is compressed with xz: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "is compressed with zstd: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive: unpack it first"),
    (
        b"\xd0\xcf\x11\xe0",
        "is an old Excel workbook (.xls), or has a password: save it as .xlsx or CSV",
    ),
    (b"%PDF", "is a PDF: export the table as CSV or .xlsx"),
)
# And files of text that hold no table, or another notation of one.
_NOTATIONS = (
    (
        b"<",
        "is HTML or XML, whatever it is called: open it in a spreadsheet, and save it as .xlsx or CSV",
    ),
    (b"[", "is one list of JSON: write each object on a line of its own, as `jq -c .[]` does"),
    (b"begin:vcard", "holds vCards: export the contacts as CSV"),
    (b"{\\rtf", "is a document: save its table as CSV or .xlsx"),
)
# Some programs give these names to tables of text; what has bytes that no text has is a broken workbook.
_WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".pdf", ".numbers"})
_NO_TEXT = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")
# Far beyond any table: what is larger is broken, or made to exhaust whoever reads it.
LINE_MAX = 4_000_000
UNPACKED_MAX = 4 << 30
RATIO_MAX, _RATIO_FROM = 100, 64 << 20
ZIP = b"PK\x03\x04"
# `Ã¼` was once `ü`, and `â€™` an apostrophe.
_TWICE = re.compile(
    "\\w*(?:\u00c3[\u0080-\u00bf\u20ac\u0178\u0160\u0161\u0152\u0153\u2013\u201e\u201c]|\u00e2\u20ac.)\\w*"
)
_GZIP = b"\x1f\x8b"
_LEGACY_MAX = 1000  # lines in another encoding that tell which


class UnreadableFile(Exception):
    """The file as a whole cannot be imported; the message says what is wanted."""


class Encoding(NamedTuple):
    """How text is decoded, and what is to be told about it."""

    name: str
    errors: str = "strict"
    note: str = ""


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Whatever goes wrong with the bytes of a file is one line that names it."""
    try:
        yield
    except IsADirectoryError as error:
        raise UnreadableFile(f"{path} is a folder: name a file") from error
    except FileNotFoundError as error:
        raise UnreadableFile(f"there is no file {path}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFile(f"{path} cannot be read: {error}") from error
    except UnicodeError as error:
        told = f"{path.name} is not all text of one encoding: save it as UTF-8, or say which with --encoding"
        raise UnreadableFile(told) from error


def head(path: Path) -> bytes:
    """The first bytes, unpacked. UnreadableFile for a file that holds no table."""
    with readable(path), opened(path) as raw:
        start = raw.read(1 << 16)
    for magic, told in _OTHERS:
        if start.startswith(magic):
            raise UnreadableFile(f"{path.name} {told}")
    said = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for begins, told in _NOTATIONS:
        if said.startswith(begins) and (begins != b"[" or said[1:].lstrip()[:1] in (b"{", b"[", b"]")):
            raise UnreadableFile(f"{path.name} {told}")
    text = start.startswith(tuple(bom for bom, _ in _BOMS)) or not _NO_TEXT.search(start)
    if path.suffix.lower() in _WORKBOOKS and not text and not start.startswith(ZIP):
        raise UnreadableFile(f"{path.name} is not a workbook: save it again, as .xlsx or CSV")
    return start


def opened(path: Path) -> BinaryIO:
    """The bytes of a file, unpacked when it is gzip."""
    raw = path.open("rb")
    packed = raw.peek(2)[:2] == _GZIP
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw


def check_unpacked(path: Path) -> None:
    """Refuse what grows too much when it is unpacked; a table shrinks to a tenth, seldom to a thirtieth."""
    with readable(path), path.open("rb") as raw:
        if raw.peek(2)[:2] != _GZIP:
            return
    packed, size = path.stat().st_size, 0
    with readable(path), opened(path) as unpacked:
        while part := unpacked.read(1 << 20):
            size += len(part)
            refuse_bomb(path, packed, size)


def refuse_bomb(path: Path, packed: int, unpacked: int) -> None:
    """Raise UnreadableFile for more than 4 GB, and for more than a hundredfold beyond 64 MB."""
    if unpacked > UNPACKED_MAX or (unpacked > _RATIO_FROM and unpacked > packed * RATIO_MAX):
        told = f"{path.name}: must be at most 4 GB unpacked, and a hundred times its size: export it as CSV"
        raise UnreadableFile(told)


def lines(path: Path, source: IO[AnyStr]) -> Iterator[AnyStr]:
    """The lines of a file. UnreadableFile for one that is longer than any row of a table."""
    for number in itertools.count(1):
        line = source.readline(LINE_MAX)
        if len(line) == LINE_MAX:
            raise UnreadableFile(f"{path.name}: line {number} must have at most {LINE_MAX:,} characters")
        if not line:
            return
        yield line


def text(path: Path, encoding: Encoding) -> io.TextIOWrapper:
    return io.TextIOWrapper(opened(path), encoding=encoding.name, errors=encoding.errors, newline="")


def encoding_of(path: Path, start: bytes) -> Encoding:
    """How the file is encoded: by its byte order mark, as UTF-8 when it is that, else by likelihood.

    A file of which some rows are UTF-8 and others are not is read as UTF-8; the other rows are refused.
    """
    for bom, name in _BOMS:
        if start.startswith(bom):
            return Encoding(name)
    if b"\x1b$" in start or b"\x1b(" in start:
        return Encoding("iso2022_jp_ext")
    if start.rstrip(b"\x00").count(b"\x00") > len(start) // 4:
        return Encoding("utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be")
    legacy, good = _not_utf8(path)
    if not legacy:
        twice = _TWICE.search(start.decode(errors="ignore"))
        told = f"{twice[0]} looks like UTF-8 that was read as cp1252: save the file again" if twice else ""
        return Encoding("utf-8", note=told)
    if good * 4 > len(legacy):
        return Encoding("utf-8", "surrogateescape")
    found = _likely(b"\n".join(legacy))
    note = f"not UTF-8: read as {found.name}"
    if found.other:
        note += f" ({found.differ[0]}), and may be {found.other} ({found.differ[1]})"
    told = f"{note}; if letters look wrong, say --encoding {found.other or 'NAME'}"
    return Encoding(found.name, "surrogateescape", told)


def _not_utf8(path: Path) -> tuple[list[bytes], int]:
    """The first lines that are not UTF-8, and how many others have letters beyond ASCII that are.

    No more than it takes to decide: what is all of one kind is not looked at line by line.
    """
    wrong: list[bytes] = []
    good = 0
    with readable(path), opened(path) as raw:
        while part := raw.read(1 << 20):
            part += raw.readline(4 * LINE_MAX)  # a character has at most four bytes
            if part.isascii() or (good > _LEGACY_MAX and _is_utf8(part)):
                continue
            for line in part.split(b"\n"):
                if line.isascii():
                    continue
                if _is_utf8(line):
                    good += 1
                else:
                    wrong += [line] if len(wrong) < _LEGACY_MAX else []
            if wrong and good > _LEGACY_MAX:
                break
    return wrong, good


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _likely(lines: bytes) -> Likely:
    """The encoding of lines that are not UTF-8: in which they are words of languages, else by statistics."""
    from charset_normalizer import from_bytes

    if found := likeliest(lines):
        return found
    best = from_bytes(lines).best()
    return Likely(best.encoding if best else "cp1252")
