"""`rapport view`: the customer view that every department reads, for people."""

import re
from collections.abc import Iterator
from typing import Any

import typer
from rich.live import Live
from typer.core import TyperGroup

from rapport.customer.v1 import (
    customer_service_pb2,
    customer_service_pb2_grpc,
    view_pb2,
    view_service_pb2,
    view_service_pb2_grpc,
)
from rapport_tools.cli import contracts
from rapport_tools.cli.failures import Failure
from rapport_tools.cli.output import AsJson, listing, write_lines
from rapport_tools.cli.session import Session
from rapport_tools.cli.terminal import Terminal
from rapport_tools.cli.view_rebuilding import rebuild


class _OrShow(TyperGroup):
    """A group in which whatever is no command is a customer to show."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] != "--help" and args[0] not in self.commands:
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="view", cls=_OrShow, no_args_is_help=True, help="The document that every department reads."
)
app.command("rebuild")(rebuild)
HANDLES = (
    "A customer is found by words of the name, customers/..., a UUID, an e-mail address, a phone number or "
    "its last digits, or another handle, such as 1042 or shop:1042."
)
_UUID = re.compile(r"(customers/)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(/view)?")


@app.command("show")
def view(
    customer: str = typer.Argument(
        help="customers/..., a UUID, words of the name, an e-mail address, a phone number, an id or system:id"
    ),
    watch: bool = typer.Option(False, "--watch", help="Stay, and show it as it changes; Ctrl-C ends."),
    who: str = typer.Option("agent:demo", "--as", metavar="ROLE:NAME", help="Who looks."),
    as_json: bool = AsJson,
) -> None:
    """Show the one document that every department reads about a customer. `rapport view anna` does, too."""
    session = Session.open(who)
    name = f"{_found(session, customer, as_json)}/view"
    if watch:
        _follow(_changes(session, name), as_json)
        return
    stub = session.stub(view_service_pb2_grpc.ViewServiceStub, "customer")
    found = stub.GetCustomerView(view_service_pb2.GetCustomerViewRequest(name=name))
    if as_json:
        write_lines([contracts.to_json(found)], as_json=True)
        return
    from rapport_tools.cli.view_page import page

    terminal = Terminal()
    whom = session.stub(customer_service_pb2_grpc.CustomerServiceStub, "customer").GetCustomer(
        customer_service_pb2.GetCustomerRequest(name=found.customer)
    )
    terminal.print(page(found, terminal.width, whom), crop=False)


def _found(session: Session, customer: str, as_json: bool) -> str:
    """The customer's name for whatever the user has of them. Several are listed, for people."""
    named = _UUID.fullmatch(customer.lower())
    if named is not None:
        return f"customers/{named[2]}"
    stub = session.stub(customer_service_pb2_grpc.CustomerServiceStub, "customer")
    found = stub.SearchCustomers(customer_service_pb2.SearchCustomersRequest(query=customer))
    if not found.matches:
        raise Failure(f"No customer is found by {customer!r}. {HANDLES}")
    if len(found.matches) == 1:
        return str(found.matches[0].customer.name)
    if not as_json:
        rows = [_row(match) for match in found.matches]
        listing(rows, ["name", "handles", "since", "customer"], as_json=False, empty="")
    count = f"More than {len(found.matches)}" if found.next_page_token else len(found.matches)
    raise Failure(f"{count} customers are found by {customer!r}: choose one, `rapport view customers/...`.")


def _row(match: "customer_service_pb2.SearchCustomersResponse.Match") -> dict[str, str]:
    """Who it is, and by what one tells them from others with the same."""
    whom = match.customer
    others = [each.value for each in whom.identifiers if each.name != match.identifier]
    since = f"{whom.create_time.ToDatetime():%Y-%m-%d}"
    name = whom.display_name or "(no name)"
    return {"name": name, "handles": " · ".join(others[:2]), "since": since, "customer": whom.name}


def _changes(session: Session, name: str) -> Iterator[view_pb2.CustomerView]:
    """The view now and the latest as it changes. A stream that ends of age is followed by another."""
    stub = session.stub(view_service_pb2_grpc.ViewServiceStub, "customer")
    while True:
        for response in stub.WatchCustomerView(view_service_pb2.WatchCustomerViewRequest(name=name)):
            if response.HasField("customer_view"):
                yield response.customer_view


def _follow(views: Iterator[view_pb2.CustomerView], as_json: bool) -> None:
    """Show each view in place of the one before; as JSON, a line for each."""
    if as_json:
        write_lines((contracts.to_json(found) for found in views), as_json=True)
        return

    from rapport_tools.cli.view_page import page

    with Live(console=Terminal(), auto_refresh=False, vertical_overflow="visible") as live:
        for found in views:
            live.update(page(found, live.console.width), refresh=True)
