"""Importing a file at the desk: brought, understood, looked at, imported as whoever asked, mended."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from customer.service import service as customer_service
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

PEOPLE = b"""Kundennummer;Vorname;Nachname;E-Mail;Notiz
1;Erika;Sommer;erika@example.org;gut
2;Max;Moritz;;
;Nie;Mand;;
"""


async def brought(browser: Any, content: bytes, kind: str = "customers", name: str = "kunden.csv") -> str:
    """The page of a file that somebody brings."""
    csrf = browser.headers["x-csrf"]
    answer = await browser.post(
        "/imports", data={"csrf": csrf, "kind": kind}, files={"file": (name, content)}
    )
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def told(browser: Any, page: str, *words: str) -> str:
    """The page, once it says all of that."""
    seen: dict[str, str] = {}

    async def says() -> bool:
        seen["page"] = (await browser.get(page)).text
        return all(each in seen["page"] for each in words)

    await eventually(says, 30)
    return seen["page"]


def sent(page: str, act: str) -> Mapping[str, str]:
    """What a form of the page sends."""
    form = page.partition(f'action="{act}"')[2].partition("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))


async def test_a_file_is_looked_at_and_imported_once_when_somebody_says_yes(open_desk: Any) -> None:
    desk = await open_desk(customer_service)
    alice = await desk.signed_in()
    page = await brought(alice, PEOPLE)
    seen = await told(alice, page, "waits for your yes")
    assert "cells separated by ;" in seen
    assert re.search(r"<li>2 new</li>.*<li>1 refused</li>.*line 4", seen, re.DOTALL)
    assert "selected>First name</option>" in seen
    assert "Erika · Max" in seen
    run = f"{page}/run"
    for _ in range(2):
        assert (await alice.post(run, data=sent(seen, run))).status_code == 303
    await told(alice, page, ">done</span>")
    (job,) = (await desk.client().get("/v1/importJobs?filter=state=DONE")).json()["importJobs"]
    assert job["createdCount"] == "2"
    assert (await alice.get(f"{page}/refused.csv")).text.count("REQUIRED") == 1
