"""Stopping everything where departments have many purposes."""

from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.db.schema import AUDIT, OUTBOX
from chassis.db.statement import Statement
from chassis.db.transaction import Transaction
from customer.store.suppressions import SUPPRESSIONS
from customer.store.tables import CONSENT_HISTORY
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL, CHANNEL_SMS
from rapport.customer.v1 import self_service_link_service_pb2 as pb
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import (
    CheckContactRequest,
    ExplainPreferencesRequest,
    GetConsentRequest,
    GetPreferencesRequest,
    ListConsentsRequest,
    ListConsentVersionsRequest,
    StopContactRequest,
    UpdateConsentRequest,
    UpdatePreferencesRequest,
    WithdrawContactStopRequest,
)
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.preferences_pb2 import ContactStop, Preferences
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2 import CreatePurposeRequest
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceStub
from rapport.customer.v1.self_service_link_service_pb2_grpc import SelfServiceLinkServiceStub
from rapport.customer.v1.suppression_pb2 import Suppression
from rapport.customer.v1.suppression_service_pb2 import CreateSuppressionRequest, ListSuppressionsRequest
from rapport.customer.v1.suppression_service_pb2_grpc import SuppressionServiceStub

MANY = 400
_PURPOSES = Statement[Any](
    sa.text(
        "INSERT INTO purposes SELECT (jsonb_populate_record(p, jsonb_build_object("
        "'id', 'p' || n, 'contact_default', 'ALLOWED', 'legal_basis', null))).*"
        f" FROM purposes p, generate_series(1, {MANY}) n WHERE p.id = 'marketing'"
    )
)
_SUPPRESSED = Statement[Any](sa.select(SUPPRESSIONS))
_AUDITED = Statement[Any](sa.select(AUDIT).where(AUDIT.c.resources.startswith("suppressions/")))
_TOLD = Statement[Any](sa.select(OUTBOX).where(OUTBOX.c.resource.startswith("suppressions/")))


def withdrawal(stop: ContactStop) -> WithdrawContactStopRequest:
    return WithdrawContactStopRequest(
        name=stop.customer, stop_time=stop.effective_time, reason_code="wrong-customer"
    )


_NOTED = Statement[Any](sa.select(sa.func.count().label("noted")).select_from(CONSENT_HISTORY))


async def test_everything_stops_by_as_many_statements_however_many_purposes_there_are(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def called(permission: str) -> Any:
        return desk.running.stub(SelfServiceLinkServiceStub, [f"customer.self_service_links.{permission}"])

    async def person(name: str) -> str:
        """The token of somebody new."""
        made = await desk.create(desk.email(f"{name}@example.com"))
        link = pb.GetSelfServiceLinkRequest(name=f"{made.name}/selfServiceLink")
        return str((await called("read").GetSelfServiceLink(link)).token)

    def stop(token: str) -> Any:
        return pages.StopSelfServiceContact(pb.StopSelfServiceContactRequest(token=token, source="stop-all"))

    pages, bea, token = called("open"), await person("bea"), await person("anna")
    yes = [
        pb.SelfServiceConsent(purpose="purposes/p1", channel=each, state=Consent.STATE_GRANTED)
        for each in (CHANNEL_EMAIL, CHANNEL_SMS)
    ]
    made: list[str] = []
    fetch = Transaction.fetch

    async def counted(self: Transaction, statement: Statement[Any], args: Sequence[Any]) -> Any:
        if "StopSelfService" in self.call.what:
            made.append(statement.name)
        return await fetch(self, statement, args)

    monkeypatch.setattr(Transaction, "fetch", counted)
    await stop(bea)
    few = made.copy()
    await _PURPOSES.run(desk.running.db)
    await pages.SubmitSelfServiceConsents(
        pb.SubmitSelfServiceConsentsRequest(token=token, consents=yes, source="page")
    )
    desk.clock.advance(timedelta(minutes=1))
    told = len(await desk.facts("ConsentUpdated"))
    made.clear()
    await stop(token)
    assert made == few
    held = (await pages.ResolveSelfServiceLink(pb.ResolveSelfServiceLinkRequest(token=token))).consents
    assert {each.state for each in held} == {Consent.STATE_DENIED}
    assert sorted(each.etag for each in held)[-3:] == ['"1"', '"2"', '"2"']  # of the yes that there was
    facts = (await desk.facts("ConsentUpdated"))[told:]
    assert len(facts) == len(held) > 12 * MANY
    assert [row["noted"] for row in await _NOTED.all(desk.running.db)] == [told + len(facts)]
    await stop(token)
    assert len(await desk.facts("ConsentUpdated")) == told + len(facts)  # said once
    assert len(await desk.facts("ContactStopped")) == 2  # by each of them one, whatever they press again


async def test_who_says_on_the_telephone_that_they_want_nothing_more_is_kept_from_it_by_any_name(
    desk: Any,
) -> None:
    anna, second = [await desk.create(desk.email(f"{name}@example.com")) for name in ("anna", "annie")]
    await desk.consents.UpdatePreferences(
        UpdatePreferencesRequest(preferences=Preferences(name=f"{anna.name}/preferences", language_code="de"))
    )
    request = StopContactRequest(name=anna.name, source="call", proof="calls/4711")
    answer = await desk.consents.StopContact(request)
    since = desk.clock.now()
    assert (answer.name, answer.language_code) == (f"{anna.name}/preferences", "de")
    stop = answer.contact_stop
    assert (stop.customer, stop.effective_time.ToDatetime(UTC)) == (anna.name, since)
    assert (stop.noter, stop.source, stop.proof) == ("agents/alice", "call", "calls/4711")
    facts = await desk.running.published()
    (told,) = [each for each in facts if each.type.endswith("ContactStopped")]
    assert (told.resource, told.data.customer) == (answer.name, anna.name)
    assert (told.data.source, told.data.effective_time) == ("call", stop.effective_time)
    apart = [each for each in facts if "Suppression" in each.type]
    assert apart
    assert told.causation_id not in {each.causation_id for each in apart}
    assert {each.actor for each in apart} == {"agent:alice"}
    await desk.merge(anna.name, second.name)
    for name in (anna.name, second.name):
        held = await desk.consents.GetPreferences(GetPreferencesRequest(name=f"{name}/preferences"))
        assert held.contact_stop == stop
        checked = [
            await desk.consents.CheckContact(
                CheckContactRequest(name=name, purpose=f"purposes/{purpose}", channels=[CHANNEL_EMAIL])
            )
            for purpose in ("marketing", "service")
        ]
        assert [each.allowed for each in checked] == [False, True]
        step = dict(checked[0].decisions[-1].inputs)
        assert (step["stop_time"], step["stop_noter"]) == (since.isoformat(), "agents/alice")
    versions = ListConsentVersionsRequest(parent=f"{anna.name}/consents/marketing.email")
    noted = (await desk.consents.ListConsentVersions(versions)).consents[0]
    assert (noted.source, noted.proof) == ("call", "calls/4711")
    explained = await desk.consents.ExplainPreferences(ExplainPreferencesRequest(name=answer.name))
    assert "ContactStopped" in {each.event_type.rpartition(".")[2] for each in explained.causes}


async def test_a_stop_that_was_said_of_another_leaves_what_was_said_before_it(
    desk: Any, refused: Any
) -> None:
    anna = (await desk.create(desk.email("anna@example.com"))).name
    suppressions = desk.running.stub(SuppressionServiceStub, ["customer.*"])

    def said(purpose: str, state: Any) -> Any:
        name = f"{anna}/consents/{purpose}.email"
        consent = Consent(name=name, state=state, source="form", proof="forms/1")
        return desk.consents.UpdateConsent(UpdateConsentRequest(consent=consent, allow_missing=True))

    async def allowed() -> list[bool]:
        asked = [
            CheckContactRequest(name=anna, purpose=f"purposes/{purpose}", channels=[CHANNEL_EMAIL])
            for purpose in ("marketing", "news")
        ]
        return [(await desk.consents.CheckContact(each)).allowed for each in asked]

    async def suppressed() -> dict[str, bool]:
        """By category whether it holds."""
        request = ListSuppressionsRequest(customer=anna)
        found = (await suppressions.ListSuppressions(request)).suppressions
        return {each.category: not each.HasField("release_time") for each in found}

    await desk.running.stub(PurposeServiceStub).CreatePurpose(
        CreatePurposeRequest(
            purpose_id="news",
            purpose=Purpose(display_name="News", contact_default=Purpose.DEFAULT_ALLOWED, category="news"),
        )
    )
    before = Suppression(
        type=Identifier.TYPE_EMAIL,
        address="anna@example.com",
        reason=Suppression.REASON_UNSUBSCRIBED,
        category="news",
        source="page",
    )
    yes = await said("marketing", Consent.STATE_GRANTED)
    listed = ListConsentsRequest(parent=anna)
    was = [(each.name, each.state) for each in (await desk.consents.ListConsents(listed)).consents]
    await suppressions.CreateSuppression(CreateSuppressionRequest(suppression=before))
    desk.clock.advance(timedelta(minutes=1))
    stops = list[ContactStop]()
    for proof in ("calls/1", "calls/2"):
        said_so = StopContactRequest(name=anna, source="call", proof=proof)
        stops.append((await desk.consents.StopContact(said_so)).contact_stop)
        desk.clock.advance(timedelta(minutes=1))
    held = await desk.consents.WithdrawContactStop(withdrawal(stops[1]))
    assert held.contact_stop.proof == "calls/1"  # which still says so
    assert (await allowed(), await suppressed()) == ([False, False], {"marketing": True, "news": True})
    held = await desk.consents.WithdrawContactStop(withdrawal(stops[0]))
    assert not held.HasField("contact_stop")
    # What was suppressed before any of it stays so.
    assert (await allowed(), await suppressed()) == ([True, False], {"marketing": False, "news": True})
    found = await desk.consents.GetConsent(GetConsentRequest(name=yes.name))
    assert (found.source, found.proof, found.effective_time) == ("form", "forms/1", yes.effective_time)
    now = [(each.name, each.state) for each in (await desk.consents.ListConsents(listed)).consents]
    assert now == was
    (first, second) = await desk.facts("ContactStopWithdrawn")
    assert (first.data.customer, second.data.reason_code) == (anna, "wrong-customer")
    assert (
        await refused(desk.consents.WithdrawContactStop(withdrawal(stops[0])))
        == "FAILED_PRECONDITION NOT_STOPPED"
    )
    assert (await said("news", Consent.STATE_DENIED)).state == Consent.STATE_DENIED


async def test_what_a_stop_suppresses_and_its_withdrawal_releases_says_no_more_of_when_than_the_day(
    desk: Any,
) -> None:
    anna = (await desk.create(desk.email("anna@example.com"), desk.phone("+49 30 901820"))).name
    desk.clock.advance(timedelta(minutes=1))
    said_so = StopContactRequest(name=anna, source="call", proof="calls/1")
    stop = (await desk.consents.StopContact(said_so)).contact_stop
    desk.clock.advance(timedelta(minutes=1))
    await desk.consents.WithdrawContactStop(withdrawal(stop))
    suppressed, audited, told = [await each.all(desk.running.db) for each in (_SUPPRESSED, _AUDITED, _TOLD)]
    assert len(audited) == len(told) == 2 * len(suppressed) > 2
    times = {each[column] for each in suppressed for column in ("create_time", "release_time")}
    times |= {each["at"] for each in audited} | {each["time"] for each in told}
    made = {each["id"] for each in (*suppressed, *audited, *told)} | {each["causation_id"] for each in told}
    made |= {UUID(each["correlation_id"]) for each in (*audited, *told)}
    assert times | {ids.moment(each) for each in made} == {ids.day(desk.clock.now())}


async def test_what_customers_say_beside_a_stop_of_another_outlasts_it(desk: Any) -> None:
    anna = await desk.create(desk.email("anna@example.com"))
    suppressions = desk.running.stub(SuppressionServiceStub, ["customer.*"])
    pages = desk.running.stub(SelfServiceLinkServiceStub, ["customer.*"])
    link = await pages.GetSelfServiceLink(pb.GetSelfServiceLinkRequest(name=f"{anna.name}/selfServiceLink"))
    for purpose, category in (("polls", "polls"), ("offers", "marketing")):
        made = Purpose(display_name=purpose, contact_default=Purpose.DEFAULT_ALLOWED, category=category)
        await desk.running.stub(PurposeServiceStub).CreatePurpose(
            CreatePurposeRequest(purpose_id=purpose, purpose=made)
        )
    said_so = StopContactRequest(name=anna.name, source="call", proof="calls/1")
    stop = (await desk.consents.StopContact(said_so)).contact_stop
    desk.clock.advance(timedelta(minutes=1))
    no = pb.SelfServiceConsent(purpose="purposes/polls", channel=CHANNEL_EMAIL, state=Consent.STATE_DENIED)
    one_click = pb.SubmitSelfServiceConsentsRequest(token=link.token, consents=[no], source="one-click")
    await pages.SubmitSelfServiceConsents(one_click)
    unsubscribed = Suppression(
        type=Identifier.TYPE_EMAIL,
        address="anna@example.com",
        reason=Suppression.REASON_UNSUBSCRIBED,
        category="marketing",
        source="letter",
    )
    await suppressions.CreateSuppression(CreateSuppressionRequest(suppression=unsubscribed))
    await desk.consents.WithdrawContactStop(withdrawal(stop))
    found = (await suppressions.ListSuppressions(ListSuppressionsRequest(customer=anna.name))).suppressions
    assert {each.category for each in found if not each.HasField("release_time")} == {"marketing"}
    asked = CheckContactRequest(name=anna.name, purpose="purposes/polls", channels=[CHANNEL_EMAIL])
    assert not (await desk.consents.CheckContact(asked)).allowed


async def test_a_stop_of_another_that_the_customer_says_themselves_later_takes_nothing_back(
    desk: Any,
) -> None:
    anna = await desk.create(desk.email("anna@example.com"))
    yes = Consent(name=f"{anna.name}/consents/marketing.email", state=Consent.STATE_GRANTED, source="form")
    await desk.consents.UpdateConsent(UpdateConsentRequest(consent=yes, allow_missing=True))
    stops = list[ContactStop]()
    for source in ("call", "page"):
        desk.clock.advance(timedelta(minutes=1))
        said_so = StopContactRequest(name=anna.name, source=source)
        stops.append((await desk.consents.StopContact(said_so)).contact_stop)
    held = await desk.consents.WithdrawContactStop(withdrawal(stops[0]))
    assert held.contact_stop.source == "page"
    found = await desk.consents.GetConsent(GetConsentRequest(name=yes.name))
    assert found.state == Consent.STATE_DENIED
