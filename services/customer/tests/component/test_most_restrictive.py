"""Of two who are taken for one what allows less holds, and each has their own again once they are two."""

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest

from chassis.api.messages import timestamp
from customer.domain import consents
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import (
    CheckContactRequest,
    ConfirmConsentRequest,
    IssueConsentTokenRequest,
    UpdateConsentRequest,
    UpdatePreferencesRequest,
)
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.preferences_pb2 import Preferences
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2 import CreatePurposeRequest
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceStub
from rapport.customer.v1.suppression_pb2 import Suppression
from rapport.customer.v1.suppression_service_pb2 import CreateSuppressionRequest, ReleaseSuppressionRequest
from rapport.customer.v1.suppression_service_pb2_grpc import SuppressionServiceStub
from rapport_testing.running import refused

STEPS = 40


@dataclass
class Oracle:
    """What each of two names said, when, and since when they are one: a step is a time."""

    names: tuple[str, ...] = ("anna", "bea")
    merged_at: int | None = None
    consents: dict = field(default_factory=dict)  # by name: when, and whether it is a yes that counts
    pauses: dict = field(default_factory=dict)
    suppressed: dict = field(default_factory=dict)
    waiting: dict = field(default_factory=dict)  # the token of a yes that waits

    def group(self, name):
        return self.names if self.merged_at is not None else (name,)

    def holding(self, said, name, strictest, unsaid):
        """What was said last since they are one; else what allows less of all that was said."""
        words = sorted(said[each] for each in self.group(name) if each in said)
        if not words:
            return unsaid
        when, last = words[-1]
        is_last = self.merged_at is None or when > self.merged_at
        return last if is_last else strictest(word for _, word in words)

    def consents_to(self, name):
        return self.holding(self.consents, name, all, unsaid=False)

    def is_over(self, name):
        """Whether a yes that waits was overtaken: by what any name said since and that is no yes."""
        words = [self.consents[each] for each in self.group(name) if each in self.consents]
        last = max(when for when, counts in words if not counts)
        return not self.consents_to(name) and last > self.consents[name][0]

    def is_paused(self, name):
        return self.holding(self.pauses, name, any, unsaid=False)

    def answer(self, name):
        if not self.consents_to(name):
            return "consent-denied"
        if any(each in self.suppressed for each in self.group(name)):
            return "suppressed"
        return "paused" if self.is_paused(name) else ""


class History:
    """Does on a running service, and in the oracle, what happens to two customers."""

    def __init__(self, desk, customers, merge=None):
        self.desk, self.customers, self.merge = desk, customers, merge
        self.oracle, self.step = Oracle(), 0
        self.suppressions = desk.running.stub(SuppressionServiceStub)
        self.end = timestamp(desk.clock.now() + timedelta(days=300))

    def consent(self, name):
        return f"{self.customers[name]}/consents/polls.email"

    async def say(self, name, state):
        consent = Consent(name=self.consent(name), state=state)
        return await self.desk.consents.UpdateConsent(
            UpdateConsentRequest(consent=consent, allow_missing=True)
        )

    async def yes(self, name):
        asks = not self.oracle.consents_to(name)
        if not asks and not self.oracle.consents.get(name, (0, False))[1]:
            await self.say(name, Consent.STATE_GRANTED)  # which another name said: this one confirmed none
            return
        self.oracle.waiting.pop(name, None)
        await self.say(name, Consent.STATE_GRANTED)
        self.oracle.consents[name] = (self.step, not asks)
        if asks:
            own = (await self.desk.get(self.customers[name])).identifiers
            to = next(each.name for each in own if each.value == f"{name}@example.com")
            request = IssueConsentTokenRequest(name=self.consent(name), identifier=to)
            self.oracle.waiting[name] = (await self.desk.consents.IssueConsentToken(request)).token

    async def no(self, name):
        self.oracle.waiting.pop(name, None)
        await self.say(name, Consent.STATE_DENIED)
        self.oracle.consents[name] = (self.step, False)

    async def confirm(self, name):
        if token := self.oracle.waiting.pop(name, ""):
            confirming = self.desk.consents.ConfirmConsent(ConfirmConsentRequest(token=token))
            if self.oracle.is_over(name):
                assert await refused(confirming) == "CONSENT_REQUEST_ENDED"
                return
            await confirming
            self.oracle.consents[name] = (self.step, True)

    async def suppress(self, name):
        about = Suppression(
            type=Identifier.TYPE_EMAIL,
            reason=Suppression.REASON_UNSUBSCRIBED,
            address=f"{name}@example.com",
        )
        made = await self.suppressions.CreateSuppression(CreateSuppressionRequest(suppression=about))
        self.oracle.suppressed[name] = made.name

    async def release(self, name):
        if held := self.oracle.suppressed.pop(name, ""):
            request = ReleaseSuppressionRequest(name=held, reason_code="asked-again")
            await self.suppressions.ReleaseSuppression(request)

    async def prefer(self, name, paused):
        pauses = [Preferences.Pause(end_time=self.end)] if paused else []
        preferences = Preferences(name=f"{self.customers[name]}/preferences", pauses=pauses)
        request = UpdatePreferencesRequest(preferences=preferences, update_mask={"paths": ["pauses"]})
        await self.desk.consents.UpdatePreferences(request)
        if paused != self.oracle.is_paused(name):
            self.oracle.pauses[name] = (self.step, paused)

    async def pause(self, name):
        await self.prefer(name, paused=True)

    async def go_on(self, name):
        await self.prefer(name, paused=False)

    async def merge_or_undo(self, name):
        if self.merge is None:
            other = next(each for each in self.customers if each != name)
            self.merge = await self.desk.merge(self.customers[name], self.customers[other])
            self.oracle.merged_at = self.step
        else:
            await self.desk.undo(self.merge)
            self.merge = self.oracle.merged_at = None

    async def answer(self, name):
        request = CheckContactRequest(
            name=self.customers[name], purpose="purposes/polls", channels=[CHANNEL_EMAIL]
        )
        return (await self.desk.consents.CheckContact(request)).reason_code


@pytest.mark.parametrize("seed", range(4))
async def test_what_allows_less_holds_whatever_was_said_by_which_name(desk, seed, monkeypatch):
    monkeypatch.setattr(consents, "ASKED_AGAIN", timedelta())
    monkeypatch.setattr(consents, "ASKED_MOST", STEPS)
    monkeypatch.setattr(consents, "ASKED_A_DAY", STEPS)
    polls = Purpose(
        display_name="Polls",
        department="departments/billing",
        contact_default=Purpose.DEFAULT_DENIED,
        double_opt_in_channels=[CHANNEL_EMAIL],
    )
    await desk.running.stub(PurposeServiceStub).CreatePurpose(
        CreatePurposeRequest(purpose_id="polls", purpose=polls)
    )
    customers = {name: (await desk.create(desk.email(f"{name}@example.com"))).name for name in Oracle.names}
    history, random, seen = History(desk, customers), Random(seed), []
    # A yes that is confirmed as often as anything else: what nobody allows says nothing of the rest.
    acts = [history.yes, history.confirm, history.confirm, history.no, history.suppress, history.release]
    acts += [history.release, history.pause, history.go_on, history.merge_or_undo]
    for history.step in range(STEPS):
        desk.clock.advance(timedelta(minutes=1))
        act, name = random.choice(acts), random.choice(Oracle.names)
        seen.append((act.__name__, name))
        await act(name)
        found = {each: await history.answer(each) for each in customers}
        assert found == {each: history.oracle.answer(each) for each in customers}, seen
