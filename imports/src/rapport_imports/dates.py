"""Dates and times as people write them: whether the day or the month comes first is decided by the file."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from google.type.date_pb2 import Date

from rapport_imports.clocks import tidied
from rapport_imports.decoding import UnreadableFile
from rapport_imports.months import is_weekday, month

NUMBERS = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2}(?!\d))(?:,? +(?:(?:um|at|à|-) +)?|T)?(.*)")
_TIME = re.compile(
    r"(?i)(\d{1,2})[:h](\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(?:uhr)?([ap]\.?m\.?)?\s*(z|utc|gmt|[-+]\d{2}:?\d{2})?"
)
# 24:00 is the end of a day, the first moment of the next.
_DAYS_END = re.compile(r"(?!9999)(\d{4}[/-]\d{1,2}[/-]\d{1,2})(?:T| +)24:00(?::00(?:\.0+)?)?([+-].*|Z)?")
_OFFSET = re.compile(r"(?i)\s+(?:(z|utc|gmt)|([-+]\d{2}:?\d{2}))$")
# 2 Mar 2026, 02-Mar-2026, 2. März 2026, 2 de marzo de 2026, 1er mars 2026, lunedì 2 marzo 2026;
# March 2, 2026; 2026 Mar 02: where the year is, the day is not.
_MONTH = r"[^\W\d_]{3,12}\.?"
_NAMED = re.compile(
    r"(?:(?P<weekday>[^\W\d_]{2,13}(?:-feira)?)[.,]{0,2} +)??"
    r"(?:(?P<d>\d{1,2})(?:\.|º|°|er|st|nd|rd|th)?[ /-]*(?:de |of )?"
    rf"(?P<m>{_MONTH})[ /,-]*(?:del? )?(?P<y>\d{{4}}|'?\d\d(?!\d))"
    rf"|(?P<m2>{_MONTH})[ -]+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?:,? +|-)(?P<y2>\d{{4}})"
    rf"|(?P<y3>\d{{4}})[ /-]+(?P<m3>{_MONTH})[ /-]+(?P<d3>\d{{1,2}}))"
    r"(?:,? +(?:(?:um|at|à|a las|alle|às|om) )?(?P<rest>.*))?"
)

# What people call parts of a date, in English, German, French and Italian, and how `strptime` does.
_PARTS = {
    **dict.fromkeys(("yyyy", "jjjj", "aaaa"), "%Y"),
    **dict.fromkeys(("yy", "aa"), "%y"),
    **dict.fromkeys(("m", "mm"), "%m"),
    "mmm": "%b",
    "mmmm": "%B",
    **dict.fromkeys(("d", "dd", "tt", "jj", "gg"), "%d"),
    **dict.fromkeys(("h", "hh"), "%H"),
    "ss": "%S",
}
_SHOWN = 100  # of a format that is none
_SAMPLE = datetime(2026, 3, 22, 9, 30, tzinfo=UTC)
# What exports write for no date: the first day that a spreadsheet or a database knows.
_NOTHING = frozenset(
    {date(1, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1), date(1900, 1, 2)}
)
_ZEROS = re.compile(r"(?:0000(?:-00){0,2}|0{1,2}[/.]0{1,2}[/.](?:00|0000))(?!\S)")
_EARLIEST = date(1850, 1, 1)
_TIME_OF_DAY = re.compile(r"(?:T|\s+)(?:00|12|23|2[0-2]|0?\d):.*$")
_COMPACT = re.compile(r"\d{8}")
_PART = re.compile(r"(\d{4})(?:-(\d{2}))?")
_NO_YEAR = re.compile(r"--(\d{2})-?(\d{2})")
_DAY_DIGITS, _CLOCK_DIGITS = 5, 4
_SHORT_YEAR, _LAST_CENTURY = 2, 70
DAY_AND_MONTH = re.compile(r"(\d{1,2})([./-])(\d{1,2})\.?")
_SPELT_SHORT = re.compile(r".*[^\W\d_].*\D(\d{2})")
_SHORT = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{2})")


def format_of(text: str) -> str:
    """How dates are written, as `strptime` takes it: `%m/%d/%Y`, from that or `MM/DD/YYYY`.

    UnreadableFile when no date can be read so.
    """
    try:
        found = text if "%" in text else re.sub(r"(?i)(?<=:)mm|([a-z])\1*", _part, text)
        read = datetime.strptime(_SAMPLE.strftime(found), found)  # noqa: DTZ007 - only its day is looked at
        if read.date() == _SAMPLE.date():
            return found
    except (ValueError, KeyError, re.error):  # re.error: a part that is there twice
        pass
    raise UnreadableFile(
        f"--date-format {text[:_SHOWN]}: must have a day, a month and a year, no part twice, such as "
        "%m/%d/%Y %H:%M or DD.MM.YYYY"
    )


def example(date_format: str) -> str:
    """A date that is written so."""
    return _SAMPLE.strftime(date_format) if date_format else "2026-03-22 or 2026-03-22T09:30:00"


def _part(name: re.Match[str]) -> str:
    return _PARTS[name[0].casefold()] if name[1] else "%M"


def is_number(text: str) -> bool:
    """Whether it may count days."""
    return len(text) <= _DAY_DIGITS and text.isascii() and text.isdigit()


def day(number: int, day_one: date, zone: tzinfo) -> datetime:
    """The day of that number, when `day_one` is the first. ValueError beyond the calendar."""
    try:
        return datetime.combine(day_one + timedelta(days=number - 1), time.min, zone)
    except OverflowError as error:
        raise ValueError from error


def time_of_day(text: str) -> time:
    """The time on the clock, `16:31`, `4:31 pm`, or `1631` and `2` as some tills write it. ValueError."""
    if len(text) <= _CLOCK_DIGITS and text.isascii() and text.isdigit():
        return time(*divmod(int(text), 100))
    at = time.fromisoformat(_clock(text).removeprefix("T"))
    if at.tzinfo:
        raise ValueError
    return at


def says_nothing(text: str) -> bool:
    """Whether it is what exports write for no date: `0000-00-00 00:00:00`, `0001-01-01T00:00:00`."""
    try:
        return bool(_ZEROS.match(text)) or _iso(text).date() in _NOTHING
    except ValueError:
        return False


def read(text: str, date_format: str = "", first: str = "", zone: tzinfo = UTC) -> datetime:
    """The moment, in `zone` unless it says otherwise. ValueError for what is none.

    Args:
        text: ISO 8601, also with a space or slashes; 2.3.2026; 3/2/2026 where `first` tells; 2 Mar 2026.
        date_format: how dates are written, as `strptime` takes it; ISO 8601 is read all the same.
        first: `day` or `month`, which of them begins a date with slashes or dashes.
        zone: of what says none.
    """
    text, zone = tidied(text, zone)
    try:
        at = datetime.strptime(text, date_format) if date_format else _guessed(text, first)  # noqa: DTZ007
    except ValueError:
        if not date_format:
            raise
        at = _iso(text)
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _guessed(text: str, first: str) -> datetime:
    if match := NUMBERS.fullmatch(text):
        one, separator, two, year, rest = match.groups()
        if len(year) == 2:  # 31.12.25 has its year at the end; what 25/12/31 has there nobody knows
            if separator != "." and first != "month":
                raise ValueError
            year = _with_century(year)
        day_first = separator == "." or first == "day" or int(one) > 12 or one == two
        if not (day_first or first == "month" or int(two) > 12):
            raise ValueError
        day, month = (one, two) if day_first else (two, one)
        return _of_parts(year, month, day, rest)
    return _named(match) if (match := _NAMED.fullmatch(text)) else _iso(text)


def _named(match: re.Match[str]) -> datetime:
    """A day whose month is spelt, with a time of day or without."""
    year, spelt, day = (match[part] or match[f"{part}2"] or match[f"{part}3"] for part in "ymd")
    if match["weekday"] and not is_weekday(match["weekday"]):
        raise ValueError
    return _of_parts(_with_century(year.strip("'")), f"{month(spelt)}", day, match["rest"] or "")


def _with_century(year: str) -> str:
    """A year of two digits is of the last fifty and the next."""
    return year if len(year) > _SHORT_YEAR else f"{'19' if int(year) >= _LAST_CENTURY else '20'}{year}"


def _of_parts(year: str, month: str, day: str, rest: str) -> datetime:
    text = f"{year}-{month:0>2}-{day:0>2}{_clock(rest)}"
    try:
        return datetime.fromisoformat(text)  # as nearly all, and in half the time
    except ValueError:
        return _iso(text)


def _iso(text: str) -> datetime:
    plain = _OFFSET.sub(lambda match: "+00:00" if match[1] else match[2], text)
    if match := _DAYS_END.fullmatch(plain):
        return _iso(f"{match[1]}T00:00{match[2] or ''}") + timedelta(days=1)
    if match := re.fullmatch(r"(\d{4})[/.-] ?(\d{1,2})[/.-] ?(\d{1,2})\.?(?:(?:T| +)(.*))?", plain):
        return datetime.fromisoformat(f"{match[1]}-{match[2]:0>2}-{match[3]:0>2}{_clock(match[4] or '')}")
    return datetime.fromisoformat(plain)


def _clock(text: str) -> str:
    """A time of day as ISO 8601 has it, `T09:30:00+01:00`; empty for an empty one."""
    if not text.strip():
        return ""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return f"T{text}"  # fractions and whatever else ISO 8601 allows
    hour, half = int(match[1]), (match[4] or "").lower()[:1]
    if half:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + (12 if half == "p" else 0)
    offset = match[5] or ""
    return f"T{hour:02}:{match[2]}:{match[3] or '00'}{'+00:00' if offset.isalpha() else offset}"


def born(text: str, date_format: str, first: str) -> Date | None:
    """The date as far as it is known: a day, a year, a month of one, or a day of any year. None for nobody's.

    Args:
        text: ISO 8601, also without dashes, only to the month or year, or `--04-12`, `12.4.` and `04/12`;
            what `dates.read` takes.
            A time of day beside it does not move it.
        date_format: how dates are written, as `strptime` takes it.
        first: `day` or `month`, which of them begins a date with slashes.

    Raises ValueError for what is none, or may be two.
    """
    today = datetime.now(UTC).date()
    if _ZEROS.match(text):
        return None
    if match := _NO_YEAR.fullmatch(text):
        day = date(2000, int(match[1]), int(match[2]))  # a year that has every day
        return Date(month=day.month, day=day.day)
    if match := DAY_AND_MONTH.fullmatch(text):
        one, two = int(match[1]), int(match[3])
        day_first = match[2] == "." or first == "day" or one > 12 or one == two
        if not (day_first or first == "month" or two > 12):
            raise ValueError
        day = date(2000, *((two, one) if day_first else (one, two)))
        return Date(month=day.month, day=day.day)
    if match := _PART.fullmatch(text):
        year, month = int(match[1]), int(match[2] or 0)
        if not _EARLIEST <= date(year, month or 1, 1) <= today:
            raise ValueError
        return Date(year=year, month=month)
    if _COMPACT.fullmatch(text) and not date_format:
        at = date.fromisoformat(text)
    elif (match := _SHORT.fullmatch(text) or _SPELT_SHORT.fullmatch(text)) and not date_format:
        at = read(f"{text[:-2]}{_century(match[match.re.groups])}", "", first).date()
    else:
        at = read(text if date_format else _TIME_OF_DAY.sub("", text), date_format, first).date()
    if at in _NOTHING:
        return None
    if not _EARLIEST <= at <= today:
        raise ValueError
    return Date(year=at.year, month=at.month, day=at.day)


def _century(year: str) -> str:
    """A year of two digits with its century; ValueError for one of both: a child or somebody very old."""
    if int(year) <= datetime.now(UTC).year % 100:
        raise ValueError
    return f"19{year}"
