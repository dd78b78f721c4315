"""What a customer agreed to, word for word, and a yes that counts once they have confirmed it."""

from datetime import timedelta

import pytest

from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import (
    CheckContactRequest,
    ConfirmConsentRequest,
    FindRequestedConsentRequest,
    GetConsentRequest,
    IssueConsentTokenRequest,
    ListConsentVersionsRequest,
    UpdateConsentRequest,
)
from rapport.customer.v1.customer_service_pb2 import (
    CreateIdentifierRequest,
    DeleteIdentifierRequest,
    GetIdentifierRequest,
    ListIdentifiersRequest,
    VerifyIdentifierRequest,
)
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2 import (
    CreatePurposeRequest,
    CreateWordingRequest,
    GetWordingRequest,
    ListWordingsRequest,
    UpdatePurposeRequest,
    UpdateWordingRequest,
)
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceStub
from rapport.customer.v1.wording_pb2 import Wording

GRANTED, DENIED = Consent.STATE_GRANTED, Consent.STATE_DENIED
DAY = timedelta(days=1)
ENDED = "FAILED_PRECONDITION CONSENT_REQUEST_ENDED"


@pytest.fixture
async def purposes(desk):
    """Of which one asks customers to confirm what they say about e-mail."""
    stub = desk.running.stub(PurposeServiceStub)
    polls = Purpose(
        display_name="Polls",
        department="departments/billing",
        contact_default=Purpose.DEFAULT_DENIED,
        legal_basis=Purpose.LEGAL_BASIS_CONSENT,
        double_opt_in_channels=[CHANNEL_EMAIL],
    )
    await stub.CreatePurpose(CreatePurposeRequest(purpose_id="polls", purpose=polls))
    return stub


@pytest.fixture
async def anna(desk, purposes):
    return (await desk.create(desk.email("anna@example.com"))).name


async def say(desk, customer, state, about="polls.email", **fields):
    consent = Consent(name=f"{customer}/consents/{about}", state=state, **fields)
    return await desk.consents.UpdateConsent(UpdateConsentRequest(consent=consent, allow_missing=True))


async def issue(desk, consent, identifier="", **fields):
    """A token for who has an identifier: without one the first of the customer."""
    customer = consent.name.partition("/consents")[0]
    request = IssueConsentTokenRequest(
        name=consent.name, identifier=identifier or await first_identifier(desk, customer), **fields
    )
    return await desk.consents.IssueConsentToken(request)


async def first_identifier(desk, customer):
    listed = await desk.customers.ListIdentifiers(ListIdentifiersRequest(parent=customer))
    return listed.identifiers[0].name


async def confirm(desk, token):
    return await desk.consents.ConfirmConsent(ConfirmConsentRequest(token=token))


async def check(desk, customer):
    request = CheckContactRequest(name=customer, purpose="purposes/polls", channels=[CHANNEL_EMAIL])
    return await desk.consents.CheckContact(request)


async def allowed(desk, customer):
    return (await check(desk, customer)).allowed


async def test_a_yes_counts_once_it_is_confirmed_and_the_ledger_says_by_whom_and_how(desk, anna):
    asked = await say(desk, anna, GRANTED, source="web-form")
    assert (asked.state, asked.HasField("confirm_time")) == (DENIED, False)
    assert asked.confirm_expire_time.ToDatetime() - asked.update_time.ToDatetime() == 7 * DAY
    assert not await allowed(desk, anna)
    issued = await issue(desk, asked)
    assert (len(issued.token), issued.expire_time) == (43, asked.confirm_expire_time)
    desk.clock.advance(DAY)
    confirmed = await confirm(desk, issued.token)
    assert (confirmed.state, confirmed.source) == (GRANTED, "web-form")
    assert confirmed.effective_time == confirmed.confirm_time == confirmed.update_time
    assert confirmed.proof.startswith("double-opt-in:")
    assert issued.token not in confirmed.proof
    assert await allowed(desk, anna)
    request = ListConsentVersionsRequest(parent=asked.name)
    last, first = (await desk.consents.ListConsentVersions(request)).consents
    assert [(each.state, each.noter) for each in (first, last)] == [
        (DENIED, "agents/alice"),
        (GRANTED, "agents/alice"),
    ]
    told = [each.type.rpartition(".")[2] for each in await desk.facts("ConsentRequested", "ConsentUpdated")]
    assert told == ["ConsentRequested", "ConsentUpdated"]


async def test_a_second_click_finds_it_confirmed(desk, anna):
    issued = await issue(desk, await say(desk, anna, GRANTED))
    assert await confirm(desk, issued.token) == await confirm(desk, issued.token)


async def test_what_was_sent_before_stays_good_when_it_is_sent_again(desk, anna):
    asked = await say(desk, anna, GRANTED)
    first, second = await issue(desk, asked), await issue(desk, asked)
    assert first.token != second.token
    assert (await confirm(desk, first.token)).state == GRANTED


async def test_a_token_confirms_nothing_else_than_what_was_asked_and_only_in_time(desk, anna, refused):
    asked = await say(desk, anna, GRANTED)
    in_time, late = (await issue(desk, asked)).token, (await issue(desk, asked)).token
    assert await refused(confirm(desk, in_time[::-1])) == ENDED
    desk.clock.advance(DAY)
    await say(desk, anna, DENIED)
    assert await refused(confirm(desk, in_time)) == ENDED
    assert await refused(issue(desk, asked)) == "FAILED_PRECONDITION CONSENT_NOT_REQUESTED"
    again = await say(desk, anna, GRANTED)
    assert await refused(confirm(desk, late)) == ENDED
    newest = (await issue(desk, again)).token
    desk.clock.advance(7 * DAY)
    assert await refused(confirm(desk, newest)) == ENDED
    assert not await allowed(desk, anna)


async def test_a_no_after_the_yes_was_confirmed_holds_whatever_is_clicked(desk, anna, refused):
    token = (await issue(desk, await say(desk, anna, GRANTED))).token
    await confirm(desk, token)
    desk.clock.advance(DAY)
    assert not (await say(desk, anna, DENIED)).HasField("confirm_time")
    assert await refused(confirm(desk, token)) == ENDED
    assert not await allowed(desk, anna)


async def test_asked_again_it_waits_anew_and_of_one_who_said_yes_nobody_asks(desk, anna):
    first = await say(desk, anna, GRANTED)
    desk.clock.advance(DAY)
    second = await say(desk, anna, GRANTED)
    assert second.confirm_expire_time.ToDatetime() - first.confirm_expire_time.ToDatetime() == DAY
    await confirm(desk, (await issue(desk, second)).token)
    desk.clock.advance(DAY)
    assert (await say(desk, anna, GRANTED)).state == GRANTED
    assert len(await desk.facts("ConsentRequested")) == 2


async def test_whoever_types_an_address_sends_its_owner_three_messages_a_week_and_not_one_a_click(
    desk, anna, refused
):
    asked = await say(desk, anna, GRANTED)
    assert await say(desk, anna, GRANTED, source="again") == asked
    for _ in range(2):
        desk.clock.advance(timedelta(hours=1))
        asked = await say(desk, anna, GRANTED)
    desk.clock.advance(DAY)
    assert await say(desk, anna, GRANTED) == asked
    assert len(await desk.facts("ConsentRequested")) == 3
    await say(desk, anna, DENIED)
    assert await refused(say(desk, anna, GRANTED)) == "RESOURCE_EXHAUSTED CONSENT_ASKED_OFTEN"
    desk.clock.advance(6 * DAY)
    assert (await say(desk, anna, GRANTED)).HasField("confirm_expire_time")


async def test_of_many_purposes_five_are_asked_for_in_a_day_and_one_that_waits_stays(
    desk, anna, purposes, refused
):
    for number in range(6):
        polls = Purpose(display_name="Polls", department="departments/billing")
        polls.contact_default = Purpose.DEFAULT_DENIED
        polls.double_opt_in_channels.append(CHANNEL_EMAIL)
        await purposes.CreatePurpose(CreatePurposeRequest(purpose_id=f"polls-{number}", purpose=polls))
    asked = [await say(desk, anna, GRANTED, f"polls-{number}.email") for number in range(5)]
    of_sixth = say(desk, anna, GRANTED, "polls-5.email")
    assert await refused(of_sixth) == "RESOURCE_EXHAUSTED CONSENT_ASKED_OFTEN"
    desk.clock.advance(timedelta(hours=1))
    assert await say(desk, anna, GRANTED, "polls-0.email") == asked[0]
    assert len(await desk.facts("ConsentRequested")) == 5
    desk.clock.advance(DAY)
    assert (await say(desk, anna, GRANTED, "polls-5.email")).HasField("confirm_expire_time")


async def test_who_confirms_has_the_address_and_no_other_counts(desk, anna, refused):
    """One that is added afterwards may be anybody's."""
    added = await desk.customers.CreateIdentifier(
        CreateIdentifierRequest(parent=anna, identifier=desk.email("victim@example.com"))
    )
    asked = await say(desk, anna, GRANTED)
    own, victims = [(await issue(desk, asked, to)).token for to in ("", added.name)]
    found = await desk.consents.FindRequestedConsent(FindRequestedConsentRequest(token=own))
    assert (found.consent, found.consent.HasField("confirm_time")) == (asked, False)
    confirmed = await confirm(desk, own)
    contact = await check(desk, anna)
    assert (contact.allowed, contact.address) == (True, "anna@example.com")
    own_id = await first_identifier(desk, anna)
    assert contact.identifier == own_id
    identifier = await desk.customers.GetIdentifier(GetIdentifierRequest(name=own_id))
    assert identifier.verification.method == "double-opt-in"
    await desk.customers.DeleteIdentifier(DeleteIdentifierRequest(name=own_id))
    assert (await check(desk, anna)).reason_code == "no-address"
    # Who had it once had the click once: it confirms nothing for another address.
    assert await confirm(desk, own) == confirmed
    assert await confirm(desk, victims) == confirmed
    assert (await check(desk, anna)).reason_code == "no-address"
    verify = VerifyIdentifierRequest(name=added.name, method="call")
    await desk.customers.VerifyIdentifier(verify)
    assert (await check(desk, anna)).address == "victim@example.com"


async def test_whose_the_address_is_no_more_confirms_nothing(desk, anna, refused):
    asked = await say(desk, anna, GRANTED)
    token = (await issue(desk, asked)).token
    await desk.customers.DeleteIdentifier(DeleteIdentifierRequest(name=await first_identifier(desk, anna)))
    assert await refused(confirm(desk, token)) == ENDED
    asking = FindRequestedConsentRequest(token=token)
    assert await refused(desk.consents.FindRequestedConsent(asking)) == ENDED
    assert (await check(desk, anna)).reason_code == "consent-denied"


async def test_a_token_goes_to_the_customer_by_the_channel_that_they_confirm(desk, anna, refused):
    asked = await say(desk, anna, GRANTED)
    other = (await desk.create(desk.email("bea@example.com"))).name
    theirs = await first_identifier(desk, other)
    assert await refused(issue(desk, asked, theirs)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    number = await desk.customers.CreateIdentifier(
        CreateIdentifierRequest(parent=anna, identifier=desk.phone("+49 30 901820"))
    )
    assert await refused(issue(desk, asked, number.name)) == "INVALID_ARGUMENT INVALID_NAME"


async def test_a_release_that_knows_of_no_confirming_notes_a_no_for_which_nothing_waits(desk, anna, refused):
    asked = await say(desk, anna, GRANTED)
    token = (await issue(desk, asked)).token
    async with desk.running.db.connection() as connection:
        await connection.execute("UPDATE consents SET version = version + 1, source = 'no-by-phone'")
    read = await desk.consents.GetConsent(GetConsentRequest(name=asked.name))
    assert (read.state, read.HasField("confirm_expire_time")) == (DENIED, False)
    assert await refused(issue(desk, asked)) == "FAILED_PRECONDITION CONSENT_NOT_REQUESTED"
    assert await refused(confirm(desk, token)) == ENDED


async def test_what_was_granted_before_it_had_to_be_confirmed_stays_so(desk, anna, purposes):
    await say(desk, anna, GRANTED, "marketing.email")
    purpose = Purpose(name="purposes/polls", double_opt_in_channels=[])
    changed = UpdatePurposeRequest(purpose=purpose, update_mask={"paths": ["double_opt_in_channels"]})
    await purposes.UpdatePurpose(changed)
    assert (await say(desk, anna, GRANTED)).state == GRANTED
    purpose.double_opt_in_channels.append(CHANNEL_EMAIL)
    await purposes.UpdatePurpose(changed)
    assert await allowed(desk, anna)
    desk.clock.advance(DAY)
    assert (await say(desk, anna, GRANTED)).state == GRANTED


async def test_a_token_is_kept_nowhere_and_said_once(desk, anna):
    asked = await say(desk, anna, GRANTED)
    request_id = "0198c2a4-7b1e-7c3d-9f00-000000000001"
    said, repeated = [await issue(desk, asked, request_id=request_id) for _ in range(2)]
    assert (bool(said.token), repeated.token) == (True, "")
    async with desk.running.db.connection() as connection:
        kept = await connection.fetchval("SELECT string_agg(t::text, ' ') FROM consent_tokens t")
    assert kept
    assert said.token not in kept


async def test_after_a_merge_a_yes_that_waits_is_a_no_and_its_token_is_good(desk, anna):
    bea = (await desk.create(desk.email("bea@example.com"))).name
    await confirm(desk, (await issue(desk, await say(desk, bea, GRANTED))).token)
    token = (await issue(desk, await say(desk, anna, GRANTED))).token
    desk.clock.advance(DAY)
    merge = await desk.merge(bea, anna)
    assert not await allowed(desk, bea)
    desk.clock.advance(DAY)
    await confirm(desk, token)
    assert await allowed(desk, bea)
    await desk.undo(merge)
    assert await allowed(desk, anna)


async def test_a_no_since_ends_a_yes_that_waits_by_whichever_name_it_is_said(desk, anna, refused):
    bea = (await desk.create()).name
    token = (await issue(desk, await say(desk, anna, GRANTED))).token
    merge = await desk.merge(bea, anna)
    desk.clock.advance(DAY)
    await say(desk, bea, DENIED)
    assert await refused(confirm(desk, token)) == ENDED
    assert not await allowed(desk, anna)
    await desk.undo(merge)  # it was somebody else who said no
    await confirm(desk, token)
    assert [await allowed(desk, each) for each in (anna, bea)] == [True, False]


async def test_a_yes_by_another_name_is_confirmed_for_that_name_alone(desk, anna):
    bea = (await desk.create(desk.email("bea@example.com"))).name
    await confirm(desk, (await issue(desk, await say(desk, anna, GRANTED))).token)
    desk.clock.advance(DAY)
    merge = await desk.merge(anna, bea)
    desk.clock.advance(DAY)
    await say(desk, anna, GRANTED)
    assert (await say(desk, bea, GRANTED)).state == GRANTED
    assert await allowed(desk, bea)
    await desk.undo(merge)
    assert [await allowed(desk, each) for each in (anna, bea)] == [True, False]
    assert (await say(desk, bea, GRANTED)).state == DENIED


async def word(purposes, language="de", text="Sie dürfen fragen."):
    request = CreateWordingRequest(parent="purposes/polls", wording_id=language, wording=Wording(text=text))
    return await purposes.CreateWording(request)


async def test_a_consent_names_the_wording_that_was_agreed_to_which_never_changes(desk, anna, purposes):
    wording = await word(purposes)
    asked = await say(desk, anna, GRANTED, "polls.sms", wording=f"{wording.name}/versions/1")
    newer = Wording(name=wording.name, text="Sie dürfen schreiben.", etag=wording.etag)
    assert (await purposes.UpdateWording(UpdateWordingRequest(wording=newer))).version == 2
    read = await desk.consents.GetConsent(GetConsentRequest(name=asked.name))
    agreed = await purposes.GetWording(GetWordingRequest(name=read.wording))
    assert (agreed.name, agreed.text, agreed.version) == (read.wording, "Sie dürfen fragen.", 1)
    latest = await purposes.GetWording(GetWordingRequest(name=wording.name))
    assert (latest.text, latest.version) == ("Sie dürfen schreiben.", 2)
    desk.clock.advance(DAY)
    assert (await say(desk, anna, GRANTED, "polls.sms")).wording == ""


async def test_everybody_is_asked_in_their_language_or_the_purpose_s_own_and_never_by_alphabet(
    desk, purposes
):
    async def asked(language: str, parent: str = "purposes/polls") -> list[str]:
        request = ListWordingsRequest(parent=parent, language_code=language)
        return [each.name for each in (await purposes.ListWordings(request)).wordings]

    en, name = (await word(purposes, "en", "You may ask me.")).name, "purposes/polls/wordings"
    desk.clock.advance(DAY)
    for language in ("bg", "fr", "zh-hant"):
        await word(purposes, language, "?")
    assert [await asked(each) for each in ("de", "und", "fr-CA", "en-GB", "zh-TW")] == [
        [en], [en], [f"{name}/fr"], [en], [f"{name}/zh-hant"]
    ]  # fmt: skip
    fallback = Purpose(name="purposes/polls", default_language_code="fr")
    await purposes.UpdatePurpose(UpdatePurposeRequest(purpose=fallback))
    other = CreateWordingRequest(parent="purposes/marketing", wording_id="de", wording=Wording(text="Ja?"))
    written = await purposes.CreateWording(other)
    assert written.author == "agents/alice"
    assert [await asked(each) for each in ("de", "en")] == [[f"{name}/fr"], [en]]
    assert await asked("de", "purposes/-") == [written.name, f"{name}/fr"]


async def test_a_wording_that_nobody_can_have_read_is_refused(desk, anna, purposes, refused):
    name = (await word(purposes)).name
    for wording, answer in (
        (name, "INVALID_ARGUMENT INVALID_NAME"),
        ("purposes/service/wordings/de/versions/1", "INVALID_ARGUMENT INVALID_NAME"),
        (f"{name}/versions/2", "NOT_FOUND RESOURCE_NOT_FOUND"),
    ):
        assert await refused(say(desk, anna, GRANTED, wording=wording)) == answer
    assert await refused(word(purposes)) == "ALREADY_EXISTS RESOURCE_EXISTS"
    assert await refused(word(purposes, "german")) == "INVALID_ARGUMENT INVALID_CODE"
    await word(purposes, "en-gb", "You may ask me.")
    listed = await purposes.ListWordings(ListWordingsRequest(parent="purposes/polls"))
    assert [each.name.rpartition("/")[2] for each in listed.wordings] == ["de", "en-gb"]
    other = CreateWordingRequest(parent="purposes/marketing", wording_id="de", wording=Wording(text="Ja?"))
    await purposes.CreateWording(other)
    every = ListWordingsRequest(parent="purposes/-", page_size=2)
    first = await purposes.ListWordings(every)
    every.page_token = first.next_page_token
    rest = await purposes.ListWordings(every)
    of_polls = [each for each in [*first.wordings, *rest.wordings] if "/polls/" in each.name]
    assert of_polls == [*listed.wordings]  # in the latest version
    assert [each.name for each in rest.wordings] == ["purposes/polls/wordings/en-gb"]
    same = UpdateWordingRequest(wording=Wording(name=name, text="Sie dürfen fragen."))
    assert (await purposes.UpdateWording(same)).version == 1
