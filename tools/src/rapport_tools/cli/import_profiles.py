"""`rapport import-profiles list|delete`, and reading a file by a profile."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from rapport.customer.v1.import_profile_pb2 import ImportProfile
from rapport.customer.v1.import_profile_service_pb2 import DeleteImportProfileRequest
from rapport.customer.v1.import_profile_service_pb2_grpc import ImportProfileServiceStub
from rapport_imports.wanted import Wanted, WrongOption
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.output import AsJson, listing
from rapport_tools.cli.session import Session

if TYPE_CHECKING:
    from rapport_imports.result import Result

T = TypeVar("T")
app = typer.Typer(name="import-profiles", help="How files are read that come again.", no_args_is_help=True)
Who = Annotated[str, typer.Option("--as", metavar="ROLE:NAME", help="Who asks: whom the history names.")]


@app.command("list")
def list_profiles(who: Who = "agent:demo", as_json: bool = AsJson) -> None:
    """List the profiles that `rapport import --profile` takes: what each reads, whose it is, its columns."""
    from rapport_imports import profiles

    rows = [_shown(each) for each in _ask(who, profiles.listed)]
    none = "There is none: rapport import KIND FILE --save-profile NAME keeps one."
    listing(rows, ["name", "kind", "department", "columns"], as_json=as_json, empty=none)


@app.command("delete")
def delete(name: str, who: Who = "agent:demo") -> None:
    """Delete a profile; what was imported by it stays."""
    named = DeleteImportProfileRequest(name=f"importProfiles/{name.removeprefix('importProfiles/')}")
    _ask(who, lambda service: service.DeleteImportProfile(named))


def profiled(wanted: Wanted, name: str, who: str) -> Wanted:
    """What is wanted, with what a profile says where nothing else is said. Failure, grpc.RpcError."""
    from rapport_imports import profiles

    return _right(lambda: profiles.read_by(wanted, _ask(who, profiles.listed), name))


def keep_profile(wanted: Wanted, result: "Result", name: str, who: str) -> str:
    """Keep how a file was read, and say so. Failure, grpc.RpcError."""
    from rapport_imports import profiles

    profile = profiles.of_file(wanted, result.used, result.decimal, result.first)
    kept = _right(lambda: _ask(who, lambda service: profiles.save(service, name, profile)))
    return f"kept as a profile: the next file is read so by --profile {profiles.id_of(kept)}"


def _ask(who: str, do: Callable[[Any], Awaitable[T]]) -> T:
    session = Session.open(who)

    async def asked() -> T:
        async with session.aio_channel("customer") as channel:
            return await do(ImportProfileServiceStub(channel))

    return asyncio.run(asked())


def _right(do: Callable[[], T]) -> T:
    try:
        return do()
    except WrongOption as error:
        raise Failure(error.told, Exit.WRONG_USE) from error


def _shown(profile: ImportProfile) -> dict[str, Any]:
    from rapport_imports import profiles

    kind = next(kind for kind, number in profiles.KINDS.items() if number == profile.kind)
    return {
        "name": profiles.id_of(profile),
        "kind": kind.value,
        "department": profile.department.removeprefix("departments/"),
        "columns": [f"{field}={column}" for field, column in profile.reading.columns.items()],
    }
