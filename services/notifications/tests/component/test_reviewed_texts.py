"""Where a template asks for it, what is written is sent once a second person has approved it."""

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from rapport.notifications.v1 import notice_pb2
from rapport.notifications.v1.template_pb2 import Template, TemplateText
from rapport.notifications.v1.template_service_pb2 import (
    ApproveTemplateTextRequest,
    RejectTemplateTextRequest,
    RenderTemplateRequest,
    UpdateTemplateRequest,
    UpdateTemplateTextRequest,
)
from rapport.notifications.v1.template_service_pb2_grpc import TemplateServiceStub
from rapport_testing.running import reason, refused

NEWS = "templates/news/texts/en"
HELLO = TemplateText(subject="Hello", body="{{ contact_name }}")
DRAFT, APPROVED, REJECTED = TemplateText.STATE_DRAFT, TemplateText.STATE_APPROVED, TemplateText.STATE_REJECTED
MAY = ["notifications.template_texts.approve", "notifications.template_texts.write"]


class Reader:
    """Somebody who reads what others wrote."""

    def __init__(self, desk: Any, subject: str, department: str = "front-desk") -> None:
        self.desk = desk
        self.subject = subject
        self.templates: Any = desk.running.stub(TemplateServiceStub, MAY, subject, department)

    async def approve(self, name: str = NEWS, etag: str = "") -> Any:
        etag = etag or (await self.desk.text(name)).etag
        return await self.templates.ApproveTemplateText(ApproveTemplateTextRequest(name=name, etag=etag))

    async def reject(self, note: str, name: str = NEWS) -> Any:
        etag = (await self.desk.text(name)).etag
        return await self.templates.RejectTemplateText(
            RejectTemplateTextRequest(name=name, etag=etag, note=note)
        )


@pytest.fixture
async def ada(desk: Any) -> Reader:
    return Reader(desk, "agent:ada")


async def test_what_is_written_is_sent_once_somebody_else_approved_it(desk: Any, ada: Reader) -> None:
    await desk.create_template("news", HELLO, review_required=True)
    draft = await desk.text(NEWS)
    assert (draft.state, draft.reviewer) == (DRAFT, "")
    assert draft.author == "agents/alice"
    assert list((await desk.template("news")).language_codes) == []
    notice = notice_pb2.Notice(customer=desk.customer, kind="news", template="templates/news")
    assert await refused(desk.send(notice)) == "TEMPLATE_NOT_SENDABLE"
    approved = await ada.approve()
    assert (approved.state, approved.reviewer, approved.version) == (APPROVED, "agents/ada", 1)
    assert approved.HasField("review_time")
    assert approved == await desk.text(NEWS)
    sent = await desk.sent((await desk.send(notice)).name)
    assert sent.text_version == 1
    await desk.update_text(NEWS, subject="Hello again")
    assert (await desk.text(NEWS)).state == DRAFT
    again = await desk.sent((await desk.send(notice)).name)
    assert again.text_version == 1
    await ada.approve()
    assert (await desk.sent((await desk.send(notice)).name)).text_version == 2
    assert [mail["Subject"] for mail in desk.mail.accepted] == ["Hello", "Hello", "Hello again"]


async def test_nobody_approves_what_they_wrote_a_part_of(desk: Any, ada: Reader) -> None:
    await desk.create_template("news", HELLO, review_required=True)
    await ada.approve()
    bob = Reader(desk, "agent:bob")
    text = TemplateText(name=NEWS, subject="Ada's")

    await ada.templates.UpdateTemplateText(UpdateTemplateTextRequest(template_text=text))
    assert await refused(ada.approve()) == "OWN_TEXT"
    text.subject = "Bob's"
    await bob.templates.UpdateTemplateText(UpdateTemplateTextRequest(template_text=text))
    assert await refused(ada.approve()) == "OWN_TEXT"  # it holds what she wrote
    assert await refused(bob.approve()) == "OWN_TEXT"
    assert (await Reader(desk, "agent:eve").approve()).version == 3


async def test_what_is_rejected_is_never_sent_and_says_why(desk: Any, ada: Reader) -> None:
    await desk.create_template("news", HELLO, review_required=True)
    rejected = await ada.reject("It promises what we do not know.")
    assert (rejected.state, rejected.reviewer) == (REJECTED, "agents/ada")
    assert rejected.review_note == "It promises what we do not know."
    assert await refused(ada.approve()) == "TEXT_REVIEWED"
    assert await refused(ada.reject("Again")) == "TEXT_REVIEWED"
    assert (await desk.update_text(NEWS, subject="Better")).state == DRAFT
    assert (await ada.approve()).review_note == ""
    assert (await desk.text(f"{NEWS}/versions/1")).state == REJECTED


async def test_who_approves_has_read_the_version_that_is_sent(desk: Any, ada: Reader) -> None:
    await desk.create_template("news", HELLO, review_required=True)
    read = (await desk.text(NEWS)).etag
    await desk.update_text(NEWS, subject="Another")
    assert await refused(ada.approve(etag=read)) == "ETAG_MISMATCH"
    assert (await desk.text(NEWS)).state == DRAFT


async def test_two_who_decide_at_once_decide_once(desk: Any, ada: Reader) -> None:
    await desk.create_template("news", HELLO, review_required=True)
    bob = Reader(desk, "agent:bob")
    etag = (await desk.text(NEWS)).etag
    calls = [ada.approve(etag=etag), bob.reject("No"), ada.reject("No"), bob.approve(etag=etag)]
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(each, TemplateText) for each in done].count(True) == 1
    assert {reason(each) for each in done if isinstance(each, grpc.aio.AioRpcError)} == {"TEXT_REVIEWED"}


async def test_a_draft_is_shown_before_it_is_sent(desk: Any, ada: Reader) -> None:
    await desk.create_template("news", HELLO, review_required=True)
    request = RenderTemplateRequest(name="templates/news", variables={"contact_name": "Sam"})
    with pytest.raises(grpc.aio.AioRpcError, match="templates/news/texts/en"):
        await desk.templates.RenderTemplate(request)
    request.text_version = 1
    shown = await desk.templates.RenderTemplate(request)
    assert (shown.subject, shown.body, shown.text_version) == ("Hello", "Sam", 1)
    request.text_version = 2
    with pytest.raises(grpc.aio.AioRpcError, match="texts/en/versions/2"):
        await desk.templates.RenderTemplate(request)


async def test_a_draft_is_checked_as_it_is_written_and_as_it_is_approved(desk: Any, ada: Reader) -> None:
    await desk.update_template("delay", review_required=True)
    assert await desk.violations(desk.update_text(body="Hello")) == {
        "template_text.body": "TEMPLATE_PART_MISSING"
    }
    await desk.create_template("news", HELLO, review_required=True, variables=[{"name": "depot"}])
    await ada.approve()
    await desk.update_text(NEWS, subject="At {{ depot }}")

    forget = UpdateTemplateRequest(
        template=Template(name="templates/news"), update_mask=FieldMask(paths=["variables"])
    )
    assert await refused(desk.templates.UpdateTemplate(forget)) == "VARIABLE_IN_USE"  # of a draft


async def test_what_a_second_person_reads_stays_so(desk: Any) -> None:
    await desk.create_template("news", HELLO)
    assert (await desk.text(NEWS)).state == APPROVED  # nobody asked for a reader
    changed = await desk.update_template("news", review_required=True)
    assert changed.review_required
    assert (await desk.text(NEWS)).state == APPROVED

    undo = UpdateTemplateRequest(
        template=Template(name="templates/news"), update_mask=FieldMask(paths=["review_required"])
    )
    assert await refused(desk.templates.UpdateTemplate(undo)) == "REVIEW_STAYS"


async def test_another_department_approves_and_rejects_nothing(desk: Any) -> None:
    await desk.create_template("news", HELLO, review_required=True)
    eve = Reader(desk, "agent:eve", department="billing")
    assert await refused(eve.approve()) == "NOT_OWNER"
    assert await refused(eve.reject("No")) == "NOT_OWNER"
    assert (await desk.text(NEWS)).state == DRAFT


async def test_policies_send_what_is_approved(desk: Any) -> None:
    await desk.update_template("delay", review_required=True)
    await desk.update_text(subject="Draft: {{ new_date }}")
    event = desk.at_risk()
    await desk.hear(event)
    assert (await desk.notice_in("SENT", event.promise)).text_version == 1
    administrator = Reader(desk, "agent:eve", department="platform")
    await administrator.approve("templates/delay/texts/en-gb")
    later = desk.at_risk()
    await desk.hear(later)
    assert (await desk.notice_in("SENT", later.promise)).text_version == 2
    assert [mail["Subject"].startswith("Draft") for mail in desk.mail.accepted] == [False, True]
