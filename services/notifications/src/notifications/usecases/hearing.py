"""What is known of the things that some events are about, read at once, and what comes of them, kept at once.

Each statement costs as much as a dozen rows of it: a batch of events has as many as one event.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis import work
from chassis.db.aliases import Groups, groups_of
from chassis.db.transaction import Transaction
from notifications.domain.notice import Notice, State
from notifications.domain.pressure import DAY, crowd
from notifications.domain.rank import rank_of
from notifications.domain.template import Template
from notifications.domain.trigger import Known, Mark, Word
from notifications.names import CUSTOMER
from notifications.store import triggers as store
from notifications.store.tables import GET_TEMPLATE, GOING_BY_POLICY
from notifications.usecases.marks import lock_things
from notifications.usecases.notice import entry_of

_OPEN = (State.REQUESTED, State.SENDING, State.UNKNOWN)
_Thing = tuple[str, str]  # a policy and a subject, as `Word.key`
_Told = set[tuple[UUID, str]]  # of which event which customer
_Going = dict[str, dict[UUID, tuple[str, datetime]]]  # of each policy when notices go, and to whom


@dataclass(slots=True)
class Hearing:
    """Make it with `open`, unless it is of no thing. Until `keep` what has come of it is here alone."""

    tx: Transaction
    whose: Groups  # the customers who may be told, locked
    told: _Told
    going: _Going
    # By whose they are.
    marks: dict[_Thing, dict[str, Mark]] = field(default_factory=lambda: defaultdict(dict))
    waiting: dict[_Thing, list[Notice]] = field(default_factory=lambda: defaultdict(list))
    people: Mapping[str, str] = field(default_factory=dict)  # by which name each customer is known now
    templates: dict[str, Template] = field(default_factory=dict)
    _heard: dict[tuple[_Thing, str], Mark] = field(default_factory=dict)
    _new: list[Notice] = field(default_factory=list)
    _entries: list[Mapping[str, Any]] = field(default_factory=list)

    @classmethod
    async def open(cls, tx: Transaction, words: Sequence[Word], whose: Groups) -> "Hearing":
        """What is known, with the things and the open notices about them locked."""
        keys = sorted({each.key for each in words})
        await lock_things(tx, keys)
        things = {"policies": [policy for policy, _ in keys], "subjects": [subject for _, subject in keys]}
        marks = await store.MARKS.all(tx, **things)
        waiting = await store.LOCK_OPEN.all(tx, **things)
        notices = [each.notice for each in words if each.notice]
        hearing = cls(tx, whose, *await told_and_going(tx, notices, whose))
        for mark in marks:
            hearing.marks[mark.notice_policy_id, mark.subject][mark.customer] = mark
        for notice in waiting:
            hearing.waiting[notice.notice_policy_id, notice.subject].append(notice)
        named = {each.customer for each in words} | {mark.customer for mark in marks}
        named |= {notice.customer for notice in (*waiting, *notices)}
        if any(named):
            people = (await groups_of(tx, ids_of(named))).survivors
            hearing.people = {CUSTOMER.format(one): CUSTOMER.format(known) for one, known in people.items()}
        return hearing

    def known(self, word: Word) -> Known:
        """What was heard before of a word's thing."""
        return Known([*self.marks[word.key].values()], self.people)

    def hear(self, word: Word) -> None:
        """Remember that it was heard."""
        mark = word.mark()
        self.marks[word.key][mark.customer] = self._heard[word.key, mark.customer] = mark

    def open_of(self, word: Word) -> list[Notice]:
        """What may still be sent of a word's thing."""
        return [each for each in self.waiting[word.key] if each.state in _OPEN]

    def names(self, notice: Notice) -> list[str]:
        """All names of the customer whom one is for."""
        return [CUSTOMER.format(each) for each in self.whose.all_of(*CUSTOMER.ids(notice.customer))]

    def was_told(self, notice: Notice) -> bool:
        """Whether the customer was told of that event before, however late it comes again."""
        event = notice.trigger_event
        return event is not None and any((event, name) in self.told for name in self.names(notice))

    async def template(self, notice: Notice) -> Template:
        """The template of one."""
        found = self.templates.get(notice.template_id)
        if found is None:
            found = await GET_TEMPLATE.one(self.tx, id=notice.template_id)
            self.templates[notice.template_id] = found
        return found

    def count(self, notice: Notice, at: datetime) -> int:
        """How many notices its policy sends its customer within a day with `at`."""
        names = self.names(notice)
        others = self.going[notice.notice_policy_id].values()
        return crowd([when for name, when in others if name in names and abs(when - at) <= DAY], at)

    def request(self, notice: Notice, template: Template, at: datetime) -> None:
        """Put a new notice, which goes at `at`, into the queue, on behalf of the call that acts now."""
        notice.rank = rank_of(notice, of_many=False)
        self._entries.append(entry_of(self.tx, notice, template.type))
        self._new.append(notice)
        self.waiting[notice.notice_policy_id, notice.subject].append(notice)
        assert notice.trigger_event is not None, "it is about an event"
        self.told.add((notice.trigger_event, notice.customer))
        self.going[notice.notice_policy_id][notice.id] = notice.customer, at

    def not_going(self, notice: Notice) -> None:
        """It was suppressed."""
        self.going[notice.notice_policy_id].pop(notice.id, None)

    async def keep(self) -> None:
        """Write what has come of it so far: also before anything else is written of a notice."""
        marks, self._heard = [*self._heard.values()], {}
        new, self._new = self._new, []
        entries, self._entries = self._entries, []
        await store.PUT_MARK.rows(self.tx, marks)
        await store.INSERT_NOTICES.rows(self.tx, new)
        if entries:
            await work.enqueue_all(self.tx, entries)


async def told_and_going(tx: Transaction, notices: Sequence[Notice], whose: Groups) -> tuple[_Told, _Going]:
    """Who was told of the events of these notices, and what goes by their policies, of their customers."""
    told, going = set[tuple[UUID, str]](), defaultdict[str, dict[UUID, tuple[str, datetime]]](dict)
    if not notices:
        return told, going
    ids = {one for each in notices for one in whose.all_of(*CUSTOMER.ids(each.customer))}
    customers = [CUSTOMER.format(each) for each in sorted(ids)]
    events = sorted({each.trigger_event for each in notices if each.trigger_event})
    for row in await store.TOLD_OF.all(tx, events=events, customers=customers):
        told.add((row["trigger_event"], row["customer"]))
    times = [each.schedule_time or tx.now for each in notices]
    for row in await GOING_BY_POLICY.all(
        tx,
        customers=customers,
        policies=sorted({each.notice_policy_id for each in notices}),
        first=min(times) - DAY,
        last=max(times) + DAY,
    ):
        going[row["notice_policy_id"]][row["id"]] = row["customer"], row["at"]
    return told, going


def ids_of(names: Iterable[str]) -> list[UUID]:
    """The ids in names of customers; "" is nobody's."""
    return [each for name in names if name for each in CUSTOMER.ids(name)]
