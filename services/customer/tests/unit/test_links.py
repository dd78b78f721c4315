"""Tokens of links."""

from uuid import UUID, uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.errors import FailedPrecondition
from customer.domain.links import TOKEN_LENGTH, Holder, LinkKeys, LinkNotFound, parsed
from customer.settings import Settings

OLD, NEW = "of-tests-alone-and-not-a-secret-", "another-of-tests-that-is-no-secret"


def opens(keys: LinkKeys, token: str, customer: UUID, generation: int = 0) -> bool:
    try:
        return keys.opens(token, Holder(customer, "", generation))
    except LinkNotFound:
        return False


@given(st.uuids(), st.integers(0, 2**40))
def test_a_token_opens_its_own_name_and_generation_alone(customer: UUID, generation: int) -> None:
    keys = LinkKeys((OLD,))
    token = keys.token(customer, generation)
    assert len(token) == TOKEN_LENGTH
    assert parsed(token)[0] == customer
    assert opens(keys, token, customer, generation)
    assert not opens(keys, token, customer, generation + 1)
    assert not opens(keys, token, uuid4(), generation)
    assert not opens(LinkKeys((NEW,)), token, customer, generation)
    assert opens(LinkKeys((NEW, OLD)), token, customer, generation)
    assert not keys.opens(token, None)


@given(st.uuids(), st.integers(0, TOKEN_LENGTH - 1), st.characters())
@example(UUID("e7faee16-af12-06f4-833a-9ac0bffcf950"), 1, "/")  # for its `_`, in the other base64
def test_a_token_that_is_changed_anywhere_opens_nothing(customer: UUID, at: int, by: str) -> None:
    keys = LinkKeys((OLD,))
    token = keys.token(customer, 0)
    changed = token[:at] + by + token[at + 1 :]
    assert opens(keys, changed, customer) == (changed == token)


@given(st.text(max_size=60))
def test_nothing_that_is_made_up_opens(text: str) -> None:
    assert not opens(LinkKeys((OLD,)), text, UUID(int=0))


def test_without_keys_there_is_no_link() -> None:
    with pytest.raises(FailedPrecondition, match="RAPPORT_LINK_KEYS"):
        LinkKeys(()).token(uuid4(), 0)
    assert OLD not in repr(LinkKeys((OLD,)))


@pytest.mark.parametrize("keys", ["short", f"{OLD} short", " ".join([OLD] * 9)])
def test_keys_are_long_and_few(keys: str) -> None:
    with pytest.raises(ValueError, match="32 characters or more"):
        Settings(link_keys=keys, database_url="postgresql://x", nats_url="nats://x", issuer="x")  # type: ignore[arg-type]
