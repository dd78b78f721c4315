"""docs/notice-policies.md leads through: what it says is sent, in its order, is taken."""

import json
import re
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict

from rapport.notifications.v1 import notice_policy_service_pb2 as policies
from rapport.notifications.v1 import template_service_pb2 as templates

GUIDE = Path(__file__).parents[4] / "docs" / "notice-policies.md"
BLOCK = re.compile(r"^```json\n(POST .*?)^```", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"POST /v1/(\S+)\n(.*?)(?=\n\nPOST|\Z)", re.DOTALL)


async def test_what_the_guide_of_policies_sends_is_taken_in_its_order(desk: Any) -> None:
    named = []
    for path, body in (call for block in BLOCK.findall(GUIDE.read_text()) for call in CALL.findall(block)):
        told, (_, _, code) = json.loads(body), path.partition("=")
        if path.startswith("templates?"):
            request: Any = ParseDict(
                {"template": told, "templateId": code}, templates.CreateTemplateRequest()
            )
            named.append((await desk.templates.CreateTemplate(request)).name)
        elif path.startswith("templates/"):
            parent, _, _ = path.partition("/texts")
            text = {"templateText": told, "parent": parent, "templateTextId": code}
            request = ParseDict(text, templates.CreateTemplateTextRequest())
            named.append((await desk.templates.CreateTemplateText(request)).name)
        elif path.startswith("noticePolicies?"):
            policy = {"noticePolicy": told, "noticePolicyId": code}
            request = ParseDict(policy, policies.CreateNoticePolicyRequest())
            named.append((await desk.policies.CreateNoticePolicy(request)).name)
        else:
            await desk.policies.PreviewNoticePolicy(ParseDict(told, policies.PreviewNoticePolicyRequest()))
    assert named == [
        f"{kind}/{each}{rest}"
        for each in ("voucher-ends", "with-us", "wishes")
        for kind, rest in (("templates", ""), ("templates", "/texts/en"), ("noticePolicies", ""))
    ]
