"""What customers said to another system is imported, each in its place, once, and against no later no."""

from pathlib import Path
from typing import Any

import pytest

from rapport.common.v1 import channel_pb2
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import ListConsentsRequest, UpdateConsentRequest
from rapport.customer.v1.customer_service_pb2 import ResolveCustomerRequest
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2 import CreatePurposeRequest
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceStub
from rapport_imports import importing
from rapport_imports.result import Result
from rapport_imports.wanted import Kind, Wanted

FILE = """\
E-Mail,List,Opt-in,When,Source,Proof
ada@example.com,newsletter,subscribed,2024-05-02 10:00,Shop form,forms/1
bert@example.com,newsletter,unsubscribed,2023-01-09,,
bert@example.com,newsletter,yes,2021-03-01,,
cleo@example.com,newsletter.sms,no,,,
ada@example.com,weather,yes,2024-05-02,,
dora@example.com,newsletter,perhaps,,,
"""


@pytest.fixture
async def purpose(desk: Any) -> None:
    """A purpose of marketing for which nobody is written to who did not say yes."""
    news = Purpose(display_name="News", department="departments/marketing")
    news.contact_default = Purpose.DEFAULT_DENIED
    purposes: Any = desk.running.stub(PurposeServiceStub)
    await purposes.CreatePurpose(CreatePurposeRequest(purpose_id="newsletter", purpose=news))


async def imported(desk: Any, tmp_path: Path, content: str = FILE, **wanted: Any) -> Result:
    file = tmp_path / "consents.csv"
    file.write_text(content)
    result = Result()
    await importing.run(
        Wanted(Kind.CONSENTS, file, **wanted),
        result,
        installed="",
        connect=lambda: lambda _: desk.running.stub(lambda channel: channel),
        say=lambda _: None,
        progress=lambda *_: None,
    )
    return result


async def said(desk: Any, email: str) -> dict[str, Consent]:
    asked = ResolveCustomerRequest(identifier=desk.email(email))
    name = (await desk.customers.ResolveCustomer(asked)).customer
    held = await desk.consents.ListConsents(ListConsentsRequest(parent=name))
    return {each.name.rpartition("/")[2]: each for each in held.consents}


async def test_yes_and_no_are_noted_as_they_were_said_and_once(
    desk: Any, purpose: None, tmp_path: Path
) -> None:
    tried = await imported(desk, tmp_path, dry_run=True)
    done = await imported(desk, tmp_path)
    for result in (tried, done):
        assert (result.created, result.corrected, result.refused) == (3, 1, 2)
        assert {(each.reason, each.column) for each in result.refusals} == {
            ("RESOURCE_NOT_FOUND", "List"),
            ("INVALID_CODE", "Opt-in"),
        }
    ada = (await said(desk, "ada@example.com"))["newsletter.email"]
    assert (ada.state, ada.source, ada.proof) == (Consent.STATE_GRANTED, "shop-form", "forms/1")
    assert ada.effective_time.ToJsonString() == "2024-05-02T10:00:00Z"
    assert (await said(desk, "bert@example.com"))["newsletter.email"].state == Consent.STATE_DENIED
    assert (await said(desk, "cleo@example.com"))["newsletter.sms"].state == Consent.STATE_DENIED
    again = await imported(desk, tmp_path)
    assert (again.created, again.corrected, again.refused) == (0, 0, 2)


async def test_a_later_no_stays_whatever_an_old_file_says(desk: Any, purpose: None, tmp_path: Path) -> None:
    await imported(desk, tmp_path)
    ada = (await said(desk, "ada@example.com"))["newsletter.email"]
    denied = Consent(name=ada.name, state=Consent.STATE_DENIED)
    await desk.consents.UpdateConsent(UpdateConsentRequest(consent=denied))
    of_ada = "ada@example.com,newsletter,yes"
    rows = "\n".join(["email,purpose,consent,when", f"{of_ada},2024-06-01", f"{of_ada},"])
    for dry_run in (True, False):
        result = await imported(desk, tmp_path, rows, dry_run=dry_run)
        assert [each.reason for each in result.refusals] == ["REQUIRED"]
        assert [each.reason for each in result.told] == ["CONSENT_SUPERSEDED"]
    assert (await said(desk, "ada@example.com"))["newsletter.email"].state == Consent.STATE_DENIED


async def test_a_yes_that_is_to_be_confirmed_waits_and_is_counted(desk: Any, tmp_path: Path) -> None:
    polls = Purpose(display_name="Polls", department="departments/marketing")
    polls.contact_default = Purpose.DEFAULT_DENIED
    polls.double_opt_in_channels.append(channel_pb2.CHANNEL_EMAIL)
    purposes: Any = desk.running.stub(PurposeServiceStub)
    await purposes.CreatePurpose(CreatePurposeRequest(purpose_id="polls", purpose=polls))
    rows = "email,purpose,consent,when\nada@example.com,polls,yes,2024-06-01"
    tried = await imported(desk, tmp_path, rows, dry_run=True)
    assert any(each.startswith("to be confirmed: 1; each would be sent") for each in tried.notes)
    await imported(desk, tmp_path, rows)
    ada = (await said(desk, "ada@example.com"))["polls.email"]
    assert (ada.state, ada.HasField("confirm_expire_time")) == (Consent.STATE_DENIED, True)
    assert (await imported(desk, tmp_path, rows)).created == 0
