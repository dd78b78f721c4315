"""Who belongs to a membership sees what it holds, whatever the order in which that is told."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from customer.usecases.households import JOINED, LEFT, Household, News, Shared, learn, show
from customer.usecases.parts import Fact, PartKind, folded, merged
from rapport.loyalty.v1 import loyalty_events_pb2 as loyalty

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANNA, *OTHERS = (UUID(int=i) for i in range(1, 5))
HOUSEHOLD, ACCOUNTS = "programs/main/memberships/m", ("programs/main/accounts/a", "programs/main/accounts/b")


def posted(account: str, version: int, balance: int) -> News:
    moved = loyalty.TransferReversed if version % 3 == 0 else loyalty.TransferPosted
    data = moved(account=account, balance=balance, membership=HOUSEHOLD).SerializeToString()
    fact = Fact(version, UUID(int=version), AT, moved.DESCRIPTOR.full_name, data)
    return News(HOUSEHOLD, account, ANNA, fact)


def presence(version: int, who: UUID, kind: str) -> News:
    return News(HOUSEHOLD, "", who, Fact(version, UUID(int=version), AT, kind, b""))


@st.composite
def ledgers(draw: st.DrawFn) -> tuple[list[News], dict[UUID, dict[str, int]]]:
    """What loyalty tells of a household in its own order, and what each member then has."""
    news, present, balances, versions = [], {ANNA}, dict[str, int](), dict.fromkeys((*ACCOUNTS, HOUSEHOLD), 1)
    for what in draw(st.lists(st.sampled_from((*ACCOUNTS, ANNA, *OTHERS)), max_size=20)):
        if isinstance(what, str):
            balances[what] = draw(st.integers(0, 1000))
            versions[what] += 1
            news.append(posted(what, versions[what], balances[what]))
        else:
            versions[HOUSEHOLD] += 1
            news.append(presence(versions[HOUSEHOLD], what, LEFT if what in present else JOINED))
            present ^= {what}
    return news, {who: dict(balances) if who in present else {} for who in (ANNA, *OTHERS)}


@given(ledgers(), st.data())
def test_after_any_order_and_any_repeats_each_member_sees_the_ledgers_balances(
    ledger: tuple[list[News], dict[UUID, dict[str, int]]], data: st.DataObject
) -> None:
    news, expected = ledger
    heard = data.draw(st.permutations([*news, *data.draw(st.lists(st.sampled_from(news or [None])))]))
    heard = [each for each in heard if each is not None]
    household, seen = Household(), dict[tuple[UUID, str], bytes]()
    while heard:
        size = data.draw(st.integers(1, len(heard)))
        batch, heard = heard[:size], heard[size:]
        shared = Shared()
        show(household, learn(household, batch), shared)
        for who, about in shared.shown:
            seen[who, about.resource] = merged(seen.get((who, about.resource), b""), [about.fact])
        for gone in shared.gone:
            seen.pop(gone, None)
    views: dict[UUID, dict[str, int]] = {who: {} for who in expected}
    for (who, account), kept in seen.items():
        views[who][account] = folded(PartKind.BALANCE, kept).part.balance
    assert views == expected
