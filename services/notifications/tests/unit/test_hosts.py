"""Links lead to hosts that the installation names, and to none that hides where it leads."""

from datetime import UTC, datetime

import pytest

from chassis.errors import InvalidArgument
from notifications.domain.template import Text
from notifications.usecases.hosts import require_hosts

NOW = datetime(2026, 3, 2, tzinfo=UTC)
NAMED = ["acme.example", "acme.test"]


def text(body: str = "", mjml: str = "") -> Text:
    return Text("news", "en", "en", 1, "News", body, "", {}, NOW, mjml=mjml)


@pytest.mark.parametrize(
    "link",
    [
        "https://acme.example",
        "See https://shop.acme.example/{{ path }}?a=//b, or call us.",
        "https://ACME.test:8443/#top",
        '<a href="https://www.acme.example/x">our shop</a>',
        '<a href="mailto:care@elsewhere.example">care</a>',
        '<a href="{{ confirm_link }}">Yes</a>',
        '<a href="{{ unsubscribe_link }}">No more</a> <a href="{{pages_link}}">Your pages</a>',
        "either//or, and a/b, e.g./i.e., or 12.50/month: shop.acme.example/a (https://acme.example).",
        "Write to care@elsewhere.example/1, or look at www.acme.example.",
    ],
)
def test_links_to_what_is_named_and_under_it_are_kept(link: str) -> None:
    require_hosts(text(body=link), NAMED)
    require_hosts(text(mjml=link), NAMED)


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/acme.example",
        "https://notacme.example",
        "https://acme.example@evil.example/",
        "https://acme.example.evil.example",
        "https://{{ host }}/x",
        "https://{{ name }}.evil.example",
        "https://{{name}}.acme.example/y",
        "https://a{{name|upper}}b.acme.example",
        "https://{{name}}@acme.example/",
        "https://acme.example{{ rest }}",
        "https://{% if a %}evil{% endif %}.example",
        "{{ scheme }}//evil.example",
        "https://evil.example\\.acme.example/",
        "www.evil.example",
        "(evil.example/x)",
        "\uff37\uff37\uff37\u3002evil.example",
    ],
)
def test_links_to_other_hosts_or_to_what_a_variable_says_are_refused(link: str) -> None:
    for field in ("body", "mjml"):
        with pytest.raises(InvalidArgument) as refusal:
            require_hosts(text(**{field: f"Look: {link} "}), NAMED)
        assert [(each.field, each.reason) for each in refusal.value.violations] == [
            (f"template_text.{field}", "INVALID_LINK")
        ]


@pytest.mark.parametrize(
    "html", ['<a href="{{ link }}">shop</a>', '<a href="https:&#47;&#47;evil.example">x</a>']
)
def test_a_link_of_html_that_does_not_say_where_it_leads_is_refused(html: str) -> None:
    with pytest.raises(InvalidArgument, match="must have links to"):
        require_hosts(text(mjml=html), NAMED)


def test_where_no_host_is_named_those_that_hide_it_are_refused() -> None:
    require_hosts(
        text(
            body="https://anywhere.example, www.any.example, any.example/x; bit.ly",
            mjml='<a href="{{ link }}">shop</a>',
        ),
        [],
    )
    for hidden in (
        *("https://bit.ly/x", "http://T.CO/1", "https://tinyurl.com./2", "https://b%69t.ly/x"),
        *("https://\uff42\uff49\uff54.\uff4c\uff59/x", "https://bit\u3002ly/x", "https://bi\u00adt.ly/x"),
        *("https://bit.ly{{x}}/y", "https://{{ x }}bit.ly/y", "https://bit{% if x %}.{% endif %}ly/y"),
        *(
            "https://b{# a #}it.ly/y",
            "bit.ly/x",
            "See \uff42it.ly/x.",
            "bit.ly{{ x }}/y",
            "https://me@bit.ly/",
        ),
    ):
        with pytest.raises(InvalidArgument, match="where it leads"):
            require_hosts(text(body=hidden), [])
