"""Departments keep how the files are read that come to them again and again."""

from chassis.api.entities import created, own_department, owned, write
from chassis.db.transaction import Transaction
from chassis.facts import Changes, changed
from customer.domain.import_profiles import ImportProfile, ImportReading, Kind
from customer.names import IMPORT_PROFILE
from customer.store import import_profiles as store


async def create_profile(
    tx: Transaction, *, import_profile_id: str, department_id: str | None, kind: Kind, reading: ImportReading
) -> ImportProfile:
    """Keep a reading. AlreadyExists RESOURCE_EXISTS."""
    department = own_department(tx, department_id, "import_profile.department")
    profile = ImportProfile(import_profile_id, department, kind, reading, tx.now, tx.now)
    tx.require_owner(profile)
    await created(tx, store.INSERT_PROFILE, profile)
    return profile


async def update_profile(
    tx: Transaction, *, import_profile_id: str, changes: Changes[ImportProfile], etag: str
) -> ImportProfile:
    """Keep another reading under the name. NotFound; Aborted ETAG_MISMATCH."""
    profile = await owned(tx, IMPORT_PROFILE, store.LOCKED_PROFILE, import_profile_id, etag=etag)
    if changed(profile, changes):
        await write(tx, store.SAVE_PROFILE, profile)
    return profile


async def delete_profile(tx: Transaction, *, import_profile_id: str, etag: str) -> None:
    """Forget a profile. NotFound; Aborted ETAG_MISMATCH."""
    profile = await owned(tx, IMPORT_PROFILE, store.LOCKED_PROFILE, import_profile_id, etag=etag)
    tx.touch(profile.name)
    await store.DELETE_PROFILE.run(tx, id=import_profile_id)
