"""Statements on what customers allow and prefer, by whichever of their names they said so."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from chassis.api.listing import Listing
from chassis.db.aliases import group_of, names_of, survivor_of
from chassis.db.schema import ALIAS_GROUPS
from chassis.db.statement import Bulk, Statement, of_entity
from chassis.db.tables import among, replaced, rows_of
from customer.domain.consents import Consent, ConsentToken, ConsentVersion, SaidPreferences
from customer.domain.contact import Standing
from customer.domain.purposes import Purpose, Wording
from customer.domain.stops import ContactStop
from customer.store.tables import (
    CONSENT_HISTORY,
    CONSENT_TOKENS,
    CONSENTS,
    CONTACT_STOPS,
    PREFERENCES,
    PURPOSES,
    WORDINGS,
)

_CUSTOMER = sa.bindparam("customer_id", type_=sa.Uuid)
_OF_GROUP = sa.func.any(group_of(_CUSTOMER))
_P, _C = PURPOSES.c, CONSENTS.c

PURPOSE, LOCK_PURPOSE, UPDATE_PURPOSE = of_entity(PURPOSES, Purpose)
LIST_PURPOSES = Listing(sa.select(PURPOSES), _P.id, row=Purpose)
# Nothing comes back when there is one already.
INSERT_PURPOSE = Statement[Any](insert(PURPOSES).on_conflict_do_nothing().returning(_P.id))

_W = WORDINGS.c
_OF_PURPOSE = sa.select(WORDINGS).where(_W.purpose_id == sa.bindparam("purpose_id"))
_latest_wordings = (
    _OF_PURPOSE.ext(distinct_on(_W.language)).order_by(_W.language, _W.version.desc()).subquery("latest")
)
LIST_WORDINGS = Listing(sa.select(_latest_wordings), _latest_wordings.c.language, row=Wording)
_every_latest = (
    sa.select(WORDINGS)
    .ext(distinct_on(_W.purpose_id, _W.language))
    .order_by(_W.purpose_id, _W.language, _W.version.desc())
    .subquery("every_latest")
)
LIST_EVERY_WORDING = Listing(
    sa.select(_every_latest), _every_latest.c.purpose_id, _every_latest.c.language, row=Wording
)
_first = WORDINGS.alias("first")
_L = _every_latest.c
# Of each purpose, or of one, the nearest of `languages`, else its default, else what there was first.
_nearest = (
    sa.select(_every_latest)
    .join(PURPOSES, _P.id == _L.purpose_id)
    .where(sa.bindparam("purpose_id", type_=sa.Text).in_(("", _L.purpose_id)))
    .ext(distinct_on(_L.purpose_id))
    .order_by(
        _L.purpose_id,
        sa.func.array_position(sa.bindparam("languages", type_=sa.ARRAY(sa.Text)), _L.language),
        _L.language != sa.func.lower(_P.default_language_code),
        sa.select(_first.c.create_time)
        .where(_first.c.purpose_id == _L.purpose_id, _first.c.language == _L.language, _first.c.version == 1)
        .scalar_subquery(),
        _L.language,
    )
    .subquery("nearest")
)
LIST_NEAREST_WORDINGS = Listing(sa.select(_nearest), _nearest.c.purpose_id, _nearest.c.language, row=Wording)
WORDING = Statement(
    sa.select(_latest_wordings).where(_latest_wordings.c.language == sa.bindparam("id")), row=Wording
)
WORDING_VERSION = Statement(
    _OF_PURPOSE.where(_W.language == sa.bindparam("wording_id"), _W.version == sa.bindparam("id")),
    row=Wording,
)
INSERT_WORDING = Statement[Any](sa.insert(WORDINGS))

_merged_at = sa.select(ALIAS_GROUPS.c.change_time).where(ALIAS_GROUPS.c.customer_id == _CUSTOMER)


_STANDS = CONTACT_STOPS.c.withdraw_time.is_(None)
_stop = sa.select(sa.func.max(CONTACT_STOPS.c.stop_time).label("stop_time")).where(
    CONTACT_STOPS.c.customer_id == _OF_GROUP, _STANDS
)
_last_stop = (
    sa.select(CONTACT_STOPS)
    .where(CONTACT_STOPS.c.customer_id == _OF_GROUP, _STANDS)
    .order_by(CONTACT_STOPS.c.stop_time.desc(), CONTACT_STOPS.c.customer_id)
    .limit(1)
)


def _holding(said: Any, of: str, stop: sa.Select[Any]) -> sa.Subquery:
    """Of names that became one, what was said since, the last; of what was said before, what allows less.

    A yes of before any of them wanted nothing any more is a no, which that stop denies.
    """
    over = sa.and_(said.state == sa.literal_column("'GRANTED'"), said.effective_time < stop.scalar_subquery())
    denied = {
        "state": sa.case((over, sa.literal_column("'DENIED'")), else_=said.state).label("state"),
        "stop_time": sa.case((over, stop.scalar_subquery()), else_=said.stop_time).label("stop_time"),
    }
    since = sa.func.coalesce(said.effective_time > _merged_at.scalar_subquery(), sa.false())
    return (
        sa.select(*(denied.get(column.name, said[column.name]) for column in CONSENTS.c))
        .where(said.customer_id == _OF_GROUP, said.state != sa.literal_column("'UNSPECIFIED'"))
        .ext(distinct_on(said.id))
        .order_by(
            said.id,
            since.desc(),
            sa.case((since, said.effective_time)).desc().nulls_last(),
            said.state == sa.literal_column("'GRANTED'"),
            said.effective_time.desc(),
            said.customer_id,
        )
        .subquery(of)
    )


_holding_now = _holding(_C, "consents_holding", _stop)
_H = _holding_now.c
_MOST = 12_000  # of 1,000 purposes all that can be said
LIST_CONSENTS = Listing(sa.select(_holding_now), _H.id, row=Consent)
HOLDING = Statement(sa.select(_holding_now).order_by(_H.id).limit(_MOST), row=Consent)
CONSENT = Statement(sa.select(_holding_now).where(_H.id == sa.bindparam("id")), row=Consent)
# By each name what they had said by a time, as it was noted last; what a stop denied while that stands.
_V = CONSENT_HISTORY.c
_stands = (
    sa.exists()
    .where(CONTACT_STOPS.c.customer_id == _V.customer_id, CONTACT_STOPS.c.stop_time == _V.stop_time, _STANDS)
    .correlate(CONSENT_HISTORY)
)
_SAID_BY = (
    sa.select(*(_V[column.name] for column in CONSENTS.c))
    .where(
        _V.customer_id == _OF_GROUP,
        _V.effective_time <= sa.bindparam("at", type_=_V.effective_time.type),
        sa.or_(_V.stop_time.is_(None), _stands),
    )
    .ext(distinct_on(_V.customer_id, _V.id))
    .order_by(_V.customer_id, _V.id, _V.version.desc())
    .subquery("said_by")
)
_holding_then = _holding(
    _SAID_BY.c,
    "consents_held",
    _stop.where(CONTACT_STOPS.c.stop_time <= sa.bindparam("at", type_=_V.effective_time.type)),
)
LIST_CONSENTS_AT = Listing(sa.select(_holding_then), _holding_then.c.id, row=Consent)
LIST_VERSIONS = Listing(
    sa.select(CONSENT_HISTORY).where(_V.customer_id == _CUSTOMER, _V.id == sa.bindparam("consent_id")),
    _V.version,
    descending=True,
    row=ConsentVersion,
)
# Under that very name, to be written.
OWN_CONSENT = Statement(
    sa.select(CONSENTS).where(_C.customer_id == _CUSTOMER, _C.id == sa.bindparam("id")), row=Consent
)
# Nothing when there is no such purpose, and one without a channel when the customer never said anything.
STANDINGS = Statement(
    sa.select(
        _P.contact_default,
        _P.legal_basis,
        _P.category,
        _P.essential,
        _H.channel,
        _H.state,
        _H.confirm_time,
        _stop.scalar_subquery().label("stop_time"),
        _last_stop.with_only_columns(CONTACT_STOPS.c.actor).scalar_subquery().label("stop_actor"),
    )
    .select_from(PURPOSES.outerjoin(_holding_now, _H.purpose_id == _P.id))
    .where(_P.id == sa.bindparam("purpose_id")),
    row=Standing,
)
# When a customer was asked to confirm what they said by that very name.
ASKED = Statement[Any](
    sa.select(sa.func.min(_V.update_time).label("asked"))
    .where(
        _V.customer_id == _CUSTOMER,
        _V.id == sa.bindparam("id"),
        _V.update_time > sa.bindparam("since", type_=_V.update_time.type),
        _V.confirm_expire_time.is_not(None),
        _V.asked_version == _V.version,
        _V.confirm_time.is_(None),
    )
    .group_by(_V.confirm_expire_time)
)
# How often a customer was asked to confirm anything.
ASKED_OF_ALL = Statement[Any](
    sa.select(sa.func.count(sa.distinct(sa.tuple_(_V.id, _V.confirm_expire_time))).label("asked")).where(
        _V.customer_id == _CUSTOMER,
        _V.update_time > sa.bindparam("since", type_=_V.update_time.type),
        _V.confirm_expire_time.is_not(None),
        _V.asked_version == _V.version,
    )
)
STOP = Statement(_last_stop, row=ContactStop)
# Of these customers the others, who stopped everything.
_asked = rows_of("asked", ids=sa.Uuid())
_names = names_of(_asked.c.ids)
OTHERS_STOPPED = Statement[Any](
    sa.select(_asked.c.ids.label("id"))
    .select_from(_asked.join(_names, sa.true()))
    .join(CONTACT_STOPS, CONTACT_STOPS.c.customer_id == _names.c.customer_id)
    .where(_asked.c.ids != survivor_of(_CUSTOMER), _STANDS)
    .distinct()
)
SAVE_STOP = Statement[Any](replaced(insert(CONTACT_STOPS)))
# Of that very name, the latest first; also those that were withdrawn.
OWN_STOPS = Statement(
    sa.select(CONTACT_STOPS)
    .where(CONTACT_STOPS.c.customer_id == _CUSTOMER)
    .order_by(CONTACT_STOPS.c.stop_time.desc()),
    row=ContactStop,
)
# By which of these names a stop suppresses any of these: see `ContactStop.suppressed`.
_SUPPRESSED = CONTACT_STOPS.c.suppressed
_these = sa.bindparam("suppressed", type_=_SUPPRESSED.type)
_SUPPRESSING = sa.and_(among(CONTACT_STOPS.c.customer_id, "names"), _SUPPRESSED.op("&&")(_these))
SUPPRESSING = Statement(sa.select(CONTACT_STOPS).where(_SUPPRESSING).limit(1), row=ContactStop)
_others = (
    sa.select(sa.func.unnest(_SUPPRESSED)).correlate(CONTACT_STOPS).except_(sa.select(sa.func.unnest(_these)))
)
FORGET_SUPPRESSED = Statement[Any](
    sa.update(CONTACT_STOPS).where(_SUPPRESSING).values(suppressed=sa.func.array(_others.scalar_subquery()))
)
# What a stop denies, and what was said last of each, or of one, whatever stops deny.
DENIED_BY = Statement(
    sa.select(CONSENTS).where(_C.customer_id == _CUSTOMER, _C.stop_time == sa.bindparam("stop_time")),
    row=Consent,
)
_said = (
    sa.select(*(_V[column.name] for column in CONSENTS.c))
    .where(_V.customer_id == _CUSTOMER, _V.stop_time.is_(None))
    .ext(distinct_on(_V.id))
    .order_by(_V.id, _V.version.desc())
)
ALL_SAID = Statement(_said, row=Consent)
SAID = Statement(_said.where(_V.id == sa.bindparam("id")), row=Consent)
ALL_PURPOSES = Statement(sa.select(PURPOSES).order_by(_P.id), row=Purpose)
OWN_CONSENTS = Statement(sa.select(CONSENTS).where(_C.customer_id == _CUSTOMER), row=Consent)
SAVE_CONSENT = Statement[Any](replaced(insert(CONSENTS)))
APPEND_CONSENT = Statement[Any](insert(CONSENT_HISTORY))
SAVE_CONSENTS = Bulk[Any](CONSENTS, replaced)
APPEND_CONSENTS = Bulk[Any](CONSENT_HISTORY)
INSERT_TOKEN = Statement[Any](insert(CONSENT_TOKENS))
TOKEN = Statement(
    sa.select(CONSENT_TOKENS).where(CONSENT_TOKENS.c.token_hash == sa.bindparam("token_hash")),
    row=ConsentToken,
)

# By each name, what was said last first.
PREFERENCES_OF = Statement(
    sa.select(
        PREFERENCES,
        sa.func.coalesce(PREFERENCES.c.update_time > _merged_at.scalar_subquery(), sa.false()).label("since"),
    )
    .where(PREFERENCES.c.customer_id == _OF_GROUP)
    .order_by(PREFERENCES.c.update_time.desc(), PREFERENCES.c.customer_id),
    row=SaidPreferences,
)
SAVE_PREFERENCES = Statement[Any](replaced(insert(PREFERENCES)))
