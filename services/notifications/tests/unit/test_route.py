"""By which channels a notice goes, and what it is called when none is left."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest

from notifications.domain.notice import Concern, Notice
from notifications.domain.reasons import Reason
from notifications.domain.route import asked_about, for_everybody, goes_on, left, why_failed
from notifications.domain.strategy import Channel, DeliveryStrategy
from notifications.peers.contacts import Contacts
from notifications.usecases.attempt import Forbidden

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CUSTOMER = f"customers/{uuid4()}"
ABOUT: tuple[Any, ...] = ("customers/1", "a", "purposes/service", "a", {}, "", "", NOW, NOW, NOW, uuid4())


@pytest.mark.parametrize(
    ("channels", "spent", "tried", "asked"),
    [
        ([], {}, ["EMAIL", "SMS"], ["EMAIL", "SMS", "APP"]),  # the inbox is for who prefers it
        ([], {"EMAIL": Reason.BOUNCED}, ["SMS"], ["SMS"]),  # and not the last resort of a message
        (["APP", "EMAIL"], {}, ["APP", "EMAIL"], ["APP", "EMAIL"]),
        (["APP", "EMAIL"], {"APP": Reason.NOT_DELIVERED}, ["EMAIL"], ["EMAIL"]),
        (["EMAIL"], {}, ["EMAIL"], ["EMAIL"]),
        (["EMAIL", "APP"], {}, ["EMAIL", "APP"], ["EMAIL", "APP"]),
        (["EMAIL", "APP"], {"EMAIL": Reason.BOUNCED}, [], []),
    ],
)
def test_the_inbox_is_tried_where_a_strategy_names_it_or_its_customer_prefers_it(
    channels: list[str], spent: dict[str, str], tried: list[str], asked: list[str]
) -> None:
    notice = Notice(uuid4(), *ABOUT, delivery=DeliveryStrategy([*map(Channel, channels)]), spent=spent)
    served = ["EMAIL", "SMS", "APP"]
    assert (left(notice, served), asked_about(notice, served)) == (tried, asked)


@pytest.mark.parametrize(
    ("concern", "channels", "everybody"),
    [
        (Concern.NONE, [], False),
        (Concern.NONE, ["APP", "EMAIL"], True),
        (Concern.NONE, ["EMAIL", "APP"], False),
        (Concern.AT_RISK, ["APP", "EMAIL"], False),
    ],
)
def test_the_inbox_is_for_everybody_where_it_is_named_first_and_no_promise_moves(
    concern: Concern, channels: list[str], everybody: bool
) -> None:
    delivery = DeliveryStrategy([*map(Channel, channels)])
    notice = replace(Notice(uuid4(), *ABOUT, delivery=delivery), concern=concern)
    assert for_everybody(notice) is everybody


@pytest.mark.parametrize(("channel", "everybody"), [("APP", True), ("SMS", False)])
def test_a_repeat_goes_into_the_inbox_of_anybody_only_where_it_may_have_been_put_there(
    channel: str, everybody: bool
) -> None:
    notice = replace(Notice(uuid4(), *ABOUT), concern=Concern.AT_RISK, channel=channel, in_doubt=True)
    assert for_everybody(notice) is everybody


def test_what_confirms_a_consent_is_never_put_where_its_link_would_be_kept() -> None:
    confirms = replace(
        Notice(uuid4(), *ABOUT),
        customer=CUSTOMER,
        variables={"confirm_link": f"{CUSTOMER}/consents/marketing.app"},
    )
    for channels in ([], ["APP"]):
        notice = replace(confirms, delivery=DeliveryStrategy([*map(Channel, channels)]))
        assert "APP" not in asked_about(notice, ["EMAIL", "APP"])


@pytest.mark.parametrize(("channels", "onward"), [(["EMAIL", "APP"], False), (["APP", "EMAIL"], True)])
def test_what_comes_to_nothing_elsewhere_does_not_go_on_to_the_inbox(
    channels: list[str], onward: bool
) -> None:
    delivery = DeliveryStrategy([*map(Channel, channels)])
    notice = Notice(uuid4(), *ABOUT, channel=channels[0], delivery=delivery)
    assert goes_on(notice, ["EMAIL", "SMS", "APP"]) is onward


async def test_what_came_back_has_failed_when_nobody_sends_on_another_channel() -> None:
    notice = Notice(uuid4(), *ABOUT, channel="EMAIL", spent={"EMAIL": Reason.BOUNCED})
    nobody = cast(Any, None)
    with pytest.raises(Forbidden) as refused:
        await Contacts(nobody, nobody, ["EMAIL"]).of(notice)
    assert why_failed(notice, refused.value.code) == Reason.BOUNCED
