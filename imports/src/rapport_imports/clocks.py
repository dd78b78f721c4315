"""What programs write around a date: how they call its zone, signs of their language, seconds since 1970."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from chassis.zones import time_zone

# Hours behind or ahead, of those that are one zone to whoever writes them.
_HOURS = {
    **dict.fromkeys(("EST", "EDT"), -5),
    **dict.fromkeys(("CST", "CDT"), -6),
    **dict.fromkeys(("MST", "MDT"), -7),
    **dict.fromkeys(("PST", "PDT"), -8),
    **dict.fromkeys(("WET", "WEST", "GMT", "UTC", "BST"), 0),
    **dict.fromkeys(("CET", "CEST", "MEZ", "MESZ"), 1),
    **dict.fromkeys(("EET", "EEST"), 2),
    "MSK": 3,
    "JST": 9,
}
_SUMMER = frozenset({"EDT", "CDT", "MDT", "PDT", "WEST", "BST", "CEST", "MESZ", "EEST"})
# `10:15:00 CET`, `10:15 Europe/Berlin`; behind an offset it says the same once more.
_ZONE = re.compile(r"(.*\d(?:\s?[ap]\.?m\.?)?)\s+([A-Z]{3,4}|[A-Z][a-z]+/\w+)", re.IGNORECASE)
_ONCE_MORE = re.compile(r"(?<=\d|Z)\s*(?:\[[\w/]+\]|\([^()]+\))$")
_GMT = re.compile(r"\s(?:GMT|UTC)(?=[-+]\d)")
# As C and JavaScript write it, with the year behind the time or before it.
_CTIME = re.compile(r"(\w{3} \w{3} +\d{1,2}) (\d\d:\d\d:\d\d)((?: [A-Z]{3,4})?) (\d{4})")
_SIGNS = str.maketrans({"年": "-", "月": "-", "日": " ", "時": ":", "分": " "})
_EPOCH, _COMPACT = re.compile(r"1\d{9}(?:\d{3})?"), re.compile(r"((?:19|20)\d{6})(\d{6})")
_SECONDS = 10  # digits of those since 1970


def tidied(text: str, zone: tzinfo) -> tuple[str, tzinfo]:
    """A date without what is around it, and the zone that it says, else the same."""
    if len(text) <= _SECONDS and text[:1] != "1" and text[4:5] != "年":  # as most
        return text, zone
    if _EPOCH.fullmatch(text):
        at = datetime.fromtimestamp(int(text[:_SECONDS]), UTC)
        return f"{at:%Y-%m-%dT%H:%M:%S}", UTC
    if match := _COMPACT.fullmatch(text):
        return f"{match[1]}T{match[2]}", zone
    text = _GMT.sub(" ", _ONCE_MORE.sub("", text.translate(_SIGNS))).strip(" :")
    if match := _CTIME.fullmatch(text):
        text = f"{match[1]} {match[4]} {match[2]}{match[3]}"
    if match := _ZONE.fullmatch(text):
        called = match[2].upper()
        if called in _HOURS:
            hours = _HOURS[called] + (called in _SUMMER)
            return match[1], timezone(timedelta(hours=hours))
        if "/" in match[2] and (named := time_zone(match[2])):
            return match[1], ZoneInfo(named.key)
    return text, zone
