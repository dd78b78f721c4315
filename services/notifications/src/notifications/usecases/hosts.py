"""Where links lead: to hosts that the installation names, where it names any, and to none that hides it."""

import html
import re
from collections.abc import Iterator, Sequence
from encodings.idna import dots, nameprep
from urllib.parse import unquote

from chassis.errors import InvalidArgument, Violation
from notifications.domain.template import CONFIRM_LINK, LINKS, Text

# Whose links say nothing of where they lead, and may lead elsewhere tomorrow.
_SHORTENER_NAMES = """bit.ly buff.ly cutt.ly goo.gl is.gd lnkd.in ow.ly rb.gy rebrand.ly shorturl.at t.co t.ly
    tiny.cc tinyurl.com"""
SHORTENERS = frozenset(_SHORTENER_NAMES.split())
_SAID = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_A_VALUE = "{}"  # in the place of what a variable says
_UNSEEN = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
# What follows two slashes where a link may begin.
_HOST = re.compile(r"""(?<=[:"'}])//([^/\\?#"'<>\s]*)""")
_BETWEEN_WORDS = re.compile(r"""[\s"'<>()\[\]]+""")
_WHOLE = re.compile(r"""\bhref\s*=\s*["']?\s*(\{.*?\})""", re.IGNORECASE)


def require_hosts(text: Text, named: Sequence[str]) -> None:
    """Refuse links to hosts that are not `named`, nor under one; without any named, to those that hide it.

    InvalidArgument INVALID_LINK. What mail programs take for a link is one, however it is spelt. Of one that
    a variable says whole nobody knows where it leads: where hosts are named, HTML has none but those that the
    platform makes.
    """
    wrong = []
    for field, source in (("body", text.body), ("mjml", html.unescape(text.mjml))):
        for host in dict.fromkeys(_hosts(source, named=bool(named))):
            if host.replace(_A_VALUE, "") in SHORTENERS:
                told = f"must have no link to {host}, which does not say where it leads"
            elif named and (
                "{" in host or not any(host == each or host.endswith(f".{each}") for each in named)
            ):
                told = f"must have links to {', '.join(named)} and what is under these alone, not to {host}"
            else:
                continue
            wrong.append(Violation(f"template_text.{field}", "INVALID_LINK", told))
    if wrong:
        raise InvalidArgument(wrong)


def _hosts(source: str, *, named: bool) -> Iterator[str]:
    said = _SAID.sub(_A_VALUE, source)
    for shown in {_UNSEEN.sub(between, said): None for between in ("", " ")}:
        for match in _HOST.finditer(shown):
            user, _, host = match[1].rpartition("@")
            yield from filter(None, [_plain(host.partition(":")[0])])
            if "{" in user:  # which may end it
                yield user
        for word in _BETWEEN_WORDS.split(shown):
            yield from _without_scheme(word, named=named)
    for match in _WHOLE.finditer(source) if named else ():
        if match[1].strip("{} ") not in (CONFIRM_LINK, *LINKS):
            yield match[1]


def _without_scheme(word: str, *, named: bool) -> Iterator[str]:
    """The host of a word that is a link to mail programs alone: `www.` and more, or a name and a slash."""
    start, slash, _ = word.partition("/")
    host = _plain(start)
    if ":" in start or "@" in start or not (slash or host.startswith("www.")):
        return
    labels = host.split(".")
    is_name = all(labels) and len(labels) > 1 and len(labels[-1]) > 1 and labels[-1].isalpha()
    if host.replace(_A_VALUE, "") in SHORTENERS or (named and is_name):
        yield host


def _plain(host: str) -> str:
    """A host as it is looked up: its escapes read, and its characters as names have them."""
    try:
        prepared = ".".join(map(nameprep, dots.split(unquote(host))))
    except UnicodeError:  # which is no name
        return host
    return prepared.rstrip(".,;:!*_)]")
