"""Files of customers: brought, referred to by what is on the timeline, read and deleted."""

import hashlib
from uuid import UUID

import pytest

from rapport.customer.v1 import attachment_service_pb2 as pb
from rapport.customer.v1.attachment_pb2 import Attachment
from rapport.customer.v1.attachment_service_pb2_grpc import AttachmentServiceStub
from rapport.customer.v1.timeline_service_pb2 import GetTimelineEntryRequest, ListTimelineEntriesRequest

pytestmark = pytest.mark.together
LETTER = b"%PDF-1.7\nDear all"


@pytest.fixture
async def files(desk):
    return desk.running.stub(AttachmentServiceStub)


def uploading(files):
    async def one(customer, content=LETTER, display_name="letter.pdf", **more):
        attachment = Attachment(display_name=display_name)
        return await files.UploadAttachment(
            pb.UploadAttachmentRequest(parent=customer, attachment=attachment, content=content, **more)
        )

    return one


@pytest.fixture
def upload(files):
    return uploading(files)


async def listed(files, customer):
    return [*(await files.ListAttachments(pb.ListAttachmentsRequest(parent=customer))).attachments]


async def test_a_file_is_kept_attached_shown_and_read(desk, files, upload):
    anna = (await desk.create()).name
    letter = await upload(anna)
    assert letter.media_type == "application/pdf"
    assert (letter.sha256, letter.size_bytes) == (hashlib.sha256(LETTER).hexdigest(), len(LETTER))
    assert letter.name.replace("-", "").startswith(
        f"{anna}/attachments/{letter.sha256[:12]}".replace("-", "")
    )
    assert (letter.uploader, letter.department) == ("agents/alice", "departments/front-desk")
    assert letter.state == Attachment.STATE_NOT_SCANNED
    photo = await upload(anna, b"\x89PNG\r\n\x1a\n", "box.png")
    entry = await desk.record(anna, attachments=[photo.name, letter.name, photo.name])
    assert [*entry.attachments] == [photo.name, letter.name]
    assert [each.display_name for each in entry.attached_files] == ["box.png", "letter.pdf"]
    assert await desk.timeline.GetTimelineEntry(GetTimelineEntryRequest(name=entry.name)) == entry
    page = await desk.timeline.ListTimelineEntries(ListTimelineEntriesRequest(parent=anna))
    assert entry in page.timeline_entries
    await desk.view_when(anna, lambda view: entry in view.latest_timeline_entries)
    read = await files.DownloadAttachment(pb.DownloadAttachmentRequest(name=letter.name))
    assert (read.content, read.attachment) == (LETTER, letter)
    assert await listed(files, anna) == sorted([letter, photo], key=lambda each: each.name, reverse=True)


async def test_a_file_is_called_as_what_it_is(desk, upload):
    anna = (await desk.create()).name
    assert (await upload(anna, b"del *", "run.bat")).display_name == "run.bat.txt"


async def test_the_same_bytes_are_the_same_attachment_of_a_customer_and_another_of_another(
    desk, files, upload
):
    anna, bea = [(await desk.create()).name for _ in range(2)]
    first = await upload(anna)
    assert await upload(anna, display_name="again.pdf") == first
    other = await upload(bea)
    assert other.name.rpartition("/")[2] == first.name.rpartition("/")[2]
    assert await listed(files, bea) == [other]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ({"content": b"MZ\x90\x00"}, "MEDIA_TYPE_REFUSED"),
        ({"content": b"%PDF-" + b"x" * 3_000_000}, "ATTACHMENT_TOO_LARGE"),
        ({"content": b""}, "REQUIRED"),
        ({"display_name": "../letter.pdf"}, "INVALID_TEXT"),
        ({"display_name": ""}, "REQUIRED"),
    ],
)
async def test_what_is_no_file_that_is_taken_is_refused(desk, upload, refused, sent, why):
    assert await refused(upload((await desk.create()).name, **sent)) == f"INVALID_ARGUMENT {why}"


@pytest.mark.alone("its customers have little room")
async def test_a_customer_has_room_for_so_many_bytes_by_all_of_their_names(open_desk, refused):
    desk = await open_desk(attachments_max_bytes=2 * len(LETTER))
    files = desk.running.stub(AttachmentServiceStub)
    upload = uploading(files)
    anna, ann = [(await desk.create()).name for _ in range(2)]
    await desk.merge(anna, ann)
    held = await upload(ann)
    await upload(anna, LETTER[:-1])
    assert await refused(upload(anna, LETTER + b" of you")) == "FAILED_PRECONDITION ATTACHMENTS_FULL"
    await files.DeleteAttachment(pb.DeleteAttachmentRequest(name=held.name))
    assert await upload(anna, LETTER[:-2])


async def test_an_entry_refers_to_files_of_its_customer_alone(desk, files, upload, refused):
    anna, bea = [(await desk.create()).name for _ in range(2)]
    letter = await upload(bea)
    assert await refused(desk.record(anna, attachments=[letter.name])) == "INVALID_ARGUMENT OTHER_CUSTOMER"
    unknown = f"{anna}/attachments/{letter.name.rpartition('/')[2]}"
    assert await refused(desk.record(anna, attachments=[unknown])) == "NOT_FOUND RESOURCE_NOT_FOUND"
    await files.DeleteAttachment(pb.DeleteAttachmentRequest(name=letter.name))
    assert (
        await refused(desk.record(bea, attachments=[letter.name])) == "FAILED_PRECONDITION ATTACHMENT_DELETED"
    )


async def test_who_two_names_are_of_has_the_files_of_both_until_they_are_two_again(desk, files, upload):
    anna, ann = [(await desk.create()).name for _ in range(2)]
    letter = await upload(ann)
    entry = await desk.record(ann, attachments=[letter.name])
    merge = await desk.merge(anna, ann)
    assert await listed(files, anna) == [letter]
    page = await desk.timeline.ListTimelineEntries(ListTimelineEntriesRequest(parent=anna))
    assert entry in page.timeline_entries
    await desk.undo(merge)
    assert await listed(files, anna) == []
    assert await listed(files, ann) == [letter]


async def test_of_a_deleted_file_stays_that_it_was_there_until_it_is_brought_again(
    desk, files, upload, refused
):
    anna = (await desk.create()).name
    letter = await upload(anna)
    entry = await desk.record(anna, attachments=[letter.name])
    await desk.view_when(anna, lambda view: entry in view.latest_timeline_entries)
    stale = pb.DeleteAttachmentRequest(name=letter.name, etag='"9"')
    assert await refused(files.DeleteAttachment(stale)) == "ABORTED ETAG_MISMATCH"
    for _ in range(2):
        await files.DeleteAttachment(pb.DeleteAttachmentRequest(name=letter.name, reason_code="asked"))
    shown = await desk.timeline.GetTimelineEntry(GetTimelineEntryRequest(name=entry.name))
    (viewed,) = [each for each in (await desk.view(anna)).latest_timeline_entries if each.name == entry.name]
    assert shown == viewed
    (file,) = shown.attached_files
    assert (file.display_name, file.state) == ("", Attachment.STATE_DELETED)
    assert await refused(files.DownloadAttachment(pb.DownloadAttachmentRequest(name=letter.name))) == (
        "FAILED_PRECONDITION ATTACHMENT_NOT_READABLE"
    )
    async with desk.running.db.connection() as connection:
        held = await connection.fetch(
            "SELECT FROM attachment_contents WHERE customer_id = $1", UUID(anna.rpartition("/")[2])
        )
    assert not held
    again = await upload(anna)
    assert (again.name, again.state, again.etag) == (letter.name, Attachment.STATE_NOT_SCANNED, '"3"')
    assert (await files.DownloadAttachment(pb.DownloadAttachmentRequest(name=letter.name))).content == LETTER
