"""What an act is."""

from collections.abc import Callable
from dataclasses import dataclass

from rapport_tools.demo.stage import Stage


@dataclass(frozen=True)
class Act:
    """One act.

    Attributes:
        title: what happens in it.
        play: plays it; the customer is known from the first act. LeftOut where it cannot be played.
        look: what there is to see in its trace.
    """

    title: str
    play: Callable[[Stage], None]
    look: str


class LeftOut(Exception):
    """An act cannot be played here; the message is a sentence that says why."""
