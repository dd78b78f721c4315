"""Etags: the row's version in quotes, `"7"` (AIP-154)."""

import re

from chassis.errors import Aborted, invalid

NOT_AN_ETAG = 'must be the etag as last read, with its quotes: "7"'
ETAG = r'"([1-9][0-9]{0,18})"'
_ETAG = re.compile(ETAG)


def etag(version: int) -> str:
    """The etag of a row at `version`."""
    return f'"{version}"'


def version_of(etag: str) -> int:
    """The version of the row that an etag was read from. ValueError when it is none."""
    sent = _ETAG.fullmatch(etag)
    if sent is None:
        raise ValueError("no etag")
    return int(sent[1])


def match(etag: str, version: int, field: str = "etag") -> None:
    """Refuse a change that was made from another version than the row's.

    An empty etag asks for nothing: the last write wins. Aborted ETAG_MISMATCH when stale; InvalidArgument
    INVALID_ETAG when it is no etag at all.
    """
    if not etag:
        return
    try:
        sent = version_of(etag)
    except ValueError:
        raise invalid(field, "INVALID_ETAG", NOT_AN_ETAG) from None
    if sent != version:
        raise Aborted(
            "ETAG_MISMATCH",
            f"The resource is at version {version}, the etag at {sent}: read it again, then try again.",
            {"version": version, "etag_version": sent},
        )
