"""HTML is refused that fetches, runs or hides something, or that not everybody can read."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from notifications.usecases.markup import ELEMENTS_MAX, HTML_MAX, NotHtml, page_of

PICTURE = "data:image/png;base64,iVBORw0KGgo="


def mail(*parts: str, head: str = "<mj-title>A new date</mj-title>") -> str:
    body = "".join(f"<mj-section><mj-column>{part}</mj-column></mj-section>" for part in parts)
    return f"<mjml><mj-head>{head}</mj-head><mj-body>{body}</mj-body></mjml>"


def text(html: str) -> str:
    return mail(f"<mj-text>{html}</mj-text>")


def test_what_is_written_in_mjml_is_html_in_its_language() -> None:
    page = page_of(
        mail(
            "<mj-text><h1>Dear Maria</h1><p>10 &lt; 12 &amp; more</p></mj-text>",
            f'<mj-image src="{PICTURE}" alt="A parcel" />',
            '<mj-button href="https://acme.example/orders/1?a=1&amp;b=2">Your order</mj-button>',
        ),
        "de-AT",
    )
    assert page.html.startswith('<!doctype html><html lang="de-AT" dir="ltr"')
    assert " ".join(page.text.split()) == "Dear Maria 10 < 12 & more A parcel Your order"
    assert "googleapis" not in page.html
    assert page_of(text("שלום"), "he").html.startswith('<!doctype html><html lang="he" dir="rtl"')


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("", "begin with <mjml>"),
        ('<mjml lang="en"><mj-body></mj-body></mjml>', "begin with <mjml>"),
        ("<mjml><mj-body>", "MJML"),
        ("<mjml><mj-body></mj-body></mjml>x", "MJML"),
        (mail(head=""), "title"),
        ('<mjml><mj-body><mj-include path="/etc/hostname" /></mj-body></mjml>', "MJML"),
        ('<mjml><mj-body><mj-include path="/etc/hostname" type="html" /></mj-body></mjml>', "MJML"),
        (text("<!--[if mso]><b>only for some</b><![endif]-->x"), "comments"),
        (text("<script>alert(1)</script>"), "<script>"),
        (text("<svg><a href='https://a.example'>An order</a></svg>"), "<svg>"),
        (text("<form action='https://a.example'><input name='a'/></form>"), "<form>"),
        (text("<iframe src='https://a.example'></iframe>"), "<iframe>"),
        (text("<base href='https://a.example'/>"), "<base>"),
        (text("<link rel='stylesheet' href='https://a.example'/>"), "<link>"),
        (text("<meta http-equiv='refresh' content='0;url=https://a.example'/>"), "<meta>"),
        (text("<p onclick='alert(1)'>x</p>"), "attribute onclick"),
        (text("<table background='https://a.example/x.png'></table>"), "attribute background"),
        (text(f"<img alt='' src='{PICTURE}' srcset='https://a.example/x.png'/>"), "attribute srcset"),
        (text("<img alt='' src='https://a.example/x.png'/>"), "pictures"),
        (text("<img alt='' src='data:image/svg+xml;base64,AAAA'/>"), "pictures"),
        (text(f"<img src='{PICTURE}'/>"), "alt"),
        (text("<p style='background: URL (https://a.example/x.png)'>x</p>"), "style"),
        (text("<p style='background: \\75rl(https://a.example/x.png)'>x</p>"), "style"),
        (mail(head="<mj-title>a</mj-title><mj-style>@import 'https://a.example';</mj-style>"), "style"),
        (mail(head="<mj-title>a</mj-title><mj-style>.a { display: none }</mj-style>"), "style"),
        (mail().replace("<mj-body>", "<mj-body background-color='url(https://a.example)'>"), "style"),
        (text("<a>An order</a>"), "href"),
        (text("<a href='http://a.example'>An order</a>"), "https"),
        (text("<a href='http://localhost.a.example'>An order</a>"), "https"),
        (text("<a href='//a.example'>An order</a>"), "https"),
        (text("<a href='/orders'>An order</a>"), "https"),
        (text("<a href='https://bank.example@a.example'>An order</a>"), "https"),
        (text("<a href='&#106;avascript:alert(1)'>An order</a>"), "https"),
        (text("<a href='https://a.example/\nx'>An order</a>"), "https"),
        (text("<a href='https://[a.example'>An order</a>"), "https"),
        (text("<a href='https://a.example'> Here! </a>"), "where it leads"),
        (text(f"<a href='https://a.example'><img alt='' src='{PICTURE}'/></a>"), "where it leads"),
        (text("<h2>First</h2>"), "<h1>"),
        (text("<h1>First</h1><h3>Third</h3>"), "level"),
        (text("<mj-what>x</mj-what>"), "<mj-what>"),
        (text("<b>" * ELEMENTS_MAX + "</b>" * ELEMENTS_MAX), "elements"),
        (text("<p>" + "x" * HTML_MAX + "</p>"), "bytes"),
    ],
)
def test_what_not_everybody_can_read_safely_is_refused(source: str, why: str) -> None:
    with pytest.raises(NotHtml) as refused:
        page_of(source, "en")
    assert any(why in each for each in refused.value.args), refused.value.args


def test_everything_that_is_wrong_is_said_once() -> None:
    with pytest.raises(NotHtml) as refused:
        page_of(text("<h2>x</h2><img src='a'/><img src='b'/><a href='x'>here</a>"), "en")
    assert len(refused.value.args) == 5


def test_a_link_may_write_or_call() -> None:
    page = page_of(
        text("<a href='mailto:sam@acme.example'>Write to Sam</a> <a href='tel:+49301234'>Call</a>"), "en"
    )
    assert page.text.split() == ["Write", "to", "Sam", "Call"]


def test_a_picture_with_words_is_a_link_that_says_where_it_leads() -> None:
    assert page_of(
        text(f"<a href='https://a.example'><img alt='Your order' src='{PICTURE}'/></a>"), "en"
    ).text.split() == ["Your", "order"]


def test_what_is_shown_to_nobody_is_no_part_of_the_text() -> None:
    hidden = "<span style='display : NONE'>no <b>not</b> this</span>"
    page = page_of(mail(f"<mj-text>{hidden} that</mj-text>", head="<mj-title>T</mj-title>"), "en")
    assert page.text.split() == ["that"]


@pytest.mark.parametrize("element", ["div", "mj-wrapper", "mj-section"])
def test_the_deepest_that_is_allowed_is_compiled_in_any_thread(element: str) -> None:
    deep = ELEMENTS_MAX - 20
    nested = f"<{element}>" * deep + f"</{element}>" * deep
    source = f"<mjml><mj-head><mj-title>a</mj-title></mj-head><mj-body>{nested}</mj-body></mjml>"
    with ThreadPoolExecutor(1) as thread:
        outcome = thread.submit(page_of, source, "en")
        assert outcome.exception() is None or isinstance(outcome.exception(), NotHtml)
