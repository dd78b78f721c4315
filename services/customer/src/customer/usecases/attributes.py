"""Departments declare what they keep of customers."""

from chassis.api import etags
from chassis.api.entities import found
from chassis.db.statement import LOCK_NAME, values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition
from chassis.facts import fact_of
from customer.domain.attributes import Attribute, DataClass, Rule, Type
from customer.domain.facts import AttributeCreated, AttributeDeleted, AttributeUpdated
from customer.names import ATTRIBUTE
from customer.store import attributes as store

DEPARTMENT_ATTRIBUTES_MAX = 200
_ATTRIBUTES = "attributes"  # one is changed at a time, so that they can be counted


async def put_attribute(
    tx: Transaction,
    *,
    attribute_id: str,
    display_name: str,
    description: str,
    type: Type,
    data_class: DataClass,
    codes: list[str],
    rule: Rule,
    trusted_sources: list[str],
    etag: str,
    validate_only: bool,
) -> Attribute:
    """Declare what is kept of customers, unless nothing is new.

    PermissionDenied NOT_OWNER; FailedPrecondition ATTRIBUTE_INCOMPATIBLE, TOO_MANY_ATTRIBUTES, PROFILE_FIELD;
    Aborted ETAG_MISMATCH.
    """
    attribute = Attribute(
        attribute_id,
        display_name,
        description,
        type,
        data_class,
        list(dict.fromkeys(codes)),
        rule,
        list(dict.fromkeys(trusted_sources)),
        tx.now,
        tx.now,
    )
    tx.require_owner(attribute)
    await LOCK_NAME.run(tx, name=_ATTRIBUTES)
    held = await store.ATTRIBUTES_BY_ID.maybe(tx, ids=[attribute_id])
    etags.match(etag, attribute.name, held.version if held else 0)
    fields = attribute.follow(held) if held is not None else []
    if held is not None and not fields and held.delete_time is None:
        return held
    if held is None and attribute.profile_field:
        attribute.refuse_of_profile("has the fields that it has, and no more")
    if held is None or held.delete_time is not None:
        await _require_room(tx, attribute)
    if validate_only:
        return attribute
    if held is None:
        tx.record(fact_of(AttributeCreated, attribute), version=attribute.version)
    else:
        tx.record(fact_of(AttributeUpdated, attribute, updated_fields=fields), version=attribute.version)
    await _keep(tx, attribute)
    return attribute


async def delete_attribute(tx: Transaction, *, attribute_id: str, etag: str) -> None:
    """Withdraw an attribute; what was observed stays. NotFound; FailedPrecondition PROFILE_FIELD."""
    await LOCK_NAME.run(tx, name=_ATTRIBUTES)
    attribute = await found(tx, ATTRIBUTE, store.ATTRIBUTE, attribute_id, etag=etag)
    tx.require_owner(attribute)
    if attribute.profile_field:
        attribute.refuse_of_profile("cannot be withdrawn")
    attribute.version += 1
    attribute.update_time = attribute.delete_time = tx.now
    tx.record(fact_of(AttributeDeleted, attribute), version=attribute.version)
    await _keep(tx, attribute)


async def _require_room(tx: Transaction, attribute: Attribute) -> None:
    namespace = attribute.id.partition(".")[0]
    if (await store.COUNT_ATTRIBUTES.one(tx, namespace=f"{namespace}."))[
        "count"
    ] >= DEPARTMENT_ATTRIBUTES_MAX:
        told = f"A department has at most {DEPARTMENT_ATTRIBUTES_MAX} attributes: withdraw one."
        raise FailedPrecondition("TOO_MANY_ATTRIBUTES", told, {"most": DEPARTMENT_ATTRIBUTES_MAX})


async def _keep(tx: Transaction, attribute: Attribute) -> None:
    await tx.defer(store.SAVE_ATTRIBUTE, **values(attribute))
