from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from chassis.names import Pattern

NOTE = Pattern("cases/{case}/notes/{note}")
MEMBERSHIP = Pattern("programs/{program:code}/memberships/{membership}")
ATTEMPT = Pattern("notices/{notice}/attempts/{attempt:number}")
CONSENT = Pattern("customers/{customer}/consents/{consent:code_pair}")
ONE = UUID("0198c2a0-0000-7000-8000-000000000001")

codes = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)


@given(st.uuids(), st.uuids())
def test_ids_survive_the_way_into_a_name_and_back(case: UUID, item: UUID) -> None:
    assert NOTE.parse(NOTE.format(case, item)) == (case, item)


@given(codes, st.uuids(), st.integers(1, 10**9 - 1))
def test_chosen_ids_and_numbers_survive_too(code: str, id: UUID, number: int) -> None:
    assert MEMBERSHIP.parse(MEMBERSHIP.format(code, id)) == (code, id)
    assert ATTEMPT.parse(ATTEMPT.format(id, number)) == (id, number)
    assert CONSENT.parse(CONSENT.format(id, f"{code}.email")) == (id, f"{code}.email")


@given(st.text() | st.from_regex(r"cases/.*", fullmatch=True))
def test_whatever_parses_is_the_one_spelling_of_that_name(text: str) -> None:
    ids = NOTE.match(text)
    assert ids is None or NOTE.format(*ids) == text


@pytest.mark.parametrize(
    "name",
    [
        "",
        "cases/",
        f"cases/{ONE}",
        f"cases/{ONE}/notes/",
        f"cases/{ONE}/notes/{ONE}/",
        f"/cases/{ONE}/notes/{ONE}",
        f"cases/{ONE}/workitems/{ONE}",
        f"cases/{str(ONE).upper()}/notes/{ONE}",
        f"cases/{ONE.hex}/notes/{ONE}",
        f"cases/{{{ONE}}}/notes/{ONE}",
        f"cases/{ONE}/notes/{ONE}\n",
        f"cases/{ONE}/notes/-",
    ],
)
def test_another_shape_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        NOTE.parse(name, "parent")
    [violation] = refused.value.violations
    assert (violation.field, violation.reason) == ("parent", "INVALID_NAME")
    assert violation.description == "must be a name like cases/{case}/notes/{note}"


@pytest.mark.parametrize("code", ["", "Gold", "-gold", "gold-", "g" * 64, "go/ld", "go_ld", "gøld", "go\n"])
def test_a_chosen_id_is_lower_case_letters_digits_and_dashes(code: str) -> None:
    assert Pattern("tiers/{tier:code}").match(f"tiers/{code}") is None


def test_a_name_needs_all_its_ids() -> None:
    with pytest.raises(ValueError, match="takes 2 ids, not 1"):
        NOTE.format(ONE)


@pytest.mark.parametrize("absent", [None, ""])
def test_what_an_entity_does_not_have_has_no_name(absent: str | None) -> None:
    class Entity:
        tier_id = absent
        tier = Pattern("tiers/{tier:code}").named("tier_id")

    assert Entity().tier == ""


def test_a_pattern_shows_itself_as_the_contract_has_it() -> None:
    assert str(MEMBERSHIP) == "programs/{program}/memberships/{membership}"
    assert MEMBERSHIP.arity == 2
