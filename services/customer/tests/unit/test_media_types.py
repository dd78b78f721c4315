"""What a file is, as its bytes say it."""

import io
import zipfile

import pytest

from customer.domain.media_types import media_type


def archive(*names, **contents):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        for name in names:
            made.writestr(name, "x")
        for name, content in contents.items():
            made.writestr(name, content)
    return held.getvalue()


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
        archive("Basic/Standard/Module1.xml", mimetype=ODT),
        archive(mimetype="application/java-archive"),
        archive("word/document.xml")[:-30],
    ],
)
def test_pages_programs_archives_and_macros_are_of_no_kind(content):
    assert media_type(content) == ""
