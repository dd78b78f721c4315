"""The rules of the ledger, and a model of it: whatever is posted, points are neither made nor lost."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from chassis.errors import FailedPrecondition, InvalidArgument, Refusal
from loyalty.domain.ledger import (
    Account,
    AccountKey,
    AccountKind,
    AccountNotFound,
    Entry,
    Transfer,
    already_reversed,
    post,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)
CUSTOMER = UUID("0198a000-0000-7000-8000-000000000001")
ISSUED = AccountKey("main", AccountKind.ISSUED)
MEMBER = AccountKey("main", AccountKind.MEMBERSHIP, CUSTOMER)


def account(key: AccountKey, points: int = 0) -> Account:
    return replace(Account.opened(key, NOW), points=points)


def transfer(debit: Account, credit: Account, points: int) -> Transfer:
    return Transfer(uuid4(), debit.id, credit.id, points, "correction", None, NOW)


def test_an_account_is_named_after_its_customer_or_its_kind() -> None:
    assert MEMBER.name == f"programmes/main/memberships/{CUSTOMER}"
    assert ISSUED.name == "programmes/main/accounts/issued"
    assert account(MEMBER).name == MEMBER.name


def test_kinds_are_named_as_the_database_keeps_them() -> None:
    assert [str(kind) for kind in AccountKind] == ["MEMBERSHIP", "ISSUED", "REDEEMED", "GOODWILL"]


def test_a_new_account_is_empty() -> None:
    assert Account.opened(MEMBER, NOW) == Account(
        MEMBER.id, "main", AccountKind.MEMBERSHIP, CUSTOMER, points=0, version=0, open_time=NOW
    )


def test_both_legs_carry_the_balance_and_version_after_them() -> None:
    issued, member = account(ISSUED), account(MEMBER, 5)
    moved = transfer(issued, member, 100)
    legs = post(moved, issued, member)
    assert [(leg.account_id, leg.points, leg.balance, leg.version) for leg in legs] == [
        (issued.id, -100, -100, 1),
        (member.id, 100, 105, 1),
    ]


def test_a_membership_gives_all_it_has_and_not_one_point_more() -> None:
    member, redeemed = account(MEMBER, 100), account(AccountKey("main", AccountKind.REDEEMED))
    with pytest.raises(FailedPrecondition) as refused:
        post(transfer(member, redeemed, 101), member, redeemed)
    assert refused.value.reason == "INSUFFICIENT_POINTS"
    assert refused.value.metadata == {"account": MEMBER.name, "points_balance": "100", "points": "101"}
    post(transfer(member, redeemed, 100), member, redeemed)
    assert member.points == 0


@pytest.mark.parametrize("points", [1, 1_000_000_000])
def test_the_least_and_the_most_points_move(points: int) -> None:
    issued, member = account(ISSUED), account(MEMBER)
    post(transfer(issued, member, points), issued, member)
    assert member.points == points


@pytest.mark.parametrize("points", [-1, 0, 1_000_000_001])
def test_points_outside_the_limits_are_refused(points: int) -> None:
    issued, member = account(ISSUED), account(MEMBER)
    with pytest.raises(InvalidArgument) as refused:
        post(transfer(issued, member, points), issued, member)
    assert [(v.field, v.reason) for v in refused.value.violations] == [("transfer.points", "INVALID_NUMBER")]


def test_an_account_does_not_pay_itself() -> None:
    issued = account(ISSUED)
    with pytest.raises(InvalidArgument) as refused:
        post(transfer(issued, issued, 1), issued, issued)
    assert [(v.field, v.reason) for v in refused.value.violations] == [
        ("transfer.credit_account", "SAME_ACCOUNT")
    ]


def test_points_do_not_leave_their_programme() -> None:
    issued, elsewhere = account(ISSUED), account(AccountKey("staff", AccountKind.MEMBERSHIP, CUSTOMER))
    with pytest.raises(InvalidArgument) as refused:
        post(transfer(issued, elsewhere, 1), issued, elsewhere)
    assert [(v.field, v.reason) for v in refused.value.violations] == [
        ("transfer.credit_account", "DIFFERENT_PROGRAMMES")
    ]


def test_a_reversal_moves_the_same_points_back() -> None:
    issued, member = account(ISSUED), account(MEMBER)
    moved = transfer(issued, member, 70)
    reversal = moved.reversal(uuid4(), "correction", NOW)
    assert (reversal.debit_account_id, reversal.credit_account_id) == (member.id, issued.id)
    assert (reversal.points, reversal.reverses) == (70, moved.id)


def test_what_is_missing_or_was_undone_is_named() -> None:
    missing, undone = AccountNotFound(MEMBER.name), already_reversed("transfers/1")
    assert (missing.reason, missing.metadata) == ("ACCOUNT_NOT_FOUND", {"resource": MEMBER.name})
    assert (undone.reason, undone.metadata) == ("ALREADY_REVERSED", {"transfer": "transfers/1"})


class LedgerModel(RuleBasedStateMachine):
    """Random transfers and reversals between members and the programme: the sums hold after each."""

    posted = Bundle("posted")

    def __init__(self) -> None:
        super().__init__()
        members = [AccountKey("main", AccountKind.MEMBERSHIP, UUID(int=i)) for i in range(3)]
        own = [AccountKey("main", kind) for kind in AccountKind if kind is not AccountKind.MEMBERSHIP]
        self.accounts = {key.id: account(key) for key in [*members, *own]}
        self.ids = list(self.accounts)
        self.entries: list[Entry] = []

    @rule(target=posted, debit=st.integers(0, 5), credit=st.integers(0, 5), points=st.integers(-1, 1000))
    def post(self, debit: int, credit: int, points: int) -> Transfer:
        moved = transfer(self.accounts[self.ids[debit]], self.accounts[self.ids[credit]], points)
        self.attempt(moved)
        return moved

    @rule(moved=posted)
    def reverse(self, moved: Transfer) -> None:
        self.attempt(moved.reversal(uuid4(), "correction", NOW))

    def attempt(self, moved: Transfer) -> None:
        before = self.balances()
        try:
            legs = post(moved, self.accounts[moved.debit_account_id], self.accounts[moved.credit_account_id])
        except Refusal:
            assert before == self.balances()
        else:
            self.entries += legs

    def balances(self) -> list[tuple[int, int]]:
        return [(a.points, a.version) for a in self.accounts.values()]

    @invariant()
    def points_are_neither_made_nor_lost(self) -> None:
        assert sum(a.points for a in self.accounts.values()) == 0

    @invariant()
    def a_balance_is_the_sum_of_its_entries(self) -> None:
        for a in self.accounts.values():
            own = [entry for entry in self.entries if entry.account_id == a.id]
            assert a.points == sum(entry.points for entry in own)
            assert [entry.version for entry in own] == list(range(1, a.version + 1))

    @invariant()
    def no_member_is_below_zero(self) -> None:
        assert all(a.points >= 0 for a in self.accounts.values() if a.kind is AccountKind.MEMBERSHIP)


LedgerModel.TestCase.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
test_the_ledger_keeps_its_sums = LedgerModel.TestCase
