"""Stops that are withdrawn, in whatever order: all is as if nobody had said them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import grpc
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chassis.api.messages import timestamp
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL
from rapport.customer.v1 import self_service_link_service_pb2 as pb
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import (
    CheckContactRequest,
    ListConsentsRequest,
    StopContactRequest,
    UpdateConsentRequest,
    WithdrawContactStopRequest,
)
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.self_service_link_service_pb2_grpc import SelfServiceLinkServiceStub
from rapport.customer.v1.suppression_pb2 import Suppression
from rapport.customer.v1.suppression_service_pb2 import (
    CreateSuppressionRequest,
    ListSuppressionsRequest,
    ReleaseSuppressionRequest,
)
from rapport.customer.v1.suppression_service_pb2_grpc import SuppressionServiceStub
from rapport_testing.running import reason

GRANTED, DENIED = Consent.STATE_GRANTED, Consent.STATE_DENIED
AGO = timedelta(seconds=90)  # two words ago, for one is said a minute
Word = tuple[str, int]
"""What is said, and by which of two names; of a withdrawal which of the stops that stand."""

_people = count()


class Two:
    """Two names that are of one customer, each with an address of its own, and one that both have."""

    def __init__(self, desk: Any) -> None:
        self.desk = desk
        self.suppressions: Any = desk.running.stub(SuppressionServiceStub, ["customer.*"])
        self.pages: Any = desk.running.stub(SelfServiceLinkServiceStub, ["customer.*"])
        self.names = list[str]()
        self.stops = list[Any]()

    async def begin(self, shared: str = "") -> "Two":
        person = next(_people)
        self.shared = shared or f"both-{person}@example.com"
        both = Identifier(type=Identifier.TYPE_EMAIL, value=self.shared, shared=True)
        self.addresses = [f"{name}-{person}@example.com" for name in ("anna", "annie")]
        for address in self.addresses:
            self.names.append((await self.desk.create(self.desk.email(address), both)).name)
        await self.desk.merge(*self.names)
        return self

    async def say(self, word: str, by: int) -> None:
        if word == "withdraw":
            if self.stops:
                await self.withdraw(self.stops.pop(by % len(self.stops)))
        elif word in ("stop", "stop-elsewhere"):
            request = StopContactRequest(name=self.names[by], source=word)
            stop = (await self.desk.consents.StopContact(request)).contact_stop
            if stop not in self.stops:  # said again it is the same
                self.stops.append(stop)
        else:
            await getattr(self, word.replace("-", "_"))(by)

    async def withdraw(self, stop: Any) -> None:
        await self.desk.consents.WithdrawContactStop(
            WithdrawContactStopRequest(
                name=stop.customer, stop_time=stop.effective_time, reason_code="wrong-customer"
            )
        )

    async def yes(self, by: int) -> None:
        await self._note(by, GRANTED)

    async def no(self, by: int) -> None:
        await self._note(by, DENIED)

    async def no_of_before(self, by: int) -> None:
        await self._note(by, DENIED, effective_time=timestamp(self.desk.clock.now() - AGO))

    async def click_no(self, by: int) -> None:
        await self._click(by, DENIED)

    async def click_yes(self, by: int) -> None:
        await self._click(by, GRANTED)

    async def unsubscribe(self, by: int) -> None:
        said = Suppression(
            type=Identifier.TYPE_EMAIL,
            address=self.addresses[by],
            reason=Suppression.REASON_UNSUBSCRIBED,
            category="marketing",
            source="letter",
        )
        await self.suppressions.CreateSuppression(CreateSuppressionRequest(suppression=said))

    async def release(self, by: int) -> None:
        for each in await self.suppressed(by):
            await self.suppressions.ReleaseSuppression(
                ReleaseSuppressionRequest(name=each.name, reason_code="mistake")
            )

    async def suppressed(self, by: int) -> Sequence[Suppression]:
        request = ListSuppressionsRequest(customer=self.names[by], filter="NOT release_time:*")
        return list((await self.suppressions.ListSuppressions(request)).suppressions)

    async def _note(self, by: int, state: Any, **said: Any) -> None:
        name = f"{self.names[by]}/consents/marketing.email"
        consent = Consent(name=name, state=state, source="form", **said)
        request = UpdateConsentRequest(consent=consent, allow_missing=True)
        try:
            await self.desk.consents.UpdateConsent(request)
        except grpc.aio.AioRpcError as refused:  # what was said since holds
            if reason(refused) != "CONSENT_SUPERSEDED":
                raise

    async def _click(self, by: int, state: Any) -> None:
        link = pb.GetSelfServiceLinkRequest(name=f"{self.names[by]}/selfServiceLink")
        said = pb.SelfServiceConsent(purpose="purposes/marketing", channel=CHANNEL_EMAIL, state=state)
        token = (await self.pages.GetSelfServiceLink(link)).token
        await self.pages.SubmitSelfServiceConsents(
            pb.SubmitSelfServiceConsentsRequest(token=token, consents=[said], source="page")
        )

    async def holds(self, *, at: datetime) -> Any:
        """Whether we may write, what was said, held at a time, and is suppressed."""
        asked = CheckContactRequest(
            name=self.names[0], purpose="purposes/marketing", channels=[CHANNEL_EMAIL]
        )
        checked = await self.desk.consents.CheckContact(asked)
        then = [ListConsentsRequest(parent=self.names[0], read_time=each) for each in (None, timestamp(at))]
        said = [
            {each.name.rpartition("/")[2]: each.state for each in answer.consents}
            for answer in [await self.desk.consents.ListConsents(request) for request in then]
        ]
        kept = [sorted(each.category for each in await self.suppressed(by)) for by in (0, 1)]
        return checked.allowed, checked.reason_code, said, kept


def words(*more: str) -> st.SearchStrategy[list[Word]]:
    said = ["stop", "stop", "stop-elsewhere", "withdraw", "yes", "no", "click-no", "unsubscribe", "release"]
    return st.lists(st.tuples(st.sampled_from([*said, *more]), st.integers(0, 1)), min_size=2, max_size=9)


# What is said again of a link holds from then where a stop denied it: of its times nothing is compared.
@given(words("no-of-before") | words("click-yes"), st.randoms(use_true_random=False))
@example([("yes", 0), ("stop", 0), ("stop-elsewhere", 0), ("withdraw", 0)], None)
@example([("yes", 0), ("stop", 0), ("stop", 1), ("withdraw", 0)], None)
@example([("yes", 0), ("stop", 0), ("stop", 0), ("no-of-before", 0)], None)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_once_no_stop_stands_all_is_as_if_none_had_been_said(
    desk: Any, said: list[Word], chance: Any
) -> None:
    stopped, other = [await Two(desk).begin() for _ in range(2)]
    times = list[datetime]()
    for word, by in said:
        desk.clock.advance(timedelta(minutes=1))
        times.append(desk.clock.now() + timedelta(seconds=1))
        await stopped.say(word, by)
        if not word.startswith(("stop", "withdraw")):
            await other.say(word, by)
    desk.clock.advance(timedelta(minutes=1))
    if chance:
        chance.shuffle(stopped.stops)
    for stop in stopped.stops:
        await stopped.withdraw(stop)
    at = chance.choice(times) if chance else times[0]
    assert await stopped.holds(at=at) == await other.holds(at=at)


async def test_an_address_of_two_customers_is_released_once_neither_stops(desk: Any) -> None:
    anna = await Two(desk).begin()
    bea = await Two(desk).begin(anna.shared)
    for each in (anna, bea):
        await each.say("stop", 0)
    for each, left in ((anna, {anna.shared}), (bea, set[str]())):
        await each.say("withdraw", 0)
        kept = {suppression.identifier for suppression in await each.suppressed(0)}
        known = (await desk.get(each.names[0])).identifiers
        assert {one.value for one in known if one.name in kept} == left
