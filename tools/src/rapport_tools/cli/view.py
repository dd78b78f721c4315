"""`rapport view`: the customer view that every department reads, for people."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.output import AsJson, write_lines

if TYPE_CHECKING:
    from rapport.customer.v1 import view_pb2
    from rapport_tools.cli.session import Session

app = typer.Typer()
HANDLES = (
    "A customer is found by customers/..., a UUID, an e-mail address, a phone number, or system:id as it was "
    "imported, such as shop:1042; not by a name."
)
_PHONE = re.compile(r"\s*\+?[\d\s()/.-]{4,}")
_UUID = re.compile(r"(customers/)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(/view)?")


@app.command()
def view(
    customer: str = typer.Argument(
        help="customers/..., a UUID, an e-mail address, a phone number or system:id"
    ),
    country: str = typer.Option("", help="Where a phone number without +49 or the like is local: DE."),
    watch: bool = typer.Option(False, "--watch", help="Stay, and show it as it changes; Ctrl-C ends."),
    who: str = typer.Option("agent:demo", "--as", metavar="ROLE:NAME", help="Who looks."),
    as_json: bool = AsJson,
) -> None:
    """Show the one document that every department reads about a customer."""
    from rapport.customer.v1 import (
        customer_service_pb2,
        customer_service_pb2_grpc,
        view_service_pb2,
        view_service_pb2_grpc,
    )
    from rapport_tools.cli import contracts
    from rapport_tools.cli.session import Session

    session = Session.open(who)
    customer = _resolved(session, customer, country)
    name = f"{customer}/view"
    if watch:
        _follow(_changes(session, name), as_json)
        return
    stub = session.stub(view_service_pb2_grpc.ViewServiceStub, "customer")
    found = stub.GetCustomerView(view_service_pb2.GetCustomerViewRequest(name=name))
    if as_json:
        write_lines([contracts.to_json(found)], as_json=True)
        return
    from rapport_tools.cli.terminal import Terminal
    from rapport_tools.cli.view_page import page

    terminal = Terminal()
    whom = session.stub(customer_service_pb2_grpc.CustomerServiceStub, "customer").GetCustomer(
        customer_service_pb2.GetCustomerRequest(name=found.customer)
    )
    terminal.print(page(found, terminal.width, whom), crop=False)


def _resolved(session: "Session", customer: str, country: str) -> str:
    """The customer's name for whatever the user has of them. NOT_FOUND when nobody has that handle."""
    import grpc

    from rapport.customer.v1 import (
        customer_service_pb2,
        customer_service_pb2_grpc,
        identifier_pb2,
    )

    named = _UUID.fullmatch(customer.lower())
    if named is not None:
        return f"customers/{named[2]}"
    kinds, system, value = identifier_pb2.Identifier, "", customer
    if "@" in customer:
        kind, spoken = kinds.TYPE_EMAIL, "e-mail address"
    elif _PHONE.fullmatch(customer):
        kind, spoken, value = kinds.TYPE_PHONE, "phone number", _international(customer, country)
    elif ":" in customer:
        kind, spoken = kinds.TYPE_EXTERNAL_ID, "id"
        system, _, value = customer.partition(":")
        system = system.casefold()
    else:
        raise Failure(f"{customer!r} is none of a customer's handles. {HANDLES}", Exit.WRONG_USE)
    stub = session.stub(customer_service_pb2_grpc.CustomerServiceStub, "customer")
    request = customer_service_pb2.ResolveCustomerRequest(
        identifier=identifier_pb2.Identifier(type=kind, system=system, value=value)
    )
    try:
        return str(stub.ResolveCustomer(request).customer)
    except grpc.RpcError as error:
        if not isinstance(error, grpc.Call):
            raise
        if error.code() is grpc.StatusCode.FAILED_PRECONDITION:  # as of no other handle
            raise Failure(
                f"Several customers have the {spoken} {customer}, so it does not tell which: ask for an "
                f"e-mail address or a customer number. {HANDLES}"
            ) from None
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        raise Failure(f"No customer has the {spoken} {customer}. {HANDLES}") from None


def _international(number: str, country: str) -> str:
    """A phone number as +49...; as it is when it is none."""
    import phonenumbers

    try:
        parsed = phonenumbers.parse(re.sub(r"^\s*00", "+", number), country.upper() or None)
    except phonenumbers.NumberParseException:
        raise Failure(
            f"{number!r} must begin with + or 00 and a country's number, or --country say where it is.",
            Exit.WRONG_USE,
        ) from None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _changes(session: "Session", name: str) -> "Iterator[view_pb2.CustomerView]":
    """The view now and the latest as it changes. A stream that ends of age is followed by another."""
    from rapport.customer.v1 import view_service_pb2, view_service_pb2_grpc

    stub = session.stub(view_service_pb2_grpc.ViewServiceStub, "customer")
    while True:
        for response in stub.WatchCustomerView(view_service_pb2.WatchCustomerViewRequest(name=name)):
            if response.HasField("customer_view"):
                yield response.customer_view


def _follow(views: "Iterator[view_pb2.CustomerView]", as_json: bool) -> None:
    """Show each view in place of the one before; as JSON, a line for each."""
    from rapport_tools.cli import contracts

    if as_json:
        write_lines((contracts.to_json(found) for found in views), as_json=True)
        return
    from rich.live import Live

    from rapport_tools.cli.terminal import Terminal
    from rapport_tools.cli.view_page import page

    with Live(console=Terminal(), auto_refresh=False, vertical_overflow="visible") as live:
        for found in views:
            live.update(page(found, live.console.width), refresh=True)
