"""A list of people who came once or twice: learned from, and linked by itself or asked about."""

import asyncio
import csv
import gzip
import math
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from google.type.date_pb2 import Date
from google.type.postal_address_pb2 import PostalAddress

from chassis.db.aliases import groups_of
from customer.domain.matches import MatchState
from customer.store import matches as store
from rapport.customer.v1 import match_pb2, match_service_pb2_grpc
from rapport.customer.v1 import match_service_pb2 as pb
from rapport.customer.v1.customer_pb2 import Address, Person
from rapport_testing.wait import eventually

TRUE_PAIRS = 500
DATA = Path(__file__).parents[4].parent / "shared" / "data" / "identity"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the folder ../shared/data/identity is missing")


def person(row: dict[str, str]) -> Person:
    """A row of a list of Febrl's as a person; a date that is none is left out."""
    born = row["date_of_birth"]
    year, month, day = (int(part or 0) for part in (born[:4], born[4:6], born[6:]))
    known = 1850 <= year <= 2020 and 1 <= month <= 12 and 1 <= day <= 28
    date = Date(year=year, month=month, day=day) if known else None
    return Person(given_name=row["given_name"], family_name=row["surname"], birth_date=date)


def address(row: dict[str, str]) -> Address:
    """Where they live."""
    lines = [f"{row['street_number']} {row['address_1']}".strip(), row["address_2"]]
    place = {"region_code": "AU", "postal_code": row["postcode"], "locality": row["suburb"]}
    return Address(postal_address=PostalAddress(address_lines=filter(None, lines), **place))


async def test_everybody_who_came_twice_is_linked_or_asked_about_and_nobody_else_linked_once_that_was_learned(
    desk: Any,
) -> None:
    with gzip.open(DATA / "febrl1.csv.gz", "rt", encoding="utf-8") as file:
        rows = [{field: (said or "").strip() for field, said in row.items()} for row in csv.DictReader(file)]
    at_once, entity = asyncio.Semaphore(8), dict[UUID, str]()

    async def create(row: dict[str, str]) -> None:
        async with at_once:
            made = await desk.create(person=person(row), addresses=[address(row)])
        entity[UUID(made.name.partition("/")[2])] = row["entity"]

    await asyncio.gather(*map(create, rows))

    async def compared() -> bool:
        return not await store.QUEUED.all(desk.running.db, limit=1)

    await eventually(compared, 600)
    service = desk.running.stub(match_service_pb2_grpc.MatchServiceStub)
    request = pb.CreateMatchJobRequest(match_job=match_pb2.MatchJob(retrain=True))
    job = await service.CreateMatchJob(request)

    async def done() -> bool:
        asked = await service.GetMatchJob(pb.GetMatchJobRequest(name=job.name))
        return asked.state == match_pb2.MatchJob.STATE_DONE  # type: ignore[no-any-return]

    await eventually(done, 600)
    groups = await groups_of(desk.running.db, entity)
    linked = {(a, b) for ids in groups.members.values() for a in ids for b in ids if a < b}
    assert all(entity[a] == entity[b] for a, b in linked)
    assert len(linked) >= 0.6 * TRUE_PAIRS
    candidates = await store.candidates_among(desk.running.db, set(entity))
    asked = {each.pair for each in candidates if each.state is MatchState.PENDING}
    right = {(a, b) for a, b in asked if entity[a] == entity[b]}
    # Of two people with several names one question is asked, which is of all of their names.
    people = {each: {each} for each in entity}
    for a, b in linked | right:
        if people[a] is not people[b]:
            people[a] |= people[b]
            people |= dict.fromkeys(people[b], people[a])
    known = {id(each): len(each) for each in people.values()}
    assert sum(math.comb(names, 2) for names in known.values()) >= 0.98 * TRUE_PAIRS
    assert len(right) >= 0.98 * len(asked)
