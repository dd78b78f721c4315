"""The port of channels: what sending asks of a way to reach a customer, whoever provides it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Protocol

from chassis.work import Later, NotDone, Verdict
from notifications.domain.notice import Notice
from notifications.domain.route import Addressed
from notifications.peers.contacts import Contact
from notifications.usecases.attempt import Delivery
from notifications.usecases.words import Words

CONVERSED = "conversed"  # of a NotDone: whether it is the provider's, and not ours in between


class Away(Later):
    """The provider takes nothing now, whoever it is for.

    `leave_alone`: for how long it asks for no more; None when it does not say.
    """

    def __init__(self, code: str, leave_alone: timedelta | None = None) -> None:
        super().__init__(code)
        self.leave_alone = leave_alone


class Unwanted(NotDone):
    """The provider does not take this message for what it says, whoever it is for; it may take others.

    As Ours, or as Later when `passing`: somebody mends the text, or the provider changes its mind.
    """

    def __init__(self, code: str, *, passing: bool = False) -> None:
        super().__init__(code)
        self.verdict = Verdict.LATER if passing else Verdict.OURS


class Channel(Protocol):
    """One way to reach a customer."""

    @property
    def code(self) -> str:
        """What the contract calls it, `EMAIL`."""

    @property
    def provider(self) -> str:
        """Who takes its messages, `providers/{id}`."""

    @property
    def addressed(self) -> Addressed | None:
        """What kind of address it has; None for a channel that needs none."""

    @property
    def a_minute(self) -> int:
        """How many messages its provider gets in a minute at most; 0 is no limit."""

    @property
    def idempotent(self) -> bool:
        """Whether the provider sends a message once, however often it is handed over by its key."""

    def key(self, notice: Notice) -> str:
        """By which the provider knows the message: the same for every attempt to say the same."""

    async def prepare(self, delivery: Delivery, contact: Contact, words: Words) -> Any:
        """The message, ready to be handed over. NotDone when there is none to this customer."""

    async def send(
        self, message: Any, ready: Callable[[str], Awaitable[None]], commit_to_it: Callable[[], None]
    ) -> str:
        """Hand it over and return the provider's code.

        `ready` is awaited with a fingerprint when only the last step is left, and `commit_to_it` called right
        before that. NotDone when it was not done, and that is sure: Away or Ours when that is not for the
        recipient's sake, Unwanted when it is for what the message says. Anything else after `commit_to_it`
        means that nobody knows.
        """
