"""From a template and values to the words of a message."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any, TypeVar

import jinja2
from babel import Locale
from babel.dates import format_date, format_time
from markupsafe import escape

from chassis.api.text import TURNS
from chassis.errors import InvalidArgument, Violation, invalid
from chassis.languages import nearest
from chassis.visible import shows_something
from chassis.zones import day_of
from notifications.domain.template import (
    COMPANY_NAME,
    CONFIRM_LINK,
    DATES,
    LINKS,
    PLATFORM,
    Template,
    Text,
    Type,
)
from notifications.usecases.filters import LOCALE, ZONE, StandIn, Unfit, moment_or_day
from notifications.usecases.markup import NotHtml, page_of
from notifications.usecases.prose import FILTERS, compiled, needed_in, variables_of

T = TypeVar("T", bound=Text)
SUBJECT_MAX = 200
# Where a partial stands, to look at it by itself.
_PAGE = "<mjml><mj-head><mj-title>A part</mj-title></mj-head><mj-body>{}</mj-body></mjml>"
LANGUAGE_ALLOWED = "must be a BCP 47 tag of a language that dates can be written in, for example en-GB"
# Controls, line and paragraph separators, and halves of characters.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_BLANKS = re.compile(r"\s{2,}")
_COLLECTION = re.compile(r"^[a-z][A-Za-z]*/(?=[^/]+$)")


@dataclass(frozen=True, slots=True)
class Words:
    """A rendered message: plain text, and the same as HTML where its template has that."""

    subject: str
    body: str
    html: str = ""


def used_in(text: Text) -> frozenset[str]:
    """The variables that a text uses."""
    return variables_of(text.subject) | variables_of(text.body) | variables_of(text.mjml)


def needed_by(text: Text) -> frozenset[str]:
    """Those of them without which it cannot be said: that stand in it anywhere without a default."""
    return needed_in(text.subject) | needed_in(text.body) | needed_in(text.mjml)


def check(template: Template, text: Text, further: tuple[str, ...] = ()) -> None:
    """Refuse a text that cannot say what its template's type must say, and `further` parts.

    InvalidArgument: INVALID_TEMPLATE with the line; else VARIABLE_UNKNOWN, TEMPLATE_PART_MISSING with every
        part, also one that its own words for a reason would hide; INVALID_MJML.

    Of a hundred reasons in HTML it takes seconds, and is best done in a thread.
    """
    violations: list[Violation] = []
    used = {field: _used(getattr(text, field), field, violations) for field in ("subject", "body", "mjml")}
    if violations:
        raise InvalidArgument(violations)
    if unknown := template.undeclared(used_in(text)):
        described = f"must use no variable that {template.name} does not declare: {', '.join(unknown)}"
        violations.append(Violation("template_text.body", "VARIABLE_UNKNOWN", described))
    for part in ("body", "mjml") if text.mjml else ("body",):
        if missing := text.missing_parts(template, used[part], further):
            violations.append(_missing(template, missing, part))
    if violations:
        raise InvalidArgument(violations)
    standing_in: dict[str, Any] = {
        name: StandIn(f"the {name}") if name in template.variables else stand_in(name)
        for name in used_in(text)
    }
    own, shapes = text.says(template), set[str]()
    reasons = sorted(text.reasons.values() or ("the reason",), key=len, reverse=True)
    for reason, reference in itertools.product(reasons, ("", "a/1")):
        given = standing_in | own | {"reason": reason, "reference": reference}
        # Of HTML that differs by the words for the reason alone one page is made, with the longest.
        try:
            shape = _shape(text, given)
            _rendered(template, text, given, further, UTC, as_page=shape not in shapes)
            shapes.add(shape)
        except Unfit as unfit:  # which no value that a sender gives can mend
            raise invalid(
                "template_text.body", "INVALID_TEMPLATE", f"has a filter whose value {unfit}"
            ) from None


def used_by(texts: Iterable[Text]) -> frozenset[str]:
    """The variables that any of some texts uses."""
    return frozenset().union(*map(used_in, texts))


def to_give(template: Template, texts: Iterable[Text]) -> list[str]:
    """The variables that whoever sends the template gives, for whichever of its texts."""
    return template.to_give(used_by(texts))


def defaulted(texts: Sequence[Text]) -> frozenset[str]:
    """Those of them that need not be given: they have a default wherever they stand, in every text."""
    return used_by(texts) - frozenset().union(*map(needed_by, texts))


def stand_in(name: str) -> str:
    """What is read in place of a variable while nobody reads: of a link, where nothing is."""
    return f"https://example.com/{name}" if name in (CONFIRM_LINK, *LINKS) else f"the {name}"


def render(
    template: Template, text: Text, given: Mapping[str, str], zone: tzinfo, further: tuple[str, ...] = ()
) -> Words:
    """The message for what a sender and the platform gave, by name; `further` is what it must say as well.

    A reason is a code and gets the text's words; dates are RFC 3339 and become days in words, moments those
    in `zone`; a reference is told without its collection, `10248` of `orders/10248`; the text's own apology
    needs no giving, nor do a link and a company, where there is none, and what has a default wherever it
    stands; everything else is taken literally.

    InvalidArgument VARIABLE_MISSING with every value that is missing, VARIABLE_INVALID for one that a filter
    cannot say, INVALID_TIME, or INVALID_TEMPLATE and TEMPLATE_PART_MISSING for what only shows with these
    values.
    """
    used = used_in(text)
    # A text of a release that knew no links names none.
    values = dict.fromkeys({*LINKS, COMPANY_NAME} & used, "") | {
        name: one_line(value) for name, value in given.items() if name not in LINKS - used
    }
    values |= text.says(template)
    required = {name for name in (*template.must_say, *further) if not values.get(name)} - LINKS
    if missing := sorted((needed_by(text) - values.keys()) | required):
        raise InvalidArgument(
            [Violation(f"variables[{name}]", "VARIABLE_MISSING", "must be given") for name in missing]
        )
    if "reference" in values:
        values["reference"] = _COLLECTION.sub("", values["reference"])
    if "reason" in values:
        values["reason"] = text.words_for(values["reason"]) or values["reason"]
    dates = {name: date_or_moment(values[name], f"variables[{name}]") for name in DATES if values.get(name)}
    values |= said(dates, zone, text.language_code)
    try:
        return _rendered(template, text, values, further, zone)
    except Unfit as unfit:
        raise invalid("variables", "VARIABLE_INVALID", str(unfit)) from None


def rehearse(template: Template, texts: Iterable[Text], given: Mapping[str, str]) -> None:
    """Render every text with stand-ins for what the platform fills in. Raises what `render` raises.

    In fifty languages with HTML it takes seconds, and is best done in a thread.
    """
    for text in texts:
        render(template, text, {name: stand_in(name) for name in PLATFORM} | dict(given), UTC)


def date_or_moment(text: str, field: str) -> date | datetime:
    """The day or the moment that an RFC 3339 text names. InvalidArgument INVALID_TIME when it names none."""
    if (found := moment_or_day(text)) is not None:
        return found
    told = "must be a time from 1970 to 2200 like 2026-03-02T09:00:00Z, or a date like 2026-03-02"
    raise invalid(field, "INVALID_TIME", told)


def said(dates: Mapping[str, date | datetime], zone: tzinfo, language_code: str) -> dict[str, str]:
    """Days to name to a customer, in words. A day is a day everywhere; of a moment it is the one in `zone`.

    Midnight ends the day before it. Moments are told with their time when the dates would read alike.
    """
    locale = Locale.parse(language_code, sep="-")
    days = {name: day_of(at, zone) for name, at in dates.items()}
    words = {name: format_date(day, "full", locale=locale) for name, day in days.items()}
    if len(set(days.values())) < len(days):
        for name, at in dates.items():
            if isinstance(at, datetime):
                local = at.astimezone(zone)
                day = format_date(local.date(), "full", locale=locale)
                words[name] = f"{day}, {format_time(local, 'short', tzinfo=zone, locale=locale)}"
    return words


def reach_of(phone: str, email: str) -> str:
    """How to reach somebody, in words."""
    return " or ".join(filter(None, (phone, email)))


def text_for(texts: Sequence[T], tag: str, default: str) -> T | None:
    """The text for who reads a language, the `nearest`; else the default's; None without either."""
    by_language = {text.language: text for text in texts}
    wanted = (*nearest(tag), default.lower())
    return next((by_language[each] for each in wanted if each in by_language), None)


def one_line(text: str) -> str:
    """The text without what ends a line or controls a terminal, a run of blanks as one. All else stays."""
    return _BLANKS.sub(" ", _CONTROLS.sub(" ", text)).strip()


def _rendered(
    template: Template,
    text: Text,
    given: Mapping[str, str],
    further: tuple[str, ...],
    zone: tzinfo,
    *,
    as_page: bool = True,
) -> Words:
    """The message, with its HTML `as_page` alone.

    InvalidArgument when it fails to render, or hides what its type must say; Unfit.
    """
    values = {**given, LOCALE: Locale.parse(text.language_code, sep="-"), ZONE: zone}
    subject = one_line(TURNS.sub("", _filled(text.subject, values)))
    body = _clean(_filled(text.body, values))
    if not shows_something(subject):
        described = "must be a subject in which there is something to see, whatever is given"
        raise InvalidArgument([Violation("template_text.subject", "INVALID_TEMPLATE", described)])
    _require_parts(template, body, values, further, "body")
    html = ""
    if text.mjml and as_page:
        try:
            source = _clean(_filled(text.mjml, values, markup=True))
            page = page_of(
                _PAGE.format(source) if template.type == Type.PARTIAL else source, text.language_code
            )
        except NotHtml as wrong:
            raise InvalidArgument(
                [Violation("template_text.mjml", "INVALID_MJML", each) for each in wrong.args]
            ) from None
        _require_parts(template, " ".join((page.text, *page.targets)), values, further, "mjml")
        html = page.html
    return Words(subject[:SUBJECT_MAX], body, html)


def _shape(text: Text, given: Mapping[str, Any]) -> str:
    """The HTML with what it says for the reason taken out: what of it differs by more is another page."""
    values = {**given, LOCALE: Locale.parse(text.language_code, sep="-"), ZONE: UTC}
    return _filled(text.mjml, values, markup=True).replace(escape(given["reason"]), "\0")


def _filled(source: str, values: Mapping[str, Any], *, markup: bool = False) -> str:
    """A text with its values. InvalidArgument INVALID_TEMPLATE when it fails with these; Unfit."""
    try:
        return compiled(source, markup=markup).render(values)
    except Unfit:
        raise
    except Exception as error:  # whatever a template does with its values is the template's fault
        described = f"must render for every value: {type(error).__name__}"
        where = "template_text.mjml" if markup else "template_text.body"
        raise InvalidArgument([Violation(where, "INVALID_TEMPLATE", described)]) from error


def _require_parts(
    template: Template, told: str, values: Mapping[str, Any], further: tuple[str, ...], where: str
) -> None:
    """InvalidArgument TEMPLATE_PART_MISSING for what is not told; blanks and case are the template's."""
    said = one_line(told).casefold()
    parts = (*template.must_say, *further)
    if hidden := [part for part in parts if one_line(values.get(part, "")).casefold() not in said]:
        raise InvalidArgument([_missing(template, hidden, where)])


def _clean(body: str) -> str:
    """The body with newlines as its only controls, and as the only ends of its lines."""
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(_CONTROLS.sub(" ", line) for line in lines)


def _used(source: str, field: str, violations: list[Violation]) -> frozenset[str]:
    try:
        return variables_of(source)
    except jinja2.TemplateSyntaxError as error:
        allowed = f"must be Jinja of variables, conditions and the filters {', '.join(FILTERS)}"
        described = f"{allowed}; line {error.lineno}: {error.message}"
        violations.append(Violation(f"template_text.{field}", "INVALID_TEMPLATE", described))
        return frozenset()


def _missing(template: Template, parts: list[str], where: str) -> Violation:
    described = f"a {template.type} template must have {', '.join(parts)}"
    return Violation(f"template_text.{where}", "TEMPLATE_PART_MISSING", described)
