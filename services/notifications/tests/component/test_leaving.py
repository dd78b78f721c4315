"""Each message that a customer can do without says how to get no more of them, by one click."""

import html
import json
import re
from typing import Any

import grpc
import pytest

from rapport.common.v1.channel_pb2 import CHANNEL_SMS
from rapport.notifications.v1 import notice_pb2, template_pb2
from rapport.notifications.v1.template_service_pb2 import RenderTemplateRequest
from rapport_testing.running import refused
from rapport_testing.wait import eventually

LINK = "<https://care.acme.example/c/canary-token_4711/unsubscribe?purpose={}&channel=email>"

NO_LINKS = grpc.StatusCode.FAILED_PRECONDITION
OWN = "https://care.acme.example/c/canary-token_4711"
BODY = """{{ contact_name }}: {{ pages_link }}
{% if unsubscribe_link %}No more of it: {{ unsubscribe_link }}{% endif %}"""
HTML = """<mjml><mj-head><mj-title>News</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>
{{ contact_name }} {% if unsubscribe_link %}<a href="{{ unsubscribe_link }}">No more of it</a>{% endif %}
</mj-text></mj-column></mj-section></mj-body></mjml>"""


async def sent_for(desk: Any, purpose: str) -> Any:
    """A notice for a purpose."""
    text = template_pb2.TemplateText(subject="News", body=BODY, mjml=HTML)
    await desk.create_template("news", text, purpose=f"purposes/{purpose}")
    return await desk.send(notice_pb2.Notice(customer=desk.customer, kind="news", template="templates/news"))


@pytest.mark.parametrize("purpose", ["newsletter", "survey", "marketing"])
async def test_who_wants_no_more_of_it_says_so_by_one_click(desk: Any, purpose: str) -> None:
    notice = await sent_for(desk, purpose)
    await desk.sent(notice.name)
    [message] = desk.mail.accepted
    assert message["List-Unsubscribe"] == LINK.format(purpose)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain, page = message.iter_parts()
    assert plain.get_content().splitlines() == [
        f"Sam Reed: {OWN}",
        f"No more of it: {LINK.format(purpose)[1:-1]}",
    ]
    assert f'href="{html.escape(LINK.format(purpose)[1:-1])}"' in page.get_content()
    assert len(desk.peers.links.asked) == 1


async def test_a_text_message_says_the_way_out_too(desk: Any) -> None:
    desk.peers.customers.answer.channel, desk.peers.customers.answer.address = CHANNEL_SMS, "+4930901820"
    await desk.sent((await sent_for(desk, "newsletter")).name)
    [(_, content)] = desk.gateway.asked
    assert f"No more of it: {OWN}/unsubscribe?purpose=newsletter&channel=sms" in json.loads(content)["text"]


async def test_the_way_out_is_of_the_name_that_has_the_address(desk: Any) -> None:
    """Of names that were taken for one, and may be two: a link opens what is kept under its name."""
    desk.peers.customers.address_of = other = "customers/0198c2a4-7b1e-7c3d-9f00-000000000001"
    await desk.sent((await sent_for(desk, "newsletter")).name)
    assert desk.peers.links.asked == [f"{other}/selfServiceLink"]


@pytest.mark.parametrize("purpose", ["service", "recall"])
async def test_what_is_essential_nobody_leaves_whatever_it_is_called(desk: Any, purpose: str) -> None:
    await desk.sent((await sent_for(desk, purpose)).name)
    [message] = desk.mail.accepted
    assert message["List-Unsubscribe"] is None
    assert message["List-Unsubscribe-Post"] is None
    plain, _ = message.iter_parts()
    assert plain.get_content().strip() == f"Sam Reed: {OWN}"


async def test_without_a_way_out_it_waits_and_that_is_shown(desk: Any) -> None:
    desk.peers.links.failure = NO_LINKS
    notice = await sent_for(desk, "newsletter")

    async def tried() -> Any:
        return await desk.outcomes(notice)

    assert await eventually(tried) == [("TEMPORARY_FAILURE", "customer-failed-precondition")]
    assert desk.mail.received == []


@pytest.mark.parametrize("part", ["body", "mjml"])
@pytest.mark.parametrize(
    "said", ["", "{% if contact_name != 'the contact_name' %}{{ unsubscribe_link }}{% endif %}"]
)
async def test_what_they_can_do_without_says_the_way_out_in_each_part(
    desk: Any, part: str, said: str
) -> None:
    parts = {"body": BODY, "mjml": HTML}
    kept = re.sub(r"{% if unsub.*endif %}", said, parts[part])
    text = template_pb2.TemplateText(subject="News", **parts | {part: kept})
    violations = await desk.violations(desk.create_template("news", text, purpose="purposes/newsletter"))
    assert violations == {f"template_text.{part}": "TEMPLATE_PART_MISSING"}


async def test_a_partial_may_say_the_way_out_for_all_in_which_it_stands(desk: Any) -> None:
    footer = template_pb2.TemplateText(subject="Footer", body="Bye: {{ unsubscribe_link }}")
    await desk.create_template("footer", footer, type="TYPE_PARTIAL")
    news = template_pb2.TemplateText(subject="News", body='{{ contact_name }} {% include "footer" %}')
    await desk.create_template("news", news, purpose="purposes/newsletter")
    assert await refused(desk.update_text("templates/footer/texts/en", body="Bye")) == "PARTIAL_IN_USE"


async def test_what_they_need_is_not_kept_back_for_a_link_and_leads_to_their_pages(desk: Any) -> None:
    first, second = desk.at_risk(), desk.at_risk()
    await desk.hear(first)
    await desk.notice_in("SENT", first.promise)
    desk.peers.links.failure = NO_LINKS
    await desk.hear(second)
    await desk.notice_in("SENT", second.promise)
    assert [f"{OWN}\r\n" in each.get_body(("plain",)).get_content() for each in desk.mail.accepted] == [
        True,
        False,
    ]
    assert "Your own page" not in desk.mail.accepted[1].get_body(("plain",)).get_content()


async def test_nobody_else_is_shown_a_link(desk: Any) -> None:
    await desk.sent((await sent_for(desk, "newsletter")).name)
    desk.peers.links.asked.clear()
    people = {"contact_name": "Sam", "customer_name": "Maria"}
    shown = await desk.templates.RenderTemplate(
        RenderTemplateRequest(name="templates/news", variables=people)
    )
    assert "https://example.com/unsubscribe_link" in shown.body
    assert not desk.peers.links.asked


async def test_the_token_of_a_link_is_nowhere_but_in_the_message(desk: Any) -> None:
    notice = await desk.sent((await sent_for(desk, "newsletter")).name)
    explained = await desk.explain(notice.name)
    facts = await desk.running.published()
    assert "canary-token" not in f"{notice}{explained}{await desk.attempts(notice)}{facts}"
