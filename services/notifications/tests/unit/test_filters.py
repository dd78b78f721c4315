"""Dates, times, amounts, numbers and plurals are said as the language of the text says them."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from babel.dates import format_date
from babel.numbers import list_currencies
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from notifications.domain.template import Template, Text, Type
from notifications.usecases import seed, words

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
TEMPLATE = Template(
    "news",
    Type.INFORMATION,
    "purposes/service",
    seed.PLATFORM,
    "en-GB",
    {"value": True},
    NOW,
    NOW,
    essential=True,
)
LANGUAGES = ("en-GB", "de", "ar", "ja", "pl", "he", "hi", "pt-BR", "zh-Hant-TW")
PARCELS = 'value | plural(one="# parcel", other="# parcels")'


def text(said: str, language: str = "en-GB") -> Text:
    body = "{{ contact_name }}: {{ " + said + " }}"
    return Text("news", language.lower(), language, 1, "News", body, "", {}, NOW)


def say(said: str, value: str, language: str = "en-GB", zone: ZoneInfo = BERLIN) -> str:
    given = {"contact_name": "Sam", "value": value}
    return words.render(TEMPLATE, text(said, language), given, zone).body.removeprefix("Sam: ")


def plain(said: str) -> str:
    return said.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("said", "value", "language", "told"),
    [
        ("value | day", "2026-03-02", "en-GB", "Monday, 2 March 2026"),
        ("value | day", "2026-03-02", "de", "Montag, 2. März 2026"),
        ("value | day", "2026-03-02T23:30:00Z", "en-GB", "Tuesday, 3 March 2026"),
        ("value | day", "2026-03-31T22:00:00Z", "en-GB", "Tuesday, 31 March 2026"),
        ("value | first_day", "2026-03-31T22:00:00Z", "en-GB", "Wednesday, 1 April 2026"),
        ("value | first_day", "2026-04-01", "en-GB", "Wednesday, 1 April 2026"),
        ("value | moment", "2026-03-02T09:00:00Z", "en-GB", "Monday, 2 March 2026, 10:00"),
        ("value | moment", "2026-03-29T01:30:00Z", "de", "Sonntag, 29. März 2026, 03:30"),
        ("value | money", "12.5 EUR", "en-GB", "€12.50"),
        ("value | money", "12.5 EUR", "de", "12,50 €"),
        ("value | money", "-1234.00 USD", "de", "-1.234,00 $"),
        ("value | money", "1200 JPY", "en-GB", "JP¥1,200"),
        ("value | money", "1.234 KWD", "en-GB", "KWD1.234"),
        ("value | number", "1234.50", "en-GB", "1,234.5"),
        ("value | number", "1234567", "de", "1.234.567"),
        (PARCELS, "1", "en-GB", "1 parcel"),
        (PARCELS, "0", "en-GB", "0 parcels"),
        (PARCELS, "1.0", "en-GB", "1 parcel"),
        (PARCELS, "1200", "en-GB", "1,200 parcels"),
        (
            'value | plural(one="# paczka", few="# paczki", many="# paczek", other="# paczki")',
            "22",
            "pl",
            "22 paczki",
        ),
        (
            'value | plural(one="# paczka", few="# paczki", many="# paczek", other="# paczki")',
            "25",
            "pl",
            "25 paczek",
        ),
    ],
)
def test_a_value_is_said_in_the_language_of_the_text(said: str, value: str, language: str, told: str) -> None:
    words.check(TEMPLATE, text(said, language))
    assert plain(say(said, value, language)) == told


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("value | day", "2 March 2026"),
        ("value | day", "2026-02-30"),
        ("value | day", "2026-W10-1"),
        ("value | day", "2026-04-03T10:00:00"),
        ("value | moment", "2026-04-03"),
        ("value | money", "13.75"),
        ("value | money", "12.50EUR"),
        ("value | money", "12,50 EUR"),
        ("value | money", "12.505 EUR"),
        ("value | money", "1.5 JPY"),
        ("value | money", "12.50 XYZ"),
        ("value | money", "NaN EUR"),
        ("value | number", "1e9"),
        ("value | number", "1_000"),
        ("value | number", "٣"),
        ("value | number", "Infinity"),
        ("value | number", "1" * 19),
        (PARCELS, "some"),
    ],
)
def test_what_a_filter_cannot_say_is_refused_before_anything_is_sent(said: str, value: str) -> None:
    words.check(TEMPLATE, text(said))
    with pytest.raises(InvalidArgument) as refused:
        say(said, value)
    [violation] = refused.value.violations
    assert (violation.field, violation.reason) == ("variables", "VARIABLE_INVALID")
    assert value not in violation.description  # it may be personal


@pytest.mark.parametrize(
    "said",
    [
        "new_date | day",  # which is words already
        "customer_name | number",
        "value | upper | day",
        "value | plural",
        'value | plural(one="# parcel")',
        'value | plural(some="#", other="#")',
        "value | plural(other=customer_name | day)",
        "value | currency",
        "value | money(1)",
    ],
)
def test_a_filter_that_no_value_fits_is_refused_as_the_text_is_kept(said: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        words.check(TEMPLATE, text(said))
    assert {each.reason for each in refused.value.violations} == {"INVALID_TEMPLATE"}


@given(
    st.dates(date(1970, 1, 1), date(2200, 1, 1)),
    st.sampled_from(LANGUAGES),
    st.sampled_from(["Asia/Tokyo", "America/Los_Angeles"]),
)
@settings(max_examples=100, deadline=None)
def test_a_day_is_that_day_everywhere(day: date, language: str, zone: str) -> None:
    said = format_date(day, "full", locale=Locale.parse(language, sep="-"))
    assert say("value | day", day.isoformat(), language, ZoneInfo(zone)) == words.one_line(said)


@given(
    st.integers(-(10**12), 10**12),
    st.sampled_from(sorted(each for each in list_currencies() if len(each) == 3)),
    st.sampled_from(LANGUAGES),
)
@settings(max_examples=100, deadline=None)
def test_whole_units_of_every_currency_are_money_in_every_language(
    units: int, currency: str, language: str
) -> None:
    said = say("value | money", f"{units} {currency}", language)
    assert any(each.isdecimal() for each in said)


@given(st.decimals(0, 10**6, places=2), st.sampled_from(LANGUAGES))
@settings(max_examples=100, deadline=None)
def test_the_form_is_the_one_that_the_language_has_for_the_number(number: Decimal, language: str) -> None:
    forms = ", ".join(f'{each}="{each}"' for each in ("zero", "one", "two", "few", "many", "other"))
    whole = number.to_integral_value()
    category = Locale.parse(language, sep="-").plural_form(whole if whole == number else number.normalize())
    assert say(f"value | plural({forms})", str(number), language) == category


def test_a_form_and_a_value_are_text_in_html() -> None:
    html = (
        "<mjml><mj-head><mj-title>N</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>"
        "{{ contact_name }} {{ value | plural(other='# <b>parcels</b>') }}"
        "</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    written = replace(text(PARCELS), mjml=html)
    words.check(TEMPLATE, written)
    sent = words.render(TEMPLATE, written, {"contact_name": "Sam", "value": "2"}, BERLIN)
    assert "2 &lt;b&gt;parcels&lt;/b&gt;" in sent.html
