"""Etags: the row's version in quotes, `"7"` (AIP-154)."""

import re

from chassis.errors import Aborted, invalid

_ETAG = re.compile(r'"([1-9][0-9]{0,18})"')


def etag(version: int) -> str:
    """The etag of a row at `version`."""
    return f'"{version}"'


def match(etag: str, version: int, field: str = "etag") -> None:
    """Refuse a change that was made from another version than the row's.

    An empty etag asks for nothing: the last write wins. Aborted ETAG_MISMATCH when stale; InvalidArgument
    INVALID_ETAG when it is no etag at all.
    """
    if not etag:
        return
    sent = _ETAG.fullmatch(etag)
    if sent is None:
        raise invalid(
            field,
            "INVALID_ETAG",
            'must be the etag as last read, with its quotes: "7"',
        )
    if int(sent[1]) != version:
        raise Aborted(
            "ETAG_MISMATCH",
            f"The resource is at version {version}, the etag at {sent[1]}: read it again, then try again.",
            {"version": version, "etag_version": sent[1]},
        )
