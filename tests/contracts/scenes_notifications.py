"""What there has to be before a request about messages can be answered: see `scenes`."""

from typing import Any
from uuid import uuid4

from google.protobuf.message import Message

from rapport.notifications.v1 import (
    notice_job_pb2,
    notice_job_service_pb2,
    notice_policy_pb2,
    notice_policy_service_pb2,
    template_pb2,
    template_service_pb2,
)
from tests.contracts.scene import OWNER, Administer, Scene


async def create_template(do: Administer) -> Message:
    template = template_pb2.Template(
        type=template_pb2.Template.TYPE_INFORMATION,
        purpose="purposes/service",
        default_language_code="en",
        department=OWNER,
    )
    return template_service_pb2.CreateTemplateRequest(template_id=f"t{uuid4().hex}", template=template)


async def update_template(do: Administer) -> Message:
    template = await do("TemplateService.CreateTemplate", await create_template(do))
    await do("TemplateService.CreateTemplateText", _text_of(template.name))
    return template_service_pb2.UpdateTemplateRequest(
        template=template_pb2.Template(name=template.name, default_language_code="en")
    )


def _text_of(template: str) -> template_service_pb2.CreateTemplateTextRequest:
    text = template_pb2.TemplateText(subject="Hello", body="{{ contact_name }}")
    return template_service_pb2.CreateTemplateTextRequest(
        parent=template, template_text_id="en", template_text=text
    )


async def create_text(do: Administer) -> Message:
    return _text_of((await do("TemplateService.CreateTemplate", await create_template(do))).name)


async def update_text(do: Administer) -> Message:
    text = await do("TemplateService.CreateTemplateText", await create_text(do))
    return template_service_pb2.UpdateTemplateTextRequest(
        template_text=template_pb2.TemplateText(name=text.name, subject="Hello again")
    )


async def reject_text(do: Administer) -> Message:
    create: Any = await create_template(do)
    create.template.review_required = True
    template = await do("TemplateService.CreateTemplate", create)
    text = await do("TemplateService.CreateTemplateText", _text_of(template.name))
    return template_service_pb2.RejectTemplateTextRequest(name=text.name, etag=text.etag, note="Too long")


async def create_policy(_: Administer) -> Message:
    return notice_policy_service_pb2.CreateNoticePolicyRequest(
        notice_policy_id=f"p{uuid4().hex}",
        notice_policy=notice_policy_pb2.NoticePolicy(
            event_type="rapport.cases.v1.PromiseAtRisk",
            template="templates/delay",
            disabled=True,
            department=OWNER,
        ),
    )


async def create_policy_again(do: Administer) -> Message:
    """A policy of the caller's, under the name of one of billing's that was deleted."""
    again: Any = await create_policy(do)
    policy = await do("NoticePolicyService.CreateNoticePolicy", again)
    deleted = notice_policy_service_pb2.DeleteNoticePolicyRequest(name=policy.name)
    await do("NoticePolicyService.DeleteNoticePolicy", deleted)
    again.notice_policy.department = ""
    return again


async def update_policy(do: Administer) -> Message:
    policy = await do("NoticePolicyService.CreateNoticePolicy", await create_policy(do))
    return notice_policy_service_pb2.UpdateNoticePolicyRequest(
        notice_policy=notice_policy_pb2.NoticePolicy(name=policy.name, event_type=policy.event_type)
    )


async def delete_policy(do: Administer) -> Message:
    policy = await do("NoticePolicyService.CreateNoticePolicy", await create_policy(do))
    return notice_policy_service_pb2.DeleteNoticePolicyRequest(name=policy.name)


async def preview_policy(do: Administer) -> Message:
    template = await do("TemplateService.CreateTemplate", await create_template(do))
    await do("TemplateService.CreateTemplateText", _text_of(template.name))
    return notice_policy_service_pb2.PreviewNoticePolicyRequest(
        notice_policy=notice_policy_pb2.NoticePolicy(
            event_type="rapport.loyalty.v1.TierUpgraded", template=template.name, department=OWNER
        )
    )


async def create_job(do: Administer) -> Message:
    text = await do("TemplateService.CreateTemplateText", await create_text(do))
    job = notice_job_pb2.NoticeJob(
        department=OWNER,
        filter="prospect = true",
        kind="hello",
        template=text.name.partition("/texts/")[0],
    )
    return notice_job_service_pb2.CreateNoticeJobRequest(notice_job=job)


async def pause_job(do: Administer) -> Message:
    job = await do("NoticeJobService.CreateNoticeJob", await create_job(do))
    return notice_job_service_pb2.PauseNoticeJobRequest(name=job.name)


async def resume_job(do: Administer) -> Message:
    job = await do("NoticeJobService.PauseNoticeJob", await pause_job(do))
    return notice_job_service_pb2.ResumeNoticeJobRequest(name=job.name)


async def cancel_job(do: Administer) -> Message:
    job = await do("NoticeJobService.CreateNoticeJob", await create_job(do))
    return notice_job_service_pb2.CancelNoticeJobRequest(name=job.name)


SCENES: dict[str, Scene] = {
    "notifications.TemplateService.CreateTemplate": create_template,
    "notifications.TemplateService.UpdateTemplate": update_template,
    "notifications.TemplateService.CreateTemplateText": create_text,
    "notifications.TemplateService.UpdateTemplateText": update_text,
    "notifications.TemplateService.RejectTemplateText": reject_text,
    "notifications.NoticeJobService.CreateNoticeJob": create_job,
    "notifications.NoticeJobService.PauseNoticeJob": pause_job,
    "notifications.NoticeJobService.ResumeNoticeJob": resume_job,
    "notifications.NoticeJobService.CancelNoticeJob": cancel_job,
    "notifications.NoticePolicyService.CreateNoticePolicy": create_policy,
    "notifications.NoticePolicyService.CreateNoticePolicy+notice_policy_id": create_policy_again,
    "notifications.NoticePolicyService.UpdateNoticePolicy": update_policy,
    "notifications.NoticePolicyService.DeleteNoticePolicy": delete_policy,
    "notifications.NoticePolicyService.PreviewNoticePolicy": preview_policy,
}
