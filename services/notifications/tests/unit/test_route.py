"""By which channels a notice goes, and what it is called when none is left."""

from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest

from notifications.domain.notice import Notice
from notifications.domain.reasons import BOUNCED
from notifications.domain.route import why_failed
from notifications.peers.contacts import Contacts
from notifications.usecases.attempt import Forbidden

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


async def test_what_came_back_has_failed_when_nobody_sends_on_another_channel() -> None:
    about: tuple[Any, ...] = ("customers/1", "a", "purposes/service", "a", {}, "", "", NOW, NOW, NOW, uuid4())
    notice = Notice(uuid4(), *about, channel="EMAIL", spent={"EMAIL": BOUNCED})
    nobody = cast(Any, None)
    with pytest.raises(Forbidden) as refused:
        await Contacts(nobody, nobody, "agents/front-desk", ["EMAIL"]).of(notice)
    assert why_failed(notice, refused.value.code) == BOUNCED
