"""The senders of webhooks: a file for each, `<name>.json`, in a folder that may be a mounted secret."""

import asyncio
import hashlib
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import jwt
import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from chassis.api.formats import REGIONS
from chassis.api.webhooks import require_key, signature
from chassis.errors import ResourceExhausted
from chassis.names import CODE
from chassis.settings import WrongSettings
from desk.edge.webhooks.kind import Kind
from desk.edge.webhooks.kinds import KINDS

TOLERANCE_S = 300  # between the sender's clock and ours
# Ages are compared with the clock that is given.
_OF_JWT: Any = {
    "require": ["iat"],
    "verify_iat": False,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_aud": False,
}
BURST_S = 5.0  # what was not sent before may be sent together
_log = structlog.get_logger()


Secret = Annotated[str, AfterValidator(require_key)]


class Source(BaseModel):
    """One sender."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(pattern=f"^{CODE}$")  # the file's, a code
    kind: str  # what it sends
    # The keys that it signs with, `whsec_` with base64 or text. Several while one follows another.
    secrets: list[Secret] = Field(default_factory=list, repr=False)
    # What it sends as a bearer token, when it cannot sign.
    tokens: list[Secret] = Field(default_factory=list, repr=False)
    region: str = ""  # where numbers without a country's code are dialled, ISO 3166-1 alpha-2
    # Whether somebody who is not known becomes a customer, or waits for a person; None: as is usual for the
    # kind.
    creates: bool | None = None
    # How many webhooks a second one replica takes of it, on average.
    per_second: float = Field(50, gt=0, le=10_000)

    @model_validator(mode="after")
    def _consistent(self) -> "Source":
        if self.kind not in KINDS:
            raise ValueError(f"kind: must be one of {', '.join(sorted(KINDS))}")
        if bool(self.secrets) == bool(self.tokens):
            raise ValueError("must have `secrets` to verify signatures with, or `tokens`; not both")
        if self.what.by_jwt and not self.secrets:
            raise ValueError(f"{self.kind}: must have `secrets`, with which its JWTs are signed")
        if self.region and self.region not in REGIONS:
            raise ValueError("region: must be an ISO 3166-1 alpha-2 country like DE")
        return self

    @property
    def what(self) -> Kind:
        return KINDS[self.kind]

    @property
    def makes_customers(self) -> bool:
        return self.what.creates if self.creates is None else self.creates

    def signed(self, id: str, timestamp: str, body: bytes, signatures: str) -> bool:
        """Whether one of `signatures`, `v1,<base64>`, is that of a key (Standard Webhooks)."""
        given = [each.partition(",")[2] for each in signatures.split() if each.startswith("v1,")][:10]
        own = [signature(key, id, timestamp, body) for key in self.secrets]
        return _any_same(own, given)

    def signed_by_jwt(self, token: str, body: bytes, now: datetime) -> bool:
        """Whether it is a JWT of a key, of now, for this body."""
        own = hashlib.sha256(body).hexdigest()
        for key in self.secrets:
            try:
                claims = jwt.decode(token, key, ["HS256"], options=_OF_JWT)
            except jwt.PyJWTError:
                continue
            told, issued = str(claims.get("payload_hash", "")), claims["iat"]
            is_number = isinstance(issued, int | float) and not isinstance(issued, bool)
            if is_number and abs(now.timestamp() - issued) <= TOLERANCE_S:
                return hmac.compare_digest(told.lower().encode(), own.encode())
        return False

    def knows(self, token: str) -> bool:
        """Whether it is one of the tokens; all are compared, in constant time."""
        return _any_same(self.tokens, [token])


def _any_same(own: Sequence[str], given: Sequence[str]) -> bool:
    """Compares each with each, however early one is the same."""
    same = [hmac.compare_digest(mine.encode(), other.encode()) for mine in own for other in given]
    return True in same


class Sources:
    """The sources in a folder, read again when one of its files changes. None without a folder.

    WrongSettings for a file that cannot be; later that is logged, and what was read of it before holds.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._by_name: dict[str, Source] = {}
        self._seen: Mapping[Path, _Mark] = {}
        if folder is not None:
            try:
                self._seen = _marks(folder)
            except OSError as error:
                raise WrongSettings(f"RAPPORT_WEBHOOKS_DIR: {error.strerror}: must be a folder") from None
            self._by_name = {path.stem: _read(path) for path in self._seen}

    def get(self, name: str) -> Source | None:
        self._refresh()
        return self._by_name.get(name)

    def _refresh(self) -> None:
        """A key that was taken away is none at once, and a file that is broken costs no other source."""
        if self._folder is None:
            return
        try:
            marks = _marks(self._folder)
        except OSError as error:
            _log.error("the sources of webhooks cannot be looked for", error=type(error).__name__)
            return
        if marks == self._seen:
            return
        before, self._by_name, self._seen = self._by_name, {}, marks
        for path in marks:
            try:
                self._by_name[path.stem] = _read(path)
            except (OSError, WrongSettings) as error:
                _log.error("a source of webhooks cannot be read", file=path.name, error=type(error).__name__)
                if path.stem in before:
                    self._by_name[path.stem] = before[path.stem]


_Mark = tuple[int, int, int]


def _marks(folder: Path) -> dict[Path, _Mark]:
    """What tells that a file is another than before, also where it is a link of a mounted secret. OSError."""
    paths = sorted(Path(each.path) for each in os.scandir(folder) if each.name.endswith(".json"))
    return {path: (at.st_mtime_ns, at.st_size, at.st_ino) for path in paths for at in (path.stat(),)}


def _read(path: Path) -> Source:
    """The source in a file. WrongSettings."""
    try:
        return Source.model_validate({**json.loads(path.read_bytes()), "name": path.stem})
    except ValidationError as error:
        told = error.errors(include_url=False, include_input=False)
        what = "; ".join(f"{'.'.join(map(str, each['loc']))} {each['msg']}".strip() for each in told)
        raise WrongSettings(f"RAPPORT_WEBHOOKS_DIR: {path.name}: {what}") from None
    except (ValueError, TypeError):
        raise WrongSettings(f"RAPPORT_WEBHOOKS_DIR: {path.name}: must be an object of JSON") from None


class Pace:
    """An average rate for each source, as GCRA has it: a time until which the source has used its share."""

    def __init__(self) -> None:
        self._used: dict[str, float] = {}

    def take(self, source: str, per_second: float) -> None:
        """Count one. ResourceExhausted `OVERLOADED`, with when to try again."""
        now = asyncio.get_running_loop().time()
        until = max(now, self._used.get(source, now)) + 1 / per_second
        if until - now > max(BURST_S, 1 / per_second):
            described = f"This source may send {per_second:g} webhooks a second on average."
            raise ResourceExhausted("OVERLOADED", described, {"most": per_second}, retry_after_s=1)
        self._used[source] = until
