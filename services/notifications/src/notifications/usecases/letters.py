"""The words that an installation begins with, each as plain text and as HTML: they are in `letters/`."""

import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from string import Template

from notifications.domain.template import LINKS

_FILES = files("notifications") / "letters"
# Who reads in the dark gets light words on a dark ground, from mail programs that leave that to the letter.
_MJML = Template((_FILES / "letter.mjml").read_text("utf-8"))
_LANGUAGE_CODES = ("en-GB", "de")


@dataclass(frozen=True, slots=True)
class Link:
    """A paragraph that leads somewhere, to what a variable says."""

    variable: str
    words: str

    def if_there(self, told: str) -> str:
        """What is told of it, where there is one."""
        return f"{{% if {self.variable} %}}{told}{{% endif %}}" if self.variable in LINKS else told

    @property
    def plain(self) -> str:
        return self.if_there(f"{self.words}:\n{{{{ {self.variable} }}}}\n\n")

    @property
    def html(self) -> str:
        return self.if_there(f'<p><a href="{{{{ {self.variable} }}}}">{self.words}</a></p>')


@dataclass(frozen=True, slots=True)
class Letter:
    """The words of one template in one language, paragraph by paragraph."""

    language_code: str
    subject: str
    paragraphs: tuple[str | Link, ...]
    apology: str = ""
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> str:
        """As plain text."""
        told = (each.plain if isinstance(each, Link) else f"{each}\n\n" for each in self.paragraphs)
        return "".join(told).rstrip("\n") + "\n"

    @property
    def mjml(self) -> str:
        """As MJML."""
        paragraphs = "\n".join(map(_html, self.paragraphs))
        return _MJML.substitute(subject=self.subject, paragraphs=paragraphs)


def _html(paragraph: str | Link) -> str:
    if isinstance(paragraph, Link):
        return paragraph.html
    marked = paragraph.replace("{{ new_date }}", "<strong>{{ new_date }}</strong>")
    return f"<p>{marked.replace(chr(10), '<br />')}</p>"


def _letter(template_id: str, language_code: str) -> Letter:
    said = tomllib.loads((_FILES / f"{template_id}.{language_code}.toml").read_text("utf-8"))
    told = [each if isinstance(each, str) else Link(**each) for each in said.pop("paragraphs")]
    return Letter(language_code, paragraphs=tuple(told), **said)


def _letters(template_id: str) -> tuple[Letter, ...]:
    return tuple(_letter(template_id, each) for each in _LANGUAGE_CODES)


DELAY, RECOVERY, CONFIRM = map(_letters, ("delay", "recovery", "confirm-consent"))
