"""When a customer wants quiet, as colleagues note it."""

import re
from html import unescape
from typing import Any

import pytest

from services.desk.tests.component.conftest import erika

pytestmark = pytest.mark.together

FIELD = re.compile(r'<input name="([^"]+)"[^>]* value="([^"]*)"')
CHOSEN = re.compile(r'<select name="([^"]+)".*?<option value="([^"]*)" selected>')


async def opened(alice: Any, name: str) -> dict[str, str]:
    """What the form holds."""
    form = (await alice.get(f"/{name}/act/quiet")).text
    hidden = dict(re.findall(r'name="(request_id|etag)" value="([^"]*)"', form))
    held = hidden | dict(FIELD.findall(form)) | dict(CHOSEN.findall(form))
    return {each: unescape(value) for each, value in held.items()}


async def test_quiet_hours_and_pauses_are_noted_shown_and_removed_line_by_line(desk: Any) -> None:
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    await rest.patch(f"/v1/{name}", json={"timeZone": "Asia/Tokyo"})
    form = await opened(alice, name)
    assert [form[each] for each in ("day_0", "starts_0", "ends_0")] == ["EVERY_DAY", "", ""]
    night = {"starts_0": "22:00", "ends_0": "07:00", "first_0": "2026-12-24", "last_0": "2026-12-26"}
    done = await alice.post(f"/{name}/act/quiet", data=form | night)
    assert "X-Done" in done.headers, done.text
    form = await opened(alice, name)
    assert {each: form[each] for each in night} == night
    sunday = {"day_1": "SUNDAY", "starts_1": "00:00", "ends_1": "00:00", "last_1": "2027-01-02"}
    await alice.post(f"/{name}/act/quiet", data=form | sunday)
    kept = (await rest.get(f"/v1/{name}/preferences")).json()
    assert kept["quietHours"] == [
        {"days": [], "starts": "22:00", "ends": "07:00"},
        {"days": ["SUNDAY"], "starts": "00:00", "ends": "24:00"},
    ]
    assert [(each.get("startTime"), each["endTime"]) for each in kept["pauses"]] == [
        ("2026-12-23T15:00:00Z", "2026-12-26T15:00:00Z"),
        (None, "2027-01-02T15:00:00Z"),
    ]
    form = await opened(alice, name)
    assert {each: form[each] for each in sunday} == sunday
    weekend = [
        {"days": ["SATURDAY", "SUNDAY"], "starts": f"{hour:02}:00", "ends": f"{hour:02}:30"}
        for hour in range(20)
    ]
    await rest.patch(f"/v1/{name}/preferences", json={"quietHours": weekend})
    await alice.post(f"/{name}/act/quiet", data=await opened(alice, name))
    assert (await rest.get(f"/v1/{name}/preferences")).json()["quietHours"] == weekend  # nothing is lost
    await rest.patch(f"/v1/{name}/preferences", json={"quietHours": kept["quietHours"]})
    form = await opened(alice, name)
    emptied = {"starts_0": "", "ends_0": "", "first_0": "", "last_0": ""}
    await alice.post(f"/{name}/act/quiet", data=form | emptied)
    left = (await rest.get(f"/v1/{name}/preferences")).json()
    assert (left["quietHours"], left["pauses"]) == (kept["quietHours"][1:], kept["pauses"][1:])


async def test_half_a_line_and_quiet_without_end_are_refused_and_what_was_typed_stays(desk: Any) -> None:
    name, alice = await erika(desk), await desk.signed_in()
    form = await opened(alice, name)
    half = await alice.post(f"/{name}/act/quiet", data=form | {"starts_0": "22:00"})
    assert ("X-Form" in half.headers, "must be given" in half.text) == (True, True)
    assert 'value="22:00"' in half.text
    ever = await alice.post(f"/{name}/act/quiet", data=form | {"starts_0": "00:00", "ends_0": "00:00"})
    assert ("X-Form" in ever.headers, "some time of the week" in ever.text) == (True, True)
    turned = await alice.post(
        f"/{name}/act/quiet", data=form | {"first_0": "2026-12-26", "last_0": "2026-12-24"}
    )
    assert "X-Form" in turned.headers
