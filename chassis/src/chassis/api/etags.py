"""Etags: the row's version in quotes, `"7"` (AIP-154)."""

import re

from chassis.errors import Aborted

NOT_AN_ETAG = 'must be the etag as last read, with its quotes: "7"'
ETAG = r'"([1-9][0-9]{0,18})"'
_ETAG = re.compile(ETAG)


def etag(version: int) -> str:
    return f'"{version}"'


def version_of(etag: str) -> int:
    """The version of the row that an etag was read from. ValueError when it is none."""
    sent = _ETAG.fullmatch(etag)
    if sent is None:
        raise ValueError("no etag")
    return int(sent[1])


def match(etag: str, resource: str, version: int) -> None:
    """Refuse a change that was made from another version than the one of `resource`, a name.

    An empty etag asks for nothing: the last write wins. Aborted ETAG_MISMATCH when stale. One that is no etag
    at all was refused with the request (`chassis.api.checks`).
    """
    if etag and (sent := version_of(etag)) != version:
        raise Aborted(
            "ETAG_MISMATCH",
            f"{resource} is at version {version}, the etag at {sent}: read it again, then try again.",
            {"resource": resource, "version": version, "etag_version": sent},
        )
