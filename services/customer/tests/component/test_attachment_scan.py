"""Files are had by nobody until a scanner has looked at them."""

import asyncio
import contextlib
from datetime import timedelta

import pytest

from customer.jobs.scanning import SCANNED
from rapport.customer.v1 import attachment_service_pb2 as pb
from rapport.customer.v1.attachment_pb2 import Attachment
from rapport.customer.v1.attachment_service_pb2_grpc import AttachmentServiceStub
from rapport_testing.fixtures import free_port
from rapport_testing.wait import eventually

EICAR = b"%PDF-1.7 not to be had"


class Scanner:
    """Answers as told, and keeps what it was asked."""

    def __init__(self):
        self.answers, self.asked, self.port = [], [], free_port()

    async def converse(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = next(int(line.split(":")[1]) for line in head.split("\r\n") if "content-length" in line)
            self.asked.append(await reader.readexactly(length))
            status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            told = f"HTTP/1.1 {status} x\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n{body}"
            writer.write(told.encode())
            await writer.drain()
        writer.close()


@pytest.fixture
async def scanner():
    made = Scanner()
    async with await asyncio.start_server(made.converse, "127.0.0.1", made.port):
        yield made


@pytest.fixture
async def desk(open_desk, scanner):
    return await open_desk(attachment_scanner_url=f"http://127.0.0.1:{scanner.port}/scan")


@pytest.fixture
async def files(desk):
    return desk.running.stub(AttachmentServiceStub)


@pytest.fixture
def brought(desk, files):
    """A file of a new customer, and the contact that refers to it."""

    async def one():
        anna = (await desk.create()).name
        letter = await files.UploadAttachment(
            pb.UploadAttachmentRequest(
                parent=anna, attachment=Attachment(display_name="a.pdf"), content=EICAR
            )
        )
        await desk.record(anna, attachments=[letter.name])
        return anna, letter

    return one


async def scanned(files, letter, desk):
    async def answered():
        desk.clock.advance(timedelta(seconds=1))
        found = await files.GetAttachment(pb.GetAttachmentRequest(name=letter.name))
        return found if found.state != Attachment.STATE_SCANNING else None

    return await eventually(answered)


def state_in(view):
    return [file.state for entry in view.latest_timeline_entries for file in entry.attached_files]


async def test_a_file_is_read_once_a_scanner_that_was_away_said_that_it_is_clean(
    desk, files, brought, scanner, refused
):
    scanner.answers = [(503, ""), (200, "welcome"), (200, '{"verdict": "clean"}')]
    anna, letter = await brought()
    assert letter.state == Attachment.STATE_SCANNING
    found = await scanned(files, letter, desk)
    assert (found.state, found.HasField("scan_time")) == (Attachment.STATE_CLEAN, True)
    assert scanner.asked == [EICAR] * 3
    read = await files.DownloadAttachment(pb.DownloadAttachmentRequest(name=letter.name))
    assert read.content == EICAR
    await desk.view_when(anna, lambda view: state_in(view) == [Attachment.STATE_CLEAN])


async def test_what_is_brought_again_after_it_was_deleted_is_scanned_again(desk, files, brought, scanner):
    scanner.answers = [(200, '{"verdict": "clean"}')]
    anna, letter = await brought()
    await scanned(files, letter, desk)
    await files.DeleteAttachment(pb.DeleteAttachmentRequest(name=letter.name))
    again = await files.UploadAttachment(
        pb.UploadAttachmentRequest(parent=anna, attachment=Attachment(display_name="b.pdf"), content=EICAR)
    )
    assert (again.name, again.state) == (letter.name, Attachment.STATE_SCANNING)
    assert (await scanned(files, letter, desk)).state == Attachment.STATE_CLEAN
    assert len(scanner.asked) == 2


async def test_nobody_has_the_bytes_before_that_nor_of_what_is_infected(
    desk, files, brought, scanner, refused
):
    scanner.answers = [(500, "")]
    anna, letter = await brought()
    asked = pb.DownloadAttachmentRequest(name=letter.name)
    assert await refused(files.DownloadAttachment(asked)) == "FAILED_PRECONDITION ATTACHMENT_NOT_READABLE"
    scanner.answers = [(200, '{"verdict": "infected"}')]
    counted = SCANNED.labels("INFECTED")._value
    before = counted.get()
    assert (await scanned(files, letter, desk)).state == Attachment.STATE_INFECTED
    assert counted.get() == before + 1
    assert await refused(files.DownloadAttachment(asked)) == "FAILED_PRECONDITION ATTACHMENT_NOT_READABLE"
    async with desk.running.db.connection() as connection:
        assert not await connection.fetch("SELECT FROM attachment_contents")
    await desk.view_when(anna, lambda view: state_in(view) == [Attachment.STATE_INFECTED])
