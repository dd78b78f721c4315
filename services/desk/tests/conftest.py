"""What all tests of the desk have."""

from collections.abc import Iterator

import pytest

from desk.pages.aside import explaining as aside
from desk.pages.customer import route as customer
from desk.pages.queue import loading as queue
from desk.pages.timeline import route as timeline
from desk.pages.work import loading as work


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """Pages wait longer for their parts than people do: a busy machine is late, and that is no finding."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (aside, customer, queue, timeline, work):
            patch.setattr(module, "PAGE_S", 5.0)
        yield
