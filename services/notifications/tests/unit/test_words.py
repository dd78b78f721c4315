from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any
from unittest.mock import Mock
from zoneinfo import ZoneInfo

import pytest
from babel.localedata import locale_identifiers

from chassis.api.validation import Check, Found
from chassis.errors import InvalidArgument
from chassis.languages import language_code_of
from chassis.names import PLATFORM
from notifications.domain.template import REPEATS, Template, Text, Type
from notifications.rpc.templates import check_text
from notifications.usecases import letters, words
from notifications.usecases.words import Words, defaulted, one_line, said, text_for, to_give
from rapport.notifications.v1.template_service_pb2 import CreateTemplateTextRequest

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LETTER = letters.DELAY[0]
BODY = LETTER.body
TEMPLATE = Template(
    "delay",
    Type.DELAY,
    "purposes/service",
    PLATFORM,
    "en-GB",
    {},
    create_time=NOW,
    update_time=NOW,
    essential=True,
)
DELAY = Text(
    "delay", "en-gb", "en-GB", 1, LETTER.subject, BODY, LETTER.apology, LETTER.reasons, create_time=NOW
)
GIVEN = {
    "customer_name": "Maria Anders",
    "contact_name": "Sam Reed",
    "contact_reach": "+49 30 1234 or sam@acme.example",
    "reason": "weather",
    "old_date": "2026-03-05T00:00:00+00:00",
    "new_date": "2026-03-09T17:00:00+00:00",
    "reference": "orders/10248",
}


def check(text: Text, template: Template = TEMPLATE) -> None:
    words.check(template, text)


def render(text: Text, given: dict[str, str], zone: tzinfo) -> Words:
    return words.render(TEMPLATE, text, given, zone)


def refused(text: Text, template: Template = TEMPLATE) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidArgument) as refusal:
        check(text, template)
    return [(v.field, v.reason, v.description) for v in refusal.value.violations]


def test_the_seeded_template_says_everything_a_delay_notice_must_say() -> None:
    message = render(DELAY, GIVEN, UTC)
    assert message.subject == "10248: a new date, Monday, 9 March 2026"
    for part in (
        "Dear Maria Anders,",
        LETTER.apology,
        "The weather is holding us up.",
        "by Wednesday, 4 March 2026",
        "by Monday, 9 March 2026",
        "Sam Reed",
        "+49 30 1234 or sam@acme.example",
    ):
        assert part in message.body


def test_the_seeded_template_does_without_a_reference() -> None:
    message = render(DELAY, GIVEN | {"reference": ""}, UTC)
    assert message.subject == "A new date, Monday, 9 March 2026"
    assert "We promised you this by" in message.body


@pytest.mark.parametrize("part", ["apology", "reason", "new_date", "contact_name", "contact_reach"])
def test_a_delay_template_without_a_part_is_refused(part: str) -> None:
    body = BODY.replace("{{ " + part + " }}", "")
    [(field, reason, description)] = refused(replace(DELAY, body=body))
    assert (field, reason) == ("template_text.body", "TEMPLATE_PART_MISSING")
    assert description == f"a DELAY template must have {part}"


def test_every_missing_part_is_named_at_once() -> None:
    [(_, _, description)] = refused(replace(DELAY, body="Hello", apology=" ", reasons={"weather": "Rain."}))
    assert description.endswith(
        "apology, reason, new_date, contact_name, contact_reach, the text of apology, reasons.other"
    )


def test_a_part_that_a_condition_hides_is_missing() -> None:
    hidden = BODY.replace("{{ apology }}", "{% if reference == 'x' %}{{ apology }}{% endif %}")
    assert refused(replace(DELAY, body=hidden))[0][1] == "TEMPLATE_PART_MISSING"


def test_a_part_that_is_missing_for_these_values_only_is_found_before_sending() -> None:
    hidden = replace(
        DELAY,
        body=BODY.replace("{{ apology }}", "{% if customer_name != 'Maria' %}{{ apology }}{% endif %}"),
    )
    check(hidden)
    with pytest.raises(InvalidArgument, match="must have apology"):
        render(hidden, GIVEN | {"customer_name": "Maria"}, UTC)


def test_an_information_template_needs_a_named_human() -> None:
    template = replace(TEMPLATE, type=Type.INFORMATION)
    information = replace(DELAY, apology="", reasons={})
    hello = replace(information, body="Hello {{ customer_name }}")
    assert refused(hello, template)[0][1] == "TEMPLATE_PART_MISSING"
    check(replace(information, body="Yours, {{ contact_name }}"), template)


def test_a_variable_must_be_known_or_declared() -> None:
    text = replace(DELAY, body=BODY + "{{ depot }} {{ shelf }}")
    described = "must use no variable that templates/delay does not declare: depot, shelf"
    assert refused(text) == [("template_text.body", "VARIABLE_UNKNOWN", described)]
    template = replace(TEMPLATE, variables={"depot": True, "shelf": False})
    check(text, template)
    assert to_give(template, [text, DELAY]) == [
        "depot",
        "new_date",
        "old_date",
        "reason",
        "reference",
        "shelf",
    ]
    given = {"depot": "D1", "shelf": "next to Anna", "reference": "a/1", "customer_name": "Anna"}
    assert template.impersonal(given) == {"depot": "D1", "reference": "a/1"}


def test_what_has_a_default_wherever_it_stands_need_not_be_given() -> None:
    told = """{{ depot | default("Kiel") | upper }}{% if depot is defined %}!{% endif %}"""
    text = replace(DELAY, body=BODY + told)
    assert render(text, GIVEN, UTC).body.endswith("KIEL")
    assert render(text, GIVEN | {"depot": "Bonn"}, UTC).body.endswith("BONN!")
    assert defaulted([text, DELAY]) == {"depot"}
    bare = replace(DELAY, subject="From {{ depot }}")
    assert defaulted([text, bare]) == set()
    with pytest.raises(InvalidArgument, match="must be given"):
        render(bare, GIVEN, UTC)


@pytest.mark.parametrize(
    ("language", "found"),
    [
        ("de-AT", "de-at"),
        ("de-DE", "de"),
        ("DE", "de"),
        ("pt", "en-gb"),
        ("en-US", "en-gb"),
        ("", "en-gb"),
        ("zh-Hant-TW", "zh-hant"),
        ("zh-TW", "zh-hant"),
        ("zh-Hant-SG", "zh-hant"),
        ("zh-CN", "zh"),
        ("iw", "he"),
    ],
)
def test_a_customer_gets_their_language_or_what_is_left_of_it_or_the_default(
    language: str, found: str
) -> None:
    texts = [replace(DELAY, language=each) for each in ("de", "de-at", "en-gb", "zh", "zh-hant", "he")]
    text = text_for(texts, language, "en-GB")
    assert text is not None
    assert text.language == found
    assert text_for(texts[:2], "fr", "en-GB") is None


def test_a_text_for_a_language_is_found_by_it_however_much_of_it_is_said() -> None:
    tags = {each.replace("_", "-") for each in locale_identifiers()}
    tags |= {f"{parts[0]}-{parts[2]}" for tag in tags if len(parts := tag.split("-")) == 3}  # zh-TW, sr-RS
    codes = {tag: code for tag in tags if (code := language_code_of(tag))}
    assert len(codes) > 1000
    for tag, code in codes.items():
        languages = dict.fromkeys(("en-gb", code.partition("-")[0], code.lower()))
        text = text_for([replace(DELAY, language=each) for each in languages], tag, "en-GB")
        assert text is not None
        assert text.language == code.lower(), tag


def test_who_names_a_language_in_part_is_told_the_whole_of_it() -> None:
    found: Found = []
    check_text(Check("", found), CreateTemplateTextRequest(template_text_id="zh-tw"), NOW)
    assert [each.description for each in found] == ["must be zh-hant-tw, the whole of it"]


@pytest.mark.parametrize(
    ("tag", "code"), [("en-gb", "en-GB"), ("zh-hant-tw", "zh-Hant-TW"), ("xx-english", "")]
)
def test_a_language_is_written_as_it_should_be(tag: str, code: str) -> None:
    assert language_code_of(tag) == code


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("{% for a in [1] %}{% endfor %}", 1),
        ("\n{{ 'a' * 10 }}", 2),
        ("{{ 10 ** 10 }}", 1),
        ("{{ customer_name.__class__ }}", 1),
        ("{{ range(9) }}", 1),
        ("\n\n{% include 'x' %}", 3),
        ("{% set a = 1 %}", 1),
        ("{{ customer_name|center(1000000) }}", 1),
        ("{{ ", 1),
        ("{% if %}", 1),
        ("{{ " + "9" * 5000 + " }}", 1),
        ("{% if 1e999 == reference %}x{% endif %}", 1),
        ("{{ 1000000000000001 }}", 1),
        ("{% if reference == '\\ud800' %}x{% endif %}", 1),
        ("{{ reference|default('\\ud800') }}", 1),
        ("{{ '\\x00\\x1b[31m' }}", 1),
        ("{{ '\\N{NOPE}' }}", 1),
        ("{{ '\\xZZ' }}", 1),
        ("{{" + "(" * 3000 + "1" + ")" * 3000 + "}}", 1),
    ],
)
def test_a_template_is_prose_and_nothing_else(source: str, line: int) -> None:
    [(field, reason, description)] = refused(replace(DELAY, subject=source))
    assert (field, reason) == ("template_text.subject", "INVALID_TEMPLATE")
    assert f"line {line}:" in description


def test_a_template_that_fails_to_render_is_refused() -> None:
    assert refused(replace(DELAY, body=BODY + "{% if new_date > 3 %}{% endif %}"))[0][1] == "INVALID_TEMPLATE"


@pytest.mark.parametrize(
    "change",
    [
        {"reasons": LETTER.reasons | {"weather": "The weather\tis holding\u2028us up."}},
        {"apology": "I am\tsorry."},
        {"apology": "I am sorry. ", "body": BODY.replace("{{ apology }}", "{{ apology|trim }}")},
        {"apology": "I am  sorry.", "body": BODY.replace("{{ apology }}", "{{ apology|upper }}")},
    ],
)
def test_a_slip_in_the_blanks_of_its_own_words_silences_no_template(change: dict[str, Any]) -> None:
    template = replace(DELAY, **change)
    check(template)
    assert "weather" in render(template, GIVEN, UTC).body


def test_a_template_that_hides_its_own_words_is_found_when_it_is_made() -> None:
    body = BODY.replace("{{ reason }}", '{% if reason != "Snow." %}{{ reason }}{% endif %}')
    check(replace(DELAY, body=body))
    [(_, reason, _)] = refused(replace(DELAY, body=body, reasons=LETTER.reasons | {"SNOW": "Snow."}))
    assert reason == "TEMPLATE_PART_MISSING"


def test_every_missing_value_is_named() -> None:
    with pytest.raises(InvalidArgument) as refusal:
        render(DELAY, {"customer_name": "Maria Anders"}, UTC)
    assert {v.reason for v in refusal.value.violations} == {"VARIABLE_MISSING"}
    assert [v.field for v in refusal.value.violations] == [
        f"variables[{name}]"
        for name in ("contact_name", "contact_reach", "new_date", "old_date", "reason", "reference")
    ]


def test_a_required_value_must_not_be_empty() -> None:
    with pytest.raises(InvalidArgument, match="contact_reach"):
        render(DELAY, GIVEN | {"contact_reach": " "}, UTC)


@pytest.mark.parametrize(
    "date",
    [
        "tomorrow",
        "2026-03-32",
        "1969-12-31",
        "1906-01-01T00:00:00Z",
        "2026-03-09T17:00:00",
        "0001-01-01T00:00:00Z",
    ],
)
def test_a_date_must_be_a_day_or_a_moment(date: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        render(DELAY, GIVEN | {"new_date": date}, UTC)
    assert [(v.field, v.reason) for v in refusal.value.violations] == [
        ("variables[new_date]", "INVALID_TIME")
    ]


def test_a_message_is_rendered_once_however_many_reasons_its_text_has_words_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rendered = Mock(wraps=words._rendered)
    monkeypatch.setattr(words, "_rendered", rendered)
    render(DELAY, GIVEN, UTC)
    assert rendered.call_count == 1


def test_an_unknown_reason_gets_the_words_for_other() -> None:
    assert LETTER.reasons["other"] in render(DELAY, GIVEN | {"reason": "locusts"}, UTC).body


def test_values_are_text_and_never_templates() -> None:
    assert "Dear {{ reason }}," in render(DELAY, GIVEN | {"customer_name": "{{ reason }}"}, UTC).body


def test_a_subject_is_one_line_whatever_the_values_hold() -> None:
    message = render(DELAY, GIVEN | {"reference": "a\r\nBcc: everybody@example.com\u2028\x00\x85b"}, UTC)
    assert message.subject.startswith("a Bcc: everybody@example.com b: a new date")
    assert len(message.subject.splitlines()) == 1


def test_one_line_removes_what_would_end_a_line() -> None:
    assert one_line(" a\r\n\tb\x0b\x0c\u2029c\x7f ") == "a b c"


@pytest.mark.parametrize(
    "name", ["بیژن\u200cپور", "क\u094d\u200dष", "שלום\u200f", "山田\u3000太郎", "Zoë 😀"]
)
def test_every_script_stays_as_it_is(name: str) -> None:
    assert one_line(name) == name
    assert f"Dear {name}," in render(DELAY, GIVEN | {"customer_name": name}, UTC).body


def test_a_body_has_no_control_but_the_newline() -> None:
    body = BODY.replace("\n", "\r\n") + "{{ reference }}"
    said = render(replace(DELAY, body=body), GIVEN | {"reference": "a\x1b[31m\x00b\ud800"}, UTC).body
    assert said.endswith("a [31m b")
    assert not {c for c in said if ord(c) < 32} - {"\n"}


@pytest.mark.parametrize(
    ("moment", "zone", "shown"),
    [
        ("2026-03-09T17:00:00+00:00", "UTC", "Monday, 9 March 2026"),
        ("2026-03-09T00:00:00+00:00", "UTC", "Sunday, 8 March 2026"),
        ("2026-03-09T23:30:00+00:00", "Europe/Berlin", "Tuesday, 10 March 2026"),
        ("2026-03-09T23:00:00+00:00", "Europe/Berlin", "Monday, 9 March 2026"),
        ("2026-03-09T03:00:00+00:00", "America/New_York", "Sunday, 8 March 2026"),
    ],
)
def test_a_promised_day_is_the_customers_day_and_ends_at_its_midnight(
    moment: str, zone: str, shown: str
) -> None:
    assert said({"date": datetime.fromisoformat(moment)}, ZoneInfo(zone), "en-GB") == {"date": shown}


def test_dates_are_in_the_language_of_the_template() -> None:
    assert said({"date": datetime(2026, 3, 9, 12, tzinfo=UTC)}, UTC, "de") == {"date": "Montag, 9. März 2026"}


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_a_day_is_the_same_day_in_every_zone(zone: str) -> None:
    given = GIVEN | {"old_date": "2026-12-10", "new_date": "2026-12-12"}
    message = render(DELAY, given, ZoneInfo(zone))
    assert "by Thursday, 10 December 2026" in message.body
    assert "by Saturday, 12 December 2026" in message.body


def test_moments_of_the_same_day_are_told_with_their_times() -> None:
    given = GIVEN | {"old_date": "2026-03-09T10:00:00+00:00", "new_date": "2026-03-09T17:30:00+00:00"}
    message = render(DELAY, given, ZoneInfo("Europe/Berlin"))
    assert message.subject == "10248: a new date, Monday, 9 March 2026, 18:30"
    assert "by Monday, 9 March 2026, 11:00" in message.body


def test_after_a_lost_answer_a_delay_is_told_once_more_and_a_receipt_is_not() -> None:
    assert REPEATS == {Type.DELAY: 1, Type.INFORMATION: 0, Type.BAD_NEWS: 0, Type.PARTIAL: 0}


@pytest.mark.parametrize("subject", ["{{ '\u200b' }}", "{% if reference %}Order{% endif %}", "{{ ' ' }}"])
def test_a_subject_in_which_there_may_be_nothing_to_see_is_refused(subject: str) -> None:
    [(field, reason, _)] = refused(replace(DELAY, subject=subject))
    assert (field, reason) == ("template_text.subject", "INVALID_TEMPLATE")


def test_a_subject_turns_no_direction() -> None:
    turned = replace(DELAY, subject="{{ '\u202e' }}News of {{ reference }}{{ '\u2066' }}")
    assert render(turned, GIVEN, UTC).subject == "News of 10248"


@pytest.mark.parametrize("reference", ["RE/2026/0815", "FV/01", "orders/7/items/2", "W-10248"])
def test_a_number_of_somebody_elses_is_told_as_it_is(reference: str) -> None:
    assert render(DELAY, GIVEN | {"reference": reference}, UTC).subject.startswith(f"{reference}: a new date")
