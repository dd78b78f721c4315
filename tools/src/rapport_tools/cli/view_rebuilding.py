"""`rapport view rebuild`: views rendered anew from the facts that are kept, or compared with them."""

import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Any
from uuid import uuid4

import typer

from rapport.customer.v1 import view_service_pb2 as pb
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport_imports.wording import counted
from rapport_tools.cli.failures import Exit
from rapport_tools.cli.output import AsJson, listing, say, write_json
from rapport_tools.cli.session import Session

AGAIN, AGAIN_S = 10, 1.0  # facts on their way are applied in a few seconds
TOLD_EVERY = 10_000
_NAMED, _STEP, _TIMEOUT_S = 1000, 500, 60


def rebuild(
    customers: Annotated[
        list[str] | None, typer.Argument(metavar="[CUSTOMERS/...]", help="Whose; all there are without any.")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Say what differs, and change nothing.")] = False,
    after: Annotated[
        str, typer.Option("--after", metavar="TOKEN", help="Go on where an earlier call has ended.")
    ] = "",
    who: Annotated[str, typer.Option("--as", metavar="ROLE:NAME", help="Who asks.")] = "sre:demo",
    as_json: bool = AsJson,
) -> None:
    """Render customer views anew from the facts that are kept, however old, while everything runs.

    Names the views that were otherwise, and in what. With --verify nothing is changed, and the exit code is 1
    when one differs; what differs is looked at again for some seconds, for a fact about it may be on its way.
    """
    stub = Session.open(who).stub(ViewServiceStub, "customer")
    names = [f"{each.removesuffix('/view')}/view" for each in customers or ()]
    groups = [names[i : i + _NAMED] for i in range(0, len(names), _NAMED)] or [[]]
    found: dict[str, list[str]] = {}
    count, told, token = 0, 0, after
    try:
        for group in groups:
            for page in _steps(stub, group, verify, token):
                count += page.customer_count
                found |= {each.name: list(each.fields) for each in page.differences}
                token = page.next_page_token
                if count >= told + TOLD_EVERY and not as_json:
                    told = count
                    say(f"{count:,} looked at, {len(found):,} differ.")
    except BaseException:
        if token:
            say(f"Go on with --after {token}")
        raise
    if verify:
        found = _still(stub, found)
    rows = [{"view": name, "differs_in": ", ".join(fields)} for name, fields in sorted(found.items())]
    if as_json:
        write_json({"customers": count, "differences": found})
    else:
        say(f"{counted(count, 'view')} looked at, {len(rows):,} {'differ' if verify else 'rendered anew'}.")
        listing(rows, ["view", "differs_in"], as_json=False, empty="All are what the facts say.")
    if verify and rows:
        raise typer.Exit(Exit.REFUSED)


def _steps(
    stub: Any, names: Sequence[str], verify: bool, token: str
) -> Iterator[pb.RebuildCustomerViewsResponse]:
    while True:
        request = pb.RebuildCustomerViewsRequest(
            names=names,
            validate_only=verify,
            page_size=_STEP,
            page_token=token,
            request_id=str(uuid4()),
        )
        page = stub.RebuildCustomerViews(request, timeout=_TIMEOUT_S)
        yield page
        token = page.next_page_token
        if not token:
            return


def _still(stub: Any, found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Of the views that differed those that do so after a while."""
    for _ in range(AGAIN):
        if not found:
            return found
        time.sleep(AGAIN_S)
        names, found = list(found), {}
        for start in range(0, len(names), _NAMED):
            for page in _steps(stub, names[start : start + _NAMED], verify=True, token=""):
                found |= {each.name: list(each.fields) for each in page.differences}
    return found
