"""How much one address and one link may ask of the customer's own pages."""

from typing import Any

import pytest
from starlette.requests import Request

from desk.selfservice.limits import KNOWN_MAX, Limits, Often


class Watch:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_is_done_too_often_waits_until_its_time_is_over() -> None:
    watch = Watch()
    often = Often(3, 60, watch)
    for _ in range(3):
        assert often.left_s("a") == 0
        often.count("a")
    assert (often.left_s("a"), often.left_s("b")) == (60, 0)
    watch.now += 59
    assert often.left_s("a") == 1
    watch.now += 1
    assert often.left_s("a") == 0
    often.count("a")
    assert often.left_s("a") == 0  # a new time, counted from one


def test_of_too_many_the_first_are_forgotten() -> None:
    often = Often(1, 60, Watch())
    for number in range(KNOWN_MAX + 1):
        often.count(str(number))
    assert often.left_s("0") == 0
    assert often.left_s("1") > 0


def request(client: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    scope: dict[str, Any] = {"type": "http", "headers": headers}
    scope["client"] = (client, 1) if client else None
    return Request(scope)


@pytest.mark.parametrize(
    ("proxies", "client", "forwarded", "address"),
    [
        (0, "192.0.2.1", "6.6.6.6", "192.0.2.1"),
        (1, "10.0.0.1", "6.6.6.6, 192.0.2.1", "192.0.2.1"),
        (2, "10.0.0.1", "192.0.2.1, 10.0.0.2", "192.0.2.1"),
        (2, "10.0.0.1", "6.6.6.6", "10.0.0.1"),  # it did not come by way of both
        (1, "10.0.0.1", "nonsense", "unknown"),
        (0, None, "", "unknown"),
        (0, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::"),
        (0, "::ffff:192.0.2.1", "", "192.0.2.1"),
    ],
)
def test_an_address_is_what_our_own_proxies_saw(
    proxies: int, client: str | None, forwarded: str, address: str
) -> None:
    assert Limits(proxies).address(request(client, forwarded)) == address


def test_a_proxy_that_adds_a_header_of_its_own_is_believed_and_not_the_client() -> None:
    assert Limits(1).address(request("10.0.0.1", "6.6.6.6", "192.0.2.1")) == "192.0.2.1"


def test_nobody_gets_from_what_a_link_is_counted_by_to_the_link() -> None:
    limits = Limits(0)
    assert limits.link("a") == limits.link("a") != limits.link("b")
    assert limits.link("a") != Limits(0).link("a")
