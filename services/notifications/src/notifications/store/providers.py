"""Providers, and what was handed to them."""

from typing import Any

import sqlalchemy as sa

from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement, of_entity
from chassis.db.tables import table
from notifications.domain.provider import Provider, ProviderFigures, State
from notifications.store.tables import ATTEMPTS, METADATA, NOTICES

PROVIDERS = table(METADATA, "providers", Provider)

GET_PROVIDER, LOCK_PROVIDER, UPDATE_PROVIDER = of_entity(PROVIDERS, Provider)
ALL_PROVIDERS = Statement(sa.select(PROVIDERS), row=Provider)
_ALL_BUT_LISTS = [each.name for each in PROVIDERS.columns if each.name != "unwanted"]
ADD_PROVIDERS = Bulk[None](PROVIDERS, lambda new: new.on_conflict_do_nothing(), columns=_ALL_BUT_LISTS)
# A process has them still: said now and then, for a row that is not changed is not locked.
HAVE_PROVIDERS = Statement[None](
    sa.update(PROVIDERS)
    .where(
        PROVIDERS.c.id == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Text))),
        PROVIDERS.c.seen_time < sa.bindparam("before", type_=PROVIDERS.c.seen_time.type),
    )
    .values(seen_time=sa.bindparam("now", type_=PROVIDERS.c.seen_time.type))
)
# Those that no process has had since then.
FORGET_PROVIDERS = Statement[None](sa.delete(PROVIDERS).where(PROVIDERS.c.seen_time < sa.bindparam("since")))
_THIS = PROVIDERS.c.id == sa.bindparam("provider")
_WAITS = (NOTICES.c.waits_for == sa.bindparam("provider"), NOTICES.c.waits_for != "")
_BEFORE = sa.tuple_(NOTICES.c.rank, NOTICES.c.id) < sa.tuple_(
    sa.bindparam("rank", type_=NOTICES.c.rank.type), sa.bindparam("notice_id", type_=NOTICES.c.id.type)
)
# One message tries whether a provider works again: the first that waits, or who asks after `later`.
PROBE_PROVIDER = Statement[Any](
    sa.update(PROVIDERS)
    .where(
        _THIS,
        PROVIDERS.c.state != State.AVAILABLE,
        PROVIDERS.c.retry_time
        <= sa.case(
            (sa.exists().where(*_WAITS, _BEFORE), sa.bindparam("later", type_=PROVIDERS.c.retry_time.type)),
            else_=sa.bindparam("now", type_=PROVIDERS.c.retry_time.type),
        ),
    )
    .values(state=State.PROBING, retry_time=sa.bindparam("until", type_=PROVIDERS.c.retry_time.type))
    .returning(PROVIDERS.c.id)
)
_NOW = sa.bindparam("now", type_=PROVIDERS.c.free_time.type)
_EACH = sa.bindparam("each", type_=sa.Interval)
# A turn in the rate of a provider, of all replicas: when it is over. None while too many are before it.
TAKE_TURN = Statement[Any](
    sa.update(PROVIDERS)
    .where(
        _THIS,
        sa.func.coalesce(PROVIDERS.c.free_time, _NOW)
        <= sa.bindparam("latest", type_=PROVIDERS.c.free_time.type),
    )
    .values(free_time=sa.func.greatest(PROVIDERS.c.free_time, _NOW) + _EACH)
    .returning(PROVIDERS.c.free_time)
)

_LATELY = (
    ATTEMPTS.c.provider == sa.literal("providers/").concat(PROVIDERS.c.id),
    ATTEMPTS.c.start_time > sa.bindparam("since"),
)


def _attempts(*outcomes: str) -> sa.ScalarSelect[int]:
    of_those = sa.select(sa.func.count()).where(
        *_LATELY, sa.or_(*(ATTEMPTS.c.outcome == each for each in outcomes))
    )
    return of_those.correlate(PROVIDERS).scalar_subquery()


_WAITING = sa.select(sa.func.count()).where(NOTICES.c.waits_for == PROVIDERS.c.id, NOTICES.c.waits_for != "")
# The first notices that wait for a provider, and how many do before one.
WAITING_FOR = Statement[Any](
    sa.select(NOTICES.c.id)
    .where(*_WAITS)
    .order_by(NOTICES.c.rank, NOTICES.c.id)
    .limit(sa.bindparam("at_most"))
)
_AHEAD = sa.select(NOTICES.c.id).where(*_WAITS, _BEFORE).limit(sa.bindparam("at_most")).subquery()
WAITING_BEFORE = Statement[Any](sa.select(sa.func.count().label("count")).select_from(_AHEAD))
_FIGURES = sa.select(
    PROVIDERS,
    _attempts("ACCEPTED").label("sent_count"),
    _attempts("TEMPORARY_FAILURE", "PERMANENT_FAILURE", "UNKNOWN").label("failed_count"),
    _WAITING.correlate(PROVIDERS).scalar_subquery().label("waiting_count"),
)
SHOW_PROVIDER = Statement(_FIGURES.where(PROVIDERS.c.id == sa.bindparam("id")), row=ProviderFigures)
SHOW_PROVIDERS = Statement(_FIGURES, row=ProviderFigures)
LIST_PROVIDERS = Listing(_FIGURES, PROVIDERS.c.id, row=ProviderFigures)
