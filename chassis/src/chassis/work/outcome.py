"""How an attempt at work ended."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_NEXT_WORD = re.compile(r"_|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Verdict(StrEnum):
    """What an outcome means for the work."""

    DONE = "DONE"
    REFUSED = "REFUSED"  # no repetition can help
    LATER = "LATER"  # the network, a service that is down, a server that is busy
    OURS = "OURS"  # as LATER, and somebody of ours has to mend something
    AGAIN = "AGAIN"  # nothing was handed over, and nothing is wrong: prepare it anew
    UNKNOWN = "UNKNOWN"  # it was handed over, and nobody knows what became of it
    EXPIRED = "EXPIRED"  # it is of no more use


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended.

    Attributes:
        code: the other side's code as it is, or a code of ours for what stopped us, such as
            `smtp-server-disconnected`; never its text, which may be personal.
        result: what `Worker.act` returned, or the `NotDone` that it raised.
    """

    verdict: Verdict
    code: str = ""
    result: Any = None

    @property
    def definite(self) -> bool:
        """Whether it is known what became of the attempt."""
        return self.verdict is not Verdict.UNKNOWN


class NotDone(Exception):
    """What `Worker.act` raises when the work was not done, and it is sure of that.

        NotDone
          Later    it may work later: no connection, a service that is down, a busy server
          Ours     it will work once we have mended something: a login, a quota. As Later, and it is shown
          Refused  it will never work

    Attributes:
        code: as an outcome has it.
    """

    verdict = Verdict.LATER

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Later(NotDone):
    """It may work later."""


class Ours(NotDone):
    """It will work once we have mended something."""

    verdict = Verdict.OURS


class Refused(NotDone):
    """It will never work."""

    verdict = Verdict.REFUSED


class Superseded(NotDone):
    """Our turn is over: another attempt has begun, or what the work is about has changed."""

    verdict = Verdict.AGAIN


def code_of(name: str) -> str:
    """The code for the name of an error, a reason or a status: lower-case words with dashes."""
    return _NEXT_WORD.sub("-", name).lower()
