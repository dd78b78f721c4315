"""What an action is made of: what its form holds when it opens, and what is done when it is sent."""

import re
import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from chassis.api.messages import day, enum_name, timestamp
from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.base import Looking
from desk.pages.find.classifying import classify

Values = dict[str, Any]
CODE_MAX, REFERENCE_MAX = 63, 100
_SATURDAY = 5


@dataclass(frozen=True)
class Doing:
    """One opening or sending of a form.

    Attributes:
        look: who, how to speak to them, the services as them.
        customer: `customers/{uuid}`.
        on: the resource that it is about; the customer when it is no other.
        fields: what was typed; empty when it opens.

    """

    look: Looking
    customer: str
    on: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def request_id(self) -> str:
        """Of the form: however often it is sent, it is done once."""
        return self.fields.get("request_id", "")

    def text(self, name: str) -> str:
        """What was typed, without spaces around it."""
        return self.fields.get(name, "").strip()

    def code(self, name: str, known: Iterable[str] = (), *, needed: bool = True) -> str:
        """What was typed as a code: `Late delivery!` is `late-delivery`. REQUIRED, INVALID_CODE.

        Args:
            name: of the field.
            known: codes that are offered: their words, in the reader's language, are these.
            needed: whether it has to be given.

        """
        typed = self.text(name)
        for each in known:
            if typed.casefold() == self.look.say.code(each).casefold():
                return each
        code = "-".join(re.findall("[a-z0-9]+", _plain(typed).lower()))[:CODE_MAX].strip("-")
        if needed and not typed:
            raise invalid(name, "REQUIRED", N_("must be given"))
        if typed and not code:
            raise invalid(name, "INVALID_CODE", N_("must have a letter from A to Z or a digit in it"))
        return code

    def reference(self, name: str) -> str:
        """What was typed as a reference: `order 5021` and `5021` are `orders/5021`, as where one finds."""
        typed = self.text(name)
        what, _, number = typed.partition(" ")
        if what.casefold() == self.look.say.code("order").casefold():
            typed = f"order {number}"
        written = "-".join(re.findall("[a-z0-9.:/#_-]+", _plain(typed), re.IGNORECASE))
        return classify(typed).reference or written[:REFERENCE_MAX]

    def choice(self, name: str, enum: Any) -> Any:
        """What was chosen of an enum, by its name without prefix. INVALID_CODE."""
        chosen = {
            enum_name(enum.DESCRIPTOR, value.number): value.number
            for value in enum.DESCRIPTOR.values
            if value.number
        }
        if self.text(name) not in chosen:
            raise invalid(name, "INVALID_CODE", f"must be one of {', '.join(chosen)}")
        return int(chosen[self.text(name)])

    def when(self) -> dict[str, Any]:
        """`due_date` and its zone, or with a time of day `due_time`. INVALID_TIME."""
        try:
            on = date.fromisoformat(self.text("day"))
            if not self.text("time"):
                return {"due_date": day(on)}
        except ValueError:
            raise invalid("day", "INVALID_TIME", N_("must be a day, and a time of day or none")) from None
        return {"due_time": self.moment()}

    def moment(self) -> Any:
        """The typed day and time as a moment; a day alone is its evening."""
        try:
            on = date.fromisoformat(self.text("day"))
            at = datetime.combine(on, time.fromisoformat(self.text("time") or "18:00"), self.look.say.zone)
            told = at.astimezone(UTC).astimezone(self.look.say.zone)
        except (ValueError, OverflowError):  # the first and the last day are not there in every zone
            raise invalid("day", "INVALID_TIME", N_("must be a day, and a time of day or none")) from None
        if told.replace(tzinfo=None) != at.replace(tzinfo=None):
            raise invalid(
                "time", "INVALID_TIME", N_("must be a time that there is: clocks are put forward then")
            )
        return timestamp(at)


def working_day(on: date) -> date:
    """The day, or the Monday after a weekend."""
    return on + timedelta(days=max(0, 7 - on.weekday()) if on.weekday() >= _SATURDAY else 0)


def _plain(typed: str) -> str:
    """Without accents, and `ß` as `ss`."""
    return "".join(
        each
        for each in unicodedata.normalize("NFKD", typed.replace("ß", "ss"))
        if not unicodedata.combining(each)
    )


@dataclass(frozen=True)
class Done:
    """What was done.

    Attributes:
        words: that say so.
        undo: the form that takes it back; empty when none does.
        held: what its own form is sent with once more to take it back, while it is held.
        held_s: for how long it is.

    """

    words: str
    undo: str = ""
    held: Mapping[str, str] = field(default_factory=dict)
    held_s: int = 0


@dataclass(frozen=True)
class Form:
    """An action's form.

    Attributes:
        title: above it.
        open: what its fields hold at first: the likely answer. What a template shows besides has other names.
        do: sends it, or gives what the form shows next. A refusal is shown in the form.

    """

    title: str
    open: Callable[[Doing], Awaitable[Values]]
    do: Callable[[Doing], Awaitable[Done | Values]]
