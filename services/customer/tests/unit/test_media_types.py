"""What a file is, as its bytes say it."""

import io
import zipfile

import pytest

from customer.domain.media_types import _ENDINGS, _MAGIC, _PARTS, media_type, named


def archive(*names, **contents):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        for name in names:
            made.writestr(name, "x")
        for name, content in contents.items():
            made.writestr(name, content)
    return held.getvalue()


MACROS = (
    b'<Types><Override PartName="/word/m.bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>'
)
ODT = "application/vnd.oasis.opendocument.text"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", "image/heic"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00", "video/mp4"),
        ("Größe: 3 < 5\r\n".encode(), "text/plain"),
        (b"From: a@example.com\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\n\r\n<html>", "message/rfc822"),
        (
            archive("[Content_Types].xml", "word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (archive(mimetype=ODT), ODT),
    ],
)
def test_what_is_taken_is_told_by_its_bytes(content, found):
    assert media_type(content) == found


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00",
        b"\x7fELF\x02",
        b"#!/bin/sh\nrm -rf /",
        b"\xef\xbb\xbf  <!DOCTYPE html><p>",
        b"Dear all,\n<script>alert(1)</script>",
        b'<svg xmlns="http://www.w3.org/2000/svg">',
        b'<?xml version="1.0"?><html/>',
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\x1f\x8b\x08",
        b"plain\x00text",
        b"\xff\xfe<\x00h\x00",
        archive("a.exe"),
        archive("word/document.xml", "word/vbaProject.bin"),
        archive("word/document.xml", "word/m.bin", **{"[Content_Types].xml": MACROS}),
        archive("word/document.xml", **{"[Content_Types].xml": b" " * 1_000_001}),
        archive("Basic/Standard/Module1.xml", mimetype=ODT),
        archive(mimetype="application/java-archive"),
        archive("word/document.xml")[:-30],
    ],
)
def test_pages_programs_archives_and_macros_are_of_no_kind(content):
    assert media_type(content) == ""


@pytest.mark.parametrize(
    ("name", "kind", "called"),
    [
        ("Letter.PDF", "application/pdf", "Letter.PDF"),
        ("photo.jpeg", "image/jpeg", "photo.jpeg"),
        ("Letter of 12.05.2026", "application/pdf", "Letter of 12.05.2026.pdf"),
        ("run.bat", "text/plain", "run.bat.txt"),
        ("page.html", "image/gif", "page.html.gif"),
        ("a" * 100, "message/rfc822", f"{'a' * 96}.eml"),
    ],
)
def test_a_name_ends_as_what_is_of_that_type_does_for_computers_believe_it(name, kind, called):
    assert named(name, kind, 100) == called


def test_each_type_that_is_taken_has_an_ending():
    office = {
        f"application/vnd.oasis.opendocument.{each}" for each in ("text", "spreadsheet", "presentation")
    }
    taken = {each for *_, each in _MAGIC} | {each for _, each in _PARTS} | office
    assert _ENDINGS.keys() == taken | {"text/plain", "message/rfc822"}
