"""The HTML of a message says what its plain text must say, and no value makes markup in it."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from chassis.names import PLATFORM
from notifications.domain.template import Template, Text, Type
from notifications.usecases import letters, words

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LETTER = letters.DELAY[0]
BODY = LETTER.body
TEMPLATE = Template("delay", Type.DELAY, "purposes/service", PLATFORM, "en-GB", {}, NOW, NOW, essential=True)
GIVEN = {
    "customer_name": "Maria Anders",
    "contact_name": "Sam Reed",
    "contact_reach": "+49 30 1234",
    "reason": "weather",
    "old_date": "2026-03-05",
    "new_date": "2026-03-09",
    "reference": "orders/10248",
}
MJML = """
<mjml>
  <mj-head><mj-title>A new date</mj-title></mj-head>
  <mj-body>
    <mj-section><mj-column><mj-text>
      <h1>Dear {{ customer_name }},</h1>
      <p>{{ apology }}</p>
      <p>{{ reason }} We now expect to be done by {{ new_date }}{% if old_date %}, not
        {{ old_date }}{% endif %}.</p>
      <p title="{{ reference }}">{{ contact_name }}, {{ contact_reach }}</p>
    </mj-text></mj-column></mj-section>
  </mj-body>
</mjml>
"""
DELAY = Text(
    "delay", "en-gb", "en-GB", 1, LETTER.subject, BODY, LETTER.apology, LETTER.reasons, NOW, mjml=MJML
)


def refused(html: str) -> set[tuple[str, str]]:
    with pytest.raises(InvalidArgument) as refusal:
        words.check(TEMPLATE, replace(DELAY, mjml=html))
    return {(each.field, each.reason) for each in refusal.value.violations}


def test_a_message_has_both_and_they_say_the_same() -> None:
    words.check(TEMPLATE, DELAY)
    sent = words.render(TEMPLATE, DELAY, GIVEN, UTC)
    assert sent.body == words.render(TEMPLATE, replace(DELAY, mjml=""), GIVEN, UTC).body
    assert "<h1>Dear Maria Anders,</h1>" in sent.html
    assert "The weather is holding us up. We now expect to be done by Monday, 9 March 2026," in sent.html
    assert 'lang="en-GB"' in sent.html


def test_a_text_without_html_is_plain() -> None:
    assert words.render(TEMPLATE, replace(DELAY, mjml=""), GIVEN, UTC).html == ""


@pytest.mark.parametrize("part", ["apology", "reason", "new_date", "contact_name", "contact_reach"])
def test_the_html_must_say_each_part_too(part: str) -> None:
    said = "{{ " + part + " }}"
    missing = {("template_text.mjml", "TEMPLATE_PART_MISSING")}
    assert refused(MJML.replace(said, "")) == missing
    unseen = MJML.replace(said, f"<span style='display:none'>{said}</span>")
    assert refused(unseen) == missing


def test_html_is_made_once_for_all_reasons_and_again_where_one_has_words_of_its_own(monkeypatch) -> None:
    made: list[str] = []
    page_of = words.page_of
    monkeypatch.setattr(words, "page_of", lambda *given: made.append(given[0]) or page_of(*given))
    reasons = {f"r{number}": f"Because of {number:03}." for number in range(100)}
    many = replace(DELAY, reasons=reasons | {"other": "Because of more."})
    words.check(TEMPLATE, many)
    assert len(made) == 2  # with a reference and without
    hides = '{% if reason == "Because of 042." %}{% else %}{{ new_date }}{% endif %}'
    with pytest.raises(InvalidArgument, match="new_date"):
        words.check(TEMPLATE, replace(many, mjml=MJML.replace("{{ new_date }}", hides)))


def test_html_that_does_not_hold_is_refused_with_everything_that_is_wrong() -> None:
    assert refused(MJML.replace("h1", "h2")) == {("template_text.mjml", "INVALID_MJML")}
    assert refused("{% for x in y %}") == {("template_text.mjml", "INVALID_TEMPLATE")}
    assert refused(MJML + "{{ nobody }}") == {("template_text.body", "VARIABLE_UNKNOWN")}


def test_a_value_that_spoils_a_link_is_refused_before_it_is_sent() -> None:
    template = replace(TEMPLATE, type=Type.INFORMATION, variables={"link": False})
    html = MJML.replace("</h1>", "</h1><a href='https://acme.example/{{ link }}'>Your order</a>")
    text = replace(DELAY, mjml=html)
    words.check(template, replace(text, mjml=html.replace("{{ link }}", "{{ reference }}")))
    with pytest.raises(InvalidArgument, match="https"):
        words.render(template, text, GIVEN | {"link": "a b"}, UTC)
    assert 'href="https://acme.example/1"' in words.render(template, text, GIVEN | {"link": "1"}, UTC).html


TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(
            ["<", ">", "&lt;", "&", '"', "'", "<b>", "</p>", "<!--", "]]>", "{{", "{%", "\\n", "שלום", "😀"]
        )
    ).map("".join),
)


@given(TEXTS, TEXTS)
@example("<img src=x onerror=alert(1)>", '" onmouseover="alert(1)')
@example("👩\u200d👩\u200d👧 \u0645\u06cc\u200c\u062e\u0648", "\u202eמה\u202c")
@settings(max_examples=150, deadline=None)
def test_a_value_is_text_whatever_it_holds(name: str, reach: str) -> None:
    name, reach = f"x{name}", f"y{reach}"
    sent = words.render(TEMPLATE, DELAY, GIVEN | {"customer_name": name, "contact_reach": reach}, UTC)
    plain = words.render(TEMPLATE, DELAY, GIVEN | {"customer_name": "x", "contact_reach": "y"}, UTC)
    assert sent.html.count("<") == plain.html.count("<")
    seen = " ".join(unescape(re.sub("<[^>]*>", "", sent.html)).split())
    for value in (name, reach):
        assert " ".join(words.one_line(value).split()) in seen
