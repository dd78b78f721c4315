"""Codes and types as people say them."""

import re

# What a code says when it is not just its words. Codes are open: any other is said by its own words.
CODES = {
    "carrier-delay": "the transport is taking longer than planned",
    "out-of-stock": "it is not in stock",
    "other": "something came in between",
    "ivr": "phone menu",
    "sms": "SMS",
    "email": "e-mail",
    "voice": "phone",
    "in-person": "in person",
    "field-visit": "visit",
}


def said(code: str) -> str:
    """`late-delivery` is said `late delivery`."""
    return CODES.get(code, code.replace("-", " ").replace("_", " "))


def titled(code: str) -> str:
    """As `said`, as the beginning of a line."""
    words = said(code)
    return words[:1].upper() + words[1:]


def last(name: str) -> str:
    """The last part of a resource's name: `departments/delivery` is `delivery`."""
    return name.rpartition("/")[2]


def split(camel: str) -> str:
    """`PromiseAtRisk` is `Promise at risk`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", camel).lower()
    return words[:1].upper() + words[1:]


def about(kind: str, reference: str) -> str:
    """`Delivery of order 5021`, of `delivery` and `orders/5021`."""
    what, _, number = reference.rpartition("/")
    if not reference:
        return titled(kind)
    thing = f"{said(what[:-1] if what.endswith('s') else what)} {number}".strip()
    return f"{titled(kind)} of {thing}"
