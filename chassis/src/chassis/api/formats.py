"""What single values of requests may be: what a format allows, and what is said of a value that is none."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pycountry

from chassis.api import etags
from chassis.api.addresses import address_of
from chassis.api.messages import enum_name
from chassis.api.text import no_line, no_text
from chassis.names import CODE, Pattern
from chassis.zones import NOT_A_TIME_ZONE, time_zone
from rapport.options.v1 import options_pb2

Wrong = tuple[str, str]
"""A documented reason, and what is allowed."""
Judge = Callable[[Any], Wrong | None]
TEXT_MAX = 200
REGIONS = frozenset(country.alpha_2 for country in pycountry.countries)


def text(most: int = TEXT_MAX, *, is_multiline: bool = False) -> Judge:
    """Text for people, kept as it is: at most `most` characters, of what `chassis.api.text` allows."""
    too_long = "TOO_LONG", f"must be at most {most} characters"
    if is_multiline:
        return lambda value: no_text(value) or (too_long if len(value) > most else None)

    def judge(value: str) -> Wrong | None:
        if len(value) <= most and value.isprintable():  # as nearly all of them
            return None
        return no_line(value) or (too_long if len(value) > most else None)

    return judge


def name(pattern: Pattern, other: Pattern | None = None) -> Judge:
    wrong, ids, others = ("INVALID_NAME", f"must be a name like {pattern}"), pattern.ids, other

    def judge(value: str) -> Wrong | None:
        try:
            ids(value)
        except ValueError:
            if others is None or others.match(value) is None:
                return no_line(value) or wrong
        return None

    return judge


def member(enum: Any, *, is_required: bool) -> Judge:
    """A value of an enum that is known here."""
    names = (enum_name(enum, value.number) for value in enum.values if value.number)
    wrong: Wrong = "INVALID_ENUM", f"must be one of {', '.join(names)}"
    known = frozenset(enum.values_by_number) - ({0} if is_required else set())
    return lambda value: None if value in known else wrong


def _like(regex: str, reason: str, allowed: str) -> Judge:
    wrong, matches = (reason, allowed), re.compile(regex).fullmatch
    return lambda value: None if matches(value) else no_line(value) or wrong


def _among(is_one: Callable[[str], object], reason: str, allowed: str) -> Judge:
    wrong = reason, allowed
    return lambda value: None if is_one(value) else no_line(value) or wrong


def _import_key(value: str) -> Wrong | None:
    if all(value.rpartition(":")[::2]):
        return _IMPORT_KEY(value)
    return _IMPORT_KEY(value) or ("INVALID_NAME", "must be like {source}:{line}")


_IMPORT_KEY = text()
_code = partial(_like, reason="INVALID_CODE")
UUID = _like(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "INVALID_UUID",
    "must be a UUID like 5b1c1d2e-3f40-4a5b-8c6d-7e8f9a0b1c2d",
)
ANY_NAME = _like(
    r"(?=.{1,300}$)[a-z][A-Za-z0-9]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)+",
    "INVALID_NAME",
    "must be the name of a resource, such as cases/0198..., at most 300 characters",
)
ETAG = _like(etags.ETAG, "INVALID_ETAG", etags.NOT_AN_ETAG)
FORMATS: Mapping[int, Judge] = {
    options_pb2.FORMAT_CODE: _code(
        CODE,
        allowed="must be 1 to 63 lower-case letters, digits and dashes, beginning with a letter or digit",
    ),
    options_pb2.FORMAT_CODE_PAIR: _code(rf"{CODE}\.{CODE}", allowed="must be two codes with a dot between"),
    options_pb2.FORMAT_REFERENCE: _code(
        r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,99}",
        allowed="must be 1 to 100 English letters, digits and . _ : / # -, beginning with a letter or digit",
    ),
    options_pb2.FORMAT_VARIABLE: _code(
        r"[a-z][a-z0-9_]{0,62}",
        allowed="must be 1 to 63 lower-case letters, digits and underscores, beginning with a letter",
    ),
    options_pb2.FORMAT_NUMBER: _code(r"[1-9][0-9]{0,8}", allowed="must be a positive whole number"),
    options_pb2.FORMAT_UUID: UUID,
    options_pb2.FORMAT_SHA256: _code(
        r"[0-9a-f]{64}", allowed="must be a SHA-256 in 64 lower-case hex digits"
    ),
    options_pb2.FORMAT_EMAIL: _among(
        address_of, "INVALID_EMAIL", "must be an e-mail address like anna@example.com"
    ),
    options_pb2.FORMAT_LANGUAGE: _code(
        r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?",
        allowed="must be a BCP 47 language like de or en-GB",
    ),
    options_pb2.FORMAT_TIME_ZONE: _among(time_zone, "INVALID_CODE", NOT_A_TIME_ZONE),
    options_pb2.FORMAT_REGION: _among(
        REGIONS.__contains__, "INVALID_CODE", "must be an ISO 3166-1 alpha-2 country like DE"
    ),
    options_pb2.FORMAT_IMPORT_KEY: _import_key,
}
