"""One company for each module of tests: its desk is what they look at."""

from collections.abc import AsyncIterator

import pytest

from chassis.clock import Clock
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.tokens import TestIssuer
from tests.browser.company import Company, company


@pytest.fixture(autouse=True)
def ids_of_this_test() -> None:
    """Ids go on from test to test: they share a company, and its clock is the real one."""


@pytest.fixture(scope="module")
async def desk(
    infrastructure: Infrastructure, issuer: TestIssuer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Company]:
    """The company and its desk."""
    async with company(infrastructure, issuer, tmp_path_factory.mktemp("company"), Clock()) as opened:
        yield opened
