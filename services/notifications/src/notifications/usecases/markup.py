"""HTML beside the plain text of a message: written in MJML, made by mrml, and looked at before it is sent.

What a mail program would fetch, run or submit is refused: nobody is watched as they read, and what was read
stays what was sent. Nor is it left to eyes alone: pictures have words, links say where they lead, headings
have an order.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

import mjml
from babel import Locale

from chassis.urls import is_safe

HTML_MAX = 100_000  # bytes as sent; well-known mail programs cut a message above 102,400
ELEMENTS_MAX = 500  # of the source, and so of their depth: over 10,000 the compiler would end the process
PICTURES = ("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/gif;base64,")
REACH = ("mailto", "tel")  # other schemes of links than https
_ROOT = "<mjml>"
_VOID = frozenset({"br", "hr", "img", "meta", "wbr"})
_INLINE_NAMES = "a abbr b bdi bdo code em i img s small span strong sub sup u wbr"
_BLOCK_NAMES = """blockquote body dd div dl dt h1 h2 h3 h4 h5 h6 head html li ol p pre style table tbody td
    tfoot th thead title tr ul"""
_ATTRIBUTE_NAMES = """align alt bgcolor border cellpadding cellspacing class colspan color content dir height
    href http-equiv id lang media name rel role rowspan scope src start style target title type valign
    vertical-align width xmlns xmlns:o xmlns:v"""
_INLINE = frozenset(_INLINE_NAMES.split())
_ELEMENTS = _VOID | _INLINE | frozenset(_BLOCK_NAMES.split())
_ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())
_FETCHES = re.compile(r"url\s*\(|@import|image-set|expression\s*\(|\\", re.IGNORECASE)
_UNSEEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_NO_PLACE = re.compile(r"[\x00-\x20\\]")  # in a target: what parsers read each in its way
_HEADING = re.compile(r"h([1-6])")
_NOTHING = "here|click here|link|more|read more|hier|hier klicken|mehr|ici|cliquez ici|qui|aquí"
_SAYS_NOTHING = frozenset(_NOTHING.split("|"))


class NotHtml(Exception):
    """What is wrong with it, all of it: its arguments say what must be."""


@dataclass(frozen=True, slots=True)
class Page:
    """HTML as it is sent, and the text that who reads it sees."""

    html: str
    text: str
    targets: tuple[str, ...]  # of its links


def page_of(source: str, language_code: str) -> Page:
    """The HTML that an MJML text makes, with values in it already, for readers of that language. NotHtml."""
    if not source.lstrip().startswith(_ROOT):
        raise NotHtml(f"must begin with {_ROOT}, without attributes: its language is that of the text")
    if "<!" in source or "<?" in source:
        raise NotHtml("must have no comments, for some mail programs show what is in them")
    if source.count("<") > 2 * ELEMENTS_MAX:
        raise NotHtml(f"must have at most {ELEMENTS_MAX:,} elements")
    direction = Locale.parse(language_code, sep="-").text_direction
    root = f'<mjml lang="{language_code}" dir="{direction}">'
    try:
        html = mjml.mjml2html(source.strip().replace(_ROOT, root, 1), fonts={})
    except ValueError as error:
        raise NotHtml(f"must be MJML: {error}") from None
    if len(html.encode()) > HTML_MAX:
        raise NotHtml(f"must make at most {HTML_MAX:,} bytes, for mail programs cut what is longer")
    looked = _Look()
    looked.feed(html)
    looked.close()
    if wrong := [*dict.fromkeys([*looked.wrong, *looked.of_the_whole()])]:
        raise NotHtml(*wrong)
    return Page(html, "".join(looked.text), tuple(looked.targets))


@dataclass(slots=True)
class _Link:
    target: str
    words: list[str] = field(default_factory=list)


class _Look(HTMLParser):
    """Looks at every element once."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.text: list[str] = []
        self.title: list[str] = []
        self.targets: list[str] = []
        self.headings: list[int] = []
        self._open: list[tuple[str, bool]] = []  # elements, and whether what is in them is unseen
        self._link: _Link | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        given = {name: value or "" for name, value in attrs}
        self.wrong += _wrong_in(tag, given)
        if len(given) < len(attrs):  # of which mail programs take the first
            self.wrong.append("must give each attribute once")
        if heading := _HEADING.fullmatch(tag):
            self.headings.append(int(heading[1]))
        if tag == "a":
            self._link = _Link(given.get("href", ""))
            self.targets += [] if self._unseen else [self._link.target]
        elif tag == "img":
            self._say(f" {given.get('alt', '')} ")
        if tag not in _VOID:
            hidden = self._unseen or tag in ("style", "title") or bool(_UNSEEN.search(given.get("style", "")))
            self._open.append((tag, hidden))
        self.text.append(" " if tag not in _INLINE else "")

    def handle_endtag(self, tag: str) -> None:
        """An element ends, and with it what was left open in it."""
        while any(tag == name for name, _ in self._open) and self._open.pop()[0] != tag:
            pass
        self.text.append(" " if tag not in _INLINE else "")
        if tag == "a" and self._link is not None:
            self.wrong += _wrong_words(" ".join("".join(self._link.words).split()))
            self._link = None

    def handle_data(self, data: str) -> None:
        """Text, also that of a style."""
        within = self._open[-1][0] if self._open else ""
        if within == "title":
            self.title.append(data)
        elif within == "style":
            self.wrong += _wrong_style(data, _FETCHES, _UNSEEN)
        elif not self._unseen:
            self._say(data)

    def of_the_whole(self) -> Iterable[str]:
        """What is wrong with all of it together."""
        if not "".join(self.title).strip():
            yield "must have a title, <mj-title>, which is read out to who cannot see it"
        if self.headings and self.headings[0] != 1:
            yield "must begin its headings with <h1>"
        if any(after > before + 1 for before, after in zip(self.headings, self.headings[1:], strict=False)):
            yield "must leave out no level of headings"

    @property
    def _unseen(self) -> bool:
        return bool(self._open) and self._open[-1][1]

    def _say(self, text: str) -> None:
        self.text.append(text)
        if self._link is not None:
            self._link.words.append(text)


def _wrong_in(tag: str, given: dict[str, str]) -> Iterable[str]:
    """What is wrong with an element by itself."""
    if tag not in _ELEMENTS:
        yield f"must have no <{tag}>: it may hold prose, tables, links and pictures"
    for name in given:
        if name not in _ATTRIBUTES and not name.startswith("aria-"):
            yield f"must have no attribute {name}"
    if tag == "meta" and given.get("http-equiv", "").lower() not in ("", "content-type", "x-ua-compatible"):
        yield "must have no <meta>"
    yield from _wrong_style(given.get("style", ""), _FETCHES)
    if tag == "img" and not given.get("src", "").startswith(PICTURES):
        yield "must hold its pictures, as data:image in PNG, JPEG or GIF: who reads it fetches nothing"
    if tag == "img" and "alt" not in given:
        yield "must have an alt for each picture, an empty one where it only decorates"
    if "href" in given:
        yield from wrong_target(given["href"]) if tag == "a" else ["must have links as <a> alone"]
    elif tag == "a":
        yield "must have a href for each link"


def _wrong_style(style: str, *patterns: re.Pattern[str]) -> Iterable[str]:
    if any(each.search(style) for each in patterns):
        yield "must have no style that fetches or hides anything, and no backslash in one"


def wrong_target(target: str) -> Iterable[str]:
    """What is wrong with where a link leads."""
    try:
        parts = urlsplit(target)
        whole = is_safe(target) and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        whole, parts = False, urlsplit("")
    if not (whole or parts.scheme in REACH) or _NO_PLACE.search(target):
        yield "must have links that begin with https://, mailto: or tel:"


def _wrong_words(words: str) -> Iterable[str]:
    if not words or words.casefold().strip(" .…!>»") in _SAYS_NOTHING:
        yield "must say in each link where it leads, which words such as 'here' do not"
