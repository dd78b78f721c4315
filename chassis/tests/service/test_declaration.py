"""A service says what it needs before it has any settings; what it composes is held against that."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from chassis.app import App
from chassis.db.transaction import Transaction
from chassis.events.declarations import EVERY, Listening
from chassis.events.envelope import Event
from chassis.service import Service, main
from chassis.settings import ServiceSettings, WrongSettings
from rapport.cases.v1.cases_events_pb2 import PromiseKept, PromiseRenegotiated
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport.loyalty.v1 import loyalty_events_pb2

PROMISES = Listening("billing-promises", "cases", [PromiseKept, PromiseRenegotiated])


class Demanding(ServiceSettings):
    """Settings without which nothing of the service can be made."""

    invoice_printer: str = Field(description="where invoices go")


async def on_kept(tx: Transaction, event: Event[PromiseKept]) -> None:
    """Handle."""


async def on_renegotiated(tx: Transaction, event: Event[PromiseRenegotiated]) -> None:
    """Handle."""


def compose(app: App[Demanding]) -> None:
    assert app.settings.invoice_printer
    app.subscribe(PROMISES.durable, on_kept, on_renegotiated)
    app.client(ViewServiceStub, "customer")


def billing(compose: Any, calls: tuple[str, ...] = ("customer",)) -> Service[Demanding]:
    return Service(
        "billing", port=7010, settings=Demanding, events=loyalty_events_pb2, migrations=Path(),
        compose=compose, listens=[PROMISES], calls=calls,
    )  # fmt: skip


def settings(**peers: str) -> Demanding:
    urls = {"database_url": "postgresql:///x", "nats_url": "nats://x", "jwks_url": "file:///x", "issuer": "x"}
    return Demanding(**urls, invoice_printer="lp0", peers=json.dumps(peers))


def test_a_service_with_required_settings_is_declared_without_them() -> None:
    [consumer] = billing(compose).declaration().describe()["consumers"]
    assert consumer["stream"] == "CASES"
    assert consumer["subjects"] == ["events.cases.promise.kept.v1", "events.cases.promise.renegotiated.v1"]


def test_what_is_declared_is_what_is_composed() -> None:
    app = billing(compose).app(settings(customer="127.0.0.1:9"))
    assert (
        tuple(each.declared() for each in app.subscriptions) == billing(compose).declaration().subscriptions
    )


def test_a_peer_without_an_address_is_named() -> None:
    with pytest.raises(WrongSettings, match="billing calls customer and is given no address"):
        billing(compose).app(settings())


@pytest.mark.parametrize(
    ("composed", "said"),
    [
        (lambda app: None, "nothing handles billing-promises"),
        (lambda app: app.subscribe("billing-promises", on_kept), "its handlers take"),
        (lambda app: app.subscribe("billing-others", on_kept), "does not declare billing-others"),
        (lambda app: app.client(ViewServiceStub, "cases"), "declares no calls to cases"),
    ],
)
def test_what_differs_from_the_declaration_refuses_to_start(composed: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        billing(composed).app(settings(customer="127.0.0.1:9"))


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """What `describe` says of a service that listens to every other, and to these sources."""

    def describe(sources: str) -> str:
        monkeypatch.setenv("RAPPORT_SOURCES", sources)
        monkeypatch.setattr(sys, "argv", ["archive", "describe"])
        monkeypatch.setattr("chassis.libpq.ignore_variables", lambda: None)  # those of tests stay
        main(
            Service(
                "archive", port=7011, settings=ServiceSettings, events=loyalty_events_pb2,
                migrations=Path(), compose=lambda app: None, listens=[Listening("archive-all", EVERY)],
            )
        )  # fmt: skip
        return capsys.readouterr().out

    return describe


def test_who_listens_to_all_has_a_consumer_of_each_whose_contract_is_installed_and_each_configured(
    described: Callable[[str], str],
) -> None:
    known = ["cases", "customer", "loyalty", "notifications"]
    for sources, heard in [("", known), ("returns, gifts", sorted([*known, "gifts", "returns"]))]:
        consumers = json.loads(described(sources))["consumers"]
        assert [each["durable"] for each in consumers] == [f"archive-all-{source}" for source in heard]
        assert [each["subjects"] for each in consumers] == [[f"events.{source}.>"] for source in heard]


@pytest.mark.parametrize("sources", ["*", "Gifts", "a.b", "gifts,,returns", "x" * 41])
def test_what_is_no_name_of_a_service_is_heard_by_nobody(
    described: Callable[[str], str], capsys: pytest.CaptureFixture[str], sources: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        described(sources)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("RAPPORT_SOURCES: ")


@pytest.mark.parametrize("name", ["", "gift_cards", "Gifts", "7gifts", "g" * 32])
def test_a_service_is_called_as_all_that_is_named_after_it_can_be(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case letters and digits"):
        Service(
            name, port=7010, settings=Demanding, events=loyalty_events_pb2, migrations=Path(), compose=compose
        )
