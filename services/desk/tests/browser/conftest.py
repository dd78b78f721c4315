"""One company for each module of tests: its desk is what they look at."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from chassis.clock import Clock
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.tokens import TestIssuer
from tests.browser.company import ALICE, Company, Person, SignedIn, company
from tests.browser.fixtures import Visit
from tests.browser.visitor import Visitor


@pytest.fixture(autouse=True)
def ids_of_this_test() -> None:
    """Ids go on from test to test: they share a company, and its clock is the real one."""


@pytest.fixture(scope="module")
def time_of_day() -> Clock:
    """The clock of the company; a module may have one of its own."""
    return Clock()


@pytest.fixture(scope="module")
def desk_settings() -> dict[str, Any]:
    """Settings of the desk; a module may have others."""
    return {}


@pytest.fixture(scope="module")
async def desk(
    infrastructure: Infrastructure,
    issuer: TestIssuer,
    tmp_path_factory: pytest.TempPathFactory,
    time_of_day: Clock,
    desk_settings: dict[str, Any],
) -> AsyncIterator[Company]:
    """The company and its desk."""
    folder = tmp_path_factory.mktemp("company")
    async with company(infrastructure, issuer, folder, time_of_day, **desk_settings) as opened:
        yield opened


@pytest.fixture
def signed_in(desk: Company, visit: Visit) -> SignedIn:
    """Opens browsers of people who are signed in: Alice, unless another is named."""

    async def begin(person: Person = ALICE, **how: Any) -> Visitor:
        visitor = await visit(desk.url, **how)
        await desk.sign_in(visitor, person)
        return visitor

    return begin
