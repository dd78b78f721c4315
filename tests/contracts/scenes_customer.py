"""What there has to be before a request about a customer of a department can be answered: see `scenes`."""

from uuid import uuid4

from google.protobuf.message import Message

from rapport.customer.v1 import (
    attribute_pb2,
    attribute_service_pb2,
    customer_pb2,
    customer_service_pb2,
    identifier_pb2,
    import_job_pb2,
    import_profile_pb2,
    import_profile_service_pb2,
    import_service_pb2,
    purpose_pb2,
    purpose_service_pb2,
    section_service_pb2,
    view_service_pb2,
    wording_pb2,
)
from rapport_testing.wait import eventually
from tests.contracts.names import section_contract
from tests.contracts.scene import BEFORE, OWNER, Administer, Scene


async def create_purpose(_: Administer) -> Message:
    purpose = purpose_pb2.Purpose(
        department=OWNER, display_name="Surveys", contact_default=purpose_pb2.Purpose.DEFAULT_DENIED
    )
    return purpose_service_pb2.CreatePurposeRequest(purpose_id=f"p{uuid4().hex}", purpose=purpose)


async def update_purpose(do: Administer) -> Message:
    name = (await do("PurposeService.CreatePurpose", await create_purpose(do))).name
    return purpose_service_pb2.UpdatePurposeRequest(
        purpose=purpose_pb2.Purpose(name=name, display_name="Polls")
    )


async def create_wording(do: Administer) -> Message:
    name = (await do("PurposeService.CreatePurpose", await create_purpose(do))).name
    wording = wording_pb2.Wording(text="You may ask me.")
    return purpose_service_pb2.CreateWordingRequest(parent=name, wording_id="en", wording=wording)


async def update_wording(do: Administer) -> Message:
    name = (await do("PurposeService.CreateWording", await create_wording(do))).name
    wording = wording_pb2.Wording(name=name, text="You may write to me.")
    return purpose_service_pb2.UpdateWordingRequest(wording=wording)


async def create_job(do: Administer) -> Message:
    """A job of a source that nobody has begun to import."""
    return import_service_pb2.CreateImportJobRequest(
        import_job=import_job_pb2.ImportJob(source=(uuid4().hex + uuid4().hex))
    )


async def _job(do: Administer) -> str:
    return str((await do("ImportService.CreateImportJob", await create_job(do))).name)


async def append_rows(do: Administer) -> Message:
    row = import_job_pb2.ImportRow(line=1, customer=customer_pb2.Customer(display_name="Ada"))
    return import_service_pb2.AppendImportRowsRequest(name=await _job(do), rows=[row])


async def commit_job(do: Administer) -> Message:
    return import_service_pb2.CommitImportJobRequest(name=await _job(do))


async def preview_job(do: Administer) -> Message:
    return import_service_pb2.PreviewImportJobRequest(name=await _job(do))


async def revert_job(do: Administer) -> Message:
    name = await _job(do)
    await do("ImportService.CommitImportJob", import_service_pb2.CommitImportJobRequest(name=name))

    async def is_done() -> bool:
        job = await do("ImportService.GetImportJob", import_service_pb2.GetImportJobRequest(name=name))
        return bool(job.state == import_job_pb2.ImportJob.STATE_DONE)

    await eventually(is_done)
    return import_service_pb2.RevertImportJobRequest(name=name)


async def cancel_job(do: Administer) -> Message:
    return import_service_pb2.CancelImportJobRequest(name=await _job(do))


async def create_profile(_: Administer) -> Message:
    profile = import_profile_pb2.ImportProfile(
        department=OWNER, kind=import_profile_pb2.ImportProfile.KIND_ORDERS, reading={}
    )
    return import_profile_service_pb2.CreateImportProfileRequest(
        import_profile_id=f"p{uuid4().hex}", import_profile=profile
    )


async def _profile(do: Administer) -> str:
    return str((await do("ImportProfileService.CreateImportProfile", await create_profile(do))).name)


async def update_profile(do: Administer) -> Message:
    profile = import_profile_pb2.ImportProfile(name=await _profile(do), reading={"system": "till"})
    return import_profile_service_pb2.UpdateImportProfileRequest(import_profile=profile)


async def delete_profile(do: Administer) -> Message:
    return import_profile_service_pb2.DeleteImportProfileRequest(name=await _profile(do))


def _resolve() -> customer_service_pb2.ResolveCustomerRequest:
    return customer_service_pb2.ResolveCustomerRequest(
        identifier=identifier_pb2.Identifier(
            type=identifier_pb2.Identifier.TYPE_EXTERNAL_ID, system="crm", value=f"{uuid4()}"
        ),
        new_customer=customer_pb2.Customer(display_name="Ada"),
    )


async def resolve_and_create(_: Administer) -> Message:
    return _resolve()


async def resolve_and_create_some(_: Administer) -> Message:
    return customer_service_pb2.BatchResolveCustomersRequest(requests=[_resolve()])


def _schema() -> section_service_pb2.PutSectionSchemaRequest:
    return section_service_pb2.PutSectionSchemaRequest(
        name=f"sectionSchemas/s{uuid4().hex}",
        department=OWNER,
        display_name="Billing",
        message_type="items.v1.Items",
        descriptors=section_contract(),
    )


async def _put_schema(do: Administer) -> str:
    """The code of a schema of billing's, the only one."""
    for each in (
        await do("SectionService.ListSectionSchemas", section_service_pb2.ListSectionSchemasRequest())
    ).section_schemas:
        await do(
            "SectionService.DeleteSectionSchema",
            section_service_pb2.DeleteSectionSchemaRequest(name=each.name),
        )
    put = await do("SectionService.PutSectionSchema", _schema())
    return str(put.name.partition("/")[2])


async def put_schema(do: Administer) -> Message:
    """Another version of billing's, without saying whose."""
    request = _schema()
    request.name = f"sectionSchemas/{await _put_schema(do)}"
    request.department = ""
    return request


async def delete_schema(do: Administer) -> Message:
    return section_service_pb2.DeleteSectionSchemaRequest(name=f"sectionSchemas/{await _put_schema(do)}")


def _ada() -> Message:
    return customer_service_pb2.CreateCustomerRequest(customer=customer_pb2.Customer(display_name="Ada"))


async def put_section(do: Administer) -> section_service_pb2.PutViewSectionRequest:
    made = await do("CustomerService.CreateCustomer", _ada())
    name = f"{made.name}/view/sections/{await _put_schema(do)}"
    return section_service_pb2.PutViewSectionRequest(name=name, as_of_time=BEFORE)


async def put_sections(do: Administer) -> Message:
    return section_service_pb2.BatchPutViewSectionsRequest(requests=[await put_section(do)])


async def delete_section(do: Administer) -> Message:
    put = await do("SectionService.PutViewSection", await put_section(do))
    return section_service_pb2.DeleteViewSectionRequest(name=put.name)


def _attribute() -> attribute_service_pb2.PutAttributeRequest:
    attribute = attribute_pb2.Attribute
    return attribute_service_pb2.PutAttributeRequest(
        name=f"attributes/billing.a{uuid4().hex}",
        display_name="Tariff",
        type=attribute.TYPE_TEXT,
        data_class=attribute.DATA_CLASS_PLAIN,
        rule=attribute.RULE_LATEST,
    )


async def put_attribute(do: Administer) -> Message:
    """Another version of billing's."""
    put = await do("AttributeService.PutAttribute", _attribute())
    request = _attribute()
    request.name, request.display_name = put.name, "Contract"
    return request


async def delete_attribute(do: Administer) -> Message:
    put = await do("AttributeService.PutAttribute", _attribute())
    return attribute_service_pb2.DeleteAttributeRequest(name=put.name)


async def rebuild_views(do: Administer) -> Message:
    name = (await do("CustomerService.CreateCustomer", _ada())).name
    return view_service_pb2.RebuildCustomerViewsRequest(names=[f"{name}/view"], validate_only=True)


SCENES: dict[str, Scene] = {
    "customer.ViewService.RebuildCustomerViews": rebuild_views,
    "customer.ImportService.CreateImportJob": create_job,
    "customer.ImportService.AppendImportRows": append_rows,
    "customer.ImportService.PreviewImportJob": preview_job,
    "customer.ImportService.CommitImportJob": commit_job,
    "customer.ImportService.RevertImportJob": revert_job,
    "customer.ImportService.CancelImportJob": cancel_job,
    "customer.ImportProfileService.CreateImportProfile": create_profile,
    "customer.ImportProfileService.UpdateImportProfile": update_profile,
    "customer.ImportProfileService.DeleteImportProfile": delete_profile,
    "customer.PurposeService.CreatePurpose": create_purpose,
    "customer.PurposeService.UpdatePurpose": update_purpose,
    "customer.PurposeService.CreateWording": create_wording,
    "customer.PurposeService.UpdateWording": update_wording,
    "customer.SectionService.PutSectionSchema": put_schema,
    "customer.SectionService.DeleteSectionSchema": delete_schema,
    "customer.SectionService.PutViewSection": put_section,
    "customer.SectionService.BatchPutViewSections": put_sections,
    "customer.SectionService.DeleteViewSection": delete_section,
    "customer.AttributeService.PutAttribute": put_attribute,
    "customer.AttributeService.DeleteAttribute": delete_attribute,
    "customer.CustomerService.ResolveCustomer+new_customer": resolve_and_create,
    "customer.CustomerService.BatchResolveCustomers+new_customer": resolve_and_create_some,
}
