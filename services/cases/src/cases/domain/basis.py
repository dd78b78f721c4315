"""What it rests on that something was promised."""

from enum import StrEnum


class Basis(StrEnum):
    """Somebody said it, a policy promises it to everybody, or a quote or an order says it."""

    EXPLICIT = "EXPLICIT"
    POLICY = "POLICY"
    QUOTE = "QUOTE"
