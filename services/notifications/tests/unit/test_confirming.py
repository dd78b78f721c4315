"""Which consent a notice asks its customer to confirm, and by which channel."""

from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest

from notifications.domain.confirming import consent_of
from notifications.domain.notice import Notice
from notifications.peers.contacts import Contacts
from notifications.usecases.attempt import Forbidden

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANNA, BEA = (f"customers/0198c2a4-7b1e-7c3d-9f00-00000000000{i}" for i in (1, 2))


def asking(consent: str) -> Notice:
    """A notice to Anna."""
    asked = {"confirm_link": consent}
    purpose = "purposes/service"
    return Notice(uuid4(), ANNA, "confirm", purpose, "confirm", asked, "", "", NOW, NOW, NOW, uuid4())


@pytest.mark.parametrize("named", ["", "purposes/marketing", f"{BEA}/consents/marketing.email", ANNA])
def test_what_is_no_consent_of_theirs_is_none(named: str) -> None:
    assert consent_of(asking(named)) == ""


async def test_what_nobody_sends_here_is_not_asked_by_another_channel() -> None:
    nobody = cast(Any, None)
    contacts = Contacts(nobody, nobody, ["EMAIL"])
    with pytest.raises(Forbidden, match="channel-not-served"):
        await contacts.of(asking(f"{ANNA}/consents/marketing.sms"))
