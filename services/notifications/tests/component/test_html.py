"""A text may say the same in HTML: who reads it fetches nothing, and who does not has the plain text."""

import asyncio
import hashlib
import threading
from datetime import timedelta
from typing import Any

from notifications.usecases import words
from rapport.notifications.v1 import notice_pb2, template_service_pb2
from rapport.notifications.v1.template_pb2 import TemplateText
from rapport_testing.wait import eventually

DROP = "250 an answer that is lost"
BODY = "Hello {{ customer_name }}, yours, {{ contact_name }}"
MJML = """\
<mjml>
  <mj-head><mj-title>News</mj-title></mj-head>
  <mj-body><mj-section><mj-column>
    <mj-text><h1>Hello {{ customer_name }}</h1><p>Yours, {{ contact_name }}</p></mj-text>
  </mj-column></mj-section></mj-body>
</mjml>
"""
NEWS = TemplateText(subject="News", body=BODY, mjml=MJML)


async def test_both_are_sent_as_alternatives_in_the_language_of_the_text(desk: Any) -> None:
    await desk.create_template("news", NEWS)
    desk.peers.customers.answer.display_name = "Maria <b>&"
    notice = notice_pb2.Notice(customer=desk.customer, kind="news", template="templates/news")
    sent = await desk.sent((await desk.send(notice)).name)
    [mail] = desk.mail.accepted
    assert (mail.get_content_type(), mail["Content-Language"]) == ("multipart/alternative", "en")
    plain, html = mail.iter_parts()
    assert plain.get_content() == "Hello Maria <b>&, yours, Sam Reed\r\n"
    assert "<h1>Hello Maria &lt;b&gt;&amp;</h1>" in html.get_content()
    assert '<html lang="en" dir="ltr"' in html.get_content()
    shown = await desk.templates.RenderTemplate(
        template_service_pb2.RenderTemplateRequest(
            name="templates/news", variables={"customer_name": "Maria <b>&", "contact_name": "Sam Reed"}
        )
    )
    assert html.get_content().replace("\r\n", "\n").strip() == shown.html.strip()
    told = f"News\n\n{shown.body}\n\n{shown.html}"
    assert sent.content_hash == hashlib.sha256(told.encode()).hexdigest()


async def test_html_is_changed_and_taken_away_in_versions(desk: Any) -> None:
    await desk.create_template("news", NEWS)
    name = "templates/news/texts/en"
    assert (await desk.text(name)).mjml == MJML
    changed = await desk.update_text(name, mjml=MJML.replace("News", "Novelties"))
    assert (changed.version, changed.body) == (2, BODY)
    assert (await desk.update_text(name, mjml="")).version == 3
    assert (await desk.text(f"{name}/versions/1")).mjml == MJML


async def test_html_that_fetches_or_leaves_out_is_refused_with_every_violation(desk: Any) -> None:
    await desk.create_template("news", NEWS)
    name = "templates/news/texts/en"
    for html, reason in (
        (MJML.replace("<p>", "<p><img src='https://a.example/pixel.png' alt='' />"), "INVALID_MJML"),
        (MJML.replace("<mj-title>News</mj-title>", ""), "INVALID_MJML"),
        (MJML.replace("{{ contact_name }}", ""), "TEMPLATE_PART_MISSING"),
        (MJML.replace("{{ contact_name }}", "{{ contact_name | safe }}"), "INVALID_TEMPLATE"),
        ("x" * 30_001, "TOO_LONG"),
    ):
        assert await desk.violations(desk.update_text(name, mjml=html)) == {"template_text.mjml": reason}
    assert (await desk.text(name)).version == 1


async def test_a_lost_answer_is_repeated_with_the_same_bytes(desk: Any) -> None:
    parts = "".join(f"<p>{{{{ {part} }}}}</p>" for part in ("apology", "reason", "new_date", "contact_reach"))
    await desk.update_text(mjml=MJML.replace("</h1>", f"</h1>{parts}"))
    desk.mail.replies = [DROP]
    event = desk.at_risk()
    await desk.hear(event)

    async def lost() -> bool:
        notices = await desk.notices_of(event.promise)
        return bool(notices) and [outcome for outcome, _ in await desk.outcomes(notices[0])] == ["UNKNOWN"]

    assert await eventually(lost)
    await desk.update_text(mjml="")  # meanwhile: a repeat says what it repeats
    desk.clock.advance(timedelta(minutes=10))
    await desk.notice_in("SENT", event.promise)
    first, second = desk.mail.raw
    assert first == second


async def test_a_sender_is_told_at_once_that_a_filter_cannot_say_what_they_give(desk: Any) -> None:
    text = TemplateText(subject="Your visit", body="{{ contact_name }} comes on {{ visit | day }}")
    await desk.create_template("visit", text, variables=[{"name": "visit", "impersonal": True}])
    await desk.create_text(
        "visit", "de", TemplateText(subject="Ihr Termin", body="{{ contact_name }}: {{ visit | day }}")
    )
    notice = notice_pb2.Notice(customer=desk.customer, kind="visit", template="templates/visit")
    notice.variables["visit"] = "on Monday"
    assert await desk.violations(desk.send(notice)) == {"variables": "VARIABLE_INVALID"}
    notice.variables["visit"] = "2026-03-09"
    desk.peers.customers.answer.language_code = "de-AT"
    await desk.sent((await desk.send(notice)).name)
    assert desk.mail.accepted[0].get_content() == "Sam Reed: Montag, 9. März 2026\r\n"


async def test_links_lead_to_no_host_that_hides_where(desk: Any) -> None:
    short = TemplateText(subject="News", body="{{ contact_name }}: https://bit.ly/3x")
    refused = await desk.violations(desk.create_template("news", short))
    assert refused == {"template_text.body": "INVALID_LINK"}


async def test_others_are_answered_while_a_text_of_many_words_is_looked_at(desk: Any, monkeypatch) -> None:
    await desk.create_template("news", NEWS)
    begun, go_on = threading.Event(), threading.Event()

    def slowly(*_: object, **__: object) -> None:
        begun.set()
        assert go_on.wait(30)

    notice = notice_pb2.Notice(customer=desk.customer, kind="news", template="templates/news")
    for looks, asked in (
        ("check", lambda: desk.update_text("templates/news/texts/en", body=f"{BODY}!")),
        ("rehearse", lambda: desk.send(notice)),
    ):
        monkeypatch.setattr(words, looks, slowly)
        waiting = asyncio.ensure_future(asked())
        await eventually(begun.is_set)
        assert (await desk.text("templates/news/texts/en")).version >= 1
        go_on.set()
        await waiting
        begun.clear()
        go_on.clear()
