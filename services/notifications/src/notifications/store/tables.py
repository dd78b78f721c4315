"""The service's tables, of the entities that they hold, and the statements on them."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import distinct_on, insert

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement, of_entity
from chassis.db.tables import among, replaced, table, updated
from chassis.db.versions import versioned
from chassis.names import PLATFORM
from notifications.domain.attempt import Attempt
from notifications.domain.notice import Notice
from notifications.domain.policy import NoticePolicy
from notifications.domain.pressure import Contact
from notifications.domain.reasons import Reason
from notifications.domain.template import (
    SENDER,
    Template,
    TemplateInLanguages,
    Text,
    TextState,
    Type,
)
from notifications.names import CUSTOMER, POLICY, TEMPLATE
from rapport.common.v1 import channel_pb2, states_pb2

METADATA = sa.MetaData()

TEMPLATES = table(METADATA, "templates", Template)
# Words, by version: a new version never changes an old one.
TEXTS = table(METADATA, "texts", Text, key=("template_id", "language", "version"))
# Which facts lead to which notices, by version; the highest holds, unless it is that it was deleted.
POLICIES = table(METADATA, "policies", NoticePolicy, key=("id", "version"))
# Notices, which the work table has sent: never an address, a name or a rendered text.
NOTICES = table(METADATA, "notices", Notice)
# Every attempt to hand a notice to a provider.
ATTEMPTS = table(METADATA, "attempts", Attempt, key=("notice", "number"))

GET_TEMPLATE = Statement(sa.select(TEMPLATES).where(TEMPLATES.c.id == sa.bindparam("id")), row=Template)
_APPROVED = TEXTS.c.state == TextState.APPROVED
_LANGUAGES = (
    sa.select(TEXTS.c.language_code)
    .where(TEXTS.c.template_id == TEMPLATES.c.id, _APPROVED)
    .distinct()
    .order_by(TEXTS.c.language_code)
)
_SAID = TEXTS.c.subject + " " + TEXTS.c.body + " " + TEXTS.c.mjml
# That texts name one of these, or that any of a template says what stands for what is not there, is looked at
# here; which variables they use, where they are read.
_OF_SENDERS = rf"\{{[{{%].*\m({'|'.join(sorted(SENDER))})\M"
_COVERS = r"\{[{%][^}]*(\|\s*default|\mis)\M"
_LATEST_WORDS = (
    sa.select(_SAID.label("words"), sa.func.bool_or(_SAID.regexp_match(_COVERS)).over().label("covers"))
    .where(TEXTS.c.template_id == TEMPLATES.c.id, _APPROVED)
    .ext(distinct_on(TEXTS.c.language))
    .order_by(TEXTS.c.language, TEXTS.c.version.desc())
    .correlate(TEMPLATES)
    .subquery("latest_words")
)
_SOURCES = sa.select(_LATEST_WORDS.c.words).where(
    sa.or_(_LATEST_WORDS.c.words.regexp_match(_OF_SENDERS), _LATEST_WORDS.c.covers)
)
# What texts that are sent include, and what that stands in: all are read when a partial is shown or changed.
_SENT_OF_ALL = (
    sa.select(TEXTS)
    .where(_APPROVED)
    .ext(distinct_on(TEXTS.c.template_id, TEXTS.c.language))
    .order_by(TEXTS.c.template_id, TEXTS.c.language, TEXTS.c.version.desc())
    .subquery("sent_of_all")
)
_INCLUDES = sa.func.regexp_matches(
    _SENT_OF_ALL.c.body + _SENT_OF_ALL.c.mjml,
    r"""include\s+["']([a-z0-9-]{1,63})["']""",
    "g",
    type_=postgresql.ARRAY(sa.Text),
)
_INCLUDED = sa.select(_SENT_OF_ALL.c.template_id, _INCLUDES.label("names")).cte("included")
_PARTIAL = _INCLUDED.c.names[1]
_ITSELF = sa.select(_PARTIAL.label("partial"), _INCLUDED.c.template_id).cte("stands", recursive=True)
_STANDS = _ITSELF.union(
    sa.select(_ITSELF.c.partial, _INCLUDED.c.template_id).where(_ITSELF.c.template_id == _PARTIAL)
)
_INCLUDERS = (
    sa.select(_STANDS.c.template_id)
    .where(_STANDS.c.partial == TEMPLATES.c.id, TEMPLATES.c.type == Type.PARTIAL)
    .order_by(_STANDS.c.template_id)
)
_SHOWN = sa.select(
    TEMPLATES,
    sa.func.array(_LANGUAGES.scalar_subquery()).label("language_codes"),
    sa.func.array(_SOURCES.scalar_subquery()).label("sources"),
    sa.func.array(_INCLUDERS.scalar_subquery()).label("includers"),
)
SHOW_TEMPLATE = Statement(_SHOWN.where(TEMPLATES.c.id == sa.bindparam("id")), row=TemplateInLanguages)
LIST_TEMPLATES = Listing(_SHOWN, TEMPLATES.c.id, row=TemplateInLanguages)
# Nothing comes back when there is one already, whoever has made it.
INSERT_TEMPLATE = Statement[Any](insert(TEMPLATES).on_conflict_do_nothing().returning(TEMPLATES.c.id))
UPDATE_TEMPLATE = Statement[None](updated(TEMPLATES))

_OF_TEMPLATE = sa.select(TEXTS).where(TEXTS.c.template_id == sa.bindparam("template_id"))


def _latest(texts: sa.Select[Any], name: str) -> sa.Subquery:
    by_language = texts.ext(distinct_on(TEXTS.c.language))
    return by_language.order_by(TEXTS.c.language, TEXTS.c.version.desc()).subquery(name)


_LATEST_TEXT = _latest(_OF_TEMPLATE, "latest")
_SENT_TEXT = _latest(_OF_TEMPLATE.where(_APPROVED), "sent")
# Those that are sent: of each language the latest version that is approved.
SENT_TEXTS = Statement(sa.select(_SENT_TEXT).order_by(_SENT_TEXT.c.language), row=Text)
LATEST_TEXTS = Statement(sa.select(_LATEST_TEXT).order_by(_LATEST_TEXT.c.language), row=Text)
LIST_TEXTS = Listing(sa.select(_LATEST_TEXT), _LATEST_TEXT.c.language, row=Text)
GET_TEXT = Statement(sa.select(_LATEST_TEXT).where(_LATEST_TEXT.c.language == sa.bindparam("id")), row=Text)
GET_TEXT_VERSION = Statement(
    _OF_TEMPLATE.where(
        TEXTS.c.language == sa.bindparam("template_text_id"),
        sa.cast(TEXTS.c.version, sa.Text) == sa.bindparam("id"),
    ),
    row=Text,
)
# Partials that stand in the texts of a department, by the ids that those name.
PARTIALS = Statement(
    sa.select(TEMPLATES).where(
        among(TEMPLATES.c.id, "ids"),
        TEMPLATES.c.type == Type.PARTIAL,
        among(TEMPLATES.c.department_id, "owners"),
    ),
    row=Template,
)
PARTIALS_BY_ID = Statement(sa.select(TEMPLATES).where(among(TEMPLATES.c.id, "ids")), row=Template)
PARTIAL_TEXTS = Statement(
    sa.select(TEXTS)
    .where(among(TEXTS.c.template_id, "ids"), _APPROVED)
    .ext(distinct_on(TEXTS.c.template_id, TEXTS.c.language))
    .order_by(TEXTS.c.template_id, TEXTS.c.language, TEXTS.c.version.desc()),
    row=Text,
)
# Of which a text that is sent includes a partial, or one that does.
TEMPLATES_INCLUDING = Statement[Any](
    sa.select(_STANDS.c.template_id)
    .where(_STANDS.c.partial == sa.bindparam("partial"))
    .order_by(_STANDS.c.template_id)
)
# Who wrote the versions of a text after one.
AUTHORS_SINCE = Statement[Any](
    sa.select(TEXTS.c.author).where(
        TEXTS.c.template_id == sa.bindparam("template_id"),
        TEXTS.c.language == sa.bindparam("language"),
        TEXTS.c.version > sa.bindparam("since"),
    )
)
INSERT_TEXT = Statement[None](sa.insert(TEXTS))
REVIEW_TEXT = Statement[None](updated(TEXTS, "state", "reviewer", "review_time", "review_note"))

_LATEST_POLICY, LATEST_POLICY, POLICY_AT, INSERT_POLICY = versioned(POLICIES, NoticePolicy)
_HELD = sa.select(_LATEST_POLICY).where(sa.not_(_LATEST_POLICY.c.deleted))
ENABLED_POLICIES = _HELD.where(sa.not_(_LATEST_POLICY.c.disabled))
GET_POLICY = Statement(_HELD.where(_LATEST_POLICY.c.id == sa.bindparam("id")), row=NoticePolicy)
# Those of the department that made the promise before the platform's, and nobody else's.
POLICIES_FOR_EVENT = Statement(
    ENABLED_POLICIES.where(
        _LATEST_POLICY.c.event_type == sa.bindparam("event_type"),
        _LATEST_POLICY.c.department_id.in_([sa.bindparam("department_id"), PLATFORM]),
    ).order_by(_LATEST_POLICY.c.department_id == PLATFORM, _LATEST_POLICY.c.id),
    row=NoticePolicy,
)
POLICIES_ON_DATE = Statement(
    ENABLED_POLICIES.where(_LATEST_POLICY.c.customer_date["date"].astext == sa.bindparam("date")),
    row=NoticePolicy,
)
POLICIES_WITH_TEMPLATE = Statement(
    ENABLED_POLICIES.where(_LATEST_POLICY.c.template_id == sa.bindparam("template_id")), row=NoticePolicy
)
LIST_POLICIES = Listing(_HELD, _LATEST_POLICY.c.id, row=NoticePolicy)
SEED_POLICY = Statement[None](insert(POLICIES).on_conflict_do_nothing())

_OF_POLICIES = (NOTICES.c.promise == sa.bindparam("promise"), NOTICES.c.concern != "")
_TOLD_LAST = (NOTICES.c.promise_version.desc(), NOTICES.c.id.desc())

GET_NOTICE, LOCK_NOTICE, UPDATE_NOTICE = of_entity(NOTICES, Notice)
# Newest first: by what they tell of, for the clocks of those who made them may differ.
_LOCK_OF_PROMISE = sa.select(NOTICES).where(*_OF_POLICIES).order_by(*_TOLD_LAST).with_for_update()
LOCK_NOTICES_OF_PROMISE = Statement(
    _LOCK_OF_PROMISE.where(NOTICES.c.customer == sa.bindparam("customer")), row=Notice
)
LOCK_NOTICES_TO_ANYBODY = Statement(_LOCK_OF_PROMISE, row=Notice)
_GOES_AT = sa.func.coalesce(NOTICES.c.schedule_time, NOTICES.c.create_time)
_GOING = sa.select(NOTICES.c.id, NOTICES.c.customer, NOTICES.c.notice_policy_id, _GOES_AT.label("at")).where(
    among(NOTICES.c.customer, "customers"),
    _GOES_AT.between(sa.bindparam("first"), sa.bindparam("last")),
    among(NOTICES.c.notice_policy_id, "policies"),
)
# When notices go to a customer, but for those that they never had.
GOING_BY_HAND = Statement[Any](
    _GOING.where(NOTICES.c.purpose == sa.bindparam("purpose"), NOTICES.c.reason_code != Reason.TAKEN_BACK)
)
GOING_BY_POLICY = Statement[Any](_GOING.where(NOTICES.c.state != sa.literal_column("'SUPPRESSED'")))
_OF_PERSON = (among(NOTICES.c.customer, "customers"), NOTICES.c.id != sa.bindparam("notice"))
LATELY_SENT = Statement(
    sa.union_all(
        sa.select(NOTICES.c.category, NOTICES.c.send_time).where(
            *_OF_PERSON, NOTICES.c.send_time > sa.bindparam("since")
        ),
        sa.select(NOTICES.c.category, sa.null().label("send_time")).where(
            *_OF_PERSON, NOTICES.c.state == sa.literal_column("'SENDING'")
        ),
    ),
    row=Contact,
)
# Whose it is, whether no budget keeps it back, whether it tells of a date of theirs, and the promise of
# which a policy tells.
WHOSE = Statement[Any](
    sa.select(
        NOTICES.c.customer,
        sa.case((NOTICES.c.concern == "", ""), else_=NOTICES.c.promise).label("promise"),
        sa.or_(NOTICES.c.urgent, TEMPLATES.c.essential).label("exempt"),
        sa.and_(NOTICES.c.trigger_event.is_not(None), NOTICES.c.subject == "").label("tells_date"),
    )
    .join(TEMPLATES, TEMPLATES.c.id == NOTICES.c.template_id)
    .where(NOTICES.c.id == sa.bindparam("id", type_=sa.Uuid))
)
DEFERRED = Statement[Any](
    sa.select(NOTICES.c.id).where(among(NOTICES.c.customer, "customers"), NOTICES.c.defer_time.is_not(None))
)
LIST_NOTICES = Listing(
    sa.select(NOTICES),
    NOTICES.c.id,
    descending=True,
    row=Notice,
    filters={
        "customer": filters.customer(NOTICES.c.customer, CUSTOMER),
        "promise": filters.text(NOTICES.c.promise),
        "kind": filters.text(NOTICES.c.kind),
        "state": filters.enum(NOTICES.c.state, states_pb2.NoticeState.DESCRIPTOR),
        "notice_policy": filters.name(NOTICES.c.notice_policy_id, POLICY),
        "template": filters.name(NOTICES.c.template_id, TEMPLATE),
        "department": filters.text(NOTICES.c.department),
        "channel": filters.enum(NOTICES.c.channel, channel_pb2.Channel.DESCRIPTOR),
        "create_time": filters.moment(NOTICES.c.create_time),
    },
)
# Why one waits, or was not sent; "" of one that nothing keeps back.
WHY = sa.case((NOTICES.c.state == "REQUESTED", NOTICES.c.defer_reason_code), else_=NOTICES.c.reason_code)
INSERT_NOTICE = Statement[None](sa.insert(NOTICES))

LIST_ATTEMPTS = Listing(
    sa.select(ATTEMPTS).where(ATTEMPTS.c.notice == sa.bindparam("notice_id")), ATTEMPTS.c.number, row=Attempt
)
GET_ATTEMPT = Statement(
    sa.select(ATTEMPTS).where(
        ATTEMPTS.c.notice == sa.bindparam("notice_id"), ATTEMPTS.c.number == sa.bindparam("id")
    ),
    row=Attempt,
)
_MAYBE_ACCEPTED = sa.or_(ATTEMPTS.c.outcome == "ACCEPTED", ATTEMPTS.c.outcome == "UNKNOWN")
# Of those that handed over the same message the latest that a provider may have accepted: reported is that.
LATEST_OF_MESSAGE = Statement(
    sa.select(ATTEMPTS)
    .where(ATTEMPTS.c.provider_key == sa.bindparam("key"), ATTEMPTS.c.provider == sa.bindparam("provider"))
    .order_by(_MAYBE_ACCEPTED.desc(), ATTEMPTS.c.number.desc())
    .limit(1),
    row=Attempt,
)
# Those of one notice that its provider may have accepted: a message for each channel, and repeats.
ATTEMPTS_OF = Statement(
    sa.select(ATTEMPTS).where(ATTEMPTS.c.notice == sa.bindparam("notice_id"), _MAYBE_ACCEPTED),
    row=Attempt,
)
_ENDED = ("outcome", "provider_code", "end_time")
INSERT_ATTEMPT = Statement[None](sa.insert(ATTEMPTS))
PUT_ATTEMPT = Bulk[None](ATTEMPTS, lambda insert: replaced(insert, *_ENDED))
END_ATTEMPT = Statement[None](updated(ATTEMPTS, *_ENDED))
REPORT_ATTEMPT = Statement[None](
    updated(ATTEMPTS, "delivery", "delivery_code", "delivery_time", "complaint_time")
)
