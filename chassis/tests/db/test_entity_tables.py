from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import dialect, insert
from sqlalchemy.schema import CreateTable

from chassis.db.database import Database
from chassis.db.statement import Bulk, Statement, of_entity, values
from chassis.db.tables import replaced, table, updated
from rapport_testing.infrastructure import Infrastructure


class Mood(StrEnum):
    CALM = "CALM"
    CROSS = "CROSS"


@dataclass(frozen=True, slots=True)
class Part:
    of: UUID
    weight: Decimal
    mood: Mood
    since: date | None = None


@dataclass(slots=True)
class Thing:
    id: UUID
    part: int
    name: str
    mood: Mood
    paid: Decimal | None
    day: date | None
    seen: datetime | None
    tags: list[str]
    facts: dict[str, str]
    raw: bytes
    parts: list[Part]
    best: Part
    worst: Part | None
    done: bool = False

    @property
    def shown(self) -> str:
        return self.name


THINGS = table(sa.MetaData(), "things_of_entities", Thing, key=("id", "part"))
GET = Statement(
    sa.select(THINGS).where(THINGS.c.id == sa.bindparam("id"), THINGS.c.part == sa.bindparam("part")),
    row=Thing,
)
SAVE = Statement[Any](replaced(insert(THINGS)))
UPDATE = Statement[Any](updated(THINGS))
SEE = Statement[Any](updated(THINGS, "seen"))


def thing(**given: Any) -> Thing:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    said: dict[str, Any] = {
        "id": uuid4(),
        "part": 2**40,
        "name": "door",
        "mood": Mood.CALM,
        "paid": Decimal("1.25"),
    }
    said |= {"day": date(2026, 3, 2), "seen": at, "tags": ["a", "b"], "facts": {"a": "b"}, "raw": b"\0"}
    said["parts"] = [
        Part(uuid4(), Decimal("0.100"), Mood.CROSS, date(2026, 3, 2)),
        Part(uuid4(), Decimal(3), Mood.CALM),
    ]
    said["best"], said["worst"] = said["parts"]
    return Thing(**said | given)


def test_a_column_is_what_the_field_is() -> None:
    made = {column.name: (str(column.type), column.nullable, column.primary_key) for column in THINGS.columns}
    assert made == {
        "id": ("CHAR(32)", False, True),
        "part": ("BIGINT", False, True),
        "name": ("TEXT", False, False),
        "mood": ("TEXT", False, False),
        "paid": ("NUMERIC", True, False),
        "day": ("DATE", True, False),
        "seen": ("DATETIME", True, False),
        "tags": ("ARRAY", False, False),
        "facts": ("JSONB", False, False),
        "raw": ("BLOB", False, False),
        "parts": ("JSONB", False, False),
        "best": ("JSONB", False, False),
        "worst": ("JSONB", True, False),
        "done": ("BOOLEAN", False, False),
    }


def test_a_column_can_be_given_that_the_entity_lacks_or_has_otherwise() -> None:
    extra = (sa.Column("paid", sa.Numeric(20, 4), nullable=False), sa.Column("noted_by", sa.Text))
    made = table(sa.MetaData(), "things", Thing, *extra)
    assert (str(made.c.paid.type), made.c.paid.nullable) == ("NUMERIC(20, 4)", False)
    assert list(made.columns.keys()) == [*THINGS.columns.keys(), "noted_by"]


def test_a_field_that_no_column_can_hold_is_told_by_its_name() -> None:
    @dataclass
    class Odd:
        id: UUID
        either: int | str

    with pytest.raises(TypeError, match="either"):
        table(sa.MetaData(), "odd", Odd)


async def test_an_entity_is_kept_changed_and_read_as_it_is(
    direct: Database, infrastructure: Infrastructure
) -> None:
    created = CreateTable(THINGS).compile(dialect=dialect())  # type: ignore[no-untyped-call]
    async with infrastructure.superuser(direct._url) as connection:
        await connection.execute(f"{created}; GRANT ALL ON {THINGS.name} TO PUBLIC")
    first, other = thing(), thing(paid=None, day=None, seen=None, worst=None, mood=Mood.CROSS)
    for each in (first, other):
        await SAVE.run(direct, **values(each))
    assert [await GET.one(direct, id=each.id, part=each.part) for each in (first, other)] == [first, other]
    first.name, first.tags, first.paid, first.done = "window", [], None, True
    await UPDATE.run(direct, **values(first))
    assert await GET.one(direct, id=first.id, part=first.part) == first
    other.name, other.seen = "unsaid", datetime(2026, 3, 3, tzinfo=UTC)
    await SEE.run(direct, **values(other))
    known = await GET.one(direct, id=other.id, part=other.part)
    assert (known.name, known.seen) == ("door", other.seen)
    await SAVE.run(direct, **values(other))
    assert await GET.one(direct, id=other.id, part=other.part) == other


async def test_many_entities_with_records_and_lists_of_them_are_kept_at_once(
    direct: Database, infrastructure: Infrastructure
) -> None:
    @dataclass
    class Basket:
        id: UUID
        parts: list[Part]
        best: Part | None

    baskets = table(sa.MetaData(), "baskets_of_entities", Basket)
    created = CreateTable(baskets).compile(dialect=dialect())  # type: ignore[no-untyped-call]
    async with infrastructure.superuser(direct._url) as connection:
        await connection.execute(f"{created}; GRANT ALL ON {baskets.name} TO PUBLIC")
    part = Part(uuid4(), Decimal("0.100"), Mood.CROSS)
    sent = [Basket(uuid4(), *each) for each in (([], None), ([part], part), ([part, part], None))]
    insert_baskets = Bulk(baskets, lambda into: into.returning(baskets), row=Basket)
    assert await insert_baskets.rows(direct, sent) == sent
    for each in sent:
        assert await insert_baskets.rows(direct, [again := replace(each, id=uuid4())]) == [again]


async def test_the_row_of_an_entity_is_found_by_its_id_locked_and_written_back(
    direct: Database, infrastructure: Infrastructure
) -> None:
    @dataclass
    class Note:
        id: UUID
        text: str

    notes = table(sa.MetaData(), "slips", Note)
    read, lock, write = of_entity(notes, Note)
    created = CreateTable(notes).compile(dialect=dialect())  # type: ignore[no-untyped-call]
    async with infrastructure.superuser(direct._url) as connection:
        await connection.execute(f"{created}; GRANT ALL ON {notes.name} TO PUBLIC")
    kept = Note(uuid4(), "before")
    await Statement[Any](insert(notes)).run(direct, **values(kept))
    locked = await lock.one(direct, id=kept.id)
    locked.text = "after"
    await write.run(direct, **values(locked))
    assert await read.one(direct, id=kept.id) == Note(kept.id, "after")
    assert lock.sql.endswith("FOR NO KEY UPDATE")
