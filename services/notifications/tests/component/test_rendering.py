"""Words as one customer reads them, before anything is sent: theirs, what is given, and samples."""

from typing import Any
from uuid import uuid4

import grpc
import pytest

from chassis.errors import PermissionDenied
from rapport.customer.v1.customer_pb2 import Customer
from rapport.notifications.v1.template_pb2 import Template, TemplateText
from rapport.notifications.v1.template_service_pb2 import RenderTemplateRequest
from rapport_testing.running import refused

ENDS = (
    "{{ customer_name }}: {{ worth | money }} until {{ ends | day }} for"
    " {{ places | plural(one='# place', other='# places') }} at {{ shop }}."
    " {{ contact_name }}, {{ contact_reach }}"
)
OWN = [Template.Variable(name=name) for name in ("worth", "ends", "places", "shop")]


@pytest.fixture
async def maria(desk: Any) -> str:
    """A customer in Tokyo who reads German."""
    known = Customer(
        name=desk.customer,
        display_name="Maria Anders",
        language_code="de-AT",
        effective_time_zone="Asia/Tokyo",
        relationship_manager="agents/sam",
    )
    desk.peers.profiles.known[desk.customer] = known
    return str(desk.customer)


@pytest.fixture
async def ends(desk: Any) -> str:
    text = TemplateText(subject="It ends", body=ENDS)
    await desk.create_template("ends", text, variables=OWN)
    await desk.create_text("ends", "de", TemplateText(subject="Es endet", body=ENDS))
    return "templates/ends"


async def test_a_customer_reads_it_in_their_language_on_their_days_and_from_who_looks_after_them(
    desk: Any, maria: str, ends: str
) -> None:
    given = {"worth": "12.5 EUR", "ends": "2026-03-31T20:00:00Z", "places": "1", "shop": "Lindt"}
    shown = await desk.templates.RenderTemplate(
        RenderTemplateRequest(name=ends, customer=maria, variables=given)
    )
    assert (shown.language_code, shown.time_zone, list(shown.sample_variables)) == ("de", "Asia/Tokyo", [])
    assert shown.subject == "Es endet"
    assert shown.body == (
        "Maria Anders: 12,50\xa0€ until Mittwoch, 1. April 2026 for 1 place at Lindt."
        " Sam Reed, +49 30 1234 or sam@acme.example"
    )
    in_english = await desk.templates.RenderTemplate(
        RenderTemplateRequest(
            name=ends, customer=maria, variables=given, language_code="en", time_zone="Europe/Berlin"
        )
    )
    assert "Tuesday, March 31, 2026" in in_english.body
    assert desk.mail.received == []


async def test_what_nobody_gave_is_a_sample_and_said_to_be_one(desk: Any, maria: str, ends: str) -> None:
    request = RenderTemplateRequest(name=ends, sample=True, variables={"shop": "Lindt"})
    shown = await desk.templates.RenderTemplate(request)
    assert list(shown.sample_variables) == [
        "contact_name", "contact_reach", "customer_name", "ends", "places", "worth",
    ]  # fmt: skip
    assert "€12.50" in shown.body
    assert "for 3 places at Lindt. [contact_name]" in shown.body
    request.customer = maria
    shown = await desk.templates.RenderTemplate(request)
    assert list(shown.sample_variables) == ["ends", "places", "worth"]
    delay = RenderTemplateRequest(name="templates/delay", customer=maria, sample=True)
    shown = await desk.templates.RenderTemplate(delay)
    assert "Guten Tag, Maria Anders" in shown.body
    assert list(shown.sample_variables) == ["new_date", "old_date", "reason", "reference"]


async def test_only_who_may_read_a_customer_has_it_read_as_theirs(desk: Any, maria: str, ends: str) -> None:
    request = RenderTemplateRequest(name=ends, customer=maria, sample=True)
    desk.peers.profiles.refusal = PermissionDenied("PERMISSION_DENIED", "not you")
    assert await refused(desk.templates.RenderTemplate(request)) == "PERMISSION_DENIED"
    assert all(token.startswith("Bearer ") for token in desk.peers.profiles.read_by)
    desk.peers.profiles.refusal = None
    del desk.peers.profiles.known[maria]
    with pytest.raises(grpc.aio.AioRpcError) as absent:
        await desk.templates.RenderTemplate(request)
    assert absent.value.code() is grpc.StatusCode.NOT_FOUND


async def test_the_front_desk_signs_where_nobody_looks_after_a_customer(
    desk: Any, maria: str, ends: str
) -> None:
    desk.peers.profiles.known[maria].relationship_manager = "agents/gone"
    request = RenderTemplateRequest(name=ends, customer=maria, sample=True)
    assert "Lea Front" in (await desk.templates.RenderTemplate(request)).body
    desk.peers.profiles.known[maria].relationship_manager = "agents/front-desk"
    request.case = f"cases/{uuid4()}"
    desk.peers.cases.owners[request.case] = "agents/sam"
    assert "Sam Reed" in (await desk.templates.RenderTemplate(request)).body
