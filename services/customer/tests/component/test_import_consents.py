"""What customers said to another system is imported, each in its place, once, and against no later no."""

from pathlib import Path
from typing import Any

import grpc
import pytest

from rapport.common.v1 import channel_pb2
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import (
    ConfirmConsentRequest,
    IssueConsentTokenRequest,
    ListConsentsRequest,
    UpdateConsentRequest,
)
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest, ResolveCustomerRequest
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2 import CreatePurposeRequest
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceStub
from rapport_imports import importing
from rapport_imports.consents import ConsentImporter
from rapport_imports.decoding import UnreadableFile
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
HEAD = "email,purpose,consent,when"


@pytest.fixture
async def purpose(desk: Any) -> None:
    """A purpose of marketing for which nobody is written to who did not say yes."""
    news = Purpose(display_name="News", department="departments/marketing")
    news.contact_default = Purpose.DEFAULT_DENIED
    purposes: Any = desk.running.stub(PurposeServiceStub)
    await purposes.CreatePurpose(CreatePurposeRequest(purpose_id="newsletter", purpose=news))


@pytest.fixture
async def polls(desk: Any) -> None:
    """A purpose for which a yes by e-mail is to be confirmed."""
    polls = Purpose(display_name="Polls", department="departments/marketing")
    polls.contact_default = Purpose.DEFAULT_DENIED
    polls.double_opt_in_channels.append(channel_pb2.CHANNEL_EMAIL)
    purposes: Any = desk.running.stub(PurposeServiceStub)
    await purposes.CreatePurpose(CreatePurposeRequest(purpose_id="polls", purpose=polls))


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
    rows = "\n".join([HEAD, f"{of_ada},2024-06-01", f"{of_ada},"])
    for dry_run in (True, False):
        result = await imported(desk, tmp_path, rows, dry_run=dry_run)
        assert [each.reason for each in result.refusals] == ["REQUIRED"]
        assert [each.reason for each in result.told] == ["CONSENT_SUPERSEDED"]
    assert (await said(desk, "ada@example.com"))["newsletter.email"].state == Consent.STATE_DENIED


@pytest.mark.parametrize("day", ["2025-01-01", ""])
async def test_a_no_after_a_no_is_later_than_a_yes_between(
    desk: Any, purpose: None, tmp_path: Path, day: str
) -> None:
    answers = ("no,2023-01-01", f"unsubscribed,{day}", f"unsubscribed,{day}", "yes,2024-01-01")
    files = [await imported(desk, tmp_path, f"{HEAD}\nada@example.com,newsletter,{each}") for each in answers]
    assert [(each.created, each.corrected) for each in files] == [(1, 0), (0, 1), (0, 0), (0, 0)]
    assert [each.reason for each in files[-1].told] == ["CONSENT_SUPERSEDED"]
    assert (await said(desk, "ada@example.com"))["newsletter.email"].state == Consent.STATE_DENIED


async def test_what_is_said_in_several_batches_has_its_place(
    desk: Any, purpose: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"ada@example.com,newsletter,{each}" for each in ("no,2023-01-01", "no,2025-01-01")]
    await imported(desk, tmp_path, "\n".join([HEAD, *rows]))

    async def nothing_yet(*_: Any) -> dict[str, Consent]:
        """As a batch reads it before another is noted."""
        return {}

    monkeypatch.setattr(ConsentImporter, "_held", nothing_yet)
    result = await imported(desk, tmp_path, f"{HEAD}\nada@example.com,newsletter,yes,2024-01-01")
    assert ([each.reason for each in result.told], result.refused) == (["CONSENT_SUPERSEDED"], 0)
    assert (await said(desk, "ada@example.com"))["newsletter.email"].state == Consent.STATE_DENIED


@pytest.mark.parametrize("files", [1, 2])
async def test_of_the_same_day_a_no_holds(desk: Any, purpose: None, tmp_path: Path, files: int) -> None:
    yes, no = (f"bert@example.com,newsletter,{each},2024-05-02" for each in ("yes", "unsubscribed"))
    for rows in ([yes, no], [yes]) if files == 1 else ([yes], [no], [yes]):
        result = await imported(desk, tmp_path, "\n".join([HEAD, *rows]))
    assert [each.reason for each in result.told] == ["CONSENT_SUPERSEDED"]
    assert (await said(desk, "bert@example.com"))["newsletter.email"].state == Consent.STATE_DENIED


async def test_a_no_after_a_yes_that_waits_ends_it(desk: Any, polls: None, tmp_path: Path) -> None:
    await imported(desk, tmp_path, f"{HEAD}\nada@example.com,polls,yes,2024-06-01")
    ada = await desk.customers.ResolveCustomer(
        ResolveCustomerRequest(identifier=desk.email("ada@example.com"))
    )
    held = await desk.customers.GetCustomer(GetCustomerRequest(name=ada.customer))
    name = f"{ada.customer}/consents/polls.email"
    asked = IssueConsentTokenRequest(name=name, identifier=held.identifiers[0].name)
    token = (await desk.consents.IssueConsentToken(asked)).token
    result = await imported(desk, tmp_path, f"{HEAD}\nada@example.com,polls,no,2024-06-02")
    assert (result.created, result.corrected) == (0, 1)
    with pytest.raises(grpc.aio.AioRpcError, match="confirms nothing"):
        await desk.consents.ConfirmConsent(ConfirmConsentRequest(token=token))


async def test_a_yes_without_a_day_is_none_against_what_the_file_does_not_show(
    desk: Any, purpose: None, tmp_path: Path
) -> None:
    """Such as a stop of everything, which denies what was not said yet, too."""
    for day in ("", "0000-00-00"):
        result = await imported(desk, tmp_path, f"{HEAD}\nada@example.com,newsletter,yes,{day}")
        assert (result.created, result.refused) == (0, 1)


async def test_what_is_known_is_read_to_its_end(
    desk: Any, purpose: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "\n".join([HEAD, *(f"ada@example.com,newsletter.{of},no," for of in ("email", "sms", "voice"))])
    assert (await imported(desk, tmp_path, rows)).created == 3
    monkeypatch.setattr("rapport_imports.consents.PAGE", 1)
    again = await imported(desk, tmp_path, rows)
    assert (again.created, again.corrected) == (0, 0)


async def test_a_yes_that_is_to_be_confirmed_waits_and_is_counted(
    desk: Any, polls: None, tmp_path: Path
) -> None:
    rows = f"{HEAD}\nada@example.com,polls,yes,2024-06-01"
    tried = await imported(desk, tmp_path, rows, dry_run=True)
    assert any(each.startswith("to be confirmed: 1; each would be sent") for each in tried.notes)
    await imported(desk, tmp_path, rows)
    ada = (await said(desk, "ada@example.com"))["polls.email"]
    assert (ada.state, ada.HasField("confirm_expire_time")) == (Consent.STATE_DENIED, True)
    assert (await imported(desk, tmp_path, rows)).created == 0


async def test_an_address_of_several_customers_refuses_its_rows_alone(
    desk: Any, purpose: None, tmp_path: Path
) -> None:
    shared = [desk.email("office@example.com"), desk.email("info@example.com")]
    for each in shared:
        each.shared = True
    for _ in range(2):
        await desk.create(*shared)
    rows = [f"{name}@example.com,newsletter,no" for name in ("cleo", "office", "dora", "info", "office")]
    text = "\n".join(["email,purpose,consent", *rows])
    for dry_run in (True, False):
        result = await imported(desk, tmp_path, text, dry_run=dry_run)
        assert (result.created, result.refused) == (2, 3)
        refused = [(each.reason, each.column, each.count) for each in result.refusals]
        assert refused == [("IDENTIFIER_SHARED", "email", 3)]
    for name in ("cleo", "dora"):
        assert (await said(desk, f"{name}@example.com"))["newsletter.email"].state == Consent.STATE_DENIED


async def test_a_file_ends_for_nobody_what_is_essential(desk: Any, purpose: None, tmp_path: Path) -> None:
    rows = "email,purpose,consent\nada@example.com,service,no\nada@example.com,newsletter,no"
    for dry_run in (True, False):
        result = await imported(desk, tmp_path, rows, dry_run=dry_run)
        assert [(each.reason, each.column) for each in result.refusals] == [("PURPOSE_ESSENTIAL", "purpose")]
        assert (result.created, result.refused) == (1, 1)
    assert [*await said(desk, "ada@example.com")] == ["newsletter.email"]


@pytest.mark.parametrize("left", ["unsubscribed", "Opt-out", "Unsubscribe date"])
async def test_a_column_of_who_left_is_not_passed_over(
    desk: Any, purpose: None, tmp_path: Path, left: str
) -> None:
    row = "ada@example.com,newsletter,no,2024-05-02"
    with pytest.raises(UnreadableFile, match=f"--ignore {left}"):
        await imported(desk, tmp_path, f"email,purpose,subscribed,{left}\n{row}")
    with pytest.raises(UnreadableFile, match="is a no"):
        await imported(desk, tmp_path, f"email,purpose,subscribed,{left}\n{row}", mapping=[f"consent={left}"])
    for how in ({"ignore": [left]}, {"mapping": [f"consent_date={left}"]}):
        result = await imported(desk, tmp_path, f"email,purpose,subscribed,{left}\n{row}", **how)
        assert (result.refused, left in result.ignored) == (0, "ignore" in how)
    with pytest.raises(UnreadableFile, match="--ignore nothing"):
        await imported(desk, tmp_path, f"email,purpose,subscribed,{left}\n{row}", ignore=["nothing"])
