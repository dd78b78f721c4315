"""Where links lead: to hosts that the installation names, where it names any, and to none that hides it."""

import html
import re
from collections.abc import Iterator, Sequence

from chassis.errors import InvalidArgument, Violation
from notifications.domain.template import CONFIRM_LINK, LINKS, Text

# Whose links say nothing of where they lead, and may lead elsewhere tomorrow.
_SHORTENER_NAMES = """bit.ly buff.ly cutt.ly goo.gl is.gd lnkd.in ow.ly rb.gy rebrand.ly shorturl.at t.co t.ly
    tiny.cc tinyurl.com"""
SHORTENERS = frozenset(_SHORTENER_NAMES.split())
# What follows two slashes where a link may begin; what a variable says ends no host.
_HOST = re.compile(r"""(?<=[:"'}])//([^/?#"'<>\s]*(?:\{\{.*?\}\}[^/?#"'<>\s]*)*)""")
_WHOLE = re.compile(r"""\bhref\s*=\s*["']?\s*(\{.*?\})""", re.IGNORECASE)


def require_hosts(text: Text, named: Sequence[str]) -> None:
    """Refuse links to hosts that are not `named`, nor under one; without any named, to those that hide it.

    InvalidArgument INVALID_LINK. Of a link that a variable says whole nobody knows where it leads: where
    hosts are named, HTML has none but those that the platform makes.
    """
    wrong = []
    for field, source in (("body", text.body), ("mjml", html.unescape(text.mjml))):
        for host in dict.fromkeys(_hosts(source, whole=bool(named))):
            if host in SHORTENERS:
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


def _hosts(source: str, *, whole: bool) -> Iterator[str]:
    for match in _HOST.finditer(source):
        user, _, host = match[1].lower().rpartition("@")
        yield host if "{" in host else host.partition(":")[0].rstrip(".")
        if "{" in user:  # which may end it
            yield user
    for match in _WHOLE.finditer(source) if whole else ():
        if match[1].strip("{} ") not in (CONFIRM_LINK, *LINKS):
            yield match[1]
