"""Profiles of imports: a department's own, kept once, changed by who has read them."""

from typing import Any

import grpc
import pytest

from chassis.grpc.status import refusal
from rapport.customer.v1 import import_profile_service_pb2 as pb
from rapport.customer.v1.import_profile_pb2 import ImportProfile, ImportReading
from rapport.customer.v1.import_profile_service_pb2_grpc import ImportProfileServiceStub
from rapport_imports import profiles
from rapport_imports.wanted import WrongOption

READING = ImportReading(columns={"date": "Tag"}, decimal_mark=ImportReading.DECIMAL_MARK_COMMA, header_line=0)


def of(kind: Any = ImportProfile.KIND_PURCHASES, **reading: Any) -> ImportProfile:
    kept = ImportReading()
    kept.CopyFrom(READING)
    kept.MergeFrom(ImportReading(**reading))
    return ImportProfile(kind=kind, reading=kept)


async def test_a_profile_is_kept_once_and_changed_by_who_has_read_it(desk: Any) -> None:
    service = desk.running.stub(ImportProfileServiceStub)
    first = await profiles.save(service, "till", of())
    assert (first.name, first.reading, first.etag) == ("importProfiles/till", READING, '"1"')
    assert first.department == "departments/front-desk"
    second = await profiles.save(service, "importProfiles/till", of(system="till"))
    assert (second.reading.system, second.etag) == ("till", '"2"')
    assert [each for each in await profiles.listed(service) if each.name == first.name] == [second]
    with pytest.raises(WrongOption, match="reads purchases: choose another name"):
        await profiles.save(service, "till", of(ImportProfile.KIND_ORDERS))
    with pytest.raises(grpc.aio.AioRpcError) as stale:
        await service.UpdateImportProfile(pb.UpdateImportProfileRequest(import_profile=first))
    assert refusal(stale.value).reason == "ETAG_MISMATCH"
    await service.DeleteImportProfile(pb.DeleteImportProfileRequest(name=first.name, etag=second.etag))
    with pytest.raises(grpc.aio.AioRpcError) as gone:
        await service.GetImportProfile(pb.GetImportProfileRequest(name=first.name))
    assert gone.value.code() is grpc.StatusCode.NOT_FOUND
