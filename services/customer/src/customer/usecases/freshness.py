"""How current the customer view is, as the bytes that are added to every answer."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import structlog

from chassis.api.actors import service_name
from chassis.api.messages import enum_number, timestamp
from chassis.db.aliases import Groups, groups_of
from chassis.db.database import Database
from chassis.db.failures import DATABASE_ERRORS
from chassis.inbox.freshness import Freshness, SourceState, Standing
from customer.names import CUSTOMER
from customer.store.views import SET_ASIDE, SetAside
from customer.usecases.rendering import cut_unapplied
from rapport.common.v1 import states_pb2
from rapport.customer.v1 import view_pb2

COMPUTED_EVERY_S = 0.25
LOADED_EVERY_S = 1.0
LOADED_LATE_S = 4.0
TOLD_MAX = 10_000  # more than that is a matter of the source, not of single customers
PER_CUSTOMER = 20

_State = view_pb2.SourceFreshness.State
_STATES = {
    Standing.FRESH: _State.STATE_FRESH,
    Standing.BEHIND: _State.STATE_BEHIND,
    Standing.SILENT: _State.STATE_SILENT,
}
_log = structlog.get_logger()


@dataclass(eq=False)
class ViewFreshness:
    """What a view says of its own currency: of each source, and of facts that could not be applied.

    `consumers` are those that project each source; `changed` is called with the customers for whom something
    was set aside, or no longer is.
    """

    db: Database
    freshness: Freshness
    consumers: Mapping[str, str]
    changed: Callable[[Sequence[UUID]], None]
    _serialised: bytes = field(default=b"", init=False)
    _until: float = field(default=0.0, init=False)
    _unapplied: dict[UUID, bytes] = field(default_factory=dict, init=False)
    _incomplete: set[str] = field(default_factory=set, init=False)
    _loaded: float = field(default_factory=time.monotonic, init=False)

    def serialised(self) -> bytes:
        """A CustomerView with nothing but `freshness`: appended to a serialised view, it is part of it."""
        now = time.monotonic()
        if now >= self._until:
            view = view_pb2.CustomerView(freshness=map(self._source, self.consumers))
            self._serialised, self._until = view.SerializeToString(), now + COMPUTED_EVERY_S
        return self._serialised

    def unapplied(self, customer_id: UUID) -> bytes:
        """A CustomerView with nothing but `unapplied_facts`, as `serialised`; mostly empty."""
        return self._unapplied.get(customer_id, b"")

    async def run(self) -> None:
        """Keep knowing what is set aside, until cancelled."""
        while True:
            try:
                await self.load()
            except DATABASE_ERRORS as error:
                _log.warning("it is not known what was set aside", error=type(error).__name__)
            await asyncio.sleep(LOADED_EVERY_S)

    async def load(self) -> None:
        """Look what is set aside, in this or another replica."""
        began = time.monotonic()
        rows = await SET_ASIDE.all(self.db, consumers=list(self.consumers.values()), most=TOLD_MAX + 1)
        # What concerns nobody that can be named, or too many, may be missing from any view.
        many = {source for source, count in Counter(row.source for row in rows).items() if count > TOLD_MAX}
        self._incomplete = many | {row.source for row in rows if CUSTOMER.match(row.customer) is None}
        named = {ids[0] for row in rows if (ids := CUSTOMER.match(row.customer))}
        groups = await groups_of(self.db, named) if named else Groups(())
        before, self._unapplied = self._unapplied, unapplied_facts(rows, groups)
        self._loaded = began
        keys = before.keys() | self._unapplied.keys()
        changed = [key for key in keys if before.get(key) != self._unapplied.get(key)]
        if changed:
            self.changed(changed)

    def _source(self, source: str) -> view_pb2.SourceFreshness:
        state = self.freshness.of(source)
        if time.monotonic() - self._loaded > LOADED_LATE_S:
            state = SourceState(Standing.SILENT, state.age_s, state.pending)
        elif source in self._incomplete and state.standing is Standing.FRESH:
            state = SourceState(Standing.BEHIND, state.age_s, state.pending)
        return source_freshness(source, state)


def source_freshness(source: str, state: SourceState) -> view_pb2.SourceFreshness:
    """What the contract says of a source in this state."""
    return view_pb2.SourceFreshness(
        service=service_name(source),
        state=_STATES[state.standing],
        age=timedelta(seconds=state.age_s),  # type: ignore[arg-type]  # protobuf takes it
        pending_event_count=state.pending,
    )


def unapplied_facts(rows: Iterable[SetAside], groups: Groups) -> dict[UUID, bytes]:
    """For each name of a customer, the view that says so, serialised. `rows` are the latest first."""
    views: dict[UUID, view_pb2.CustomerView] = defaultdict(view_pb2.CustomerView)
    total: Counter[UUID] = Counter()
    for row in rows:
        ids = CUSTOMER.match(row.customer)
        if ids is None:
            continue
        total[groups.survivors[ids[0]]] += 1
        if total[groups.survivors[ids[0]]] > PER_CUSTOMER:
            continue
        views[groups.survivors[ids[0]]].unapplied_facts.add(
            service=service_name(row.source),
            resource=row.resource,
            event_type=row.type,
            state=enum_number(states_pb2.SetAsideState.DESCRIPTOR, row.state),
            set_aside_time=timestamp(row.parked_at),
        )
    told = {survivor: cut_unapplied(view, total[survivor]) for survivor, view in views.items()}
    return {name: told[survivor] for survivor in told for name in groups.members[survivor]}
