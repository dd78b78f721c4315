"""The catalogues, read once when the desk starts; which answers somebody, and refusals in its words."""

import re
from collections.abc import Mapping
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations

from chassis.errors import InvalidArgument, Refusal, Violation

SOURCE = Locale("en", "GB")


def N_(text: str) -> str:
    """Mark a text as a message where it is written; whoever says it translates it."""
    return text


# A refusal by its reason, when that says enough; else by its code, before the service's own words.
REFUSALS = {
    "DEADLINE_EXCEEDED": N_("The service did not answer in time."),
    "ETAG_MISMATCH": N_("Somebody changed this meanwhile."),
    "IDENTITY_PROVIDER_UNAVAILABLE": N_("The sign-in service does not answer. Try again in a moment."),
    "NOT_OWNER": N_("This belongs to another department."),
    "OTHER_TYPE": N_("One is a person, the other an organization."),
    "OVERLOADED": N_("There is too much to do at the moment. Try again in a moment."),
    "PERMISSION_DENIED": N_("You may not do this."),
    "RESOURCE_NOT_FOUND": N_("This is not here, or not any more."),
    "TOO_MANY_NAMES": N_("One customer would have too many records."),
    "UNAVAILABLE": N_("The service does not answer. Try again in a moment."),
    "ABORTED": N_("Something else happened at the same time. Try again."),
    "ALREADY_EXISTS": N_("This is here already."),
    "FAILED_PRECONDITION": N_("That cannot be done as things are now."),
    "INVALID_ARGUMENT": N_("Something in it is not as it must be."),
    "NOT_FOUND": N_("This is not here, or not any more."),
    "RESOURCE_EXHAUSTED": N_("There is too much to do at the moment. Try again in a moment."),
    "UNAUTHENTICATED": N_("You are signed out."),
    "UNKNOWN": N_("Nobody can tell now whether it was done. Sending it again does it once."),
}
# Of these the values say most: in every language, and to a person rather than to a program.
WORDED = {
    "AGENT_INACTIVE": N_("This colleague serves customers no more: choose somebody else first."),
    "REQUEST_ID_REUSED": N_(
        "This was done already, with what it held then. Send it again only if it is to be done once more."
    ),
    "UNDONE_ALREADY": N_("This merge was undone already."),
    "OVER_AUTHORITY": N_("At most {limit} points may be given to a customer of the value {band}."),
    "OVER_AUTHORITY.days": N_(
        "A promise may be put off by {limit} days at once. Ask somebody with more authority."
    ),
    "OVER_AUTHORITY.money": N_(
        "At most {limit} {currency} may be given alone. Ask somebody with more authority."
    ),
    "OVER_BUDGET.money": N_("{left} {currency} are left to be given for now."),
    "OVER_BUDGET.days": N_("You may put off promises by {left} days more for now."),
    "ESCALATION_EXISTS": N_("Somebody with more authority is asked already."),
    "NOBODY_ABOVE": N_("There is nobody above the owner who could be asked."),
    "OVER_BUDGET.customer": N_("This customer may be given {left} points more for now."),
    "OVER_BUDGET.grantor": N_("You may give {left} points more for now."),
}
SILENT = N_("{service} does not answer. Try again in a moment.")
OTHER = N_("Something is wrong on our side.")
FAULT = N_("Something is wrong on our side. Operations find it by {trace}.")  # a fault of the desk's own
VIOLATIONS = {
    "INVALID_CODE": N_("must be small letters, digits and hyphens, 63 at most"),
    "INVALID_EMAIL": N_("must be an e-mail address"),
    "INVALID_LANGUAGE": N_("must be a language, such as de or en-GB"),
    "INVALID_NUMBER": N_("must be another number"),
    "INVALID_TEXT": N_("must be a text without control characters"),
    "INVALID_TIME": N_("must be a day or time that is allowed here"),
    "INVALID_TIME.due_date": N_("must be in the future"),
    "INVALID_TIME.due_time": N_("must be in the future"),
    "INVALID_TIME_ZONE": N_("must be a time zone, such as Europe/Berlin"),
    "REQUIRED": N_("must be given"),
    "TEMPLATE_NOT_SENDABLE": N_("must be words that can be sent so, and take no more than is filled in"),
    "TOO_LONG": N_("is too long"),
}
# What only programs say: names of fields, permissions and resources, as `keep_time` and `cases.cases.write`.
_OF_PROGRAMS = re.compile(r"[a-z]_[a-z]|[a-z]\.[a-z]|[A-Za-z]/[0-9a-z]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAME = re.compile(r"(?:[A-Za-z]+/[^/\s]+/)*([A-Za-z]+)s/[0-9a-f]{8}-[0-9a-f-]{27}")


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


def refusal_words(refusal: Refusal, say: Language) -> str:
    """A refusal as its reader understands it. In English the service's own words, if people say such."""
    if worded := _worded(refusal, say):
        return worded
    message = _without_names(refusal.message)
    if _is_for_people(message, say):
        return message
    if "trace" in refusal.metadata:
        return say(FAULT, trace=refusal.metadata["trace"])
    if say.has(refusal.message):
        return say(refusal.message)
    if refusal.reason in REFUSALS:
        return say(REFUSALS[refusal.reason])
    if isinstance(refusal, InvalidArgument):
        details = ", ".join(violation(each, say) for each in refusal.violations)
    else:
        details = message
    return f"{say(REFUSALS.get(refusal.code, OTHER))} ({details})"


def _without_names(text: str) -> str:
    """`cases/0198... is resolved` is `This case is resolved`."""
    told = _NAME.sub(lambda name: f"this {_CAMEL.sub(' ', name[1]).lower()}", text)
    return text if told == text else told[:1].upper() + told[1:]


def _worded(refusal: Refusal, say: Language) -> str:
    """What the values of a refusal say; empty for most."""
    told = refusal.metadata
    if refusal.reason in ("UNAVAILABLE", "DEADLINE_EXCEEDED") and "service" in told:
        name = told["service"]
        service = say(name)
        return say(SILENT, service=service[:1].upper() + service[1:])
    of = told.get("unit") or told.get("whose", "")
    worded = WORDED.get(f"{refusal.reason}.{of}") or WORDED.get(refusal.reason)
    if not worded:
        return ""
    numbers = {
        name: format_decimal(told[name], locale=say.locale) for name in ("limit", "left") if name in told
    }
    band, currency = told.get("band", "").lower(), told.get("currency", "")
    return say(worded, **numbers, band=say(band), currency=currency)


def violation(each: Violation, say: Language) -> str:
    """What is wrong with a field: a message of the desk's own, or by the reason of a service's."""
    if _is_for_people(each.description, say) or say.has(each.description):
        return say(each.description)
    field = each.field.rpartition(".")[2]
    known = VIOLATIONS.get(f"{each.reason}.{field}") or VIOLATIONS.get(each.reason, each.description)
    return say(known)


def _is_for_people(text: str, say: Language) -> bool:
    """Whether a service's words are those of the reader, and none of a program."""
    return say.locale.language == SOURCE.language and not _OF_PROGRAMS.search(text)
