"""What texts share stands in them by name, and a notice says which versions it had."""

import asyncio
from datetime import timedelta
from typing import Any

import grpc

from rapport.notifications.v1 import notice_pb2
from rapport.notifications.v1.template_pb2 import TemplateText
from rapport.notifications.v1.template_service_pb2 import ListTemplateTextsRequest, RenderTemplateRequest
from rapport_testing.running import refused
from rapport_testing.wait import eventually

DROP = "250 an answer that is lost"
PARTIAL = {"type": "TYPE_PARTIAL", "purpose": ""}
SECTION = "<mj-section><mj-column><mj-text><p>{}</p></mj-text></mj-column></mj-section>"
FOOTER = TemplateText(subject="Footer", body="Acme Ltd\n", mjml=SECTION.format("Acme Ltd"))
BODY = '{{ contact_name }}\n{% include "footer" %}'
NEWS = TemplateText(subject="News", body=BODY)
NEWS_TEXT, FOOTER_TEXT = "templates/news/texts/en", "templates/footer/texts/en"


def notice(desk: Any) -> notice_pb2.Notice:
    return notice_pb2.Notice(customer=desk.customer, kind="news", template="templates/news")


async def test_a_partial_stands_in_both_parts_of_a_text_in_its_language(desk: Any) -> None:
    await desk.create_template("footer", FOOTER, **PARTIAL)
    await desk.create_text(
        "footer", "de", TemplateText(subject="Fuß", body="Acme GmbH", mjml=SECTION.format("GmbH"))
    )
    html = "<mjml><mj-head><mj-title>N</mj-title></mj-head><mj-body>{}{}</mj-body></mjml>".format(
        SECTION.format("{{ contact_name }}"), "{%- include 'footer' -%}"
    )
    await desk.create_template("news", TemplateText(subject="News", body=BODY, mjml=html))
    await desk.create_text("news", "de-at", TemplateText(subject="Neues", body=BODY))
    await desk.create_text("news", "fr", TemplateText(subject="Nouvelles", body=BODY))
    sent = {}
    for language in ("en", "de-AT", "fr"):
        desk.peers.customers.answer.language_code = language
        sent[language] = await desk.sent((await desk.send(notice(desk))).name)
    plain, page = desk.mail.accepted[0].iter_parts()
    assert plain.get_content() == "Sam Reed\r\nAcme Ltd\r\n"
    assert "<p>Acme Ltd</p>" in page.get_content()
    assert desk.mail.accepted[1].get_content() == "Sam Reed\r\nAcme GmbH\r\n"
    assert desk.mail.accepted[2].get_content() == "Sam Reed\r\nAcme Ltd\r\n"  # it has no French
    assert {language: list(each.text_partials) for language, each in sent.items()} == {
        "en": ["templates/footer/texts/en/versions/1"],
        "de-AT": ["templates/footer/texts/de/versions/1"],
        "fr": ["templates/footer/texts/en/versions/1"],
    }


async def test_a_new_version_of_a_partial_is_sent_from_when_it_is_approved(desk: Any) -> None:
    await desk.create_template("footer", FOOTER, **PARTIAL)
    await desk.create_template("news", NEWS)
    await desk.update_text(FOOTER_TEXT, body="Acme plc")
    await desk.update_template("footer", review_required=True)
    await desk.update_text(FOOTER_TEXT, body="A draft")
    sent = await desk.sent((await desk.send(notice(desk))).name)
    assert desk.mail.accepted[0].get_content() == "Sam Reed\r\nAcme plc\r\n"
    assert list(sent.text_partials) == [f"{FOOTER_TEXT}/versions/2"]


async def test_a_repeat_has_the_versions_that_it_repeats(desk: Any) -> None:
    await desk.create_template("footer", FOOTER, **PARTIAL, department="departments/platform")
    text = await desk.text()
    await desk.update_text(body=text.body + '{% include "footer" %}')
    desk.mail.replies = [DROP]
    event = desk.at_risk()
    await desk.hear(event)

    async def lost() -> bool:
        notices = await desk.notices_of(event.promise)
        return bool(notices) and [outcome for outcome, _ in await desk.outcomes(notices[0])] == ["UNKNOWN"]

    assert await eventually(lost)
    await desk.update_text(FOOTER_TEXT, body="Another")
    desk.clock.advance(timedelta(minutes=10))
    await desk.notice_in("SENT", event.promise)
    first, second = desk.mail.raw
    assert first == second
    assert b"Acme Ltd" in first


async def test_a_partial_is_sent_to_nobody_and_shown_to_who_writes_it(desk: Any) -> None:
    await desk.create_template("news", FOOTER, **PARTIAL)
    assert await refused(desk.send(notice(desk))) == "TEMPLATE_NOT_SENDABLE"
    shown = await desk.templates.RenderTemplate(RenderTemplateRequest(name="templates/news"))
    assert shown.body == "Acme Ltd\n"
    assert "<p>Acme Ltd</p>" in shown.html


async def test_what_cannot_stand_in_a_text_is_refused(desk: Any) -> None:
    body = {"template_text.body": "INVALID_PARTIAL"}
    await desk.create_template("footer", TemplateText(subject="Footer", body="Acme"), **PARTIAL)
    await desk.create_template("news", NEWS)
    await desk.create_template("draft", FOOTER, **PARTIAL, review_required=True)
    await desk.create_template("billing", FOOTER, **PARTIAL, department="departments/billing")
    for included in ("nobody", "news", "draft", "billing", "delay"):
        changed = desk.update_text(NEWS_TEXT, body=BODY + f'{{% include "{included}" %}}')
        assert await desk.violations(changed) == body, included
    html = SECTION.format("{{ contact_name }}") + '{% include "footer" %}'
    changed = desk.update_text(NEWS_TEXT, mjml=f"<mjml><mj-body>{html}</mj-body></mjml>")
    assert await desk.violations(changed) == {"template_text.mjml": "INVALID_PARTIAL"}  # it has no HTML
    changed = desk.update_text(NEWS_TEXT, body=BODY * 21)
    assert await desk.violations(changed) == body
    for dynamic in ("{% include contact_name %}", '{% include ["footer"] %}', "{% extends 'footer' %}"):
        changed = desk.update_text(NEWS_TEXT, body=BODY + dynamic)
        assert await desk.violations(changed) == {"template_text.body": "INVALID_TEMPLATE"}
    for used in ("{{ new_date }}", "{{ apology }}", "{{ depot }}"):
        changed = desk.update_text(FOOTER_TEXT, body=used)
        assert await desk.violations(changed) == {"template_text.body": "VARIABLE_UNKNOWN"}


async def test_partials_stand_in_partials_and_none_in_itself(desk: Any) -> None:
    await desk.create_template("legal", TemplateText(subject="Legal", body="HRB 1"), **PARTIAL)
    footer = TemplateText(subject="Footer", body='Acme {% include "legal" %}')
    await desk.create_template("footer", footer, **PARTIAL)
    await desk.create_template("news", NEWS)
    sent = await desk.sent((await desk.send(notice(desk))).name)
    assert desk.mail.accepted[0].get_content() == "Sam Reed\r\nAcme HRB 1\r\n"
    assert len(sent.text_partials) == 2
    stands = {name: list((await desk.template(name)).includers) for name in ("legal", "footer", "news")}
    assert stands == {
        "legal": ["templates/footer", "templates/news"],
        "footer": ["templates/news"],
        "news": [],
    }
    assert await desk.update_template("legal", default_language_code="en") == await desk.template("legal")
    texts = await desk.templates.ListTemplateTexts(ListTemplateTextsRequest(parent="templates/news"))
    assert [list(each.partials) for each in texts.template_texts] == [["templates/footer"]]
    for name in ("legal", "footer"):
        changed = desk.update_text("templates/legal/texts/en", body=f'{{% include "{name}" %}}')
        assert await desk.violations(changed) == {"template_text.body": "INVALID_PARTIAL"}


async def test_a_partial_is_not_changed_so_that_what_has_it_could_not_be_sent(desk: Any) -> None:
    reach = TemplateText(
        subject="Reach", body="{{ contact_reach }}", mjml=SECTION.format("{{ contact_reach }}")
    )
    await desk.create_template("reach", reach, **PARTIAL, department="departments/platform")
    footer = TemplateText(subject="F", body='{% include "reach" %}', mjml="{% include 'reach' %}")
    await desk.create_template("footer", footer, **PARTIAL, department="departments/platform")
    body = (await desk.text()).body.replace("{{ contact_reach }}", '{% include "footer" %}')
    await desk.update_text(body=body)
    html = "<mjml><mj-head><mj-title>N</mj-title></mj-head><mj-body>{}{}</mj-body></mjml>".format(
        SECTION.format("{{ contact_name }}"), '{% include "footer" %}'
    )
    await desk.create_template("news", TemplateText(subject="News", body=BODY, mjml=html))
    for change in ({"body": "Acme"}, {"mjml": ""}, {"body": '{% include "nobody" %}'}):
        changed = desk.update_text("templates/reach/texts/en", **change)
        assert await refused(changed) in ("PARTIAL_IN_USE", "INVALID_PARTIAL"), change
    await desk.create_text("news", "it", TemplateText(subject="Novità", body=BODY, mjml=html))
    # In French it stands in what is in French.
    assert (await desk.create_text("reach", "fr", TemplateText(subject="R", body="Acme"))).version == 1
    french = desk.create_text("news", "fr", TemplateText(subject="Nouvelles", body=BODY, mjml=html))
    assert await desk.violations(french) == {"template_text.mjml": "INVALID_PARTIAL"}
    assert (await desk.update_text("templates/reach/texts/en", body="Call {{ contact_reach }}")).version == 2
    assert await refused(desk.update_template("reach", default_language_code="fr")) == "PARTIAL_IN_USE"


async def test_what_a_second_person_approves_has_nothing_in_it_that_nobody_else_reads(desk: Any) -> None:
    await desk.create_template("legal", TemplateText(subject="Legal", body="HRB 1"), **PARTIAL)
    footer = TemplateText(subject="Footer", body='Acme {% include "legal" %}')
    await desk.create_template("footer", footer, **PARTIAL)
    await desk.create_template("news", NEWS)
    unread = {"template_text.body": "INVALID_PARTIAL"}
    assert await desk.violations(desk.update_template("news", review_required=True)) == unread
    assert await desk.violations(desk.update_template("footer", review_required=True)) == unread
    for each in ("legal", "footer", "news"):
        await desk.update_template(each, review_required=True)
    await desk.create_template("plain", FOOTER, **PARTIAL)
    changed = desk.update_text(NEWS_TEXT, body=BODY + '{% include "plain" %}')
    assert await desk.violations(changed) == unread


async def test_two_at_once_do_not_put_each_in_the_other(desk: Any) -> None:
    for name in ("one", "two"):
        await desk.create_template(name, FOOTER, **PARTIAL)
    calls = [
        desk.update_text("templates/one/texts/en", body='{% include "two" %}'),
        desk.update_text("templates/two/texts/en", body='{% include "one" %}'),
    ]
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(isinstance(each, grpc.aio.AioRpcError) for each in done) == [False, True]


async def test_partials_of_partials_do_not_grow_without_end(desk: Any) -> None:
    await desk.create_template("p0", TemplateText(subject="p", body="x" * 500), **PARTIAL)
    twenty = [TemplateText(subject="p", body=f'{{% include "p{level}" %}}' * 20) for level in range(2)]
    await desk.create_template("p1", twenty[0], **PARTIAL)  # 10,000 characters
    assert await desk.violations(desk.create_template("p2", twenty[1], **PARTIAL)) == {
        "template_text.body": "INVALID_PARTIAL"
    }
