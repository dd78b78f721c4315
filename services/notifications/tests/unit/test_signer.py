"""Who signs: somebody in person, before the front desk, which stands for nobody in particular."""

from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

from notifications.domain.notice import Notice
from notifications.peers.contacts import Contacts
from notifications.peers.signers import Signers
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.case_pb2 import Case
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL
from rapport.customer.v1.consent_service_pb2 import CheckContactResponse

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Others:
    """Who allows an e-mail, of the front desk's customer and case."""

    async def CheckContact(self, request: Any) -> CheckContactResponse:
        return CheckContactResponse(
            allowed=True, channel=CHANNEL_EMAIL, relationship_manager="agents/front-desk"
        )

    async def GetCase(self, request: Any) -> Case:
        return Case(name=request.name, owner="agents/front-desk")

    async def GetAgent(self, request: Any) -> Agent:
        return Agent(name=request.name, display_name=request.name)


async def test_a_case_of_the_front_desk_is_signed_by_whom_the_installation_names() -> None:
    notice = Notice(
        uuid4(),
        "customers/1",
        "a",
        "purposes/service",
        "a",
        {},
        "",
        f"cases/{uuid4()}",
        NOW,
        NOW,
        NOW,
        uuid4(),
    )
    others = cast(Any, Others())
    contact = await Contacts(others, Signers(others, others, "agents/alice"), ["EMAIL"]).of(notice)
    assert contact.agent_name == "agents/alice"
