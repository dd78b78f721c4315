"""Profiles: how a department reads the file that comes to it again and again, kept for the next one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

from google.type.date_pb2 import Date

from chassis.api.messages import date_of
from rapport.customer.v1 import import_profile_service_pb2 as pb
from rapport.customer.v1.import_profile_pb2 import ImportProfile, ImportReading
from rapport_imports.columns import column_of
from rapport_imports.jobs import MODES
from rapport_imports.places import country
from rapport_imports.wanted import Kind, Wanted, WrongOption

KINDS = {kind: ImportProfile.Kind.Value(f"KIND_{kind.name}") for kind in Kind}
_MARKS = {
    "": ImportReading.DECIMAL_MARK_UNSPECIFIED,
    ".": ImportReading.DECIMAL_MARK_POINT,
    ",": ImportReading.DECIMAL_MARK_COMMA,
}
_ORDERS = {
    "": ImportReading.DATE_ORDER_UNSPECIFIED,
    "day": ImportReading.DATE_ORDER_DAY_FIRST,
    "month": ImportReading.DATE_ORDER_MONTH_FIRST,
}
_COLLECTION, _DEPARTMENTS = "importProfiles/", "departments/"


def id_of(profile: ImportProfile) -> str:
    """What people call it."""
    return profile.name.removeprefix(_COLLECTION)


async def listed(service: Any) -> list[ImportProfile]:
    """All of them, by name; `service` is a stub."""
    found: list[ImportProfile] = []
    request = pb.ListImportProfilesRequest(page_size=1000)
    while True:
        page = await service.ListImportProfiles(request)
        found += page.import_profiles
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def read_by(wanted: Wanted, profiles: Sequence[ImportProfile], name: str) -> Wanted:
    """What is wanted, with what the profile of that name says where nothing else is said. WrongOption."""
    of_kind = {id_of(each): each for each in profiles if each.kind == KINDS[wanted.kind]}
    profile = of_kind.get(name.removeprefix(_COLLECTION))
    if profile is None:
        known = f"must be one of {', '.join(of_kind)}" if of_kind else "there is none yet"
        raise WrongOption("profile", name, f"{known}, of those that read {wanted.kind}")
    said, mapped, fixed = profile.reading, wanted.mapped, wanted.fixed
    columns = {field: column for field, column in said.mapping.items() if field not in fixed} | mapped
    constants = {field: value for field, value in said.constants.items() if field not in mapped} | fixed
    texts = {
        "system": said.system,
        "currency": said.currency_code,
        "decimal": _called(_MARKS, said.decimal_mark),
        "first": _called(_ORDERS, said.date_order),
        "date_format": said.date_format,
        "time_zone": said.time_zone,
        "country": said.region_code,
        "day_one": date_of(said.first_date).isoformat() if said.HasField("first_date") else "",
        "encoding": said.encoding,
        "sheet": said.sheet,
        "department": said.promising_department.removeprefix(_DEPARTMENTS),
        "only": _called(MODES, said.mode),
    }
    ignored = [column for column in said.ignored_columns if column not in mapped.values()]
    header_row = said.header_line if said.HasField("header_line") else None
    read: dict[str, Any] = {name: getattr(wanted, name) or text for name, text in texts.items()}
    return replace(
        wanted,
        profile=id_of(profile),
        needed={field: column for field, column in said.columns.items() if field not in mapped | fixed},
        mapping=[f"{field}={column}" for field, column in columns.items()],
        constants=[f"{field}={value}" for field, value in constants.items()],
        ignore=ignored if wanted.ignore is None else wanted.ignore,
        header_row=header_row if wanted.header_row is None else wanted.header_row,
        **read,
    )


def of_file(wanted: Wanted, used: Mapping[str, str], decimal: str, first: str) -> ImportProfile:
    """The profile of a file that was read: what was said of it, and what all of it decided.

    `used` is the column of each field, `decimal` and `first` as in `rapport_imports.result.Result`.
    """
    reading = ImportReading(
        mapping={field: used.get(field, column) for field, column in wanted.mapped.items()},
        columns=used,
        ignored_columns=wanted.ignore or (),
        constants=wanted.fixed,
        system=wanted.system,
        currency_code=wanted.currency.upper(),
        decimal_mark=_MARKS[wanted.decimal or decimal],
        date_order=_ORDERS[wanted.first or first],
        date_format=wanted.date_format,
        time_zone=wanted.time_zone,
        region_code=country(wanted.country) if wanted.country else "",
        encoding=wanted.encoding,
        header_line=wanted.header_row,
        sheet=wanted.sheet,
        promising_department=wanted.department and f"{_DEPARTMENTS}{wanted.department}",
        mode=MODES[wanted.only],
    )
    if wanted.day_one:
        day = date.fromisoformat(wanted.day_one)
        reading.first_date.CopyFrom(Date(year=day.year, month=day.month, day=day.day))
    return ImportProfile(kind=KINDS[wanted.kind], reading=reading)


async def save(service: Any, name: str, profile: ImportProfile) -> ImportProfile:
    """Keep a profile under a name, in place of the one that has it, if they read the same. WrongOption."""
    named = f"{_COLLECTION}{name.removeprefix(_COLLECTION)}"
    there = next((each for each in await listed(service) if each.name == named), None)
    if there is None:
        request = pb.CreateImportProfileRequest(import_profile=profile, request_id=str(uuid4()))
        request.import_profile_id = named.removeprefix(_COLLECTION)
        made: ImportProfile = await service.CreateImportProfile(request)
        return made
    if there.kind != profile.kind:
        other = next(kind for kind, number in KINDS.items() if number == there.kind)
        raise WrongOption("save_profile", name, f"is a profile that reads {other}: choose another name")
    profile.name, profile.etag = there.name, there.etag
    kept: ImportProfile = await service.UpdateImportProfile(
        pb.UpdateImportProfileRequest(import_profile=profile, request_id=str(uuid4()))
    )
    return kept


def fits(profile: ImportProfile, header: Sequence[str]) -> bool:
    """Whether a file with these columns has all that a profile names."""
    said = profile.reading
    named = (*said.mapping.values(), *said.columns.values(), *said.ignored_columns)
    return all(column_of(column, header) in header for column in named)


def _called(numbers: Mapping[str, Any], number: Any) -> str:
    return next(text for text, each in numbers.items() if each == number)
