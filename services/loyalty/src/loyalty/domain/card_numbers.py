"""Card numbers as they are kept: what finds them under a secret key, and their end for people to read.

Numbers are short enough to be tried one after the other: a hash without a key would be one in the clear.
"""

import hmac
import re
from dataclasses import dataclass, field

from chassis.errors import FailedPrecondition, invalid

_NUMBER = re.compile(r"[0-9A-Z]{4,64}")
_TOLD_MOST = 4


@dataclass(frozen=True, slots=True)
class CardNumber:
    """A number as it is kept: its keyed hash, as hexadecimal digits, and its last characters."""

    number_hash: str
    number_end: str


@dataclass(frozen=True, slots=True)
class CardNumbers:
    """Makes of numbers what is kept of them; without a pepper there are no cards."""

    pepper: str = field(repr=False)

    def kept(self, program_id: str, sent: str, name: str) -> CardNumber:
        """What is kept of a number as it was sent, in a field of that name.

        InvalidArgument `INVALID_CODE`; FailedPrecondition `NO_CARD_PEPPER`.
        """
        number = re.sub(r"[\s-]", "", sent).upper()
        if not _NUMBER.fullmatch(number):
            raise invalid(name, "INVALID_CODE", "must be 4 to 64 letters and digits")
        if not self.pepper:
            told = "This installation keeps no card numbers: RAPPORT_CARD_PEPPER is not set."
            raise FailedPrecondition("NO_CARD_PEPPER", told)
        of = f"{program_id}/{number}".encode()
        told_count = min(_TOLD_MOST, len(number) // 2)
        return CardNumber(hmac.digest(self.pepper.encode(), of, "sha256").hex(), number[-told_count:])
