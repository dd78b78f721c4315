"""Stopping everything where departments have many purposes."""

from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.db.statement import Statement
from chassis.db.transaction import Transaction
from customer.store.tables import CONSENT_HISTORY
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL, CHANNEL_SMS
from rapport.customer.v1 import self_service_link_service_pb2 as pb
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import (
    CheckContactRequest,
    ExplainPreferencesRequest,
    GetPreferencesRequest,
    ListConsentVersionsRequest,
    StopContactRequest,
    UpdatePreferencesRequest,
)
from rapport.customer.v1.preferences_pb2 import Preferences
from rapport.customer.v1.self_service_link_service_pb2_grpc import SelfServiceLinkServiceStub

MANY = 400
_PURPOSES = Statement[Any](
    sa.text(
        "INSERT INTO purposes SELECT (jsonb_populate_record(p, jsonb_build_object("
        "'id', 'p' || n, 'contact_default', 'ALLOWED', 'legal_basis', null))).*"
        f" FROM purposes p, generate_series(1, {MANY}) n WHERE p.id = 'marketing'"
    )
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


async def test_who_says_on_the_telephone_that_they_want_nothing_more_is_kept_from_it_by_any_name(
    desk: Any,
) -> None:
    anna, second = [await desk.create(desk.email(f"{name}@example.com")) for name in ("anna", "annie")]
    await desk.consents.UpdatePreferences(
        UpdatePreferencesRequest(preferences=Preferences(name=f"{anna.name}/preferences", language_code="de"))
    )
    before = len(await desk.running.published())
    request = StopContactRequest(name=anna.name, source="call", proof="calls/4711")
    answer = await desk.consents.StopContact(request)
    since = desk.clock.now()
    assert (answer.name, answer.language_code) == (f"{anna.name}/preferences", "de")
    assert (answer.stop_time.ToDatetime(UTC), answer.stop_noter) == (since, "agents/alice")
    facts = (await desk.running.published())[before:]
    (told,) = [each for each in facts if each.type.endswith("ContactStopped")]
    assert (told.resource, told.data.customer) == (answer.name, anna.name)
    assert (told.data.source, told.data.stop_time) == ("call", answer.stop_time)
    apart = [each for each in facts if "Suppression" in each.type]
    assert apart
    assert told.causation_id not in {each.causation_id for each in apart}
    assert {each.actor for each in apart} == {"agent:alice"}
    await desk.merge(anna.name, second.name)
    for name in (anna.name, second.name):
        held = await desk.consents.GetPreferences(GetPreferencesRequest(name=f"{name}/preferences"))
        assert (held.stop_time, held.stop_noter) == (answer.stop_time, "agents/alice")
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
