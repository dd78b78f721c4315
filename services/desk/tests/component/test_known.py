"""The page of what is known of a customer, however much that is."""

from typing import Any

from desk.pages.known import route


async def test_where_nobody_said_a_time_zone_it_is_told_by_what_it_is_known_and_can_be_said(
    desk: Any,
) -> None:
    api = desk.client()
    emi = (await api.post("/v1/customers", json={"displayName": "Emi", "regionCode": "JP"})).json()["name"]
    alice = await desk.signed_in()
    page = (await alice.get(f"/{emi}/known")).text
    assert "Asia/Tokyo" in page
    assert "by their country" in page
    form = (await alice.get(f"/{emi}/act/correct")).text
    assert "what counts: Asia/Tokyo, by their country" in form


async def test_of_many_relationships_the_first_are_shown_and_that_there_are_more(
    desk: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(route, "RELATIONSHIPS_MAX", 1)
    api, names = desk.client(), []
    for called in ("Acme", "Erika Sommer", "Nora Winter"):
        names.append((await api.post("/v1/customers", json={"displayName": called})).json()["name"])
    firm, *people = names
    for person in people:
        told = {"kind": "employee-of", "customer": person, "relatedCustomer": firm}
        assert (await api.post("/v1/relationships", json=told)).is_success
    alice = await desk.signed_in()
    page = (await alice.get(f"/{firm}/known")).text
    assert "There is more than this" in page
    assert ("Erika Sommer" in page) != ("Nora Winter" in page)
    assert "There is more than this" not in (await alice.get(f"/{people[0]}/known")).text
