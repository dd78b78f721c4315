"""Codes of vouchers: 80 random bits as 16 letters and digits, and one that finds slips of the pen.

The letters are those of Crockford's Base32, which has no I, L, O and U. The last is chosen so that the code,
as a polynomial over GF(32), is zero at x: every wrong letter is found, and every two that are exchanged.
"""

import hashlib
import secrets

BITS = 80
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = BITS // 5 + 1
_TYPED = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None})
_REDUCED = 0b100101  # x^5 + x^2 + 1, which is primitive: powers of x up to the 31st differ


def new_code() -> str:
    """A code that nobody guesses, in groups of four."""
    number = secrets.randbits(BITS)
    values = [number >> shift & 31 for shift in range(BITS - 5, -1, -5)]
    letters = "".join(ALPHABET[value] for value in [*values, _times_x(_fold(values))])
    return "-".join(letters[i : i + 4] for i in range(0, _LENGTH, 4))


def code_hash(typed: str) -> bytes | None:
    """What a code is kept as, in whichever case, with dashes or without. None for what is none."""
    code = typed.upper().translate(_TYPED)
    if len(code) != _LENGTH or set(code) - set(ALPHABET):
        return None
    if _fold([ALPHABET.index(letter) for letter in code]):
        return None
    return hashlib.sha256(code.encode()).digest()


def _fold(values: list[int]) -> int:
    folded = 0
    for value in values:
        folded = _times_x(folded) ^ value
    return folded


def _times_x(value: int) -> int:
    return value << 1 ^ (_REDUCED if value & 16 else 0)
