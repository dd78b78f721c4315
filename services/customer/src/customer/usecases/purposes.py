"""What contact with customers is for, and what they are asked to agree to."""

from chassis.api.entities import created, found, own_department, owned, save
from chassis.db.statement import LOCK_NAME, values
from chassis.db.transaction import Transaction
from chassis.errors import PermissionDenied, ResourceExists
from chassis.facts import Changes, changed, fact_of
from chassis.names import PLATFORM
from customer.domain.facts import PurposeCreated, PurposeUpdated
from customer.domain.purposes import Default, LegalBasis, Purpose, Translation, Wording
from customer.domain.timeline import Channel
from customer.names import PURPOSE, WORDING
from customer.store import consents as store
from customer.store.consents import INSERT_PURPOSE, LOCK_PURPOSE, UPDATE_PURPOSE


async def create_purpose(
    tx: Transaction,
    *,
    purpose_id: str,
    display_name: str,
    description: str,
    department_id: str | None,
    contact_default: Default,
    legal_basis: LegalBasis | None,
    category: str,
    double_opt_in_channels: list[Channel],
    essential: bool,
    default_language_code: str,
    translations: list[Translation],
) -> Purpose:
    """Create a purpose.

    AlreadyExists RESOURCE_EXISTS; PermissionDenied NOT_OWNER, and where it is essential; InvalidArgument
    INVALID_LEGAL_BASIS, INVALID_ESSENTIAL, INVALID_CODE.
    """
    owner = own_department(tx, department_id, "purpose.department")
    purpose = Purpose(
        purpose_id,
        display_name,
        description,
        owner,
        contact_default,
        tx.now,
        tx.now,
        version=1,
        legal_basis=legal_basis,
        category=category,
        double_opt_in_channels=list(dict.fromkeys(double_opt_in_channels)),
        essential=essential,
        default_language_code=default_language_code,
        translations=translations,
    )
    purpose.require_lawful()
    tx.require_owner(purpose)
    _require_essential_by(tx, purpose)
    await created(tx, INSERT_PURPOSE, purpose)
    tx.record(fact_of(PurposeCreated, purpose), version=purpose.version)
    return purpose


def _require_essential_by(tx: Transaction, purpose: Purpose) -> None:
    """PermissionDenied: what customers cannot stop is the platform's, or of who answers for all."""
    administers = tx.call.principal.administers(tx.db.service)
    if purpose.essential and purpose.department_id != PLATFORM and not administers:
        permission = f"{tx.db.service}.departments.administer"
        told = f"{purpose.name} is essential, and not of departments/{PLATFORM}: that takes '{permission}'."
        raise PermissionDenied("PERMISSION_DENIED", told, {"permission": permission})


async def update_purpose(
    tx: Transaction, *, purpose_id: str, changes: Changes[Purpose], etag: str
) -> Purpose:
    """Change how a purpose is called, described and confirmed; say once what it rests on and its category.

    PermissionDenied NOT_OWNER; FailedPrecondition PURPOSE_SETTLED; InvalidArgument INVALID_LEGAL_BASIS,
    INVALID_ESSENTIAL, INVALID_CODE.
    """
    purpose = await owned(tx, PURPOSE, LOCK_PURPOSE, purpose_id, etag=etag)
    purpose.require_unsettled(
        changes.get("legal_basis", purpose.legal_basis), changes.get("category", purpose.category)
    )
    if "double_opt_in_channels" in changes:
        changes["double_opt_in_channels"] = list(dict.fromkeys(changes["double_opt_in_channels"]))
    if fields := changed(purpose, changes):
        purpose.require_lawful()
        await save(tx, UPDATE_PURPOSE, purpose, fact_of(PurposeUpdated, purpose, updated_fields=fields))
    return purpose


async def create_wording(tx: Transaction, *, purpose_id: str, wording_id: str, text: str) -> Wording:
    """Keep the first version of a wording.

    NotFound; AlreadyExists RESOURCE_EXISTS; PermissionDenied NOT_OWNER; InvalidArgument INVALID_CODE.
    """
    await _own(tx, purpose_id)
    wording = Wording(purpose_id, wording_id, 1, text, tx.now, tx.call.principal.subject)
    wording.require_language()
    if await store.WORDING.maybe(tx, purpose_id=purpose_id, id=wording_id) is not None:
        raise ResourceExists(wording.name)
    await tx.defer(store.INSERT_WORDING, **values(wording))
    return wording


async def update_wording(
    tx: Transaction, *, purpose_id: str, wording_id: str, changes: Changes[Wording], etag: str
) -> Wording:
    """Keep the next version of a wording. What says the same is none. NotFound; NOT_OWNER."""
    await _own(tx, purpose_id)
    wording = await found(tx, WORDING, store.WORDING, purpose_id, wording_id, etag=etag)
    if changed(wording, changes):
        wording.create_time, wording.actor = tx.now, tx.call.principal.subject
        await tx.defer(store.INSERT_WORDING, **values(wording))
    return wording


async def _own(tx: Transaction, purpose_id: str) -> None:
    """Have the purpose be the caller's, and its wordings nobody else's to change meanwhile."""
    await LOCK_NAME.run(tx, name=PURPOSE.format(purpose_id))
    await owned(tx, PURPOSE, store.PURPOSE, purpose_id)
