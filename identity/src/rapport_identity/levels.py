"""How alike two values of one field are: a few levels, best first, that a person can name."""

from collections.abc import Callable

from rapidfuzz.distance import OSA, JaroWinkler

from rapport_identity import nicknames
from rapport_identity.record import Kind

EXACT = 0
# The last level of each kind is `different`.
NAMES: dict[Kind, tuple[str, ...]] = {
    Kind.GIVEN_NAME: ("same", "nickname", "one slip", "alike", "short form", "different"),
    Kind.FAMILY_NAME: ("same", "one slip", "alike", "part of it", "different"),
    Kind.TEXT: ("same", "one slip", "alike", "different"),
    Kind.STREET: ("same", "one slip", "alike", "different"),
    Kind.NUMBER: ("same", "alike", "different"),
    Kind.CODE: ("same", "one slip", "same region", "different"),
    Kind.DATE: ("same", "one slip", "day and month swapped", "two slips", "close", "different"),
    Kind.EMAIL: ("same", "one slip", "alike", "same mailbox name", "different"),
    Kind.PHONE: ("same", "one slip", "different"),
    Kind.IDENTIFIER: ("same", "one slip", "different"),
}

SLIP = {kind: names.index("one slip") for kind, names in NAMES.items() if "one slip" in names}
APART = {kind: len(names) - 1 for kind, names in NAMES.items()}

_JW_SLIP, _JW_ALIKE = 0.94, 0.84
_similarity = JaroWinkler.similarity
_distance = OSA.distance


def _alikeness(a: str, b: str) -> int:
    """0 same, 1 one slip (a letter more, less, other, or two exchanged), 2 alike, 3 neither."""
    if a == b:
        return 0
    away = _distance(a, b, score_cutoff=2)
    if away == 1 and len(a) + len(b) > 5:
        return 1
    similar = _similarity(a, b, score_cutoff=_JW_ALIKE)
    if similar >= _JW_SLIP:
        return 1
    if similar or (away == 2 and len(a) + len(b) > 9):
        return 2
    return 2 if len(a) == len(b) > 3 and sorted(a) == sorted(b) else 3


def _is_part(a: str, b: str) -> bool:
    """Whether one is the other's initial, beginning or end: `j`, `rob`, `maria` of `anna maria`."""
    short, long = (a, b) if len(a) < len(b) else (b, a)
    return long.startswith(short) or (len(short) > 3 and long.endswith(short))


def _given_name(a: str, b: str) -> int:
    if a == b:
        return 0
    found = _alikeness(a, b)
    if found != 1 and nicknames.are_one(a, b):
        return 1
    return found + 1 if found < 3 else 4 if _is_part(a, b) else 5


def _family_name(a: str, b: str) -> int:
    found = _alikeness(a, b)
    return found if found < 3 else 3 if _is_part(a, b) else 4


def _number(a: str, b: str) -> int:
    if a == b:
        return 0
    return 1 if len(a) + len(b) > 2 and (_distance(a, b) == 1 or sorted(a) == sorted(b)) else 2


def _code(a: str, b: str) -> int:
    if a == b:
        return 0
    return 1 if _distance(a, b, score_cutoff=1) == 1 else 2 if a[:2] == b[:2] else 3


def _date(a: str, b: str) -> int:
    if a == b:
        return 0
    away = _distance(a, b, score_cutoff=2)
    if away == 1:
        return 1
    if a[:4] == b[:4] and a[4:6] == b[6:] and a[6:] == b[4:6]:
        return 2
    if away == 2:
        return 3
    return 4 if a[:6] == b[:6] or a[4:] == b[4:] or abs(_months(a) - _months(b)) <= 1 else 5


def _months(date: str) -> int:
    return int(date[:4] or 0) * 12 + int(date[4:6] or 0)


def _email(a: str, b: str) -> int:
    if a == b:
        return 0
    few = min(len(a), len(b)) // 5
    away = _distance(a, b, score_cutoff=max(2, few))
    if away <= 1:
        return 1
    if away <= max(2, few):
        return 2
    local = a.partition("@")[0]
    return 3 if len(local) > 3 and local == b.partition("@")[0] else 4


def _digits(a: str, b: str) -> int:
    if a == b:
        return 0
    return 1 if min(len(a), len(b)) > 5 and _distance(a, b, score_cutoff=1) == 1 else 2


LEVEL: dict[Kind, Callable[[str, str], int]] = {
    Kind.GIVEN_NAME: _given_name,
    Kind.FAMILY_NAME: _family_name,
    Kind.TEXT: _alikeness,
    Kind.STREET: _alikeness,
    Kind.NUMBER: _number,
    Kind.CODE: _code,
    Kind.DATE: _date,
    Kind.EMAIL: _email,
    Kind.PHONE: _digits,
    Kind.IDENTIFIER: _digits,
}
