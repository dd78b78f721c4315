"""What policies on any event heard, and the statements about what they asked for."""

from typing import Any

import sqlalchemy as sa

from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, replaced, rows_of, table
from notifications.domain.notice import Notice
from notifications.domain.policy import BY_EVENT, NoticePolicy
from notifications.domain.trigger import Mark
from notifications.store.tables import ENABLED_POLICIES, METADATA, NOTICES, POLICIES

# What a policy heard last of each thing, so that what comes late, or again, is known for it.
MARKS_TABLE = table(METADATA, "trigger_marks", Mark, key=("notice_policy_id", "subject", "customer"))

_IN_FORCE = ENABLED_POLICIES.subquery("in_force")
# Written out, not bound: else a plan for any value could not use the partial indexes.
_IS_OPEN: tuple[sa.ColumnElement[Any], ...] = (
    sa.literal_column("notices.subject <> ''"),
    sa.literal_column("notices.state IN ('REQUESTED', 'SENDING', 'UNKNOWN')"),
)
_ON_ANY = sa.select(_IN_FORCE.c.id).where(*(_IN_FORCE.c.event_type != each for each in BY_EVENT))
_FIRST_HELD = (
    sa.select(POLICIES.c.id, sa.func.max(POLICIES.c.version))
    .where(POLICIES.c.update_time <= sa.bindparam("since"))
    .group_by(POLICIES.c.id)
)
_ASKED = sa.exists().where(
    NOTICES.c.notice_policy_id == POLICIES.c.id, NOTICES.c.policy_version == POLICIES.c.version, *_IS_OPEN
)
# Of those that are in force now the versions that held when something happened, from one time to another,
# and those of which something may still be sent; not each that there ever was.
POLICIES_ON_EVENTS = Statement(
    sa.select(POLICIES).where(
        POLICIES.c.id.in_(_ON_ANY),
        sa.or_(
            POLICIES.c.update_time.between(sa.bindparam("since"), sa.bindparam("until")),
            sa.tuple_(POLICIES.c.id, POLICIES.c.version).in_(_FIRST_HELD),
            _ASKED,
        ),
    ),
    row=NoticePolicy,
)
# Whether a policy was switched off, or deleted, after a version of it.
OFF_SINCE = Statement[Any](
    sa.select(POLICIES.c.version)
    .where(
        POLICIES.c.id == sa.bindparam("id"),
        POLICIES.c.version > sa.bindparam("version"),
        sa.or_(POLICIES.c.disabled, POLICIES.c.deleted),
    )
    .limit(1)
)
# Things, each of one policy, as two arrays.
_THINGS = rows_of("things", policies=sa.Text(), subjects=sa.Text())


def _of_things(of: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(of.c.notice_policy_id == _THINGS.c.policies, of.c.subject == _THINGS.c.subjects)


MARKS = Statement(
    sa.select(MARKS_TABLE).select_from(_THINGS.join(MARKS_TABLE, _of_things(MARKS_TABLE))), row=Mark
)
_MARK_KEY = tuple(MARKS_TABLE.primary_key)
_IS_OLD = MARKS_TABLE.c.time < sa.bindparam("before", type_=MARKS_TABLE.c.time.type)
_OLD = sa.select(*_MARK_KEY).where(_IS_OLD).order_by(MARKS_TABLE.c.time).limit(sa.bindparam("page"))
# What has become newer meanwhile is no longer old.
FORGET_MARKS = Statement[Any](
    sa.delete(MARKS_TABLE)
    .where(sa.tuple_(*_MARK_KEY).in_(_OLD), _IS_OLD)
    .returning(MARKS_TABLE.c.notice_policy_id)
)
PUT_MARK = Bulk[None](MARKS_TABLE, replaced)
# What may still be sent: also what may have been, and once that is known not to have been is wanted again.
LOCK_OPEN = Statement(
    sa.select(NOTICES)
    .select_from(_THINGS.join(NOTICES, _of_things(NOTICES)))
    .where(*_IS_OPEN)
    .order_by(NOTICES.c.id)
    .with_for_update(of=NOTICES),
    row=Notice,
)
TOLD_OF = Statement[Any](
    sa.select(NOTICES.c.trigger_event, NOTICES.c.customer).where(
        among(NOTICES.c.trigger_event, "events"), among(NOTICES.c.customer, "customers")
    )
)
# Whether a later event led to one about a person themselves, by any of their names.
NEWER_OF_PERSON = Statement[Any](
    sa.select(NOTICES.c.id)
    .where(
        among(NOTICES.c.customer, "customers"),
        NOTICES.c.notice_policy_id == sa.bindparam("notice_policy_id"),
        NOTICES.c.subject == NOTICES.c.customer,
        NOTICES.c.trigger_event > sa.bindparam("trigger_event"),
    )
    .limit(1)
)
# What tells customers the same of a date, or told it otherwise by the same policy.
_OF_DATE = (
    among(NOTICES.c.customer, "customers"),
    sa.or_(
        NOTICES.c.trigger_event == sa.bindparam("trigger_event"),
        sa.and_(
            NOTICES.c.notice_policy_id == sa.bindparam("notice_policy_id"),
            NOTICES.c.send_on == sa.bindparam("send_on"),
            NOTICES.c.subject == "",
        ),
    ),
)
ASKED_OF_DATE = Statement(sa.select(NOTICES).where(*_OF_DATE), row=Notice)
# Whether a customer was, or may have been, told so by another of their names.
TOLD_BY_ANOTHER = Statement[Any](
    sa.select(NOTICES.c.id).where(
        *_OF_DATE,
        NOTICES.c.id != sa.bindparam("notice"),
        sa.literal_column(
            "(notices.in_doubt OR notices.state IN ('SENDING', 'SENT', 'DELIVERED', 'UNKNOWN'))"
        ),
    )
)
# What is new: nothing of it was handed over, so no list of what was is any but empty.
INSERT_NOTICES = Bulk[None](
    NOTICES, columns=[each.name for each in NOTICES.columns if each.name != "text_partials"]
)
# Whether one of a later year is planned of what an event led to.
PLANNED_AFTER = Statement[Any](
    sa.select(NOTICES.c.id).where(
        NOTICES.c.trigger_event == sa.bindparam("trigger_event"),
        NOTICES.c.notice_policy_id == sa.bindparam("notice_policy_id"),
        NOTICES.c.customer == sa.bindparam("customer"),
        NOTICES.c.years > sa.bindparam("years"),
    )
)
POLICY_OF_VERSION = Statement(
    sa.select(POLICIES).where(
        POLICIES.c.id == sa.bindparam("id"), POLICIES.c.version == sa.bindparam("version")
    ),
    row=NoticePolicy,
)
