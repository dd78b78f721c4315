"""What a person decides of what webhooks brought."""

import re
from uuid import UUID

import pytest

from desk.store import received as store
from desk.store.received import State
from rapport_testing.wait import eventually

NUMBER = "+4930901820"
SMS = {"from": NUMBER, "text": "Where is <it>?"}


@pytest.fixture
def state(desk):
    """Gives the state of what was sent, once it is that."""

    async def of(kept: str, wanted: State) -> bool:
        return (await store.GET.one(desk.running.db, id=UUID(kept))).state is wanted

    return lambda kept, wanted: eventually(lambda: of(kept, wanted))


async def test_a_person_chooses_whose_it_is_among_those_who_have_the_number(
    desk, sender, known, state, alice
) -> None:
    await known("Erika Sommer", phone=NUMBER)
    karl = await known("Karl Sommer", phone=NUMBER)
    kept = await sender("sms").send(SMS)
    await state(kept, State.WAITING)
    browser = await desk.signed_in()
    page = await browser.get("/received")
    assert "Several customers have this number" in page.text
    assert "Where is &lt;it&gt;?" in page.text
    assert "Erika Sommer" in page.text
    for then in ("/received", "/received?late=1"):  # a second click does nothing more, and hears of the first
        chosen = await browser.post(f"/received/{kept}/choose", data={"customer": karl})
        assert (chosen.status_code, chosen.headers["location"]) == (303, then)
    assert "decided already" in (await browser.get("/received?late=1")).text
    await state(kept, State.RECORDED)
    decided = await store.GET.one(desk.running.db, id=UUID(kept))
    assert (decided.customer, decided.decided_by) == (karl, "agent:alice")
    assert "Nothing waits" in (await browser.get("/received")).text


async def test_somebody_else_is_found_and_chosen(desk, sender, known, state) -> None:
    ada = await known("Ada Herbst", email="ada@example.com")
    kept = await sender("sms").send({"from": "anonymous", "text": "It is me."})
    await state(kept, State.WAITING)
    browser = await desk.signed_in()
    for typed, told in (("Nobody", "Nobody is found"), ("x", "Too short"), ("x" * 201, "Too long")):
        answer = await browser.post(f"/received/{kept}/search", data={"q": typed})
        assert (answer.status_code, told in answer.text, "It is me." in answer.text) == (200, True, True)
    found = await browser.post(f"/received/{kept}/search", data={"q": "Herbst"})
    assert ada in found.text
    await browser.post(f"/received/{kept}/choose", data={"customer": ada})
    await state(kept, State.RECORDED)


async def test_what_cannot_be_understood_is_shown_tried_again_and_dropped_with_a_reason(
    desk, sender, state
) -> None:
    kept = await sender("sms").send({"from": NUMBER})
    await state(kept, State.NOT_UNDERSTOOD)
    browser = await desk.signed_in()
    assert "text: is missing" in (await browser.get("/received")).text
    await browser.post(f"/received/{kept}/retry")
    await state(kept, State.NOT_UNDERSTOOD)
    for note in ("", "\u202e", "a\x00b", "x" * 501):
        refused = await browser.post(f"/received/{kept}/drop", data={"note": note})
        assert "Say why, in at most 500 characters" in refused.text
    await state(kept, State.NOT_UNDERSTOOD)
    await browser.post(f"/received/{kept}/drop", data={"note": "a test of theirs"})
    await state(kept, State.DROPPED)


async def test_what_is_seen_to_wait_for_one_reason_is_dropped_at_once_and_nothing_else(
    desk, sender, state
) -> None:
    unknown = [await sender("sms").send({"from": "anonymous", "text": "Win!"}, f"{n}") for n in range(3)]
    other = await sender("sms").send({"from": NUMBER}, "other")
    for kept in unknown:
        await state(kept, State.WAITING)
    await state(other, State.NOT_UNDERSTOOD)
    browser = await desk.signed_in()
    page = await browser.get("/received")
    assert page.text.count("Drop all 3 here of this reason") == 3
    later = await sender("sms").send({"from": "anonymous", "text": "It is me."}, "later")
    await state(later, State.WAITING)
    first, _, faster = unknown
    await browser.post(f"/received/{faster}/drop", data={"note": "of a colleague"})
    path, sent = f"/received/{first}/drop-alike", {"alike": [*unknown, other], "note": "advertising"}
    (sent["why"],) = set(re.findall(r'name="why" value="([^"]+)"', page.text))
    assert "Say why" in (await browser.post(path, data={**sent, "note": ""})).text
    assert (await browser.post(path, data={**sent, "alike": ["x"]})).status_code == 400
    reader = await desk.signed_in(permissions=["customer.timeline_entries.read"])
    assert (await reader.post(path, data=sent)).status_code == 403
    done = await browser.post(path, data=sent)
    assert (done.status_code, done.headers["location"]) == (303, "/received?dropped=2")
    assert "2 are dropped." in (await browser.get(done.headers["location"])).text
    kept = {each: await store.GET.one(desk.running.db, id=UUID(each)) for each in (*unknown, other, later)}
    assert [each.state for each in kept.values()] == [
        *[State.DROPPED] * 3,
        State.NOT_UNDERSTOOD,
        State.WAITING,
    ]
    assert [kept[each].note for each in unknown] == ["advertising", "advertising", "of a colleague"]
    assert kept[first].decided_by == "agent:alice"


async def test_whoever_may_not_record_contacts_sees_and_decides_nothing(desk, sender, state) -> None:
    kept = await sender("sms").send({"from": NUMBER})
    await state(kept, State.NOT_UNDERSTOOD)
    browser = await desk.signed_in(permissions=["customer.timeline_entries.read"])
    page = await browser.get("/received")
    assert (page.status_code, "is missing" in page.text) == (403, False)
    assert (await browser.post(f"/received/{kept}/drop", data={"note": "x"})).status_code == 403
    stranger = await desk.signed_in(permissions=["customer.timeline_entries.write"])
    nobody = "customers/0199b2a4-6f0e-7c2a-9d1e-5c8f3a7b2e60"
    chosen = await stranger.post(f"/received/{kept}/choose", data={"customer": nobody})
    assert chosen.status_code == 403  # may not see customers, says their service
