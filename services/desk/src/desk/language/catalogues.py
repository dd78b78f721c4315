"""The catalogues, read once when the desk starts; and which of them somebody is answered from."""

from collections.abc import Mapping
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

SOURCE = Locale("en", "GB")


def N_(text: str) -> str:
    """Mark a text as a message where it is written; whoever says it translates it."""
    return text


def _read(file: Path) -> NullTranslations:
    """A catalogue; fuzzy messages, of which nobody is sure, are not in it."""
    compiled = BytesIO()
    with file.open("rb") as opened:
        write_mo(compiled, read_po(opened, locale=file.stem))
    compiled.seek(0)
    return Translations(compiled)


CATALOGUES: Mapping[str, NullTranslations] = {
    SOURCE.language: NullTranslations(),
    **{file.stem: _read(file) for file in sorted(Path(__file__).parent.glob("*.po"))},
}


class Language:
    """Says messages in a language of `CATALOGUES`, and writes numbers as in a region of it."""

    def __init__(self, locale: Locale) -> None:
        self.locale = locale
        self._messages = CATALOGUES[locale.language]

    @property
    def tag(self) -> str:
        """As HTML names it: `en-GB`."""
        return str(self.locale).replace("_", "-")

    def has(self, text: str) -> bool:
        """Whether the catalogue has a text: not every text that somebody gives is a message."""
        return self._messages.gettext(text) != text

    def __call__(self, text: str, **values: Any) -> str:
        """A message, with its values in place of `{name}`."""
        told = self._messages.gettext(text) if text else ""
        return told.format(**values) if values else told

    def plural(self, number: int, one: str, many: str, **values: Any) -> str:
        """The message for so many, with its values."""
        return self._messages.ngettext(one, many, number).format(**values)


def preferred(header: str) -> Locale:
    """The locale to answer in: what a browser prefers of those in whose language there is a catalogue.

    What is no `Accept-Language` prefers nothing, and is answered in the source's language.
    """
    ranked = []
    for part in header.split(","):
        tag, _, quality = part.strip().partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=") or 1)
            locale = Locale.parse(tag.strip(), sep="-")
        except (ValueError, UnknownLocaleError):
            continue
        if weight > 0 and locale.language in CATALOGUES:
            ranked.append((weight, locale))
    best = max(ranked, key=lambda each: each[0], default=(0.0, SOURCE))[1]
    return SOURCE if best == Locale(SOURCE.language) else best
