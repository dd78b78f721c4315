"""The rules of the ledger, and a model of it: whatever is posted, nothing is made or lost."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from chassis.db.statement import values
from chassis.errors import FailedPrecondition, InvalidArgument, Refusal
from loyalty.domain.ledger import (
    OWN,
    Account,
    AccountType,
    Entry,
    HeldAccount,
    Leg,
    Transfer,
    check_legs,
    post,
)
from loyalty.domain.membership import Membership
from loyalty.domain.program import Unit
from loyalty.domain.tiers import Downgrade, Measure, Period, TierPolicy
from loyalty.usecases.qualify import earners

NOW = datetime(2026, 3, 2, tzinfo=UTC)
POINTS, MILES = (Unit("main", name, name, 1, NOW, NOW) for name in ("points", "miles"))
MEMBER = Membership(UUID(int=1), "main", UUID(int=2), NOW, NOW)


def own(kind: AccountType, unit: Unit = POINTS) -> Account:
    return Account.of_program(unit.program_id, unit.id, kind, NOW)


def member(balance: int = 0, unit: Unit = POINTS, of: Membership = MEMBER) -> Account:
    account = Account.of_member(of, unit.id, NOW)
    account.balance = balance
    return account


def transfer(*legs: tuple[Account, int]) -> Transfer:
    accounts, amounts = map(list, zip(*legs, strict=True))
    return Transfer(uuid4(), [a.name for a in accounts], amounts, "correction", None, uuid4(), NOW)


def move(*legs: tuple[Account, int]) -> list[Entry]:
    return post(transfer(*legs), {account.name: account for account, _ in legs})


def test_an_account_of_the_program_is_named_after_its_unit_and_kind() -> None:
    assert own(AccountType.ISSUED).name == "programs/main/accounts/points-issued"
    assert own(AccountType.ISSUED).membership == ""


def test_a_members_account_in_a_unit_has_one_name() -> None:
    assert member().name == member(5).name != member(unit=MILES).name
    assert member().membership == MEMBER.name == f"programs/main/memberships/{MEMBER.id}"
    assert (member().customer_id, member().unit) == (MEMBER.customer_id, "programs/main/units/points")


def test_kinds_are_named_as_the_database_keeps_them() -> None:
    of_members, own = (
        "MEMBERSHIP PENDING RESERVED",
        "ISSUED REDEEMED GOODWILL EXPIRED BREAKAGE PARTNER ISSUER",
    )
    assert [str(kind) for kind in AccountType] == f"{of_members} {own} DEBT".split()


def test_each_leg_carries_the_balance_and_version_after_it() -> None:
    issued, account = own(AccountType.ISSUED), member(5)
    entries = move((issued, -100), (account, 100))
    assert [(e.account_id, e.leg, e.amount, e.balance, e.version) for e in entries] == [
        (issued.id, 0, -100, -100, 1),
        (account.id, 1, 100, 105, 1),
    ]


def test_a_transfer_is_posted_after_everything_that_moved_before() -> None:
    issued, account = own(AccountType.ISSUED), member()
    account.update_time = later = NOW + timedelta(seconds=1)
    moved = transfer((issued, -1), (account, 1))
    post(moved, {issued.name: issued, account.name: account})
    assert moved.post_time == later


def test_a_member_gives_all_they_have_and_not_one_more() -> None:
    account, redeemed = member(100), own(AccountType.REDEEMED)
    with pytest.raises(FailedPrecondition) as refused:
        move((account, -101), (redeemed, 101))
    assert refused.value.reason == "INSUFFICIENT_BALANCE"
    assert refused.value.metadata == {"resource": account.name, "balance": "100", "amount": "101"}
    move((account, -100), (redeemed, 100))
    assert account.balance == 0


@pytest.mark.parametrize("amount", [1, 1_000_000_000])
def test_the_least_and_the_most_move(amount: int) -> None:
    check_legs([Leg("a", -amount), Leg("b", amount)])


@pytest.mark.parametrize(
    ("legs", "wrong"),
    [
        ([], [("transfer.legs", "INVALID_NUMBER")]),
        ([Leg("a", 1)], [("transfer.legs", "INVALID_NUMBER")]),
        ([Leg(str(i), 1) for i in range(101)], [("transfer.legs", "INVALID_NUMBER")]),
        ([Leg("a", 1), Leg("a", -1)], [("transfer.legs", "REPEATED_ACCOUNT")]),
        (
            [Leg("a", 0), Leg("b", 1_000_000_001), Leg("c", -1_000_000_001)],
            [(f"transfer.legs[{i}].amount", "INVALID_NUMBER") for i in range(3)],
        ),
    ],
)
def test_legs_outside_the_limits_are_refused(legs: list[Leg], wrong: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check_legs(legs)
    assert [(v.field, v.reason) for v in refused.value.violations] == wrong


def test_each_unit_adds_up_to_zero_by_itself() -> None:
    points, miles = member(10), member(10, MILES)
    issued, flown = own(AccountType.ISSUED), own(AccountType.ISSUED, MILES)
    with pytest.raises(InvalidArgument) as refused:
        move((points, -1), (miles, 1))
    assert [(v.field, v.reason) for v in refused.value.violations] == [
        (f"transfer.legs[{i}].amount", "UNBALANCED") for i in range(2)
    ]
    move((points, -1), (issued, 1), (miles, 3), (flown, -3))
    assert (points.balance, miles.balance) == (9, 13)


def test_a_reversal_moves_all_legs_back() -> None:
    moved = transfer((own(AccountType.ISSUED), -70), (member(), 70))
    reversal = moved.reversal(uuid4(), "correction", uuid4(), NOW, again=False)
    assert reversal.legs == [Leg(account, -amount) for account, amount, _ in moved.legs]
    assert reversal.reverses_id == moved.id


@pytest.mark.parametrize(
    ("reverses_id", "again", "why"), [(None, True, "ALREADY_REVERSED"), (UUID(int=1), False, "IS_REVERSAL")]
)
def test_what_was_undone_or_undid_another_is_not_undone(
    reverses_id: UUID | None, again: bool, why: str
) -> None:
    moved = replace(transfer((own(AccountType.ISSUED), -70), (member(), 70)), reverses_id=reverses_id)
    with pytest.raises(FailedPrecondition) as refused:
        moved.reversal(uuid4(), "correction", uuid4(), NOW, again)
    assert (refused.value.reason, refused.value.metadata) == (why, {"resource": f"transfers/{moved.id}"})


LEGS = st.lists(st.tuples(st.integers(0, 11), st.integers(-1000, 1000)), min_size=2, max_size=6)


class LedgerModel(RuleBasedStateMachine):
    """Random transfers and reversals between members and the program: the sums hold after each."""

    posted = Bundle("posted")

    def __init__(self) -> None:
        super().__init__()
        members = [Membership(UUID(int=i), "main", UUID(int=i), NOW, NOW) for i in range(3)]
        accounts = [
            *(member(unit=unit, of=each) for unit in (POINTS, MILES) for each in members),
            *(own(kind, unit) for unit in (POINTS, MILES) for kind in OWN),
        ]
        self.accounts = {account.name: account for account in accounts}
        self.entries: list[Entry] = []

    @rule(target=posted, legs=LEGS, mended=st.booleans())
    def post(self, legs: list[tuple[int, int]], mended: bool) -> Transfer:
        """Some legs; when they are to be mended, each unit's own account takes what is missing."""
        accounts = list(self.accounts.values())
        chosen = dict(legs)
        if mended:
            for i in (8, 11):
                of_unit = [at for at in chosen if accounts[at].unit_id == accounts[i].unit_id and at != i]
                chosen[i] = -sum(chosen[at] for at in of_unit)
            chosen = {i: amount for i, amount in chosen.items() if amount} or {0: 0}
        moved = transfer(*((accounts[i], amount) for i, amount in chosen.items()))
        self.attempt(moved)
        return moved

    @rule(moved=posted)
    def reverse(self, moved: Transfer) -> None:
        self.attempt(moved.reversal(uuid4(), "correction", uuid4(), NOW, again=False))

    def attempt(self, moved: Transfer) -> None:
        """As a transaction does: what is refused has changed nothing."""
        before = {name: (a.balance, a.version) for name, a in self.accounts.items()}
        try:
            check_legs(moved.legs)
            self.entries += post(moved, self.accounts)
        except Refusal:
            for name, (balance, version) in before.items():
                self.accounts[name].balance, self.accounts[name].version = balance, version

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        sums: Counter[str] = Counter()
        for account in self.accounts.values():
            sums[account.unit_id] += account.balance
        assert set(sums.values()) <= {0}

    @invariant()
    def a_balance_is_the_sum_of_its_entries(self) -> None:
        for account in self.accounts.values():
            entries = [entry for entry in self.entries if entry.account_id == account.id]
            assert account.balance == sum(entry.amount for entry in entries)
            assert [entry.version for entry in entries] == list(range(1, account.version + 1))

    @invariant()
    def no_member_is_below_zero(self) -> None:
        assert all(a.balance >= 0 for a in self.accounts.values() if a.type is AccountType.MEMBERSHIP)


LedgerModel.TestCase.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
test_the_ledger_keeps_its_sums = LedgerModel.TestCase


def test_what_was_earned_for_tiers_is_told_by_program_in_one_order() -> None:
    """Whoever locks standings of several programs does so in that order."""
    policy = TierPolicy(Measure.POINTS, Period.CALENDAR_YEAR, Downgrade.TO_EARNED, unit_code="points")
    units = [Unit(program, "points", "Points", 1, NOW, NOW) for program in ("wine", "books", "main")]
    accounts: dict[str, HeldAccount] = {}
    transfers = []
    for unit in units:
        got = member(unit=unit, of=replace(MEMBER, program_id=unit.program_id))
        gave = own(AccountType.ISSUED, unit)
        transfers.append(transfer((gave, -5), (got, 5)))
        accounts |= {a.name: HeldAccount(**values(a), tier_policy=policy) for a in (got, gave)}
    assert list(earners(transfers, accounts)) == ["books", "main", "wine"]
